"""Losses: one number that says how wrong a model's outputs are.

All share three conventions.  The first axis counts samples.  ``reduction`` is
``"mean"`` over the samples (and over the outputs of each, where every output
has a loss of its own), ``"sum"``, or ``"none"``.  ``sample_weight`` holds one
weight for each sample; the mean is then the weighted mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite as ag
from nn.activations import log_softmax, softplus
from nn.labels import checked_labels, one_hot, plain, predicted_labels

__all__ = ["binary_cross_entropy", "cross_entropy", "huber", "mae", "mse", "zero_one"]


def reduced(loss: Any, reduction: str, sample_weight: Any, caller: str) -> Any:
    """Apply weights and reduction to an array of losses whose first axis counts samples."""
    if reduction not in ("mean", "sum", "none"):
        raise ag.ArgumentValueError(
            f"{caller}: reduction is {reduction!r}; use 'mean', 'sum' or 'none'"
        )
    if sample_weight is None:
        if reduction == "none":
            return loss
        return np.mean(loss) if reduction == "mean" else np.sum(loss)
    weight = np.asarray(sample_weight, loss.dtype)
    if weight.shape != loss.shape[:1]:
        raise ag.ArgumentValueError(
            f"{caller}: sample_weight has shape {weight.shape}, but there are {loss.shape[0]} "
            f"samples; give one weight for each, shape {loss.shape[:1]}"
        )
    if not (weight >= 0).all() or (reduction == "mean" and not weight.sum() > 0):
        raise ag.ArgumentValueError(
            f"{caller}: sample_weight must not be negative, NaN, or zero everywhere"
        )
    weighted = loss * weight.reshape(-1, *(1,) * (loss.ndim - 1))
    if reduction == "none":
        return weighted
    total = np.sum(weighted)
    if reduction == "sum":
        return total
    return total / (weight.sum() * (loss.size // loss.shape[0])).item()


def difference(prediction: Any, target: Any, caller: str) -> Any:
    """``prediction - target``, refused where broadcasting would pair the wrong numbers."""
    if not isinstance(target, ag.Value):
        target = np.asarray(target, None if isinstance(prediction, float) else prediction.dtype)
    if np.shape(prediction) != target.shape:
        raise ag.ArgumentValueError(
            f"{caller}: the prediction has shape {np.shape(prediction)}, but the target has "
            f"shape {target.shape}; reshape one so that both are equal"
        )
    return prediction - target


def mse(
    prediction: Any, target: Any, *, reduction: str = "mean", sample_weight: Any = None
) -> Any:
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

    Raises
    ------
    ArgumentValueError
        If the shapes differ.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.mse(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    np.float64(2.0)
    """
    error = difference(prediction, target, "mse")
    return reduced(error * error, reduction, sample_weight, "mse")


def mae(
    prediction: Any, target: Any, *, reduction: str = "mean", sample_weight: Any = None
) -> Any:
    """The mean absolute error: \\|prediction - target\\|.

    Parameters, result and errors are those of `mse`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.mae(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    np.float64(1.0)
    """
    error = difference(prediction, target, "mae")
    return reduced(np.abs(error), reduction, sample_weight, "mae")


