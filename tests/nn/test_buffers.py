"""Buffers hold numbers, whatever transform the model was called under."""

from __future__ import annotations

import re

import numpy as np
import pytest

import autograd_lite as ag
import nn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 3))
ROWS = np.stack([X, X + 1])


class Counter(nn.Module):
    """Adds up the inputs that it has seen."""

    buffers = ("seen",)

    def __init__(self):
        self.linear = nn.Linear(3, 1, rng=0)
        self.seen = np.zeros(3)

    def forward(self, x):
        if not ag.is_recomputing():
            self.seen = self.seen + ag.stop_gradient(np.sum(x, axis=0))
        return self.linear(x)


def normalized():
    return nn.Sequential(nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4), nn.Linear(4, 1, rng=1))


MODELS = {"BatchNorm1d.running_mean": normalized, "Counter.seen": Counter}

KNOWN = {
    "grad": lambda f: ag.grad(f)(X),
    "jvp": lambda f: ag.jvp(f, (X,), (X,)),
    "hvp": lambda f: ag.hvp(f, X, X),
    "checkpoint": lambda f: ag.grad(ag.checkpoint(f))(X),
}
TRACED = {
    "compile": lambda f: ag.compile(f)(X),
    "compiled gradient": lambda f: ag.compile(ag.grad(f))(X),
    "compiled loop": lambda f: ag.compile(
        lambda rows: ag.scan(lambda total, x: (total + f(x), total), 0.0, rows)
    )(ROWS),
}
MAPPED = {"vmap": lambda f: ag.vmap(f)(ROWS), "vmap of grad": lambda f: ag.vmap(ag.grad(f))(ROWS)}


def loss_of(model):
    return lambda x: np.sum(model(x) ** 2)


@pytest.mark.parametrize("made", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("call", KNOWN.values(), ids=KNOWN)
def test_derivatives_move_buffers_once(call, made):
    model, once = made(), made()
    call(loss_of(model))
    once(X)
    for name, array in once.state_dict().items():
        np.testing.assert_allclose(model.state_dict()[name], array, rtol=1e-14)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("how", [*TRACED, *MAPPED])
def test_buffers_that_would_lose_their_numbers_are_refused_and_keep_them(how, name):
    model = MODELS[name]()
    before = model.state_dict()
    where = "while ag.compile traces" if how in TRACED else "by ag.vmap, for each sample another"
    message = (
        f"{name} would be changed {where}, and the model be left without numbers; call eval() or "
        "freeze() on the layer before, or train with nn.fit, which carries buffers through its "
        "compiled steps"
    )
    with pytest.raises(ag.AutogradError, match=re.escape(message) + "$"):
        (TRACED | MAPPED)[how](loss_of(model))
    for entry, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[entry])
    assert np.isfinite(nn.predict(model, X)).all()


@pytest.mark.parametrize("how", [*TRACED, *MAPPED])
def test_layers_in_use_have_nothing_to_change(how):
    loss = loss_of(normalized().freeze())
    values = [float(loss(x)) for x in ROWS]
    slopes = [ag.stop_gradient(ag.grad(loss)(x)) for x in ROWS]
    expected = {
        "compile": values[0],
        "compiled gradient": slopes[0],
        "compiled loop": sum(values),
        "vmap": values,
        "vmap of grad": slopes,
    }[how]
    found = (TRACED | MAPPED)[how](loss)
    found = found[0] if how == "compiled loop" else found
    np.testing.assert_allclose(ag.stop_gradient(found), expected, rtol=1e-12)


@pytest.mark.parametrize("compiled", [False, True])
def test_fit_carries_buffers_of_ones_own(compiled):
    model = Counter()
    nn.fit(model, X, X[:, :1], loss="mse", epochs=2, batch_size=4, rng=0, compile=compiled,
           progress=False)  # fmt: skip
    np.testing.assert_allclose(model.seen, 2 * X.sum(axis=0), rtol=1e-14)
