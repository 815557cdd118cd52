"""Iris: ten-fold cross-validation, the honest score of a small data set.

Fisher's 150 flowers are too few to set some aside for good. So ten networks are trained, each on
nine tenths, and each flower is judged by the one network that has not seen it. With the estimator
of ``nn.estimators``, scikit-learn does the bookkeeping.

Run it with ``python examples/iris.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_iris
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import nn
from nn.estimators import MLPClassifier


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=10, help="parts to cut the data into")
    parser.add_argument("--hidden", type=int, default=16, help="hidden units of each network")
    parser.add_argument("--output", type=Path, default=Path("iris.png"), help="picture")
    arguments = parser.parse_args()

    iris = load_iris()
    network = MLPClassifier(
        (arguments.hidden,), activation="tanh", solver="lbfgs", alpha=1.0, random_state=0
    )
    judged = cross_val_predict(
        make_pipeline(StandardScaler(), network), iris.data, iris.target,
        cv=StratifiedKFold(arguments.folds, shuffle=True, random_state=0),
    )  # fmt: skip
    print(f"right on {np.mean(judged == iris.target):.1%} of the flowers, each unseen")

    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    wrong = judged != iris.target
    for kind, name in enumerate(iris.target_names):
        chosen = iris.target == kind
        left.plot(*iris.data[chosen, 2:].T, "o", markersize=4, label=name)
    left.plot(*iris.data[wrong, 2:].T, "o", markersize=11, fillstyle="none", color="black")
    left.set(xlabel="length of the petal [cm]", ylabel="width [cm]", title="taken for another")
    left.legend()
    counts = np.zeros((3, 3), int)
    np.add.at(counts, (iris.target, judged), 1)
    nn.plots.confusion_matrix(counts, names=list(iris.target_names), ax=right)
    figure.savefig(arguments.output)
    print("wrote", arguments.output)


if __name__ == "__main__":
    main()
