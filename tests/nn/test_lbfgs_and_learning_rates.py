"""Training by L-BFGS, and the search for a learning rate."""

from __future__ import annotations

import random

import numpy as np
import pytest

import autograd_lite as ag
import nn
from tests.nn.test_training import line, weights_of


@pytest.mark.parametrize("compile", [False, True])
def test_the_learning_rate_finder_leaves_the_model_as_it_was(compile):
    x, y = line(200)
    model = nn.MLP(1, [8, 1], rng=0)
    before = weights_of(model)
    found = nn.find_learning_rate(model, x, y, loss="mse", highest=1e4, rng=0, compile=compile)
    np.testing.assert_array_equal(weights_of(model), before)
    assert len(found.rates) == len(found.losses) < 100  # it stopped when the loss exploded
    assert found.losses[20] > 2 * min(found.losses)
    assert 1e-4 < found.suggestion < 1.0


def test_the_learning_rate_finder_stops_where_the_loss_is_not_finite():
    x, y = line(200)
    model = nn.Linear(1, 1, rng=0)
    before = weights_of(model)
    found = nn.find_learning_rate(
        model, x, y, loss="mse", lowest=1e-3, highest=1e300, steps=10, rng=0
    )
    np.testing.assert_array_equal(weights_of(model), before)
    assert len(found.losses) < 10
    assert np.isfinite(found.losses).all()


def test_the_learning_rate_finder_is_not_fooled_by_its_first_batches():
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (256, 1))
    y = np.sin(x) + rng.normal(0, 0.5, x.shape)
    for seed in range(5):
        model = nn.MLP(1, [16, 1], activation="tanh", rng=seed)
        found = nn.find_learning_rate(model, x, y, loss="mse", rng=seed)
        assert found.suggestion > 1e-3


@pytest.mark.parametrize("compile", [False, True])
def test_lbfgs_reaches_a_minimum(compile):
    x, y = line()
    model = nn.Linear(1, 1, rng=0)
    history = nn.fit_lbfgs(model, x, y, loss="mse", tolerance=1e-10, compile=compile)
    np.testing.assert_allclose(weights_of(model), [3, -2], atol=1e-8)
    assert history.loss[-1] < 1e-15
    ridge = nn.Linear(1, 1, rng=0)
    nn.fit_lbfgs(ridge, x, y, loss="mse", l2=0.5, tolerance=1e-10, compile=compile)
    slope = 2 * np.mean(x * (y + 2)) / (2 * np.mean(x * x) + 0.5)
    assert ridge.weight.item() == pytest.approx(slope, abs=1e-6)
    assert all(p.grad is None for p in model.parameters())


def test_lbfgs_takes_weights_and_single_numbers_as_parameters():
    class Line(nn.Module):
        def __init__(self):
            self.slope, self.offset = nn.Parameter(0.5), nn.Parameter(0.0)

        def forward(self, x):
            return self.slope * x + self.offset

    x, y = line()
    y = y + (np.arange(len(y)) % 2)[:, np.newaxis]  # the weights leave the odd ones out
    model = Line()
    weight = 1.0 - np.arange(len(y)) % 2
    nn.fit_lbfgs(model, x, y, loss="mse", sample_weight=weight, tolerance=1e-10)
    np.testing.assert_allclose([model.slope.data, model.offset.data], [3, -2], atol=1e-7)


def test_an_interruption_of_lbfgs_keeps_what_was_reached():
    """Steps tried along a line are no results: the last iteration is, and the mode is back."""
    x, y = line(40)
    calls = []

    def loss(outputs, targets):
        calls.append(float(np.mean((outputs.data - targets) ** 2)))
        if len(calls) == stop:
            raise KeyboardInterrupt
        return nn.mse(outputs, targets)

    for stop in (1, 2, 4, 7):
        calls.clear()
        model = nn.MLP(1, [8, 1], activation="tanh", rng=0)
        before = float(nn.mse(nn.predict(model, x), y))
        with pytest.raises(KeyboardInterrupt):
            nn.fit_lbfgs(model, x, y, loss=loss, compile=False)
        assert float(nn.mse(nn.predict(model, x), y)) <= before
        assert not model.training
        assert all(p.grad is None for p in model.parameters())
        if stop == 1:
            np.testing.assert_array_equal(
                weights_of(model), weights_of(nn.MLP(1, [8, 1], activation="tanh", rng=0))
            )


def test_the_history_of_lbfgs_has_the_loss_at_the_start_and_after_each_iteration():
    x, y = line()
    model = nn.Linear(1, 1, rng=0)
    before = nn.evaluate(model, x, y, loss="mse")["loss"]
    history = nn.fit_lbfgs(model, x, y, loss="mse", iterations=2)
    assert len(history) == 3
    assert history.loss[0] == pytest.approx(before, rel=1e-12)
    assert history.loss[-1] == pytest.approx(nn.evaluate(model, x, y, loss="mse")["loss"])
    again = nn.fit_lbfgs(model, x, y, loss="mse", iterations=1)
    assert again.loss[0] == pytest.approx(history.loss[-1], rel=1e-12)


