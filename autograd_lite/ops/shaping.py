"""Rules of functions that move elements about: each goes back the way it came."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any

from autograd_lite.core.backward import unbroadcast
from autograd_lite.core.calling import PYTHON_SCALARS
from autograd_lite.core.duck_arrays import array_of, is_duck_array, library_of
from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.in_place import buffer, check_holds_values
from autograd_lite.core.node import NO_PARAMETERS, Handle, unwrap
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, apply, register, registry
from autograd_lite.core.recorder import EAGER, current, record
from autograd_lite.core.views import WITHOUT_AXES, is_number
from autograd_lite.ops.define import array_function, back_to_origins, composite, rearrangement

__all__ = [
    "as_new_node",
    "astype",
    "broadcast_to",
    "expand_dims",
    "flatten_axes",
    "identity",
    "inverse_order",
    "keep_axes",
    "laid_out",
    "moveaxis",
    "ravel",
    "recompute",
    "reshape",
    "squeeze",
    "swapaxes",
    "transpose",
    "unflatten_axes",
]


def inverse_order(axes: Any) -> tuple[int, ...]:
    """The order of axes that undoes this one."""
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


def flatten_axes(x: Any, axis: Any) -> Any:
    """The axes of a reduction as one last axis."""
    if axis is None:
        return np.ravel(x)
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    moved = np.moveaxis(x, axes, range(-len(axes), 0))
    kept = np.ndim(x) - len(axes)
    return np.reshape(moved, (*np.shape(moved)[:kept], prod(np.shape(moved)[kept:])))


def unflatten_axes(share: Any, x: Any, axis: Any) -> Any:
    """The inverse of `flatten_axes`."""
    if axis is None:
        return np.reshape(share, np.shape(x))
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    lengths = [np.shape(x)[a] for a in axes]
    return np.moveaxis(
        np.reshape(share, (*np.shape(share)[:-1], *lengths)), range(-len(axes), 0), axes
    )


def keep_axes(reduced: Any, axis: Any, keepdims: bool) -> Any:
    """Put the axes back that a reduction took away, so that the result broadcasts."""
    if axis is None or keepdims:
        return reduced
    if axis.__class__ is int and reduced.__class__ is np.ndarray:
        place = axis if axis >= 0 else axis + reduced.ndim + 1
        return reduced[(slice(None),) * place + (None,)]  # as below, in a tenth of the time
    return np.expand_dims(reduced, axis)


def ravel_vjp(g: Any, out: Any, x: Any, order: Any = "C") -> Any:
    return np.reshape(g, np.shape(x), order=order)


def reshape_vjp(
    g: Any, out: Any, x: Any, shape: Any = None, order: Any = "C", copy: bool | None = None
) -> Any:
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
    return np.roll(g, -np.asarray(shift, np.intp), axis)  # unsigned ones have no negative


def astype_forward(x: Any, dtype: Any, copy: bool = True) -> Any:
    check_holds_values(np.dtype(dtype))
    if isinstance(x, (float, int, complex, np.generic)):
        return np.asarray(x).astype(dtype)[()]  # of a number, a number
    array = array_of(x)
    return array.astype(dtype, copy=copy)


def astype_vjp(g: Any, out: Any, x: Any, dtype: Any = None, copy: bool = True) -> Any:
    """The engine gives every gradient the dtype of its input."""
    return g


class InOrder(Primitive):
    """A function that reads its input in some order, which may be that of its memory."""

    __slots__ = ()

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        inputs, static = super()._bind(args, kwargs)
        order = static.get("order")
        if static.get("copy") is False:
            check_place_is_known(inputs[0], self.name)
        if order == "A":
            is_plain = memory_order(inputs[0], order) == tuple(range(np.ndim(inputs[0])))
            static = static | {"order": "C" if is_plain else "F"}
        elif order == "K" and self.function is np.ravel:
            inputs = (np.transpose(inputs[0], memory_order(inputs[0], order)),)
            static = {}
        return inputs, static


def check_place_is_known(x: Any, name: str) -> None:
    """Refuse ``copy=False``, an error where a copy is needed, of what lies nobody knows how."""
    trace = current.get().trace
    is_sample = isinstance(unwrap(x), Handle)
    if trace is None and not is_sample:
        return
    where = "under ag.vmap" if is_sample else "in a compiled program"
    reason = (
        f"np.{name}(copy=False) asks how an array lies in memory, and {where} it is not known how "
        "one lies there; leave copy=False out"
    )
    raise UnsupportedError(reason) if trace is None else trace.refuse(reason)


def memory_order(x: Any, order: str) -> tuple[int, ...]:
    """The axes in the order in which ``order="A"`` or ``"K"`` reads them, the slowest first."""
    axes = tuple(range(np.ndim(x)))
    if len(axes) < 2:
        return axes
    if is_duck_array(unwrap(x)):
        raise UnsupportedError(
            f'order="{order}" asks how an array lies in memory, and of one of '
            f'{library_of(unwrap(x))} that is not known; write order="C"'
        )
    trace = current.get().trace
    if trace is not None:
        trace.note_order_read(order)
    if isinstance(unwrap(x), Handle):
        raise UnsupportedError(
            f'order="{order}" asks how an array lies in memory, and under ag.vmap it is not known '
            'how a sample lies there; write order="C" or order="F"'
        )
    data = np.asarray(unwrap(x))
    if order == "A" or data.flags.forc:
        return axes[::-1] if data.flags.fnc else axes
    # NumPy sorts them by strides, ties and zeros in a way of its own: so does its iterator,
    # which makes an array in the order in which it goes.
    modes: Any = [["readonly"], ["writeonly", "allocate"]]
    strides = np.nditer([data, None], ["zerosize_ok"], modes, order="K").operands[1].strides
    return tuple(sorted(axes, key=lambda axis: -strides[axis]))


reshape = register(np.reshape, InOrder(np.reshape, reshape_vjp, arrays=1, linear="all"))
ravel = register(np.ravel, InOrder(np.ravel, ravel_vjp, arrays=1, linear="all"))
transpose = array_function(np.transpose, transpose_vjp, linear="all")
swapaxes = array_function(np.swapaxes, swapaxes_vjp, linear="all")
moveaxis = array_function(np.moveaxis, moveaxis_vjp, linear="all")
expand_dims = array_function(np.expand_dims, axis_vjp, linear="all")
squeeze = array_function(np.squeeze, axis_vjp, linear="all")
broadcast_to = array_function(np.broadcast_to, broadcast_to_vjp, linear="all")
flip = array_function(np.flip, flip_vjp, linear="all")
roll = array_function(np.roll, roll_vjp, linear="all")
astype = array_function(np.astype, astype_vjp, forward=astype_forward, linear="all")
function: Any
"""Each of several functions that share a treatment, in the loops below."""

for function in (np.linalg.matrix_transpose, np.matrix_transpose):
    registry[function] = lambda x: np.swapaxes(x, -1, -2)
registry[np.permute_dims] = transpose

rearrangement(np.fliplr, np.flipud, np.rot90, np.rollaxis)
resized = Primitive(
    np.resize, back_to_origins(np.resize), arrays=1, masks=True, builtin=True, linear="all"
)


@composite(np.resize, asks_numpy="on failure", whole=("new_shape",))
def resize(a: Any, new_shape: Any) -> Any:
    return resized(a, new_shape=new_shape)


rearrangement(np.fft.fftshift, np.fft.ifftshift)
rearrangement(np.diagflat)
rearrangement(np.diag, np.diagonal, np.linalg.diagonal, np.tril, np.triu, masks=True)


@composite(np.atleast_1d, asks_numpy="on failure")
def atleast_1d(*arys: Any) -> Any:
    return one_or_all(np.reshape(x, -1) if np.ndim(x) == 0 else x for x in arys)


@composite(np.atleast_2d, asks_numpy="on failure")
def atleast_2d(*arys: Any) -> Any:
    return one_or_all(np.reshape(x, (1, -1)) if np.ndim(x) < 2 else x for x in arys)


@composite(np.atleast_3d, asks_numpy="on failure")
def atleast_3d(*arys: Any) -> Any:
    def raised(x: Any) -> Any:
        shape = (1, -1, 1) if np.ndim(x) < 2 else (*np.shape(x), 1)
        return np.reshape(x, shape) if np.ndim(x) < 3 else x

    return one_or_all(map(raised, arys))


def one_or_all(results: Iterable[Any]) -> Any:
    """NumPy's answer for one array is an array, for several a tuple."""
    arrays = tuple(results)
    return arrays[0] if len(arrays) == 1 else arrays


