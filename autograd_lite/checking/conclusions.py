"""What an examination comes to, in words: the reports of its verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from autograd_lite.checking.analytic import AnalyticGradients
from autograd_lite.checking.by_hand import HandWritten
from autograd_lite.checking.comparison import COARSE, DECISIVE, SAFETY, Agreement, Probe
from autograd_lite.checking.diagnosis import diagnose
from autograd_lite.checking.evidence import Evidence, worst_entries
from autograd_lite.checking.layout import Layout, Vector
from autograd_lite.checking.locate import Indices
from autograd_lite.checking.report import GradcheckReport, taylor_table
from autograd_lite.checking.subjects import Subject
from autograd_lite.checking.verdict import Hint, Verdict

__all__ = ["FEWEST_EVALUATIONS", "Conclusions"]

FEW_ROUNDINGS = 100.0
"""So many rounding errors are left of terms that cancel."""

FEWEST_EVALUATIONS = 40
"""A right derivative of an easy function takes no more."""

FAINTEST = 1e-14
"""Results below this part of the largest are named, as no direction decides on them."""

KEPT = (
    "it is the same to the last digit nearby, where the slope of the function is another: it was "
    "computed once and kept, or uses what an earlier call has saved; compute it from its "
    "arguments, or from what the latest call has saved"
)


def is_number(subject: Subject) -> bool:
    """Whether a derivative may have been given as the numbers that it has at the point."""
    return isinstance(subject, HandWritten) and subject.form != "vjp"


@dataclass
class Conclusions:
    """The directions that have been looked at, and what came of it."""

    analytic: AnalyticGradients
    rng: np.random.Generator
    full: bool
    hints: list[Hint]
    probes: list[Probe] = field(default_factory=list)
    moves: int = 0
    """How often the point has been moved away from what was asked for."""
    calmed: bool = False
    """Whether results that change by steps have been looked for."""
    beyond: Indices = field(default_factory=lambda: np.zeros(0, np.intp))
    """Entries whose contributions are below the noise of the values."""

    varying: Indices = field(default_factory=lambda: np.zeros(0, np.intp))
    """Entries with a derivative of zero along which values vary, by what may be noise of others."""

    silent: Indices = field(default_factory=lambda: np.zeros(0, np.intp))
    """Entries with a derivative of zero that are seen in no value, beside stronger ones."""

    @property
    def subject(self) -> Subject:
        return self.analytic.subject

    def correct(self) -> GradcheckReport:
        if self.hints:
            return self.conclude(Verdict.WRONG, self.hints[0].text, tuple(self.hints))
        is_cheap = self.subject.evaluations < FEWEST_EVALUATIONS
        is_kept = is_cheap and self.analytic.is_kept(self.probes[0])
        if is_kept and not is_number(self.subject):
            hint = Hint("kept", KEPT)
            return self.conclude(
                Verdict.WRONG, "the derivative is right at this point only", (hint,)
            )
        reason = f"along {len(self.probes)} random directions "
        decided = [probe for probe in self.probes if probe.agreement is Agreement.SAME]
        if self.probes[0] not in decided or not np.any(self.analytic.rows):
            within = f"within {self.bound():.0e}"
            reason += f"both derivatives are zero, as far as the values can tell: {within}"
        else:
            reason += f"it agrees with differences, which are good to {self.digits(decided)}"
        if any(probe.limit.one_sided for probe in self.probes):
            reason += "; on one side of the point only, as the function is not defined beyond it"
        if self.beyond.size:
            names = self.names_of(self.beyond)
            verb = "contributes" if self.beyond.size == 1 else "contribute"
            reason += f"; what {names} {verb} is below the rounding errors of the values"
        silent = np.setdiff1d(self.silent, self.beyond)
        if silent.size:
            reason += f"; no value shows {self.names_of(silent)}, whose derivative is to be zero"
        faint = self.faint_results()
        if faint.size:
            names = self.names_of(faint, self.subject.outputs)
            reason += f"; {names} is too small beside other results to be decided: check it alone"
        if isinstance(self.subject, HandWritten) and self.subject.summed:
            reason += "; the result is an array, so the gradient of its sum was checked"
        if is_kept:
            reason += f"; {KEPT}"
        return self.conclude(Verdict.CORRECT, reason)

    def digits(self, decided: list[Probe]) -> str:
        """How precisely the derivative is known along the direction that shows it best."""
        precision = min(probe.precision for probe in decided)
        if precision <= DECISIVE:
            return f"{precision:.0e}"
        return f"{decided[0].relative_error:.0e} of what the function varies by nearby"

    def bound(self) -> float:
        """What the derivative along the first direction may be, for all that values tell."""
        probe = self.probes[0]
        return float(np.max(np.ldexp(probe.error, self.analytic.cotangents.exponents)))

    def faint_results(self) -> Indices:
        """Results so small beside the largest that no cotangent weighs them enough."""
        size = np.abs(self.subject.value)
        faint: Indices = np.flatnonzero((size > 0) & (size < FAINTEST * np.max(size, initial=0.0)))
        return faint

    def names_of(self, coordinates: Indices, layout: Layout | None = None) -> str:
        entry = (layout or self.subject.inputs).entry
        names = ", ".join(entry(int(i)) for i in coordinates[:3])
        return names + (f" and {coordinates.size - 3} more" if coordinates.size > 3 else "")

    def border(self) -> GradcheckReport:
        error = self.subject.border
        what = f"raises {type(error).__name__} ({error})" if error is not None else "is not finite"
        return self.conclude(
            Verdict.BORDER,
            f"{self.subject.name} {what} however little the point is moved, to either side; "
            "check at a point inside its domain, or check it as a function of what may vary",
        )

    def lost(self, made: Probe) -> GradcheckReport:
        row = int(np.argmax(made.difference - made.allowed))
        exponent = int(self.analytic.cotangents.exponents[row])
        numerical, analytic, base = (
            float(np.ldexp(x[row], exponent))
            for x in (made.limit.value, made.analytic, made.ladder.base)
        )
        return self.conclude(
            Verdict.NOISE,
            f"the numerical derivative is {numerical:.3g}, the analytic one {analytic:.3g}, and "
            f"what was computed on the way to values of {base:.3g} is so much larger that its "
            "rounding errors may make this difference: terms are lost beside larger ones, as in a "
            "softmax whose largest entry is 1, or a matrix is next to singular; to decide, check "
            "at another point, or write it so that they are kept (log1p, expm1, logaddexp, the log "
            "of a softmax)",
        )

    def noise(self, made: Probe) -> GradcheckReport:
        row = int(np.argmax(made.error / np.maximum(made.scale, made.error / 1e9)))
        exponent = int(self.analytic.cotangents.exponents[row])

        def number(scaled: Vector) -> float:
            return float(np.ldexp(scaled[row], exponent))

        if np.any(made.hidden):
            return self.conclude(
                Verdict.NOISE,
                f"the values stay {float(self.subject.value.flat[0]):.3g} to the last digit around "
                "this point, and the derivative is too small to show in them: it is saturated, or "
                "numbers that were added to 1 or subtracted from it, or squared, are lost in "
                "rounding; to decide, check at another point, or write it with log1p, expm1 or "
                "logaddexp where such numbers are lost"
                if self.subject.outputs.size == 1
                else "no result changes around this point, and the derivative is too small to show "
                "in them; check at another point",
            )
        is_random = bool(np.any(made.ladder.nothing_but_noise & ~made.ladder.stays))
        if made.floor[row] > made.limit.error[row] and not is_random:
            return self.conclude(
                Verdict.NOISE,
                "the analytic derivative is not known well enough, as its own digits are few or it "
                f"changes with the last digits of the inputs: it is {number(made.analytic):.3g} "
                f"± {number(SAFETY * made.floor):.1g}, the numerical one "
                f"{number(made.limit.value):.3g} ± {number(SAFETY * made.limit.error):.1g}; to "
                "decide, let it keep all digits (astype, round and int cut them off), or check at "
                f"another point{', farther from its border' * made.ladder.is_at_border}",
            )
        if made.is_doubted:
            return self.conclude(
                Verdict.NOISE,
                f"the numerical derivative seems to be {number(made.limit.value):.3g}, the "
                f"analytic one is {number(made.analytic):.3g}, but finer steps see something else, "
                "and do not agree on what: a pole, or a slope that is infinite, may be closer than "
                "any step; to decide, check farther away from it",
            )
        noise, base = number(made.ladder.noise), number(np.abs(made.ladder.base))
        if self.subject.resolution > 1e-10:
            advice = "let it compute in float64"
        elif is_random:
            advice = (
                "check at a point where the function gives about the same for neighbouring floats: "
                "of numbers as large as here they may be periods apart"
            )
        elif made.is_rough or made.ladder.is_at_border:
            advice = "check farther away from where its slope is infinite, or from its border"
        elif noise > COARSE * base:
            # So small beside 1 and the inputs, it may as well be what cancelling left.
            largest = max(1.0, float(np.max(np.abs(self.subject.x))))
            cancels = noise <= FEW_ROUNDINGS * self.subject.resolution * largest
            advice = (
                f"let it keep all digits: {'large terms cancel in it, or ' * cancels}"
                "something in it rounds, to single or half precision, to "
                "so many decimals or to whole numbers, or is stopped by a tolerance; if steps are "
                "what is meant (floor, round, sign), the derivative between them is 0"
            )
        else:
            advice = "scale its result or subtract the large constant in it"
        return self.conclude(
            Verdict.NOISE,
            "rounding errors of the values hide the derivative at every step: the numerical one is "
            f"{number(made.limit.value):.3g} ± {number(made.error):.1g}, the analytic one "
            f"{number(made.analytic):.3g}, where values are {base:.3g} with errors of {noise:.1g}; "
            f"to decide, {advice}",
        )

    def wrong(self, made: Probe, evidence: Evidence | None) -> GradcheckReport:
        """Say so, and what explains it; without evidence if there was no evaluation left for it."""
        row = int(np.argmax(made.difference - made.allowed))
        exponent = int(self.analytic.cotangents.exponents[row])
        numbers = (made.limit.value, made.limit.error, made.analytic)
        numerical, error, analytic = (float(np.ldexp(x[row], exponent)) for x in numbers)
        summed = isinstance(self.subject, HandWritten) and self.subject.summed
        note = "; the result is an array, so this is the gradient of its sum" if summed else ""
        more = "a larger max_evaluations= would tell where and why"
        hints = (Hint("unexplained", more),) if evidence is None else diagnose(evidence)
        if self.hints:  # which explain it
            hints = tuple(hint for hint in hints if hint.kind != "unexplained")
        return self.conclude(
            Verdict.WRONG,
            f"along a random direction the numerical derivative is {numerical:.9g} "
            f"± {error:.1g}, the analytic one {analytic:.9g}{note}",
            (*self.hints, *hints),
            entries=worst_entries(evidence) if evidence else (),
        )

    def conclude(
        self, verdict: Verdict, reason: str, hints: tuple[Hint, ...] = (), **more: object
    ) -> GradcheckReport:
        return GradcheckReport(
            self.subject.name,
            verdict,
            reason,
            hints=hints,
            table=taylor_table(self.probes[0], self.analytic.cotangents) if self.probes else None,
            evaluations=self.subject.evaluations,
            **more,  # type: ignore[arg-type]
        )
