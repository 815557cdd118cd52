"""Where NumPy's value is NaN for want of numbers, the derivative is NaN in both directions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

nan = np.nan

UNDEFINED: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "cov of one observation": (np.cov, [2.0]),
    "cov of two variables": (lambda x: np.cov(x[:1], x[1:]), [2.0, 3.0]),
    "cov of columns": (lambda x: np.cov(x, rowvar=False), [[2.0, 3.0]]),
    "cov with counts": (lambda x: np.cov(x, fweights=[1]), [2.0]),
    "cov with a count of zero": (lambda x: np.cov(x, fweights=[1, 0]), [2.0, 3.0]),
    "cov with weights": (lambda x: np.cov(x, aweights=[1.0]), [2.0]),
    "corrcoef of one observation": (lambda x: np.corrcoef(x[:1], x[1:]), [2.0, 3.0]),
    "corrcoef of equal observations": (np.corrcoef, [2.0, 2.0, 2.0]),
    "nanvar of one": (lambda x: np.nanvar(x, ddof=1), [2.0]),
    "nanvar beside NaN": (lambda x: np.nanvar(x, ddof=1), [2.0, nan]),
    "nanstd of one": (lambda x: np.nanstd(x, ddof=1), [2.0]),
    "var of one in a mask": (lambda x: np.var(x, ddof=1, where=[True, False]), [2.0, 3.0]),
    "var of one in a slice": (lambda x: np.var(x[:1], ddof=1), [2.0, 3.0]),
    "clip at a lower NaN": (lambda x: np.clip(x, nan, 4.0), [2.0, 7.0]),
    "clip at an upper NaN": (lambda x: np.clip(x, None, nan), [2.0, 7.0]),
    "clip at an array of NaN": (lambda x: np.clip(x, np.array([nan, nan]), 4.0), [2.0, 7.0]),
    "interp at NaN": (lambda x: np.interp(x, [0.0, 1.0, 2.0], [0.0, 1.0, 4.0]), [nan]),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", UNDEFINED)
def test_the_derivative_of_what_is_undefined_is_nan(name):
    function, entries = UNDEFINED[name]
    x = np.array(entries)
    value, tangent = ag.jvp(function, x, np.linspace(0.3, 0.5, x.size).reshape(x.shape))
    assert np.all(np.isnan(value)) and np.all(np.isnan(tangent))
    rows = np.reshape(ag.jacobian(function)(x), (-1, x.size))
    assert np.all(np.any(np.isnan(rows), axis=1))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_defined_beside_it_keeps_its_derivative():
    x = np.array([[2.0, 2.0, 2.0], [1.0, 2.0, 4.0], [3.0, 1.0, 2.0]])
    direction = np.cos(np.arange(9.0)).reshape(3, 3)
    value, tangent = ag.jvp(np.corrcoef, x, direction)
    step = 1e-6 * direction[1:]
    right = (np.corrcoef(x[1:] + step) - np.corrcoef(x[1:] - step)) / 2e-6
    np.testing.assert_allclose(tangent[1:, 1:], right, atol=1e-8)
    assert np.all(np.isnan(value[0])) and np.all(np.isnan(tangent[0]))
    bounds = np.array([0.0, nan])
    np.testing.assert_array_equal(
        ag.grad(lambda x: np.sum(np.clip(x, bounds, None)))(np.ones(2)), [1.0, nan]
    )


def test_trapezoid_of_a_list_over_places_with_a_gradient():
    gradient = ag.grad(lambda x: np.trapezoid([1.0, 2.0, 4.0], x))(np.array([0.0, 1.0, 3.0]))
    np.testing.assert_allclose(gradient, [-1.5, -1.5, 3.0])  # 1.5 (x1 - x0) + 3 (x2 - x1)
