"""NumPy with our derivatives, PyTorch and JAX, as the objectives of GradBench call them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite.core import tree
from tests.benchmarks.objectives import Library


def unchanged(x: Any) -> Any:
    return x


def moved_by(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function that converts the arrays among nested arguments."""
    return lambda x: tree.map(lambda y: convert(y) if isinstance(y, np.ndarray) else y, x)


def of_numpy(ready: Callable[..., Any] = ag.compile) -> Library:
    return Library(np, ag.scan, ag.grad, ag.jvp, ready, unchanged, unchanged, unchanged)


def of_jax() -> Library:
    import jax

    jax.config.update("jax_enable_x64", True)
    numpy, number = jax.numpy, jax.numpy.asarray
    transforms = jax.grad, jax.jvp, jax.jit
    moved, wait = moved_by(number), jax.block_until_ready
    return Library(numpy, jax.lax.scan, *transforms, moved, number, wait)


def of_torch() -> Library:
    import array_api_compat.torch as torch_by_the_standard
    import torch

    def scan(step: Any, carry: Any, xs: Any, length: int = 0) -> tuple[Any, Any]:
        results = []
        for row in zip(*xs, strict=True) if xs is not None else [None] * length:
            carry, result = step(carry, row)
            results.append(result)
        return carry, None if xs is None else torch.stack(results)

    def number(x: Any) -> Any:
        return torch.as_tensor(x, dtype=torch.float64)

    grad, jvp = torch.func.grad, torch.func.jvp
    array = moved_by(torch.as_tensor)
    return Library(torch_by_the_standard, scan, grad, jvp, unchanged, array, number, unchanged)
