"""One derivative of one subject, examined: guards, then directions, then what is wrong.

Noise is measured first, as it decides what any difference is worth.  Then three
random directions: every entry by its own measure; all that contribute made alike;
and by themselves those that contribute next to nothing, as a zero claim could
otherwise hide behind a strong entry.  The first that disagrees is looked into.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from autograd_lite.checking.analytic import AnalyticGradients
from autograd_lite.checking.comparison import (
    CROWD,
    DECISIVE,
    SAFETY,
    SHARP,
    Agreement,
    Probe,
    Tolerance,
)
from autograd_lite.checking.conclusions import FEWEST_EVALUATIONS, Conclusions
from autograd_lite.checking.directions import (
    cotangents,
    equalized,
    farthest_level,
    floor_scale,
    kept_from_zero,
    own_scale,
    signs,
)
from autograd_lite.checking.evidence import MOST_NUMBERS, Evidence, collect
from autograd_lite.checking.foreign import Foreign, inspect_backward
from autograd_lite.checking.guards import (
    inspect_forward,
    inspect_function,
    inspect_gradients,
    inspect_linearity,
    inspect_rules,
    inspect_values,
)
from autograd_lite.checking.layout import Vector
from autograd_lite.checking.locate import Indices, Located, Locator, describe_kink
from autograd_lite.checking.noise import NEAR, measured_noise
from autograd_lite.checking.numerical import Ladder
from autograd_lite.checking.report import GradcheckReport
from autograd_lite.checking.rounding import is_lost_inside
from autograd_lite.checking.samples import BLOCK, FIRST_LEVEL
from autograd_lite.checking.settling import MOST_BLOCKS, confirm, settle
from autograd_lite.checking.subjects import (
    EVALUATIONS_EACH,
    RESERVE,
    EngineFunction,
    RecordedSubject,
    Subject,
)
from autograd_lite.checking.verdict import Exhausted, Hint, Verdict
from autograd_lite.core.errors import ArgumentValueError

__all__ = ["FEWEST_EVALUATIONS", "Settings", "examine"]

FAINT = 2.0**21
"""Entries that contribute less than so many rounding errors of a difference are probed apart."""

CLOSE_BY = 128.0
"""Entries that cannot be moved this many times farther are not probed again."""

FAR_SMALLER = 1e-3
"""Inputs that do not show beside others are looked at elsewhere if they are that much smaller."""

BRIEFLY, ELSEWHERE, ALONE = 9, 60, 30
"""So many evaluations it takes, at least and at most; and to look at entries by themselves."""

MOST_ROUNDS, FEW = 4, 8
"""So often the weak entries are divided into those that show beside each other and the rest; and so
many of the rest are looked at once more: of more it is said that they do not show."""

ROUGHLY = 0.5
"""To such a part the weakest of many inputs are known, where one more look would be too much."""

AFAR = (-10, -14)
"""Where it is looked for what the rounding errors of a large constant hide nearby."""

CLEARLY = 100.0
"""So many errors of an estimate are no coincidence of rounding errors."""

MOST_MOVES = 3
"""How often the other inputs are made as small as those that do not show."""

MOST_TURNED = 16
"""For so many entries it is asked which side of a border they lie on."""

DRAWN = 16
"""Of so many directions one is taken in which contributions add up."""

MOST_TRIES = 3
"""How many random directions are tried where the function is not defined on all sides."""

SIGNIFICANT = {Agreement.DIFFERENT, Agreement.KINK}


@dataclass(frozen=True)
class Settings:
    """What was asked for; see `gradcheck`."""

    tolerance: Tolerance
    forward: bool
    full: bool
    nondeterminism: float
    max_evaluations: int


def examine(
    rng: np.random.Generator,
    settings: Settings,
    when_evaluated: Callable[[], object],
    subject: Subject,
) -> GradcheckReport:
    """Check one derivative of one subject."""
    subject.when_evaluated = when_evaluated
    subject.most = subject.evaluations - 1 + settings.max_evaluations
    entries = subject.x.size * subject.outputs.size
    if settings.full and entries > MOST_NUMBERS:
        raise ArgumentValueError(
            f"gradcheck: full=True would measure a Jacobian of {entries} entries; omit it, "
            "random directions cover them all"
        )
    needed = EVALUATIONS_EACH * subject.x.size + RESERVE
    if settings.full and needed > settings.max_evaluations:
        raise ArgumentValueError(
            f"gradcheck: full=True measures the derivative by each of {subject.x.size} inputs, "
            f"and max_evaluations={settings.max_evaluations} are too few for that; "
            f"pass max_evaluations={needed}, or omit full=True"
        )
    gap = inspect_function(subject, settings.nondeterminism)
    hints: list[Hint] = []
    if isinstance(subject, RecordedSubject):
        hints = inspect_rules(subject, rng, settings.nondeterminism, settings.tolerance.rtol)
    elif isinstance(subject, Foreign) or getattr(subject, "form", "") == "vjp":
        hints = inspect_linearity(subject, rng, settings.nondeterminism, settings.tolerance.rtol)
    analytic = AnalyticGradients.of(
        subject, cotangents(subject.outputs, subject.value, rng), settings.tolerance
    )
    analytic.linear = not hints
    analytic.noise = np.sum(np.abs(analytic.cotangents.products(gap)), axis=1)
    if isinstance(subject, Foreign):
        inspect_backward(subject, analytic.cotangents.rows[0])
    inspect_gradients(subject, analytic.cotangents.rows, analytic.rows)
    report = Examination(analytic, rng, settings.full, hints).report()
    if report and settings.forward:
        if not isinstance(subject, EngineFunction):
            raise ArgumentValueError(
                f'gradcheck: mode="forward" needs a function of Values, and {subject.name} is not; '
                "omit it, and the derivative itself is checked"
            )
        inspect_forward(subject, analytic, rng)
    return report


def wide_of(x: Vector, direction: Vector) -> Vector:
    """A direction along which tiny entries are moved far; the same one if it moves them so."""
    moved = direction != 0
    wide = np.where(moved, np.sign(direction) * np.maximum(np.abs(direction), 0.5), 0.0)
    if np.all(np.abs(wide) <= CLOSE_BY * np.abs(direction)) or not np.any(x[moved]):
        return direction
    return wide


def turned_inwards(subject: Subject, direction: Vector, rng: np.random.Generator) -> Vector:
    """Other signs: for few entries those on whose side the function is defined, each alone."""
    moved = np.flatnonzero(direction)
    if moved.size > MOST_TURNED or subject.remaining < 2 * FEWEST_EVALUATIONS:
        to_one_side: Vector = np.abs(direction) * rng.choice([-1.0, 1.0], 1)
        return to_one_side
    turned = direction.copy()
    for coordinate in moved:
        there = subject.x.copy()
        there[coordinate] += np.ldexp(direction[coordinate], -NEAR)
        if not np.isfinite(subject.evaluate(there)).all():
            turned[coordinate] *= -1
    return turned


def slopes_agree(ladder: Ladder, nearby: Ladder) -> bool:
    """Whether steps far out agree on a slope that is no noise, and that is lost in it nearby.

    Of steps, as those of floor, it would be seen: nearby it is none.
    """
    far, farther = (ladder.derivative(level) for level in AFAR)
    level = min(nearby.samples)
    with np.errstate(invalid="ignore"):
        agree = np.abs(far.value - farther.value) <= far.error + farther.error
        agree &= np.abs(farther.value) > CLEARLY * farther.error
        is_lost = np.ldexp(np.abs(farther.value), -level) <= CLEARLY * nearby.noise_at(level)
        return bool(np.any(agree & is_lost))


def shows_from_afar(analytic: AnalyticGradients, made: Probe, rng: np.random.Generator) -> bool:
    """Whether zero is claimed, nothing is seen nearby, and steps far out agree on a slope.

    So it is with a small function beside a large constant. Beyond a kink, as that of a
    dead unit, they would not agree.
    """
    nearby = made.ladder
    if np.any(analytic.rows) or not np.all(nearby.flat) or not np.any(nearby.base):
        return False
    if analytic.subject.remaining < 4 * BLOCK:
        return False
    ladder = analytic.ladder(nearby.direction)
    if not slopes_agree(ladder, nearby):
        return False
    # What cancels has the noise of what went in, which is far larger out there.
    ladder.allow(ladder.noise, far_noise=measured_noise(ladder, rng, min(AFAR)))
    return slopes_agree(ladder, nearby)


def turns_unseen(analytic: AnalyticGradients, made: Probe) -> bool:
    """Whether entries that were moved by more than their size disagree as the function turns on
    the way, and the claim with it, where no value shows it."""
    own = own_scale(analytic.subject.inputs, analytic.subject.x)
    farther = float(np.max(np.abs(made.ladder.direction) / own))
    gap = np.abs(made.limit.value - made.analytic)
    shows = np.any(gap / max(farther, 1.0) > SAFETY * made.ladder.noise)
    if farther <= 2 or shows or made.agreement is not Agreement.DIFFERENT:
        return False
    return analytic.holds_all_the_way(made)


def without_cancelling(
    analytic: AnalyticGradients, direction: Vector, rng: np.random.Generator
) -> Vector:
    """Another direction, of a few the one along which contributions cancel least."""
    scale = np.abs(direction)
    drawn = [scale * np.sign(signs(scale.size, rng)) for _ in range(DRAWN)]

    def kept(candidate: Vector) -> float:
        contributions = analytic.contributions(candidate)
        return float(np.min(np.abs(np.sum(contributions, axis=1))))

    return max(drawn, key=kept)


def beside_still_results(
    analytic: AnalyticGradients, made: Probe
) -> tuple[AnalyticGradients, Probe]:
    """The same; or those of the results that change, if these disagree by themselves.

    What is the same at all steps may hide a derivative, but not that of other results.
    """
    still = made.ladder.still_results
    is_hidden = made.agreement is Agreement.UNDECIDED and np.any(made.is_lost_in_still)
    if not is_hidden or still is None or np.all(still):
        return analytic, made
    others = analytic.without_results(still)
    there = others.probe(made.ladder.direction, made.level)
    confirm(there)
    return (others, there) if there.agreement is Agreement.DIFFERENT else (analytic, made)


@dataclass
class Examination(Conclusions):
    """Which directions are looked at, in which order, and when it is enough."""

    def report(self) -> GradcheckReport:
        subject = self.subject
        own = own_scale(subject.inputs, subject.x) * signs(subject.x.size, self.rng)
        ladder = self.analytic.measure_noise(self.analytic.ladder(own), self.rng)
        inspect_values(self.analytic)
        made = self.look_along(own, ladder)
        if made is None:
            return self.border()
        is_lost = made.agreement is Agreement.UNDECIDED and not made.vanishes
        if (
            is_lost
            or shows_from_afar(self.analytic, made, self.rng)
            or self.is_hidden_by_size(made)
        ):
            return self.noise(made)
        if made.agreement is Agreement.SAME and made.cancels:
            made = self.look_along(without_cancelling(self.analytic, own, self.rng)) or made
        if made.agreement in SIGNIFICANT:
            return self.trouble(made)
        for drawn, is_weak in self.further_directions():
            direction: Vector | None = drawn
            for _ in range(MOST_ROUNDS):
                if direction is None or self.never_shows(direction, is_weak):
                    break
                made = self.look_along(direction, strict=is_weak)
                if made is None:
                    break
                found = self.disagreement_along(made, is_weak)
                if found is not None:
                    return self.trouble(found)
                # Beside kinks entries were moved by less, and show less for that reason only.
                is_whole = is_weak and np.array_equal(
                    np.abs(made.ladder.direction), np.abs(direction)
                )
                direction = self.too_weak_beside_others(made) if is_whole else None
        for entries in (self.beyond, self.varying):
            if (found := by_themselves(self, entries)) is not None:
                return self.trouble(found)
        if self.beyond.size and self.moves < MOST_MOVES:
            elsewhere = self.where_they_count()
            if elsewhere is not None:
                return elsewhere
        return self.entry_by_entry() if self.full else self.correct()

    def is_hidden_by_size(self, made: Probe) -> bool:
        """Whether what is claimed is lost in rounding errors as tiny inputs were moved by their own
        size only, and moved farther shows to be something else.

        The function may turn within their size, too little for its values: that decides nothing.
        """
        direction = made.ladder.direction
        is_unseen = made.agreement is Agreement.UNDECIDED and made.vanishes
        is_rounding = made.size <= SAFETY * made.floor  # which claims to be zero
        if made.claims is None or not (is_unseen and np.any(made.claims & ~is_rounding)):
            return False
        wide = wide_of(self.subject.x, direction)
        if wide is direction or self.is_dear:
            return False
        there = self.settle_along(wide)
        return not (there.agreement is Agreement.SAME or there.vanishes)

    def disagreement_along(self, made: Probe, is_weak: bool) -> Probe | None:
        """A probe in which something is wrong; what cannot be seen is remembered."""
        if made.agreement in SIGNIFICANT:
            return self.unless_it_turns(made) if is_weak else made
        is_lost = is_weak and np.any(made.claims)
        if made.agreement is Agreement.UNDECIDED and (is_lost or not made.vanishes):
            return self.look_farther(made)
        if is_weak and not np.any(made.size) and not made.ladder.constant:
            # A claim of zero where the function varies: that may be too little to be seen.
            claimed_zero = np.flatnonzero(made.ladder.direction)
            self.varying = np.union1d(self.varying, claimed_zero)
            if self.are_far_smaller(claimed_zero):
                self.beyond = np.union1d(self.beyond, claimed_zero)
        if is_weak and not np.any(made.claims) and np.all(made.ladder.flat):
            self.silent = np.union1d(self.silent, np.flatnonzero(made.ladder.direction))
        return None

    def never_shows(self, direction: Vector, is_weak: bool) -> bool:
        """Whether even the coarsest steps leave what is claimed here below rounding; remembered."""
        if not is_weak or wide_of(self.subject.x, direction) is not direction:
            return False
        shows = self.analytic.level_that_shows(self.analytic.ladder(direction), DECISIVE)
        if shows >= farthest_level(self.subject.x, direction):
            return False
        self.beyond = np.union1d(self.beyond, np.flatnonzero(direction))
        return True

    @property
    def is_dear(self) -> bool:
        """Whether one more look would take too many evaluations, of a function of many inputs."""
        is_crowd = self.subject.x.size > CROWD
        return is_crowd and self.subject.evaluations > FEWEST_EVALUATIONS - BRIEFLY

    def too_weak_beside_others(self, made: Probe) -> Vector | None:
        """The part of a direction whose contributions a probe does not know well enough.

        Zeros are as they are claimed in most functions, so they are only doubted if tiny inputs
        could be the reason.
        """
        direction = made.ladder.direction
        shows = self.analytic.shown_by(made, ROUGHLY if self.is_dear else DECISIVE)
        own = own_scale(self.subject.inputs, self.subject.x)
        doubted = np.any(self.analytic.rows != 0, axis=0) | (own <= FAR_SMALLER * np.max(own))
        rest = np.where(shows | ~doubted, 0.0, direction)
        weakest = np.flatnonzero(rest)
        if made.agreement is not Agreement.SAME or not np.any(shows) or not weakest.size:
            return None
        is_crowd = direction.size > CROWD and self.are_far_smaller(weakest)
        if not is_crowd and (weakest.size <= FEW or self.are_far_smaller(weakest)):
            return rest
        self.beyond = np.union1d(self.beyond, weakest)
        return None

    def are_far_smaller(self, coordinates: Indices) -> bool:
        """Whether these inputs are far smaller than the others."""
        own = own_scale(self.subject.inputs, self.subject.x)
        others = np.delete(own, coordinates)
        return bool(np.max(own[coordinates]) <= FAR_SMALLER * np.max(others, initial=0.0))

    def where_they_count(self) -> GradcheckReport | None:
        """Look where the others are as small as the entries that do not show here.

        The claim is a function of the point, so that what is wrong there is wrong.
        """
        subject = self.subject
        is_possible = not self.is_dear and subject.remaining >= ELSEWHERE
        if not is_possible or not self.are_far_smaller(self.beyond):
            return None
        own = own_scale(subject.inputs, subject.x)
        others = np.setdiff1d(np.arange(subject.x.size), self.beyond)
        x = subject.x.copy()
        x[others] *= np.max(own[self.beyond]) / np.max(own[others])
        there = subject.moved_to(x)
        is_right = False
        try:
            if not np.all(np.isfinite(there.value)):
                return None
            rows = cotangents(there.outputs, there.value, self.rng)
            analytic = AnalyticGradients.of(there, rows, self.analytic.tolerance)
            if not np.all(np.isfinite(analytic.rows)):
                return None
            looked = Examination(analytic, self.rng, False, [], moves=self.moves + 1)
            direction = np.zeros_like(x)
            direction[self.beyond] = own[self.beyond] * signs(self.beyond.size, self.rng)
            made = looked.look_along(direction, strict=True)
            if made is not None and made.agreement is Agreement.SAME:
                is_right = looked.too_weak_beside_others(made) is None and not looked.beyond.size
            report = None if is_right else looked.report()
        except Exception:  # there the function of the user's, or its derivative, may raise anything
            report = None
        finally:
            subject.evaluations = there.evaluations
        if is_right:
            self.beyond = self.beyond[:0]
        if report is None or report.verdict is not Verdict.WRONG:
            return None
        names = self.names_of(self.beyond)
        reason = f"at a point where the other inputs are as small as {names}, {report.reason}"
        return replace(report, reason=reason, evaluations=subject.evaluations)

    def look_along(
        self, direction: Vector, ladder: Ladder | None = None, *, strict: bool = False
    ) -> Probe | None:
        """A settled probe; None where the function is not defined around x."""
        for _ in range(MOST_TRIES):
            made = self.settle_along(direction, ladder, strict=strict)
            if made.agreement is not Agreement.BORDER:
                self.probes.append(made)
                return made
            direction, ladder = turned_inwards(self.subject, direction, self.rng), None
        return None

    def settle_along(
        self, direction: Vector, ladder: Ladder | None = None, *, strict: bool = False
    ) -> Probe:
        """A probe with the steps that suit the function there."""
        first = not self.probes
        level = self.analytic.smooth_from or FIRST_LEVEL
        if not first:
            ladder = self.analytic.ladder(direction)
            shows = self.analytic.level_that_shows(ladder, DECISIVE / 6)
            shows = max(shows, farthest_level(self.subject.x, direction))
            level = min(max(self.probes[0].level, level), shows)
        made = self.analytic.probe(direction, level, ladder)
        is_short = strict and (self.is_dear or made.moves_crowd)
        if made.kinked or made.agreement is Agreement.BORDER:
            if is_short:  # where the first direction was smooth
                level = max(level, self.probes[0].level)
            near = kept_from_zero(self.subject.x, direction)
            if is_short or np.any(near != direction):
                made = self.analytic.probe(near, level)
        # A short look tells no kink from what coarse steps run into.
        is_short &= not made.kinked
        made.strict, made.ladder.is_searched = strict, is_short
        settle(made, SHARP if first else DECISIVE / 3, most=1 if is_short else MOST_BLOCKS)
        confirm(made)
        self.analytic.noise = np.maximum(self.analytic.noise, made.ladder.noise)
        self.analytic.is_brief |= made.ladder.is_brief
        if made.agreement not in (Agreement.SAME, Agreement.BORDER) and not self.calmed:
            self.calmed = True
            calm = self.analytic.without_steps(direction)
            if calm is not None:
                self.analytic = calm
                return self.settle_along(direction, strict=strict)
        is_lost = strict and made.agreement is Agreement.UNDECIDED
        is_lost &= bool(np.any(made.claims)) or self.is_dear
        if made.agreement not in (Agreement.SAME, Agreement.BORDER) and not is_lost:
            # All that errors could be, before it is said: what few values show may be too little.
            self.analytic.measure_noise(made.ladder, self.rng)
            made.limit = made.ladder.derivative(made.level)
            self.analytic.allow_for_rounding(made)
            confirm(made)
        self.analytic, made = beside_still_results(self.analytic, made)
        return made

    def further_directions(self) -> Iterator[tuple[Vector, bool]]:
        """All entries made to contribute alike; and those that contribute next to nothing.

        With each comes whether its entries are the weak ones, beside which others vary.
        """
        subject = self.subject
        scale = own_scale(subject.inputs, subject.x)
        size = np.abs(self.analytic.contributions(scale))
        unit = np.max(size, axis=1, keepdims=True)
        share = np.max(size / np.where(unit > 0, unit, 1.0), axis=0)
        noise = self.probes[0].ladder.noise[:, np.newaxis]
        with np.errstate(divide="ignore", invalid="ignore"):
            lost = float(np.max(np.where(unit > 0, noise / unit, 0.0)))
        faint = FAINT * 2.0 ** self.probes[0].level * lost / np.sqrt(subject.x.size)
        even, weak = equalized(scale, share, min(faint, DECISIVE))
        drawn = signs(subject.x.size, self.rng)
        if not np.all(weak):
            yield np.where(weak, 0.0, even) * drawn, False
        if np.any(weak):
            yield (
                np.where(weak, floor_scale(subject.inputs, subject.x), 0.0) * drawn,
                not np.all(weak),
            )

    def look_farther(self, made: Probe) -> Probe | None:
        """Move what contributes next to nothing by more; a probe if something is wrong."""
        direction = made.ladder.direction
        moved = (direction != 0) & ~self.analytic.shown_by(self.probes[0])
        self.beyond = np.union1d(self.beyond, np.flatnonzero(moved))
        wide = wide_of(self.subject.x, direction)
        if wide is direction or self.is_dear:
            return None
        there = self.settle_along(wide, strict=made.strict)
        if there.agreement is Agreement.SAME:
            zero = ~np.any(self.analytic.rows, axis=0)
            self.varying = np.union1d(self.varying, np.flatnonzero(moved & zero))
            shows = np.flatnonzero(moved & (zero | self.analytic.shown_by(there)))
            self.beyond = np.setdiff1d(self.beyond, shows)
        return self.unless_it_turns(there) if there.agreement is Agreement.DIFFERENT else None

    def unless_it_turns(self, made: Probe) -> Probe | None:
        """A probe in which weak entries are wrong; none if function and claim turn on the way."""
        if not turns_unseen(self.analytic, made):
            return made
        self.beyond = np.union1d(self.beyond, np.flatnonzero(made.ladder.direction))
        return None

    def entry_by_entry(self) -> GradcheckReport:
        """Compare the whole Jacobian."""
        first = self.probes[0]
        evidence = collect(self.analytic, first, Located, lambda part: False, self.rng, full=True)
        if not np.any(evidence.wrong()):
            return self.correct()
        return self.wrong(first, evidence)

    def trouble(self, made: Probe) -> GradcheckReport:
        is_kink = made.agreement is Agreement.KINK
        if is_lost_inside(self.subject, self.analytic.cotangents, made):
            return self.lost(made)
        try:
            return self.kink(made) if is_kink else self.wrong(made, self.evidence_of(made))
        except Exhausted:
            if is_kink:
                return self.conclude(Verdict.KINK, "the slope along a random direction jumps here")
            return self.wrong(made, None)

    def kink(self, made: Probe) -> GradcheckReport:
        locator = Locator(self.analytic, made.ladder.direction, made.level)
        return self.conclude(Verdict.KINK, describe_kink(locator, made))

    def evidence_of(self, made: Probe) -> Evidence:
        locator = Locator(self.analytic, made.ladder.direction, made.level)

        def locate() -> Located:
            return locator.wrong(made, budget=self.subject.remaining // 2)

        def clean(coordinates: Indices) -> bool:
            return bool(np.all(np.abs(locator.disagreement(coordinates)) <= made.allowed))

        return collect(self.analytic, made, locate, clean, self.rng, full=self.full)


def by_themselves(examination: Examination, entries: Indices) -> Probe | None:
    """A probe in which entries that do not show beside others are wrong by themselves.

    While the others stay where they are, values may be far less noisy: s·(a - b)² has the
    rounding errors of a and b where these move, and those of its own where only s does.
    """
    subject = examination.subject
    if not entries.size or subject.x.size > CROWD or subject.remaining < ALONE:
        return None
    own = own_scale(subject.inputs, subject.x)
    direction = np.zeros_like(own)
    direction[entries] = own[entries] * signs(entries.size, examination.rng)
    found = examination.analytic.alone_along(
        direction, examination.probes[0].ladder, examination.rng
    )
    if found is None:
        return None
    alone, ladder = found
    looked = Examination(alone, examination.rng, False, [])
    made = looked.look_along(direction, ladder, strict=True)
    if made is not None and made.agreement is Agreement.SAME:
        examination.beyond = np.setdiff1d(
            examination.beyond, np.flatnonzero(looked.analytic.shown_by(made))
        )
    if made is None or made.agreement is not Agreement.DIFFERENT:
        return None
    examination.analytic = looked.analytic
    return made
