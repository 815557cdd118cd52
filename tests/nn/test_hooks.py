"""Hooks of modules: what they see, what they change, and when they are called."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest

import autograd_lite as ag
import nn

X = np.random.default_rng(0).normal(size=(6, 3))
Y = np.random.default_rng(1).normal(size=(6, 2))


def network():
    return nn.Sequential(nn.Linear(3, 4, rng=0), "tanh", nn.Linear(4, 2, rng=1))


def test_hooks_see_what_pytorchs_see():
    torch = pytest.importorskip("torch")
    ours, seen, theirs_seen = network(), {}, {}
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    theirs, x = theirs.double(), torch.tensor(X, requires_grad=True)
    theirs.load_state_dict({k: torch.tensor(v) for k, v in nn.torch_state_dict(ours).items()})
    for i in range(3):
        ours[i].register_forward_hook(lambda m, x, y, i=i: seen.update({i: (x[0], y)}))
        ours[i].register_gradient_hook(lambda m, g, i=i: seen.update({("g", i): g}))
        theirs[i].register_forward_hook(lambda m, x, y, i=i: theirs_seen.update({i: (x[0], y)}))
        theirs[i].register_full_backward_hook(
            lambda m, _, g, i=i: theirs_seen.update({("g", i): g[0]})
        )
    nn.mse(ours(X), Y).backward()
    torch.nn.functional.mse_loss(theirs(x), torch.tensor(Y)).backward()
    for key in theirs_seen:
        mine, other = seen[key], theirs_seen[key]
        pairs = zip(mine, other, strict=True) if isinstance(mine, tuple) else [(mine, other)]
        for a, b in pairs:
            a = a.data if isinstance(a, ag.Value) else a
            np.testing.assert_allclose(a, b.detach().numpy(), rtol=1e-12)
    assert len(seen) == 6


def test_what_a_hook_returns_takes_the_place():
    model = network()
    expected = model(X).data
    with model[2].register_forward_hook(lambda module, inputs, output: 2 * output):
        np.testing.assert_array_equal(model(X).data, 2 * expected)
    np.testing.assert_array_equal(model(X).data, expected)
    model.zero_grad()
    nn.mse(model(X), Y).backward()
    before = model[0].weight.grad
    model.zero_grad()
    with model[1].register_gradient_hook(lambda module, g: 3 * g):
        nn.mse(model(X), Y).backward()
    np.testing.assert_allclose(model[0].weight.grad, 3 * before, rtol=1e-12)


def test_hooks_are_called_in_order_and_may_remove_themselves():
    model, calls = network(), []

    def first(module, inputs, output):
        calls.append("first")
        handle.remove()

    handle = model.register_forward_hook(first)
    model.register_forward_hook(lambda *_: calls.append("second"))
    model(X)
    model(X)
    assert calls == ["first", "second", "second"]


def test_a_gradient_of_another_shape_is_refused():
    model = network()
    model[0].register_gradient_hook(lambda module, g: g[:1])
    with pytest.raises(ag.ArgumentValueError) as error:
        nn.mse(model(X), Y).backward()
    assert str(error.value) == (
        "Linear: a gradient hook returned something of shape (1, 4), but the gradient has shape "
        "(6, 4); return a gradient of that shape, or None to leave it as it is"
    )


@pytest.mark.parametrize("kind", ["forward", "gradient"])
def test_fit_calls_hooks_for_each_batch_and_says_that_it_does_not_compile(kind):
    model, calls = network(), []
    register = getattr(model[0], f"register_{kind}_hook")
    register(lambda *_: calls.append(1))
    options = {"loss": "mse", "batch_size": 2, "epochs": 2, "progress": False, "rng": 0}
    with pytest.warns(nn.CompileWarning, match="Linear '0' has hooks, which a compiled step would"):
        nn.fit(model, X, Y, optimizer=nn.SGD(model, 0.1), **options)
    first_look = 1 if kind == "forward" else 0
    assert len(calls) == 6 + first_look
    twin = network()
    nn.fit(twin, X, Y, optimizer=nn.SGD(twin, 0.1), **options)
    np.testing.assert_allclose(twin[0].weight.data, model[0].weight.data, rtol=1e-12)


def test_compiled_functions_refuse_hooks():
    model = network()
    model[1].register_forward_hook(lambda *_: None)
    with pytest.raises(ag.CompileError, match="while it is traced"):
        ag.compile(lambda x: np.sum(model(x)))(X)


def test_outputs_of_several_parts(tmp_path):
    class Two(nn.Module):
        def __init__(self):
            self.a, self.b = nn.Linear(3, 1, rng=0), nn.Linear(3, 1, rng=1)

        def forward(self, x):
            return {"a": self.a(x), "rest": [self.b(x), 1.0]}

    model, shapes = Two(), []
    model.register_gradient_hook(lambda module, g: shapes.append(g.shape))
    out = model(X)
    np.sum(out["a"] + out["rest"][0]).backward()
    assert shapes == [(6, 1), (6, 1)]
    assert out["rest"][1] == 1.0


def test_files_and_copies(tmp_path):
    model, calls = network(), []
    model[0].register_gradient_hook(lambda *_: calls.append(1))
    nn.save(model, tmp_path / "model.npz")
    calls.clear()
    twin = nn.load(tmp_path / "model.npz")
    np.sum(twin(X)).backward()
    assert not calls
    np.testing.assert_array_equal(twin(X).data, copy.deepcopy(model)(X).data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model.summary(X).parameters == 26
