"""Losses of logits, scores or probabilities against classes."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite as ag
from nn.activations import log_softmax, relu, softplus
from nn.checks import FRACTION, check_flags, check_range, unmasked
from nn.losses.counting import checked_class_weight, with_counts
from nn.losses.labels import as_labels, decide, labels_to_rows, labels_to_signs
from nn.losses.reduction import (
    alike,
    as_operand,
    as_outputs,
    as_targets,
    between,
    loss,
    reduce,
)

__all__ = [
    "binary_cross_entropy",
    "cross_entropy",
    "hinge",
    "kl_divergence",
    "multilabel",
    "nll",
    "perceptron",
    "squared_hinge",
    "zero_one",
]


@loss
def cross_entropy(
    logits: Any,
    labels: Any,
    *,
    class_weight: Any = None,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Any:
    """The negative log-likelihood of the labels under ``softmax(logits)``, one for each sample.

    Parameters
    ----------
    logits : array_like, shape (samples, classes)
        Outputs without a softmax.
    labels : array_like
        Class numbers of shape (samples,), or probabilities of shape (samples, classes).
    class_weight : array_like, shape (classes,), optional
        How much each class counts.  The mean over class numbers counts samples by the weights of
        their classes, that over probabilities counts all alike, as PyTorch's do.
    label_smoothing : float
        The share of the probability that is spread evenly over all classes
        (C. Szegedy et al., "Rethinking the Inception architecture", 2016).
    ignore_index : int, optional
        A class number whose samples do not count, such as that of padding; the mean is over
        the others, and 0 if there are none.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.cross_entropy(np.log([[0.25, 0.75]]), [1]).round(4)
    np.float64(0.2877)
    """
    options = (class_weight, label_smoothing, ignore_index, reduction, sample_weight)
    logits = as_outputs(logits, "cross_entropy")
    return negative_log_likelihood(log_softmax(logits), labels, "cross_entropy", *options)


@loss
def nll(
    log_probabilities: Any,
    labels: Any,
    *,
    class_weight: Any = None,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Any:
    """The negative log-likelihood of the labels, for models that end in a log_softmax.

    Parameters and result are otherwise those of `cross_entropy`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.nll(np.log([[0.25, 0.75]]), [1]).round(4)
    np.float64(0.2877)
    """
    options = (class_weight, label_smoothing, ignore_index, reduction, sample_weight)
    log_probabilities = as_outputs(log_probabilities, "nll")
    return negative_log_likelihood(log_probabilities, labels, "nll", *options)


def negative_log_likelihood(
    log_probabilities: Any,
    labels: Any,
    caller: str,
    class_weight: Any,
    label_smoothing: float,
    ignore_index: int | None,
    reduction: str,
    sample_weight: Any,
) -> Any:
    """What `cross_entropy` and `nll` have in common."""
    check_range(caller, FRACTION, label_smoothing=label_smoothing)
    labels = labels if isinstance(labels, dict) else as_labels(labels)
    shape = np.shape(log_probabilities)
    are_numbers = len(shape) > 1 and np.shape(labels) != shape
    if are_numbers and class_weight is None and ignore_index is None and not label_smoothing:
        labels = alike(unmasked(labels), shape[:-1])
        is_right = labels_to_rows(labels, shape=shape, dtype=np.bool_, caller=caller)
        each = -np.sum(np.where(is_right, log_probabilities, 0), axis=-1)
        return reduce(each, reduction, sample_weight, caller)
    targets, factors, counts = with_counts(
        log_probabilities, labels, caller, class_weight, ignore_index
    )
    if label_smoothing:
        targets = (1 - label_smoothing) * targets + label_smoothing / targets.shape[-1]
    for factor in factors:
        targets = targets * factor
    each = -np.sum(weighted(targets, log_probabilities), axis=-1)
    return reduce(each, reduction, sample_weight, caller, counts)


def weighted(p: Any, x: Any) -> Any:
    """p · x, which is 0 where p is, also for the infinite logarithm of what cannot be."""
    return p * np.where(p == 0, 0, x)


@loss
def binary_cross_entropy(
    logits: Any,
    labels: Any,
    *,
    from_logits: bool = True,
    pos_weight: Any = None,
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
    pos_weight : float or array_like, shape (questions,), optional
        How much a yes counts beside a no, for each question.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.binary_cross_entropy(np.array([0.0, 1000.0]), np.array([1.0, 1.0])).round(4)
    np.float64(0.3466)
    """
    each = yes_no_losses(logits, labels, from_logits, pos_weight, "binary_cross_entropy")
    return reduce(each, reduction, sample_weight, "binary_cross_entropy")


