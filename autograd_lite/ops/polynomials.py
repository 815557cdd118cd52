"""Rules of polynomials, which are given by their coefficients, the highest power first."""

from __future__ import annotations

import warnings
from typing import Any

from autograd_lite.core.errors import ArgumentValueError, UnsupportedError
from autograd_lite.core.node import Handle, unwrap
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.views import is_number
from autograd_lite.ops.define import LeftToNumpy, array_function, composite, is_known
from autograd_lite.ops.joining import as_array

__all__: list[str] = []


def coefficients(p: Any) -> Any:
    """The coefficients of a polynomial as a one-dimensional array or Value."""
    if isinstance(p, np.poly1d):
        raise UnsupportedError(
            "a poly1d cannot hold a Value; pass its coefficients p.c, and write "
            "np.polyval(c, x) for p(x)"
        )
    return np.atleast_1d(as_array(p))


# Values.


@composite(np.polyval, asks_numpy="on failure")
def polyval(p: Any, x: Any) -> Any:
    """W. Horner's scheme (1819)."""
    if np.ndim(p) == 0:
        raise LeftToNumpy
    result = np.zeros_like(x)
    for coefficient in coefficients(p):
        result = result * x + coefficient
    return result


def vander_vjp(g: Any, out: Any, x: Any, N: int | None = None, increasing: bool = False) -> Any:
    powers = np.arange(np.shape(out)[1], dtype=x.dtype)
    powers = powers if increasing else powers[::-1]
    return np.sum(g * powers * x[:, None] ** np.maximum(powers - 1, 0), axis=1)


vander = array_function(np.vander, vander_vjp)

# Arithmetic.


def add_aligned(function: Any, a1: Any, a2: Any) -> Any:
    """A sum or difference; the shorter polynomial lacks the highest powers."""
    pair = [coefficients(p) for p in (a1, a2)]
    length = max(map(len, pair))
    padded = [
        p if len(p) == length else np.concatenate((np.zeros(length - len(p), p.dtype), p))
        for p in pair
    ]
    return function(*padded)


