"""Rules of differences, integrals, interpolation and convolution."""

from __future__ import annotations

from typing import Any

from autograd_lite.core.backward import unbroadcast
from autograd_lite.core.duck_arrays import array_of
from autograd_lite.core.errors import ArgumentValueError
from autograd_lite.core.node import ABSENT, Handle
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.ops.define import LeftToNumpy, array_function, composite
from autograd_lite.ops.indexing import getitem, scatter
from autograd_lite.ops.joining import as_array
from autograd_lite.ops.shaping import laid_out

__all__ = ["gradient_along", "interpolate"]

# Differences and integrals.


@composite(np.diff, asks_numpy="on failure", whole=("n", "axis"))
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = ABSENT, append: Any = ABSENT) -> Any:
    if n == 0:
        return a
    edge = list(np.shape(a))
    if n < 0 or not edge:
        raise LeftToNumpy
    edge[axis] = 1
    pieces = [
        np.broadcast_to(x, edge) if np.ndim(x) == 0 else x for x in (prepend, a, append)
        if x is not ABSENT
    ]  # fmt: skip
    a = np.concatenate(pieces, axis=axis) if len(pieces) > 1 else a
    before = (slice(None),) * (axis % np.ndim(a))
    differ = np.not_equal if a.dtype == bool else np.subtract
    for _ in range(n):
        a = differ(a[(*before, slice(1, None))], a[(*before, slice(None, -1))])
    return a


