"""Rules of functions that move elements about: each goes back the way it came."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd_lite.core.backward import unbroadcast
from autograd_lite.core.duck_arrays import array_of, is_duck_array
from autograd_lite.core.node import NO_PARAMETERS, Handle, unwrap
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, apply, registry
from autograd_lite.core.recorder import current
from autograd_lite.ops.define import array_function, composite, rearrangement

__all__ = [
    "as_new_node",
    "astype",
    "broadcast_to",
    "expand_dims",
    "identity",
    "inverse_order",
    "moveaxis",
    "ravel",
    "recompute",
    "reshape",
    "squeeze",
    "swapaxes",
    "transpose",
]


def inverse_order(axes: Any) -> tuple[int, ...]:
    """The order of axes that undoes this one."""
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


def ravel_vjp(g: Any, out: Any, x: Any, order: Any = "C") -> Any:
    return np.reshape(g, np.shape(x), order=order)


def reshape_vjp(g: Any, out: Any, x: Any, shape: Any = None, order: Any = "C") -> Any:
    return np.reshape(g, np.shape(x), order=order)


def transpose_vjp(g: Any, out: Any, x: Any, axes: Any = None) -> Any:
    return np.transpose(g, None if axes is None else inverse_order([a % len(axes) for a in axes]))


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
    return x.astype(dtype, copy=copy)


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
function: Any
"""Each of several functions that share a treatment, in the loops below."""

for function in (np.linalg.matrix_transpose, np.matrix_transpose):
    registry[function] = lambda x: np.swapaxes(x, -1, -2)
registry[np.permute_dims] = transpose

rearrangement(np.fliplr, np.flipud, np.rot90, np.rollaxis, np.resize)
rearrangement(np.fft.fftshift, np.fft.ifftshift)
rearrangement(np.diag, np.diagflat, np.diagonal, np.linalg.diagonal, np.tril, np.triu)


@composite(np.atleast_1d)
def atleast_1d(*arys: Any) -> Any:
    return one_or_all(np.reshape(x, -1) if np.ndim(x) == 0 else x for x in arys)


@composite(np.atleast_2d)
def atleast_2d(*arys: Any) -> Any:
    return one_or_all(np.reshape(x, (1, -1)) if np.ndim(x) < 2 else x for x in arys)


@composite(np.atleast_3d)
def atleast_3d(*arys: Any) -> Any:
    def raised(x: Any) -> Any:
        shape = (1, -1, 1) if np.ndim(x) < 2 else (*np.shape(x), 1)
        return np.reshape(x, shape) if np.ndim(x) < 3 else x

    return one_or_all(map(raised, arys))


def one_or_all(results: Iterable[Any]) -> Any:
    """NumPy's answer for one array is an array, for several a tuple."""
    arrays = tuple(results)
    return arrays[0] if len(arrays) == 1 else arrays


@composite(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple(np.broadcast_to(x, shape) for x in args)


@composite(np.meshgrid)
def meshgrid(
    *xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy"
) -> tuple[Any, ...]:
    axes = list(range(len(xi)))
    if indexing == "xy" and len(xi) > 1:
        axes[:2] = [1, 0]
    columns = [
        np.reshape(x, [-1 if a == axis else 1 for a in range(len(xi))])
        for x, axis in zip(xi, axes, strict=True)
    ]
    return tuple(columns) if sparse else np.broadcast_arrays(*columns)


# Arrays shaped like another: constants, unless they are filled with a Value.


def filled_like(function: Any) -> Any:
    """A plain array like the data; of a duck array a Value, so that what is done to it is seen.

    While tracing it is a constant of NumPy's for any array: programs move constants themselves.
    """
    of_library = Primitive(function, differentiable=False)

    def fill(a: Any, dtype: Any = None, **static: Any) -> Any:
        data = unwrap(a)
        if not is_duck_array(data):
            return function(data, dtype, **static)
        if current.get().trace is not None:
            return function(np.empty(data.shape, data.dtype), dtype, **static)
        return apply(of_library, (a,), {"dtype": dtype, **static})

    return fill


for function in (np.zeros_like, np.ones_like, np.empty_like):
    registry[function] = filled_like(function)


@composite(np.full_like)
def full_like(a: Any, fill_value: Any, dtype: Any = None, shape: Any = None) -> Any:
    fill: Any = fill_value if isinstance(fill_value, Handle) else array_of(fill_value)
    filled = np.broadcast_to(fill, np.shape(a) if shape is None else shape)
    return np.astype(filled, a.dtype if dtype is None else dtype)


@composite(np.copy)
def copy(a: Any, order: Any = "K", subok: bool = False) -> Any:
    return as_new_node(a)


identity = Primitive(lambda x: x, lambda g, out, x: g, name="identity", builtin=True)

recompute = Primitive(lambda x: x, lambda g, out, x: g, name="recompute")
"""The identity, from which on a checkpointed function is computed once more.

To a compiler it is a number of its own: else it would find that it has all that
follows already, and keep it."""


def as_new_node(x: Any) -> Any:
    """The same Value as a node of its own, to differentiate with respect to."""
    return apply(identity, (x,), NO_PARAMETERS)
