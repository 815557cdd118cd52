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


def extremum_each(name: str, of_two: Any) -> Callable[..., Any]:
    """That of rows, also of none, and of a first number, which Dask does not take."""

    def forward(x: Any, *mask: Any, **static: Any) -> Any:
        if mask:
            raise NotImplementedError(f"{name} takes no where=; np.where(mask, x, number) does it")
        if not x.size:
            none = np.asarray(getattr(np, name)(np.empty(x.shape, x.dtype), **static))
            return np.full_like(x, none.flat[0] if none.size else 0, shape=none.shape)
        first = static.pop("initial", None)
        found = getattr(np, name)(x, **static)
        return found if first is None else of_two(found, x.dtype.type(first))

    return forward


on_dask("max")(extremum_each("max", np.maximum))
on_dask("min")(extremum_each("min", np.minimum))


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
    index, backwards = run_forwards(parts, x.shape)
    check_side_by_side(index)
    taken = x[tuple(part for part in index if part is not None)]
    if added := new_axes(index):
        taken = np.expand_dims(taken, added)
    return np.flip(taken, backwards) if backwards else taken


@on_dask("at.set")
def at_set(x: Any, replacement: Any, *parts: Any) -> Any:
    """An array of Dask is written by giving it a new graph, which a copy keeps from ``x``."""
    result = moved(np.asarray(x), replacement) if isinstance(x, np.ndarray) else x.copy()
    index, backwards = run_forwards(parts, result.shape)
    check_side_by_side(index)
    if np.ndim(replacement):
        replacement = np.broadcast_to(replacement, getitem(result, *parts).shape)
    return overwritten(result, index, backwards, replacement)


@on_dask("at.add")
def at_add(x: Any, increment: Any, *parts: Any) -> Any:
    increments = np.broadcast_to(increment, np.shape(getitem(x, *parts)))
    increments = moved(increments, x).astype(x.dtype, casting="same_kind")
    return x + scatter(increments, *parts, shape=np.shape(x))


@on_dask("scatter")
def scatter(g: Any, *parts: Any, shape: tuple[int, ...]) -> Any:
    """Slices are written chunk by chunk; an array of places needs its axis in one chunk."""
    import dask.array

    index, backwards = run_forwards(parts, shape)
    arrays = [place for place, part in enumerate(index) if np.ndim(part) or isinstance(part, list)]
    if not g.size:
        return dask.array.zeros(shape, dtype=g.dtype)
    if not arrays:
        return overwritten(dask.array.zeros(shape, dtype=g.dtype), index, backwards, g)
    others = [part for place, part in enumerate(index) if place not in arrays]
    if len(arrays) > 1 or backwards or any(part != slice(None) for part in others):
        raise NotImplementedError("an index array beside anything but ':' has no gradient there")
    (axis,) = arrays
    if is_duck_array(index[axis]):
        raise NotImplementedError("an index that is not computed yet has no gradient there")
    places = np.asarray(index[axis])
    places = np.flatnonzero(places) if places.dtype == bool else places
    g = g.reshape((*shape[:axis], -1, *shape[axis + 1 :])).rechunk({axis: -1})
    chunks = (*g.chunks[:axis], (shape[axis],), *g.chunks[axis + 1 :])
    return g.map_blocks(
        add_up, places.ravel(), axis=axis, length=shape[axis], chunks=chunks, dtype=g.dtype
    )


def overwritten(x: Any, index: tuple[Any, ...], backwards: tuple[int, ...], numbers: Any) -> Any:
    """A new array of Dask, after numbers were written where an index that runs forwards says.

    Numbers of the index are written as slices: Dask takes what is beside them for other axes.
    """
    if 0 in np.shape(numbers) or any(isinstance(p, slice) and p == slice(0, 0) for p in index):
        return x
    if np.ndim(numbers):
        numbers = np.flip(numbers, backwards) if backwards else numbers
        numbers = np.squeeze(numbers, axis=new_axes(index))
        chosen = [part for part in index if part is not None]
        fixed = [axis for axis, part in enumerate(chosen) if is_number(part)]
        numbers = np.expand_dims(numbers, fixed) if fixed else numbers
    x[tuple(one_place(part) for part in index if part is not None)] = numbers
    return x


