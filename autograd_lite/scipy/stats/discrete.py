"""Distributions of whole numbers: derivatives of their probabilities by their parameters."""

from __future__ import annotations

from typing import Any

from scipy import stats

from autograd_lite.core.numpy_namespace import np
from autograd_lite.scipy.special.gamma_functions import digamma
from autograd_lite.scipy.stats.families import DiscreteDistribution

__all__ = ["bernoulli", "binom", "geom", "nbinom", "poisson"]


def share(count: Any, p: Any) -> Any:
    """``count / p``, which is 0 where there is nothing to count."""
    return count / np.where(count == 0, 1, p)


poisson = DiscreteDistribution(stats.poisson, mu=lambda k, mu: share(k, mu) - 1)
bernoulli = DiscreteDistribution(stats.bernoulli, p=lambda k, p: share(k, p) - share(1 - k, 1 - p))
binom = DiscreteDistribution(
    stats.binom, n=None, p=lambda k, n, p: share(k, p) - share(n - k, 1 - p)
)
nbinom = DiscreteDistribution(
    stats.nbinom,
    n=lambda k, n, p: digamma(k + n) - digamma(n) + np.log(p),
    p=lambda k, n, p: n / p - share(k, 1 - p),
)
geom = DiscreteDistribution(stats.geom, p=lambda k, p: 1 / p - share(k - 1, 1 - p))
