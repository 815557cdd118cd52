"""Writes into what checkpoints take, return and capture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from tests.engine.numpys_derivative import POINT, same_as_numpy
from tests.ops.numerical import directional_derivative


def test_what_a_checkpoint_returns_of_its_arguments_is_written_through():
    def f(x):
        before = np.copy(x)
        y, part = ag.checkpoint(lambda b: (b * before, b[1:]))(np.copy(x))
        captured = ag.checkpoint(lambda b: y)(x)
        captured[1] **= 2
        same = ag.checkpoint(lambda b: b)(x)
        part *= same[:3]
        same *= 2
        return np.sum(y * x) + np.sum(part)

    def plain(x):
        b = x.copy()
        y, part = b * x, b[1:]
        y[1] **= 2
        part *= x[:3]
        x = x * 2
        return np.sum(y * x) + np.sum(part)

    value, gradient = ag.value_and_grad(f)(POINT)
    assert value == plain(POINT)
    for direction in np.eye(4):
        numerical = directional_derivative(plain, [POINT], [direction], 1e-3)
        assert abs(numerical - direction @ gradient) < 1e-8 * max(1, abs(numerical))


def test_what_a_checkpoint_returns_of_its_arguments_is_theirs() -> None:
    @ag.checkpoint
    def block(x: Any, y: Any) -> Any:
        return x * y, x, x.T[1:], y[0]

    def function(x: Any, y: Any) -> Any:
        x = x.copy()
        product, same, part, row = block(x, y)
        part *= 2
        same[0] = row * x[1]
        return np.concatenate([product, x, same, part.T[:1].repeat(2, 1)[:, :3]])

    rng = np.random.default_rng(0)
    same_as_numpy(function, rng.normal(size=(2, 3)), rng.normal(size=(2, 3)))


def test_results_of_a_checkpoint_that_share_memory_still_do() -> None:
    def block(z: Any) -> Any:
        y = z * 2
        column = y.reshape(3, 1)
        return column[:2], column.T, column, y[1]

    def function(x: Any, of: Any) -> Any:
        front, row, column, middle = of(x)
        front[0] = 7.0
        row[0, 1] *= 3 * middle
        return np.concatenate([front[:, 0], row[0], column[:, 0]])

    x = np.array([0.5, -1.25, 2.0])
    same_as_numpy(lambda x: function(x, block), x)
    value, pullback = ag.vjp(lambda x: function(x, ag.checkpoint(block)), x)
    np.testing.assert_array_equal(value, function(x, block))
    seed = np.arange(8.0)
    np.testing.assert_allclose(
        pullback(seed)[0], ag.vjp(lambda x: function(x, block), x)[1](seed)[0]
    )


def test_a_chain_of_views_of_an_argument_comes_out_of_a_checkpoint() -> None:
    def of_views(z: Any) -> Any:
        column = z.reshape(1, 3).T
        return column, column[0]

    def function(x: Any, block: Any) -> Any:
        column, first = block(x * 1.0)
        column[0] = 4.0 * x[1]
        return np.concatenate([column[:, 0], first])

    x = np.array([0.5, -1.25, 2.0])
    same_as_numpy(lambda x: function(x, of_views), x)
    np.testing.assert_array_equal(
        ag.jacobian(lambda x: function(x, ag.checkpoint(of_views)))(x),
        ag.jacobian(lambda x: function(x, of_views))(x),
    )


def test_a_view_that_a_checkpoint_captures_is_looked_at_anew() -> None:
    def function(x: Any, wrap: Any) -> Any:
        _, second, third = x
        second[-1] = 0.0
        return wrap(lambda b: np.sum(third * b[0]))(x)

    x = np.array([[0.5, 2.0], [-1.25, 1.0], [2.0, 3.0]])
    expected = ag.grad(lambda x: function(x, lambda f: f))(x)
    np.testing.assert_array_equal(ag.grad(lambda x: function(x, ag.checkpoint))(x), expected)
    np.testing.assert_array_equal(expected, [[2.0, 3.0], [0.0, 0.0], [0.5, 2.0]])
    hessian = ag.hessian(lambda x: function(x, ag.checkpoint))(x)
    np.testing.assert_array_equal(hessian, ag.hessian(lambda x: function(x, lambda f: f))(x))


def test_what_a_checkpoint_captures_is_not_written_before_it_is_called_again() -> None:
    def function(x: Any) -> Any:
        total = ag.checkpoint(lambda b: x[1] * b[0])(x)
        x[1:] += np.zeros(3)
        return total

    def of_something_else(x: Any) -> Any:
        length = ag.checkpoint(lambda b: np.linalg.norm(x, axis=0))(x)
        x = 1.0
        return length

    for changing in (function, of_something_else):
        with pytest.raises(ag.BackwardError, match="nothing that changes in between"):
            ag.grad(changing)(POINT)
