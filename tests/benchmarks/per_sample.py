"""Workloads: gradients of each sample of a batch, beside the gradient of their sum."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

import autograd_lite as ag
from tests.benchmarks.measure import OURS, Runner, Workload, installed

SAMPLES = 256
SIZES = (8, 16, 16, 1)


def layers() -> list[tuple[Any, Any]]:
    rng = np.random.default_rng(0)
    return [(rng.normal(scale=n**-0.5, size=(n, m)), np.zeros(m)) for n, m in pairwise(SIZES)]


def samples() -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(SAMPLES, SIZES[0])), rng.normal(size=(SAMPLES, SIZES[-1]))


def loss_by(tanh: Any) -> Any:
    def loss(p: Any, x: Any, y: Any) -> Any:
        for w, b in p[:-1]:
            x = tanh(x @ w + b)
        w, b = p[-1]
        return ((x @ w + b - y) ** 2).sum()

    return loss


def called(function: Any, *args: Any) -> Runner:
    function(*args)
    function(*args)  # the second call of a program compares two traces
    return lambda: compared(function(*args))


def compared(gradients: Any) -> Any:
    """What is compared: the gradient of the last layer's offset, summed over samples."""
    g = gradients[-1][1]
    return g.sum(axis=0) if g.ndim > 1 else g


def in_a_loop(gradient: Any, p: Any, xs: Any, ys: Any) -> Runner:
    def run() -> Any:
        rows = [gradient(p, x, y) for x, y in zip(xs, ys, strict=True)]
        return np.sum([row[-1][1] for row in rows], axis=0)

    return run


def make_per_sample() -> dict[str, Runner]:
    p, (xs, ys) = layers(), samples()
    summed = ag.grad(loss_by(np.tanh))
    each = ag.vmap(summed, (None, 0, 0))
    one = ag.compile(summed)
    runners = {
        OURS: called(ag.compile(each), p, xs, ys),
        "one summed gradient": called(ag.compile(summed), p, xs, ys),
        f"{SAMPLES} calls": in_a_loop(one, p, xs, ys),
        "autograd_lite, eager": called(each, p, xs, ys),
        "one summed gradient, eager": called(summed, p, xs, ys),
        f"{SAMPLES} calls, eager": in_a_loop(summed, p, xs, ys),
    }
    if installed("jax"):
        import jax

        jax.config.update("jax_enable_x64", True)
        gradient = jax.grad(loss_by(jax.numpy.tanh))
        mapped = jax.jit(jax.vmap(gradient, (None, 0, 0)))
        runners["JAX jit"] = lambda: np.asarray(compared(mapped(p, xs, ys)))
    return runners


WORKLOADS = [
    Workload(
        "per-sample",
        f"Gradients of each of {SAMPLES} samples, MLP {'-'.join(map(str, SIZES))}",
        make_per_sample,
    ),
]
