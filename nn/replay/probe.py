"""The probe: the few samples at which a training is watched, and what their targets mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.losses.classification import (
    binary_cross_entropy,
    cross_entropy,
    hinge,
    multilabel,
    nll,
    perceptron,
    squared_hinge,
)
from nn.losses.reduction import with_options
from nn.replay.stages import Network
from nn.training.data import as_batch_array, dtype_of, in_dtype

__all__ = ["SAMPLES", "Probe", "probe_of"]

SAMPLES = 256
"""The most samples that a probe has."""

NUMBERS = 60_000
"""The most numbers that their inputs are in all, unless fewer than 32 samples have as many."""

WATCHED = 5
"""For how many samples the model's own outputs are stored."""


@dataclass
class Probe:
    """Some samples, and how outputs for them are read.

    ``x`` holds numbers of float32, in the dtype of the model; ``features`` the same in rows.
    ``rows`` are their places among the samples that were given.
    ``kind`` is "classes" where the largest of several outputs decides, "binary" where one
    output does by a threshold, and "numbers" where outputs are what they are.
    """

    rows: Any
    x: Any
    y: Any
    features: Any
    targets: Any
    kind: str
    probability: str
    threshold: float
    image: tuple[int, ...] | None

    @property
    def watched(self) -> list[int]:
        """The numbers of the samples whose outputs are stored, to compare a replay with."""
        n = len(self.features)
        places: list[int] = np.linspace(0, n - 1, min(WATCHED, n)).astype(int).tolist()
        return places


def probe_of(model: Any, network: Network, loss: Any, x: Any, y: Any, image: Any) -> Probe:
    """A probe of these samples, evenly chosen among them; refused if they do not fit."""
    if isinstance(x, tuple | dict) or isinstance(y, tuple | dict):
        raise ag.ArgumentTypeError(
            "Playback: the model has several inputs or outputs; it can replay models of one input "
            "array and one output array, so leave Playback out"
        )
    x, y = as_batch_array(x), as_batch_array(y)
    n_samples = x.shape[0] if x.ndim else 0
    if x.ndim < 2 or not n_samples or y.shape[:1] != (n_samples,):
        raise ag.ArgumentValueError(
            f"Playback: x has shape {x.shape} and y has shape {y.shape}; pass inputs of shape "
            "(samples, features) and as many targets"
        )
    n_features = int(np.prod(x.shape[1:]))
    if n_features != network.layers[0].in_features or (x.ndim > 2 and not network.is_flattened):
        raise ag.ArgumentValueError(
            f"Playback: x has shape {x.shape}, and the page replays inputs of shape (samples, "
            f"{network.layers[0].in_features}) for this model; reshape x, or put nn.Flatten() first"
        )
    count = min(n_samples, SAMPLES, max(32, NUMBERS // n_features))
    rows = np.unique(np.linspace(0, n_samples - 1, count).astype(int))
    dtype = dtype_of(model)
    features = np.asarray(in_dtype(x[rows], None), np.float32)
    y = in_dtype(y[rows], dtype)
    targets, kind, probability, threshold = reading(loss, y, network.layers[-1].units)
    return Probe(
        rows, features.astype(dtype), y, features.reshape(len(rows), -1), targets, kind,
        probability, threshold, image_shape(image, x.shape[1:], n_features),
    )  # fmt: skip


def image_shape(given: Any, shape: tuple[int, ...], n_features: int) -> tuple[int, ...] | None:
    """Rows and columns of inputs that are images: as given, of two axes, or square."""
    if given is not None:
        if np.shape(given) != (2,) or np.prod(given) != n_features:
            raise ag.ArgumentValueError(
                f"Playback: image_shape is {given!r}, and a sample has {n_features} numbers; give "
                "rows and columns whose product is as large, such as (28, 28), or leave it out"
            )
        return tuple(map(int, given))
    if len(shape) == 2:
        return shape
    side = round(n_features**0.5)
    return (side, side) if side >= 4 and side * side == n_features else None


def reading(loss: Any, y: Any, out_features: int) -> tuple[Any, str, str, float]:
    """Targets as numbers, and how outputs are read, by the loss that they are trained with."""
    function, options = with_options(loss)
    from_logits = options.get("from_logits", True)
    in_rows = y.reshape(len(y), -1).astype(np.float64)
    if out_features > 1 and function is not multilabel:
        labels = class_labels(function, in_rows, y.dtype, out_features)
        if labels is not None:
            probability = {cross_entropy: "softmax", nll: "exp"}.get(function, "none")
            return labels, "classes", "identity" if not from_logits else probability, 0.0
    elif function in (binary_cross_entropy, hinge, squared_hinge, perceptron):
        probability = "none"
        if function is binary_cross_entropy:
            probability = "sigmoid" if from_logits else "identity"
        threshold = 0.5 if probability == "identity" else 0.0
        return (in_rows[:, 0] > 0.5).astype(int), "binary", probability, threshold
    if in_rows.shape[1] != out_features:
        raise ag.ArgumentValueError(
            f"Playback: the model has {out_features} outputs and y has shape {y.shape}; targets "
            "of as many columns, or class numbers, are needed"
        )
    return in_rows, "numbers", "none", 0.0


def class_labels(function: Any, in_rows: Any, dtype: Any, out_features: int) -> Any:
    """Class numbers of targets that are some, or rows of zeros with a single one; else None."""
    if in_rows.shape[1] == 1 and (dtype.kind in "iu" or function in (cross_entropy, nll)):
        return in_rows[:, 0].astype(int)
    is_one_hot = np.isin(in_rows, (0, 1)).all() and (in_rows.sum(axis=1) == 1).all()
    if in_rows.shape[1] == out_features and (is_one_hot or function is cross_entropy):
        return np.argmax(in_rows, axis=1)
    return None
