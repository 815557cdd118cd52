"""Curve fitting: least squares with an exact Jacobian, and how sure its answers are.

Noisy measurements of a damped oscillation are fitted by SciPy's Levenberg-Marquardt. The Jacobian
of the residuals serves twice: it leads the fit to the minimum, and its inverse square there is the
covariance of the parameters.

Run it with ``python examples/curve_fitting.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import least_squares

import autograd_lite as ag

NAMES = ("amplitude", "damping", "frequency", "phase", "offset")
TRUE = np.array([2.0, 0.4, 3.0, 0.6, 0.5])
NOISE = 0.15


def oscillation(parameters: Any, t: np.ndarray) -> Any:
    amplitude, damping, frequency, phase, offset = parameters
    return amplitude * np.exp(-damping * t) * np.cos(frequency * t + phase) + offset


def fit(t: np.ndarray, measured: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The parameters, and their standard deviations."""

    def residuals(parameters: Any) -> Any:
        return (oscillation(parameters, t) - measured) / NOISE

    start = np.array([1.0, 0.1, 2.8, 0.0, 0.0])
    result = least_squares(residuals, start, jac=ag.jacobian(residuals), method="lm")
    print(f"{result.nfev} evaluations, {result.njev} Jacobians of shape {result.jac.shape}")
    covariance = np.linalg.inv(result.jac.T @ result.jac)
    return result.x, np.sqrt(np.diag(covariance))


def draw(path: Path, t: np.ndarray, measured: np.ndarray, fitted: np.ndarray) -> None:
    axes = (figure := Figure(figsize=(7, 4), layout="constrained")).subplots()
    fine = np.linspace(0, t[-1], 400)
    axes.errorbar(t, measured, NOISE, fmt="o", markersize=3, color="grey", label="measured")
    axes.plot(fine, oscillation(TRUE, fine), "--", label="truth")
    axes.plot(fine, oscillation(fitted, fine), label="fitted")
    axes.set(xlabel="time [s]", ylabel="deflection")
    axes.legend()
    figure.savefig(path)
    print("wrote", path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=60, help="number of measurements")
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    parser.add_argument("--output", type=Path, default=Path("curve_fitting.png"), help="picture")
    arguments = parser.parse_args()

    rng = np.random.default_rng(arguments.seed)
    t = np.linspace(0, 6, arguments.points)
    measured = oscillation(TRUE, t) + NOISE * rng.normal(size=t.shape)
    fitted, deviations = fit(t, measured)
    for name, true, value, deviation in zip(NAMES, TRUE, fitted, deviations, strict=True):
        print(f"{name:10} {value:7.3f} ± {deviation:.3f}   truth {true:.3f}")
    draw(arguments.output, t, measured, fitted)


if __name__ == "__main__":
    main()
