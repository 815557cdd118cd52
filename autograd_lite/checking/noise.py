"""The noise of values, measured: among values close to each other, what a parabola leaves over.

After J. J. Moré, S. M. Wild, "Estimating computational noise", SIAM J. Sci. Comput. 33, 2011, who
take differences of high order; here at places that are not evenly spaced, as values rounded to
digits would look smooth there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from autograd_lite.checking.layout import Vector
from autograd_lite.checking.samples import DOUBTFUL, Samples

__all__ = [
    "ALIKE",
    "DEEPEST",
    "NEAR",
    "NEAREST",
    "TO_THE_SIDE",
    "descend",
    "measured_noise",
]

TO_THE_SIDE = 6
"""Noise is measured 2⁻⁶ beside x: at x itself terms may cancel together with their noise."""

NEAR, NEAREST, APART = 20, 40, 12
"""Distances of the values whose differences are noise, as powers of ½: nearest where the
function itself may be seen in them, apart where they are all the same."""

CLOSEST = 46
"""The same where fine features are looked for; closer than this only a few floats are left."""

NEIGHBOURS = 6

ALIKE = 5.0
"""Estimates of one noise differ by less than this factor."""

SMOOTHER = 16.0
"""When an interval is halved three times, a parabola bends 64 times less, noise hardly."""

DEEPEST = 48
"""Intervals are cut so often at most."""

ASIDE = 0.41
"""Intervals are cut beside their middle: seen at even distances, stairs are straight."""


def measured_noise(samples: Samples, rng: np.random.Generator, level: int = TO_THE_SIDE) -> Vector:
    """The noise of the values beside x, at the step of a level; zero where none is seen.

    Where there is more of it than rounding makes it may be no noise: fine features of the
    function itself. Then ``smooth_from`` of the samples is set to the level below which they show.
    """
    sides = zip(samples.sample(level), (1.0, -1.0), strict=True)
    start, first = next(
        ((side * 2.0**-level, value) for value, side in sides if np.all(np.isfinite(value))),
        (0.0, samples.base),
    )
    unit = 2.0 ** max(TO_THE_SIDE - level, 0)

    def at(step: float) -> Vector:
        with np.errstate(all="ignore"):
            value = samples.function(samples.x + (start + step * unit) * samples.direction)
        return np.where(np.isfinite(value), value, first)

    def between(spacing: int) -> Vector:
        """The noise in values at about this distance from each other."""
        places = np.arange(1, NEIGHBOURS) + rng.uniform(-0.4, 0.4, NEIGHBOURS - 1)
        values = np.stack([first, *(at(place * 2.0**-spacing) for place in places)])
        return left_by_parabola(np.array([0.0, *places]), values)

    noise = between(NEAR)
    if not np.any(noise):
        return noise if np.array_equal(first, samples.base) else between(APART)
    can_tell = level == TO_THE_SIDE and samples.remaining() > 4 * DEEPEST
    is_doubtful = can_tell and bool(np.any(noise > DOUBTFUL * samples.noise))
    if is_doubtful and not np.all(between(CLOSEST) >= noise / ALIKE):
        with np.errstate(over="ignore"):
            row = int(np.argmax(noise / samples.noise))
        jumps, smooth_from, _ = descend(at, 2.0**-NEAR, row, samples.noise, CLOSEST)
        if smooth_from is not None:
            samples.smooth_from = None if smooth_from == NEAR else smooth_from
            noise = jumps
    return noise


def descend(
    value: Callable[[float], Vector],
    width: float,
    row: int,
    rounding: Vector,
    closest: int = NEAREST,
) -> tuple[Vector, int | None, float]:
    """How far the values jump, the level of the finest features of the function, if any, and where
    the search has ended.

    Half an interval after the other, the one in which the function is less straight: what
    is smooth straightens out, a jump stays as large as it is.
    """
    ends, values = (0.0, width), [value(0.0), value(ASIDE * width), value(width)]
    bends = [bend_of(values)]
    followed = [float(bends[0][row])]
    level = coarsest = round(-math.log2(width))
    while level < closest and len(bends) < DEEPEST and followed[-1] > 16 * rounding[row]:
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
            return finest, coarsest + place, ends[0]
    return finest, None, ends[0]


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
