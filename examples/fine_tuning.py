"""Fine-tuning: a network that reads digits learns another question about them from twenty examples.

It has learned to tell ten digits apart. Then its head is exchanged, and it is shown two examples of
each digit to learn which of them enclose a hole: 0, 6, 8 and 9. With the body frozen, and from
there with all layers, the body in small steps, it does better than a network from scratch.
Frozen layers keep their weights, their running averages and their dropout as they are.

Run it with ``python examples/fine_tuning.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import nn


def network(n_classes: int, rng: int) -> nn.Sequential:
    """A body of two layers, and a head."""
    draws = np.random.default_rng(rng)
    body = nn.Sequential(
        nn.Linear(64, 64, rng=draws), nn.BatchNorm1d(64), "relu", nn.Dropout(0.2, rng=draws),
        nn.Linear(64, 32, rng=draws), "relu",
    )  # fmt: skip
    return nn.Sequential(body, nn.Linear(32, n_classes, rng=draws))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=40, help="of each training")
    parser.add_argument("--shown", type=int, default=2, help="examples of each digit")
    parser.add_argument("--output", type=Path, default=Path("fine_tuning.png"), help="picture")
    arguments = parser.parse_args()

    digits = load_digits()
    pixels, holes = digits.data / 16, np.isin(digits.target, [0, 6, 8, 9]).astype(int)
    rows = [1000 + np.flatnonzero(digits.target[1000:] == kind) for kind in range(10)]
    shown = np.concatenate([row[: arguments.shown] for row in rows])
    unseen = np.concatenate([row[arguments.shown :] for row in rows])
    axes = Figure(figsize=(6.5, 4), layout="constrained").subplots()

    def train(name: str, model: nn.Module, optimizer: nn.Optimizer) -> None:
        history = nn.fit(
            model, pixels[shown], holes[shown], loss="cross_entropy",
            optimizer=optimizer, epochs=arguments.epochs, batch_size=10, rng=0, progress=False,
            validation_data=(pixels[unseen], holes[unseen]), metrics="accuracy",
        )  # fmt: skip
        right = history["validation_accuracy"]
        print(f"{name}: right on {right[-1]:.1%} of {len(unseen)} unseen digits")
        axes.plot(range(1, len(right) + 1), right, label=name)

    model = network(10, rng=0)
    nn.fit(model, pixels[:1000], digits.target[:1000], loss="cross_entropy", optimizer="adam",
           epochs=arguments.epochs, rng=0, progress=False)  # fmt: skip

    scratch = network(2, rng=1)
    train("from scratch", scratch, nn.Adam(scratch, 0.003))
    model[1] = nn.Linear(32, 2, rng=2)
    body = model[0].freeze()
    train("new head on a frozen body", model, nn.Adam(model, 0.01))
    body.unfreeze()
    groups = [{"parameters": body, "learning_rate": 3e-4}, {"parameters": model[1]}]
    train("then all of it, in small steps", model, nn.Adam(groups, 1e-3))

    axes.set(xlabel="epoch", ylabel="right", title="does it enclose a hole?")
    axes.legend()
    axes.figure.savefig(arguments.output)
    print("wrote", arguments.output)


if __name__ == "__main__":
    main()
