"""Primitives made of NumPy's functions become lines of a program; all others stay calls."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
import nn

X = np.random.default_rng(0).normal(size=(6, 5))


@pytest.mark.parametrize(
    "function",
    [nn.sigmoid, nn.softmax, nn.log_softmax, nn.activations.sign, nn.gelu],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_primitive_of_numpys_functions_is_taken_apart(function: Any, dtype: Any) -> None:
    x = X.astype(dtype)
    compiled = ag.compile(ag.value_and_grad(lambda x: np.sum(function(x) * function(2 * x))))
    value, gradient = compiled(x)
    expected, expected_gradient = ag.value_and_grad(
        lambda x: np.sum(function(x) * function(2 * x))
    )(x)
    assert f" = {function.__name__}(" not in compiled.source
    assert gradient.dtype == dtype
    size = np.finfo(dtype).eps * 8
    np.testing.assert_allclose(value, expected, rtol=size)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=size, atol=size)


def test_its_lines_are_those_of_the_call() -> None:
    compiled = ag.compile(lambda x: nn.log_softmax(x))
    np.testing.assert_array_equal(compiled(X), nn.log_softmax(X))
    line = test_its_lines_are_those_of_the_call.__code__.co_firstlineno + 1
    lines = [text for text in compiled.source.splitlines() if "# float64" in text]
    assert len(lines) == 6
    assert all(text.endswith(f"test_inlining.py:{line}") for text in lines)


def test_primitives_of_python_numbers_become_arithmetic() -> None:
    compiled = ag.compile(ag.grad(lambda x: nn.sigmoid(x) * x))
    assert compiled(0.5) == pytest.approx(ag.grad(lambda x: nn.sigmoid(x) * x)(0.5))
    assert "numpy" not in compiled.source
    assert "exp(" in compiled.source


def test_primitives_inside_of_primitives_and_keywords() -> None:
    @ag.primitive
    def inner(x: Any, *, power: int = 1) -> Any:
        return np.exp(x) ** power

    @ag.primitive
    def outer(x: Any) -> Any:
        return inner(x, power=2) + math.pi

    compiled = ag.compile(lambda x: outer(x))
    np.testing.assert_array_equal(compiled(X), outer(X))
    assert "outer(" not in compiled.source.replace("inner", "")
    assert "square(" in compiled.source


SEEN: list[Any] = []
COUNT = 0


def counted(x: Any) -> Any:
    global COUNT
    COUNT += 1
    return 2 * x


def noted(x: Any) -> Any:
    SEEN.append(np.shape(x))
    return 2 * x


def timed(x: Any) -> Any:
    return 2 * x + 0 * time.perf_counter()


def by_class(x: Any) -> Any:
    return 2 * x if isinstance(x, np.ndarray) else 3 * x


def branching(x: Any) -> Any:
    return 2 * x if np.all(np.isfinite(x)) else x


@pytest.mark.parametrize("function", [counted, noted, timed, by_class, branching])
def test_what_a_trace_does_not_show_stays_a_call(function: Any) -> None:
    primitive = ag.primitive(function)
    compiled = ag.compile(lambda x: primitive(x))
    for _ in range(3):
        np.testing.assert_array_equal(compiled(X), 2 * X)
    assert f" = {function.__name__}(x)" in compiled.source


def in_place(x: Any) -> Any:
    y = 1 * x
    y[...] = 2 * x
    return y


def test_writes_into_what_it_made_itself_are_lines_too() -> None:
    primitive = ag.primitive(in_place)
    compiled = ag.compile(lambda x: primitive(x))
    for _ in range(3):
        np.testing.assert_array_equal(compiled(X), 2 * X)
    assert "in_place(" not in compiled.source


def test_effects_happen_at_every_call() -> None:
    primitive = ag.primitive(noted)
    compiled = ag.compile(lambda x: primitive(x), check=False)
    compiled(X)
    before = len(SEEN)
    for _ in range(3):
        compiled(X)
    assert len(SEEN) == before + 3


SLOPE = 2.0


@ag.primitive
def sloped(x: Any) -> Any:
    return SLOPE * x


class Namespace:
    """Holds a function as a module would, whose attributes are not looked into."""

    sloped = sloped


def test_a_number_that_an_inlined_primitive_reads_must_not_change(monkeypatch: Any) -> None:
    compiled = ag.compile(lambda x: Namespace.sloped(x))
    np.testing.assert_array_equal(compiled(X), 2 * X)
    assert "sloped(" not in compiled.source
    monkeypatch.setattr(f"{__name__}.SLOPE", 3.0)
    with pytest.raises(ag.CompileError, match="'SLOPE' is another object"):
        compiled(X)


def test_a_primitive_that_calls_itself_is_taken_apart_once() -> None:
    @ag.primitive
    def halved(x: Any, *, times: int = 2) -> Any:
        return x if times == 0 else halved(x / 2, times=times - 1)

    compiled = ag.compile(lambda x: halved(x))
    np.testing.assert_array_equal(compiled(X), X / 4)


def test_one_hot_gradients_are_not_summed() -> None:
    labels = np.array([0, 3, 1, 1, 4, 2])

    def loss(x: Any, labels: Any) -> Any:
        return -np.mean(nn.log_softmax(x)[np.arange(6), labels])

    compiled = ag.compile(ag.grad(loss))
    np.testing.assert_allclose(compiled(X, labels), ag.grad(loss)(X, labels), rtol=1e-14)
    backward = compiled.source.split("# backward")[1]
    assert "reduce" not in backward
