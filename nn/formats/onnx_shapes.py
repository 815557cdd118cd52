"""What NumPy's operations of shapes, parts and products are called in ONNX."""

from __future__ import annotations

from string import ascii_lowercase as letters
from typing import Any

import numpy as np

from nn.formats.onnx_operators import Call, converts

__all__: list[str] = []

FAR = np.iinfo(np.int64)


def integers(graph: Any, numbers: Any) -> str:
    """Whole numbers that an operator is told."""
    return str(graph.constant(numbers, np.int64))


def flat(graph: Any, x: str) -> str:
    """All numbers on one axis."""
    return str(graph.add("Reshape", x, integers(graph, [-1])))


def axes_of(call: Call, axis: Any) -> list[int]:
    """Axes counted from the first; all if none is given."""
    n_axes = np.ndim(call.inputs[0])
    return list(range(n_axes)) if axis is None else [int(a) % n_axes for a in np.atleast_1d(axis)]


@converts("reshape")
def reshape(graph: Any, call: Call, shape: Any) -> str:
    """An axis of samples that comes first stays, however many there are."""
    target = list(np.atleast_1d(shape))
    if target and np.shape(call.inputs[0])[:1] == tuple(target[:1]):
        target[0] = 0
    return str(graph.add("Reshape", call.operand(0), integers(graph, target)))


@converts("ravel")
def ravel(graph: Any, call: Call) -> str:
    return flat(graph, call.operand(0))


@converts("transpose", "moveaxis", "swapaxes", "rollaxis")
def transpose(graph: Any, call: Call, **parameters: Any) -> str:
    """Which axis goes where is seen from an array of which no two are of the same length."""
    lengths = tuple(range(2, 2 + np.ndim(call.inputs[0])))
    moved = call.node.primitive.forward(np.broadcast_to(0, lengths), **parameters)
    order = [lengths.index(n) for n in moved.shape]
    return str(graph.add("Transpose", call.operand(0), perm=order))


@converts("expand_dims")
def expand_dims(graph: Any, call: Call, axis: Any) -> str:
    return str(graph.add("Unsqueeze", call.operand(0), integers(graph, np.atleast_1d(axis))))


@converts("squeeze")
def squeeze(graph: Any, call: Call, axis: Any = None) -> str:
    shape = np.shape(call.inputs[0])
    axes = [a for a in axes_of(call, axis) if shape[a] == 1]
    x = call.operand(0)
    return str(graph.add("Squeeze", x, integers(graph, axes))) if axes else x


@converts("broadcast_to")
def broadcast_to(graph: Any, call: Call, shape: Any) -> str:
    """Axes that are as long already stay as they are: 1 in the shape that is asked for."""
    target = list(np.atleast_1d(shape))
    for back, n in enumerate(np.shape(call.inputs[0])[::-1], 1):
        if target[-back] == n:
            target[-back] = 1
    return str(graph.add("Expand", call.operand(0), integers(graph, target)))


@converts("concatenate", operands=10**9)
def concatenate(graph: Any, call: Call, axis: int = 0) -> str:
    return str(graph.add("Concat", *call.operands(), axis=axis))


def cut(graph: Any, x: str, axis: int, part: slice) -> str:
    """A slice along an axis."""
    step = 1 if part.step is None else part.step
    start = part.start if part.start is not None else (0 if step > 0 else FAR.max)
    stop = part.stop if part.stop is not None else (FAR.max if step > 0 else FAR.min)
    bounds = [integers(graph, [n]) for n in (start, stop, axis, step)]
    return str(graph.add("Slice", x, *bounds))


@converts("flip", "flipud", "fliplr")
def flip(graph: Any, call: Call, axis: Any = None) -> str:
    own = {"flipud": 0, "fliplr": 1}.get(call.name, axis)
    x = call.operand(0)
    for number in axes_of(call, own):
        x = cut(graph, x, number, slice(None, None, -1))
    return x


@converts("roll")
def roll(graph: Any, call: Call, shift: Any, axis: Any = None) -> str:
    x, shape = call.operand(0), np.shape(call.inputs[0])
    if axis is None:
        x = flat(graph, x)
    shifts, axes = np.broadcast_arrays(shift, 0 if axis is None else axis)
    for by, along in zip(shifts.ravel().tolist(), axes.ravel().tolist(), strict=True):
        n = int(np.prod(shape)) if axis is None else shape[along]
        by = by if abs(by) < n else by % max(n, 1)  # counted from an end, it is for any length
        if by:
            parts = [cut(graph, x, along, s) for s in (slice(-by, None), slice(-by))]
            x = str(graph.add("Concat", *parts, axis=along))
    return str(graph.add("Reshape", x, integers(graph, shape))) if axis is None else x


