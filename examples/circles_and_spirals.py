"""Circles and spirals: a film of a network that bends the plane until it can tell them apart.

Rings need a few hidden units, two spirals (K. Lang, M. Witbrock 1988) many and two layers of them.
The film shows the decision regions as training goes on.

Run it with ``python examples/circles_and_spirals.py --data spirals``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.animation import PillowWriter
from matplotlib.figure import Figure
from sklearn.datasets import make_circles

import nn


def circles(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    seed = int(rng.integers(2**31))
    points, ring = make_circles(n, factor=0.5, noise=0.06, random_state=seed)
    return points, ring


def spirals(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two spirals of one and a half turns, each the other one turned by half."""
    angle = 3 * np.pi * np.sqrt(rng.uniform(0.05, 1, n))
    side = rng.integers(0, 2, n)
    radius = angle / (3 * np.pi) * np.where(side == 0, 1, -1)
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + rng.normal(scale=0.01, size=points.shape), side


DATA = {"circles": (circles, [8]), "spirals": (spirals, [64, 64])}


class Film(nn.Callback):
    """Adds a picture of the decision regions every few epochs."""

    def __init__(self, writer: PillowWriter, figure: Figure, points, classes, every: int) -> None:
        self.writer, self.figure, self.every = writer, figure, every
        self.points, self.classes = points, classes

    def begin(self, run) -> None:
        self.draw(run)

    def after_epoch(self, run) -> None:
        if len(run.history) % self.every == 0:
            self.draw(run)

    def draw(self, run) -> None:
        self.figure.clear()
        axes = self.figure.subplots()
        nn.plots.decision_regions(run.model, self.points, self.classes, n_points=120, ax=axes)
        axes.set(title=f"after {len(run.history)} epochs", xticks=[], yticks=[], aspect="equal")
        self.writer.grab_frame()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", choices=DATA, default="spirals", help="what to tell apart")
    parser.add_argument("--samples", type=int, default=600, help="points to learn from")
    parser.add_argument("--epochs", type=int, default=60, help="epochs of training")
    parser.add_argument("--every", type=int, default=3, help="epochs from picture to picture")
    parser.add_argument(
        "--output", type=Path, help="animated GIF; named after the data if left out"
    )
    arguments = parser.parse_args()
    path = arguments.output or Path(f"{arguments.data}.gif")

    make, hidden = DATA[arguments.data]
    rng = np.random.default_rng(0)
    points, classes = make(arguments.samples, rng)
    new_points, new_classes = make(1000, rng)
    model = nn.MLP(2, [*hidden, 2], activation="relu", rng=rng)
    figure = Figure(figsize=(3.2, 3.4), layout="constrained")
    writer = PillowWriter(fps=5)
    with writer.saving(figure, path, dpi=80):
        nn.fit(
            model, points, classes, loss=nn.cross_entropy, optimizer=nn.Adam(model, 0.005),
            epochs=arguments.epochs, schedule=nn.schedules.Cosine(arguments.epochs), rng=rng,
            callbacks=[Film(writer, figure, points, classes, arguments.every)],
        )  # fmt: skip
    right = nn.metrics.accuracy(nn.predict(model, new_points), new_classes)
    print(f"{model.summary().parameters} parameters, right on 1,000 new points: {right:.1%}")
    print("wrote", path)


if __name__ == "__main__":
    main()
