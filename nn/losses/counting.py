"""How much each sample counts in the mean of a loss of classes."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite as ag
from nn.checks import as_reals, unmasked
from nn.losses.labels import labels_to_rows
from nn.losses.reduction import alike, as_operand, between, losses, with_options

__all__ = [
    "checked_class_weight",
    "counted_share",
    "counts_samples",
    "target_probabilities",
    "with_counts",
]


COUNTING = ("class_weight", "ignore_index")
"""Options of losses by which samples count differently."""


def counts_samples(loss: Any) -> bool:
    """Whether samples count differently in the mean of a loss, beside their weights.

    So they do for an ``ignore_index`` or a ``class_weight`` that it was given beforehand.
    """
    found, options = with_options(loss)
    is_of_classes = found in (losses["cross_entropy"], losses["nll"])
    return is_of_classes and any(options.get(name) is not None for name in COUNTING)


def counted_share(loss: Any, outputs: Any, labels: Any, sample_weight: Any = None) -> Any:
    """By how much the samples of a batch count in the mean of such a loss, beside their weights.

    None if all do alike, as rows of probabilities do.
    """
    found, options = with_options(loss)
    chosen = [options.get(name) for name in COUNTING]
    _, _, counts = with_counts(outputs, labels, found.__name__, *chosen)
    if counts is None:
        return None
    by_sample = np.mean(np.reshape(counts, (np.shape(counts)[0], -1)), axis=1)
    if sample_weight is None:
        return np.mean(by_sample)
    weight = as_operand(sample_weight, by_sample)
    total = np.sum(weight)
    return np.sum(weight * by_sample) / np.where(total == 0, 1, total)


def with_counts(
    outputs: Any, labels: Any, caller: str, class_weight: Any, ignore_index: int | None
) -> tuple[Any, list[Any], Any]:
    """Targets as probabilities; by what their rows are multiplied; and how much each row counts.

    None instead of the last if all count alike in the mean.
    """
    factors, counts = [], None
    if ignore_index is not None:
        labels, counts = without_ignored(labels, ignore_index, outputs, caller)
        factors.append(counts[..., np.newaxis])
    targets = target_probabilities(labels, outputs, caller)
    if class_weight is not None:
        weights = checked_class_weight(class_weight, targets, caller)
        factors.append(weights)
        if np.shape(labels) != np.shape(outputs):
            by_class = targets @ weights
            counts = by_class if counts is None else counts * by_class
    return targets, factors, counts


def without_ignored(labels: Any, ignored: int, outputs: Any, caller: str) -> tuple[Any, Any]:
    """Labels with class 0 in the place of the ignored one, and which of them count."""
    if isinstance(ignored, bool) or not isinstance(ignored, int | np.integer):
        raise ag.ArgumentTypeError(
            f"{caller}: ignore_index is {ignored!r}; it must be an integer, a class number"
        )
    labels = labels if isinstance(labels, ag.Value) else np.asarray(unmasked(labels))
    labels = alike(labels, np.shape(outputs)[:-1])
    if np.shape(labels) == np.shape(outputs):
        raise ag.ArgumentValueError(
            f"{caller}: ignore_index is {ignored!r}, and the labels are probabilities; give class "
            "numbers, or a sample_weight of 0 to what does not count"
        )
    kept = np.not_equal(labels, ignored)
    return np.where(kept, labels, 0), as_operand(kept, outputs)


def target_probabilities(labels: Any, outputs: Any, caller: str) -> Any:
    """Targets as probabilities, one row for each sample, in the dtype of the outputs."""
    if np.ndim(outputs) < 2:
        raise ag.ArgumentValueError(
            f"{caller}: the logits have shape {np.shape(outputs)}; "
            "they must have shape (samples, classes)"
        )
    if np.shape(labels) == np.shape(outputs):
        return as_operand(labels, outputs)
    labels = alike(unmasked(labels), np.shape(outputs)[:-1])
    return labels_to_rows(labels, shape=np.shape(outputs), dtype=outputs.dtype, caller=caller)


def checked_class_weight(class_weight: Any, outputs: Any, caller: str) -> Any:
    """One weight for each class, in the dtype of the outputs."""
    weights = as_reals(f"{caller}: class_weight", class_weight, outputs.dtype)
    if weights.shape != outputs.shape[-1:]:
        raise ag.ArgumentValueError(
            f"{caller}: class_weight has shape {weights.shape}, but there are "
            f"{outputs.shape[-1]} classes; give one weight for each"
        )
    return between(weights, low=0.0, high=np.inf, what=f"{caller}: the numbers in class_weight")
