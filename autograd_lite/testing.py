"""Gradient checks for your own test suite: an assertion, and Hypothesis strategies.

A test of a function with a kink at 0 is three lines::

    @given(ag.testing.arrays_for(np.abs))
    def test_abs(args):
        ag.testing.assert_gradients(np.abs, *args)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograd_lite.checking import gradcheck
from autograd_lite.checking.foreign import library_of
from autograd_lite.checking.subjects import is_model
from autograd_lite.core.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    AutogradError,
    GradcheckError,
    MissingOptionError,
)
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["Domain", "arrays_for", "assert_gradients", "smooth_arrays"]

Function = Callable[..., Any]


def assert_gradients(
    functions: Function | Sequence[Function] | Mapping[str, Function],
    *args: Any,
    order: int | None = None,
    **options: Any,
) -> None:
    """Assert that the derivatives of a function, or of each of a family, are correct.

    Parameters
    ----------
    functions
        One function, or several in a sequence or a mapping from names.
    *args
        Where to check, the same for all.
    order
        Up to which derivative; by default to the second, where there is one: of a model, of a
        derivative written by hand, and of rules that have no derivative themselves (black boxes,
        residuals), only the first is checked.
    **options
        As for `gradcheck`.

    Raises
    ------
    GradcheckError
        An AssertionError with the report of every function that failed.
    ArgumentTypeError
        If there is no function to check.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> ag.testing.assert_gradients([np.sin, np.tanh], np.array([0.3, -1.2]))
    """
    __tracebackhide__ = True
    options["raise_error"] = False
    if isinstance(functions, Mapping):
        functions = list(functions.values())
    family = [functions] if callable(functions) else functions
    family = list(family) if isinstance(family, Iterable) else [family]
    if not family or not all(map(callable, family)):
        raise ArgumentTypeError(
            f"assert_gradients: {functions!r} holds no function, or something else; pass a "
            "function, or a sequence or mapping of functions, then their arguments"
        )
    by_hand = any(options.get(name) is not None for name in ("gradient", "vjp", "jacobian"))
    reports = []
    for function in family:
        highest = order or (1 if by_hand or not has_second_derivative(function, args) else 2)
        try:
            reports.append(gradcheck(function, *args, order=highest, **options))
        except AutogradError as error:
            if order or highest == 1:
                raise
            reports.append(check_first(error, function, *args, **options))
    failed = [report for report in reports if not report]
    if failed:
        heading = f"{len(failed)} of {len(family)} functions failed\n" if len(family) > 1 else ""
        text = heading + "\n".join(str(report) for report in failed)
        raise GradcheckError(text, failed[0])


def check_first(refusal: AutogradError, function: Function, *args: Any, **options: Any) -> Any:
    """Check the first derivative where the second was refused; what is refused too says why."""
    __tracebackhide__ = True
    try:
        return gradcheck(function, *args, order=1, **options)
    except AutogradError:
        raise refusal from None


def has_second_derivative(function: Any, args: Sequence[Any]) -> bool:
    """Whether the engine differentiates it as often as one likes."""
    return not is_model(function) and library_of(function, args) is None


@dataclass(frozen=True)
class Domain:
    """Where a function of real numbers is smooth.

    Attributes
    ----------
    low, high : float
        The interval.
    away_from : tuple of float
        Kinks and poles in it.
    distinct : bool
        Whether no two entries may come close to each other, as for ``max`` and ``sort``.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> ag.testing.Domain(0.1, 3.0).intervals()
    [(0.1, 3.0)]
    >>> ag.testing.Domain(-1.0, 1.0, away_from=(0.0,)).intervals(gap=0.25)
    [(-1.0, -0.25), (0.25, 1.0)]
    """

    low: float = -2.0
    high: float = 2.0
    away_from: tuple[float, ...] = ()
    distinct: bool = False

    def intervals(self, gap: float = 0.05) -> list[tuple[float, float]]:
        """The parts of the interval that keep a distance from kinks and poles."""
        edges = [self.low]
        for place in sorted(self.away_from):
            edges += [place - gap, place + gap]
        edges.append(self.high)
        pairs = zip(edges[::2], edges[1::2], strict=True)
        return [(left, right) for left, right in pairs if left < right]


ANYWHERE = Domain()
NOT_ZERO = Domain(away_from=(0.0,))
POSITIVE = Domain(0.1, 3.0)
INSIDE_ONE = Domain(-0.9, 0.9)
DISTINCT = Domain(distinct=True)

FUNCTIONS_OF_ONE: dict[Domain, tuple[Any, ...]] = {
    POSITIVE: (np.log, np.log2, np.log10, np.sqrt),
    INSIDE_ONE: (np.arcsin, np.arccos, np.arctanh),
    NOT_ZERO: (np.abs, np.fabs, np.sign, np.reciprocal, np.cbrt, np.prod, np.linalg.norm),
    DISTINCT: (np.max, np.min, np.sort, np.median, np.ptp, np.std, np.nanmax, np.nanmin),
    Domain(-0.9, 3.0): (np.log1p,),
    Domain(1.1, 4.0): (np.arccosh,),
    Domain(-1.4, 1.4): (np.tan,),
}
APART = Domain(-2.0, -0.1), Domain(0.1, 2.0)

DOMAINS: dict[Any, tuple[Domain, ...]] = {
    **{f: (domain,) for domain, functions in FUNCTIONS_OF_ONE.items() for f in functions},
    np.divide: (ANYWHERE, NOT_ZERO),
    np.power: (POSITIVE, ANYWHERE),
    np.float_power: (POSITIVE, ANYWHERE),
    np.hypot: (NOT_ZERO, NOT_ZERO),
    np.arctan2: (NOT_ZERO, NOT_ZERO),
    np.maximum: APART,
    np.minimum: APART,
    np.fmax: APART,
    np.fmin: APART,
}
"""Smooth domains of the arguments of NumPy's functions, where they are not all numbers."""


