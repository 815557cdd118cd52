"""Initializers: their stated variances, dtypes, seeds, errors."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import autograd_lite as ag
from nn import initializers

SHAPE = (300, 200)
VARIANCES = {
    "zeros": (initializers.zeros, 0.0),
    "ones": (initializers.ones, 0.0),
    "constant": (partial(initializers.constant, value=3.0), 0.0),
    "uniform": (partial(initializers.uniform, limit=0.3), 0.03),
    "normal": (partial(initializers.normal, std=0.2), 0.04),
    "truncated_normal": (partial(initializers.truncated_normal, std=0.2), 0.04),
    "lecun_uniform": (initializers.lecun_uniform, 1 / 300),
    "lecun_normal": (initializers.lecun_normal, 1 / 300),
    "glorot_uniform": (initializers.glorot_uniform, 2 / 500),
    "glorot_normal": (initializers.glorot_normal, 2 / 500),
    "he_uniform": (initializers.he_uniform, 2 / 300),
    "he_normal": (initializers.he_normal, 2 / 300),
    "orthogonal": (partial(initializers.orthogonal, gain=2.0), 4 / 300),
}


def test_every_initializer_is_tested():
    others = {"Initializer", "for_activation"}
    assert set(VARIANCES) == set(initializers.__all__) - others


@pytest.mark.parametrize("name", VARIANCES)
def test_variance(name):
    draw, variance = VARIANCES[name]
    weight = draw(np.random.default_rng(0), SHAPE, np.float64)
    assert weight.shape == SHAPE
    # The sample variance of 60,000 normal numbers is within 3 % in all but 1e-7 of cases.
    assert weight.var() == pytest.approx(variance, rel=0.03, abs=1e-30)
    if variance:
        assert abs(weight.mean()) < 5 * np.sqrt(variance / weight.size)


@pytest.mark.parametrize("name", VARIANCES)
def test_dtype_and_seed(name):
    draw, _ = VARIANCES[name]
    first, second = (draw(np.random.default_rng(7), SHAPE, np.float32) for _ in range(2))
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, second)


def test_truncated_normal_has_no_tails():
    weight = initializers.truncated_normal(np.random.default_rng(0), (500, 500), std=1.0)
    assert np.abs(weight).max() <= 2 / initializers.TRUNCATED_STD


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5)])
def test_orthogonal(shape):
    weight = initializers.orthogonal(np.random.default_rng(0), shape)
    small = weight.T @ weight if shape[0] >= shape[1] else weight @ weight.T
    np.testing.assert_allclose(small, np.eye(min(shape)), atol=1e-14)


@pytest.mark.parametrize(
    ("activation", "name"),
    [
        ("relu", "he_normal"),
        ("selu", "lecun_normal"),
        ("tanh", "glorot_uniform"),
        (None, "glorot_uniform"),
    ],
)
def test_defaults_suit_the_activation(activation, name):
    assert initializers.for_activation(activation).__name__ == name


def test_fans_need_a_matrix():
    with pytest.raises(ag.ArgumentValueError) as error:
        initializers.he_normal(np.random.default_rng(0), (3,))
    assert str(error.value) == (
        "an initializer that depends on fan_in and fan_out needs a weight of at least two axes, "
        "not shape (3,); use zeros, constant, uniform or normal"
    )


@pytest.mark.parametrize("draw", [initializers.normal, initializers.truncated_normal])
def test_the_keyword_of_version_0_1_warns(draw):
    text = f"{draw.__name__}: deviation is called std now; write std=..."
    with pytest.warns(DeprecationWarning) as warned:
        old = draw(np.random.default_rng(0), (4, 3), deviation=0.3)
    assert [str(warning.message) for warning in warned] == [text]
    assert warned[0].filename == __file__
    np.testing.assert_array_equal(old, draw(np.random.default_rng(0), (4, 3), std=0.3))
