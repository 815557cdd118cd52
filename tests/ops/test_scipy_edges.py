"""SciPy's functions where a formula for their derivative breaks off: ends, poles, far tails.

The numbers beside them are limits of closed forms, or mpmath's.
"""

import numpy as np
import pytest

import autograd_lite as ag

mpmath = pytest.importorskip("mpmath")
scipy = pytest.importorskip("scipy")

from autograd_lite.scipy import linalg, sparse, special, stats  # noqa: E402, needs SciPy


def derivatives(function, x):
    """The first and the second."""
    first = ag.grad(function)
    return float(first(x)), float(ag.grad(first)(x))


# Ends of distributions: the density is zero there, and its logarithm has no derivative.


@pytest.mark.parametrize(
    ("name", "k", "parameters", "place", "expected"),
    [
        ("poisson", 1, (0.0,), 0, (1.0, -2.0)),
        ("poisson", 2, (0.0,), 0, (0.0, 1.0)),
        ("bernoulli", 1, (0.0,), 0, (1.0, 0.0)),
        ("bernoulli", 0, (1.0,), 0, (-1.0, 0.0)),
        ("binom", 1, (5, 0.0), 1, (5.0, -40.0)),
        ("binom", 2, (5, 0.0), 1, (0.0, 20.0)),
        ("binom", 4, (5, 1.0), 1, (-5.0, -40.0)),
        ("nbinom", 1, (2.0, 1.0), 1, (-2.0, -8.0)),
        ("geom", 2, (1.0,), 0, (-1.0, -2.0)),
    ],
)
def test_probabilities_by_a_parameter_that_makes_them_zero(
    name, k, parameters, place, expected
) -> None:
    def probability(p):
        before, after = parameters[:place], parameters[place + 1 :]
        return getattr(stats, name).pmf(k, *before, p, *after)

    assert derivatives(probability, parameters[place]) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "shapes", "end", "expected"),
    [
        ("gamma", (1.0,), 0.0, (-1.0, 1.0)),
        ("gamma", (2.0,), 0.0, (1.0, -2.0)),
        ("gamma", (3.0,), 0.0, (0.0, 1.0)),
        ("chi2", (2.0,), 0.0, (-0.25, 0.125)),
        ("chi2", (4.0,), 0.0, (0.25, -0.25)),
        ("rayleigh", (), 0.0, (1.0, 0.0)),
        ("weibull_min", (1.0,), 0.0, (-1.0, 1.0)),
        ("weibull_min", (2.0,), 0.0, (2.0, 0.0)),
        ("beta", (1.0, 1.0), 0.0, (0.0, 0.0)),
        ("beta", (2.0, 1.0), 0.0, (2.0, 0.0)),
        ("beta", (2.0, 5.0), 0.0, (30.0, -240.0)),
        ("beta", (5.0, 2.0), 1.0, (-30.0, -240.0)),
    ],
)
def test_densities_at_an_end_from_inside(name, shapes, end, expected) -> None:
    method = getattr(stats, name)
    assert derivatives(lambda x: method.pdf(x, *shapes), end) == pytest.approx(expected, abs=1e-10)
    slope = ag.grad(ag.grad(lambda x: method.sf(x, *shapes)))(end)
    assert slope == pytest.approx(-expected[0], abs=1e-10)
    if end == 0.0:
        tail = ag.grad(ag.grad(lambda x: method.logsf(x, *shapes)))(end)
        density = float(method.pdf(end, *shapes))
        assert tail == pytest.approx(-expected[0] - density**2, abs=1e-10)


def test_a_flat_logarithm_of_a_density_at_both_ends() -> None:
    for end in (0.0, 1.0):
        assert derivatives(lambda x: stats.beta.logpdf(x, 1.0, 1.0), end) == (0.0, 0.0)


# Polynomials of negative degrees are those of other ones.


