"""What becomes of a program: computed, refused by name, or wrong.

The right value is NumPy's own; the right gradient is an extrapolated central difference of that, in
a random direction. Calls after the first start from what the first one left in the module.
"""

from __future__ import annotations

import re
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd_lite as ag
from tests.programs.program import Program, copy_of, shifted
from tests.programs.ways import EAGER, Way

__all__ = ["Outcome", "examine"]

STEP = 2e-3
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Outcome:
    """``kind`` is "computed", "refused", "discarded", or names what is wrong."""

    kind: str
    detail: str = ""

    @property
    def is_failure(self) -> bool:
        return self.kind not in ("computed", "refused", "discarded")

    @property
    def family(self) -> str:
        """Outcomes of the same root, mostly: the detail without numbers and names."""
        if self.kind not in ("refused", "other exception"):
            return self.kind
        line = self.detail.partition("\n")[0]
        return f"{self.kind}: {re.sub(r'[0-9(,;].*', '', line)[:90]}"


class NotAProgramError(Exception):
    """NumPy itself refuses it, warns, or it is not smooth where it was called."""


class Mismatch(Exception):  # noqa: N818  no error of the fuzzer's
    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(kind, detail)
        self.outcome = Outcome(kind, detail)


class Reference:
    """A program on plain arrays."""

    def __init__(self, program: Program) -> None:
        self.program = program
        rng = np.random.default_rng(0)
        self.directions = tuple(
            float(d) if np.ndim(d) == 0 and not isinstance(x, np.ndarray) else np.asarray(d)
            for x in program.arguments.values()
            for d in [rng.uniform(0.3, 1.0, np.shape(x)) * rng.choice([-1, 1], np.shape(x))]
        )
        self.results, self.globals = self.calls(2)
        result = self.results[0]
        if not is_number_or_array(result):
            raise NotAProgramError
        self.weights = np.cos(np.arange(np.size(result))).reshape(np.shape(result))
        self.has_one_number = np.shape(result) == ()

    def calls(self, count: int, shift: float = 0.0) -> tuple[list[Any], dict[str, Any]]:
        """Results of calls in a fresh module, the last of them with shifted arguments."""
        results = []
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                function, names = self.program.load(is_plain=True)
                for number in range(count):
                    step = shift if number == count - 1 else 0.0
                    arguments = self.arguments(step)
                    result = function(*arguments)
                    results.append(copy_of(result))
            except Exception as error:
                raise NotAProgramError from error
        return results, names

    def arguments(self, step: float) -> list[Any]:
        """The arguments, so far along the directions."""
        values = self.program.arguments.values()
        return [shifted(x, step * d) for x, d in zip(values, self.directions, strict=True)]

    def slope(self, call: int) -> float:
        """The derivative of the weighted result of one of the calls along the directions."""

        def weighted(shift: float) -> float:
            result = self.calls(call, shift)[0][-1]
            if np.shape(result) != self.weights.shape:
                raise NotAProgramError
            return float(np.sum(result * self.weights))

        return extrapolated(weighted)


def extrapolated(function: Callable[[float], float]) -> float:
    """The derivative at 0 by central differences of three widths."""
    widths = [STEP, STEP / 2, STEP / 4]
    pairs = [(function(h), function(-h)) for h in widths]
    wide, middle, narrow = (
        (high - low) / (2 * h) for h, (high, low) in zip(widths, pairs, strict=True)
    )
    first, second = (4 * middle - wide) / 3, (4 * narrow - middle) / 3
    best = (16 * second - first) / 15
    scale = 1 + abs(best)
    here = function(0.0)
    bends = [high + low - 2 * here for high, low in pairs]
    # A bend shrinks with the square of the width; at a kink only with the width.
    is_smooth = abs(bends[0] - 4 * bends[1]) <= 1e-3 * STEP * scale
    if not is_smooth or not abs(best - second) <= 1e-8 * scale:
        raise NotAProgramError
    return best


def is_number_or_array(x: Any) -> bool:
    is_plain = isinstance(x, (np.ndarray, np.generic, float))
    return is_plain and np.asarray(x).dtype.kind == "f" and bool(np.all(np.isfinite(x)))


def examine(program: Program, way: Way = EAGER, second: bool = True) -> Outcome:
    """Run a program in a way, and compare with NumPy."""
    try:
        reference = Reference(program)
        # Also where both calls have one value, since their derivatives may differ.
        slopes = [reference.slope(1), reference.slope(2)]
    except NotAProgramError:
        return Outcome("discarded")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # NumPy says so of all that is no array or list, before anything is asked of a Value.
            warnings.filterwarnings("ignore", "you are shuffling a 'Value' object", UserWarning)
            check_calls(reference, slopes, way)
            check_changes(reference, way)
            check_directional(reference, slopes[0], way)
            if second:
                check_second(reference, way)
    except Mismatch as mismatch:
        return mismatch.outcome
    except NotAProgramError:
        return Outcome("computed")
    except ag.AutogradError as error:
        return Outcome("refused", f"{type(error).__name__}: {last_line(error)}")
    except Exception as error:
        return Outcome(
            "other exception", f"{type(error).__name__}: {last_line(error)}\n{trace(error)}"
        )
    return Outcome("computed")


