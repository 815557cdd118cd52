"""Interpolation, as in ``scipy.interpolate``: by the values, by the knots and by the places.

Objects are made and called as SciPy's are; the numbers are SciPy's.

>>> import numpy as np, autograd_lite as ag
>>> from autograd_lite.scipy import interpolate
>>> x, y = np.arange(5.0), np.array([0.0, 1.0, 4.0, 9.0, 16.0])
>>> round(ag.grad(interpolate.CubicSpline(x, y))(1.5), 9)
3.0
>>> ag.grad(lambda y: interpolate.CubicSpline(x, y)(1.5))(y).round(4)
array([-0.0469,  0.5   ,  0.6562, -0.125 ,  0.0156])
"""

from autograd_lite.scipy.interpolate.bsplines import BSpline, make_interp_spline
from autograd_lite.scipy.interpolate.cubics import (
    CubicHermiteSpline,
    CubicSpline,
    PchipInterpolator,
)
from autograd_lite.scipy.interpolate.grids import RegularGridInterpolator

__all__ = [
    "BSpline",
    "CubicHermiteSpline",
    "CubicSpline",
    "PchipInterpolator",
    "RegularGridInterpolator",
    "make_interp_spline",
]
