"""What tests of loops and branches share: numbers to loop over, and a comparison."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.core.tree import flatten

__all__ = ["RNG", "X1", "XS", "A", "W", "assert_same", "loss_of"]

RNG = np.random.default_rng(1)
XS = RNG.normal(size=(6, 3))
X1 = RNG.normal(size=6)
W = RNG.normal(size=3)
A = RNG.normal(size=(3, 3))


def assert_same(found: Any, expected: Any, tolerance: float = 1e-12) -> None:
    found, expected = flatten(found), flatten(expected)
    assert len(found) == len(expected)
    for x, y in zip(found, expected, strict=True):
        assert np.asarray(x).dtype == np.asarray(y).dtype
        assert np.shape(x) == np.shape(y)
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)


def loss_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """The sum of the sines of all that it returns and that can have a gradient."""

    def loss(*args: Any) -> Any:
        leaves = flatten(function(*args))
        smooth = [x for x in leaves if getattr(x, "dtype", np.dtype(type(x))).kind == "f"]
        return sum((np.sum(np.sin(x)) for x in smooth), 0.0)

    return loss