def yes_no_losses(
    outputs: Any, labels: Any, from_logits: bool, pos_weight: Any, caller: str
) -> Any:
    """The negative log-likelihood of every yes or no."""
    outputs = as_outputs(outputs, caller)
    targets = as_targets(outputs, labels, caller)
    targets = between(targets, low=0.0, high=1.0, what=f"{caller}: the labels")
    yes = targets
    if pos_weight is not None:
        yes = checked_pos_weight(pos_weight, targets, caller) * targets
    check_flags(caller, from_logits=from_logits)
    if from_logits:  # nothing is subtracted, so that small losses are precise
        return yes * softplus(-outputs) + (1 - targets) * softplus(outputs)
    outputs = as_probabilities(outputs, caller=caller)
    return -(yes * bounded_log(outputs) + (1 - targets) * bounded_log_of_opposite(outputs))


def checked_pos_weight(pos_weight: Any, targets: Any, caller: str) -> Any:
    """One weight of a yes, or one for each question."""
    weight = as_operand(pos_weight, targets)
    if weight.shape not in ((), (1,), targets.shape[-1:] if targets.ndim > 1 else ()):
        raise ag.ArgumentValueError(
            f"{caller}: pos_weight has shape {weight.shape}, but the labels have shape "
            f"{targets.shape}; give one number, or one for each question, the last axis"
        )
    return between(weight, low=0.0, high=np.inf, what=f"{caller}: the numbers in pos_weight")


@ag.primitive
def as_probabilities(x: Any, *, caller: str) -> Any:
    """``x`` itself, refused if a number in it is less than 0 or more than 1; NaN stays NaN."""
    outside = np.logical_or(np.less(x, 0), np.greater(x, 1))
    if np.any(outside):
        odd = np.asarray(x)[np.asarray(outside)]
        raise ag.ArgumentValueError(
            f"{caller}: the probabilities hold {odd[0]:g}; they must be from 0 to 1, as a sigmoid "
            "gives them: logits go with from_logits=True"
        )
    return x


as_probabilities.defvjp(lambda g, out, x, caller: g)


@ag.primitive
def bounded_log(probability: Any) -> Any:
    """The logarithm, not below -100; its slope is bounded too, so that 0 is pulled away from 0.

    The bounds are those of PyTorch.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.maximum(np.log(probability), np.asarray(-100, probability.dtype))


bounded_log.defvjp(lambda g, out, probability: g / np.maximum(probability, 1e-12))


@ag.primitive
def bounded_log_of_opposite(probability: Any) -> Any:
    """`bounded_log` of 1 - probability, precise where that is rounded to 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.maximum(np.log1p(-probability), np.asarray(-100, probability.dtype))


bounded_log_of_opposite.defvjp(lambda g, out, probability: -g / np.maximum(1 - probability, 1e-12))