@converts("pad")
def pad(graph: Any, call: Call, widths: Any, mode: str = "constant") -> str:
    shape = np.shape(call.inputs[0])
    shortest = {"constant": np.inf, "edge": np.inf}.get(mode)
    for (before, after), n in zip(widths, shape, strict=True):
        most = {"reflect": n - 1, "wrap": n}.get(mode, shortest)
        if most is None or max(before, after) > most:
            raise call.refuse(f" with mode={mode!r}")
    pads = np.array(widths, np.int64).reshape(-1, 2).T.ravel()
    return str(graph.add("Pad", call.operand(0), integers(graph, pads), mode=mode))


@converts("tril", "triu")
def triangle(graph: Any, call: Call, k: int = 0) -> str:
    upper = int(call.name == "triu")
    return str(graph.add("Trilu", call.operand(0), integers(graph, k), upper=upper))


# Parts.


@converts("getitem", operands=10**9)
def getitem(graph: Any, call: Call) -> str:
    """A part of an array, by slices, numbers, new axes, and one array of numbers."""
    parts = full_index(call)
    arrays = [p for p in parts if hasattr(p, "dtype") and np.ndim(p)]
    with_numbers = any(isinstance(p, int) for p in parts)
    if (
        len(arrays) > 1
        or any(a.dtype.kind not in "iu" for a in arrays)
        or (arrays and with_numbers)
    ):
        raise call.refuse(f" by {', '.join(map(kind_of_part, parts))}")
    x, axis = call.operand(0), 0
    gone: list[int] = []
    new: list[int] = []
    for part in parts:
        if part is None:
            new.append(axis - len(gone) + len(new))
            continue
        if isinstance(part, slice):
            x = x if part == slice(None) else cut(graph, x, axis, part)
        elif isinstance(part, int):
            x = cut(graph, x, axis, slice(part, part + 1 if part != -1 else None))
            gone.append(axis)
        else:
            position = next(i for i, p in enumerate(call.inputs) if p is part)
            x = str(graph.add("Gather", x, call.operand(position, np.int64), axis=axis))
            axis += np.ndim(part) - 1
        axis += 1
    x = str(graph.add("Squeeze", x, integers(graph, gone))) if gone else x
    return str(graph.add("Unsqueeze", x, integers(graph, new))) if new else x


def full_index(call: Call) -> list[Any]:
    """The parts of an index, with a slice for each axis that "..." stands for."""
    parts = list(call.inputs[1:])
    for number, part in enumerate(parts):
        if isinstance(part, bool | np.bool_):
            raise call.refuse(" by a truth value")
        if isinstance(part, list):
            parts[number] = call.inputs[number + 1] = np.asarray(part)
        if isinstance(part, np.integer) or (hasattr(part, "dtype") and not np.ndim(part)):
            parts[number] = int(part)
    dots = [number for number, part in enumerate(parts) if part is Ellipsis]
    if dots:
        n_given = sum(part is not None for part in parts) - 1
        missing = np.ndim(call.inputs[0]) - n_given
        parts[dots[0] : dots[0] + 1] = [slice(None)] * missing
    return parts


def kind_of_part(part: Any) -> str:
    """What a part of an index is, in a message."""
    if hasattr(part, "dtype") and np.ndim(part):
        return "truth values" if part.dtype == bool else "an array"
    return repr(part)


@converts("take", operands=2)
def take(graph: Any, call: Call, axis: int | None = None) -> str:
    x = flat(graph, call.operand(0)) if axis is None else call.operand(0)
    return str(graph.add("Gather", x, call.operand(1, np.int64), axis=axis or 0))


@converts("take_along_axis", operands=2)
def take_along_axis(graph: Any, call: Call, axis: int | None = -1) -> str:
    shapes = [list(np.shape(x)) for x in call.inputs]
    if axis is not None:
        for shape in shapes:
            shape.pop(axis)
    if axis is None or shapes[0] != shapes[1]:
        raise call.refuse(" of such shapes")
    return str(
        graph.add("GatherElements", call.operand(0), call.operand(1, np.int64), axis=int(axis))
    )


