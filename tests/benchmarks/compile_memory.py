"""Workload: peak memory of loss, gradient and update through 64 layers of 512x512 tanh.

Each peer runs in a process of its own, and what counts is how far the peak of
its resident memory rises above what it held before its first step.  The second
peer of ours recomputes blocks of 8 layers in the reverse sweep.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

import autograd_lite as ag
from tests.benchmarks.measure import BY_HAND, OURS, Row, installed, is_wanted

LAYERS, WIDTH, BATCH, BLOCK = 64, 512, 4096, 8
ACTIVATIONS = LAYERS * BATCH * WIDTH * 4
"""Bytes of all activations, which a reverse sweep needs unless it recomputes some."""

RATE = 0.01
CALLS = 3


def initial() -> tuple[list[Any], Any]:
    rng = np.random.default_rng(0)
    weights = [
        rng.standard_normal((WIDTH, WIDTH), np.float32) * np.float32(WIDTH**-0.5)
        for _ in range(LAYERS)
    ]
    return weights, rng.standard_normal((BATCH, WIDTH), np.float32)


def layers(namespace: Any, x: Any, weights: Any) -> Any:
    for w in weights:
        x = namespace.tanh(x @ w)
    return x


def loss_of(weights: Any, x: Any) -> Any:
    return np.mean(layers(np, x, weights))


def checkpointed_loss_of(weights: Any, x: Any) -> Any:
    block = ag.checkpoint(lambda x, *weights: layers(np, x, weights))
    for start in range(0, LAYERS, BLOCK):
        x = block(x, *weights[start : start + BLOCK])
    return np.mean(x)


def by_us(loss_of: Callable[..., Any]) -> Callable[[], Any]:
    weights, x = initial()

    @ag.compile(donate=0)
    def step(weights: Any, x: Any) -> Any:
        loss, gradients = ag.value_and_grad(loss_of)(weights, x)
        return loss, [w - RATE * g for w, g in zip(weights, gradients, strict=True)]

    def run() -> Any:
        nonlocal weights
        loss, weights = step(weights, x)
        return loss

    return run


def by_us_eager() -> Callable[[], Any]:
    weights, x = initial()

    def run() -> Any:
        loss, gradients = ag.value_and_grad(loss_of)(weights, x)
        for w, g in zip(weights, gradients, strict=True):
            w -= RATE * g
        return loss

    return run


def by_hand() -> Callable[[], Any]:
    """All activations in one array; one layer's cotangent and gradient at a time."""
    weights, x = initial()
    hidden = np.empty((LAYERS, BATCH, WIDTH), np.float32)
    g, spare = np.empty((2, BATCH, WIDTH), np.float32)
    dw = np.empty((WIDTH, WIDTH), np.float32)
    one, rate = np.array(1, np.float32), np.array(RATE, np.float32)

    def run() -> Any:
        nonlocal g, spare
        before = x
        for h, w in zip(hidden, weights, strict=True):
            np.dot(before, w, h)
            np.tanh(h, h)
            before = h
        loss = np.mean(before)
        g.fill(1 / before.size)
        for layer in range(LAYERS - 1, -1, -1):
            h, w = hidden[layer], weights[layer]
            np.multiply(h, h, h)
            np.subtract(one, h, h)
            np.multiply(g, h, g)
            np.dot((hidden[layer - 1] if layer else x).T, g, dw)
            if layer:
                np.dot(g, w.T, spare)
                g, spare = spare, g
            np.multiply(dw, rate, dw)
            np.subtract(w, dw, w)
        return loss

    return run


def by_torch() -> Callable[[], Any]:
    import torch

    arrays, x = initial()
    weights = [torch.from_numpy(w).requires_grad_() for w in arrays]
    x = torch.from_numpy(x)

    def run() -> Any:
        loss = layers(torch, x, weights).mean()
        loss.backward()
        with torch.no_grad():
            for w in weights:
                w.sub_(w.grad, alpha=RATE)
                w.grad = None
        return loss.item()

    return run


