"""Workloads on arrays, written as people write them, beside NumPy by hand.

What eager code pays for: calls of the engine where arrays are small, memory that is new for
each result where they are large.  The same compiled, where these are gone.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

import autograd_lite as ag
from tests.benchmarks.compile_mlp import BATCHES, RATE, SIZES, batch_of, by_hand, initial_parameters
from tests.benchmarks.measure import BY_HAND, OURS, Runner, Workload, installed

# One training step of an MLP: ReLU as a maximum, softmax by its largest logit, descent by hand.


def cross_entropy(parameters: Any, x: Any, targets: Any) -> Any:
    w1, b1, w2, b2 = parameters
    z = np.maximum(x @ w1 + b1, 0) @ w2 + b2
    z = z - np.max(z, axis=1, keepdims=True)
    return np.mean(np.log(np.sum(np.exp(z), axis=1)) - np.sum(z * targets, axis=1))


def training_step(parameters: Any, x: Any, targets: Any) -> Any:
    loss, gradients = ag.value_and_grad(cross_entropy)(parameters, x, targets)
    return loss, [p - RATE * g for p, g in zip(parameters, gradients, strict=True)]


def by_us(x: Any, labels: Any, step: Any) -> Runner:
    targets = np.eye(SIZES[-1], dtype=np.float32)[labels]
    parameters = initial_parameters()

    def run() -> Any:
        loss, parameters[:] = step(parameters, x, targets)
        return loss, parameters

    return run


def by_torch(x: Any, labels: Any) -> Runner:
    import torch

    torch.set_num_threads(1)
    parameters = [torch.tensor(p, requires_grad=True) for p in initial_parameters()]
    targets = torch.eye(SIZES[-1])[torch.tensor(labels)]
    x = torch.tensor(x)

    def run() -> Any:
        w1, b1, w2, b2 = parameters
        z = torch.relu(x @ w1 + b1) @ w2 + b2
        z = z - z.amax(dim=1, keepdim=True)
        loss = (z.exp().sum(dim=1).log() - (z * targets).sum(dim=1)).mean()
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for p, g in zip(parameters, gradients, strict=True):
                p.sub_(g, alpha=RATE)
        return loss, parameters

    return run


def by_jax(x: Any, labels: Any) -> Runner:
    import jax

    def loss_of(parameters: Any, x: Any, targets: Any) -> Any:
        w1, b1, w2, b2 = parameters
        z = jax.numpy.maximum(x @ w1 + b1, 0) @ w2 + b2
        z = z - jax.numpy.max(z, axis=1, keepdims=True)
        entropy = jax.numpy.log(jax.numpy.exp(z).sum(axis=1)) - (z * targets).sum(axis=1)
        return entropy.mean()

    def step(parameters: Any, x: Any, targets: Any) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(parameters, x, targets)
        return loss, [p - RATE * g for p, g in zip(parameters, gradients, strict=True)]

    donating = jax.jit(step, donate_argnums=0)
    return by_us(x, labels, lambda *arguments: jax.block_until_ready(donating(*arguments)))


def ways(function: Any) -> dict[str, Any]:
    """A function as our engine runs it: as it is, compiled, and with loops by Numba."""
    found = {OURS: function, f"{OURS}, compiled": ag.compile(function)}
    if installed("numba"):
        found[f"{OURS}, Numba"] = ag.compile(function, backend="numba")
    return found


def make_step(batch: int) -> dict[str, Any]:
    x, labels = batch_of(batch)
    runners: dict[str, Any] = {
        name: by_us(x, labels, step) for name, step in ways(training_step).items()
    }
    runners[BY_HAND] = by_hand(x, labels)
    if installed("torch"):
        runners["PyTorch"] = by_torch(x, labels)
    if installed("jax"):
        runners["JAX jit"] = by_jax(x, labels)
    return runners


# The gradient of a chain of 200 operations: 50 times scale, shift, tanh, exp.

LINKS = 50
SCALE, SHIFT = 0.8, -0.75
LENGTHS = (10, 1_000, 100_000, 1_000_000)


def chain(namespace: Any, x: Any) -> Any:
    for _ in range(LINKS):
        x = x * SCALE
        x = x + SHIFT
        x = namespace.tanh(x)
        x = namespace.exp(x)
    return namespace.sum(x)


def chain_by_hand(x: np.ndarray) -> Runner:
    """What the derivative needs in buffers of its own, all else over what is needed no more."""
    bent, grown = np.empty((2, LINKS, x.size))
    starts = [x, *grown[:-1]]
    slope = np.empty_like(x)
    scale, shift, one = np.array(SCALE), np.array(SHIFT), np.array(1.0)
    multiply, add, subtract, tanh, exp = np.multiply, np.add, np.subtract, np.tanh, np.exp

    def run() -> Any:
        for start, t, e in zip(starts, bent, grown, strict=True):
            multiply(start, scale, t)
            add(t, shift, t)
            tanh(t, t)
            exp(t, e)
        slope[...] = one
        for t, e in zip(bent[::-1], grown[::-1], strict=True):
            multiply(slope, e, slope)
            multiply(t, t, t)
            subtract(one, t, t)
            multiply(slope, t, slope)
            multiply(slope, scale, slope)
        return slope

    return run


def make_chain(length: int) -> dict[str, Any]:
    x = np.linspace(0.1, 2.0, length)
    gradients = ways(ag.grad(partial(chain, np)))
    runners: dict[str, Any] = {name: partial(f, x) for name, f in gradients.items()}
    runners[BY_HAND] = chain_by_hand(x)
    if installed("jax"):
        import jax

        jax.config.update("jax_enable_x64", True)
        by_jax, numbers = jax.jit(jax.grad(partial(chain, jax.numpy))), jax.numpy.asarray(x)
        runners["JAX jit"] = lambda: jax.block_until_ready(by_jax(numbers))
    if installed("torch"):
        import torch

        torch.set_num_threads(1)
        points = torch.tensor(x, requires_grad=True)
        runners["PyTorch"] = lambda: torch.autograd.grad(chain(torch, points), points)[0]
    return runners


# A chain of 100,000 operations on single numbers, beside the same on plain floats.

STEPS = 25_000


def scalar_chain(x: Any) -> Any:
    for _ in range(STEPS):
        x = x * SCALE
        x = x + 0.2
        x = x * x
        x = x - 0.1
    return x


def scalar_chain_by_us() -> list[float]:
    x = ag.Value(0.5)
    y = scalar_chain(x)
    y.backward()
    return [y.data, float(x.grad or 0.0)]


def scalar_chain_by_hand() -> list[float]:
    """The slope beside the number, as a derivative by one number can be had."""
    x, slopes = 0.5, []
    for _ in range(STEPS):
        scaled = x * SCALE + 0.2
        slopes.append(scaled)
        x = scaled * scaled - 0.1
    slope = 1.0
    for scaled in reversed(slopes):
        slope = slope * (2.0 * scaled) * SCALE
    return [x, slope]


def make_scalar_chain() -> dict[str, Runner]:
    return {OURS: scalar_chain_by_us, "Python by hand": scalar_chain_by_hand}


WORKLOADS = [
    *(
        Workload(
            f"eager step, batch {batch}",
            f"training step of an MLP 784-128-10, float32, batch {batch}, as people write it",
            partial(make_step, batch),
            tolerance=2e-5,
        )
        for batch in BATCHES
    ),
    *(
        Workload(
            f"eager chain of {length:,}",
            f"gradient of 50 times scale, shift, tanh, exp on {length:,} numbers, float64",
            partial(make_chain, length),
        )
        for length in LENGTHS
    ),
    Workload(
        "eager chain of single numbers",
        "100,000 operations on one number and the gradient, beside plain floats",
        make_scalar_chain,
        collector=True,
    ),
]