@pytest.mark.parametrize(
    ("name", "degree", "expected"),
    [
        ("eval_legendre", -3, (3 * 0.3, 3.0)),  # (3 x² - 1)/2
        ("eval_sh_legendre", -3, (6 * (2 * 0.3 - 1), 12.0)),
        ("eval_chebyt", -2, (4 * 0.3, 4.0)),  # 2 x² - 1
        ("eval_chebyc", -2, (2 * 0.3, 2.0)),
        ("eval_chebyu", -4, (-8 * 0.3, -8.0)),  # 1 - 4 x²
        ("eval_chebys", -4, (-2 * 0.3, -2.0)),
        ("eval_sh_chebyu", -3, (-4.0, 0.0)),
    ],
)
def test_polynomials_of_negative_degrees(name, degree, expected) -> None:
    function = getattr(special, name)
    found = derivatives(lambda x: function(degree, x), 0.3)
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("angle", [-0.4, 0.4, 3.4, 7.0])
def test_spherical_harmonics_beyond_the_poles(angle) -> None:
    """Of one pole's side: √(3/4π) cos θ, and -√(3/8π) |sin θ| exp(i φ)."""
    flat = ag.grad(lambda theta: np.real(special.sph_harm_y(1, 0, theta, 0.3)))(angle)
    assert flat == pytest.approx(-np.sqrt(3 / (4 * np.pi)) * np.sin(angle), rel=1e-12)
    steep = ag.grad(lambda theta: np.real(special.sph_harm_y(1, 1, theta, 0.0)))(angle)
    expected = -np.sqrt(3 / (8 * np.pi)) * np.cos(angle) * np.sign(np.sin(angle))
    assert steep == pytest.approx(expected, rel=1e-12)


def test_whole_orders_of_numbers_with_decimals() -> None:
    """SciPy cuts the decimals off, with a warning."""
    with pytest.warns(RuntimeWarning, match="truncated"):
        slope = ag.grad(special.kn, 1)(0.5, 2.0), ag.grad(special.yn, 1)(1.5, 2.0)
    expected = ag.grad(special.kn, 1)(0, 2.0), ag.grad(special.yn, 1)(1, 2.0)
    assert slope == pytest.approx(expected, rel=1e-14)


# Far tails, in which nothing is left of differences.


def far_erfcx(x):
    return mpmath.exp(x * x) * mpmath.erfc(x)


def far_dawsn(x):
    return mpmath.sqrt(mpmath.pi) / 2 * mpmath.exp(-x * x) * mpmath.erfi(x)


def far_log_ndtr(x):
    return mpmath.log(mpmath.ncdf(x))


@pytest.mark.parametrize(
    ("name", "reference", "x"),
    [
        ("erfcx", far_erfcx, 29.0),
        ("erfcx", far_erfcx, 31.0),
        ("erfcx", far_erfcx, 1e3),
        ("erfcx", far_erfcx, 1e8),
        ("dawsn", far_dawsn, 31.0),
        ("dawsn", far_dawsn, -300.0),
        ("dawsn", far_dawsn, 1e8),
        ("log_ndtr", far_log_ndtr, -1e3),
        ("log_ndtr", far_log_ndtr, -1e8),
    ],
)
def test_far_tails(name, reference, x) -> None:
    with mpmath.workdps(120):
        step = mpmath.mpf(10) ** -30 * abs(x)
        low, middle, high = (reference(mpmath.mpf(x) + step * k) for k in (-1, 0, 1))
        expected = float((high - low) / (2 * step)), float((high - 2 * middle + low) / step**2)
    assert derivatives(getattr(special, name), x) == pytest.approx(expected, rel=1e-8)


def test_infinity_is_the_end_of_a_tail() -> None:
    assert derivatives(special.erfcx, np.inf) == (0.0, 0.0)
    assert derivatives(special.dawsn, -np.inf) == (0.0, 0.0)
    z = np.array([2e4 + 3e4j])
    slope = ag.vjp(special.wofz, z)[1](np.ones(1, complex))[0]
    assert np.conj(slope) == pytest.approx(-1j / np.sqrt(np.pi) / z**2, rel=1e-8)


