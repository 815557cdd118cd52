"""What the tests of nn share."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag


@pytest.fixture
def check_derivatives():
    """Check first and second derivatives of a function against numerical ones."""

    def check(function, *args, second=True):
        ag.gradcheck(function, *args)
        if second:
            weights = np.random.default_rng(1).normal(size=np.shape(function(*args)))

            def scalar(*args):
                return np.sum(weights * function(*args))

            ag.gradcheck(ag.grad(scalar, tuple(range(len(args)))), *args)

    return check