@converts("diagonal")
def diagonal(graph: Any, call: Call, offset: int = 0, **chosen: int) -> str:
    """Of the square in which it lies; that of `np.linalg` is of the last two axes."""
    is_of_last = call.node.primitive.forward.__module__ == "numpy.linalg"
    usual = {"axis1": -2, "axis2": -1} if is_of_last else {"axis1": 0, "axis2": 1}
    axes, shape = axes_of(call, [*(usual | chosen).values()]), np.shape(call.inputs[0])
    starts = max(-offset, 0), max(offset, 0)
    n = min(shape[axis] - start for axis, start in zip(axes, starts, strict=True))
    if n <= 0:
        raise call.refuse(f" with offset={offset}")
    x, names = call.operand(0), list(letters[: len(shape)])
    for axis, start in zip(axes, starts, strict=True):
        if (start, n) != (0, shape[axis]):
            x = cut(graph, x, axis, slice(start, start + n))
    names[axes[1]] = names[axes[0]]
    rest = [name for axis, name in enumerate(names) if axis not in axes]
    equation = f"{''.join(names)}->{''.join(rest)}{names[axes[0]]}"
    return str(graph.add("Einsum", x, equation=equation))


# Along an axis.


@converts("cumsum")
def cumsum(graph: Any, call: Call, axis: int | None = None, dtype: Any = None) -> str:
    x = call.operand(0, call.dtype)
    x = flat(graph, x) if axis is None else x
    return str(graph.add("CumSum", x, integers(graph, axis or 0)))


@converts("argmax", "argmin")
def argmax(graph: Any, call: Call, axis: int | None = None, keepdims: bool = False) -> str:
    x = flat(graph, call.operand(0)) if axis is None else call.operand(0)
    operator = {"argmax": "ArgMax", "argmin": "ArgMin"}[call.name]
    found = graph.add(operator, x, axis=axis or 0, keepdims=int(keepdims and axis is not None))
    if keepdims and axis is None:
        found = graph.add("Reshape", found, integers(graph, [1] * np.ndim(call.inputs[0])))
    return str(found)


# Products.


def times(graph: Any, call: Call) -> str:
    return str(graph.add("Mul", *call.operands()))


@converts("matmul", operands=2)
def matmul(graph: Any, call: Call) -> str:
    return str(graph.add("MatMul", *call.operands()))


@converts("dot", operands=2)
def dot(graph: Any, call: Call) -> str:
    n_axes = [np.ndim(x) for x in call.inputs]
    if 0 in n_axes:
        return times(graph, call)
    if n_axes[1] > 2:
        raise call.refuse(" of more than two axes")
    return matmul(graph, call)


@converts("multi_dot", operands=10**9)
def multi_dot(graph: Any, call: Call) -> str:
    product, *others = call.operands()
    for other in others:
        product = graph.add("MatMul", product, other)
    return str(product)


@converts("inner", operands=2)
def inner(graph: Any, call: Call) -> str:
    n, m = (np.ndim(x) for x in call.inputs)
    if not n or not m:
        return times(graph, call)
    return contract(graph, call, [n - 1], [m - 1])


@converts("tensordot", operands=2)
def tensordot(graph: Any, call: Call, axes: Any = 2) -> str:
    n, m = (np.ndim(x) for x in call.inputs)
    if np.ndim(axes) == 0:
        axes = range(n - axes, n), range(axes)
    left, right = (np.atleast_1d(np.array(part, int)) for part in axes)
    return contract(graph, call, left % max(n, 1), right % max(m, 1))


def contract(graph: Any, call: Call, left: Any, right: Any) -> str:
    """The sum of products along pairs of axes."""
    n, m = (np.ndim(x) for x in call.inputs)
    a, b = list(letters[:n]), list(letters[n : n + m])
    for i, j in zip(left, right, strict=True):
        b[j] = a[i]
    rest = [x for x in a if x not in b] + [x for x in b if x not in a]
    equation = f"{''.join(a)},{''.join(b)}->{''.join(rest)}"
    return str(graph.add("Einsum", *call.operands(), equation=equation))


@converts("einsum", operands=10**9)
def einsum(graph: Any, call: Call, subscripts: str, optimize: Any = False) -> str:
    return str(graph.add("Einsum", *call.operands(), equation=subscripts))


@converts("vdot", operands=2)
def vdot(graph: Any, call: Call) -> str:
    return str(graph.add("MatMul", *(flat(graph, x) for x in call.operands())))


@converts("vecdot", operands=2)
def vecdot(graph: Any, call: Call) -> str:
    return str(graph.add("ReduceSum", times(graph, call), integers(graph, [-1]), keepdims=0))


@converts("matvec", "vecmat", operands=2)
def matvec(graph: Any, call: Call) -> str:
    place = integers(graph, [-1 if call.name == "matvec" else -2])
    names = call.operands()
    vector = 1 if call.name == "matvec" else 0
    names[vector] = graph.add("Unsqueeze", names[vector], place)
    return str(graph.add("Squeeze", graph.add("MatMul", *names), place))
