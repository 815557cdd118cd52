"""Cubics between points: given, natural, clamped and periodic splines, and those without overshoot.

Between two points a cubic is known by their values and slopes.  The slopes of a spline, whose
second derivative is continuous, solve a linear system; those of `PchipInterpolator` are harmonic
means (F. Fritsch, J. Butland, "A method for constructing local monotone piecewise cubic
interpolants", 1984).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scipy import interpolate

from autograd_lite.core.node import Handle
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import registry
from autograd_lite.ops.indexing import getitem
from autograd_lite.scipy.calls import Call, by_definition
from autograd_lite.scipy.interpolate.curves import (
    Curve,
    first_axis,
    last_knot_before,
    placed,
    read_inside,
)
from autograd_lite.scipy.linalg import solve_banded
from autograd_lite.scipy.names import as_array_operand

__all__ = ["CubicHermiteSpline", "CubicSpline", "PchipInterpolator"]

# Reading: the cubic between two points, and its derivatives.


def hermite(
    places: Any, x: Any, y: Any, slopes: Any, *, nu: int, extrapolate: Any, axis: int
) -> Any:
    """``slopes`` along the first axis, ``y`` along its own."""
    ndim, y = np.ndim(places), first_axis(y, axis)
    places, outside = read_inside(places, x[0], x[-1], extrapolate)
    index = last_knot_before(places, x, 0, np.size(x) - 2)
    beside = (...,) + (None,) * (np.ndim(y) - 1)
    left, first = getitem(x, index), getitem(y, index)
    way, width = (places - left)[beside], (getitem(x, index + 1) - left)[beside]
    rise = (getitem(y, index + 1) - first) / width
    start, end = getitem(slopes, index), getitem(slopes, index + 1)
    bend = (start + end - 2 * rise) / width
    cubic, square = bend / width, (rise - start) / width - bend
    powers = {
        0: lambda: ((cubic * way + square) * way + start) * way + first,
        1: lambda: (3 * cubic * way + 2 * square) * way + start,
        2: lambda: 6 * cubic * way + 2 * square,
        3: lambda: 6 * cubic,
    }
    return placed(powers[nu]() if nu < 4 else np.zeros_like(cubic), outside, ndim, axis)


# Slopes of splines.


def spline_slopes(x: Any, y: Any, bc_type: Any) -> Any:
    """The slopes at the points, along the first axis."""
    count, h = np.size(x), np.diff(x)
    beside = (slice(None),) + (None,) * (np.ndim(y) - 1)
    width = h[beside]
    rise = np.diff(y, axis=0) / width
    if isinstance(bc_type, str) and bc_type == "periodic":
        return periodic_slopes(h, width, rise)
    start, end = condition_of_ends(bc_type)
    if count == 2 and (start is None or end is None):
        start, end = (given or (1, rise[0]) for given in (start, end))
    inner = 3 * (width[1:] * rise[:-1] + width[:-1] * rise[1:])
    diagonal = 2 * (h[:-1] + h[1:])
    first = at_end(h, rise, start, 1.0)
    last = at_end(np.flip(h), np.flip(rise, 0), end, -1.0)
    if count == 3 and start is None and end is None:  # a parabola
        one = np.ones_like(h[:1])
        first, last = (one, one, 2 * rise[:1]), (one, one, 2 * rise[1:])
    zero = np.zeros_like(h[:1])
    bands = [
        np.concatenate([zero, first[1], h[:-1]]),
        np.concatenate([first[0], diagonal, last[0]]),
        np.concatenate([h[1:], last[1], zero]),
    ]
    right = np.concatenate([first[2], inner, last[2]])
    columns = np.reshape(right, (count, -1))
    return np.reshape(solve_banded((1, 1), np.stack(bands), columns), np.shape(right))


def condition_of_ends(bc_type: Any) -> list[Any]:
    """What is given at each end: the order of a derivative and its value; None: not a knot."""
    both = [bc_type, bc_type] if isinstance(bc_type, str) else list(bc_type)
    named = {"not-a-knot": None, "clamped": (1, 0.0), "natural": (2, 0.0)}
    return [named[one] if isinstance(one, str) else one for one in both]


def at_end(h: Any, rise: Any, given: Any, sign: float) -> tuple[Any, Any, Any]:
    """The equation of the slope at an end: its weight, that of the next one, the right side.

    Seen from that end on; ``sign`` is that of the way on.
    """
    one, shape = np.ones_like(h[:1]), np.shape(rise[:1])
    if given is not None:
        order, value = given
        value = np.broadcast_to(value, shape)
        if order == 1:
            return one, np.zeros_like(one), value
        return 2 * one, one, 3 * rise[:1] - sign * 0.5 * value * h[0]
    both = h[0] + h[1]
    right = ((h[0] + 2 * both) * h[1] * rise[0] + h[0] ** 2 * rise[1]) / both
    return h[1:2], both[None], right[None]


def periodic_slopes(h: Any, width: Any, rise: Any) -> Any:
    """The system goes round: the last slope is the first one."""
    count = np.size(h)
    before, rise_before = np.roll(h, 1), np.roll(rise, 1, axis=0)
    eye = np.eye(count, dtype=h.dtype)
    matrix = np.diag(2 * (h + before)) + h[:, None] * np.roll(eye, -1, axis=1)
    matrix = matrix + before[:, None] * np.roll(eye, 1, axis=1)
    right = 3 * (width * rise_before + np.roll(width, 1, axis=0) * rise)
    columns = np.reshape(right, (count, -1))
    slopes = np.reshape(np.linalg.solve(matrix, columns), np.shape(right))
    return np.concatenate([slopes, slopes[:1]])


def spline(
    places: Any, x: Any, y: Any, *, nu: int, extrapolate: Any, axis: int, bc_type: Any
) -> Any:
    slopes = spline_slopes(x, first_axis(y, axis), bc_type)
    return hermite(places, x, y, slopes, nu=nu, extrapolate=extrapolate, axis=axis)


# Slopes that keep what rises rising.


def monotone_slopes(x: Any, y: Any) -> Any:
    beside = (slice(None),) + (None,) * (np.ndim(y) - 1)
    width = np.diff(x)[beside]
    rise = np.diff(y, axis=0) / width
    if np.size(x) == 2:
        return np.concatenate([rise, rise])
    before, after = rise[:-1], rise[1:]
    is_flat = np.sign(before) * np.sign(after) <= 0
    left, right = 2 * width[1:] + width[:-1], width[1:] + 2 * width[:-1]
    steep = left / np.where(is_flat, 1, before) + right / np.where(is_flat, 1, after)
    inner = np.where(is_flat, 0, (left + right) / np.where(is_flat, 1, steep))
    first = slope_at_end(width[0], width[1], rise[0], rise[1])
    last = slope_at_end(width[-1], width[-2], rise[-1], rise[-2])
    return np.concatenate([first[None], inner, last[None]])


def slope_at_end(h: Any, next_h: Any, rise: Any, next_rise: Any) -> Any:
    """By three points, but no steeper than the curve may be."""
    slope = ((2 * h + next_h) * rise - h * next_rise) / (h + next_h)
    turns = np.sign(slope) != np.sign(rise)
    is_steep = np.abs(slope) > 3 * np.abs(rise)
    return np.where(turns, 0, np.where(is_steep, 3 * rise, slope))


def monotone(places: Any, x: Any, y: Any, *, nu: int, extrapolate: Any, axis: int) -> Any:
    slopes = monotone_slopes(x, first_axis(y, axis))
    return hermite(places, x, y, slopes, nu=nu, extrapolate=extrapolate, axis=axis)


def with_slopes(
    places: Any, x: Any, y: Any, dydx: Any, *, nu: int, extrapolate: Any, axis: int
) -> Any:
    slopes = first_axis(dydx, axis)
    return hermite(places, x, y, slopes, nu=nu, extrapolate=extrapolate, axis=axis)


# The objects.


def read_by(kind: Any, definition: Callable[..., Any], arrays: int) -> Any:
    """One of SciPy's curves, made and read in one call."""

    def forward(places: Any, *points: Any, nu: int, extrapolate: Any, **options: Any) -> Any:
        return kind(*points, **options)(places, nu, extrapolate)

    return by_definition(forward, definition, name=kind.__name__, arrays=arrays + 1)


