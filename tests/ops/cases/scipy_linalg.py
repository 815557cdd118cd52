"""Cases of SciPy's linear algebra."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import linalg

import autograd_lite as ag
from tests.ops.cases.case import (
    Case,
    Domain,
    Rng,
    complex_numbers,
    complex_of,
    domain,
    invertible,
    positive_definite,
    real,
    row,
)

complex_invertible = complex_of(invertible)


@domain
def triangular(rng: Rng, shape: tuple[int, ...]) -> Any:
    return np.triu(rng.uniform(-1, 1, shape)) + 2 * np.eye(shape[-1])


@domain
def dominant(rng: Rng, shape: tuple[int, ...]) -> Any:
    """Matrices whose pivots stay where they are."""
    return rng.uniform(-0.5, 0.5, shape) + 3 * np.eye(shape[-1])


@domain
def pivoted(rng: Rng, shape: tuple[int, ...]) -> Any:
    """Matrices whose rows change places."""
    return rng.uniform(-0.3, 0.3, shape) + 3 * np.roll(np.eye(shape[-1]), 1, axis=0)


@domain
def bands(rng: Rng, shape: tuple[int, ...]) -> Any:
    """Stored diagonals of which the second is the main one."""
    main = (np.arange(shape[0]) == 1)[:, None]
    return rng.uniform(-0.5, 0.5, shape) + 3 * main


@domain
def symmetric_bands(rng: Rng, shape: tuple[int, ...]) -> Any:
    """Stored diagonals of which the last is the main one."""
    main = (np.arange(shape[0]) == shape[0] - 1)[:, None]
    return rng.uniform(-0.5, 0.5, shape) + 3 * main


def case(
    name: str, *domains: Domain, call: Callable[..., Any] | None = None, label: str = "",
    derivatives: int = 2, **keywords: Any,
) -> Case:  # fmt: skip
    """A function of this name: ours, with SciPy's as the reference."""

    def by(module: Any) -> Any:
        if call is not None:
            return lambda *xs: call(module, *xs)
        return lambda *xs: getattr(module, name)(*xs, **keywords)

    return row(
        getattr(linalg, name), *domains, call=by(ag.scipy.linalg), reference=by(linalg),
        label=label or ", ".join(f"{k}={v}" for k, v in keywords.items()), derivatives=derivatives,
    )  # fmt: skip


def solved_by_lu(module: Any, a: Any, b: Any, trans: int = 0) -> Any:
    return module.lu_solve(module.lu_factor(a), b, trans)


def solved_by_cholesky(module: Any, a: Any, b: Any, lower: bool = False) -> Any:
    return module.cho_solve(module.cho_factor(a, lower), b)


def with_pivots(module: Any, a: Any) -> Any:
    return module.lu_factor(a)[0]


def factors(module: Any, a: Any) -> Any:
    return list(module.lu(a))[1:]


