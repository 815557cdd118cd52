"""What all losses share: their names, weights, reductions, and checks of their arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.registry import Registry

__all__ = ["Loss", "as_operand", "as_targets", "between", "loss", "losses", "reduce"]

Loss = Callable[..., Any]

losses = Registry("loss")
"""All losses by name, as `fit` and the estimators take them."""

loss = losses.register


def as_operand(x: Any, like: Any) -> Any:
    """An array in the dtype of ``like``; a Value stays one, so that it is recorded."""
    dtype = like.dtype if hasattr(like, "dtype") else np.dtype(np.float64)
    if not isinstance(x, ag.Value):
        return np.asarray(x, dtype, like=x if hasattr(x, "__array_function__") else None)
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
    """Targets as an operand, refused where broadcasting would pair the wrong numbers."""
    targets = as_operand(targets, outputs)
    if np.shape(outputs) != targets.shape:
        raise ag.ArgumentValueError(
            f"{caller}: the outputs have shape {np.shape(outputs)}, but the targets have shape "
            f"{targets.shape}; reshape one so that both are equal"
        )
    return targets


def reduce(each: Any, reduction: str, sample_weight: Any, caller: str) -> Any:
    """Apply weights and reduction to an array of losses whose first axis counts samples."""
    if reduction not in ("mean", "sum", "none"):
        raise ag.ArgumentValueError(
            f"{caller}: reduction is {reduction!r}; use 'mean', 'sum' or 'none'"
        )
    if sample_weight is None:
        if reduction == "none":
            return each
        return np.mean(each) if reduction == "mean" else np.sum(each)
    weight = checked_weight(sample_weight, each, caller)
    weighted = each * np.reshape(weight, (-1, *(1,) * (each.ndim - 1)))
    if reduction == "none":
        return weighted
    total = np.sum(weighted)
    if reduction == "sum":
        return total
    count = np.sum(weight) * (each.size // each.shape[0])
    return total / np.where(count == 0, 1, count)


def checked_weight(sample_weight: Any, each: Any, caller: str) -> Any:
    """One weight for each sample, none of them negative."""
    weight = as_operand(sample_weight, each)
    if weight.shape != each.shape[:1]:
        raise ag.ArgumentValueError(
            f"{caller}: sample_weight has shape {weight.shape}, but there are {each.shape[0]} "
            f"samples; give one weight for each, shape {each.shape[:1]}"
        )
    return between(weight, low=0.0, high=np.inf, what=f"{caller}: the weights in sample_weight")
