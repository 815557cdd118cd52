"""Random programs: compiled as eager, and every order of the passes gives the same numbers.

Set AUTOGRAD_LITE_NIGHTLY to compile 500 programs instead of 25.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.compiler import api
from autograd_lite.compiler.codegen.emitter import Emitter
from autograd_lite.compiler.frontend import verification
from autograd_lite.compiler.frontend.recording import record_program
from autograd_lite.compiler.frontend.signature import Arguments
from autograd_lite.compiler.ir import Constant, Program
from autograd_lite.compiler.passes.pipeline import REWRITES
from autograd_lite.compiler.runtime.backend import NumpyBackend
from tests.compile.test_equivalence import assert_same
from tests.ops.numerical import random_like
from tests.ops.test_random_programs import SHAPES, assemble, run, step

PROGRAMS = 500 if os.environ.get("AUTOGRAD_LITE_NIGHTLY") else 25

random_programs = given(
    steps=st.lists(step, min_size=5, max_size=30),
    shapes=st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3),
    seed=st.integers(0, 2**32 - 1),
)
several = settings(
    max_examples=PROGRAMS,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def derivatives(steps: Any, shapes: Any, seed: int) -> tuple[Any, Any, list[Any]]:
    """The gradient of a random program, the derivative of that, and inputs for both."""
    program = assemble(steps, shapes)
    rng = np.random.default_rng(seed)
    inputs = [np.asarray(rng.uniform(-1, 1, shape)) for shape in shapes]
    probe = tuple(random_like(rng, inputs))
    places = tuple(range(len(inputs)))
    gradient = ag.value_and_grad(lambda *xs: run(program, xs), places)

    def second(*xs: Any) -> Any:
        return ag.vjp(lambda *ys: gradient(*ys)[1], *xs)[1](probe)

    return gradient, second, inputs


@several
@random_programs
def test_compiled_random_programs_are_the_eager_ones(steps: Any, shapes: Any, seed: int) -> None:
    gradient, second, inputs = derivatives(steps, shapes, seed)
    for function in (gradient, second):
        compiled = ag.compile(function)
        for factor in (1.0, 0.5, 1.0):
            xs = [factor * x for x in inputs]
            expected = defined(function, xs)
            assert_same(compiled(*xs), expected)


def defined(function: Any, xs: list[Any]) -> Any:
    """The result of a function, where it is defined: equal singular values have no gradient."""
    try:
        return function(*xs)
    except RuntimeWarning:
        reject()


def evaluated(program: Program, inputs: list[Any]) -> list[Any]:
    """What a program computes, operation by operation, without any source."""
    values: dict[Any, Any] = dict(zip(program.inputs, inputs, strict=True))

    def value_of(x: Any) -> Any:
        return x.value if isinstance(x, Constant) else values[x]

    for operation in program.operations:
        operands = map(value_of, operation.operands)
        with np.errstate(all="ignore"):
            values[operation] = operation.primitive.forward(*operands, **operation.parameters)
    return [value_of(x) for x in program.outputs]


@settings(several, max_examples=max(PROGRAMS // 2, 20))
@random_programs
def test_passes_keep_the_numbers_one_by_one_and_in_any_order(
    steps: Any, shapes: Any, seed: int
) -> None:
    _, second, inputs = derivatives(steps, shapes, seed)
    program = record_program(second, Arguments(second, tuple(inputs), {})).program
    expected = evaluated(program, inputs)
    for transform in dict.fromkeys(REWRITES):
        assert_close(evaluated(transform(program), inputs), expected)
    rng = np.random.default_rng(seed)
    for transform in rng.choice(np.array(REWRITES, object), 2 * len(REWRITES)):
        program = transform(program)
        assert_close(evaluated(program, inputs), expected)


def assert_close(results: list[Any], expected: list[Any]) -> None:
    for x, y in zip(results, expected, strict=True):
        assert np.shape(x) == np.shape(y)
        size = max(1.0, float(np.max(np.abs(y), initial=0.0)))
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-13 * size)


def calls_to_compile(length: int) -> int:
    """How many Python functions are called while a chain of operations is compiled."""

    def chain(x: Any) -> Any:
        for _ in range(length):
            x = np.tanh(np.sin(x) * 1.1 + 0.3)
        return np.sum(x)

    compiled = ag.compile(ag.value_and_grad(chain))
    count = 0

    def counting(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(counting)
    try:
        compiled(np.linspace(0.1, 0.9, 5))
    finally:
        sys.setprofile(None)
    return count


def test_the_work_of_compiling_grows_as_the_program_does():
    short, middle, long = map(calls_to_compile, (40, 80, 160))
    assert long - middle < 2.15 * (middle - short)


def test_thousands_of_buffers_are_no_closure() -> None:
    """Python compiles a closure in the square of the number of names that it is over."""

    def chain(x: Any) -> Any:
        for _ in range(1500):
            x = np.tanh(np.sin(x) * 1.1 + 0.3)
        return np.sum(x)

    compiled = ag.compile(ag.value_and_grad(chain))
    x = np.linspace(0.1, 0.9, 5)
    for _ in range(3):
        assert_same(compiled(x), ag.value_and_grad(chain)(x))
    assert compiled.stats.buffers > 1000
    names: dict[str, Any] = {}
    exec(compiled.source, names)
    assert len(names["prepare"]().__code__.co_freevars) < 10


def test_a_function_is_traced_twice_and_never_again(monkeypatch: Any) -> None:
    traces = []

    def counted(*arguments: Any) -> Any:
        traces.append(arguments)
        return record_program(*arguments)

    monkeypatch.setattr(api, "record_program", counted)
    monkeypatch.setattr(verification, "record_program", counted)
    compiled = ag.compile(ag.grad(lambda x: np.sum(np.sin(x) ** 2)))
    counts = []
    for _ in range(40):
        compiled(np.ones(3))
        counts.append(len(traces))
    assert counts == [1, *[2] * 39]


def test_names_are_found_in_one_go_each() -> None:
    class Counting(set[str]):
        asked = 0

        def __contains__(self, name: object) -> bool:
            Counting.asked += 1
            return super().__contains__(name)

    emitter = Emitter(NumpyBackend())
    emitter.used = Counting()
    names = [emitter.fresh("wave") for _ in range(500)]
    assert len(set(names)) == 500
    assert names[:3] == ["wave", "wave_2", "wave_3"]
    assert Counting.asked <= 1000
