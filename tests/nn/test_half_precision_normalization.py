"""Normalization of float16, whose squares end at 65504, against that of float32 and PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

import nn

rng = np.random.default_rng(0)
WIDE = (500 * rng.normal(size=(16, 4))).astype(np.float16)
COTANGENT = rng.normal(size=WIDE.shape).astype(np.float16)


def outputs_and_gradient(layer, x):
    leaf = nn.Parameter(x)
    out = layer(leaf)
    np.sum(out * COTANGENT.astype(x.dtype)).backward()
    return out.data, leaf.grad


@pytest.mark.parametrize("kind", [nn.LayerNorm, nn.BatchNorm1d])
def test_a_variance_beyond_float16_is_none_of_the_output(kind):
    """It was infinite, and the outputs 0."""
    half, single = kind(4, dtype=np.float16), kind(4, dtype=np.float32)
    for _ in range(3):
        found = outputs_and_gradient(half, WIDE)
        expected = outputs_and_gradient(single, WIDE.astype(np.float32))
    for ours, right in zip(found, expected, strict=True):
        assert ours.dtype == np.float16
        np.testing.assert_allclose(ours, right, rtol=2e-3, atol=1e-6)
    ours, right = nn.predict(half, WIDE), nn.predict(single, WIDE.astype(np.float32))
    assert ours.dtype == np.float16
    np.testing.assert_allclose(ours, right, rtol=2e-3, atol=1e-3)


def test_layer_norm_of_float16_is_pytorchs():
    torch = pytest.importorskip("torch")
    theirs = torch.nn.LayerNorm(4, dtype=torch.float16)(torch.tensor(WIDE)).detach().numpy()
    ours = nn.LayerNorm(4, dtype=np.float16)(WIDE).data
    np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=1e-3)


@pytest.mark.parametrize("compiled", [True, False])
def test_float16_is_trained_with_batch_normalization(compiled, tmp_path):
    model = nn.Sequential(
        nn.BatchNorm1d(4, dtype=np.float16), nn.Linear(4, 1, rng=0, dtype=np.float16)
    )
    target = (WIDE[:, :1].astype(np.float32) / 500).astype(np.float16)
    history = nn.fit(
        model, WIDE, target, loss="mse", optimizer=nn.SGD(model, 0.1), epochs=30, rng=0,
        compile=compiled, progress=False,
    )  # fmt: skip
    assert history.loss[-1] < 0.02 * history.loss[0]
    assert model[0].running_var.dtype == np.float32 and (model[0].running_var > 65504).all()
    nn.save(model, tmp_path / "model.npz")
    twin = nn.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(nn.predict(twin, WIDE), nn.predict(model, WIDE))
