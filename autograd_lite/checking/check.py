"""gradcheck, the function that people call, and the order in which it asks its questions."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from tqdm import tqdm

from autograd_lite.checking.comparison import Agreement, AnalyticGradients, Probe, Tolerance
from autograd_lite.checking.diagnosis import diagnose
from autograd_lite.checking.directions import cotangents, directions, equalize, levels_to_stay_near
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
from autograd_lite.checking.report import GradcheckReport, taylor_table
from autograd_lite.checking.subjects import (
    EngineFunction,
    HandWritten,
    Model,
    RecordedSubject,
    Subject,
    function_name,
    is_model,
)
from autograd_lite.checking.verdict import Finding, Hint, Verdict
from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError, GradcheckError
from autograd_lite.core.primitive import Primitive

__all__ = ["gradcheck"]

Function = Callable[..., Any]

RTOL = 2.0**-26
"""Half the digits of double precision, in which both derivatives are computed."""


def gradcheck(
    function: Function,
    *args: Any,
    gradient: Function | None = None,
    vjp: Function | None = None,
    jacobian: Function | None = None,
    loss: Function | None = None,
    argnum: int | tuple[int, ...] | None = None,
    order: int = 1,
    mode: str = "reverse",
    full: bool = False,
    rng: int | np.random.Generator = 0,
    rtol: float = RTOL,
    atol: float = 0.0,
    progress: bool = True,
    raise_error: bool = True,
) -> GradcheckReport:
    """Check a derivative against the numerical one, and say what is wrong with it.

    Parameters
    ----------
    function
        Of Values or arrays; a primitive; or, with one of the next three, a plain function
        whose derivative was written by hand.
    *args
        Where to check: numbers and arrays of any float or complex dtype, also nested.
    gradient, vjp, jacobian
        A derivative written by hand: ``gradient(*args)`` of the result (of its sum, if it is an
        array); ``vjp(g, *args)``; or ``jacobian(*args)`` of shape ``result.shape +
        argument.shape``.  For several arguments each returns a tuple.
    loss
        For a model (with ``named_parameters()``, such as an ``nn.Module``), which is called with
        the first of ``args``: ``loss(output, *rest)`` is checked with respect to every parameter.
        Without a loss it is ``model(*args)``, also with respect to float arguments.
    argnum
        Which arguments to check; by default all.
    order
        1, 2 or 3: check the derivatives up to this order.
    mode
        "reverse"; or "forward", to check `jvp` too.
    full
        Compare the whole Jacobian, entry by entry, beside random directions drawn from ``rng``.
    rtol, atol
        What the derivative may be off by, relative to its size and absolutely, beyond ten times
        the estimated error of the numerical derivative.
    progress, raise_error
        Whether a check of over two seconds shows a progress bar; whether a mistake is an error.

    Returns
    -------
    GradcheckReport
        Is true if the derivative is correct.

    Raises
    ------
    GradcheckError
        If the verdict is anything but correct; its ``report`` tells all.
    ArgumentTypeError, ArgumentValueError
        If there is nothing that can be differentiated.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> bool(ag.gradcheck(lambda x: np.sum(np.sin(x) ** 2), np.array([0.5, 1.0])))
    True
    """
    require_choices(order, mode)
    generator = np.random.default_rng(rng)
    start = partial(
        subject_of, function, args, argnum, loss, gradient=gradient, vjp=vjp, jacobian=jacobian
    )
    examine = partial(examine_subject, generator, Tolerance(rtol, atol), mode == "forward", full)
    name = function_name(function)
    with tqdm(
        desc=f"gradcheck {name}", unit=" evaluations", delay=2, leave=False, disable=not progress
    ) as bar:
        report = examine_up_to(order, name, start, partial(examine, bar.update), generator)
    if raise_error and not report:
        raise GradcheckError(str(report), report)
    return report


def examine_up_to(
    order: int,
    name: str,
    start: Callable[[], Subject],
    examine: Callable[[Subject], GradcheckReport],
    rng: np.random.Generator,
) -> GradcheckReport:
    """Check derivative after derivative, until one is wrong."""
    subject: Subject | None = None
    try:
        subject = start()
        report = examine(subject)
        for _ in range(1, order):
            if report:
                subject = subject.differentiated(rng)
                report = examine(subject)
        return report
    except Finding as finding:
        # There is no derivative to compare.
        return GradcheckReport(
            subject.name if subject else name,
            finding.verdict,
            finding.reason,
            hints=tuple(finding.hints),
            evaluations=subject.evaluations if subject else 0,
        )


def require_choices(order: int, mode: str) -> None:
    if order not in (1, 2, 3):
        raise ArgumentValueError(f"gradcheck: order={order!r} is not 1, 2 or 3")
    if mode not in ("reverse", "forward"):
        raise ArgumentValueError(f'gradcheck: mode={mode!r} is neither "reverse" nor "forward"')


def subject_of(
    function: Function,
    args: tuple[Any, ...],
    argnum: int | tuple[int, ...] | None,
    loss: Function | None,
    **derivatives: Function | None,
) -> Subject:
    if not callable(function):
        raise ArgumentTypeError(
            f"gradcheck: the first argument is {type(function).__name__}; pass the function "
            "itself, then its arguments"
        )
    given = {name: derivative for name, derivative in derivatives.items() if derivative is not None}
    if len(given) > 1:
        raise ArgumentValueError(
            f"gradcheck: {' and '.join(given)} were both given; check them one after the other"
        )
    if is_model(function):
        return Model(function, args, loss)
    if loss is not None:
        raise ArgumentValueError(
            "gradcheck: loss= goes with a model that has named_parameters(); for a plain "
            "function write the loss into it"
        )
    if args:
        require_arity(function, args, function_name(function))
    for name in given:
        first = (np.ones(()),) if name == "vjp" else ()
        require_arity(given[name], (*first, *args), name)
    varied = positions_of(argnum, len(args))
    if given:
        return HandWritten(function, args, varied, *given.popitem())
    return EngineFunction(function, args, varied)


def require_arity(function: Any, args: tuple[Any, ...], name: str) -> None:
    """Say which arguments are missing or too many, before anything is computed."""
    try:
        signature = inspect.signature(
            function.forward if isinstance(function, Primitive) else function
        )
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*args)
    except TypeError as error:
        raise ArgumentTypeError(
            f"gradcheck: {name}{signature} cannot be called with {len(args)} arguments: {error}"
        ) from None


def positions_of(argnum: int | tuple[int, ...] | None, count: int) -> tuple[int, ...]:
    if argnum is None:
        return tuple(range(count))
    positions = argnum if isinstance(argnum, tuple) else (argnum,)
    for position in positions:
        if not 0 <= position < count:
            raise ArgumentValueError(
                f"gradcheck: argnum {position} names no argument; there are {count}"
            )
    return positions


def examine_subject(
    rng: np.random.Generator,
    tolerance: Tolerance,
    forward: bool,
    full: bool,
    when_evaluated: Callable[[], object],
    subject: Subject,
) -> GradcheckReport:
    """Check one derivative of one subject."""
    subject.when_evaluated = when_evaluated
    entries = subject.x.size * subject.outputs.size
    if full and entries > MOST_NUMBERS:
        raise ArgumentValueError(
            f"gradcheck: full=True would measure a Jacobian of {entries} entries; omit it, "
            "random directions cover them all"
        )
    inspect_function(subject)
    hints = inspect_rules(subject, rng) if isinstance(subject, RecordedSubject) else []
    analytic = AnalyticGradients.of(
        subject, cotangents(subject.outputs, subject.value, rng), tolerance
    )
    inspect_gradients(subject, analytic.cotangents, analytic.rows)
    report = Examination(analytic, rng, full, hints).report()
    if report and forward:
        if not isinstance(subject, EngineFunction):
            raise ArgumentValueError(
                f'gradcheck: mode="forward" needs a function of Values, and {subject.name} is not'
            )
        inspect_forward(subject, analytic, rng)
    return report


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
