"""Checkpointed functions that keep something from call to call: caches, counters, states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

POINT = np.array([0.3, -0.7, 1.1])


def with_cache(x: Any) -> Any:
    cache: dict[str, Any] = {}

    def function(y: Any) -> Any:
        if "exp" not in cache:
            cache["exp"] = np.exp(y)
        return cache["exp"] * y

    return np.sum(ag.checkpoint(function)(x))


def with_attribute(x: Any) -> Any:
    class Layer:
        scale: Any = None

        def __call__(self, y: Any) -> Any:
            if self.scale is None:
                self.scale = np.sum(y)
            return np.sin(y) * self.scale

    return np.sum(ag.checkpoint(Layer())(x))


def with_a_list(x: Any) -> Any:
    seen: list[Any] = []

    def function(y: Any) -> Any:
        seen.append(y * y)
        return seen[0] * y

    return np.sum(ag.checkpoint(function)(x))


def with_a_view(x: Any) -> Any:
    cache: list[Any] = []

    def function(y: Any) -> Any:
        if not cache:
            cache.append((y * y)[1:])
        return cache[0] * y[0]

    return np.sum(ag.checkpoint(function)(x))


def inside_another(x: Any) -> Any:
    return ag.checkpoint(lambda y: with_cache(np.sin(y)))(x) * x[0]


def beside_another(x: Any) -> Any:
    """One block keeps what another inside of it computed."""
    cache: list[Any] = []

    def function(y: Any) -> Any:
        if not cache:
            cache.append(ag.checkpoint(np.exp)(y))
        return cache[0] * y

    return np.sum(ag.checkpoint(function)(x))


def in_a_loop(x: Any) -> Any:
    cache: list[Any] = []

    def step(carry: Any, _: Any) -> Any:
        if not cache:
            cache.append(np.exp(carry))
        return cache[0] * carry, None

    return np.sum(ag.scan(step, x, None, length=9, checkpoint=True)[0])


KEPT = [
    with_cache, with_attribute, with_a_list, with_a_view, inside_another, beside_another, in_a_loop,
]  # fmt: skip


def swept(function: Any) -> Callable[[Any], Any]:
    def by_hand(x: Any) -> Any:
        leaf = ag.Value(x)
        function(leaf).backward()
        return leaf.grad

    return by_hand


@pytest.mark.parametrize("function", KEPT)
@pytest.mark.parametrize(
    "derivative",
    [ag.grad, ag.jacobian, ag.hessian, swept, lambda f: ag.compile(ag.grad(f))],
    ids=["grad", "jacobian", "hessian", "backward", "compiled"],
)
def test_what_the_first_call_kept_is_refused(function: Any, derivative: Any) -> None:
    kept = r"which had kept it|first call made and kept|'cache' has other elements"
    with pytest.raises(ag.AutogradError, match=kept):
        derivative(function)(POINT)


def test_what_is_kept_of_captured_values_has_its_gradient() -> None:
    def function(w: Any) -> Any:
        cache: list[Any] = []

        def block(y: Any) -> Any:
            if not cache:
                cache.append(np.exp(w))
            return cache[0] * y

        return np.sum(ag.checkpoint(block)(2 * w))

    expected = 2 * np.exp(POINT) * (1 + POINT)
    np.testing.assert_allclose(ag.grad(function)(POINT), expected, rtol=1e-13)


def test_what_another_call_kept_has_its_gradient() -> None:
    def function(x: Any) -> Any:
        cache: list[Any] = []

        def block(y: Any) -> Any:
            if not cache:
                cache.append(np.exp(y))
            return cache[0] * y

        block(x)
        checkpointed = ag.checkpoint(block)
        return np.sum(checkpointed(2 * x) + checkpointed(3 * x))

    expected = 5 * np.exp(POINT) * (1 + POINT)
    np.testing.assert_allclose(ag.grad(function)(POINT), expected, rtol=1e-13)


def test_the_second_call_can_be_told() -> None:
    calls: list[bool] = []

    def block(x: Any) -> Any:
        calls.append(ag.is_recomputing())
        return x * np.sin(x)

    inner = ag.checkpoint(block)
    plain = ag.grad(lambda x: np.sum(block(block(x))))(POINT)
    assert calls == [False, False]
    calls.clear()
    found = ag.grad(lambda x: np.sum(ag.checkpoint(lambda y: inner(inner(y)))(x)))(POINT)
    np.testing.assert_allclose(found, plain, rtol=1e-13)
    assert calls[:2] == [False, False]
    assert len(calls) > 4
    assert all(calls[2:])
    assert not ag.is_recomputing()


def test_an_error_in_the_second_call_ends_it() -> None:
    def block(x: Any) -> Any:
        if ag.is_recomputing():
            raise ag.UnsupportedError("not twice")
        return x * x

    with pytest.raises(ag.UnsupportedError, match="not twice"):
        ag.grad(ag.checkpoint(block))(1.0)
    assert not ag.is_recomputing()


def test_a_leaf_that_the_first_call_makes_is_to_be_made_before() -> None:
    made: dict[str, ag.Value] = {}

    def layer(x: Any) -> Any:
        if "weight" not in made:
            made["weight"] = ag.Value(np.full(3, 2.0))
        return made["weight"] * x + ag.Value(1.0)

    x = ag.Value(POINT)
    with pytest.raises(ag.BackwardError, match="call a layer once before"):
        np.sum(ag.checkpoint(layer)(x) ** 2).backward()
    np.sum(ag.checkpoint(layer)(x) ** 2).backward()
    np.testing.assert_allclose(made["weight"].grad, 2 * (2 * POINT + 1) * POINT, rtol=1e-14)
    np.testing.assert_allclose(x.grad, 4 * (2 * POINT + 1), rtol=1e-14)


def test_a_leaf_made_anew_in_each_call_gets_no_gradient_that_is_not_its_own() -> None:
    made: list[ag.Value] = []

    def layer(x: Any) -> Any:
        made.append(ag.Value(np.full(3, 2.0)))
        return made[-1] * x

    x = ag.Value(POINT)
    np.sum(ag.checkpoint(layer)(x)).backward()
    assert all(leaf.grad is None for leaf in made)
    np.testing.assert_array_equal(x.grad, np.full(3, 2.0))


@pytest.mark.parametrize("compiled", [False, True])
def test_what_has_no_influence_has_no_gradient(compiled: bool) -> None:
    """Zero, as without the checkpoint: zeros would become NaN by an infinite slope."""
    of_one = ag.checkpoint(lambda c, x: np.sqrt(x))
    of_two = ag.checkpoint(lambda c, x: (np.sqrt(x), c * 2.0))
    functions = [
        (lambda x: of_one(of_one(1.0, x), 4.0 + x), 0.25),
        (lambda x: of_two(of_two(1.0, x)[0], 4.0 + x)[0], 0.25),
        (lambda x: of_two(1.0, x)[1] + x, 1.0),
        (lambda x: np.where(x > -1, of_one(of_one(1.0, x), 4.0 + x), x), 0.25),
    ]
    for function, slope in functions:
        gradient = ag.grad(function)
        assert (ag.compile(gradient) if compiled else gradient)(0.0) == slope
