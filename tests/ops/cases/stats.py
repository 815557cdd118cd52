"""Cases of distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

import autograd_lite as ag
from tests.ops.cases.case import Case, Domain, Rng, domain, positive, positive_definite, real, row
from tests.ops.cases.special import probability, upwards


@domain
def scale(rng: Rng, shape: tuple[int, ...]) -> Any:
    return rng.uniform(0.7, 1.5, shape)


@domain
def small(rng: Rng, shape: tuple[int, ...]) -> Any:
    return rng.uniform(-0.3, 0.1, shape)


@domain
def low_end(rng: Rng, shape: tuple[int, ...]) -> Any:
    return rng.uniform(-4, -3, shape)


@domain
def whole(rng: Rng, shape: tuple[int, ...]) -> Any:
    return rng.integers(1, 4, shape).astype(float)


def at(distribution: Any, name: str, *domains: Domain, label: str = "") -> Case:
    """A method of a distribution by all its arguments."""
    ours = getattr(getattr(ag.scipy.stats, kind_of(distribution)), name)
    theirs = getattr(distribution, name)
    return row(
        (distribution, name),
        *domains,
        call=ours,
        reference=theirs,
        label=label,
    )


def kind_of(distribution: Any) -> str:
    return getattr(distribution, "name", type(distribution).__name__.removesuffix("_gen"))


METHODS = ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf", "ppf", "isf")


def methods(name: str, x: Any, *shapes: Any) -> list[Case]:
    """All methods of a continuous distribution."""
    distribution = getattr(stats, name)
    places = [x(2, 3), *[shape(3) for shape in shapes], small(3), scale(3)]
    return [
        at(
            distribution,
            method,
            probability(2, 3) if method in ("ppf", "isf") else places[0],
            *places[1:],
        )
        for method in METHODS
    ]


def counted(name: str, *parameters: Domain) -> list[Case]:
    """Both methods of a discrete distribution, of constant numbers."""
    distribution, ours = getattr(stats, name), getattr(ag.scipy.stats, name)
    count = np.array([1.0, 2.0, 3.0]) if name != "bernoulli" else np.array([0.0, 1.0, 1.0])
    return [
        row(
            (distribution, method),
            *parameters,
            call=lambda *ps, method=method: getattr(ours, method)(count, *ps),
            reference=lambda *ps, method=method: getattr(distribution, method)(count, *ps),
        )
        for method in ("pmf", "logpmf")
    ]


def trials(method: str) -> Case:
    """Of 5 trials, whose number is no variable."""
    count = np.array([1.0, 2.0, 5.0])
    return row(
        (stats.binom, method),
        probability(3),
        call=lambda p: getattr(ag.scipy.stats.binom, method)(count, 5, p),
        reference=lambda p: getattr(stats.binom, method)(count, 5, p),
    )


@domain
def middle(rng: Rng, shape: tuple[int, ...]) -> Any:
    """A third each, or what lies between 0 and 1 wherever these are moved to."""
    return rng.uniform(0.28, 0.35, shape)


ROWS: list[Case] = [
    *methods("norm", real),
    *methods("laplace", positive),
    *methods("logistic", real),
    *methods("cauchy", real),
    *methods("gumbel_r", real),
    *methods("gumbel_l", real),
    *methods("t", positive, positive),
    *methods("uniform", middle),
    *methods("beta", middle, positive, upwards),
    *methods("truncnorm", real, low_end, upwards),
    *methods("expon", positive),
    *methods("halfnorm", positive),
    *methods("rayleigh", positive),
    *methods("gamma", positive, positive),
    *methods("invgamma", positive, positive),
    *methods("chi2", positive, upwards),
    *methods("lognorm", positive, scale),
    *methods("weibull_min", positive, positive),
    *methods("pareto", upwards, positive),
    *counted("poisson", positive(3)),
    *counted("bernoulli", probability(3)),
    *counted("nbinom", positive(3), probability(3)),
    *counted("geom", probability(3)),
    trials("pmf"),
    trials("logpmf"),
    *[
        at(stats.multivariate_normal, name, real(4, 3), real(3), positive_definite(3, 3))
        for name in ("pdf", "logpdf")
    ],
    at(
        stats.multivariate_normal, "logpdf", real(3), real(3), positive_definite(3, 3),
        label="one vector",
    ),
    at(stats.multivariate_normal, "entropy", real(3), positive_definite(3, 3)),
    *[at(stats.dirichlet, name, middle(2), positive(3)) for name in ("pdf", "logpdf")],
    at(stats.dirichlet, "logpdf", middle(2, 2), positive(3), label="several"),
    row(
        (stats.wishart, "logpdf"),
        positive_definite(3, 3), upwards(), positive_definite(3, 3),
        call=ag.scipy.stats.wishart.logpdf,
        reference=lambda x, df, scale: stats.wishart.logpdf(x, df[()], scale),
    ),
]  # fmt: skip
