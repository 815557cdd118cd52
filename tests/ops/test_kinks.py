"""Smooth functions of lengths: at zero, where a length has a kink, their Hessians are exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

EYE = np.eye(2)
CENTRED = np.array([[0.5, -0.5], [-0.5, 0.5]])

SMOOTH: dict[str, tuple[Any, Any, Any]] = {
    "abs ** 2": (lambda x: np.sum(np.abs(x) ** 2), [0.0, 1.0], 2 * EYE),
    "square of fabs": (lambda x: np.sum(np.square(np.fabs(x))), [0.0, -1.0], 2 * EYE),
    "abs · abs": (lambda x: np.sum(abs(x) * abs(x)), [0.0, 0.0], 2 * EYE),
    "cos of abs": (lambda x: np.sum(np.cos(np.abs(x))), [0.0, 0.0], -EYE),
    "abs ** 3": (lambda x: np.sum(np.abs(x) ** 3), [0.0, 0.0], 0 * EYE),
    "norm ** 2": (lambda x: np.linalg.norm(x) ** 2, [0.0, 0.0], 2 * EYE),
    "norm · norm": (lambda x: np.linalg.norm(x) * np.linalg.norm(x) * 3, [0.0, 0.0], 6 * EYE),
    "norms along an axis": (
        lambda x: np.sum(np.linalg.norm(np.reshape(x, (1, 2)), axis=1) ** 2), [0.0, 0.0], 2 * EYE
    ),
    "norm, axes kept": (
        lambda x: np.sum(np.linalg.norm(x, axis=0, keepdims=True) ** 2), [0.0, 0.0], 2 * EYE
    ),
    "√(1 + norm²)": (lambda x: np.sqrt(1 + np.linalg.norm(x) ** 2), [0.0, 0.0], EYE),
    "hypot ** 2": (lambda x: np.hypot(x[0], x[1]) ** 2, [0.0, 0.0], 2 * EYE),
    "std ** 2": (lambda x: np.std(x) ** 2, [3.0, 3.0], CENTRED),
    "std along an axis": (
        lambda x: np.sum(np.std(np.reshape(x, (1, 2)), axis=1) ** 2), [3.0, 3.0], CENTRED
    ),
    "a kink": (lambda x: np.sum(np.abs(x)) + np.linalg.norm(x), [0.0, 0.0], 0 * EYE),
    "a kink and a curve": (
        lambda x: np.sum(np.abs(x) + np.abs(x) ** 2) + np.linalg.norm(x), [0.0, 0.0], 2 * EYE
    ),
    "one of two rows is zero": (
        lambda x: np.sum(np.linalg.norm(np.stack([x, x + 1]), axis=1) ** 2), [0.0, 0.0], 4 * EYE
    ),
    "abs · x": (lambda x: np.sum(np.abs(x) * x), [0.0, 0.0], 0 * EYE),
}  # fmt: skip


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_smooth_functions_of_lengths_have_their_hessians_at_zero(name: str, compiled: bool) -> None:
    function, point, expected = SMOOTH[name]
    x, direction = np.array(point), np.array([1.0, 0.5])
    transforms = [
        ag.hessian(function),
        lambda x: ag.jvp(ag.grad(function), x, direction)[1],
        lambda x: ag.hvp(function, x, direction),
    ]
    hessian, *products = [ag.compile(f) if compiled else f for f in transforms]
    np.testing.assert_allclose(hessian(x), expected, rtol=1e-14, atol=1e-15)
    for product in products:
        np.testing.assert_allclose(product(x), expected @ direction, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_a_program_has_the_hessian_at_zero_that_it_was_not_traced_at(compiled: bool) -> None:
    hessian = ag.hessian(lambda x: np.sum(np.cos(np.abs(x))))
    run = ag.compile(hessian) if compiled else hessian
    for point in ([1.0, 2.0], [0.0, 2.0], [0.0, 0.0]):
        expected = np.diag(-np.cos(point))
        np.testing.assert_allclose(run(np.array(point)), expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize(
    "function",
    [
        lambda z: np.sum(np.abs(z) ** 2),
        lambda z: np.linalg.norm(z) ** 2,
        lambda z: np.sum(np.abs(z) * np.abs(z)),
    ],
)
@pytest.mark.parametrize("point", [[0j, 0j], [0j, 1 + 2j]])
def test_squares_of_complex_lengths_have_the_hessian_2(function: Any, point: Any) -> None:
    """The Hessian of |z|² in real and imaginary parts is 2."""

    def of_parts(v: Any) -> Any:
        return function(v[0] + 1j * v[1])

    z = np.array(point)
    hessian = ag.hessian(of_parts)(np.stack([z.real, z.imag])).reshape(4, 4)
    np.testing.assert_allclose(hessian, 2 * np.eye(4), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(
        ag.jvp(ag.grad(function), z, np.array([1j, 2 - 1j]))[1], [2j, 4 - 2j], atol=1e-14
    )


def test_numbers_and_higher_orders_at_zero() -> None:
    """The derivatives of cos |x| = cos x at 0 are 0, -1, 0, 1."""
    derivative, found = (lambda x: np.cos(abs(x))), []
    for _ in range(4):
        derivative = ag.grad(derivative)
        found.append(derivative(0.0))
    assert found == [0.0, -1.0, 0.0, 1.0]
    assert ag.hessian(lambda x: abs(x) ** 2)(0.0) == 2.0
    mixed = ag.grad(lambda w: ag.grad(ag.grad(lambda x: w**2 * abs(x) ** 2))(0.0))
    assert mixed(3.0) == 12.0


def test_many_lengths_of_zero_one_after_the_other_take_no_more_than_a_sweep_each() -> None:
    def rolled(x: Any) -> Any:
        for _ in range(40):
            x = x - 0.1 * np.abs(x) * x
        return np.sum(x**2)

    np.testing.assert_array_equal(ag.hessian(rolled)(np.zeros(2)), 2 * EYE)


@pytest.mark.parametrize("point", [0.5, 2.0, 1.0])
@pytest.mark.parametrize("operator", [np.power, lambda x, n: x**n, np.float_power])
def test_the_hessian_of_a_power_is_symmetric_at_exponent_zero(operator: Any, point: float) -> None:
    """∂²/∂x∂n of x ** n is x ** (n - 1) (1 + n log x), and ∂²/∂n² is log² x."""
    log = np.log(point)
    expected = [[0, 1 / point], [1 / point, log * log]]
    hessian = ag.hessian(lambda v: operator(v[0], v[1]))
    np.testing.assert_allclose(hessian(np.array([point, 0.0])), expected, rtol=1e-14)
    np.testing.assert_allclose(hessian([point, 0.0]), expected, rtol=1e-14)


def test_a_power_of_zero_at_exponent_zero_has_gradient_zero() -> None:
    assert ag.grad(lambda v: v[0] ** v[1])(np.zeros(2)).tolist() == [0.0, 0.0]
    assert ag.grad(lambda x: x**0)(0.0) == 0.0
    assert ag.grad(lambda x: x**0.0)(np.zeros(2)[0]) == 0.0


@pytest.mark.parametrize("order", [0.25, 0.5, 1, 1.5, 2, 3, np.inf, -0.5, -1, -2, -np.inf, 0])
def test_norms_of_every_order_have_gradient_zero_at_zero(order: float) -> None:
    def norm(x: Any) -> Any:
        return np.linalg.norm(x, ord=order)

    with np.errstate(divide="ignore"):  # NumPy's own, of negative orders
        assert ag.grad(norm)(np.zeros(3)).tolist() == [0, 0, 0]
        assert ag.grad(norm)(np.array([0.0, 1.0, 2.0]))[0] == 0
        if order < 0:  # the norm is 0 as long as one element is
            assert ag.grad(norm)(np.array([0.0, 1.0, 2.0])).tolist() == [0, 0, 0]


@pytest.mark.parametrize("order", ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_norms_of_matrices_have_gradient_zero_at_zero(order: Any) -> None:
    shares = ag.grad(lambda x: np.linalg.norm(x, ord=order))(np.zeros((2, 2)))
    assert shares.tolist() == [[0, 0], [0, 0]]


def test_where_the_value_is_not_a_number_the_gradient_is_none_either() -> None:
    """A constant row has no correlation; its number goes through `np.clip`."""
    a = np.array([[1.0, 1.0, 1.0], [1.0, 2.0, 4.0]])
    with np.errstate(all="ignore"):
        assert np.isnan(ag.grad(lambda a: np.corrcoef(a)[0, 1])(a)).all()
    assert ag.grad(lambda x: np.clip(x, 0, 1))(np.nan) == 1.0


@pytest.mark.parametrize("function", [np.logaddexp, np.subtract, np.power, np.fmax])
def test_a_number_is_folded_over_the_axis_that_numpy_grants_it(function: Any) -> None:
    for axis in (0, -1, None):
        assert ag.grad(lambda x, axis=axis: function.reduce(x, axis=axis))(2.0) == 1.0
        assert ag.jvp(lambda x, axis=axis: function.reduce(x, axis=axis), 2.0, 3.0) == (2.0, 3.0)


EPSILON = float(np.finfo(float).eps)


@pytest.mark.parametrize(
    ("options", "limit"),
    [({}, 1e-15), ({"rcond": 1e-3}, 1e-3), ({"rtol": None}, 3 * EPSILON), ({"rtol": 1e-3}, 1e-3)],
)
def test_a_small_singular_value_counts_from_the_limit_on(options: Any, limit: float) -> None:
    """The pseudoinverse of diag(1, s) has 1/s or 0 in its corner."""
    for s in (0.9 * limit, 1.1 * limit):
        a = np.array([[1.0, 0.0], [0.0, s], [0.0, 0.0]])
        corner = ag.grad(lambda a: np.linalg.pinv(a, **options)[1, 1])(a)[1, 1]
        expected = -1 / s**2 if s > limit else 0.0
        np.testing.assert_allclose(corner, expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("rcond", "limit"),
    [(None, 4 * EPSILON), (1e-3, 1e-3), *[(x, EPSILON / 2) for x in (-1, 0, 1, 2.5)]],
)
def test_so_it_does_for_least_squares(rcond: Any, limit: float) -> None:
    def second(a: Any, b: Any) -> Any:
        return np.linalg.lstsq(a, b, rcond=rcond)[0][1]

    for s in (0.9 * limit, 1.1 * limit):
        a, b = np.diag([1.0, s, 0.5, 0.5])[:, :2], np.array([1.0, s, 0.0, 0.0])
        by_a, by_b = ag.grad(second, (0, 1))(a, b)
        np.testing.assert_allclose(by_b[1], second(a, b) / s, rtol=1e-9)
        np.testing.assert_allclose(by_a[1, 1], -by_b[1] * bool(by_b[1]), rtol=1e-9)


def test_the_quantile_has_the_slope_of_inside_at_the_ends() -> None:
    x = np.array([5.0, 1.0, 2.0])
    for q, slope in ((0.0, 2.0), (0.25, 2.0), (0.75, 6.0), (1.0, 6.0)):
        assert ag.grad(lambda q: np.quantile(x, q))(q) == slope
        assert ag.grad(lambda q: np.percentile(x, q))(100 * q) == slope / 100
    assert ag.grad(lambda q: np.quantile(x[:1], q))(0.5) == 0.0
    assert ag.grad(lambda q: np.quantile(x[:2], q))(1.0) == 4.0


def test_each_of_several_nan_is_one_of_its_own_where_numpy_says_so() -> None:
    x = np.array([1.0, np.nan, 2.0, np.nan, 1.0])
    weights = np.array([3.0, 5.0, 7.0, 11.0])
    for function in (np.unique_values, lambda x: np.unique(x, equal_nan=False)):
        gradient = ag.grad(lambda x, f=function: np.sum(np.nan_to_num(f(x)) * weights))(x)
        np.testing.assert_array_equal(gradient, [1.5, 0.0, 5.0, 0.0, 1.5])
        handed = ag.vjp(function, x)[1](weights)[0]
        assert sorted(handed) == [1.5, 1.5, 5.0, 7.0, 11.0]
    handed = ag.vjp(np.unique, x)[1](weights[:3])[0]
    np.testing.assert_array_equal(handed, [1.5, 3.5, 5.0, 3.5, 1.5])


def test_least_squares_of_single_precision_are_solved_in_double() -> None:
    """What is below the rounding of single precision counts for NumPy, which solves in double."""
    a = np.array([[1.0, 0.0], [0.0, 1e-9], [0.0, 0.0]], np.float32)
    b = np.array([1.0, 2e-9, 0.0], np.float32)
    assert np.linalg.lstsq(a, b, rcond=None)[0][1] == 2.0
    slope = ag.grad(lambda b: np.linalg.lstsq(a, b, rcond=None)[0][1])(b)
    np.testing.assert_allclose(slope, [0.0, 1e9, 0.0], rtol=1e-6)
    assert slope.dtype == np.float32


def test_bounds_in_the_wrong_order_give_the_upper_one() -> None:
    for x in (0.0, 1.5, 4.0):
        assert ag.grad(np.clip, (0, 1, 2))(x, 2.0, 1.0) == (0.0, 0.0, 1.0)
    assert ag.grad(np.clip, (0, 1, 2))(0.0, 1.0, 3.0) == (0.0, 1.0, 0.0)
    assert ag.grad(np.clip, (0, 2))(4.0, None, 3.0) == (0.0, 1.0)


def test_the_step_that_fmod_takes_off_is_the_one_it_took() -> None:
    """1.0 / 0.1 is rounded up to 10, but 0.1 is more than a tenth."""
    assert ag.grad(np.fmod, 1)(1.0, 0.1) == ag.grad(np.remainder, 1)(1.0, 0.1) == -9.0
    assert ag.grad(np.fmod, 1)(-7.5, 2.0) == 3.0


def test_sums_of_exponentials_share_the_gradient_whatever_their_size() -> None:
    for function in (np.logaddexp, np.logaddexp2):
        for large in (1e16, -1e16, np.float32(1e8)):
            assert ag.grad(function, (0, 1))(large, large) == (0.5, 0.5)
        assert ag.grad(function, (0, 1))(2000.0, -2000.0) == (1.0, 0.0)
    for x in (np.full(4, 1e16), np.full(4, 1e8, np.float32)):
        np.testing.assert_allclose(ag.grad(ag.special.logsumexp)(x), np.full(4, 0.25), rtol=1e-6)


def test_a_negative_number_has_no_broken_power_and_no_derivative_of_it() -> None:
    with np.errstate(invalid="ignore"):
        for power in (0.5, 1.5, -0.5):
            assert np.isnan(ag.grad(lambda x, n=power: x**n)(-4.0))
            assert np.isnan(ag.grad(ag.grad(lambda x, n=power: x**n))(-4.0))
    assert ag.grad(lambda x: x**3.0)(-2.0) == 12.0
    assert ag.vjp(lambda z: z**0.5, -4 + 0j)[1](1.0)[0].imag == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("function", "at", "slope"),
    [
        (np.arcsin, 1.0, np.inf), (np.arcsin, -1.0, np.inf),
        (np.arccos, 1.0, -np.inf), (np.arccos, -1.0, -np.inf),
    ],
)  # fmt: skip
def test_the_slope_at_the_end_of_arcsin_and_arccos_has_its_sign(function, at, slope):
    with np.errstate(divide="ignore"):
        assert ag.grad(function)(at) == slope
        assert ag.jvp(function, at, 1.0)[1] == slope
        np.testing.assert_array_equal(ag.grad(lambda x: np.sum(function(x)))(np.array([at])), slope)
