"""The loop of training: epochs of batches, a step for each, and a record of how it went."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from math import inf, nan
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.optimizers import Optimizer
from nn.optimizers.base import check_trainable
from nn.schedules import Schedule
from nn.training.batches import Batches
from nn.training.callbacks import Callback
from nn.training.data import concatenate, concatenate_weights, dtype_of
from nn.training.history import History
from nn.training.interruption import DeferredInterrupt
from nn.training.outputs import score
from nn.training.prediction import validate
from nn.training.progress import progress_bar
from nn.training.step import NonFiniteError, Step
from nn.training.terms import Kind, Tally

__all__ = ["DivergenceError", "Training"]


class DivergenceError(ag.AutogradError, ArithmeticError):
    """The loss, a gradient or a parameter became infinite or NaN during training.

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
        self.batch, self.batch_loss = 0, nan
        self.sees_batches = any(map(sees_batches, self.callbacks))
        self.epoch_metrics = EpochMetrics(self.metrics, self.step.kinds)
        self.epoch_state: Any = None
        self.counted: list[Callback] = []
        self.interrupt = DeferredInterrupt()
        self.callbacks = sorted(self.callbacks, key=lambda callback: callback.comes_last)

    @property
    def columns(self) -> list[str]:
        """The columns that the history will grow by, but for those that callbacks add."""
        own = ["loss", *self.metrics]
        aside = [] if self.validation_data is None else [f"validation_{name}" for name in own]
        rates = names_of_rates(len(self.optimizer.groups))
        return [*own, *aside, *rates]

    def stop(self, reason: str) -> None:
        """End the training after this epoch."""
        self.history.stopped = reason

    def note(self) -> None:
        """Take down in the history where the run stands, for another one to go on from."""
        progress = self.history.progress
        progress.callbacks = [(type(c).__name__, c.state_dict()) for c in self.callbacks]
        progress.batch, progress.n_batches = self.batch, len(self.batches)
        progress.epoch = self.epoch_state
        progress.metrics = self.epoch_metrics.state()
        progress.gradients, progress.tally = self.step.accumulated(), self.step.tally.state()

    def run(self, epochs: int, progress: bool) -> History:
        """Train for a number of epochs, or until a callback or the user stops it."""
        if self.history.stopped not in ("", "finished", "interrupted"):
            self.history.progress.callbacks = []  # what they waited for has come
        self.history.stopped = ""
        last = self.epoch + epochs
        total = len(self.batches) * epochs or None
        with progress_bar(total, progress) as bar, self.interrupt:
            try:
                self._begin()
                while self.epoch < last and not self.history.stopped:
                    bar.set_description_str(f"epoch {self.epoch + 1}/{last}")
                    bar.unit = self.batches.unit
                    self._run_epoch(bar)
            except KeyboardInterrupt:
                if not self.history.stopped or self.epoch_state is not None:
                    self.history.stopped = "interrupted"  # and not ended by a callback just now
            except DivergenceError:
                self.history.stopped = "diverged"
                self.batch, self.epoch_state = 0, None
                self.step.reset()
                self._end()
                raise
            finally:
                self.model.eval()
                self.optimizer.schedule_scale = 1.0
        self._end()
        self.history.stopped = self.history.stopped or "finished"
        return self.history

    def _goes_on_within_an_epoch(self) -> bool:
        """Whether the first epoch is one that has begun before."""
        before = self.history.progress
        return before.epoch is not None and before.n_batches == len(self.batches)

    def _begin(self) -> None:
        """Begin, with callbacks that remember what those of the same classes saw before."""
        remembered = list(self.history.progress.callbacks)
        for callback in self.callbacks:
            callback.begin(self)
            for pair in remembered:
                if pair[0] == type(callback).__name__:
                    callback.load_state_dict(pair[1])
                    remembered.remove(pair)
                    if self._goes_on_within_an_epoch():
                        self.counted.append(callback)
                    break

    def _end(self) -> None:
        """Take down where the run stands, and let the callbacks end, the last one first."""
        self.note()
        for callback in reversed(self.callbacks):
            callback.end(self)

    def _run_epoch(self, bar: Any) -> None:
        """Train on all batches once, then look at the validation data."""
        with self.interrupt.deferring():
            for callback in self.callbacks:
                if callback not in self.counted:  # for them an epoch that goes on has begun
                    callback.before_epoch(self)
            self.counted = []
            self.model.train()
            check_trainable("fit", self.optimizer)
            self.step.refresh()
            batches = self._batches()
        to_its_end = self.interrupt.deferring()  # callbacks see a batch whole or not at all
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for batch in batches:
                with to_its_end:
                    self._run_batch(*batch)
                    bar.update()
            if self.step.sums:  # fewer batches than make a step were left over
                with self.interrupt.deferring():
                    self._look_again()
                    self._set_schedule_scale(self.batch - 1)
                    self.epoch_metrics.rates = rates_of(self.optimizer)
                    self.step.apply()
            self._check_parameters()
            numbers = self.epoch_metrics.compute() | self._validate()
            numbers |= self.epoch_metrics.learning_rates()
        with self.interrupt.deferring():
            self.history.append(**numbers)
            self.epoch += 1
            self._check_history()
            self.batch, self.epoch_state = 0, None
            self.epoch_metrics = EpochMetrics(self.metrics, self.step.kinds)
            bar.set_postfix({name: f"{v[-1]:.4g}" for name, v in self.history.columns.items()})
            self._call("after_epoch")
            self._check_history()

    def _run_batch(self, x: Any, y: Any, weight: Any) -> None:
        """Learn from a batch, and tell the callbacks of it."""
        if self.sees_batches:
            self._call("before_batch")
        self._look_again()
        if not self.step.trainable:
            check_trainable("fit", self.optimizer)
        self.batch_loss, outputs = self._learn(x, y, weight)
        self.epoch_metrics.add(self.step.latest, outputs, y, weight)
        self.epoch_metrics.rates = rates_of(self.optimizer)
        self.batch += 1
        if self.sees_batches:
            self._call("after_batch")

    def _look_again(self) -> None:
        """Take up what somebody's own code, which ran since the last batch, may have changed."""
        if self.sees_batches or self.batches.runs_own_code:
            self.step.look_again()

    def _call(self, method: str) -> None:
        """Call a method of all callbacks."""
        for callback in self.callbacks:
            getattr(callback, method)(self)

    def _batches(self) -> Iterator[Any]:
        """The batches of an epoch; the rest of them, if it was interrupted before."""
        before = self.history.progress
        if before.n_batches != len(self.batches):  # other data: the epoch begins anew
            before.batch, before.epoch = 0, None
        skipped, before.batch = before.batch, 0
        now = self.rng.bit_generator.state
        if before.epoch is not None:
            self.rng.bit_generator.state, before.epoch = before.epoch, None
        self.epoch_state = self.rng.bit_generator.state
        overwrite = self.step.can_overwrite_batch
        batches = self.batches.epoch(self.rng, dtype_of(self.model), overwrite)
        if skipped:
            self.epoch_metrics.load(before.metrics)
            self.step.resume_accumulating(before.gradients, before.tally)
            self.batch = sum(1 for _ in islice(batches, skipped))
            self.rng.bit_generator.state = now
        return batches

    def _learn(self, x: Any, y: Any, weight: Any) -> tuple[float, Any]:
        """Loss and outputs of a batch, for which a step is taken, or a part of one."""
        try:
            if self.accumulate == 1:
                self._set_schedule_scale(self.batch)
                return self.step.step(x, y, weight)
            loss, outputs = self.step.accumulate(x, y, weight)
            if (self.batch + 1) % self.accumulate == 0:
                self._set_schedule_scale(self.batch)
                self.step.apply()
            return loss, outputs
        except NonFiniteError as error:
            raise DivergenceError(self._diagnose(error, self.batch + 1)) from None

    def _set_schedule_scale(self, batch: int) -> None:
        """Scale the learning rate for a step whose last batch has this number in the epoch."""
        if self.schedule is not None:
            epoch = self.epoch + (self.batches.part_before(batch) or 0.0)
            scale = self.schedule(epoch)
            if not isinstance(scale, int | float | np.number) or not 0 <= scale < inf:
                raise ag.ArgumentValueError(
                    f"fit: the schedule is {scale!r} after {epoch:g} epochs; it must be a finite "
                    "number that is not negative, the factor of the learning rate"
                )
            self.optimizer.schedule_scale = float(scale)

    def _validate(self) -> dict[str, float]:
        """Loss and metrics on the validation data."""
        if self.validation_data is None:
            return {}
        numbers = validate(self.model, self.validation_data, self.loss, self.metrics)
        return {f"validation_{name}": number for name, number in numbers.items()}

    def _check_history(self) -> None:
        """Refuse a history that callbacks made longer than there were epochs."""
        if len(self.history) > self.epoch:
            raise ag.ArgumentValueError(
                f"fit: the history has {len(self.history)} rows after {self.epoch} epochs, as a "
                "callback appends to it more than once an epoch; call history.append in "
                "after_epoch, once for each column"
            )

    def _check_parameters(self) -> None:
        """Refuse what the last step of an epoch made of the parameters; others the next one sees.

        Steps may end beyond the largest number of a dtype where gradients do not.
        """
        for parameter, name in zip(self.step.trainable, self.step.names, strict=True):
            numbers = np.asarray(parameter.data)
            bad = numbers[~np.isfinite(numbers)]
            if bad.size:
                error = NonFiniteError(f"the parameter {name!r}", float(bad[0]))
                raise DivergenceError(self._diagnose(error, self.batch))

    def _diagnose(self, error: NonFiniteError, batch: int) -> str:
        """What can be said about a loss, gradient or parameter that is not finite."""
        rates = ", ".join(
            f"{self.optimizer.scalars(g, 1)['learning_rate']:g}" for g in self.optimizer.groups
        )
        name, size = max(
            ((name, float(np.max(np.abs(p.data)))) for name, p in self.model.named_parameters()),
            key=lambda pair: np.inf if np.isnan(pair[1]) else pair[1],
        )
        is_half = any(p.dtype == np.float16 for p in self.model.parameters())
        other = ", or train in float32, as float16 ends at 65504" if is_half else ""
        return (
            f"fit: {error} in epoch {self.epoch + 1}, batch {batch}, at "
            f"learning rate {rates}; the largest parameter is {name!r} with numbers up to "
            f"{size:.3g}; use a smaller learning rate, clip the gradients (clip_norm=1.0), "
            f"or scale the inputs to a standard deviation of 1{other}"
        )


