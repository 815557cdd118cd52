"""Logistic regression in one line of NumPy, fitted by Newton's method.

The loss is written as a textbook has it; gradient and Hessian come from it. Newton's method then
needs a handful of steps, and finds what scikit-learn finds. Data: measurements of 569 tumours, of
which 212 are malignant (Wisconsin breast cancer data, with scikit-learn).

Run it with ``python examples/logistic_regression.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import autograd_lite as ag


def loss(w: Any, x: np.ndarray, sign: np.ndarray, penalty: float) -> Any:
    """-Σ log σ(sign · (x·w + b)) + ½ penalty |w|², the last entry of w being b."""
    margin = sign * (x @ w[:-1] + w[-1])
    return np.sum(np.logaddexp(0, -margin)) + 0.5 * penalty * np.sum(w[:-1] ** 2)


def newton(x: np.ndarray, sign: np.ndarray, penalty: float) -> np.ndarray:
    """Go to the minimum of the parabola that touches the loss, until the gradient is zero."""
    w = np.zeros(x.shape[1] + 1)
    for step in range(30):
        value, gradient = ag.value_and_grad(loss)(w, x, sign, penalty)
        largest = np.abs(gradient).max()
        print(f"step {step}  loss {value:9.4f}  largest entry of the gradient {largest:.1e}")
        if largest < 1e-8:
            break
        w = w - np.linalg.solve(ag.hessian(loss)(w, x, sign, penalty), gradient)
    return w


def draw(path: Path, names: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> None:
    axes = (figure := Figure(figsize=(7, 6), layout="constrained")).subplots()
    order = np.argsort(np.abs(ours))
    axes.barh(names[order], ours[order], color="lightsteelblue", label="Newton's method")
    axes.plot(theirs[order], names[order], "k.", label="scikit-learn")
    axes.set(xlabel="weight: to the right speaks for benign", title="Which measurement says what")
    axes.tick_params(labelsize=7)
    axes.legend()
    figure.savefig(path)
    print("wrote", path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--penalty", type=float, default=1.0, help="strength of ½|w|²")
    parser.add_argument(
        "--output", type=Path, default=Path("logistic_regression.png"), help="picture"
    )
    arguments = parser.parse_args()

    data = load_breast_cancer()
    x, x_test, y, y_test = train_test_split(data.data, data.target, random_state=0)
    scaler = StandardScaler().fit(x)
    x, x_test = scaler.transform(x), scaler.transform(x_test)
    w = newton(x, 2 * y - 1, arguments.penalty)
    right = np.mean((x_test @ w[:-1] + w[-1] > 0) == y_test)
    print(f"right on {len(y_test)} tumours that were held out: {right:.1%}")

    model = LogisticRegression(C=1 / arguments.penalty, solver="newton-cholesky", tol=1e-10)
    model.fit(x, y)
    difference = np.abs(model.coef_[0] - w[:-1]).max()
    print(f"largest difference from scikit-learn's weights: {difference:.0e}")
    draw(arguments.output, data.feature_names, w[:-1], model.coef_[0])


if __name__ == "__main__":
    main()
