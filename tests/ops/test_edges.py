"""The conventions at the edges: ties, kinks, zeros, masks, repeated indices, odd shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value


def gradient(function: Callable[..., Any], x: Any) -> Any:
    return ag.grad(function)(np.asarray(x, float))


def second(function: Callable[..., Any], x: Any) -> Any:
    """The gradient of the sum of the gradient."""
    return ag.grad(lambda y: np.sum(ag.grad(function)(y)))(np.asarray(x, float))


# Ties.


@pytest.mark.parametrize("function", [np.max, np.min])
def test_tied_extrema_share_equally(function: Any) -> None:
    assert gradient(function, [1.0, 1.0, 1.0, 1.0]).tolist() == [0.25, 0.25, 0.25, 0.25]
    x = [[2.0, 2.0, 5.0], [2.0, 7.0, 5.0]]
    shares = gradient(lambda x: np.sum(function(x, axis=0)), x)
    assert shares[:, 0].tolist() == [0.5, 0.5]
    assert shares[:, 2].tolist() == [0.5, 0.5]
    assert sorted(shares[:, 1]) == [0.0, 1.0]


@pytest.mark.parametrize("function", [np.maximum, np.minimum])
def test_a_tie_of_two_is_halved(function: Any) -> None:
    x, y = Value([1.0, 2.0]), Value([1.0, 2.0])
    np.sum(function(x, y)).backward()
    assert x.grad.tolist() == [0.5, 0.5]
    assert y.grad.tolist() == [0.5, 0.5]


# Kinks.


def test_derivatives_at_kinks() -> None:
    assert ag.grad(lambda x: np.maximum(x, 0))(0.0) == 0.5
    assert ag.grad(abs)(0.0) == 0.0
    assert ag.grad(np.abs)(np.array(0.0)) == 0.0
    assert ag.grad(lambda x: x.relu())(0.0) == 0.0
    assert gradient(lambda x: np.sum(np.hypot(x, 0.0)), [0.0]).tolist() == [0.0]
    assert gradient(np.std, [3.0, 3.0]).tolist() == [0.0, 0.0]


def test_clip_passes_the_gradient_at_its_bounds() -> None:
    shares = gradient(lambda x: np.sum(np.clip(x, -1, 1)), [-2.0, -1.0, 0.0, 1.0, 2.0])
    assert shares.tolist() == [0, 1, 1, 1, 0]


# Products with zeros.


@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_prod_is_exact_with_zeros(zeros: int) -> None:
    x = np.array([2.0, 3.0, 5.0, 7.0, 11.0])
    x[1 : 1 + zeros] = 0
    expected = [np.prod(np.delete(x, i)) for i in range(5)]
    assert gradient(np.prod, x).tolist() == expected
    matrix = np.stack([x, x + 1])
    shares = gradient(lambda x: np.sum(np.prod(x, axis=1)), matrix)
    np.testing.assert_allclose(shares[0], expected, rtol=1e-15)


def test_prod_with_zeros_is_exact_at_second_order() -> None:
    x = np.array([2.0, 0.0, 5.0, 0.0])
    hessian = ag.hessian(np.prod)(x)
    for i in range(4):
        for j in range(4):
            expected = 0.0 if i == j else np.prod(np.delete(x, [i, j]))
            assert hessian[i, j] == expected


# Masks: zero upstream gives zero, whatever the local derivative.

MASKED: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sqrt": (
        lambda x: np.where(x > 0, np.sqrt(np.where(x < 0, 0.0, x)), 0),
        lambda x: 0.5 / np.sqrt(x),
        lambda x: -0.25 * x**-1.5,
    ),
    "reciprocal": (
        lambda x: np.where(x != 0, 1 / x, 0),
        lambda x: -1 / x**2,
        lambda x: 2 / x**3,
    ),
    "log": (lambda x: np.where(x > 0, np.log(x), 0), lambda x: 1 / x, lambda x: -1 / x**2),
    "x log x": (
        lambda x: np.where(x > 0, x * np.log(x), 0),
        lambda x: np.log(x) + 1,
        lambda x: 1 / x,
    ),
    "power": (
        lambda x: np.where(x > 0, x**0.5, 0),
        lambda x: 0.5 / np.sqrt(x),
        lambda x: -0.25 * x**-1.5,
    ),
    "division of two": (
        lambda x: np.where(x != 0, np.sin(x) / x, 1),
        lambda x: np.cos(x) / x - np.sin(x) / x**2,
        lambda x: -np.sin(x) / x - 2 * np.cos(x) / x**2 + 2 * np.sin(x) / x**3,
    ),
    "arccos": (
        lambda x: np.where(np.abs(x - 1) < 1, np.arccos(x - 1), 0),
        lambda x: -1 / np.sqrt(1 - (x - 1) ** 2),
        lambda x: -(x - 1) / (1 - (x - 1) ** 2) ** 1.5,
    ),
    "exp": (
        lambda x: np.where(x > 0, x, np.exp(1e3 / np.where(x == 0, 0.0, 1.0))),
        lambda x: np.ones_like(x),
        lambda x: np.zeros_like(x),
    ),
}


@pytest.mark.parametrize("name", MASKED)
def test_no_nan_comes_from_the_branch_not_taken(name: str) -> None:
    function, first_derivative, second_derivative = MASKED[name]
    x = np.array([0.0, 0.5, 1.5])
    with np.errstate(all="ignore"):
        one = gradient(lambda x: np.sum(function(x)), x)
        two = second(lambda x: np.sum(function(x)), x)
        np.testing.assert_allclose(one[1:], first_derivative(x[1:]), rtol=1e-13)
        np.testing.assert_allclose(two[1:], second_derivative(x[1:]), rtol=1e-13)
    assert one[0] == 0
    assert two[0] == 0


def test_indexing_masks_as_where_does() -> None:
    with np.errstate(all="ignore"):
        shares = gradient(lambda x: np.sum(np.sqrt(x)[1:]), [0.0, 4.0])
    assert shares.tolist() == [0.0, 0.25]


def test_without_a_mask_infinities_stay() -> None:
    with np.errstate(all="ignore"):
        assert gradient(lambda x: np.sum(np.sqrt(x)), [0.0, 4.0]).tolist() == [np.inf, 0.25]


def test_an_upstream_that_is_zero_by_chance_keeps_its_own_derivative() -> None:
    """At 1 the gradient of (√x - 1)² is zero, but its second derivative is not."""

    def function(x: Any) -> Any:
        return np.sum(np.where(x > 0, (np.sqrt(x) - 1) ** 2, 0))

    x = np.array([1.0, 4.0])
    assert gradient(function, x).tolist() == [0.0, 0.5]
    np.testing.assert_allclose(second(function, x), 0.5 * x**-1.5, rtol=1e-15)
    np.testing.assert_allclose(np.diag(ag.hessian(function)(x)), 0.5 * x**-1.5, rtol=1e-15)


def test_forward_mode_sees_through_masks() -> None:
    x, direction = np.array([0.5, 2.0, 0.0]), np.array([1.0, 3.0, 7.0])
    assert ag.jvp(lambda x: np.max(np.sin(x)), x, direction)[1] == 3 * np.cos(2.0)
    with np.errstate(all="ignore"):
        slopes = ag.jvp(lambda x: np.where(x > 0, np.sqrt(x), 0), x, direction)[1]
        unmasked = ag.jvp(lambda x: np.where(x >= 0, np.sqrt(x), 0), x, direction)[1]
    np.testing.assert_allclose(slopes, [0.5 / np.sqrt(0.5), 1.5 / np.sqrt(2.0), 0], rtol=1e-15)
    assert unmasked[2] == np.inf


# Repeated indices.


def test_repeated_indices_accumulate() -> None:
    assert gradient(lambda x: np.sum(x[[0, 0, 2]]), [1.0, 2.0, 3.0]).tolist() == [2, 0, 1]
    pairs = (np.array([0, 0]), np.array([1, 1]))
    shares = gradient(lambda x: np.sum(x[pairs] * [1.0, 10.0]), np.zeros((2, 2)))
    assert shares.tolist() == [[0, 11], [0, 0]]


# Complex numbers: ∂/∂re + i·∂/∂im.


def test_the_gradient_of_a_real_function_of_complex_numbers_is_the_steepest_ascent() -> None:
    z = np.array([1 + 2j, -3 + 0.5j])
    np.testing.assert_allclose(ag.grad(lambda z: np.sum(np.abs(z) ** 2))(z), 2 * z, rtol=1e-15)
    assert ag.grad(lambda z: np.sum(np.real(z)))(z).tolist() == [1, 1]
    assert ag.grad(lambda z: np.sum(np.imag(z)))(z).tolist() == [1j, 1j]
    np.testing.assert_allclose(
        ag.grad(lambda z: np.sum(np.real(np.exp(z))))(z), np.conj(np.exp(z)), rtol=1e-15
    )
    assert ag.grad(lambda z: np.sum(np.abs(z)))(np.array([0j])).tolist() == [0]


# Empty, zero-dimensional and size-1 arrays.


@pytest.mark.parametrize(
    "function",
    [np.sum, np.prod, lambda x: np.sum(np.sin(x) * x), lambda x: np.sum(np.cumsum(x, axis=0)),
     lambda x: np.sum(np.concatenate([x, x])), lambda x: np.sum(x[:, 0:0]),
     lambda x: np.sum(x @ np.ones((3, 2)))],
)  # fmt: skip
def test_empty_arrays_have_empty_gradients(function: Any) -> None:
    assert gradient(function, np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    "function",
    [np.sum, np.prod, np.mean, np.max, np.min, np.sin, lambda x: x * 2, lambda x: np.reshape(x, ()),
     lambda x: np.cumsum(x)[0], lambda x: np.squeeze(np.expand_dims(x, (0, 1))), lambda x: x[()],
     lambda x: x[None][0], lambda x: np.sum(np.broadcast_to(x, (2, 2))) / 4],
)  # fmt: skip
@pytest.mark.parametrize("data", [3.0, np.array(3.0)], ids=["float", "0-d"])
def test_numbers_have_numbers_as_gradients(function: Any, data: Any) -> None:
    share = ag.grad(function)(data)
    assert type(share) is (float if type(data) is float else np.float64)  # as NumPy's functions
    step = 1e-6
    numerical = (function(np.array(3 + step)) - function(np.array(3 - step))) / (2 * step)
    assert share == pytest.approx(numerical, rel=1e-8)


def test_axes_of_length_one_broadcast_both_ways() -> None:
    x, y = Value(np.ones((1, 3))), Value(np.ones((2, 1)))
    np.sum(x * y).backward()
    assert x.grad.tolist() == [[2, 2, 2]]
    assert y.grad.tolist() == [[3], [3]]
    assert gradient(lambda x: np.sum(np.max(x, axis=0)), [[1.0, 2.0]]).tolist() == [[1, 1]]


@pytest.mark.parametrize("function", [np.power, np.arctan2])
@pytest.mark.parametrize("axis", [0, 1])
def test_no_element_is_skipped_whatever_the_processor(function: Any, axis: int) -> None:
    """NumPy's own reductions skip some where there is AVX-512."""
    x = np.random.default_rng(3).uniform(0.8, 1.3, (4, 5))
    total, *others = np.moveaxis(x, axis, 0)
    for other in others:
        total = function(total.copy(), other.copy())
    for found in (
        function.reduce(ag.Value(x), axis=axis).data,
        ag.compile(lambda x: function.reduce(x, axis=axis), check=False)(x),
        function.reduceat(ag.Value(x), [0], axis=axis).data.squeeze(axis),
    ):
        np.testing.assert_allclose(found, total, rtol=1e-14)


def test_one_knot_is_interpolated_by_its_value_and_its_sides() -> None:
    x, xp, fp = np.array([-1.0, 0.5, 2.0]), np.array([0.5]), np.array([3.0], np.float32)
    for sides in ({}, {"left": -7.0}, {"left": -7.0, "right": 9.0}):
        ours = np.interp(x, xp, ag.Value(fp), **sides)
        theirs = np.interp(x, xp, fp, **sides)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours.data, theirs)
        gradient = ag.grad(lambda fp, s=sides: np.sum(np.interp(x, xp, fp, **s)))(fp)
        np.testing.assert_array_equal(gradient, [3 - len(sides)])
    assert ag.grad(lambda x: np.interp(x, xp, fp))(2.0) == 0.0
    assert ag.compile(lambda x: np.interp(x, xp, fp))(0.1) == 3.0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_covariance_of_one_observation_is_nan_in_both_directions() -> None:
    one = np.array([[1.0], [2.0]])
    value, tangent = ag.jvp(np.cov, one, np.ones((2, 1)))
    assert np.all(np.isnan(value)) and np.all(np.isnan(tangent))
    assert np.all(np.isnan(ag.grad(lambda x: np.sum(np.cov(x)))(one)))