@composite(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    ary = as_array(ary)
    row = np.ravel(ary)
    pieces = [x for x in (to_begin, row[1:] - row[:-1], to_end) if x is not None]
    arrays: list[Any] = [x if isinstance(x, Handle) else array_of(x, ary.dtype) for x in pieces]
    if len(arrays) == 1:
        return arrays[0]
    return np.astype(np.concatenate([np.ravel(x) for x in arrays]), ary.dtype)


def gradient_along_vjp(g: Any, out: Any, f: Any, spacing: Any, axis: int, edge_order: Any) -> Any:
    """Transpose the band matrix of the differences.

    No element depends on one more than two places off, so the differences of
    five combs, each with every fifth element 1, show all entries of the matrix.
    Between equal places these are infinite, but not for whom they do not concern.
    """
    length = np.shape(f)[axis]
    places = np.arange(length)
    combs = (places % 5 == np.arange(5)[:, None]).astype(f.dtype)
    columns = np.gradient(combs, spacing, axis=1, edge_order=edge_order)
    g = np.moveaxis(g, axis, -1)
    contribution = np.zeros_like(g)
    ahead = np.where(places == 0, edge_order, places < length - 1)
    behind = np.where(places == length - 1, edge_order, places > 0)
    for offset in range(-2, 3):
        moved = np.clip(places + offset, 0, length - 1)
        is_read = (-behind <= offset) & (offset <= ahead)
        entries = np.where(is_read, columns[(places + offset) % 5, places], 0).astype(f.dtype)
        weighted = g * np.where((g == 0) & ~np.isfinite(entries), 0, entries)
        contribution = contribution + scatter(weighted, ..., moved, shape=np.shape(g))
    return np.moveaxis(contribution, -1, axis)


def gradient_along_forward(f: Any, spacing: Any, axis: int, edge_order: Any) -> Any:
    return np.gradient(f, spacing, axis=axis, edge_order=edge_order)


gradient_along = Primitive(gradient_along_forward, gradient_along_vjp, name="gradient")


def slopes(f: Any, steps: Any, edge_order: int) -> Any:
    """Central differences along the last axis, and differences to one side at its ends."""
    before, here, after = f[..., :-2], f[..., 1:-1], f[..., 2:]
    uniform = np.ndim(steps) == 0
    if uniform:
        inner = (after - before) / (2.0 * steps)
        left = right = ends = (steps, steps)
    else:
        left, right, ends = (steps[0], steps[1]), (steps[-2], steps[-1]), (steps[0], steps[-1])
        d1, d2 = steps[:-1], steps[1:]
        inner = -d2 / (d1 * (d1 + d2)) * before + (d2 - d1) / (d1 * d2) * here
        inner = inner + d1 / (d2 * (d1 + d2)) * after
    if edge_order == 1:
        first = (f[..., 1:2] - f[..., :1]) / ends[0]
        last = (f[..., -1:] - f[..., -2:-1]) / ends[1]
    else:
        first = sum_of_three(f[..., :3], first_weights(*left, uniform))
        last = sum_of_three(f[..., -3:], last_weights(*right, uniform))
    return np.concatenate((first, inner, last), axis=-1)


def sum_of_three(f: Any, weights: tuple[Any, Any, Any]) -> Any:
    a, b, c = weights
    return a * f[..., :1] + b * f[..., 1:2] + c * f[..., 2:]


def first_weights(d1: Any, d2: Any, uniform: bool) -> tuple[Any, Any, Any]:
    if uniform:
        return -1.5 / d1, 2.0 / d1, -0.5 / d1
    total = d1 + d2
    return -(2.0 * d1 + d2) / (d1 * total), total / (d1 * d2), -d1 / (d2 * total)


def last_weights(d1: Any, d2: Any, uniform: bool) -> tuple[Any, Any, Any]:
    if uniform:
        return 0.5 / d1, -2.0 / d1, 1.5 / d1
    total = d1 + d2
    return d2 / (d1 * total), -(d2 + d1) / (d1 * d2), (2.0 * d2 + d1) / (d2 * total)


def gradient_by_steps(f: Any, spacing: Any, axis: int, edge_order: int) -> Any:
    """The gradient where the steps, or the places of the elements, have one too."""
    length = np.shape(f)[axis]
    if edge_order not in (1, 2) or length < edge_order + 1:
        raise ArgumentValueError(
            f"gradient: edge_order={edge_order} along an axis of length {length}; pass 1 or 2, "
            "and an array with at least one element more than that"
        )
    if np.ndim(spacing) and np.shape(spacing) != (length,):
        raise ArgumentValueError(
            f"gradient: places of shape {np.shape(spacing)} along an axis of length {length}; "
            "pass one place for each element"
        )
    steps = np.diff(spacing) if np.ndim(spacing) else spacing
    along = slopes(np.moveaxis(f, axis, -1), steps, edge_order)
    return laid_out(np.moveaxis(np.astype(along, f.dtype), -1, axis), f)


@composite(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    f = as_array(f)
    f = f if f.dtype.kind in "fc" else np.astype(f, float)
    several = isinstance(axis, (tuple, list))
    axes: Any = range(np.ndim(f)) if axis is None else axis if several else (axis,)
    spacings = varargs or (1.0,)
    if len(spacings) == 1 and np.ndim(spacings[0]) == 0:
        spacings *= len(axes)
    if len(spacings) != len(axes):
        raise ArgumentValueError(
            f"gradient: {len(spacings)} spacings for {len(axes)} axes; "
            "give one number for all, or one spacing for each axis"
        )
    found = tuple(
        gradient_by_steps(f, spacing, along, edge_order)
        if isinstance(spacing, Handle)
        else gradient_along(f, spacing=spacing, axis=along, edge_order=edge_order)
        for along, spacing in zip(axes, spacings, strict=True)
    )
    return found[0] if len(found) == 1 else found


@composite(np.trapezoid, asks_numpy="on failure")
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y, steps = as_array(y), dx
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
    return np.where(inside, g * slope, np.where(np.isnan(x), g * np.nan, 0))


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


def interpolate_forward(x: Any, xp: Any, fp: Any, left: Any, right: Any) -> Any:
    return np.interp(x, xp, fp, left, right)


interpolate = Primitive(
    interpolate_forward,
    interp_x,
    interp_xp,
    interp_fp,
    name="interp",
    masks=True,
)


@composite(np.interp, asks_numpy="on failure")
def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: float | None = None
) -> Any:
    x, xp, fp = as_array(x), as_array(xp), as_array(fp)
    # Differences of unsigned integers would wrap.
    x, xp = (np.astype(y, float) if y.dtype.kind in "iub" else y for y in (x, xp))
    fp = np.astype(fp, float) if fp.dtype == bool else fp
    if period is not None:
        if np.ndim(xp) != 1 or np.shape(xp) != np.shape(fp) or np.ndim(period) or period == 0:
            raise LeftToNumpy
        x, xp = np.astype(x, float), np.astype(xp, float)
        period, left, right = abs(period), None, None
        x, xp = x % period, xp % period
        order = np.argsort(xp)
        xp, fp = xp[order], fp[order]
        xp = np.concatenate((xp[-1:] - period, xp, xp[:1] + period))
        fp = np.concatenate((fp[-1:], fp, fp[:1]))
    if np.size(xp) == 1:
        if np.shape(xp) != np.shape(fp):
            raise LeftToNumpy
        return beside_one_knot(x, xp[0], fp[0], left, right)
    return interpolate(x, xp, fp, left=left, right=right)


def beside_one_knot(x: Any, place: Any, value: Any, left: Any, right: Any) -> Any:
    """There is no segment then, and nothing between the two sides but the knot."""
    value = np.astype(value, np.result_type(value.dtype, np.float64))
    low, high = (value if side is None else side for side in (left, right))
    return np.where(x < place, low, np.where(x > place, high, value))


def ramp(g: Any, num: int, endpoint: bool, axis: Any) -> Any:
    """The numbers from 0 to 1 along an axis."""
    shape = [1] * np.ndim(g)
    shape[axis if np.ndim(axis) == 0 else axis[0]] = num
    return np.reshape(np.linspace(0, 1, num, endpoint=endpoint, dtype=g.dtype), shape)


def linspace_start(
    g: Any, out: Any, start: Any, stop: Any,
    num: int = 50, endpoint: bool = True, dtype: Any = None, axis: Any = 0,
) -> Any:  # fmt: skip
    axis = axis if np.ndim(axis) == 0 else tuple(axis)
    contribution = np.sum(g * (1 - ramp(g, num, endpoint, axis)), axis=axis)
    return unbroadcast(contribution, np.shape(start))


def linspace_stop(
    g: Any, out: Any, start: Any, stop: Any,
    num: int = 50, endpoint: bool = True, dtype: Any = None, axis: Any = 0,
) -> Any:  # fmt: skip
    axis = axis if np.ndim(axis) == 0 else tuple(axis)
    return unbroadcast(np.sum(g * ramp(g, num, endpoint, axis), axis=axis), np.shape(stop))


linspace = array_function(np.linspace, linspace_start, linspace_stop)


@composite(np.logspace)
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0,
    dtype: Any = None, axis: int = 0,
) -> Any:  # fmt: skip
    if np.ndim(base):
        most = max(map(np.ndim, (start, stop, base)))
        start, stop, base = (
            np.reshape(x, (1,) * (most - np.ndim(x)) + np.shape(x)) for x in (start, stop, base)
        )
        base = np.expand_dims(base, axis=axis)
    powers = np.power(base, np.linspace(start, stop, num=num, endpoint=endpoint, axis=axis))
    return powers if dtype is None else np.astype(powers, dtype)


