"""Draw the pictures of implicit.md and integrals.md: ``python docs/solution_pictures.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

import autograd_lite as ag
from autograd_lite.scipy import integrate, optimize

IMAGES = Path(__file__).parent / "images"


def hypergradient(axes: Any) -> None:
    """The loss on data held back, and its gradients by the strength of the regulariser."""
    rng = np.random.default_rng(0)
    x, x_held = rng.normal(size=(30, 20)), rng.normal(size=(200, 20))
    true = np.where(np.arange(20) < 4, 1.0, 0.0)
    y, y_held = x @ true + 2 * rng.normal(size=30), x_held @ true

    def penalised(w: Any, log_strength: Any) -> Any:
        return np.sum((x @ w - y) ** 2) + np.exp(log_strength) * np.sum(w**2)

    slope = ag.grad(penalised)

    def loss(log_strength: Any) -> Any:
        fit = optimize.minimize(penalised, np.zeros(20), args=(log_strength,), jac=slope, tol=1e-9)
        return np.mean((x_held @ fit.x - y_held) ** 2)

    strengths = np.linspace(-3, 8, 45)
    axes.plot(strengths, [loss(s) for s in strengths])
    for s in (-1.0, 1.0, 6.0):
        draw_tangent(axes, s, loss(s), ag.grad(loss)(s), 1.2)
    best = optimize.brentq(ag.grad(loss), -3.0, 8.0, xtol=1e-3)
    axes.plot(best, loss(best), "o", label="hypergradient 0")
    axes.set(xlabel="logarithm of the strength", ylabel="loss on data held back")


def equilibrium(axes: Any) -> None:
    """Prices at which markets clear by the tax on the first good, with their derivatives."""
    substitution = np.array([[0.0, 0.3, 0.1], [0.2, 0.0, 0.2], [0.1, 0.4, 0.0]])

    def excess_demand(price: Any, tax: Any) -> Any:
        return 10 * np.exp(substitution @ price - price * (1 + tax)) - 2 * price

    def clearing(tax: Any) -> Any:
        taxes = np.array([1.0, 0.0, 0.0]) * tax
        return optimize.root(excess_demand, np.ones(3), args=(taxes,), tol=1e-12).x

    taxes = np.linspace(0, 1, 21)
    axes.plot(taxes, [clearing(t) for t in taxes], label=["taxed good", "second", "third"])
    for price, slope in zip(clearing(0.4), ag.derivative(clearing)(0.4), strict=True):
        draw_tangent(axes, 0.4, price, slope, 0.25)
    axes.set(xlabel="tax on the first good", ylabel="price")


def calibrated(axes: Any) -> None:
    """Rabbits and foxes that were counted, and the solution with the rates that fit."""

    def rabbits_and_foxes(t: Any, y: Any, rates: Any) -> Any:
        a, b, c, d = rates
        return [a * y[0] - b * y[0] * y[1], c * y[0] * y[1] - d * y[1]]

    def animals(rates: Any, times: Any) -> Any:
        return integrate.solve_ivp(
            rabbits_and_foxes, (0.0, 12.0), [2.0, 1.0], "DOP853", times,
            args=(rates,), rtol=1e-7, atol=1e-7,
        ).y  # fmt: skip

    times, fine = np.linspace(0.5, 12, 24), np.linspace(0, 12, 200)
    noise = 0.15 * np.random.default_rng(0).normal(size=(2, 24))
    seen = animals(np.array([1.0, 0.5, 0.4, 0.8]), times) + noise
    start = np.array([1.1, 0.45, 0.45, 0.75])
    misfit = ag.value_and_grad(lambda rates: np.sum((animals(rates, times) - seen) ** 2))
    found = minimize(misfit, start, jac=True).x
    for k, name in enumerate(("rabbits", "foxes")):
        axes.plot(fine, animals(start, fine)[k], ":", color=f"C{k}", lw=1)
        axes.plot(fine, animals(found, fine)[k], color=f"C{k}", label=name)
        axes.plot(times, seen[k], "o", color=f"C{k}", ms=3)
    axes.set(xlabel="time", ylabel="animals", title="dotted: with the first rates")


def draw_tangent(axes: Any, x: float, y: float, slope: float, width: float) -> None:
    ends = np.array([-width, width])
    axes.plot(x + ends, y + slope * ends, color="C3", lw=1)
    axes.plot(x, y, ".", color="C3")


def main() -> None:
    for draw in (hypergradient, equilibrium, calibrated):
        figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
        draw(axes)
        axes.legend()
        figure.savefig(IMAGES / f"{draw.__name__}.png", dpi=110)
        plt.close(figure)


if __name__ == "__main__":
    main()