ROWS: list[Case] = [
    case("solve", invertible(3, 3), real(3), label="vector"),
    case("solve", invertible(3, 3), real(3, 2), label="matrix"),
    case("solve", complex_invertible(3, 3), complex_numbers(3, 2), label="complex"),
    *[
        case("solve_triangular", triangular(3, 3), real(3, 2), trans=t, unit_diagonal=u)
        for t in (0, 1)
        for u in (False, True)
    ],
    case(
        "solve_triangular", triangular(3, 3), real(3), label="lower",
        call=lambda module, a, b: module.solve_triangular(a.T, b, lower=True),
    ),
    case("solve_triangular", complex_of(triangular)(3, 3), complex_numbers(3), trans=2),
    case("solve_triangular", complex_of(triangular)(3, 3), complex_numbers(3), trans="T"),
    case("cho_factor", positive_definite(3, 3), label="upper",
         call=lambda module, a: module.cho_factor(a)[0]),
    case("cho_factor", positive_definite(3, 3), label="lower",
         call=lambda module, a: module.cho_factor(a, lower=True)[0]),
    case("cho_solve", positive_definite(3, 3), real(3), label="upper", call=solved_by_cholesky),
    case("cho_solve", positive_definite(3, 3), real(3, 2), label="lower",
         call=lambda module, a, b: solved_by_cholesky(module, a, b, True)),
    case("cho_solve", complex_of(triangular)(3, 3), complex_numbers(3, 2), label="complex",
         call=lambda module, c, b: module.cho_solve((c, False), b)),
    case("cho_solve", complex_of(triangular)(3, 3), complex_numbers(3), label="complex lower",
         call=lambda module, c, b: module.cho_solve((c.T, True), b)),
    case("lu_factor", dominant(3, 3), call=with_pivots),
    case("lu_factor", pivoted(3, 3), label="pivoted", call=with_pivots),
    case("lu", pivoted(3, 3), call=factors),
    case("lu", complex_of(pivoted)(3, 3), label="complex", call=factors),
    case("lu_solve", pivoted(3, 3), real(3), label="vector", call=solved_by_lu),
    case("lu_solve", pivoted(3, 3), real(3, 2), label="transposed",
         call=lambda module, a, b: solved_by_lu(module, a, b, 1)),
    case("lu_solve", complex_of(pivoted)(3, 3), complex_numbers(3), label="adjoint",
         call=lambda module, a, b: solved_by_lu(module, a, b, 2)),
    case("solve_banded", bands(4, 5), real(5), label="vector",
         call=lambda module, ab, b: module.solve_banded((2, 1), ab, b)),
    case("solve_banded", complex_of(bands)(3, 5), complex_numbers(5, 2), label="complex",
         call=lambda module, ab, b: module.solve_banded((1, 1), ab, b)),
    case("solveh_banded", symmetric_bands(3, 5), real(5), label="upper"),
    case("solveh_banded", symmetric_bands(3, 5), real(5, 2), label="lower",
         call=lambda module, ab, b: module.solveh_banded(ab[::-1], b, lower=True)),
    case("inv", invertible(3, 3)),
    case("det", invertible(3, 3)),
    case("cholesky", positive_definite(3, 3)),
    case("cholesky", positive_definite(3, 3), lower=True),
    case("cholesky", complex_of(positive_definite)(3, 3), label="complex"),
    *[case(name, real(3, 3)) for name in ("expm", "sinm", "cosm", "sinhm", "coshm")],
    case("expm", complex_numbers(3, 3), label="complex"),
    case("expm", real(), label="of a number"),
    case("expm", real(2, 3, 3), label="several"),
    case("logm", dominant(3, 3)),
    case("sqrtm", dominant(3, 3)),
    case("sqrtm", complex_of(dominant)(3, 3), label="complex"),
    case("solve_sylvester", dominant(3, 3), dominant(2, 2), real(3, 2)),
    case("solve_sylvester", complex_of(dominant)(3, 3), complex_of(dominant)(2, 2),
         complex_numbers(3, 2), label="complex"),
    case("solve_continuous_lyapunov", dominant(3, 3), real(3, 3)),
    case("solve_continuous_lyapunov", complex_of(dominant)(3, 3), complex_numbers(3, 3),
         label="complex"),
    case("solve_discrete_lyapunov", real(3, 3), real(3, 3),
         call=lambda module, a, q: module.solve_discrete_lyapunov(a / 5, q)),
    case("solve_discrete_lyapunov", complex_numbers(3, 3), complex_numbers(3, 3), label="complex",
         call=lambda module, a, q: module.solve_discrete_lyapunov(a / 8, q)),
    case("toeplitz", real(3)),
    case("toeplitz", complex_numbers(3), label="complex"),
    case("toeplitz", real(3), real(4), label="both"),
    case("hankel", real(3)),
    case("hankel", real(3), real(4), label="both"),
    case("circulant", real(4)),
    case("block_diag", real(2, 3), real(2), real(3, 1)),
]  # fmt: skip
