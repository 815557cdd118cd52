"""Integrals of functions: by a limit the function there, by a parameter the integral of its slope.

So each derivative is an integral of the same kind, and has derivatives itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from scipy import integrate

from autograd_lite.core.errors import ArgumentValueError, UnsupportedError
from autograd_lite.core.node import holds_value
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.tree import flatten, unflatten
from autograd_lite.scipy.calls import (
    Call,
    as_arguments,
    in_one_call,
    packed,
    unpacked,
)
from autograd_lite.scipy.names import as_array_operand
from autograd_lite.transforms.graph import stop_gradient
from autograd_lite.transforms.implicit import pulled_back

__all__ = ["quad", "quad_vec"]

Function = Callable[..., Any]


def quad(
    func: Function, a: Any, b: Any, args: Any = (), full_output: Any = 0, *,
    weight: Any = None, wvar: Any = None, complex_func: bool = False, **options: Any,
) -> Any:  # fmt: skip
    """``scipy.integrate.quad``: the integral has derivatives by the limits and by ``args``.

    Parameters
    ----------
    func
        Called as ``func(x, *args)`` with a number; NumPy code that returns a real number.
    a, b
        The limits, which may be infinite; by those there is no derivative but 0.
    args
        What the integral is to be differentiated by, nested in any way.
    full_output, weight, wvar, complex_func, **options
        SciPy's; the first four are for plain numbers alone.

    Returns
    -------
    integral, error
        The error is SciPy's estimate, a constant.

    Raises
    ------
    UnsupportedError
        If ``func`` reads a Value that is not an argument, or an option has no derivative rule.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import integrate
    >>> decay = lambda k: integrate.quad(lambda x, k: np.exp(-k * x), 0.0, np.inf, args=(k,))[0]
    >>> round(decay(2.0), 6), round(ag.grad(decay)(2.0), 6), round(ag.grad(ag.grad(decay))(2.0), 6)
    (0.5, -0.25, 0.25)
    """
    args = as_arguments(args)
    call = Call("quad", options, "integrate")
    settings = {"full_output": full_output, "weight": weight, "wvar": wvar}
    settings["complex_func"] = complex_func
    if not holds_value(flatten([a, b, args, wvar])):
        return integrate.quad(call.plain(func), a, b, args, **settings, **options)
    if weight is not None or full_output or complex_func or wvar is not None:
        raise UnsupportedError(
            "quad: full_output, weight, wvar and complex_func are for plain numbers; leave them "
            "out, write a weight into the function, and integrate the real and the imaginary part"
        )
    return integral(Integration(call, options), func, a, b, args)


def quad_vec(f: Function, a: Any, b: Any, *, args: Any = (), **options: Any) -> Any:
    """``scipy.integrate.quad_vec``: the integral has derivatives by the limits and by ``args``.

    ``f`` returns a real array; all else is as for `quad`.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import integrate
    >>> powers = lambda b: integrate.quad_vec(lambda x: x ** np.arange(3), 0.0, b)[0]
    >>> ag.jacobian(powers)(2.0).round(9)
    array([1., 2., 4.])
    """
    args = as_arguments(args)
    call = Call("quad_vec", options, "integrate")
    if not holds_value(flatten([a, b, args])):
        return integrate.quad_vec(call.plain(f), a, b, args=args, **options)
    if options.get("full_output"):
        raise UnsupportedError("quad_vec: full_output is for plain numbers; leave it out")
    return integral(Integration(call, options), f, a, b, args)


class Integration:
    """How integrals are computed: that which was asked for, and those that its slope is made of."""

    def __init__(self, call: Call, options: dict[str, Any]) -> None:
        self.call = call
        self.options = options
        self.is_vector = call.name == "quad_vec"

    def compute(self, function: Function, a: Any, b: Any, size: int | None) -> tuple[Any, Any]:
        """The integral of a function of one number, and an estimate of its error.

        ``size`` says how many numbers the function of a slope returns: one is left to ``quad``.
        """
        is_vector = self.is_of_vectors(size)
        options = self.options
        if is_vector != self.is_vector:
            options = {name: x for name, x in options.items() if name in KNOWN_TO_BOTH}
        if is_vector:
            found: tuple[Any, Any] = integrate.quad_vec(function, float(a), float(b), **options)[:2]
            return found
        found = integrate.quad(lambda x: float(function(x)), float(a), float(b), **options)[:2]
        return found

    def is_of_vectors(self, size: int | None) -> bool:
        return self.is_vector if size is None else size > 1

    def integrand(self, y: Any, size: int | None) -> Any:
        """What a function gives, as it is integrated."""
        y = as_array_operand(y)
        if np.iscomplexobj(y):
            raise UnsupportedError(
                f"{self.call.name}: the function is complex; integrate its real and its "
                "imaginary part"
            )
        if self.is_of_vectors(size):
            return y
        if np.size(y) != 1:
            raise ArgumentValueError(
                f"quad: the function returned shape {np.shape(y)}; return one number, or call "
                "ag.scipy.integrate.quad_vec"
            )
        return np.reshape(y, ()) if np.ndim(y) else y


KNOWN_TO_BOTH = ("epsabs", "epsrel", "limit", "points")


def integral(
    by: Integration, function: Function, a: Any, b: Any, args: tuple[Any, ...],
    size: int | None = None,
) -> tuple[Any, Any]:  # fmt: skip
    """The integral as a Value, and the estimate of its error."""
    shapes: list[tuple[int, ...]] = []

    def value(x: Any, *leaves: Any) -> Any:
        return by.integrand(function(x, *unflatten(args, leaves)), size)

    def forward(a: Any, b: Any, *leaves: Any) -> Any:
        plain = by.call.plain(lambda x: value(x, *leaves))
        found, error = by.compute(plain, a, b, size)
        shapes[:] = [np.shape(found)]
        return np.append(np.ravel(found), error)

    def rule(g: Any, out: Any, places: list[int], a: Any, b: Any, *leaves: Any) -> list[Any]:
        g = np.reshape(g[:-1], shapes[0])
        limits = {0: (a, -1.0), 1: (b, 1.0)}
        ends = [
            sign * np.sum(g * value_at(limit, leaves))
            for place, (limit, sign) in limits.items()
            if place in places
        ]
        inner = [place - 2 for place in places if place > 1]
        return ends + (slopes(by, value, a, b, leaves, inner, g) if inner else [])

    def value_at(limit: Any, leaves: Any) -> Any:
        """The function at a limit; zero at infinity, where its integral ends."""
        is_there = np.isfinite(limit)
        found = value(np.where(is_there, limit, 0.0)[()], *leaves)
        return np.where(is_there, found, 0.0)

    made = in_one_call(by.call.name, forward, rule, [a, b, *flatten(args)])
    found = np.reshape(made[:-1], shapes[0]) if shapes[0] else made[0]
    return found, stop_gradient(made[-1])


def slopes(
    by: Integration, value: Function, a: Any, b: Any, leaves: tuple[Any, ...],
    places: list[int], g: Any,
) -> list[Any]:  # fmt: skip
    """The gradients by some of the parameters: integrals of those of the function."""

    def slope(x: Any, g: Any, *leaves: Any) -> Any:
        return packed(pulled_back(partial(value, x), leaves, places, g))

    like = [leaves[place] for place in places]
    found, _ = integral(by, slope, a, b, (g, *leaves), sum(int(np.size(x)) for x in like))
    return unpacked(np.reshape(found, (-1,)), like)
