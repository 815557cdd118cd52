"""Loops of no steps: what they return is what they were given, with the derivative of that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

X = np.array([1.0, 2.0, 3.0])
XS = np.stack([X, X * -0.5])

LOOPS: dict[str, Callable[[Any], Any]] = {
    "scan": lambda x: ag.scan(lambda c, e: (np.sum(x), c), x @ x, x[:0])[0],
    "scan of constants": lambda x: ag.scan(lambda c, e: (0.5, c), x @ x, x[:0])[0],
    "scan with checkpoints": lambda x: ag.scan(
        lambda c, e: (np.sum(x), c), x @ x, x[:0], checkpoint=True
    )[0],
    "fori": lambda x: ag.fori(1, 1, lambda i, c: np.sum(x), x @ x),
    "while_loop": lambda x: ag.while_loop(lambda c: c < -1, lambda c: np.sum(x), x @ x),
}
"""Each is x @ x, and a step would replace it by something else."""


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS.keys())
def test_derivatives_are_those_of_the_first_carry(loop: Callable[[Any], Any]) -> None:
    along = ag.compile(lambda x: ag.jvp(loop, x, 3 * x))
    hessian = ag.compile(ag.hessian(loop))
    linear = ag.compile(lambda x: ag.linearize(loop, x)[1](x))
    for x in (X, X * 2, -X):
        assert along(x) == (x @ x, 6 * (x @ x))
        assert linear(x) == 2 * (x @ x)
        np.testing.assert_array_equal(hessian(x), 2 * np.eye(3))
        np.testing.assert_array_equal(ag.compile(ag.grad(loop))(x), 2 * x)


def test_derivatives_of_samples_are_those_of_the_first_carry() -> None:
    def mapped(x: Any) -> Any:
        return ag.vmap(lambda v: ag.fori(1, 1, lambda i, c: np.sin(x), x * v))(XS)

    tangent = ag.compile(lambda x: ag.jvp(mapped, x, np.ones(3))[1])
    np.testing.assert_array_equal(tangent(X), XS)


def write_into_the_carry(carry: Any, x: Any) -> tuple[Any, Any]:
    carry[0] *= 2.0
    return carry, carry[1]


def take_from_outside(x: Any) -> Callable[..., Any]:
    return lambda c, e: (c * np.linalg.norm(x, 1) + e, np.sort(x))


def test_a_step_that_is_only_looked_at_leaves_the_carry_as_it_is() -> None:
    first = X.copy()
    last, rows = ag.scan(write_into_the_carry, first, X[:0])
    np.testing.assert_array_equal(first, X)
    np.testing.assert_array_equal(last, X)
    assert rows.shape == (0,)


@pytest.mark.parametrize("writes", [True, False], ids=["writes", "reads"])
def test_samples_are_looked_at_as_one(writes: bool) -> None:
    def last(x: Any) -> Any:
        step = write_into_the_carry if writes else take_from_outside(x)
        return ag.scan(step, x * 1.0, x[:0])[0] * x

    np.testing.assert_array_equal(ag.vmap(last)(XS), XS**2)
    np.testing.assert_array_equal(ag.vmap(ag.vmap(last))(XS[None]), XS[None] ** 2)
    slopes = ag.vmap(ag.grad(lambda x: np.sum(last(x))))(XS)
    np.testing.assert_array_equal(slopes, 2 * XS)
    total = ag.grad(lambda xs: np.sum(ag.vmap(last)(xs)))(XS)
    np.testing.assert_array_equal(total, 2 * XS)


def test_a_step_that_is_only_looked_at_writes_nothing_outside() -> None:
    def careless(x: Any) -> Any:
        kept = x * 1.0

        def step(c: Any, e: Any) -> Any:
            kept[0] = 5.0
            return c, e

        ag.scan(step, x, x[:0])
        return kept

    for mapped, xs in ((ag.vmap(careless), XS), (ag.vmap(ag.vmap(careless)), XS[None])):
        with pytest.raises(ag.InPlaceError, match=r"write into a copy \(x = x.copy\(\)\)"):
            mapped(xs)


def test_a_step_that_is_only_looked_at_draws_nothing() -> None:
    rng = np.random.default_rng(0)
    draw = lambda c, e: (c + ag.random.standard_normal(rng), c)  # noqa: E731
    ag.vmap(lambda x: ag.scan(draw, x, x[:0])[0])(XS)
    assert rng.random() == np.random.default_rng(0).random()
