"""Special functions with gradients, through SciPy: ``ag.special.erf`` and its kin.

Each is the function of its name in ``scipy.special``, on Values and on arrays.
Once this module has been used, SciPy's own ufuncs take Values too.  Formulas:
NIST Digital Library of Mathematical Functions, chapters 5, 7 and 10.

>>> import numpy as np, autograd_lite as ag
>>> round(ag.grad(ag.special.erf)(0.5), 6)
0.878783
>>> x = ag.Value([1.0, 2.0, 3.0])
>>> y = ag.special.logsumexp(x)
>>> y.backward()
>>> np.allclose(x.grad, ag.special.softmax(x.data))
True
"""

from __future__ import annotations

from math import factorial, pi, sqrt
from typing import Any

from autograd_lite.core.duck_arrays import is_duck_array
from autograd_lite.core.errors import MissingOptionError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.ops.define import array_function, ufunc
from autograd_lite.ops.reductions import keep_axes

try:
    from scipy import special
except ImportError as error:
    raise MissingOptionError(
        "autograd_lite.special needs SciPy, which is not installed; "
        "install it with: pip install 'autograd-lite[special]'"
    ) from error

__all__ = [
    "betaln",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfinv",
    "expit",
    "gammaln",
    "i0e",
    "i1e",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "ndtr",
    "softmax",
    "xlog1py",
    "xlogy",
]

# The error function and the normal distribution.

erf = ufunc(special.erf, lambda g, out, x: g * (2 / sqrt(pi)) * np.exp(-x * x))
erfc = ufunc(special.erfc, lambda g, out, x: -g * (2 / sqrt(pi)) * np.exp(-x * x))
erfinv = ufunc(special.erfinv, lambda g, out, x: g * (sqrt(pi) / 2) * np.exp(out * out))
ndtr = ufunc(special.ndtr, lambda g, out, x: g * np.exp(-x * x / 2) / sqrt(2 * pi))
log_ndtr = ufunc(special.log_ndtr, lambda g, out, x: g * np.exp(-x * x / 2 - out) / sqrt(2 * pi))

# The logistic function, entropies.

expit = ufunc(special.expit, lambda g, out, x: g * out * (1 - out))
logit = ufunc(special.logit, lambda g, out, x: g / (x * (1 - x)))
entr = ufunc(special.entr, lambda g, out, x: -g * (np.log(x) + 1))
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

# Gamma functions.


def polygamma_forward(x: Any, order: int) -> Any:
    """SciPy's own comes back in double precision always."""
    if order and is_duck_array(x):  # it would be turned into NumPy's: say it in ufuncs
        signed = (-1.0) ** (order + 1) * factorial(order)
        return (signed * special.zeta(order + 1, x)).astype(x.dtype)
    return special.polygamma(order, x).astype(np.result_type(x, np.float32))


polygamma: Primitive = Primitive(
    polygamma_forward,
    lambda g, out, x, order: g * polygamma(x, order=order + 1),
    name="polygamma",
    elementwise=True,
)
digamma = ufunc(special.digamma, lambda g, out, x: g * polygamma(x, order=1))
gammaln = ufunc(special.gammaln, lambda g, out, x: g * digamma(x))
betaln = ufunc(
    special.betaln,
    lambda g, out, a, b: g * (digamma(a) - digamma(a + b)),
    lambda g, out, a, b: g * (digamma(b) - digamma(a + b)),
)

# Modified Bessel functions, scaled: the derivative of Iₙ is (Iₙ₋₁ + Iₙ₊₁) / 2.


def scaled_bessel_vjp(g: Any, out: Any, x: Any, order: int) -> Any:
    neighbours = scaled_bessel(x, order=abs(order - 1)) + scaled_bessel(x, order=order + 1)
    return g * (neighbours / 2 - np.sign(x) * out)


scaled_bessel: Primitive = Primitive(
    lambda x, order: special.ive(order, x), scaled_bessel_vjp, name="ive", elementwise=True
)
i0e = ufunc(special.i0e, lambda g, out, x: scaled_bessel_vjp(g, out, x, 0))
i1e = ufunc(special.i1e, lambda g, out, x: scaled_bessel_vjp(g, out, x, 1))

# Along axes.  SciPy's functions turn what they get into NumPy's arrays; these leave others be.


def logsumexp_forward(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    if not is_duck_array(a):
        return special.logsumexp(a, axis=axis, keepdims=keepdims)
    largest = np.max(a, axis=axis, keepdims=True)
    shift = np.where(np.isfinite(largest), largest, 0)
    total = np.log(np.sum(np.exp(a - shift), axis=axis, keepdims=True)) + shift
    return total if keepdims else np.sum(total, axis=axis)


def softmax_forward(x: Any, axis: Any = None) -> Any:
    return np.exp(log_softmax_forward(x, axis)) if is_duck_array(x) else special.softmax(x, axis)


def log_softmax_forward(x: Any, axis: Any = None) -> Any:
    if not is_duck_array(x):
        return special.log_softmax(x, axis)
    return x - logsumexp_forward(x, axis=axis, keepdims=True)


def logsumexp_vjp(g: Any, out: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The softmax; where all is -inf, zero."""
    out = keep_axes(out, axis, keepdims)
    return keep_axes(g, axis, keepdims) * np.exp(a - np.where(np.isfinite(out), out, 0))


def softmax_vjp(g: Any, out: Any, x: Any, axis: Any = None) -> Any:
    return out * (g - np.sum(g * out, axis=axis, keepdims=True))


def log_softmax_vjp(g: Any, out: Any, x: Any, axis: Any = None) -> Any:
    return g - np.exp(out) * np.sum(g, axis=axis, keepdims=True)


logsumexp = array_function(special.logsumexp, logsumexp_vjp, forward=logsumexp_forward)
softmax = array_function(special.softmax, softmax_vjp, forward=softmax_forward)
log_softmax = array_function(special.log_softmax, log_softmax_vjp, forward=log_softmax_forward)
