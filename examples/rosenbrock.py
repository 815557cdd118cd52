"""Rosenbrock's valley: what exact derivatives are worth to an optimizer of SciPy.

A curved, narrow valley with its lowest point at (1, 1, ..., 1). The same optimizers run with
derivatives that SciPy measures, with exact gradients, and with exact Hessians: what counts is how
often they must evaluate the function.

Run it with ``python examples/rosenbrock.py``; H. H. Rosenbrock, The Computer Journal 3 (1960).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import OptimizeResult, minimize

import autograd_lite as ag


def rosenbrock(x: Any) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


METHODS: dict[str, dict[str, Any]] = {
    "L-BFGS, measured gradient": {"method": "L-BFGS-B"},
    "L-BFGS, exact gradient": {"method": "L-BFGS-B", "jac": ag.grad(rosenbrock)},
    "Newton-CG, Hessian times vector": {
        "method": "Newton-CG",
        "jac": ag.grad(rosenbrock),
        "hessp": lambda x, v: ag.hvp(rosenbrock, x, v),
    },
    "trust region, whole Hessian": {
        "method": "trust-exact",
        "jac": ag.grad(rosenbrock),
        "hess": ag.hessian(rosenbrock),
    },
}


def descend(start: np.ndarray, **options: Any) -> tuple[OptimizeResult, np.ndarray]:
    """The result, and the points on the way."""
    path = [start]
    result = minimize(rosenbrock, start, callback=lambda x: path.append(x.copy()), **options)
    return result, np.array(path)


def compare(dimensions: int) -> None:
    print(f"in {dimensions} dimensions, from the origin")
    print(f"{'':34}{'values':>8}{'gradients':>11}{'distance to the minimum':>26}")
    for name, options in METHODS.items():
        result, _ = descend(np.zeros(dimensions), **options)
        gradients = result.njev if "jac" in options else 0
        distance = np.abs(result.x - 1).max()
        print(f"{name:34}{result.nfev:8}{gradients:11}{distance:26.1e}")


def draw(path: Path) -> None:
    """The ways of two methods through the valley, in the plane."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    x, y = np.meshgrid(np.linspace(-1.6, 1.4, 200), np.linspace(-0.6, 1.6, 200))
    height = 100 * (y - x**2) ** 2 + (1 - x) ** 2
    chosen = ("L-BFGS, exact gradient", "trust region, whole Hessian")
    for axes, name in zip(figure.subplots(1, 2, sharey=True), chosen, strict=True):
        _, way = descend(np.array([-1.2, 1.0]), **METHODS[name])
        axes.contour(x, y, height, levels=np.logspace(-1, 3, 9), colors="lightgrey")
        axes.plot(*way.T, "o-", markersize=3)
        axes.plot(1, 1, "*", color="C1", markersize=12)
        axes.set_title(f"{name}: {len(way) - 1} steps", fontsize=10)
    figure.savefig(path)
    print("wrote", path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dimensions", type=int, default=20, help="of the space to search")
    parser.add_argument("--output", type=Path, default=Path("rosenbrock.png"), help="picture")
    arguments = parser.parse_args()
    compare(arguments.dimensions)
    draw(arguments.output)


if __name__ == "__main__":
    main()
