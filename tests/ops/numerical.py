"""Numerical derivatives: central differences, extrapolated twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def directional_derivative(
    function: Callable[..., float], point: Sequence[Any], direction: Sequence[Any], step: float
) -> float:
    """d/dt function(point + t direction) at 0, with an error of the sixth order in ``step``.

    L. F. Richardson, "The deferred approach to the limit" (1927).
    """

    def difference(h: float) -> float:
        ahead = function(*[x + h * v for x, v in zip(point, direction, strict=True)])
        behind = function(*[x - h * v for x, v in zip(point, direction, strict=True)])
        return (ahead - behind) / (2 * h)

    coarse, middle, fine = difference(step), difference(step / 2), difference(step / 4)
    first, second = (4 * middle - coarse) / 3, (4 * fine - middle) / 3
    return (16 * second - first) / 15


def inner(a: Sequence[Any], b: Sequence[Any]) -> float:
    """The real inner product of two lists of arrays; complex numbers count as pairs."""
    return float(sum(np.sum(np.real(np.conjugate(x) * y)) for x, y in zip(a, b, strict=True)))


def random_like(rng: np.random.Generator, arrays: Sequence[Any]) -> list[Any]:
    """Random directions: an array for each array, complex where that is complex."""
    directions = []
    for array in arrays:
        shape = np.shape(array)
        direction = rng.uniform(0.5, 1.5, shape) * rng.choice([-1, 1], shape)
        if np.iscomplexobj(array):
            direction = direction + 1j * rng.uniform(-1, 1, shape)
        directions.append(np.asarray(direction))
    return directions


def with_a_jacobian(function: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """A function with real results, in parts, if its arguments are complex.

    That of complex results by complex arguments has no matrix of derivatives.
    """

    def function_in_parts(*inputs: Any) -> list[Any]:
        results = function(*inputs)
        if not any(map(is_complex, inputs)):
            return results
        pairs = [[np.real(y), np.imag(y)] if is_complex(y) else [y] for y in results]
        return [part for pair in pairs for part in pair]

    return function_in_parts


def is_complex(x: Any) -> bool:
    return isinstance(x, complex) or getattr(getattr(x, "dtype", None), "kind", "") == "c"
