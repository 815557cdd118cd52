"""MNIST from its original files: an MLP reads 28x28 handwritten digits.

The four files of Y. LeCun's data set (train-images-idx3-ubyte.gz and so on, packed or not) lie in a
folder that is named as the first argument. Where only the t10k files are there, four fifths of them
are learned from. Dropout, weight decay, smoothed labels and a falling learning rate are what takes
a plain network past 98 % on the whole set.

Run it with ``python examples/mnist.py FOLDER``.
"""

from __future__ import annotations

import argparse
import gzip
import math
import struct
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.model_selection import train_test_split

import nn

IDX_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def read_idx(path: Path) -> np.ndarray:
    """An array in IDX format: two zeros, type, number of axes; their lengths; the numbers."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        contents = file.read()
    zeros, kind, n_axes = struct.unpack_from(">HBB", contents)
    if zeros or kind not in IDX_TYPES:
        raise SystemExit(f"{path} is no IDX file: it begins with {contents[:4].hex(' ')}")
    shape = struct.unpack_from(f">{n_axes}I", contents, 4)
    numbers = np.frombuffer(contents, IDX_TYPES[kind], offset=4 + 4 * n_axes)
    if numbers.size != math.prod(shape):
        raise SystemExit(f"{path} is cut off: {numbers.size} numbers for an array of shape {shape}")
    return numbers.reshape(shape)


def read_part(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Images as rows of numbers from 0 to 1, and their digits; None if the files are not there."""
    images = sorted(folder.glob(f"{part}-images?idx3-ubyte*"))
    labels = sorted(folder.glob(f"{part}-labels?idx1-ubyte*"))
    if not images or not labels:
        return None
    pixels = read_idx(images[0])
    return pixels.reshape(len(pixels), -1) / np.float32(255), read_idx(labels[0]).astype(np.int64)


def read_mnist(folder: Path) -> list[np.ndarray]:
    """Images and digits to learn from, then images and digits to test with."""
    train, test = read_part(folder, "train"), read_part(folder, "t10k")
    if test is None:
        raise SystemExit(f"{folder} holds no t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte")
    if train is None:
        print("no train files: learning from four fifths of the t10k files")
        x, x_test, y, y_test = train_test_split(*test, test_size=0.2, random_state=0)
        return [x, y, x_test, y_test]
    return [*train, *test]


def network(n_pixels: int, hidden: int, rng: np.random.Generator) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(
            n_pixels, hidden, initializer=nn.initializers.he_normal, rng=rng, dtype=np.float32
        ),
        "relu",
        nn.Dropout(0.3, rng=rng),
        nn.Linear(hidden, 10, rng=rng, dtype=np.float32),
    )


def draw(path: Path, model: nn.Module, history: nn.History, x: np.ndarray, y: np.ndarray) -> None:
    """Learning curves, what the first units look at, and mistakes."""
    figure = Figure(figsize=(11, 6.5), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(3, 1))
    curves, weights = top.subplots(1, 2)
    nn.plots.learning_curves(
        {"accuracy": history["accuracy"], "validation_accuracy": history["validation_accuracy"]},
        ax=curves,
    )
    side = math.isqrt(x.shape[1])
    nn.plots.weight_images(model[0].weight.data[:, :32], (side, side), n_columns=8, ax=weights)
    weights.set_title("weights of hidden units", fontsize=10)
    taken_for = nn.predicted_labels(nn.predict(model, x))
    for axes, i in zip(bottom.subplots(1, 12), np.flatnonzero(taken_for != y), strict=False):
        axes.imshow(x[i].reshape(side, side), cmap="gray_r")
        axes.set_title(f"{y[i]} as {taken_for[i]}", fontsize=9)
    for axes in bottom.axes:
        axes.set_axis_off()
    figure.savefig(path)
    print("wrote", path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with the IDX files")
    parser.add_argument("--hidden", type=int, default=512, help="hidden units")
    parser.add_argument("--epochs", type=int, default=20, help="epochs of training")
    parser.add_argument("--output", type=Path, default=Path("mnist.png"), help="picture")
    arguments = parser.parse_args()

    x, y, x_test, y_test = read_mnist(arguments.folder)
    print(f"{len(x):,} images to learn from, {len(x_test):,} to test with")
    rng = np.random.default_rng(0)
    model = network(x.shape[1], arguments.hidden, rng)
    history = nn.fit(
        model, x, y, loss=partial(nn.cross_entropy, label_smoothing=0.1),
        optimizer=nn.AdamW(model, 0.002, weight_decay=0.3), batch_size=64,
        epochs=arguments.epochs, schedule=nn.schedules.Cosine(arguments.epochs),
        metrics=["accuracy"], validation_split=0.05, rng=rng,
    )  # fmt: skip
    right = nn.metrics.accuracy(nn.predict(model, x_test), y_test)
    print(f"right on the test images: {right:.2%}")
    draw(arguments.output, model, history, x_test, y_test)


if __name__ == "__main__":
    main()
