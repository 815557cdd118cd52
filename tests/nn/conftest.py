"""Numerical derivatives, to hold those of the package against."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag


def central_difference(function, x, step=1e-5):
    """The gradient of a function of one array that returns a number, entry by entry."""
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        ahead, behind = x.copy(), x.copy()
        ahead[index] += step
        behind[index] -= step
        gradient[index] = (function(ahead) - function(behind)) / (2 * step)
    return gradient


@pytest.fixture
def check_derivatives():
    """Check first and second derivatives of a function of one float64 array."""

    def check(function, x, second=True):
        weights = np.random.default_rng(1).normal(size=np.shape(function(x)))

        def scalar(x):
            return np.sum(weights * function(x))

        gradient = ag.grad(scalar)
        np.testing.assert_allclose(
            gradient(x), central_difference(scalar, x), rtol=1e-6, atol=1e-8
        )
        if second:
            direction = np.random.default_rng(2).normal(size=x.shape)

            def slope(x):
                return np.sum(direction * gradient(x))

            np.testing.assert_allclose(
                ag.grad(slope)(x), central_difference(slope, x), rtol=1e-6, atol=1e-8
            )

    return check