def huber(
    prediction: Any,
    target: Any,
    *,
    delta: float = 1.0,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Any:
    """Half the squared error up to ``delta``, and linear beyond: outliers count less.

    P. Huber, "Robust estimation of a location parameter" (1964).  Parameters,
    result and errors are otherwise those of `mse`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.huber(np.array([0.0, 0.0]), np.array([1.0, 10.0]), reduction="none")
    array([0.5, 9.5])
    """
    check_positive("huber", "delta", delta)
    error = difference(prediction, target, "huber")
    size = np.abs(error)
    loss = np.where(size <= delta, 0.5 * error * error, delta * (size - 0.5 * delta))
    return reduced(loss, reduction, sample_weight, "huber")


def check_positive(caller: str, name: str, number: float) -> None:
    """Refuse a number that is not positive and finite."""
    if not 0 < number < float("inf"):
        raise ag.ArgumentValueError(f"{caller}: {name} is {number!r}; it must be positive")


def cross_entropy(
    logits: Any,
    labels: Any,
    *,
    class_weight: Any = None,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Any:
    """The negative log-likelihood of the labels under ``softmax(logits)``.

    Parameters
    ----------
    logits : array_like, shape (samples, classes)
        Outputs without a softmax.
    labels : array_like
        Class numbers of shape (samples,), or probabilities of shape (samples, classes).
    class_weight : array_like, shape (classes,), optional
        How much the samples of each class count.
    label_smoothing : float
        The share of the probability that is spread evenly over all classes
        (C. Szegedy et al., "Rethinking the Inception architecture", 2016).
    reduction, sample_weight
        As for `mse`; there is one loss for each sample.

    Returns
    -------
    Value or array
        A single number, or an array of shape (samples,) for "none".

    Raises
    ------
    ArgumentValueError
        If a label has no class, or the shapes do not fit.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.cross_entropy(np.log([[0.25, 0.75]]), [1]).round(4)
    np.float64(0.2877)
    """
    log_probabilities = log_softmax(logits)
    targets = target_probabilities(labels, log_probabilities, "cross_entropy")
    if not 0 <= label_smoothing < 1:
        raise ag.ArgumentValueError(
            f"cross_entropy: label_smoothing is {label_smoothing!r}; it must be in [0, 1)"
        )
    if label_smoothing:
        targets = (1 - label_smoothing) * targets + label_smoothing / targets.shape[-1]
    weights = combined_weight(sample_weight, class_weight, targets, "cross_entropy")
    loss = -np.sum(targets * log_probabilities, axis=-1)
    return reduced(loss, reduction, weights, "cross_entropy")


def target_probabilities(labels: Any, outputs: Any, caller: str) -> Any:
    """Targets as probabilities, one row for each sample, in the dtype of the outputs."""
    if np.ndim(outputs) < 2:
        raise ag.ArgumentValueError(
            f"{caller}: the logits have shape {np.shape(outputs)}; "
            "they must have shape (samples, classes)"
        )
    targets = plain(labels)
    if targets.shape == outputs.shape and targets.dtype.kind == "f":
        return np.asarray(targets, outputs.dtype)
    classes = checked_labels(targets, outputs.shape, caller)
    return one_hot(classes, outputs.shape[-1], outputs.dtype)


def combined_weight(
    sample_weight: Any, class_weight: Any, targets: Any, caller: str
) -> Any:
    """The weight of each sample: its own times that of its class; None if neither is given."""
    if class_weight is None:
        return sample_weight
    class_weight = np.asarray(class_weight, targets.dtype)
    if class_weight.shape != targets.shape[-1:]:
        raise ag.ArgumentValueError(
            f"{caller}: class_weight has shape {class_weight.shape}, but there are "
            f"{targets.shape[-1]} classes; give one weight for each"
        )
    weights = targets @ class_weight
    return weights if sample_weight is None else weights * np.asarray(sample_weight)


def binary_cross_entropy(
    logits: Any,
    labels: Any,
    *,
    from_logits: bool = True,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Any:
    """The negative log-likelihood of yes/no labels under ``sigmoid(logits)``.

    Parameters
    ----------
    logits : array_like
        Outputs without a sigmoid; several columns are several questions.
    labels : array_like
        Of the same shape: 0, 1, or probabilities between.
    from_logits : bool
        False if ``logits`` are probabilities already.
    reduction, sample_weight
        As for `mse`.

    Returns
    -------
    Value or array
        A single number, or an array of the shape of ``logits`` for "none".

    Raises
    ------
    ArgumentValueError
        If a label is outside [0, 1], or the shapes differ.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.binary_cross_entropy(np.array([0.0, 1000.0]), np.array([1.0, 1.0])).round(4)
    np.float64(0.3466)
    """
    caller = "binary_cross_entropy"
    targets = np.asarray(plain(labels), getattr(logits, "dtype", np.float64))
    if targets.shape != np.shape(logits):
        raise ag.ArgumentValueError(
            f"{caller}: the logits have shape {np.shape(logits)}, but the labels have shape "
            f"{targets.shape}; reshape one so that both are equal"
        )
    if targets.size and not (targets.min() >= 0 and targets.max() <= 1):
        raise ag.ArgumentValueError(
            f"{caller}: the labels go from {targets.min()} to {targets.max()}; "
            "they must be 0, 1 or probabilities between"
        )
    if from_logits:
        loss = softplus(logits) - targets * logits
    else:
        loss = -(cross_term(targets, logits) + cross_term(1 - targets, 1 - logits))
    return reduced(loss, reduction, sample_weight, caller)


def cross_term(target: Any, probability: Any) -> Any:
    """target · log(probability), and 0 where the target is 0."""
    return target * np.log(np.where(target == 0, 1, probability))


def zero_one(
    outputs: Any, labels: Any, *, reduction: str = "mean", sample_weight: Any = None
) -> Any:
    """The share of samples whose predicted class is wrong; it has no useful gradient.

    Parameters
    ----------
    outputs : array_like
        Logits of shape (samples, classes), or of shape (samples,) or
        (samples, 1) where a positive logit stands for class 1.
    labels : array_like, shape (samples,)
        Class numbers; a trailing axis of length 1 is allowed.
    reduction, sample_weight
        As for `mse`; there is one loss for each sample.

    Returns
    -------
    float or array

    Raises
    ------
    ArgumentValueError
        If there is not one label for each sample.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.zero_one(np.array([[2.0, 1.0], [0.0, 3.0]]), [0, 0])
    np.float64(0.5)
    """
    predicted = predicted_labels(outputs)
    labels = plain(labels)
    if labels.ndim > predicted.ndim and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if labels.shape != predicted.shape:
        raise ag.ArgumentValueError(
            f"zero_one: the labels have shape {labels.shape}, but there are predictions of shape "
            f"{predicted.shape}; give one label for each sample"
        )
    wrong = (predicted != labels).astype(np.float64)
    return reduced(wrong, reduction, sample_weight, "zero_one")