def smooth_arrays(
    domain: Domain = ANYWHERE, shape: int | tuple[int, ...] = (3,), dtype: Any = np.float64
) -> SearchStrategy[Any]:
    """A Hypothesis strategy for arrays in a domain where a function is smooth.

    Parameters
    ----------
    domain
        Which numbers to draw.
    shape, dtype
        Of the arrays.

    Raises
    ------
    MissingOptionError
        If Hypothesis is not installed.
    ArgumentValueError
        If nothing is left of the domain.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> positive = ag.testing.Domain(0.1, 3.0)
    >>> strategy = ag.testing.smooth_arrays(positive, (2, 3))
    """
    try:
        from hypothesis import strategies as st
        from hypothesis.extra import numpy as hnp
    except ImportError:
        raise MissingOptionError(
            "smooth_arrays: Hypothesis is not installed; pip install hypothesis"
        ) from None
    intervals = domain.intervals()
    if not intervals:
        raise ArgumentValueError(f"smooth_arrays: nothing is left of {domain}; widen it")
    if domain.distinct:
        return distinct_arrays(domain, shape, dtype)
    numbers = st.one_of(
        [st.floats(left, right, allow_subnormal=False) for left, right in intervals]
    )
    return hnp.arrays(np.float64, shape, elements=numbers).map(lambda a: a.astype(dtype))


def distinct_arrays(
    domain: Domain, shape: int | tuple[int, ...], dtype: Any
) -> SearchStrategy[Any]:
    """Entries in random order, one from each of equal parts of the interval, away from its ends."""
    from hypothesis import strategies as st
    from hypothesis.extra import numpy as hnp

    size = int(np.prod(shape))
    part = (domain.high - domain.low) / max(size, 1)

    def arrange(drawn: tuple[list[int], Any]) -> Any:
        places, offsets = drawn
        values = domain.low + (np.array(places, float) + 0.25 + 0.5 * offsets) * part
        return np.reshape(values, shape).astype(dtype)

    offsets = hnp.arrays(np.float64, size, elements=st.floats(0.0, 1.0, allow_subnormal=False))
    return st.tuples(st.permutations(range(size)), offsets).map(arrange)


def arrays_for(
    function: Function,
    *domains: Domain,
    shape: int | tuple[int, ...] = (3,),
    dtype: Any = np.float64,
) -> SearchStrategy[tuple[Any, ...]]:
    """A Hypothesis strategy for the arguments of a function, where it is smooth.

    Parameters
    ----------
    function
        One of NumPy's, whose smooth domains are known, or your own.
    *domains
        One for each argument; for your own function by default any numbers
        in [-2, 2] for each argument that has no default.
    shape, dtype
        Of every argument.

    Returns
    -------
    strategy
        Draws tuples of arguments.

    Raises
    ------
    MissingOptionError
        If Hypothesis is not installed.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> strategy = ag.testing.arrays_for(np.divide, shape=(2, 2))
    """
    chosen = domains or DOMAINS.get(function) or (ANYWHERE,) * count_arguments(function)
    strategies = [smooth_arrays(domain, shape, dtype) for domain in chosen]
    from hypothesis import strategies as st

    return st.tuples(*strategies)


def count_arguments(function: Any) -> int:
    """How many arguments a function needs."""
    if isinstance(function, np.ufunc):
        return function.nin
    target = function.forward if isinstance(function, Primitive) else function
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return 1
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in kinds and p.default is p.empty for p in parameters)
