"""Wide and deep: one network that remembers exceptions and learns rules, with two answers.

A rule says how much people spend from what is known of them, and how likely they are to come back;
but some pairs of a town and a shop break it, each in its own way. A wide part, one weight for each
pair, can remember exceptions; a deep part learns the rule; together they do both (H. Cheng et al.,
"Wide & deep learning for recommender systems", 2016). Inputs and outputs have names, and each
output has a loss of its own.

Run it with ``python examples/wide_and_deep.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import nn

TOWNS, SHOPS, FACTS = 12, 10, 4
LOSSES = {"amount": "mse", "again": "binary_cross_entropy"}


class WideAndDeep(nn.Module):
    """From the pair's number and facts about a person to the amount, and to a logit."""

    def __init__(self, use_wide: bool, use_deep: bool, rng: np.random.Generator) -> None:
        self.use_wide, self.use_deep = float(use_wide), float(use_deep)
        self.wide = nn.Embedding(TOWNS * SHOPS, 2, initializer=nn.initializers.zeros)
        self.deep = nn.MLP(FACTS, [32, 16, 2], rng=rng)

    def forward(self, wide, deep):
        both = self.use_wide * self.wide(wide) + self.use_deep * self.deep(deep)
        return {"amount": both[:, 0], "again": both[:, 1]}


def simulate(count: int, rng: np.random.Generator) -> tuple[dict, dict]:
    """Inputs and targets: a rule of the facts, and an exception for some pairs."""
    pairs, facts = rng.integers(0, TOWNS * SHOPS, count), rng.normal(size=(count, FACTS))
    exceptions = np.where(np.arange(TOWNS * SHOPS) % 5 == 0, 3.0, 0.0) * (-1) ** np.arange(120)
    rule = np.sin(2 * facts[:, 0]) + facts[:, 1] * facts[:, 2]
    amount = rule + exceptions[pairs] + 0.1 * rng.normal(size=count)
    again = rng.uniform(size=count) < nn.sigmoid(2 * rule - exceptions[pairs])
    return {"wide": pairs, "deep": facts}, {"amount": amount, "again": again.astype(int)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=8000, help="rows to learn from")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--output", type=Path, default=Path("wide_and_deep.png"), help="picture")
    arguments = parser.parse_args()

    rng = np.random.default_rng(0)
    x, y = simulate(arguments.visits, rng)
    unseen = simulate(2000, rng)
    one, other = Figure(figsize=(9, 4), layout="constrained").subplots(1, 2)
    for name, parts in {"wide": (1, 0), "deep": (0, 1), "wide and deep": (1, 1)}.items():
        model = WideAndDeep(*parts, np.random.default_rng(1))
        part = model.wide if name == "deep" else model.deep if name == "wide" else None
        if part is not None:
            part.freeze()  # what is not used is not trained
        history = nn.fit(
            model, x, y, loss=LOSSES, loss_weights={"amount": 1.0, "again": 0.5},
            metrics={"amount": "r2", "again": "accuracy"}, optimizer=nn.Adam(model, 0.01),
            schedule="cosine", epochs=arguments.epochs, batch_size=128, validation_data=unseen,
            rng=0, progress=False,
        )  # fmt: skip
        explained, right = (history[f"validation_{c}"][-1] for c in ("amount_r2", "again_accuracy"))
        print(f"{name}: explains {explained:.1%} of the amounts, right on {right:.1%} of returns")
        one.plot(history["validation_amount_loss"], label=name)
        other.plot(history["validation_again_loss"], label=name)
    one.set(xlabel="epoch", ylabel="squared error", title="how much they spend")
    other.set(xlabel="epoch", ylabel="cross-entropy", title="whether they come again")
    one.legend()
    one.figure.savefig(arguments.output)
    print("wrote", arguments.output)


if __name__ == "__main__":
    main()