def by_jax() -> Callable[[], Any]:
    import jax

    weights, x = initial()
    weights = [jax.numpy.array(w) for w in weights]
    x = jax.numpy.array(x)

    def loss_of(weights: Any, x: Any) -> Any:
        return layers(jax.numpy, x, weights).mean()

    @jax.jit
    def gradient(weights: Any, x: Any) -> Any:
        return jax.value_and_grad(loss_of)(weights, x)

    update = jax.jit(lambda w, g: w - RATE * g, donate_argnums=0)

    def run() -> Any:
        loss, gradients = gradient(weights, x)
        weights[:] = jax.block_until_ready(list(map(update, weights, gradients)))
        return loss

    return run


def by_hips() -> Callable[[], Any]:
    import autograd
    import autograd.numpy as anp

    weights, x = initial()
    gradient = autograd.value_and_grad(lambda weights: anp.mean(layers(anp, x, weights)))

    def run() -> Any:
        loss, gradients = gradient(weights)
        for w, g in zip(weights, gradients, strict=True):
            w -= RATE * g
        return loss

    return run


def by_mygrad() -> Callable[[], Any]:
    import mygrad

    arrays, x = initial()
    weights = [mygrad.tensor(w, copy=False) for w in arrays]

    def run() -> Any:
        loss = mygrad.mean(layers(mygrad, x, weights))
        loss.backward()
        for w in weights:
            w.data -= RATE * w.grad
        return loss.item()

    return run


PEERS: dict[str, tuple[str, Callable[[], Callable[[], Any]]]] = {
    OURS: ("numpy", lambda: by_us(loss_of)),
    f"{OURS}, checkpoint": ("numpy", lambda: by_us(checkpointed_loss_of)),
    BY_HAND: ("numpy", by_hand),
    f"{OURS}, eager": ("numpy", by_us_eager),
    "PyTorch": ("torch", by_torch),
    "JAX jit": ("jax", by_jax),
    "HIPS autograd": ("autograd", by_hips),
    "MyGrad": ("mygrad", by_mygrad),
}
"""How each peer is made, and the package that it needs."""


def resident(name: str) -> int:
    """Bytes of resident memory of this process: now (VmRSS) or at its peak (VmHWM)."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(name)).split()[1])


def measure_one(peer: str) -> dict[str, float]:
    """The rise of the peak during a few steps, and the last loss; run in a process of its own."""
    run = PEERS[peer][1]()
    before = resident("VmRSS")
    for _ in range(CALLS):
        loss = run()
    return {"bytes": resident("VmHWM") - before, "loss": float(loss)}


class PeakMemory:
    name = "peak memory"
    description = "step through 64 layers 512x512 tanh, float32, batch 4,096: 1.00 = activations"

    def measured(self, repetitions: int, wanted: Sequence[str], progress: bool) -> list[Row]:
        present = [
            peer
            for peer, (package, _) in PEERS.items()
            if installed(package) and is_wanted(peer, wanted)
        ]
        if not Path("/proc/self/status").exists():
            return [Row(self.name, peer, "", [], "measured on Linux only") for peer in present]
        results = {peer: self.in_process(peer) for peer in tqdm(present, disable=not progress)}
        losses = [result["loss"] for result in results.values()]
        np.testing.assert_allclose(losses, losses[0], rtol=1e-3, atol=1e-6)
        return [
            Row(self.name, peer, "× activations", [result["bytes"] / ACTIVATIONS])
            for peer, result in results.items()
        ]

    def in_process(self, peer: str) -> Any:
        command = [sys.executable, "-m", "tests.benchmarks.compile_memory", peer]
        ran = subprocess.run(command, check=True, capture_output=True, text=True)
        return json.loads(ran.stdout.splitlines()[-1])


WORKLOADS = [PeakMemory()]

if __name__ == "__main__":
    print(json.dumps(measure_one(sys.argv[1])))
