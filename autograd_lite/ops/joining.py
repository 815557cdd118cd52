"""Rules of functions that join arrays, and of those that part and repeat them."""

from __future__ import annotations

from itertools import accumulate, pairwise
from math import prod
from typing import Any

from autograd_lite.core.duck_arrays import array_of, is_duck_array
from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError, UnsupportedError
from autograd_lite.core.node import Handle, holds_value, unwrap
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.ops.define import LeftToNumpy, cast, composite
from autograd_lite.ops.indexing import scatter

__all__ = ["array", "array_of_rows", "as_array", "c_", "join", "r_"]

# Functions that join: their first argument is a sequence of arrays.


def concatenate_forward(*arrays: Any, axis: int = 0) -> Any:
    return np.concatenate(arrays, axis=axis)


def concatenate_vjp(g: Any, out: Any, *arrays: Any, axis: int = 0) -> Any:
    stops = accumulate((np.shape(x)[axis] for x in arrays), initial=0)
    before = (slice(None),) * (axis % np.ndim(g))
    return [g[(*before, slice(*ends))] for ends in pairwise(stops)]


join = Primitive(
    concatenate_forward, joint=concatenate_vjp, name="concatenate", builtin=True, linear="all"
)


@composite(np.concatenate, of_sequences=True, asks_numpy="on failure")
def concatenate(
    arrays: Any, axis: int | None = 0, dtype: Any = None, casting: Any = "same_kind"
) -> Any:
    arrays = [as_array(x) for x in arrays]
    if axis is None:
        arrays, axis = [np.ravel(x) for x in arrays], 0
    if dtype is None and casting != "same_kind":
        dtype = np.result_type(*(x.dtype for x in arrays))
    if dtype is not None:
        arrays = [cast(x, dtype, casting) for x in arrays]
    return join(*arrays, axis=axis)


@composite(np.stack, of_sequences=True, asks_numpy="on failure")
def stack(arrays: Any, axis: int = 0, dtype: Any = None, casting: Any = "same_kind") -> Any:
    rows = [np.expand_dims(as_array(x), axis) for x in arrays]
    return np.concatenate(rows, axis=axis, dtype=dtype, casting=casting)


@composite(np.vstack, of_sequences=True, asks_numpy="on failure")
def vstack(tup: Any, dtype: Any = None, casting: Any = "same_kind") -> Any:
    rows = [np.atleast_2d(as_array(x)) for x in tup]
    return np.concatenate(rows, axis=0, dtype=dtype, casting=casting)


@composite(np.hstack, of_sequences=True, asks_numpy="on failure")
def hstack(tup: Any, dtype: Any = None, casting: Any = "same_kind") -> Any:
    arrays = [np.atleast_1d(as_array(x)) for x in tup]
    axis = 0 if np.ndim(arrays[0]) == 1 else 1
    return np.concatenate(arrays, axis=axis, dtype=dtype, casting=casting)


@composite(np.dstack, of_sequences=True, asks_numpy="on failure")
def dstack(tup: Any) -> Any:
    return np.concatenate([np.atleast_3d(as_array(x)) for x in tup], axis=2)


@composite(np.column_stack, of_sequences=True, asks_numpy="on failure")
def column_stack(tup: Any) -> Any:
    columns = [x if np.ndim(x) > 1 else np.reshape(x, (-1, 1)) for x in map(as_array, tup)]
    return np.concatenate(columns, axis=1)


@composite(np.append, asks_numpy="on failure")
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return np.concatenate((arr, values), axis=axis)


@composite(np.block, of_sequences=True, asks_numpy="on failure")
def block(arrays: Any) -> Any:
    depth = depth_of(arrays)
    joined = join_blocks(arrays, depth, max(depth, *(np.ndim(x) for x in blocks_of(arrays))))
    return joined if depth else np.copy(joined, "C")


def depth_of(nested: Any) -> int:
    """How deep the lists are nested, everywhere."""
    if not isinstance(nested, list):
        if isinstance(nested, tuple):
            raise LeftToNumpy
        return 0
    depths = set(map(depth_of, nested))
    if len(depths) != 1:
        raise LeftToNumpy
    return 1 + depths.pop()


def blocks_of(nested: Any) -> list[Any]:
    if not isinstance(nested, list):
        return [nested]
    return [block for part in nested for block in blocks_of(part)]


def join_blocks(nested: Any, depth: int, ndim: int) -> Any:
    """Innermost lists are joined along the last axis, the next along the one before it."""
    if not isinstance(nested, list):
        return np.reshape(nested, (1,) * (ndim - np.ndim(nested)) + np.shape(nested))
    return np.concatenate([join_blocks(part, depth - 1, ndim) for part in nested], axis=-depth)


