"""Cases of special functions."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite.scipy.names import special, ufunc_behind
from tests.ops.cases.case import (
    Case,
    Domain,
    Rng,
    above_one,
    complex_of,
    distinct,
    domain,
    inside_unit,
    nonzero,
    positive,
    real,
    row,
)

complex_positive = complex_of(positive)
complex_real = complex_of(real)


@domain
def probability(rng: Rng, shape: tuple[int, ...]) -> Any:
    return rng.uniform(0.1, 0.9, shape)


@domain
def upwards(rng: Rng, shape: tuple[int, ...]) -> Any:
    """From 3 on, where counts are."""
    return rng.uniform(3, 5, shape)


def case(name: str, *domains: Domain, label: str = "", **keywords: Any) -> Case:
    """Our function of this name, with SciPy's as the reference: it cannot be given Values."""
    ours, theirs = getattr(ag.scipy.special, name), getattr(special, name)
    return row(
        theirs,
        *domains,
        call=lambda *xs: ours(*xs, **keywords),
        reference=lambda *xs: theirs(*xs, **keywords),
        label=label or f"{keywords or ''}",
    )


def fixed(name: str, *first: Any, of: Domain, label: str = "", **options: Any) -> Case:
    """A function of constants and of one variable after them."""
    ours, theirs = getattr(ag.scipy.special, name), getattr(special, name)
    return row(
        theirs,
        of,
        call=lambda x: ours(*first, x),
        reference=lambda x: theirs(*first, x),
        label=label or f"{first}",
        **options,
    )


def named(names: str) -> list[Any]:
    return [getattr(special, name) for name in names.split()]


OF_ALL_NUMBERS = """
erf erfc erfi erfcx dawsn expit log_expit ndtr log_ndtr exprel exp2 exp10 expm1 cosm1 cbrt
sindg cosdg tandg rgamma j0 j1 i0 i1
"""
OF_POSITIVE = """
exp1 expi entr gamma gammaln digamma loggamma log1p cotdg y0 y1 k0 k1 k0e k1e
"""
OF_PAIRS = """
rel_entr kl_div xlogy xlog1py boxcox boxcox1p inv_boxcox inv_boxcox1p pseudo_huber
poch beta betaln gammainc gammaincc
"""
HOLOMORPHIC = "erf erfc erfi erfcx dawsn wofz ndtr log_ndtr expm1 log1p exp1 xlogy xlog1py"
OF_AN_ORDER = "jv yv iv ive kv kve"
OF_A_DEGREE = """
eval_legendre eval_chebyt eval_chebyu eval_chebyc eval_chebys eval_sh_legendre eval_sh_chebyt
eval_sh_chebyu eval_laguerre eval_hermite eval_hermitenorm
"""

