"""Random directions and cotangents, scaled so that every entry has its say.

Every component is drawn from ±[½, 1]: with both signs, so that no sum of
gradients can pass for the gradient; of varying size, so that no two entries
can be exchanged; and away from zero, so that none is omitted.

Results may be of any size, from the smallest subnormal number to the largest, so
that they are counted in powers of two, each in its own; see `Cotangents`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd_lite.checking.layout import Layout, Vector

__all__ = [
    "Cotangents",
    "cotangents",
    "doublings",
    "equalized",
    "exponent_of",
    "farthest_level",
    "floor_scale",
    "kept_from_zero",
    "own_scale",
    "scaled_product",
    "signs",
]

Exponents = npt.NDArray[np.intp]

FLOOR = 0.1
"""Entries below this part of their array's typical size may be moved by that much."""

RANGE = 1e-8
"""Results below this part of their array's typical size are not weighed any higher."""

SMALLEST = 2.0**-1000
"""No entry is moved by less, as the finest steps are a small part of it."""

UNIT = 1.0
"""Functions have a scale of their own, as cosines do; entries are moved so far at most, or by
twice their size where that is more."""

MOST_DOUBLINGS = 500


def signs(count: int, rng: np.random.Generator) -> Vector:
    """Random numbers in ±[½, 1]."""
    drawn: Vector = rng.uniform(0.5, 1.0, count) * rng.choice(np.array([-1.0, 1.0]), count)
    return drawn


def typical(values: Vector) -> float:
    """The root mean square of what is not zero, and 1 where all is."""
    largest = float(np.max(np.abs(values), initial=0.0))
    if largest == 0 or not np.isfinite(largest):
        return 1.0
    scaled = values[values != 0] / largest
    return largest * float(np.sqrt(np.mean(scaled * scaled)))


def own_scale(layout: Layout, x: Vector) -> Vector:
    """The size of each entry; for a zero the typical size in its array."""
    scale = np.abs(x)
    for leaf in layout.leaves:
        part = scale[leaf.place]
        part[part == 0] = typical(part)
    return np.maximum(scale, SMALLEST)


def floor_scale(layout: Layout, x: Vector, floor: float = FLOOR) -> Vector:
    """The size of each entry, but for tiny ones a part of the typical size in its array."""
    scale = np.abs(x)
    for leaf in layout.leaves:
        part = scale[leaf.place]
        np.maximum(part, floor * typical(part), out=part)
    return np.maximum(scale, SMALLEST)


def kept_from_zero(x: Vector, direction: Vector) -> Vector:
    """A direction that carries no entry across zero."""
    return np.where(
        x == 0, direction, np.sign(direction) * np.minimum(np.abs(direction), np.abs(x))
    )


def farthest_level(x: Vector, direction: Vector) -> int:
    """The coarsest steps that make sense: entries are moved by twice their size, or to a unit."""
    moved = direction != 0
    reach = np.frexp(2 * np.maximum(np.abs(x[moved]), UNIT))[1]
    ratio = np.frexp(np.abs(direction[moved]))[1] - reach
    return int(np.max(ratio, initial=-2000))


def equalized(
    scale: Vector, contributions: Vector, least: float
) -> tuple[Vector, npt.NDArray[np.bool_]]:
    """Shorten a scale where the contributions are large, until all above ``least`` are alike.

    Returns it and which entries contribute no more than that.
    """
    weak = contributions <= least
    target = float(np.min(contributions[~weak], initial=np.inf))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        shorter = np.where(contributions > target, scale * (target / contributions), scale)
    return shorter, weak


def exponent_of(numbers: Vector) -> int:
    """The power of two above the largest; 0 where all are zero or not finite."""
    finite = np.abs(numbers[np.isfinite(numbers)])
    largest = float(np.max(finite, initial=0.0))
    return math.frexp(largest)[1]


def doublings(a: Vector, b: Vector) -> Vector:
    """log₂ |a/b|, without overflow on the way; -∞ where a is zero."""
    (m, e), (n, f) = np.frexp(a), np.frexp(b)
    with np.errstate(divide="ignore"):
        logarithm: Vector = np.log2(np.abs(m / n)) + (e - f)
    return logarithm


def scaled_product(a: Vector, b: Vector, exponent: Any) -> Vector:
    """a·b·2^-exponent, without overflow on the way."""
    (m, e), (n, f) = np.frexp(a), np.frexp(b)
    with np.errstate(over="ignore", under="ignore"):
        product: Vector = np.ldexp(m * n, e + f - exponent)
    return product


@dataclass(frozen=True)
class Cotangents:
    """Rows v, and ⟨v, F⟩ in units of the power of two that suits each.

    Attributes
    ----------
    rows : (k, m)
        What the code under test is given.
    exponents : (k,)
        ⟨v, F⟩ is about 2^exponent.
    """

    rows: Vector
    exponents: Exponents

    def apply(self, values: Vector) -> Vector:
        """⟨v, F⟩·2^-exponent for each row."""
        with np.errstate(invalid="ignore", over="ignore"):
            if np.all(np.abs(self.exponents) < MOST_DOUBLINGS):
                total: Vector = np.ldexp(self.rows @ values, -self.exponents)
            else:
                total = np.sum(self.products(values), axis=1)
        return total

    def products(self, values: Vector) -> Vector:
        """The terms of these sums."""
        return scaled_product(self.rows, values, self.exponents[:, np.newaxis])


def cotangents(layout: Layout, value: Vector, rng: np.random.Generator) -> Cotangents:
    """Rows v of ±[½, 1]; of several results the second row weighs each by its own size."""
    first = signs(layout.size, rng)
    largest = exponent_of(value)
    if layout.size == 1:
        return Cotangents(first[np.newaxis], np.array([largest]))
    scale = floor_scale(layout, value, RANGE)
    own = np.minimum(largest - np.frexp(scale)[1], MOST_DOUBLINGS)
    second = np.ldexp(signs(layout.size, rng), own)
    return Cotangents(np.stack([first, second]), np.array([largest, largest]))
