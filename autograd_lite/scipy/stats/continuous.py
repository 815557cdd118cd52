"""Continuous distributions: their densities' slopes, and derivatives by their parameters."""

from __future__ import annotations

from math import inf, log, pi, sqrt
from typing import Any

from scipy import stats

from autograd_lite.core.numpy_namespace import np
from autograd_lite.scipy.special.error_functions import log_ndtr
from autograd_lite.scipy.special.gamma_functions import betaln, digamma, gammaln
from autograd_lite.scipy.special.incomplete import beta_by_parameters, gamma_by_a
from autograd_lite.scipy.stats.families import ContinuousDistribution, share

__all__ = [
    "beta",
    "cauchy",
    "chi2",
    "expon",
    "gamma",
    "gumbel_l",
    "gumbel_r",
    "halfnorm",
    "invgamma",
    "laplace",
    "logistic",
    "lognorm",
    "norm",
    "pareto",
    "rayleigh",
    "t",
    "truncnorm",
    "uniform",
    "weibull_min",
]

POSITIVE = (0, inf)


def normal_density(u: Any) -> Any:
    return np.exp(-u * u / 2) / sqrt(2 * pi)


# On all numbers.

norm = ContinuousDistribution(stats.norm, lambda z: -z)
laplace = ContinuousDistribution(stats.laplace, lambda z: -np.sign(z))
logistic = ContinuousDistribution(stats.logistic, lambda z: -np.tanh(z / 2))
cauchy = ContinuousDistribution(stats.cauchy, lambda z: -2 * z / (1 + z * z))
gumbel_r = ContinuousDistribution(stats.gumbel_r, lambda z: np.expm1(-z))
gumbel_l = ContinuousDistribution(stats.gumbel_l, lambda z: -np.expm1(z))


def t_by_df(z: Any, df: Any) -> Any:
    """The derivative of F: of its incomplete beta function by a parameter and by its argument."""
    inner = beta_by_parameters(df / 2, 0.5, df / (df + z * z), orders=(1, 0))
    return -np.sign(z) * inner / 4 - z * t.pdf(z, df) / (2 * df)


t = ContinuousDistribution(
    stats.t,
    lambda z, df: -(df + 1) * z / (df + z * z),
    df=(
        lambda z, df: (
            (
                digamma((df + 1) / 2)
                - digamma(df / 2)
                - np.log1p(z * z / df)
                + (z * z - 1) / (df + z * z)
            )
            / 2
        ),
        t_by_df,
    ),
)

# On an interval.

uniform = ContinuousDistribution(stats.uniform, lambda z: 0 * z, support=(0, 1))


def beta_at_end(z: Any, a: Any, b: Any) -> Any:
    inner = (a - 1) * (1 - z) - (b - 1) * z
    return np.exp(-betaln(a, b)) * z ** (a - 2) * (1 - z) ** (b - 2) * inner


beta = ContinuousDistribution(
    stats.beta,
    lambda z, a, b: share(a - 1, z) - share(b - 1, 1 - z),
    support=(0, 1),
    at_end=beta_at_end,
    a=(
        lambda z, a, b: np.log(z) - digamma(a) + digamma(a + b),
        lambda z, a, b: beta_by_parameters(a, b, z, orders=(1, 0)),
    ),
    b=(
        lambda z, a, b: np.log1p(-z) - digamma(b) + digamma(a + b),
        lambda z, a, b: beta_by_parameters(a, b, z, orders=(0, 1)),
    ),
)


def end_density(end: Any, a: Any, b: Any) -> Any:
    """The density at one of the ends, from the side on which less is cut off."""
    is_right = a > 0
    low, high = np.where(is_right, -b, a), np.where(is_right, -a, b)
    below, above = log_ndtr(low), log_ndtr(high)
    mass = above + np.log1p(-np.exp(below - above))
    return np.exp(-end * end / 2 - mass) / sqrt(2 * pi)


truncnorm: ContinuousDistribution = ContinuousDistribution(
    stats.truncnorm,
    lambda z, a, b: -z,
    support=lambda a, b: (a, b),
    a=(
        lambda z, a, b: end_density(a, a, b),
        lambda z, a, b: -truncnorm.sf(z, a, b) * end_density(a, a, b),
    ),
    b=(
        lambda z, a, b: -end_density(b, a, b),
        lambda z, a, b: -truncnorm.cdf(z, a, b) * end_density(b, a, b),
    ),
)

# On the positive numbers.

expon = ContinuousDistribution(stats.expon, lambda z: 0 * z - 1, support=POSITIVE)
halfnorm = ContinuousDistribution(stats.halfnorm, lambda z: -z, support=POSITIVE)
rayleigh = ContinuousDistribution(
    stats.rayleigh,
    lambda z: 1 / z - z,
    support=POSITIVE,
    at_end=lambda z: (1 - z * z) * np.exp(-z * z / 2),
)
gamma = ContinuousDistribution(
    stats.gamma,
    lambda z, a: share(a - 1, z) - 1,
    support=POSITIVE,
    at_end=lambda z, a: z ** (a - 2) * (a - 1 - z) * np.exp(-z - gammaln(a)),
    a=(lambda z, a: np.log(z) - digamma(a), lambda z, a: gamma_by_a(a, z, order=1)),
)
invgamma = ContinuousDistribution(
    stats.invgamma,
    lambda z, a: (1 / z - a - 1) / z,
    support=POSITIVE,
    a=(lambda z, a: -np.log(z) - digamma(a), lambda z, a: -gamma_by_a(a, 1 / z, order=1)),
)
chi2 = ContinuousDistribution(
    stats.chi2,
    lambda z, df: share(df / 2 - 1, z) - 0.5,
    support=POSITIVE,
    at_end=lambda z, df: (
        z ** (df / 2 - 2)
        * (df / 2 - 1 - z / 2)
        * np.exp(-z / 2 - gammaln(df / 2) - df / 2 * log(2))
    ),
    df=(
        lambda z, df: (np.log(z / 2) - digamma(df / 2)) / 2,
        lambda z, df: gamma_by_a(df / 2, z / 2, order=1) / 2,
    ),
)
lognorm = ContinuousDistribution(
    stats.lognorm,
    lambda z, s: -(1 + np.log(z) / (s * s)) / z,
    support=POSITIVE,
    s=(
        lambda z, s: ((np.log(z) / s) ** 2 - 1) / s,
        lambda z, s: -np.log(z) * normal_density(np.log(z) / s) / (s * s),
    ),
)
weibull_min = ContinuousDistribution(
    stats.weibull_min,
    lambda z, c: share(c - 1, z) - c * z ** (c - 1),
    support=POSITIVE,
    at_end=lambda z, c: c * z ** (c - 2) * (c - 1 - c * z**c) * np.exp(-(z**c)),
    c=(
        lambda z, c: 1 / c + np.log(z) * (1 - z**c),
        lambda z, c: np.log(z) * z**c * np.exp(-(z**c)),
    ),
)
pareto = ContinuousDistribution(
    stats.pareto,
    lambda z, b: -(b + 1) / z,
    support=(1, inf),
    b=(lambda z, b: 1 / b - np.log(z), lambda z, b: np.log(z) * z ** (-b)),
)