@pytest.mark.parametrize("p", [1e-30, 1e-5, 0.3, 0.7, 1 - 1e-12, 1.0, 1.5])
def test_elliptic_integrals_near_both_ends(p) -> None:
    with mpmath.workdps(120):
        step = mpmath.mpf(10) ** -35 * p
        low, middle, high = (mpmath.ellipk(1 - mpmath.mpf(p) - step * k).real for k in (-1, 0, 1))
        expected = float((high - low) / (2 * step)), float((high - 2 * middle + low) / step**2)
    assert derivatives(special.ellipkm1, p) == pytest.approx((expected[0], expected[1]), rel=1e-8)


def test_powers_of_infinity_come_back() -> None:
    """SciPy's series for them would go on for ever."""
    with np.errstate(all="ignore"):
        assert ag.grad(special.boxcox, 1)(np.inf, 2.0) == np.inf
        assert derivatives(special.exprel, np.inf) == (np.inf, np.inf)
        assert derivatives(special.exprel, 1e300) == (np.inf, np.inf)
        assert derivatives(special.exprel, -np.inf) == pytest.approx((0.0, 0.0), abs=1e-37)


# Zeros of binomial coefficients are simple; SciPy's `comb` cuts them off.


def test_binomial_coefficients_that_are_zero() -> None:
    assert ag.grad(special.binom, (0, 1))(2.0, 3.0) == pytest.approx((1 / 3, -1 / 3))
    assert ag.grad(special.binom, (0, 1))(0.0, 1.0) == pytest.approx((1.0, -1.0))
    assert ag.grad(lambda n: 3 * special.binom(n, 3.0))(2.0) == pytest.approx(1.0)
    assert ag.grad(special.binom, 1)(2.0, -1.0) == pytest.approx(1 / 3)
    assert ag.grad(special.comb, (0, 1))(2.0, 3.0) == (0.0, 0.0)


@pytest.mark.parametrize("x", [-700.0, -40.0, 17.0, 40.0, 700.0])
def test_the_slope_of_expit_in_its_tails(x) -> None:
    expected = float(mpmath.exp(-abs(x)) / (1 + mpmath.exp(-abs(x))) ** 2)
    first, second = derivatives(special.expit, x)
    assert first == pytest.approx(expected, rel=1e-14)
    assert second == pytest.approx(-np.sign(x) * expected, rel=1e-7)
    of_single = ag.grad(special.expit)(np.float32(x / 10))
    tail = float(mpmath.exp(-abs(x) / 10) / (1 + mpmath.exp(-abs(x) / 10)) ** 2)
    assert of_single == pytest.approx(tail, rel=2e-5)


# Matrices in the forms that SciPy has for them.


def test_factors_in_other_forms() -> None:
    matrix = np.array([[1.0, 2.0, 0.5], [4.0, 1.0, 3.0], [2.0, 5.0, 1.0]])
    for options in ({"permute_l": True}, {"p_indices": True}):
        found = linalg.lu(ag.Value(matrix), **options)
        for ours, theirs in zip(found, scipy.linalg.lu(matrix, **options), strict=True):
            np.testing.assert_array_equal(np.asarray(ours.data), theirs, strict=True)

    def recombined(a):
        permuted, high = linalg.lu(a, permute_l=True)
        return np.sum((permuted @ high) ** 2)

    np.testing.assert_allclose(ag.grad(recombined)(matrix), 2 * matrix, atol=1e-12)


@pytest.mark.parametrize("name", ["coo_array", "csr_array", "csc_array"])
def test_numbers_of_sparse_arrays_in_the_order_of_scipy(name) -> None:
    places = np.array([2, 0, 1, 0, 2, 0]), np.array([0, 1, 1, 2, 0, 0])
    data, x = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), np.array([0.5, -1.0, 2.0])
    theirs = getattr(scipy.sparse, name)((data, places), shape=(3, 3))
    ours = getattr(sparse, name)((ag.Value(data), places), shape=(3, 3))
    np.testing.assert_array_equal(ours.data.data, theirs.data)
    np.testing.assert_array_equal((-ours / 2.0 @ x).data, -theirs / 2.0 @ x)
    slope = ag.grad(lambda d: np.sum(getattr(sparse, name)((d, places), shape=(3, 3)) @ x))(data)
    np.testing.assert_array_equal(slope, x[places[1]])
