"""Functions along axes: logsumexp, softmax and log_softmax.

SciPy's turn what they get into NumPy's arrays; these leave arrays of other libraries be.
"""

from __future__ import annotations

from typing import Any

from autograd_lite.core.duck_arrays import is_duck_array
from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.ops.define import RowByRow, array_function
from autograd_lite.ops.reductions import axis_of
from autograd_lite.ops.shaping import keep_axes
from autograd_lite.scipy.names import as_array_operand, special

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


def weighted_forward(a: Any, b: Any, axis: Any = None, keepdims: bool = False) -> Any:
    if not (is_duck_array(a) or is_duck_array(b)):
        return special.logsumexp(a, axis=axis, b=b, keepdims=keepdims)
    largest = np.max(a + 0 * b, axis=axis, keepdims=True)
    shift = np.where(np.isfinite(largest), largest, 0)
    total = np.log(np.sum(b * np.exp(a - shift), axis=axis, keepdims=True)) + shift
    return total if keepdims else np.sum(total, axis=axis)


def shares_of(g: Any, out: Any, a: Any, b: Any, axis: Any, keepdims: bool) -> Any:
    """What each weight counts for: the exponentials over their weighted sum."""
    weighted = a + b
    axis = axis_of(weighted, axis)
    shares = keep_axes(g, axis, keepdims) * np.exp(a - keep_axes(out, axis, keepdims))
    return np.broadcast_to(shares, np.shape(weighted))


def weighted_by_a(
    g: Any, out: Any, a: Any, b: Any, axis: Any = None, keepdims: bool = False
) -> Any:
    return np.where(b == 0, 0, b * shares_of(g, out, a, b, axis, keepdims))


def weighted_by_b(
    g: Any, out: Any, a: Any, b: Any, axis: Any = None, keepdims: bool = False
) -> Any:
    return shares_of(g, out, a, b, axis, keepdims)


plain_logsumexp = array_function(special.logsumexp, logsumexp_vjp, forward=logsumexp_forward)
weighted_logsumexp = RowByRow(
    weighted_forward, weighted_by_a, weighted_by_b, name="weighted_logsumexp", arrays=2,
    broadcasts=True,
)  # fmt: skip


def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """The logarithm of a sum of exponentials, with weights ``b``: both have derivatives."""
    if return_sign:
        raise UnsupportedError(
            "logsumexp: return_sign=True has no derivative rule here; leave it out, and take the "
            "sign of np.sum(b * np.exp(a - np.max(a)))"
        )
    options = {} if axis is None else {"axis": axis}
    options |= {"keepdims": True} if keepdims else {}
    if b is None:
        return plain_logsumexp(a, **options)
    return weighted_logsumexp(as_array_operand(a), as_array_operand(b), **options)


softmax = array_function(special.softmax, softmax_vjp, forward=softmax_forward)
log_softmax = array_function(special.log_softmax, log_softmax_vjp, forward=log_softmax_forward)