@composite(np.broadcast_arrays, asks_numpy="on failure")
def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    """Where all have one shape they come back themselves; else nobody writes into them."""
    shape = np.broadcast_shapes(*map(np.shape, args))
    if any(np.shape(x) != shape for x in args):
        return tuple(np.broadcast_to(x, shape) for x in args)
    return tuple(map(as_it_is, args))


def as_it_is(x: Any) -> Any:
    """An array itself, and of a number an array without axes."""
    is_value = isinstance(x, Handle)
    if is_value and not is_number(x):
        return x
    return np.copy(x) if is_value else np.asarray(x)


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
    axes_of_grid = tuple(columns) if sparse else np.broadcast_arrays(*columns)
    return tuple(np.copy(x, "C") for x in axes_of_grid) if copy else axes_of_grid


# Arrays shaped like another: to write into, without gradient of their own.


def filled_like(function: Any) -> Any:
    """An array as NumPy makes it; of a duck array, what the library makes of it."""
    of_library = Primitive(function, differentiable=False)

    def fill(a: Any, *args: Any, **static: Any) -> Any:
        data = unwrap(a)
        if not is_duck_array(data):
            return buffer(function(data, *args, **static))
        if current.get().trace is not None:
            # Programs move constants themselves.
            return buffer(function(np.empty(data.shape, data.dtype), *args, **static))
        return apply(of_library, (a,), {"dtype": args[0] if args else None, **static})

    return fill


