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
