"""fit: train a model on data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.checks import NOT_NEGATIVE, check_counts, check_flags, check_range, generator_of
from nn.models.layers import RandomState
from nn.models.module import Module
from nn.optimizers import Adam, Optimizer
from nn.optimizers.base import check_trainable, optimizer_of
from nn.schedules import Schedule, find_schedule
from nn.training.batches import Batches, Sampling
from nn.training.callbacks import Callback
from nn.training.data import check_on_host
from nn.training.history import History, Progress
from nn.training.loop import Training
from nn.training.outputs import LossChoice, check_outputs, choose_loss, choose_metrics
from nn.training.prediction import predict, recorded
from nn.training.probabilities import tell_probabilities
from nn.training.step import Penalties, check_compile
from nn.training.trial import try_out

__all__ = ["fit"]

OptimizerFactory = Callable[..., Optimizer]


def fit(
    model: Module,
    x: Any,
    y: Any = None,
    *,
    loss: LossChoice,
    loss_weights: Any = None,
    optimizer: Optimizer | OptimizerFactory | str = Adam,
    epochs: int = 10,
    batch_size: int = 32,
    shuffle: bool = True,
    drop_last: bool = False,
    validation_data: Any = None,
    validation_split: float = 0.0,
    metrics: Any = (),
    sample_weight: Any = None,
    class_weight: Any = None,
    schedule: Schedule | str | None = None,
    callbacks: Iterable[Callback] | Callback = (),
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
    x, y : array_like, or tuples or dicts of them
        Inputs and targets, samples first; tuples for models with several inputs
        or outputs, dicts for those that take and return them by name.  Without ``y``,
        ``x`` is an iterable of batches ``(x, y)`` or ``(x, y, sample_weight)``, iterated
        over once an epoch.  Floats are
        converted, batch by batch, to the dtype of the model's parameters.  Arrays and
        dataframes of Dask are trained on where they lie (docs/scaling.md); a batch then
        takes its samples from several chunks.
    loss : callable or str, or a dict or list of them
        ``loss(outputs, targets)``, or the name of one of `nn.losses`; one for each output
        of a model with several, whose weighted sum is trained on.
    loss_weights : dict or list of float, optional
        How much the loss of each output counts; 1 where nothing is said.
    optimizer : Optimizer, callable or str
        An optimizer of the model's parameters; or what makes one from the
        model, such as the class `Adam` itself, or its name, ``"adam"``.
    epochs : int
        How many times to train on all of the data; 0 for not at all.
    batch_size : int
        How many samples make a batch; the last of an epoch may be smaller.
    shuffle : bool
        Whether the samples of arrays come in an order that is drawn anew for each epoch.
    drop_last : bool
        Whether to leave out a last batch that is smaller than the others.
    validation_data : tuple or iterable, optional
        Inputs and targets that are looked at after each epoch, and weights if they have some;
        or an iterable of batches of these.
    validation_split : float
        In [0, 1): the share of the samples to set aside as validation data; the last ones
        if nothing is shuffled.
    metrics : callable, str, a sequence of them, or dict
        ``metric(outputs, targets)``, or names of `nn.metrics` and `nn.losses`, to put into the
        history besides the loss; with a loss for each output, a dict of metrics for each.
    sample_weight : array_like, shape (samples,), optional
        How much each sample counts, relative to the mean over all; the loss gets it as
        ``sample_weight``, and a batch counts as much as its samples do.
    class_weight : dict, sequence or "balanced", optional
        How much the samples of each class count; "balanced" makes all classes
        count the same.  Like ``sample_weight`` it counts in ``validation_split`` too, while
        ``validation_data`` has weights of its own.
    schedule : callable or str, optional
        From `nn.schedules`, or the name of one that lasts for all epochs: scales the
        learning rate before every step, at the time when its last batch begins, beside what
        callbacks set; after the last one the optimizer's own rate holds again.  An iterable of
        batches needs a length for it.
    callbacks : Callback, or iterable of Callback
        Called between epochs and batches.
    l1, l2 : float
        Strengths of the penalties Σ\\|w\\| and ½Σw² on all weights of two or more
        axes.  Their gradients are added to that of the loss; the loss in the
        history is without them.
    clip_norm, clip_value : float, optional
        Bounds on the gradient; see `clip_gradient_norm`, `clip_gradient_values`.
    accumulate : int
        How many batches make a step: their gradients are averaged.
    history : History, optional
        Of an earlier call, to go on from: its epochs count for the schedule, the same
        samples are set aside, callbacks of the same classes remember what they saw, an
        epoch that was interrupted is finished first, and it gets the new ones.
    rng : numpy.random.Generator or int, optional
        Shuffles the samples; the same seed gives the same training.
    compile : bool, "numba" or "auto"
        Whether `autograd_lite.compile` makes one program of a step, update
        included, for each shape of batch; with "numba" in loops of Numba, which
        are quicker and take seconds to compile (extra ``numba``), with "auto" in
        such loops as soon as they are ready and where they pay.  What cannot be
        compiled runs as it is, after one warning that says why.
    progress : bool
        Whether a progress bar is shown.

    Returns
    -------
    History
        The losses, metrics and learning rates, epoch by epoch.  An interruption (Ctrl-C) ends
        the training early and keeps what was learned; ``stopped`` then is
        "interrupted".

    Raises
    ------
    ArgumentValueError
        If the data hold NaN or infinity, are empty or differ in length, or an
        option is out of its range; nothing is changed then.
    DivergenceError
        If the loss or a gradient becomes infinite or NaN; the message says what is known, and
        the parameters are those before.  Also if an update makes a parameter so, which is seen
        after the epoch at the latest.

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
    check_on_host("fit", model)
    check_counts("fit", batch_size=batch_size, accumulate=accumulate)
    if not (isinstance(epochs, int) and epochs == 0):
        check_counts("fit", epochs=epochs)
    check_range("fit", NOT_NEGATIVE, l1=l1, l2=l2)
    check_limits(clip_norm=clip_norm, clip_value=clip_value)
    check_compile("fit", compile)
    check_flags("fit", shuffle=shuffle, drop_last=drop_last, progress=progress)
    chosen_loss = choose_loss("fit", loss, loss_weights)
    chosen_metrics = choose_metrics(metrics, chosen_loss)
    rng = generator_of("fit", rng)
    history = History() if history is None else history
    if not isinstance(history, History):
        raise ag.ArgumentTypeError(
            f"fit: history is {type(history).__name__}; pass what an earlier fit returned, or "
            "leave it out"
        )
    with undone_on_error(rng, history.progress):
        sampling = Sampling(
            batch_size,
            generator_of_split(rng, history.progress),
            sample_weight,
            class_weight,
            validation_split,
            validation_data,
            bool(chosen_metrics),
            bool(shuffle),
            bool(drop_last),
        )
        batches = Batches.of(x, y, sampling)
        check_time(schedule, batches, x)
        example = predict(model, batches.example())  # for layers that learn their sizes
        check_outputs("fit", example, chosen_loss, chosen_metrics)
        record = partial(recorded, model, batches.example())
        chosen_metrics = tell_probabilities("fit", chosen_metrics, chosen_loss, record)
        try_out(model, batches, example, chosen_loss, chosen_metrics)
        step = batches.step_type(
            model,
            chosen_loss,
            optimizer_of("fit", model, optimizer),
            Penalties(l1, l2, clip_norm, clip_value),
            keep_outputs=bool(chosen_metrics),
            compile=compile,
        )
        check_trainable("fit", step.optimizer)
    return Training(
        step.resume(), batches, chosen_metrics,
        find_schedule(schedule, len(history) + epochs),
        checked_callbacks(callbacks),
        accumulate, history, rng,
    ).run(epochs, progress)  # fmt: skip


def check_limits(**limits: float | None) -> None:
    """Refuse what is neither None nor a number that is not negative."""
    given = {name: limit for name, limit in limits.items() if limit is not None}
    check_range("fit", NOT_NEGATIVE, **given)


def check_time(schedule: Any, batches: Batches, x: Any) -> None:
    """Refuse a schedule where it is not known which part of an epoch a batch is."""
    if schedule is not None and batches.part_before(0) is None:
        raise ag.ArgumentValueError(
            "fit: the schedule is a function of the time in epochs, which is not known where "
            f"the batches come from {type(x).__name__}, which has no length; pass a list of "
            "batches, define __len__, or leave the schedule out"
        )


@contextmanager
def undone_on_error(rng: np.random.Generator, progress: Progress) -> Iterator[None]:
    """A block whose draws, and whose notes on a run to go on from, are undone if it fails."""
    before = rng.bit_generator.state, dict(vars(progress))
    try:
        yield
    except BaseException:
        rng.bit_generator.state = before[0]
        vars(progress).update(before[1])
        raise


def generator_of_split(rng: np.random.Generator, progress: Progress) -> np.random.Generator:
    """The generator itself; or, to go on, one that sets the same samples aside as before."""
    if progress.rng is not None:
        kind = type(rng.bit_generator).__name__
        if progress.rng["bit_generator"] != kind:
            raise ag.ArgumentValueError(
                f"fit: rng is a generator of {kind}, and the checkpoint is of one of "
                f"{progress.rng['bit_generator']}; pass one of the same kind"
            )
        rng.bit_generator.state, progress.rng = progress.rng, None
    if progress.split is None:
        progress.split = rng.bit_generator.state
        return rng
    twin: Any = type(rng.bit_generator)
    bits = twin(0)
    bits.state = progress.split
    return np.random.Generator(bits)


def checked_callbacks(callbacks: Any) -> list[Callback]:
    """A list of callbacks, also of a single one."""
    if not isinstance(callbacks, Callback | Iterable):
        callbacks = [callbacks]
    found = [callbacks] if isinstance(callbacks, Callback) else list(callbacks)
    for callback in found:
        if not isinstance(callback, Callback):
            raise ag.ArgumentTypeError(
                f"fit: {callback!r} is not a callback; pass objects of classes that derive from "
                "nn.Callback"
            )
    return found