class Cubic(Curve):
    """Points, and how to read the curve through them."""

    read: Any
    kind: Any

    def __init__(self, *points: Any, axis: int, extrapolate: Any, **options: Any) -> None:
        self.points = tuple(map(as_array_operand, points))
        self.axis = axis % np.ndim(self.points[1])
        self.extrapolate = extrapolate
        self.options = {"axis": self.axis, **options}
        Call(type(self).__name__, {"extrapolate": extrapolate, **options})  # none is a Value
        if not any(isinstance(x, Handle) for x in self.points):
            type(self).kind(*self.points, **self.options)  # which refuses what are no points

    @property
    def x(self) -> Any:
        """Where the points are."""
        return self.points[0]

    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        """The curve, or its ``nu``-th derivative, at the places ``x``."""
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        options = {"nu": int(nu), "extrapolate": extrapolate, **self.options}
        return type(self).read(as_array_operand(x), *self.points, **options)


class CubicSpline(Cubic):
    """``scipy.interpolate.CubicSpline``: by the points and by the places.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import interpolate
    >>> x = np.linspace(0.0, 2 * np.pi, 9)
    >>> wave = interpolate.CubicSpline(x, np.append(np.sin(x[:-1]), 0.0), bc_type="periodic")
    >>> round(ag.grad(wave)(0.0), 2)
    1.0
    """

    kind = interpolate.CubicSpline
    read = read_by(kind, spline, 2)

    def __init__(
        self, x: Any, y: Any, axis: int = 0, bc_type: Any = "not-a-knot", extrapolate: Any = None
    ) -> None:
        is_periodic = isinstance(bc_type, str) and bc_type == "periodic"
        if extrapolate is None:
            extrapolate = "periodic" if is_periodic else True
        super().__init__(x, y, axis=axis, extrapolate=extrapolate, bc_type=bc_type)


