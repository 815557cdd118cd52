"""Cases of sparse matrices: products and linear systems, by their numbers and by vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

import autograd_lite as ag
from tests.ops.cases.case import Case, Domain, Rng, complex_of, domain, real, row

ROWS_OF = np.array([0, 0, 1, 2, 2, 3, 3, 1])
COLUMNS_OF = np.array([0, 2, 1, 2, 0, 3, 1, 1])
"""Places in a matrix of four by four; one of them twice."""

DIAGONAL = (ROWS_OF == COLUMNS_OF).astype(float)
STARTS = np.array([0, 2, 3, 5, 7])


@domain
def dominant(rng: Rng, shape: tuple[int, ...]) -> Any:
    """Numbers at these places that make a matrix with a large diagonal."""
    return rng.uniform(-0.5, 0.5, shape) + 3 * DIAGONAL[: shape[0]]


def case(module: Any, name: str, *domains: Domain, call: Callable[..., Any], label: str) -> Case:
    path = module.__name__.removeprefix("scipy.").split(".")
    ours = ag.scipy
    for part in path:
        ours = getattr(ours, part)
    return row(
        getattr(module, name), *domains, call=lambda *xs: call(getattr(ours, name), ag.scipy, *xs),
        reference=lambda *xs: call(getattr(module, name), Theirs, *xs),
        label=f"{'.'.join(path)}: {label}",
    )  # fmt: skip


class Theirs:
    """SciPy, with its parts under the same names."""

    sparse = sparse


def placed(kind: Any, data: Any) -> Any:
    return kind((data, (ROWS_OF, COLUMNS_OF)), shape=(4, 4))


def compressed(kind: Any, data: Any) -> Any:
    return kind((data, COLUMNS_OF[:7], STARTS), shape=(4, 4))


def solved(function: Any, scipy: Any, data: Any, b: Any) -> Any:
    return function(placed(scipy.sparse.csr_array, data), b)


def solved_by_steps(function: Any, scipy: Any, data: Any, b: Any) -> Any:
    return function(placed(scipy.sparse.csr_array, data), b, rtol=64 * np.finfo(b.dtype).eps)[0]


@domain
def turning(rng: Rng, shape: tuple[int, ...]) -> Any:
    """Nearly a matrix that moves each element on by one."""
    return 1 + rng.uniform(-0.02, 0.02, shape)


def conditioned(function: Any, scipy: Any, data: Any, b: Any) -> Any:
    """In so few steps that the transposed of the preconditioner would not do."""
    places = np.arange(9), np.roll(np.arange(9), 1)
    a = scipy.sparse.csr_array((data, places), shape=(9, 9))
    inverse = np.roll(np.eye(9), 1, axis=1)
    return function(a, b, M=inverse, rtol=64 * np.finfo(b.dtype).eps, maxiter=6)[0]


CONSTANT = sparse.csr_array(np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]]))


def symmetric(function: Any, scipy: Any, data: Any, b: Any) -> Any:
    rows = np.array([0, 1, 2, 0, 1, 1, 2])
    columns = np.array([0, 1, 2, 1, 0, 2, 1])
    numbers = data[np.array([0, 2, 3, 1, 1, 4, 4])]
    a = scipy.sparse.csr_array((numbers, (rows, columns)), shape=(3, 3))
    return function(a, b, rtol=64 * np.finfo(b.dtype).eps)[0]


ROWS: list[Case] = [
    case(sparse, "coo_array", dominant(8), real(4), label="vector",
         call=lambda kind, _, d, x: placed(kind, d) @ x),
    case(sparse, "csr_array", complex_of(dominant)(8), real(4, 2), label="matrix, complex",
         call=lambda kind, _, d, x: placed(kind, d) @ x),
    case(sparse, "csr_array", dominant(7), real(4), label="compressed",
         call=lambda kind, _, d, x: compressed(kind, d) @ x),
    case(sparse, "csc_array", dominant(7), real(4, 2), label="transposed",
         call=lambda kind, _, d, x: (2.0 * compressed(kind, d)).T @ x),
    case(sparse, "csr_array", real(3), label="constant",
         call=lambda kind, _, x: kind(CONSTANT) @ x),
    case(linalg, "spsolve", dominant(8), real(4), label="vector", call=solved),
    case(linalg, "spsolve", dominant(8), real(4, 2), label="matrix", call=solved),
    case(linalg, "spsolve", complex_of(dominant)(8), real(4), label="complex", call=solved),
    case(linalg, "cg", dominant(8), real(3), label="symmetric", call=symmetric),
    *[
        case(linalg, name, dominant(8), real(4), label="vector", call=solved_by_steps)
        for name in ("gmres", "bicgstab")
    ],
    case(linalg, "bicgstab", turning(9), real(9), label="preconditioned", call=conditioned),
]  # fmt: skip
