"""Rules of functions that move elements about: each goes back the way it came."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import numpy as np

from autograd_lite.backward import unbroadcast
from autograd_lite.ops.define import array_function, composite
from autograd_lite.primitive import NO_PARAMETERS, Node, Primitive, apply, registry

registry[np.shape] = lambda a: a.shape
registry[np.ndim] = lambda a: a.ndim
registry[np.iscomplexobj] = lambda x: x.dtype.kind == "c"
registry[np.isrealobj] = lambda x: x.dtype.kind != "c"


@composite(np.size)
def size(a: Any, axis: int | None = None) -> int:
    return int(a.size) if axis is None else int(a.shape[axis])


def ravel_vjp(g: Any, out: Any, x: Any, order: Any = "C") -> Any:
    return np.reshape(g, np.shape(x), order=order)


def reshape_vjp(g: Any, out: Any, x: Any, shape: Any = None, order: Any = "C") -> Any:
    return np.reshape(g, np.shape(x), order=order)


def transpose_vjp(g: Any, out: Any, x: Any, axes: Any = None) -> Any:
    return np.transpose(g, None if axes is None else np.argsort([a % len(axes) for a in axes]))


def swapaxes_vjp(g: Any, out: Any, x: Any, axis1: int = 0, axis2: int = 0) -> Any:
    return np.swapaxes(g, axis1, axis2)


def moveaxis_vjp(g: Any, out: Any, x: Any, source: Any = 0, destination: Any = 0) -> Any:
    return np.moveaxis(g, destination, source)


def axis_vjp(g: Any, out: Any, x: Any, axis: Any = None) -> Any:
    """Axes of length one came or went: the elements stay in order."""
    return np.reshape(g, np.shape(x))


def broadcast_to_vjp(g: Any, out: Any, x: Any, shape: Any = ()) -> Any:
    return unbroadcast(g, np.shape(x))


def flip_vjp(g: Any, out: Any, x: Any, axis: Any = None) -> Any:
    return np.flip(g, axis)


def roll_vjp(g: Any, out: Any, x: Any, shift: Any = 0, axis: Any = None) -> Any:
    return np.roll(g, tuple(-s for s in shift) if isinstance(shift, tuple) else -shift, axis)


def astype_forward(x: Any, dtype: Any, copy: bool = True) -> Any:
    return np.astype(x, dtype, copy=copy)


def astype_vjp(g: Any, out: Any, x: Any, dtype: Any = None, copy: bool = True) -> Any:
    """The engine gives every gradient the dtype of its input."""
    return g


reshape = array_function(np.reshape, reshape_vjp)
ravel = array_function(np.ravel, ravel_vjp)
transpose = array_function(np.transpose, transpose_vjp)
swapaxes = array_function(np.swapaxes, swapaxes_vjp)
moveaxis = array_function(np.moveaxis, moveaxis_vjp)
expand_dims = array_function(np.expand_dims, axis_vjp)
squeeze = array_function(np.squeeze, axis_vjp)
broadcast_to = array_function(np.broadcast_to, broadcast_to_vjp)
flip = array_function(np.flip, flip_vjp)
roll = array_function(np.roll, roll_vjp)
astype = array_function(np.astype, astype_vjp, forward=astype_forward)


# Functions that join: their first argument is a sequence of arrays.


def joined(*arrays: Any, axis: int = 0) -> Any:
    return np.concatenate(arrays, axis=axis)


def joined_vjp(index: int, g: Any, out: Any, *arrays: Any, axis: int = 0) -> Any:
    stops = list(accumulate(np.shape(x)[axis] for x in arrays))
    start = stops[index] - np.shape(arrays[index])[axis]
    before = (slice(None),) * (axis % np.ndim(g))
    return g[(*before, slice(start, stops[index]))]


join = Primitive(joined, each=joined_vjp, name="concatenate", arrays=None)


@composite(np.concatenate)
def concatenate(arrays: Any, axis: int | None = 0) -> Any:
    if axis is None:
        arrays, axis = [np.ravel(x) for x in arrays], 0
    return join(*[x if isinstance(x, Node) else np.asarray(x) for x in arrays], axis=axis)


@composite(np.stack)
def stack(arrays: Any, axis: int = 0) -> Any:
    return np.concatenate([np.expand_dims(x, axis) for x in arrays], axis=axis)


@composite(np.vstack)
def vstack(tup: Any) -> Any:
    return np.concatenate([at_least_2d(x) for x in tup], axis=0)


@composite(np.hstack)
def hstack(tup: Any) -> Any:
    arrays = [np.reshape(x, -1) if np.ndim(x) == 0 else x for x in tup]
    return np.concatenate(arrays, axis=0 if np.ndim(arrays[0]) == 1 else 1)


def at_least_2d(x: Any) -> Any:
    return np.reshape(x, (1, -1)) if np.ndim(x) < 2 else x


# Functions that part or repeat: indexing and broadcasting under other names.


@composite(np.split)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    length = np.shape(ary)[axis]
    if isinstance(indices_or_sections, int | np.integer):
        np.split(np.empty(length), indices_or_sections)  # NumPy's own error where it is uneven
        step = length // int(indices_or_sections)
        stops = [step * (i + 1) for i in range(int(indices_or_sections))]
    else:
        stops = [*indices_or_sections, length]
    before = (slice(None),) * (axis % np.ndim(ary))
    return [
        ary[(*before, slice(start, stop))]
        for start, stop in zip([0, *stops[:-1]], stops, strict=True)
    ]


@composite(np.repeat)
def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    if axis is None:
        a, axis = np.ravel(a), 0
    before = (slice(None),) * (axis % np.ndim(a))
    return a[(*before, np.repeat(np.arange(np.shape(a)[axis]), repeats))]


@composite(np.tile)
def tile(A: Any, reps: Any) -> Any:
    shape = np.shape(A)
    reps = (reps,) if isinstance(reps, int | np.integer) else tuple(reps)
    reps = (1,) * (len(shape) - len(reps)) + reps
    shape = (1,) * (len(reps) - len(shape)) + shape
    apart = np.reshape(A, [n for length in shape for n in (1, length)])
    copies = np.broadcast_to(
        apart, [n for r, length in zip(reps, shape, strict=True) for n in (r, length)]
    )
    return np.reshape(copies, [r * length for r, length in zip(reps, shape, strict=True)])


# Arrays shaped like another: constants.


@composite(np.zeros_like)
def zeros_like(a: Any, dtype: Any = None) -> Any:
    return np.zeros_like(a.data, dtype)


@composite(np.ones_like)
def ones_like(a: Any, dtype: Any = None) -> Any:
    return np.ones_like(a.data, dtype)


identity = Primitive(lambda x: x, lambda g, out, x: g, name="identity")


def as_new_node(x: Any) -> Any:
    """The same Value as a node of its own, to differentiate with respect to."""
    return apply(identity, (x,), NO_PARAMETERS)
