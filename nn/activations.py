"""Activations: the functions between the layers, stable at any argument.

Each works on numbers, arrays and Values.  Those that NumPy's functions give
directly are composed of them; where a composition would overflow or be slow,
a primitive has its rule beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_lite as ag

__all__ = [
    "activations",
    "heaviside",
    "identity",
    "log_softmax",
    "relu",
    "sigmoid",
    "sign",
    "softmax",
    "softplus",
    "tanh",
]


def identity(x: Any) -> Any:
    """The argument itself: x.

    Examples
    --------
    >>> import nn
    >>> nn.identity(3.0)
    3.0
    """
    return x


@ag.primitive(broadcasts=True, formula="H(x)")
def heaviside(x: Any) -> Any:
    """The threshold unit: 1 where x >= 0, else 0; its derivative counts as 0 everywhere.

    At 0 it fires (McCulloch and Pitts: a unit fires when its threshold is
    reached).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.heaviside(np.array([-1.0, 0.0, 2.0]))
    array([0., 1., 1.])
    """
    return np.heaviside(x, 1)


heaviside.defvjp(lambda g, out, x: np.zeros_like(g))


@ag.primitive(broadcasts=True, formula="sign(x)")
def sign(x: Any) -> Any:
    """The threshold unit with outputs ±1: 1 where x >= 0, else -1; derivative 0 everywhere.

    Unlike `numpy.sign` it is never 0, since a unit must decide.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.sign(np.array([-1.0, 0.0, 2.0]))
    array([-1.,  1.,  1.])
    """
    return 2 * np.heaviside(x, 1) - 1


sign.defvjp(lambda g, out, x: np.zeros_like(g))


@ag.primitive(broadcasts=True, formula="σ(x)")
def sigmoid(x: Any) -> Any:
    """The logistic function 1 / (1 + exp(-x)).

    Computed from exp(-|x|), which cannot overflow; small results keep their
    relative precision.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    small = np.exp(-np.abs(x))
    return np.where(np.greater_equal(x, 0), 1, small) / (1 + small)


sigmoid.defvjp(lambda g, out, x: g * out * (1 - out))


def tanh(x: Any) -> Any:
    """The hyperbolic tangent.

    Examples
    --------
    >>> import nn
    >>> nn.tanh(0.0)
    np.float64(0.0)
    """
    return np.tanh(x)


def relu(x: Any) -> Any:
    """The positive part max(x, 0); its derivative at 0 is 0.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    return x.relu() if isinstance(x, ag.Value) else np.maximum(x, 0)


def softplus(x: Any) -> Any:
    """A smooth relu: log(1 + exp(x)).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.softplus(np.array([-1000.0, 1000.0]))
    array([   0., 1000.])
    """
    return np.logaddexp(0.0, x)


@ag.primitive(formula="softmax(x)")
def softmax(x: Any, *, axis: int = -1) -> Any:
    """Exponentials divided by their sum along an axis: positive, and summing to 1.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.softmax(np.array([0.0, np.log(3.0)]))
    array([0.25, 0.75])
    """
    exponentials = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return exponentials / np.sum(exponentials, axis=axis, keepdims=True)


def softmax_vjp(g: Any, out: Any, x: Any, axis: int = -1) -> Any:
    """The rule of `softmax`."""
    weighted = g * out
    return weighted - out * np.sum(weighted, axis=axis, keepdims=True)


softmax.defvjp(softmax_vjp)


@ag.primitive(formula="log softmax(x)")
def log_softmax(x: Any, *, axis: int = -1) -> Any:
    """The logarithm of `softmax`, also where softmax itself would be 0.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.log_softmax(np.array([0.0, 1000.0]))
    array([-1000.,     0.])
    """
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def log_softmax_vjp(g: Any, out: Any, x: Any, axis: int = -1) -> Any:
    """The rule of `log_softmax`."""
    return g - np.exp(out) * np.sum(g, axis=axis, keepdims=True)


log_softmax.defvjp(log_softmax_vjp)


activations: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        identity,
        heaviside,
        sign,
        sigmoid,
        tanh,
        relu,
        softplus,
        softmax,
        log_softmax,
    )
}
"""All activations by name, so that a layer can be told ``"relu"``."""
