"""Numbers that may leave the graph, as nothing is lost by it; integers and booleans among them."""

from __future__ import annotations

import math
import pickle
import statistics
from collections import Counter
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

PLAIN = np.array([1.0, 4.0, 9.0, 16.0])
VECTOR = np.array([1.5, 0.5, 2.5])


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: x.item() * x, 2.5),
        (lambda x: ag.stop_gradient(x) * x, 2.5),
        (lambda x: x.data * x, 2.5),
        (lambda x: x * 2 if x > 1 else x, 2.0),
        (lambda x: int(x) * x, 2.0),
        (lambda x: math.floor(x) * x, 2.0),
        (lambda x: math.ceil(x) * x, 3.0),
        (lambda x: math.trunc(-x) * x, -2.0),
        (lambda x: len(f"{x:.3f} {x}") * 0 + x, 1.0),
        (lambda x: float(x > 1) * x, 1.0),
        (lambda x: float(np.floor(x).astype(int)) * x, 2.0),
        (lambda x: float(ag.Value(3.0)) * x, 3.0),
        (lambda x: float(ag.Value(3.0) * 2) * x, 6.0),
    ],
)
def test_constants_and_steps_leave(function: Any, expected: float):
    assert ag.grad(function)(2.5) == expected


def test_under_no_grad_numbers_leave():
    def function(x: Any) -> Any:
        with ag.no_grad():
            scale = float(x)
        return scale * x

    assert ag.grad(function)(2.5) == 2.5


def test_outside_of_transforms_numbers_leave_as_in_micrograd():
    v = ag.Value(2.0)
    assert float(v * v) == 4.0
    assert math.sqrt(v * v) == 2.0
    assert complex(v) == 2 + 0j
    assert v.as_integer_ratio() == (2, 1)
    assert statistics.fmean([v, v]) == 2.0
    assert pickle.loads(pickle.dumps(v * v)).item() == 4.0


def test_numbers_leave_again_when_the_function_has_ended_also_by_an_error():
    kept: list[Any] = []

    def function(x: Any) -> Any:
        kept.append(x * x)
        raise KeyError("stop")

    with pytest.raises(KeyError):
        ag.grad(function)(3.0)
    assert float(kept[0]) == 9.0


# Integers and booleans.


def test_integers_and_booleans_go_wherever_an_array_goes():
    x = np.array([2.2, 0.7, 3.9, 1.1])

    def grad(function: Any) -> Any:
        return ag.grad(function)(x)

    index = np.floor(x).astype(int)
    for function, expected in (
        (lambda x: np.sum(PLAIN[np.floor(x).astype(int)] * x), PLAIN[index]),
        (lambda x: np.sum(PLAIN[x > 1] * x[x > 1]), PLAIN * (x > 1)),
        (lambda x: np.sum(PLAIN[np.argsort(x)] * x), PLAIN[np.argsort(x)]),
        (lambda x: np.sum(np.asarray(x.astype(int)) * x), index),
        (lambda x: np.sum(np.array([x[0] > 1, x[1] > 1]) * x[:2]), [1.0, 0, 0, 0]),
        (lambda x: sum(x[0] for _ in range(x[0].astype(int))), [2.0, 0, 0, 0]),
        (lambda x: np.sum(np.bincount(x.astype(int)) * x), np.bincount(index)),
        (lambda x: [1.0, 2.0, 3.0][np.argmin(x)] * x[0], [2.0, 0, 0, 0]),
        (lambda x: np.sum(np.zeros(np.argmax(x)) + x[0]), [2.0, 0, 0, 0]),
        (lambda x: np.sum(np.histogram(x, 4)[0] * x), np.histogram(x, 4)[0]),
        (lambda x: PLAIN.sum(where=x > 1) * x[0], [PLAIN[[0, 2, 3]].sum(), 0, 0, 0]),
        (lambda x: np.add.reduce(PLAIN, where=x > 1) * x[0], [PLAIN[[0, 2, 3]].sum(), 0, 0, 0]),
        (lambda x: PLAIN.max(where=x > 3, initial=0) * x[0], [9.0, 0, 0, 0]),
        (lambda x: PLAIN.take(np.argsort(x)).sum() * x[0], [30.0, 0, 0, 0]),
        (lambda x: PLAIN[: np.argmax(x)].sum() * x[0], [5.0, 0, 0, 0]),
        (lambda x: np.sum(np.arange(8)[x.astype(np.uint8)] * x), index),
    ):
        np.testing.assert_allclose(grad(function), expected, rtol=1e-15)


