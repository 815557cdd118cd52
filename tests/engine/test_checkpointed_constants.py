"""Constants of checkpointed functions are what they were, inside and among the arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

X = np.array([1.0, 2.0, 3.0])


def refilled(x: Any) -> Any:
    """3 x², by a buffer that is used again."""
    buffer, total = np.zeros(3), 0.0
    for k in (1.0, 2.0):
        buffer[...] = k
        total = total + np.sum(buffer * x**2)
    return total


def picked(x: Any) -> Any:
    index, total = np.zeros(1, int), 0.0
    for k in (0, 2):
        index[0] = k
        total = total + np.sum(x[index] ** 2)
    return total


def masked(x: Any) -> Any:
    mask, total = np.zeros(3, bool), 0.0
    for k in (0, 2):
        mask[:] = False
        mask[k] = True
        total = total + np.sum(np.where(mask, x**2, 0.0))
    return total


def multiplied(x: Any) -> Any:
    row, total = np.zeros(3), 0.0
    for k in (1.0, 2.0):
        row[:] = k
        total = total + row @ x**2
    return total


RIGHT = {
    refilled: 6 * X, multiplied: 6 * X,
    picked: np.array([2.0, 0, 6]), masked: np.array([2.0, 0, 6]),
}  # fmt: skip


@pytest.mark.parametrize("function", RIGHT)
def test_a_buffer_that_is_refilled_inside(function: Any) -> None:
    checkpointed = ag.checkpoint(function)
    expected = RIGHT[function]
    np.testing.assert_allclose(ag.grad(checkpointed)(X), expected)
    np.testing.assert_allclose(ag.jvp(checkpointed, X, np.ones(3))[1], expected.sum())
    np.testing.assert_allclose(ag.linearize(checkpointed, X)[1](np.ones(3)), expected.sum())
    np.testing.assert_allclose(ag.hessian(checkpointed)(X), np.diag(expected / X))
    np.testing.assert_allclose(
        ag.hessian(checkpointed, sparse=True)(X).toarray(), np.diag(expected / X)
    )
    inside = ag.checkpoint(lambda x: np.sum(ag.grad(function)(x)))
    assert inside(ag.Value(X)).data == pytest.approx(expected.sum())
    x = ag.Value(X)
    checkpointed(x).backward()
    np.testing.assert_allclose(x.grad, expected)


def test_an_argument_that_is_refilled_after_the_call() -> None:
    block = ag.checkpoint(lambda x, b: np.sum(b * (x - 1)))

    def total(x: Any) -> Any:
        b, t = np.zeros(3), 0.0
        for k in (1.0, 2.0):
            b[...] = k
            t = t + block(x, b)
        return t

    np.testing.assert_allclose(ag.grad(total)(np.ones(3)), [3.0, 3.0, 3.0])
    by_name = ag.checkpoint(lambda x, parts: np.sum(parts["b"] * x**2))

    def nested(x: Any) -> Any:
        b = np.ones(3)
        t = by_name(x, parts={"b": b})
        b[:] = 5.0
        return t

    np.testing.assert_allclose(ag.grad(nested)(X), 2 * X)


def test_a_large_argument_that_was_written_is_an_error() -> None:
    block = ag.checkpoint(lambda x, b: np.sum(b * (x - 1)))

    def total(x: Any) -> Any:
        b = np.zeros(100_000)
        t = block(x, b)
        b[...] = 1.0
        return t

    with pytest.raises(ag.InPlaceError, match="written before the gradient went back through it"):
        ag.grad(total)(np.ones(100_000))


def test_an_argument_that_the_function_itself_writes() -> None:
    def count(x: Any, b: Any) -> Any:
        b += 1
        return np.sum(b * x)

    b = np.zeros(3)
    np.testing.assert_array_equal(ag.grad(ag.checkpoint(count))(X, b), np.ones(3))
    np.testing.assert_array_equal(b, np.ones(3))


@pytest.mark.parametrize("function", [np.tanh, np.tan, np.sqrt, np.exp, np.exp2, np.reciprocal])
def test_what_is_computed_into_a_buffer_and_then_written_in_part(function: Any) -> None:
    def f(x: Any) -> Any:
        a = np.zeros_like(x)
        a[0] = x[0]
        function(x, out=a)
        a[1] = 0.5
        return np.sum(a**2)

    def by_hand(x: Any) -> Any:
        y = function(x)
        return y[0] ** 2 + 0.25 + y[2] ** 2

    np.testing.assert_allclose(ag.grad(f)(X), ag.grad(by_hand)(X), rtol=1e-14)
    np.testing.assert_allclose(ag.jvp(f, X, X)[1], ag.jvp(by_hand, X, X)[1], rtol=1e-14)
    np.testing.assert_allclose(ag.hessian(f)(X), ag.hessian(by_hand)(X), rtol=1e-13)
    assert f(X) == ag.value_and_grad(f)(X)[0]


@pytest.mark.parametrize(
    "choose, use",
    [
        (lambda x: x > 0.1, lambda v, k: np.where(k, v * v, np.sin(v)) + np.sum(v * ~k)),
        (lambda x: np.sum(x) > 0.1, lambda v, k: np.where(k, v * v, np.sin(v))),
        (np.argmax, lambda v, k: v * v + v[k]),
        (np.argsort, lambda v, k: v * v[k]),
        (lambda x: (x * 10).astype(np.int8), lambda v, k: v * v * (k * np.int8(40))),
        (lambda x: (x * 10).astype(int), lambda v, k: v * v * (k | 4)),
    ],
)
def test_masks_and_whole_numbers_stay_what_they_are(choose: Any, use: Any) -> None:
    """They are Values too, where they were computed from one; the product of int8 wraps."""
    x = np.array([0.3, -0.7, 1.1])

    def loss(x: Any, called: Any) -> Any:
        return np.sum(called(x * 2.0, choose(x)))

    def in_a_scan(x: Any, is_checkpointed: bool) -> Any:
        def step(carry: Any, row: Any) -> Any:
            k, v = carry
            return (k, np.tanh(use(v, k) * row)), k

        rows = np.arange(1.0, 7.0)
        return np.sum(ag.scan(step, (choose(x), x), rows, checkpoint=is_checkpointed)[0][1])

    pairs = [
        (lambda x: loss(x, use), lambda x: loss(x, ag.checkpoint(use))),
        (lambda x: in_a_scan(x, False), lambda x: in_a_scan(x, True)),
    ]
    for plain, checkpointed in pairs:
        for of in (ag.grad, ag.hessian, lambda f: ag.compile(ag.grad(f))):
            np.testing.assert_allclose(of(checkpointed)(x), of(plain)(x), rtol=1e-9, atol=1e-12)
        samples = np.stack([x, x[::-1]])
        np.testing.assert_allclose(
            ag.vmap(ag.grad(checkpointed))(samples), [ag.grad(plain)(row) for row in samples]
        )
