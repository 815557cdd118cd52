"""Workloads: loops that stay loops, a recurrent network of 64 units and the LSTM of ADBench.

ADBench: F. Srajer, Z. Kukelova, A. Fitzgibbon, "A benchmark of selected algorithmic
differentiation tools on some problems in computer vision and machine learning" (2018).
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite as ag
from tests.benchmarks.measure import BY_HAND, OURS, Runner, Workload, installed

UNITS = 64
HIDDEN, LAYERS, CHARACTERS = 14, 2, 257


def make_recurrent(numpy: Any, scan: Any) -> Any:
    def recurrent(weights: Any, xs: Any) -> Any:
        w, u, b = weights

        def step(h: Any, x: Any) -> Any:
            h = numpy.tanh(x @ w + h @ u + b)
            return h, h

        return numpy.sum(scan(step, numpy.zeros(UNITS), xs)[1] ** 2)

    return recurrent


def recurrent_by_hand(weights: Any, xs: Any) -> Any:
    """The loops as one writes them: forward, and back through the steps."""
    w, u, b = weights
    hs = np.empty((len(xs) + 1, UNITS))
    hs[0] = 0.0
    for t in range(len(xs)):
        hs[t + 1] = np.tanh(xs[t] @ w + hs[t] @ u + b)
    dw, du, db = np.zeros_like(w), np.zeros_like(u), np.zeros_like(b)
    g = np.zeros(UNITS)
    for t in reversed(range(len(xs))):
        g = (g + 2 * hs[t + 1]) * (1 - hs[t + 1] ** 2)
        dw += np.outer(xs[t], g)
        du += np.outer(hs[t], g)
        db += g
        g = u @ g
    return np.sum(hs[1:] ** 2), (dw, du, db)


def make_lstm(numpy: Any, scan: Any) -> Any:
    def sigmoid(x: Any) -> Any:
        return 1 / (1 + numpy.exp(-x))

    def layer(weight: Any, bias: Any, hidden: Any, cell: Any, x: Any) -> Any:
        forget = sigmoid(x * weight[0] + bias[0])
        ingate = sigmoid(hidden * weight[1] + bias[1])
        outgate = sigmoid(x * weight[2] + bias[2])
        change = numpy.tanh(hidden * weight[3] + bias[3])
        cell = cell * forget + ingate * change
        return outgate * numpy.tanh(cell), cell

    def lstm(parameters: Any, state: Any, sequence: Any) -> Any:
        main, extra = parameters

        def step(state: Any, rows: Any) -> Any:
            x, target = rows
            x = x * extra[0]
            after = []
            for (weight, bias), (hidden, cell) in zip(main, state, strict=True):
                x, cell = layer(weight, bias, hidden, cell, x)
                after.append((x, cell))
            y = x * extra[1] + extra[2]
            return after, numpy.sum(target * (y - numpy.log(numpy.sum(numpy.exp(y)) + 2)))

        init = [(state[i, 0], state[i, 1]) for i in range(LAYERS)]
        _, totals = scan(step, init, (sequence[:-1], sequence[1:]))
        return -numpy.sum(totals) / (len(sequence) - 1) / HIDDEN

    return lstm


def runners(make: Any, args: tuple[Any, ...], by_hand: Any = None) -> dict[str, Runner]:
    compiled = ag.compile(ag.value_and_grad(make(np, ag.scan)))
    compiled(*args)
    compiled(*args)  # the second call compares two traces
    found: dict[str, Runner] = {OURS: lambda: compiled(*args)}
    if installed("numba"):
        whole = ag.compile(ag.value_and_grad(make(np, ag.scan)), backend="numba")
        whole(*args)
        whole(*args)
        found[f"{OURS}, Numba"] = lambda: whole(*args)
    if by_hand is not None:
        found[BY_HAND] = lambda: by_hand(*args)
    if installed("jax"):
        import jax

        jax.config.update("jax_enable_x64", True)
        jitted = jax.jit(jax.value_and_grad(make(jax.numpy, jax.lax.scan)))
        moved = jax.tree.map(jax.numpy.asarray, args)
        found["JAX jit, lax.scan"] = lambda: jax.block_until_ready(jitted(*moved))
    return found


def recurrent_of(steps: int) -> dict[str, Runner]:
    rng = np.random.default_rng(0)
    w, u = rng.normal(scale=0.05, size=(2, UNITS, UNITS))
    args = (w, u, rng.normal(size=UNITS)), rng.normal(size=(steps, UNITS))
    return runners(make_recurrent, args, recurrent_by_hand)


def lstm() -> dict[str, Runner]:
    rng = np.random.default_rng(0)
    main = [tuple(rng.normal(scale=0.3, size=(2, 4, HIDDEN))) for _ in range(LAYERS)]
    state = rng.normal(scale=0.1, size=(LAYERS, 2, HIDDEN))
    parameters = main, rng.normal(scale=0.3, size=(3, HIDDEN))
    return runners(make_lstm, (parameters, state, rng.integers(0, 2, (CHARACTERS, HIDDEN)) * 1.0))


WORKLOADS = [
    Workload(
        "recurrent 1,000",
        "gradient of a recurrent network of 64 units, 1,000 steps",
        lambda: recurrent_of(1_000),
    ),
    Workload(
        "recurrent 10,000",
        "gradient of a recurrent network of 64 units, 10,000 steps",
        lambda: recurrent_of(10_000),
    ),
    Workload(
        "recurrent LSTM",
        "gradient of the LSTM of ADBench, 2 layers of 14, 257 steps",
        lstm,
    ),
]
