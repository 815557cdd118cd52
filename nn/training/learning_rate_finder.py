"""The learning-rate finder: a short trial with ever larger steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.checks import check_counts
from nn.losses import losses
from nn.models.layers import RandomState
from nn.models.module import Module
from nn.optimizers import SGD, Optimizer
from nn.training.batches import Batches, Sampling
from nn.training.data import dtype_of
from nn.training.prediction import predict
from nn.training.step import NonFiniteLossError, Step, check_compile

__all__ = ["LearningRates", "find_learning_rate"]


SMOOTHING = 0.9
"""How much of the average loss stays from step to step."""


@dataclass(frozen=True)
class LearningRates:
    """What `find_learning_rate` found.

    Attributes
    ----------
    rates, losses : list of float
        The learning rate of each step, and the loss before it, smoothed.
    suggestion : float
        The rate at which the loss fell most steeply.

    Examples
    --------
    >>> import nn
    >>> nn.LearningRates([0.1, 1.0], [2.0, 1.0], suggestion=0.1).suggestion
    0.1
    """

    rates: list[float]
    losses: list[float]
    suggestion: float


def find_learning_rate(
    model: Module,
    x: Any,
    y: Any,
    *,
    loss: Callable[..., Any] | str,
    optimizer: Callable[..., Optimizer] = SGD,
    lowest: float = 1e-5,
    highest: float = 10.0,
    steps: int = 100,
    batch_size: int = 32,
    rng: RandomState = None,
    compile: bool | str = True,
) -> LearningRates:
    """Train with learning rates that grow from step to step, until the loss explodes.

    L. Smith, "Cyclical learning rates for training neural networks" (2017).
    The model is put back as it was.  Errors are those of `fit`.

    Parameters
    ----------
    model, x, y, loss, batch_size, rng, compile
        As for `fit`.
    optimizer : callable
        Called as ``optimizer(model, learning_rate=...)``.
    lowest, highest : float
        The first and the last learning rate: ``0 < lowest < highest``.
    steps : int
        How many to try; they grow by the same factor.

    Examples
    --------
    >>> import numpy as np, nn
    >>> x = np.linspace(-1, 1, 64).reshape(-1, 1)
    >>> found = nn.find_learning_rate(nn.Linear(1, 1, rng=0), x, 2 * x, loss=nn.mse, rng=0)
    >>> 0.01 < found.suggestion < 1
    True
    """
    if not 0 < lowest < highest < np.inf:
        raise ag.ArgumentValueError(
            f"find_learning_rate: lowest is {lowest!r} and highest is {highest!r}; "
            "both must be positive, and lowest the smaller"
        )
    check_counts("find_learning_rate", steps=steps, batch_size=batch_size)
    check_compile("find_learning_rate", compile)
    generator = np.random.default_rng(rng)
    batches = Batches.of(x, y, Sampling(batch_size, generator))
    predict(model, batches.example())
    before = model.state_dict()
    mode = model.training
    try:
        rates = np.geomspace(lowest, highest, steps).tolist()
        trial = optimizer(model.train(), learning_rate=lowest)
        step = batches.step_type(model, losses.find(loss), trial, compile=compile)
        trial_run = trial_losses(step, batches, rates, generator)
    finally:
        model.load_state_dict(before)
        model.train(mode).zero_grad()
    rates = rates[: len(trial_run)]
    return LearningRates(rates, trial_run, steepest_fall(rates, trial_run))


def steepest_fall(rates: list[float], losses: list[float]) -> float:
    """The rate at which the loss fell most steeply, once its average has settled."""
    if len(losses) < 2:
        return rates[0]
    slopes = np.gradient(losses, np.log(rates))
    settled = min(round(1 / (1 - SMOOTHING)), len(losses) // 2)
    return rates[settled + int(np.argmin(slopes[settled:]))]


def trial_losses(
    step: Step, batches: Batches, rates: list[float], generator: np.random.Generator
) -> list[float]:
    """Smoothed losses, one for each rate until they explode."""
    smoothed: list[float] = []
    average = 0.0
    dtype = dtype_of(step.model)
    endless = chain.from_iterable(batches.epoch(generator, dtype) for _ in count())
    with np.errstate(over="ignore", invalid="ignore"):
        for n_steps, rate in enumerate(rates, 1):
            step.optimizer.lr_scale = rate / rates[0]
            try:
                loss, _ = step.step(*next(endless))
            except NonFiniteLossError:
                break
            average = SMOOTHING * average + (1 - SMOOTHING) * float(loss)
            corrected = average / (1 - SMOOTHING**n_steps)
            if smoothed and not corrected < 4 * min(smoothed):
                break
            smoothed.append(corrected)
    return smoothed