@composite(np.geomspace)
def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    start, stop = as_array(start), as_array(stop)
    if np.any(start == 0) or np.any(stop == 0):
        raise ArgumentValueError(
            "geomspace: an end is 0, which no factor leads to; pass ends other than 0"
        )
    wide = np.result_type(start.dtype, stop.dtype, float(num), np.dtype(dtype))
    start, stop = np.astype(start, wide), np.astype(stop, wide)
    # Turned so that it starts at a positive number, and back.
    turn = np.sign(start)
    start, stop = start / turn, stop / turn
    result = np.logspace(np.log10(start), np.log10(stop), num=num, endpoint=endpoint, dtype=wide)
    # The ends are exact.
    pieces = [np.broadcast_to(start, np.shape(result)[1:])[None], result[1:]]
    if endpoint and num > 1:
        pieces = [pieces[0], result[1:-1], np.broadcast_to(stop, np.shape(result)[1:])[None]]
    result = (np.concatenate(pieces) if num else result) * turn
    result = np.moveaxis(result, 0, axis) if axis else result
    return result if dtype is None else np.astype(result, dtype)


# Convolution.


def full_gradient(g: Any, a: Any, v: Any, start: int) -> Any:
    """The gradient of the whole convolution, of which a part from ``start`` on was returned."""
    missing = np.size(a) + np.size(v) - 1 - np.size(g) - start
    return np.concatenate((np.zeros(start, g.dtype), g, np.zeros(missing, g.dtype)))


MODES: dict[Any, str] = {0: "valid", 1: "same", 2: "full"}
"""What NumPy takes for the names of modes."""


def convolution_start(a: Any, v: Any, mode: str) -> int:
    """Where the returned part of the whole convolution begins."""
    shorter = min(np.size(a), np.size(v))
    starts = {"full": 0, "same": (shorter - 1) // 2, "valid": shorter - 1}
    return starts[MODES.get(mode, mode)]


def correlation_start(a: Any, v: Any, mode: str) -> int:
    """The same; but NumPy swaps a longer second array to the front and turns the result around."""
    if MODES.get(mode, mode) == "same" and np.size(v) > np.size(a):
        return int(np.size(a)) // 2
    return convolution_start(a, v, mode)


def convolve_left(g: Any, out: Any, a: Any, v: Any, mode: str = "full") -> Any:
    whole = full_gradient(g, a, v, convolution_start(a, v, mode))
    return np.reshape(np.correlate(whole, np.conjugate(np.ravel(v)), mode="valid"), np.shape(a))


def convolve_right(g: Any, out: Any, a: Any, v: Any, mode: str = "full") -> Any:
    whole = full_gradient(g, a, v, convolution_start(a, v, mode))
    return np.reshape(np.correlate(whole, np.conjugate(np.ravel(a)), mode="valid"), np.shape(v))


def correlate_left(g: Any, out: Any, a: Any, v: Any, mode: str = "valid") -> Any:
    """A correlation is the convolution with the other array turned around and conjugated."""
    whole = full_gradient(g, a, v, correlation_start(a, v, mode))
    return np.convolve(whole, np.conjugate(v), mode="valid")


def correlate_right(g: Any, out: Any, a: Any, v: Any, mode: str = "valid") -> Any:
    whole = full_gradient(g, a, v, correlation_start(a, v, mode))
    return np.conjugate(np.flip(np.correlate(whole, np.conjugate(a), mode="valid")))


convolve = array_function(np.convolve, convolve_left, convolve_right, linear="each")
correlate = array_function(np.correlate, correlate_left, correlate_right, linear="each")
