"""Minima: the gradient of the function is zero there, or a bound is reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize

from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.node import holds_value
from autograd_lite.core.tree import flatten
from autograd_lite.scipy.calls import Call, as_arguments, projected
from autograd_lite.transforms.functions import grad
from autograd_lite.transforms.implicit import implicit

__all__ = ["linprog", "minimize", "minimize_scalar"]

Function = Callable[..., Any]


def limits(bounds: Any, count: int) -> tuple[Any, Any]:
    """The lowest and the highest numbers that are allowed, from pairs or `Bounds`."""
    if isinstance(bounds, optimize.Bounds):
        low, high = bounds.lb, bounds.ub
    else:
        pairs = list(bounds)
        low = np.array([-np.inf if x is None else x for x, _ in pairs], float)
        high = np.array([np.inf if x is None else x for _, x in pairs], float)
    return np.broadcast_to(low, count), np.broadcast_to(high, count)


def minimize(
    fun: Function, x0: Any, args: Any = (), *,
    jac: Any = None, bounds: Any = None, constraints: Any = (), **options: Any,
) -> Any:  # fmt: skip
    """``scipy.optimize.minimize``: ``x`` and ``fun`` of its result have derivatives by ``args``.

    ``fun`` is NumPy code, which is differentiated twice; with ``bounds``, but without
    ``constraints``.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import optimize
    >>> f = lambda x, a: np.sum((x - a) ** 2 + x**4)
    >>> lowest = lambda a: optimize.minimize(f, np.zeros(2), args=(a,), tol=1e-9).x
    >>> ag.jacobian(lowest)(np.array([3.0, 6.0])).round(4)  # x + 2x³ = a
    array([[0.1429, 0.    ],
           [0.    , 0.0865]])
    """
    settings = {"jac": jac, "bounds": bounds, "constraints": constraints, **options}
    call = Call("minimize", settings)

    def function(x: Any, *args: Any) -> Any:
        lowest = fun(x, *args)[0] if jac is True else fun(x, *args)
        return np.reshape(lowest, ()) if np.ndim(lowest) else lowest

    def residual(x: Any, x0: Any, args: tuple[Any, ...]) -> Any:
        gradient = grad(function)(x, *args)
        if bounds is None:
            return gradient
        return projected(x, gradient, *limits(bounds, np.size(x)))

    @implicit(residual)
    def minimize(x0: Any, args: tuple[Any, ...]) -> Any:
        return call.keep(optimize.minimize(call.plain(fun), x0, args, **settings)).x

    args = as_arguments(args)
    if constraints != () and holds_value(flatten([x0, args])):
        raise UnsupportedError(
            "minimize: with constraints there is no derivative here, as SciPy does not tell their "
            "multipliers; write the constraints into the function, or decorate a solver of x and "
            "the multipliers with ag.implicit"
        )
    x = minimize(x0, args)
    return call.result(x=x, fun=function(x, *args))


def minimize_scalar(
    fun: Function, bracket: Any = None, bounds: Any = None, args: Any = (), **options: Any
) -> Any:
    """``scipy.optimize.minimize_scalar``: ``x`` and ``fun`` have derivatives by ``args``.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import optimize
    >>> f = lambda x, a: np.exp(x) - a * x
    >>> round(ag.grad(lambda a: optimize.minimize_scalar(f, args=(a,)).x)(2.0), 5)
    0.5
    """
    call = Call("minimize_scalar", options)

    def residual(x: Any, start: dict[str, Any], args: tuple[Any, ...]) -> Any:
        slope = grad(fun)(x, *args)
        return slope if start["bounds"] is None else projected(x, slope, *start["bounds"])

    @implicit(residual)
    def minimize_scalar(start: dict[str, Any], args: tuple[Any, ...]) -> Any:
        return call.keep(optimize.minimize_scalar(call.plain(fun), args=args, **start, **options)).x

    args = as_arguments(args)
    x = minimize_scalar({"bracket": bracket, "bounds": bounds}, args)
    return call.result(x=x, fun=fun(x, *args))


def linprog(
    c: Any, A_ub: Any = None, b_ub: Any = None, A_eq: Any = None, b_eq: Any = None,  # noqa: N803
    bounds: Any = (0, None), **options: Any,
) -> Any:  # fmt: skip
    """``scipy.optimize.linprog``: ``x`` and ``fun`` have derivatives by the five arrays.

    By the conditions of Karush, Kuhn and Tucker, for the solution together with its
    multipliers; refused where the corner is not a single one, so that there is no derivative.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import optimize
    >>> a, b = np.array([[1.0, 2.0], [3.0, 1.0]]), np.array([4.0, 6.0])
    >>> best = lambda b: optimize.linprog([-1.0, -1.0], a, b).fun
    >>> ag.grad(best)(b).round(6)  # the prices of the two resources
    array([-0.4, -0.2])
    """
    call = Call("linprog", {"bounds": bounds, **options})

    def residual(solution: dict[str, Any], c: Any, upper: Any, equal: Any) -> dict[str, Any]:
        x = solution["x"]
        gradient, found = np.array(c, float, like=x), {}
        if upper is not None:
            a, b = (np.array(y, float, like=x) for y in upper)
            price = solution["upper"]
            gradient = gradient + price @ a
            found["upper"] = projected(price, b - a @ x, 0.0, np.inf)
        if equal is not None:
            a, b = (np.array(y, float, like=x) for y in equal)
            gradient = gradient + solution["equal"] @ a
            found["equal"] = a @ x - b
        return {"x": projected(x, gradient, *limits_of_all(bounds, np.size(x))), **found}

    @implicit(residual)
    def linprog(c: Any, upper: Any, equal: Any) -> Any:
        matrices = (*(upper or (None, None)), *(equal or (None, None)))
        found = call.keep(optimize.linprog(c, *matrices, bounds=bounds, **options))
        if not found.success:
            raise UnsupportedError(
                f"linprog: there is no solution to differentiate ({found.message}); change the "
                "constraints"
            )
        solution = {"x": found.x}
        if upper is not None:
            solution["upper"] = -found.ineqlin.marginals
        if equal is not None:
            solution["equal"] = -found.eqlin.marginals
        return solution

    upper = None if A_ub is None else (A_ub, b_ub)
    equal = None if A_eq is None else (A_eq, b_eq)
    if not holds_value(flatten([c, upper, equal])):
        return optimize.linprog(c, A_ub, b_ub, A_eq, b_eq, bounds=bounds, **options)
    x = linprog(c, upper, equal)["x"]
    return call.result(x=x, fun=np.array(c, float, like=x) @ x)


def limits_of_all(bounds: Any, count: int) -> tuple[Any, Any]:
    """The same where one pair may stand for all unknowns."""
    if bounds is None:
        bounds = (0, None)
    is_one = np.shape(bounds) in ((2,), (1, 2)) and not (np.shape(bounds) == (1, 2) and count == 1)
    return limits([np.ravel(np.array(bounds, object))] * count if is_one else bounds, count)
