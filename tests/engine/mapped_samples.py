"""What tests of vmap share: samples, the loop over them, and a comparison."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite as ag

__all__ = ["XS", "assert_equal", "loop"]

XS = np.random.default_rng(0).normal(size=(4, 6))


def assert_equal(found: Any, wanted: Any) -> None:
    assert not isinstance(found, ag.Value)
    assert np.shape(found) == np.shape(wanted)
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


def loop(function: Any, *columns: Any) -> Any:
    return np.stack([function(*row) for row in zip(*columns, strict=True)])
