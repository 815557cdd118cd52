"""The table of optimizers: a row for each, and for the options that change its steps.

A row names the same optimizer of PyTorch, or a definition of its steps in plain NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import nn


@dataclass(frozen=True)
class Case:
    """An optimizer with options, and what says where its steps lead."""

    rule: type[nn.Optimizer]
    options: dict[str, Any] = field(default_factory=dict)
    torch: tuple[str, dict[str, Any]] | None = None
    definition: Callable[[Any, Any, float], Any] | None = None
    """From a start, gradients and a learning rate to the numbers after each step."""
    learning_rate: float = 0.01


def lion(data: Any, gradients: Any, rate: float) -> Iterator[Any]:
    mean = np.zeros_like(data)
    for g in gradients:
        data = data - rate * np.sign(0.9 * mean + 0.1 * g)
        mean = 0.99 * mean + 0.01 * g
        yield data


MOMENTUM = {"momentum": 0.9}

CASES = {
    "sgd": Case(nn.SGD, {}, ("SGD", {})),
    "momentum": Case(nn.SGD, MOMENTUM, ("SGD", MOMENTUM)),
    "dampening": Case(
        nn.SGD, MOMENTUM | {"dampening": 0.3}, ("SGD", MOMENTUM | {"dampening": 0.3})
    ),
    "nesterov": Case(nn.SGD, MOMENTUM | {"nesterov": True}, ("SGD", MOMENTUM | {"nesterov": True})),
    "rmsprop": Case(nn.RMSprop, {"decay": 0.95}, ("RMSprop", {"alpha": 0.95})),
    "adagrad": Case(nn.Adagrad, {}, ("Adagrad", {})),
    "adadelta": Case(nn.Adadelta, {}, ("Adadelta", {}), learning_rate=1.0),
    "adam": Case(nn.Adam, {"beta1": 0.8}, ("Adam", {"betas": (0.8, 0.999)})),
    "amsgrad": Case(nn.Adam, {"amsgrad": True}, ("Adam", {"amsgrad": True})),
    "adamw": Case(nn.AdamW, {}, ("AdamW", {})),
    "nadam": Case(nn.Nadam, {}, ("NAdam", {})),
    "lion": Case(nn.Lion, {"decoupled": True}, definition=lion),
}
