"""Roots, minima and fits, as in ``scipy.optimize``, with derivatives by data and parameters.

SciPy solves; the derivative of the solution, of any order, is by the equation that it fulfils
(`autograd_lite.implicit`).  What is to be differentiated is passed by ``args``.

>>> import numpy as np, autograd_lite as ag
>>> from autograd_lite.scipy import optimize
>>> root = lambda a: optimize.brentq(lambda x, a: x**2 - a, 0.0, 9.0, args=(a,))
>>> round(ag.grad(root)(4.0), 6)
0.25
"""

from autograd_lite.scipy.optimize.fits import curve_fit, least_squares
from autograd_lite.scipy.optimize.minima import linprog, minimize, minimize_scalar
from autograd_lite.scipy.optimize.roots import (
    bisect,
    brenth,
    brentq,
    fixed_point,
    fsolve,
    newton,
    ridder,
    root,
    root_scalar,
    toms748,
)

__all__ = [
    "bisect",
    "brenth",
    "brentq",
    "curve_fit",
    "fixed_point",
    "fsolve",
    "least_squares",
    "linprog",
    "minimize",
    "minimize_scalar",
    "newton",
    "ridder",
    "root",
    "root_scalar",
    "toms748",
]
