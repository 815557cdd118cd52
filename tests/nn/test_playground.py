"""The playground: a run is what its settings say, its program makes it again, and it is alone."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn.playground.commands import Commands
from nn.playground.data_sets import DATA_SETS
from nn.playground.experiment import Experiment
from nn.playground.features import inputs_of, offered
from nn.playground.samples import given_samples
from nn.playground.session import Session
from nn.playground.settings import (
    BOUNDS,
    SettingError,
    Settings,
    activation_names,
    optimizer_names,
)


def settings(**changes):
    """Settings in the words of the page."""
    return Settings().data_for_page() | changes


def hidden(*layers):
    return [{"units": units, "activation": name} for units, name in layers]


def started(**changes):
    session = Session()
    session.start(settings(**changes))
    return session


def bits(model):
    return [parameter.data.tobytes() for parameter in model.parameters()]


def executed(text, **names):
    """What a program made."""
    exec(compile(text, "program", "exec"), names)
    return names


def agree(session, **names):
    """Whether the session's program makes the session's run."""
    made = executed(session.program(), **names)
    assert bits(made["model"]) == bits(session.experiment.model)
    history = made["history"].columns if "history" in made else {}
    assert history == session.experiment.history.columns


# Copy as Python.


@pytest.mark.parametrize("data", DATA_SETS)
def test_the_program_makes_the_same_run_on_every_data_set(data):
    features = list(offered(DATA_SETS[data].features))
    session = started(data=data, features=features, noise=0.1, hidden=hidden((5, "relu")))
    session.advance(3)
    agree(session)


RUNS = [
    *({"hidden": hidden((3, name), (2, name))} for name in activation_names()),
    *({"optimizer": name, "learning_rate": 0.01} for name in optimizer_names()),
    {"hidden": []},
    {"hidden": hidden((4, "tanh"), (8, "selu"), (3, "relu")), "dropout": 0.25},
    {"validation": 0.0, "batch_size": 1, "samples": 31},
    {"l1": 0.001, "l2": 0.01, "batch_size": 2000, "seed": 2**32 - 1},
    {"features": ["x2", "x1*x2", "sin x1"], "validation": 0.5},
]


@pytest.mark.parametrize("changes", RUNS, ids=str)
def test_the_program_makes_the_same_run_with_all_settings(changes):
    session = started(**changes)
    session.advance(2)
    session.advance(1)
    agree(session)


def test_the_program_holds_what_was_changed_by_hand():
    session = started(dropout=0.1)
    session.set_parameter(1, 0.25)  # before the first epoch
    session.adjust("learning_rate", 0.1)
    agree(session)
    session.advance(4)
    session.set_parameter(8, -1.5)
    session.set_parameter(12, 1 / 3)
    agree(session)  # set, and not trained on yet
    session.advance(2)
    session.adjust("batch_size", 32)
    session.adjust("l2", 0.01)
    session.adjust("l1", 0.001)
    session.adjust("learning_rate", 0.003)
    session.advance(3)
    agree(session)
    program = session.program()
    assert program.count("nn.fit(") == 3 and "epochs=4" in program
    assert "model[0].weight.data[0, 1] = 0.25" in program
    assert (
        "model[0].bias.data[0] = -1.5\nmodel[3].weight.data[0, 0] = 0.3333333333333333" in program
    )
    assert "optimizer = nn.Adam(model, learning_rate=0.1)" in program
    assert max(map(len, program.splitlines())) <= 100
    compile(program, "program", "exec")


def test_the_program_runs_by_itself(tmp_path):
    session = started(features=["x1", "x2", "x1^2", "x2^2", "x1*x2", "sin x1", "sin x2"])
    session.advance(5)
    path = tmp_path / "run.py"
    path.write_text(session.program(), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", path], capture_output=True, text=True, check=True
    )
    printed = dict(line.split() for line in done.stdout.splitlines())
    assert float(printed["loss"]) == session.experiment.history.loss[-1]
    assert done.stderr == ""


GIVEN = [
    ("two words", lambda rng: rng.choice(["no", "yes"], 40), 2),
    ("three numbers", lambda rng: rng.choice([-1, 0, 7], 40), 3),
    ("truth values", lambda rng: rng.random((40, 1)) < 0.5, 1),
    ("one number", lambda rng: rng.normal(size=40), 2),
    ("two numbers", lambda rng: rng.normal(size=(40, 2)).astype(np.float32), 20),
]


@pytest.mark.parametrize(("y", "n_features"), [g[1:] for g in GIVEN], ids=[g[0] for g in GIVEN])
def test_ones_own_data_are_trained_on_and_the_program_takes_them(y, n_features):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, n_features)), y(rng)
    session = Session(given_samples(x if n_features > 1 else x[:, 0].tolist(), y))
    assert session.settings.data == "given"
    session.advance(3)
    x_given = x if n_features > 1 else x[:, 0].tolist()
    agree(session, x=x_given, y=y)
    before = bits(session.experiment.model)
    x[:] = 0  # what was given is not what is trained on
    session.rewind(0)
    session.advance(3)
    assert bits(session.experiment.model) == before and session.is_same


# Rewinding.


def test_a_run_that_is_rewound_is_the_same_bit_for_bit():
    session = started(dropout=0.2, hidden=hidden((6, "tanh"), (4, "relu")))
    seen = {0: bits(session.experiment.model)}
    for _ in range(4):
        session.advance(2)
        seen[session.epoch] = bits(session.experiment.model)
    for epoch in (6, 2, 0):
        session.rewind(epoch)
        assert (session.epoch, session.is_same) == (epoch, True)
        assert bits(session.experiment.model) == seen[epoch]
        assert [f.epoch for f in session.film.frames] == list(range(0, epoch + 1, 2))
    session.advance(8)
    assert bits(session.experiment.model) == seen[8] and session.is_same
    session.rewind(5)  # of which there is no frame, and nothing to compare with
    assert session.is_same is None and session.film.frames[-1].epoch == 5
    session.advance(3)
    assert bits(session.experiment.model) == seen[8] and session.is_same


def test_what_was_changed_by_hand_is_rewound_with_the_run():
    session = Session()
    session.advance(3)
    before = bits(session.experiment.model)
    session.set_parameter(0, 2.0)
    session.adjust("learning_rate", 0.5)
    after = bits(session.experiment.model)
    session.advance(3)
    session.rewind(3)  # what was changed at an epoch belongs to it
    assert bits(session.experiment.model) == after and session.settings.learning_rate == 0.5
    session.rewind(2)
    session.advance(1)
    assert session.is_same is None  # at this epoch there was another weight before
    assert bits(session.experiment.model) == before and session.settings.learning_rate == 0.03
    assert len(session.stretches) == 1
    agree(session)


def test_frames_hold_what_the_model_was_and_a_long_run_keeps_some():
    session = Session()
    session.advance(1)
    frame = session.film.frames[-1]
    flat = np.concatenate([p.data.ravel() for p in session.experiment.model.parameters()])
    np.testing.assert_array_equal(frame.weights, flat.astype(np.float32))
    updates = frame.updates
    session.set_parameter(3, 9.0)
    assert len(session.film.frames) == 2 and session.film.frames[-1].weights[3] == 9
    assert session.film.frames[-1].updates == updates
    session.film.capacity = 10
    for _ in range(30):
        session.advance(1)
    epochs = [frame.epoch for frame in session.film.frames]
    assert len(epochs) == 10 and epochs[0] == 0 and epochs[-1] == 31


def test_a_slow_run_goes_on_for_as_long_as_one_waits():
    session = Session()
    session.advance(1000, seconds=0.0)
    assert session.epoch == 1
    session.advance(1000, seconds=0.2)
    assert 2 <= session.epoch < 1001 and session.film.frames[-1].epoch == session.epoch
    agree(session)


def test_a_run_that_diverges_stays_at_its_last_whole_epoch():
    session = started(data="plane", learning_rate=100.0, optimizer="SGD", hidden=[])
    with pytest.raises(nn.DivergenceError, match="learning rate 100"):
        session.advance(1000)
    epoch = session.epoch
    assert epoch < 1000 and session.film.frames[-1].epoch == epoch
    assert all(np.isfinite(p.data).all() for p in session.experiment.model.parameters())
    if epoch:
        agree(session)
    session.adjust("learning_rate", 1e-9)
    session.advance(1)
    assert session.epoch == epoch + 1


def test_weights_of_any_size_are_recorded_without_a_warning():
    session = started(data="plane", hidden=hidden((2, "identity")), optimizer="SGD")
    session.experiment.model[0].weight.data[:] = 1e160
    session.experiment.model[2].weight.data[:] = 1e160
    session.adjust("batch_size", 5)
    session.experiment.model[0].weight.data[:] = 0.1
    session.adjust("batch_size", 6)
    assert session.epoch == 0


def test_the_seed_draws_all_of_it():
    first, again, other = started(seed=3), started(seed=3), started(seed=4)
    assert bits(first.experiment.model) == bits(again.experiment.model)
    assert bits(first.experiment.model) != bits(other.experiment.model)
    assert not np.array_equal(first.experiment.x, other.experiment.x)


def random_settings(rng):
    """Settings of all kinds, within their bounds."""
    data = str(rng.choice(list(DATA_SETS)))
    keys = list(offered(DATA_SETS[data].features))
    layers = [
        (int(rng.integers(1, 9)), str(rng.choice(activation_names())))
        for _ in range(rng.integers(5))
    ]
    return settings(
        data=data, features=[key for key in keys if rng.random() < 0.5] or keys[:1],
        hidden=hidden(*layers), samples=int(rng.integers(10, 120)), noise=float(rng.random()),
        seed=int(rng.integers(2**32)), dropout=float(rng.choice([0.0, 0.1, 0.9])),
        optimizer=str(rng.choice(optimizer_names())), batch_size=int(rng.integers(1, 60)),
        learning_rate=float(10 ** rng.uniform(-4, 2)), l1=float(rng.choice([0.0, 0.01])),
        l2=float(rng.choice([0.0, 0.1])), validation=float(rng.choice([0.0, 0.1, 0.9])),
    )  # fmt: skip


def random_command(rng, session):
    """A command that a page could send."""
    name = str(rng.choice(["advance", "advance", "rewind", "set_parameter", "adjust"]))
    setting = str(rng.choice(["learning_rate", "batch_size", "l1", "l2"]))
    number = int(rng.integers(1, 50)) if setting == "batch_size" else 10 ** rng.uniform(-4, 1)
    arguments = {
        "advance": {"epochs": int(rng.integers(1, 5))},
        "rewind": {"epoch": int(rng.integers(session.epoch + 1))},
        "set_parameter": {
            "place": int(rng.integers(session.experiment.network.size)),
            "value": float(rng.choice([0.0, 1e6, -1e6, rng.normal()])),
        },
        "adjust": {"setting": setting, "value": number},
    }
    return {"command": name} | arguments[name]


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_done_the_program_does_it_too(seed):
    rng = np.random.default_rng(seed)
    commands = Commands(Session())
    commands.obey({"command": "start", "settings": random_settings(rng)})
    for _ in range(8):
        answer = commands.obey(random_command(rng, commands.session))
        json.dumps(answer, allow_nan=False)
        assert answer["is_same"] is not False
    json.dumps(commands.recording(), allow_nan=False)
    with np.errstate(all="ignore"):
        agree(commands.session)


# Data.


@pytest.mark.parametrize("name", DATA_SETS)
def test_data_sets_have_the_samples_that_are_asked_for(name):
    data = DATA_SETS[name]
    x, y = data.function(51, 0.0, np.random.default_rng(0))
    assert x.shape == (51, len(data.features)) and np.abs(x).max() < 2
    assert y.shape == ((51,) if data.is_decision else (51, 1))
    if data.is_decision:
        assert y.dtype.kind == "i" and set(y) == set(range(y.max() + 1))
    noisy, _ = data.function(51, 0.3, np.random.default_rng(0))
    assert data.title and (not data.is_decision or not np.array_equal(x, noisy))


def test_features_are_what_their_names_say():
    x = np.random.default_rng(0).normal(size=(6, 2))
    known = offered(["a", "b"])
    assert [f.name for f in known.values()] == ["a", "b", "a²", "b²", "a·b", "sin πa", "sin πb"]
    a, b = x.T
    expected = np.column_stack([a, b, a**2, b**2, a * b, np.sin(np.pi * a), np.sin(np.pi * b)])
    np.testing.assert_allclose(inputs_of(x, list(known.values())), expected, rtol=1e-15)
    assert list(offered(["a", "b", "c"])) == ["x1", "x2", "x3"]
    assert list(offered(["a"])) == ["x1", "x1^2", "sin x1"]


def test_four_neurons_cut_out_the_disc():
    session = started(
        data="disc", noise=0.0, hidden=hidden((4, "sigmoid")), learning_rate=0.05, samples=400
    )
    session.advance(300)
    assert session.experiment.history["accuracy"][-1] > 0.95


# What is refused.


WRONG = [
    *(({name: bounds[1] - 1}, name) for name, bounds in BOUNDS.items()),
    *(({name: bounds[2] + 1}, name) for name, bounds in BOUNDS.items()),
    *(({name: None}, name) for name in BOUNDS),
    *(({name: "1"}, name) for name in BOUNDS),
    *(({name: True}, name) for name in BOUNDS),
    *(({name: float("nan")}, name) for name in BOUNDS),
    ({"samples": 20.5}, "samples"),
    ({"data": "given"}, "data"),
    ({"data": 3}, "data"),
    ({"features": []}, "features"),
    ({"features": "x1"}, "features"),
    ({"features": ["x1", "x3"]}, "features"),
    ({"features": [["x1"]]}, "features"),
    ({"hidden": hidden(*[(1, "tanh")] * 7)}, "hidden"),
    ({"hidden": "deep"}, "hidden"),
    ({"hidden": [3]}, "hidden"),
    ({"hidden": [{"units": 3}]}, "hidden"),
    ({"hidden": hidden((0, "tanh"))}, "units"),
    ({"hidden": hidden((33, "tanh"))}, "units"),
    ({"hidden": hidden((2.5, "tanh"))}, "units"),
    ({"hidden": hidden((2, "softmax"))}, "activation"),
    ({"hidden": hidden((2, ["tanh"]))}, "activation"),
    ({"optimizer": "adam"}, "optimizer"),
    ({"colour": "red"}, "colour"),
]


@pytest.mark.parametrize(("changes", "name"), WRONG, ids=str)
def test_settings_out_of_bounds_are_refused_by_name_and_change_nothing(changes, name):
    session = Session()
    session.advance(1)
    before = session.experiment, session.epoch
    with pytest.raises(SettingError, match=f"playground: {name} is .*; it must be ") as info:
        session.start(settings(**changes))
    assert info.value.setting == name
    assert (session.experiment, session.epoch) == before
    session.advance(1)


def test_settings_that_are_missing_or_none_at_all_are_refused():
    for given in (None, [], {}, {"data": "xor"}):
        with pytest.raises(SettingError, match="it must be"):
            Session().start(given)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda s: s.advance(0), "epochs is 0; it must be a whole number from 1 to 1000"),
        (lambda s: s.advance(1001), "epochs is 1001"),
        (lambda s: s.advance(True), "epochs is True"),
        (lambda s: s.rewind(2), "epoch is 2; it must be a whole number from 0 to 1"),
        (lambda s: s.rewind(-1), "epoch is -1"),
        (lambda s: s.set_parameter(25, 1.0), "place is 25; it must be a whole number from 0 to 24"),
        (lambda s: s.set_parameter(0, None), "weight is left empty"),
        (lambda s: s.set_parameter(0, float("nan")), "weight is nan"),
        (lambda s: s.set_parameter(0, 1e7), "weight is 10000000.0"),
        (lambda s: s.adjust("l2", -1), "l2 is -1; it must be a number from 0 to 10"),
        (lambda s: s.adjust([], 1), r"\[\] is 1; it must be set for a new run; learning_rate, "),
        (lambda s: s.adjust("noise", 0.1), "noise is 0.1; it must be set for a new run"),
    ],
)
def test_what_a_session_cannot_do_is_refused_by_name(call, why):
    session = Session()
    session.advance(1)
    before = bits(session.experiment.model)
    with pytest.raises(SettingError, match=why):
        call(session)
    assert bits(session.experiment.model) == before and session.epoch == 1
    agree(session)


X = np.zeros((6, 2))
LABELS = [0, 1, 0, 1, 0, 1]
REFUSED = [
    (X, None, {}, "only one of x and y"),
    (None, None, {"class_names": ["a"]}, "no samples that they belong to"),
    (X, [0, 1], {}, r"x has 6 samples and y has shape \(2,\)"),
    (X, 3, {}, r"y has shape \(\)"),
    (X, [1] * 6, {}, "1 different labels"),
    (np.zeros((30, 2)), range(30), {}, "30 different labels.*or floats"),
    (X, [None, 1, "a", 2, 3, 4], {}, "cannot be sorted"),
    (np.where(np.eye(6, 2), np.nan, 0), LABELS, {}, "x holds NaN or infinity"),
    (X, [0.5, np.inf, 0, 0, 0, 0], {}, "y holds NaN or infinity"),
    (X, np.zeros((6, 9)), {}, r"y has shape \(6, 9\)"),
    (np.zeros((6, 65)), LABELS, {}, r"x has shape \(6, 65\).*at most|from|of 1 to 64"),
    (np.zeros((20_001, 1)), np.zeros(20_001), {}, "2 to 20,000 samples"),
    (np.zeros((6, 0)), LABELS, {}, r"x has shape \(6, 0\)"),
    ([["a", "b"]] * 6, LABELS, {}, "makes no table of numbers"),
    (3.0, LABELS, {}, "makes no table of numbers"),
    (X + 1j, LABELS, {}, "x is complex"),
    (X, np.zeros(6) + 1j, {}, "y is complex"),
    (X, LABELS, {"class_names": ["a"]}, r"class_names is \['a'\]; give 2 names"),
    (X, LABELS, {"feature_names": "ab"}, "feature_names is 'ab'; give 2 names"),
    (X, np.zeros(6), {"class_names": ["a", "b"]}, "give none: there are no classes"),
    (None, None, {"port": -1}, "port is -1"),
    (None, None, {"port": "80"}, "port is '80'"),
]


@pytest.mark.parametrize(("x", "y", "options", "why"), REFUSED)
def test_data_that_do_not_fit_are_refused(x, y, options, why):
    with pytest.raises(ag.AutogradError, match=f"playground: .*{why}"):
        nn.playground(x, y, open_browser=False, **options)


# Commands.


def test_commands_are_answered_with_what_has_changed():
    commands = Commands(Session())
    answer = commands.obey({"command": "advance", "epochs": 3})
    history = commands.session.experiment.history
    assert answer["history"]["epochs"] == [1, 2, 3]
    assert answer["history"]["columns"]["loss"] == history.loss
    assert (answer["frame"]["epoch"], answer["kept"]) == (3, [0, 3])
    answer = commands.obey({"command": "rewind", "epoch": 0})
    assert answer["history"]["epochs"] == [] and answer["is_same"] and answer["kept"] == [0]
    answer = commands.obey({"command": "adjust", "setting": "l2", "value": 0.5})
    assert answer["settings"]["l2"] == 0.5
    answer = commands.obey({"command": "adjust", "setting": "l2", "value": 50})
    assert answer == {
        "refused": "playground: l2 is 50; it must be a number from 0 to 10", "setting": "l2",
    }  # fmt: skip
    json.dumps(commands.recording(), allow_nan=False)


def test_a_command_for_what_is_no_more_is_not_obeyed():
    commands = Commands(Session())
    first = commands.obey({"command": "advance", "epochs": 1, "version": 0})
    assert first["version"] == commands.recording()["version"] == 1
    again = {"command": "advance", "epochs": 1, "version": 0}
    assert commands.obey(again) == {"is_stale": True} and commands.session.epoch == 1
    refused = commands.obey({"command": "advance", "epochs": -1, "version": 1})
    assert "version" not in refused and commands.version == 1
    assert commands.obey(again | {"version": 1})["version"] == 2


@pytest.mark.parametrize(
    "request_",
    [None, 3, [], {}, {"command": "exec"}, {"command": ["advance"]}, {"command": "advance"},
     {"command": "program", "epochs": 1}, {"command": "advance", "epochs": 1, "x": 1}],
)  # fmt: skip
def test_what_is_no_command_is_refused(request_):
    commands = Commands(Session())
    assert commands.obey(request_)["refused"].startswith("playground: command is")
    assert commands.session.epoch == 0


def test_a_divergence_is_told_with_where_the_run_stands():
    commands = Commands(started(data="plane", learning_rate=100.0, optimizer="SGD", hidden=[]))
    answer = commands.obey({"command": "advance", "epochs": 1000})
    assert "learning rate 100" in answer["refused"]
    assert answer["frame"]["epoch"] == commands.session.epoch == len(answer["history"]["epochs"])


def test_all_settings_reach_the_run():
    """A setting that nobody reads would be one that lies."""
    plain = Experiment(Settings(), None)
    for changes in ({"seed": 1}, {"samples": 30}, {"hidden": ((3, "tanh"),)}):
        assert bits(Experiment(Settings(**changes), None).model) != bits(plain.model)
    trained = started()
    trained.advance(2)
    for changes in (
        {"dropout": 0.5}, {"optimizer": "SGD"}, {"learning_rate": 0.5}, {"batch_size": 3},
        {"l1": 0.1}, {"l2": 0.1}, {"noise": 0.2}, {"validation": 0.5}, {"data": "moons"},
        {"features": ["x1", "x2", "x1*x2"]},
    ):  # fmt: skip
        other = started(**changes)
        other.advance(2)
        assert bits(other.experiment.model) != bits(trained.experiment.model), changes


@pytest.mark.parametrize("count", [2, 3, 4])
def test_of_a_few_samples_none_are_set_aside(count):
    x = np.arange(2.0 * count).reshape(count, 2)
    session = Session(given_samples(x, np.arange(count) % 2))
    session.advance(1)
    assert session.settings.validation == (0.25 if count == 4 else 0.0)
