"""Losses: one number that says how wrong a model's outputs are.

All share three conventions.  The first axis counts samples.  ``reduction`` is
``"mean"`` over the samples (and over the outputs of each, where every output
has a loss of its own), ``"sum"``, or ``"none"``.  ``sample_weight`` holds one
weight for each sample; the mean is then the weighted mean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nn.losses.classification import (
    binary_cross_entropy,
    cross_entropy,
    hinge,
    kl_divergence,
    multilabel,
    nll,
    perceptron,
    squared_hinge,
    zero_one,
)
from nn.losses.regression import cosine, huber, log_cosh, mae, mse, poisson, quadratic

__all__ = [
    "binary_cross_entropy",
    "cosine",
    "cross_entropy",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "losses",
    "mae",
    "mse",
    "multilabel",
    "nll",
    "perceptron",
    "poisson",
    "quadratic",
    "squared_hinge",
    "zero_one",
]

losses: dict[str, Callable[..., Any]] = {
    loss.__name__: loss
    for loss in (
        mse,
        mae,
        huber,
        log_cosh,
        quadratic,
        poisson,
        cosine,
        cross_entropy,
        nll,
        binary_cross_entropy,
        multilabel,
        kl_divergence,
        hinge,
        squared_hinge,
        perceptron,
        zero_one,
    )
}
"""All losses by name."""
