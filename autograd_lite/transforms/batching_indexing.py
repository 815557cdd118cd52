"""Batching rules of indexing and of writing: the leading axis is one more index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_lite.core.node import Handle
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.ops import (
    indexing,
    lengths,
    writing,
)
from autograd_lite.transforms.batching import (
    Batched,
    NoBatchingRuleError,
    array_of,
    batch_in,
    batching,
    count_of,
    every_axis,
    in_every_row,
    is_stacked,
    shifted,
    with_axes,
)

__all__: list[str] = []


# Indexing.  NumPy puts the axes of indices in front where a slice is between them: there the
# leading axis, being a slice, comes after them.

ALL = slice(None)


def is_array_index(part: Any) -> bool:
    return isinstance(part, (list, Handle)) or getattr(part, "ndim", 0) > 0


def is_by_slice(part: Any) -> bool:
    return isinstance(part, slice) or part is None or part is Ellipsis


def axes_in_front(parts: Sequence[Any]) -> int:
    """How many axes an index puts in front of the leading axis."""
    if not any(map(is_array_index, parts)):
        return 0
    by_slice = list(map(is_by_slice, parts))
    between = by_slice[by_slice.index(False) : len(parts) - by_slice[::-1].index(False)]
    if not any(between):
        return 0
    ranks = (1 if getattr(x, "dtype", None) == np.bool else np.ndim(x) for x in parts)
    return max(n for n, sliced in zip(ranks, by_slice, strict=True) if not sliced)


class Places:
    """An index of one array as one of the array with the leading axis.

    Where the index differs between samples, each sample is named by its number too.  The
    axes that belong to all indices then come first, and are moved to where they are for one.
    """

    def __init__(self, parts: Sequence[Any], ndim: int, count: int) -> None:
        self.source: list[int] = []
        """Axes behind the leading one, in the result of the index."""
        self.destination: list[int] = []
        """Where one sample has them."""
        self.front = 0
        if not any(map(is_stacked, parts)):
            self.parts = (ALL, *map(array_of, parts))
            self.front = axes_in_front(parts)
            return
        if any(getattr(x, "dtype", None) == np.bool for x in parts):
            raise NoBatchingRuleError("a mask chooses another number of elements in each sample")
        by_slice = list(map(is_by_slice, parts))
        rank = max(np.ndim(x) for x, sliced in zip(parts, by_slice, strict=True) if not sliced)
        self.parts = (
            np.reshape(np.arange(count), (count, *(1,) * rank)),
            *(
                x if sliced else with_axes(x, rank)
                for x, sliced in zip(parts, by_slice, strict=True)
            ),
        )
        first, last = by_slice.index(False), len(parts) - by_slice[::-1].index(False)
        if rank and first and not any(by_slice[first:last]):
            taken = sum(x is not None and x is not Ellipsis for x in parts)
            before = sum(ndim - taken if x is Ellipsis else 1 for x in parts[:first])
            self.source = list(range(1, 1 + rank))
            self.destination = list(range(1 + before, 1 + before + rank))

    def taken(self, result: Any) -> Any:
        """What the index takes, with the axes of one sample behind the leading one."""
        if self.source:
            return np.moveaxis(result, self.source, self.destination)
        return np.moveaxis(result, self.front, 0) if self.front else result

    def put(self, x: Any) -> Any:
        """The same, with the axes as the index has them."""
        if self.source:
            return np.moveaxis(x, self.destination, self.source)
        return np.moveaxis(x, 0, self.front) if self.front else x


@batching(indexing.getitem)
def getitem(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, *parts = inputs
    if not is_stacked(x) and len(parts) == 1 and not is_mask(parts):
        return primitive(array_of(x), array_of(parts[0]))
    count = count_of(inputs)
    places = Places(parts, np.ndim(x), count)
    return places.taken(primitive(in_every_row(x, count), *places.parts))


@batching(indexing.scatter)
def scatter(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    g, *parts = inputs
    count, shape = count_of(inputs), parameters["shape"]
    places = Places(parts, len(shape), count)
    if any(map(is_stacked, parts)):
        taken = indexing.getitem(Batched(np.empty((count, *shape)), batch_in(inputs)), *parts)
        g = np.broadcast_to(with_axes(g, taken.ndim), (count, *taken.shape))
    else:
        g = in_every_row(g, count)
    return primitive(places.put(g), *places.parts, shape=(count, *shape))


@batching(indexing.at_set, indexing.at_add)
def replace(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, new, *parts = inputs
    count = count_of(inputs)
    if is_mask(parts) and np.ndim(new) == 0:
        mask = np.reshape(parts[0], (*np.shape(parts[0]), *(1,) * (np.ndim(x) - np.ndim(parts[0]))))
        written = np.where(mask, x + new if primitive is indexing.at_add else new, x)
        result: Any = np.astype(written, np.result_type(x))
        return result.array
    places = Places(parts, np.ndim(x), count)
    if places.front:
        raise NoBatchingRuleError("an index parted by a slice")
    if is_stacked(new) or places.source:
        example = Batched(in_every_row(x, count), batch_in(inputs))
        shape = indexing.getitem(example, *parts).shape
        new = with_axes(new, len(shape))
        if places.source:
            new = places.put(np.broadcast_to(new, (count, *shape)))
    return primitive(in_every_row(x, count), array_of(new), *places.parts)


def is_mask(parts: Sequence[Any]) -> bool:
    """Whether an index is one mask, another for each sample."""
    return len(parts) == 1 and is_stacked(parts[0]) and parts[0].dtype == np.bool


@batching(writing.Origins)
def origins(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, elements, *places = inputs
    if any(map(is_stacked, places)):
        raise NoBatchingRuleError("not every sample is written in the same places")
    numbers = primitive(
        np.empty(np.shape(x)), np.empty(np.shape(elements)), *map(array_of, places), **parameters
    )
    return np.broadcast_to(numbers, (count_of(inputs), *np.shape(numbers)))


@batching(lengths.curved)
def curved(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """The curvature is one of the arrays, if these are differentiated."""
    count = count_of(inputs)
    share, x, length = (in_every_row(y, count) for y in inputs)
    curvature = parameters["curvature"]
    if not any(is_stacked(y) for y in (curvature.g, curvature.length)):
        return share
    axis = parameters["axis"]
    if axis is not None:
        axis = shifted(axis, np.ndim(inputs[1]))
    elif np.ndim(curvature.length) < np.ndim(inputs[1]):
        axis = every_axis(inputs[1])
    g = in_every_row(curvature.g, count)
    return lengths.with_curvature(share, x, g, length, axis, parameters["keepdims"])


@batching(registry["at.put"])
def put(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, elements, places = inputs
    if is_stacked(places):
        raise NoBatchingRuleError("not every sample is written in the same places")
    count = count_of(inputs)
    flat = np.reshape(in_every_row(x, count), (count, -1))
    elements = np.reshape(in_every_row(elements, count), (count, -1))
    written = indexing.at_set(flat, elements, ALL, np.ravel(array_of(places)))
    return np.reshape(written, (count, *np.shape(x)))


@batching(writing.in_order)
def in_order(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """The samples as they lie, into which the result may look."""
    return inputs[0].array


@batching(registry["at.real"], registry["at.imag"])
def replace_part(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    count = count_of(inputs)
    return primitive(*(in_every_row(x, count) for x in inputs))


@batching(np.take)
def take(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, places = inputs
    axis = parameters.get("axis")
    if not is_stacked(places):
        if axis is not None:
            axis = shifted(axis, x.ndim)
            return primitive(x.array, array_of(places), **{**parameters, "axis": axis})
        flat = np.reshape(x.array, (len(x.array), -1))
        return primitive(flat, array_of(places), **{**parameters, "axis": 1})
    if not is_stacked(x):
        result = primitive(array_of(x), places.array, **parameters)
        return result if axis is None else np.moveaxis(result, axis % np.ndim(x), 0)
    if parameters.get("mode", "raise") != "raise":
        raise NoBatchingRuleError("take with a mode, and other places for each sample")
    x, axis = (np.ravel(x), 0) if axis is None else (x, axis)
    before = (ALL,) * (shifted(axis, np.ndim(x)) % (np.ndim(x) + 1) - 1)
    return indexing.getitem(x, *before, places).array


@batching(np.take_along_axis)
def take_along_axis(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, places = inputs
    axis = parameters.get("axis", -1)
    if axis is None:
        x, axis = np.ravel(x), 0
    count, axis = count_of(inputs), shifted(axis, np.ndim(x))
    return primitive(in_every_row(x, count), in_every_row(places, count), axis=axis)