@loss
def multilabel(
    logits: Any,
    labels: Any,
    *,
    from_logits: bool = True,
    pos_weight: Any = None,
    class_weight: Any = None,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Any:
    """The sum of `binary_cross_entropy` over several questions, one loss for each sample.

    Parameters
    ----------
    logits, labels, from_logits, pos_weight
        As for `binary_cross_entropy`; of shape (samples, questions).
    class_weight : array_like, shape (questions,), optional
        How much each question counts.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.multilabel(np.zeros((1, 2)), [[1, 0]]).round(4)
    np.float64(1.3863)
    """
    each = yes_no_losses(logits, labels, from_logits, pos_weight, "multilabel")
    if class_weight is not None:
        each = each * checked_class_weight(class_weight, each, "multilabel")
    return reduce(np.sum(each, axis=-1), reduction, sample_weight, "multilabel")


@loss
def kl_divergence(
    logits: Any, probabilities: Any, *, reduction: str = "mean", sample_weight: Any = None
) -> Any:
    """The Kullback-Leibler divergence of ``softmax(logits)`` from target probabilities.

    Σ p · (log p - log softmax(logits)), one loss for each sample; it differs from
    `cross_entropy` by the entropy of the targets and is 0 where both agree.

    Parameters
    ----------
    logits, probabilities : array_like, shape (samples, classes)
        Outputs without a softmax, and targets that are not negative.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.kl_divergence(np.log([[0.25, 0.75]]), np.array([[0.25, 0.75]])).round(12)
    np.float64(0.0)
    """
    logits = as_outputs(logits, "kl_divergence")
    p = as_targets(logits, probabilities, "kl_divergence")
    p = between(p, low=0.0, high=np.inf, what="kl_divergence: the probabilities")
    log_p = np.log(np.where(p == 0, 1, p))
    each = np.sum(weighted(p, log_p - log_softmax(logits)), axis=-1)
    return reduce(each, reduction, sample_weight, "kl_divergence")


def margin(scores: Any, labels: Any, caller: str) -> Any:
    """How clearly the right class wins; negative where it loses.

    For a single score: the score, or minus the score for labels 0 and -1.  For
    several: the score of the right class minus the best of the others.
    """
    scores, labels = as_outputs(scores, caller), as_labels(labels)
    shape = np.shape(scores)
    if len(shape) == 2 and shape[1] > 1:
        right = labels_to_rows(labels, shape=shape, dtype=scores.dtype, caller=caller)
        others = np.max(np.where(right == 1, -np.inf, scores), axis=1)
        return np.sum(weighted(right, scores), axis=1) - others
    labels = alike(labels, shape)
    if np.shape(labels) != shape:
        raise ag.ArgumentValueError(
            f"{caller}: the scores have shape {shape}, but the labels have shape "
            f"{np.shape(labels)}; reshape one so that both are equal"
        )
    return scores * labels_to_signs(labels, dtype=scores.dtype, caller=caller)


@loss
def hinge(scores: Any, labels: Any, *, reduction: str = "mean", sample_weight: Any = None) -> Any:
    """What is missing for a margin of 1: max(0, 1 - margin), the loss of support vector machines.

    Parameters
    ----------
    scores : array_like
        One score for each sample, or of shape (samples, classes) (K. Crammer,
        Y. Singer, "On the algorithmic implementation of multiclass
        kernel-based vector machines", 2001).
    labels : array_like
        Of the shape of single scores, 0 and 1 or -1 and 1; or class numbers of
        shape (samples,).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.hinge(np.array([0.5, 3.0, 1.0]), [1, 1, -1], reduction="none")
    array([0.5, 0. , 2. ])
    """
    each = relu(1 - margin(scores, labels, "hinge"))
    return reduce(each, reduction, sample_weight, "hinge")


@loss
def squared_hinge(
    scores: Any, labels: Any, *, reduction: str = "mean", sample_weight: Any = None
) -> Any:
    """The square of `hinge`, which is smooth; arguments are the same.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.squared_hinge(np.array([0.5, 3.0, 1.0]), [1, 1, -1], reduction="none")
    array([0.25, 0.  , 4.  ])
    """
    missing = relu(1 - margin(scores, labels, "squared_hinge"))
    return reduce(missing * missing, reduction, sample_weight, "squared_hinge")


@loss
def perceptron(
    scores: Any, labels: Any, *, reduction: str = "mean", sample_weight: Any = None
) -> Any:
    """How far wrong decisions are: max(0, -margin); arguments are those of `hinge`.

    Gradient descent on it, sample by sample, is Rosenblatt's rule.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.losses.perceptron(np.array([0.5, 3.0, 1.0]), [1, 1, -1], reduction="none")
    array([0., 0., 1.])
    """
    each = relu(-margin(scores, labels, "perceptron"))
    return reduce(each, reduction, sample_weight, "perceptron")


@loss
def zero_one(
    outputs: Any,
    labels: Any,
    *,
    from_logits: bool = True,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Any:
    """The share of samples whose predicted class is wrong; it has no useful gradient.

    Parameters
    ----------
    outputs : array_like
        Logits of shape (samples, classes), or of shape (samples,) or
        (samples, 1) where a positive logit stands for class 1.
    labels : array_like, shape (samples,)
        Class numbers; a trailing axis of length 1 is allowed, and one-hot rows.
    from_logits : bool
        False if a single output is a probability.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.zero_one(np.array([[2.0, 1.0], [0.0, 3.0]]), [0, 0])
    np.float64(0.5)
    """
    predicted, true = decide(outputs, labels, "zero_one", from_logits)
    wrong = (predicted != true).astype(np.float64)
    return reduce(wrong, reduction, sample_weight, "zero_one")
