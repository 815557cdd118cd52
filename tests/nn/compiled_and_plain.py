"""Training compiled and plain, side by side: what the tests of the step share."""

from __future__ import annotations

import numpy as np

import nn

N, N_IN = 22, 3


def numbers(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, N_IN)), rng.normal(size=(N, 1))


def trained(make_model, x, y, compile, dtype=np.float64, **options):
    """The model after two epochs of batches of 8, 8 and 6, and its history."""
    model = make_model(np.random.default_rng(3)).astype(dtype)
    defaults = {"loss": "mse", "epochs": 2, "batch_size": 8, "rng": 1, "progress": False}
    history = nn.fit(model, x, y, compile=compile, **(defaults | options))
    return model, history


def assert_the_same_compiled_and_not(make_model, x, y, tolerance=1e-10, compile=True, **options):
    """Warnings are errors here, so that nothing passes by falling back."""
    plain, plain_history = trained(make_model, x, y, False, **options)
    compiled, history = trained(make_model, x, y, compile, **options)
    np.testing.assert_allclose(history.loss, plain_history.loss, rtol=tolerance)
    state = compiled.state_dict()
    for name, expected in plain.state_dict().items():
        assert state[name].dtype == expected.dtype
        np.testing.assert_allclose(state[name], expected, rtol=tolerance, atol=tolerance)
    return compiled, history


class KeepStep(nn.Callback):
    def after_epoch(self, run):
        self.step = run.step


def mlp(rng, out_features=1):
    return nn.MLP(N_IN, [4, out_features], activation="tanh", rng=rng)
