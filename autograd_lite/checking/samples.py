"""Values of a function on a line through x, at steps that are halved again and again.

What follows from them without any limit is here: differences and slopes, how much the function
varies, and the noise of its values, of which some is measured (see `noise`), some what computing
makes at least.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from autograd_lite.checking.directions import farthest_level
from autograd_lite.checking.layout import Vector

__all__ = ["BLOCK", "DOUBTFUL", "FIRST_LEVEL", "Samples", "remembered"]

FIRST_LEVEL = 5
"""The coarsest step is 2⁻⁵ of the scale of each input, unless the function asks for another."""

BLOCK = 4
"""Successive levels that make an estimate: two extrapolations, which check each other."""

ROUNDING = 2.0**-53
"""What rounding changes a float by, at most, relative to it."""

MOSTLY = 2.0**-10
"""Values with more noise than this part of the largest are noise themselves."""

STILL = 30
"""A result that is the same at these steps does not show what becomes of it."""

HARDLY = 1e3
"""A result this far below what it is made of does not tell of its rounding errors."""

DOUBTFUL = 1e3
"""So many rounding errors are more than computing makes as a rule; then it may not be noise."""

LESS = 10.0
"""Noise is so many times more in one place than in another, at most."""

WIDE = 8
"""Over so many halvings of the step whatever is not noise shrinks visibly."""

Found = TypeVar("Found")


def remembered(method: Callable[..., Found]) -> Callable[..., Found]:
    """What follows from the values on a line: computed again only when there are others."""

    @wraps(method)
    def recalled(samples: Samples, *args: Any) -> Found:
        key = (method, *args)
        if key not in samples.known:
            samples.known[key] = method(samples, *args)
        found: Found = samples.known[key]
        return found

    return recalled


@dataclass(eq=False)
class Samples:
    """Values of a function along ±u at steps 2⁻ᵏ, measured when asked for.

    ``function(x)`` returns an array; everything here works on each of its
    elements.  ``noise`` is that of the values near x, ``resolution`` the relative
    rounding error of any value.
    """

    function: Callable[[Vector], Vector]
    x: Vector
    direction: Vector
    base: Vector
    noise: Vector
    resolution: float
    far_noise: Vector | None = None
    """The noise of values that are as far away as the coarsest steps, where it was measured."""
    smooth_from: int | None = None
    """The level of the finest features of the function, where that has been asked."""
    remaining: Callable[[], int] = lambda: sys.maxsize
    """How many values may still be computed."""
    were_unchanged: Callable[[], npt.NDArray[np.bool_]] | None = None
    """Which results have been those at x, to the last bit, since that was last asked."""
    lost: Callable[[Vector], Vector] = lambda share: np.zeros(())
    """The noise of φ, if results have these multiples of what is lost beside inputs or a 1."""
    unchanged: dict[int, npt.NDArray[np.bool_]] = field(default_factory=dict)
    is_searched: bool = False
    """Whether jumps between its values have been looked for."""
    samples: dict[int, tuple[Vector, Vector]] = field(default_factory=dict)
    slopes: dict[int, Vector] = field(default_factory=dict)
    largest: dict[int, Vector] = field(default_factory=dict)
    known: dict[Any, Any] = field(default_factory=dict)
    """What was derived from these values and their noise; see `remembered`."""

    def sample(self, level: int) -> tuple[Vector, Vector]:
        """φ(h) and φ(-h) at h = 2^-level."""
        if level not in self.samples:
            step = np.ldexp(self.direction, -level)
            if self.were_unchanged is not None:
                self.were_unchanged()
            with np.errstate(all="ignore"):
                self.samples[level] = (self.function(self.x + step), self.function(self.x - step))
            if self.were_unchanged is not None:
                self.unchanged[level] = self.were_unchanged()
            self.known.clear()
        return self.samples[level]

    def allow(self, noise: Vector, far_noise: Vector | None = None) -> None:
        """Values have at least this noise, and that much far away, which changes every estimate."""
        self.noise = np.maximum(self.noise, noise)
        self.far_noise = self.far_noise if far_noise is None else far_noise
        self.known.clear()

    def central(self, level: int) -> Vector:
        plus, minus = self.sample(level)
        with np.errstate(all="ignore"):
            return np.ldexp(plus - minus, level - 1)

    def right(self, level: int) -> Vector:
        """The slope to the right."""
        with np.errstate(all="ignore"):
            return slope_of(self.sample(level)[0] - self.base, level)

    def left(self, level: int) -> Vector:
        """The slope to the left."""
        with np.errstate(all="ignore"):
            return slope_of(self.base - self.sample(level)[1], level)

    def bend(self, level: int) -> Vector:
        """The difference of the two one-sided slopes."""
        with np.errstate(all="ignore"):
            return self.right(level) - self.left(level)

    def gap(self, level: int) -> Vector:
        """The difference of the two values, which vanishes with h unless there is a jump."""
        plus, minus = self.sample(level)
        with np.errstate(all="ignore"):
            return plus - minus

    def middle(self, level: int) -> Vector:
        """How far the value half-way between the two is from that at x; it vanishes with h
        unless the steps pass over what makes the value at x."""
        plus, minus = self.sample(level)
        with np.errstate(all="ignore"):
            return plus / 2 + minus / 2 - self.base

    def noise_at(self, level: int) -> Vector:
        """The noise of the values at this step: what was measured, and no less than rounding."""
        self.sample(level)
        return self._noise_at(level)

    @remembered
    def _noise_at(self, level: int) -> Vector:
        noise: Vector = np.maximum(self.noise, self.resolution * self.size(level))
        noise = np.maximum(noise, np.maximum(self.lost_noise, self.misplaced(level)))
        if self.far_noise is None or level >= FIRST_LEVEL:
            return noise
        # It grows with the inputs, as they are carried away.
        share = np.ldexp(self.far_noise, min(max(min(self.samples) - level, -1000), 0))
        grown: Vector = np.maximum(noise, share)
        return grown

    def size(self, level: int) -> Vector:
        """The largest of the values at this step and at x."""
        if level not in self.largest:
            values = np.abs([self.base, *self.sample(level)])
            self.largest[level] = np.max(values, axis=0, where=np.isfinite(values), initial=0.0)
        return self.largest[level]

    def misplaced(self, level: int) -> Vector:
        """What rounding the inputs makes of the values, as steep as they are at these steps.

        It is x + h·u that is rounded, so that steps are longer or shorter than they should be.
        """
        steepest = self.steepness(level)
        for finer in range(level + 1, level + BLOCK):
            steepest = np.maximum(steepest, self.steepness(finer))
        return self.misplaced_by(steepest)

    def misplaced_by(self, slopes: Vector) -> Vector:
        """The same of given slopes."""
        with np.errstate(over="ignore", invalid="ignore"):
            misplaced: Vector = ROUNDING * self.longest * slopes
        return np.where(np.isfinite(misplaced), misplaced, 0.0)

    def steepness(self, level: int) -> Vector:
        """The slope between two values, where one is lacking that to the value at x; zero where
        none was measured."""
        if level not in self.samples:
            return np.zeros_like(self.base)
        if level not in self.slopes:
            slope = np.abs(self.central(level))
            one_sided = np.fmax(np.abs(self.right(level)), np.abs(self.left(level)))
            slope = np.where(np.isfinite(slope), slope, one_sided)
            self.slopes[level] = np.where(np.isfinite(slope), slope, 0.0)
        return self.slopes[level]

    @cached_property
    def longest(self) -> float:
        """How large inputs are in units of what they are moved by, at most."""
        moved = self.direction != 0
        with np.errstate(over="ignore"):
            return float(np.max(np.abs(self.x[moved] / self.direction[moved]), initial=0.0))

    @cached_property
    def farthest(self) -> int:
        """The level of the coarsest steps that make sense."""
        return farthest_level(self.x, self.direction)

    @property
    @remembered
    def constant(self) -> bool:
        """Whether all values are the same to the last bit."""
        return all(
            np.array_equal(value, self.base) for pair in self.samples.values() for value in pair
        )

    @property
    @remembered
    def lost_noise(self) -> Vector:
        """What is lost in elements that are the same to the last bit at the finest steps that
        count, where their own size does not tell of it; else zero."""
        finest = max((level for level in self.unchanged if level <= STILL), default=None)
        if finest is None or not np.any(self.unchanged[finest]):
            return np.zeros_like(self.base)
        lost = self.lost(self.unchanged[finest].astype(np.float64))
        is_still = np.all(self.samples[finest] == self.base, axis=0)
        return np.where(is_still & (lost > HARDLY * self.resolution * np.abs(self.base)), lost, 0.0)

    @property
    def still(self) -> npt.NDArray[np.bool_]:
        """Whether an element is like that."""
        still: npt.NDArray[np.bool_] = self.lost_noise > 0
        return still

    @property
    def still_results(self) -> npt.NDArray[np.bool_] | None:
        """Which results are the same to the last bit at the finest steps that count."""
        levels = [level for level in self.unchanged if level <= STILL]
        return self.unchanged[max(levels)] if levels else None

    @property
    @remembered
    def unseen(self) -> Vector:
        """How steep results can be that are the same at all steps from some on.

        They may have passed through numbers of the size of 1 or of the inputs, as the log of
        1 + exp(-x) has, and there what is smaller than a rounding error is lost.
        """
        levels = sorted((level for level in self.unchanged if level <= STILL), reverse=True)
        if not levels or not np.any(self.unchanged[levels[0]]):
            return np.zeros_like(self.base)
        still, steepest = self.unchanged[levels[0]], np.zeros(self.unchanged[levels[0]].shape)
        for level in levels:
            still = still & self.unchanged[level]
            steepest[still] = 2.0**level
        return self.lost(steepest)

    @property
    @remembered
    def flat(self) -> npt.NDArray[np.bool_]:
        """Whether nothing is seen in any value but noise, which does not grow with the step."""
        levels = sorted(self.samples)
        moved = np.abs([self.samples[level] - self.base for level in levels])
        moved = np.max(np.where(np.isfinite(moved), moved, 0.0), axis=1)
        noise = np.array([self.noise_at(level) for level in levels])
        if levels[-1] - levels[0] >= WIDE:
            finest = np.array([self.samples[level] for level in levels[1 - BLOCK :]])
            spread = np.max(np.ptp(finest, axis=0), axis=0)
            noise = np.fmax(noise, np.where(self.is_local(spread), 0.0, spread))
        flat: npt.NDArray[np.bool_] = np.all(moved <= 10 * noise, axis=0)
        return flat

    @property
    @remembered
    def nothing_but_noise(self) -> npt.NDArray[np.bool_]:
        """Whether values next to each other differ as much as those far away, and as all there is.

        So does sin at 1e17, and what cancels to rounding errors: no slope is seen in either.
        """
        values = np.abs([value for pair in self.samples.values() for value in pair])
        largest = np.max(np.where(np.isfinite(values), values, 0.0), axis=0)
        noise: npt.NDArray[np.bool_] = self.flat & (self.noise > MOSTLY * largest) & (largest > 0)
        return noise

    @property
    def stays(self) -> npt.NDArray[np.bool_]:
        """Whether values close by are that at x to the last bit, as between two steps."""
        if STILL not in self.samples and self.remaining() < 2:
            return np.zeros(self.base.shape, np.bool_)
        same: npt.NDArray[np.bool_] = np.all(np.array(self.sample(STILL)) == self.base, axis=0)
        return same

    @property
    def is_at_border(self) -> bool:
        """Whether the function is not defined at some of the steps."""
        return not all(np.isfinite(pair).all() for pair in self.samples.values())

    @property
    def is_doubtful(self) -> npt.NDArray[np.bool_]:
        """Whether there is more noise than computing makes as a rule; then it may be none."""
        usual = self.resolution * np.abs(self.base)
        doubtful: npt.NDArray[np.bool_] = self.noise > DOUBTFUL * usual
        return doubtful

    def is_local(self, noise: Vector) -> npt.NDArray[np.bool_]:
        """Whether the coarsest steps see far less of some noise: then it is the function that
        varies so much about x, as beside a pole, and steps pass it over."""
        levels = [level for level in self.samples if level < FIRST_LEVEL + BLOCK]
        levels = levels or sorted(self.samples)[: BLOCK - 1]
        values = np.concatenate([self.samples[level] for level in levels])
        values = np.where(np.isfinite(values), values, np.nan)
        with np.errstate(invalid="ignore"):
            spread = np.fmax.reduce(values) - np.fmin.reduce(values)
            is_less = LESS * spread < noise
        local: npt.NDArray[np.bool_] = is_less & ~np.all(values == self.base, axis=0)
        return local

    @remembered
    def variation(self, coarsest: int = -sys.maxsize, finest: int = sys.maxsize) -> Vector:
        """The steepest slope between x and any sample of these levels, where it is not noise."""
        steepest = np.zeros_like(self.base)
        for level, pair in self.samples.items():
            if not coarsest <= level <= finest:
                continue
            moved = np.fmax(np.abs(pair[0] - self.base), np.abs(pair[1] - self.base))
            seen = np.isfinite(moved) & (moved > 10 * self.noise)
            with np.errstate(over="ignore", invalid="ignore"):
                steepest = np.maximum(steepest, np.where(seen, np.ldexp(moved, level), 0.0))
        return steepest


def slope_of(rise: Vector, level: int) -> Vector:
    """A difference over the step of a level."""
    slope: Vector = np.ldexp(rise, level)
    return slope
