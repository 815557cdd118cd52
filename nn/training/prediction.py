"""Prediction and evaluation: a trained model at work."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite as ag
from nn.checks import check_counts
from nn.losses import losses
from nn.losses.labels import plain
from nn.losses.reduction import Loss
from nn.metrics import Metrics, metrics_by_name
from nn.models.module import Module
from nn.training.batches import source_of
from nn.training.data import (
    apply_model,
    as_batch_array,
    concatenate,
    dtype_of,
    length,
    map_arrays,
    rows_of,
)

__all__ = ["evaluate", "predict"]


def predict(model: Module, x: Any, *, batch_size: int = 1024) -> Any:
    """The outputs of a model in use, computed batch by batch and without a graph.

    Parameters
    ----------
    model : Module
        Is set to ``eval`` for the time of the call.
    x : array_like, or a tuple of them
        Inputs, samples first; a tuple for a model of several inputs.  The outputs for
        arrays of Dask are arrays of Dask, computed where the chunks lie.
    batch_size : int
        How many samples are computed at once.

    Returns
    -------
    array, or a tuple of them
        The outputs, samples first.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.predict(nn.MLP(2, [3, 1]), np.zeros((5, 2))).shape
    (5, 1)
    """
    check_counts("predict", batch_size=batch_size)
    source = source_of(x)
    if source is not None:
        return source.predict(model, x)
    x = map_arrays(as_batch_array, x)
    dtype = dtype_of(model)
    modes = [(module, module.training) for _, module in model.named_modules()]
    model.eval()
    try:
        with ag.no_grad():
            parts = [
                map_arrays(
                    plain, apply_model(model, rows_of(x, slice(start, start + batch_size), dtype))
                )
                for start in range(0, max(length(x), 1), batch_size)
            ]
    finally:
        for module, mode in modes:
            module.training = mode
    return concatenate(parts)


def evaluate(
    model: Module,
    x: Any,
    y: Any,
    *,
    loss: Loss | str | None = None,
    metrics: Metrics = (),
    batch_size: int = 1024,
) -> dict[str, float]:
    """Loss and metrics of a model in use.

    Parameters
    ----------
    model : Module
        Is set to ``eval`` for the time of the call.
    x, y, loss, metrics
        As for `fit`.
    batch_size : int
        How many samples are computed at once.

    Returns
    -------
    dict of float
        ``"loss"``, if one was given, and the metrics by name.

    Examples
    --------
    >>> import numpy as np, nn
    >>> model = nn.Linear(1, 1, initializer=nn.initializers.ones)
    >>> x = np.array([[1.0], [2.0]])
    >>> nn.evaluate(model, x, x + 3, loss=nn.mse, metrics=["rmse"])
    {'loss': 9.0, 'rmse': 3.0}
    """
    outputs = map_arrays(np.asarray, predict(model, x, batch_size=batch_size))
    dtype = dtype_of(model)
    targets = rows_of(map_arrays(np.asarray, y), slice(None), dtype)
    numbers = {} if loss is None else {"loss": float(losses.find(loss)(outputs, targets))}
    for name, metric in metrics_by_name(metrics).items():
        numbers[name] = float(metric(outputs, targets))
    return numbers
