"""The loop of training: epochs of batches, a step for each, and a record of how it went."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

import autograd_lite as ag
from nn.schedules import Schedule
from nn.training.batches import Batches
from nn.training.callbacks import Callback
from nn.training.data import concatenate, dtype_of, length
from nn.training.history import History
from nn.training.interruption import DeferredInterrupt
from nn.training.prediction import evaluate
from nn.training.step import NonFiniteLossError, Step

__all__ = ["DivergenceError", "Training"]


class DivergenceError(ag.AutogradError, ArithmeticError):
    """The loss became infinite or NaN during training.

    Examples
    --------
    >>> import nn
    >>> issubclass(nn.DivergenceError, ArithmeticError)
    True
    """


@dataclass(eq=False)
class Training:
    """One run of `fit`: its options and its state, which callbacks may look at.

    ``epoch`` counts finished epochs, also those of an earlier run that this one
    goes on from; ``batch`` counts within the epoch.
    """

    step: Step
    batches: Batches
    metrics: dict[str, Callable[..., Any]]
    schedule: Schedule | None
    callbacks: list[Callback]
    accumulate: int
    history: History
    rng: np.random.Generator

    def __post_init__(self) -> None:
        self.model, self.loss, self.optimizer = self.step.model, self.step.loss, self.step.optimizer
        self.validation_data = self.batches.validation_data
        self.epoch = len(self.history)
        self.batch = 0
        self.interrupt = DeferredInterrupt()

    def stop(self, reason: str) -> None:
        """End the training after this epoch."""
        self.history.stopped = reason

    def run(self, epochs: int, progress: bool) -> History:
        """Train for a number of epochs, or until a callback or the user stops it."""
        self.history.stopped = ""
        last = self.epoch + epochs
        total = len(self.batches) * epochs or None
        with tqdm(total=total, unit="batch", disable=not progress) as bar, self.interrupt:
            try:
                for callback in self.callbacks:
                    callback.begin(self)
                while self.epoch < last and not self.history.stopped:
                    bar.set_description(f"epoch {self.epoch + 1}/{last}")
                    bar.unit = self.batches.unit
                    self._run_epoch(bar)
            except KeyboardInterrupt:
                self.history.stopped = "interrupted"
            finally:
                self.model.eval()
        for callback in self.callbacks:
            callback.end(self)
        self.history.stopped = self.history.stopped or "finished"
        return self.history

    def _run_epoch(self, bar: Any) -> None:
        """Train on all batches once, then look at the validation data."""
        epoch_metrics = EpochMetrics(self.metrics)
        n_batches = len(self.batches) or 1
        self.model.train()
        self.step.refresh()
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            overwrite = self.step.can_overwrite_batch
            batches = self.batches.epoch(self.rng, dtype_of(self.model), overwrite)
            for index, (x, y, weight) in enumerate(batches):
                self.batch = index
                loss, outputs = self._learn(x, y, weight, self.epoch + index / n_batches)
                epoch_metrics.add(length(x), float(loss), outputs, y)
                bar.update()
            if self.step.n_samples:  # fewer batches than make a step were left over
                with self.interrupt.deferring():
                    self._set_lr_scale(self.epoch + 1.0)
                    self.step.apply()
        self.epoch += 1
        self.history.append(**epoch_metrics.compute(), **self._validate())
        bar.set_postfix({name: f"{v[-1]:.4g}" for name, v in self.history.columns.items()})
        for callback in self.callbacks:
            callback.after_epoch(self)

    def _learn(self, x: Any, y: Any, weight: Any, epoch: float) -> tuple[Any, Any]:
        """Loss and outputs of a batch, for which a step is taken, or a part of one."""
        try:
            with self.interrupt.deferring():
                if self.accumulate == 1:
                    self._set_lr_scale(epoch)
                    return self.step.step(x, y, weight)
                loss, outputs = self.step.accumulate(x, y, weight)
                if (self.batch + 1) % self.accumulate == 0:
                    self._set_lr_scale(epoch)
                    self.step.apply()
                return loss, outputs
        except NonFiniteLossError as error:
            raise DivergenceError(self._diagnose(float(error.loss))) from None

    def _set_lr_scale(self, epoch: float) -> None:
        """Scale the learning rate for a time in epochs."""
        if self.schedule is not None:
            self.optimizer.lr_scale = self.schedule(epoch)

    def _validate(self) -> dict[str, float]:
        """Loss and metrics on the validation data."""
        if self.validation_data is None:
            return {}
        x, y = self.validation_data
        numbers = evaluate(self.model, x, y, loss=self.loss, metrics=self.metrics)
        return {f"validation_{name}": number for name, number in numbers.items()}

    def _diagnose(self, value: float) -> str:
        """What can be said about a loss that is not finite."""
        rates = ", ".join(
            f"{g.learning_rate * self.optimizer.lr_scale:g}" for g in self.optimizer.groups
        )
        name, size = max(
            ((name, float(np.max(np.abs(p.data)))) for name, p in self.model.named_parameters()),
            key=lambda pair: np.inf if np.isnan(pair[1]) else pair[1],
        )
        return (
            f"fit: the loss became {value} in epoch {self.epoch + 1}, batch {self.batch + 1}, at "
            f"learning rate {rates}; the largest parameter is {name!r} with numbers up to "
            f"{size:.3g}; use a smaller learning rate, clip the gradients (clip_norm=1.0), "
            "or scale the inputs to a standard deviation of 1"
        )


class EpochMetrics:
    """The mean loss of an epoch, and metrics of all its outputs."""

    def __init__(self, metrics: Mapping[str, Callable[..., Any]]) -> None:
        self.metrics = metrics
        self.count = 0
        self.total = 0.0
        self.outputs: list[Any] = []
        self.targets: list[Any] = []

    def add(self, n_samples: int, loss: float, outputs: Any, targets: Any) -> None:
        """Take note of a batch."""
        self.count += n_samples
        self.total += n_samples * loss
        if self.metrics:
            self.outputs.append(outputs)
            self.targets.append(targets)

    def compute(self) -> dict[str, float]:
        """The mean loss, and the metrics over the whole epoch."""
        numbers = {"loss": self.total / self.count}
        if self.metrics:
            outputs, targets = concatenate(self.outputs), concatenate(self.targets)
            numbers |= {name: float(m(outputs, targets)) for name, m in self.metrics.items()}
        return numbers
