"""From a direction in which something is wrong to the entries that are, by bisection.

Derivatives are linear in the direction, so the disagreement along a direction
is the sum of those along its parts: measuring one half gives the other.  One
wrong entry among n takes log₂ n measurements.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from autograd_lite.checking.analytic import AnalyticGradients
from autograd_lite.checking.comparison import Agreement, Probe
from autograd_lite.checking.layout import Vector
from autograd_lite.checking.samples import BLOCK
from autograd_lite.checking.settling import settle

__all__ = ["Indices", "Located", "Locator", "describe_kink"]

Indices = npt.NDArray[np.intp]

by_weight = itemgetter(0)

FEW_BLOCKS = 3
"""Steps that suited a direction nearly suit each entry."""


@dataclass
class Located:
    """Input coordinates whose derivatives disagree; ``complete`` if these are all."""

    coordinates: list[int] = field(default_factory=list)
    complete: bool = True


@dataclass(eq=False)
class Locator:
    """Searches along one direction, with the steps that suited a probe of it."""

    analytic: AnalyticGradients
    direction: Vector
    level: int
    singles: dict[int, Probe] = field(default_factory=dict)

    def single(self, coordinate: int) -> Probe:
        """A full probe of one coordinate."""
        if coordinate not in self.singles:
            made = self.analytic.probe(self.only(np.array([coordinate])), self.level)
            settle(made, most=FEW_BLOCKS)
            self.singles[coordinate] = made
        return self.singles[coordinate]

    def only(self, coordinates: Indices) -> Vector:
        """The part of the direction that moves these coordinates."""
        part = np.zeros_like(self.direction)
        part[coordinates] = self.direction[coordinates]
        return part

    def disagreement(self, coordinates: Indices) -> Vector:
        """Numerical less analytic derivative along part of the direction, from two steps."""
        ladder = self.analytic.ladder(self.only(coordinates))
        coarse = ladder.central(self.level + BLOCK - 3)
        fine = ladder.central(self.level + BLOCK - 2)
        numerical: Vector = (4 * fine - coarse) / 3
        analytic: Vector = np.sum(self.analytic.contributions(self.only(coordinates)), axis=1)
        return numerical - analytic

    def bend(self, coordinates: Indices) -> float:
        """How far the slope bends at x along part of the direction."""
        ladder = self.analytic.ladder(self.only(coordinates))
        return float(np.max(np.abs(ladder.bend(self.level + BLOCK - 1))))

    def wrong(self, whole: Probe, wanted: int = 5, budget: int = 100) -> Located:
        """Up to ``wanted`` coordinates that disagree; ``whole`` is the probe that found them."""
        unit = whole.allowed
        pending: list[tuple[float, Indices, Vector]] = []

        def push(coordinates: Indices, rest: Vector) -> None:
            with np.errstate(divide="ignore", invalid="ignore"):
                weight = float(np.max(np.where(rest == 0, 0.0, np.abs(rest) / unit)))
            if coordinates.size and weight > 1:
                pending.append((weight, coordinates, rest))

        push(np.flatnonzero(self.direction), whole.limit.value - whole.analytic)
        located = Located()
        last = self.analytic.subject.evaluations + budget
        while pending:
            if len(located.coordinates) == wanted or self.analytic.subject.evaluations > last:
                located.complete = False
                break
            pending.sort(key=by_weight)
            _, coordinates, rest = pending.pop()
            if coordinates.size > 1:
                left, right = np.array_split(coordinates, 2)
                of_left = self.disagreement(left)
                push(left, of_left)
                push(right, rest - of_left)
            elif self.single(int(coordinates[0])).agreement is Agreement.DIFFERENT:
                located.coordinates.append(int(coordinates[0]))
        # What is wrong along a direction is wrong somewhere, though no entry shows it by itself.
        located.complete &= bool(located.coordinates)
        return located

    def kinks(self, wanted: int = 5) -> list[int]:
        """Coordinates in which the function has a kink or jump at x."""
        pending: list[tuple[float, Indices]] = [(np.inf, np.flatnonzero(self.direction))]
        found: list[int] = []
        while pending and len(found) < wanted and self.analytic.subject.remaining > 40:
            pending.sort(key=by_weight)
            _, coordinates = pending.pop()
            if coordinates.size == 1:
                if self.single(int(coordinates[0])).agreement is Agreement.KINK:
                    found.append(int(coordinates[0]))
                continue
            for half in np.array_split(coordinates, 2):
                bend = self.bend(half)
                if bend > 0:
                    pending.append((bend, half))
        return found


def describe_kink(locator: Locator, whole: Probe) -> str:
    """A sentence: what happens, in which inputs, how far away."""
    subject = locator.analytic.subject
    places = []
    for coordinate in locator.kinks():
        single = locator.single(coordinate)
        distance = 0.0 if single.jumps else distance_between(single)
        distance *= abs(float(locator.direction[coordinate]))
        away = f"{distance:.1g} away" if distance else "at this very point"
        places.append(f"{subject.inputs.entry(coordinate)} ({away})")
    what = "the value jumps" if whole.jumps else "the slope jumps (a kink)"
    where = ", ".join(places) or "along a random direction"
    return f"{what}: {where}; move the point away from it to check the derivative"


def distance_between(single: Probe) -> float:
    """Where the straight lines through the values on either side meet, in units of the direction.

    Zero if that is the point itself, as far as the values can tell.
    """
    ladder, level = single.ladder, single.level
    far, near = (ladder.sample(level + i) for i in (0, 1))
    row = int(np.argmax(np.abs(ladder.bend(level + 1))))
    near_step, step = 2.0 ** -(level + 1), 2.0**-level - 2.0 ** -(level + 1)
    right = float(far[0][row] - near[0][row]) / step
    left = float(near[1][row] - far[1][row]) / step
    if right == left:
        return 0.0
    rise = float(near[0][row] - near[1][row])
    meeting = ((right + left) * near_step - rise) / (right - left)
    resolution = 100 * float(ladder.noise[row]) / abs(right - left)
    return abs(meeting) if abs(meeting) > max(resolution, 1e-6 * near_step) else 0.0
