"""Parts of an input in which a derivative may be wrong while it is right elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_lite.checking.layout import Leaf, Vector
from autograd_lite.checking.subjects import Subject

__all__ = ["regions"]


def regions(subject: Subject, leaf: Leaf) -> Iterator[tuple[str, Any]]:
    """Descriptions that follow "right except where", and the entries that they mean."""
    if leaf.is_complex:
        return
    x = leaf.cut(subject.x)
    for description, inside in (*_by_value(leaf.name, x), *_by_place(x)):
        yield description, np.ravel(inside)
    for other in subject.inputs.leaves:
        if other is not leaf and other.shape == leaf.shape and not other.is_complex:
            for description, inside in _by_value(other.name, other.cut(subject.x)):
                yield description, np.ravel(inside)
    output = subject.outputs.leaves[0]
    if output.shape == leaf.shape and leaf.shape and not output.is_complex:
        for description, inside in _by_value("the result", output.cut(subject.value)):
            yield description, np.ravel(inside)


def _by_value(name: str, x: Vector) -> Iterator[tuple[str, Any]]:
    yield f"{name} is zero", x == 0
    yield f"{name} is negative", x < 0
    yield f"{name} is positive", x > 0
    yield f"{name} is negative or zero", x <= 0
    yield f"{name} is positive or zero", x >= 0
    yield f"the magnitude of {name} is above 1", np.abs(x) > 1
    yield f"the magnitude of {name} is below 1", np.abs(x) < 1
    _, places, counts = np.unique(x, return_inverse=True, return_counts=True)
    yield f"entries of {name} are tied", np.reshape(counts[places] > 1, np.shape(x))


def _by_place(x: Vector) -> Iterator[tuple[str, Any]]:
    for axis, length in enumerate(np.shape(x)):
        index = np.reshape(np.arange(length), [-1 if a == axis else 1 for a in range(np.ndim(x))])
        place = np.broadcast_to(index, np.shape(x))
        if length > 2:
            yield f"the index of axis {axis} is first", place == 0
            yield f"the index of axis {axis} is last", place == length - 1
            yield f"the index of axis {axis} is odd", place % 2 == 1
            yield f"the index of axis {axis} is even", place % 2 == 0
    if np.ndim(x) == 2:
        rows, columns = np.indices(np.shape(x))
        yield "on the diagonal", rows == columns
        yield "off the diagonal", rows != columns
        yield "above the diagonal", rows < columns
        yield "below the diagonal", rows > columns
