"""Losses and metrics are tried on the labels that there are before a model is trained with them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nn.losses import losses
from nn.losses.reduction import Loss
from nn.metrics import OneClassError
from nn.metrics import metrics as known_metrics
from nn.models.fingerprint import fingerprint
from nn.models.module import Module
from nn.models.restoring import restorer
from nn.training.batches import Batches, is_iterable_of_batches, source_of
from nn.training.data import dtype_of, leaves_of, length, map_outputs, rows_of
from nn.training.outputs import LossOfOutputs, OfOutput, function_of, score

__all__ = ["try_out"]

AT_ONCE = 4096
"""For how many samples a loss is computed at once, so that it takes little memory."""

Metrics = Mapping[str, Callable[..., Any]]


def try_out(model: Module, batches: Batches, outputs: Any, loss: Loss, metrics: Metrics) -> None:
    """Raise what a loss or a metric would raise of these labels, in the middle of training.

    ``outputs`` are those of the first few samples, and stand for those of all others.
    """
    outputs = map_outputs(np.asarray, outputs)
    if not all(map(is_usable, leaves_of(outputs))):
        return  # what follows says what is wrong with them
    dtype = dtype_of(model)
    y, are_all = batches.targets()
    if y is not None:
        try_losses(outputs, y, dtype, loss)
        try_metrics(outputs, rows_of(y, slice(None), dtype), metrics, are_all)
    data = batches.validation_data
    if data is not None and not is_iterable_of_batches(data) and source_of(data[0]) is None:
        try_losses(outputs, data[1], dtype, loss)
        try_metrics(outputs, rows_of(data[1], slice(None), dtype), metrics, are_all=True)


def is_usable(output: Any) -> bool:
    """Whether there is an output for each sample, and it is a number."""
    return np.ndim(output) > 0 and output.dtype.kind in "fiub" and bool(np.isfinite(output).all())


def repeated(outputs: Any, n_samples: int) -> Any:
    """Outputs for so many samples."""
    return map_outputs(lambda part: part[np.arange(n_samples) % len(part)], outputs)


def try_losses(outputs: Any, y: Any, dtype: Any, loss: Loss) -> None:
    """Compute the losses of nn; those of others may be made for batches of one size."""
    parts = loss.parts if isinstance(loss, LossOfOutputs) else {None: loss}
    for name, part in parts.items():
        if function_of(part) not in losses.values():
            continue
        for start in range(0, length(y), AT_ONCE):
            targets = rows_of(y, slice(start, start + AT_ONCE), dtype)
            given = repeated(outputs, length(targets)), targets
            with np.errstate(all="ignore"):
                part(*given) if name is None else OfOutput(name, part)(*given)


def try_metrics(outputs: Any, targets: Any, metrics: Metrics, are_all: bool) -> None:
    """Compute metrics; of some of the samples only those of nn, which say what they lack."""
    given = repeated(outputs, length(targets)), targets
    known = [*known_metrics.values(), *losses.values()]
    for metric in metrics.values():
        if not are_all and function_of(metric) not in known:
            continue
        restore = restorer(fingerprint(metric).found)  # of one's own, that counts its calls
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                score(metric, *given, None)
        except ArithmeticError:
            pass  # it depends on what a model predicts, which is yet to learn
        except OneClassError:
            if are_all:
                raise
        finally:
            restore()