@composite(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Any:
    return add_aligned(np.add, a1, a2)


@composite(np.polysub)
def polysub(a1: Any, a2: Any) -> Any:
    return add_aligned(np.subtract, a1, a2)


def polymul_left(g: Any, out: Any, a1: Any, a2: Any) -> Any:
    """A convolution, of which NumPy leaves out the highest powers where they are zero."""
    if not (np.size(a1) and np.size(a2)):
        return np.zeros_like(a1)
    left_out = np.size(a1) + np.size(a2) - 1 - np.size(g)
    whole = np.concatenate((np.zeros(left_out, g.dtype), g))
    return np.reshape(np.correlate(whole, np.conjugate(np.ravel(a2)), "valid"), np.shape(a1))


def polymul_right(g: Any, out: Any, a1: Any, a2: Any) -> Any:
    return polymul_left(g, out, a2, a1)


multiply = array_function(np.polymul, polymul_left, polymul_right, selecting=True)


@composite(np.polydiv)
def polydiv(u: Any, v: Any) -> Any:
    """The long division, step by step as NumPy does it."""
    u, v = (coefficients(p) + 0.0 for p in (u, v))
    rest = np.astype(u, np.result_type(u.dtype, v.dtype))
    scale = 1.0 / v[0]
    quotient = []
    for k in range(len(u) - len(v) + 1):
        quotient.append(scale * rest[k])
        reduced = rest[k : k + len(v)] - quotient[-1] * v
        rest = np.concatenate((rest[:k], reduced, rest[k + len(v) :]))
    while len(rest) > 1 and np.allclose(rest[0], 0, rtol=1e-14):
        rest = rest[1:]
    return np.stack(quotient) if quotient else np.zeros(1, rest.dtype), rest


@composite(np.polyder, whole=("m",))
def polyder(p: Any, m: int = 1) -> Any:
    if m < 0:
        raise ArgumentValueError(f"polyder: m is {m}; write np.polyint(p, {-m}) for an integral")
    p = coefficients(p)
    for _ in range(int(m)):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return p


@composite(np.polyint, whole=("m",))
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    if m < 0:
        raise ArgumentValueError(f"polyint: m is {m}; write np.polyder(p, {-m}) for a derivative")
    m = int(m)
    if m == 0:
        p = as_array(p)
        is_single = isinstance(p, Handle) and is_number(p)
        return np.copy(p) if is_single else p
    p = coefficients(p)
    constants = np.zeros(max(m, 1)) if k is None else coefficients(k)
    if len(constants) < m and len(constants) != 1:
        raise ArgumentValueError(
            f"polyint: {len(constants)} constants of integration for {m} integrals; pass one for "
            "all, or one for each"
        )
    for step in range(m):
        constant = constants[step if len(constants) > 1 else 0]
        p = np.concatenate((p / np.arange(len(p), 0, -1), np.reshape(constant, (1,))))
    return p


# Roots.


def roots_vjp(g: Any, out: Any, p: Any) -> Any:
    """A root moves by -rᵏ / p'(r) for each unit of the coefficient of rᵏ."""
    powers = np.vander(out, np.size(p))
    slopes = powers[:, 1:] @ np.polyder(p)
    return -(g / slopes) @ powers


roots = array_function(np.roots, roots_vjp, selecting=True)


@composite(np.poly)
def poly(seq_of_zeros: Any) -> Any:
    zeros = coefficients(seq_of_zeros)
    if np.ndim(zeros) == 2:
        zeros = np.linalg.eigvals(zeros)
    zeros = np.astype(zeros, np.mintypecode(zeros.dtype.char))
    one = np.ones(1, zeros.dtype)
    result = one
    for index in range(len(zeros)):
        result = np.convolve(result, np.concatenate((one, -zeros[index : index + 1])))
    if result.dtype.kind == "c":
        in_pairs = np.array_equal(np.sort(zeros), np.sort(np.conjugate(zeros)))
        return np.copy(np.real(result)) if in_pairs else result
    return result if len(zeros) else 1.0


# Fits.


@composite(np.polyfit, asks_numpy="on failure", whole=("deg",))
def polyfit(
    x: Any, y: Any, deg: int, rcond: float | None = None, full: bool = False, w: Any = None,
    cov: Any = False,
) -> Any:  # fmt: skip
    x, y = as_array(x) + 0.0, as_array(y) + 0.0
    if deg < 0 or np.ndim(x) != 1 or np.ndim(y) not in (1, 2) or len(x) != len(y) or not len(x):
        raise ArgumentValueError(
            f"polyfit: degree {deg}, x of shape {np.shape(x)} and y of shape {np.shape(y)}; pass "
            "a degree of 0 or more, a vector x, and as many rows in y"
        )
    order = int(deg) + 1
    rcond = len(x) * np.finfo(x.dtype).eps if rcond is None else rcond
    left, right = np.vander(x, order), y
    if w is not None:
        weights = as_array(w) + 0.0
        if np.shape(weights) != np.shape(x) or not (
            np.can_cast(weights.dtype, left.dtype, "same_kind")
            and np.can_cast(weights.dtype, right.dtype, "same_kind")
        ):
            raise LeftToNumpy
        # NumPy multiplies in place.
        left = np.astype(left * weights[:, None], left.dtype)
        right = np.astype(right * (weights[:, None] if np.ndim(y) == 2 else weights), right.dtype)
    scale = np.sqrt(np.sum(left * left, axis=0))
    left = left / scale
    solution, residuals, rank, singular = np.linalg.lstsq(left, right, rcond)
    solution = np.transpose(np.transpose(solution) / scale)
    if full:
        return solution, residuals, rank, singular, rcond
    if is_known(rank) and unwrap(rank) != order:
        warnings.warn("Polyfit may be poorly conditioned", np.exceptions.RankWarning, stacklevel=7)
    if not cov:
        return solution
    base = np.linalg.inv(np.dot(np.transpose(left), left)) / np.outer(scale, scale)
    if cov != "unscaled":
        if len(x) <= order:
            raise ArgumentValueError(
                f"polyfit: {len(x)} points are too few to scale the covariance of {order} "
                'coefficients; pass more points, or cov="unscaled"'
            )
        residuals = residuals / (len(x) - order)
    factor = 1 if cov == "unscaled" else residuals
    return solution, (base if np.ndim(y) == 1 else base[:, :, None]) * factor
