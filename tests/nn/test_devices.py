"""Models on arrays that live elsewhere: nothing is fetched unless asked for."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import autograd_lite as ag
import nn
from tests.ops.device_array import DeviceArray, transfers

device = SimpleNamespace(asarray=DeviceArray)


def loss_of(model, x, y):
    return np.mean((model(x) - y) ** 2)


def test_a_model_trains_on_a_device_without_a_transfer_and_comes_back():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
    here, there = nn.MLP(3, [4, 2], rng=0), nn.MLP(3, [4, 2], rng=0).to(device)
    transfers.clear()
    for _ in range(3):
        loss_of(here, x, y).backward()
        loss_of(there, DeviceArray(x), DeviceArray(y)).backward()
        for model in (here, there):
            for p in model.parameters():
                p.data = p.data - 0.1 * p.grad
                p.grad = None
    assert transfers == []
    assert all(isinstance(p.data, DeviceArray) for p in there.parameters())
    there.to(np)
    assert transfers == ["get"] * 4
    for mine, numpys in zip(there.parameters(), here.parameters(), strict=True):
        np.testing.assert_allclose(mine.data, numpys.data, rtol=1e-13)


def test_a_thing_that_makes_no_arrays_is_refused():
    with pytest.raises(ag.ArgumentTypeError, match="has no function asarray; pass a module of"):
        nn.Linear(2, 3).to("cuda")


X, Y = np.random.default_rng(0).normal(size=(12, 3)), np.random.default_rng(1).normal(size=(12, 2))
LABELS = np.arange(12) % 3


def pair_of(make):
    """What a function makes: here, and moved to the device."""
    return make(), make().to(device)


def numbers(x):
    data = x.data if isinstance(x, ag.Value) else x
    return data.held if isinstance(data, DeviceArray) else data


@pytest.mark.parametrize("name", sorted(nn.optimizers.optimizers))
def test_optimizers_step_on_a_device_as_here(name):
    here, there = pair_of(lambda: nn.MLP(3, [4, 2], rng=0))
    for model, x, y in ((here, X, Y), (there, DeviceArray(X), DeviceArray(Y))):
        optimizer = nn.optimizers.optimizers[name](model, learning_rate=0.05)
        for _ in range(3):
            optimizer.zero_grad()
            loss_of(model, x, y).backward()
            nn.clip_gradient_norm(model.parameters(), 0.5)
            optimizer.step()
        state = optimizer.state_dict()
        assert all(isinstance(array, np.ndarray) for array in state.values())
        nn.optimizers.optimizers[name](model, learning_rate=0.05).load_state_dict(state)
    for mine, numpys in zip(there.parameters(), here.parameters(), strict=True):
        assert isinstance(mine.data, DeviceArray)
        np.testing.assert_allclose(mine.data.held, numpys.data, rtol=1e-12)


@pytest.mark.parametrize("name", sorted(nn.optimizers.optimizers))
def test_a_model_that_is_moved_amid_training_takes_the_state_of_its_optimizer_along(name):
    here, there = (nn.MLP(3, [4, 2], rng=0) for _ in range(2))
    optimizers = [nn.optimizers.optimizers[name](model) for model in (here, there)]
    if name == "sgd":
        for optimizer in optimizers:
            optimizer.groups[0].momentum = 0.9
    for move_to in (np, device, np):
        there.to(move_to)
        array = np.array if move_to is np else DeviceArray
        for model, optimizer, kind in (
            (here, optimizers[0], np.array),
            (there, optimizers[1], array),
        ):
            for _ in range(2):
                optimizer.zero_grad()
                loss_of(model, kind(X), kind(Y)).backward()
                optimizer.step()
    for mine, numpys in zip(there.parameters(), here.parameters(), strict=True):
        assert isinstance(mine.data, np.ndarray)
        np.testing.assert_allclose(mine.data, numpys.data, rtol=1e-12)


@pytest.mark.parametrize(
    ("loss", "targets", "outputs"),
    [
        (nn.cross_entropy, LABELS, 3),
        (nn.losses.nll, LABELS, 3),
        (nn.hinge, LABELS % 2, 1),
        (nn.squared_hinge, LABELS % 2, 1),
        (nn.binary_cross_entropy, LABELS % 2, 1),
        (nn.mse, Y, 2),
        (nn.huber, Y, 2),
    ],
    ids=["cross_entropy", "nll", "hinge", "squared_hinge", "binary", "mse", "huber"],
)
def test_losses_take_targets_on_the_device(loss, targets, outputs):
    here, there = pair_of(lambda: nn.Linear(3, outputs, rng=0))
    loss(here(X), targets).backward()
    loss(there(DeviceArray(X)), DeviceArray(targets)).backward()
    np.testing.assert_allclose(there.weight.grad.held, here.weight.grad, rtol=1e-12)


@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (lambda: nn.Dropout(0.5, rng=0), X),
        (lambda: nn.Embedding(3, 2, rng=0), LABELS),
        (lambda: nn.BatchNorm1d(3), X),
        (lambda: nn.LayerNorm(3), X),
    ],
    ids=["Dropout", "Embedding", "BatchNorm1d", "LayerNorm"],
)
def test_layers_take_plain_arrays_of_the_device(layer, x):
    here, there = pair_of(layer)
    for mode in (True, False):
        found, expected = there.train(mode)(DeviceArray(x)), here.train(mode)(x)
        np.testing.assert_allclose(numbers(found), numbers(expected), rtol=1e-12)


def test_vectors_that_there_are_not_are_refused_on_the_device_too():
    with pytest.raises(ag.ArgumentValueError, match="the input goes from 1 to 4, but there are 3"):
        nn.Embedding(3, 2).to(device)(DeviceArray(np.array([1, 4])))


def test_states_files_and_scores_are_numbers_of_the_host(tmp_path):
    here, there = pair_of(lambda: nn.Sequential(nn.Linear(3, 3, rng=0), nn.BatchNorm1d(3)))
    for name, array in there.state_dict().items():
        np.testing.assert_array_equal(array, here.state_dict()[name])
    nn.save(there, tmp_path / "model.npz")
    np.testing.assert_array_equal(nn.predict(nn.load(tmp_path / "model.npz"), X), there_on(there))
    assert str(there.summary(X)) == str(here.summary(X))
    np.testing.assert_allclose(nn.predict(there, X), nn.predict(here, X), rtol=1e-12)
    scores = {"loss": "cross_entropy", "metrics": ["accuracy"]}
    assert nn.evaluate(there, X, LABELS, **scores) == nn.evaluate(here, X, LABELS, **scores)
    outputs = there.eval()(DeviceArray(X))
    assert nn.metrics.accuracy(outputs, DeviceArray(LABELS)) == nn.metrics.accuracy(
        here.eval()(X), LABELS
    )


def there_on(model):
    with ag.no_grad():
        return model.eval()(DeviceArray(X)).data.held


def test_a_state_is_loaded_where_the_model_lies():
    there = nn.Sequential(nn.Linear(3, 2, rng=0), nn.BatchNorm1d(2)).to(device)
    other = nn.Sequential(nn.Linear(3, 2, rng=1), nn.BatchNorm1d(2))
    other(X)
    there.load_state_dict(other.state_dict())
    assert isinstance(there[0].weight.data, DeviceArray)
    np.testing.assert_allclose(there_on(there), other.eval()(X).data, rtol=1e-12)


@pytest.mark.parametrize("train", [nn.fit, nn.fit_lbfgs, nn.find_learning_rate])
def test_what_trains_on_numpys_arrays_alone_says_so(train):
    with pytest.raises(ag.ArgumentTypeError) as refusal:
        train(nn.Linear(3, 2).to(device), X, Y, loss=nn.mse)
    assert str(refusal.value) == (
        f"{train.__name__}: the parameters are arrays of device_library, and NumPy's are needed "
        "here; call model.to(numpy) first, or train by a loop of your own"
    )


def test_gradcheck_says_what_it_compares():
    with pytest.raises(ag.ArgumentTypeError) as refusal:
        ag.gradcheck(lambda x: x**2, DeviceArray(X))
    assert str(refusal.value) == (
        "gradcheck: x of <lambda> lies on a device, and differences are taken of NumPy's arrays; "
        "pass x.get(), or the numbers that it is made of"
    )
