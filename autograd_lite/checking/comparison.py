"""Comparison of an analytic derivative with the numerical one, along one direction at a time.

A `Probe` holds both for a direction u and a few cotangents v: the numerical
d/dh ⟨v, F(x + h·u)⟩ with its error, and the analytic ⟨g, u⟩, g = Jᵀv.  They agree if

    |numerical - analytic| ≤ 10·error + rtol·‖g∘u‖ + atol,

where ‖g∘u‖ is the size that a sum of the contributions gᵢuᵢ with random signs has.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from autograd_lite.checking.layout import NOTHING, Vector
from autograd_lite.checking.numerical import BLOCK, FIRST_LEVEL, Ladder, Limit, complex_step
from autograd_lite.checking.subjects import Subject

__all__ = ["SAFETY", "Agreement", "AnalyticGradients", "Probe", "Tolerance"]

SAFETY = 10.0
"""An error estimate counts this many times."""

SHARP = 1e-5
"""An estimate whose relative error is below this needs no other steps."""

NEGLIGIBLE = 1e-5
"""Rounding errors this many times larger than those of the values still leave a zero a zero."""

DELIBERATE = 1e-3
"""An analytic derivative this far below the rounding errors of the values is not one of them."""

DECISIVE = 0.1
"""An estimate whose relative error is above this decides nothing."""

COARSEST, FINEST = FIRST_LEVEL - 36, FIRST_LEVEL + 36


class Agreement(Enum):
    """The outcome along one direction."""

    SAME = "same"
    DIFFERENT = "different"
    UNDECIDED = "undecided"
    KINK = "kink"


@dataclass(frozen=True)
class Tolerance:
    """Relative to the size of the derivative, and absolute."""

    rtol: float
    atol: float


@dataclass
class Probe:
    """Numerical and analytic derivative along one direction, an element for each cotangent."""

    ladder: Ladder
    level: int
    analytic: Vector
    size: Vector
    tolerance: Tolerance
    limit: Limit
    floor: Vector
    """The rounding error of the analytic derivative itself, taken to be that of the values."""
    exact: bool = False
    """Whether the estimate is a complex step."""

    @property
    def difference(self) -> Vector:
        return np.abs(self.limit.value - self.analytic)

    @property
    def allowed(self) -> Vector:
        estimate = SAFETY * (self.limit.error + self.floor)
        return estimate + self.tolerance.rtol * self.size + self.tolerance.atol + NOTHING

    @property
    def scale(self) -> Vector:
        """How large the derivative is, by either estimate of it."""
        return np.maximum(self.size, np.abs(self.limit.value))

    @property
    def relative_error(self) -> float:
        """The worst error of the estimate, relative to the size of the derivative."""
        if self.ladder.constant and not np.any(self.analytic):
            return 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(self.limit.error == 0, 0.0, SAFETY * self.limit.error / self.scale)
        return float(np.max(ratio))

    @property
    def agreement(self) -> Agreement:
        if self.kinked:
            return Agreement.KINK
        if np.any(self.difference > self.allowed):
            return Agreement.DIFFERENT
        if self.relative_error > DECISIVE and not self.exact:
            return Agreement.UNDECIDED
        return Agreement.SAME

    @property
    def kinked(self) -> bool:
        """Whether the slope or the value jumps at x, as far as these steps can tell."""
        jump = self.ladder.slope_jump(self.level)
        allowed = SAFETY * jump.error + SHARP * self.scale
        return self.jumps or bool(np.any(np.abs(jump.value) > allowed))

    @property
    def jumps(self) -> bool:
        """Whether the value itself jumps."""
        gap = self.ladder.value_jump(self.level)
        return bool(np.any(np.abs(gap.value) > SAFETY * gap.error))

    def settle(self) -> None:
        """Look for steps that suit the function, until the estimate is sharp."""
        best = self
        here = self
        while here._rank() > (0, SHARP) and not here.negligible:
            truncated = np.any(here.limit.error > 3 * here.limit.rounding)
            finer = bool(truncated) or here.kinked
            level = here.level + (here._stride() if finer else -BLOCK)
            if level in self.ladder.samples or not COARSEST <= level <= FINEST:
                break
            there = here.at(level)
            if there.contradicts(here):
                if not finer:
                    break
                best = there
            here = there
            best = min(best, here, key=Probe._rank)
        self.level, self.limit = best.level, best.limit

    def confirm(self) -> None:
        """Doubt a disagreement as long as finer steps could show that these were too coarse."""
        level = self.level
        while self.agreement is Agreement.DIFFERENT and level + BLOCK + 2 <= FINEST:
            level += BLOCK + 2
            there = self.at(level)
            if np.all(10 * SAFETY * there.limit.rounding > self.difference):
                break
            if there.agreement is Agreement.SAME:
                self.level, self.limit = there.level, there.limit

    def at(self, level: int) -> Probe:
        """The same probe with other steps."""
        return replace(self, level=level, limit=self.ladder.derivative(level))

    def contradicts(self, other: Probe) -> bool:
        """Whether two estimates differ by more than their errors; the finer one is then right."""
        allowed = SAFETY * (self.limit.error + other.limit.error)
        return bool(np.any(np.abs(self.limit.value - other.limit.value) > allowed))

    @property
    def negligible(self) -> bool:
        """Whether both derivatives vanish beside the values, so that no step would show more."""
        zero = np.all(np.abs(self.limit.value) <= SAFETY * self.limit.error)
        small = np.all(self.limit.error <= self.ladder.noise / NEGLIGIBLE)
        return bool(zero and small and np.all(np.abs(self.analytic) <= 1000 * self.ladder.noise))

    @property
    def deliberate(self) -> bool:
        """Whether the analytic derivative is too small to be a rounding error of zero."""
        size = np.abs(self.analytic)
        return bool(np.any((size > NOTHING) & (size < DELIBERATE * self.ladder.noise)))

    def _stride(self) -> int:
        """How many levels finer to go: two blocks at once where rounding leaves room for it."""
        rounding = SAFETY * self.limit.rounding * 4.0**BLOCK
        return 2 * BLOCK if np.all(rounding <= SHARP * self.scale) else BLOCK

    def _rank(self) -> tuple[int, float]:
        """Smooth and sharp steps come first, then those that see a kink, then noise."""
        error = self.relative_error
        if self.kinked:
            return 1, error
        return (0 if error < DECISIVE else 2), error


@dataclass
class AnalyticGradients:
    """What the code under test says: gradients of ⟨v, F⟩ for some cotangents v, as rows."""

    subject: Subject
    cotangents: Vector
    rows: Vector
    tolerance: Tolerance

    @classmethod
    def of(cls, subject: Subject, cotangents: Vector, tolerance: Tolerance) -> AnalyticGradients:
        """Ask the code under test for its gradients."""
        rows = np.stack([subject.pull(v) for v in cotangents])
        return cls(subject, cotangents, rows, tolerance)

    def ladder(self, direction: Vector) -> Ladder:
        """The function ⟨v, F⟩ along a direction, an element for each cotangent."""
        subject = self.subject
        weighted = self.cotangents * subject.value
        conditions = self.rows * subject.x
        magnitude = np.linalg.norm(weighted, axis=1) + np.linalg.norm(conditions, axis=1)
        return Ladder(
            lambda x: self.cotangents @ subject.evaluate(x),
            subject.x,
            direction,
            self.cotangents @ subject.value,
            subject.resolution * magnitude,
        )

    def probe(self, direction: Vector, level: int = FIRST_LEVEL) -> Probe:
        """Both derivatives along a direction, from one block of steps."""
        ladder = self.ladder(direction)
        contributions = self.rows * direction
        return Probe(
            ladder,
            level,
            np.sum(contributions, axis=1),
            np.linalg.norm(contributions, axis=1),
            self.tolerance,
            ladder.derivative(level),
            ladder.noise,
        )

    def by_complex_step(self, blunt: Probe) -> bool:
        """Replace a blunt estimate by a complex step, where the function is analytic.

        It is not, if the two disagree by more than the blunt one's own error.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                derivative, rounding = complex_step(
                    lambda x: self.cotangents @ self.subject.evaluate_complex(x),
                    self.subject.x,
                    blunt.ladder.direction,
                )
        except (TypeError, ValueError, ArithmeticError, np.exceptions.ComplexWarning):
            return False
        if not np.all(np.abs(derivative - blunt.limit.value) <= SAFETY * blunt.limit.error):
            return False
        blunt.limit = Limit(derivative, rounding, rounding)
        blunt.exact = True
        if np.all(np.abs(derivative) < DELIBERATE * blunt.ladder.noise) and not np.any(
            np.abs(blunt.analytic) >= DELIBERATE * blunt.ladder.noise
        ):
            blunt.floor = self._rounding_of_analytic(blunt)
        return True

    def _rounding_of_analytic(self, probe: Probe) -> Vector:
        """By how much the analytic derivative differs when its cotangents are scaled."""
        again = np.stack([self.subject.pull(1.37 * v) for v in self.cotangents]) / 1.37
        scaled: Vector = again @ probe.ladder.direction
        return np.abs(scaled - probe.analytic)
