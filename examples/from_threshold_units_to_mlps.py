"""Fifty years in seven steps: from units that compute logic to networks that learn it.

Run it with ``python examples/from_threshold_units_to_mlps.py``; each step prints what it shows, and
the picture shows the two ends: Rosenblatt's rule on four gates, and the regions of an MLP for XOR.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import nn

PAIRS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
GATES = {"AND": [0, 0, 0, 1], "OR": [0, 1, 1, 1], "NAND": [1, 1, 1, 0], "XOR": [0, 1, 1, 0]}


def logic_without_learning() -> None:
    """McCulloch and Pitts, 1943: thresholds and inhibition compute logic."""
    print("1. Units of McCulloch and Pitts, on the pairs 00, 01, 10, 11")
    units = {
        "AND": nn.McCullochPitts(2, threshold=2),
        "OR": nn.McCullochPitts(2, threshold=1),
        "AND NOT": nn.McCullochPitts(2, threshold=1, n_inhibitory=1),
        "NOR": nn.McCullochPitts(2, threshold=0, n_inhibitory=2),
    }
    for name, unit in units.items():
        print(f"   {name:8}{unit(PAIRS)}")


def hebb() -> None:
    """Hebb, 1949: units that fire together get connected."""
    patterns = np.array([[1.0, 1.0, -1.0, -1.0], [1.0, -1.0, 1.0, -1.0]])
    answers = np.array([[1.0, -1.0], [-1.0, -1.0]])
    weight = nn.hebb_update(np.zeros((4, 2)), patterns, answers)
    recalled = np.array_equal(np.sign(patterns @ weight), answers)
    print(f"2. Hebb's rule recalls two orthogonal patterns: {recalled}")


def rosenblatt() -> dict[str, list[int]]:
    """Rosenblatt, 1958: a rule that finds the weights, if there are any."""
    print("3. Rosenblatt's rule: mistakes in each epoch")
    courses = {}
    for name, target in GATES.items():
        courses[name] = nn.Perceptron(2).fit(PAIRS, target, epochs=12)
        endless = "" if courses[name][-1] == 0 else "  and so on for ever"
        print(f"   {name:8}{courses[name]}{endless}")
    return courses


def several_outputs() -> None:
    """One layer answers several questions at once; each unit learns its own."""
    layer = nn.Perceptron(2, 3)
    mistakes = layer.fit(PAIRS, np.transpose([GATES[name] for name in ("AND", "OR", "NAND")]))
    print(f"4. Three outputs learned at once, in {len(mistakes)} epochs")
    print("   AND, OR, NAND of 01:", layer.predict(PAIRS[1]).astype(int))


def collapse() -> None:
    """Layers without an activation between them are one layer."""
    deep = nn.Sequential(nn.Linear(3, 8, rng=0), nn.Linear(8, 2, rng=1))
    flat = nn.Linear(3, 2)
    flat.load_state_dict({"weight": deep[0].weight.data @ deep[1].weight.data, "bias": np.zeros(2)})
    x = np.random.default_rng(0).normal(size=(5, 3))
    gap = np.abs(nn.predict(deep, x) - nn.predict(flat, x)).max()
    print(f"5. Two linear layers differ from their product by {gap:.0e}")


def symmetry() -> None:
    """Units that start equal stay equal: zeros are no way to begin."""
    for name in ("zeros", "glorot_uniform"):
        draw = getattr(nn.initializers, name)
        model = nn.MLP(2, [4, 2], activation="tanh", initializer=draw, rng=1)
        train_on_xor(model)
        different = len(np.unique(model[0].weight.data.round(9), axis=1).T)
        right = nn.metrics.accuracy(nn.predict(model, PAIRS), GATES["XOR"])
        print(f"6. From {name:15} {different} different hidden units, {right:.0%} of XOR right")


def train_on_xor(model: nn.Module) -> nn.History:
    return nn.fit(
        model, PAIRS, GATES["XOR"], loss="cross_entropy", optimizer=nn.Adam(model, 0.1),
        epochs=100, batch_size=4, rng=0, progress=False,
    )  # fmt: skip


def xor() -> nn.MLP:
    """Rumelhart, Hinton and Williams, 1986: hidden units, and gradients through them."""
    model = nn.MLP(2, [4, 2], activation="tanh", rng=1)
    history = train_on_xor(model)
    answers = nn.predicted_labels(nn.predict(model, PAIRS))
    print(f"7. An MLP learns XOR: {answers}, loss {history.loss[0]:.2f} to {history.loss[-1]:.3f}")
    return model


def draw(path: Path, courses: dict[str, list[int]], model: nn.MLP) -> None:
    figure = Figure(figsize=(8, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, mistakes in courses.items():
        left.plot(range(1, len(mistakes) + 1), mistakes, "o-", label=name)
    left.set(xlabel="epoch", ylabel="mistakes", title="Rosenblatt's rule")
    left.legend()
    nn.plots.decision_regions(model, PAIRS, GATES["XOR"], ax=right)
    right.set_title("an MLP on XOR")
    figure.savefig(path)
    print("wrote", path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--output", type=Path, default=Path("from_threshold_units_to_mlps.png"), help="picture"
    )
    arguments = parser.parse_args()
    logic_without_learning()
    hebb()
    courses = rosenblatt()
    several_outputs()
    collapse()
    symmetry()
    draw(arguments.output, courses, xor())


if __name__ == "__main__":
    main()
