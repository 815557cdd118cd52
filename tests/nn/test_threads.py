"""One model that several threads use at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import numpy as np
import pytest

import nn

X = np.random.default_rng(0).normal(size=(8, 3))
Y = np.arange(8) % 3
PATIENCE = 30.0


def model_of_changing_modes():
    return nn.Sequential(
        nn.Linear(3, 16, rng=0), nn.BatchNorm1d(16), nn.Dropout(0.5, rng=1), nn.Linear(16, 3, rng=2)
    )


def test_the_first_to_end_leaves_the_other_in_eval():
    """It is the one that began first, and so knows that the model was in training."""
    other_began, first_ended, found = Event(), Event(), []

    class Meeting(nn.Module):
        def forward(self, x):
            if len(x) == len(X):
                other.start()
                assert other_began.wait(PATIENCE)
            else:
                other_began.set()
                assert first_ended.wait(PATIENCE)
            return x

    model = nn.Sequential(Meeting(), nn.Dropout(0.5, rng=0))
    other = Thread(target=lambda: found.append(nn.predict(model, X[:7])))
    np.testing.assert_array_equal(nn.predict(model, X), X)
    assert not model.training
    first_ended.set()
    other.join(PATIENCE)
    np.testing.assert_array_equal(found[0], X[:7])
    assert model.training
    assert model[1].training


@pytest.mark.parametrize("use", ["predict", "evaluate"])
def test_many_threads_get_what_one_gets(use):
    model = model_of_changing_modes()
    calls = {
        "predict": lambda _: nn.predict(model, X, batch_size=1),
        "evaluate": lambda _: nn.evaluate(model, X, Y, loss="cross_entropy", batch_size=1)["loss"],
    }
    expected = calls[use](None)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(calls[use], range(40)):
            np.testing.assert_array_equal(found, expected)
    assert all(part.training for part in (model, *model))


def test_a_part_and_the_whole_in_two_threads():
    model = model_of_changing_modes()
    parts = [lambda: nn.predict(model, X, batch_size=1), lambda: nn.predict(model[:3], X)]
    expected = [part() for part in parts]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: (n % 2, parts[n % 2]()), range(40)))
    for which, outputs in found:
        np.testing.assert_array_equal(outputs, expected[which])
    assert all(part.training for part in (model, *model))
