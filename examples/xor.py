"""XOR, and what the hidden units of a network do about it.

No straight line separates the inputs with answer 1 from those with answer 0. Two hidden units move
the four points, and in their new places a line is enough. The picture shows both planes, and the
regions that the whole network takes for each answer. That two units are enough does not mean that
they find it: most starts end in a valley where two points stay together, and more units help.

Run it with ``python examples/xor.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import nn

POINTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = np.array([0, 1, 1, 0])


def train(hidden: int, epochs: int, seed: int) -> tuple[nn.MLP, nn.History]:
    model = nn.MLP(2, [hidden, 2], activation="tanh", rng=seed)
    history = nn.fit(
        model, POINTS, XOR, loss=nn.cross_entropy, optimizer=nn.Adam(model, learning_rate=0.05),
        epochs=epochs, batch_size=4, rng=seed, progress=False,
    )  # fmt: skip
    return model, history


def answers(model: nn.MLP) -> np.ndarray:
    return nn.predicted_labels(nn.predict(model, POINTS))


def show(model: nn.MLP, history: nn.History) -> None:
    print(f"loss {history.loss[0]:.3f} after the first epoch, {history.loss[-1]:.4f} at the end")
    probabilities = nn.softmax(nn.predict(model, POINTS))[:, 1]
    for point, probability in zip(POINTS, probabilities, strict=True):
        print(f"{point.astype(int)}  probability of 1: {probability:.3f}")
    print("answers:", answers(model))


def count_successes(hidden: int, epochs: int, starts: int) -> None:
    found = sum(
        np.array_equal(answers(train(hidden, epochs, seed)[0]), XOR) for seed in range(starts)
    )
    print(f"with {hidden} hidden units, {found} of {starts} starts end with the right answers")


def draw_hidden(axes: Axes, model: nn.MLP) -> None:
    """The four points where the hidden units have moved them, and the line between the answers."""
    moved = np.tanh(nn.predict(model[0], POINTS))
    for point, place, answer in zip(POINTS, moved, XOR, strict=True):
        axes.plot(*place, "o", color=f"C{answer}", markersize=10)
        axes.annotate(f"{point.astype(int)}", place, xytext=(8, 6), textcoords="offset points")
    # The logits are equal where the difference of their sums is zero.
    slope = model[2].weight.data[:, 1] - model[2].weight.data[:, 0]
    offset = model[2].bias.data[1] - model[2].bias.data[0]
    h1 = np.array([-1.3, 1.3])
    axes.plot(h1, -(slope[0] * h1 + offset) / slope[1], color="black")
    axes.set(title="hidden units", xlabel="$h_1$", ylabel="$h_2$")
    axes.set(xlim=(-1.3, 1.3), ylim=(-1.3, 1.3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=3, help="of the first weights")
    parser.add_argument("--epochs", type=int, default=400, help="epochs of training")
    parser.add_argument("--starts", type=int, default=10, help="how many seeds to count over")
    parser.add_argument("--output", type=Path, default=Path("xor.png"), help="picture")
    arguments = parser.parse_args()

    model, history = train(2, arguments.epochs, arguments.seed)
    show(model, history)
    for hidden in (2, 4, 8):
        count_successes(hidden, arguments.epochs, arguments.starts)
    figure = Figure(figsize=(8, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    nn.plots.decision_regions(model, POINTS, XOR, ax=left)
    left.set(title="inputs", xlabel="$x_1$", ylabel="$x_2$")
    draw_hidden(right, model)
    figure.savefig(arguments.output)
    print("wrote", arguments.output)


if __name__ == "__main__":
    main()
