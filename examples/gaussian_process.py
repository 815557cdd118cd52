"""A Gaussian process: hyperparameters by the gradient of a Cholesky decomposition.

The likelihood of the data is written as in the textbook (C. Rasmussen, C. Williams, "Gaussian
Processes for Machine Learning", 2006, algorithm 2.1), in four lines of NumPy. Its gradient flows
through the Cholesky decomposition; the textbook's formula for it (5.9) is there to compare.

Run it with ``python examples/gaussian_process.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import minimize

import autograd_lite as ag

NAMES = ("amplitude", "length", "noise")


def kernel(a: np.ndarray, b: np.ndarray, amplitude: Any, length: Any) -> Any:
    """Squared exponential: near points have similar values."""
    return amplitude**2 * np.exp(-0.5 * ((a[:, np.newaxis] - b) / length) ** 2)


def covariance(x: np.ndarray, amplitude: Any, length: Any, noise: Any) -> Any:
    return kernel(x, x, amplitude, length) + noise**2 * np.eye(len(x))


def surprise(logarithms: Any, x: np.ndarray, y: np.ndarray) -> Any:
    """Minus the logarithm of the likelihood of ``y``."""
    factor = np.linalg.cholesky(covariance(x, *np.exp(logarithms)))
    white = np.linalg.solve(factor, y)
    log_determinant = 2 * np.sum(np.log(np.diagonal(factor)))
    return 0.5 * (np.sum(white**2) + log_determinant + len(x) * np.log(2 * np.pi))


def gradient_by_hand(logarithms: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """½ tr((K⁻¹ - ααᵀ) ∂K/∂θ) with α = K⁻¹y, for the logarithms of the hyperparameters."""
    amplitude, length, noise = np.exp(logarithms)
    smooth = kernel(x, x, amplitude, length)
    inverse = np.linalg.inv(smooth + noise**2 * np.eye(len(x)))
    alpha = inverse @ y
    slopes = (
        2 * smooth,
        smooth * ((x[:, np.newaxis] - x) / length) ** 2,
        2 * noise**2 * np.eye(len(x)),
    )
    return np.array([0.5 * np.sum((inverse - np.outer(alpha, alpha)) * slope) for slope in slopes])


def predict(
    new: np.ndarray, x: np.ndarray, y: np.ndarray, hyperparameters: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation at new points."""
    amplitude, length, _ = hyperparameters
    factor = np.linalg.cholesky(covariance(x, *hyperparameters))
    between = np.linalg.solve(factor, kernel(x, new, amplitude, length))
    mean = between.T @ np.linalg.solve(factor, y)
    variance = amplitude**2 - np.sum(between**2, axis=0)
    return mean, np.sqrt(np.maximum(variance, 0))


def draw(path: Path, x: np.ndarray, y: np.ndarray, guesses: dict[str, np.ndarray]) -> None:
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    new = np.linspace(-1, 11, 400)
    for axes, (name, guess) in zip(
        figure.subplots(1, 2, sharey=True), guesses.items(), strict=True
    ):
        mean, deviation = predict(new, x, y, guess)
        axes.fill_between(new, mean - 2 * deviation, mean + 2 * deviation, alpha=0.25)
        axes.plot(new, mean)
        axes.plot(x, y, "k.")
        axes.set_title(f"{name}: surprise {surprise(np.log(guess), x, y):.1f}", fontsize=10)
    figure.savefig(path)
    print("wrote", path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=30, help="number of measurements")
    parser.add_argument("--seed", type=int, default=0, help="of places and noise")
    parser.add_argument("--output", type=Path, default=Path("gaussian_process.png"))
    arguments = parser.parse_args()

    rng = np.random.default_rng(arguments.seed)
    x = np.sort(rng.uniform(0, 10, arguments.points))
    y = np.sin(x) + 0.4 * np.sin(3 * x) + 0.15 * rng.normal(size=x.shape)
    first = np.array([1.0, 0.1, 0.5])
    exact = ag.grad(surprise)(np.log(first), x, y)
    difference = np.abs(exact - gradient_by_hand(np.log(first), x, y)).max()
    print(f"gradient {exact.round(4)}, by the textbook's formula the same up to {difference:.0e}")

    result = minimize(ag.value_and_grad(surprise), np.log(first), (x, y), jac=True)
    found = np.exp(result.x)
    for name, value in zip(NAMES, found, strict=True):
        print(f"{name:10} {value:.3f}")
    print(f"surprise {surprise(np.log(first), x, y):.2f} before, {result.fun:.2f} after")
    draw(arguments.output, x, y, {"first guess": first, "most likely": found})


if __name__ == "__main__":
    main()
