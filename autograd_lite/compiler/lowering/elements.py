"""Elements: what one number of a result is, by its index, as Numba reads it.

Functions that only move elements about (transposes, slices, broadcasts) are another way to
write an index; those that compute element by element are formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.compiler.ir import Constant, Operand, Operation
from autograd_lite.core.primitive import Primitive
from autograd_lite.ops import indexing, shaping

__all__ = ["Index", "broadcast_index", "moves_elements", "source_index", "taken_back"]

Index = tuple[str, ...]
"""How each position is written."""

Move = Callable[[Operation, Index], Index | None]

MOVES: dict[Primitive, Move] = {}
"""From the index of a result to that of the operand; None where it is not known."""


def moves_elements(operation: Operation) -> bool:
    """Whether an operation only moves elements, in a way that can be written as an index."""
    if operation.primitive not in MOVES or not operation.type.is_array:
        return False
    names = tuple(f"i{axis}" for axis in range(len(operation.type.shape)))
    return source_index(operation, names) is not None


def source_index(operation: Operation, index: Index) -> Index | None:
    """Where in its operand an element of the result comes from."""
    return MOVES[operation.primitive](operation, index)


def moves(*primitives: Primitive) -> Callable[[Move], Move]:
    def enter(move: Move) -> Move:
        MOVES.update(dict.fromkeys(primitives, move))
        return move

    return enter


@moves(shaping.identity, shaping.recompute)
def same(operation: Operation, index: Index) -> Index:
    return index


@moves(shaping.expand_dims, shaping.squeeze, shaping.reshape, shaping.ravel)
def without_ones(operation: Operation, index: Index) -> Index | None:
    """Axes of length 1 come and go; another change of shape is not known."""
    given, found = operation.operands[0].type.shape, operation.type.shape
    if [n for n in given if n != 1] != [n for n in found if n != 1]:
        return None
    left = iter([i for i, n in zip(index, found, strict=True) if n != 1])
    return tuple("0" if n == 1 else next(left) for n in given)


@moves(shaping.swapaxes)
def swapped(operation: Operation, index: Index) -> Index:
    order = list(index)
    i, j = (operation.parameters[name] for name in ("axis1", "axis2"))
    order[i], order[j] = order[j], order[i]
    return tuple(order)


@moves(shaping.transpose)
def transposed(operation: Operation, index: Index) -> Index:
    axes = operation.parameters.get("axes")
    count = len(index)
    axes = range(count)[::-1] if axes is None else [int(a) % count for a in axes]
    places = {axis: place for place, axis in enumerate(axes)}
    return tuple(index[places[axis]] for axis in range(count))


@moves(shaping.broadcast_to)
def narrowed(operation: Operation, index: Index) -> Index:
    return broadcast_index(operation.operands[0].type.shape, index)


def broadcast_index(shape: tuple[int, ...], index: Index) -> Index:
    """The index into an array of this shape that broadcasts to where the other index is."""
    own = index[len(index) - len(shape) :] if shape else ()
    return tuple("0" if n == 1 else i for n, i in zip(shape, own, strict=True))


@moves(indexing.getitem)
def taken(operation: Operation, index: Index) -> Index | None:
    parts = basic_parts(operation.operands[1:], operation.operands[0].type.shape)
    if parts is None:
        return None
    left = iter(index)
    found = []
    for part in parts:
        if part is None:
            next(left)
        elif isinstance(part, int):
            found.append(str(part))
        else:
            start, step = part
            i = next(left)
            found.append(i if (start, step) == (0, 1) else f"({start} + {step} * {i})")
    return tuple(found)


def basic_parts(parts: tuple[Operand, ...], shape: tuple[int, ...]) -> list[Any] | None:
    """An index of fixed positions and slices, a part for each axis: a number, or start and step.

    None in the list is a new axis; None instead of it an index of another kind.
    """
    values: list[Any] = []
    for part in parts:
        if not isinstance(part, Constant):
            return None
        value = part.value
        if not (value is None or value is Ellipsis or isinstance(value, slice | int | np.integer)):
            return None
        if isinstance(value, bool):
            return None
        values.append(value)
    used = sum(value is not None and value is not Ellipsis for value in values)
    rest = [slice(None)] * (len(shape) - used)
    if any(value is Ellipsis for value in values):
        place = next(i for i, value in enumerate(values) if value is Ellipsis)
        values[place : place + 1] = rest
    else:
        values += rest
    lengths = iter(shape)
    found: list[Any] = []
    for value in values:
        if value is None:
            found.append(None)
        elif isinstance(value, slice):
            start, _, step = value.indices(next(lengths))
            found.append((start, step))
        else:
            found.append(int(value) % next(lengths))
    return found


def taken_back(operation: Operation, index: Index) -> tuple[list[str], Index] | None:
    """Of zeros with numbers put in: the conditions under which an element is one, and which.

    None where the place is not fixed, or is said by steps.
    """
    parts = basic_parts(operation.operands[1:], operation.type.shape)
    if parts is None or any(isinstance(part, tuple) and abs(part[1]) != 1 for part in parts):
        return None
    ends = iter(operation.operands[0].type.shape)
    left = iter(index)
    conditions, found = [], []
    for part in parts:
        if part is None:
            next(ends)
            found.append("0")
            continue
        i = next(left)
        if isinstance(part, int):
            conditions.append(f"{i} == {part}")
        else:
            (start, step), length = part, next(ends)
            first = start if step == 1 else start - length + 1
            conditions.append(f"{first} <= {i} < {first + length}")
            found.append(f"{i} - {start}" if step == 1 else f"{start} - {i}")
    return conditions, tuple(found)
