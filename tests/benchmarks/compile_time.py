"""Workloads: how long a function takes to compile, its first call included."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite as ag
from tests.benchmarks.compile_mlp import batch_of, initial_parameters, training_step
from tests.benchmarks.measure import OURS, Runner, Workload, installed

POINT = np.linspace(0.1, 0.9, 10)
LENGTH = 140


def make_step() -> dict[str, Runner]:
    parameters, (x, labels) = initial_parameters(), batch_of(32)

    def by_us() -> Any:
        loss, _ = ag.compile(training_step)(parameters, x, labels)
        return loss

    return {OURS: by_us}


def chain(namespace: Any, x: Any) -> Any:
    for _ in range(LENGTH):
        x = namespace.tanh(namespace.sin(x) * 1.1 + 0.3)
        x = x * x
    return namespace.sum(x)


def make_long() -> dict[str, Runner]:
    runners: dict[str, Runner] = {
        OURS: lambda: ag.compile(ag.grad(lambda x: chain(np, x)))(POINT),
    }
    if installed("jax"):
        import jax

        jax.config.update("jax_enable_x64", True)
        runners["JAX jit"] = lambda: jax.jit(jax.grad(lambda x: chain(jax.numpy, x)))(POINT)
    return runners


WORKLOADS = [
    Workload("compile step", "compiling an MLP's training step, 784-128-10", make_step, inner=1),
    Workload("compile long", "compiling a gradient of 2,000 operations", make_long, inner=1),
]
