"""Comparison of an analytic derivative with the numerical one, along one direction at a time.

A `Probe` holds both for a direction u and a few cotangents v: the numerical
d/dh ⟨v, F(x + h·u)⟩ with its error, and the analytic ⟨g, u⟩, g = Jᵀv.  They agree if

    |numerical - analytic| ≤ 10·error + rtol·‖g∘u‖ + atol,

where ‖g∘u‖ is the size that a sum of the contributions gᵢuᵢ with random signs has.
All numbers of a probe are in units of a power of two, which is that of ⟨v, F⟩.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
import numpy.typing as npt

from autograd_lite.checking.layout import Vector
from autograd_lite.checking.numerical import Ladder, Limit
from autograd_lite.checking.samples import BLOCK, FIRST_LEVEL

__all__ = [
    "COARSE",
    "CROWD",
    "DECISIVE",
    "SAFETY",
    "SHARP",
    "Agreement",
    "Mask",
    "Probe",
    "Tolerance",
    "norm",
]

Mask = npt.NDArray[np.bool_]

SAFETY = 10.0
"""An error estimate counts this many times."""

SHARP = 1e-5
"""An estimate whose relative error is below this needs no other steps."""

COARSE = 1e-12
"""Values with errors above this part of them are rounded to fewer digits than floats have."""

DECISIVE = 3e-3
"""An estimate whose relative error is above this decides nothing."""

DELIBERATE = 1e-3
"""An analytic derivative this far below the noise of the values is no rounding error of zero,
nor is one as far above it."""

NEGLIGIBLE = 1e-6
"""But what is so far below is zero in any sense."""

CROWD = 1000
"""Of so many entries some have a kink nearby, whatever the steps, and some are too weak for any."""

WITHIN = 3
"""How a function varies is seen at steps so many times halved from the coarsest that make sense."""


class Agreement(Enum):
    """The outcome along one direction."""

    SAME = "same"
    DIFFERENT = "different"
    UNDECIDED = "undecided"
    KINK = "kink"
    BORDER = "border"


@dataclass(frozen=True)
class Tolerance:
    """Relative to the size of the derivative, and absolute."""

    rtol: float
    atol: float


def norm(rows: Vector) -> Vector:
    """The Euclidean norm of each row, of numbers of any size."""
    largest = np.max(np.abs(rows), axis=1, initial=0.0)
    unit = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    with np.errstate(over="ignore"):
        length: Vector = unit * np.linalg.norm(rows / unit[:, np.newaxis], axis=1)
    return length


@dataclass
class Probe:
    """Numerical and analytic derivative along one direction, an element for each cotangent."""

    ladder: Ladder
    level: int
    analytic: Vector
    size: Vector
    tolerance: Vector
    """Relative and absolute tolerance together."""
    limit: Limit
    floor: Vector
    """The rounding error of the analytic derivative itself, as far as it has been measured."""
    near: int = FIRST_LEVEL
    """The level from which on the steps move no entry far from where it is."""
    is_confirmed: bool = False
    """Whether finer steps have been asked as well, where the two disagree."""
    is_doubted: bool = False
    """Whether finer steps have seen something else, and do not agree on what."""
    strict: bool = False
    """Whether a derivative must be known to a part of what it is claimed to be."""
    claims: Mask | None = None
    """Whether anything but zero is claimed of an entry that moves, however little it comes to."""

    @property
    def hidden(self) -> Mask:
        """Where something is claimed that is too small for values, all the same, to show it."""
        claims = self.size > 0 if self.claims is None else self.claims
        hidden: Mask = self.ladder.still & claims & (self.size <= SAFETY * self.ladder.unseen)
        return hidden

    @property
    def difference(self) -> Vector:
        with np.errstate(invalid="ignore"):
            return np.abs(self.limit.value - self.analytic)

    @property
    def error(self) -> Vector:
        error: Vector = SAFETY * (self.limit.error + self.floor)
        return np.where(self.hidden, np.maximum(error, SAFETY * self.ladder.unseen), error)

    @property
    def allowed(self) -> Vector:
        return self.error + self.tolerance

    @property
    def scale(self) -> Vector:
        """How large the derivative is, by either estimate, or how much the function varies."""
        size = np.fmax(self.size, np.abs(self.limit.value))
        # What varies only from afar says nothing of how large the derivative is here.
        # What varies between finer steps contradicts an estimate rather than makes it decisive.
        varies = np.fmax(size, self.ladder.variation(self.nearby, self.level + BLOCK - 1))
        by_claim = (self.size > 0) & (self.strict | self.ladder.still)
        return np.where(by_claim, self.size, varies)

    @property
    def coarsest(self) -> int:
        """The level of the coarsest steps of the estimate."""
        return self.ladder.levels(self.level)[0]

    @property
    def moves_crowd(self) -> bool:
        """Whether so many entries move that some have a kink nearby."""
        return bool(np.count_nonzero(self.ladder.direction) > CROWD)

    @property
    def nearby(self) -> int:
        """The level from which on steps are a part of each entry, or of a unit."""
        return self.ladder.farthest + WITHIN

    @property
    def relative_error(self) -> float:
        """The worst error of the estimate, relative to the size of the derivative."""
        nothing_claimed = not np.any(self.size if self.claims is None else self.claims)
        if self.ladder.constant and nothing_claimed:
            return 0.0
        return float(np.max(self._relative_errors))

    @property
    def _relative_errors(self) -> Vector:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            error: Vector = np.where(self.error == 0, 0.0, self.error / self.scale)
        return np.where(self.hidden & (self.error == 0), np.inf, error)

    @property
    def precision(self) -> float:
        """The worst error of the estimate, relative to the derivative along this direction."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return float(np.max(np.where(self.error == 0, 0.0, self.error / np.abs(self.analytic))))

    @property
    def cancels(self) -> bool:
        """Whether the sum of the contributions is too small to be known to a part of itself,
        though the contributions are not: then all could be wrong by a factor unseen."""
        is_lost = self.error > DECISIVE * np.abs(self.analytic)
        return bool(np.any(is_lost & (self.error <= DECISIVE * self.size)))

    @property
    def is_lost_in_still(self) -> Mask:
        """Where a disagreement is no more than results that are the same at all steps may hide."""
        lost: Mask = (self.difference > self.allowed) & (
            self.difference <= SAFETY * self.ladder.unseen
        )
        return lost

    @property
    def agreement(self) -> Agreement:
        if not np.all(np.isfinite(self.limit.value)):
            return Agreement.BORDER
        seen = ~self.ladder.nothing_but_noise
        if self.kinked:
            is_here = np.any(seen) and self.level >= self.near
            if self.jumps:  # what finer steps do not see is not at x
                is_here &= np.any(self._jump_seen(max(self.ladder.samples)))
            return Agreement.KINK if is_here else Agreement.UNDECIDED
        lost = self.is_lost_in_still
        different = (self.difference > self.allowed) & ~lost
        if np.any(lost) and not np.any(different):
            return Agreement.UNDECIDED
        if self.level < self.near - BLOCK:  # what is passed on the way spoils an estimate
            size = np.maximum(np.abs(self.limit.value), np.abs(self.analytic))
            different &= self.error <= DECISIVE * size
            # What is claimed far beyond all that is seen may hold nearby, beside a pole.
            seen_there = np.fmax(np.abs(self.limit.value), self.ladder.variation())
            different &= DELIBERATE * np.abs(self.analytic) <= seen_there
            if np.any(self.difference > self.allowed) and not np.any(different):
                return Agreement.UNDECIDED
        if np.any(different):
            different &= seen & ~self.is_local
            if self.is_confirmed:
                is_lost = self.ladder.is_rough(self.level) | self.limit.is_unsettled
                different &= ~(is_lost | self.is_doubted | self.is_between_steps)
            return Agreement.DIFFERENT if np.any(different) else Agreement.UNDECIDED
        if self.relative_error > DECISIVE or self.is_rough:
            return Agreement.UNDECIDED
        return Agreement.SAME

    @property
    def kinked(self) -> bool:
        """Whether the slope or the value jumps at x, as far as these steps can tell."""
        jump = self.ladder.slope_jump(self.level)
        allowed = SAFETY * jump.error + SHARP * self.scale
        with np.errstate(invalid="ignore"):
            bent = np.abs(jump.value) > allowed
            return self.jumps or bool(np.any(bent & ~self.ladder.flat))

    @property
    def is_local(self) -> Mask:
        """Whether what seems to be noise is how the function varies about x."""
        return self.ladder.is_doubtful & self.ladder.is_local(self.ladder.noise)

    @property
    def is_between_steps(self) -> Mask:
        """Whether zero is claimed between two steps of the values, which tell of a slope roughly.

        A share of many samples goes by steps, and is nearly smooth from afar: its derivative is 0.
        """
        between: Mask = (self.size == 0) & (
            SAFETY * self.error > DECISIVE * np.abs(self.limit.value)
        )
        between &= self.ladder.is_doubtful
        if np.any(between):
            between &= self.ladder.stays
        return between

    @property
    def is_rough(self) -> bool:
        """Whether a slope that is infinite, or has no end, lies nearer than these steps."""
        return bool(np.any(self.ladder.is_rough(self.level) & ~self.ladder.flat))

    @property
    def jumps(self) -> bool:
        """Whether the value itself jumps, between the two sides or at x alone.

        As steps see it, the value at a point between two poles is one of its own.
        """
        return bool(np.any(self._jump_seen(self.coarsest)))

    def _jump_seen(self, finest: int) -> Mask:
        """Where the value jumps, by these steps, and still does at the step of a level."""
        ladder, seen = self.ladder, np.zeros(self.size.shape, np.bool_)
        bend = ladder.slope_jump(self.level)
        with np.errstate(invalid="ignore"):
            # A kink nearer than these steps makes values seem to jump by so much.
            is_bend = np.abs(bend.value) > SAFETY * bend.error
            bent = np.where(is_bend, np.ldexp(np.abs(bend.value), -self.level - BLOCK + 1), 0.0)
            for limit, quantity in ((ladder.value_jump, ladder.gap), (ladder.spike, ladder.middle)):
                jump = limit(self.level)
                persists = 2 * np.abs(quantity(finest)) > np.abs(jump.value)
                seen |= persists & (np.abs(jump.value) > SAFETY * jump.error + bent)
        return seen & ~ladder.flat

    def at(self, level: int) -> Probe:
        """The same probe with other steps."""
        return replace(self, level=level, limit=self.ladder.derivative(level))

    def contradicts(self, other: Probe) -> bool:
        """Whether two estimates differ by more than their errors; the finer one is then right."""
        allowed = SAFETY * (self.limit.error + other.limit.error)
        with np.errstate(invalid="ignore"):
            return bool(np.any(np.abs(self.limit.value - other.limit.value) > allowed))

    def doubts(self, other: Probe) -> bool:
        """Whether finer steps, however blunt, see something else than rounding errors make of it:
        then the coarser ones have not come near the limit."""
        allowed = SAFETY * (self.limit.rounding + other.limit.error)
        with np.errstate(invalid="ignore"):
            return bool(np.any(np.abs(self.limit.value - other.limit.value) > allowed))

    @property
    def vanishes(self) -> bool:
        """Whether both derivatives are zero, as far as the values of a flat function can tell."""
        size = np.abs(self.analytic)
        noise = np.maximum(self.ladder.noise, self.ladder.noise_at(self.coarsest))
        small = size <= NEGLIGIBLE * noise
        # What is nothing but its own rounding claims to be zero.
        rounding = (size > 0) & (size <= SAFETY * self.floor)
        below = DELIBERATE * np.ldexp(size, -FIRST_LEVEL) <= noise
        # Where it varies with the last digits of the inputs as much as it is, it may be no zero.
        coarse = self.ladder.variation(self.nearby, FIRST_LEVEL + BLOCK)
        rounding &= below | (size <= NEGLIGIBLE * coarse)
        # Close to a border it may be the function that varies so much, and no noise.
        is_at_border = self.limit.one_sided & self.ladder.is_doubtful
        flat = self.ladder.flat & ~(is_at_border | self.is_local)
        zero = (flat & small & ~self.hidden) | rounding
        agree = (self._relative_errors <= DECISIVE) & (self.difference <= self.allowed)
        return bool(np.all(zero | agree)) and not (self.kinked or self.is_rough)

    def rank(self) -> tuple[int, float]:
        """Smooth and sharp steps come first, then those that see a kink, then noise."""
        error = self.relative_error
        if not np.isfinite(error):
            return 3, np.inf
        if self.is_rough:
            return 2, error
        if self.kinked:
            # What is seen from afar only is no kink at x.
            return (1 if self.level >= self.near else 3), error
        return (0 if error < DECISIVE else 2), error
