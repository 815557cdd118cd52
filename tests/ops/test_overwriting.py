"""Rules that write over a gradient give what the rules beside them give, and write nothing else."""

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.backward import LEAST_WRITTEN
from autograd_lite.core.primitive import registry
from autograd_lite.ops.overwriting import OVER

SIZE = LEAST_WRITTEN // 4  # large in float32 and in float64


def operands_of(function, dtype):
    rng = np.random.default_rng(0)
    x = rng.uniform(0.1, 2.0, SIZE).astype(dtype)
    y = np.where(rng.random(SIZE) < 0.5, x, rng.permutation(x))  # with ties
    return (x, y)[: function.nin]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("function", OVER, ids=lambda f: f.__name__)
def test_the_result_is_that_of_the_rule_bit_for_bit(function, dtype):
    operands = operands_of(function, dtype)
    before = [x.copy() for x in operands]
    out = function(*operands)
    primitive = registry[function]
    g = np.random.default_rng(1).normal(size=SIZE).astype(dtype)
    assert len(primitive.over) == len(primitive.rules) == len(operands)
    for rule, over in zip(primitive.rules, primitive.over, strict=True):
        wanted = rule(g, out, *operands)
        own = g.copy()
        found = over(own, out, *operands)
        assert found is own
        assert found.tobytes() == wanted.tobytes()
    assert all(np.array_equal(x, y) for x, y in zip(operands, before, strict=True))
    assert np.array_equal(out, function(*operands))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("function", OVER, ids=lambda f: f.__name__)
def test_a_sweep_that_owns_its_gradients_gives_that_of_backward(function, dtype):
    """`backward()` keeps the gradients of all nodes, so that it writes over none of them."""
    operands = operands_of(function, dtype)
    weights = np.linspace(-1, 1, SIZE).astype(dtype)

    def total(x):
        y = function(x * 2, *operands[1:])
        return np.sum(np.exp(-y) * weights)

    x = ag.Value(operands[0])
    total(x).backward()
    assert ag.grad(total)(operands[0]).tobytes() == x.grad.tobytes()


X = np.linspace(0.5, 1.5, SIZE)


def test_a_gradient_that_two_nodes_have_is_not_written_over():
    def total(x):
        u, v = np.exp(x), np.tanh(x)
        w = u + v  # whose gradient is that of both, in one array
        return np.sum(w * w)

    u, v = np.exp(X), np.tanh(X)
    assert np.allclose(ag.grad(total)(X), 2 * (u + v) * (u + 1 - v * v), rtol=1e-14)


def test_cotangents_and_gradients_of_others_stay_what_they_are():
    cotangent = np.linspace(-1, 1, SIZE)
    value, pullback = ag.vjp(np.exp, X)
    first = pullback(cotangent)[0]
    kept = first.copy()
    second = pullback(cotangent)[0]
    assert np.array_equal(cotangent, np.linspace(-1, 1, SIZE))
    assert np.array_equal(value, np.exp(X))
    assert np.array_equal(first, kept)
    assert np.array_equal(second, kept)


def test_a_gradient_that_a_hook_has_seen_stays_what_it_was():
    seen = []

    def total(x):
        y = np.tanh(x * 3.0)
        y.register_hook(seen.append)
        return np.sum(np.exp(y))

    ag.grad(total)(X)
    assert np.allclose(seen[0], np.exp(np.tanh(3.0 * X)), rtol=1e-14)


def test_the_gradient_of_an_input_on_the_way_is_its_own():
    """`ag.gradients` by a result and by what that is computed from."""
    x = ag.Value(X)
    y = np.exp(x)
    z = np.sum(np.tanh(y))
    by_y, by_x = ag.gradients(z, [y, x])
    t = np.tanh(np.exp(X))
    assert np.allclose(by_y, 1 - t * t, rtol=1e-12)
    assert np.allclose(by_x, (1 - t * t) * np.exp(X), rtol=1e-12)
    assert not np.may_share_memory(by_x, by_y)


def test_derivatives_of_second_order_write_over_nothing():
    second = ag.grad(lambda x: np.sum(ag.grad(lambda x: np.sum(np.exp(np.sin(x))))(x)))(X)
    s, c = np.sin(X), np.cos(X)
    assert np.allclose(second, np.exp(s) * (c * c - s), rtol=1e-12)


def test_an_operand_that_broadcasts_and_one_that_stands_there_twice():
    rows = np.linspace(1, 2, 64)
    table = np.linspace(0.1, 1, SIZE).reshape(-1, 64)
    by_rows = ag.grad(lambda r: np.sum(np.exp(r * table)))(rows)
    assert np.allclose(by_rows, np.sum(table * np.exp(rows * table), axis=0), rtol=1e-12)
    assert np.allclose(ag.grad(lambda x: np.sum(np.exp(x * x)))(X), 2 * X * np.exp(X * X))
