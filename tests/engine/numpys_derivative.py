"""Programs that write in place, beside what NumPy computes."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite as ag
from tests.ops.numerical import directional_derivative

__all__ = ["POINT", "check_at_point", "same_as_numpy"]

POINT = np.array([0.5, -1.25, 2.0, 0.75])


def check_at_point(program: Any) -> None:
    """The value of plain arrays at `POINT`, its derivative both ways, and no written argument."""
    argument = POINT.copy()
    argument.flags.writeable = False
    value, gradient = ag.value_and_grad(program)(argument)
    assert value == program(POINT.copy())
    assert np.array_equal(argument, POINT)
    for direction in np.eye(4):
        numerical = directional_derivative(lambda x: program(x.copy()), [POINT], [direction], 1e-3)
        assert abs(numerical - direction @ gradient) < 1e-8 * max(1, abs(numerical))
    tangent = ag.jvp(program, POINT, np.ones(4))[1]
    assert abs(tangent - np.sum(gradient)) < 1e-9 * max(1, abs(tangent))


def same_as_numpy(function: Any, *args: Any) -> None:
    """The value of plain arrays, and its derivative."""
    expected = function(*(x.copy("K") for x in args))
    value, pullback = ag.vjp(function, *args)
    np.testing.assert_allclose(value, expected)
    seed = np.cos(np.arange(np.size(expected))).reshape(np.shape(expected))
    gradients = pullback(seed)
    for place, x in enumerate(args):
        for i in np.ndindex(x.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = [x.copy("K") for x in args]
                moved[place][i] += step
                ends.append(np.sum(function(*moved) * seed))
            np.testing.assert_allclose(gradients[place][i], (ends[0] - ends[1]) / 2e-6, atol=1e-6)
