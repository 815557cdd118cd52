"""Distributions beyond their rows in the table: ends, what is outside, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag

scipys = pytest.importorskip("scipy.stats")
stats = ag.scipy.stats


def test_calls_are_scipys() -> None:
    x = np.array([0.5, 1.5])
    for call in (
        lambda s: s.gamma.logpdf(x, 2.0),
        lambda s: s.gamma.logpdf(x, a=2.0, scale=3.0),
        lambda s: s.gamma.logpdf(x, 2.0, 0.1, 3.0),
        lambda s: s.norm.cdf(x, scale=2.0),
        lambda s: s.norm.cdf([0.5, 1.5], [0.0, 1.0]),
        lambda s: s.poisson.pmf([0, 1], mu=2.0, loc=1),
    ):
        np.testing.assert_array_equal(call(stats), call(scipys))


def test_lists_of_values_are_operands() -> None:
    a = ag.Value(0.5)
    total = np.sum(stats.norm.logpdf([a, 2 * a]))
    total.backward()
    assert a.grad == pytest.approx(-0.5 - 4 * 0.5)


def test_outside_of_the_support_densities_have_the_gradient_0() -> None:
    x = np.array([-1.0, 0.5, 2.0])
    for call in (stats.uniform.pdf, stats.uniform.logpdf, lambda x: stats.beta.cdf(x, 2.0, 2.0)):
        (gradient,) = ag.vjp(call, x)[1](np.ones(3))
        assert gradient[0] == gradient[2] == 0
    for place, name in ((-1.0, "a"), (2.0, "b")):
        f = lambda p, x=place: stats.beta.pdf(x, p, 3.0)  # noqa: E731
        assert ag.grad(f)(2.0) == 0, name
    assert ag.grad(stats.truncnorm.cdf, 1)(-3.0, -2.0, 1.0) == 0
    assert ag.grad(stats.truncnorm.cdf, 2)(3.0, -2.0, 1.0) == 0
    assert ag.grad(stats.gamma.logsf)(-1.0, 2.0) == 0
    assert ag.grad(stats.norm.pdf)(np.inf) == 0


def test_at_an_end_of_the_support_derivatives_are_those_from_inside() -> None:
    assert ag.grad(stats.expon.pdf)(0.0) == -1
    assert ag.grad(stats.uniform.logsf)(1.0) == -np.inf


def test_parameters_of_no_distribution_give_nan() -> None:
    assert np.isnan(ag.grad(stats.norm.logpdf, 2)(0.5, 0.0, -1.0))
    assert np.isnan(ag.grad(stats.gamma.pdf)(0.5, -1.0))
    assert np.isnan(ag.grad(stats.norm.ppf)(1.5))


def test_far_tails_keep_their_digits() -> None:
    """Of the normal distribution the derivative of log sf is -x - 1/x, nearly."""
    for x in (10.0, 30.0, 1e4):
        slope = ag.grad(stats.norm.logsf)(x)
        assert slope == pytest.approx(-x - 1 / x + 2 / x**3, rel=20 / x**6 + 1e-7)
    exact = ag.grad(stats.gamma.logsf, 1)(200.0, 2.0)  # log((1 + x) exp(-x)) at a = 2
    step = 1e-5
    rough = (scipys.gamma.logsf(200.0, 2 + step) - scipys.gamma.logsf(200.0, 2 - step)) / (2 * step)
    assert exact == pytest.approx(rough, rel=1e-7)


def test_probabilities_without_a_trial_have_finite_derivatives() -> None:
    assert ag.grad(lambda p: stats.binom.logpmf(0, 3, p))(0.0) == -3
    assert ag.grad(lambda p: stats.bernoulli.pmf(1, p))(1.0) == 1
    assert ag.grad(lambda mu: stats.poisson.logpmf(-1, mu))(2.0) == 0


@pytest.mark.parametrize(
    ("call", "argument", "method"),
    [
        (lambda k: stats.poisson.pmf(k, 2.0), "k", "poisson.pmf"),
        (lambda n: stats.binom.logpmf(1, n, 0.5), "n", "binom.logpmf"),
        (lambda loc: stats.geom.pmf(3, 0.5, loc), "loc", "geom.pmf"),
    ],
)
def test_whole_numbers_have_no_derivative(call, argument, method) -> None:
    with pytest.raises(
        ag.NoRuleError, match=rf"^scipy\.stats\.{method} has no derivative rule by .*'{argument}'"
    ):
        ag.grad(call)(2.0)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: scipys.norm.logpdf(x), "norm.logpdf"),
        (lambda x: scipys.gamma.ppf(0.5, x), "gamma.ppf"),
        (lambda x: scipys.norm(0.0, 2.0).cdf(x), "norm.cdf"),
        (lambda x: scipys.poisson.logpmf(2, x), "poisson.logpmf"),
    ],
)
def test_scipys_own_methods_name_ours(call, name) -> None:
    with pytest.raises(ag.ArgumentTypeError, match=rf"^scipy\.stats\.{name} makes .*ag\.scipy\.st"):
        call(ag.Value(0.3))


def test_multivariate_arguments_that_leave_axes_open_are_refused() -> None:
    with pytest.raises(ag.ArgumentValueError, match=r"pass a mean of shape \(d,\), a cov of shape"):
        stats.multivariate_normal.logpdf(np.ones(3), ag.Value(0.0), np.eye(1))
    with pytest.raises(ag.ArgumentValueError, match=r"pass an alpha of shape \(k,\)"):
        stats.dirichlet.logpdf(np.ones(3), ag.Value(np.ones(5)))
    with pytest.raises(ag.ArgumentValueError, match=r"pass one number df, and matrices"):
        stats.wishart.logpdf(np.eye(2), np.ones(2), ag.Value(np.eye(2)))


def test_all_shares_and_all_but_the_last_have_one_density() -> None:
    alpha, x = np.array([2.0, 3.0, 1.5]), np.array([0.2, 0.5, 0.3])
    by_all = ag.grad(stats.dirichlet.logpdf)(x, alpha)
    np.testing.assert_allclose(by_all, (alpha - 1) / x)
    np.testing.assert_allclose(
        ag.grad(stats.dirichlet.logpdf)(x[:2], alpha), by_all[:2] - by_all[2], rtol=1e-13
    )


def test_quantiles_of_uniform_numbers_are_reparametrised_samples() -> None:
    """The mean of a gamma variable is its shape, so that the gradient's mean is 1."""
    u = (np.arange(2000) + 0.5) / 2000
    slope = ag.grad(lambda a: np.mean(stats.gamma.ppf(u, a)))(2.5)
    assert slope == pytest.approx(1, abs=2e-3)
