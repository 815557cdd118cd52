"""Jacobians: a matrix of slopes on the diagonal, times another one, scales its rows."""

import numpy as np
import pytest

import autograd_lite as ag

RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(5, 5))


def layer(x, weights=WEIGHTS):
    return np.tanh(weights @ x)


def by_formula(x, weights=WEIGHTS):
    return (1 - np.tanh(weights @ x) ** 2)[:, None] * weights


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_the_rows_are_scaled(dtype):
    compiled = ag.compile(ag.jacobian(layer))
    weights = WEIGHTS.astype(dtype)
    for seed in range(4):
        x = np.random.default_rng(seed).normal(size=5).astype(dtype)
        found = compiled(x, weights)
        assert found.dtype == dtype
        tolerance = 8 * np.finfo(dtype).eps
        np.testing.assert_allclose(
            found, by_formula(x, weights), rtol=10 * tolerance, atol=tolerance
        )
        np.testing.assert_array_equal(found, ag.jacobian(layer)(x, weights))
    assert "times_masked_diagonal(" in compiled.source


def test_it_is_part_of_a_longer_product():
    second = RNG.normal(size=(5, 3))
    compiled = ag.compile(ag.jacobian(lambda x: np.sin(WEIGHTS @ np.tanh(second @ x))))
    x = RNG.normal(size=3)
    inner = np.tanh(second @ x)
    slopes = np.cos(WEIGHTS @ inner)[:, None]
    expected = slopes * WEIGHTS @ ((1 - inner**2)[:, None] * second)
    for _ in range(3):
        np.testing.assert_allclose(compiled(x), expected, rtol=1e-12)
    assert "times_masked_diagonal(" in compiled.source


@pytest.mark.parametrize("place", [np.inf, np.nan])
def test_what_is_not_finite_spreads_as_in_the_product(place):
    def function(x, weights):
        return np.exp(weights @ x)

    compiled, eager = ag.compile(ag.jacobian(function)), ag.jacobian(function)
    x = np.array([1.0, 0.5, -1.0, 0.0, 2.0])
    weights = WEIGHTS.copy()
    with np.errstate(all="ignore"):
        for _ in range(4):
            np.testing.assert_array_equal(compiled(x, weights), eager(x, weights))
            weights[1, 2] = place
        x[0] = 2000.0  # slopes of infinity
        np.testing.assert_array_equal(compiled(x, WEIGHTS), eager(x, WEIGHTS))


def test_what_overflows_does_so_in_the_product_too():
    weights = np.full((5, 5), 1e200)
    gradient = ag.jacobian(lambda x: np.exp(np.minimum(weights @ x, 700.0)))
    compiled, x = ag.compile(gradient), np.full(5, 1e-198)
    with np.errstate(all="ignore"):
        for _ in range(3):
            np.testing.assert_array_equal(compiled(x), np.full((5, 5), np.inf))


def test_a_saved_program_does_it_too(tmp_path):
    compiled = ag.compile(ag.jacobian(layer))
    x = RNG.normal(size=5)
    compiled(x, WEIGHTS)
    compiled.save(tmp_path / "program.py")
    scope: dict = {"__name__": "program"}
    exec((tmp_path / "program.py").read_text(encoding="utf-8"), scope)
    (name,) = scope["__all__"]
    np.testing.assert_array_equal(scope[name](x, WEIGHTS), compiled(x, WEIGHTS))
