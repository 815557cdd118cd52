"""What the estimators minimize: the loss of a batch and a penalty, weighed as scikit-learn does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.losses import binary_cross_entropy, cross_entropy, losses, poisson, quadratic
from nn.losses.reduction import reduce
from nn.models.containers import Sequential
from nn.models.layers import Linear

__all__ = ["LOGARITHMIC", "Objective", "linear_layers", "loss_function"]

LOGARITHMIC = {"cross_entropy", "log_loss", "nll"}
"""Three names of one loss: the outputs are always logits here."""


@dataclass(frozen=True)
class Objective:
    """The mean loss over a batch, and ½ · alpha · Σw² over the sum of its weights.

    Called with outputs and targets, or with outputs and a pair of targets and sample weights.
    """

    loss: Callable[..., Any]
    alpha: float
    model: Sequential

    def __call__(self, outputs: Any, targets: Any) -> Any:
        targets, weight = targets if isinstance(targets, tuple) else (targets, None)
        options = {} if weight is None else {"sample_weight": weight}
        loss = self.loss(outputs, targets, **options)
        total = outputs.shape[0] if weight is None else np.sum(weight)
        total = np.where(total == 0, 1, total)
        squares = sum(np.sum(layer.weight * layer.weight) for layer in linear_layers(self.model))
        return loss + 0.5 * self.alpha / total * squares


def linear_layers(model: Sequential) -> list[Any]:
    """The layers with weights, from the inputs to the outputs."""
    return [layer for layer in model if isinstance(layer, Linear)]


def loss_function(name: Any, out_activation: str) -> Callable[..., Any]:
    """The loss of that name in scikit-learn or `nn.losses`, or the function itself."""
    if name in LOGARITHMIC:
        return bounded_cross_entropy if out_activation == "softmax" else bounded_multilabel
    if name == "squared_error":
        return quadratic
    if name == "poisson":
        return half_poisson_deviance
    return losses.find(name)


@ag.primitive
def bounded(losses: Any) -> Any:
    """Losses as scikit-learn counts them: no probability is less than the rounding of 1.

    The gradient is, here and there, that without the bound.
    """
    eps = np.finfo(losses.dtype).eps
    return np.clip(losses, -np.log1p(-eps), -np.log(eps))


bounded.defvjp(lambda g, out, losses: g)


def bounded_cross_entropy(logits: Any, labels: Any, *, sample_weight: Any = None) -> Any:
    """`cross_entropy` of class numbers, with a bound for each sample."""
    each = bounded(cross_entropy(logits, labels, reduction="none"))
    return reduce(each, "mean", sample_weight, "cross_entropy")


def bounded_multilabel(logits: Any, labels: Any, *, sample_weight: Any = None) -> Any:
    """`multilabel`, with a bound for each question."""
    each = bounded(binary_cross_entropy(logits, labels, reduction="none"))
    return reduce(np.sum(each, axis=-1), "mean", sample_weight, "multilabel")


def half_poisson_deviance(log_rate: Any, counts: Any, *, sample_weight: Any = None) -> Any:
    """Half the deviance of counts whose expected number is exp(log_rate), one for each sample."""
    perfect = counts - counts * np.log(np.where(counts == 0, 1, counts))
    each = poisson(log_rate, counts, reduction="none") - perfect
    return reduce(np.sum(each, axis=1), "mean", sample_weight, "poisson")
