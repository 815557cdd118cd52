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

The noise of the values is measured: among values close to each other, what a
parabola leaves over is nothing else (after J. J. Moré, S. M. Wild, "Estimating
computational noise", SIAM J. Sci. Comput. 33, 2011, who take differences of high order; at
places that are not evenly spaced, as values rounded to digits would look smooth there).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, wraps
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from autograd_lite.checking.directions import farthest_level
from autograd_lite.checking.layout import Vector

__all__ = [
    "ALIKE",
    "AMPLIFICATION",
    "BLOCK",
    "DEEPEST",
    "DOUBTFUL",
    "FIRST_LEVEL",
    "NEAR",
    "NEAREST",
    "TO_THE_SIDE",
    "Ladder",
    "Limit",
    "measured_noise",
]

FIRST_LEVEL = 5
"""The coarsest step is 2⁻⁵ of the scale of each input, unless the function asks for another."""

BLOCK = 4
"""Successive levels that make an estimate: two extrapolations, which check each other."""

AMPLIFICATION = 2.0
"""How much Richardson's weights enlarge rounding errors of the values, rounded up."""

TO_THE_SIDE = 6
"""Noise is measured 2⁻⁶ beside x: at x itself terms may cancel together with their noise."""

NEAR, NEAREST, APART = 20, 40, 12
"""Distances of the values whose differences are noise, as powers of ½: nearest where the
function itself may be seen in them, apart where they are all the same."""

NEIGHBOURS = 6

DOUBTFUL = 1e3
"""So many rounding errors are more than computing makes as a rule; then it may not be noise."""

ALIKE = 5.0
"""Estimates of one noise differ by less than this factor."""

SMOOTHER = 16.0
"""When an interval is halved three times, a parabola bends 64 times less, noise hardly."""

DEEPEST = 48
"""Intervals are cut so often at most."""

ASIDE = 0.41
"""Intervals are cut beside their middle: seen at even distances, stairs are straight."""

ROUNDING = 2.0**-53
"""What rounding changes a float by, at most, relative to it."""

MOSTLY = 2.0**-10
"""Values with more noise than this part of the largest are noise themselves."""

STILL = 30
"""A result that is the same at these steps does not show what becomes of it."""

HARDLY = 1e3
"""A result this far below what it is made of does not tell of its rounding errors."""

ROUGHLY = 10.0
"""Slopes that differ by so many rounding errors of a difference differ."""

UNSETTLED = 0.1
"""A slope to one side that is known to no more than this part of itself tells nothing."""

WIDE = 8
"""Over so many halvings of the step whatever is not noise shrinks visibly."""


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


Found = TypeVar("Found")


def remembered(method: Callable[..., Found]) -> Callable[..., Found]:
    """What follows from the values of a ladder: computed again only when there are others."""

    @wraps(method)
    def recalled(ladder: Ladder, *args: Any) -> Found:
        key = (method, *args)
        if key not in ladder.known:
            ladder.known[key] = method(ladder, *args)
        found: Found = ladder.known[key]
        return found

    return recalled


