"""Saliency: the gradient with respect to the input says which pixels a network went by.

Training differentiates the loss with respect to the weights; here the weights stay, and the score
of a digit is differentiated with respect to its 64 pixels. To see whether that means anything,
pixels are wiped out one by one: those of largest gradient times brightness first, or in random
order. If saliency is right, the first way destroys the answer sooner.

Run it with ``python examples/saliency.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import autograd_lite as ag
import nn


def saliency(model: nn.Module, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """For each image, the derivative of its class's logit with respect to each pixel."""
    rows = np.arange(len(images))
    pixels = ag.Value(images)
    # Images do not influence each other's logits, so one sweep from the sum serves all.
    np.sum(model(pixels)[rows, classes]).backward()
    return pixels.grad


def probability_while_wiping(
    model: nn.Module, images: np.ndarray, classes: np.ndarray, order: np.ndarray
) -> np.ndarray:
    """The mean probability of the right class after 0, 1, 2, ... pixels of ``order`` are wiped."""
    rows = np.arange(len(images))
    wiped = images.copy()
    course = []
    for pixel in order.T:
        course.append(nn.softmax(nn.predict(model, wiped))[rows, classes].mean())
        wiped[rows, pixel] = 0
    return np.array(course)


def draw(
    path: Path, images: np.ndarray, gradients: np.ndarray, courses: dict[str, np.ndarray]
) -> None:
    figure = Figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(3, 2))
    for (top, bottom), image, gradient in zip(
        left.subplots(2, 6).T, images, gradients, strict=False
    ):
        limit = np.abs(gradient).max()
        top.imshow(image.reshape(8, 8), cmap="gray_r")
        bottom.imshow(gradient.reshape(8, 8), cmap="RdBu_r", vmin=-limit, vmax=limit)
    for axes in left.axes:
        axes.set_axis_off()
    left.suptitle("red: brighter speaks for the digit, blue: against it", fontsize=10)
    axes = right.subplots()
    for name, course in courses.items():
        axes.plot(course, label=name)
    axes.set(xlabel="pixels wiped out", ylabel="probability of the right digit")
    axes.legend()
    figure.savefig(path)
    print("wrote", path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=30, help="epochs of training")
    parser.add_argument("--output", type=Path, default=Path("saliency.png"), help="picture")
    arguments = parser.parse_args()

    digits = load_digits()
    x, x_test, y, y_test = train_test_split(
        digits.data / 16, digits.target, stratify=digits.target, random_state=0
    )
    model = nn.MLP(64, [64, 10], rng=0)
    nn.fit(
        model, x, y, loss=nn.cross_entropy, optimizer=nn.Adam(model, 0.003),
        epochs=arguments.epochs, rng=0, progress=False,
    )  # fmt: skip

    gradients = saliency(model, x_test, y_test)
    rng = np.random.default_rng(0)
    orders = {
        "most salient first": np.argsort(-np.abs(gradients * x_test), axis=1),
        "in random order": rng.permuted(np.tile(np.arange(64), (len(x_test), 1)), axis=1),
    }
    courses = {
        name: probability_while_wiping(model, x_test, y_test, order)
        for name, order in orders.items()
    }
    for name, course in courses.items():
        print(f"{name}: probability of the right digit {course[0]:.2f}, then {course[10]:.2f}")
    chosen = [np.flatnonzero(y_test == digit)[0] for digit in range(6)]
    draw(arguments.output, x_test[chosen], gradients[chosen], courses)


if __name__ == "__main__":
    main()
