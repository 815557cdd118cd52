"""Networks of rectified units: functions with kinks all around, in few evaluations."""

from itertools import pairwise

import numpy as np
import pytest

import autograd_lite as ag
from tests.gradcheck.test_blind_spots import IS_NIGHTLY

UNITS = [lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, x, 0.01 * x), np.abs]


def network(seed):
    """A loss of weights and biases, in turn, and such numbers."""
    draw = np.random.default_rng(seed)
    sizes = draw.choice([2, 5, 10, 30, 100, 200], draw.integers(3, 6))
    inputs = draw.normal(size=(draw.choice([1, 4, 16, 64]), sizes[0]))
    targets = draw.normal(size=(len(inputs), sizes[-1]))
    unit = UNITS[seed % len(UNITS)]
    parameters = []
    for before, after in pairwise(sizes):
        parameters += [draw.normal(size=(before, after)) * np.sqrt(2 / before)]
        parameters += [0.1 * draw.normal(size=after)]

    def loss(*parameters):
        x = inputs
        for place in range(0, len(parameters), 2):
            x = (unit(x) if place else x) @ parameters[place] + parameters[place + 1]
        return np.mean((x - targets) ** 2)

    return loss, parameters


SEEDS = range(400 if IS_NIGHTLY else 40)


def test_a_right_one_takes_40_evaluations_and_hardly_ever_more():
    dear = 0
    for seed in SEEDS:
        loss, parameters = network(seed)
        report = ag.gradcheck(loss, *parameters, rng=seed, raise_error=False)
        assert report, (seed, report)
        dear += report.evaluations > 40
    assert dear <= len(SEEDS) / 40


def mistake(parameters, draw):
    """Factors for the gradients: of one array as a whole, of half of its entries, or of one."""
    factors = [np.ones(x.shape) for x in parameters]
    chosen = factors[draw.integers(len(factors))]
    amount = draw.choice([0.99, 1.001, 0.0, -1.0, 2.0])
    where = [
        np.ones(chosen.shape, bool),
        draw.random(chosen.shape) < 0.5,
        np.arange(chosen.size).reshape(chosen.shape) == draw.integers(chosen.size),
    ][draw.integers(3)]
    chosen[where] = amount
    return factors


def test_no_wrong_one_is_accepted():
    checked = 0
    for seed in SEEDS:
        loss, parameters = network(seed)
        factors = mistake(parameters, np.random.default_rng([1, seed]))
        right = ag.grad(loss, argnum=tuple(range(len(parameters))))
        lost = [
            np.sum(((f - 1) * g) ** 2) for f, g in zip(factors, right(*parameters), strict=True)
        ]
        if sum(lost) <= 1e-12 * sum(np.sum(g**2) for g in right(*parameters)):
            continue  # in a unit that is dead, or next to

        def wrong(*parameters, factors=factors, right=right):
            return tuple(f * g for f, g in zip(factors, right(*parameters), strict=True))

        report = ag.gradcheck(loss, *parameters, gradient=wrong, rng=seed, raise_error=False)
        assert report.verdict == "wrong derivative", (seed, report)
        assert report.evaluations <= 300
        checked += 1
    assert checked > len(SEEDS) / 2


@pytest.mark.parametrize("seed", [374, 434, 592])
def test_a_kink_that_coarse_steps_run_into_is_not_at_the_point(seed):
    # Units that are dead for all of few samples are woken by steps of a part of their weights.
    draw = np.random.default_rng(seed)
    weights = draw.normal(size=(5, 100)), draw.normal(size=(100, 10))
    inputs = draw.normal(size=(4, 5))

    def loss(w, v):
        return np.sum((np.maximum(inputs @ w, 0) @ v) ** 2)

    assert ag.gradcheck(loss, *weights, rng=seed)
