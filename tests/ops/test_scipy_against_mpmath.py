"""Derivatives of SciPy's functions against mpmath's, which computes with 30 digits."""

from __future__ import annotations

from typing import Any

import pytest

import autograd_lite as ag

mp = pytest.importorskip("mpmath")
special = pytest.importorskip("scipy.special")
stats = ag.scipy.stats

OF_ONE = {
    "erf": mp.erf,
    "erfc": mp.erfc,
    "erfi": mp.erfi,
    "erfinv": mp.erfinv,
    "erfcx": lambda x: mp.exp(x * x) * mp.erfc(x),
    "dawsn": lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x),
    "ndtr": mp.ncdf,
    "log_ndtr": lambda x: mp.log(mp.ncdf(x)),
    "ndtri": lambda p: mp.sqrt(2) * mp.erfinv(2 * p - 1),
    "exp1": mp.e1,
    "expi": mp.ei,
    "expit": lambda x: 1 / (1 + mp.exp(-x)),
    "logit": lambda x: mp.log(x / (1 - x)),
    "log_expit": lambda x: -mp.log1p(mp.exp(-x)),
    "entr": lambda x: -x * mp.log(x),
    "exprel": lambda x: mp.expm1(x) / x,
    "gamma": mp.gamma,
    "rgamma": mp.rgamma,
    "gammaln": mp.loggamma,
    "loggamma": mp.loggamma,
    "digamma": mp.digamma,
    "j0": lambda x: mp.besselj(0, x),
    "j1": lambda x: mp.besselj(1, x),
    "y0": lambda x: mp.bessely(0, x),
    "y1": lambda x: mp.bessely(1, x),
    "i0": lambda x: mp.besseli(0, x),
    "i1": lambda x: mp.besseli(1, x),
    "i0e": lambda x: mp.besseli(0, x) * mp.exp(-x),
    "i1e": lambda x: mp.besseli(1, x) * mp.exp(-x),
    "k0": lambda x: mp.besselk(0, x),
    "k1": lambda x: mp.besselk(1, x),
    "k0e": lambda x: mp.besselk(0, x) * mp.exp(x),
    "ellipk": mp.ellipk,
    "ellipe": mp.ellipe,
    "cosm1": lambda x: mp.cos(x) - 1,
}
"""By their only argument, which is 0.3 and 0.7."""

OF_SEVERAL = {
    "beta": (mp.beta, (0.7, 2.5)),
    "betaln": (lambda a, b: mp.log(mp.beta(a, b)), (0.7, 2.5)),
    "poch": (mp.rf, (1.5, 2.2)),
    "binom": (mp.binomial, (4.3, 1.7)),
    "boxcox": (lambda x, p: (x**p - 1) / p, (1.7, 1e-5)),
    "inv_boxcox": (lambda y, p: (1 + p * y) ** (1 / p), (1.7, 1e-3)),
    "pseudo_huber": (lambda d, r: d * d * (mp.sqrt(1 + (r / d) ** 2) - 1), (0.7, 1.5)),
    "rel_entr": (lambda x, y: x * mp.log(x / y), (0.7, 1.5)),
    "kl_div": (lambda x, y: x * mp.log(x / y) - x + y, (0.7, 1.5)),
    "xlogy": (lambda x, y: x * mp.log(y), (0.7, 1.5)),
    "owens_t": (
        lambda h, a: mp.quad(
            lambda t: mp.exp(-h * h * (1 + t * t) / 2) / (1 + t * t) / (2 * mp.pi), [0, a]
        ),
        (0.7, 1.5),
    ),
    "gammainc": (lambda a, x: mp.gammainc(a, 0, x, regularized=True), (2.5, 1.3)),
    "gammaincc": (lambda a, x: mp.gammainc(a, x, mp.inf, regularized=True), (2.5, 30.0)),
    "betainc": (lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True), (2.5, 0.7, 0.4)),
    "betaincc": (lambda a, b, x: mp.betainc(a, b, x, 1, regularized=True), (2.5, 20.0, 0.9)),
}
"""By all of their arguments."""

OF_THE_LAST = {
    "jv": (mp.besselj, (2.5, 1.3)),
    "yv": (mp.bessely, (2.5, 1.3)),
    "iv": (mp.besseli, (2.5, 1.3)),
    "kv": (mp.besselk, (2.5, 1.3)),
    "expn": (mp.expint, (3, 1.3)),
    "hyp0f1": (mp.hyp0f1, (1.5, 0.7)),
    "hyp1f1": (mp.hyp1f1, (1.5, 2.5, 0.7)),
    "hyp2f1": (mp.hyp2f1, (1.5, 2.5, 0.5, 0.7)),
    "eval_legendre": (mp.legendre, (4, 0.3)),
    "eval_chebyt": (mp.chebyt, (4, 0.3)),
    "eval_chebyu": (mp.chebyu, (4, 0.3)),
    "eval_hermite": (mp.hermite, (4, 0.3)),
    "eval_laguerre": (lambda n, x: mp.laguerre(n, 0, x), (4, 0.3)),
    "eval_genlaguerre": (mp.laguerre, (4, 1.5, 0.3)),
    "eval_gegenbauer": (mp.gegenbauer, (4, 1.5, 0.3)),
    "eval_jacobi": (mp.jacobi, (4, 1.5, 0.5, 0.3)),
}
"""By the last argument alone."""

