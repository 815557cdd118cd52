"""The compiled training step gives the plain one's numbers: whatever optimizers and options."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import nn
from tests.nn.compiled_and_plain import (
    N_IN,
    KeepStep,
    assert_the_same_compiled_and_not,
    mlp,
    numbers,
    trained,
)
from tests.nn.optimizer_cases import CASES

# Optimizers and what surrounds them.


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    "decay", [{}, {"weight_decay": 0.1}, {"weight_decay": 0.1, "decoupled": 1}]
)
def test_optimizers(name, decay):
    if decay.get("decoupled"):
        decay = decay | {"decoupled": True}
    case = CASES[name]
    optimizer = partial(case.rule, **(case.options | decay | {"learning_rate": 0.01}))
    assert_the_same_compiled_and_not(mlp, *numbers(), optimizer=optimizer)


@pytest.mark.parametrize("name", CASES)
def test_optimizers_in_loops_of_numba(name):
    pytest.importorskip("numba")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(22, 64)), rng.normal(size=(22, 64))
    keep, case = KeepStep(), CASES[name]
    assert_the_same_compiled_and_not(
        lambda rng: nn.Linear(64, 64, rng=rng), x, y, compile="numba", callbacks=[keep],
        optimizer=partial(case.rule, learning_rate=0.01, **case.options), l2=0.1,
    )  # fmt: skip
    source = keep.step.compiled["step"].source
    assert "@guvectorize" in source
    returned = source[source.rindex("return (") :]
    assert ", [weight, " in returned  # written over, in the loop
    if keep.step.optimizer.state_names:
        state = keep.step.optimizer.state_names[0]
        assert f"{{'{state}': states_0_{state}" in returned


@pytest.mark.parametrize(
    "options",
    [
        {"l1": 0.1},
        {"l2": 0.1},
        {"l1": 0.1, "l2": 0.1, "clip_norm": 0.5},
        {"clip_value": 0.05},
        {"clip_norm": 0.5, "dtype": np.float32, "tolerance": 1e-5},
        {"accumulate": 2},
        {"accumulate": 2, "l2": 0.1, "clip_norm": 0.1},
        {"schedule": nn.schedules.OneCycle(2)},
        {"accumulate": 2, "schedule": nn.schedules.Cosine(2, warm_up=0.5)},
        {"validation_split": 0.2, "callbacks": [nn.EarlyStopping(patience=0)]},
    ],
)
def test_options(options):
    assert_the_same_compiled_and_not(mlp, *numbers(), **options)


def test_groups_and_frozen_parameters():
    def groups(model):
        model[0].bias.requires_grad = False
        slow = {"parameters": model[0], "learning_rate": 0.001, "weight_decay": 0.5}
        return nn.AdamW([slow, {"parameters": model[2]}], learning_rate=0.05)

    compiled, _ = assert_the_same_compiled_and_not(mlp, *numbers(), optimizer=groups)
    np.testing.assert_array_equal(compiled[0].bias.data, np.zeros(4))


def test_scalar_parameters():
    class Line(nn.Module):
        def __init__(self, rng):
            self.slope, self.offset = nn.Parameter(0.5), nn.Parameter(0.0)

        def forward(self, x):
            return self.slope * x + self.offset

    x = numbers()[0][:, :1]
    compiled, _ = assert_the_same_compiled_and_not(Line, x, 3 * x, optimizer=nn.Nadam)
    assert type(compiled.slope.data) is float


# What changes while training goes on.


class Change(nn.Callback):
    def __init__(self, change):
        self.change = change

    def after_epoch(self, run):
        if len(run.history) == 1:
            self.change(run)


def slower(run):
    run.optimizer.groups[0].learning_rate *= 0.1


def heavier(run):
    run.optimizer.groups[0].weight_decay = 0.5


def freeze(run):
    run.model[0].weight.requires_grad = False


def drop_more(run):
    run.model[1].rate = 0.7


def another_generator(run):
    run.model[1].rng = np.random.default_rng(77)


def another_activation(run):
    run.model.layers[2] = nn.Activation("sigmoid")


@pytest.mark.parametrize(
    "change", [slower, heavier, freeze, drop_more, another_generator, another_activation]
)
def test_changes_between_epochs_are_taken_up(change):
    def make(rng):
        return nn.Sequential(
            nn.Linear(N_IN, 4, rng=rng), nn.Dropout(0.1, rng=rng), "tanh", nn.Linear(4, 1, rng=rng)
        )

    x, y = numbers()
    options = {"callbacks": [Change(change)], "epochs": 4}
    _, history = assert_the_same_compiled_and_not(make, x, y, **options)
    _, unchanged = trained(make, x, y, True, epochs=4)
    assert history.loss[:1] == unchanged.loss[:1]
    assert history.loss[3] != unchanged.loss[3]


def begin_momentum(run):
    run.optimizer.groups[0].momentum = 0.9


def test_momentum_may_begin_late():
    _, history = assert_the_same_compiled_and_not(
        mlp, *numbers(), optimizer=nn.SGD, callbacks=[Change(begin_momentum)], epochs=4
    )
    _, without = trained(mlp, *numbers(), True, optimizer=nn.SGD, epochs=4)
    assert history.loss[:1] == without.loss[:1]
    assert history.loss[3] < without.loss[3]
