"""What is frozen stays as it is: parameters, running averages, overridden modes; and is thawed."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import autograd_lite as ag
import nn

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(24, 3)) + 2, RNG.normal(size=(24, 1))


def network():
    body = nn.Sequential(nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4), nn.Dropout(0.5, rng=0))
    return nn.Sequential(body, "tanh", nn.Linear(4, 1, rng=1))


def fit(model, **options):
    return nn.fit(model, X, Y, loss="mse", epochs=2, rng=0, progress=False, **options)


@pytest.mark.parametrize("compile", [True, False])
def test_a_frozen_part_stays_as_it_is(compile):
    model = network()
    model[0].freeze()
    before, drawn = model.state_dict(), model[0][2].rng.bit_generator.state
    fit(model, compile=compile)
    after = model.state_dict()
    changed = [name for name in before if (before[name] != after[name]).any()]
    assert changed == ["2.weight", "2.bias"]
    assert model[0][2].rng.bit_generator.state == drawn
    model[0].unfreeze()
    fit(model, compile=compile)
    thawed = model.state_dict()
    assert all((after[name] != thawed[name]).any() for name in before)


def test_a_frozen_part_stays_in_use_in_a_loop_of_ones_own():
    model = network()
    model[0].freeze()
    assert [m.training for _, m in model.train().named_modules()] == [
        True, False, False, False, False, True, True,
    ]  # fmt: skip
    assert not any(m.training for _, m in model.eval().named_modules())
    model[0].unfreeze()
    assert all(m.training for _, m in model.train().named_modules())


def test_an_override_of_train_is_called():
    class Steady(nn.Sequential):
        def train(self, mode=True):
            super().train(mode)
            self[1].training = False
            return self

    model = nn.Sequential(Steady(nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4)), nn.Linear(4, 1, rng=1))
    before = model.state_dict()
    fit(model)
    after = model.state_dict()
    np.testing.assert_array_equal(after["0.1.running_mean"], before["0.1.running_mean"])
    assert (after["0.1.weight"] != before["0.1.weight"]).any()


def test_a_model_that_is_frozen_as_a_whole_is_refused():
    with pytest.raises(ag.ArgumentValueError) as error:
        fit(network().freeze())
    assert str(error.value) == (
        "fit: all parameters of the optimizer are frozen; call unfreeze() on the part of the "
        "model that is to be trained"
    )


def test_modules_that_hold_each_other_have_modes():
    one, two = nn.Linear(1, 1), nn.Linear(1, 1)
    one.other, two.other = two, one
    assert not one.eval().other.training


def test_freezing_is_kept_in_files(tmp_path):
    model = network()
    model[0].freeze()
    nn.save(model, tmp_path / "model.npz")
    twin = nn.load(tmp_path / "model.npz").train()
    assert not twin[0][1].training
    assert [p.requires_grad for p in twin.parameters()] == [False] * 4 + [True] * 2


# Optimizers: each parameter has its own number of steps.


@pytest.mark.parametrize(
    ("ours", "theirs", "amsgrad"),
    [
        (nn.Adam, "Adam", False),
        (nn.Adam, "Adam", True),
        (nn.AdamW, "AdamW", False),
        (nn.AdamW, "AdamW", True),
        (nn.Nadam, "NAdam", False),
    ],
)
def test_a_parameter_that_was_frozen_begins_its_own_count(ours, theirs, amsgrad):
    torch = pytest.importorskip("torch")
    options = {"amsgrad": True} if amsgrad else {}
    draws = np.random.default_rng(1)
    a, b = nn.Parameter(draws.normal(size=3)), nn.Parameter(draws.normal(size=3))
    c, d = (torch.tensor(p.data.copy(), requires_grad=True) for p in (a, b))
    optimizer = ours([a, b], learning_rate=0.01, weight_decay=0.1, **options)
    other = getattr(torch.optim, theirs)([c, d], lr=0.01, weight_decay=0.1, **options)
    b.requires_grad = d.requires_grad = False
    for step in range(60):
        if step == 50:
            b.requires_grad = d.requires_grad = True
        g = draws.normal(size=(2, 3))
        for mine, yours, one in ((a, c, g[0]), (b, d, g[1])):
            if mine.requires_grad:
                mine.grad, yours.grad = one.copy(), torch.tensor(one)
        optimizer.step()
        other.step()
        if step == 40:  # the counts survive a file
            state = optimizer.state_dict()
            optimizer = ours([a, b], learning_rate=0.5, **options)
            optimizer.load_state_dict(state)
    tolerance = 1e-6 if ours is nn.Nadam else 1e-12  # PyTorch's product of momenta is of float32
    np.testing.assert_allclose(a.data, c.detach().numpy(), rtol=tolerance)
    np.testing.assert_allclose(b.data, d.detach().numpy(), rtol=tolerance)


def test_the_first_step_after_thawing_is_as_long_as_the_learning_rate():
    """PyTorch's is 1.0 learning rates; a count that all share gives up to 4.6."""
    model = nn.Sequential(nn.Linear(3, 4, rng=0), "tanh", nn.Linear(4, 1, rng=1))
    optimizer = nn.Adam(model, learning_rate=0.01)
    model[0].freeze()
    options = {"loss": "mse", "batch_size": 24, "optimizer": optimizer, "progress": False}
    nn.fit(model, X, Y, epochs=30, **options)
    before = model[0].weight.data.copy()
    model[0].unfreeze()
    nn.fit(model, X, Y, epochs=1, **options)
    np.testing.assert_allclose(np.abs(model[0].weight.data - before), 0.01, rtol=1e-4)


