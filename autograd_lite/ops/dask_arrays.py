"""What Dask's arrays say differently from NumPy's: forward functions that say the same on them.

All are lazy: they add to a graph of tasks and compute nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_lite.core.duck_arrays import is_duck_array, moved, stand_ins
from autograd_lite.core.errors import ArgumentValueError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.ops.contractions import einsum_forward
from autograd_lite.ops.decompositions import adjoint, lower_part

__all__: list[str] = []


def on_dask(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a forward function for Dask's arrays under the names of primitives."""

    def register(forward: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            stand_ins["dask", name] = forward
        return forward

    return register


@on_dask("reshape")
def reshape(x: Any, shape: Any, order: str = "C", copy: bool | None = None) -> Any:
    if order != "C":
        raise NotImplementedError("reshape takes no order but 'C'")
    if not x.size:  # Dask divides by the number of elements
        return np.zeros_like(x, shape=np.reshape(np.empty(x.shape), shape).shape)
    return x.reshape(shape)


@on_dask("ravel")
def ravel(x: Any, order: str = "C") -> Any:
    return reshape(x, (-1,), order)


@on_dask("astype")
def astype(x: Any, dtype: Any, copy: bool = True) -> Any:
    return x.astype(dtype)


@on_dask("dot")
def dot(x: Any, y: Any) -> Any:
    import dask.array

    return dask.array.dot(x, y) if np.ndim(x) and np.ndim(y) else x * y


@on_dask("inner")
def inner(x: Any, y: Any) -> Any:
    return tensordot(x, y, (-1, -1)) if np.ndim(x) and np.ndim(y) else x * y


@on_dask("tensordot")
def tensordot(x: Any, y: Any, axes: Any = 2) -> Any:
    """Dask's own takes axes that count from the end for others."""
    if np.ndim(axes):
        axes = [np.atleast_1d(along) % np.ndim(z) for along, z in zip(axes, (x, y), strict=True)]
        axes = tuple(along.tolist() for along in axes)
    return np.tensordot(x, y, axes)


@on_dask("clip")
def clip(x: Any, low: Any, high: Any) -> Any:
    """Dask's own computes bounds that are arrays of its own."""
    above = x if low is None else np.maximum(x, low)
    return above if high is None else np.minimum(above, high)


@on_dask("roll")
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    import dask.array

    alike = isinstance(axis, tuple) and np.ndim(shift) == 0
    return dask.array.roll(x, (shift,) * len(axis) if alike else shift, axis)


@on_dask("take")
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Indices of any number of axes, where Dask's own takes one."""
    flat, along = (x.ravel(), 0) if axis is None else (x, axis % x.ndim)
    places, length = np.asarray(indices), flat.shape[along]
    outside = places[(places < -length) | (places >= length)]
    if outside.size:
        raise IndexError(f"index {outside[0]} is out of bounds for an axis of {length}")
    taken = np.take(flat, places.ravel() % max(length, 1), axis=along)
    return taken.reshape((*flat.shape[:along], *places.shape, *flat.shape[along + 1 :]))


def first_place(name: str) -> Callable[..., Any]:
    """The first of several equal ones, which Dask looks for chunk by chunk, not row by row."""

    def forward(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        if axis is not None:
            return getattr(np, name)(x, axis=axis, keepdims=keepdims)
        place = getattr(np, name)(ravel(x), axis=0)
        return place.reshape((1,) * np.ndim(x)) if keepdims else place

    return forward


for extremum in ("argmax", "argmin", "nanargmax", "nanargmin"):
    on_dask(extremum)(first_place(extremum))


def extremum_each(name: str) -> Callable[..., Any]:
    """That of rows of which there are none, which Dask looks for all the same."""

    def forward(x: Any, axis: Any = None, keepdims: bool = False, **static: Any) -> Any:
        if not x.size:
            none = getattr(np, name)(np.empty(x.shape), axis=axis, keepdims=keepdims, **static)
            return np.zeros_like(x, shape=none.shape)
        return getattr(np, name)(x, axis=axis, keepdims=keepdims, **static)

    return forward


for extremum in ("max", "min"):
    on_dask(extremum)(extremum_each(extremum))


def with_axis_in_one_chunk(transform: Callable[..., Any]) -> Callable[..., Any]:
    """A Fourier transform, which needs its axis in one chunk."""

    def forward(a: Any, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
        return transform(a.rechunk({axis % a.ndim: -1}), n=n, axis=axis, norm=norm)

    return forward


for transform in (np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft):
    on_dask(transform.__name__)(with_axis_in_one_chunk(transform))


def finite(x: Any, name: str) -> Any:
    """A matrix whose chunks are looked at when they are computed: Dask's factors need numbers."""
    return x.map_blocks(finite_chunk, name, dtype=x.dtype, meta=x._meta) if is_duck_array(x) else x


def finite_chunk(chunk: Any, name: str) -> Any:
    if np.isfinite(chunk).all():
        return chunk
    raise ArgumentValueError(
        f"{name} of an array of dask: the matrix holds NaN or infinity, of which Dask computes "
        "none; write np.where(np.isfinite(x), x, 0), or turn it into a NumPy array first"
    )


@on_dask("inv")
def inv(a: Any) -> Any:
    return np.linalg.inv(finite(a, "inv"))


@on_dask("solve")
def solve(a: Any, b: Any) -> Any:
    return np.linalg.solve(finite(a, "solve"), finite(b, "solve"))


@on_dask("qr")
def qr(a: Any, mode: str = "reduced") -> Any:
    if mode != "reduced":
        raise NotImplementedError("qr takes no mode but 'reduced'")
    q, r = np.linalg.qr(finite(a, "qr"))
    return type(np.linalg.qr(np.eye(1)))(q, r)


@on_dask("cholesky")
def cholesky(a: Any, *, upper: bool = False) -> Any:
    """The lower factor, of what is in one triangle, where Dask's own is the upper one of both."""
    import dask.array

    if a.ndim != 2:
        raise NotImplementedError("it takes single matrices")
    a = finite(a, "cholesky")
    half = lower_part(adjoint(a) if upper else a)
    both = half + adjoint(lower_part(half, -1))
    return dask.array.linalg.cholesky(both, lower=not upper)


@on_dask("quantile")
def quantile(a: Any, q: Any, keepdims: bool = False, **static: Any) -> Any:
    return quantiles(np.quantile, a, q, keepdims, static)


@on_dask("nanquantile")
def nanquantile(a: Any, q: Any, keepdims: bool = False, **static: Any) -> Any:
    return quantiles(np.nanquantile, a, q, keepdims, static)


def quantiles(function: Any, a: Any, q: Any, keepdims: bool, static: dict[str, Any]) -> Any:
    if keepdims and np.ndim(q):
        raise NotImplementedError("quantile keeps no axes for several quantiles")
    found = function(a, q, keepdims=keepdims, **static)
    dtype = function(np.ones(1, a.dtype), q).dtype
    return found.map_blocks(in_dtype, dtype, dtype=dtype)  # its chunks may be of another than it


def in_dtype(chunk: Any, to: Any) -> Any:
    return chunk.astype(to, copy=False)


@on_dask("pad")
def pad(x: Any, widths: Any, mode: Any, **options: Any) -> Any:
    """Dask's own adds too little to axes that are shorter than what is added."""
    if options.get("reflect_type") == "odd" or mode == "empty":
        raise NotImplementedError("pad has neither reflect_type='odd' nor mode='empty'")
    if mode not in ("reflect", "symmetric", "wrap"):
        return np.pad(x, widths, mode, **options)
    for axis, (before, after) in enumerate(widths):
        places = np.pad(np.arange(x.shape[axis]), (before, after), mode)
        first, last = places[:before], places[len(places) - after :]
        x = np.concatenate((take(x, first, axis), x, take(x, last, axis)), axis)
    return x


@on_dask("percentile")
def percentile(*args: Any, **static: Any) -> Any:
    raise NotImplementedError("Dask's percentile is approximate; use np.quantile along an axis")


@on_dask("linspace")
def linspace(*args: Any, **static: Any) -> Any:
    raise NotImplementedError("the ends must be numbers")


@on_dask("iscomplexobj")
def iscomplexobj(x: Any) -> bool:
    return bool(x.dtype.kind == "c")


@on_dask("isrealobj")
def isrealobj(x: Any) -> bool:
    return not iscomplexobj(x)


# Indexing.  In Dask one part of an index may be an array, beside slices, numbers and new axes.


@on_dask("getitem")
def getitem(x: Any, *parts: Any) -> Any:
    """Dask makes one axis of an index that has several of which one is long."""
    arrays = [np.asarray(part) for part in parts if isinstance(part, (np.ndarray, list))]
    if any(array.ndim > 1 and array.dtype != bool for array in arrays):
        raise NotImplementedError("an index array has one axis; np.take(x, i) takes any")
    return x[parts]


@on_dask("at.set")
def at_set(x: Any, replacement: Any, *parts: Any) -> Any:
    """An array of Dask is written by giving it a new graph, which a copy keeps from ``x``."""
    result = moved(np.asarray(x), replacement) if isinstance(x, np.ndarray) else x.copy()
    result[parts] = replacement
    return result


@on_dask("at.add")
def at_add(x: Any, increment: Any, *parts: Any) -> Any:
    increments = np.broadcast_to(increment, np.shape(x[parts]))
    return x + scatter(moved(increments, x), *parts, shape=np.shape(x))


@on_dask("scatter")
def scatter(g: Any, *parts: Any, shape: tuple[int, ...]) -> Any:
    """Slices are written chunk by chunk; an array of places needs its axis in one chunk."""
    import dask.array

    parts = one_part_per_axis(parts, len(shape))
    arrays = [place for place, part in enumerate(parts) if np.ndim(part) or isinstance(part, list)]
    if not g.size:
        return dask.array.zeros(shape, dtype=g.dtype)
    if not arrays:
        g = np.squeeze(g, axis=new_axes(parts))
        result = dask.array.zeros(shape, dtype=g.dtype)
        result[tuple(part for part in parts if part is not None)] = g
        return result
    others = [part for place, part in enumerate(parts) if place not in arrays]
    if len(arrays) > 1 or any(part != slice(None) for part in others):
        raise NotImplementedError("an index array beside anything but ':' has no gradient there")
    (axis,) = arrays
    if is_duck_array(parts[axis]):
        raise NotImplementedError("an index that is not computed yet has no gradient there")
    places = np.asarray(parts[axis])
    places = np.flatnonzero(places) if places.dtype == bool else places
    g = g.reshape((*shape[:axis], -1, *shape[axis + 1 :])).rechunk({axis: -1})
    chunks = (*g.chunks[:axis], (shape[axis],), *g.chunks[axis + 1 :])
    return g.map_blocks(
        add_up, places.ravel(), axis=axis, length=shape[axis], chunks=chunks, dtype=g.dtype
    )


def add_up(g: Any, places: Any, axis: int, length: int) -> Any:
    """`scatter` for one chunk."""
    sums = np.zeros((*g.shape[:axis], length, *g.shape[axis + 1 :]), g.dtype)
    np.add.at(sums, (*(slice(None),) * axis, places), g)
    return sums


def one_part_per_axis(parts: tuple[Any, ...], ndim: int) -> tuple[Any, ...]:
    """An index with one part for each axis, and None for each new one."""
    used = sum(part is not None and part is not Ellipsis for part in parts)
    fill = (slice(None),) * (ndim - used)
    if not any(part is Ellipsis for part in parts):
        return (*parts, *fill)
    place = next(place for place, part in enumerate(parts) if part is Ellipsis)
    return (*parts[:place], *fill, *parts[place + 1 :])


def new_axes(parts: tuple[Any, ...]) -> tuple[int, ...]:
    """Where None put axes of length one into the result of an index of slices and numbers."""
    kept = [part for part in parts if part is None or isinstance(part, slice)]
    return tuple(axis for axis, part in enumerate(kept) if part is None)


@on_dask("einsum")
def einsum(*operands: Any, subscripts: str, **options: Any) -> Any:
    """A diagonal needs chunks that are cut alike along both of its axes."""
    inputs = subscripts.partition("->")[0].split(",")
    cut = [cut_alike(x, names) for x, names in zip(operands, inputs, strict=True)]
    return einsum_forward(*cut, subscripts=subscripts, **options)


def cut_alike(x: Any, names: str) -> Any:
    axes = {axis: names.index(name) for axis, name in enumerate(names)}
    if not is_duck_array(x) or all(axis == first for axis, first in axes.items()):
        return x
    return x.rechunk({axis: x.chunks[first] for axis, first in axes.items()})


@on_dask("at.put")
def at_put(*args: Any, **static: Any) -> Any:
    raise NotImplementedError("arrays of Dask are not written at numbered places")