ROWS: list[Case] = [
    *[row(function, real(2, 3)) for function in named(OF_ALL_NUMBERS.replace("cbrt", ""))],
    *[row(function, nonzero(4)) for function in named("cbrt i0e i1e")],
    *[row(function, positive(4)) for function in named(OF_POSITIVE)],
    *[row(function, positive(2, 3), positive(3)) for function in named(OF_PAIRS)],
    *[row(function, probability(4)) for function in named("ellipk ellipe ellipkm1 ndtri logit")],
    row(special.erfinv, inside_unit(4)),
    row(special.erfcinv, above_one(4), call=lambda x: special.erfcinv(x / 2)),
    row(special.owens_t, real(2, 3), real(3)),
    row(special.gammasgn, nonzero(4)),
    row(special.huber, upwards(2, 3), real(3), label="quadratic"),
    row(special.huber, probability(3), upwards(2, 3), label="linear"),
    row(special.gammainc, upwards(3), positive(3), label="left of the mode"),
    row(special.gammaincc, probability(3), upwards(3), label="right of the mode"),
    row(special.binom, upwards(2, 3), positive(3)),
    row(special.betainc, positive(2, 3), positive(3), probability(3)),
    row(special.betainc, positive(3), upwards(3), probability(3), label="on the right"),
    row(special.betaincc, positive(3), positive(3), probability(3)),
    # Complex numbers.
    *[
        row(function, *[complex_positive(3)] * function.nin, label="complex")
        for function in named(HOLOMORPHIC)
    ],
    *[
        row(function, complex_positive(3), label="complex", derivatives=1)
        for function in named("gamma rgamma loggamma")
    ],
    row(ufunc_behind("_lambertw"), positive(3), call=lambda x: special.lambertw(x)),
    row(special.lambertw, complex_positive(3), call=lambda x: special.lambertw(x, k=1)),
    # Constants first: orders, degrees and parameters.
    *[fixed(name, 2.5, of=positive(4)) for name in OF_AN_ORDER.split()],
    *[fixed(name, 1.5, of=complex_of(nonzero)(4), label="complex") for name in OF_AN_ORDER.split()],
    *[fixed(name, 1, of=positive(4)) for name in ("yn", "kn", "polygamma")],
    fixed("expn", np.arange(4), of=positive(4)),
    *[fixed(name, np.arange(4), of=inside_unit(4)) for name in OF_A_DEGREE.split()],
    fixed("eval_legendre", 3, of=complex_real(3), label="complex"),
    fixed("eval_gegenbauer", np.arange(4), 1.5, of=inside_unit(4)),
    fixed("eval_genlaguerre", np.arange(4), 1.5, of=inside_unit(4)),
    fixed("eval_jacobi", np.arange(4), 1.5, 0.5, of=inside_unit(4)),
    fixed("eval_sh_jacobi", np.arange(1, 4), 1.5, 0.5, of=probability(3)),
    fixed("hyp0f1", 1.5, of=real(4)),
    fixed("hyp1f1", 1.5, 2.5, of=real(4)),
    fixed("hyp2f1", 0.5, 1.5, 2.5, of=inside_unit(4)),
    row(
        special.sph_harm_y,
        positive(3),
        real(3),
        call=lambda *x: ag.scipy.special.sph_harm_y(3, np.arange(-1, 2), *x),
        reference=lambda *x: special.sph_harm_y(3, np.arange(-1, 2), *x),
    ),
    # What is no ufunc.
    row(ufunc_behind("_zeta"), above_one(4), call=lambda q: special.zeta(2.5, q)),
    row(special.zeta, positive(4), call=lambda q: special.zeta(np.arange(2.0, 6.0), q)),
    case("multigammaln", upwards(4), d=3),
    case("comb", upwards(2, 3), positive(3)),
    case("factorial", positive(4)),
    *[
        case(name, distinct(2, 3), **keywords)
        for name in ("logsumexp", "softmax", "log_softmax")
        for keywords in ({}, {"axis": 0}, {"axis": -1}, {"axis": (0, 1)})
    ],
    case("logsumexp", real(2, 3), label="keepdims", axis=1, keepdims=True),
    *[
        row(
            special.logsumexp,
            real(*of),
            positive(*shape),
            label=f"weights {shape} of {of}, {keywords}",
            call=lambda a, b, k=keywords: ag.scipy.special.logsumexp(a, b=b, **k),
            reference=lambda a, b, k=keywords: special.logsumexp(a, b=b, **k),
        )
        for of, shape, keywords in (
            ((2, 3), (2, 3), {}),
            ((2, 3), (3,), {"axis": 1}),
            ((2, 3), (2, 1), {"axis": 0}),
            ((3,), (2, 3), {"axis": 1}),
            ((), (3,), {"axis": 0}),
            ((3,), (), {"axis": 0}),
        )
    ],
    row(
        special.logsumexp,
        real(2, 3),
        label="weights, one of them 0",
        call=lambda a: ag.scipy.special.logsumexp(a, b=np.array([2.0, 0.0, 1.0])),
        reference=lambda a: special.logsumexp(a, b=np.array([2.0, 0.0, 1.0])),
    ),
]