def test_a_parameter_is_in_one_group_once():
    model = nn.MLP(2, [3, 1], rng=0)
    message = (
        "SGD: the parameter 'weight' of shape (2, 3) is given twice; let each be in one group, once"
    )
    for given in (
        [{"parameters": model}, {"parameters": model[0], "learning_rate": 0.1}],
        [model[0].weight, model[0].weight],
    ):
        with pytest.raises(ag.ArgumentValueError) as error:
            nn.SGD(given)
        assert str(error.value) == message


@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_what_is_frozen_between_batches(compile, accumulate):
    """Beside a loop that is written out; a frozen parameter keeps its velocity."""

    class Change(nn.Callback):
        def after_batch(self, run):
            run.model[0].weight.requires_grad = run.batch % 3 != 1

    def made():
        model = nn.MLP(3, [4, 1], activation="tanh", rng=0)
        return model, nn.SGD(model, 0.1, momentum=0.9)

    options = {"batch_size": 5, "shuffle": False, "accumulate": accumulate}
    options |= {"loss": "mse", "epochs": 3, "progress": False, "compile": compile}
    model, optimizer = made()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", nn.CompileWarning)
        nn.fit(model, X, Y, optimizer=optimizer, callbacks=Change(), **options)

    twin, optimizer = made()
    starts = range(0, len(X), 5)
    for _ in range(3):
        sums, count = {}, 0
        for number, start in enumerate(starts, 1):
            x, y = X[start : start + 5], Y[start : start + 5]
            twin.zero_grad()
            nn.mse(twin(x), y).backward()
            for p in twin.parameters():
                if p.requires_grad:
                    sums[p] = sums.get(p, 0) + p.grad * len(x)
            count += len(x)
            if number % accumulate == 0:
                step(twin, optimizer, sums, count)
                sums, count = {}, 0
            twin[0].weight.requires_grad = number % 3 != 1
        if count:
            step(twin, optimizer, sums, count)
    for ours, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        np.testing.assert_allclose(ours.data, theirs.data, rtol=1e-12)


def step(model, optimizer, sums, count):
    """Take one along the mean of the gradients; what is frozen by now stays."""
    for parameter in model.parameters():
        parameter.grad = sums.get(parameter, np.zeros(parameter.shape)) / count
    optimizer.step()


@pytest.mark.parametrize("when", ["after_batch", "after_epoch"])
def test_nothing_is_left_to_train(when):
    class Freeze(nn.Callback):
        pass

    setattr(Freeze, when, lambda self, run: run.model.freeze())
    with pytest.raises(ag.ArgumentValueError, match="all parameters of the optimizer are frozen"):
        fit(network(), callbacks=Freeze(), batch_size=8)
