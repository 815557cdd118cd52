"""Training: mini-batches, steps, a progress bar, and a record of how it went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

import autograd_lite as ag
from nn.dask.cluster import DistributedStep
from nn.dask.data import LazyBatches, is_lazy, lazy_samples, lazy_split
from nn.losses import losses
from nn.metrics import metrics as named_metrics
from nn.models.layers import RandomState
from nn.models.module import Module
from nn.optimizers import Adam, Optimizer
from nn.schedules import Schedule
from nn.training.callbacks import Callback
from nn.training.data import (
    ArrayBatches,
    IterableBatches,
    checked_pair,
    checked_weights,
    count_aside,
    dtype_of,
    joined,
    length,
    map_arrays,
    rows_of,
)
from nn.training.history import History
from nn.training.interruption import HeldBack
from nn.training.prediction import check_count, predict
from nn.training.step import NonFiniteLossError, Penalties, Step, check_compile

__all__ = ["DivergenceError", "evaluate", "fit"]

Array = np.ndarray[Any, Any]
Loss = Callable[..., Any]
Metrics = Sequence[str | Callable[..., Any]] | Mapping[str, Callable[..., Any]]
OptimizerFactory = Callable[[Module], Optimizer]
Batches = ArrayBatches | IterableBatches | LazyBatches


class DivergenceError(ag.AutogradError, ArithmeticError):
    """The loss became infinite or NaN during training.

    Examples
    --------
    >>> import nn
    >>> issubclass(nn.DivergenceError, ArithmeticError)
    True
    """


def fit(
    model: Module,
    x: Any,
    y: Any = None,
    *,
    loss: Loss | str,
    optimizer: Optimizer | OptimizerFactory = Adam,
    epochs: int = 10,
    batch_size: int = 32,
    validation_data: tuple[Any, Any] | None = None,
    validation_split: float = 0.0,
    metrics: Metrics = (),
    sample_weight: Any = None,
    class_weight: Any = None,
    schedule: Schedule | None = None,
    callbacks: Iterable[Callback] = (),
    l1: float = 0.0,
    l2: float = 0.0,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    accumulate: int = 1,
    history: History | None = None,
    rng: RandomState = None,
    compile: bool | str = True,
    progress: bool = True,
) -> History:
    """Train a model on shuffled mini-batches.

    Parameters
    ----------
    model : Module
        Is trained in place, and left in ``eval`` mode.
    x, y : array_like, or tuples of them
        Inputs and targets, samples first; tuples for models with several inputs
        or outputs.  Without ``y``, ``x`` is an iterable of batches ``(x, y)`` or
        ``(x, y, sample_weight)`` that is gone through once an epoch.  Floats are
        converted, batch by batch, to the dtype of the model's parameters.  Arrays and
        dataframes of Dask are trained on where they lie (docs/scaling.md); a batch then
        takes its samples from several chunks.
    loss : callable or str
        ``loss(outputs, targets)``, of one's own or one of `nn.losses` by name.
    optimizer : Optimizer or callable
        An optimizer of the model's parameters; or what makes one from the
        model, such as the class `Adam` itself.
    epochs : int
        How often the data are gone through.
    batch_size : int
        How many samples make a batch; the last of an epoch may be smaller.
    validation_data : tuple, optional
        Inputs and targets that are looked at after each epoch.
    validation_split : float
        In [0, 1): the share of the samples to set aside as validation data.
    metrics : sequence of callable or str, or dict
        ``metric(outputs, targets)``, from `nn.metrics` or of one's own, to put
        into the history besides the loss.
    sample_weight : array_like, shape (samples,), optional
        How much each sample counts; the loss gets it as ``sample_weight``.
    class_weight : dict, sequence or "balanced", optional
        How much the samples of each class count; "balanced" makes all classes
        count the same.
    schedule : callable, optional
        From `nn.schedules`: sets ``optimizer.factor`` before every step.
    callbacks : iterable of Callback
        Called between the epochs.
    l1, l2 : float
        Strengths of the penalties Σ\\|w\\| and ½Σw² on all weights of two or more
        axes.  Their gradients are added to that of the loss; the loss in the
        history is without them.
    clip_norm, clip_value : float, optional
        Bounds on the gradient; see `clip_gradient_norm`, `clip_gradient_values`.
    accumulate : int
        How many batches make a step: their gradients are averaged.
    history : History, optional
        Of an earlier call, to go on from: its epochs count for the schedule, and
        it gets the new ones.
    rng : numpy.random.Generator or int, optional
        Shuffles the samples; the same seed gives the same training.
    compile : bool or "numba"
        Whether `autograd_lite.compile` makes one program of a step, update
        included, for each shape of batch; with "numba" in loops of Numba, which
        are quicker and take seconds to compile (extra ``numba``).  What cannot be
        compiled runs as it is, after one warning that says why.
    progress : bool
        Whether a progress bar is shown.

    Returns
    -------
    History
        The losses and metrics, epoch by epoch.  An interruption (Ctrl-C) ends
        the training early and keeps what was learned; ``stopped`` then is
        "interrupted".

    Raises
    ------
    ArgumentValueError
        If the data hold NaN or infinity, are empty or differ in length, or an
        option is out of its range; nothing is changed then.
    DivergenceError
        If the loss becomes infinite or NaN; the message says what is known, and
        the parameters are those before.

    Examples
    --------
    >>> import numpy as np, nn
    >>> x = np.linspace(-1, 1, 20).reshape(-1, 1)
    >>> model = nn.Linear(1, 1, rng=0)
    >>> optimizer = nn.SGD(model, learning_rate=0.3)
    >>> history = nn.fit(model, x, 2 * x + 1, loss=nn.mse, optimizer=optimizer,
    ...                  epochs=50, batch_size=10, rng=0, progress=False)
    >>> model.weight.data.round(3), model.bias.data.round(3)
    (array([[2.]]), array([1.]))
    """
    for name, count in (("epochs", epochs), ("batch_size", batch_size), ("accumulate", accumulate)):
        check_count("fit", name, count)
    check_strengths(l1=l1, l2=l2, clip_norm=clip_norm, clip_value=clip_value)
    check_compile("fit", compile)
    rng = np.random.default_rng(rng)
    data: Batches
    if is_lazy(x):
        x, y, weight = lazy_samples(x, y, sample_weight, class_weight)
        if validation_split:
            (x, y, weight), validation_data = lazy_split(
                x, y, weight, validation_split, validation_data, rng
            )
        data = LazyBatches(x, y, weight, batch_size, dtype_of(model), keep_targets=bool(metrics))
        example = data.example()
    elif y is None:
        data, example = iterable_batches(x, model, sample_weight, class_weight, validation_split)
    else:
        x, y = checked_pair(x, y, "x", "y")
        weight = checked_weights(sample_weight, class_weight, y, length(x))
        if validation_split:
            (x, y, weight), validation_data = split_off(
                x, y, weight, validation_split, validation_data, rng
            )
        example = rows_of(x, slice(1), None)
        data = ArrayBatches(x, y, weight, batch_size, dtype_of(model))
    if validation_data is not None and not is_lazy(validation_data[0]):
        validation_data = checked_pair(*validation_data, "validation_data[0]", "validation_data[1]")
    predict(model, example)  # layers without n_in learn it from their input
    data.dtype = dtype_of(model)
    chosen_optimizer = optimizer if isinstance(optimizer, Optimizer) else optimizer(model)
    chosen_metrics = checked_metrics(metrics)
    step = (DistributedStep if is_lazy(x) else Step)(
        model,
        named_loss(loss),
        chosen_optimizer,
        Penalties(l1, l2, clip_norm, clip_value),
        keep_outputs=bool(chosen_metrics),
        compile=compile,
    )
    training = Training(
        going_on(step),
        metrics=chosen_metrics,
        validation_data=validation_data,
        schedule=schedule,
        callbacks=list(callbacks),
        accumulate=accumulate,
        history=History() if history is None else history,
        rng=rng,
    )
    return training.run(data, epochs, progress)


def going_on(step: Step) -> Step:
    """The step of the last training with this optimizer, with its programs, if it is the same."""
    last = step.optimizer.last_step
    if last is None or not last.does_the_same_as(step):
        step.optimizer.last_step = step
    return step.optimizer.last_step  # type: ignore[no-any-return]


class Training:
    """One run of `fit`: its options and its state, which callbacks may look at.

    ``epoch`` counts finished epochs, also those of an earlier run that this one
    goes on from; ``batch`` counts within the epoch.
    """

    def __init__(self, step: Step, **options: Any) -> None:
        self.step = step
        self.model, self.loss, self.optimizer = step.model, step.loss, step.optimizer
        self.metrics: dict[str, Callable[..., Any]] = options["metrics"]
        self.validation_data = options["validation_data"]
        self.schedule: Schedule | None = options["schedule"]
        self.callbacks: list[Callback] = options["callbacks"]
        self.accumulate: int = options["accumulate"]
        self.history: History = options["history"]
        self.rng: np.random.Generator = options["rng"]
        self.epoch = len(self.history)
        self.batch = 0
        self.interruption = HeldBack()

    def stop(self, reason: str) -> None:
        """End the training after this epoch."""
        self.history.stopped = reason

    def run(self, data: Batches, epochs: int, progress: bool) -> History:
        """Train for a number of epochs, or until a callback or the user stops it."""
        self.history.stopped = ""
        last = self.epoch + epochs
        total = len(data) * epochs or None
        with tqdm(total=total, unit="batch", disable=not progress) as bar, self.interruption:
            try:
                for callback in self.callbacks:
                    callback.begin(self)
                while self.epoch < last and not self.history.stopped:
                    bar.set_description(f"epoch {self.epoch + 1}/{last}")
                    bar.unit = data.unit
                    self.one_epoch(data, bar)
            except KeyboardInterrupt:
                self.history.stopped = "interrupted"
            finally:
                self.model.eval()
        for callback in self.callbacks:
            callback.end(self)
        self.history.stopped = self.history.stopped or "finished"
        return self.history

    def one_epoch(self, data: Batches, bar: Any) -> None:
        """Go through the data once, then look at the validation data."""
        seen = Seen(bool(self.metrics))
        n_batches = len(data) or 1
        self.model.train()
        self.step.refresh()
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            batches = data.epoch(self.rng, overwrite=self.step.keeps_no_batch)
            for index, (x, y, weight) in enumerate(batches):
                self.batch = index
                loss, outputs = self.learn(x, y, weight, self.epoch + index / n_batches)
                seen.add(length(x), float(loss), outputs, y)
                bar.update()
            if self.step.n_samples:  # fewer batches than make a step were left over
                with self.interruption.whole():
                    self.schedule_at(self.epoch + 1.0)
                    self.step.conclude()
        self.epoch += 1
        self.history.append(**seen.numbers(self.metrics), **self.validation())
        bar.set_postfix({name: f"{v[-1]:.4g}" for name, v in self.history.columns.items()})
        for callback in self.callbacks:
            callback.after_epoch(self)

    def learn(self, x: Any, y: Any, weight: Any, epoch: float) -> tuple[Any, Any]:
        """Loss and outputs of a batch, with which a step is taken, or the share of one."""
        try:
            with self.interruption.whole():
                if self.accumulate == 1:
                    self.schedule_at(epoch)
                    return self.step.take(x, y, weight)
                loss, outputs = self.step.gather(x, y, weight)
                if (self.batch + 1) % self.accumulate == 0:
                    self.schedule_at(epoch)
                    self.step.conclude()
                return loss, outputs
        except NonFiniteLossError as error:
            raise DivergenceError(self.diagnosis(float(error.loss))) from None

    def schedule_at(self, epoch: float) -> None:
        """Set the learning rate for a time in epochs."""
        if self.schedule is not None:
            self.optimizer.factor = self.schedule(epoch)

    def validation(self) -> dict[str, float]:
        """Loss and metrics on the validation data."""
        if self.validation_data is None:
            return {}
        x, y = self.validation_data
        numbers = evaluate(self.model, x, y, loss=self.loss, metrics=self.metrics)
        return {f"validation_{name}": number for name, number in numbers.items()}

    def diagnosis(self, value: float) -> str:
        """What can be said about a loss that is not finite."""
        rates = ", ".join(
            f"{g.learning_rate * self.optimizer.factor:g}" for g in self.optimizer.groups
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


class Seen:
    """What one epoch saw: the sum of losses, and outputs with targets if metrics need them."""

    def __init__(self, keep_outputs: bool) -> None:
        self.keep_outputs = keep_outputs
        self.count = 0
        self.total = 0.0
        self.outputs: list[Any] = []
        self.targets: list[Any] = []

    def add(self, n_samples: int, loss: float, outputs: Any, targets: Any) -> None:
        """Take note of a batch."""
        self.count += n_samples
        self.total += n_samples * loss
        if self.keep_outputs:
            self.outputs.append(outputs)
            self.targets.append(targets)

    def numbers(self, metrics: Mapping[str, Callable[..., Any]]) -> dict[str, float]:
        """The mean loss, and the metrics over the whole epoch."""
        numbers = {"loss": self.total / self.count}
        if self.keep_outputs:
            outputs, targets = joined(self.outputs), joined(self.targets)
            numbers |= {name: float(m(outputs, targets)) for name, m in metrics.items()}
        return numbers


def evaluate(
    model: Module,
    x: Any,
    y: Any,
    *,
    loss: Loss | str | None = None,
    metrics: Metrics = (),
    batch_size: int = 1024,
) -> dict[str, float]:
    """Loss and metrics of a model in use.

    Parameters
    ----------
    model : Module
        Is set to ``eval`` for the time of the call.
    x, y : array_like, or tuples of them
        Inputs and targets, samples first.
    loss, metrics
        As for `fit`.
    batch_size : int
        How many samples are computed at once.

    Returns
    -------
    dict of float
        ``"loss"``, if one was given, and the metrics by name.

    Examples
    --------
    >>> import numpy as np, nn
    >>> model = nn.Linear(1, 1, initializer=nn.initializers.ones)
    >>> x = np.array([[1.0], [2.0]])
    >>> nn.evaluate(model, x, x + 3, loss=nn.mse, metrics=["rmse"])
    {'loss': 9.0, 'rmse': 3.0}
    """
    outputs = map_arrays(np.asarray, predict(model, x, batch_size=batch_size))
    dtype = dtype_of(model)
    targets = rows_of(map_arrays(np.asarray, y), slice(None), dtype)
    numbers = {} if loss is None else {"loss": float(named_loss(loss)(outputs, targets))}
    for name, metric in checked_metrics(metrics).items():
        numbers[name] = float(metric(outputs, targets))
    return numbers


# Options.


def named_loss(loss: Loss | str) -> Loss:
    """The loss of that name; a function is returned as it is."""
    if not isinstance(loss, str):
        return loss
    if loss not in losses:
        raise ag.ArgumentValueError(
            f"there is no loss {loss!r}; use one of {', '.join(losses)}, or pass a function"
        )
    return losses[loss]


def checked_metrics(metrics: Metrics) -> dict[str, Callable[..., Any]]:
    """Metrics by name."""
    if isinstance(metrics, Mapping):
        return dict(metrics)
    found: dict[str, Callable[..., Any]] = {}
    for metric in metrics:
        if isinstance(metric, str):
            if metric not in named_metrics:
                raise ag.ArgumentValueError(
                    f"there is no metric {metric!r}; use one of {', '.join(named_metrics)}, "
                    "or pass a function"
                )
            found[metric] = named_metrics[metric]
        else:
            found[getattr(metric, "__name__", repr(metric))] = metric
    return found


def check_strengths(**strengths: float | None) -> None:
    """Refuse penalties and bounds that are negative."""
    for name, strength in strengths.items():
        if strength is not None and not 0 <= strength < np.inf:
            raise ag.ArgumentValueError(
                f"fit: {name} is {strength!r}; it must be a number that is not negative"
            )


def iterable_batches(
    batches: Any, model: Module, sample_weight: Any, class_weight: Any, validation_split: float
) -> tuple[IterableBatches, Any]:
    """Batches that someone else makes, and a sample of their input."""
    if sample_weight is not None or class_weight is not None or validation_split:
        raise ag.ArgumentValueError(
            "fit: sample_weight, class_weight and validation_split need arrays x and y; "
            "an iterable gives weights as (x, y, sample_weight), and validation_data is separate"
        )
    if not isinstance(batches, Iterable) or isinstance(batches, np.ndarray):
        raise ag.ArgumentTypeError(
            f"fit: y is missing, and x is {type(batches).__name__}; pass targets, "
            "or an iterable of batches (x, y)"
        )
    if iter(batches) is batches:
        raise ag.ArgumentTypeError(
            "fit: x is an iterator, which can be gone through only once; "
            "pass a list, or an object whose __iter__ starts anew for every epoch"
        )
    data = IterableBatches(batches, dtype_of(model))
    x, _, _ = next(iter(data.epoch(np.random.default_rng(0))))
    return data, rows_of(x, slice(1), None)


def split_off(
    x: Any, y: Any, weight: Any, share: float, validation_data: Any, rng: np.random.Generator
) -> tuple[tuple[Any, Any, Any], tuple[Any, Any]]:
    """Set a random share of the samples aside."""
    n_aside = count_aside(share, length(x), validation_data)
    order = rng.permutation(length(x))
    aside, kept = order[:n_aside], order[n_aside:]
    remaining = rows_of(x, kept, None), rows_of(y, kept, None)
    weight = None if weight is None else weight[kept]
    return (*remaining, weight), (rows_of(x, aside, None), rows_of(y, aside, None))
