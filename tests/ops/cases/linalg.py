"""Cases of linear algebra and decompositions.

Of symmetric matrices NumPy reads one triangle, and no element of the other counts.  Of complex
eigenvectors only what does not depend on their phase has a derivative.
"""

from __future__ import annotations

from typing import Any

from autograd_lite.core.numpy_namespace import np
from tests.ops.cases.case import (
    Case,
    complex_numbers,
    complex_of,
    distinct_lines,
    distinct_sizes,
    full_rank,
    invertible,
    positive_definite,
    real,
    row,
    symmetric,
)

la = np.linalg
ORDERS = (None, 1, 2, 3, 0.5, np.inf, -np.inf)
MATRIX_NORMS = [
    *[(order, full_rank) for order in ("fro", "nuc", 2, -2)],
    *[(order, distinct_lines) for order in (1, -1, np.inf, -np.inf)],
]
complex_invertible = complex_of(invertible)
complex_full_rank = complex_of(full_rank)

ROTATION = np.array([[0.0, 9.0, 0.0], [-9.0, 0.0, 0.0], [0.0, 0.0, 5.0]])
"""Gives a matrix one real eigenvalue and a pair of complex ones, far apart."""


def rebuilt(x: Any) -> Any:
    """A function of a Hermitian matrix, whatever the phases of its eigenvectors."""
    values, vectors = la.eigh(x)
    return (vectors * np.sin(values)) @ np.conjugate(np.swapaxes(vectors, -1, -2))


def solution(a: Any, b: Any, **keywords: Any) -> Any:
    """All that `lstsq` returns but the rank."""
    x, residuals, _, s = la.lstsq(a, b, **keywords)
    return x, residuals, s


def settled(pairs: Any) -> Any:
    """Eigenvalues in ascending order, and the sign of each vector so that the diagonal is positive.

    LAPACK promises neither, and both may change from one point to the next.
    """
    values, vectors = in_order(pairs)
    signs = np.sign(np.diagonal(vectors, axis1=-2, axis2=-1))
    return values, vectors * signs[..., None, :]


def in_order(pairs: Any) -> Any:
    """Eigenvalues in ascending order of their real parts, with their vectors."""
    values, vectors = pairs
    order = np.argsort(np.real(values), axis=-1)
    vectors = np.take_along_axis(vectors, order[..., None, :], axis=-1)
    return np.take_along_axis(values, order, axis=-1), vectors


def sorted_values(x: Any) -> Any:
    values = la.eigvals(x)
    return np.take_along_axis(values, np.argsort(np.real(values), axis=-1), axis=-1)


def polar(x: Any) -> Any:
    """The unitary factor, whatever the phases of the singular vectors."""
    u, s, vh = la.svd(x, full_matrices=False)
    return u @ vh, np.sum(np.abs(u) ** 4 * s[..., None, :]), np.abs(vh) ** 2


