"""What the functions of training are told: options checked, metrics by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.metrics import metrics as known_metrics
from nn.models.layers import check_size

__all__ = [
    "Loss",
    "Metrics",
    "check_compile",
    "check_counts",
    "check_strengths",
    "metrics_by_name",
]

Loss = Callable[..., Any]
Metric = str | Callable[..., Any]
Metrics = Sequence[Metric] | Mapping[str, Metric]


def check_counts(caller: str, **counts: Any) -> None:
    """Refuse numbers of epochs or samples that are not positive integers."""
    for name, count in counts.items():
        check_size(caller, name, count)


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


def metrics_by_name(metrics: Metrics) -> dict[str, Callable[..., Any]]:
    """Metrics with their names, from either of them."""
    if not isinstance(metrics, Mapping):
        names = [m if isinstance(m, str) else getattr(m, "__name__", repr(m)) for m in metrics]
        metrics = dict(zip(names, metrics, strict=True))
    return {name: known_metrics.find(metric) for name, metric in metrics.items()}
