"""gradcheck, the function that people call, and the order in which it asks its questions."""

from __future__ import annotations

import inspect
import math
import numbers
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial, wraps
from typing import Any

import numpy as np

from autograd_lite.checking.by_hand import HandWritten
from autograd_lite.checking.comparison import Tolerance
from autograd_lite.checking.examination import FEWEST_EVALUATIONS, Settings, examine
from autograd_lite.checking.foreign import Foreign, library_of, on_arrays
from autograd_lite.checking.report import OBSERVERS, GradcheckReport
from autograd_lite.checking.subjects import (
    EngineFunction,
    Model,
    Subject,
    argument_names,
    function_name,
    is_model,
)
from autograd_lite.checking.verdict import Finding, Verdict
from autograd_lite.core import tree
from autograd_lite.core.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    GradcheckError,
    RuleError,
)
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
    kwargs: Mapping[str, Any] | None = None,
    argnum: int | tuple[int, ...] | None = None,
    order: int = 1,
    mode: str = "reverse",
    full: bool = False,
    rng: int | np.random.Generator = 0,
    rtol: float = RTOL,
    atol: float = 0.0,
    nondeterminism: float = 0.0,
    max_evaluations: int = 300,
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
        argument.shape``.  For several arguments each returns a tuple, of nested ones what is
        nested like them.  Of complex results a Jacobian holds the derivatives ∂re + i·∂im.
    loss
        For a model (with ``named_parameters()``, such as an ``nn.Module``), which is called with
        the first of ``args``: ``loss(output, *rest)`` is checked with respect to every parameter.
        Without a loss it is ``model(*args)``, also with respect to float arguments.
    kwargs
        Arguments that are passed by name, and checked as well: ``kwargs={"w": w}``.
    argnum
        Which arguments to check, those passed by name coming last; by default all.
    order
        1, 2 or 3: check the derivatives up to this order.
    mode
        "reverse"; or "forward", to check `jvp` too.
    full
        Compare the whole Jacobian, entry by entry, beside random directions drawn from ``rng``.
    rtol, atol
        What the derivative may be off by, relative to its size and absolutely, beyond ten times
        the estimated error of the numerical derivative.
    nondeterminism
        By how much results may differ from run to run, and what rules return of a sum from the
        sum of what they return, as where a solver stops at a tolerance; rounding errors always may.
    max_evaluations
        How often the function may be computed for each order, at most; 40 or more. A right one
        takes fewer than 40 as a rule.
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
    require_budget(max_evaluations)
    require_choices(order, mode, rtol=rtol, atol=atol, nondeterminism=nondeterminism)
    require_functions(gradient=gradient, vjp=vjp, jacobian=jacobian)
    generator = generator_of(rng)
    if kwargs:
        require_names(function, kwargs, len(args))
        names = (len(args), tuple(kwargs))
        function = by_keyword(function, *names)
        gradient, vjp, jacobian = (
            g and by_keyword(g, len(args) + (g is vjp), names[1]) for g in (gradient, vjp, jacobian)
        )
        args = (*args, *kwargs.values())
    start = partial(
        subject_of, function, args, argnum, loss, gradient=gradient, vjp=vjp, jacobian=jacobian
    )
    settings = Settings(
        Tolerance(rtol, atol), mode == "forward", full, nondeterminism, max_evaluations
    )
    name = function_name(function)
    with progress_bar(f"gradcheck {name}", progress) as bar:
        advance = (lambda: None) if bar is None else bar.update
        report = examine_up_to(
            order, name, start, partial(examine, generator, settings, advance), generator
        )
    for observe in OBSERVERS:
        observe(report)
    if raise_error and not report:
        raise GradcheckError(str(report), report)
    return report


def progress_bar(title: str, is_shown: bool) -> AbstractContextManager[Any]:
    """A bar of what takes longer than two seconds; none, where tqdm is not installed."""
    try:
        from tqdm import tqdm
    except ImportError:
        return nullcontext()
    return tqdm(desc=title, unit=" evaluations", delay=2, leave=False, disable=not is_shown)


def generator_of(rng: int | np.random.Generator) -> np.random.Generator:
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise ArgumentValueError(
            f"gradcheck: rng={rng!r} is not a seed ({error}); pass an integer from 0 on, or a "
            "np.random.Generator"
        ) from None


def require_functions(**derivatives: Function | None) -> None:
    for name, given in derivatives.items():
        if given is not None and not callable(given):
            raise ArgumentTypeError(
                f"gradcheck: {name} is {type(given).__name__}; pass the function that computes it, "
                f"as in {name}=lambda {'g, ' * (name == 'vjp')}x: ..."
            )


def require_names(function: Function, kwargs: Any, count: int) -> None:
    """Refuse ``kwargs`` that is no mapping from names, or names what was passed by position."""
    if not (isinstance(kwargs, Mapping) and all(isinstance(name, str) for name in kwargs)):
        raise ArgumentTypeError(
            f"gradcheck: kwargs={kwargs!r} is not a dict of names; write kwargs={{'w': w}}"
        )
    for name in argument_names(function, count):
        if name in kwargs:
            raise ArgumentValueError(
                f"gradcheck: {name!r} is passed by position and in kwargs; leave out one of them"
            )


