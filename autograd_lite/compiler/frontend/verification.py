"""Spaced verification: now and then a function also runs as it is, beside its program.

Guards see what they know of; what they do not see is an error at one of the calls 1, 4, 8, 16,
32, ...: the numbers of the program must be those of the function, to rounding.  How far rounding
may take them apart depends on the function, so where they differ by more than a little it is
measured: by how much do its results move when the arguments do, in their last digits?
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from autograd_lite.compiler.frontend.recorded import Recorded
from autograd_lite.compiler.frontend.recording import RandomStates, record_program
from autograd_lite.compiler.frontend.signature import Arguments
from autograd_lite.compiler.ir import Program, walk
from autograd_lite.core import tree
from autograd_lite.core.errors import CompileError
from autograd_lite.core.memory import as_it_lies, copied
from autograd_lite.core.value import Value

__all__ = [
    "MOST_VERIFIED",
    "SECOND",
    "Contents",
    "Outcome",
    "UnsteadyError",
    "coarsest_epsilon",
    "fails_on_arrays",
    "first_difference",
    "outcome_of",
    "own",
    "perturbed",
    "record_again",
    "run_as_it_is",
    "verify",
]

SECOND = 2
"""The call at which a function is traced again; at the others numbers are compared."""

MOST_VERIFIED = 1 << 28
"""Bytes of results: a function that makes more than that is traced again in place of being run."""

SHIFT = 1e-3
"""By which part of it each number is changed when a function is traced again."""

SPREAD = 1000.0
"""How many times as far as a last digit of the arguments rounding may move results."""


UNSTEADY = (
    "gives other numbers when it is made once more: the function takes the next of something (an "
    "iterator, a counter, the clock) each time, so it cannot be compiled; pass what it takes as an "
    "argument (check=False skips this test)"
)


class UnsteadyError(CompileError):
    """A function gave other numbers when it was called once more on the same arguments."""


def unchanged(x: Any) -> Any:
    return x


def own(x: Any) -> Any:
    """A copy of an array: a function that runs as it is may write to it."""
    return as_it_lies(x) if isinstance(x, np.ndarray) else x


class Outcome:
    """What a function gave when it ran as it is: the leaves of its result, or what it raised."""

    def __init__(self, result: Any = None, error: Exception | None = None) -> None:
        leaves = [] if error is not None else plain_leaves(result)
        self.leaves = [x.copy() if isinstance(x, np.ndarray) else x for x in leaves]
        self.error = error


class Contents:
    """What arrays hold before a program writes into them."""

    def __init__(self, arrays: Iterable[Any]) -> None:
        self.arrays = list(arrays)
        self.before = [x.copy() for x in self.arrays]

    @contextmanager
    def again(self) -> Iterator[None]:
        """A block in which they hold that again; it leaves behind what it found."""
        found = Contents(self.arrays)
        self.restore()
        try:
            yield
        finally:
            found.restore()

    def restore(self) -> None:
        """Undo what was written since."""
        for array, numbers in zip(self.arrays, self.before, strict=True):
            array[...] = numbers


def plain_leaves(result: Any) -> list[Any]:
    return [x.data if isinstance(x, Value) else x for x in tree.flatten(result)]


def outcome_of(
    function: Callable[..., Any],
    args: Any,
    kwargs: Any,
    states: RandomStates,
    seen: Exception | None = None,
) -> Outcome:
    """Run a function on its arguments as they are; on Values, where it cannot do with arrays.

    Either way it draws from random generators as they are in ``states``.  An error that was
    ``seen`` of it before is its own.
    """
    outcome = on_arrays(function, args, kwargs)
    if seen is not None and is_same_error(outcome.error, seen):
        return outcome
    with np.errstate(all="ignore"):
        given = map(is_complex, tree.flatten((args, kwargs)))
        answers_in_complex = any(map(is_complex, outcome.leaves)) and not any(given)
        if isinstance(outcome.error, ArithmeticError) or not (outcome.error or answers_in_complex):
            return outcome
        args, kwargs = tree.map(as_value, (args, kwargs))
        states.restore()
        try:
            return Outcome(function(*args, **kwargs))
        except Exception:
            return outcome


def is_same_error(error: Exception | None, other: Exception) -> bool:
    return type(error) is type(other) and str(error) == str(other)


def on_arrays(function: Callable[..., Any], args: Any, kwargs: Any) -> Outcome:
    """Run a function on its arguments as they are."""
    with np.errstate(all="ignore"):
        try:
            return Outcome(function(*args, **kwargs))
        except Exception as error:
            return Outcome(error=error)


def fails_on_arrays(
    function: Callable[..., Any],
    args: Any,
    kwargs: Any,
    generators: Iterable[Any],
    seen: Exception,
) -> bool:
    """Whether a function, whose trace raised an error, raises one on plain arrays as well.

    The draws before that are made.
    """
    args, kwargs = tree.map(own, (args, kwargs))
    states = RandomStates(generators)
    outcome = outcome_of(function, args, kwargs, states, seen)
    fails = outcome.error is not None
    if not fails:
        states.restore()
    return fails


def run_as_it_is(function: Callable[..., Any], args: Any, kwargs: Any, states: RandomStates) -> Any:
    """What a function gives whose program has failed, with the draws of that call.

    Where Python refuses its numbers, as in 1/0, NumPy's arithmetic counts: that of Values.
    """
    states.restore()
    try:
        results = function(*args, **kwargs)
    except (ArithmeticError, ValueError):
        numbers = [x for x in tree.flatten((args, kwargs)) if type(x) in (float, complex)]
        if not numbers:
            raise
        states.restore()
        args, kwargs = tree.map(
            lambda x: Value(x) if isinstance(x, (float, complex)) else x, (args, kwargs)
        )
        results = function(*args, **kwargs)
    return tree.map(lambda x: x.data if isinstance(x, Value) else x, results)


def is_complex(x: Any) -> bool:
    """Whether it is complex, as Python's roots of negative numbers are, and not NumPy's."""
    return isinstance(x, complex) or getattr(getattr(x, "dtype", None), "kind", "") == "c"


def as_value(x: Any) -> Any:
    is_array = isinstance(x, np.ndarray) and x.dtype.kind in "fc"
    return Value(x) if is_array or type(x) in (float, complex) else x


def verify(
    name: str,
    call: int,
    result: Any,
    outcome: Outcome,
    again: Callable[[Callable[[Any], Any]], Outcome],
    epsilon: float,
) -> None:
    """Compare the result of a program with that of its function.

    ``again`` runs the function on arguments whose leaves a function has changed; ``epsilon`` is
    that of the coarsest numbers it computes with.
    """
    if isinstance(outcome.error, ArithmeticError):
        return  # Python's numbers refuse what NumPy's answer
    if outcome.error is not None:
        error = outcome.error
        raise CompileError(
            f"call {call} of {name} raises {type(error).__name__} ({error}) where its program "
            f"computes something; {advice(call)}"
        ) from error
    difference = first_difference(result, outcome.leaves, again, epsilon)
    if difference is UNSTEADY:
        raise UnsteadyError(f"call {call} of {name} {UNSTEADY}")
    if difference is not None:
        raise CompileError(
            f"at call {call} the program of {name} does not compute what the function does: "
            f"{difference}; {advice(call)}"
        )


def advice(call: int) -> str:
    """Where a difference may come from, and what to write instead."""
    if call == 1:
        return (
            "while it was traced it took another way than with plain arrays: let it depend on "
            "shapes and dtypes, and not on what an argument is (isinstance, type, np.isscalar), "
            "nor on exceptions that it catches (check=False skips this test)"
        )
    return (
        "it reads something that changes and is not an argument (a file, the clock, an attribute "
        "that is found at run time): pass that as an argument, or call .clear() after a change "
        "(check=False skips this test)"
    )


def first_difference(
    result: Any,
    expected: list[Any],
    again: Callable[[Callable[[Any], Any]], Outcome],
    epsilon: float,
) -> str | None:
    found = plain_leaves(result)
    if len(found) != len(expected):
        return f"it returns {len(expected)} numbers and arrays, and the program {len(found)}"
    moves: list[Any] | None = None
    for index, (x, y) in enumerate(zip(found, expected, strict=True)):
        if not is_numeric(x) or not is_numeric(y):
            continue
        if np.shape(x) != np.shape(y):
            return f"result {index} has shape {np.shape(y)}, in the program {np.shape(x)}"
        distance, scale, allowed = compared(x, y)
        if distance <= max(allowed, epsilon**0.6 * scale):
            continue
        if moves is None:
            if differs(again(unchanged), expected):
                return UNSTEADY
            moves = moves_of(expected, again)
        if moves and distance <= allowed + SPREAD * moves[index]:
            continue
        return f"result {index} is off by {distance:.3g}, where its numbers reach {scale:.3g}"
    return None


def is_numeric(x: Any) -> bool:
    if isinstance(x, np.ndarray | np.generic):
        return x.dtype.kind in "fciub"
    return isinstance(x, int | float | complex)


def compared(x: Any, y: Any) -> tuple[float, float, float]:
    """How far apart numbers are, how large they are, and how far apart they may be."""
    x, y = np.asarray(x), np.asarray(y)
    with np.errstate(all="ignore"):
        if x.size and x.dtype == y.dtype and x.dtype.kind in "fc":
            distance, scale = (float(np.max(np.abs(numbers))) for numbers in (x - y, y))
            if np.isfinite(distance) and np.isfinite(scale):
                return distance, scale, epsilon_of(y) ** 0.6 * scale
        same = (x == y) | ((x != x) & (y != y))
        if np.all(same):
            return 0.0, 0.0, 0.0
        epsilon = max(map(epsilon_of, (x, y)))
        wide = complex if is_complex(x) or is_complex(y) else float
        x, y = x.astype(wide), y.astype(wide)
        distance = float(np.max(np.abs(np.where(same, 0, x - y))))
        finite = np.abs(y[np.isfinite(y)])
        scale = float(np.max(finite)) if finite.size else 0.0
    if not np.isfinite(distance):
        return float("inf"), scale, 0.0
    return distance, scale, epsilon**0.6 * scale


def differs(outcome: Outcome, expected: list[Any]) -> bool:
    """Whether a function gave something else now than before, on the same arguments."""
    if outcome.error is not None or len(outcome.leaves) != len(expected):
        return True
    for x, y in zip(outcome.leaves, expected, strict=True):
        if is_numeric(x) and is_numeric(y):
            distance, _, allowed = compared(x, y) if np.shape(x) == np.shape(y) else (1, 0, 0)
            if distance > allowed:
                return True
    return False


def moves_of(
    expected: list[Any], again: Callable[[Callable[[Any], Any]], Outcome]
) -> list[float] | None:
    """How far each result moves when the arguments do in their last digits."""
    furthest = [0.0] * len(expected)
    for digits in (4.0, -4.0):
        outcome = again(partial(moved, digits=digits))
        if outcome.error is not None or len(outcome.leaves) != len(expected):
            return None
        for index, (x, y) in enumerate(zip(outcome.leaves, expected, strict=True)):
            if is_numeric(x) and is_numeric(y) and np.shape(x) == np.shape(y):
                furthest[index] = max(furthest[index], compared(x, y)[0])
    return furthest


def moved(x: Any, digits: float) -> Any:
    return perturbed(x, digits * epsilon_of(x))


def coarsest_epsilon(program: Program) -> float:
    """That of the shortest floating-point numbers which a program computes with.

    Results may be longer: what was computed in single precision is rounded as that is.
    """
    dtypes = {x.type.dtype for x in walk(program) if x.type.dtype is not None}
    return max((float(np.finfo(x).eps) for x in dtypes if x.kind in "fc"), default=0.0)


def epsilon_of(x: Any) -> float:
    dtype = getattr(x, "dtype", np.dtype(float))
    return float(np.finfo(dtype).eps) if dtype.kind in "fc" else 0.0


def perturbed(x: Any, shift: float = SHIFT) -> Any:
    """A leaf with each of its numbers changed a little; whole numbers change their places."""
    if type(x) in (float, complex):
        return x * (1 + shift) or type(x)(shift)
    if isinstance(x, np.ndarray) and x.dtype.kind in "iub":
        return np.roll(x, 1) if abs(shift) == SHIFT else x
    if not (isinstance(x, np.ndarray | np.generic) and x.dtype.kind in "fc"):
        return x
    parts = np.arange(x.size, dtype=float).reshape(x.shape) / (x.size or 1)
    with np.errstate(all="ignore"):
        changed = np.multiply(x, 1 + shift * (1 + parts)).astype(x.dtype)
        changed = np.where(changed == 0, np.asarray(shift, x.dtype), changed)
    if isinstance(x, np.generic):
        return changed[()]
    return like(x, changed)


def like(x: Any, numbers: Any) -> Any:
    """Numbers in an array that lies in memory as another one does."""
    copy = copied(x)
    copy[...] = numbers
    return copy


def record_again(
    function: Callable[..., Any],
    arguments: Arguments,
    generators: Iterable[np.random.Generator],
) -> Recorded:
    """Trace a function on numbers all of which are other ones than those of a call.

    So a number that it reads is another one too, also where two calls get the same arguments.
    Where the function cannot do with such numbers, it is traced on those of the call.
    """
    others = [perturbed(x.value) if x.is_variable else x.value for x in arguments.leaves]
    args, kwargs = arguments.nest(others)
    try:
        return record_program(function, Arguments(function, args, kwargs), generators)
    except CompileError:
        raise
    except Exception:
        return record_program(function, arguments, generators)
