"""California housing: regression on a table, and what early stopping and a schedule add.

One row for each of 20,640 blocks of the census of 1990; to be told is the median value of its
houses. The file is the first argument: housing.csv, packed or not, with the columns longitude,
latitude, housing_median_age, total_rooms, total_bedrooms, population, households, median_income
and median_house_value. (R. Pace, R. Barry, "Sparse spatial autoregressions", 1997.)

Run it with ``python examples/california_housing.py housing.csv``.
"""

from __future__ import annotations

import argparse
import csv
import gzip
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.model_selection import train_test_split

import nn


def read_housing(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Eight features of each block, and the median value in 100,000 dollars; no missing numbers."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["total_bedrooms"]]
    column = {
        name: np.array([float(row[name]) for row in rows])
        for name in rows[0]
        if name != "ocean_proximity"
    }
    households = column["households"]
    features = [
        column["median_income"],
        column["housing_median_age"],
        column["total_rooms"] / households,
        column["total_bedrooms"] / households,
        column["population"],
        column["population"] / households,
        column["latitude"],
        column["longitude"],
    ]
    return np.stack(features, axis=1), column["median_house_value"][:, np.newaxis] / 100_000


def plain(x: np.ndarray, y: np.ndarray, epochs: int, seed: int) -> nn.Module:
    """Adam with one learning rate, for a fixed number of epochs."""
    model = nn.MLP(8, [50, 50, 50, 1], rng=seed, dtype=np.float32)
    nn.fit(
        model, x, y, loss=nn.mse, optimizer=nn.Adam(model, 0.001),
        epochs=epochs, batch_size=200, rng=seed,
    )  # fmt: skip
    return model


def with_all(x: np.ndarray, y: np.ndarray, epochs: int, seed: int) -> nn.Module:
    """A rate that rises and falls, weight decay, and a return to the best epoch."""
    model = nn.MLP(8, [50, 50, 50, 1], rng=seed, dtype=np.float32)
    nn.fit(
        model, x, y, loss=nn.mse, optimizer=nn.AdamW(model, 0.01, weight_decay=0.05),
        epochs=epochs, batch_size=128, schedule=nn.schedules.OneCycle(epochs),
        validation_split=0.1, callbacks=[nn.EarlyStopping(patience=epochs // 2)], rng=seed,
    )  # fmt: skip
    return model


def draw(path: Path, places: np.ndarray, told: np.ndarray, true: np.ndarray) -> None:
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(true, told, ".", markersize=1.5, alpha=0.4)
    left.plot([0, 5], [0, 5], color="black", linewidth=1)
    left.set(xlabel="true value [100,000 $]", ylabel="told by the network")
    points = right.scatter(*places.T, c=told[:, 0], s=2, cmap="viridis")
    right.set(xlabel="longitude", ylabel="latitude", aspect="equal")
    figure.colorbar(points, label="told by the network [100,000 $]")
    figure.savefig(path)
    print("wrote", path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="housing.csv or housing.csv.gz")
    parser.add_argument("--epochs", type=int, default=60, help="epochs of each training")
    parser.add_argument("--output", type=Path, default=Path("california_housing.png"))
    arguments = parser.parse_args()

    x, y = read_housing(arguments.file)
    blocks, new_blocks, y, y_new = train_test_split(x, y, random_state=0)
    mean, deviation = blocks.mean(axis=0), blocks.std(axis=0)
    x, x_new = (((part - mean) / deviation).astype(np.float32) for part in (blocks, new_blocks))
    print(f"the mean alone: error {nn.metrics.rmse(np.full_like(y_new, y.mean()), y_new):.3f}")
    for train in (plain, with_all):
        model = train(x, y, arguments.epochs, 0)
        told = nn.predict(model, x_new)
        print(
            f"{train.__name__}: error {nn.metrics.rmse(told, y_new):.3f} on {len(y_new):,} blocks"
        )
    draw(arguments.output, new_blocks[:, [7, 6]], told, y_new)


if __name__ == "__main__":
    main()
