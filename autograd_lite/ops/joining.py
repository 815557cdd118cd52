"""Rules of functions that join arrays, and of those that part and repeat them."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from autograd_lite.core.duck_arrays import array_of, is_duck_array
from autograd_lite.core.errors import ArgumentValueError
from autograd_lite.core.node import Handle
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.ops.define import composite
from autograd_lite.ops.indexing import scatter

__all__ = ["array", "array_of_rows", "join"]

# Functions that join: their first argument is a sequence of arrays.


def concatenate_forward(*arrays: Any, axis: int = 0) -> Any:
    return np.concatenate(arrays, axis=axis)


def concatenate_vjp(index: int, g: Any, out: Any, *arrays: Any, axis: int = 0) -> Any:
    stops = list(accumulate(np.shape(x)[axis] for x in arrays))
    start = stops[index] - np.shape(arrays[index])[axis]
    before = (slice(None),) * (axis % np.ndim(g))
    return g[(*before, slice(start, stops[index]))]


join = Primitive(
    concatenate_forward, each=concatenate_vjp, name="concatenate", arrays=None, builtin=True
)


@composite(np.concatenate)
def concatenate(arrays: Any, axis: int | None = 0, dtype: Any = None) -> Any:
    arrays = [x if isinstance(x, Handle) else array_of(x) for x in arrays]
    if axis is None:
        arrays, axis = [np.ravel(x) for x in arrays], 0
    if dtype is not None:
        arrays = [np.astype(x, dtype) for x in arrays]
    return join(*arrays, axis=axis)


@composite(np.stack)
def stack(arrays: Any, axis: int = 0, dtype: Any = None) -> Any:
    return np.concatenate([np.expand_dims(x, axis) for x in arrays], axis=axis, dtype=dtype)


@composite(np.vstack)
def vstack(tup: Any, dtype: Any = None) -> Any:
    return np.concatenate([np.atleast_2d(x) for x in tup], axis=0, dtype=dtype)


@composite(np.hstack)
def hstack(tup: Any, dtype: Any = None) -> Any:
    arrays = [np.atleast_1d(x) for x in tup]
    return np.concatenate(arrays, axis=0 if np.ndim(arrays[0]) == 1 else 1, dtype=dtype)


@composite(np.dstack)
def dstack(tup: Any) -> Any:
    return np.concatenate([np.atleast_3d(x) for x in tup], axis=2)


@composite(np.column_stack)
def column_stack(tup: Any) -> Any:
    columns = [x if np.ndim(x) > 1 else np.reshape(x, (-1, 1)) for x in tup]
    return np.concatenate(columns, axis=1)


@composite(np.append)
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return np.concatenate((arr, values), axis=axis)


@composite(np.block)
def block(arrays: Any) -> Any:
    depth = depth_of(arrays)
    return join_blocks(arrays, depth, max(depth, *(np.ndim(x) for x in blocks_of(arrays))))


def depth_of(nested: Any) -> int:
    return 1 + depth_of(nested[0]) if isinstance(nested, list) else 0


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
)


@composite(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    arrays = [x if isinstance(x, Handle) else array_of(x) for x in (arr, values)]
    return insert_into(*arrays, obj=obj, axis=axis)


def array_vjp(index: int, g: Any, out: Any, *rows: Any) -> Any:
    return g[index]


def rows_forward(*rows: Any) -> Any:
    return np.stack(rows) if any(map(is_duck_array, rows)) else np.array(rows)


array_of_rows = Primitive(rows_forward, each=array_vjp, name="array")


def array(nested: Any) -> Any:
    """Build an array from nested lists of Values, numbers and arrays, with gradients.

    ``np.array`` cannot be used for it: NumPy gives a Value no say in that call.

    Parameters
    ----------
    nested
        A Value, number or array, or nested lists and tuples of them, rows of
        equal shape.

    Returns
    -------
    Value or ndarray
        What ``np.array`` would return; a Value if there is a Value inside.

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
    if not isinstance(nested, (list, tuple)):
        return nested if isinstance(nested, Handle) else array_of(nested)
    rows = [array(row) for row in nested]
    shapes = list(dict.fromkeys(np.shape(row) for row in rows))
    if len(shapes) > 1:
        raise ArgumentValueError(
            f"ag.array: rows of different shapes, {shapes[0]} and {shapes[1]}; "
            "all rows of an array have one shape"
        )
    return array_of_rows(*rows)


# Functions that part or repeat: indexing and broadcasting under other names.


@composite(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    numbers = np.array_split(np.arange(np.shape(ary)[axis]), indices_or_sections)
    before = (slice(None),) * (axis % np.ndim(ary))
    return [ary[(*before, run_of(part))] for part in numbers]


def run_of(numbers: Any) -> slice:
    """Consecutive numbers as a slice."""
    return slice(int(numbers[0]), int(numbers[-1]) + 1) if len(numbers) else slice(0, 0)


@composite(np.split)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    np.split(np.empty(np.shape(ary)[axis]), indices_or_sections)  # NumPy's error where uneven
    return np.array_split(ary, indices_or_sections, axis=axis)


@composite(np.vsplit)
def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return np.split(ary, indices_or_sections, axis=0)


@composite(np.hsplit)
def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return np.split(ary, indices_or_sections, axis=min(np.ndim(ary) - 1, 1))


@composite(np.dsplit)
def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return np.split(ary, indices_or_sections, axis=2)


@composite(np.unstack)
def unstack(x: Any, *, axis: int = 0) -> tuple[Any, ...]:
    return tuple(np.moveaxis(x, axis, 0))


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
