"""The classic data sets of the playground, each a function that a program can be given whole."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["DATA_SETS", "DataSet"]


@dataclass(frozen=True)
class DataSet:
    """How samples are drawn, what they are called, and whether their targets are classes."""

    function: Callable[[int, float, np.random.Generator], tuple[Any, Any]]
    is_decision: bool = True
    features: tuple[str, ...] = ("x1", "x2")

    @property
    def title(self) -> str:
        """The first line of its docstring."""
        return inspect.cleandoc(self.function.__doc__ or "").splitlines()[0].rstrip(".")

    @property
    def source(self) -> str:
        """The function, as it is written here."""
        return inspect.getsource(self.function)


def circles(
    n_samples: int, noise: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A disc in a ring."""
    y = np.arange(n_samples) % 2
    angle = rng.uniform(0, 2 * np.pi, n_samples)
    radius = np.where(y == 1, rng.uniform(0, 0.5, n_samples), rng.uniform(0.7, 1, n_samples))
    x = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return x + rng.normal(0, noise, x.shape), y


def moons(n_samples: int, noise: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two moons."""
    y = np.arange(n_samples) % 2
    angle = rng.uniform(0, np.pi, n_samples)
    sign = 1 - 2 * y
    x = np.column_stack([np.cos(angle) * sign + y - 0.5, np.sin(angle) * sign + 0.5 * y - 0.25])
    return x + rng.normal(0, noise, x.shape), y


def spirals(
    n_samples: int, noise: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Two spirals."""
    y = np.arange(n_samples) % 2
    radius = rng.uniform(0.05, 1, n_samples)
    angle = 1.75 * 2 * np.pi * radius + np.pi * y
    x = np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])
    return x + rng.normal(0, noise / 2, x.shape), y


def xor(n_samples: int, noise: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Exclusive or: four squares."""
    x = rng.uniform(0.05, 1, (n_samples, 2)) * rng.choice([-1, 1], (n_samples, 2))
    y = (x[:, 0] * x[:, 1] < 0).astype(int)
    return x + rng.normal(0, noise, x.shape), y


def gaussians(
    n_samples: int, noise: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Two clouds."""
    y = np.arange(n_samples) % 2
    centres = np.array([[-0.5, -0.5], [0.5, 0.5]])
    return centres[y] + rng.normal(0, 0.15 + noise, (n_samples, 2)), y


def three_clouds(
    n_samples: int, noise: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Three clouds."""
    y = np.arange(n_samples) % 3
    angle = 2 * np.pi * y / 3 + np.pi / 2
    centres = np.column_stack([np.cos(angle), np.sin(angle)]) * 0.6
    return centres + rng.normal(0, 0.12 + noise, (n_samples, 2)), y


def disc(n_samples: int, noise: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A disc in a square."""
    x = rng.uniform(-1, 1, (n_samples, 2))
    y = (np.hypot(x[:, 0], x[:, 1]) < 0.6).astype(int)
    return x + rng.normal(0, noise, x.shape), y


def plane(n_samples: int, noise: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Numbers on a plane."""
    x = rng.uniform(-1, 1, (n_samples, 2))
    y = (x[:, :1] + x[:, 1:]) / 2
    return x, y + rng.normal(0, noise, y.shape)


def hills(n_samples: int, noise: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Numbers on hills and in valleys."""
    x = rng.uniform(-1, 1, (n_samples, 2))
    y = np.zeros((n_samples, 1))
    for height, left, top in [(1, -0.5, 0.5), (1, 0.5, -0.5), (-1, -0.5, -0.5), (-1, 0.5, 0.5)]:
        y[:, 0] += height * np.exp(-8 * ((x[:, 0] - left) ** 2 + (x[:, 1] - top) ** 2))
    return x, y + rng.normal(0, noise, y.shape)


def wave(n_samples: int, noise: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Numbers along a wave."""
    x = rng.uniform(-1, 1, (n_samples, 1))
    y = np.sin(2 * np.pi * x)
    return x, y + rng.normal(0, noise, y.shape)


DATA_SETS = {
    "circles": DataSet(circles),
    "moons": DataSet(moons),
    "spirals": DataSet(spirals),
    "xor": DataSet(xor),
    "gaussians": DataSet(gaussians),
    "three_clouds": DataSet(three_clouds),
    "disc": DataSet(disc),
    "plane": DataSet(plane, is_decision=False),
    "hills": DataSet(hills, is_decision=False),
    "wave": DataSet(wave, is_decision=False, features=("x",)),
}
"""By the names that the page and the command line know."""
