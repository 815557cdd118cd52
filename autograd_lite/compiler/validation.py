"""Validation: whether a program still computes, after each pass, what was recorded.

What was recorded is evaluated operation by operation, on random numbers, and on such among which
are the special ones: zeros of either sign, ties, infinities, NaN, numbers near underflow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_lite.compiler.codegen.driver import execute, write_program
from autograd_lite.compiler.frontend.recorded import Place
from autograd_lite.compiler.frontend.recording import RandomStates, generators_in
from autograd_lite.compiler.frontend.verification import (
    Outcome,
    coarsest_epsilon,
    first_difference,
    own,
)
from autograd_lite.compiler.interpreter import evaluate
from autograd_lite.compiler.ir import Program, Type
from autograd_lite.compiler.passes.lower import lower
from autograd_lite.compiler.passes.pipeline import DECISIONS, decide
from autograd_lite.compiler.passes.plan_buffers import plan_buffers
from autograd_lite.compiler.passes.schedule import Schedule
from autograd_lite.core.errors import CompileError

__all__ = ["Validation"]

SPECIAL: dict[str, tuple[float, ...]] = {
    "zeros": (0.0, -0.0),
    "ties": (1.0, -1.0),
    "infinities": (np.inf, -np.inf),
    "NaN": (np.nan,),
    "numbers near underflow": (1.0, -1.0),
}
"""Special numbers, by what they are called; of the last, the least that there are."""

DATA = [
    ("random numbers", 0.0),
    ("positive numbers", 0.0),
    *((kind, share) for share in (0.5, 0.125) for kind in SPECIAL),
]
"""Data sets, and the share of special numbers in them: few of them, and nothing hides the rest."""

Run = Callable[[list[Any]], Any]


@dataclass
class Case:
    """Inputs, and what the recorded program gives for them."""

    data: str
    recorded: Program
    inputs: list[Any]
    expected: Outcome


class Validation:
    """What was checked while a program was made: ``print`` shows it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: list[str] = []
        self.recorded: Program | None = None

    def __str__(self) -> str:
        return "\n".join([f"validation of {self.name}", *self.lines])

    def watch(self, program: Program) -> Callable[[Callable[..., Any], Program], None]:
        """Begin with a program as it was recorded; what comes back is told of each rewrite."""
        cases = list(cases_of(program))
        where = "" if self.recorded is None else " of a body"
        self.recorded = self.recorded or program

        def check(rewrite: Callable[..., Any], program: Program) -> None:
            self._check(f"{rewrite.__name__}{where}", program, cases, evaluation(program))

        return check

    def check_decisions(self, schedule: Schedule) -> None:
        """Check the source after each decision; until it is made, operations are just called."""
        assert self.recorded is not None
        cases = list(cases_of(self.recorded))
        schedule = replace(schedule, options=replace(schedule.options, check_finite=False))
        for last, decision in enumerate(DECISIONS):
            made = DECISIONS[: last + 1]
            needed = [x for x in (lower, plan_buffers) if x not in made]
            scheduled = decide(schedule, (*made, *needed))
            places = tuple(map(Place, range(len(scheduled.program.outputs))))
            prepare = execute(write_program(scheduled, "program", places))

            def run(inputs: list[Any], prepare: Callable[[], Any] = prepare) -> Any:
                return prepare()(*inputs)

            self._check(decision.__name__, scheduled.program, cases, run)

    def _check(self, name: str, program: Program, cases: list[Case], run: Run) -> None:
        checked = 0
        for case in cases:
            if case.expected.error is not None:  # a singular matrix, a loop without an end
                continue
            difference = difference_of(program, case, run)
            if difference is not None:
                raise CompileError(
                    f"validate: after the pass {name} the program of {self.name} does not compute "
                    f"what was recorded: on {case.data} {difference}; this is an error of the "
                    "pass: please report it with the function, and call that without ag.compile"
                )
            checked += 1
        self.lines.append(
            f"  {name:28} {len(program.operations):5} operations, the same on {checked} of "
            f"{len(cases)} data sets"
        )


def evaluation(program: Program) -> Run:
    return lambda inputs: evaluate(program, inputs)


def difference_of(program: Program, case: Case, run: Run) -> str | None:
    outcome = outcome_on(program, case.inputs, run)
    if outcome.error is not None:
        return f"it raises {type(outcome.error).__name__} ({outcome.error})"
    for index, (x, y) in enumerate(zip(outcome.leaves, case.expected.leaves, strict=False)):
        if np.result_type(x) != np.result_type(y):
            return f"result {index} is of {np.result_type(x)}, in place of {np.result_type(y)}"

    def again(change: Callable[[Any], Any]) -> Outcome:
        """What the recorded program gives nearby: so far apart rounding may take numbers."""
        inputs = list(map(change, case.inputs))
        return outcome_on(case.recorded, inputs, evaluation(case.recorded))

    epsilon = coarsest_epsilon(case.recorded)
    return first_difference(outcome.leaves, case.expected.leaves, again, epsilon)


def outcome_on(program: Program, inputs: list[Any], run: Run) -> Outcome:
    """What a run on copies gives or raises; generators are as before afterwards."""
    states = RandomStates(generators_in(program))
    try:
        with np.errstate(all="ignore"):
            return Outcome(run(list(map(own, inputs))))
    except Exception as error:
        return Outcome(error=error)
    finally:
        states.restore()


def cases_of(program: Program) -> Iterator[Case]:
    """Data sets, and what a program gives for each."""
    types = [x.type for x in program.inputs]
    if not all(map(is_numeric, types)):
        return
    for seed, (data, share) in enumerate(DATA):
        rng = np.random.default_rng(seed)
        inputs = [drawn(of, data, share, rng) for of in types]
        yield Case(data, program, inputs, outcome_on(program, inputs, evaluation(program)))


def is_numeric(of: Type) -> bool:
    return of.kind in (bool, int, float, complex) if of.dtype is None else of.dtype.kind in "biufc"


def drawn(of: Type, data: str, share: float, rng: np.random.Generator) -> Any:
    """A number or array of a type, with special numbers in a share of its places."""
    dtype = np.dtype(of.kind) if of.dtype is None else of.dtype
    if dtype.kind == "c":
        real = np.finfo(dtype).dtype
        parts = [numbers(of.shape, real, data, share, rng) for _ in range(2)]
        array = np.empty(of.shape, dtype)
        array.real, array.imag = parts
    elif dtype.kind == "f":
        array = numbers(of.shape, dtype, data, share, rng)
    else:
        array = np.asarray(rng.integers(0, 2, of.shape)).astype(dtype)
    if of.dtype is None:
        return of.kind(array[()])
    return array[()] if of.kind is np.generic else array


def numbers(
    shape: tuple[int, ...], dtype: Any, data: str, share: float, rng: np.random.Generator
) -> Any:
    array = np.asarray(rng.normal(size=shape)).astype(dtype)
    if data == "positive numbers":
        return np.exp(array)
    if not share:
        return array
    special = np.asarray(rng.choice(SPECIAL[data], shape)).astype(dtype)
    if data == "numbers near underflow":
        special = special * np.finfo(dtype).smallest_subnormal
    return np.where(rng.random(shape) < share, special, array)
