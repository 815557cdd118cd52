"""What every hypothesis about a wrong derivative must keep to."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag


@pytest.mark.parametrize("function", [np.sin, np.cumsum, lambda x: x @ np.ones((6, 6)) + x**2])
@pytest.mark.parametrize("seed", range(3))
def test_junk_is_not_explained(function, seed):
    """A hint that always fits explains nothing."""
    rng = np.random.default_rng(seed)
    x, junk = rng.normal(size=6), rng.normal(size=(6, 6))
    report = ag.gradcheck(function, x, vjp=lambda g, x: junk @ g, raise_error=False)
    assert [hint.kind for hint in report.hints] == ["unexplained"]
