"""Optimizers: how parameters follow their gradients."""

from nn.optimizers.base import Optimizer
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
