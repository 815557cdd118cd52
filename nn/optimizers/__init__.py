"""Optimizers: how parameters follow their gradients.

Each is a class with the decorator `nn.optimizers.base.optimizer`, found here by its name.
"""

from nn.optimizers.base import Optimizer, optimizers
from nn.optimizers.clipping import clip_gradient_norm, clip_gradient_values
from nn.optimizers.rules import SGD, Adadelta, Adagrad, Adam, AdamW, Lion, Nadam, RMSprop

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "clip_gradient_norm",
    "clip_gradient_values",
]


def __getattr__(name: str) -> type[Optimizer]:
    if name in optimizers:
        return optimizers[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