class PchipInterpolator(Cubic):
    """``scipy.interpolate.PchipInterpolator``: by the points and by the places.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import interpolate
    >>> step = interpolate.PchipInterpolator([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 1.0])
    >>> [round(float(step(t)), 6) for t in (0.5, 1.5, 2.5)], ag.grad(step)(1.5)
    ([0.0, 0.5, 1.0], 1.5)
    """

    kind = interpolate.PchipInterpolator
    read = read_by(kind, monotone, 2)

    def __init__(self, x: Any, y: Any, axis: int = 0, extrapolate: Any = None) -> None:
        extrapolate = True if extrapolate is None else extrapolate
        super().__init__(x, y, axis=axis, extrapolate=extrapolate)


class CubicHermiteSpline(Cubic):
    """``scipy.interpolate.CubicHermiteSpline``: by the points, their slopes and the places.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import interpolate
    >>> x, y = np.array([0.0, 1.0]), np.array([0.0, 0.0])
    >>> ag.grad(lambda s: interpolate.CubicHermiteSpline(x, y, s)(0.5))(np.ones(2))
    array([ 0.125, -0.125])
    """

    kind = interpolate.CubicHermiteSpline
    read = read_by(kind, with_slopes, 3)

    def __init__(self, x: Any, y: Any, dydx: Any, axis: int = 0, extrapolate: Any = None) -> None:
        extrapolate = True if extrapolate is None else extrapolate
        super().__init__(x, y, dydx, axis=axis, extrapolate=extrapolate)


for made in (CubicSpline, PchipInterpolator, CubicHermiteSpline):
    registry[made.kind] = made