DENSITIES = {
    "norm": (lambda z: -z * z / 2 - mp.log(2 * mp.pi) / 2, ()),
    "t": (
        lambda z, v: (
            mp.loggamma((v + 1) / 2)
            - mp.loggamma(v / 2)
            - mp.log(v * mp.pi) / 2
            - (v + 1) / 2 * mp.log1p(z * z / v)
        ),
        (3.5,),
    ),
    "gamma": (lambda z, a: (a - 1) * mp.log(z) - z - mp.loggamma(a), (1.7,)),
    "beta": (
        lambda z, a, b: (a - 1) * mp.log(z) + (b - 1) * mp.log1p(-z) - mp.log(mp.beta(a, b)),
        (1.7, 2.5),
    ),
    "lognorm": (
        lambda z, s: -((mp.log(z) / s) ** 2) / 2 - mp.log(s * z) - mp.log(2 * mp.pi) / 2,
        (0.7,),
    ),
    "weibull_min": (lambda z, c: mp.log(c) + (c - 1) * mp.log(z) - z**c, (1.7,)),
    "truncnorm": (
        lambda z, a, b: -z * z / 2 - mp.log(2 * mp.pi) / 2 - mp.log(mp.ncdf(b) - mp.ncdf(a)),
        (-1.5, 2.0),
    ),
    "chi2": (
        lambda z, v: (v / 2 - 1) * mp.log(z) - z / 2 - v / 2 * mp.log(2) - mp.loggamma(v / 2),
        (3.5,),
    ),
}
"""Logarithms of standard densities, and parameters."""

LOC, SCALE = -0.2, 1.3


def assert_gradient_is_mpmaths(ours: Any, theirs: Any, point: tuple[Any, ...], by: Any) -> None:
    with mp.workdps(30):
        for index in by:
            order = tuple(int(i == index) for i in range(len(point)))
            expected = mp.re(mp.diff(theirs, tuple(map(mp.mpf, point)), order))
            found = ag.grad(ours, argnum=index)(*point)
            assert abs(found - expected) <= 1e-9 * abs(expected) + 1e-300, (index, found, expected)


@pytest.mark.parametrize("name", OF_ONE)
def test_functions_of_one_number(name: str) -> None:
    for x in (0.3, 0.7):
        assert_gradient_is_mpmaths(getattr(special, name), OF_ONE[name], (x,), (0,))


@pytest.mark.parametrize("name", OF_SEVERAL)
def test_functions_of_several_numbers(name: str) -> None:
    theirs, point = OF_SEVERAL[name]
    assert_gradient_is_mpmaths(getattr(special, name), theirs, point, range(len(point)))


@pytest.mark.parametrize("name", OF_THE_LAST)
def test_functions_by_their_last_argument(name: str) -> None:
    theirs, point = OF_THE_LAST[name]
    assert_gradient_is_mpmaths(getattr(special, name), theirs, point, (len(point) - 1,))


@pytest.mark.parametrize("name", DENSITIES)
def test_densities_and_probabilities(name: str) -> None:
    standard, shapes = DENSITIES[name]
    point = (0.4, *shapes, LOC, SCALE)

    def log_density(x: Any, *parameters: Any) -> Any:
        *given, loc, scale = parameters
        return standard((x - loc) / scale, *given) - mp.log(scale)

    lowest = {"norm": -20, "t": -mp.inf, "truncnorm": None}.get(name, 0)

    def probability(x: Any, *parameters: Any) -> Any:
        *given, loc, scale = parameters
        low = given[0] if lowest is None else lowest
        return mp.quad(lambda z: mp.exp(standard(z, *given)), [low, (x - loc) / scale])

    distribution = getattr(stats, name)
    everything = range(len(point))
    assert_gradient_is_mpmaths(distribution.logpdf, log_density, point, everything)
    assert_gradient_is_mpmaths(distribution.cdf, probability, point, everything)


@pytest.mark.parametrize("a", [0.05, 0.7, 8.0, 300.0])
@pytest.mark.parametrize("q", [1e-9, 0.01, 0.5, 0.99, 1 - 1e-9])
def test_tails_of_the_incomplete_gamma_function_keep_their_digits(a: float, q: float) -> None:
    """By the parameter, relative to what is left of the probability."""
    x = float(special.gammaincinv(a, q))
    side = special.gammainc if q < 0.9 else special.gammaincc
    ends = (0, x) if q < 0.9 else (x, mp.inf)
    with mp.workdps(40):
        expected = mp.diff(lambda b: mp.gammainc(b, *ends, regularized=True), mp.mpf(a))
        curve = mp.diff(lambda b: mp.gammainc(b, *ends, regularized=True), mp.mpf(a), 2)
    assert ag.grad(side)(a, x) == pytest.approx(float(expected), rel=1e-10)
    assert ag.grad(ag.grad(side))(a, x) == pytest.approx(float(curve), rel=1e-9)