@dataclass(eq=False)
class Ladder:
    """Values of a function along ±u on a ladder of steps, measured when asked for.

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
    limits: dict[tuple[Quantity, int], Limit] = field(default_factory=dict)

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
        self.limits.clear()
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
        with np.errstate(over="ignore", invalid="ignore"):
            misplaced: Vector = ROUNDING * self.longest * steepest
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
            finest = np.array([self.samples[level] for level in levels[-BLOCK:]])
            noise = np.fmax(noise, np.max(np.ptp(finest, axis=0), axis=0))
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

    def jumps(self, level: int, row: int) -> Vector:
        """How far the values jump within a step, found by bisection; zero where none is seen."""

        def value(step: float) -> Vector:
            with np.errstate(all="ignore"):
                there = self.function(self.x + step * self.direction)
            return np.where(np.isfinite(there), there, self.base)

        return descend(value, 2.0**-level, row, self.noise_at(level))[0]

    def is_rough(self, level: int) -> npt.NDArray[np.bool_]:
        """Whether slopes to the sides grow the more, the finer the steps of a block are.

        So they do about a place nearer than these steps where the slope is infinite, or has no
        end: of sqrt and log beside 0, or of a pole.
        """
        rough, known = np.ones(self.base.shape, np.bool_), np.zeros(self.base.shape, np.bool_)
        seen = ROUGHLY * np.ldexp(self.noise_at(level), level + BLOCK - 1)
        with np.errstate(all="ignore"):
            for side in (self.right, self.left):
                changes = np.diff([side(level + place) for place in range(BLOCK)], axis=0)
                is_finite = np.all(np.isfinite(changes), axis=0)
                grows = np.all(np.diff(np.abs(changes), axis=0) > 0, axis=0)
                grows &= np.abs(np.sum(np.sign(changes), axis=0)) == BLOCK - 1
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
        column = [quantity(self, level + i) for i in range(BLOCK)]
        finest = level + BLOCK - 1
        with np.errstate(all="ignore"):
            for factor in factors:
                column = [
                    (factor * fine - coarse) / (factor - 1) for coarse, fine in pairwise(column)
                ]
            coarse, fine = column
            rounding = AMPLIFICATION * np.ldexp(self.noise_at(level), finest - unscaled)
            error = np.abs(fine - coarse) + rounding
        limit = Limit(fine, np.where(np.isfinite(error), error, np.inf), rounding)
        return self.limits.setdefault((quantity, level), limit)


Quantity = Callable[[Ladder, int], Vector]


def slope_of(rise: Vector, level: int) -> Vector:
    """A difference over the step of a level."""
    slope: Vector = np.ldexp(rise, level)
    return slope


def measured_noise(ladder: Ladder, rng: np.random.Generator, level: int = TO_THE_SIDE) -> Vector:
    """The noise of the values beside x, at the step of a level; zero where none is seen.

    Where there is more of it than rounding makes it may be no noise: fine features of the
    function itself. Then ``smooth_from`` of the ladder is set to the level below which they show.
    """
    sides = zip(ladder.sample(level), (1.0, -1.0), strict=True)
    start, first = next(
        ((side * 2.0**-level, value) for value, side in sides if np.all(np.isfinite(value))),
        (0.0, ladder.base),
    )
    unit = 2.0 ** max(TO_THE_SIDE - level, 0)

    def at(step: float) -> Vector:
        with np.errstate(all="ignore"):
            value = ladder.function(ladder.x + (start + step * unit) * ladder.direction)
        return np.where(np.isfinite(value), value, first)

    def between(spacing: int) -> Vector:
        """The noise in values at about this distance from each other."""
        places = np.arange(1, NEIGHBOURS) + rng.uniform(-0.4, 0.4, NEIGHBOURS - 1)
        values = np.stack([first, *(at(place * 2.0**-spacing) for place in places)])
        return left_by_parabola(np.array([0.0, *places]), values)

    noise = between(NEAR)
    if not np.any(noise):
        return noise if np.array_equal(first, ladder.base) else between(APART)
    can_tell = level == TO_THE_SIDE and ladder.remaining() > 4 * DEEPEST
    is_doubtful = can_tell and bool(np.any(noise > DOUBTFUL * ladder.noise))
    if is_doubtful and not np.all(between(NEAREST) >= noise / ALIKE):
        with np.errstate(over="ignore"):
            row = int(np.argmax(noise / ladder.noise))
        jumps, smooth_from = descend(at, 2.0**-NEAR, row, ladder.noise)
        if smooth_from is not None:
            ladder.smooth_from = None if smooth_from == NEAR else smooth_from
            noise = jumps
    return noise


def descend(
    value: Callable[[float], Vector], width: float, row: int, rounding: Vector
) -> tuple[Vector, int | None]:
    """How far the values jump, and the level of the finest features of the function, if any.

    Half an interval after the other, the one in which the function is less straight: what
    is smooth straightens out, a jump stays as large as it is.
    """
    ends, values = (0.0, width), [value(0.0), value(ASIDE * width), value(width)]
    bends = [bend_of(values)]
    followed = [float(bends[0][row])]
    level = coarsest = round(-math.log2(width))
    while level < NEAREST and len(bends) < DEEPEST and followed[-1] > 16 * rounding[row]:
        middle = ends[0] + ASIDE * (ends[1] - ends[0])
        if middle in ends:
            break
        halves = []
        for start, stop, outer in ((ends[0], middle, values[:2]), (middle, ends[1], values[1:])):
            between = value(start + ASIDE * (stop - start))
            halves.append(((start, stop), [outer[0], between, outer[1]]))
        ends, values = max(halves, key=lambda half: bend_of(half[1])[row])
        bends.append(bend_of(values))
        followed.append(float(bends[-1][row]))
        level = math.floor(-math.log2(ends[1] - ends[0]))
    is_smooth = followed[-1] <= 16 * rounding[row]
    finest = np.zeros_like(rounding) if is_smooth else np.median(bends[-3:], axis=0)
    for place in range(len(followed) - 3):
        if max(followed[place + 3 :]) < followed[place] / SMOOTHER:
            return finest, coarsest + place
    return finest, None


def bend_of(values: Sequence[Vector]) -> Vector:
    """How far the second of three values is from the straight line between the others."""
    bend: Vector = np.abs(values[1] - values[0] - ASIDE * (values[2] - values[0]))
    return bend


def left_by_parabola(places: Vector, values: Vector) -> Vector:
    """The standard deviation of values from a parabola, for each column."""
    values = values - values[0]
    unit = np.max(np.abs(values), axis=0)
    unit[unit == 0] = 1.0
    basis, _ = np.linalg.qr(np.vander(places / NEIGHBOURS, 3))
    scaled = values / unit
    rest = scaled - basis @ (basis.T @ scaled)
    spread: Vector = unit * np.linalg.norm(rest, axis=0) / np.sqrt(len(places) - 3)
    # What the subtraction itself leaves is no noise of the values.
    return np.where(spread > 2.0**-50 * unit, spread, 0.0)
