"""Workload: a chain of 200 elementwise operations and its gradient, from 10 to 1,000,000 numbers.

Few numbers show what a call costs, many show what memory costs: a program that
goes through them operation by operation reads and writes every intermediate.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

import autograd_lite as ag
from tests.benchmarks.eager import chain
from tests.benchmarks.measure import BY_HAND, OURS, Runner, Workload, installed
from tests.benchmarks.torch_compile import compiled_by_torch
from tests.benchmarks.with_advect import runs_of_advect

LINKS = 40
SIZES = (10, 1_000, 100_000, 1_000_000)


def points(size: int) -> np.ndarray:
    return np.linspace(0.1, 0.9, size)


def objective(namespace: Any, x: Any) -> Any:
    return namespace.sum(chain(namespace, x))


def by_hand(x: np.ndarray) -> Runner:
    """One thread, one operation after the other, every intermediate in a buffer of its own."""
    inner, outer = np.empty((LINKS, x.size)), np.empty((LINKS, x.size))
    starts = [x, *outer[:-1]]
    slope = np.empty_like(x)
    scale, shift, one, factor = np.array(1.1), np.array(0.3), np.array(1.0), np.array(2.2)
    sin, cos, tanh = np.sin, np.cos, np.tanh
    multiply, add, subtract = np.multiply, np.add, np.subtract

    def run() -> Any:
        for start, bent, squared in zip(starts, inner, outer, strict=True):
            sin(start, bent)
            multiply(bent, scale, bent)
            add(bent, shift, bent)
            tanh(bent, bent)
            multiply(bent, bent, squared)
        multiply(inner[-1], factor, slope)
        gradient = np.empty_like(x)
        for link in range(LINKS - 1, -1, -1):
            start, bent, squared = starts[link], inner[link], outer[link]
            if link < LINKS - 1:
                multiply(bent, factor, bent)
                multiply(slope, bent, slope)
            subtract(one, squared, squared)
            multiply(slope, squared, slope)
            cos(start, bent)
            multiply(slope, bent, slope if link else gradient)
        return gradient

    return run


def by_torch(x: np.ndarray, compiled: bool) -> Any:
    import torch

    points = torch.tensor(x, requires_grad=True)
    function = partial(objective, torch)
    total = compiled_by_torch(function) if compiled else function
    if isinstance(total, str):
        return total
    return lambda: torch.autograd.grad(total(points), points)[0]


def by_jax(x: np.ndarray) -> Runner:
    import jax

    jax.config.update("jax_enable_x64", True)
    gradient = jax.jit(jax.grad(partial(objective, jax.numpy)))
    points = jax.numpy.array(x)
    return lambda: jax.block_until_ready(gradient(points))


def by_hips(x: np.ndarray) -> Runner:
    import autograd
    import autograd.numpy as anp

    gradient = autograd.grad(partial(objective, anp))
    return lambda: gradient(x)


def by_mygrad(x: np.ndarray) -> Runner:
    import mygrad

    points = mygrad.tensor(x)

    def run() -> Any:
        objective(mygrad, points).backward()
        return points.grad

    return run


def make(size: int) -> dict[str, Any]:
    x = points(size)
    gradient = ag.grad(partial(objective, np))
    compiled = ag.compile(gradient)
    runners: dict[str, Any] = {OURS: lambda: compiled(x), BY_HAND: by_hand(x)}
    if installed("numba"):
        by_numba = ag.compile(gradient, backend="numba")
        runners[f"{OURS}, Numba"] = lambda: by_numba(x)
    if installed("torch"):
        runners["PyTorch"] = by_torch(x, compiled=False)
        runners["torch.compile"] = by_torch(x, compiled=True)
    if installed("jax"):
        runners["JAX jit"] = by_jax(x)
    if installed("autograd"):
        runners["HIPS autograd"] = by_hips(x)
    if installed("mygrad"):
        runners["MyGrad"] = by_mygrad(x)
    runners |= runs_of_advect("grad", partial(objective, np), x)
    return runners


WORKLOADS = [
    Workload(
        f"chain of {size:,}",
        f"gradient of 200 elementwise operations on {size:,} numbers, float64",
        partial(make, size),
    )
    for size in SIZES
]