def insert_vjp(g: Any, out: Any, arr: Any, values: Any, obj: Any, axis: int | None) -> Any:
    """Number the elements of both arrays, insert the numbers, and see where each one went."""
    count = np.size(arr)
    places = np.arange(count).reshape(np.shape(arr))
    new_places = count + np.arange(np.size(values)).reshape(np.shape(values))
    origins = np.insert(places, obj, new_places, axis=axis)
    sums = scatter(g, origins, shape=(count + np.size(values),))
    return np.reshape(sums[:count], np.shape(arr)), np.reshape(sums[count:], np.shape(values))


insert_into = Primitive(
    lambda arr, values, obj, axis: np.insert(arr, obj, values, axis=axis),
    joint=insert_vjp,
    name="insert",
    linear="all",
)


@composite(np.insert, asks_numpy="on failure")
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    arr, values = as_array(arr), as_array(values)
    if values.dtype.kind == "c" and arr.dtype.kind != "c":
        raise ArgumentTypeError(
            f"np.insert: {values.dtype} does not fit between numbers of {arr.dtype}; "
            "write v.real, or make the array complex, with x + 0j"
        )
    return insert_into(arr, values, obj=obj, axis=axis)


def array_vjp(g: Any, out: Any, *rows: Any) -> Any:
    return [g[index] for index in range(len(rows))]


def rows_forward(*rows: Any) -> Any:
    return np.stack(rows) if any(map(is_duck_array, rows)) else np.array(rows)


array_of_rows = Primitive(rows_forward, joint=array_vjp, name="array", linear="all")


def as_array(nested: Any, dtype: Any = None) -> Any:
    """The same as `array`, but what is one already stays as it is."""
    if dtype is not None:
        return np.astype(as_array(nested), dtype)
    if isinstance(nested, Handle):
        return nested
    if not isinstance(nested, (list, tuple)) or not holds_value(nested):
        return array_of(nested)
    rows = [as_array(row) for row in nested]
    shapes = list(dict.fromkeys(np.shape(row) for row in rows))
    if len(shapes) > 1:
        raise ArgumentValueError(
            f"ag.array: rows of different shapes, {shapes[0]} and {shapes[1]}; "
            "all rows of an array have one shape"
        )
    joined = array_of_rows(*rows)
    if joined.dtype.kind not in "fciub":
        raise ArgumentTypeError(
            f"ag.array: a Value beside what is not a number, together of dtype {joined.dtype}; "
            "pass numbers, arrays of numbers and Values"
        )
    return joined


registry["array"] = as_array


def array(nested: Any, dtype: Any = None) -> Any:
    """Build an array from nested lists of Values, numbers and arrays, with gradients.

    ``np.array`` cannot be used for it: NumPy gives a Value no say in that call.

    Parameters
    ----------
    nested
        A Value, number or array, or nested lists and tuples of them, rows of
        equal shape.
    dtype
        The dtype of the result; by default that of ``np.array``.

    Returns
    -------
    Value or ndarray
        What ``np.array`` would return, and so never the argument itself; a Value if there is
        a Value inside.

    Raises
    ------
    ArgumentValueError
        If the rows differ in shape.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> a, b = ag.Value(2.0), ag.Value(3.0)
    >>> m = ag.array([[a, b], [b, 1.0]])
    >>> m
    Value([[2., 3.],
           [3., 1.]])
    >>> (m[0, 1] * m[1, 0]).backward()
    >>> b.grad
    6.0
    """
    made = as_array(nested, dtype)
    if isinstance(made, Handle):
        return np.array(made, like=made) if made is nested else made
    return np.copy(made) if isinstance(made, np.ndarray) and made is nested else made


