"""Handwritten digits: training, validation and test kept apart, and a look at the mistakes.

A network learns from 1,797 digits of 8x8 pixels that come with scikit-learn. Dropout and weight
decay keep it from learning them by heart, a validation part decides when to stop, and a test part,
looked at once, gives the score.

Run it with ``python examples/digits.py``; it takes a few seconds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import nn


def network(rng: np.random.Generator) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(64, 256, rng=rng, dtype=np.float32),
        "relu",
        nn.Dropout(0.4, rng=rng),
        nn.Linear(256, 10, rng=rng, dtype=np.float32),
    )


def draw(path: Path, model: nn.Module, history: nn.History, x: np.ndarray, y: np.ndarray) -> None:
    figure = Figure(figsize=(11, 6.5), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(3, 1))
    curves, counts = top.subplots(1, 2)
    history.plot(ax=curves)
    outputs = nn.predict(model, x)
    nn.plots.confusion_matrix(nn.metrics.confusion_matrix(outputs, y, n_classes=10), ax=counts)
    taken_for = nn.predicted_labels(outputs)
    wrong = np.flatnonzero(taken_for != y)[:10]
    for axes, i in zip(bottom.subplots(1, 10), wrong, strict=False):
        axes.imshow(x[i].reshape(8, 8), cmap="gray_r")
        axes.set_title(f"{y[i]} as {taken_for[i]}", fontsize=9)
    for axes in bottom.axes:
        axes.set_axis_off()
    figure.savefig(path)
    print("wrote", path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=60, help="epochs of training at most")
    parser.add_argument("--seed", type=int, default=0, help="of weights, dropout and shuffling")
    parser.add_argument("--output", type=Path, default=Path("digits.png"), help="picture")
    arguments = parser.parse_args()

    digits = load_digits()
    x, x_test, y, y_test = train_test_split(
        digits.data.astype(np.float32) / 16, digits.target, stratify=digits.target, random_state=0
    )
    rng = np.random.default_rng(arguments.seed)
    model = network(rng)
    history = nn.fit(
        model, x, y, loss=nn.cross_entropy, optimizer=nn.AdamW(model, 0.003, weight_decay=0.05),
        epochs=arguments.epochs, schedule=nn.schedules.Cosine(arguments.epochs),
        validation_split=0.15, callbacks=[nn.EarlyStopping(patience=20)], rng=rng,
    )  # fmt: skip
    print(model.summary(x[:1]))
    print(f"{len(history)} epochs, {history.stopped}")
    right = nn.metrics.accuracy(nn.predict(model, x_test), y_test)
    print(f"right on {len(y_test)} test digits: {right:.1%}")
    draw(arguments.output, model, history, x_test, y_test)


if __name__ == "__main__":
    main()
