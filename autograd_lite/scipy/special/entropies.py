"""The logistic function and entropies; exponentials, logarithms and powers; Huber's losses."""

from __future__ import annotations

from math import log, pi
from typing import Any

from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.ops.define import ufunc
from autograd_lite.scipy.names import in_precision_of, special

__all__ = [
    "boxcox",
    "boxcox1p",
    "cbrt",
    "cosdg",
    "cosm1",
    "cotdg",
    "entr",
    "exp2",
    "exp10",
    "expit",
    "expm1",
    "exprel",
    "huber",
    "inv_boxcox",
    "inv_boxcox1p",
    "kl_div",
    "log1p",
    "log_expit",
    "logit",
    "pseudo_huber",
    "rel_entr",
    "sindg",
    "tandg",
    "xlog1py",
    "xlogy",
]

DEGREE = pi / 180

# The logistic function, entropies.

expit: Primitive = ufunc(special.expit, lambda g, out, x: g * out * expit(-x))
log_expit = ufunc(special.log_expit, lambda g, out, x: g * expit(-x))
logit = ufunc(special.logit, lambda g, out, x: g / (x * (1 - x)))
entr = ufunc(special.entr, lambda g, out, x: -g * (np.log(x) + 1))
rel_entr = ufunc(
    special.rel_entr,
    lambda g, out, x, y: g * (np.log(x / y) + 1),
    lambda g, out, x, y: -g * x / y,
)
kl_div = ufunc(
    special.kl_div,
    lambda g, out, x, y: g * np.log(x / y),
    lambda g, out, x, y: g * (1 - x / y),
)
xlogy = ufunc(
    special.xlogy,
    lambda g, out, x, y: g * np.log(y),
    lambda g, out, x, y: g * x / np.where(x == 0, 1, y),
)
xlog1py = ufunc(
    special.xlog1py,
    lambda g, out, x, y: g * np.log1p(y),
    lambda g, out, x, y: g * x / (1 + np.where(x == 0, 0, y)),
)

# SciPy's own of functions that NumPy has as well, and of degrees.

exp2 = ufunc(special.exp2, lambda g, out, x: g * out * log(2))
exp10 = ufunc(special.exp10, lambda g, out, x: g * out * log(10))
expm1 = ufunc(special.expm1, lambda g, out, x: g * (out + 1))
log1p = ufunc(special.log1p, lambda g, out, x: g / (1 + x))
cbrt = ufunc(special.cbrt, lambda g, out, x: g / (3 * out * out))
cosm1 = ufunc(special.cosm1, lambda g, out, x: -g * np.sin(x))
sindg = ufunc(special.sindg, lambda g, out, x: g * DEGREE * cosdg(x))
cosdg: Primitive = ufunc(special.cosdg, lambda g, out, x: -g * DEGREE * sindg(x))
tandg = ufunc(special.tandg, lambda g, out, x: g * DEGREE * (1 + out * out))
cotdg = ufunc(special.cotdg, lambda g, out, x: -g * DEGREE * (1 + out * out))

# Powers: (xᵖ - 1)/p is log(x) · exprel(p log(x)), which has no gap at p = 0.


def exprel_by_x_forward(x: Any, order: int) -> Any:
    """The integral of tⁿ exp(t x) from 0 to 1, for the order n.

    It is infinite long before SciPy's series stop to converge, which then go on for ever.
    """
    found = special.hyp1f1(order + 1, order + 2, np.clip(x, -1e38, 750.0)) / (order + 1)
    return in_precision_of(x, found)


exprel_by_x: Primitive = Primitive(
    exprel_by_x_forward,
    lambda g, out, x, order: g * exprel_by_x(x, order=order + 1),
    name="exprel_by_x",
    elementwise=True,
)
"""The derivative of an order of (exp(x) - 1)/x."""


def boxcox_by_power(g: Any, logarithm: Any, p: Any) -> Any:
    return g * logarithm * logarithm * exprel_by_x(p * logarithm, order=1)


exprel = ufunc(special.exprel, lambda g, out, x: g * exprel_by_x(x, order=1))
boxcox = ufunc(
    special.boxcox,
    lambda g, out, x, p: g * x ** (p - 1),
    lambda g, out, x, p: boxcox_by_power(g, np.log(x), p),
)
boxcox1p = ufunc(
    special.boxcox1p,
    lambda g, out, x, p: g * (1 + x) ** (p - 1),
    lambda g, out, x, p: boxcox_by_power(g, np.log1p(x), p),
)
inv_boxcox = ufunc(
    special.inv_boxcox,
    lambda g, out, y, p: g * out ** (1 - p),
    lambda g, out, y, p: -boxcox_by_power(g, np.log(out), p) * out ** (1 - p),
)
inv_boxcox1p = ufunc(
    special.inv_boxcox1p,
    lambda g, out, y, p: g * (1 + out) ** (1 - p),
    lambda g, out, y, p: -boxcox_by_power(g, np.log1p(out), p) * (1 + out) ** (1 - p),
)

# Huber's losses.

huber = ufunc(
    special.huber,
    lambda g, out, delta, r: g * np.maximum(np.abs(r) - delta, 0),
    lambda g, out, delta, r: g * np.clip(r, -delta, delta),
)
pseudo_huber = ufunc(
    special.pseudo_huber,
    lambda g, out, delta, r: g * out * out / (delta * delta * np.hypot(delta, r)),
    lambda g, out, delta, r: g * delta * r / np.hypot(delta, r),
)
