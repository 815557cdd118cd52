"""Error functions, integrals of exponentials, and the normal distribution.

Derivatives: NIST Digital Library of Mathematical Functions (DLMF), chapters 6 and 7.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

from autograd_lite.core.numpy_namespace import np
from autograd_lite.ops.define import ufunc
from autograd_lite.scipy.names import no_rule_by, special

__all__ = [
    "dawsn",
    "erf",
    "erfc",
    "erfcinv",
    "erfcx",
    "erfi",
    "erfinv",
    "exp1",
    "expi",
    "expn",
    "log_ndtr",
    "ndtr",
    "ndtri",
    "owens_t",
    "wofz",
]

SLOPE = 2 / sqrt(pi)
"""Of the error function at 0."""

erf = ufunc(special.erf, lambda g, out, x: g * SLOPE * np.exp(-x * x))
erfc = ufunc(special.erfc, lambda g, out, x: -g * SLOPE * np.exp(-x * x))
erfi = ufunc(special.erfi, lambda g, out, x: g * SLOPE * np.exp(x * x))
erfinv = ufunc(special.erfinv, lambda g, out, x: g / SLOPE * np.exp(out * out))
erfcinv = ufunc(special.erfcinv, lambda g, out, x: -g / SLOPE * np.exp(out * out))

# Of 1 - 2 x F(x) for Dawson's F, and of its like, nothing is left where x is large.

FAR = 30.0
TERMS = 8
"""Of a series whose terms fall below the last digit of its sum, from `FAR` on."""


def beyond(is_far: Any, x: Any, near: Any, sign: float) -> Any:
    """``near``, but for a large x the sum of (2k - 1)!! (sign / 2x²)ᵏ from k = 1 on (DLMF 7.12)."""
    inverse = 1 / np.where(is_far, x, FAR)
    square = sign / 2 * inverse * inverse
    total: Any = 0.0
    for k in range(TERMS, 0, -1):
        total = (2 * k - 1) * square * (1 + total)
    return np.where(is_far, total, near)


def is_far(x: Any, across: Any) -> Any:
    """Whether the series holds: far out, and on the side where the exponential has vanished."""
    return np.logical_and(np.abs(x) > FAR, across >= 0)


erfcx = ufunc(
    special.erfcx,
    lambda g, out, x: g * SLOPE * beyond(is_far(x, np.real(x)), x, 2 / SLOPE * x * out - 1, -1.0),
)
wofz = ufunc(
    special.wofz,
    lambda g, out, z: (
        -g * SLOPE * 1j * beyond(is_far(z, np.imag(z)), z, -2j / SLOPE * z * out - 1, 1.0)
    ),
)
dawsn = ufunc(
    special.dawsn,
    lambda g, out, x: (
        -g * beyond(is_far(x, np.abs(np.real(x)) - 2 * np.abs(np.imag(x))), x, 2 * x * out - 1, 1.0)
    ),
)

exp1 = ufunc(special.exp1, lambda g, out, x: -g * np.exp(-x) / x)
expi = ufunc(special.expi, lambda g, out, x: g * np.exp(x) / x)
expn = ufunc(
    special.expn,
    no_rule_by("n", "special.expn"),
    lambda g, out, n, x: -g * expn_below(n, x),
)


def expn_below(n: Any, x: Any) -> Any:
    """The exponential integral of the order below; that of 0 is elementary."""
    return np.where(n == 0, np.exp(-x) * (1 + x) / (x * x), expn(np.maximum(n - 1, 0), x))


ndtr = ufunc(special.ndtr, lambda g, out, x: g * np.exp(-x * x / 2) / sqrt(2 * pi))
ndtri = ufunc(special.ndtri, lambda g, out, p: g * sqrt(2 * pi) * np.exp(out * out / 2))
# Far below 0 both density and probability vanish, but not their quotient.
log_ndtr = ufunc(special.log_ndtr, lambda g, out, x: g * sqrt(2 / pi) / erfcx(-x / sqrt(2)))
owens_t = ufunc(
    special.owens_t,
    lambda g, out, h, a: -g * np.exp(-h * h / 2) * erf(a * h / sqrt(2)) / sqrt(8 * pi),
    lambda g, out, h, a: g * np.exp(-h * h * (1 + a * a) / 2) / (2 * pi * (1 + a * a)),
)
