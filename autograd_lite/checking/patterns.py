"""Patterns of mistakes: entries at wrong places, and places where entries are wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice, permutations, product
from typing import Any

import numpy as np

from autograd_lite.checking.layout import Leaf, Vector
from autograd_lite.checking.subjects import Subject

__all__ = ["one_slice", "rearranged_rows", "rearrangements", "regions"]

Change = Callable[[Vector], Vector]

MIXED_UP = (2, 3, 4)
"""Numbers of blocks in one array, as of the gates of a recurrent layer."""


def rearrangements(leaf: Leaf) -> Iterator[tuple[str, str, Change]]:
    """Kind, description, and how to undo it on rows of flat gradients of this leaf."""
    if leaf.is_complex:
        return
    shape = leaf.shape
    if len(shape) >= 2 and min(shape) > 1:
        if len(set(shape)) == 1:
            yield "transposed", "transposed", on_arrays(shape, transpose)
        # Read as an array of the reversed shape, then transposed.
        reordered = on_arrays(shape[::-1], transpose)
        yield "transposed", "transposed (its entries in the other order)", reordered
    if len(shape) >= 2 and min(shape[-2:]) > 1:
        both = on_arrays(shape, partial(np.flip, axis=(-2, -1)))
        yield "permuted", "flipped along its last two axes, as a kernel is", both
    for axis, length in enumerate(shape):
        if length > 1:
            flipped = on_arrays(shape, partial(np.flip, axis=axis + 1))
            yield "permuted", f"reversed along axis {axis}", flipped
        if length > 2:
            for by, shift in product((1, -1), (np.roll, push)):
                shifted = on_arrays(shape, partial(shift, shift=by, axis=axis + 1))
                yield "off by one", f"shifted by one along axis {axis}: off by one", shifted
        for order in orders_of_blocks(length):
            exchanged = on_arrays(shape, partial(exchange, order=order, axis=axis + 1))
            listed = ", ".join(map(str, order))
            text = f"in the order {listed} of its {len(order)} blocks along axis {axis}"
            yield "swapped", f"{text}, as of gates or halves that are mixed up", exchanged


def orders_of_blocks(length: int) -> Iterator[tuple[int, ...]]:
    """All orders but the right one of two, three or four blocks, of two entries at least."""
    for count in MIXED_UP:
        if length % count == 0 and length > count:
            yield from islice(permutations(range(count)), 1, None)


def exchange(g: Any, order: tuple[int, ...], axis: int) -> Any:
    """Blocks along an axis that are there in this order, put back to their places."""
    blocks = np.split(g, len(order), axis)
    return np.concatenate([blocks[order.index(place)] for place in range(len(order))], axis)


def rearranged_rows(rows: Vector, leaf: Leaf, change: Change) -> Vector:
    """Rows of cotangents with the part of one leaf changed."""
    changed = rows.copy()
    if not leaf.is_complex:
        part = np.reshape(rows[:, leaf.place], (len(rows), *leaf.shape))
        changed[:, leaf.place] = np.reshape(change(part), (len(rows), -1))
    return changed


def one_slice(v: Vector, axis: int, index: int) -> Vector:
    """Zero everywhere but at one index of an axis; the first axis counts the rows."""
    kept = np.zeros_like(v)
    place = (slice(None),) * (axis + 1) + (index,)
    kept[place] = v[place]
    return kept


def on_arrays(shape: tuple[int, ...], change: Change) -> Change:
    def changed(rows: Vector) -> Vector:
        return np.reshape(change(np.reshape(rows, (len(rows), *shape))), (len(rows), -1))

    return changed


def transpose(g: Any) -> Any:
    return np.transpose(g, (0, *range(g.ndim - 1, 0, -1)))


def push(g: Any, shift: int, axis: int) -> Any:
    """Shifted, with zero for what comes in."""
    moved = np.roll(g, shift, axis)
    moved[(slice(None),) * axis + (0 if shift > 0 else -1,)] = 0
    return moved


def regions(subject: Subject, leaf: Leaf) -> Iterator[tuple[str, Any]]:
    """Descriptions that follow "right except", and the entries that they mean."""
    if leaf.is_complex:
        return
    x = leaf.cut(subject.x)
    for description, inside in (
        *by_sign(leaf.name, x),
        *by_place(x),
        *by_magnitude(leaf.name, x),
        *by_ties(leaf.name, x),
    ):
        yield description, np.ravel(inside)
    for other in subject.inputs.leaves:
        if other is not leaf and other.shape == leaf.shape and not other.is_complex:
            for description, inside in by_value(other.name, other.cut(subject.x)):
                yield description, np.ravel(inside)
    output = subject.outputs.leaves[0]
    if output.shape == leaf.shape and leaf.shape and not output.is_complex:
        value = output.cut(subject.value)
        for description, inside in by_value("the result", value):
            yield description, np.ravel(inside)


def by_value(name: str, x: Vector) -> Iterator[tuple[str, Any]]:
    yield from by_sign(name, x)
    yield from by_magnitude(name, x)
    yield from by_ties(name, x)


def by_sign(name: str, x: Vector) -> Iterator[tuple[str, Any]]:
    yield f"where {name} is zero", x == 0
    yield f"where {name} is negative", x < 0
    yield f"where {name} is positive", x > 0
    yield f"where {name} is negative or zero", x <= 0
    yield f"where {name} is positive or zero", x >= 0


def by_magnitude(name: str, x: Vector) -> Iterator[tuple[str, Any]]:
    yield f"where the magnitude of {name} is above 1", np.abs(x) > 1
    yield f"where the magnitude of {name} is below 1", np.abs(x) < 1


def by_ties(name: str, x: Vector) -> Iterator[tuple[str, Any]]:
    """After all others, as off the diagonal every entry of a symmetric matrix is tied."""
    _, places, counts = np.unique(x, return_inverse=True, return_counts=True)
    yield f"where entries of {name} are tied", np.reshape(counts[places] > 1, np.shape(x))


def by_place(x: Vector) -> Iterator[tuple[str, Any]]:
    for axis, length in enumerate(np.shape(x)):
        index = np.reshape(np.arange(length), [-1 if a == axis else 1 for a in range(np.ndim(x))])
        place = np.broadcast_to(index, np.shape(x))
        if length > 2:
            yield f"where the index of axis {axis} is first", place == 0
            yield f"where the index of axis {axis} is last", place == length - 1
            yield f"where the index of axis {axis} is odd", place % 2 == 1
            yield f"where the index of axis {axis} is even", place % 2 == 0
    if np.ndim(x) == 2:
        rows, columns = np.indices(np.shape(x))
        yield "on the diagonal", rows == columns
        off = "off the diagonal, as where a sum over an axis lacks keepdims and is repeated along "
        yield off + "the other", rows != columns
        yield "above the diagonal", rows < columns
        yield "below the diagonal", rows > columns
