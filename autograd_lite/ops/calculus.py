"""Rules of differences, integrals, interpolation, convolution and polynomials."""

from __future__ import annotations

from typing import Any

from autograd_lite.core.backward import unbroadcast
from autograd_lite.core.duck_arrays import array_of
from autograd_lite.core.errors import ArgumentValueError
from autograd_lite.core.node import Handle
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.ops.define import array_function, composite
from autograd_lite.ops.indexing import getitem, scatter

__all__: list[str] = []

# Differences and integrals.


@composite(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    edge = list(np.shape(a))
    edge[axis] = 1
    pieces = [
        np.broadcast_to(x, edge) if np.ndim(x) == 0 else x for x in (prepend, a, append)
        if x is not None
    ]  # fmt: skip
    a = np.concatenate(pieces, axis=axis) if len(pieces) > 1 else a
    before = (slice(None),) * (axis % np.ndim(a))
    for _ in range(n):
        a = np.subtract(a[(*before, slice(1, None))], a[(*before, slice(None, -1))])
    return a


@composite(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    pieces = [x for x in (to_begin, np.diff(np.ravel(ary)), to_end) if x is not None]
    arrays: list[Any] = [x if isinstance(x, Handle) else array_of(x, ary.dtype) for x in pieces]
    return np.concatenate([np.ravel(x) for x in arrays])


def gradient_along_vjp(g: Any, out: Any, f: Any, spacing: Any, axis: int, edge_order: Any) -> Any:
    """Transpose the band matrix of the differences.

    No element depends on one more than two places off, so the differences of
    five combs, each with every fifth element 1, show all entries of the matrix.
    """
    length = np.shape(f)[axis]
    places = np.arange(length)
    combs = (places % 5 == np.arange(5)[:, None]).astype(f.dtype)
    columns = np.gradient(combs, spacing, axis=1, edge_order=edge_order)
    g = np.moveaxis(g, axis, -1)
    contribution = np.zeros_like(g)
    for offset in range(-2, 3):
        moved = np.clip(places + offset, 0, length - 1)
        entries = np.where(moved == places + offset, columns[(places + offset) % 5, places], 0)
        weighted = g * entries.astype(f.dtype)
        contribution = contribution + scatter(weighted, ..., moved, shape=np.shape(g))
    return np.moveaxis(contribution, -1, axis)


def gradient_along_forward(f: Any, spacing: Any, axis: int, edge_order: Any) -> Any:
    return np.gradient(f, spacing, axis=axis, edge_order=edge_order)


gradient_along = Primitive(gradient_along_forward, gradient_along_vjp, name="gradient")


@composite(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    axes = range(np.ndim(f)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    spacings = varargs or (1.0,)
    if len(spacings) == 1 and np.ndim(spacings[0]) == 0:
        spacings *= len(axes)
    if len(spacings) != len(axes):
        raise ArgumentValueError(
            f"gradient: {len(spacings)} spacings for {len(axes)} axes; "
            "give one number for all, or one spacing for each axis"
        )
    slopes = tuple(
        gradient_along(f, spacing=spacing, axis=along, edge_order=edge_order)
        for along, spacing in zip(axes, spacings, strict=True)
    )
    return slopes[0] if len(slopes) == 1 else slopes


@composite(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    steps = dx
    if x is not None:
        steps = np.diff(x, axis=axis if np.ndim(x) > 1 else -1)
        if np.ndim(x) == 1:
            shape = [1] * np.ndim(y)
            shape[axis] = -1
            steps = np.reshape(steps, shape)
    before = (slice(None),) * (axis % np.ndim(y))
    pairs = y[(*before, slice(1, None))] + y[(*before, slice(None, -1))]
    return np.sum(steps * pairs / 2.0, axis=axis)


def unwrap_vjp(
    g: Any, out: Any, p: Any, discont: Any = None, axis: int = -1, period: float = 2 * np.pi
) -> Any:
    """Whole periods are added, which are constant."""
    return g


unwrap = array_function(np.unwrap, unwrap_vjp)


# Interpolation and ranges.


def segments(x: Any, xp: Any, fp: Any) -> tuple[Any, Any, Any, Any]:
    """The segment that x lies in, how far along it, its slope, and whether x lies in any."""
    index = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, np.size(xp) - 2)
    low, width = getitem(xp, index), getitem(xp, index + 1) - getitem(xp, index)
    slope = (getitem(fp, index + 1) - getitem(fp, index)) / width
    return index, (x - low) / width, slope, np.logical_and(x >= xp[0], x <= xp[-1])


def interp_x(g: Any, out: Any, x: Any, xp: Any, fp: Any, left: Any, right: Any) -> Any:
    _, _, slope, inside = segments(x, xp, fp)
    return np.where(inside, g * slope, 0)


def interp_xp(g: Any, out: Any, x: Any, xp: Any, fp: Any, left: Any, right: Any) -> Any:
    index, way, slope, inside = segments(x, xp, fp)
    contribution = np.where(inside, -g * slope, 0)
    return two_ends(contribution, way, index, np.shape(xp))


def interp_fp(g: Any, out: Any, x: Any, xp: Any, fp: Any, left: Any, right: Any) -> Any:
    index, way, _, _ = segments(x, xp, fp)
    low = g if left is None else np.where(x < xp[0], 0, g)
    contribution = low if right is None else np.where(x > xp[-1], 0, low)
    return two_ends(contribution, np.clip(way, 0, 1), index, np.shape(fp))


def two_ends(contribution: Any, way: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Divide what is in a segment between its ends."""
    return scatter(contribution * (1 - way), index, shape=shape) + scatter(
        contribution * way, index + 1, shape=shape
    )


interpolate = Primitive(
    lambda x, xp, fp, left, right: np.interp(x, xp, fp, left, right),
    interp_x,
    interp_xp,
    interp_fp,
    name="interp",
    masks=True,
)


@composite(np.interp)
def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: float | None = None
) -> Any:
    x, xp, fp = (y if isinstance(y, Handle) else array_of(y) for y in (x, xp, fp))
    if period is not None:
        period, left, right = abs(period), None, None
        x, xp = x % period, xp % period
        order = np.argsort(xp)
        xp, fp = xp[order], fp[order]
        xp = np.concatenate((xp[-1:] - period, xp, xp[:1] + period))
        fp = np.concatenate((fp[-1:], fp, fp[:1]))
    return interpolate(x, xp, fp, left=left, right=right)


def ramp(g: Any, num: int, endpoint: bool, axis: int) -> Any:
    """The numbers from 0 to 1 along an axis."""
    shape = [1] * np.ndim(g)
    shape[axis] = num
    return np.reshape(np.linspace(0, 1, num, endpoint=endpoint, dtype=g.dtype), shape)


def linspace_start(
    g: Any, out: Any, start: Any, stop: Any,
    num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0,
) -> Any:  # fmt: skip
    contribution = np.sum(g * (1 - ramp(g, num, endpoint, axis)), axis=axis)
    return unbroadcast(contribution, np.shape(start))


def linspace_stop(
    g: Any, out: Any, start: Any, stop: Any,
    num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0,
) -> Any:  # fmt: skip
    return unbroadcast(np.sum(g * ramp(g, num, endpoint, axis), axis=axis), np.shape(stop))


linspace = array_function(np.linspace, linspace_start, linspace_stop)


@composite(np.logspace)
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0,
    dtype: Any = None, axis: int = 0,
) -> Any:  # fmt: skip
    powers = np.power(base, np.linspace(start, stop, num=num, endpoint=endpoint, axis=axis))
    return powers if dtype is None else np.astype(powers, dtype)


# Convolution.


def full_gradient(g: Any, a: Any, v: Any, start: int) -> Any:
    """The gradient of the whole convolution, of which a part from ``start`` on was returned."""
    missing = np.size(a) + np.size(v) - 1 - np.size(g) - start
    return np.concatenate((np.zeros(start, g.dtype), g, np.zeros(missing, g.dtype)))


def convolution_start(a: Any, v: Any, mode: str) -> int:
    """Where the returned part of the whole convolution begins."""
    shorter = min(np.size(a), np.size(v))
    return {"full": 0, "same": (shorter - 1) // 2, "valid": shorter - 1}[mode]


def correlation_start(a: Any, v: Any, mode: str) -> int:
    """The same; but NumPy swaps a longer second array to the front and turns the result around."""
    if mode == "same" and np.size(v) > np.size(a):
        return int(np.size(a)) // 2
    return convolution_start(a, v, mode)


def convolve_left(g: Any, out: Any, a: Any, v: Any, mode: str = "full") -> Any:
    whole = full_gradient(g, a, v, convolution_start(a, v, mode))
    return np.correlate(whole, np.conjugate(v), mode="valid")


def convolve_right(g: Any, out: Any, a: Any, v: Any, mode: str = "full") -> Any:
    whole = full_gradient(g, a, v, convolution_start(a, v, mode))
    return np.correlate(whole, np.conjugate(a), mode="valid")


def correlate_left(g: Any, out: Any, a: Any, v: Any, mode: str = "valid") -> Any:
    """A correlation is the convolution with the other array turned around and conjugated."""
    whole = full_gradient(g, a, v, correlation_start(a, v, mode))
    return np.convolve(whole, np.conjugate(v), mode="valid")


def correlate_right(g: Any, out: Any, a: Any, v: Any, mode: str = "valid") -> Any:
    whole = full_gradient(g, a, v, correlation_start(a, v, mode))
    return np.conjugate(np.flip(np.correlate(whole, np.conjugate(a), mode="valid")))


convolve = array_function(np.convolve, convolve_left, convolve_right)
correlate = array_function(np.correlate, correlate_left, correlate_right)


# Polynomials.


@composite(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    """W. Horner's scheme (1819)."""
    result = np.zeros_like(x)
    coefficients: Any = p if isinstance(p, Handle) else array_of(p)
    for coefficient in coefficients:
        result = result * x + coefficient
    return result


def vander_vjp(g: Any, out: Any, x: Any, N: int | None = None, increasing: bool = False) -> Any:
    powers = np.arange(np.shape(out)[1], dtype=x.dtype)
    powers = powers if increasing else powers[::-1]
    return np.sum(g * powers * x[:, None] ** np.maximum(powers - 1, 0), axis=1)


vander = array_function(np.vander, vander_vjp)
