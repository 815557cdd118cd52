"""What all losses share: their names, weights, reductions, and checks of their arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

import numpy as np

import autograd_lite as ag
from nn.checks import as_reals, unmasked
from nn.registry import Registry

__all__ = [
    "Loss",
    "alike",
    "as_operand",
    "as_outputs",
    "as_targets",
    "between",
    "is_sum",
    "loss",
    "losses",
    "reduce",
    "with_options",
]

Loss = Callable[..., Any]

losses = Registry("loss")
"""All losses by name, as `fit` and the estimators take them."""

loss = losses.register


def with_options(function: Any) -> tuple[Any, dict[str, Any]]:
    """A loss without the options that it was given beforehand, and these."""
    options: dict[str, Any] = {}
    while isinstance(function, partial):
        function, options = function.func, function.keywords | options
    return function, options


def is_sum(function: Any) -> bool:
    """Whether a loss was told to be the sum over the samples, and not the mean."""
    found, options = with_options(function)
    return options.get("reduction") == "sum" and found in losses.values()


def as_outputs(outputs: Any, caller: str) -> Any:
    """Outputs as floats: targets in the dtype of whole numbers would be rounded."""
    if isinstance(outputs, dict):
        refuse_dict()
    kind = getattr(getattr(outputs, "dtype", None), "kind", "O")
    if isinstance(outputs, ag.Value) and kind != "c":
        return outputs if kind == "f" else outputs.astype(np.float64)
    if kind == "f" and hasattr(outputs, "__array_function__"):
        return unmasked(outputs)
    plain = outputs.data if isinstance(outputs, ag.Value) else unmasked(outputs)
    is_numpys = kind == "f" and isinstance(outputs.dtype, np.dtype)  # frames have further ones
    return as_reals(f"{caller}: the outputs", plain, outputs.dtype if is_numpys else np.float64)


def refuse_dict() -> NoReturn:
    """The error for several outputs where one is meant."""
    raise ag.ArgumentTypeError(
        "a loss is of one output, and a dict of several was given; pass fit a loss for each, "
        "loss={'name': ...}, or take one of them out"
    )


def as_operand(x: Any, like: Any) -> Any:
    """An array in the dtype of ``like``, if it is of floats; a Value stays one, to be recorded."""
    if isinstance(x, dict) or isinstance(like, dict):
        refuse_dict()
    dtype = getattr(like, "dtype", None)
    dtype = dtype if getattr(dtype, "kind", "") == "f" else np.dtype(np.float64)
    if not isinstance(x, ag.Value):
        return as_reals("what a loss got", x, dtype)
    return x if x.dtype == dtype else x.astype(dtype)


@ag.primitive
def between(x: Any, *, low: float, high: float, what: str) -> Any:
    """``x`` itself, refused if a number in it lies outside [low, high] or is NaN."""
    if np.size(x) and not (np.min(x) >= low and np.max(x) <= high):
        bounds = f"at least {low:g}" if high == np.inf else f"from {low:g} to {high:g}"
        raise ag.ArgumentValueError(
            f"{what} go from {np.min(x):g} to {np.max(x):g}; they must be {bounds}"
        )
    return x


between.defvjp(lambda g, out, x, low, high, what: g)


def as_targets(outputs: Any, targets: Any, caller: str) -> Any:
    """Targets as an operand, refused where broadcasting would pair the wrong numbers.

    A column of outputs and as many single targets belong together, or the other way round.
    """
    targets = alike(as_operand(targets, outputs), np.shape(outputs))
    if np.shape(outputs) != targets.shape:
        raise ag.ArgumentValueError(
            f"{caller}: the outputs have shape {np.shape(outputs)}, but the targets have shape "
            f"{targets.shape}; reshape one so that both are equal"
        )
    return targets


def alike(labels: Any, shape: tuple[int, ...]) -> Any:
    """Labels in the shape of outputs if the one is a column of what the other are."""
    if (*np.shape(labels), 1) == shape or np.shape(labels) == (*shape, 1):
        return np.reshape(labels, shape)
    return labels


def reduce(each: Any, reduction: str, sample_weight: Any, caller: str, counts: Any = None) -> Any:
    """Apply weights and reduction to an array of losses whose first axis counts samples.

    ``counts``, of the same shape, is how much each of the losses counts in the mean besides;
    they are multiplied by it already.
    """
    if not isinstance(reduction, str) or reduction not in ("mean", "sum", "none"):
        raise ag.ArgumentValueError(
            f"{caller}: reduction is {reduction!r}; use 'mean', 'sum' or 'none'"
        )
    weight = counts
    if sample_weight is not None:
        own = checked_weight(sample_weight, each, caller)
        own = np.reshape(own, (-1, *(1,) * (each.ndim - 1)))
        # What does not count, does not either where the loss is infinite: 0 · inf is NaN.
        each = np.where(np.logical_or(own != 0, np.isfinite(each)), each, 0) * own
        weight = own if counts is None else own * counts
    if reduction == "none":
        return each
    if reduction == "sum":
        return np.sum(each)
    if weight is None:
        return np.mean(each)
    count = np.sum(weight) * (each.size // np.size(weight))
    return np.sum(each) / np.where(count == 0, 1, count)


def checked_weight(sample_weight: Any, each: Any, caller: str) -> Any:
    """One weight for each sample, none of them negative."""
    weight = as_operand(sample_weight, each)
    if weight.shape != each.shape[:1]:
        raise ag.ArgumentValueError(
            f"{caller}: sample_weight has shape {weight.shape}, but there are {each.shape[0]} "
            f"samples; give one weight for each, shape {each.shape[:1]}"
        )
    return between(weight, low=0.0, high=np.inf, what=f"{caller}: the weights in sample_weight")
