"""Workload: loss and full gradient of a deep narrow network, 64-[64]x8-1 tanh in float64.

Small matrices, many calls: the time goes into calling NumPy as much as into computing.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

import autograd_lite as ag
from tests.benchmarks.measure import BY_HAND, OURS, Runner, Workload, installed
from tests.benchmarks.torch_compile import compiled_by_torch
from tests.benchmarks.with_advect import runs_of_advect

SIZES = (64, *[64] * 8, 1)
BATCH = 64

rng = np.random.default_rng(0)
WEIGHTS = [rng.normal(scale=n_in**-0.5, size=(n_in, n_out)) for n_in, n_out in pairwise(SIZES)]
BIASES = [rng.normal(scale=0.1, size=n_out) for n_out in SIZES[1:]]
X, Y = rng.normal(size=(BATCH, SIZES[0])), rng.normal(size=(BATCH, SIZES[-1]))


def loss_with(namespace: Any, parameters: Any, x: Any, y: Any) -> Any:
    """The same lines for every peer whose namespace looks like NumPy's."""
    weights, biases = parameters
    for w, b in zip(weights[:-1], biases[:-1], strict=True):
        x = namespace.tanh(x @ w + b)
    residuals = x @ weights[-1] + biases[-1] - y
    return namespace.mean(residuals * residuals)


def by_hand() -> Runner:
    """Activations, cotangents and gradients in buffers; the gradients are the caller's, copied."""
    hidden = [np.empty((BATCH, n)) for n in SIZES[1:-1]]
    before = [X, *hidden]
    transposed = [w.T for w in WEIGHTS], [h.T for h in before]
    cotangents = [np.empty((BATCH, n)) for n in SIZES[1:]]
    residuals = cotangents[-1]
    squares = np.empty_like(residuals)
    one, two, count = np.array(1.0), np.array(2.0), np.array(float(BATCH))
    dot, add, subtract, multiply, tanh = np.dot, np.add, np.subtract, np.multiply, np.tanh

    def run() -> Any:
        x = X
        for h, w, b in zip(hidden, WEIGHTS, BIASES, strict=False):
            dot(x, w, h)
            add(h, b, h)
            tanh(h, h)
            x = h
        dot(x, WEIGHTS[-1], residuals)
        add(residuals, BIASES[-1], residuals)
        subtract(residuals, Y, residuals)
        multiply(residuals, residuals, squares)
        loss = add.reduce(squares, None) / count
        multiply(residuals, two, residuals)
        np.divide(residuals, count, residuals)
        dw: list[Any] = [None] * len(WEIGHTS)
        db: list[Any] = [None] * len(BIASES)
        for layer in range(len(WEIGHTS) - 1, 0, -1):
            g, h = cotangents[layer], hidden[layer - 1]
            dw[layer] = dot(transposed[1][layer], g)
            db[layer] = add.reduce(g, 0)
            dot(g, transposed[0][layer], cotangents[layer - 1])
            multiply(h, h, h)
            subtract(one, h, h)
            multiply(cotangents[layer - 1], h, cotangents[layer - 1])
        dw[0] = dot(transposed[1][0], cotangents[0])
        db[0] = add.reduce(cotangents[0], 0)
        return loss, (dw, db)

    return run


def by_torch(compiled: bool) -> Any:
    import torch

    weights = [torch.tensor(w, requires_grad=True) for w in WEIGHTS]
    biases = [torch.tensor(b, requires_grad=True) for b in BIASES]
    x, y = torch.tensor(X), torch.tensor(Y)

    def loss_of(weights: Any, biases: Any) -> Any:
        return loss_with(torch, (weights, biases), x, y)

    loss_function = compiled_by_torch(loss_of) if compiled else loss_of
    if isinstance(loss_function, str):
        return loss_function

    def run() -> Any:
        loss = loss_function(weights, biases)
        gradients = torch.autograd.grad(loss, [*weights, *biases])
        return loss, (list(gradients[: len(weights)]), list(gradients[len(weights) :]))

    return run


def by_jax() -> Runner:
    import jax

    jax.config.update("jax_enable_x64", True)
    step = jax.jit(jax.value_and_grad(lambda p, x, y: loss_with(jax.numpy, p, x, y)))
    arguments = jax.tree.map(jax.numpy.array, ((WEIGHTS, BIASES), X, Y))
    return lambda: jax.block_until_ready(step(*arguments))


def by_hips() -> Runner:
    import autograd
    import autograd.numpy as anp

    gradient = autograd.value_and_grad(lambda p: loss_with(anp, p, X, Y))
    return lambda: gradient((WEIGHTS, BIASES))


def by_mygrad() -> Runner:
    import mygrad

    weights, biases = list(map(mygrad.tensor, WEIGHTS)), list(map(mygrad.tensor, BIASES))

    def run() -> Any:
        loss = loss_with(mygrad, (weights, biases), X, Y)
        loss.backward()
        return loss.data, ([w.grad for w in weights], [b.grad for b in biases])

    return run


def make() -> dict[str, Any]:
    in_numpy = partial(loss_with, np)
    eager = ag.value_and_grad(in_numpy)
    compiled = ag.compile(eager)
    runners: dict[str, Any] = {
        OURS: lambda: compiled((WEIGHTS, BIASES), X, Y),
        BY_HAND: by_hand(),
        f"{OURS}, eager": lambda: eager((WEIGHTS, BIASES), X, Y),
    }
    if installed("torch"):
        runners["PyTorch"] = by_torch(compiled=False)
        runners["torch.compile"] = by_torch(compiled=True)
    if installed("jax"):
        runners["JAX jit"] = by_jax()
    if installed("autograd"):
        runners["HIPS autograd"] = by_hips()
    if installed("mygrad"):
        runners["MyGrad"] = by_mygrad()
    arguments = ((WEIGHTS, BIASES), X, Y)
    runners |= runs_of_advect("value_and_grad", in_numpy, *arguments)
    return runners


WORKLOADS = [
    Workload("deep network", "loss and gradient of 64-[64]x8-1 tanh, float64, batch 64", make)
]
