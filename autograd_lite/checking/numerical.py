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
computation of F'(x) and F'(x)F''(x)", Adv. Eng. Software 4, 1982).  What is not
finite on one side of x, or raises there, is differentiated from the other side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from autograd_lite.checking.layout import Vector
from autograd_lite.checking.noise import descend
from autograd_lite.checking.samples import BLOCK, Samples, remembered

__all__ = ["AMPLIFICATION", "Ladder", "Limit"]

AMPLIFICATION = 2.0
"""How much Richardson's weights enlarge rounding errors of the values, rounded up."""

ROUGHLY = 10.0
"""Slopes that differ by so many rounding errors of a difference differ."""

UNSETTLED = 0.1
"""A slope to one side that is known to no more than this part of itself tells nothing."""


@dataclass(frozen=True)
class Limit:
    """A quantity taken to h = 0, its error, and the part of it that is rounding."""

    value: Vector
    error: Vector
    rounding: Vector
    one_sided: bool = False

    @property
    def is_unsettled(self) -> npt.NDArray[np.bool_]:
        """Whether a slope to one side still changes, as it does close to a border."""
        size = np.abs(self.value)
        changes: npt.NDArray[np.bool_] = (self.error > UNSETTLED * size) & (
            size > 2 * self.rounding
        )
        return changes & self.one_sided


@dataclass(eq=False)
class Ladder(Samples):
    """What derivatives, and jumps of slopes and values, are estimated from values along ±u."""

    limits: dict[tuple[Quantity, int], Limit] = field(default_factory=dict)
    is_brief: bool = False
    """Whether one level less makes an estimate, as between kinks, where functions bend little."""

    def levels(self, level: int) -> range:
        """The levels from which the estimate of the block is made that begins with this one."""
        return range(level + self.is_brief, level + BLOCK)

    def allow(self, noise: Vector, far_noise: Vector | None = None) -> None:
        super().allow(noise, far_noise)
        self.limits.clear()

    def derivative(self, level: int) -> Limit:
        """The derivative from the block of levels that begins here."""
        central = self._limit(Ladder.central, level, (4.0, 16.0), 0)
        if np.all(np.isfinite(central.value)) or (Ladder.right, level) in self.limits:
            return central
        for side in (Ladder.right, Ladder.left):
            limit = self._limit(side, level, (2.0, 4.0), 0)
            if np.all(np.isfinite(limit.value)):
                return Limit(limit.value, limit.error, limit.rounding, one_sided=True)
        return central

    def brief(self, level: int) -> Limit:
        """The derivative from the three finest levels of a block only, for one entry of many."""
        coarse, middle, fine = (self.central(level + i) for i in range(1, BLOCK))
        with np.errstate(all="ignore"):
            first, second = (4 * middle - coarse) / 3, (4 * fine - middle) / 3
            value = (16 * second - first) / 15
            rounding = AMPLIFICATION * np.ldexp(self.noise_at(level + 1), level + BLOCK - 1)
            error = np.abs(value - second) + rounding
        if not np.all(np.isfinite(value)):
            return self.derivative(level)
        return Limit(value, error, rounding)

    def jumps(self, level: int, row: int) -> tuple[Vector, float]:
        """How far the values jump within a step, zero where none is seen, and at which step; found
        by bisection."""

        def value(step: float) -> Vector:
            with np.errstate(all="ignore"):
                there = self.function(self.x + step * self.direction)
            return np.where(np.isfinite(there), there, self.base)

        jumps, _, place = descend(value, 2.0**-level, row, self.noise_at(level))
        return jumps, place

    @remembered
    def is_rough(self, level: int) -> npt.NDArray[np.bool_]:
        """Whether slopes to the sides grow the more, the finer the steps of a block are.

        So they do about a place nearer than these steps where the slope is infinite, or has no
        end: of sqrt and log beside 0, or of a pole.
        """
        rough = self._is_rough(self.levels(level))
        if np.any(rough) and len(self.levels(level)) < BLOCK:
            rough = self._is_rough(range(level, level + BLOCK))
        return rough

    def _is_rough(self, levels: range) -> npt.NDArray[np.bool_]:
        rough, known = np.ones(self.base.shape, np.bool_), np.zeros(self.base.shape, np.bool_)
        seen = ROUGHLY * np.ldexp(self.noise_at(levels[0]), levels[-1])
        with np.errstate(all="ignore"):
            for side in (self.right, self.left):
                changes = np.diff([side(step) for step in levels], axis=0)
                is_finite = np.all(np.isfinite(changes), axis=0)
                grows = np.all(np.diff(np.abs(changes), axis=0) > 0, axis=0)
                grows &= np.abs(np.sum(np.sign(changes), axis=0)) == len(changes)
                rough &= ~is_finite | (grows & (np.abs(changes[-1]) > seen))
                known |= is_finite
        return rough & known

    def slope_jump(self, level: int) -> Limit:
        """By how much the slope to the right exceeds that to the left."""
        return self._limit(Ladder.bend, level, (2.0, 8.0), 0)

    def value_jump(self, level: int) -> Limit:
        """By how much the value just right of x exceeds that just left."""
        return self._limit(Ladder.gap, level, (2.0, 8.0), level + BLOCK - 1)

    def spike(self, level: int) -> Limit:
        """By how much the values on both sides miss that at x, were they all there is."""
        return self._limit(Ladder.middle, level, (4.0, 16.0), level + BLOCK - 1)

    def _limit(
        self, quantity: Quantity, level: int, factors: tuple[float, ...], unscaled: int
    ) -> Limit:
        """Richardson's table of one block of levels; ``factors`` are the powers it removes."""
        if (quantity, level) in self.limits:
            return self.limits[quantity, level]
        levels = self.levels(level)
        column = [quantity(self, step) for step in levels]
        with np.errstate(all="ignore"):
            for factor in factors:
                coarser = column
                column = [
                    (factor * fine - coarse) / (factor - 1) for coarse, fine in pairwise(column)
                ]
            rounding = AMPLIFICATION * np.ldexp(self.noise_at(levels[0]), levels[-1] - unscaled)
            coarse, fine = column if len(column) > 1 else coarser
            error = np.abs(fine - coarse) + rounding
        limit = Limit(column[-1], np.where(np.isfinite(error), error, np.inf), rounding)
        return self.limits.setdefault((quantity, level), limit)


Quantity = Callable[[Ladder, int], Vector]
