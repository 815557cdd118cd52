"""Activations: values, derivatives of both orders, extremes, dtypes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

import autograd_lite as ag
import nn

SMOOTH = ["identity", "sigmoid", "tanh", "relu", "softplus", "softmax", "log_softmax"]
STEPS = ["heaviside", "sign"]
REFERENCES = {
    "identity": lambda x: x,
    "sigmoid": special.expit,
    "tanh": np.tanh,
    "relu": lambda x: np.where(x > 0, x, 0),
    "softplus": lambda x: -special.log_expit(-x),
    "softmax": lambda x: special.softmax(x, axis=-1),
    "log_softmax": lambda x: special.log_softmax(x, axis=-1),
    "heaviside": lambda x: np.where(x >= 0, 1.0, 0.0),
    "sign": lambda x: np.where(x >= 0, 1.0, -1.0),
}


@pytest.fixture
def x():
    """Numbers of either sign, at least 0.1 away from kinks at 0."""
    rng = np.random.default_rng(0)
    return rng.choice([-1.0, 1.0], (3, 4)) * rng.uniform(0.1, 3.0, (3, 4))


def test_every_activation_is_tested():
    assert set(nn.activations) == set(SMOOTH + STEPS) == set(REFERENCES)


@pytest.mark.parametrize("name", SMOOTH + STEPS)
def test_values_equal_the_reference(name, x):
    function = nn.activations[name]
    np.testing.assert_allclose(function(x), REFERENCES[name](x), rtol=1e-14, atol=1e-15)
    np.testing.assert_array_equal(ag.Value(function(x)).data, function(ag.Value(x)).data)


@pytest.mark.parametrize("name", SMOOTH)
def test_both_derivatives(name, x, check_derivatives):
    check_derivatives(nn.activations[name], x)


@pytest.mark.parametrize("name", STEPS)
def test_steps_have_derivative_zero(name, x):
    gradient = ag.grad(lambda x: np.sum(nn.activations[name](x)))(x)
    np.testing.assert_array_equal(gradient, np.zeros_like(x))


@pytest.mark.parametrize("name", SMOOTH + STEPS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extremes_are_finite_and_dtypes_kept(name, dtype):
    x = np.array([[-1000.0, -1.0, 0.0, 1000.0]], dtype)
    value = ag.Value(x)
    function = nn.activations[name]
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        out = function(value)
        out.backward(np.ones_like(x))
        hessian = ag.jacobian(ag.grad(lambda x: np.sum(function(x))))(x)
    for array in (out.data, value.grad, hessian):
        assert array.dtype == dtype
        assert np.isfinite(array).all()


@pytest.mark.parametrize("name", sorted(set(SMOOTH + STEPS) - {"softmax", "log_softmax"}))
def test_scalar_graphs_stay_python_numbers(name):
    x = ag.Value(0.5)
    out = nn.activations[name](x)
    out.backward()
    assert type(out.data) is float
    assert type(x.grad) is float


def test_sigmoid_keeps_relative_precision_in_its_tail():
    np.testing.assert_allclose(nn.sigmoid(-700.0), special.expit(-700.0), rtol=1e-14)


def test_relu_at_zero_has_derivative_zero():
    assert ag.grad(nn.relu)(0.0) == 0.0
