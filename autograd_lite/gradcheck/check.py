"""gradcheck, the function that people call: its arguments, and what it raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.errors import ArgumentTypeError, ArgumentValueError, GradcheckError
from autograd_lite.gradcheck.comparison import Tolerance
from autograd_lite.gradcheck.examination import examine
from autograd_lite.gradcheck.report import GradcheckReport
from autograd_lite.gradcheck.subjects import EngineFunction, HandWritten, Subject, function_name
from autograd_lite.gradcheck.verdict import Finding

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
    order: int = 1,
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
    order
        1, 2 or 3: check the derivatives up to this order; the second is the
        derivative of the first, as the engine computes it.
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
    generator = np.random.default_rng(rng)
    tolerance = Tolerance(rtol, atol)
    subject: Subject | None = None
    try:
        subject = _subject(function, args, argnum, gradient=gradient, vjp=vjp, jacobian=jacobian)
        report = examine(subject, generator, tolerance)
        for _ in range(1, order):
            if report:
                subject = subject.differentiated(generator)
                report = examine(subject, generator, tolerance)
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
