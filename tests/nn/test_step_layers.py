"""The compiled training step gives the plain one's numbers: whatever layers and losses."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import autograd_lite as ag
import nn
from tests.nn import layer_cases
from tests.nn.compiled_and_plain import (
    N_IN,
    N,
    assert_the_same_compiled_and_not,
    mlp,
    numbers,
    trained,
)
from tests.nn.loss_cases import CASES

# Layers.


def around(make_layer):
    return lambda rng: nn.Sequential(
        nn.Linear(N_IN, 4, rng=rng), make_layer(rng), nn.Linear(out_features=1, rng=rng)
    )


LAYERS = {name: around(lambda rng, make=make: make()) for name, make in layer_cases.LAYERS.items()}
LAYERS |= {
    "linear without bias": around(lambda rng: nn.Linear(4, 5, use_bias=False, rng=rng)),
    "two dropouts of one generator": around(
        lambda rng: nn.Sequential(nn.Dropout(0.2, rng=rng), nn.Dropout(0.2, rng=rng))
    ),
    "batch norm without size": around(lambda rng: nn.BatchNorm1d()),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_layers(name, dtype):
    tolerance = 1e-10 if dtype == np.float64 else 2e-4
    make = LAYERS[name]
    assert_the_same_compiled_and_not(make, *numbers(), dtype=dtype, tolerance=tolerance)


@pytest.mark.parametrize("name", nn.activations.activations)
def test_activations(name):
    assert_the_same_compiled_and_not(
        around(lambda rng: nn.Activation(name)), *numbers(), epochs=1, batch_size=N // 2
    )


def test_embeddings_and_flatten():
    def make(rng):
        return nn.Sequential(nn.Embedding(5, 2, rng=rng), nn.Flatten(), nn.Linear(6, 1, rng=rng))

    x = np.random.default_rng(0).integers(0, 5, (N, 3))
    assert_the_same_compiled_and_not(make, x, numbers()[1])


def test_an_index_out_of_range_is_refused_at_the_batch_that_has_it():
    make = nn.Sequential(nn.Embedding(5, 2, rng=0), nn.Flatten(), nn.Linear(6, 1, rng=0))
    x = np.zeros((40, 3), int)
    x[30] = 7
    with pytest.raises(ag.ArgumentValueError, match="the input goes from 0 to 7, but there are 5"):
        nn.fit(make, x, np.ones((40, 1)), loss="mse", batch_size=8, rng=0, progress=False)


def test_integer_inputs_and_targets():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 255, (N, N_IN)).astype(np.uint8), rng.integers(0, 9, (N, 1))
    rate = partial(nn.SGD, learning_rate=1e-5)
    for dtype, tolerance in ((np.float64, 1e-10), (np.float32, 1e-5)):
        assert_the_same_compiled_and_not(
            mlp, x, y, optimizer=rate, dtype=dtype, tolerance=tolerance
        )


# Losses.

CLASSES = np.random.default_rng(5).integers(0, 3, N)
ROWS = np.eye(3)[CLASSES]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("weighted", [False, True])
def test_losses(name, weighted):
    few = np.asarray(CASES[name].target)
    target = np.resize(few, (N, *few.shape[1:]))
    weight = np.random.default_rng(0).uniform(0.1, 2, N) if weighted else None
    make = partial(mlp, out_features=3)
    options = {"loss": name, "sample_weight": weight, "metrics": {"sum": metric}}
    _, history = assert_the_same_compiled_and_not(make, numbers()[0], target, **options)
    _, plain = trained(make, numbers()[0], target, False, **options)
    np.testing.assert_allclose(history["sum"], plain["sum"], rtol=1e-10)


def metric(outputs, targets):
    return np.sum(outputs) + np.sum(targets)


@pytest.mark.parametrize(
    "loss",
    [
        partial(nn.cross_entropy, label_smoothing=0.1),
        partial(nn.cross_entropy, class_weight=[1.0, 2.0, 0.5]),
        partial(nn.cross_entropy, reduction="sum"),
        lambda outputs, labels: nn.cross_entropy(outputs, labels) + 0.1 * np.mean(outputs**2),
    ],
)
def test_losses_with_options_and_of_ones_own(loss):
    make = partial(mlp, out_features=3)
    assert_the_same_compiled_and_not(make, numbers()[0], CLASSES, loss=loss)


@pytest.mark.parametrize("class_weight", ["balanced", {0: 1.0, 1: 2.0, 2: 0.5}])
def test_class_weights(class_weight):
    options = {"loss": "cross_entropy", "class_weight": class_weight}
    assert_the_same_compiled_and_not(partial(mlp, out_features=3), numbers()[0], CLASSES, **options)


def test_a_penalty_on_a_parameter_from_outside_counts():
    def penalized(compile):
        model = mlp(np.random.default_rng(0))
        weight = model[0].weight

        def loss(outputs, targets):
            return nn.mse(outputs, targets) + np.sum(weight**2)

        nn.fit(model, *numbers(), loss=loss, epochs=3, rng=0, compile=compile, progress=False)
        return weight.data

    np.testing.assert_allclose(penalized(True), penalized(False), rtol=1e-12)
    without = mlp(np.random.default_rng(0))
    nn.fit(without, *numbers(), loss="mse", epochs=3, rng=0, progress=False)
    assert np.abs(without[0].weight.data - penalized(True)).max() > 1e-4


def test_several_inputs_and_outputs():
    class TwoHeads(nn.Module):
        def __init__(self, rng):
            self.first, self.second = nn.Linear(2, 3, rng=rng), nn.Linear(1, 3, rng=rng)

        def forward(self, wide, deep):
            return self.first(wide), np.tanh(self.second(deep))

    def loss(outputs, targets):
        return nn.mse(outputs[0], targets[0]) + nn.cross_entropy(outputs[1], targets[1])

    x = numbers()[0]
    assert_the_same_compiled_and_not(
        TwoHeads, (x[:, :2], x[:, 2:]), (ROWS, CLASSES), loss=loss, metrics={"one": sum_of_first}
    )


def sum_of_first(outputs, targets):
    return np.sum(outputs[0])
