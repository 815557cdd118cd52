"""The learning-rate finder: a short trial with ever larger steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, count
from typing import Any, ClassVar

import numpy as np

import autograd_lite as ag
from nn.checks import POSITIVE, check_counts, check_range, generator_of
from nn.models.fingerprint import fingerprint
from nn.models.layers import RandomState
from nn.models.module import Module
from nn.optimizers import SGD, Optimizer
from nn.optimizers.base import check_trainable, optimizer_of
from nn.training.batches import Batches, Sampling
from nn.training.data import check_on_host, dtype_of
from nn.training.outputs import LossChoice, choose_loss
from nn.training.prediction import predict
from nn.training.step import NonFiniteError, Step, check_compile

__all__ = ["LearningRates", "find_learning_rate"]


SMOOTHING = 0.9
"""How much of the average loss stays from step to step."""


@dataclass(frozen=True, repr=False)
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
    >>> nn.LearningRates([0.1, 1.0], [2.0, 1.0], suggestion=0.1)
    LearningRates(2 rates, 0.1 to 1; suggestion=0.1)
    """

    plotter: ClassVar[Callable[..., Any]]
    """Draws it; `nn.plots` puts it here, since plots are made of what is trained."""

    rates: list[float]
    losses: list[float]
    suggestion: float

    def __repr__(self) -> str:
        ends = f"{self.rates[0]:.3g} to {self.rates[-1]:.3g}" if self.rates else "none"
        return f"LearningRates({len(self.rates)} rates, {ends}; suggestion={self.suggestion:.3g})"

    @ag.deprecation.renamed_arguments(axes="ax")
    def plot(self, ax: Any = None) -> Any:
        """Draw the losses against the rates; see `nn.plots.learning_rates`."""
        return LearningRates.plotter(self.rates, self.losses, self.suggestion, ax=ax)


def find_learning_rate(
    model: Module,
    x: Any,
    y: Any = None,
    *,
    loss: LossChoice,
    loss_weights: Any = None,
    optimizer: Optimizer | Callable[..., Optimizer] | str = SGD,
    lowest: float = 1e-5,
    highest: float = 10.0,
    steps: int = 100,
    batch_size: int = 32,
    sample_weight: Any = None,
    class_weight: Any = None,
    rng: RandomState = None,
    compile: bool | str = True,
) -> LearningRates:
    """Train with learning rates that grow from step to step, until the loss explodes.

    L. Smith, "Cyclical learning rates for training neural networks" (2017).
    The model is put back as it was.  Errors are those of `fit`.

    Parameters
    ----------
    model, x, y, loss, loss_weights, batch_size, sample_weight, class_weight, rng, compile
        As for `fit`.
    optimizer : Optimizer, callable or str
        An optimizer of the model's, which is put back as it was too, and whose groups keep
        the ratios of their rates; or what makes one, called as
        ``optimizer(model, learning_rate=...)``, or its name.
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
    check_on_host("find_learning_rate", model)
    check_range("find_learning_rate", POSITIVE, lowest=lowest, highest=highest)
    if not lowest < highest:
        raise ag.ArgumentValueError(
            f"find_learning_rate: lowest is {lowest!r} and highest is {highest!r}; "
            "both must be positive, and lowest the smaller"
        )
    check_counts("find_learning_rate", steps=steps, batch_size=batch_size)
    check_compile("find_learning_rate", compile)
    generator = generator_of("find_learning_rate", rng)
    batches = Batches.of(x, y, Sampling(batch_size, generator, sample_weight, class_weight))
    predict(model, batches.example())
    chosen_loss = choose_loss("find_learning_rate", loss, loss_weights)
    before, modes = model.state_dict(), [(m, m.training) for _, m in model.named_modules()]
    draws = [(x, x.bit_generator.state) for x in generators_of(model)]
    rates = np.geomspace(float(lowest), float(highest), steps).tolist()
    given = optimizer.state_dict() if isinstance(optimizer, Optimizer) else None
    own = {} if given else {"learning_rate": lowest}
    trial = optimizer_of("find_learning_rate", model, optimizer, **own)
    check_trainable("find_learning_rate", trial)
    try:
        step = batches.step_type(model.train(), chosen_loss, trial, compile=compile)
        trial_run = trial_losses(step, batches, rates, generator)
    finally:
        model.load_state_dict(before)
        model.zero_grad()
        for module, mode in modes:
            module.training = mode
        for source, state in draws:
            source.bit_generator.state = state
        if given:
            trial.load_state_dict(given)
    rates = rates[: len(trial_run)]
    return LearningRates(rates, trial_run, steepest_fall(rates, trial_run))


def generators_of(model: Module) -> list[np.random.Generator]:
    """The random generators that layers draw from."""
    found = fingerprint(model).found
    return list(dict.fromkeys(x for x in found if isinstance(x, np.random.Generator)))


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
    first = step.optimizer.groups[0].learning_rate
    endless = chain.from_iterable(batches.epoch(generator, dtype) for _ in count())
    with np.errstate(over="ignore", invalid="ignore"):
        for n_steps, rate in enumerate(rates, 1):
            step.optimizer.lr_scale = rate / first
            try:
                loss, _ = step.step(*next(endless))
            except NonFiniteError:
                break
            average = SMOOTHING * average + (1 - SMOOTHING) * float(loss)
            corrected = average / (1 - SMOOTHING**n_steps)
            if smoothed and not corrected < 4 * min(smoothed):
                break
            smoothed.append(corrected)
    return smoothed
