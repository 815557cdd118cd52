"""Random programs of 5 to 40 operations have the gradients that numerical differences show.

Set AUTOGRAD_LITE_NIGHTLY to run 2,000 programs instead of 100.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from tests.ops.instructions import INSTRUCTIONS
from tests.ops.numerical import directional_derivative, inner, random_like

SHAPES: list[tuple[int, ...]] = [(), (1,), (3,), (4,), (2, 3), (3, 2), (3, 3), (1, 4), (2, 1, 3)]
LARGEST = 64
PROGRAMS = 2000 if os.environ.get("AUTOGRAD_LITE_NIGHTLY") else 100

step = st.tuples(st.integers(0, 10**4), st.integers(0, 10**4), st.integers(0, 10**4))


def assemble(steps: list[tuple[int, int, int]], shapes: list[tuple[int, ...]]) -> list[Any]:
    """For each step the first instruction from the drawn one on that fits the drawn operands."""
    program = []
    arrays: list[Any] = [np.full(shape, 0.5) for shape in shapes]
    for number, first, second in steps:
        places = (first % len(arrays), second % len(arrays))
        for offset in range(len(INSTRUCTIONS)):
            instruction = INSTRUCTIONS[(number + offset) % len(INSTRUCTIONS)]
            operands = [arrays[place] for place in places[: instruction.operands]]
            if not instruction.applies(*map(np.shape, operands)):
                continue
            result = instruction.call(*operands)
            if 0 < np.size(result) <= LARGEST:
                program.append((instruction, places[: instruction.operands]))
                arrays.append(result)
                break
    return program


def run(program: list[Any], inputs: tuple[Any, ...]) -> Any:
    """The sum of the means of all intermediate arrays, so that every step counts."""
    arrays = list(inputs)
    for instruction, places in program:
        arrays.append(instruction.call(*[arrays[place] for place in places]))
    total = 0.0
    for array in arrays[len(inputs) :]:
        total = total + np.mean(array)
    return total


@settings(
    max_examples=PROGRAMS,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(
    steps=st.lists(step, min_size=5, max_size=40),
    shapes=st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3),
    seed=st.integers(0, 2**32 - 1),
)
def test_gradients_of_random_programs(steps: Any, shapes: Any, seed: int) -> None:
    program = assemble(steps, shapes)
    rng = np.random.default_rng(seed)
    inputs = [np.asarray(rng.uniform(-1, 1, shape)) for shape in shapes]
    direction = random_like(rng, inputs)

    def function(*xs: Any) -> Any:
        return run(program, xs)

    gradient = ag.grad(function, tuple(range(len(inputs))))
    slope = inner(gradient(*inputs), direction)
    scale = 1 + sum(float(np.sum(np.abs(share))) for share in gradient(*inputs))
    numerical = directional_derivative(function, inputs, direction, 4e-3)
    assert abs(slope - numerical) <= 1e-7 * scale, [i.name for i, _ in program]

    value, forward = ag.jvp(function, tuple(inputs), tuple(direction))
    assert abs(value - function(*inputs)) <= 1e-13 * (1 + abs(value))
    assert abs(forward - slope) <= 1e-11 * scale, [i.name for i, _ in program]


@settings(max_examples=PROGRAMS // 4, deadline=None, derandomize=True)
@given(
    steps=st.lists(step, min_size=5, max_size=12),
    shape=st.sampled_from(SHAPES),
    seed=st.integers(0, 2**32 - 1),
)
def test_second_derivatives_of_random_programs(steps: Any, shape: Any, seed: int) -> None:
    program = assemble(steps, [shape])
    rng = np.random.default_rng(seed)
    x = np.asarray(rng.uniform(-1, 1, shape))
    direction, probe = random_like(rng, [x, x])

    def function(y: Any) -> Any:
        return run(program, (y,))

    product = ag.hvp(function, x, direction)
    numerical = directional_derivative(
        lambda y: inner([probe], [ag.grad(function)(y)]), [x], [direction], 4e-3
    )
    scale = 1 + float(np.sum(np.abs(product)))
    assert abs(inner([probe], [product]) - numerical) <= 1e-6 * scale, [i.name for i, _ in program]
