"""Accuracy that the networks of nn must reach on real data, beside their targets.

``python -m tests.benchmarks.accuracy [--data FOLDER] [--task NAME]`` trains every
task with every seed and prints the median beside the target.  MNIST and
California housing are read from ``FOLDER`` (or ``$NN_DATA``) and left out without
it; all else comes with scikit-learn.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits, load_iris, make_circles, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.neural_network import MLPRegressor

import nn

FLOAT = np.float32


@dataclass(frozen=True)
class Task:
    """What is trained, with which seeds, and what the median must reach."""

    name: str
    run: Callable[[int], float]
    seeds: int
    target: float
    larger_is_better: bool = True
    needs_data: bool = False
    peer: Callable[[int], float] | None = None
    """Somebody else's network, with the same seeds and data: where there is one, its median is
    the target."""


def standardized(train, *others):
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    return [((x - mean) / deviation).astype(FLOAT) for x in (train, *others)]


def fitted(model, x, y, **options):
    options.setdefault("loss", nn.cross_entropy)
    return nn.fit(model, x, y, progress=False, **options)


def accuracy(model, x, y):
    return nn.metrics.accuracy(nn.predict(model, x), y)


def dropout_network(sizes, rate, rng):
    """A plain MLP with relu, and dropout behind each hidden layer."""
    layers = []
    for n_in, n_out in pairwise(sizes[:-1]):
        layers += [
            nn.Linear(n_in, n_out, initializer=nn.initializers.he_normal, rng=rng, dtype=FLOAT),
            "relu",
            nn.Dropout(rate, rng=rng),
        ]
    return nn.Sequential(*layers, nn.Linear(*sizes[-2:], rng=rng, dtype=FLOAT))


def digits(seed):
    x, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        (x / 16).astype(FLOAT), y, random_state=seed, stratify=y
    )
    rng = np.random.default_rng(seed)
    model = dropout_network([64, 256, 10], 0.4, rng)
    fitted(
        model, x_train, y_train, optimizer=nn.AdamW(model, 0.003, weight_decay=0.05), epochs=60,
        batch_size=32, schedule=nn.schedules.Cosine(60), rng=rng,
    )  # fmt: skip
    return accuracy(model, x_test, y_test)


def iris(seed):
    x, y = load_iris(return_X_y=True)
    rights = 0.0
    for train, test in StratifiedKFold(10, shuffle=True, random_state=seed).split(x, y):
        x_train, x_test = standardized(x[train], x[test])
        model = nn.MLP(4, [16, 3], activation="tanh", rng=seed, dtype=FLOAT)
        fitted(
            model, x_train, y[train], optimizer=nn.AdamW(model, 0.01, weight_decay=0.1),
            epochs=60, batch_size=16, rng=seed,
        )  # fmt: skip
        rights += accuracy(model, x_test, y[test]) * len(test)
    return rights / len(y)


def setosa(seed):
    x, y = load_iris(return_X_y=True)
    unit = nn.Perceptron(2)
    unit.fit(x[:, 2:], y == 0, rng=seed)
    return float(np.mean(unit.predict(x[:, 2:])[:, 0] == (y == 0)))


def two_spirals(n, seed):
    """K. Lang, M. Witbrock (1988): two interlocking spirals, with a little noise."""
    rng = np.random.default_rng(seed)
    angle = 3 * np.pi * np.sqrt(rng.uniform(0.05, 1, n))
    side = rng.integers(0, 2, n)
    radius = angle / (3 * np.pi) * np.where(side == 0, 1, -1)
    points = radius[:, None] * np.c_[np.cos(angle), np.sin(angle)]
    return points + rng.normal(scale=0.01, size=(n, 2)), side


def in_the_plane(make):
    def run(seed):
        x, y = make(seed)
        x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=seed)
        x_train, x_test = standardized(x_train, x_test)
        model = nn.MLP(2, [64, 64, 2], activation="relu", rng=seed, dtype=FLOAT)
        fitted(
            model, x_train, y_train, optimizer=nn.Adam(model, 0.005), epochs=100, batch_size=32,
            schedule=nn.schedules.Cosine(100), rng=seed,
        )  # fmt: skip
        return accuracy(model, x_test, y_test)

    return run


def mnist_parts(folder):
    """The 5,000 training images and the 10,000 test images, with their labels."""
    with gzip.open(folder / "mnist/mnist_5k.csv.gz") as file:
        rows = np.loadtxt(file, delimiter=",", dtype=np.int64)
    with gzip.open(folder / "mnist/t10k-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
    with gzip.open(folder / "mnist/t10k-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8).astype(np.int64)
    small = (rows[:, :784] / 255).astype(FLOAT), rows[:, 784]
    return small, ((images / 255).astype(FLOAT), labels)


def mnist(folder, from_small, epochs):
    def run(seed):
        small, large = mnist_parts(folder)
        train, test = (small, large) if from_small else (large, small)
        rng = np.random.default_rng(seed)
        model = dropout_network([784, 512, 10], 0.3, rng)
        fitted(
            model, *train, loss=partial(nn.cross_entropy, label_smoothing=0.1), epochs=epochs,
            optimizer=nn.AdamW(model, 0.002, weight_decay=0.3), batch_size=64,
            schedule=nn.schedules.Cosine(epochs), rng=rng,
        )  # fmt: skip
        return accuracy(model, *test)

    return run


def housing(folder):
    """The eight features of California housing, and the median value in 100,000 dollars."""
    with gzip.open(folder / "california_housing/housing.csv.gz", "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["total_bedrooms"]]

    def column(name):
        return np.array([float(row[name]) for row in rows])

    households = column("households")
    features = [
        column("median_income"), column("housing_median_age"),
        column("total_rooms") / households, column("total_bedrooms") / households,
        column("population"), column("population") / households,
        column("latitude"), column("longitude"),
    ]  # fmt: skip
    return np.stack(features, axis=1), column("median_house_value")[:, None] / 100_000


def california_split(folder, seed):
    x, y = housing(folder)
    x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=seed)
    return *standardized(x_train, x_test), y_train, y_test


def california_by_scikit_learn(folder, seed):
    x_train, x_test, y_train, y_test = california_split(folder, seed)
    model = MLPRegressor(hidden_layer_sizes=(50, 50, 50), random_state=seed)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        model.fit(x_train, y_train[:, 0])
    return float(np.sqrt(np.mean((model.predict(x_test) - y_test[:, 0]) ** 2)))


def california(folder, plain):
    """Three hidden layers of 50: with Adam and small batches only, or with all that nn adds.

    scikit-learn's network, with its own defaults, sees batches of 200 for 200 epochs.
    From the same start, with its batches, `fit` learns the same numbers.
    """

    def run(seed):
        x_train, x_test, y_train, y_test = california_split(folder, seed)
        start = nn.initializers.glorot_uniform if plain else None
        model = nn.MLP(8, [50, 50, 50, 1], initializer=start, rng=seed, dtype=FLOAT)
        if plain:
            fitted(
                model, x_train, y_train, loss=nn.quadratic, optimizer=nn.Adam(model, 0.001),
                epochs=100, batch_size=32, rng=seed,
            )  # fmt: skip
        else:
            fitted(
                model, x_train, y_train, loss=nn.mse,
                optimizer=nn.AdamW(model, 0.01, weight_decay=0.05), epochs=200, batch_size=64,
                validation_split=0.1, schedule=nn.schedules.OneCycle(200), rng=seed,
                callbacks=[nn.EarlyStopping(patience=100)],
            )  # fmt: skip
        return nn.metrics.rmse(nn.predict(model, x_test), y_test)

    return run


def tasks(folder):
    plane = {
        "circles": lambda seed: make_circles(600, noise=0.05, factor=0.5, random_state=seed),
        "moons": lambda seed: make_moons(600, noise=0.1, random_state=seed),
        "two spirals": lambda seed: two_spirals(1000, seed),
    }
    return [
        Task("digits", digits, 5, 0.98),
        Task("iris, 10-fold", iris, 3, 0.95),
        Task("setosa by Rosenblatt's rule", setosa, 3, 1.0),
        *(Task(name, in_the_plane(make), 3, 0.98) for name, make in plane.items()),
        Task("MNIST, 5,000 to 10,000", mnist(folder, True, 30), 3, 0.945, needs_data=True),
        Task("MNIST, 10,000 to 5,000", mnist(folder, False, 20), 3, 0.958, needs_data=True),
        Task(
            "California, plain (rmse)",
            california(folder, True),
            3,
            0.533,
            False,
            True,
            partial(california_by_scikit_learn, folder),
        ),
        Task("California, with all (rmse)", california(folder, False), 3, 0.505, False, True),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=os.environ.get("NN_DATA"), help="folder of data sets")
    parser.add_argument(
        "--first-seed", type=int, default=0, help="settings were chosen from 100 on"
    )
    parser.add_argument("--task", action="append", help="only those whose name holds this")
    arguments = parser.parse_args()
    folder = None if arguments.data is None else Path(arguments.data)
    for task in tasks(folder):
        wanted = not arguments.task or any(part in task.name for part in arguments.task)
        if not wanted or (task.needs_data and folder is None):
            continue
        target = task.target
        if task.peer is not None:
            peers = [task.peer(arguments.first_seed + i) for i in range(task.seeds)]
            target = float(np.median(peers))
        start = time.perf_counter()
        scores = [task.run(arguments.first_seed + i) for i in range(task.seeds)]
        median = float(np.median(scores))
        reached = median >= target if task.larger_is_better else median <= target
        seconds = (time.perf_counter() - start) / task.seeds
        print(
            f"{task.name:30} median {median:.4f}  target {target:.4f}  "
            f"{'reached' if reached else 'MISSED'}  "
            f"({min(scores):.4f} to {max(scores):.4f}, {seconds:.1f} s each)",
            flush=True,
        )


if __name__ == "__main__":
    main()