def rates_of(optimizer: Optimizer) -> list[float]:
    """The learning rate of each group, as it is here and now."""
    scale = optimizer.lr_scale * optimizer.schedule_scale
    return [float(group.learning_rate * scale) for group in optimizer.groups]


def names_of_rates(n_groups: int) -> list[str]:
    """The columns of their learning rates."""
    return [f"learning_rate_{n}" if n else "learning_rate" for n in range(n_groups)]


def sees_batches(callback: Callback) -> bool:
    """Whether a callback is called between batches."""
    kind = type(callback)
    return any(
        getattr(kind, name) is not getattr(Callback, name)
        for name in ("before_batch", "after_batch")
    )


class EpochMetrics:
    """The loss of all samples of an epoch, and metrics of all its outputs."""

    def __init__(self, metrics: Mapping[str, Callable[..., Any]], kinds: tuple[Kind, ...]) -> None:
        self.metrics = metrics
        self.tally = Tally.empty(kinds)
        self.outputs: list[Any] = []
        self.targets: list[Any] = []
        self.weights: list[Any] = []
        self.rates: list[float] = []

    def add(self, batch: Tally, outputs: Any, targets: Any, weight: Any) -> None:
        """Take note of a batch."""
        self.tally += batch
        if self.metrics:
            self.outputs.append(outputs)
            self.targets.append(targets)
            self.weights.append(weight)

    def state(self) -> list[Any]:
        """What was counted so far."""
        return [self.tally.state(), self.outputs, self.targets, self.weights, self.rates]

    def load(self, state: list[Any]) -> None:
        """Go on counting from there."""
        self.tally.load(state[0])
        self.outputs, self.targets, self.weights, self.rates = map(list, state[1:])

    def learning_rates(self) -> dict[str, float]:
        """The learning rates of the last step, one for each group of the optimizer's."""
        return dict(zip(names_of_rates(len(self.rates)), self.rates, strict=True))

    def compute(self) -> dict[str, float]:
        """The mean loss, and the metrics over the whole epoch."""
        numbers = {"loss": self.tally.loss()}
        if self.metrics:
            outputs, targets = concatenate(self.outputs), concatenate(self.targets)
            weight = concatenate_weights(self.weights, self.targets)
            numbers |= {
                name: score(m, outputs, targets, weight) for name, m in self.metrics.items()
            }
        return numbers
