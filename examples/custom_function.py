"""A function of one's own: Kepler's equation, with a derivative by hand, checked.

The position of a planet needs E from M = E - e·sin E, which has no formula: Newton's iteration
finds it. Differentiating the iteration would work, but the equation itself says the derivative, by
the implicit function theorem: dE/dM = 1 / (1 - e·cos E), dE/de = sin E / (1 - e·cos E). What is
written by hand gets checked, and the checker shows what it says of two frequent mistakes.

Run it with ``python examples/custom_function.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import autograd_lite as ag


@ag.primitive(broadcasts=True, formula="E: E − e·sin(E) = M")
def eccentric_anomaly(mean_anomaly: Any, eccentricity: Any) -> Any:
    """The angle E with E - e·sin E = M, by Newton's method."""
    anomaly = mean_anomaly + eccentricity * np.sin(mean_anomaly)
    for _ in range(50):
        excess = anomaly - eccentricity * np.sin(anomaly) - mean_anomaly
        anomaly = anomaly - excess / (1 - eccentricity * np.cos(anomaly))
        if np.max(np.abs(excess)) < 1e-14:
            break
    return anomaly


def by_mean_anomaly(g: Any, anomaly: Any, mean_anomaly: Any, eccentricity: Any) -> Any:
    return g / (1 - eccentricity * np.cos(anomaly))


def by_eccentricity(g: Any, anomaly: Any, mean_anomaly: Any, eccentricity: Any) -> Any:
    return g * np.sin(anomaly) / (1 - eccentricity * np.cos(anomaly))


eccentric_anomaly.defvjp(by_mean_anomaly, by_eccentricity)


def position(time: Any, eccentricity: Any) -> Any:
    """Where a planet is on an ellipse of half axis 1, after a time in units of year/2π."""
    anomaly = eccentric_anomaly(time, eccentricity)
    return np.stack(
        [np.cos(anomaly) - eccentricity, np.sqrt(1 - eccentricity**2) * np.sin(anomaly)]
    )


def check() -> None:
    point = (np.array([0.5, 2.0, 4.0]), 0.6)
    print(ag.gradcheck(eccentric_anomaly, *point, order=2))
    mistakes = {
        "the inner derivative forgotten": (lambda g, out, m, e: g, by_eccentricity),
        "a wrong sign": (by_mean_anomaly, lambda *inputs: -by_eccentricity(*inputs)),
    }
    for name, rules in mistakes.items():
        eccentric_anomaly.defvjp(*rules)
        print(f"\nwith {name}:")
        print(ag.gradcheck(eccentric_anomaly, *point, raise_error=False))
    eccentric_anomaly.defvjp(by_mean_anomaly, by_eccentricity)


def draw(path: Path, eccentricity: float) -> None:
    """The orbit, with the velocity at equal intervals of time: the derivative of the position."""
    axes = (figure := Figure(figsize=(6, 5), layout="constrained")).subplots()
    axes.plot(*position(np.linspace(0, 2 * np.pi, 400), eccentricity), color="lightgrey")
    velocity = ag.jacobian(lambda time: position(time, eccentricity))
    for time in np.linspace(0, 2 * np.pi, 16, endpoint=False):
        axes.quiver(
            *position(time, eccentricity), *velocity(time),
            angles="xy", scale_units="xy", scale=4, color="C0", width=0.005,
        )  # fmt: skip
    axes.plot(0, 0, "o", color="C1", markersize=12)
    axes.set(title="velocities, sixteen times a year", aspect="equal")
    figure.savefig(path)
    print("\nwrote", path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--eccentricity", type=float, default=0.6, help="of the orbit, below 1")
    parser.add_argument("--output", type=Path, default=Path("custom_function.png"), help="picture")
    arguments = parser.parse_args()
    check()
    draw(arguments.output, arguments.eccentricity)


if __name__ == "__main__":
    main()
