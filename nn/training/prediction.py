"""Prediction and evaluation: a trained model at work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain
from threading import Lock
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.checks import check_counts
from nn.losses.labels import plain
from nn.losses.reduction import Loss
from nn.models.module import Module
from nn.training.batches import (
    EXAMPLES,
    Batch,
    check_rows,
    checked_batches,
    is_iterable_of_batches,
    source_of,
)
from nn.training.data import (
    apply_model,
    as_batch_array,
    as_inputs,
    as_weights,
    check_model,
    concatenate,
    concatenate_weights,
    dtype_of,
    length,
    map_arrays,
    map_outputs,
    of_moderate_size,
    rows_of,
)
from nn.training.outputs import (
    LossChoice,
    check_loss,
    check_outputs,
    check_takes,
    choose_loss,
    choose_metrics,
    score,
)
from nn.training.probabilities import tell_probabilities
from nn.training.terms import Kind, kinds_of

__all__ = ["evaluate", "in_use", "predict", "recorded", "validate"]


def predict(model: Module, x: Any, *, batch_size: int = 1024) -> Any:
    """The outputs of a model in use, computed batch by batch and without a graph.

    Parameters
    ----------
    model : Module
        Is set to ``eval`` for the time of the call, which leaves no trace in its buffers.
    x : array_like, or a tuple or dict of them
        Inputs, samples first; a tuple for a model of several inputs, a dict for one that
        takes them by name.  The outputs for arrays of Dask are arrays of Dask, computed
        where the chunks lie.
    batch_size : int
        How many samples are computed at once.

    Returns
    -------
    array, or what the model returns of them
        The outputs, samples first; tuples, lists and dicts stay what they are.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.predict(nn.MLP(2, [3, 1]), np.zeros((5, 2))).shape
    (5, 1)
    """
    check_model("predict", model)
    check_counts("predict", batch_size=batch_size)
    source = source_of(x)
    if source is not None:
        return source.predict(model, x)
    x = as_inputs("predict", x)
    dtype = dtype_of(model)
    with in_use(model), ag.no_grad():
        parts = [
            map_outputs(
                plain, apply_model(model, rows_of(x, slice(start, start + batch_size), dtype))
            )
            for start in range(0, max(length(x), 1), batch_size)
        ]
    return concatenate(parts)


def recorded(model: Module, x: Any) -> Any:
    """The outputs of a model in use, with what they were computed by."""
    x = rows_of(map_arrays(as_batch_array, x), slice(EXAMPLES), dtype_of(model))
    with in_use(model):
        outputs = apply_model(model, x)
        if isinstance(outputs, np.ndarray):  # no parameters are in it
            with suppress(ag.AutogradError, TypeError, ValueError):
                return apply_model(model, map_arrays(ag.Value, x))
        return outputs


@contextmanager
def in_use(model: Module) -> Iterator[None]:
    """A block in which a model is in ``eval``, and which leaves its modes and buffers as they were.

    Buffers that it makes, of layers that learn their shape from the input, stay.  Where blocks of
    several threads overlap, a module goes back when the last one ends.
    """
    with changing_modes:
        modules = [module for _, module in model.named_modules()]
        for module in modules:
            uses[id(module)] = found = uses.get(id(module)) or Use(module)
            found.count += 1
    try:
        model.eval()
        yield
    finally:
        with changing_modes:
            for module in modules:
                uses[id(module)].count -= 1
                if not uses[id(module)].count:
                    uses.pop(id(module)).end()


class Use:
    """How a module was before it was used, and how many blocks use it now."""

    def __init__(self, module: Module) -> None:
        self.module, self.mode, self.count = module, module.training, 0
        found = {name: getattr(module, name, None) for name in module.buffers}
        self.buffers = {
            name: (array, array.copy()) for name, array in found.items() if array is not None
        }

    def end(self) -> None:
        """Put back the mode, and the numbers of the buffers in their arrays."""
        self.module.training = self.mode
        for name, (array, before) in self.buffers.items():
            if not np.array_equal(array, before, equal_nan=True):
                array[...] = before
            setattr(self.module, name, array)


uses: dict[int, Use] = {}
"""Of modules that are in use now, by their id: whoever uses one holds it."""

changing_modes = Lock()


def evaluate(
    model: Module,
    x: Any,
    y: Any = None,
    *,
    loss: LossChoice | None = None,
    loss_weights: Any = None,
    metrics: Any = (),
    sample_weight: Any = None,
    batch_size: int = 1024,
) -> dict[str, float]:
    """Loss and metrics of a model in use.

    Parameters
    ----------
    model : Module
        Is set to ``eval`` for the time of the call.
    x, y, loss, loss_weights, metrics
        As for `fit`.
    sample_weight : array_like, shape (samples,), optional
        How much each sample counts in the loss; metrics count all alike.
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
    check_model("evaluate", model)
    chosen_loss = None if loss is None else choose_loss("evaluate", loss, loss_weights)
    chosen = choose_metrics(metrics, chosen_loss)
    if sample_weight is not None and loss is None:
        raise ag.ArgumentValueError(
            "evaluate: sample_weight is for the loss, and none is given; metrics count all samples "
            "alike, so leave it out, or pass loss="
        )
    if y is None:
        if sample_weight is not None:
            raise ag.ArgumentValueError(
                "evaluate: sample_weight needs arrays x and y; an iterable gives weights as "
                "(x, y, sample_weight)"
            )
        batches = iter(checked_batches(x, dtype_of(model)))
        first = next(batches)
        data, example = outputs_of_batches(model, chain([first], batches)), first[0]
    else:
        check_rows(x=x, y=y, sample_weight=sample_weight)
        source = source_of(x)
        n_samples = length(as_inputs("evaluate", x)) if source is None else None
        outputs = map_outputs(np.asarray, predict(model, x, batch_size=batch_size))
        targets = rows_of(map_arrays(as_batch_array, y), slice(None), dtype_of(model))
        if not length(targets):
            raise ag.ArgumentValueError("evaluate: there are no samples; give at least one")
        if n_samples not in (None, length(targets)):
            raise ag.ArgumentValueError(
                f"evaluate: x has {n_samples} samples, and y has {length(targets)}; give one "
                "target for each sample"
            )
        data = (
            outputs,
            targets,
            None
            if sample_weight is None
            else np.asarray(as_weights(sample_weight, length(targets))),
        )
        example = x if source is None else source.example(x)
    check_outputs("evaluate", data[0], chosen_loss, chosen)
    record = partial(recorded, model, example)
    chosen = tell_probabilities("evaluate", chosen, chosen_loss, record)
    return numbers_of(*data, chosen_loss, chosen)


