"""Rules where arguments are what they rarely are: bounds that are missing, short integers,
empty arrays, numbers in the place of arrays, complex dtypes asked for, equal eigenvalues.

Expected are central differences of the plain function, or formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

A, B = np.array([0.3, -0.7, 1.2]), np.array([0.5, 0.4, -0.9])
Z = np.array([0.3 + 0.2j, -0.7j, 1.2 - 0.4j])


def differences(function: Any, xs: tuple[Any, ...], weights: Any) -> list[Any]:
    """The gradient of Re⟨weights, function⟩ by each argument: ∂/∂re + i·∂/∂im."""

    def value(i: int, place: Any, step: complex) -> float:
        moved = [np.array(x) for x in xs]
        moved[i][place] += step
        result = function(*moved)
        return float(np.sum(np.real(np.conjugate(weights) * result)))

    def slope(i: int, place: Any, unit: complex) -> float:
        return (value(i, place, 1e-6 * unit) - value(i, place, -1e-6 * unit)) / 2e-6

    found = []
    for i, x in enumerate(xs):
        gradient = np.zeros(np.shape(x), np.result_type(x))
        for place in np.ndindex(np.shape(x)):
            gradient[place] = slope(i, place, 1)
            if np.iscomplexobj(x):
                gradient[place] += 1j * slope(i, place, 1j)
        found.append(gradient)
    return found


CALLS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "clip from below": (lambda x, low: np.clip(x, low, None), (A, B)),
    "clip from above": (lambda x, high: np.clip(x, None, high), (A, B)),
    "clip by order": (lambda x, low, high: np.clip(x, low, high), (A, B + 1.0, B)),
    "linspace along a list": (lambda x, y: np.linspace(x, y, 4, axis=[-1]), (A, B)),
    "one bin": (lambda w: np.histogram(A, 1, weights=w)[0], (B,)),
    "bins of two": (lambda w: np.histogram(A, [-1.0, 0.0, 2.0], weights=w)[0], (B,)),
    "product of a number": (lambda x: np.prod(x, initial=None), (np.array(0.7),)),
    "variance as complex": (lambda z: np.var(z, dtype=np.complex128) * (1 + 2j), (Z,)),
    "variance of real as complex": (lambda x: np.var(x, dtype=complex) * (1 + 2j), (A,)),
    "variance in double": (lambda x: np.var(x, dtype=np.float64), (A,)),
    "variance as longer complex": (lambda z: np.real(np.var(z, dtype=np.clongdouble)) * 1.0, (Z,)),
    "variance about real parts": (lambda z: np.var(z, dtype=float), (Z,)),
    "several quantiles": (lambda x: np.quantile(x, [0.2, 0.9], axis=0), (np.outer(A, B),)),
    "quantiles by q": (lambda q: np.quantile(np.outer(A, B), q, axis=0), (np.array([0.2, 0.9]),)),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("name", CALLS)
def test_gradients_are_central_differences(name: str) -> None:
    function, xs = CALLS[name]
    value, pullback = ag.vjp(function, *xs)
    weights = np.cos(np.arange(np.size(value)) + 1.0).reshape(np.shape(value))
    weights = weights * (1 - 0.7j) if np.iscomplexobj(value) else weights
    for found, wanted in zip(pullback(weights), differences(function, xs, weights), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.uint64, np.int64])
def test_exponents_of_every_length(kind: Any) -> None:
    """One less than 0, and than 40000, is more than short integers hold."""
    small = np.array([0, 1, 2, 100], kind)
    x = np.array([1e3, 2.0, 3.0, 1.01])
    slopes = ag.grad(lambda x: np.sum(x**small))(x)
    np.testing.assert_allclose(slopes, [0.0, 1.0, 6.0, 100 * 1.01**99])
    if np.iinfo(kind).max > 40000:
        slope = ag.grad(lambda x: np.sum(x ** np.array([40000], kind)))(np.array([1.0001]))
        np.testing.assert_allclose(slope, 40000 * 1.0001**39999)


def test_a_remainder_falls_by_whole_numbers() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-50, 50, 400), rng.uniform(0.1, 3, 400)
    slopes = ag.grad(lambda y: np.sum(np.fmod(x, y)))(y)
    np.testing.assert_array_equal(slopes, -np.trunc(x / y))
    np.testing.assert_array_equal(slopes, np.rint(slopes))


@pytest.mark.filterwarnings("ignore:Mean of empty slice:RuntimeWarning")
def test_empty_arrays_beside_others_have_zeros() -> None:
    none = np.zeros(0)
    value, pullback = ag.vjp(lambda x: np.polymul(x, none), A)
    np.testing.assert_array_equal(pullback(np.ones(np.shape(value)))[0], np.zeros(3))
    value, pullback = ag.vjp(lambda w: np.histogram(A, [0.5], weights=w)[0], B)
    np.testing.assert_array_equal(pullback(np.ones(np.shape(value)))[0], np.zeros(3))
    with np.errstate(invalid="ignore"):
        value, pullback = ag.vjp(lambda q: np.nanquantile(none, q), 0.3)
    np.testing.assert_array_equal(pullback(1.0)[0], 0.0)


def test_equal_eigenvalues_share_their_gradient_and_defective_ones_have_none() -> None:
    weights = np.array([1.0, 3.0, 5.0])
    turned = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    singles, matrices = [], []
    for scale in (1.0, 1e6):
        matrix = turned @ np.diag([2 * scale, 2 * scale, scale]) @ turned.T
        values = np.linalg.eigvals(matrix)
        shared = np.mean(weights[values > 1.5 * scale])
        single = weights[values < 1.5 * scale][0]
        slopes = ag.grad(lambda a: np.sum(np.real(np.linalg.eigvals(a)) * weights))(matrix)
        wanted = turned @ np.diag([shared, shared, single]) @ turned.T
        np.testing.assert_allclose(slopes, wanted, atol=1e-6)
        singles.append(slopes)
        matrices.append(matrix)
    together = ag.grad(lambda a: np.sum(np.real(np.linalg.eigvals(a)) * weights))
    np.testing.assert_allclose(together(np.stack(matrices)), singles, atol=1e-6)

    def gap(a: Any) -> Any:
        return np.abs(np.linalg.eigvals(a)[0] - np.linalg.eigvals(a)[1])

    with np.errstate(all="ignore"):
        near = ag.grad(gap)(np.array([[0.0, 1.0], [1e-24, 0.0]]))
        nearer = ag.grad(gap)(np.array([[0.0, 1.0], [1e-27, 0.0]]))
    np.testing.assert_allclose(near[1, 0], 1e12, rtol=1e-2)  # of 2 √x
    assert np.isnan(nearer).all()


def test_logarithms_of_sums_of_infinities() -> None:
    none = ag.grad(ag.special.logsumexp)(np.full(2, -np.inf))
    np.testing.assert_array_equal(none, [0.0, 0.0])
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(
            ag.grad(ag.special.logsumexp)(np.array([np.inf, 1.0])), [np.nan, 0.0]
        )


def test_all_shares_of_dirichlets_distribution() -> None:
    """SciPy takes none that do not sum to 1: the slopes are those of the formula."""
    pytest.importorskip("scipy")
    alpha, shares = np.array([2.0, 1.5, 3.0]), np.array([0.2, 0.3, 0.5])
    by_share, by_alpha = ag.grad(ag.scipy.stats.dirichlet.logpdf, (0, 1))(shares, alpha)
    np.testing.assert_allclose(by_share, (alpha - 1) / shares)
    digamma = ag.special.digamma
    np.testing.assert_allclose(by_alpha, np.log(shares) + digamma(alpha.sum()) - digamma(alpha))