def is_number(part: Any) -> bool:
    return isinstance(part, (int, np.integer))


def one_place(part: Any) -> Any:
    """A part of an index, a slice of one place for a number."""
    return slice(part, part + 1 or None) if is_number(part) else part


def add_up(g: Any, places: Any, axis: int, length: int) -> Any:
    """`scatter` for one chunk."""
    sums = np.zeros((*g.shape[:axis], length, *g.shape[axis + 1 :]), g.dtype)
    np.add.at(sums, (*(slice(None),) * axis, places), g)
    return sums


def run_forwards(
    parts: tuple[Any, ...], shape: tuple[int, ...]
) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """An index with one part for each axis whose slices run forwards, within the array.

    Dask means another thing by slices that run backwards, beside numbers or from beyond the
    end.  Which axes of the result are to be turned around comes second.
    """
    index: list[Any] = []
    backwards: list[int] = []
    axis = place = 0
    if sum(map(axes_taken, parts)) > len(shape):
        raise IndexError(f"too many indices for an array of {len(shape)} axes")
    for part in one_part_per_axis(parts, len(shape)):
        if isinstance(part, (bool, np.bool)):
            raise NotImplementedError("True and False are no index there")
        if isinstance(part, np.ndarray) and part.ndim == 0:
            part = int(part)
        if is_number(part) and not -shape[axis] <= part < shape[axis]:
            raise IndexError(f"index {part} is out of bounds for axis {axis} of {shape[axis]}")
        if isinstance(part, slice):
            places = range(*part.indices(shape[axis]))
            if places.step < 0:
                backwards.append(place)
                places = places[::-1]
            part = forward_slice(places, shape[axis])
        axis += axes_taken(part)
        place += part is None or isinstance(part, slice) or bool(np.ndim(part))
        index.append(part)
    return tuple(index), tuple(backwards)


def forward_slice(places: range, length: int) -> slice:
    """The slice of these places of an axis."""
    if not places:
        return slice(0, 0)
    is_whole = places == range(length)
    return slice(None) if is_whole else slice(places.start, places.stop, places.step)


def check_side_by_side(index: tuple[Any, ...]) -> None:
    """Refuse numbers and an index array with slices between: NumPy puts its axis first then."""
    chosen = [
        place
        for place, part in enumerate(index)
        if part is not None and not isinstance(part, slice)
    ]
    has_array = any(np.ndim(index[place]) for place in chosen)
    if has_array and chosen[-1] - chosen[0] >= len(chosen):
        raise NotImplementedError(
            "a number and an index array with ':' or None between them; index by one after "
            "the other, as in x[i][:, j]"
        )


def one_part_per_axis(parts: tuple[Any, ...], ndim: int) -> tuple[Any, ...]:
    """An index with one part for each axis, and None for each new one."""
    used = sum(map(axes_taken, parts))
    fill = (slice(None),) * (ndim - used)
    if not any(part is Ellipsis for part in parts):
        return (*parts, *fill)
    place = next(place for place, part in enumerate(parts) if part is Ellipsis)
    return (*parts[:place], *fill, *parts[place + 1 :])


def axes_taken(part: Any) -> int:
    """Of how many axes a part of an index chooses: of several only a mask."""
    if part is None or part is Ellipsis:
        return 0
    return part.ndim if getattr(part, "dtype", None) == np.dtype(bool) else 1


def new_axes(parts: tuple[Any, ...]) -> tuple[int, ...]:
    """Where None put axes of length one into the result of an index."""
    kept = [part for part in parts if part is None or isinstance(part, slice) or np.ndim(part)]
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
