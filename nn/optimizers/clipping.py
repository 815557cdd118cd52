"""Gradient clipping: bounds on gradients before a step is taken."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.checks import Range, check_range
from nn.models.module import Module, Parameter

__all__ = ["clip_gradient_norm", "clip_gradient_values"]

LIMIT: Range = ("a positive number", lambda limit: limit > 0)
"""Infinity too, which changes nothing but tells the norm."""

LARGEST = np.finfo(np.float64).max


def trained_of(parameters: Module | Iterable[Parameter]) -> list[Parameter]:
    """The parameters that have a gradient, of these or of a model."""
    parameters = parameters.parameters() if isinstance(parameters, Module) else parameters
    found = [p for p in parameters if p.grad is not None]
    gradients: list[Any] = [p.grad for p in found]
    if any(map(np.iscomplexobj, gradients)):
        raise ag.ArgumentTypeError(
            "a gradient is complex, and clipping is that of real numbers; keep real and imaginary "
            "part as two parameters"
        )
    return found


def clip_gradient_norm(parameters: Module | Iterable[Parameter], limit: float) -> float:
    """Scale all gradients by one factor so that their joint norm is at most ``limit`` > 0.

    Returns the norm before.  R. Pascanu et al., "On the difficulty of training
    recurrent neural networks" (2013).

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([3.0, 4.0])
    >>> (0.5 * (w * w).sum()).backward()
    >>> nn.clip_gradient_norm([w], 1.0)
    5.0
    >>> w.grad
    array([0.6, 0.8])
    """
    check_range("clip_gradient_norm", LIMIT, limit=limit)
    trained = trained_of(parameters)
    with np.errstate(invalid="ignore"):  # an infinite gradient stays one, or is NaN
        clipped, norm = clip_by_norm([p.grad for p in trained], limit)
    set_gradients(trained, clipped)
    return float(norm)


def clip_gradient_values(parameters: Module | Iterable[Parameter], limit: float) -> None:
    """Clip every entry of every gradient to [-limit, limit], where ``limit`` is positive.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([3.0, -0.5])
    >>> (0.5 * (w * w).sum()).backward()
    >>> nn.clip_gradient_values([w], 1.0)
    >>> w.grad
    array([ 1. , -0.5])
    """
    check_range("clip_gradient_values", LIMIT, limit=limit)
    trained = trained_of(parameters)
    set_gradients(trained, clip_by_value([p.grad for p in trained], limit))


def clip_by_norm(gradients: list[Any], limit: float) -> tuple[list[Any], Any]:
    """The gradients scaled by one factor, in their own dtypes, and their norm before.

    Squares are taken of numbers up to 1, so that they neither overflow nor vanish.
    """
    sizes = [np.max(np.abs(g)) for g in gradients if getattr(g, "size", 1)]
    largest = reduce(np.maximum, sizes, np.float64(0))
    unit = np.where(np.logical_and(largest > 0, np.isfinite(largest)), largest, 1.0)
    scaled = [np.divide(g, unit, dtype=dtype_of(g)) for g in gradients]
    length = np.sqrt(sum(np.sum(np.square(u, dtype=np.float64)) for u in scaled))
    norm = unit * length
    factor = np.minimum(np.minimum(norm, limit), LARGEST) / np.where(length == 0, 1.0, length)
    clipped = [
        np.where(norm <= limit, g, np.multiply(u, factor, dtype=dtype_of(g)))
        for g, u in zip(gradients, scaled, strict=True)
    ]
    return clipped, norm


def dtype_of(gradient: Any) -> Any:
    """The dtype of an array; float64 for a number."""
    return getattr(gradient, "dtype", np.float64)


def clip_by_value(gradients: list[Any], limit: float) -> list[Any]:
    """The gradients with every entry clipped to [-limit, limit]."""
    return [np.clip(g, -limit, limit) for g in gradients]


def set_gradients(parameters: list[Parameter], gradients: list[Any]) -> None:
    """Give parameters other gradients; a Python number stays one."""
    for parameter, g in zip(parameters, gradients, strict=True):
        parameter.grad = float(g) if np.isscalar(parameter.grad) else g
