"""Models of several outputs: a loss for each of them, and metrics by their names."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.losses import losses
from nn.losses.classification import binary_cross_entropy, multilabel
from nn.losses.labels import has_columns
from nn.losses.reduction import Loss
from nn.metrics import Metrics, metrics_by_name, metrics_of_classes, name_taken

__all__ = [
    "LossChoice",
    "LossOfOutputs",
    "OfOutput",
    "check_depends",
    "check_loss",
    "check_outputs",
    "check_takes",
    "choose_loss",
    "choose_metrics",
    "explain_missing_gradient",
    "function_of",
    "name_of",
    "part_of",
    "score",
]

LossChoice = Loss | str | Mapping[str, Loss | str] | Sequence[Loss | str]
"""A loss, its name, or one for each output: by names, or in their order."""


@dataclass(frozen=True)
class LossOfOutputs:
    """The weighted sum of losses, one for each output."""

    parts: dict[Any, Loss]
    weights: dict[Any, float]

    def __call__(self, outputs: Any, targets: Any, **options: Any) -> Any:
        total: Any = 0.0
        for name, loss in self.parts.items():
            part = loss(part_of(outputs, name, "the model returns"),
                        part_of(targets, name, "the targets are"), **options)  # fmt: skip
            weight = self.weights[name]
            total = total + (part if weight == 1 else weight * part)
        return total


@dataclass(frozen=True)
class OfOutput:
    """A metric of one output; a loss counts samples by their weights, as training does."""

    name: Any
    func: Callable[..., Any]
    is_loss: bool = False

    def __call__(self, outputs: Any, targets: Any, sample_weight: Any = None) -> Any:
        output = part_of(outputs, self.name, "the model returns")
        target = part_of(targets, self.name, "the targets are")
        if self.is_loss and sample_weight is not None:
            return self.func(output, target, sample_weight=sample_weight)
        return self.func(output, target)


def part_of(outputs: Any, name: Any, where: str) -> Any:
    """The output of a name, or at a place."""
    is_there = (
        name in outputs
        if isinstance(outputs, Mapping)
        else isinstance(outputs, tuple | list) and isinstance(name, int) and name < len(outputs)
    )
    if not is_there:
        kind = type(outputs).__name__
        has = f"a single one in a {kind}"
        if isinstance(outputs, Mapping):
            has = ", ".join(map(repr, outputs))
        elif isinstance(outputs, tuple | list):
            has = f"{len(outputs)} in a {kind}"
        raise ag.ArgumentValueError(
            f"there is a loss or metric for the output {name!r}, but {where} {has}; give losses, "
            "metrics and targets the names, or the order, of the model's outputs"
        )
    return outputs[name]


def choose_loss(caller: str, chosen: LossChoice, weights: Any = None) -> Loss:
    """The loss of that name, or the weighted sum of one for each output."""
    if type(chosen).__module__.partition(".")[0] == "torch":
        raise ag.ArgumentTypeError(
            f"{caller}: loss is {chosen!r}, which computes with tensors of PyTorch; pass one of "
            "nn.losses, such as 'cross_entropy', or a function of outputs and targets"
        )
    if isinstance(chosen, str) or callable(chosen):
        if weights is not None:
            raise ag.ArgumentValueError(
                f"{caller}: loss_weights is given for a single loss; give a loss for each output, "
                "loss={'name': ...}, or leave it out"
            )
        return losses.find(chosen)
    if not isinstance(chosen, Mapping | list | tuple):
        raise ag.ArgumentTypeError(
            f"{caller}: loss is {chosen!r}; pass a function, the name of one of nn.losses, or one "
            "for each output in a dict or list"
        )
    names, parts = named_parts(chosen)
    if not names:
        raise ag.ArgumentValueError(f"{caller}: loss is empty; give one for each output")
    found = {name: losses.find(part) for name, part in zip(names, parts, strict=True)}
    given = {} if weights is None else dict(zip(*named_parts(weights, caller), strict=True))
    unknown = [name for name in given if name not in found]
    bad = [x for x in given.values() if not isinstance(x, int | float | np.number)
           or not isfinite(x)]  # fmt: skip
    if unknown or bad or (weights is not None and not isinstance(weights, Mapping)
                          and len(given) != len(found)):  # fmt: skip
        raise ag.ArgumentValueError(
            f"{caller}: loss_weights is {weights!r}; give one finite number for each of the "
            f"losses {', '.join(map(repr, found))}"
        )
    return LossOfOutputs(found, {name: float(given.get(name, 1.0)) for name in found})


def named_parts(given: Any, caller: str = "fit") -> tuple[list[Any], list[Any]]:
    """Names and parts of a mapping; places and parts of a sequence."""
    if not isinstance(given, Mapping | Sequence | np.ndarray):
        raise ag.ArgumentTypeError(
            f"{caller}: loss_weights is {given!r}; give one number for each loss, in a dict or list"
        )
    if isinstance(given, Mapping):
        return list(given), list(given.values())
    parts = list(given)
    return list(range(len(parts))), parts


def choose_metrics(chosen: Any, loss: Loss | None) -> dict[str, Callable[..., Any]]:
    """Metrics by the names that they have in a history; with several losses also these."""
    found = metrics_of(chosen, loss)
    for name in found:
        if not isinstance(name, str):
            raise ag.ArgumentTypeError(
                f"metrics: {name!r} is not a name for a column of a history; use a text"
            )
        if name == "loss" or re.match(r"validation_|learning_rate(_\d+)?$", name):
            raise ag.ArgumentValueError(
                f"metrics: {name!r} is the name of another column of a history; give the metric, "
                "or the output that it is of, another name"
            )
    return found


def metrics_of(chosen: Any, loss: Loss | None) -> dict[str, Callable[..., Any]]:
    """Metrics by their names, as they are given or of the outputs."""
    if not isinstance(loss, LossOfOutputs):
        return metrics_by_name(chosen)
    found: dict[str, Callable[..., Any]] = {
        f"{name}_loss": OfOutput(name, part, is_loss=True) for name, part in loss.parts.items()
    }
    if isinstance(chosen, str) or (callable(chosen) and not isinstance(chosen, Mapping)):
        chosen = [chosen]
    of_outputs = isinstance(chosen, Mapping) or (
        bool(chosen) and all(isinstance(one, list | tuple) for one in chosen)
    )
    if not of_outputs:
        if any(isinstance(one, str) for one in chosen):
            raise ag.ArgumentValueError(
                "fit: the model has several outputs, and a metric is of one of them; pass "
                f"metrics={{{next(iter(loss.parts))!r}: {list(chosen)!r}}}"
            )
        others = metrics_by_name(chosen)
        for name in found.keys() & others.keys():
            raise name_taken(name)
        return found | others
    for name, several in zip(*named_parts(chosen), strict=True):
        one: Metrics = several
        for metric, function in metrics_by_name(one).items():
            if f"{name}_{metric}" in found:
                raise name_taken(f"{name}_{metric}")
            found[f"{name}_{metric}"] = OfOutput(name, function)
    return found


def check_outputs(
    caller: str, outputs: Any, loss: Loss | None, metrics: Mapping[str, Callable[..., Any]]
) -> None:
    """Refuse losses and metrics that do not fit to what a model returns."""
    if isinstance(loss, LossOfOutputs):
        for name in [*loss.parts, *(m.name for m in metrics.values() if isinstance(m, OfOutput))]:
            part_of(outputs, name, "the model returns")
    elif isinstance(outputs, dict | tuple | list) and function_of(loss) in losses.values():
        names = outputs if isinstance(outputs, dict) else range(len(outputs))
        example = ", ".join(f"{name!r}: 'mse'" for name in names)
        raise ag.ArgumentValueError(
            f"{caller}: the model returns {len(outputs)} outputs in a {type(outputs).__name__}, "
            f"and the loss is of one; pass one for each, such as loss={{{example}}}"
        )
    check_decisions(caller, outputs, loss, metrics)


def check_decisions(
    caller: str, outputs: Any, loss: Loss | None, metrics: Mapping[str, Callable[..., Any]]
) -> None:
    """Refuse metrics of classes where the columns of an output are questions of yes or no."""
    for name, metric in metrics.items():
        own_loss, output = loss, outputs
        if isinstance(metric, OfOutput) and isinstance(loss, LossOfOutputs):
            own_loss, output = loss.parts.get(metric.name), outputs[metric.name]
        is_of_questions = function_of(own_loss) in (binary_cross_entropy, multilabel)
        if not is_of_questions or not has_columns(np.shape(output)):
            continue
        if function_of(metric) in metrics_of_classes:
            raise ag.ArgumentValueError(
                f"{caller}: the loss asks {np.shape(output)[-1]} questions of yes or no, and "
                f"{name!r} is the share of one class out of several; pass a function of your own, "
                "such as metrics={'right': lambda z, y: np.mean((z > 0) == y)}, or "
                "loss='cross_entropy' for classes"
            )


def function_of(metric: Any) -> Any:
    """The function behind arguments that are given beforehand, and of one output."""
    while isinstance(metric, partial | OfOutput):
        metric = metric.func
    return metric


def score(metric: Callable[..., Any], outputs: Any, targets: Any, weight: Any) -> float:
    """The number of a metric."""
    weights = (weight,) if isinstance(metric, OfOutput) else ()
    number = metric(outputs, targets, *weights)
    with suppress(TypeError, ValueError):
        if not np.iscomplexobj(number):  # of which NumPy gives the real part
            return float(number)
    raise ag.ArgumentTypeError(
        f"metrics: {name_of(metric)!r} returned {words_for(number)}, such as np.mean(...)"
    )


def words_for(value: Any) -> str:
    """What was returned in the place of a single real number, and what to return."""
    found = type(value).__name__
    if isinstance(value, ag.Value | np.ndarray) and value.ndim:
        found += f" of shape {value.shape}"
    if isinstance(value, ag.Value | np.ndarray | np.generic | complex) and np.iscomplexobj(value):
        return f"{found} of complex numbers; return a single real number"
    return f"{found}; return a single number"


def name_of(function: Any) -> str:
    """The name of a loss or metric."""
    found = function_of(function)
    return str(getattr(found, "__name__", type(found).__name__))


def check_takes(loss: Loss, options: Mapping[str, Any]) -> None:
    """Refuse a loss that cannot be given the weights of samples."""
    for part in loss.parts.values() if isinstance(loss, LossOfOutputs) else (loss,):
        try:
            inspect.signature(part).bind(None, None, **options)
        except TypeError:
            given = ", ".join(["outputs", "targets", *options])
            raise ag.ArgumentTypeError(
                f"fit: the loss {name_of(part)!r} cannot be called with {given}; write "
                f"def {identifier(part)}({given})"
            ) from None
        except ValueError:
            pass  # something built in has no signature


def identifier(function: Any) -> str:
    """A name that can be written after ``def``."""
    name = name_of(function)
    return name if name.isidentifier() else "loss"


def check_loss(loss: Loss, value: Any) -> None:
    """Refuse what a loss returned if it is no single real number."""
    is_number = isinstance(value, ag.Value | np.ndarray | np.generic | int | float)
    if not is_number or np.ndim(value) or np.iscomplexobj(value):
        raise ag.ArgumentTypeError(
            f"fit: the loss {name_of(loss)!r} returned {words_for(value)}, such as np.mean(...) "
            "over the batch"
        )


def check_depends(loss: Loss, values: Iterable[Any]) -> None:
    """Refuse to train with plain numbers, of which nothing is known but how large they are."""
    if not any(isinstance(value, ag.Value) for value in values):
        raise ag.BackwardError(
            f"fit: the loss {name_of(loss)!r} returned a plain number, through which no gradient "
            "goes; compute it of the outputs with NumPy's functions, without float() or .data"
        )


def explain_missing_gradient(
    loss: Loss, outputs: Any, parameter: Any, is_of_model: bool
) -> str | None:
    """Why a parameter received no gradient, where that can be seen."""
    if not is_of_model:
        return (
            f"fit: the optimizer has the parameter {parameter.label!r} of shape "
            f"{parameter.shape}, which is not of this model; make the optimizer of this one, "
            "such as nn.Adam(model)"
        )
    if isinstance(loss, LossOfOutputs) and isinstance(outputs, dict | list | tuple):
        names = outputs if isinstance(outputs, dict) else range(len(outputs))
        without = [name for name in names if name not in loss.parts]
        if without:
            return (
                f"fit: the parameter {parameter.label!r} of shape {parameter.shape} received no "
                f"gradient, and there is no loss for {', '.join(map(repr, without))}; give each "
                "output a loss, or freeze() the part that is not trained"
            )
    return None
