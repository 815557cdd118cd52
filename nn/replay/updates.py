"""How the weights follow their gradients, in words and in numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite as ag
from nn.optimizers import SGD, Optimizer

__all__ = ["is_plain", "next_steps", "rate_of", "rule_of"]

ADAM = (
    "m ← beta1 · m + (1 - beta1) · g;  s ← beta2 · s + (1 - beta2) · g²;  "
    "w ← w - rate · m̂ / (√ŝ + epsilon)"
)
RULES = {
    "SGD": "v ← momentum · v + g;  w ← w - rate · v",
    "RMSprop": "s ← decay · s + (1 - decay) · g²;  w ← w - rate · g / (√s + epsilon)",
    "Adagrad": "s ← s + g²;  w ← w - rate · g / (√s + epsilon)",
    "Adadelta": "step ← √(steps² + epsilon) / √(s + epsilon) · g;  w ← w - rate · step",
    "Adam": ADAM,
    "AdamW": f"w ← (1 - rate · decay) · w;  {ADAM}",
    "Nadam": "as Adam, looking ahead along m",
    "Lion": "w ← w - rate · sign(beta1 · m + (1 - beta1) · g);  m ← beta2 · m + (1 - beta2) · g",
}


def is_plain(optimizer: Optimizer) -> bool:
    """Whether a step is the learning rate, one for all, times the gradient, and nothing else."""
    if type(optimizer).update is not SGD.update or len(optimizer.groups) > 1:
        return False
    (group,) = optimizer.groups
    return not group.momentum and not group.weight_decay


def rate_of(optimizer: Optimizer) -> float:
    """The learning rate of the first group, scales included."""
    scales = optimizer.lr_scale * optimizer.schedule_scale
    return float(optimizer.groups[0].learning_rate * scales)


def rule_of(optimizer: Optimizer) -> dict[str, Any]:
    """What a page says of an optimizer: its name with the hyperparameters, and its rule."""
    plain = is_plain(optimizer)
    text = "w ← w - rate · g" if plain else RULES.get(type(optimizer).__name__, "")
    return {"name": repr(optimizer), "text": text, "is_plain": plain}


def next_steps(optimizer: Optimizer, parameters: list[Any], gradients: list[Any]) -> list[Any]:
    """What the optimizer would add to each parameter for these gradients; nothing is changed."""
    known = {id(p): g for p, g in zip(parameters, gradients, strict=True)}
    trainable = optimizer.trainable()
    data = [p.data for p in trainable]
    given = [known.get(id(p), np.zeros_like(p.data)) for p in trainable]
    with ag.no_grad(), np.errstate(all="ignore"):
        new, _ = optimizer.compute_updates(
            data, given, optimizer.states(), optimizer.group_scalars()
        )
    steps = {id(p): after - before for p, after, before in zip(trainable, new, data, strict=True)}
    return [steps.get(id(p), np.zeros_like(p.data)) for p in parameters]
