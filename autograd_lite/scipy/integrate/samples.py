"""Integrals of samples: SciPy computes them, by straight lines or parabolas between the samples.

Their derivatives are those of these pieces: by the samples, and by where they were taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scipy import integrate

from autograd_lite.core.errors import ArgumentValueError, UnsupportedError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import registry
from autograd_lite.ops.define import is_known
from autograd_lite.scipy.calls import by_definition
from autograd_lite.scipy.names import as_array_operand

__all__ = ["cumulative_simpson", "cumulative_trapezoid", "simpson", "trapezoid"]


def steps(name: str, y: Any, spacing: Any, by: str, axis: int) -> Any:
    """The steps between samples along the last axis; ``by`` is "x" for places, "dx" for steps."""
    *rows, count = np.shape(np.moveaxis(y, axis, -1))
    if by == "dx":
        shape = list(np.shape(y))
        shape[axis] = count - 1
        return np.moveaxis(spread(name, y, spacing, shape), axis, -1)
    if np.ndim(spacing) == 1:
        h = np.diff(spacing)
    else:
        h = np.moveaxis(np.diff(spacing, axis=axis), axis, -1)
    return np.broadcast_to(h, (*rows, count - 1))


def spread(name: str, y: Any, dx: Any, shape: Sequence[int]) -> Any:
    """``dx`` for all of a shape; where it is larger, SciPy computes more than that."""
    if np.broadcast_shapes(np.shape(dx), tuple(shape)) != tuple(shape):
        raise UnsupportedError(
            f"{name}: dx of shape {np.shape(dx)} makes more of samples of shape {np.shape(y)} than "
            "their integrals, for which there is no derivative rule here; pass a number, or dx "
            f"that broadcasts to {tuple(shape)}"
        )
    if not hasattr(dx, "dtype"):
        dx = np.asarray(dx, np.real(y).dtype)  # numbers of Python's are in the precision of others
    return np.broadcast_to(dx, shape)


def over_first(y: Any, h: Any) -> Any:
    """The integrals, over the first of two steps each, of parabolas through three samples."""
    a, b, c = y
    first, second = h
    share = first / (first + second)
    lean = share * first / second
    return first / 6 * ((3 - share) * a + (3 + share + lean) * b - lean * c)


def over_second(y: Any, h: Any) -> Any:
    return over_first(y[::-1], h[::-1])


def triples(y: Any, h: Any, start: int, stop: int, stride: int) -> tuple[Any, Any]:
    """The samples of parabolas that begin at some places, and the steps between them."""
    samples = [y[..., start + k : stop + k : stride] for k in range(3)]
    return samples, [h[..., start + k : stop + k : stride] for k in range(2)]


def simpson_definition(y: Any, spacing: Any, *, by: str, axis: int) -> Any:
    if by == "dx":  # one for each integral
        rows = np.shape(np.moveaxis(y, axis, -1))[:-1]
        spacing = np.expand_dims(spread("simpson", y, spacing, rows), axis)
    h, y = steps("simpson", y, spacing, by, axis), np.moveaxis(y, axis, -1)
    if is_known(h) and np.any(h == 0):
        raise ArgumentValueError(
            "simpson: parabolas through samples of which two were taken at one place have no "
            "derivative; pass each place once, or call trapezoid"
        )
    count = np.shape(y)[-1]
    if count == 2:
        return h[..., 0] * (y[..., 0] + y[..., 1]) / 2
    pairs = triples(y, h, 0, count - 2, 2)
    total = np.sum(over_first(*pairs) + over_second(*pairs), axis=-1)
    if count % 2 == 0:
        total = total + over_second(*triples(y, h, count - 3, count - 2, 1))[..., 0]
    return total


def cumulative_trapezoid_definition(
    y: Any, spacing: Any, *, by: str, axis: int, initial: Any = None
) -> Any:
    h, y = steps("cumulative_trapezoid", y, spacing, by, axis), np.moveaxis(y, axis, -1)
    return from_start(h * (y[..., 1:] + y[..., :-1]) / 2, axis, initial)


def cumulative_simpson_definition(
    y: Any, spacing: Any, *, by: str, axis: int, initial: Any = None
) -> Any:
    """Over every other step by the parabola to its right, over the rest by that to their left."""
    count = np.shape(y)[axis]
    if count < 3:
        return cumulative_trapezoid_definition(y, spacing, by=by, axis=axis, initial=initial)
    h, y = steps("cumulative_simpson", y, spacing, by, axis), np.moveaxis(y, axis, -1)
    everywhere = triples(y, h, 0, count - 2, 1)
    first, second = over_first(*everywhere), over_second(*everywhere)
    is_even = np.arange(count - 2) % 2 == 0
    inner = np.where(is_even[1:], first[..., 1:], second[..., :-1])
    parts = np.concatenate([first[..., :1], inner, second[..., -1:]], axis=-1)
    return from_start(parts, axis, initial)


def from_start(parts: Any, axis: int, initial: Any) -> Any:
    """The sums of the first parts; where they begin does not depend on the samples."""
    sums = np.cumsum(parts, axis=-1)
    if initial is not None:
        sums = np.concatenate([np.zeros_like(sums[..., :1]), sums], axis=-1)
    return np.moveaxis(sums, -1, axis)


def trapezoid_definition(y: Any, spacing: Any, *, by: str, axis: int) -> Any:
    if by == "x":
        return np.trapezoid(y, spacing, axis=axis)
    return np.trapezoid(y, dx=spacing, axis=axis)


def of_samples(
    function: Callable[..., Any], definition: Callable[..., Any], example: str = ""
) -> Callable[..., Any]:
    """A function of samples, and of places or steps, both of which have derivatives."""
    name = function.__name__

    def forward(y: Any, spacing: Any, *, by: str, axis: int, **options: Any) -> Any:
        return function(y, **{by: spacing}, axis=axis, **options)

    primitive = by_definition(forward, definition, name=name, arrays=2)

    def integral(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1, **options: Any) -> Any:
        by, spacing = ("dx", dx) if x is None else ("x", x)
        operands = as_array_operand(y), as_array_operand(spacing)
        return primitive(*operands, by=by, axis=axis, **options)

    registry[function] = integral
    integral.__name__ = integral.__qualname__ = name
    integral.__doc__ = (
        f"``scipy.integrate.{name}``: by the samples, and by ``x`` or ``dx``.{example}"
    )
    return integral


EXAMPLE = """

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import integrate
    >>> ag.grad(integrate.simpson)(np.array([1.0, 2.0, 4.0])).round(6)  # the weights
    array([0.333333, 1.333333, 0.333333])
    """

trapezoid = of_samples(integrate.trapezoid, trapezoid_definition)
simpson = of_samples(integrate.simpson, simpson_definition, EXAMPLE)
cumulative_trapezoid = of_samples(integrate.cumulative_trapezoid, cumulative_trapezoid_definition)
cumulative_simpson = of_samples(integrate.cumulative_simpson, cumulative_simpson_definition)