class Concatenator:
    """``np.r_`` or ``np.c_`` for Values: it joins what is written as an index.

    Raises
    ------
    UnsupportedError
        If the index begins with "r" or "c", which ask NumPy for a matrix.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> x = ag.Value([2.0, 3.0])
    >>> ag.r_[x, 0.0, 1:3]
    Value([2., 3., 0., 1., 2.])
    >>> ag.c_[x, x]
    Value([[2., 2.],
           [3., 3.]])
    """

    def __init__(self, name: str) -> None:
        self.__name__ = name
        self.numpys = getattr(np, name)

    def __repr__(self) -> str:
        return f"ag.{self.__name__}"

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if not holds_value(parts):
            return self.numpys[key]
        directive = parts[:1] if isinstance(parts[0], str) else ()
        if directive in (("r",), ("c",)):
            raise UnsupportedError(
                f"{directive[0]!r} asks for a matrix, which has no derivative rules here; "
                "write ag.r_[...] for a row and ag.c_[...] for a column"
            )
        items = parts[len(directive) :]
        pieces = [
            np.r_[x] if isinstance(x, slice) else as_array(x) if isinstance(x, (list, tuple)) else x
            for x in items
        ]
        arrays = [as_array(x) for x in pieces]
        kinds = [getattr(unwrap(x), "dtype", unwrap(x)) for x in pieces]
        flat = np.concatenate([np.ravel(x) for x in arrays], dtype=np.result_type(*kinds))
        # NumPy joins the numbers of the elements, and so tells where each of them goes.
        first = accumulate(map(np.size, arrays), initial=0)
        numbers = [numbers_from(n, unwrap(x)) for n, x in zip(first, arrays, strict=False)]
        places = self.numpys[(*directive, *numbers)]
        if is_duck_array(unwrap(flat)):
            return np.reshape(flat[np.ravel(places)], np.shape(places))
        return flat[places]


def numbers_from(first: int, x: Any) -> Any:
    """The numbers of the elements of an array, which lie as the elements do."""
    shape = np.shape(x)
    in_rows = np.arange(first, first + prod(shape)).reshape(shape)
    if not isinstance(x, np.ndarray):
        return in_rows
    numbers = np.empty_like(x, np.intp)
    numbers[...] = in_rows
    return numbers


r_ = Concatenator("r_")
"""Joins Values, arrays, numbers and ranges along the first axis, as ``np.r_`` does."""

c_ = Concatenator("c_")
"""Joins Values, arrays, numbers and ranges as columns, as ``np.c_`` does."""


# Functions that part or repeat: indexing and broadcasting under other names.


@composite(np.array_split, asks_numpy="on failure", whole=("indices_or_sections", "axis"))
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    sections = as_plain(indices_or_sections)
    numbers = np.array_split(np.arange(np.shape(ary)[axis]), sections)
    before = (slice(None),) * (axis % np.ndim(ary))
    return [ary[(*before, run_of(part))] for part in numbers]


def as_plain(sections: Any) -> Any:
    """Where an array is split, as plain numbers: they decide on shapes."""
    return np.asarray(sections) if isinstance(sections, Handle) else sections


def run_of(numbers: Any) -> slice:
    """Consecutive numbers as a slice."""
    return slice(int(numbers[0]), int(numbers[-1]) + 1) if len(numbers) else slice(0, 0)


@composite(np.split, asks_numpy="on failure", whole=("indices_or_sections", "axis"))
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    sections = as_plain(indices_or_sections)
    np.split(np.empty(np.shape(ary)[axis]), sections)  # NumPy's error where uneven
    return np.array_split(ary, sections, axis=axis)


@composite(np.vsplit, whole=("indices_or_sections",))
def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return np.split(ary, indices_or_sections, axis=0)


@composite(np.hsplit, whole=("indices_or_sections",))
def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return np.split(ary, indices_or_sections, axis=min(np.ndim(ary) - 1, 1))


@composite(np.dsplit, whole=("indices_or_sections",))
def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return np.split(ary, indices_or_sections, axis=2)


@composite(np.unstack)
def unstack(x: Any, *, axis: int = 0) -> tuple[Any, ...]:
    return tuple(np.moveaxis(x, axis, 0))


@composite(np.repeat, asks_numpy="on failure", whole=("repeats", "axis"))
def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    if axis is None or np.ndim(a) == 0:
        a, axis = np.ravel(a), 0 if axis is None else axis
    return np.take(a, np.repeat(np.arange(np.shape(a)[axis]), repeats), axis=axis)


@composite(np.tile, asks_numpy="on failure", whole=("reps",))
def tile(A: Any, reps: Any) -> Any:
    shape = np.shape(A)
    reps = (reps,) if isinstance(reps, int | np.integer) else tuple(reps)
    reps = (1,) * (len(shape) - len(reps)) + reps
    shape = (1,) * (len(reps) - len(shape)) + shape
    apart = np.reshape(A, [n for length in shape for n in (1, length)])
    copies = np.broadcast_to(
        apart, [n for r, length in zip(reps, shape, strict=True) for n in (r, length)]
    )
    tiled = np.reshape(copies, [r * n for r, n in zip(reps, shape, strict=True)])
    return np.copy(tiled, "K" if set(reps) <= {1} else "C")
