"""Gamma and beta functions, and what is counted with them (DLMF, chapters 5 and 25).

The Riemann and Hurwitz zeta function is differentiated by its second argument.
"""

from __future__ import annotations

import inspect
from math import factorial as product_up_to
from math import pi
from typing import Any

from autograd_lite.core.duck_arrays import array_of, is_duck_array
from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, register, registry
from autograd_lite.ops.define import ufunc
from autograd_lite.scipy.names import by_scipy_alone, no_rule_by, special, ufunc_behind

__all__ = [
    "beta",
    "betaln",
    "binom",
    "comb",
    "digamma",
    "factorial",
    "gamma",
    "gammaln",
    "gammasgn",
    "loggamma",
    "multigammaln",
    "poch",
    "polygamma",
    "polygamma_of",
    "psi",
    "rgamma",
    "zeta",
]

# Polygamma functions.


def polygamma_forward(x: Any, order: int) -> Any:
    """In the precision of ``x``; SciPy's own comes back in double precision always."""
    if order and is_duck_array(x):  # it would be turned into NumPy's: say it in ufuncs
        signed = (-1.0) ** (order + 1) * product_up_to(order)
        return (signed * special.zeta(order + 1, x)).astype(x.dtype)
    x = array_of(x)
    if x.dtype.kind == "c":
        raise UnsupportedError(
            "the derivative of scipy.special.digamma of complex numbers is polygamma(1, z), which "
            "SciPy computes of real numbers only; pass real numbers, or z.data as a constant"
        )
    return special.polygamma(order, x).astype(np.result_type(x, np.float32))


polygamma_of: Primitive = Primitive(
    polygamma_forward,
    lambda g, out, x, order: g * polygamma_of(x, order=order + 1),
    name="polygamma",
    elementwise=True,
)
polygamma: Primitive = register(
    special.polygamma,
    Primitive(
        by_scipy_alone(special.polygamma),
        no_rule_by("n", "special.polygamma"),
        lambda g, out, n, x: g * polygamma(n + 1, x),
        name="polygamma",
        arrays=2,
        elementwise=True,
    ),
)
"""Of an order, which is an integer and has no derivative, and a number."""
digamma = ufunc(special.digamma, lambda g, out, x: g * polygamma_of(x, order=1))
psi = digamma


hurwitz: Primitive = ufunc(
    ufunc_behind("_zeta"),
    no_rule_by("x", "special.zeta"),
    lambda g, out, x, q: -g * x * hurwitz(x + 1, q),
)
zeta = inspect.unwrap(special.zeta)  # of SCIPY_ARRAY_API=1, under which SciPy's comes back here
registry[zeta] = zeta

# Gamma and beta functions.


def rgamma_by_x(x: Any, out: Any) -> Any:
    """By reflection to the left, where it has zeros at the poles of the others."""
    is_left = np.real(x) < 0.5
    far = np.where(is_left, 1 - x, x)
    slope = digamma(far)
    reflected = gamma(far) * (np.cos(pi * x) - np.sin(pi * x) * slope / pi)
    return np.where(is_left, reflected, -out * slope)


gamma = ufunc(special.gamma, lambda g, out, x: g * out * digamma(x))
rgamma = ufunc(special.rgamma, lambda g, out, x: g * rgamma_by_x(x, out))
gammaln = ufunc(special.gammaln, lambda g, out, x: g * digamma(x))
gammasgn = ufunc(special.gammasgn, lambda g, out, x: np.zeros_like(g))
loggamma = ufunc(special.loggamma, lambda g, out, z: g * digamma(z))
multigammaln = register(
    special.multigammaln,
    Primitive(
        by_scipy_alone(special.multigammaln),
        lambda g, out, a, *, d: g * sum(digamma(a - j / 2) for j in range(int(d))),
        name="multigammaln",
        arrays=1,
        elementwise=True,
    ),
)
poch = ufunc(
    special.poch,
    lambda g, out, z, m: g * out * (digamma(z + m) - digamma(z)),
    lambda g, out, z, m: g * out * digamma(z + m),
)
beta = ufunc(
    special.beta,
    lambda g, out, a, b: g * out * (digamma(a) - digamma(a + b)),
    lambda g, out, a, b: g * out * (digamma(b) - digamma(a + b)),
)
betaln = ufunc(
    special.betaln,
    lambda g, out, a, b: g * (digamma(a) - digamma(a + b)),
    lambda g, out, a, b: g * (digamma(b) - digamma(a + b)),
)

# Counting.


def choose_n(g: Any, out: Any, n: Any, k: Any) -> Any:
    return g * out * (digamma(n + 1) - digamma(n - k + 1))


def choose_k(g: Any, out: Any, n: Any, k: Any) -> Any:
    return g * out * (digamma(n - k + 1) - digamma(k + 1))


def where_zero(at_zero: Any, rule: Any) -> Any:
    """A rule whose factors have poles where the number of choices is 0."""

    def vjp(g: Any, out: Any, n: Any, k: Any) -> Any:
        is_zero = out == 0
        found = rule(g, out, np.where(is_zero, 1, n), np.where(is_zero, 1, k))
        return np.where(is_zero, g * at_zero(n, k), found)

    return vjp


def cut_off(n: Any, k: Any) -> Any:
    """SciPy's `comb` stays 0 where there are too few to choose from."""
    return 0 * n


def by_factors(by_n: bool, n: Any, k: Any) -> Any:
    """The slope where n over k is 0, which is where 1/Γ of one factor is."""
    chosen, left = rgamma(k + 1), rgamma(n - k + 1)
    slope = chosen * rgamma_by_x(n - k + 1, left)
    return gamma(n + 1) * (slope if by_n else rgamma_by_x(k + 1, chosen) * left - slope)


binom = ufunc(
    special.binom,
    where_zero(lambda n, k: by_factors(True, n, k), choose_n),
    where_zero(lambda n, k: by_factors(False, n, k), choose_k),
)
comb = register(
    special.comb,
    Primitive(
        by_scipy_alone(special.comb),
        where_zero(cut_off, choose_n),
        where_zero(cut_off, choose_k),
        name="comb",
        arrays=2,
        elementwise=True,
    ),
)
factorial = register(
    special.factorial,
    Primitive(
        by_scipy_alone(special.factorial),
        lambda g, out, n: g * out * digamma(n + 1),
        name="factorial",
        arrays=1,
        elementwise=True,
    ),
)
