"""Values on a grid, read between its points by straight lines, or at the nearest point."""

from __future__ import annotations

from typing import Any

from scipy import interpolate

from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.node import holds_value
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import registry
from autograd_lite.ops.indexing import getitem
from autograd_lite.scipy.calls import Call, by_definition
from autograd_lite.scipy.interpolate.curves import Curve, last_knot_before
from autograd_lite.scipy.names import as_array_operand

__all__ = ["RegularGridInterpolator"]

METHODS = ("linear", "nearest")


def between(
    places: Any, values: Any, *points: Any, method: str, bounds_error: bool, fill_value: Any
) -> Any:
    """``places`` with the coordinates along the last axis."""
    count, outside = len(points), False
    rest = (1,) * (np.ndim(values) - count)
    indices, ways = [], []
    for axis, knots in enumerate(points):
        falls = knots[0] > knots[-1]
        knots = np.where(falls, np.flip(knots), knots)
        values = np.where(falls, np.flip(values, axis), values)
        place = places[..., axis]
        index = last_knot_before(place, knots, 0, max(np.size(knots) - 2, 0))
        following = np.minimum(index + 1, np.size(knots) - 1)
        outside = outside | (place < knots[0]) | (place > knots[-1])
        indices.append((index, following))
        start = getitem(knots, index)
        # Of one point alone both ends are the same, wherever between them a place lies.
        width = getitem(knots, following) - start if np.size(knots) > 1 else 1.0
        ways.append((place - start) / width)
    if method == "nearest":
        nearest = [np.where(way <= 0.5, i, j) for (i, j), way in zip(indices, ways, strict=True)]
        found = getitem(values, *nearest)
    else:
        found = 0
        for corner in np.ndindex(*(2,) * count):
            weight = 1.0
            for side, way in zip(corner, ways, strict=True):
                weight = weight * (way if side else 1 - way)
            chosen = [pair[side] for side, pair in zip(corner, indices, strict=True)]
            corner_values = getitem(values, *chosen)
            found = found + np.reshape(weight, np.shape(weight) + rest) * corner_values
    if fill_value is None:
        return found
    return np.where(np.reshape(outside, np.shape(outside) + rest), fill_value, found)


def forward(places: Any, values: Any, *points: Any, method: str, **options: Any) -> Any:
    read = interpolate.RegularGridInterpolator(points, values, method, **options)
    return read(places) if np.ndim(places) > 1 else read(places[None])[0]


class RegularGridInterpolator(Curve):
    """``scipy.interpolate.RegularGridInterpolator``: by values, grid and places.

    For the methods "linear" and "nearest"; others are for plain numbers.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import interpolate
    >>> x, y = np.arange(3.0), np.arange(4.0)
    >>> read = interpolate.RegularGridInterpolator((x, y), np.multiply.outer(x, y))
    >>> ag.grad(lambda p: read(p)[0])(np.array([1.5, 2.5]))
    array([2.5, 1.5])
    """

    def __init__(
        self, points: Any, values: Any, method: str = "linear", bounds_error: bool = True,
        fill_value: Any = np.nan, **options: Any,
    ) -> None:  # fmt: skip
        self.points = tuple(map(as_array_operand, points))
        self.values = as_array_operand(values)
        if self.values.dtype.kind not in "fc":
            self.values = np.astype(self.values, float)
        self.method = method
        self.settings = {"bounds_error": bounds_error, "fill_value": fill_value}
        self.options = options
        Call("RegularGridInterpolator", {**self.settings, **options})  # none is a Value
        self.read = by_definition(
            forward, between, name="RegularGridInterpolator", arrays=2 + len(self.points)
        )
        if not holds_value([self.values, *self.points]):  # which refuses what is not a grid
            interpolate.RegularGridInterpolator(
                self.points, self.values, method, **self.settings, **options
            )

    def __call__(self, xi: Any, method: str | None = None, **options: Any) -> Any:
        """The values at places of shape (..., n), or at n coordinates in a tuple."""
        method = method or self.method
        if isinstance(xi, tuple):
            places = np.stack(np.broadcast_arrays(*map(as_array_operand, xi)), axis=-1)
        else:
            places = as_array_operand(xi)
            places = places if np.ndim(places) > 1 else np.reshape(places, (-1, len(self.points)))
        places = places if places.dtype.kind == "f" else np.astype(places, float)
        if method not in METHODS:
            if holds_value([places, self.values, *self.points]):
                raise UnsupportedError(
                    f"RegularGridInterpolator: method={method!r} has no derivative rule here; "
                    "pass method='linear', or call ag.scipy.interpolate.CubicSpline along each axis"
                )
            made = interpolate.RegularGridInterpolator(
                self.points, self.values, self.method, **self.settings, **self.options
            )
            return made(xi, method, **options)
        return self.read(places, self.values, *self.points, method=method, **self.settings)


registry[interpolate.RegularGridInterpolator] = RegularGridInterpolator
