"""Workload: one training step of micrograd's demo, compiled to arithmetic of Python floats."""

from __future__ import annotations

import random
import time
from itertools import pairwise
from typing import Any

import autograd_lite as ag
from tests.benchmarks.eager import ScalarMLP, load_what_the_demo_loads, scalar_step, two_moons
from tests.benchmarks.measure import OURS, Runner, Workload, installed

SIZES = [2, 16, 16, 1]
RATE, DECAY = 0.1, 1e-4
POINTS = two_moons()


class Number:
    """What a parameter starts as, before anything computes with it."""

    def __init__(self, data: float) -> None:
        self.data = data


START = [float(p.data) for p in ScalarMLP(Number, SIZES, random.Random(1337)).parameters()]


def relu(x: Any) -> Any:
    return x.relu() if isinstance(x, ag.Value) else max(x, 0.0)


def take(iterator: Any, count: int) -> list[Any]:
    return [next(iterator) for _ in range(count)]


def loss_of(parameters: Any, points: Any) -> Any:
    losses = []
    for x, y, label in points:
        given = iter(parameters)
        outputs = [x, y]
        for n_out in SIZES[1:]:
            sums = []
            for _ in range(n_out):
                weights = take(given, len(outputs))
                products = (w * z for w, z in zip(weights, outputs, strict=True))
                sums.append(sum(products, next(given)))
            outputs = sums if n_out == 1 else [relu(z) for z in sums]
        losses.append(relu(1 - label * outputs[0]))
    return sum(losses) * (1.0 / len(losses)) + DECAY * sum(p * p for p in parameters)


def training_step(parameters: Any, points: Any) -> Any:
    loss, gradients = ag.value_and_grad(loss_of)(parameters, points)
    return loss, [p - RATE * g for p, g in zip(parameters, gradients, strict=True)]


def by_us() -> Runner:
    started = time.perf_counter()
    compiled = ag.compile(training_step)
    compiled(START, POINTS)
    print(f"compiled scalar step: the program was ready in {time.perf_counter() - started:.2f} s")

    def run() -> Any:
        loss, parameters = compiled(START, POINTS)
        return [loss, *parameters]

    return run


def layers(parameters: list[float]) -> Any:
    """Weights and biases of each layer: a row of weights for each neuron."""
    given = iter(parameters)
    for n_in, n_out in pairwise(SIZES):
        rows = [take(given, n_in + 1) for _ in range(n_out)]
        yield [row[:-1] for row in rows], [row[-1] for row in rows]


def by_hand() -> Runner:
    """Loops over lists of floats that skip what a relu has switched off."""

    def run() -> Any:
        (w1, b1), (w2, b2), ((w3,), (b3,)) = layers(START)
        dw1, db1 = [[0.0, 0.0] for _ in w1], [0.0 for _ in b1]
        dw2, db2 = [[0.0 for _ in row] for row in w2], [0.0 for _ in b2]
        dw3, db3 = [0.0 for _ in w3], 0.0
        total, share = 0.0, 1.0 / len(POINTS)
        for x, y, label in POINTS:
            h1 = [max(u * x + v * y + b, 0.0) for (u, v), b in zip(w1, b1, strict=True)]
            h2 = [
                max(sum([w * z for w, z in zip(row, h1, strict=True)]) + b, 0.0)
                for row, b in zip(w2, b2, strict=True)
            ]
            score = sum([w * z for w, z in zip(w3, h2, strict=True)]) + b3
            if label * score >= 1.0:
                continue
            total += 1.0 - label * score
            g3 = -label * share
            db3 += g3
            back = [0.0 for _ in h1]
            for j, z in enumerate(h2):
                if z > 0.0:
                    dw3[j] += g3 * z
                    g = g3 * w3[j]
                    db2[j] += g
                    dw2[j] = [d + g * z for d, z in zip(dw2[j], h1, strict=True)]
                    back = [d + g * w for d, w in zip(back, w2[j], strict=True)]
            for j, z in enumerate(h1):
                if z > 0.0:
                    g = back[j]
                    db1[j] += g
                    dw1[j][0] += g * x
                    dw1[j][1] += g * y
        slopes: list[float] = []
        for rows, biases in ((dw1, db1), (dw2, db2), ([dw3], [db3])):
            for row, bias in zip(rows, biases, strict=True):
                slopes += [*row, bias]
        loss = total * share + DECAY * sum([p * p for p in START])
        updated = [p - RATE * (g + 2.0 * DECAY * p) for p, g in zip(START, slopes, strict=True)]
        return [loss, *updated]

    return run


def make() -> dict[str, Any]:
    load_what_the_demo_loads()
    runners: dict[str, Any] = {
        OURS: by_us(),
        "Python by hand": by_hand(),
        f"{OURS}, eager": scalar_step(ag.Value),
    }
    if installed("micrograd"):
        from micrograd.engine import Value as MicrogradValue

        runners["micrograd"] = scalar_step(MicrogradValue)
    return runners


WORKLOADS = [
    Workload(
        "compiled scalar step",
        "micrograd's demo, compiled: MLP 2-16-16-1 on scalars, 20 samples, hinge loss and L2",
        make,
        collector=True,
    )
]
