"""Random directions and cotangents, scaled so that every entry has its say.

Every component is drawn from ±[½, 1]: with both signs, so that no sum of
gradients can pass for the gradient; of varying size, so that no two entries
can be exchanged; and away from zero, so that none is omitted.
"""

from __future__ import annotations

import math

import numpy as np

from autograd_lite.checking.layout import NOTHING, Layout, Vector

__all__ = ["cotangents", "directions", "equalize", "levels_to_stay_near", "own_scale", "signs"]

FLOOR = 0.1
"""Entries below this part of their array's typical size may be moved by that much."""

RANGE = 1e-8
"""Results below this part of their array's typical size are not weighed any higher."""

ALIKE = 1e-3
"""A contribution above this part of the largest cannot hide a mistake."""

MOST_HALVINGS = 16


def signs(count: int, rng: np.random.Generator) -> Vector:
    """Random numbers in ±[½, 1]."""
    drawn: Vector = rng.uniform(0.5, 1.0, count) * rng.choice(np.array([-1.0, 1.0]), count)
    return drawn


def typical(values: Vector) -> float:
    """The root mean square of what is not zero, and 1 where all is (or close to underflow)."""
    largest = float(np.max(np.abs(values), initial=0.0))
    if largest < NOTHING or not np.isfinite(largest):
        return 1.0
    scaled = values[values != 0] / largest
    return largest * float(np.sqrt(np.mean(scaled * scaled)))


def own_scale(layout: Layout, x: Vector) -> Vector:
    """The size of each entry; for a zero the typical size in its array."""
    scale = np.abs(x)
    for leaf in layout.leaves:
        part = scale[leaf.place]
        part[part == 0] = typical(part)
    return scale


def floor_scale(layout: Layout, x: Vector, floor: float = FLOOR) -> Vector:
    """The size of each entry, but for tiny ones a part of the typical size in its array."""
    scale = np.abs(x)
    for leaf in layout.leaves:
        part = scale[leaf.place]
        np.maximum(part, floor * typical(part), out=part)
    return scale


def directions(layout: Layout, x: Vector, rng: np.random.Generator) -> list[Vector]:
    """Two directions: one moves every entry by its own measure, one moves tiny entries more."""
    return [own_scale(layout, x) * signs(x.size, rng), floor_scale(layout, x) * signs(x.size, rng)]


def levels_to_stay_near(x: Vector, direction: Vector) -> int:
    """How often steps must be halved so that none carries an entry across zero."""
    moved = np.abs(direction[x != 0]) / np.abs(x[x != 0])
    farthest = float(np.max(moved, initial=1.0))
    return min(math.ceil(math.log2(farthest)), MOST_HALVINGS)


def equalize(direction: Vector, gradient: Vector) -> Vector | None:
    """Shorten a direction where the gradient is large, until all entries contribute alike.

    None if they already do, more or less.
    """
    contributions = np.abs(gradient * direction)
    present = contributions[contributions > 0]
    if not present.size or np.min(present) > ALIKE * np.max(present):
        return None
    target = float(np.min(present))
    with np.errstate(divide="ignore", over="ignore"):
        return direction * np.where(contributions > target, target / contributions, 1.0)


def cotangents(layout: Layout, value: Vector, rng: np.random.Generator) -> Vector:
    """Rows v of ±[½, 1]; of several results the second row weighs each by its own size."""
    first = signs(layout.size, rng)
    if layout.size == 1:
        return first[np.newaxis]
    return np.stack([first, signs(layout.size, rng) / floor_scale(layout, value, RANGE)])
