"""From a direction in which something is wrong to the entries that are, by bisection.

Derivatives are linear in the direction, so the disagreement along a direction
is the sum of those along its parts: measuring one half gives the other.  One
wrong entry among n takes log₂ n measurements.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autograd_lite.gradcheck.comparison import Agreement, Probe, Tolerance, probe
from autograd_lite.gradcheck.layout import Vector
from autograd_lite.gradcheck.numerical import BLOCK, Ladder
from autograd_lite.gradcheck.subjects import Subject

__all__ = ["Entry", "Located", "Locator"]

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Entry:
    """One derivative, as it is and as the code under test has it."""

    output: str
    input: str
    numerical: float
    error: float
    claimed: float

    def __str__(self) -> str:
        return (
            f"d {self.output} / d {self.input}: numerical {self.numerical:.9g} "
            f"± {self.error:.1g}, claimed {self.claimed:.9g}"
        )


@dataclass(frozen=True)
class Located:
    """An input coordinate whose derivatives disagree, with the probe that shows it."""

    coordinate: int
    probe: Probe


class Locator:
    """Searches along one direction in which the two derivatives disagree."""

    def __init__(
        self,
        subject: Subject,
        cotangents: Vector,
        claimed: Vector,
        direction: Vector,
        level: int,
        tolerance: Tolerance,
    ) -> None:
        self.subject = subject
        self.cotangents = cotangents
        self.claimed = claimed
        self.direction = direction
        self.level = level
        self.tolerance = tolerance

    def single(self, coordinate: int) -> Probe:
        """A full probe of one coordinate."""
        made = probe(
            self.subject,
            self.cotangents,
            self.claimed,
            self.only(np.array([coordinate])),
            self.tolerance,
            self.level,
        )
        made.settle()
        return made

    def only(self, coordinates: Indices) -> Vector:
        """The part of the direction that moves these coordinates."""
        part = np.zeros_like(self.direction)
        part[coordinates] = self.direction[coordinates]
        return part

    def ladder(self, coordinates: Indices) -> Ladder:
        return Ladder(
            lambda x: self.cotangents @ self.subject.evaluate(x),
            self.subject.x,
            self.only(coordinates),
            self.cotangents @ self.subject.value,
            np.zeros(len(self.cotangents)),
        )

    def disagreement(self, coordinates: Indices) -> Vector:
        """Numerical less claimed derivative along part of the direction, from two steps."""
        ladder = self.ladder(coordinates)
        coarse = ladder.central(self.level + BLOCK - 3)
        fine = ladder.central(self.level + BLOCK - 2)
        numerical: Vector = (4 * fine - coarse) / 3
        claimed = self.claimed[:, coordinates] @ self.direction[coordinates]
        return numerical - claimed

    def bend(self, coordinates: Indices) -> Vector:
        """How far the slope bends at x along part of the direction."""
        return self.ladder(coordinates).bend(self.level + BLOCK - 1)

    def wrong(self, whole: Probe, wanted: int = 5, budget: int = 100) -> list[Located]:
        """Up to ``wanted`` coordinates that disagree; ``whole`` is the probe that found them."""
        everything = np.flatnonzero(self.direction)
        pending: list[tuple[float, Indices, Vector]] = []
        unit = whole.allowed

        def push(coordinates: Indices, rest: Vector) -> None:
            if coordinates.size:
                pending.append((float(np.max(np.abs(rest) / unit)), coordinates, rest))

        push(everything, whole.limit.value - whole.claimed)
        found: list[Located] = []
        start = self.subject.evaluations
        while pending and len(found) < wanted and self.subject.evaluations - start < budget:
            pending.sort(key=lambda entry: entry[0])
            weight, coordinates, rest = pending.pop()
            if weight < 1:
                break
            if coordinates.size == 1:
                single = self.single(int(coordinates[0]))
                if single.agreement is Agreement.DIFFERENT:
                    found.append(Located(int(coordinates[0]), single))
                continue
            left, right = np.array_split(coordinates, 2)
            of_left = self.disagreement(left)
            push(left, of_left)
            push(right, rest - of_left)
        return found

    def kinks(self, wanted: int = 5, budget: int = 160) -> list[int]:
        """Coordinates in which the function has a kink or jump at x."""
        pending: list[tuple[float, Indices]] = [(np.inf, np.flatnonzero(self.direction))]
        found: list[int] = []
        start = self.subject.evaluations
        while pending and len(found) < wanted and self.subject.evaluations - start < budget:
            pending.sort(key=lambda entry: entry[0])
            _, coordinates = pending.pop()
            if coordinates.size == 1:
                if self.single(int(coordinates[0])).agreement is Agreement.KINK:
                    found.append(int(coordinates[0]))
                continue
            for half in np.array_split(coordinates, 2):
                bend = float(np.max(np.abs(self.bend(half))))
                if bend > 0:
                    pending.append((bend, half))
        return found


def worst_entry(subject: Subject, located: Located) -> Entry:
    """The output that disagrees most about one input coordinate."""
    direction = np.zeros_like(subject.x)
    step = abs(float(located.probe.ladder.direction[located.coordinate]))
    direction[located.coordinate] = step
    ladder = Ladder(
        subject.evaluate, subject.x, direction, subject.value,
        subject.resolution * np.abs(subject.value),
    )
    column = ladder.derivative(located.probe.level)
    row = _worst_row(subject, column.value / step, located.coordinate)
    unit = np.zeros(subject.outputs.size)
    unit[row] = 1.0
    return Entry(
        subject.outputs.entry(row),
        subject.inputs.entry(located.coordinate),
        float(column.value[row]) / step,
        float(column.error[row]) / step,
        float(subject.pull(unit)[located.coordinate]),
    )


def _worst_row(subject: Subject, column: Vector, coordinate: int) -> int:
    """Bisect over the outputs; this takes sweeps, and no evaluation of the function."""
    rows = np.arange(subject.outputs.size)

    def disagreement(part: Indices) -> float:
        v = np.zeros(subject.outputs.size)
        v[part] = np.random.default_rng(part.size).uniform(0.5, 1.0, part.size)
        return abs(float(v @ column - subject.pull(v)[coordinate]))

    while rows.size > 1:
        rows = max(np.array_split(rows, 2), key=disagreement)
    return int(rows[0])
