"""Cases of polynomials: values, arithmetic, roots and fits."""

from __future__ import annotations

from typing import Any

from autograd_lite.core.numpy_namespace import np
from tests.ops.cases.case import (
    Case,
    Rng,
    complex_numbers,
    distinct,
    domain,
    increasing,
    nonzero,
    positive,
    real,
    row,
)


@domain
def with_simple_roots(rng: Rng, shape: tuple[int, ...]) -> Any:
    """Coefficients of polynomials with real roots near 1, -2, 3, -4 and so on."""
    roots = [(-1) ** k * (k + 1.0) for k in range(shape[-1] - 1)]
    return np.poly(roots) + rng.uniform(-0.01, 0.01, shape)


ROOTLESS = np.array([0.0, 0.0, 3.0])
"""What makes all roots of a positive quadratic complex."""

ROWS: list[Case] = [
    row(np.polyval, real(4), real(2, 3)),
    row(np.polyval, real(3), call=lambda x: np.polyval([1.0, 2.0, -1.0], x), label="x"),
    row(np.vander, real(3)),
    row(np.vander, positive(3), N=5, increasing=True),
    *[
        row(function, nonzero(n), nonzero(m), label=f"{n},{m}")
        for function in (np.polyadd, np.polysub, np.polymul)
        for n, m in ((3, 3), (2, 5), (5, 2), (1, 3))
    ],
    *[
        row(function, complex_numbers(3), complex_numbers(2), label="complex")
        for function in (np.polyadd, np.polysub, np.polymul)
    ],
    row(np.polyadd, real(3), label="list", call=lambda p: np.polyadd([1.0, 2.0], p)),
    row(np.polymul, nonzero(3), label="plain", call=lambda p: np.polymul(p, [1.0, 2.0])),
    row(
        np.polymul,
        nonzero(2),
        nonzero(2),
        label="zeros in front",
        call=lambda p, q: np.polymul(np.append([0.0, 0.0], p), np.append([0.0], q)),
    ),
    *[
        row(np.polydiv, nonzero(n), nonzero(m), label=f"{n},{m}")
        for n, m in ((5, 3), (3, 3), (4, 1))
    ],
    row(np.polydiv, complex_numbers(4), complex_numbers(2), label="complex"),
    row(np.polyder, real(5)),
    row(np.polyder, real(5), m=3),
    row(np.polyder, real(2), m=0),
    row(np.polyder, complex_numbers(4), label="complex", m=2),
    row(np.polyint, real(4)),
    row(np.polyint, real(3), m=3),
    row(np.polyint, real(3), m=2, k=[5.0, 6.0]),
    row(np.polyint, real(3), m=0),
    row(np.polyint, real(3), real(), label="constant", call=lambda p, k: np.polyint(p, 2, k=k)),
    row(np.polyint, real(3), real(2), label="constants", call=lambda p, k: np.polyint(p, 2, k=k)),
    row(np.roots, with_simple_roots(4)),
    row(np.roots, with_simple_roots(3), label="zeros", call=lambda p: np.roots(np.append(0.0, p))),
    row(np.roots, positive(3), label="complex results", call=lambda p: np.roots(p + ROOTLESS)),
    row(np.poly, real(4)),
    row(np.poly, complex_numbers(3), label="complex"),
    row(np.poly, distinct(3, 3), label="matrix"),
    row(np.poly, real(1), label="one"),
    row(
        np.poly,
        real(),
        label="complex eigenvalues",
        call=lambda x: np.poly(np.array([[0.0, 3.0], [-2.0, 0.0]]) + x * np.eye(2)),
    ),
    row(np.polyfit, increasing(6), real(6), deg=2),
    row(np.polyfit, increasing(6), real(6, 2), label="columns", deg=1),
    row(
        np.polyfit,
        increasing(6),
        real(6),
        positive(6),
        label="weights",
        call=lambda x, y, w: np.polyfit(x, y, 1, w=w),
    ),
    row(
        np.polyfit,
        real(6, 2),
        positive(6),
        label="weights of columns",
        call=lambda y, w: np.polyfit(np.arange(6.0), y, 2, w=w),
    ),
    row(np.polyfit, increasing(6), real(6), deg=2, cov=True),
    row(np.polyfit, increasing(6), real(6, 2), label="covariances", deg=1, cov=True),
    row(np.polyfit, increasing(6), real(6), deg=1, cov="unscaled"),
    row(
        np.polyfit,
        increasing(6),
        real(6),
        label="full",
        call=lambda x, y: np.polyfit(x, y, 2, full=True)[:2],
    ),
]
