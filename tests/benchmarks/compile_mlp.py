"""Workload: one training step of an MLP 784-128-10 in float32, at several batch sizes.

ReLU, softmax cross-entropy, gradient descent; parameters are updated in place
where the peer can do it.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

import autograd_lite as ag
import nn
from tests.benchmarks.measure import BY_HAND, OURS, Runner, Workload, installed
from tests.benchmarks.torch_compile import compiled_by_torch
from tests.benchmarks.with_advect import runs_of_advect

SIZES = (784, 128, 10)
RATE = 0.01
BATCHES = (1, 32, 256, 1024)


def initial_parameters() -> list[Any]:
    """They lie in memory as those of `nn` do, and not as chance has it."""
    rng = np.random.default_rng(0)
    weights = []
    for n_in, n_out in pairwise(SIZES):
        weights.append(rng.normal(scale=n_in**-0.5, size=(n_in, n_out)).astype(np.float32))
        weights.append(np.zeros(n_out, np.float32))
    return [nn.Parameter(w).data for w in weights]


def batch_of(size: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    return rng.random((size, SIZES[0]), np.float32), rng.integers(0, SIZES[-1], size)


def cross_entropy(parameters: Any, x: Any, labels: Any) -> Any:
    w1, b1, w2, b2 = parameters
    hidden = nn.relu(x @ w1 + b1)
    log_probabilities = nn.log_softmax(hidden @ w2 + b2)
    return -np.mean(log_probabilities[np.arange(len(labels)), labels])


def training_step(parameters: Any, x: Any, labels: Any) -> Any:
    loss, gradients = ag.value_and_grad(cross_entropy)(parameters, x, labels)
    return loss, [p - RATE * g for p, g in zip(parameters, gradients, strict=True)]


def by_us(x: Any, labels: Any, step: Any) -> Runner:
    parameters = initial_parameters()

    def run() -> Any:
        loss, parameters[:] = step(parameters, x, labels)
        return loss, parameters

    return run


def by_hand(x: Any, labels: Any) -> Runner:
    """Every result in a buffer of its own or over one that is not needed any more."""
    n, (_, hidden, classes) = len(x), SIZES
    w1, b1, w2, b2 = initial_parameters()
    parameters = [w1, b1, w2, b2]
    (h, dh), active = np.empty((2, n, hidden), np.float32), np.empty((n, hidden), bool)
    z, p = np.empty((2, n, classes), np.float32)
    largest, total = np.empty((2, n, 1), np.float32)
    dw1, db1, dw2, db2 = map(np.empty_like, parameters)
    rows = np.arange(n)
    zero, one, rate = (np.array(number, np.float32) for number in (0, 1, RATE))
    count = np.array(n, np.float32)
    x_t, h_t, w2_t = x.T, h.T, w2.T
    dot, add, subtract, multiply = np.dot, np.add, np.subtract, np.multiply

    def run() -> Any:
        dot(x, w1, h)
        add(h, b1, h)
        np.maximum(h, zero, out=h)
        dot(h, w2, z)
        add(z, b2, z)
        np.maximum.reduce(z, 1, None, largest, True)
        subtract(z, largest, z)
        np.exp(z, p)
        add.reduce(p, 1, None, total, True)
        np.divide(p, total, p)
        np.log(total, total)
        loss = (add.reduce(total, None) - add.reduce(z[rows, labels])) / count
        p[rows, labels] -= one
        np.divide(p, count, p)
        add.reduce(p, 0, None, db2)
        dot(p, w2_t, dh)
        dot(h_t, p, dw2)
        np.greater(h, zero, active)
        multiply(dh, active, dh)
        add.reduce(dh, 0, None, db1)
        dot(x_t, dh, dw1)
        multiply(dw1, rate, dw1)
        subtract(w1, dw1, w1)
        multiply(db1, rate, db1)
        subtract(b1, db1, b1)
        multiply(dw2, rate, dw2)
        subtract(w2, dw2, w2)
        multiply(db2, rate, db2)
        subtract(b2, db2, b2)
        return loss, parameters

    return run


def by_torch(x: Any, labels: Any, compiled: bool) -> Any:
    import torch

    parameters = [torch.tensor(p, requires_grad=True) for p in initial_parameters()]
    x, labels = torch.tensor(x), torch.tensor(labels)

    def loss_of(w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
        logits = torch.relu(x @ w1 + b1) @ w2 + b2
        return torch.nn.functional.cross_entropy(logits, labels)

    loss_function = compiled_by_torch(loss_of) if compiled else loss_of
    if isinstance(loss_function, str):
        return loss_function

    def run() -> Any:
        loss = loss_function(*parameters)
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for p, g in zip(parameters, gradients, strict=True):
                p.sub_(g, alpha=RATE)
        return loss, parameters

    return run


def by_jax(x: Any, labels: Any) -> Runner:
    import jax

    def loss_of(parameters: Any, x: Any, labels: Any) -> Any:
        w1, b1, w2, b2 = parameters
        log_probabilities = jax.nn.log_softmax(jax.nn.relu(x @ w1 + b1) @ w2 + b2)
        return -log_probabilities[jax.numpy.arange(len(labels)), labels].mean()

    @partial(jax.jit, donate_argnums=0)
    def step(parameters: Any, x: Any, labels: Any) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(parameters, x, labels)
        return loss, [p - RATE * g for p, g in zip(parameters, gradients, strict=True)]

    parameters = [jax.numpy.array(p) for p in initial_parameters()]
    x, labels = jax.numpy.array(x), jax.numpy.array(labels)

    def run() -> Any:
        loss, parameters[:] = jax.block_until_ready(step(parameters, x, labels))
        return loss, parameters

    return run


def by_hips(x: Any, labels: Any) -> Runner:
    import autograd
    import autograd.numpy as anp

    def loss_of(parameters: Any) -> Any:
        w1, b1, w2, b2 = parameters
        z = anp.maximum(anp.dot(x, w1) + b1, 0) @ w2 + b2
        shifted = z - np.max(z._value, axis=1, keepdims=True)
        totals = anp.log(anp.sum(anp.exp(shifted), axis=1))
        return anp.mean(totals - shifted[np.arange(len(labels)), labels])

    gradient = autograd.value_and_grad(loss_of)
    parameters = initial_parameters()

    def run() -> Any:
        loss, gradients = gradient(parameters)
        for p, g in zip(parameters, gradients, strict=True):
            p -= RATE * g
        return loss, parameters

    return run


def by_mygrad(x: Any, labels: Any) -> Runner:
    import mygrad
    from mygrad.nnet.activations import relu
    from mygrad.nnet.losses import softmax_crossentropy

    parameters = [mygrad.tensor(p) for p in initial_parameters()]

    def run() -> Any:
        w1, b1, w2, b2 = parameters
        loss = softmax_crossentropy(relu(mygrad.matmul(x, w1) + b1) @ w2 + b2, labels)
        loss.backward()
        for p in parameters:
            p.data -= RATE * p.grad
        return loss.data, [p.data for p in parameters]

    return run


def by_advect(x: Any, labels: Any) -> dict[str, Any]:
    one_hot = np.eye(SIZES[-1], dtype=x.dtype)[labels]  # it does not stage indices that are arrays

    def loss_of(parameters: Any) -> Any:
        w1, b1, w2, b2 = parameters
        z = np.maximum(x @ w1 + b1, np.float32(0)) @ w2 + b2
        shifted = z - np.max(z, axis=1, keepdims=True)
        totals = np.log(np.sum(np.exp(shifted), axis=1))
        return np.mean(totals - np.sum(one_hot * shifted, axis=1))

    def runner(differentiated: Any, parameters: Any) -> Any:
        def run() -> Any:
            loss, gradients = differentiated()
            for p, g in zip(parameters, gradients, strict=True):
                p -= RATE * g
            return loss, parameters

        return run if callable(differentiated) else differentiated

    runners = {}
    for peer in ("advect", "advect, staged"):
        parameters = initial_parameters()
        made = runs_of_advect("value_and_grad", loss_of, parameters)
        if peer in made:
            runners[peer] = runner(made[peer], parameters)
    return runners


def by_sklearn(x: Any, labels: Any) -> Runner:
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(
        (SIZES[1],),
        solver="sgd",
        alpha=0.0,
        momentum=0.0,
        learning_rate_init=RATE,
        batch_size=len(x),
        shuffle=False,
    )
    model.partial_fit(x, labels, classes=np.arange(SIZES[-1]))  # makes parameters, replaced here
    model.coefs_[0], model.intercepts_[0], model.coefs_[1], model.intercepts_[1] = (
        initial_parameters()
    )

    def run() -> Any:
        model.partial_fit(x, labels)
        (w1, w2), (b1, b2) = model.coefs_, model.intercepts_
        return model.loss_, [w1, b1, w2, b2]

    return run


def make(batch: int) -> dict[str, Any]:
    x, labels = batch_of(batch)
    runners: dict[str, Any] = {
        OURS: by_us(x, labels, ag.compile(training_step, donate=0)),
        BY_HAND: by_hand(x, labels),
        f"{OURS}, eager": by_us(x, labels, training_step),
    }
    if installed("torch"):
        runners["PyTorch"] = by_torch(x, labels, compiled=False)
        runners["torch.compile"] = by_torch(x, labels, compiled=True)
    if installed("jax"):
        runners["JAX jit"] = by_jax(x, labels)
    if installed("autograd"):
        runners["HIPS autograd"] = by_hips(x, labels)
    if installed("mygrad"):
        runners["MyGrad"] = by_mygrad(x, labels)
    if installed("sklearn"):
        runners["scikit-learn"] = by_sklearn(x, labels)
    runners |= by_advect(x, labels)
    return runners


WORKLOADS = [
    Workload(
        f"MLP step, batch {batch}",
        f"training step of an MLP 784-128-10, float32, batch {batch}",
        partial(make, batch),
        tolerance=2e-5,
    )
    for batch in BATCHES
]