def by_keyword(function: Function, count: int, names: tuple[str, ...]) -> Function:
    """A function whose arguments after the first ``count`` are passed on by name."""

    @wraps(function, assigned=("__name__", "__doc__"), updated=())
    def called(*args: Any) -> Any:
        return function(*args[:count], **dict(zip(names, args[count:], strict=True)))

    del called.__wrapped__
    positional = argument_names(function, count)
    kind = inspect.Parameter.POSITIONAL_ONLY
    parameters = [inspect.Parameter(name.replace(" ", "_"), kind) for name in (*positional, *names)]
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return called


def examine_up_to(
    order: int,
    name: str,
    start: Callable[[], Subject],
    look: Callable[[Subject], GradcheckReport],
    rng: np.random.Generator,
) -> GradcheckReport:
    """Check derivative after derivative, until one is wrong."""
    subject: Subject | None = None
    try:
        subject = start()
        report = look(subject)
        for _ in range(1, order):
            if report:
                subject = subject.differentiated(rng)
                report = look(subject)
        return report
    except RuleError as error:
        return GradcheckReport(
            subject.name if subject else name,
            Verdict.SHAPE,
            str(error),
            evaluations=subject.evaluations if subject else 0,
        )
    except Finding as finding:
        # There is no derivative to compare.
        return GradcheckReport(
            subject.name if subject else name,
            finding.verdict,
            finding.reason,
            hints=tuple(finding.hints),
            evaluations=subject.evaluations if subject else 0,
        )
    except Exception as error:  # a library says in its own way that it does not take Values
        if "not a valid JAX type" in str(error):
            raise ArgumentTypeError(
                f"gradcheck: {name} computes with JAX, which does not take Values; pass its "
                "arguments as jnp.array(…), and JAX's derivative is checked"
            ) from error
        if subject is not None and type(error).__module__.partition(".")[0] == "numba":
            raise ArgumentTypeError(
                f"gradcheck: {name} computes with Numba, which does not take Values; pass the "
                "derivative that is to be checked, as in gradient=lambda x: ..."
            ) from error
        raise


def require_choices(order: int, mode: str, **amounts: float) -> None:
    if type(order) is not int or order not in (1, 2, 3):
        raise ArgumentValueError(f"gradcheck: order={order!r} is not 1, 2 or 3")
    if mode not in ("reverse", "forward"):
        raise ArgumentValueError(f'gradcheck: mode={mode!r} is neither "reverse" nor "forward"')
    for name, amount in amounts.items():
        is_number = isinstance(amount, numbers.Real) and not isinstance(amount, bool)
        if not (is_number and math.isfinite(amount) and amount >= 0):
            raise ArgumentValueError(
                f"gradcheck: {name}={amount!r} is not a tolerance; pass a finite number from 0 on"
            )


def require_budget(max_evaluations: int) -> None:
    is_count = isinstance(max_evaluations, numbers.Integral)
    if not is_count or isinstance(max_evaluations, bool) or max_evaluations < FEWEST_EVALUATIONS:
        raise ArgumentValueError(
            f"gradcheck: max_evaluations={max_evaluations!r} is not a number of evaluations that "
            f"can decide anything; pass an integer from {FEWEST_EVALUATIONS} on"
        )


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
    require_meant(function, argnum, loss, given)
    library = library_of(function, args)
    if given and library is not None:
        function, *derivatives_given = (
            on_arrays(library, f, args) for f in (function, *given.values())
        )
        given = dict(zip(given, derivatives_given, strict=True))
        args = tuple(tree.map(library.array, list(args)))
    elif library is not None:
        chosen = None if argnum is None else positions_of(argnum, len(args))
        return Foreign(library, function, args, chosen, loss)
    if is_model(function):
        return Model(function, args, loss)
    if args:
        require_arity(function, args, function_name(function))
    for name in given:
        first = (np.ones(()),) if name == "vjp" else ()
        require_arity(given[name], (*first, *args), name)
    varied = positions_of(argnum, len(args))
    if given:
        return HandWritten(function, args, varied, *given.popitem())
    return EngineFunction(function, args, varied)


def require_meant(
    function: Any,
    argnum: int | tuple[int, ...] | None,
    loss: Function | None,
    given: Mapping[str, Function],
) -> None:
    """Refuse what would be passed over: a loss of no model; what is not asked of a model."""
    if not is_model(function):
        if loss is not None:
            raise ArgumentValueError(
                "gradcheck: loss= goes with a model that has named_parameters(); for a plain "
                "function write the loss into it"
            )
        return
    name = type(function).__name__
    for form in given:
        raise ArgumentValueError(
            f"gradcheck: {form}= is of a plain function, and {name} is a model, of which the "
            "derivative by every parameter is checked; omit it, or pass a function of the "
            "numbers that it belongs to"
        )
    if argnum is not None:
        raise ArgumentValueError(
            f"gradcheck: argnum= names arguments of a plain function, and {name} is a model, of "
            "which every parameter is checked; omit it, or freeze what is not to be checked "
            "(requires_grad = False)"
        )


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
        if not isinstance(position, numbers.Integral) or isinstance(position, bool):
            raise ArgumentTypeError(
                f"gradcheck: argnum={argnum!r} is neither a position nor a tuple of positions; "
                "write argnum=0 or argnum=(0, 1)"
            )
        if not 0 <= position < count:
            raise ArgumentValueError(
                f"gradcheck: argnum {position} names no argument; there are {count}"
            )
    if len(set(positions)) < len(positions):
        raise ArgumentValueError(
            f"gradcheck: argnum={argnum!r} names an argument twice; name each once"
        )
    return positions