class Noise(nn.Module):
    """Draws what the next evaluation draws otherwise, each kind from another source."""

    def __init__(self, draw):
        self.draw, self.rng, self.count = draw, np.random.default_rng(0), 0

    def forward(self, x):
        self.count += 1
        return x + DRAWS[self.draw](self, x.shape)


DRAWS = {
    "ag.random": lambda self, shape: ag.random.normal(self.rng, 0, 1, shape),
    "a generator": lambda self, shape: self.rng.normal(size=shape),
    "NumPy's global one": lambda self, shape: np.random.normal(size=shape),
    "a fresh one": lambda self, shape: np.random.default_rng().normal(size=shape),
    "Python's": lambda self, shape: random.random(),
    "a count": lambda self, shape: self.count,
}


@pytest.mark.filterwarnings("ignore:fit. the training step runs uncompiled")
@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize("draw", ["dropout", *DRAWS])
def test_a_loss_that_changes_from_one_evaluation_to_the_next_is_refused_by_lbfgs(draw, compile):
    x, y = line(30)
    noise = nn.Dropout(0.5, rng=0) if draw == "dropout" else Noise(draw)
    model = nn.Sequential(nn.Linear(1, 4, rng=0), noise, nn.Linear(4, 1, rng=1))
    before, generator = weights_of(model), noise.rng.bit_generator.state
    with pytest.raises(ag.ArgumentValueError) as error:
        nn.fit_lbfgs(model, x, y, loss="mse", compile=compile)
    assert str(error.value) == (
        "fit_lbfgs: the loss is another one when it is computed again, as Dropout makes it, and "
        "a search along a line needs one function; freeze() the layers that draw, or train with "
        "nn.fit"
    )
    np.testing.assert_array_equal(weights_of(model), before)
    if draw == "dropout":
        assert noise.rng.bit_generator.state == generator


@pytest.mark.parametrize("compile", [True, False])
def test_lbfgs_trains_where_dropout_is_frozen_and_from_where_the_loss_is_zero(compile):
    x, y = line(30)
    models = [
        nn.Sequential(nn.Linear(1, 4, rng=0), layer, nn.Linear(4, 1, rng=1))
        for layer in (nn.Dropout(0.5).freeze(), nn.Activation("identity"))
    ]
    one, other = (nn.fit_lbfgs(m, x, y, loss="mse", compile=compile).loss for m in models)
    assert one == other
    exact = nn.Linear(1, 1, rng=0)
    exact.weight.data[:], exact.bias.data[:] = 0.1, 0.3
    again = nn.fit_lbfgs(exact, x, x * 0.1 + 0.3, loss="mse", compile=compile)
    assert again.loss[-1] < 1e-30


def test_buffers_are_not_moved_by_looking_whether_the_loss_repeats():
    x, y = line(30)
    model = nn.Sequential(nn.BatchNorm1d(1, momentum=1.0), nn.Linear(1, 1, rng=0))
    history = nn.fit_lbfgs(model, x, y, loss="mse", iterations=1)
    assert len(history) == 2
    np.testing.assert_allclose(model[0].running_mean, x.mean(0), rtol=1e-14)


def test_the_learning_rate_finder_takes_weights_as_fit_does():
    """Samples of weight 0 are as good as absent; weights of classes are weights of samples."""
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(64, 2)), np.arange(64) % 2
    options = {"loss": "cross_entropy", "rng": 0, "steps": 8, "batch_size": 64}
    by_class = nn.find_learning_rate(
        nn.Linear(2, 2, rng=0), x, labels, class_weight={0: 1.0, 1: 0.0}, **options
    )
    by_sample = nn.find_learning_rate(
        nn.Linear(2, 2, rng=0), x, labels, sample_weight=1.0 - labels, **options
    )
    assert by_class.losses == by_sample.losses
    alone = nn.find_learning_rate(nn.Linear(2, 2, rng=0), x[::2], labels[::2], **options)
    np.testing.assert_allclose(by_sample.losses, alone.losses, rtol=1e-12)
    with pytest.raises(ag.ArgumentTypeError, match="find_learning_rate: rng is 'a'; pass a gen"):
        nn.find_learning_rate(nn.Linear(2, 2), x, labels, **options | {"rng": "a"})


def test_what_was_found_is_shown_in_a_line():
    found = nn.LearningRates(list(np.geomspace(1e-6, 1.0, 100)), [1.0] * 100, suggestion=0.0123)
    assert repr(found) == "LearningRates(100 rates, 1e-06 to 1; suggestion=0.0123)"
