"""Workloads of the eager engine: scalar graphs, chains of small arrays."""

from __future__ import annotations

import importlib
import random
from itertools import pairwise

import numpy as np

import autograd_lite as ag
from tests.benchmarks.measure import BY_HAND, OURS, Runner, Workload, installed
from tests.benchmarks.with_advect import runs_of_advect

# One training step of micrograd's demo: 20 points, MLP 2-16-16-1, hinge loss and L2.


class ScalarNeuron:
    def __init__(self, value, n_in, rectified, generator):
        self.weights = [value(generator.uniform(-1, 1)) for _ in range(n_in)]
        self.bias = value(0)
        self.rectified = rectified

    def __call__(self, inputs):
        total = sum((w * x for w, x in zip(self.weights, inputs, strict=True)), self.bias)
        return total.relu() if self.rectified else total


class ScalarMLP:
    """The network of micrograd's demo, on whichever scalar type it is given."""

    def __init__(self, value, sizes, generator):
        self.layers = [
            [ScalarNeuron(value, m, i < len(sizes) - 2, generator) for _ in range(n)]
            for i, (m, n) in enumerate(pairwise(sizes))
        ]

    def __call__(self, x):
        for layer in self.layers:
            x = [neuron(x) for neuron in layer]
        return x[0]

    def parameters(self):
        return [p for layer in self.layers for n in layer for p in (*n.weights, n.bias)]


def two_moons():
    generator = random.Random(0)
    points = []
    for i in range(20):
        angle = np.pi * (i % 10) / 9
        upper = i < 10
        x = float(np.cos(angle) if upper else 1 - np.cos(angle)) + generator.gauss(0, 0.1)
        y = float(np.sin(angle) if upper else 0.5 - np.sin(angle)) + generator.gauss(0, 0.1)
        points.append((x, y, 1.0 if upper else -1.0))
    return points


def scalar_step(value) -> Runner:
    model = ScalarMLP(value, [2, 16, 16, 1], random.Random(1337))
    start = [p.data for p in model.parameters()]
    points = two_moons()

    def step() -> list[float]:
        for p, data in zip(model.parameters(), start, strict=True):
            p.data = data
        scores = [model([value(x), value(y)]) for x, y, _ in points]
        losses = [
            (1 + -label * score).relu() for (_, _, label), score in zip(points, scores, strict=True)
        ]
        data_loss = sum(losses) * (1.0 / len(losses))
        loss = data_loss + 1e-4 * sum(p * p for p in model.parameters())
        for p in model.parameters():
            p.grad = 0
        loss.backward()
        for p in model.parameters():
            p.data -= 0.1 * p.grad
        return [loss.data, *(p.data for p in model.parameters())]

    return step


def load_what_the_demo_loads() -> None:
    """micrograd's notebook draws with matplotlib and takes its points from scikit-learn.

    That decides how often Python's collector walks over a graph: the more there is in
    a process, the rarer its full collections.
    """
    for package in ("matplotlib.pyplot", "sklearn.datasets"):
        if installed(package.split(".")[0]):
            importlib.import_module(package)


def make_scalar() -> dict[str, Runner]:
    load_what_the_demo_loads()
    runners = {OURS: scalar_step(ag.Value)}
    if installed("micrograd"):
        from micrograd.engine import Value as MicrogradValue

        runners["micrograd"] = scalar_step(MicrogradValue)
    return runners


# The gradient of a chain of 200 elementwise operations on 10 numbers.

POINT = np.linspace(0.1, 0.9, 10)


def chain(namespace, x):
    for _ in range(40):
        x = namespace.sin(x)
        x = x * 1.1
        x = x + 0.3
        x = namespace.tanh(x)
        x = x * x
    return x


def make_chain() -> dict[str, Runner]:
    def in_numpy(x):
        return np.sum(chain(np, x))

    gradient = ag.grad(in_numpy)
    runners: dict[str, Runner] = {OURS: lambda: gradient(POINT)}
    if installed("torch"):
        import torch

        torch.set_num_threads(1)

        def by_torch():
            x = torch.tensor(POINT, requires_grad=True)
            chain(torch, x).sum().backward()
            return x.grad.numpy()

        runners["PyTorch"] = by_torch
    if installed("autograd"):
        import autograd
        import autograd.numpy as anp

        by_hips = autograd.grad(lambda x: anp.sum(chain(anp, x)))
        runners["HIPS autograd"] = lambda: by_hips(POINT)
    runners |= runs_of_advect("grad", in_numpy, POINT)
    runners[BY_HAND] = chain_by_hand
    return runners


def chain_by_hand():
    kept = []
    x = POINT
    for _ in range(40):
        shifted = np.sin(x) * 1.1 + 0.3
        bent = np.tanh(shifted)
        kept.append((x, bent))
        x = bent * bent
    g = np.ones_like(x)
    for x, bent in reversed(kept):
        g = g * (2 * bent) * (1 - bent * bent) * 1.1 * np.cos(x)
    return g


WORKLOADS = [
    Workload(
        "scalar step",
        "micrograd's demo: MLP 2-16-16-1 on scalars, 20 samples, hinge loss and L2",
        make_scalar,
        inner=3,
        collector=True,
        without_collector=("micrograd", OURS),
    ),
    Workload(
        "small chain",
        "gradient of 200 elementwise operations on 10 numbers",
        make_chain,
        inner=10,
        collector=True,
    ),
]