for function in (np.zeros_like, np.ones_like):
    registry[function] = filled_like(function)
# What is there before the first write is the same at every call: see `np.empty` in `writing`.
registry[np.empty_like] = registry[np.zeros_like]


@composite(np.full_like, asks_numpy="on failure")
def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True,
    shape: Any = None,
) -> Any:  # fmt: skip
    fill: Any = fill_value if isinstance(fill_value, Handle) else array_of(fill_value)
    data = unwrap(a)
    if isinstance(data, np.ndarray) and not isinstance(fill, Handle):
        return buffer(np.full_like(data, fill, dtype, order, subok, shape))
    if isinstance(fill_value, Handle) and is_number(fill_value):
        fill = np.copy(fill)  # an array: a number of Python's has no dtype to be changed
    filled = np.broadcast_to(fill, np.shape(a) if shape is None else shape)
    filled = np.astype(filled, a.dtype if dtype is None else dtype)
    if not isinstance(filled, Handle):
        return buffer(np.array(filled, order=order))
    return laid_out(filled, data, order)


@composite(np.copy, asks_numpy="on failure")
def copy(a: Any, order: Any = "K", subok: bool = False) -> Any:
    """In memory of its own, as ``.data`` and optimizers write where no node is made.

    Of a number it makes an array without axes.
    """
    node = a.node
    is_sample = isinstance(node.data, Handle) and not node.shape
    is_plain = isinstance(node.data, np.ndarray) or (is_number(a) and not is_sample)
    data = np.array(node.data, order=order) if is_plain else node.data
    made = array_of_number if node.data.__class__ in PYTHON_SCALARS else identity
    value = record(made, data, NO_PARAMETERS, node.requires_grad, node)
    if order in ("C", "F"):
        current.get().note_settled(value.node)
    if is_sample:
        value.node.parameters = WITHOUT_AXES
    elif is_plain and np.ndim(data) and current.get() is EAGER:
        value.__class__ = value.exclusive  # nobody else has seen it: a first write copies nothing
    return value


identity = Primitive(lambda x: x, lambda g, out, x: g, name="identity", builtin=True, linear="all")
registry["identity"] = identity

array_of_number = Primitive(
    np.copy, lambda g, out, x: g, name="copy", arrays=1, builtin=True, linear="all"
)
"""The array without axes of a number of Python's: unlike that, it fits in with no other dtype."""


def laid_out(x: Any, like: Any = None, order: Any = "K") -> Any:
    """What was just made, laid out as NumPy lays it out: in rows, or a copy like another array."""
    content, model = unwrap(x), unwrap(x if like is None else like)
    if not (isinstance(content, np.ndarray) and isinstance(model, np.ndarray)):
        return np.copy(x)  # programs lay out arrays as suits them
    if like is None:
        if content.flags.c_contiguous:
            return x
        order = "C"
    data = np.empty_like(model, content.dtype, order, shape=content.shape)
    data[...] = content
    if not isinstance(x, Handle):
        return data
    node = x.node
    return record(identity, data, NO_PARAMETERS, node.requires_grad, node)


recompute = Primitive(lambda x: x, lambda g, out, x: g, name="recompute", linear="all")
"""The identity, from which on a checkpointed function is computed once more.

To a compiler it is a number of its own: else it would find that it has all that
follows already, and keep it."""


def as_new_node(x: Any) -> Any:
    """The same Value as a node of its own, to differentiate with respect to."""
    node = x.node
    return record(identity, node.data, NO_PARAMETERS, node.requires_grad, node)