ROWS: list[Case] = [
    *[
        row(function, domain)
        for function in (la.inv, la.det, la.slogdet, la.pinv)
        for domain in (invertible(3, 3),)
    ],
    *[
        row(function, invertible(2, 3, 3), label="stacked")
        for function in (la.inv, la.det, la.slogdet, la.pinv)
    ],
    *[
        row(function, complex_invertible(3, 3), label="complex")
        for function in (la.inv, la.det, la.slogdet, la.pinv)
    ],
    row(la.det, real(1, 1), label="1 by 1"),
    row(la.pinv, full_rank(4, 3), label="tall"),
    row(la.pinv, full_rank(2, 2, 3), label="wide"),
    *[
        row(la.pinv, full_rank(*shape), rcond=0.7, label=f"cut {shape}")
        for shape in ((3, 3), (4, 3), (3, 4), (2, 4, 3))
    ],
    row(la.pinv, full_rank(2, 4, 3), rcond=np.array([0.7, 0.4]), label="cut, two limits"),
    row(la.pinv, full_rank(4, 3), rcond=0.01, label="cut nothing"),
    row(la.pinv, complex_full_rank(4, 3), rcond=0.7, label="cut, complex"),
    *[
        row(la.solve, invertible(*a), real(*b), label=f"{a},{b}")
        for a, b in [
            ((3, 3), (3,)),
            ((3, 3), (3, 2)),
            ((2, 3, 3), (3, 2)),
            ((3, 3), (2, 3, 2)),
            ((2, 3, 3), (2, 3, 1)),
            ((2, 3, 3), (3,)),
        ]
    ],
    row(la.solve, complex_invertible(3, 3), complex_numbers(3), label="complex"),
    row(la.lstsq, full_rank(4, 2), real(4), call=solution, label="vector"),
    row(la.lstsq, full_rank(4, 2), real(4, 3), call=solution, label="matrix"),
    row(la.lstsq, full_rank(2, 4), real(2), call=solution, label="wide"),
    row(la.lstsq, invertible(3, 3), real(3, 2), call=solution, label="square"),
    row(la.lstsq, complex_full_rank(4, 2), complex_numbers(4), call=solution, label="complex"),
    *[
        row(
            la.lstsq,
            full_rank(4, 3),
            real(4),
            call=lambda a, b, r=r: la.lstsq(a, b, r)[0],
            label=f"rcond={r}",
        )
        for r in (0.7, 0.01, -1)
    ],
    row(
        la.tensorsolve,
        invertible(4, 4),
        real(2, 2),
        call=lambda a, b: la.tensorsolve(np.reshape(a, (2, 2, 2, 2)), b),
    ),
    row(
        la.tensorsolve,
        invertible(6, 6),
        real(2, 3),
        label="axes",
        call=lambda a, b: la.tensorsolve(
            np.transpose(np.reshape(a, (2, 3, 6)), (0, 2, 1)), b, axes=(1,)
        ),
    ),
    row(
        la.tensorinv, invertible(6, 6), call=lambda a: la.tensorinv(np.reshape(a, (2, 3, 6)), ind=2)
    ),
    row(
        la.tensorinv,
        invertible(6, 6),
        label="ind=1",
        call=lambda a: la.tensorinv(np.reshape(a, (6, 2, 3)), ind=1),
    ),
    *[row(la.matrix_power, invertible(3, 3), n=n) for n in (-3, -1, 0, 1, 2, 3, 5)],
    row(la.multi_dot, real(2, 3), real(3, 4), real(4, 2), call=lambda *xs: la.multi_dot(xs)),
    row(
        la.multi_dot,
        real(3),
        real(3, 2),
        real(2, 4),
        real(4),
        label="vectors",
        call=lambda *xs: la.multi_dot(list(xs)),
    ),
    *[
        row(la.norm, distinct_sizes(3, 2), label=f"{order},axis=0", ord=order, axis=0)
        for order in ORDERS
    ],
    *[row(la.norm, distinct_sizes(4), label=f"{order}", ord=order) for order in ORDERS],
    row(la.norm, distinct_sizes(2, 3, 2), label="all"),
    row(la.norm, distinct_sizes(4), label="0", ord=0),
    row(la.norm, distinct_sizes(3, 2), label="keepdims", axis=-1, keepdims=True),
    *[
        row(la.norm, domain(3, 2), label=f"matrix,{order}", ord=order)
        for order, domain in MATRIX_NORMS
    ],
    *[
        row(
            la.norm,
            domain(2, 4, 3),
            label=f"stacked,{order}",
            ord=order,
            axis=(2, 1),
            keepdims=True,
        )
        for order, domain in MATRIX_NORMS
    ],
    row(la.norm, full_rank(2, 4, 3), label="axes", axis=(0, 1)),
    *[
        row(la.norm, complex_numbers(3), label=f"complex,{order}", ord=order)
        for order in (None, 1, 3, np.inf)
    ],
    row(la.norm, complex_full_rank(3, 2), label="complex,nuc", ord="nuc"),
    row(la.matrix_norm, full_rank(2, 3, 2)),
    row(la.matrix_norm, full_rank(3, 2), ord=2, keepdims=True),
    row(la.vector_norm, distinct_sizes(2, 3)),
    row(la.vector_norm, distinct_sizes(2, 3, 2), axis=(0, 2), ord=3, keepdims=True),
    row(la.vector_norm, distinct_sizes(2, 3), axis=1, ord=1),
    *[row(la.cond, invertible(3, 3), p=p) for p in (None, 2, -2, 1, "fro", np.inf)],
    row(la.matmul, real(2, 3), real(3, 2)),
    row(la.outer, real(2), real(3)),
    row(la.tensordot, real(2, 3), real(3, 4), axes=1),
    row(la.trace, real(2, 3, 4), offset=1),
    row(la.cross, real(2, 3), real(3)),
    row(la.vecdot, real(2, 3), real(3)),
    row(la.vecdot, complex_numbers(3, 2), complex_numbers(3, 2), label="complex", axis=0),
    # Decompositions.
    row(la.eigh, symmetric(4, 4), call=lambda x: settled(la.eigh(x))),
    row(la.eigh, symmetric(2, 3, 3), call=lambda x: settled(la.eigh(x, "U")), label="upper"),
    row(la.eigh, symmetric(3, 3), call=lambda x: la.eigh(x)[0], label="values"),
    row(la.eigh, complex_of(symmetric)(3, 3), call=rebuilt, label="complex"),
    row(la.eigvalsh, symmetric(2, 3, 3)),
    row(la.eigvalsh, complex_of(symmetric)(3, 3), label="complex", UPLO="U"),
    row(la.eig, symmetric(3, 3), call=lambda x: settled(la.eig(x))),
    row(la.eig, symmetric(2, 3, 3), call=lambda x: settled(la.eig(x)), label="stacked"),
    row(la.eig, real(3, 3), call=lambda x: la.eig(x + ROTATION), label="complex values"),
    row(la.eig, complex_of(symmetric)(3, 3), label="complex"),
    row(
        la.eig,
        complex_of(symmetric)(2, 3, 3),
        call=lambda x: in_order(la.eig(x)),
        label="complex, stacked",
    ),
    row(la.eigvals, symmetric(2, 4, 4), call=sorted_values),
    row(la.eigvals, real(3, 3), call=lambda x: la.eigvals(x + ROTATION), label="complex values"),
    row(la.eigvals, complex_of(symmetric)(3, 3), label="complex"),
    *[
        row(la.svd, full_rank(*shape), label=f"{shape}", full_matrices=False)
        for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2))
    ],
    row(la.svd, full_rank(3, 3), label="full"),
    row(la.svd, full_rank(4, 3), label="values of full", call=lambda x: la.svd(x)[1]),
    row(la.svd, full_rank(3, 4), label="only u", call=lambda x: la.svd(x, False)[0]),
    row(la.svd, full_rank(4, 3), label="only vh", call=lambda x: la.svd(x, False)[2]),
    row(la.svd, full_rank(3, 4), compute_uv=False),
    row(la.svd, complex_full_rank(4, 3), call=polar, label="complex"),
    row(la.svd, complex_full_rank(2, 3), call=polar, label="complex wide"),
    row(la.svd, complex_full_rank(2, 3, 2), call=polar, label="complex, stacked"),
    row(la.svdvals, full_rank(2, 3, 2)),
    *[
        row(la.qr, full_rank(*shape), label=f"{shape}")
        for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2))
    ],
    row(la.qr, full_rank(4, 2), mode="r"),
    row(la.qr, invertible(3, 3), mode="complete"),
    row(la.qr, full_rank(4, 3), label="only r", call=lambda x: la.qr(x).R),
    row(la.qr, full_rank(4, 3), label="only q", call=lambda x: la.qr(x).Q),
    row(la.qr, full_rank(2, 2, 4), label="wide, stacked"),
    row(la.qr, complex_full_rank(4, 3), label="complex"),
    row(la.qr, complex_full_rank(2, 4), label="complex wide"),
    row(la.cholesky, positive_definite(3, 3)),
    row(la.cholesky, positive_definite(2, 3, 3), label="upper", upper=True),
    row(la.cholesky, complex_of(positive_definite)(3, 3), label="complex"),
    row(la.cholesky, complex_of(positive_definite)(3, 3), label="complex upper", upper=True),
]
