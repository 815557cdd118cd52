"""A pendulum: physical constants from measurements, by differentiating through an integrator.

A pendulum that swings far does not obey the formula of small swings. Its equation of motion has no
solution in elementary functions, so it is integrated step by step (Runge-Kutta, fourth order); the
gradient of the misfit goes back through all the steps. Length, friction and first angle are found
from noisy angles, and the formula of small swings is seen to be off.

Run it with ``python examples/pendulum.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import minimize

import autograd_lite as ag

GRAVITY = 9.81  # m/s²
STEP = 0.05  # s
NAMES = ("length [m]", "friction [1/s]", "first angle [rad]")
TRUE = np.array([1.2, 0.15, 2.0])
NOISE = 0.05  # rad


def motion(state: Any, length: Any, friction: Any) -> Any:
    """The time derivatives of angle and angular velocity."""
    angle, velocity = state
    return ag.array([velocity, -GRAVITY / length * np.sin(angle) - friction * velocity])


def swing(parameters: Any, n_steps: int) -> Any:
    """The angle after each step, from rest."""
    length, friction, first_angle = parameters
    state = ag.array([first_angle, 0.0])
    angles = [state[0]]
    for _ in range(n_steps):
        k1 = motion(state, length, friction)
        k2 = motion(state + STEP / 2 * k1, length, friction)
        k3 = motion(state + STEP / 2 * k2, length, friction)
        k4 = motion(state + STEP * k3, length, friction)
        state = state + STEP / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        angles.append(state[0])
    return ag.array(angles)


def fit(measured: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The parameters of least mean squared misfit, in units of the noise."""

    def misfit(parameters: Any) -> Any:
        return np.mean(((swing(parameters, len(measured) - 1) - measured) / NOISE) ** 2)

    print(ag.gradcheck(misfit, start))
    result = minimize(
        ag.value_and_grad(misfit), start, jac=True, method="L-BFGS-B",
        bounds=[(0.1, 10), (0, 5), (-np.pi, np.pi)],
    )  # fmt: skip
    print(
        f"{result.nfev} evaluations, misfit {misfit(start):.1f} before and {result.fun:.2f} after"
    )
    return result.x


def length_by_small_swings(measured: np.ndarray) -> float:
    """What the period would say if it were 2π·√(length/g)."""
    falling = np.flatnonzero((measured[:-1] > 0) & (measured[1:] <= 0))
    period = STEP * (falling[-1] - falling[0]) / (len(falling) - 1)
    return float(GRAVITY * (period / (2 * np.pi)) ** 2)


def draw(path: Path, measured: np.ndarray, fitted: np.ndarray, naive: float) -> None:
    axes = (figure := Figure(figsize=(8, 4), layout="constrained")).subplots()
    time = STEP * np.arange(len(measured))
    axes.plot(time, measured, ".", color="grey", label="measured")
    axes.plot(time, swing(fitted, len(time) - 1), label=f"fitted: {fitted[0]:.2f} m")
    small = fitted[2] * np.exp(-fitted[1] / 2 * time) * np.cos(np.sqrt(GRAVITY / naive) * time)
    axes.plot(time, small, "--", label=f"small swings: {naive:.2f} m")
    axes.set(xlabel="time [s]", ylabel="angle [rad]")
    axes.legend()
    figure.savefig(path)
    print("wrote", path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=120, help="measurements, 20 a second")
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    parser.add_argument("--output", type=Path, default=Path("pendulum.png"), help="picture")
    arguments = parser.parse_args()

    noise = np.random.default_rng(arguments.seed).normal(size=arguments.steps + 1)
    measured = swing(TRUE, arguments.steps) + NOISE * noise
    naive = length_by_small_swings(measured)
    fitted = fit(measured, np.array([naive, 0.1, measured[0]]))
    for name, true, value in zip(NAMES, TRUE, fitted, strict=True):
        print(f"{name:18} {value:6.3f}   truth {true:.3f}")
    print(f"small swings would give a length of {naive:.3f} m")
    draw(arguments.output, measured, fitted, naive)


if __name__ == "__main__":
    main()
