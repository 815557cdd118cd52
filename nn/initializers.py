"""Initializers: how the weights of a layer are drawn before training.

Each is a function ``initializer(rng, shape, dtype)`` that returns an array.
``shape`` begins with ``fan_in``, the number of inputs to a unit, and ends with
``fan_out``, the number of units that an input reaches.  The variance of the
weights is chosen so that signals (LeCun, He) or signals and gradients (Glorot)
keep their variance from layer to layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd_lite as ag

__all__ = [
    "Initializer",
    "constant",
    "for_activation",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "orthogonal",
    "truncated_normal",
    "uniform",
    "zeros",
]

Array = np.ndarray[Any, Any]
Shape = Sequence[int]
Initializer = Callable[[np.random.Generator, Shape, DTypeLike], Array]

TRUNCATION = 2.0
TRUNCATED_STD = 0.8796256610342398
"""The standard deviation of a standard normal distribution cut off at ±2."""


def zeros(rng: np.random.Generator, shape: Shape, dtype: DTypeLike = np.float64) -> Array:
    """All zeros: right for biases; it keeps the units of a hidden layer identical.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.initializers.zeros(np.random.default_rng(0), (3,))
    array([0., 0., 0.])
    """
    return np.zeros(shape, dtype)


def ones(rng: np.random.Generator, shape: Shape, dtype: DTypeLike = np.float64) -> Array:
    """All ones: for the scale of normalization layers.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.initializers.ones(np.random.default_rng(0), (3,))
    array([1., 1., 1.])
    """
    return np.ones(shape, dtype)


def constant(
    rng: np.random.Generator, shape: Shape, dtype: DTypeLike = np.float64, *, value: float = 0.0
) -> Array:
    """One number everywhere; choose it with ``functools.partial(constant, value=0.1)``.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.initializers.constant(np.random.default_rng(0), (3,), value=0.5)
    array([0.5, 0.5, 0.5])
    """
    return np.full(shape, value, dtype)


def uniform(
    rng: np.random.Generator, shape: Shape, dtype: DTypeLike = np.float64, *, limit: float = 0.05
) -> Array:
    """Uniform on [-limit, limit): variance limit²/3.

    Examples
    --------
    >>> import numpy as np, nn
    >>> w = nn.initializers.uniform(np.random.default_rng(0), (100, 100), limit=0.5)
    >>> bool(np.abs(w).max() <= 0.5)
    True
    """
    return rng.uniform(-limit, limit, tuple(shape)).astype(dtype, copy=False)


@ag.deprecation.renamed_arguments(deviation="std")
def normal(
    rng: np.random.Generator, shape: Shape, dtype: DTypeLike = np.float64, *, std: float = 0.05
) -> Array:
    """Normal with mean 0: variance std².

    Examples
    --------
    >>> import numpy as np, nn
    >>> w = nn.initializers.normal(np.random.default_rng(0), (100, 100), std=0.1)
    >>> round(float(w.std()), 2)
    0.1
    """
    return (std * rng.standard_normal(tuple(shape))).astype(dtype, copy=False)


@ag.deprecation.renamed_arguments(deviation="std")
def truncated_normal(
    rng: np.random.Generator, shape: Shape, dtype: DTypeLike = np.float64, *, std: float = 0.05
) -> Array:
    """Normal without its tails, scaled so that the variance is std² all the same.

    Draws beyond two standard deviations of the underlying distribution are
    drawn again.

    Examples
    --------
    >>> import numpy as np, nn
    >>> rng = np.random.default_rng(0)
    >>> w = nn.initializers.truncated_normal(rng, (100, 100), std=0.1)
    >>> round(float(w.std()), 2), bool(np.abs(w).max() < 0.23)
    (0.1, True)
    """
    draws = rng.standard_normal(tuple(shape))
    outside = np.abs(draws) > TRUNCATION
    while outside.any():
        draws[outside] = rng.standard_normal(np.count_nonzero(outside))
        outside = np.abs(draws) > TRUNCATION
    return (draws * (std / TRUNCATED_STD)).astype(dtype, copy=False)


def fans(shape: Shape) -> tuple[int, int]:
    """``fan_in`` and ``fan_out`` of a weight of this shape."""
    if len(shape) < 2:
        raise ag.ArgumentValueError(
            f"an initializer that depends on fan_in and fan_out needs a weight of at least two "
            f"axes, not shape {tuple(shape)}; use zeros, constant, uniform or normal"
        )
    return shape[0], shape[-1]


def lecun_uniform(rng: np.random.Generator, shape: Shape, dtype: DTypeLike = np.float64) -> Array:
    """Uniform with variance 1/fan_in (Y. LeCun et al., "Efficient BackProp", 1998).

    Examples
    --------
    >>> import numpy as np, nn
    >>> w = nn.initializers.lecun_uniform(np.random.default_rng(0), (100, 50))
    >>> round(float(w.var() * 100), 1)
    1.0
    """
    return uniform(rng, shape, dtype, limit=sqrt(3 / fans(shape)[0]))


def lecun_normal(rng: np.random.Generator, shape: Shape, dtype: DTypeLike = np.float64) -> Array:
    """Normal with variance 1/fan_in (Y. LeCun et al., "Efficient BackProp", 1998).

    Examples
    --------
    >>> import numpy as np, nn
    >>> w = nn.initializers.lecun_normal(np.random.default_rng(0), (100, 50))
    >>> round(float(w.var() * 100), 1)
    1.0
    """
    return normal(rng, shape, dtype, std=sqrt(1 / fans(shape)[0]))


def glorot_uniform(rng: np.random.Generator, shape: Shape, dtype: DTypeLike = np.float64) -> Array:
    """Uniform with variance 2/(fan_in + fan_out), for tanh and its like.

    X. Glorot, Y. Bengio, "Understanding the difficulty of training deep
    feedforward neural networks" (2010).

    Examples
    --------
    >>> import numpy as np, nn
    >>> w = nn.initializers.glorot_uniform(np.random.default_rng(0), (100, 50))
    >>> round(float(w.var() * 75), 1)
    1.0
    """
    return uniform(rng, shape, dtype, limit=sqrt(6 / sum(fans(shape))))


def glorot_normal(rng: np.random.Generator, shape: Shape, dtype: DTypeLike = np.float64) -> Array:
    """Normal with variance 2/(fan_in + fan_out); see `glorot_uniform`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> w = nn.initializers.glorot_normal(np.random.default_rng(0), (100, 50))
    >>> round(float(w.var() * 75), 1)
    1.0
    """
    return normal(rng, shape, dtype, std=sqrt(2 / sum(fans(shape))))


def he_uniform(rng: np.random.Generator, shape: Shape, dtype: DTypeLike = np.float64) -> Array:
    """Uniform with variance 2/fan_in, for relu and its like.

    K. He et al., "Delving deep into rectifiers" (2015).

    Examples
    --------
    >>> import numpy as np, nn
    >>> w = nn.initializers.he_uniform(np.random.default_rng(0), (100, 50))
    >>> round(float(w.var() * 50), 1)
    1.0
    """
    return uniform(rng, shape, dtype, limit=sqrt(6 / fans(shape)[0]))


def he_normal(rng: np.random.Generator, shape: Shape, dtype: DTypeLike = np.float64) -> Array:
    """Normal with variance 2/fan_in; see `he_uniform`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> w = nn.initializers.he_normal(np.random.default_rng(0), (100, 50))
    >>> round(float(w.var() * 50), 1)
    1.0
    """
    return normal(rng, shape, dtype, std=sqrt(2 / fans(shape)[0]))


def orthogonal(
    rng: np.random.Generator, shape: Shape, dtype: DTypeLike = np.float64, *, gain: float = 1.0
) -> Array:
    """A random matrix with orthonormal columns (or rows, if there are fewer), times ``gain``.

    Each entry has variance gain²/max(fan_in, fan_out).  A. Saxe et al., "Exact
    solutions to the nonlinear dynamics of learning in deep linear neural
    networks" (2014); drawn uniformly by the QR decomposition, with the signs
    of F. Mezzadri, "How to generate random matrices from the classical compact
    groups" (2007).

    Examples
    --------
    >>> import numpy as np, nn
    >>> w = nn.initializers.orthogonal(np.random.default_rng(0), (5, 3))
    >>> bool(np.allclose(w.T @ w, np.eye(3)))
    True
    """
    fans(shape)
    rows, columns = shape[0], int(np.prod(shape[1:]))
    draws = rng.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(draws)
    q *= np.sign(np.diag(r))
    matrix = q if rows >= columns else q.T
    return np.ascontiguousarray(gain * matrix.reshape(tuple(shape)), dtype)


def find_initializer(caller: str, given: Any) -> Initializer:
    """The initializer of that name; a function is returned as it is.

    Examples
    --------
    >>> import nn
    >>> nn.initializers.find_initializer("Linear", "he_normal").__name__
    'he_normal'
    """
    known = [name for name in __all__ if name not in ("Initializer", "for_activation")]
    found: Any = given
    if isinstance(given, str) and given.lower() in known:
        found = globals()[given.lower()]
    if not callable(found):
        raise ag.ArgumentValueError(
            f"{caller}: initializer is {given!r}; use one of {', '.join(known)}, or pass a "
            "function of a generator, a shape and a dtype"
        )
    function: Initializer = found
    return function


suitable: dict[str, Initializer] = {"prelu": he_normal}
"""The initializer of a layer by the activation that follows it, as each activation says."""


def for_activation(name: str | None) -> Initializer:
    """The initializer that suits a layer followed by this activation.

    He for the rectifiers, LeCun for selu (G. Klambauer et al.,
    "Self-normalizing neural networks", 2017), Glorot otherwise.

    Examples
    --------
    >>> import nn
    >>> nn.initializers.for_activation("relu").__name__
    'he_normal'
    """
    return glorot_uniform if name is None else suitable.get(name, glorot_uniform)