def test_an_integer_made_of_a_python_number_is_one_of_numpys():
    assert ag.grad(lambda x: PLAIN[np.floor(x).astype(int)] * x)(1.5) == 4.0
    assert ag.grad(lambda x: [1.0, 2.0, 3.0][np.floor(x).astype(int)] * x)(1.5) == 2.0
    assert ag.Value(1.1).astype(np.float32).item() == np.float32(1.1)


def test_integers_carry_no_gradient():
    x = ag.Value([1.2, 2.7])
    for made in (x.astype(int), np.astype(x, bool), np.sum(x > 1), np.argsort(x), np.rint(x) > 1):
        assert not made.requires_grad
    assert np.astype(x, np.float32).requires_grad


def test_in_a_trace_of_the_compiler_an_integer_stays_refused():
    with pytest.raises(ag.CompileError):
        ag.compile(lambda x: PLAIN[np.floor(x).astype(int)] * x)(VECTOR)
    with pytest.raises(ag.CompileError):
        ag.compile(lambda x: math.floor(x[0]) * x)(VECTOR)
    with pytest.raises(ag.CompileError):
        ag.compile(lambda x: x[0].as_integer_ratio()[0] * x)(VECTOR)


def test_a_plain_array_of_a_buffer_shows_what_the_buffer_holds() -> None:
    """NumPy's `asarray` shares memory; a Value's cannot be followed, and so is not written."""
    buffer = np.zeros(3, like=ag.Value(np.ones(3)))
    buffer[:] = 2.0
    plain = np.asarray(buffer[1:])
    with pytest.raises(ValueError, match="read-only"):
        plain[0] = 1.0
    with pytest.raises(ag.InPlaceError, match=r"write np.array\(x\), which copies"):
        buffer[0] = 5.0
    del plain
    buffer[0] = 5.0
    copy = np.array(buffer)
    buffer[0] = 7.0
    assert copy.tolist() == [5.0, 2.0, 2.0]


LOOKUPS: dict[str, Any] = {
    "get": lambda x: x[0] * {1.0: 5.0}.get(x[0], 7.0),
    "in": lambda x: x[0] * (3.0 if x[0] in {1.0} else 4.0),
    "set": lambda x: np.sum(x) * len(set(x)),
    "Counter": lambda x: x[0] * len(Counter(x)),
    "keys": lambda x: sum(dict.fromkeys(x)) * x[0],
    "cache": lambda x: lru_cache(lambda y: y * y)(x[0]),
}
STEPS: dict[str, Any] = {
    "integer": lambda x: x[0] * {1: 5.0}.get(x.astype(int)[0], 7.0),
    "place": lambda x: x[0] * {1: 5.0}.get(np.argmax(x), 7.0),
    "comparison": lambda x: x[0] * {True: 5.0}.get(x[0] > 0, 7.0),
    "item": lambda x: x[0] * {1.0: 5.0}.get(x[0].item(), 7.0),
    "list": lambda x: x[0] * (3.0 if x[0] in [1.0] else 4.0),
    "set of integers": lambda x: x[0] * len(set(x.astype(int))),
}


@pytest.mark.parametrize("name", LOOKUPS)
def test_what_numpy_looks_up_by_its_number_is_refused_where_that_is_differentiated(
    name: str,
) -> None:
    with pytest.raises(ag.UnsupportedError, match=r"write x.item\(\) to look up the number"):
        ag.grad(LOOKUPS[name])(np.array([1.0, 2.0, 1.0]))


@pytest.mark.parametrize("name", STEPS)
def test_steps_are_looked_up_by_their_numbers(name: str) -> None:
    point = np.array([1.0, 2.0, 1.0])

    value, slope = ag.value_and_grad(STEPS[name])(point)
    assert value == STEPS[name](point)
    assert slope[0] == value


def test_values_are_told_apart_where_they_are_held_in_the_hand() -> None:
    first, second = ag.Value(1.0), ag.Value(1.0)
    assert len({first, second}) == 2
    assert {first: "first"}[first] == "first"
    names = {first: 2.0}
    assert ag.grad(lambda x: x * names[first])(3.0) == 2.0
    with pytest.raises(ag.UnsupportedError, match=r"under ag\.vmap"):
        ag.vmap(lambda x: x[0] * {1.0: 5.0}.get(x[0], 7.0))(np.ones((2, 3)))
