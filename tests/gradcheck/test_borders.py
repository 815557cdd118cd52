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
SINGULAR = {
    "tan": (np.tan, np.pi / 2, lambda x: 1 / np.cos(x) ** 2),
    "inverse": (lambda x: 1 / (x - 1), 1.0, lambda x: -1 / (x - 1) ** 2),
    "inverse square": (lambda x: (x - 1) ** -2.0, 1.0, lambda x: -2 * (x - 1) ** -3.0),
    "log": (lambda x: np.log(np.abs(x - 1)), 1.0, lambda x: 1 / (x - 1)),
    "root of a distance": (
        lambda x: np.sqrt(np.abs(x - 1)),
        1.0,
        lambda x: 0.5 * np.sign(x - 1) / np.sqrt(np.abs(x - 1)),
    ),
    "cube root": (lambda x: np.cbrt(x - 1), 1.0, lambda x: np.cbrt(x - 1) ** -2 / 3),
    "cotangent": (lambda x: 1 / np.tan(x - 1), 1.0, lambda x: -1 / np.sin(x - 1) ** 2),
    "distance": (lambda x: np.abs(x - 1), 1.0, lambda x: np.sign(x - 1)),
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


@pytest.mark.parametrize("name", SINGULAR)
def test_beside_a_pole_nothing_wrong_is_right_and_nothing_right_wrong(name):
    function, place, derivative = SINGULAR[name]
    for seed in range(20):
        draw = np.random.default_rng(seed)
        x = np.array([place + draw.choice([-1.0, 1.0]) * 10.0 ** draw.uniform(-13.5, -3)])
        for factor in (1.0, 0.0, 0.5, -1.0):
            report = ag.gradcheck(
                lambda x: np.sum(function(x)),
                x,
                gradient=lambda x, factor=factor: factor * derivative(x),
                rng=seed,
                raise_error=False,
            )
            if factor == 1.0:
                assert report.verdict != "wrong derivative", report
            else:
                assert not report, report
