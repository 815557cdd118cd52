"""Schedules: their shapes, and what they refuse."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import autograd_lite as ag
from nn import schedules

TIMES = np.linspace(0, 30, 301)


def curve(schedule):
    return np.array([schedule(t) for t in TIMES])


def test_constant():
    np.testing.assert_array_equal(curve(schedules.Constant(0.5)), 0.5)


def test_step_and_exponential_agree_at_the_steps():
    step, smooth = schedules.Step(every=5, factor=0.5), schedules.Exponential(0.5 ** (1 / 5))
    for epoch in (0, 5, 10, 25):
        assert step(epoch) == pytest.approx(smooth(epoch))
    assert step(4.99) == 1.0


def test_a_step_comes_at_the_batch_that_begins_with_it():
    """Times are sums of epochs and quotients, and 0.3 / 0.1 is a little less than 3."""
    for every in (
        Fraction(1, 10),
        Fraction(1, 5),
        Fraction(3, 10),
        Fraction(1, 3),
        Fraction(11, 10),
    ):
        schedule = schedules.Step(float(every), factor=0.5)
        for n_batches in (1, 3, 7, 10, 30):
            for epoch in range(40):
                for batch in range(n_batches):
                    steps = (epoch + Fraction(batch, n_batches)) // every
                    assert schedule(epoch + batch / n_batches) == 0.5**steps


def test_inverse_scaling():
    np.testing.assert_allclose(curve(schedules.InverseScaling(1.0)), 1 / (1 + TIMES))


def test_cosine_rises_falls_and_stays():
    values = curve(schedules.Cosine(epochs=20, warm_up=4, final=0.1))
    assert np.all(np.diff(values[TIMES <= 4]) > 0)
    assert np.all(np.diff(values[(TIMES >= 4) & (TIMES <= 20)]) < 0)
    np.testing.assert_allclose(values[TIMES >= 20], 0.1)
    assert values.max() == pytest.approx(1.0)


def test_one_cycle_peaks_once():
    values = curve(schedules.OneCycle(epochs=20, peak=0.25, start=0.1, final=0.01))
    assert values[0] == pytest.approx(0.1)
    assert TIMES[values.argmax()] == pytest.approx(5.0)
    assert values[-1] == pytest.approx(0.01)
    assert np.all(np.diff(values[TIMES <= 5]) > 0)
    assert np.all(np.diff(values[(TIMES >= 5) & (TIMES <= 20)]) < 0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: schedules.Constant(0),
            "Constant(factor=0): factor must be positive",
        ),
        (
            lambda: schedules.Step(every=0),
            "Step(every=0, factor=0.1): every and factor must be positive",
        ),
        (lambda: schedules.Exponential(-1), "Exponential(factor=-1): factor must be positive"),
        (
            lambda: schedules.InverseScaling(-1),
            "InverseScaling(power=-1): power must not be negative",
        ),
        (
            lambda: schedules.Cosine(5, warm_up=5),
            "Cosine(epochs=5, warm_up=5, final=0.0): warm_up must be in [0, epochs)",
        ),
        (
            lambda: schedules.Cosine("10"),
            "Cosine: epochs is '10'; it must be a finite number",
        ),
        (
            lambda: schedules.Exponential(np.inf),
            "Exponential: factor is inf; it must be a finite number",
        ),
        (
            lambda: schedules.OneCycle(10, peak=1.0),
            "OneCycle(epochs=10, peak=1.0, start=0.04, final=0.0001): peak must be in (0, 1)",
        ),
    ],
)
def test_senseless_schedules_are_refused(make, message):
    with pytest.raises(ag.AutogradError) as error:
        make()
    assert str(error.value) == message


@pytest.mark.parametrize("time", [-1, -1e5, np.nan, np.inf, "1"])
def test_time_is_not_negative(time):
    """A step's factor grew before the beginning, and others failed in ways of their own."""
    for schedule in (
        schedules.Constant(), schedules.Step(10), schedules.Exponential(0.5),
        schedules.InverseScaling(1.0), schedules.Cosine(5), schedules.OneCycle(5),
    ):  # fmt: skip
        with pytest.raises(ag.ArgumentValueError, match=r"the time is .*; it must be a number of"):
            schedule(time)
