"""Distributions of whole numbers: derivatives of their probabilities by their parameters."""

from __future__ import annotations

from typing import Any

from scipy import stats

from autograd_lite.core.numpy_namespace import np
from autograd_lite.scipy.special.gamma_functions import digamma
from autograd_lite.scipy.stats.families import DiscreteDistribution, share

__all__ = ["bernoulli", "binom", "geom", "nbinom", "poisson"]

# Of log P the derivatives, and of P itself where it is 0 and log P has none: if a number is
# certain, as for p = 0, its neighbours are what changes.

poisson: DiscreteDistribution = DiscreteDistribution(
    stats.poisson,
    mu=(lambda k, mu: share(k, mu) - 1, lambda k, mu: poisson.pmf(k - 1, mu) - poisson.pmf(k, mu)),
)


def binom_by_p(k: Any, n: Any, p: Any) -> Any:
    fewer = np.maximum(n - 1, 0)
    return n * (binom.pmf(k - 1, fewer, p) - binom.pmf(k, fewer, p))


bernoulli = DiscreteDistribution(
    stats.bernoulli,
    p=(
        lambda k, p: share(k, p) - share(1 - k, 1 - p),
        lambda k, p: binom_by_p(k, 1, p),
    ),
)
binom: DiscreteDistribution = DiscreteDistribution(
    stats.binom,
    n=None,
    p=(lambda k, n, p: share(k, p) - share(n - k, 1 - p), binom_by_p),
)
nbinom: DiscreteDistribution = DiscreteDistribution(
    stats.nbinom,
    n=(lambda k, n, p: digamma(k + n) - digamma(n) + np.log(p), lambda k, n, p: 0 * p),
    p=(
        lambda k, n, p: n / p - share(k, 1 - p),
        lambda k, n, p: n / p * (nbinom.pmf(k, n, p) - nbinom.pmf(k - 1, n + 1, p)),
    ),
)
geom: DiscreteDistribution = DiscreteDistribution(
    stats.geom,
    p=(
        lambda k, p: 1 / p - share(k - 1, 1 - p),
        lambda k, p: geom.pmf(k, p) / p - (k - 1) * geom.pmf(np.maximum(k - 1, 0), p),
    ),
)
