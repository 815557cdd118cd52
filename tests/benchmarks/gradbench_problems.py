"""Workloads: the problems of GradBench, as functions and with their derivatives.

Its two problems of descent within descent, which take PyTorch minutes, are timed by the tool
alone: ``python -m tests.benchmarks.gradbench``.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

import autograd_lite as ag
from tests.benchmarks import libraries
from tests.benchmarks.gradbench import PROBLEMS
from tests.benchmarks.measure import OURS, Runner, Workload, installed
from tests.benchmarks.objectives import Library


def mixture(d: int = 32, k: int = 10, n: int = 1_000) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "alpha": rng.normal(size=k),
        "mu": rng.uniform(size=(k, d)),
        "q": rng.normal(size=(k, d)),
        "l": rng.normal(size=(k, d * (d - 1) // 2)),
        "x": rng.normal(size=(n, d)),
        "gamma": 1.0,
        "m": 0,
    }


def sequence(characters: int = 257, hidden: int = 14, layers: int = 2) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "main_params": rng.normal(scale=0.3, size=(2 * layers, 4 * hidden)),
        "extra_params": rng.normal(scale=0.3, size=(3, hidden)),
        "state": rng.normal(scale=0.1, size=(2 * layers, hidden)),
        "sequence": rng.integers(0, 2, (characters, hidden)),
    }


def points(n: int = 10_000, k: int = 10, d: int = 8) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    cloud = rng.uniform(size=(n, d))
    return {"points": cloud, "centroids": cloud[:k] + 0.01}


def bundle(n: int = 49, m: int = 7_776, p: int = 31_843) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "n": n,
        "m": m,
        "p": p,
        "w": 0.7,
        "cam": rng.normal(size=11),
        "x": rng.normal(size=3),
        "feat": rng.normal(size=2),
    }


def message_of(problem: str) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    messages: dict[str, Any] = {
        "gmm": mixture,
        "lstm": sequence,
        "kmeans": points,
        "ba": bundle,
        "ode": lambda: {"x": rng.uniform(size=1_000), "s": 100},
        "lse": lambda: {"x": rng.normal(size=1_000_000)},
        "llsq": lambda: {"x": rng.normal(size=64), "n": 16_384},
        "det": lambda: {"A": rng.normal(size=49), "ell": 7},
    }
    found: dict[str, Any] = messages[problem]()
    return found


def peers() -> dict[str, Library]:
    found = {OURS: libraries.of_numpy()}
    if installed("numba"):
        found[f"{OURS}, Numba"] = libraries.of_numpy(partial(ag.compile, backend="numba"))
    found[f"{OURS}, eager"] = libraries.of_numpy(libraries.unchanged)
    if installed("torch") and installed("array_api_compat"):
        found["PyTorch"] = libraries.of_torch()
    if installed("jax"):
        found["JAX jit"] = libraries.of_jax()
    return found


def runners(problem: str, function: str) -> dict[str, Runner]:
    message = message_of(problem)

    def run_of(library: Library) -> Runner:
        run = PROBLEMS[problem].prepare(library, function, message)
        return lambda: in_order(run())

    return {name: run_of(library) for name, library in peers().items()}


def in_order(result: Any) -> Any:
    """A result whose parts stand in the order of their names."""
    return [result[name] for name in sorted(result)] if isinstance(result, dict) else result


WORKLOADS = [
    Workload(
        f"gradbench {problem} {function}",
        f"{problem} of GradBench",
        partial(runners, problem, function),
    )
    for problem in PROBLEMS
    if problem not in ("particle", "saddle")
    for function in PROBLEMS[problem].functions
]
