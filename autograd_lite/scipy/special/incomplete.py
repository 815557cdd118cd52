"""Incomplete gamma and beta functions, by their parameters too.

By its parameters the regularised incomplete gamma function

    P(a, x) = ∫ t^(a-1) exp(-t) / Γ(a) dt   from 0 to x

has derivatives of no closed form.  They are integrals of the same density, times polynomials in
log t and polygamma functions of a, and so are those of the beta function.  Over s = log(x/t),
or the difference of log-odds, the logarithm of the density is concave and analytic: it is
integrated by Gauss and Legendre over panels that double, from the side on which less lies,
so that tails keep their digits.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import comb
from typing import Any

from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.ops.define import ufunc
from autograd_lite.scipy.names import by_scipy_alone, special
from autograd_lite.scipy.special.entropies import xlog1py, xlogy
from autograd_lite.scipy.special.gamma_functions import betaln, digamma, gammaln, polygamma_of

__all__ = [
    "beta_by_parameters",
    "betainc",
    "betaincc",
    "gamma_by_a",
    "gammainc",
    "gammaincc",
]

# Integration of exp(-fall(s)) · factor(s) over s > 0, for a fall that is convex.

PANELS = 12
NODES = 16
DEPTH = 45.0
"""Where to stop: exp(-45) is 3e-20."""

Function = Callable[[Any], Any]


def nodes_and_weights() -> tuple[Any, Any]:
    """Of the interval from 0 to 1, in panels each twice as long as the one before."""
    points, shares = np.polynomial.legendre.leggauss(NODES)
    edges = np.concatenate([[0.0], 2.0 ** np.arange(1 - PANELS, 1)])
    lengths = np.diff(edges)[:, None]
    nodes = edges[:-1, None] + lengths * (points + 1) / 2
    return nodes.ravel(), (lengths * shares / 2).ravel()


def integral(fall: Function, slope: Function, factor: Function, beyond: Any) -> Any:
    """The integral up to where the density has fallen by `DEPTH`, which is before ``beyond``.

    ``beyond`` has an axis of length 1 at the end, and comes nearer by Newton's method, which
    stays on its side of a convex function.
    """
    for _ in range(40):
        beyond = beyond - (fall(beyond) - DEPTH) / slope(beyond)
    nodes, weights = nodes_and_weights()
    s = beyond * nodes
    return np.sum(np.exp(-fall(s)) * factor(s) * (beyond * weights), axis=-1)


# The gamma function's.


def gamma_density(a: Any, x: Any) -> Any:
    """The derivative of P(a, x) by x."""
    return np.exp(xlogy(a - 1, x) - x - gammaln(a))


def gamma_factor(order: int, a: Any, logarithm: Any) -> Any:
    """What the density is multiplied by if it is differentiated by a, so many times.

    The logarithm of the density has the derivatives log t - ψ(a), -ψ'(a), -ψ"(a), …
    """
    slopes = [logarithm - digamma(a), *[-polygamma_of(a, order=k) for k in range(1, order)]]
    factors: list[Any] = [1.0]
    for n in range(order):
        factors.append(sum(comb(n, k) * factors[n - k] * slopes[k] for k in range(n + 1)))
    return factors[order]


def gamma_by_a_forward(a: Any, x: Any, order: int) -> Any:
    dtype = np.result_type(np.add(a, x), np.float32)
    a, x = np.broadcast_arrays(np.asarray(a, float), np.asarray(x, float))
    inside = (a > 0) & (x > 0) & (x < np.inf)
    valid = inside | ((a > 0) & ((x == 0) | (x == np.inf)))
    shape, a, x = a.shape, np.where(inside, a, 1)[..., None], np.where(inside, x, 1)[..., None]
    below = np.log(x) < np.maximum(special.digamma(a), -7)
    side = np.where(below, 1, -1)  # s is log(x/t) on the left, and log(t/x) on the right

    def fall(s: Any) -> Any:
        return side * (a * s) + x * np.expm1(-side * s)

    def slope(s: Any) -> Any:
        return side * (a - x * np.exp(-side * s))

    beyond = np.where(below, (DEPTH + x) / a, 2 * np.log1p((DEPTH + a) / x))
    with np.errstate(all="ignore"):
        total = integral(
            fall, slope, lambda s: gamma_factor(order, a, np.log(x) - side * s), beyond
        )
        size = np.exp(a * np.log(x) - x - special.gammaln(a)) * side
    result = np.where(inside, size[..., 0] * total, np.where(valid, 0, np.nan))
    return result.reshape(shape).astype(dtype)


gamma_by_a: Primitive = Primitive(
    by_scipy_alone(gamma_by_a_forward, "gammainc_by_a"),
    lambda g, out, a, x, order: g * gamma_by_a(a, x, order=order + 1),
    lambda g, out, a, x, order: g * gamma_density(a, x) * gamma_factor(order, a, np.log(x)),
    name="gammainc_by_a",
    elementwise=True,
    singular=True,
)
gammainc = ufunc(
    special.gammainc,
    lambda g, out, a, x: g * gamma_by_a(a, x, order=1),
    lambda g, out, a, x: g * gamma_density(a, x),
)
gammaincc = ufunc(
    special.gammaincc,
    lambda g, out, a, x: -g * gamma_by_a(a, x, order=1),
    lambda g, out, a, x: -g * gamma_density(a, x),
)

# The beta function's.


def beta_density(a: Any, b: Any, x: Any) -> Any:
    """The derivative of I(a, b, x) by x."""
    return np.exp(xlogy(a - 1, x) + xlog1py(b - 1, -x) - betaln(a, b))


def beta_slope(m: int, n: int, a: Any, b: Any, logarithm: Any, other: Any) -> Any:
    """The logarithm of the density, differentiated m times by a and n times by b."""
    common = polygamma_of(a + b, order=m + n - 1)
    if m and n:
        return common
    if m:
        return common - polygamma_of(a, order=m - 1) + (logarithm if m == 1 else 0)
    return common - polygamma_of(b, order=n - 1) + (other if n == 1 else 0)


def beta_factor(m: int, n: int, a: Any, b: Any, logarithm: Any, other: Any) -> Any:
    """What the density is multiplied by if it is differentiated by a and by b, so many times."""
    by_both = list(product(range(m + 1), range(n + 1)))
    slopes = {ij: beta_slope(*ij, a, b, logarithm, other) for ij in by_both[1:]}
    factors: dict[tuple[int, int], Any] = {(0, 0): 1.0}
    for i, j in by_both[1:]:
        if i:
            factors[i, j] = sum(
                comb(i - 1, k) * comb(j, q) * slopes[k + 1, q] * factors[i - 1 - k, j - q]
                for k in range(i)
                for q in range(j + 1)
            )
        else:
            factors[0, j] = sum(
                comb(j - 1, q) * slopes[0, q + 1] * factors[0, j - 1 - q] for q in range(j)
            )
    return factors[m, n]


def beta_by_parameters_forward(a: Any, b: Any, x: Any, orders: tuple[int, int]) -> Any:
    dtype = np.result_type(np.add(a, b) + x, np.float32)
    a, b, x = np.broadcast_arrays(*[np.asarray(y, float) for y in (a, b, x)])
    inside = (a > 0) & (b > 0) & (x > 0) & (x < 1)
    valid = inside | ((a > 0) & (b > 0) & ((x == 0) | (x == 1)))
    a, b, x = (np.where(inside, y, 0.5) for y in (a, b, x))
    # From the right where more lies on the left; but for a small b, where digits are not lost.
    below = (x * (a + b) <= a) & ((x <= 0.5) | (a >= 5))
    with np.errstate(all="ignore"):
        near, far = (np.where(below, p, q) for p, q in ((a, b), (b, a)))
        left = beta_left(near, far, np.where(below, x, 1 - x), orders)
        right = beta_left(near, far, np.where(below, x, 1 - x), orders[::-1])
    result = np.where(inside, np.where(below, left, -right), np.where(valid, 0, np.nan))
    return result.astype(dtype)


def beta_left(a: Any, b: Any, x: Any, orders: tuple[int, int]) -> Any:
    """The derivative of I(a, b, x), integrated from the left."""
    a, b, x = a[..., None], b[..., None], x[..., None]
    odds = np.log(x) - np.log1p(-x)

    def logarithms(s: Any) -> tuple[Any, Any]:
        """Of t and of 1 - t, if the log-odds of t are those of x, less s."""
        return special.log_expit(odds - s), special.log_expit(s - odds)

    def fall(s: Any) -> Any:
        of_t, of_rest = logarithms(s)
        return a * (np.log(x) - of_t) + b * (np.log1p(-x) - of_rest)

    def slope(s: Any) -> Any:
        return a - (a + b) * special.expit(odds - s)

    beyond = (DEPTH - (a + b) * np.log1p(-x)) / a
    total = integral(fall, slope, lambda s: beta_factor(*orders, a, b, *logarithms(s)), beyond)
    size = np.exp(a * np.log(x) + b * np.log1p(-x) - special.betaln(a, b))
    return size[..., 0] * total


beta_by_parameters: Primitive = Primitive(
    by_scipy_alone(beta_by_parameters_forward, "betainc_by_parameters"),
    lambda g, out, a, b, x, orders: (
        g * beta_by_parameters(a, b, x, orders=(orders[0] + 1, orders[1]))
    ),
    lambda g, out, a, b, x, orders: (
        g * beta_by_parameters(a, b, x, orders=(orders[0], orders[1] + 1))
    ),
    lambda g, out, a, b, x, orders: (
        g * beta_density(a, b, x) * beta_factor(orders[0], orders[1], a, b, np.log(x), np.log1p(-x))
    ),
    name="betainc_by_parameters",
    elementwise=True,
    singular=True,
)
betainc = ufunc(
    special.betainc,
    lambda g, out, a, b, x: g * beta_by_parameters(a, b, x, orders=(1, 0)),
    lambda g, out, a, b, x: g * beta_by_parameters(a, b, x, orders=(0, 1)),
    lambda g, out, a, b, x: g * beta_density(a, b, x),
)
betaincc = ufunc(
    special.betaincc,
    lambda g, out, a, b, x: -g * beta_by_parameters(a, b, x, orders=(1, 0)),
    lambda g, out, a, b, x: -g * beta_by_parameters(a, b, x, orders=(0, 1)),
    lambda g, out, a, b, x: -g * beta_density(a, b, x),
)
