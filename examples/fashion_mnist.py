"""Fashion-MNIST from OpenML: which of ten garments is it, and which are taken for each other?

The 70,000 images (H. Xiao, K. Rasul, R. Vollgraf 2017) come through scikit-learn's
``fetch_openml``, which keeps them on disk for the next run. The score is one number; the confusion
matrix says which garments are told apart and which are not.

Run it with ``python examples/fashion_mnist.py``; it needs a network the first time.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from urllib.error import URLError

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import fetch_openml
from sklearn.model_selection import train_test_split

import nn

GARMENTS = [
    "T-shirt", "trousers", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
]  # fmt: skip


def fetch(folder: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Images as rows of numbers from 0 to 1, and the numbers of their garments."""
    try:
        data = fetch_openml(data_id=40996, as_frame=False, parser="liac-arff", data_home=folder)
    except URLError as error:
        raise SystemExit(f"OpenML cannot be reached ({error.reason}); try with a network") from None
    return data.data.astype(np.float32) / 255, data.target.astype(np.int64)


def draw(path: Path, model: nn.Module, x: np.ndarray, y: np.ndarray) -> None:
    outputs = nn.predict(model, x)
    figure = Figure(figsize=(11, 5), layout="constrained")
    left, right = figure.subfigures(1, 2)
    counts = nn.metrics.confusion_matrix(outputs, y, n_classes=len(GARMENTS))
    axes = nn.plots.confusion_matrix(counts, names=GARMENTS, ax=left.subplots())
    axes.tick_params(axis="x", rotation=60)
    taken_for = nn.predicted_labels(outputs)
    mistakes = np.flatnonzero(taken_for != y)
    for axes, i in zip(right.subplots(3, 3).flat, mistakes, strict=False):
        axes.imshow(x[i].reshape(28, 28), cmap="gray_r")
        axes.set_title(f"{GARMENTS[y[i]]} as {GARMENTS[taken_for[i]]}", fontsize=8)
    for axes in right.axes:
        axes.set_axis_off()
    figure.savefig(path)
    print("wrote", path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=15, help="epochs of training")
    parser.add_argument("--hidden", type=int, default=256, help="hidden units")
    parser.add_argument("--data-home", type=Path, help="where scikit-learn keeps the data")
    parser.add_argument("--output", type=Path, default=Path("fashion_mnist.png"), help="picture")
    arguments = parser.parse_args()

    x, y = fetch(arguments.data_home)
    x, x_test, y, y_test = train_test_split(x, y, test_size=1 / 7, stratify=y, random_state=0)
    rng = np.random.default_rng(0)
    model = nn.MLP(x.shape[1], [arguments.hidden, len(GARMENTS)], rng=rng, dtype=np.float32)
    nn.fit(
        model, x, y, loss=nn.cross_entropy, optimizer=nn.AdamW(model, 0.002, weight_decay=0.05),
        batch_size=128, epochs=arguments.epochs, schedule=nn.schedules.Cosine(arguments.epochs),
        rng=rng,
    )  # fmt: skip
    right = nn.metrics.accuracy(nn.predict(model, x_test), y_test)
    print(f"right on {len(y_test):,} test images: {right:.1%}")
    draw(arguments.output, model, x_test, y_test)


if __name__ == "__main__":
    main()
