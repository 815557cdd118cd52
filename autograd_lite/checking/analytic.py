"""The gradients of the code under test, and what the function is along a direction beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from autograd_lite.checking.comparison import (
    COARSE,
    DECISIVE,
    SAFETY,
    Mask,
    Probe,
    Tolerance,
    norm,
)
from autograd_lite.checking.directions import (
    Cotangents,
    doublings,
    exponent_of,
    own_scale,
    scaled_product,
    signs,
)
from autograd_lite.checking.layout import Vector
from autograd_lite.checking.noise import DEEPEST, NEAR, TO_THE_SIDE, measured_noise
from autograd_lite.checking.numerical import AMPLIFICATION, Ladder
from autograd_lite.checking.samples import BLOCK, DOUBTFUL, FIRST_LEVEL
from autograd_lite.checking.subjects import Subject
from autograd_lite.checking.verdict import Exhausted

__all__ = ["AnalyticGradients"]

MOST_NOISE = 22
"""No result is weighed so that its noise is more than 2⁻²² of what is measured."""

NODES = 16
"""At so many points between two steps the analytic derivative is computed, to follow it."""

MOSTLY_MADE = 0.2
"""A derivative that is followed leaves no more than this part of the difference that it makes."""

CLEARLY = 100.0
"""So many errors of a slope are no error."""

EVENLY = 3
"""In so many steps, each half of the one before, a slope is seen to change with the step."""

NEIGHBOURS = (1.0, -1.0, 1.5, -2.0)
"""Where the analytic derivative is computed again, in units of a few last digits of x."""


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
    is_brief: bool = False
    """Whether one step less makes an estimate, as steps had to be finer; see `Ladder`."""
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
        ladder.allow(self.noise)
        coarsest = min(ladder.samples)
        if coarsest < FIRST_LEVEL:
            ladder.allow(self.noise, far_noise=measured_noise(ladder, rng, coarsest))
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
        analytic.is_brief = self.is_brief
        analytic.noise = norm(changed.products(noise))
        analytic.noise[0] = max(self.noise[0], analytic.noise[0])
        return analytic

    def alone_along(
        self, direction: Vector, whole: Ladder, rng: np.random.Generator
    ) -> tuple[AnalyticGradients, Ladder] | None:
        """The same with the noise of values along this direction only, where that is far less than
        along the whole; None where it is not.

        Of values rounded to few digits it would be the same, although none is seen nearby.
        """
        alone = replace(self)  # which knows of no noise yet
        ladder = alone.ladder(direction)
        is_coarse = self.noise > COARSE * whole.size(min(whole.samples))
        if np.any(is_coarse | (SAFETY * ladder.noise >= self.noise)):
            return None
        ladder = alone.measure_noise(ladder, rng)
        return None if np.any(SAFETY * alone.noise >= self.noise) else (alone, ladder)

    def without_results(self, left_out: Mask) -> AnalyticGradients:
        """The same of all results but these, whose weights are zero."""
        changed = replace(self.cotangents, rows=np.where(left_out, 0.0, self.cotangents.rows))
        analytic = AnalyticGradients.of(self.subject, changed, self.tolerance)
        analytic.linear, analytic.smooth_from = self.linear, self.smooth_from
        analytic.is_brief, analytic.noise = self.is_brief, self.noise
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
            is_brief=self.is_brief,
            remaining=lambda: subject.remaining,
            were_unchanged=were_unchanged,
            lost=lambda share: norm(self.cotangents.products(unit * share)),
        )

    def contributions(self, direction: Vector, rows: Vector | None = None) -> Vector:
        """gᵢuᵢ for each cotangent, in units of ⟨v, F⟩."""
        exponents = self.cotangents.exponents[:, np.newaxis]
        return scaled_product(self.rows if rows is None else rows, direction, exponents)

    def shown_by(self, probe: Probe, known_to: float = DECISIVE) -> Mask:
        """Which entries contribute so much that a probe knows each to that part of itself."""
        each = np.abs(self.contributions(probe.ladder.direction))
        shown: Mask = np.any(known_to * each > probe.error[:, np.newaxis], axis=0)
        return shown

    def probe(
        self, direction: Vector, level: int = FIRST_LEVEL, ladder: Ladder | None = None
    ) -> Probe:
        """Both derivatives along a direction, from one block of steps."""
        ladder = ladder or self.ladder(direction)
        contributions = self.contributions(direction)
        size = norm(contributions)
        farther = doublings(direction, own_scale(self.subject.inputs, self.subject.x))
        near = FIRST_LEVEL + max(math.ceil(np.max(farther)), 0)
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
            noise = np.maximum(ladder.noise, ladder.misplaced_by(size))
            room = np.log2(sharp * size / (SAFETY * AMPLIFICATION * noise))
        return math.floor(np.min(room)) - BLOCK + 1 if np.all(np.isfinite(room)) else FIRST_LEVEL

    def holds_all_the_way(self, probe: Probe) -> bool:
        """Whether the claim, followed from one end of the steps to the other, makes most of the
        difference of the values there, although it contradicts it at x.

        Then the function turns between x and the steps, as its derivative under test does.
        """
        subject, direction = self.subject, probe.ladder.direction
        step = np.ldexp(direction, -probe.level)
        mean = np.zeros_like(probe.analytic)
        try:
            for node, weight in zip(*np.polynomial.legendre.leggauss(NODES), strict=True):
                rows = subject.pull_each(self.cotangents.rows, subject.x + node * step)
                mean += weight / 2 * np.sum(self.contributions(direction, rows), axis=1)
        except Exhausted:
            raise
        except Exception:  # as beyond a border
            return False
        measured = probe.ladder.central(probe.level)
        left, gap = np.abs(measured - mean), np.abs(measured - probe.analytic)
        return bool(np.all(left <= MOSTLY_MADE * gap + SAFETY * probe.limit.error))

    def is_kept(self, probe: Probe) -> bool:
        """Whether the analytic derivative is the same to the last bit at the coarsest step of the
        estimate, though the values show that the slope is another there."""
        ladder, subject = probe.ladder, self.subject
        if not subject.remaining or not np.any(self.rows[0]) or not np.any(turns(probe)):
            return False
        step = np.ldexp(ladder.direction, -probe.coarsest)
        try:
            there = subject.pull(self.cotangents.rows[0], subject.x + step)
        except Exception:  # as beyond a border
            return False
        return bool(np.array_equal(there, self.rows[0]))

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

        def change(distance: float) -> Vector:
            try:
                there = subject.pull_each(scale * self.cotangents.rows, subject.x + distance * step)
            except Exhausted:
                raise
            except Exception:  # as beyond a border: a neighbour tells nothing then
                return np.zeros_like(self.rows)
            changed = there / scale - self.rows
            return np.where(np.isfinite(changed), changed, 0.0)

        with np.errstate(all="ignore"):
            return [change(distance) for distance in NEIGHBOURS]


def turns(probe: Probe) -> Mask:
    """Whether the slope changes evenly with the step, beyond all errors: no jump makes it so."""
    ladder, level = probe.ladder, probe.coarsest
    with np.errstate(all="ignore"):
        off = [ladder.right(level + finer) - probe.analytic for finer in range(EVENLY)]
        rounding = np.ldexp(ladder.noise_at(level), level + EVENLY)
        turned = np.abs(off[-1]) > CLEARLY * np.maximum(rounding, probe.allowed)
        for coarse, fine in pairwise(off):
            turned &= np.abs(coarse / fine - 2) < 0.5
    return turned
