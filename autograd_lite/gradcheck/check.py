"""gradcheck: the order in which a check asks its questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.errors import ArgumentTypeError, ArgumentValueError, GradcheckError
from autograd_lite.gradcheck.comparison import (
    Agreement,
    Probe,
    Tolerance,
    probe,
    refine_by_complex_step,
)
from autograd_lite.gradcheck.directions import cotangents, directions, equalized
from autograd_lite.gradcheck.layout import Vector
from autograd_lite.gradcheck.locate import Locator, worst_entry
from autograd_lite.gradcheck.numerical import FIRST_LEVEL
from autograd_lite.gradcheck.report import GradcheckReport
from autograd_lite.gradcheck.subjects import EngineFunction, HandWritten, Subject, function_name
from autograd_lite.gradcheck.verdict import Finding, Verdict

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
    argnum: int | tuple[int, ...] | None = None,
    rng: int | np.random.Generator = 0,
    rtol: float = RTOL,
    atol: float = 0.0,
    raise_error: bool = True,
) -> GradcheckReport:
    """Check a derivative against the numerical one, and say what is wrong with it.

    Parameters
    ----------
    function
        Of Values or arrays; a primitive; or, together with one of the next
        three, a plain function whose derivative was written by hand.
    *args
        Where to check: numbers and arrays of any float or complex dtype, also
        nested in tuples, lists and dicts.
    gradient, vjp, jacobian
        A derivative written by hand: ``gradient(*args)`` of the result (of its
        sum, if it is an array); ``vjp(g, *args)``; or ``jacobian(*args)`` of
        shape ``result.shape + argument.shape``.  For several arguments each
        returns a tuple.
    argnum
        Which arguments to check; by default all.
    rng
        A seed or generator for the random directions.
    rtol, atol
        What the derivative may be off by, relative to its size and absolutely,
        beyond ten times the estimated error of the numerical derivative.
    raise_error
        False returns the report also when something is wrong.

    Returns
    -------
    GradcheckReport
        Is true if the derivative is correct.

    Raises
    ------
    GradcheckError
        If the verdict is anything but correct; its ``report`` tells all.
    ArgumentTypeError
        If an argument is an integer, or the function returns no number.
    ArgumentValueError
        If there is nothing to differentiate with respect to.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> bool(ag.gradcheck(lambda x: np.sum(np.sin(x) ** 2), np.array([0.5, 1.0])))
    True
    """
    subject: Subject | None = None
    try:
        subject = _subject(function, args, argnum, gradient=gradient, vjp=vjp, jacobian=jacobian)
        report = _check(subject, np.random.default_rng(rng), Tolerance(rtol, atol))
    except Finding as finding:
        report = GradcheckReport(
            function_name(function),
            finding.verdict,
            finding.reason,
            hints=tuple(finding.hints),
            evaluations=subject.evaluations if subject else 0,
        )
    if raise_error and not report:
        raise GradcheckError(str(report), report)
    return report


def _subject(
    function: Function,
    args: tuple[Any, ...],
    argnum: int | tuple[int, ...] | None,
    **derivatives: Function | None,
) -> Subject:
    if not callable(function):
        raise ArgumentTypeError(
            f"gradcheck: the first argument is {type(function).__name__}; pass the function "
            "itself, then its arguments"
        )
    given = [name for name, derivative in derivatives.items() if derivative is not None]
    if len(given) > 1:
        raise ArgumentValueError(
            f"gradcheck: {' and '.join(given)} were both given; check them one after the other"
        )
    varied = _positions(argnum, len(args))
    if given:
        return HandWritten(function, args, varied, **derivatives)
    return EngineFunction(function, args, varied)


def _positions(argnum: int | tuple[int, ...] | None, count: int) -> tuple[int, ...]:
    if argnum is None:
        return tuple(range(count))
    positions = argnum if isinstance(argnum, tuple) else (argnum,)
    for position in positions:
        if not 0 <= position < count:
            raise ArgumentValueError(
                f"gradcheck: argnum {position} names no argument; there are {count}"
            )
    return positions


def _check(subject: Subject, rng: np.random.Generator, tolerance: Tolerance) -> GradcheckReport:
    v = cotangents(subject.outputs, subject.value, rng)
    claimed = np.stack([subject.pull(row) for row in v])
    own, floor = directions(subject.inputs, subject.x, rng)
    probes: list[Probe] = []
    for direction in (own, floor):
        level = probes[0].level if probes else FIRST_LEVEL
        made = probe(subject, v, claimed, direction, tolerance, level)
        probes.append(made)
        made.settle()
        if made.agreement is Agreement.UNDECIDED:
            refine_by_complex_step(made, subject, v)
        if not _passes(made):
            return _trouble(subject, v, claimed, made, tolerance)
    weak = _weak_entries(subject, v, claimed, own, probes[0])
    if weak is not None:
        return _trouble(subject, v, claimed, weak, tolerance)
    return GradcheckReport(
        subject.name,
        Verdict.CORRECT,
        f"{len(probes)} random directions agree, to {max(p.relative_error for p in probes):.0e}",
        evaluations=subject.evaluations,
    )


def _passes(made: Probe) -> bool:
    if made.agreement is Agreement.UNDECIDED:
        return made.vanishes
    return made.agreement is Agreement.SAME


def _weak_entries(
    subject: Subject, v: Vector, claimed: Vector, direction: Vector, first: Probe
) -> Probe | None:
    """Look for mistakes among entries that contribute little: a probe if there is one."""
    even = equalized(direction, claimed[0])
    made = probe(subject, v, claimed, even, first.tolerance, first.level)
    if made.agreement is Agreement.UNDECIDED:
        refine_by_complex_step(made, subject, v)
    if made.agreement in (Agreement.DIFFERENT, Agreement.KINK):
        made.settle()
    return made if made.agreement in (Agreement.DIFFERENT, Agreement.KINK) else None


def _trouble(
    subject: Subject, v: Vector, claimed: Vector, made: Probe, tolerance: Tolerance
) -> GradcheckReport:
    locator = Locator(subject, v, claimed, made.ladder.direction, made.level, tolerance)
    if made.agreement is Agreement.KINK:
        names = [subject.inputs.entry(i) for i in locator.kinks()]
        what = "jumps" if made.jumps else "has a kink"
        reason = f"the function {what} at {', '.join(names) or 'this point'}"
        return GradcheckReport(
            subject.name, Verdict.KINK, reason, evaluations=subject.evaluations
        )
    if made.agreement is Agreement.UNDECIDED:
        return GradcheckReport(
            subject.name,
            Verdict.NOISE,
            "rounding errors hide the derivative at every step size",
            evaluations=subject.evaluations,
        )
    entries = [worst_entry(subject, located) for located in locator.wrong(made)]
    entries.sort(key=lambda entry: -abs(entry.numerical - entry.claimed))
    return GradcheckReport(
        subject.name,
        Verdict.WRONG,
        f"along a random direction the derivative is {made.limit.value[0]:.9g}, "
        f"and {made.claimed[0]:.9g} is claimed",
        entries=tuple(entries),
        evaluations=subject.evaluations,
    )
