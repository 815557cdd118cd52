"""Activations: values, derivatives of both orders, extremes, dtypes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

import autograd_lite as ag
import nn
from nn.activations import activations, normal_probability

SMOOTH = [name for name in activations if name not in ("heaviside", "sign")]
STEPS = ["heaviside", "sign"]
REFERENCES = {
    "identity": lambda x: x,
    "sigmoid": special.expit,
    "tanh": np.tanh,
    "relu": lambda x: np.where(x > 0, x, 0),
    "softplus": lambda x: -special.log_expit(-x),
    "softmax": lambda x: special.softmax(x, axis=-1),
    "log_softmax": lambda x: special.log_softmax(x, axis=-1),
    "hard_sigmoid": lambda x: np.minimum(np.maximum(x / 6 + 0.5, 0), 1),
    "hard_tanh": lambda x: np.minimum(np.maximum(x, -1), 1),
    "relu6": lambda x: np.minimum(np.maximum(x, 0), 6),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "elu": lambda x: np.where(x > 0, x, special.expm1(x)),
    "selu": lambda x: (
        1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * special.expm1(x))
    ),
    "gelu": lambda x: x * special.ndtr(x),
    "silu": lambda x: x * special.expit(x),
    "mish": lambda x: x * np.tanh(-special.log_expit(-x)),
    "softsign": lambda x: x / (1 + abs(x)),
    "glu": lambda x: x[..., :2] * special.expit(x[..., 2:]),
    "heaviside": lambda x: np.where(x >= 0, 1.0, 0.0),
    "sign": lambda x: np.where(x >= 0, 1.0, -1.0),
}


@pytest.fixture
def x():
    """Numbers of either sign, some beyond 6, away from kinks at 0, ±1, ±3 and 6."""
    rng = np.random.default_rng(0)
    size = rng.choice([0.5, 2.0, 4.0, 8.0], (3, 4)) + rng.uniform(-0.3, 0.3, (3, 4))
    return rng.choice([-1.0, 1.0], (3, 4)) * size


def test_every_activation_is_tested():
    """One is its function, which registers and lists itself, and its row in the table."""
    exported = set(nn.activations.__all__) - {"prelu"}  # of two arguments
    assert set(activations) == set(SMOOTH + STEPS) == set(REFERENCES) == exported
    assert all(getattr(nn.activations, name) is function for name, function in activations.items())


@pytest.mark.parametrize("name", SMOOTH + STEPS)
def test_values_equal_the_reference(name, x):
    function = activations[name]
    np.testing.assert_allclose(function(x), REFERENCES[name](x), rtol=4e-15, atol=1e-16)
    np.testing.assert_array_equal(function(ag.Value(x)).data, function(x))


@pytest.mark.parametrize("name", SMOOTH)
def test_both_derivatives(name, x, check_derivatives):
    check_derivatives(activations[name], x)


@pytest.mark.parametrize("name", STEPS)
def test_steps_have_derivative_zero(name, x):
    gradient = ag.grad(lambda x: np.sum(activations[name](x)))(x)
    np.testing.assert_array_equal(gradient, np.zeros_like(x))


@pytest.mark.parametrize("name", SMOOTH + STEPS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extremes_are_finite_and_dtypes_kept(name, dtype):
    x = np.array([[-1000.0, -1.0, 0.0, 1000.0]], dtype)
    value = ag.Value(x)
    function = activations[name]
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        out = function(value)
        out.backward(np.ones_like(out.data))
        hessian = ag.jacobian(ag.grad(lambda x: np.sum(function(x))))(x)
    for array in (out.data, value.grad, hessian):
        assert array.dtype == dtype
        assert np.isfinite(array).all()


@pytest.mark.parametrize(
    "name",
    [name for name in activations if name not in ("softmax", "log_softmax", "glu")],
)
def test_scalar_graphs_stay_python_numbers(name):
    x = ag.Value(0.5)
    out = activations[name](x)
    out.backward()
    assert type(out.data) is float
    assert type(x.grad) is float


def test_sigmoid_keeps_relative_precision_in_its_tail():
    np.testing.assert_allclose(nn.sigmoid(-700.0), special.expit(-700.0), rtol=1e-14)


def test_relu_at_zero_has_derivative_zero():
    assert ag.grad(nn.relu)(0.0) == 0.0


def test_derivatives_at_kinks_are_those_of_one_side():
    slopes = {name: ag.grad(activations[name])(0.0) for name in ("leaky_relu", "elu")}
    assert slopes == {"leaky_relu": 0.01, "elu": 1.0}
    assert ag.grad(nn.selu)(0.0) == pytest.approx(1.0507009873554805 * 1.6732632423543772)
    assert ag.grad(nn.softsign)(0.0) == 1.0
    assert ag.grad(nn.hard_tanh)(1.0) == 1.0


@pytest.mark.parametrize(
    ("function", "reference"),
    [
        (
            lambda x: nn.gelu(x, approximate=True),
            lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
        ),
        (lambda x: nn.elu(x, alpha=0.5), lambda x: np.where(x > 0, x, 0.5 * np.expm1(x))),
        (lambda x: nn.leaky_relu(x, slope=0.2), lambda x: np.where(x > 0, x, 0.2 * x)),
        (lambda x: nn.softmax(x, axis=0), lambda x: special.softmax(x, axis=0)),
        (lambda x: nn.log_softmax(x, axis=0), lambda x: special.log_softmax(x, axis=0)),
    ],
)
def test_options(function, reference, x, check_derivatives):
    np.testing.assert_allclose(function(x), reference(x), rtol=1e-13, atol=1e-15)
    check_derivatives(function, x)


def test_the_normal_distribution_function_is_accurate_into_its_tail():
    x = np.linspace(-37, 9, 2001)
    np.testing.assert_allclose(normal_probability(x), special.ndtr(x), rtol=5e-13)
    near = x[x > -6]
    np.testing.assert_allclose(normal_probability(near), special.ndtr(near), rtol=4e-15)


def test_prelu_learns_its_slopes(x, check_derivatives):
    check_derivatives(nn.prelu, x, np.array([0.1, 0.2, 0.3, 0.4]))


def test_glu_needs_as_many_gates_as_values():
    with pytest.raises(ag.ArgumentValueError) as error:
        nn.glu(np.zeros((2, 3)))
    assert str(error.value) == (
        "glu: axis -1 of shape (2, 3) has odd length 3; it must hold values and as many gates"
    )
