"""One examination: the order in which a check asks its questions."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from autograd_lite.checking.comparison import Agreement, AnalyticGradients, Probe, Tolerance
from autograd_lite.checking.diagnosis import diagnose
from autograd_lite.checking.directions import (
    cotangents,
    directions,
    equalize,
    levels_to_stay_near,
)
from autograd_lite.checking.evidence import FEW, MOST_NUMBERS, Evidence, collect, worst_entries
from autograd_lite.checking.guards import (
    inspect_forward,
    inspect_function,
    inspect_gradients,
    inspect_rules,
)
from autograd_lite.checking.layout import Vector
from autograd_lite.checking.locate import Indices, Located, Locator, describe_kink
from autograd_lite.checking.numerical import FIRST_LEVEL
from autograd_lite.checking.report import GradcheckReport
from autograd_lite.checking.subjects import EngineFunction, RecordedSubject, Subject
from autograd_lite.checking.taylor import taylor_table
from autograd_lite.checking.verdict import Finding, Hint, Verdict
from autograd_lite.core.errors import ArgumentValueError

__all__ = ["Request", "examine", "report_of"]


@dataclass(frozen=True)
class Request:
    """How a check is to be made."""

    rng: np.random.Generator
    tolerance: Tolerance
    forward: bool = False
    full: bool = False


def examine(subject: Subject, request: Request) -> GradcheckReport:
    """Check one derivative of one subject."""
    try:
        return _examine(subject, request)
    except Finding as finding:
        return report_of(finding, subject.name, subject.evaluations)


def _examine(subject: Subject, request: Request) -> GradcheckReport:
    rng = request.rng
    entries = subject.x.size * subject.outputs.size
    if request.full and entries > MOST_NUMBERS:
        raise ArgumentValueError(
            f"gradcheck: full=True would measure a Jacobian of {entries} entries; omit it, "
            "random directions cover them all"
        )
    inspect_function(subject)
    hints = inspect_rules(subject, rng) if isinstance(subject, RecordedSubject) else []
    analytic = AnalyticGradients.of(
        subject, cotangents(subject.outputs, subject.value, rng), request.tolerance
    )
    inspect_gradients(subject, analytic.cotangents, analytic.rows)
    report = Examination(analytic, rng, request.full, hints).report()
    if report and request.forward:
        if not isinstance(subject, EngineFunction):
            raise ArgumentValueError(
                f'gradcheck: mode="forward" needs a function of Values, and {subject.name} is not'
            )
        inspect_forward(subject, analytic, rng)
    return report


def report_of(finding: Finding, name: str, evaluations: int) -> GradcheckReport:
    """The report of a check that ended before derivatives could be compared."""
    return GradcheckReport(
        name,
        finding.verdict,
        finding.reason,
        hints=tuple(finding.hints),
        evaluations=evaluations,
    )


@dataclass
class Examination:
    """Random directions first; the first that disagrees is looked into."""

    analytic: AnalyticGradients
    rng: np.random.Generator
    full: bool
    hints: list[Hint]
    probes: list[Probe] = field(default_factory=list)

    @property
    def subject(self) -> Subject:
        return self.analytic.subject

    def report(self) -> GradcheckReport:
        own, floor = directions(self.subject.inputs, self.subject.x, self.rng)
        for direction in (own, floor):
            made = self.settle_along(direction)
            made.confirm()
            self.probes.append(made)
            if made.agreement is Agreement.UNDECIDED and (made.deliberate or not made.negligible):
                return self.noise(made)
            if made.agreement in (Agreement.DIFFERENT, Agreement.KINK):
                return self.trouble(made)
        weak = self.weak_entries(own)
        if weak is not None:
            return self.trouble(weak)
        return self.entry_by_entry() if self.full else self.correct()

    def settle_along(self, direction: Vector) -> Probe:
        """A probe with the steps that suit the function there."""
        near = FIRST_LEVEL + levels_to_stay_near(self.subject.x, direction)
        level = max(self.probes[0].level, near) if self.probes else near
        made = self.analytic.probe(direction, level)
        made.settle()
        if made.agreement is Agreement.UNDECIDED:
            self.analytic.by_complex_step(made)
        return made

    def weak_entries(self, direction: Vector) -> Probe | None:
        """Look for mistakes among entries that contribute little: a probe if there is one."""
        even = equalize(direction, self.analytic.rows[0])
        if even is None:
            return None
        made = self.analytic.probe(even, self.probes[0].level)
        if made.agreement is Agreement.UNDECIDED:
            self.analytic.by_complex_step(made)
        if made.agreement in (Agreement.DIFFERENT, Agreement.KINK):
            made.settle()
            made.confirm()
        return made if made.agreement in (Agreement.DIFFERENT, Agreement.KINK) else None

    def correct(self) -> GradcheckReport:
        if self.hints:
            return self.conclude(Verdict.WRONG, self.hints[0].text, tuple(self.hints))
        reason = f"along {len(self.probes)} random directions it agrees with differences, "
        if any(probe.agreement is Agreement.UNDECIDED for probe in self.probes):
            reason += "both are zero to the precision of the values"
        else:
            reason += f"which are good to {max(p.relative_error for p in self.probes):.0e}"
        return self.conclude(Verdict.CORRECT, reason)

    def noise(self, made: Probe) -> GradcheckReport:
        single = self.subject.resolution > 1e-10
        advice = (
            "let it compute in float64"
            if single
            else "scale its result or subtract the large constant in it"
        )
        return self.conclude(
            Verdict.NOISE,
            "rounding errors of the values hide the derivative at every step: the numerical one is "
            f"{made.limit.value[0]:.3g} ± {made.limit.error[0]:.1g}, the analytic one "
            f"{made.analytic[0]:.3g}, where values are {abs(made.ladder.base[0]):.3g}; "
            f"to decide, {advice}",
        )

    def entry_by_entry(self) -> GradcheckReport:
        """Compare the whole Jacobian."""
        first = self.probes[0]
        evidence = collect(self.analytic, first, Located(), lambda part: False, self.rng, full=True)
        if not np.any(evidence.wrong()):
            return self.correct()
        return self.wrong(first, evidence)

    def trouble(self, made: Probe) -> GradcheckReport:
        locator = Locator(self.analytic, made.ladder.direction, made.level)
        if made.agreement is Agreement.KINK:
            return self.conclude(Verdict.KINK, describe_kink(locator, made))
        located = Located(complete=False)
        if self.subject.x.size > FEW:
            located = locator.wrong(made)

        def clean(coordinates: Indices) -> bool:
            return bool(np.all(np.abs(locator.disagreement(coordinates)) <= made.allowed))

        return self.wrong(
            made, collect(self.analytic, made, located, clean, self.rng, full=self.full)
        )

    def wrong(self, made: Probe, evidence: Evidence) -> GradcheckReport:
        return self.conclude(
            Verdict.WRONG,
            f"along a random direction the numerical derivative is {made.limit.value[0]:.9g} "
            f"± {made.limit.error[0]:.1g}, the analytic one {made.analytic[0]:.9g}",
            (*self.hints, *diagnose(evidence)),
            entries=worst_entries(evidence),
        )

    def conclude(
        self, verdict: Verdict, reason: str, hints: tuple[Hint, ...] = (), **more: object
    ) -> GradcheckReport:
        return GradcheckReport(
            self.subject.name,
            verdict,
            reason,
            hints=hints,
            table=taylor_table(self.probes[0]) if self.probes else None,
            evaluations=self.subject.evaluations,
            **more,  # type: ignore[arg-type]
        )
