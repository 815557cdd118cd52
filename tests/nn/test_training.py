"""Optimizers and fit: they learn, they repeat, they refuse what cannot be trained on."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import autograd_lite as ag
import nn

OPTIMIZERS = {
    "sgd": lambda model: nn.SGD(model, learning_rate=0.1),
    "momentum": lambda model: nn.SGD(model, learning_rate=0.03, momentum=0.9),
    "nesterov": lambda model: nn.SGD(model, learning_rate=0.03, momentum=0.9, nesterov=True),
    "rmsprop": lambda model: nn.RMSprop(model, learning_rate=0.03),
    "adam": lambda model: nn.Adam(model, learning_rate=0.03),
}


def line(n=40):
    x = np.linspace(-1, 1, n).reshape(-1, 1)
    return x, 3 * x - 2


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_fits_a_line(name):
    x, y = line()
    model = nn.Linear(1, 1, rng=0)
    history = nn.fit(
        model, x, y, loss=nn.mse, optimizer=OPTIMIZERS[name], epochs=60, batch_size=8, rng=0,
        progress=False,
    )
    assert history.loss[-1] < 1e-3 < history.loss[0]
    assert model.weight.item() == pytest.approx(3, abs=0.1)
    assert model.bias.item() == pytest.approx(-2, abs=0.1)


def test_frozen_parameters_stay():
    model = nn.MLP(2, [3, 1], rng=0)
    model[0].weight.requires_grad = False
    before = model.state_dict()
    nn.fit(model, np.ones((4, 2)), np.ones((4, 1)), loss=nn.mse, epochs=2, progress=False)
    after = model.state_dict()
    assert np.array_equal(after["0.weight"], before["0.weight"])
    assert not np.array_equal(after["2.weight"], before["2.weight"])


def test_zero_weights_keep_the_units_of_a_layer_identical():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 3)), rng.normal(size=(50, 1))
    model = nn.MLP(3, [5, 1], activation="sigmoid", initializer=nn.initializers.zeros)
    nn.fit(model, x, y, loss=nn.mse, optimizer=OPTIMIZERS["sgd"], epochs=5, progress=False)
    hidden, out = model[0].weight.data, model[2].weight.data
    assert np.abs(hidden).max() > 0
    # Matrix products may sum the columns of one matrix in different orders.
    np.testing.assert_allclose(hidden, np.repeat(hidden[:, :1], 5, axis=1), rtol=1e-13)
    np.testing.assert_allclose(out, np.repeat(out[:1], 5, axis=0), rtol=1e-13)


def digits():
    x, y = load_digits(return_X_y=True)
    return train_test_split((x / 16).astype(np.float32), y, random_state=0, stratify=y)


def test_an_mlp_reads_digits():
    x_train, x_test, y_train, y_test = digits()
    model = nn.MLP(64, [128, 10], rng=0, dtype=np.float32)
    history = nn.fit(
        model, x_train, y_train, loss=nn.cross_entropy,
        optimizer=nn.Adam(model, learning_rate=0.003), epochs=40, batch_size=32,
        validation_data=(x_test, y_test), rng=0, progress=False,
    )
    assert nn.zero_one(nn.predict(model, x_test), y_test) <= 0.03
    assert len(history) == len(history.loss) == len(history.validation_loss) == 40


def test_the_same_seed_gives_the_same_training_bit_for_bit():
    x, y = line()
    weights = []
    for _ in range(2):
        model = nn.MLP(1, [4, 1], rng=3)
        nn.fit(model, x, y, loss=nn.mse, epochs=3, batch_size=7, rng=5, progress=False)
        weights.append(np.concatenate([p.data.ravel() for p in model.parameters()]))
    np.testing.assert_array_equal(*weights)


def test_unknown_input_sizes_are_taken_from_the_data():
    x, y = line()
    model = nn.Sequential(nn.Linear(n_out=4, rng=0), "tanh", nn.Linear(n_out=1, rng=1))
    nn.fit(model, x, y, loss=nn.mse, optimizer=nn.Adam, epochs=1, progress=False)
    assert [p.shape for p in model.parameters()] == [(1, 4), (4,), (4, 1), (1,)]


def test_the_progress_bar_shows_the_losses(capsys):
    x, y = line()
    nn.fit(nn.Linear(1, 1), x, y, loss=nn.mse, epochs=2, validation_data=(x, y))
    shown = capsys.readouterr().err
    assert "2/2" in shown
    assert "loss=" in shown
    assert "validation_loss=" in shown


def test_predict_works_in_batches_and_restores_the_mode():
    model = nn.MLP(3, [4, 2], rng=0).train()
    x = np.random.default_rng(0).normal(size=(25, 3))
    np.testing.assert_allclose(nn.predict(model, x, batch_size=4), model(x).data)
    assert model.training
    assert nn.predict(model, x[:0]).shape == (0, 2)


def refused(model, x, y, **options):
    before = model.state_dict()
    with pytest.raises(ag.AutogradError) as error:
        nn.fit(model, x, y, **({"loss": nn.mse, "progress": False} | options))
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    return str(error.value)


def test_bad_data_are_refused_before_anything_changes():
    x, y = line()
    model = nn.Linear(1, 1, rng=0)
    broken = x.copy()
    broken[3], broken[7] = np.nan, np.inf
    assert refused(model, broken, y) == (
        "fit: x holds 2 NaN or infinite numbers, the first at (3, 0); "
        "remove or replace them before training"
    )
    assert refused(model, x, broken[:, 0]) == (
        "fit: y holds 2 NaN or infinite numbers, the first at 3; "
        "remove or replace them before training"
    )
    assert refused(model, x, y, validation_data=(broken, y)) == (
        "fit: validation_data[0] holds 2 NaN or infinite numbers, the first at (3, 0); "
        "remove or replace them before training"
    )
    assert refused(model, x, y[:5]) == (
        "fit: x has shape (40, 1) and y has shape (5, 1); "
        "both need the same number of samples, at least one, along their first axis"
    )
    assert refused(model, np.array([["a"]] * 40), y) == (
        "fit: x has dtype <U1; it must hold real numbers"
    )
    assert refused(model, x, y, epochs=0) == "fit: epochs is 0; it must be a positive integer"
    assert refused(model, x, y, batch_size=2.5) == (
        "fit: batch_size is 2.5; it must be a positive integer"
    )
    assert refused(nn.MLP(1, [3], rng=0), x, np.full(40, 3), loss=nn.cross_entropy) == (
        "cross_entropy: the label at position 0 is 3, but the logits have 3 classes; "
        "labels go from 0 to 2"
    )
