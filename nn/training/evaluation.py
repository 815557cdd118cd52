"""Evaluation: loss and metrics of a trained model."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.models.module import Module
from nn.training.data import dtype_of, map_arrays, rows_of
from nn.training.options import Loss, Metrics, loss_by_name, metrics_by_name
from nn.training.prediction import predict

__all__ = ["evaluate"]


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
    x, y : array_like, or tuples of them
        Inputs and targets, samples first.
    loss, metrics
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
    numbers = {} if loss is None else {"loss": float(loss_by_name(loss)(outputs, targets))}
    for name, metric in metrics_by_name(metrics).items():
        numbers[name] = float(metric(outputs, targets))
    return numbers
