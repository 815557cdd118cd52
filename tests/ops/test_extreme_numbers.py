"""Rules at very large and very small numbers, at infinity, and where there is too little data."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from tests.ops.numerical import directional_derivative

SCALES = [(1e200, complex), (1e-200, complex), (1e23, np.complex64), (1e-23, np.complex64)]


@pytest.mark.parametrize(("scale", "dtype"), SCALES)
def test_angles_and_lengths_have_their_gradients_at_any_scale(scale: float, dtype: Any) -> None:
    z = np.array([3 + 4j], dtype) * np.asarray(scale, dtype)
    real = np.array([z.real[0], z.imag[0]])
    tolerance = 1e-5 if dtype is np.complex64 else 1e-14
    for function, expected in (
        (np.abs, 0.6 + 0.8j),
        (np.angle, (-0.8 + 0.6j) / 5 / scale),
        (lambda x: np.real(np.sign(x)), 0.8 * (0.8 - 0.6j) / 5 / scale),
    ):
        share = ag.grad(lambda z, f=function: np.sum(f(z)))(z)
        assert share.dtype == z.dtype
        np.testing.assert_allclose(share, [expected], rtol=tolerance)
    angle = ag.grad(lambda v: np.arctan2(v[1], v[0]))(real)
    assert angle.dtype == real.dtype
    np.testing.assert_allclose(angle * real.dtype.type(scale), [-0.16, 0.12], rtol=tolerance)
    np.testing.assert_allclose(
        ag.grad(lambda v: np.hypot(v[0], v[1]))(real), [0.6, 0.8], rtol=tolerance
    )


def test_second_derivatives_of_angles_at_large_numbers_are_zero_and_not_nan() -> None:
    hessian = ag.hessian(lambda v: np.arctan2(v[1], v[0]))(np.array([3e200, 4e200]))
    assert hessian.tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (np.arcsinh, lambda x: 1 / x), (np.arccosh, lambda x: 1 / x), (np.log, lambda x: 1 / x),
        (np.sqrt, lambda x: 0.5 / np.sqrt(x)), (np.cbrt, lambda x: 1 / (3 * np.cbrt(x) ** 2)),
    ],
)  # fmt: skip
def test_slopes_at_large_numbers_do_not_vanish(function: Any, slope: Any) -> None:
    assert ag.grad(function)(1e200) == pytest.approx(slope(1e200), rel=1e-14)


@pytest.mark.parametrize("function", [np.arcsinh, np.arcsin, np.arccos, np.arccosh])
def test_slopes_of_complex_arcs_at_large_numbers_are_finite(function: Any) -> None:
    """They are ±1/z or ±i/z there."""
    z = 3e200 + 4e200j
    assert abs(ag.grad(lambda z: np.real(function(z)))(z)) == pytest.approx(2e-201, rel=1e-13)


@pytest.mark.parametrize("function", [np.arctan, np.arctanh])
def test_slopes_of_complex_arctangents_at_large_numbers_are_zero(function: Any) -> None:
    assert ag.grad(lambda z: np.real(function(z)))(3e200 + 4e200j) == 0


# Infinities.


def test_logsumexp_with_an_infinity_is_no_number_there_and_zero_elsewhere() -> None:
    with np.errstate(invalid="ignore"):
        share = ag.grad(ag.special.logsumexp)(np.array([np.inf, 1.0]))
    np.testing.assert_array_equal(share, [np.nan, 0.0])
    with np.errstate(invalid="ignore"):
        share = ag.grad(lambda x: np.logaddexp(x[0], x[1]))(np.array([np.inf, 1.0]))
    np.testing.assert_array_equal(share, [1.0, 0.0])  # the limit, as PyTorch and JAX have it
    assert ag.grad(ag.special.logsumexp)(np.array([-np.inf, 1.0])).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("x", "y", "slope"), [(0.0, 0.0, 0.0), (2.0, 0.0, np.inf), (1.0, 4.0, 0.25), (0.0, 4.0, 0.0)]
)
def test_nothing_times_a_logarithm_has_no_slope(x: float, y: float, slope: float) -> None:
    with np.errstate(divide="ignore"):
        assert ag.grad(ag.special.xlogy, 1)(x, y) == slope
        assert ag.grad(ag.special.xlog1py, 1)(x, y - 1) == slope


# Too little data.


@pytest.mark.parametrize("data", [np.array([1.5]), np.array([1.5], np.float32), 1.5])
@pytest.mark.parametrize("function", [np.var, np.std])
@pytest.mark.parametrize("ddof", [1, 2])
def test_the_variance_of_too_few_elements_is_numpys_nan_with_its_warning(
    function: Any, data: Any, ddof: int
) -> None:
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match="Degrees of freedom <= 0"):
        value, share = ag.value_and_grad(lambda x: function(x, ddof=ddof))(data)
    assert np.isnan(value)
    assert np.all(np.isnan(share))
    assert np.asarray(share).dtype == np.asarray(data).dtype


def test_the_variance_of_too_few_chosen_elements_is_infinite() -> None:
    mask = np.array([True, False, True])
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match="Degrees of freedom <= 0"):
        share = ag.grad(lambda x: np.var(x, where=mask, ddof=3))(np.array([1.0, 2.0, 4.0]))
    assert share.tolist() == [-np.inf, 0.0, np.inf]


# Python numbers, forwards.


@pytest.mark.parametrize(
    "function",
    [np.sum, np.mean, np.prod, np.max, np.min, np.cumsum, np.cumprod, np.nansum, np.average,
     np.add.reduce, np.multiply.reduce, np.maximum.reduce, np.median, np.ravel,
     lambda x: np.sum(x, axis=0), lambda x: np.max(x, axis=-1), lambda x: np.exp(np.log(x)),
     lambda x: np.pad(x, 2), lambda x: np.convolve(x, 1.0), lambda x: np.diff(x, n=0)],
)  # fmt: skip
def test_forward_derivatives_of_python_numbers(function: Any) -> None:
    value, tangent = ag.jvp(lambda x: np.sum(function(x)), 3.5, 2.0)
    assert value == pytest.approx(3.5, rel=1e-15)
    assert tangent == pytest.approx(2.0, rel=1e-15)


def test_derivatives_of_python_numbers_are_in_double_precision() -> None:
    """That of the digamma function at 1 is π²/6."""
    assert ag.grad(ag.special.digamma)(1.0) == pytest.approx(np.pi**2 / 6, rel=1e-15)


def test_forward_derivatives_of_complex_python_numbers_keep_their_kind() -> None:
    for function, value, tangent in (
        (np.real, 1.0, 0.5), (np.imag, 2.0, 3.0), (np.abs, np.sqrt(5), 6.5 / np.sqrt(5)),
        (np.conjugate, 1 - 2j, 0.5 - 3j), (lambda z: np.real(z) ** 2, 1.0, 1.0),
    ):  # fmt: skip
        found = ag.jvp(function, 1 + 2j, 0.5 + 3j)
        assert found[0] == pytest.approx(value, rel=1e-15)
        assert found[1] == pytest.approx(tangent, rel=1e-14)
        assert isinstance(found[1], complex) == isinstance(tangent, complex)


# Where formulas have gaps that functions do not have.


def test_special_functions_are_exact_where_formulas_have_gaps() -> None:
    special = pytest.importorskip("scipy.special")
    assert ag.grad(special.ellipk)(0.0) == pytest.approx(np.pi / 8, rel=1e-15)
    assert ag.grad(special.ellipe)(0.0) == pytest.approx(-np.pi / 8, rel=1e-15)
    assert ag.grad(special.exprel)(0.0) == 0.5
    assert ag.grad(special.boxcox, 1)(np.e, 0.0) == pytest.approx(0.5, rel=1e-15)
    assert ag.grad(special.inv_boxcox, 1)(1.0, 0.0) == pytest.approx(-np.e / 2, rel=1e-15)
    assert ag.grad(special.rgamma)(-2.0) == pytest.approx(2.0, rel=1e-14)
    assert ag.grad(special.rgamma)(0.0) == pytest.approx(1.0, rel=1e-14)
    assert ag.grad(special.log_ndtr)(-1e8) == pytest.approx(1e8, rel=1e-14)
    assert ag.grad(special.eval_legendre, 1)(3, 1.0) == pytest.approx(6.0, rel=1e-14)
    assert ag.grad(lambda z: np.real(special.lambertw(z)))(0.0) == 1.0
    assert ag.grad(lambda x: special.j1(x))(0.0) == 0.5


def test_incomplete_functions_have_third_derivatives_by_their_parameters() -> None:
    """The rows of the table go as far as the second ones."""
    special = pytest.importorskip("scipy.special")
    x = 0.3
    for second, third, place in (
        (("gammainc", 0, 0), 0, (1.7, x)),
        (("betainc", 0, 0), 0, (1.7, 2.2, x)),
        (("betainc", 0, 0), 1, (1.7, 2.2, x)),
        (("betainc", 1, 1), 0, (1.7, 2.2, x)),
        (("betainc", 1, 1), 1, (1.7, 2.2, x)),
    ):
        name, first, other = second
        curve = ag.grad(ag.grad(getattr(special, name), first), other)

        def along(p: Any, curve: Any = curve, third: int = third, place: Any = place) -> float:
            return float(curve(*[p if i == third else y for i, y in enumerate(place)]))

        slope = directional_derivative(along, [place[third]], [1.0], 8e-3)
        assert ag.grad(curve, third)(*place) == pytest.approx(slope, rel=1e-9)


def test_gradients_of_products_pass_on_what_is_not_finite_whatever_their_shapes() -> None:
    """One row has a way of its own."""
    for n, k, m in product((1, 2, 3), repeat=3):
        x, y = np.resize([np.nan, 1.0, np.inf, 0.0], (n, k)), np.resize([3.0, np.inf, -1.0], (k, m))
        cotangent = np.resize([0.0, 2.0, 1.0], (n, m))
        with np.errstate(invalid="ignore"):
            _, pullback = ag.vjp(np.matmul, x, y)
            by_x, by_y = pullback(cotangent)
            np.testing.assert_array_equal(by_x, np.matmul(cotangent, y.T))
            np.testing.assert_array_equal(by_y, np.matmul(x.T, cotangent))
