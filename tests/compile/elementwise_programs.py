"""Random elementwise programs with broadcasting, masks and reductions, drawn by Hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

import autograd_lite as ag

SHAPES = [(), (1,), (4,), (5, 1), (1, 4), (5, 4), (3, 5, 4), (3, 1, 4), (3, 1, 1), (1, 5, 4)]

STEPS: list[Callable[[Any, Any], Any]] = [
    lambda x, y: x + y,
    lambda x, y: x * y / 2,
    lambda x, y: x / (1 + y * y),
    lambda x, y: np.maximum(x, y),
    lambda x, y: np.where(x > y, x, 1.5),
    lambda x, y: np.where(y < 0.25, x, y),
    lambda x, y: np.logaddexp(x, y),
    lambda x, y: np.sin(x),
    lambda x, y: np.exp(-x * x),
    lambda x, y: np.tanh(x) - 0.5,
    lambda x, y: np.sqrt(1 + np.abs(x)),
    lambda x, y: x**2,
    lambda x, y: x - np.max(x, axis=-1, keepdims=True) if np.ndim(x) else -x,
    lambda x, y: x / (1 + np.sum(np.abs(x), axis=-1, keepdims=True)) if np.ndim(x) else x,
    lambda x, y: x - np.mean(x),
    lambda x, y: x + np.sum(y, axis=0) / 8 if np.ndim(y) else x,
    lambda x, y: x.T if np.ndim(x) == 2 and np.shape(x)[0] == np.shape(x)[1] else x * 0.5,
]

Step = tuple[Callable[[Any, Any], Any], int, int]


def laid_out(array: Any, order: str) -> Any:
    """The same numbers, in another order in memory."""
    if order == "strided":
        wide = np.zeros((*array.shape, 2), array.dtype)
        wide[..., 0] = array
        return wide[..., 0]
    return np.asarray(array, order=order)


@st.composite
def inputs(draw: Any, dtype: Any) -> Any:
    shape = draw(st.sampled_from(SHAPES))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    order = draw(st.sampled_from(["C", "C", "F", "strided"]))
    return laid_out(rng.normal(size=shape).astype(dtype), order)


@st.composite
def programs(draw: Any) -> tuple[list[Step], list[Any]]:
    """Steps, each a function of two earlier results, and the inputs."""
    dtype = draw(st.sampled_from([np.float64, np.float64, np.float32]))
    given = draw(st.lists(inputs(dtype), min_size=1, max_size=3))
    place = st.integers(0, 10**4)
    step = st.tuples(st.sampled_from(STEPS), place, place)
    return draw(st.lists(step, min_size=2, max_size=14)), given


def run(steps: list[Step], given: Any) -> list[Any]:
    """The results of the last three steps; a step that does not fit is left out."""
    results = list(given)
    for function, first, second in steps:
        x, y = results[-1 - first % len(results)], results[-1 - second % len(results)]
        try:
            np.broadcast_shapes(np.shape(x), np.shape(y))
        except ValueError:
            y = x
        results.append(function(x, y))
    return results[-3:]


def objective(steps: list[Step]) -> Callable[..., Any]:
    """A smooth number for a program, to take gradients of."""
    return lambda *given: sum(np.sum(np.sin(x)) for x in run(steps, given))


def with_gradients(steps: list[Step], inputs: list[Any]) -> Callable[..., list[Any]]:
    """A function of the inputs: the results of a program, and the gradients of its objective."""
    gradient = ag.grad(objective(steps), tuple(range(len(inputs))))
    return lambda *given: [*run(steps, given), *gradient(*given)]


def assert_close(results: Any, expected: Any, tolerance: float) -> None:
    """The same dtypes, and numbers equal but for a share of their largest."""
    for mine, theirs in zip(results, expected, strict=True):
        assert np.asarray(mine).dtype == np.asarray(theirs).dtype
        size = max(1.0, float(np.max(np.abs(theirs), initial=0)))
        np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance * size)
