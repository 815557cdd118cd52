"""Buffers: arrays that modules change themselves while they compute, such as running averages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import autograd_lite as ag

__all__ = ["as_buffer", "carried_buffers"]


@contextmanager
def carried_buffers(modules: Iterable[Any]) -> Iterator[None]:
    """A block in which buffers may be given what stands for numbers: a step that is traced."""
    for module in modules:
        vars(module)["_carries_buffers"] = True
    try:
        yield
    finally:
        for module in modules:
            del vars(module)["_carries_buffers"]


def as_buffer(module: Any, name: str, value: Any) -> Any:
    """What is kept for a buffer; refused where it stands for numbers that are not known yet."""
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, int | float | np.generic):
        return np.asarray(value)  # NumPy makes numbers of arrays without axes
    if value is None or "_carries_buffers" in vars(module):
        return value
    number = ag.stop_gradient(value)
    if type(number).__module__.partition(".")[0] == "autograd_lite":  # it stands for numbers
        is_traced = type(number) is not ag.Value  # those of vmap are Values like others
        where = "while ag.compile traces" if is_traced else "by ag.vmap, for each sample another"
        raise (ag.CompileError if is_traced else ag.UnsupportedError)(
            f"{type(module).__name__}.{name} would be changed {where}, and the model be left "
            "without numbers; call eval() or freeze() on the layer before, or train with nn.fit, "
            "which carries buffers through its compiled steps"
        )
    return value
