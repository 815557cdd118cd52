"""Numerical derivatives along a direction, each with an estimate of its own error.

A derivative along u is taken from values φ(h) = F(x + h·u) on a ladder of steps
h = 2⁻ᵏ.  Two combinations of them have expansions in odd powers of h, so that
Richardson's extrapolation (L. F. Richardson, "The approximate arithmetical
solution by finite differences", Phil. Trans. R. Soc. A 210, 1911) takes them to h = 0:

    [φ(h) - φ(-h)] / 2h           →  the derivative              (expansion in h²)
    [φ(h) - 2φ(0) + φ(-h)] / h    →  the jump of the slope at x  (expansion in h, h³, …)

A smooth function has no jump, so the second limit tells kinks from smooth
points.  Two successive extrapolations disagree by about the error of the
coarser one; that is the error estimate (C. J. F. Ridders, "Accurate
computation of F'(x) and F'(x)F''(x)", Adv. Eng. Software 4, 1982).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from autograd_lite.checking.layout import Vector

__all__ = ["BLOCK", "FIRST_LEVEL", "Ladder", "Limit", "complex_step"]

FIRST_LEVEL = 5
"""The coarsest step is 2⁻⁵ of the scale of each input, unless the function asks for another."""

BLOCK = 4
"""Successive levels that make an estimate: two extrapolations, which check each other."""

AMPLIFICATION = 2.0
"""How much Richardson's weights enlarge rounding errors of the values, rounded up."""


@dataclass(frozen=True)
class Limit:
    """A quantity taken to h = 0, its error, and the part of it that is rounding."""

    value: Vector
    error: Vector
    rounding: Vector


@dataclass(eq=False)
class Ladder:
    """Values of a function along ±u on a ladder of steps, measured when asked for.

    ``function(x)`` returns an array; everything here works on each of its
    elements.  ``noise`` is the rounding error to expect in them.
    """

    function: Callable[[Vector], Vector]
    x: Vector
    direction: Vector
    base: Vector
    noise: Vector
    samples: dict[int, tuple[Vector, Vector]] = field(default_factory=dict)
    limits: dict[tuple[Quantity, int], Limit] = field(default_factory=dict)

    def sample(self, level: int) -> tuple[Vector, Vector]:
        """φ(h) and φ(-h) at h = 2^-level."""
        if level not in self.samples:
            step = 2.0**-level * self.direction
            with np.errstate(all="ignore"):
                self.samples[level] = (self.function(self.x + step), self.function(self.x - step))
        return self.samples[level]

    def central(self, level: int) -> Vector:
        plus, minus = self.sample(level)
        with np.errstate(all="ignore"):
            return (plus - minus) * 2.0 ** (level - 1)

    def bend(self, level: int) -> Vector:
        """The difference of the two one-sided slopes."""
        plus, minus = self.sample(level)
        with np.errstate(all="ignore"):
            return ((plus - self.base) - (self.base - minus)) * 2.0**level

    def gap(self, level: int) -> Vector:
        """The difference of the two values, which vanishes with h unless there is a jump."""
        plus, minus = self.sample(level)
        with np.errstate(all="ignore"):
            return plus - minus

    def rounding(self, level: int) -> Vector:
        """What rounding alone can do to a difference quotient at this step."""
        return AMPLIFICATION * self.noise * 2.0**level

    @property
    def constant(self) -> bool:
        """Whether all values are the same to the last bit."""
        return all(
            np.array_equal(value, self.base) for pair in self.samples.values() for value in pair
        )

    def derivative(self, level: int) -> Limit:
        """The derivative from the block of levels that begins here."""
        return self._limit(Ladder.central, level, (4.0, 16.0), 0)

    def slope_jump(self, level: int) -> Limit:
        """By how much the slope to the right exceeds that to the left."""
        return self._limit(Ladder.bend, level, (2.0, 8.0), 0)

    def value_jump(self, level: int) -> Limit:
        """By how much the value just right of x exceeds that just left."""
        return self._limit(Ladder.gap, level, (2.0, 8.0), level + BLOCK - 1)

    def _limit(
        self, quantity: Quantity, level: int, factors: tuple[float, ...], unscaled: int
    ) -> Limit:
        """Richardson's table of one block of levels; ``factors`` are the powers it removes."""
        if (quantity, level) in self.limits:
            return self.limits[quantity, level]
        column = [quantity(self, level + i) for i in range(BLOCK)]
        with np.errstate(all="ignore"):
            for factor in factors:
                column = [
                    (factor * fine - coarse) / (factor - 1) for coarse, fine in pairwise(column)
                ]
            coarse, fine = column
            rounding = self.rounding(level + BLOCK - 1 - unscaled)
            error = np.abs(fine - coarse) + rounding
        limit = Limit(fine, np.where(np.isfinite(error), error, np.inf), rounding)
        return self.limits.setdefault((quantity, level), limit)


Quantity = Callable[[Ladder, int], Vector]

COMPLEX_STEPS = (2.0**-200, 1.37 * 2.0**-200, 1.73 * 2.0**-200)
"""Far below any rounding; three of them, as they round differently."""


def complex_step(
    function: Callable[[Any], Any], x: Vector, direction: Vector
) -> tuple[Vector, Vector]:
    """The derivative along a direction by one step into the complex plane.

    Im F(x + ih·u) / h is F'(x)·u up to terms in h², without any difference of
    close numbers, if F is analytic (W. Squire, G. Trapp, "Using complex
    variables to estimate derivatives of real functions", SIAM Review 40, 1998).
    Returns it with its rounding error, by which steps of different size differ.
    """
    with np.errstate(all="ignore"):
        results = np.stack(
            [np.imag(function(x + 1j * (size * direction))) / size for size in COMPLEX_STEPS]
        )
    rounding = np.ptp(results, axis=0) + 2.0**-50 * np.abs(results[0])
    return results[0], rounding
