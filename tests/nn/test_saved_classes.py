"""Classes of one's own in files: how they are named, and their buffers of a single number."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
import nn


class Own(nn.Module):
    def __init__(self):
        self.scale = nn.Parameter(np.full(3, 2.0))

    def forward(self, x):
        return x * self.scale


@pytest.mark.parametrize(
    "classes", [Own, {"Own": Own}, ["Own"], [Own()], None, [int], "Own"], ids=str
)
def test_what_is_no_class_is_not_called_a_damaged_file(tmp_path, classes):
    model = Own()
    nn.save(model, tmp_path / "own.npz")
    with pytest.raises(ag.ArgumentTypeError, match=r"load: classes (is|has) .*; pass "):
        nn.load(tmp_path / "own.npz", classes=classes)
    with pytest.raises(ag.ArgumentTypeError, match=r"from_config: classes (is|has) .*; pass "):
        nn.from_config(nn.to_config(model), classes)


class Counting(nn.Module):
    """Counts samples, and keeps a running mean of all numbers, each in a single number."""

    buffers = ("seen", "mean")

    def __init__(self, zero):
        self.linear = nn.Linear(2, 1, rng=0)
        self.seen, self.mean = zero, float(zero)

    def forward(self, x):
        if self.training:
            self.seen = self.seen + len(x)
            self.mean = self.mean * 0.5 + 0.5 * np.mean(x)
        return self.linear(x) - self.mean


@pytest.mark.parametrize("zero", [0, 0.0, np.array(0), np.float32(0), np.array(0.0)], ids=repr)
def test_buffers_of_a_single_number(tmp_path, zero):
    x = np.arange(12.0).reshape(6, 2)
    models = [Counting(zero), Counting(zero)]
    for model, is_compiled in zip(models, (True, False), strict=True):
        nn.fit(
            model, x, x[:, :1], loss="mse", optimizer=nn.SGD(model, 1e-3), epochs=2, batch_size=3,
            shuffle=False, compile=is_compiled, progress=False,
        )  # fmt: skip
    for model in models:
        assert model.seen == 12
        assert model.mean == 0.5 * 8.5 + 0.25 * 2.5 + 0.125 * 8.5 + 0.0625 * 2.5
        nn.save(model, tmp_path / "model.npz")
        twin = nn.load(tmp_path / "model.npz", classes=[Counting])
        assert (twin.seen, twin.mean) == (model.seen, model.mean)
        np.testing.assert_array_equal(nn.predict(twin, x), nn.predict(model, x))
