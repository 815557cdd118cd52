"""Metrics: numbers that say how good a model's outputs are, for people to read.

Each takes outputs and targets as the losses do: logits of shape (samples,
classes), or single logits whose sign decides, against class numbers (also 0 and 1
or -1 and 1 for single ones, one-hot rows for several); or predictions against
numbers of the same shape.  A single output is a probability where
``from_logits=False``; `fit` says so of a loss that was told so, and of outputs whose
operations give nothing but numbers from 0 to 1, such as a sigmoid.  None of them is
differentiated.  The numbers are scikit-learn's.  Each has an attribute
``larger_is_better``, which callbacks go by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

import autograd_lite as ag
from nn.activations import log_softmax
from nn.checks import as_floats, check_counts, check_size
from nn.losses import losses
from nn.losses.labels import (
    check_real,
    class_numbers,
    decide,
    has_columns,
    is_distribution,
    plain,
    without_nan,
)
from nn.registry import Registry

__all__ = [
    "OneClassError",
    "accuracy",
    "confusion_matrix",
    "f1",
    "mae",
    "metrics",
    "precision",
    "r2",
    "recall",
    "rmse",
    "roc_auc",
    "top_k_accuracy",
]


class OneClassError(ag.ArgumentValueError):
    """There is no sample of a class, of those that a metric is about."""


Array = np.ndarray[Any, Any]
Function = TypeVar("Function", bound=Callable[..., Any])

metrics = Registry("metric")
"""The metrics that are a single number, by name, as `fit` takes them."""


def metric(function: Function) -> Function:
    """Register a metric of which less is better."""
    function.larger_is_better = False  # type: ignore[attr-defined]
    return metrics.register(function)


def score(function: Function) -> Function:
    """Register a metric of which more is better."""
    function.larger_is_better = True  # type: ignore[attr-defined]
    return metrics.register(function)


Metric = str | Callable[..., Any]
Metrics = Metric | Sequence[Metric] | Mapping[str, Metric]


def metrics_by_name(chosen: Metrics) -> dict[str, Callable[..., Any]]:
    """The chosen metrics by name, whether they were chosen by name or as functions."""
    if isinstance(chosen, str) or callable(chosen):
        chosen = [chosen]
    if not isinstance(chosen, Iterable):
        raise ag.ArgumentTypeError(
            f"metrics is {chosen!r}; pass functions or names of metrics, in a list or a dict"
        )
    if not isinstance(chosen, Mapping):
        chosen = by_names(chosen)
    return {name: find_metric(one) for name, one in chosen.items()}


def by_names(chosen: Iterable[Metric]) -> dict[str, Metric]:
    """Metrics by their own names, no two of which may be alike."""
    found: dict[str, Metric] = {}
    for one in chosen:
        name = one if isinstance(one, str) else getattr(one, "__name__", repr(one))
        if name in found and found[name] is not one:
            raise name_taken(name)
        found[name] = one
    return found


def name_taken(name: str) -> ag.ArgumentValueError:
    """The error for two metrics of one name."""
    return ag.ArgumentValueError(
        f"metrics: two are called {name!r}, and a history has one column of a name; pass a dict, "
        "metrics={'name': function}, with a name for each"
    )


def find_metric(given: Metric) -> Callable[..., Any]:
    """The metric of that name, or the loss; a function is returned as it is."""
    if isinstance(given, str) and given not in metrics and given in losses:
        return losses[given]
    return metrics.find(given)


def decisions(outputs: Any, labels: Any, caller: str, from_logits: bool) -> tuple[Array, Array]:
    """Predicted and true class numbers, as flat arrays of the same length."""
    predicted, true = decide(outputs, labels, caller, from_logits)
    if not predicted.size:
        raise ag.ArgumentValueError(f"{caller}: there are no samples; give at least one")
    return predicted.ravel(), true.ravel()


def paired_numbers(outputs: Any, targets: Any, caller: str) -> tuple[Array, Array]:
    """Predictions and targets as float64 arrays of the same shape."""
    for what, given in (("outputs", outputs), ("targets", targets)):
        check_real(plain(given), caller, what)
    predictions, numbers = plain(outputs).astype(np.float64), plain(targets).astype(np.float64)
    if {predictions.ndim, numbers.ndim} == {1, 2}:  # a column and as many single numbers
        predictions, numbers = (
            x[:, 0] if x.ndim == 2 and x.shape[1] == 1 else x for x in (predictions, numbers)
        )
    if predictions.shape != numbers.shape or not numbers.size or not numbers.ndim:
        raise ag.ArgumentValueError(
            f"{caller}: the outputs have shape {predictions.shape}, but the targets have shape "
            f"{numbers.shape}; both must be equal and not empty, samples first"
        )
    return predictions, numbers


@score
def accuracy(outputs: Any, labels: Any, *, from_logits: bool = True) -> float:
    """The share of samples whose class is right.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.metrics.accuracy(np.array([[2.0, 1.0], [0.0, 3.0]]), [0, 0])
    0.5
    """
    predicted, true = decisions(outputs, labels, "accuracy", from_logits)
    return float(np.mean(predicted == true))


@score
def top_k_accuracy(outputs: Any, labels: Any, *, k: int = 5) -> float:
    """The share of samples whose class is among the ``k`` with the largest outputs.

    A class that ties with the last of them counts as among them.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.metrics.top_k_accuracy(np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]]), [1, 2], k=2)
    0.5
    """
    check_counts("top_k_accuracy", k=k)
    scores = without_nan(outputs, "top_k_accuracy")
    if scores.ndim != 2 or not 1 <= k <= scores.shape[1] or not scores.size:
        raise ag.ArgumentValueError(
            f"top_k_accuracy: the outputs have shape {scores.shape}, and k is {k}; outputs of "
            "shape (samples, classes) are needed, and k up to classes"
        )
    true = class_numbers(labels, scores.shape, "top_k_accuracy")
    own = np.take_along_axis(scores, true[:, np.newaxis], axis=1)
    return float(np.mean(np.sum(scores > own, axis=1) < k))


def confusion_matrix(
    outputs: Any, labels: Any, *, n_classes: int | None = None, from_logits: bool = True
) -> Array:
    """How often each class (row) was taken for each class (column).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.metrics.confusion_matrix(np.array([[2.0, 1.0], [0.0, 3.0]]), [0, 0])
    array([[1, 1],
           [0, 0]])
    """
    return count_pairs(outputs, labels, from_logits, "confusion_matrix", n_classes)


def count_pairs(
    outputs: Any, labels: Any, from_logits: bool, caller: str, n_classes: int | None = None
) -> Array:
    """The confusion matrix, as a metric of another name needs it."""
    predicted, true = decisions(outputs, labels, caller, from_logits)
    needed = int(max(predicted.max(), true.max())) + 1
    size = needed if n_classes is None else check_size(caller, "n_classes", n_classes)
    if size < needed:
        raise ag.ArgumentValueError(
            f"{caller}: n_classes is {n_classes!r}, but there are classes up to "
            f"{needed - 1}; pass {needed} or more"
        )
    counts = np.zeros((size, size), np.int64)
    np.add.at(counts, (true, predicted), 1)
    return counts


def class_counts(
    outputs: Any, labels: Any, from_logits: bool, caller: str
) -> tuple[Array, Array, Array]:
    """For each class that counts: hits, predictions, and occurrences.

    Of two classes only class 1 counts; of more, all that occur or were predicted.
    """
    matrix = count_pairs(outputs, labels, from_logits, caller)
    hits, predictions, occurrences = matrix.diagonal(), matrix.sum(axis=0), matrix.sum(axis=1)
    if np.ndim(outputs) < 2 or np.shape(outputs)[-1] <= 2:
        kept = np.arange(len(matrix)) == 1
        if not kept.any():
            return tuple(np.zeros(1, np.int64) for _ in range(3))  # type: ignore[return-value]
    else:
        kept = predictions + occurrences > 0
    return hits[kept], predictions[kept], occurrences[kept]


def ratio(numerator: Array, denominator: Array) -> float:
    """The mean over classes of a ratio that is 0 where it is 0/0."""
    return float(np.mean(numerator / np.where(denominator == 0, 1, denominator)))


@score
def precision(outputs: Any, labels: Any, *, from_logits: bool = True) -> float:
    """Of the samples taken for class 1, the share that is; the mean over classes of several.

    0 for a class that was never predicted.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.metrics.precision(np.array([2.0, 1.0, -1.0, -3.0]), [1, 0, 1, 0])
    0.5
    """
    hits, predictions, _ = class_counts(outputs, labels, from_logits, "precision")
    return ratio(hits, predictions)


@score
def recall(outputs: Any, labels: Any, *, from_logits: bool = True) -> float:
    """Of the samples of class 1, the share that was found; the mean over classes of several.

    0 for a class that never occurs.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.metrics.recall(np.array([2.0, 1.0, -1.0, -3.0]), [1, 0, 1, 0])
    0.5
    """
    hits, _, occurrences = class_counts(outputs, labels, from_logits, "recall")
    return ratio(hits, occurrences)


@score
def f1(outputs: Any, labels: Any, *, from_logits: bool = True) -> float:
    """The harmonic mean of `precision` and `recall`; the mean over classes of several.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.metrics.f1(np.array([2.0, 1.0, -1.0, -3.0]), [1, 0, 1, 0])
    0.5
    """
    hits, predictions, occurrences = class_counts(outputs, labels, from_logits, "f1")
    return ratio(2 * hits, predictions + occurrences)


@score
def roc_auc(outputs: Any, labels: Any) -> float:
    """The probability that a sample of class 1 has a larger output than one of class 0.

    A tie counts one half, so that this is the area under the ROC curve
    (J. Hanley, B. McNeil 1982).  Logits of two columns count by their
    difference, probabilities by the second; for more columns it is the mean over
    classes of one against all others, by their probabilities: the softmax of logits, or
    rows that are probabilities.  Without a sample of each class, and for infinite logits
    of which no probabilities follow, it raises an `ArgumentValueError`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.metrics.roc_auc(np.array([0.1, 0.4, 0.35, 0.8]), [0, 0, 1, 1])
    0.75
    """
    scores = as_floats(without_nan(outputs, "roc_auc"))
    true = class_numbers(labels, scores.shape, "roc_auc").ravel()
    if not has_columns(scores.shape):
        return area_under_curve(scores.ravel(), true == 1)
    scores = scores.reshape(-1, scores.shape[-1])
    if not is_distribution(scores):
        with np.errstate(invalid="ignore"):  # ∞ - ∞ is found below
            scores = log_odds(scores) if scores.shape[-1] == 2 else log_probabilities(scores)
    if np.isnan(scores).any():
        row = int(np.argwhere(np.isnan(scores))[0, 0])
        raise ag.ArgumentValueError(
            f"roc_auc: row {row} of the outputs holds infinities that give no probabilities; bound "
            "them, as np.clip(outputs, -1e9, 1e9) does"
        )
    if scores.shape[-1] == 2:
        return area_under_curve(scores[:, 1], true == 1)
    return float(
        np.mean([area_under_curve(scores[:, c], true == c) for c in range(scores.shape[-1])])
    )


def log_odds(logits: Array) -> Array:
    """The logarithms of the odds of each of two classes, in float64, where none of float32 ties."""
    for_second = logits[:, 1].astype(np.float64) - logits[:, 0]
    return np.stack([-for_second, for_second], axis=1)


def log_probabilities(logits: Array) -> Array:
    """``log_softmax`` that sums each row by size: rows of the same numbers tie to the last bit."""
    order = np.argsort(logits, axis=-1)
    found = np.empty(logits.shape)
    rows = log_softmax(np.take_along_axis(logits, order, axis=-1))
    np.put_along_axis(found, order, rows, axis=-1)
    return found


def area_under_curve(scores: Array, positive: Array) -> float:
    """The area under the ROC curve, from the ranks of the positive samples."""
    n_positive = int(np.count_nonzero(positive))
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        raise OneClassError(
            f"roc_auc: there are {n_positive} samples of a class and {n_negative} of the others; "
            "both are needed"
        )
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[inverse]
    wins = ranks[positive].sum() - n_positive * (n_positive + 1) / 2
    return float(wins / (n_positive * n_negative))


def scaled(numbers: Array) -> tuple[Array, Array]:
    """Numbers of at most 1 in size, whose squares neither overflow nor vanish, and their unit."""
    largest = np.max(np.abs(numbers), axis=0)
    unit = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    return numbers / unit, unit


@metric
def rmse(outputs: Any, targets: Any) -> float:
    """The root of the mean squared error; the mean over several outputs.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.metrics.rmse(np.array([3.0, 0.0]), np.array([0.0, 3.0]))
    3.0
    """
    predictions, numbers = paired_numbers(outputs, targets, "rmse")
    errors, unit = scaled(predictions - numbers)
    return float(np.mean(unit * np.sqrt(np.mean(np.square(errors), axis=0))))


@metric
def mae(outputs: Any, targets: Any) -> float:
    """The mean absolute error.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.metrics.mae(np.array([3.0, 0.0]), np.array([0.0, 1.0]))
    2.0
    """
    predictions, numbers = paired_numbers(outputs, targets, "mae")
    return float(np.mean(np.abs(predictions - numbers)))


@score
def r2(outputs: Any, targets: Any) -> float:
    """The share of the variance that is explained; 0 for always predicting the mean.

    The mean over several outputs.  Where a target is constant it is 1 if the
    prediction is exact and 0 otherwise.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.metrics.r2(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0])).__round__(4)
    0.7857
    """
    predictions, numbers = paired_numbers(outputs, targets, "r2")
    residuals, unit_of_residuals = scaled(predictions - numbers)
    deviations, unit = scaled(numbers - numbers.mean(axis=0))
    residual, total = np.sum(np.square(residuals), axis=0), np.sum(np.square(deviations), axis=0)
    total = np.where(np.all(numbers == numbers[0], axis=0), 0.0, total)  # 3 · 0.1 / 3 is not 0.1
    constant = np.where(residual == 0, 1.0, 0.0)
    explained = 1 - residual / np.where(total == 0, 1, total) * np.square(unit_of_residuals / unit)
    return float(np.mean(np.where(total == 0, constant, explained)))


metrics_of_classes = (accuracy, confusion_matrix, f1, precision, recall, roc_auc, top_k_accuracy)
"""Those that compare the class which an output decides for with the true one."""
