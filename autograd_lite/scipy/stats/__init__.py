"""Distributions, as in ``scipy.stats``: densities, probabilities and quantiles with derivatives.

SciPy's own make plain arrays of what they get, so they are to be called from here.

>>> import numpy as np, autograd_lite as ag
>>> from autograd_lite.scipy import stats
>>> round(ag.grad(stats.norm.logpdf)(0.5, 0.0, 2.0), 6)
-0.125
>>> round(ag.grad(stats.gamma.cdf, argnum=1)(1.0, 2.0), 6)  # by the shape
-0.276196
>>> ag.grad(lambda mu: np.sum(stats.poisson.logpmf([2, 3], mu)))(2.0)
0.5
"""

from autograd_lite.scipy.stats.continuous import (
    beta,
    cauchy,
    chi2,
    expon,
    gamma,
    gumbel_l,
    gumbel_r,
    halfnorm,
    invgamma,
    laplace,
    logistic,
    lognorm,
    norm,
    pareto,
    rayleigh,
    t,
    truncnorm,
    uniform,
    weibull_min,
)
from autograd_lite.scipy.stats.discrete import (
    bernoulli,
    binom,
    geom,
    nbinom,
    poisson,
)
from autograd_lite.scipy.stats.multivariate import (
    dirichlet,
    multivariate_normal,
    wishart,
)

__all__ = [
    "bernoulli",
    "beta",
    "binom",
    "cauchy",
    "chi2",
    "dirichlet",
    "expon",
    "gamma",
    "geom",
    "gumbel_l",
    "gumbel_r",
    "halfnorm",
    "invgamma",
    "laplace",
    "logistic",
    "lognorm",
    "multivariate_normal",
    "nbinom",
    "norm",
    "pareto",
    "poisson",
    "rayleigh",
    "t",
    "truncnorm",
    "uniform",
    "weibull_min",
    "wishart",
]
