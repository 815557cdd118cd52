"""Micrograd's demo: a network of single numbers learns to tell two moons apart.

Every weight, every sum and every product is a Value of its own, as in A. Karpathy's micrograd:
nothing is hidden in arrays, and the 20 points make a graph of some 30,000 nodes. That is slow, and
the best way to see that there is no magic in a network.

Run it with ``python examples/micrograd_demo.py``; it takes about half a minute.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import make_moons

import nn
from autograd_lite import Value

Layers = list[list[nn.Neuron]]


def network(sizes: list[int], rng: np.random.Generator) -> Layers:
    """Layers of neurons; all but the last bend their sum by relu."""
    return [
        [nn.Neuron(n_in, activation=activation, rng=rng) for _ in range(n_out)]
        for n_in, n_out, activation in zip(
            sizes, sizes[1:], ["relu"] * (len(sizes) - 2) + ["identity"], strict=False
        )
    ]


def score(layers: Layers, point: np.ndarray) -> Value:
    """Positive for one moon, negative for the other."""
    signals = [float(x) for x in point]
    for layer in layers:
        signals = [neuron(signals) for neuron in layer]
    return signals[0]


def loss_of(layers: Layers, points: np.ndarray, signs: np.ndarray) -> Value:
    """Hinge loss, and a penalty on large parameters: max(0, 1 - sign·score) + 1e-4·Σp²."""
    losses = [
        (1 - float(sign) * score(layers, point)).relu()
        for point, sign in zip(points, signs, strict=True)
    ]
    penalty = sum(p * p for p in parameters_of(layers))
    return sum(losses) * (1 / len(losses)) + 1e-4 * penalty


def parameters_of(layers: Layers) -> list[Value]:
    return [p for layer in layers for neuron in layer for p in neuron.parameters()]


def train(layers: Layers, points: np.ndarray, signs: np.ndarray, steps: int) -> None:
    """Gradient descent, with steps that grow smaller."""
    parameters = parameters_of(layers)
    for step in range(steps):
        loss = loss_of(layers, points, signs)
        for p in parameters:
            p.grad = None
        loss.backward()
        for p in parameters:
            p.data -= (1 - 0.9 * step / steps) * p.grad
        if step % 10 == 0 or step == steps - 1:
            print(f"step {step:3}  loss {loss.data:.4f}  right {right(layers, points, signs):.0%}")


def right(layers: Layers, points: np.ndarray, signs: np.ndarray) -> float:
    answers = [np.sign(score(layers, point).data) for point in points]
    return float(np.mean(answers == signs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=50, help="points to learn from")
    parser.add_argument("--hidden", type=int, default=16, help="neurons in each hidden layer")
    parser.add_argument("--steps", type=int, default=60, help="steps of gradient descent")
    parser.add_argument("--grid", type=int, default=40, help="points along a side of the picture")
    parser.add_argument("--output", type=Path, default=Path("micrograd_demo.png"), help="picture")
    arguments = parser.parse_args()

    points, moon = make_moons(arguments.samples, noise=0.1, random_state=1)
    layers = network([2, arguments.hidden, arguments.hidden, 1], np.random.default_rng(1))
    print(f"{len(parameters_of(layers))} parameters, each a Value of its own")
    train(layers, points, 2 * moon - 1, arguments.steps)

    axes = (figure := Figure(layout="constrained")).subplots()
    nn.plots.decision_regions(
        lambda grid: np.array([score(layers, point).data for point in grid]),
        points, moon, n_points=arguments.grid, ax=axes,
    )  # fmt: skip
    axes.set_title("two moons, told apart number by number")
    figure.savefig(arguments.output)
    print("wrote", arguments.output)


if __name__ == "__main__":
    main()