def validate(model: Module, data: Any, loss: Loss, metrics: Mapping[str, Any]) -> dict[str, float]:
    """Loss and metrics of validation data, for losses and metrics that have been found."""
    if is_iterable_of_batches(data):
        parts = outputs_of_batches(model, checked_batches(data, dtype_of(model)))
        return numbers_of(*parts, loss, metrics)
    x, y, weight = (*data, None)[:3]
    weight = None if weight is None else np.asarray(weight)
    outputs = map_outputs(np.asarray, predict(model, x))
    targets = rows_of(map_arrays(as_batch_array, y), slice(None), dtype_of(model))
    return numbers_of(outputs, targets, weight, loss, metrics)


def outputs_of_batches(model: Module, batches: Iterable[Batch]) -> tuple[Any, Any, Any]:
    """Outputs, targets and weights of all batches."""
    parts: list[tuple[Any, Any, Any]] = []
    for x, y, weight in batches:
        parts.append((map_outputs(np.asarray, predict(model, x)), y, weight))
    outputs, targets, weights = zip(*parts, strict=True)
    whole = concatenate_weights(weights, targets)
    return concatenate(list(outputs)), concatenate(list(targets)), whole


def numbers_of(
    outputs: Any, targets: Any, weight: Any, loss: Loss | None, metrics: Mapping[str, Any]
) -> dict[str, float]:
    """Loss and metrics of what a model gave for all samples."""
    numbers = {}
    if loss is not None:
        options = {} if weight is None else {"sample_weight": weight}
        check_takes(loss, options)
        if weight is not None and Kind.SUM not in kinds_of(loss):  # means go by proportions
            options = {"sample_weight": of_moderate_size(weight)}
        value = loss(outputs, targets, **options)
        check_loss(loss, value)
        numbers["loss"] = float(value)
    return numbers | {name: score(m, outputs, targets, weight) for name, m in metrics.items()}
