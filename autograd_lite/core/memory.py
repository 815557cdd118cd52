"""Constants of a graph: arrays that others may write to stay what they were when recorded.

A graph refers to its constants long after they were used.  Small ones are copied.
Copies of large ones would fill the memory where one array is used again and again,
so their contents are summed up when they are recorded and again when a sweep goes
back to them: a constant that was written in between is an error, not another number.
An array that is read-only, and owns its numbers, needs neither.
"""

from __future__ import annotations

import operator
from collections import deque
from typing import Any

import numpy as np

from autograd_lite.core.errors import InPlaceError
from autograd_lite.core.interpreter import ONLY_HERE, getrefcount
from autograd_lite.core.node import Node

__all__ = [
    "History",
    "Overwritten",
    "Watched",
    "as_it_lies",
    "checksum",
    "constant",
    "copied",
    "copied_for_a_while",
    "frozen",
    "is_written",
    "memory_of",
    "read_only",
    "verify",
]

MOST_COPIED = 1 << 17
"""Bytes up to which a constant is copied: larger memory comes in fresh pages, which cost more."""

COLUMNS = 509, 503, 499, 491
"""Words in a row of a checksum: the first that divides no axis, lest rows change places unseen."""

UINT8, UINT64 = np.dtype(np.uint8), np.dtype(np.uint64)


class Watched(dict[str, Any]):
    """The parameters of a leaf with a checksum: of a constant that others may write to."""


def copied(array: Any) -> Any:
    """A copy with the same strides: what is a view of an array is one of its copy too."""
    if not isinstance(array, np.ndarray):
        return array.copy()
    copy = array.copy() if array.flags.c_contiguous else np.array(array, order="K")
    if copy.strides == array.strides or array.size < 2:
        return copy
    axes = list(zip(array.shape, array.strides, strict=True))
    if any(step == 0 and length > 1 for length, step in axes):
        return copy
    low = sum(min(0, (length - 1) * step) for length, step in axes)
    high = sum(max(0, (length - 1) * step) for length, step in axes)
    room = np.zeros(high - low + array.itemsize, np.uint8)
    spread: Any = np.ndarray(array.shape, array.dtype, room.data, -low, array.strides)
    spread[...] = array
    return spread


lent: deque[Any] = deque(maxlen=8)
"""Copies that were made for a while, the oldest first: whether one is free its references tell."""


def copied_for_a_while(array: Any) -> Any:
    """A copy of a large array for one call, in memory of an earlier one if nobody has that.

    Large memory comes in fresh pages each time, which cost five times as much as to copy.
    """
    if array.nbytes <= MOST_COPIED or not array.flags.c_contiguous:
        return copied(array)
    for _ in range(len(lent)):
        try:
            free = lent.popleft()
        except IndexError:  # another thread looks at it
            break
        is_alike = free.strides == array.strides and free.shape == array.shape
        is_alike = is_alike and free.dtype == array.dtype
        if is_alike and getrefcount(free) == ONLY_HERE and free.flags.writeable:
            free[...] = array
            lent.append(free)
            return free
        lent.append(free)
        del free
    copy = copied(array)
    lent.append(copy)
    return copy


def as_it_lies(array: Any) -> Any:
    """A copy that NumPy's loops take as they take the array: what that repeats is repeated here.

    Of exponents that are one number repeated, ``np.power`` makes squares and roots, whose results
    at infinity are others.  A copy with repetitions is read-only.
    """
    repeats = [n > 1 and not step for n, step in zip(array.shape, array.strides, strict=True)]
    if not any(repeats):
        return copied(array)
    once = tuple(slice(0, 1) if repeated else slice(None) for repeated in repeats)
    return np.broadcast_to(copied(array[once]), array.shape)


def frozen(x: Any) -> Any:
    """A static argument as it is now: lists, dicts and arrays can be changed by others."""
    kind = x.__class__
    if kind is np.ndarray:
        return x.copy()
    if kind is list:
        return list(map(frozen, x))
    if kind is dict:
        return {key: frozen(part) for key, part in x.items()}
    if isinstance(x, tuple):
        parts = list(map(frozen, x))
        if all(map(operator.is_, parts, x)):
            return x
        return x._make(parts) if hasattr(x, "_make") else kind(parts)
    return x


def constant(array: Any) -> Any:
    """What a graph keeps of an array that is an operand: a copy, or a node with its checksum."""
    if array.nbytes <= MOST_COPIED:
        return copied(array)
    if not array.flags.writeable and array.flags.owndata:
        return array
    node = Node.leaf(array.view())  # the array itself may go when its user lets it go
    node.parameters = Watched(checksum=checksum(array))
    return node


def checksum(array: Any) -> int:
    """A number that changes when the array does: sums of its bits, down the columns of a table."""
    kind, flags = array.dtype.kind, array.flags
    if kind not in "biufc":
        return 0 if kind == "O" else hash(array.tobytes())
    if not flags.c_contiguous:
        array = array.T if flags.f_contiguous else array.copy()
    columns = next((n for n in COLUMNS if all(map(n.__rmod__, array.shape))), COLUMNS[0])
    # Views made at once: by reshape and slices it takes half as long again as to read 800 KB.
    rows, row = array.nbytes // (8 * columns), 8 * columns
    sums = np.add.reduce(np.ndarray((rows, columns), UINT64, array), 0)
    rest = np.ndarray(array.nbytes - rows * row, UINT8, array, rows * row)
    return hash((sums.tobytes(), rest.tobytes()))


def is_written(node: Node) -> bool:
    """Whether a constant has been written since it was recorded."""
    return bool(checksum(node.data) != node.parameters["checksum"])


def verify(node: Node) -> None:
    """Refuse a constant that has been written since it was recorded."""
    if is_written(node):
        raise InPlaceError(
            f"an array of shape {node.shape} and dtype {node.dtype} was used with Values and "
            "written before the gradient went back through it; "
            "pass a copy (array.copy()), or write into another array"
        )


def read_only(array: Any) -> Any:
    """The same numbers as an array through which nobody writes."""
    view = array.view()
    view.flags.writeable = False
    return view


def memory_of(array: Any) -> Any:
    """The array whose memory an array lies in."""
    base = getattr(array, "base", None)
    return array if base is None else base


class History:
    """An array, and what was in those of its parts that have been written, oldest first."""

    __slots__ = ("array", "former")

    def __init__(self, array: Any) -> None:
        self.array = array
        self.former: list[tuple[Any, Any]] = []


class Overwritten:
    """The data of a node whose array has been written in place since.

    Rules of reading and writing parts only ask for its shape and dtype; whoever
    wants the numbers gets them by ``np.asarray``, from the history.
    """

    __slots__ = ("history", "version")

    def __init__(self, history: History, version: int) -> None:
        self.history = history
        self.version = version

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self.history.array.copy()
        for index, former in reversed(self.history.former[self.version :]):
            array[index] = former
        return array if dtype is None else array.astype(dtype)

    def __getattr__(self, name: str) -> Any:
        """Shape, dtype and the like, which writes do not change."""
        if name in ("dtype", "ndim", "shape", "size", "nbytes"):
            return getattr(self.history.array, name)
        raise AttributeError(name)
