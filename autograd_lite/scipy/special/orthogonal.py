"""Orthogonal polynomials by their argument (DLMF 18.9), spherical harmonics, Lambert's W.

The derivative of a polynomial is one of the degree below, or 0.  By their parameters and
degrees they are refused.
"""

from __future__ import annotations

from typing import Any

from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, Rule, register, registry
from autograd_lite.ops.define import ufunc
from autograd_lite.scipy.names import (
    by_scipy_alone,
    in_precision_of,
    no_rule_by,
    special,
    ufunc_behind,
)

__all__ = [
    "eval_chebyc",
    "eval_chebys",
    "eval_chebyt",
    "eval_chebyu",
    "eval_gegenbauer",
    "eval_genlaguerre",
    "eval_hermite",
    "eval_hermitenorm",
    "eval_jacobi",
    "eval_laguerre",
    "eval_legendre",
    "eval_sh_chebyt",
    "eval_sh_chebyu",
    "eval_sh_jacobi",
    "eval_sh_legendre",
    "lambertw",
    "sph_harm_y",
]


def polynomial(function: Any, *parameters: str, by_argument: Rule) -> Primitive:
    """A polynomial of a degree and parameters, with the rule by its argument."""
    refused = [no_rule_by(name, f"special.{function.__name__}") for name in ("n", *parameters)]
    return ufunc(function, *refused, by_argument)


def below(n: Any) -> Any:
    """The degree below, for functions that have none of degree -1; the factor n is 0 there."""
    return np.where(n == 0, 0, n - 1)


def gegenbauer_below(n: Any, a: float, x: Any) -> Any:
    """The Gegenbauer polynomial of the degree below, for a = 3/2 and 2.

    It stands in derivatives of Legendre's and of Chebyshev's second polynomials.  These have
    negative degrees too, P(-n-1) = P(n) and U(-n-2) = -U(n); SciPy's Gegenbauer's have none.
    """
    is_negative = np.less(n, 0)
    turned = -1 - n if a == 1.5 else -2 - n
    found = in_precision_of(x, eval_gegenbauer(np.where(is_negative, turned, n) - 1, a, x))
    return found if a == 1.5 else np.where(is_negative, -found, found)


eval_gegenbauer: Primitive = polynomial(
    special.eval_gegenbauer,
    "alpha",
    by_argument=lambda g, out, n, a, x: g * (2 * a) * eval_gegenbauer(n - 1, a + 1, x),
)
eval_jacobi: Primitive = polynomial(
    special.eval_jacobi,
    "alpha",
    "beta",
    by_argument=lambda g, out, n, a, b, x: (
        g * ((n + a + b + 1) / 2) * eval_jacobi(n - 1, a + 1, b + 1, x)
    ),
)
eval_sh_jacobi: Primitive = polynomial(
    special.eval_sh_jacobi,
    "p",
    "q",
    by_argument=lambda g, out, n, p, q, x: g * n * eval_sh_jacobi(below(n), p + 2, q + 1, x),
)
eval_genlaguerre: Primitive = polynomial(
    special.eval_genlaguerre,
    "alpha",
    by_argument=lambda g, out, n, a, x: -g * eval_genlaguerre(n - 1, a + 1, x),
)
eval_laguerre = polynomial(
    special.eval_laguerre,
    by_argument=lambda g, out, n, x: -g * eval_genlaguerre(n - 1, 1.0, x),
)
eval_legendre = polynomial(
    special.eval_legendre,
    by_argument=lambda g, out, n, x: g * gegenbauer_below(n, 1.5, x),
)
eval_sh_legendre = polynomial(
    special.eval_sh_legendre,
    by_argument=lambda g, out, n, x: g * 2 * gegenbauer_below(n, 1.5, 2 * x - 1),
)
eval_chebyt = polynomial(
    special.eval_chebyt, by_argument=lambda g, out, n, x: g * n * eval_chebyu(n - 1, x)
)
eval_chebyu: Primitive = polynomial(
    special.eval_chebyu,
    by_argument=lambda g, out, n, x: g * 2 * gegenbauer_below(n, 2.0, x),
)
eval_chebyc = polynomial(
    special.eval_chebyc, by_argument=lambda g, out, n, x: g * n * eval_chebys(n - 1, x)
)
eval_chebys: Primitive = polynomial(
    special.eval_chebys,
    by_argument=lambda g, out, n, x: g * gegenbauer_below(n, 2.0, x / 2),
)
eval_sh_chebyt = polynomial(
    special.eval_sh_chebyt,
    by_argument=lambda g, out, n, x: g * 2 * n * eval_chebyu(n - 1, 2 * x - 1),
)
eval_sh_chebyu = polynomial(
    special.eval_sh_chebyu,
    by_argument=lambda g, out, n, x: g * 4 * gegenbauer_below(n, 2.0, 2 * x - 1),
)
eval_hermite: Primitive = polynomial(
    special.eval_hermite,
    by_argument=lambda g, out, n, x: g * 2 * n * eval_hermite(below(n), x),
)
eval_hermitenorm: Primitive = polynomial(
    special.eval_hermitenorm,
    by_argument=lambda g, out, n, x: g * n * eval_hermitenorm(below(n), x),
)

# Functions that SciPy has no ufunc for.


def by_polar_angle(g: Any, out: Any, n: Any, m: Any, theta: Any, phi: Any) -> Any:
    """By ladder operators, which have no pole at the poles of the sphere.

    SciPy's function is one of cos θ, so that an angle beyond the poles stands for its like between.
    """
    above = np.sqrt((n - m) * (n + m + 1)) * sph_harm_y(n, m + 1, theta, phi)
    below = np.sqrt((n + m) * (n - m + 1)) * sph_harm_y(n, m - 1, theta, phi)
    slope = in_precision_of(out, above * np.exp(-1j * phi) - below * np.exp(1j * phi)) / 2
    return g * np.where(np.sin(theta) < 0, -slope, slope)


sph_harm_y = register(
    special.sph_harm_y,
    Primitive(
        by_scipy_alone(special.sph_harm_y, "sph_harm_y"),
        no_rule_by("n", "special.sph_harm_y"),
        no_rule_by("m", "special.sph_harm_y"),
        by_polar_angle,
        lambda g, out, n, m, theta, phi: g * in_precision_of(out, 1j * m * out),
        name="sph_harm_y",
        arrays=4,
        elementwise=True,
    ),
)
"""Of a degree and an order, which are integers and have no derivative, and two angles."""
ufunc(
    ufunc_behind("_lambertw"),
    lambda g, out, z, k, tol: g * np.exp(-out) / (1 + out),
    None,
    None,
)
lambertw = special.lambertw
registry[lambertw] = lambertw
