"""Functions along axes: logsumexp, softmax and log_softmax.

SciPy's turn what they get into NumPy's arrays; these leave arrays of other libraries be.
"""

from __future__ import annotations

from typing import Any

from autograd_lite.core.duck_arrays import is_duck_array
from autograd_lite.core.numpy_namespace import np
from autograd_lite.ops.define import array_function
from autograd_lite.ops.reductions import axis_of
from autograd_lite.ops.shaping import keep_axes
from autograd_lite.scipy.names import special

__all__ = ["log_softmax", "logsumexp", "softmax"]


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
    """The softmax; where all is -inf, zero.

    The result may be rounded by more than the differences of what went in.
    """
    axis = axis_of(a, axis)
    out = keep_axes(out, axis, keepdims)
    shares = np.exp(a - np.where(out == -np.inf, 0, out))
    total = np.sum(shares, axis=axis, keepdims=True)
    return keep_axes(g, axis, keepdims) * (shares / np.where(total > 0, total, 1))


def softmax_vjp(g: Any, out: Any, x: Any, axis: Any = None) -> Any:
    return out * (g - np.sum(g * out, axis=axis, keepdims=True))


def log_softmax_vjp(g: Any, out: Any, x: Any, axis: Any = None) -> Any:
    return g - np.exp(out) * np.sum(g, axis=axis, keepdims=True)


logsumexp = array_function(special.logsumexp, logsumexp_vjp, forward=logsumexp_forward)
softmax = array_function(special.softmax, softmax_vjp, forward=softmax_forward)
log_softmax = array_function(special.log_softmax, log_softmax_vjp, forward=log_softmax_forward)
