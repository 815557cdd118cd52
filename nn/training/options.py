"""What the functions of training are told: options checked, losses and metrics by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.losses import losses
from nn.metrics import metrics as named_metrics

__all__ = [
    "Loss",
    "Metrics",
    "check_compile",
    "check_count",
    "check_strengths",
    "loss_by_name",
    "metrics_by_name",
]

Loss = Callable[..., Any]
Metrics = Sequence[str | Callable[..., Any]] | Mapping[str, Callable[..., Any]]


def check_count(caller: str, name: str, count: Any) -> None:
    """Refuse a number of epochs or samples that is not a positive integer."""
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
        raise ag.ArgumentValueError(f"{caller}: {name} is {count!r}; it must be a positive integer")


def check_strengths(caller: str, **strengths: float | None) -> None:
    """Refuse penalties and bounds that are negative."""
    for name, strength in strengths.items():
        if strength is not None and not 0 <= strength < np.inf:
            raise ag.ArgumentValueError(
                f"{caller}: {name} is {strength!r}; it must be a number that is not negative"
            )


def check_compile(caller: str, compile: Any) -> None:
    """Refuse what does not say how steps are compiled."""
    if not isinstance(compile, bool | np.bool_) and compile != "numba":
        raise ag.ArgumentValueError(
            f"{caller}: compile is {compile!r}; pass True, False, or 'numba' for loops of Numba"
        )


def loss_by_name(loss: Loss | str) -> Loss:
    """The loss of that name; a function is returned as it is."""
    if not isinstance(loss, str):
        return loss
    if loss not in losses:
        raise ag.ArgumentValueError(
            f"there is no loss {loss!r}; use one of {', '.join(losses)}, or pass a function"
        )
    return losses[loss]


def metrics_by_name(metrics: Metrics) -> dict[str, Callable[..., Any]]:
    """Metrics with their names, from either of them."""
    if isinstance(metrics, Mapping):
        return dict(metrics)
    found: dict[str, Callable[..., Any]] = {}
    for metric in metrics:
        if not isinstance(metric, str):
            found[getattr(metric, "__name__", repr(metric))] = metric
        elif metric in named_metrics:
            found[metric] = named_metrics[metric]
        else:
            raise ag.ArgumentValueError(
                f"there is no metric {metric!r}; use one of {', '.join(named_metrics)}, "
                "or pass a function"
            )
    return found
