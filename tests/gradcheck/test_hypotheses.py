"""What every hypothesis about a wrong derivative must keep to: junk is not explained."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag


def scalar_of(x):
    return np.sum(np.sin(x) * np.arange(1.0, x.size + 1).reshape(x.shape))


def softmax(x):
    return np.exp(x) / np.sum(np.exp(x))


FUNCTIONS = {
    "elementwise": np.sin,
    "running": np.cumsum,
    "mixed": lambda x: x @ np.ones((6, 6)) + x**2,
    "softmax": softmax,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("seed", range(6))
def test_junk_is_not_explained(name, seed):
    """A hint that always fits explains nothing."""
    rng = np.random.default_rng(seed)
    x, junk = rng.normal(size=6), rng.normal(size=(6, 6))
    report = ag.gradcheck(FUNCTIONS[name], x, vjp=lambda g, x: junk @ g, raise_error=False)
    assert [hint.kind for hint in report.hints] == ["unexplained"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 40, 2000])
@pytest.mark.parametrize("seed", range(5))
def test_random_numbers_for_a_gradient_are_not_explained(size, seed):
    rng = np.random.default_rng(seed)
    x, junk = rng.normal(size=size), rng.normal(size=size)
    report = ag.gradcheck(scalar_of, x, gradient=lambda x: junk, raise_error=False)
    assert [hint.kind for hint in report.hints] == ["unexplained"]


@pytest.mark.parametrize("seed", range(5))
def test_another_smooth_function_is_not_explained(seed):
    rng = np.random.default_rng(seed)
    x, a = rng.normal(size=(2, 3)), rng.normal(size=3)
    report = ag.gradcheck(
        scalar_of, x, gradient=lambda x: np.tanh(a[0] * x + a[1]) + a[2] * x, raise_error=False
    )
    assert [hint.kind for hint in report.hints] == ["unexplained"]


def test_what_is_infinite_explains_nothing():
    report = ag.gradcheck(
        np.log, np.array([1.0, 2.0, 3.0]), vjp=lambda g, x: g / x**2, raise_error=False
    )
    assert report.hints[0].text.endswith("multiply by x")
    assert all(hint.kind != "wrong place" for hint in report.hints)


def test_a_shift_explains_nothing_where_all_derivatives_are_equal():
    def claimed(x):
        slopes = -1 / x**2
        slopes[0] *= 1.5
        return slopes

    report = ag.gradcheck(
        lambda x: np.sum(1 / x), np.ones(5), gradient=claimed, raise_error=False
    )  # fmt: skip
    assert "neighbour" not in str(report)
    assert "right except in 1 of 5 entries: x[0]" in str(report)
