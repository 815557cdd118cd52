"""One examination: the order in which a check asks its questions."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from autograd_lite.gradcheck.comparison import Agreement, Claim, Probe, Tolerance
from autograd_lite.gradcheck.diagnosis import diagnose
from autograd_lite.gradcheck.directions import (
    cotangents,
    directions,
    equalized,
    levels_to_stay_near,
)
from autograd_lite.gradcheck.evidence import FEW, collect, worst_entries
from autograd_lite.gradcheck.guards import inspect_function, inspect_gradients, inspect_rules
from autograd_lite.gradcheck.kinks import describe_kink
from autograd_lite.gradcheck.layout import Vector
from autograd_lite.gradcheck.locate import Indices, Located, Locator
from autograd_lite.gradcheck.numerical import FIRST_LEVEL
from autograd_lite.gradcheck.report import GradcheckReport
from autograd_lite.gradcheck.subjects import EngineFunction, Subject
from autograd_lite.gradcheck.taylor import taylor_table
from autograd_lite.gradcheck.verdict import Hint, Verdict

__all__ = ["examine"]


def examine(subject: Subject, rng: np.random.Generator, tolerance: Tolerance) -> GradcheckReport:
    """Check one derivative of one subject."""
    inspect_function(subject)
    hints = []
    if isinstance(subject, EngineFunction):
        hints = inspect_rules(subject.recorded(), rng)
    claim = Claim.of(subject, cotangents(subject.outputs, subject.value, rng), tolerance)
    inspect_gradients(subject, claim.cotangents, claim.gradients)
    return Examination(claim, rng, hints).report()


@dataclass
class Examination:
    """Random directions first; the first that disagrees is looked into."""

    claim: Claim
    rng: np.random.Generator
    hints: list[Hint]
    probes: list[Probe] = field(default_factory=list)

    @property
    def subject(self) -> Subject:
        return self.claim.subject

    def report(self) -> GradcheckReport:
        own, floor = directions(self.subject.inputs, self.subject.x, self.rng)
        for direction in (own, floor):
            start = self.probes[0].level if self.probes else FIRST_LEVEL
            made = self.settled(direction, start + levels_to_stay_near(self.subject.x, direction))
            made.confirm()
            self.probes.append(made)
            if made.agreement is Agreement.UNDECIDED and not made.vanishes:
                return self.noise(made)
            if made.agreement in (Agreement.DIFFERENT, Agreement.KINK):
                return self.trouble(made)
        weak = self.weak_entries(own)
        return self.correct() if weak is None else self.trouble(weak)

    def settled(self, direction: Vector, level: int) -> Probe:
        """A probe with the steps that suit the function there."""
        made = self.claim.probe(direction, level)
        made.settle()
        if made.agreement is Agreement.UNDECIDED:
            self.claim.by_complex_step(made)
        return made

    def weak_entries(self, direction: Vector) -> Probe | None:
        """Look for mistakes among entries that contribute little: a probe if there is one."""
        even = equalized(direction, self.claim.gradients[0])
        made = self.claim.probe(even, self.probes[0].level)
        if made.agreement is Agreement.UNDECIDED:
            self.claim.by_complex_step(made)
        if made.agreement in (Agreement.DIFFERENT, Agreement.KINK):
            made.settle()
            made.confirm()
        return made if made.agreement in (Agreement.DIFFERENT, Agreement.KINK) else None

    def correct(self) -> GradcheckReport:
        if self.hints:
            return self.finished(Verdict.WRONG, self.hints[0].text, tuple(self.hints))
        precision = max(probe.relative_error for probe in self.probes)
        return self.finished(
            Verdict.CORRECT,
            f"along {len(self.probes)} random directions it agrees with differences, "
            f"which are good to {precision:.0e}",
        )

    def noise(self, made: Probe) -> GradcheckReport:
        single = self.subject.resolution > 1e-10
        advice = (
            "let it compute in float64" if single else
            "scale its result or subtract the large constant in it"
        )
        return self.finished(
            Verdict.NOISE,
            "rounding errors of the values hide the derivative at every step: it is "
            f"{made.limit.value[0]:.3g} ± {made.limit.error[0]:.1g}, and {made.claimed[0]:.3g} is "
            f"claimed, where values are {abs(made.ladder.base[0]):.3g}; to decide, {advice}",
        )

    def trouble(self, made: Probe) -> GradcheckReport:
        locator = Locator(self.claim, made.ladder.direction, made.level)
        if made.agreement is Agreement.KINK:
            return self.finished(Verdict.KINK, describe_kink(locator, made))
        located = Located(complete=False)
        if self.subject.x.size > FEW:
            located = locator.wrong(made)

        def clean(coordinates: Indices) -> bool:
            return bool(np.all(np.abs(locator.disagreement(coordinates)) <= made.allowed))

        evidence = collect(self.claim, made, located, clean, self.rng)
        return self.finished(
            Verdict.WRONG,
            f"along a random direction it is {made.limit.value[0]:.9g} "
            f"± {made.limit.error[0]:.1g}, and {made.claimed[0]:.9g} is claimed",
            (*self.hints, *diagnose(evidence)),
            entries=worst_entries(evidence),
        )

    def finished(
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
