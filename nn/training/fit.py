"""fit: train a model on data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from nn.checks import NOT_NEGATIVE, check_counts, check_range
from nn.losses import losses
from nn.losses.reduction import Loss
from nn.metrics import Metrics, metrics_by_name
from nn.models.layers import RandomState
from nn.models.module import Module
from nn.optimizers import Adam, Optimizer
from nn.schedules import Schedule
from nn.training.batches import Batches, Sampling
from nn.training.callbacks import Callback
from nn.training.history import History
from nn.training.loop import Training
from nn.training.prediction import predict
from nn.training.step import Penalties, check_compile

__all__ = ["fit"]

OptimizerFactory = Callable[[Module], Optimizer]


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
        ``(x, y, sample_weight)``, iterated over once an epoch.  Floats are
        converted, batch by batch, to the dtype of the model's parameters.  Arrays and
        dataframes of Dask are trained on where they lie (docs/scaling.md); a batch then
        takes its samples from several chunks.
    loss : callable or str
        ``loss(outputs, targets)``, or the name of one of `nn.losses`.
    optimizer : Optimizer or callable
        An optimizer of the model's parameters; or what makes one from the
        model, such as the class `Adam` itself.
    epochs : int
        How many times to train on all of the data.
    batch_size : int
        How many samples make a batch; the last of an epoch may be smaller.
    validation_data : tuple, optional
        Inputs and targets that are looked at after each epoch.
    validation_split : float
        In [0, 1): the share of the samples to set aside as validation data.
    metrics : sequence of callable or str, or dict
        ``metric(outputs, targets)``, or names of `nn.metrics`, to put into the
        history besides the loss.
    sample_weight : array_like, shape (samples,), optional
        How much each sample counts; the loss gets it as ``sample_weight``.
    class_weight : dict, sequence or "balanced", optional
        How much the samples of each class count; "balanced" makes all classes
        count the same.
    schedule : callable, optional
        From `nn.schedules`: sets ``optimizer.lr_scale`` before every step.
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
    check_counts("fit", epochs=epochs, batch_size=batch_size, accumulate=accumulate)
    check_range("fit", NOT_NEGATIVE, l1=l1, l2=l2)
    check_range("fit", NOT_NEGATIVE, clip_norm=clip_norm or 0, clip_value=clip_value or 0)
    check_compile("fit", compile)
    chosen_loss, chosen_metrics = losses.find(loss), metrics_by_name(metrics)
    rng = np.random.default_rng(rng)
    has_metrics = bool(chosen_metrics)
    sampling = Sampling(
        batch_size, rng, sample_weight, class_weight, validation_split, validation_data, has_metrics
    )
    batches = Batches.of(x, y, sampling)
    predict(model, batches.example())  # layers without n_in learn it from their input
    step = batches.step_type(
        model,
        chosen_loss,
        optimizer if isinstance(optimizer, Optimizer) else optimizer(model),
        Penalties(l1, l2, clip_norm, clip_value),
        keep_outputs=has_metrics,
        compile=compile,
    )
    history = History() if history is None else history
    training = Training(
        step.resume(), batches, chosen_metrics, schedule, list(callbacks), accumulate, history, rng
    )
    return training.run(epochs, progress)
