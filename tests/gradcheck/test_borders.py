"""Points far closer to a border or a singularity than they are large, entry by entry."""

import numpy as np
import pytest

import autograd_lite as ag

FUNCTIONS = {
    "arcsin": (np.arcsin, -1),
    "arccos": (lambda x: np.arccos(-x), -1),
    "sqrt": (lambda x: np.sqrt(1 - x), -1),
    "arctanh": (np.arctanh, -1),
    "log": (lambda x: np.log(x - 1), 1),
    "arccosh": (np.arccosh, 1),
    "cube root": (lambda x: np.cbrt(x - 1), np.array([1, -1, -1])),
}
DISTANCES = [
    np.array([1.04e-8, 1.96e-2, 5.77e-14]),
    np.array([8.27e-7, 5.98e-12, 3.77e-15]),
    np.array([1.04e-13, 1.91e-2, 2.32e-11]),
]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_right_derivative_is_not_called_wrong_and_a_zero_not_right(name):
    function, sides = FUNCTIONS[name]
    chosen = DISTANCES[:2] if isinstance(sides, int) else DISTANCES[1:]
    for seed, distances in enumerate(chosen):
        x = 1 + sides * distances
        report = ag.gradcheck(lambda x: np.sum(function(x)), x, rng=seed, raise_error=False)
        assert report.verdict in ("correct", "cannot decide", "at a border"), report
        if not isinstance(sides, int):  # from both sides the slopes cancel, as about a minimum
            continue
        zero = ag.gradcheck(
            lambda x: np.sum(function(x)), x, gradient=np.zeros_like, rng=seed, raise_error=False
        )
        assert not zero, zero
