"""Losses of logits, scores or probabilities against classes."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite as ag
from nn.activations import log_softmax, relu, softplus
from nn.checks import FRACTION, check_range
from nn.losses.labels import decide, labels_to_rows, labels_to_signs
from nn.losses.reduction import as_operand, as_targets, between, loss, reduce

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
        How much the samples of each class count.
    label_smoothing : float
        The share of the probability that is spread evenly over all classes
        (C. Szegedy et al., "Rethinking the Inception architecture", 2016).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.cross_entropy(np.log([[0.25, 0.75]]), [1]).round(4)
    np.float64(0.2877)
    """
    options = (class_weight, label_smoothing, reduction, sample_weight)
    return negative_log_likelihood(log_softmax(logits), labels, "cross_entropy", *options)


@loss
def nll(
    log_probabilities: Any,
    labels: Any,
    *,
    class_weight: Any = None,
    label_smoothing: float = 0.0,
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
    options = (class_weight, label_smoothing, reduction, sample_weight)
    return negative_log_likelihood(log_probabilities, labels, "nll", *options)


def negative_log_likelihood(
    log_probabilities: Any,
    labels: Any,
    caller: str,
    class_weight: Any,
    label_smoothing: float,
    reduction: str,
    sample_weight: Any,
) -> Any:
    """What `cross_entropy` and `nll` have in common."""
    targets = target_probabilities(labels, log_probabilities, caller)
    check_range(caller, FRACTION, label_smoothing=label_smoothing)
    weights = combined_weight(sample_weight, class_weight, targets, caller)
    if label_smoothing:
        targets = (1 - label_smoothing) * targets + label_smoothing / targets.shape[-1]
    return reduce(-np.sum(targets * log_probabilities, axis=-1), reduction, weights, caller)


def target_probabilities(labels: Any, outputs: Any, caller: str) -> Any:
    """Targets as probabilities, one row for each sample, in the dtype of the outputs."""
    if np.ndim(outputs) < 2:
        raise ag.ArgumentValueError(
            f"{caller}: the logits have shape {np.shape(outputs)}; "
            "they must have shape (samples, classes)"
        )
    if np.shape(labels) == np.shape(outputs):
        return as_operand(labels, outputs)
    return labels_to_rows(labels, shape=np.shape(outputs), dtype=outputs.dtype, caller=caller)


def combined_weight(sample_weight: Any, class_weight: Any, targets: Any, caller: str) -> Any:
    """The weight of each sample: its own times that of its class; None if neither is given."""
    if class_weight is None:
        return sample_weight
    weights = targets @ checked_class_weight(class_weight, targets, caller)
    return weights if sample_weight is None else weights * as_operand(sample_weight, targets)


def checked_class_weight(class_weight: Any, outputs: Any, caller: str) -> Any:
    """One weight for each class, in the dtype of the outputs."""
    weights = np.asarray(class_weight, outputs.dtype)
    if weights.shape != outputs.shape[-1:]:
        raise ag.ArgumentValueError(
            f"{caller}: class_weight has shape {weights.shape}, but there are "
            f"{outputs.shape[-1]} classes; give one weight for each"
        )
    return weights


@loss
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

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.binary_cross_entropy(np.array([0.0, 1000.0]), np.array([1.0, 1.0])).round(4)
    np.float64(0.3466)
    """
    each = yes_no_losses(logits, labels, from_logits, "binary_cross_entropy")
    return reduce(each, reduction, sample_weight, "binary_cross_entropy")


def yes_no_losses(outputs: Any, labels: Any, from_logits: bool, caller: str) -> Any:
    """The negative log-likelihood of every yes or no."""
    targets = as_targets(outputs, labels, caller)
    targets = between(targets, low=0.0, high=1.0, what=f"{caller}: the labels")
    if from_logits:
        return softplus(outputs) - targets * outputs
    return -(targets * bounded_log(outputs) + (1 - targets) * bounded_log(1 - outputs))


def bounded_log(probability: Any) -> Any:
    """The logarithm, bounded below by that of the smallest normal number of the dtype."""
    smallest = np.finfo(probability.dtype).tiny.item()
    return np.log(np.where(probability < smallest, smallest, probability))


@loss
def multilabel(
    logits: Any,
    labels: Any,
    *,
    from_logits: bool = True,
    class_weight: Any = None,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Any:
    """The sum of `binary_cross_entropy` over several questions, one loss for each sample.

    Parameters
    ----------
    logits, labels, from_logits
        As for `binary_cross_entropy`; of shape (samples, questions).
    class_weight : array_like, shape (questions,), optional
        How much each question counts.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.multilabel(np.zeros((1, 2)), [[1, 0]]).round(4)
    np.float64(1.3863)
    """
    each = yes_no_losses(logits, labels, from_logits, "multilabel")
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
    p = as_targets(logits, probabilities, "kl_divergence")
    p = between(p, low=0.0, high=np.inf, what="kl_divergence: the probabilities")
    log_p = np.log(np.where(p == 0, 1, p))
    each = np.sum(p * (log_p - log_softmax(logits)), axis=-1)
    return reduce(each, reduction, sample_weight, "kl_divergence")


def margin(scores: Any, labels: Any, caller: str) -> Any:
    """How clearly the right class wins; negative where it loses.

    For a single score: the score, or minus the score for labels 0 and -1.  For
    several: the score of the right class minus the best of the others.
    """
    shape = np.shape(scores)
    if len(shape) == 2 and shape[1] > 1:
        right = labels_to_rows(labels, shape=shape, dtype=scores.dtype, caller=caller)
        others = np.max(np.where(right == 1, -np.inf, scores), axis=1)
        return np.sum(right * scores, axis=1) - others
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
    >>> nn.perceptron(np.array([0.5, 3.0, 1.0]), [1, 1, -1], reduction="none")
    array([0., 0., 1.])
    """
    each = relu(-margin(scores, labels, "perceptron"))
    return reduce(each, reduction, sample_weight, "perceptron")


@loss
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

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.zero_one(np.array([[2.0, 1.0], [0.0, 3.0]]), [0, 0])
    np.float64(0.5)
    """
    predicted, true = decide(outputs, labels, "zero_one")
    wrong = (predicted != true).astype(np.float64)
    return reduce(wrong, reduction, sample_weight, "zero_one")
