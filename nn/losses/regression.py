"""Losses of numbers against numbers."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.checks import POSITIVE, check_range
from nn.losses.reduction import as_outputs, as_targets, between, loss, reduce

__all__ = ["cosine", "huber", "log_cosh", "mae", "mse", "poisson", "quadratic"]


def difference(prediction: Any, target: Any, caller: str) -> Any:
    """How far predictions are from their targets."""
    prediction = as_outputs(prediction, caller)
    return prediction - as_targets(prediction, target, caller)


@loss
def mse(prediction: Any, target: Any, *, reduction: str = "mean", sample_weight: Any = None) -> Any:
    """The mean squared error: (prediction - target)².

    Parameters
    ----------
    prediction, target : array_like
        Of the same shape, samples first.
    reduction : {"mean", "sum", "none"}
        What to do with the losses of the single outputs.
    sample_weight : array_like, shape (samples,), optional
        How much each sample counts.

    Returns
    -------
    Value or array
        A single number, or an array of the shape of ``prediction`` for "none".

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.mse(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    np.float64(2.0)
    """
    error = difference(prediction, target, "mse")
    return reduce(error * error, reduction, sample_weight, "mse")


@loss
def mae(prediction: Any, target: Any, *, reduction: str = "mean", sample_weight: Any = None) -> Any:
    """The mean absolute error: \\|prediction - target\\|.

    Parameters and result are those of `mse`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.mae(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    np.float64(1.0)
    """
    error = difference(prediction, target, "mae")
    return reduce(np.abs(error), reduction, sample_weight, "mae")


@loss
def huber(
    prediction: Any,
    target: Any,
    *,
    delta: float = 1.0,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Any:
    """Half the squared error up to ``delta``, and linear beyond: outliers count less.

    P. Huber, "Robust estimation of a location parameter" (1964).  Parameters
    and result are otherwise those of `mse`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.huber(np.array([0.0, 0.0]), np.array([1.0, 10.0]), reduction="none")
    array([0.5, 9.5])
    """
    check_range("huber", POSITIVE, delta=delta)
    error = difference(prediction, target, "huber")
    size = np.abs(error)
    each = np.where(size <= delta, 0.5 * error * error, delta * (size - 0.5 * delta))
    return reduce(each, reduction, sample_weight, "huber")


@ag.primitive(broadcasts=True, formula="log cosh x")
def log_cosh_of(x: Any) -> Any:
    """log1p(2 sinh²(x/2)) near 0, where log(2) would cancel; else |x| + log1p(exp(-2|x|)) - log(2).

    As 2 sinh²(x/2) = cosh(x) - 1.
    """
    size = np.abs(x)
    half = np.sinh(np.minimum(size, 1) / 2)
    return np.where(
        np.less(size, 1), np.log1p(2 * half * half), size + np.log1p(np.exp(-2 * size)) - log(2)
    )


log_cosh_of.defvjp(lambda g, out, x: g * np.tanh(x))


@loss
def log_cosh(
    prediction: Any, target: Any, *, reduction: str = "mean", sample_weight: Any = None
) -> Any:
    """log(cosh(prediction - target)): about half the square near 0, the size far away.

    Parameters and result are those of `mse`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.log_cosh(np.array([0.0, 1000.0]), np.zeros(2), reduction="none").round(3)
    array([  0.   , 999.307])
    """
    error = difference(prediction, target, "log_cosh")
    return reduce(log_cosh_of(error), reduction, sample_weight, "log_cosh")


@loss
def quadratic(
    prediction: Any, target: Any, *, reduction: str = "mean", sample_weight: Any = None
) -> Any:
    """Half the squared distance: ½‖prediction - target‖², one loss for each sample.

    The cost function of M. Nielsen, "Neural networks and deep learning" (2015).
    Parameters and result are otherwise those of `mse`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.quadratic(np.array([[3.0, 4.0]]), np.zeros((1, 2)))
    np.float64(12.5)
    """
    error = difference(prediction, target, "quadratic")
    each = 0.5 * np.sum(error * error, axis=tuple(range(1, error.ndim)))
    return reduce(each, reduction, sample_weight, "quadratic")


@loss
def poisson(
    log_rate: Any, counts: Any, *, reduction: str = "mean", sample_weight: Any = None
) -> Any:
    """The negative log-likelihood of counts whose expected number is exp(log_rate).

    Without the term log(counts!), which does not depend on the model.
    Parameters and result are otherwise those of `mse`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.poisson(np.log([2.0]), np.array([1.0])).round(4)
    np.float64(1.3069)
    """
    log_rate = as_outputs(log_rate, "poisson")
    counts = as_targets(log_rate, counts, "poisson")
    counts = between(counts, low=0.0, high=np.inf, what="poisson: the counts")
    return reduce(np.exp(log_rate) - counts * log_rate, reduction, sample_weight, "poisson")


@loss
def cosine(
    prediction: Any, target: Any, *, reduction: str = "mean", sample_weight: Any = None
) -> Any:
    """One minus the cosine of the angle between prediction and target, one for each sample.

    A vector of zeros counts as orthogonal to all others.  Parameters
    are those of `mse`; the vectors lie along the last axis.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.losses.cosine(np.array([[2.0, 0.0], [0.0, 3.0]]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    np.float64(0.5)
    """
    prediction = as_outputs(prediction, "cosine")
    target = as_targets(prediction, target, "cosine")
    u, v = direction(prediction), direction(target)
    away = u - v
    # Of unit vectors both are the same, and the one that cancels nothing is precise.
    each = np.where(
        np.logical_or(is_zero(u), is_zero(v)),
        1 - np.sum(u * v, axis=-1),
        0.5 * np.sum(away * away, axis=-1),
    )
    return reduce(each, reduction, sample_weight, "cosine")


def is_zero(x: Any) -> Any:
    """Which vectors along the last axis are zeros."""
    return np.all(np.equal(x, 0), axis=-1)


def direction(x: Any) -> Any:
    """Vectors along the last axis, divided by their lengths; zeros stay zeros.

    The size of the largest entry is taken out first, so that no square overflows or vanishes.
    A direction does not depend on it, so nothing is differentiated there.
    """
    largest = ag.stop_gradient(np.max(np.abs(x), axis=-1, keepdims=True, initial=0.0))
    x = x / np.where(largest == 0, 1, largest)
    squared_length = np.sum(x * x, axis=-1, keepdims=True)
    return x / np.sqrt(np.where(squared_length == 0, 1, squared_length))
