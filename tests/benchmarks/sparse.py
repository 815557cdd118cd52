"""Workload: the sparse Hessian of Rosenbrock's function, beside CasADi and the formula."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite as ag
from tests.benchmarks.measure import BY_HAND, OURS, Runner, Workload, installed

VARIABLES = 100_000


def rosenbrock(x: Any) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def by_hand(x: Any) -> Any:
    """The numbers of the tridiagonal matrix, row by row, in buffers that are kept."""
    bands = np.empty((len(x), 3))
    squares = np.empty_like(x)

    def run() -> Any:
        np.multiply(x, -400, bands[:, 2])
        bands[1:, 0] = bands[:-1, 2]
        np.multiply(x, x, squares)
        np.multiply(squares, 1200, squares)
        bands[:, 1] = squares
        bands[:-1, 1] -= 400 * x[1:]
        bands[:-1, 1] += 2
        bands[-1, 1] = 0
        bands[1:, 1] += 200
        return bands.ravel()[1:-1]

    return run


def by_casadi(x: Any) -> Runner:
    import casadi

    symbols = casadi.SX.sym("x", len(x))
    objective = casadi.sumsqr(10 * (symbols[1:] - symbols[:-1] ** 2))
    objective += casadi.sumsqr(1 - symbols[:-1])
    hessian, _ = casadi.hessian(objective, symbols)
    function = casadi.Function("hessian", [symbols], [hessian])
    return lambda: np.array(function(x).nonzeros())


def make_sparse_hessian() -> dict[str, Runner]:
    x = np.random.default_rng(0).normal(size=VARIABLES)
    hessian = ag.hessian(rosenbrock, sparse=True)
    numbers = ag.compile(lambda x: hessian(x).data)
    runners: dict[str, Runner] = {
        OURS: lambda: numbers(x),
        BY_HAND: by_hand(x),
        "autograd_lite, eager, the pattern anew": lambda: hessian(x).data,
    }
    if installed("casadi"):
        runners["CasADi"] = by_casadi(x)
    return runners


WORKLOADS = [
    Workload(
        "sparse hessian",
        f"Hessian of Rosenbrock's function of {VARIABLES:,} numbers, as a sparse matrix",
        make_sparse_hessian,
    ),
]
