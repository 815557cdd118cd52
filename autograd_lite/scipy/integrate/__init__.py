"""Integrals and differential equations, as in ``scipy.integrate``.

SciPy computes them; by parameters, limits, samples and initial values there are derivatives of any
order.  What is to be differentiated is passed by ``args``.

>>> import numpy as np, autograd_lite as ag
>>> from autograd_lite.scipy import integrate
>>> area = lambda k: integrate.quad(lambda x, k: np.sin(k * x) ** 2, 0.0, np.pi, args=(k,))[0]
>>> round(ag.grad(area)(1.0), 6), round(-np.pi / 2, 6)
(-1.570796, -1.570796)
"""

from autograd_lite.scipy.integrate.differential import odeint, solve_ivp
from autograd_lite.scipy.integrate.quadrature import quad, quad_vec
from autograd_lite.scipy.integrate.samples import (
    cumulative_simpson,
    cumulative_trapezoid,
    simpson,
    trapezoid,
)

__all__ = [
    "cumulative_simpson",
    "cumulative_trapezoid",
    "odeint",
    "quad",
    "quad_vec",
    "simpson",
    "solve_ivp",
    "trapezoid",
]