def check_calls(reference: Reference, slopes: list[float], way: Way) -> None:
    """Two calls: with arguments that could be written, and with read-only ones."""
    function, names = reference.program.load()
    weights = None if reference.has_one_number else reference.weights
    both = way.value_and_gradients(function, weights)
    for call, (expected, slope) in enumerate(zip(reference.results, slopes, strict=True)):
        arguments = reference.program.copies()
        if call == 1:
            for x in arguments:
                if isinstance(x, np.ndarray):
                    x.flags.writeable = False
        result, gradients = both(*arguments)
        which = " of the second call" if call else ""
        for x, original in zip(arguments, reference.program.arguments.values(), strict=True):
            if not np.array_equal(x, original):
                raise Mismatch("argument written" + which, f"{original!r} became {x!r}")
        wrong = differs(result, expected)
        if wrong:
            raise Mismatch("wrong value" + which, wrong)
        found = inner(gradients, reference.directions)
        if not abs(found - slope) <= TOLERANCE * (1 + abs(slope)):
            raise Mismatch(
                "wrong gradient" + which,
                f"along {reference.directions}: {found}, right is {slope}; gradients {gradients}",
            )
    for name, x in reference.globals.items():
        if isinstance(x, np.ndarray) and not np.array_equal(x, names[name]):
            raise Mismatch("module left otherwise", f"{name} is {names[name]!r}, right is {x!r}")


CALLS = 9
CHANGES = (3, 6)
"""Calls before which what a program reads from outside is changed."""

KEPT, NEGATED, STRIDED, REVERSED = "kept", "negated", "strided", "reversed"
GIVEN = {5: NEGATED, 7: STRIDED, 8: REVERSED}
"""How the arguments of a call are given."""


def given(x: Any, how: str) -> Any:
    """An argument, or its negative, or the same numbers elsewhere in memory."""
    if how == NEGATED:
        return -x
    if not isinstance(x, np.ndarray) or x.ndim == 0 or how == KEPT:
        return x
    wide = np.zeros((*x.shape, 2), x.dtype)[..., 0] if how == STRIDED else np.zeros_like(x)[::-1]
    wide[...] = x
    return wide


def check_changes(reference: Reference, way: Way) -> None:
    """More calls, with other arguments, and changes of what the program reads from outside.

    A change may be refused; cleared, the function goes on with what is there now.
    """
    function, names = reference.program.load()
    if way.name != "compiled":
        return
    plain, plain_names = reference.program.load(is_plain=True)
    eager, eager_names = reference.program.load()
    weights = None if reference.has_one_number else reference.weights
    both = way.value_and_gradients(function, weights)
    for call in range(1, CALLS + 1):
        if call in CHANGES:
            for module in (names, plain_names, eager_names):
                for name in [name for name in module if name.startswith("change_")]:
                    module[name]()
        step = 1e-2 * (call // 2)

        def arguments(step: float = step, how: str = GIVEN.get(call, KEPT)) -> list[Any]:
            return [given(x, how) for x in reference.arguments(step)]

        try:
            expected = plain(*arguments())
            if np.shape(expected) != reference.weights.shape:
                return
            slope = EAGER.value_and_gradients(eager, weights)(*arguments())[1]
        except Exception:  # it is no program any more
            return
        try:
            result, gradients = both(*arguments())
        except ag.AutogradError:
            if call not in CHANGES:
                raise
            both.clear()
            result, gradients = both(*arguments())
        wrong = differs(result, expected)
        if wrong is None and not np.allclose(
            inner(gradients, reference.directions), inner(slope, reference.directions), rtol=1e-8
        ):
            wrong = f"gradients {gradients}, right are {slope}"
        if wrong is not None:
            raise Mismatch("wrong after a change", f"call {call}: {wrong}")


def check_directional(reference: Reference, slope: float, way: Way) -> None:
    function, _ = reference.program.load()
    tangent = way.directional(function, reference.directions)(*reference.program.copies())
    found = float(np.sum(tangent * reference.weights))
    if not abs(found - slope) <= TOLERANCE * (1 + abs(slope)):
        raise Mismatch("wrong jvp", f"{found}, right is {slope}")


def check_second(reference: Reference, way: Way) -> None:
    """The change of the gradient along the directions, beside differences of gradients."""
    weights = None if reference.has_one_number else reference.weights
    directions = reference.directions

    def slope_at(shift: float) -> float:
        function, _ = reference.program.load()
        arguments = reference.arguments(shift)
        gradients = way.value_and_gradients(function, weights)(*arguments)[1]
        return inner(gradients, directions)

    function, _ = reference.program.load()
    product = way.second(function, weights, directions)(*reference.program.copies())
    found, right = inner(product, directions), extrapolated(slope_at)
    if not abs(found - right) <= 10 * TOLERANCE * (1 + abs(right)):
        raise Mismatch("wrong second derivative", f"{found}, right is {right}")


def inner(xs: Any, ys: Any) -> float:
    return sum(float(np.sum(np.asarray(x) * y)) for x, y in zip(xs, ys, strict=True))


def differs(result: Any, expected: Any) -> str | None:
    """What is wrong with a result, or None."""
    if isinstance(result, ag.Value):
        return f"a Value was returned: {result!r}"
    if np.shape(result) != np.shape(expected):
        return f"shape {np.shape(result)}, right is {np.shape(expected)}"
    if np.allclose(result, expected, rtol=1e-10, atol=1e-10):
        return None
    return f"{result!r}, right is {expected!r}"


def last_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[-1]


def trace(error: BaseException) -> str:
    """Where an exception came from: the innermost frames."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return "\n".join(f"  {f.filename.rpartition('/')[2]}:{f.lineno} in {f.name}" for f in frames)
