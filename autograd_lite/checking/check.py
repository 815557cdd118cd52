"""gradcheck, the function that people call: its arguments, and what it raises."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from tqdm import tqdm

from autograd_lite.checking.comparison import Tolerance
from autograd_lite.checking.examination import Request, examine, report_of
from autograd_lite.checking.models import Model, is_model
from autograd_lite.checking.report import GradcheckReport
from autograd_lite.checking.subjects import EngineFunction, HandWritten, Subject, function_name
from autograd_lite.checking.verdict import Finding
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
    _require_choices(order, mode)
    request = Request(np.random.default_rng(rng), Tolerance(rtol, atol), mode == "forward", full)
    subject: Subject | None = None
    try:
        subject = _subject(
            function, args, argnum, loss, gradient=gradient, vjp=vjp, jacobian=jacobian
        )
        report = _examine_up_to(order, subject, request, progress)
    except Finding as finding:
        evaluations = subject.evaluations if subject else 0
        report = report_of(finding, function_name(function), evaluations)
    if raise_error and not report:
        raise GradcheckError(str(report), report)
    return report


def _examine_up_to(
    order: int, subject: Subject, request: Request, progress: bool
) -> GradcheckReport:
    """Check derivative after derivative, until one is wrong."""
    with tqdm(
        desc=f"gradcheck {subject.name}", unit=" evaluations", delay=2, leave=False,
        disable=not progress,
    ) as bar:  # fmt: skip
        subject.when_evaluated = bar.update
        report = examine(subject, request)
        for _ in range(1, order):
            if report:
                subject = subject.differentiated(request.rng)
                subject.when_evaluated = bar.update
                report = examine(subject, request)
    return report


def _require_choices(order: int, mode: str) -> None:
    if order not in (1, 2, 3):
        raise ArgumentValueError(f"gradcheck: order={order!r} is not 1, 2 or 3")
    if mode not in ("reverse", "forward"):
        raise ArgumentValueError(f'gradcheck: mode={mode!r} is neither "reverse" nor "forward"')


def _subject(
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
        _require_arity(function, args, function_name(function))
    for name in given:
        first = (np.ones(()),) if name == "vjp" else ()
        _require_arity(given[name], (*first, *args), name)
    varied = _positions(argnum, len(args))
    if given:
        return HandWritten(function, args, varied, *given.popitem())
    return EngineFunction(function, args, varied)


def _require_arity(function: Any, args: tuple[Any, ...], name: str) -> None:
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
