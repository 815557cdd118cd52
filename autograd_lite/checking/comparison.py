"""Comparison of an analytic derivative with the numerical one, along one direction at a time.

A `Probe` holds both for a direction u and a few cotangents v: the numerical
d/dh ⟨v, F(x + h·u)⟩ with its error, and the analytic ⟨g, u⟩, g = Jᵀv.  They agree if

    |numerical - analytic| ≤ 10·error + rtol·‖g∘u‖ + atol,

where ‖g∘u‖ is the size that a sum of the contributions gᵢuᵢ with random signs has.
All numbers of a probe are in units of a power of two, which is that of ⟨v, F⟩.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from autograd_lite.checking.directions import (
    Cotangents,
    exponent_of,
    farthest_level,
    own_scale,
    scaled_product,
    signs,
)
from autograd_lite.checking.layout import Vector
from autograd_lite.checking.numerical import (
    ALIKE,
    AMPLIFICATION,
    BLOCK,
    DEEPEST,
    DOUBTFUL,
    FIRST_LEVEL,
    NEAR,
    NEAREST,
    TO_THE_SIDE,
    Ladder,
    Limit,
    measured_noise,
)
from autograd_lite.checking.subjects import Subject

__all__ = [
    "CROWD",
    "DECISIVE",
    "MOST_BLOCKS",
    "SAFETY",
    "SHARP",
    "Agreement",
    "AnalyticGradients",
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

DECISIVE = 3e-3
"""An estimate whose relative error is above this decides nothing."""

DELIBERATE = 1e-3
"""An analytic derivative this far below the noise of the values is no rounding error of zero,
nor is one as far above it."""

NEGLIGIBLE = 1e-6
"""But what is so far below is zero in any sense."""

MOST_NOISE = 22
"""No result is weighed so that its noise is more than 2⁻²² of what is measured."""

NEIGHBOURS = (1.0, -1.0, 1.5, -2.0)
"""Where the analytic derivative is computed again, in units of a few last digits of x."""

CROWD = 1000
"""Of so many entries some have a kink nearby, whatever the steps, and some are too weak for any."""

WITHIN = 3
"""How a function varies is seen at steps so many times halved from the coarsest that make sense."""

UNSETTLED = 0.1
"""A slope to one side that is known to no more than this part of itself tells nothing."""

FINEST = FIRST_LEVEL + 42
MOST_BLOCKS = 14


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
    strict: bool = False
    """Whether a derivative must be known to a part of what it is claimed to be."""
    claims: Mask | None = None
    """Whether anything but zero is claimed of an entry that moves, however little it comes to."""

    @property
    def unseen(self) -> Vector:
        """How steep results can be that did not change in their last digit.

        They may have passed through numbers of the size of 1 or of the inputs, as the log of
        1 + exp(-x) has, and there what is smaller than a rounding error is lost.
        """
        return self.ladder.unseen

    @property
    def hidden(self) -> Mask:
        """Where something is claimed that is too small for values, all the same, to show it."""
        claims = self.size > 0 if self.claims is None else self.claims
        hidden: Mask = self.ladder.still & claims & (self.size <= SAFETY * self.unseen)
        return hidden

    @property
    def difference(self) -> Vector:
        with np.errstate(invalid="ignore"):
            return np.abs(self.limit.value - self.analytic)

    @property
    def error(self) -> Vector:
        error: Vector = SAFETY * (self.limit.error + self.floor)
        return np.where(self.hidden, np.maximum(error, SAFETY * self.unseen), error)

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
    def nearby(self) -> int:
        """The level from which on steps are a part of each entry, or of a unit."""
        return farthest_level(self.ladder.x, self.ladder.direction) + WITHIN

    @property
    def relative_error(self) -> float:
        """The worst error of the estimate, relative to the size of the derivative."""
        if self.ladder.constant and not np.any(self.analytic) and not np.any(self.hidden):
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
    def agreement(self) -> Agreement:
        if not np.all(np.isfinite(self.limit.value)):
            return Agreement.BORDER
        seen = ~self.ladder.nothing_but_noise
        if self.kinked:
            is_here = np.any(seen) and self.level >= self.near
            if self.jumps:  # what finer steps do not see is not at x
                is_here &= np.any(self._jump_seen(max(self.ladder.samples)))
            return Agreement.KINK if is_here else Agreement.UNDECIDED
        different = self.difference > self.allowed
        lost = different & (self.difference <= SAFETY * self.unseen)
        if np.any(lost) and not np.any(different & ~lost):
            return Agreement.UNDECIDED
        different &= ~lost
        if self.level < self.near - BLOCK:  # what is passed on the way spoils an estimate
            size = np.maximum(np.abs(self.limit.value), np.abs(self.analytic))
            different &= self.error <= DECISIVE * size
            # What is claimed far beyond all that is seen may hold nearby, beside a pole.
            seen_there = np.fmax(np.abs(self.limit.value), self.ladder.variation())
            different &= DELIBERATE * np.abs(self.analytic) <= seen_there
            if np.any(self.difference > self.allowed) and not np.any(different):
                return Agreement.UNDECIDED
        if np.any(different):
            different &= seen
            if self.is_confirmed:
                different &= ~(self.ladder.is_rough(self.level) | self._unsettled)
            return Agreement.DIFFERENT if np.any(different) else Agreement.UNDECIDED
        if self.relative_error > DECISIVE:
            return Agreement.UNDECIDED
        return Agreement.SAME

    @property
    def _unsettled(self) -> Mask:
        """Whether a slope to one side still changes, as it does close to a border."""
        size = np.abs(self.limit.value)
        changes = (self.limit.error > UNSETTLED * size) & (size > 2 * self.limit.rounding)
        return changes & self.limit.one_sided

    @property
    def kinked(self) -> bool:
        """Whether the slope or the value jumps at x, as far as these steps can tell."""
        jump = self.ladder.slope_jump(self.level)
        allowed = SAFETY * jump.error + SHARP * self.scale
        with np.errstate(invalid="ignore"):
            bent = np.abs(jump.value) > allowed
            return self.jumps or bool(np.any(bent & ~self.ladder.flat))

    @property
    def jumps(self) -> bool:
        """Whether the value itself jumps, between the two sides or at x alone.

        As steps see it, the value at a point between two poles is one of its own.
        """
        return bool(np.any(self._jump_seen(self.level)))

    def _jump_seen(self, finest: int) -> Mask:
        """Where the value jumps, by these steps, and still does at the step of a level."""
        ladder, seen = self.ladder, np.zeros(self.size.shape, np.bool_)
        for limit, quantity in ((ladder.value_jump, ladder.gap), (ladder.spike, ladder.middle)):
            jump = limit(self.level)
            with np.errstate(invalid="ignore"):
                persists = 2 * np.abs(quantity(finest)) > np.abs(jump.value)
                seen |= persists & (np.abs(jump.value) > SAFETY * jump.error)
        return seen & ~ladder.flat

    def settle(self, sharp: float = SHARP, most: int = MOST_BLOCKS) -> None:
        """Look for steps that suit the function, until the estimate is sharp."""
        coarsest = min(farthest_level(self.ladder.x, self.ladder.direction), FIRST_LEVEL)
        if self.ladder.smooth_from not in (None, FIRST_LEVEL):
            coarsest = self.ladder.smooth_from
        best = here = self
        stride, finer, turned = BLOCK, None, False
        for _ in range(most):
            if here._rank() <= (0, sharp) or (turned and best._rank() <= (0, DECISIVE / 3)):
                break
            truncated = np.any(~(here.limit.error <= 3 * here.limit.rounding))
            towards = bool(truncated) or here.kinked
            if finer is not None and towards is not finer:
                turned = True
            finer = towards
            stride = stride // 2 if turned else here._stride(finer, sharp)
            if stride == 0:
                break
            level = here.level + stride if finer else here.level - stride
            level = min(max(level, coarsest), FINEST)
            if level == here.level:
                break
            there = here.at(level)
            if there.contradicts(here):
                if not finer:
                    break
                best = there
            here = there
            best = min(best, here, key=Probe._rank)
        self.level, self.limit = best.level, best.limit
        if self._sees_jumps():
            self.settle(sharp, most)

    def confirm(self) -> None:
        """Doubt a disagreement as long as finer steps could show that these were too coarse.

        An estimate is overruled by one that contradicts it, and not by one that is blunt.
        """
        self.is_confirmed = False
        if self.level < self.near and self.agreement is Agreement.DIFFERENT:
            self._look_nearby()
        level = self.level
        while self.agreement is Agreement.DIFFERENT and level + BLOCK + 2 <= FINEST:
            level += BLOCK + 2
            there = self.at(level)
            if np.all(10 * SAFETY * there.limit.rounding > self.difference):
                break
            if self._sees_jumps():
                continue
            if there.contradicts(self):
                self.level, self.limit = there.level, there.limit
        self.is_confirmed = True

    def _look_nearby(self) -> None:
        """Take the steps that move no entry far, where they show it: a pole may lie between."""
        there = self.at(self.near)
        is_seen = np.any(10 * SAFETY * there.limit.rounding <= self.difference)
        if is_seen and there.contradicts(self):
            self.level, self.limit = there.level, there.limit

    def at(self, level: int) -> Probe:
        """The same probe with other steps."""
        return replace(self, level=level, limit=self.ladder.derivative(level))

    def contradicts(self, other: Probe) -> bool:
        """Whether two estimates differ by more than their errors; the finer one is then right."""
        allowed = SAFETY * (self.limit.error + other.limit.error)
        with np.errstate(invalid="ignore"):
            return bool(np.any(np.abs(self.limit.value - other.limit.value) > allowed))

    def _sees_jumps(self) -> bool:
        """Whether it is jumps between the values that spoil some differences; they are noise then.

        A function that rounds inside, to single precision say, is another one between its jumps.
        """
        ladder = self.ladder
        if ladder.is_searched or ladder.remaining() < 4 * DEEPEST or np.all(ladder.flat):
            return False
        if self._is_met() or not self._suspects_jumps():
            return False
        self.ladder.is_searched = True
        # Beyond a border there are no values that could jump.
        inside = [level for level, (plus, _) in ladder.samples.items() if np.isfinite(plus).all()]
        if not inside:
            return False
        level = min(inside)
        with np.errstate(all="ignore"):
            off = np.abs(self.ladder.central(level) - self.limit.value)
            row = int(np.argmax(off / self.scale))
        jumps = self.ladder.jumps(level, row)
        at_x = np.abs(self.ladder.gap(NEAREST))
        if np.all(jumps <= ALIKE * self.ladder.noise) or np.any(2 * at_x > jumps):
            return False
        self.ladder.noise = np.maximum(self.ladder.noise, jumps)
        self.ladder.limits.clear()
        self.limit = self.ladder.derivative(self.level)
        return True

    def _is_met(self) -> bool:
        """Whether a claim that is not zero is met to many digits: no jump elsewhere makes it so."""
        error = SAFETY * self.limit.error
        is_sharp = np.all(error <= DECISIVE * np.abs(self.limit.value))
        return bool(is_sharp and np.all(np.abs(self.limit.value - self.analytic) <= error))

    def _suspects_jumps(self) -> bool:
        """Whether coarser steps told something else, or nothing: there may be jumps between them
        that these do not see."""
        coarsest = min(level for _, level in self.ladder.limits)
        if coarsest >= self.level:
            return False
        there = self.at(coarsest)
        size = np.fmax(self.size, np.abs(self.limit.value))
        is_blunt = bool(np.any(SAFETY * there.limit.error > DECISIVE * size))
        is_crowd = np.count_nonzero(self.ladder.direction) > CROWD
        return (is_blunt and not is_crowd) or self.contradicts(there)

    @property
    def vanishes(self) -> bool:
        """Whether both derivatives are zero, as far as the values of a flat function can tell."""
        size = np.abs(self.analytic)
        noise = np.maximum(self.ladder.noise, self.ladder.noise_at(self.level))
        small = size <= NEGLIGIBLE * noise
        # What is nothing but its own rounding claims to be zero.
        rounding = (size > 0) & (size <= SAFETY * self.floor)
        below = DELIBERATE * np.ldexp(size, -FIRST_LEVEL) <= noise
        # Where it varies with the last digits of the inputs as much as it is, it may be no zero.
        coarse = self.ladder.variation(self.nearby, FIRST_LEVEL + BLOCK)
        rounding &= below | (size <= NEGLIGIBLE * coarse)
        # Close to a border it may be the function that varies so much, and no noise.
        doubtful = self.ladder.noise > DOUBTFUL * self.ladder.resolution * np.abs(self.ladder.base)
        flat = self.ladder.flat & ~(doubtful & self.limit.one_sided)
        zero = (flat & small & ~self.hidden) | rounding
        agree = (self._relative_errors <= DECISIVE) & (self.difference <= self.allowed)
        return bool(np.all(zero | agree))

    def _stride(self, finer: bool, sharp: float) -> int:
        """How many levels finer or coarser rounding errors are as large as may be."""
        with np.errstate(all="ignore"):
            room = np.log2(sharp * self.scale / (SAFETY * self.limit.rounding))
        if not np.all(np.isfinite(room)):
            return BLOCK
        least = float(np.min(room)) if finer else -float(np.min(room))
        if finer and np.count_nonzero(self.ladder.direction) > CROWD:
            # Half-way first, where kinks are mostly passed and differences are sharper; and one
            # less, as what else adds to the error must not make it miss the mark.
            least = (least - 1) / (2 if self.level <= FIRST_LEVEL else 1)
        return max(math.floor(least) if finer else math.ceil(least), BLOCK)

    def _rank(self) -> tuple[int, float]:
        """Smooth and sharp steps come first, then those that see a kink, then noise."""
        error = self.relative_error
        if not np.isfinite(error):
            return 3, np.inf
        if self.kinked:
            # What is seen from afar only is no kink at x.
            return (1 if self.level >= self.near else 3), error
        return (0 if error < DECISIVE else 2), error


@dataclass
class AnalyticGradients:
    """What the code under test says: gradients of ⟨v, F⟩ for some cotangents v, as rows."""

    subject: Subject
    cotangents: Cotangents
    rows: Vector
    tolerance: Tolerance
    noise: Vector = field(init=False)
    """That of ⟨v, F⟩, in its units."""
    smooth_from: int | None = None
    """The level of the finest features of the function, where it has some."""
    is_measured: bool = False
    linear: bool = False
    """Whether the derivative is known to be linear in the cotangent."""

    def __post_init__(self) -> None:
        self.noise = np.zeros(len(self.rows))

    @classmethod
    def of(
        cls, subject: Subject, cotangents: Cotangents, tolerance: Tolerance
    ) -> AnalyticGradients:
        """Ask the code under test for its gradients."""
        return cls(subject, cotangents, subject.pull_each(cotangents.rows), tolerance)

    def measure_noise(self, ladder: Ladder, rng: np.random.Generator) -> Ladder:
        """Measure the noise of the values along a direction."""
        can_tell = ladder.remaining() > 4 * DEEPEST
        noise = measured_noise(ladder, rng)
        if self.is_measured and not can_tell:  # features of the function are known from before
            noise = np.where(noise > DOUBTFUL * ladder.noise, 0.0, noise)
        self.is_measured = True
        self.noise = np.maximum(noise, self.noise)
        self.smooth_from = ladder.smooth_from
        ladder.noise = np.maximum(self.noise, ladder.noise)
        coarsest = min(ladder.samples)
        if coarsest < FIRST_LEVEL:
            ladder.far_noise = measured_noise(ladder, rng, coarsest)
        ladder.limits.clear()
        return ladder

    def without_steps(self, direction: Vector) -> AnalyticGradients | None:
        """The same with results weighed less that change by steps; None if there are none.

        1 - tanh² is a multiple of a rounding error of 1, however small it is: by its own size
        it would be noise. Values close together that are all the same, and others farther off
        that are not, show it.
        """
        subject = self.subject
        if len(self.rows) == 1:
            return None
        side = 2.0**-TO_THE_SIDE
        steps = (2 * side, side, side + 2.0**-NEAR, side + 2.3 * 2.0**-NEAR)
        far, *near = (subject.evaluate(subject.x + step * direction) for step in steps)
        with np.errstate(invalid="ignore"):
            noise = np.where(np.ptp(near, axis=0) == 0, np.abs(far - near[0]), 0.0)
        noise = np.where(np.isfinite(noise), noise, 0.0)
        largest = exponent_of(subject.value)
        most = np.ldexp(1.0, largest - MOST_NOISE)
        weights = np.abs(self.cotangents.rows[1])
        with np.errstate(over="ignore", invalid="ignore"):
            excess = np.frexp(weights * (noise / most))[1]
        excess = np.where(noise > 0, np.maximum(excess, 0), 0)
        if not np.any(excess):
            self.noise = np.maximum(self.noise, norm(self.cotangents.products(noise)))
            return None
        rows = np.stack([self.cotangents.rows[0], np.ldexp(self.cotangents.rows[1], -excess)])
        changed = replace(self.cotangents, rows=rows)
        analytic = AnalyticGradients.of(subject, changed, self.tolerance)
        analytic.linear, analytic.smooth_from = self.linear, self.smooth_from
        analytic.noise = norm(changed.products(noise))
        analytic.noise[0] = max(self.noise[0], analytic.noise[0])
        return analytic

    def ladder(self, direction: Vector) -> Ladder:
        """The function ⟨v, F⟩ along a direction, an element for each cotangent."""
        subject = self.subject
        terms = self.cotangents.products(subject.value)
        rounded = subject.resolution * norm(terms)
        smallest = np.ldexp(subject.smallest, -self.cotangents.exponents)
        unit = subject.resolution * max(1.0, float(np.max(np.abs(subject.x))))
        unchanged = np.ones(subject.value.shape, np.bool_)

        def values(x: Vector) -> Vector:
            there = subject.evaluate(x)
            np.logical_and(unchanged, there == subject.value, out=unchanged)
            return self.cotangents.apply(there)

        def were_unchanged() -> Mask:
            found = unchanged.copy()
            unchanged[...] = True
            return found

        return Ladder(
            values,
            subject.x,
            direction,
            self.cotangents.apply(subject.value),
            np.maximum(self.noise, rounded) + smallest,
            subject.resolution,
            smooth_from=self.smooth_from,
            remaining=lambda: subject.remaining,
            were_unchanged=were_unchanged,
            lost=lambda share: norm(self.cotangents.products(unit * share)),
        )

    def contributions(self, direction: Vector, rows: Vector | None = None) -> Vector:
        """gᵢuᵢ for each cotangent, in units of ⟨v, F⟩."""
        exponents = self.cotangents.exponents[:, np.newaxis]
        return scaled_product(self.rows if rows is None else rows, direction, exponents)

    def probe(
        self, direction: Vector, level: int = FIRST_LEVEL, ladder: Ladder | None = None
    ) -> Probe:
        """Both derivatives along a direction, from one block of steps."""
        ladder = ladder or self.ladder(direction)
        contributions = self.contributions(direction)
        size = norm(contributions)
        farther = np.abs(direction) / own_scale(self.subject.inputs, self.subject.x)
        near = FIRST_LEVEL + max(math.ceil(math.log2(max(np.max(farther), 1.0))), 0)
        absolute = self.tolerance.atol * norm(self.cotangents.rows)
        # What underflows in a gradient is lost before it is multiplied by the cotangent, or after.
        lost = self.subject.gradient_smallest * np.max(
            np.abs(self.cotangents.rows), axis=1, initial=1.0
        )
        each = scaled_product(
            absolute + SAFETY * lost, norm(direction[np.newaxis]), self.cotangents.exponents
        )
        return Probe(
            ladder,
            level,
            np.sum(contributions, axis=1),
            size,
            self.tolerance.rtol * size + each,
            ladder.derivative(level),
            np.zeros_like(size),
            near,
            claims=np.any(self.rows[:, direction != 0] != 0, axis=1),
        )

    def level_that_shows(self, ladder: Ladder, sharp: float) -> int:
        """The finest steps at which what is claimed to contribute is known that well."""
        size = norm(self.contributions(ladder.direction))
        with np.errstate(all="ignore"):
            room = np.log2(sharp * size / (SAFETY * AMPLIFICATION * ladder.noise))
        return math.floor(np.min(room)) - BLOCK + 1 if np.all(np.isfinite(room)) else FIRST_LEVEL

    def allow_for_rounding(self, probe: Probe) -> None:
        """Let a probe know what the analytic derivative itself is worth.

        It is what a change of the inputs in their last digits makes of it, and no less
        than its own dtype can hold.
        """
        direction = probe.ladder.direction
        changed = [norm(self.contributions(direction, change)) for change in self._changes]
        probe.floor = np.max(changed, axis=0) + self.subject.gradient_resolution * probe.size

    @cached_property
    def _changes(self) -> list[Vector]:
        """Analytic gradients at neighbours of x, less those at x."""
        subject = self.subject
        own = own_scale(subject.inputs, subject.x)
        # Other cotangents are rounded differently, provided that the rules are linear in them.
        scale = 1.37 if self.linear else 1.0
        step = np.ldexp(own * signs(subject.x.size, np.random.default_rng(0)), -49)
        with np.errstate(all="ignore"):
            changes = [
                subject.pull_each(scale * self.cotangents.rows, subject.x + distance * step) / scale
                - self.rows
                for distance in NEIGHBOURS
            ]
        return [np.where(np.isfinite(change), change, 0.0) for change in changes]
