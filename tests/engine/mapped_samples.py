"""What tests of vmap share: samples, functions of them, the loop over them, and a comparison."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite as ag

__all__ = ["INPUTS", "TARGETS", "WEIGHTS", "XS", "assert_equal", "loop", "loss", "swish"]

XS = np.random.default_rng(0).normal(size=(4, 6))

RNG = np.random.default_rng(0)
INPUTS, TARGETS = RNG.normal(size=(5, 3)), RNG.normal(size=5)
WEIGHTS = RNG.normal(size=(3, 4))


def assert_equal(found: Any, wanted: Any) -> None:
    assert not isinstance(found, ag.Value)
    assert np.shape(found) == np.shape(wanted)
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


def loop(function: Any, *columns: Any) -> Any:
    return np.stack([function(*row) for row in zip(*columns, strict=True)])


def loss(w: Any, x: Any, y: Any) -> Any:
    return (np.sum(np.tanh(x @ w)) - y) ** 2


@ag.primitive
def swish(x: Any) -> Any:
    return x / (1 + np.exp(-np.asarray(x)))


def swish_vjp(g: Any, out: Any, x: Any) -> Any:
    s = 1 / (1 + np.exp(-x))
    return g * (s + x * s * (1 - s))


swish.defvjp(swish_vjp)
