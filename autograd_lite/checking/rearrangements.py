"""Ways in which entries get to wrong places: transposed, reversed, shifted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from autograd_lite.checking.layout import Leaf, Vector

__all__ = ["one_slice", "rearranged_rows", "rearrangements"]

Change = Callable[[Vector], Vector]


def rearrangements(leaf: Leaf) -> Iterator[tuple[str, str, Change]]:
    """Kind, description, and how to undo it on rows of flat gradients of this leaf."""
    if leaf.is_complex:
        return
    shape = leaf.shape
    if len(shape) >= 2 and min(shape) > 1:
        if len(set(shape)) == 1:
            yield "transposed", "transposed", _on_arrays(shape, _transpose)
        yield "transposed", "transposed (its entries in the other order)", _reordered(shape)
    for axis, length in enumerate(shape):
        if length > 1:
            yield (
                "permuted",
                f"reversed along axis {axis}",
                _on_arrays(shape, partial(np.flip, axis=axis + 1)),
            )
        if length > 2:
            for by in (1, -1):
                for shift in (np.roll, _pushed):
                    yield (
                        "off by one",
                        f"shifted by one along axis {axis}: off by one",
                        _on_arrays(shape, partial(shift, shift=by, axis=axis + 1)),
                    )


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


def _on_arrays(shape: tuple[int, ...], change: Change) -> Change:
    def changed(rows: Vector) -> Vector:
        return np.reshape(change(np.reshape(rows, (len(rows), *shape))), (len(rows), -1))

    return changed


def _transpose(g: Any) -> Any:
    return np.transpose(g, (0, *range(g.ndim - 1, 0, -1)))


def _reordered(shape: tuple[int, ...]) -> Change:
    """Read as an array of the reversed shape, then transposed."""
    return _on_arrays(shape[::-1], _transpose)


def _pushed(g: Any, shift: int, axis: int) -> Any:
    """Shifted, with zero for what comes in."""
    moved = np.roll(g, shift, axis)
    moved[(slice(None),) * axis + (0 if shift > 0 else -1,)] = 0
    return moved
