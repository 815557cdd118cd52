"""Roots and fixed points: F(x, *args) = 0 is the equation itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scipy import optimize

from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.node import holds_value
from autograd_lite.core.tree import flatten
from autograd_lite.scipy.calls import Call, as_arguments
from autograd_lite.transforms.implicit import implicit

__all__ = [
    "bisect",
    "brenth",
    "brentq",
    "fixed_point",
    "fsolve",
    "newton",
    "ridder",
    "root",
    "root_scalar",
    "toms748",
]

Function = Callable[..., Any]


def value_of_first(function: Function, with_derivatives: Any) -> Function:
    """The function alone, where it returns its derivatives as well."""
    return (lambda *args: function(*args)[0]) if with_derivatives is True else function


def root(fun: Function, x0: Any, args: Any = (), *, jac: Any = None, **options: Any) -> Any:
    """``scipy.optimize.root``: the ``x`` of its result has derivatives by ``args``.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import optimize
    >>> circle = lambda x, r: ag.array([x[0] ** 2 + x[1] ** 2 - r**2, x[0] - x[1]])
    >>> ag.jacobian(lambda r: optimize.root(circle, [1.0, 1.0], args=(r,)).x)(2.0).round(6)
    array([0.707107, 0.707107])
    """
    call = Call("root", options)
    function = value_of_first(fun, jac)

    @implicit(lambda x, x0, args: function(x, *args))
    def root(x0: Any, args: tuple[Any, ...]) -> Any:
        return call.keep(optimize.root(call.plain(fun), x0, args, jac=jac, **options)).x

    return call.result(x=root(x0, as_arguments(args)))


def fsolve(
    func: Function, x0: Any, args: Any = (), *, full_output: bool = False, **options: Any
) -> Any:
    """``scipy.optimize.fsolve``: the roots have derivatives by ``args``.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import optimize
    >>> roots = lambda a: optimize.fsolve(lambda x, a: x**2 - a, [1.0, -1.0], args=(a,))
    >>> ag.jacobian(roots)(4.0).round(6)
    array([ 0.25, -0.25])
    """
    if full_output:
        return in_full(optimize.fsolve, func, x0, args, **options)
    call = Call("fsolve", options)

    @implicit(lambda x, x0, args: func(x, *args))
    def fsolve(x0: Any, args: tuple[Any, ...]) -> Any:
        return optimize.fsolve(call.plain(func), x0, args, **options)

    return fsolve(x0, as_arguments(args))


def root_scalar(
    f: Function, args: Any = (), method: Any = None, bracket: Any = None, fprime: Any = None,
    fprime2: Any = None, x0: Any = None, x1: Any = None, **options: Any,
) -> Any:  # fmt: skip
    """``scipy.optimize.root_scalar``: the ``root`` of its result has derivatives by ``args``.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import optimize
    >>> f = lambda x, a: np.exp(x) - a
    >>> root = lambda a: optimize.root_scalar(f, args=(a,), bracket=(0.0, 5.0)).root
    >>> round(ag.grad(root)(4.0), 6)
    0.25
    """
    call = Call("root_scalar", options)
    function = value_of_first(f, fprime)

    @implicit(lambda x, args, start: function(x, *args))
    def root_scalar(args: tuple[Any, ...], start: dict[str, Any]) -> Any:
        slopes = {"fprime": fprime, "fprime2": fprime2}
        found = optimize.root_scalar(call.plain(f), args, method, **start, **slopes, **options)
        return call.keep(found).root

    start = {"bracket": bracket, "x0": x0, "x1": x1}
    return call.result(root=root_scalar(as_arguments(args), start))


def between(solver: Function) -> Function:
    """A function of SciPy's that finds a root between two numbers."""
    name = solver.__name__

    def find(
        f: Function, a: Any, b: Any, args: Any = (), *,
        full_output: bool = False, **options: Any,
    ) -> Any:  # fmt: skip
        if full_output:
            return in_full(solver, f, a, b, args=args, **options)
        call = Call(name, options)

        def root(a: Any, b: Any, args: tuple[Any, ...]) -> Any:
            return solver(call.plain(f), a, b, args=args, **options)

        root.__name__ = name
        return implicit(lambda x, a, b, args: f(x, *args))(root)(a, b, as_arguments(args))

    find.__name__ = find.__qualname__ = name
    find.__doc__ = f"``scipy.optimize.{name}``: the root has derivatives by ``args``."
    return find


def in_full(solver: Function, *arguments: Any, **options: Any) -> Any:
    """What is known of a search besides its result, which is known of plain numbers."""
    if holds_value(flatten([arguments, options])):
        raise UnsupportedError(
            f"{solver.__name__}: full_output=True is for plain numbers; leave it out, or call "
            "ag.scipy.optimize.root_scalar or root"
        )
    return solver(*arguments, full_output=True, **options)


bisect = between(optimize.bisect)
brenth = between(optimize.brenth)
brentq = between(optimize.brentq)
ridder = between(optimize.ridder)
toms748 = between(optimize.toms748)


def newton(
    func: Function, x0: Any, fprime: Function | None = None, args: Any = (), *,
    full_output: bool = False, **options: Any,
) -> Any:  # fmt: skip
    """``scipy.optimize.newton``, of one number or of an array: derivatives by ``args``.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import optimize
    >>> f = lambda x, a: x**3 - a
    >>> round(ag.grad(lambda a: optimize.newton(f, 1.0, args=(a,)))(8.0), 6)
    0.083333
    """
    if full_output:
        return in_full(optimize.newton, func, x0, fprime, args, **options)
    call = Call("newton", options)

    @implicit(lambda x, x0, args: func(x, *args))
    def newton(x0: Any, args: tuple[Any, ...]) -> Any:
        return optimize.newton(call.plain(func), x0, fprime, args, **options)

    return newton(x0, as_arguments(args))


def fixed_point(func: Function, x0: Any, args: Any = (), **options: Any) -> Any:
    """``scipy.optimize.fixed_point``: x = func(x), with derivatives by ``args``.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import optimize
    >>> f = lambda x, a: np.cos(a * x)
    >>> round(ag.grad(lambda a: optimize.fixed_point(f, 1.0, args=(a,)))(1.0), 6)
    -0.297474
    """
    call = Call("fixed_point", options)

    @implicit(lambda x, x0, args: x - func(x, *args))
    def fixed_point(x0: Any, args: tuple[Any, ...]) -> Any:
        return optimize.fixed_point(call.plain(func), x0, args, **options)[()]

    return fixed_point(x0, as_arguments(args))
