"""Splines as sums of B-splines: by knots, coefficients and places, and through points.

The B-splines that are not zero at a place are found by the recursion of de Boor and Cox (C. de
Boor, "A Practical Guide to Splines", 2001).
"""

from __future__ import annotations

from typing import Any

from scipy import interpolate

from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.node import Handle, holds_value
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import registry
from autograd_lite.ops.indexing import getitem, scatter
from autograd_lite.scipy.calls import by_definition
from autograd_lite.scipy.interpolate.curves import (
    Curve,
    first_axis,
    last_knot_before,
    placed,
    read_inside,
)
from autograd_lite.scipy.linalg import solve_banded
from autograd_lite.scipy.names import as_array_operand

__all__ = ["BSpline", "make_interp_spline"]


def basis(places: Any, t: Any, k: int, index: Any) -> list[Any]:
    """The k + 1 B-splines that are not zero in the interval that begins with knot ``index``."""
    values = [np.ones_like(places)]
    for degree in range(1, k + 1):
        following = [np.zeros_like(places)] * (degree + 1)
        for place, value in enumerate(values):
            low, high = (getitem(t, index + 1 + place - back) for back in (degree, 0))
            share = value / (high - low)
            following[place] = following[place] + (high - places) * share
            following[place + 1] = (places - low) * share
        values = following
    return values


def of_derivative(t: Any, c: Any, k: int) -> tuple[Any, Any]:
    """Knots and coefficients of the derivative of a spline; where knots meet, nothing is added."""
    count = np.size(t) - k - 1
    apart = (t[k + 1 : k + count] - t[1:count])[(slice(None),) + (None,) * (np.ndim(c) - 1)]
    meet = apart == 0
    c = np.where(meet, 0, k * (c[1:count] - c[: count - 1]) / np.where(meet, 1, apart))
    return t[1:-1], c


def spline(places: Any, t: Any, c: Any, *, k: int, nu: int, extrapolate: Any, axis: int) -> Any:
    """``c`` along the first axis."""
    ndim, count = np.ndim(places), np.size(t) - k - 1
    places, outside = read_inside(places, t[k], t[count], extrapolate)
    if nu > k:
        return placed(np.zeros(np.shape(places) + np.shape(c)[1:]), outside, ndim, axis)
    index = last_knot_before(places, t, k, count - 1) - nu
    for _ in range(nu):
        t, c = of_derivative(t, c, k)
        k -= 1
    beside = (...,) + (None,) * (np.ndim(c) - 1)
    total = sum(
        value[beside] * getitem(c, index - k + place)
        for place, value in enumerate(basis(places, t, k, index))
    )
    return placed(total, outside, ndim, axis)


def spline_forward(
    places: Any, t: Any, c: Any, *, k: int, nu: int, extrapolate: Any, axis: int
) -> Any:
    made = interpolate.BSpline(t, np.moveaxis(c, 0, axis), k, axis=axis)
    return made(places, nu, extrapolate)


read = by_definition(spline_forward, spline, name="BSpline", arrays=3)


class BSpline(Curve):
    """``scipy.interpolate.BSpline``: by the knots, the coefficients and the places.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import interpolate
    >>> t = np.array([0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 2.0])
    >>> ag.grad(lambda c: interpolate.BSpline(t, c, 2)(0.5))(np.ones(4))
    array([0.25 , 0.625, 0.125, 0.   ])
    """

    def __init__(self, t: Any, c: Any, k: int, extrapolate: Any = True, axis: int = 0) -> None:
        c = as_array_operand(c)
        axis = axis % np.ndim(c)
        self.t, self.k, self.axis = as_array_operand(t), int(k), axis
        self.extrapolate = extrapolate
        if not isinstance(c, Handle) and not isinstance(self.t, Handle):
            interpolate.BSpline(self.t, c, k, extrapolate, axis)  # which refuses what is none
        self.c = first_axis(c, axis)

    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        """The spline, or its ``nu``-th derivative, at the places ``x``."""
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        return read(
            as_array_operand(x), self.t, self.c, k=self.k, nu=int(nu), extrapolate=extrapolate,
            axis=self.axis,
        )  # fmt: skip


# Splines through points.


def coefficients(x: Any, y: Any, t: Any, *, k: int) -> Any:
    """Of the spline that has the values ``y``, along the first axis, at the places ``x``."""
    count = np.size(x)
    index = last_knot_before(x, t, k, count - 1)
    values = np.stack(basis(x, t, k, index))
    columns = index - k + np.arange(k + 1)[:, None]
    bands = scatter(values, k + np.arange(count) - columns, columns, shape=(2 * k + 1, count))
    solved = solve_banded((k, k), bands, np.reshape(y, (count, -1)))
    return np.reshape(solved, np.shape(y))


def coefficients_forward(x: Any, y: Any, t: Any, *, k: int) -> Any:
    return interpolate.make_interp_spline(x, y, k, t).c


through = by_definition(coefficients_forward, coefficients, name="make_interp_spline", arrays=3)


def usual_knots(x: Any, k: int) -> Any:
    """Places, or the middles between them, of which the outermost are no knots."""
    if k == 0:
        return np.concatenate([x, x[-1:]])
    inner = x if k % 2 else (x[1:] + x[:-1]) / 2
    cut = (k + 1) // 2 if k % 2 else k // 2
    inner = inner[cut : np.size(inner) - cut]
    return np.concatenate([x[:1]] * (k + 1) + [inner] + [x[-1:]] * (k + 1))


def make_interp_spline(
    x: Any, y: Any, k: int = 3, t: Any = None, bc_type: Any = None, axis: int = 0,
    check_finite: bool = True,
) -> Any:  # fmt: skip
    """``scipy.interpolate.make_interp_spline``: by places, values and knots.

    ``bc_type`` is for plain numbers, or None.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import interpolate
    >>> x = np.arange(5.0)
    >>> at = lambda y: interpolate.make_interp_spline(x, y)(1.5)
    >>> ag.grad(at)(np.zeros(5)).round(3)
    array([-0.047,  0.5  ,  0.656, -0.125,  0.016])
    """
    x, y = as_array_operand(x), as_array_operand(y)
    t = None if t is None else as_array_operand(t)
    if bc_type is not None:
        if holds_value([x, y, t]):
            raise UnsupportedError(
                "make_interp_spline: bc_type has no derivative rule here; leave it out, or call "
                "ag.scipy.interpolate.CubicSpline, which has one"
            )
        found = interpolate.make_interp_spline(x, y, k, t, bc_type, axis)
        return BSpline(found.t, np.moveaxis(found.c, 0, found.axis), k, axis=found.axis)
    axis = axis % np.ndim(y)
    x, t = (z if z is None or z.dtype == float else np.astype(z, float) for z in (x, t))
    knots = usual_knots(x, k) if t is None else t
    c = first_axis(y if y.dtype.kind in "fc" else np.astype(y, float), axis)
    if k > 1 or t is not None:  # the others are the values themselves
        c = through(x, c, knots, k=int(k))
    return BSpline(knots, np.moveaxis(c, 0, axis), k, axis=axis)


registry[interpolate.BSpline] = BSpline
registry[interpolate.make_interp_spline] = make_interp_spline
