"""A run that is stopped at any batch and resumed elsewhere is, bit for bit, one that was not."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn.training.loop import Training
from tests.nn.optimizer_cases import CASES

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = X[:, :1] * X[:, 1:2]


class Anneal(nn.Callback):
    """Changes what only callbacks change: a dropout rate, a hyperparameter, what is frozen."""

    def after_epoch(self, run):
        run.model[1].rate *= 0.9
        run.optimizer.groups[0].weight_decay = 0.01 * len(run.history)
        if len(run.history) == 2:
            run.model[0].freeze()


def start(kind, seed):
    """What a process that begins makes; the seed is another one where it is to be forgotten."""
    model = nn.Sequential(
        nn.Linear(3, 6, rng=seed), nn.Dropout(0.3, rng=seed), nn.BatchNorm1d(6),
        nn.Activation("tanh"), nn.Linear(6, 1, rng=seed),
    )  # fmt: skip
    return model, kind(model), np.random.default_rng(seed)


def run(model, optimizer, rng, epochs, path=None, history=None, **options):
    callbacks = [
        *([nn.Checkpoint(path)] if path else []),
        Anneal(),
        nn.ReduceOnPlateau("loss", patience=0, factor=0.7),
        nn.EarlyStopping(patience=50),
    ]
    defaults = {"loss": "mse", "batch_size": 7, "validation_split": 0.25, "metrics": ["r2"]}
    return nn.fit(
        model, X, Y, optimizer=optimizer, rng=rng, epochs=epochs, callbacks=callbacks,
        history=history, progress=False, **(defaults | options),
    )  # fmt: skip


def assert_same(first, second):
    (model, optimizer, rng), history = first
    (twin, other, stream), twin_history = second
    assert history.columns == twin_history.columns
    for one, two in ((model, twin), (optimizer, other)):
        assert one.state_dict().keys() == two.state_dict().keys()
        for name, array in one.state_dict().items():
            np.testing.assert_array_equal(two.state_dict()[name], array, err_msg=name)
    assert [p.requires_grad for p in model.parameters()] == [
        p.requires_grad for p in twin.parameters()
    ]
    assert rng.bit_generator.state == stream.bit_generator.state
    assert model[1].rng.bit_generator.state == twin[1].rng.bit_generator.state


@pytest.fixture
def press_at(monkeypatch):
    """Make it press Ctrl-C in the course of a batch."""

    def press(number):
        learn, calls = Training._learn, []

        def counting(self, *args):
            calls.append(1)
            if len(calls) == number:
                os.kill(os.getpid(), signal.SIGINT)
            return learn(self, *args)

        monkeypatch.setattr(Training, "_learn", counting)

    return press


EPOCHS, BATCHES = 4, 5  # of 7, 7, 7, 7 and 2 samples


def stopped_and_resumed(kind, batch, path, press_at, **options):
    press_at(batch)
    first = start(kind, 1)
    history = run(*first, EPOCHS, path, **options)
    assert history.stopped == "interrupted"
    assert len(history) == (batch - 1) // BATCHES
    second = start(kind, 2)
    history = nn.load_checkpoint(second[0], path, *second[1:])
    return second, run(*second, EPOCHS - len(history), history=history, **options)


@pytest.mark.skipif(os.name != "posix", reason="sends itself a signal")
@pytest.mark.parametrize("name", CASES)
def test_for_every_optimizer(tmp_path, press_at, name):
    def kind(model):
        case = CASES[name]
        return case.rule(model, learning_rate=case.learning_rate, **case.options)

    whole = start(kind, 1)
    expected = whole, run(*whole, EPOCHS)
    resumed = stopped_and_resumed(kind, 8, tmp_path / "run.npz", press_at)
    assert_same(expected, resumed)


SETTINGS = {
    "plain": {},
    "uncompiled": {"compile": False},
    "schedule": {"schedule": nn.schedules.OneCycle(4)},
    "accumulate": {"accumulate": 2},
    "weights": {"sample_weight": np.linspace(0.1, 1, len(X))},
    "named schedule": {"schedule": "cosine"},
    "in order, whole batches": {"shuffle": False, "drop_last": True, "batch_size": 6},
    "clipped": {"clip_norm": 0.1, "l2": 0.01, "metrics": ()},
}


@pytest.mark.skipif(os.name != "posix", reason="sends itself a signal")
@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("batch", [1, 7, 10])
def test_at_any_batch(tmp_path, press_at, name, batch):
    whole = start(nn.Adam, 1)
    expected = whole, run(*whole, EPOCHS, **SETTINGS[name])
    path = tmp_path / "run.safetensors"
    resumed = stopped_and_resumed(nn.Adam, batch, path, press_at, **SETTINGS[name])
    assert_same(expected, resumed)


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_after_any_epoch_with_the_generator_given_as_a_seed(tmp_path, epochs):
    path = tmp_path / "run.npz"
    whole, _, _ = start(nn.Adam, 1)
    expected = run(whole, nn.Adam(whole), 5, EPOCHS)
    first, _, _ = start(nn.Adam, 1)
    run(first, nn.Adam(first), 5, epochs, path)
    twin, optimizer, _ = start(nn.Adam, 2)
    history = nn.load_checkpoint(twin, path, optimizer)
    run(twin, optimizer, 5, EPOCHS - epochs, history=history)
    assert history.columns == expected.columns
    for name, array in whole.state_dict().items():
        np.testing.assert_array_equal(twin.state_dict()[name], array)


def test_the_same_samples_stay_aside_and_callbacks_remember_in_one_process():
    whole = start(nn.Adam, 1)
    expected = whole, run(*whole, EPOCHS)
    parts = start(nn.Adam, 1)
    history = run(*parts, 1)
    for _ in range(EPOCHS - 1):
        history = run(*parts, 1, history=history)
    assert [name for name, _ in history.progress.callbacks] == [
        name for name, _ in expected[1].progress.callbacks
    ]
    seen = [dict(state) for _, state in history.progress.callbacks]
    assert seen[1]["best"] == dict(expected[1].progress.callbacks[1][1])["best"]


class Patient(nn.Callback):
    state = ("seen",)

    def begin(self, run):
        self.seen = []

    def after_epoch(self, run):
        self.seen.append(run.history.loss[-1])


def test_callbacks_of_ones_own_name_what_they_remember(tmp_path):
    path = tmp_path / "run.npz"
    model, optimizer, rng = start(nn.Adam, 1)
    options = {"loss": "mse", "progress": False, "rng": rng}
    callbacks = [nn.Checkpoint(path), Patient()]
    nn.fit(model, X, Y, optimizer=optimizer, epochs=2, callbacks=callbacks, **options)
    history = nn.load_checkpoint(model, path, optimizer, rng)
    after = Patient()
    nn.fit(
        model, X, Y, optimizer=optimizer, epochs=1, callbacks=[after], history=history, **options
    )
    assert after.seen == history.loss
    assert len(after.seen) == 3


def test_early_stopping_counts_on_and_goes_back_to_the_best_of_all(tmp_path):
    def training(epochs, path=None, history=None, rate=1e-9):
        model = nn.Linear(1, 1, rng=0) if history is None else history[0]
        optimizer = nn.SGD(model, learning_rate=rate)
        if history is not None:
            history = nn.load_checkpoint(model, path, optimizer)
        stopping = nn.EarlyStopping(patience=5, min_delta=1.0)
        callbacks = [stopping, *([nn.Checkpoint(path)] if path else [])]
        x = np.ones((4, 1))
        history = nn.fit(
            model, x, 3 * x, loss="mse", optimizer=optimizer, validation_data=(x, 3 * x),
            callbacks=callbacks, epochs=epochs, history=history, progress=False,
        )  # fmt: skip
        return history, stopping

    history, _ = training(20)
    assert len(history) == 6
    training(3, tmp_path / "run.npz")
    history, stopping = training(20, tmp_path / "run.npz", [nn.Linear(1, 1, rng=1)])
    assert len(history) == 6
    assert stopping.best_epoch == 0


def test_who_goes_on_after_an_early_stop_has_patience_again():
    model = nn.Linear(1, 1, rng=0)
    x = np.ones((4, 1))
    options = {
        "loss": "mse", "optimizer": nn.SGD(model, learning_rate=1e-9), "epochs": 20,
        "callbacks": [nn.EarlyStopping("loss", patience=3, min_delta=1.0)], "progress": False,
    }  # fmt: skip
    history = nn.fit(model, x, 3 * x, **options)
    assert len(history) == 4
    nn.fit(model, x, 3 * x, history=history, **options)
    assert len(history) == 8


@pytest.mark.skipif(os.name != "posix", reason="sends itself a signal")
def test_other_data_begin_an_epoch_of_their_own(press_at):
    model, optimizer, rng = start(nn.Adam, 1)
    press_at(3)
    history = run(model, optimizer, rng, 1)
    assert history.progress.batch == 3
    options = {"loss": "mse", "batch_size": 5, "progress": False, "callbacks": []}
    again = start(nn.SGD, 3)
    nn.fit(again[0], X, Y, optimizer=again[1], epochs=1, rng=again[2], history=history, **options)
    fresh = start(nn.SGD, 3)
    expected = nn.fit(fresh[0], X, Y, optimizer=fresh[1], epochs=1, rng=fresh[2], **options)
    assert history.loss == expected.loss


def test_no_epochs_change_nothing():
    model, optimizer, rng = start(nn.Adam, 1)
    before = model.state_dict()
    history = run(model, optimizer, rng, 0)
    assert (len(history), history.stopped) == (0, "finished")
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_generator_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "run.npz"
    model, optimizer, rng = start(nn.Adam, 1)
    nn.save_checkpoint(model, path, optimizer, nn.History(), rng)
    history = nn.load_checkpoint(model, path, optimizer)
    other = np.random.Generator(np.random.MT19937(0))
    with pytest.raises(ag.ArgumentValueError) as error:
        run(model, optimizer, other, 1, history=history)
    assert str(error.value) == (
        "fit: rng is a generator of MT19937, and the checkpoint is of one of PCG64; "
        "pass one of the same kind"
    )


SCRIPT = """
import sys, time, numpy as np, nn
x = np.random.default_rng(0).normal(size=(60, 2))
y = x[:, :1] * x[:, 1:]
path, seed, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
layers = nn.Linear(2, 8, rng=seed), nn.Dropout(0.2, rng=seed), nn.Linear(8, 1, rng=seed)
model = nn.Sequential(*layers)
optimizer, rng = nn.Adam(model), np.random.default_rng(seed)
history = None
try:
    history = nn.load_checkpoint(model, path, optimizer, rng)
except FileNotFoundError:
    pass
class Slow(nn.Callback):
    def after_epoch(self, run):
        print(len(run.history), flush=True)
        time.sleep(0.03)
nn.fit(model, x, y, loss="mse", optimizer=optimizer, rng=rng, history=history, batch_size=8,
       epochs=epochs - (len(history) if history else 0), validation_split=0.2, progress=False,
       callbacks=[nn.Checkpoint(path), nn.EarlyStopping(patience=500), Slow()], compile=False)
nn.save(model, path.replace("run.npz", "done.npz"))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the platform cannot kill like this")
def test_a_killed_run_goes_on_in_a_new_process(tmp_path):
    def command(path, seed, epochs):
        return [sys.executable, "-c", SCRIPT, str(path), str(seed), str(epochs)]

    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    subprocess.run(command(tmp_path / "a" / "run.npz", 1, 30), check=True, capture_output=True)
    process = subprocess.Popen(
        command(tmp_path / "b" / "run.npz", 1, 10**6), stdout=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if int(line) >= 7:
            process.kill()
            break
    process.stdout.close()
    process.wait()
    subprocess.run(command(tmp_path / "b" / "run.npz", 2, 30), check=True, capture_output=True)
    expected = nn.load(tmp_path / "a" / "done.npz").state_dict()
    for name, array in nn.load(tmp_path / "b" / "done.npz").state_dict().items():
        np.testing.assert_array_equal(array, expected[name])


class Press(nn.Callback):
    """Ctrl-C after a batch."""

    def __init__(self, epoch, batch):
        self.at = epoch, batch

    def after_batch(self, run):
        if (run.epoch, run.batch) == self.at:
            raise KeyboardInterrupt


def plain_fit(model, epochs, **options):
    defaults = {"loss": "mse", "batch_size": 8, "rng": 0, "progress": False}
    return nn.fit(model, X, Y, epochs=epochs, **(defaults | options))


def test_the_best_weights_wait_until_a_run_that_goes_on_has_ended():
    def trained(interrupted):
        model = nn.Linear(3, 1, rng=0)
        # the first epoch stays the best
        stopping = nn.EarlyStopping("learning_rate", mode="min", patience=50)
        options = {"optimizer": nn.SGD(model, learning_rate=0.1), "rng": np.random.default_rng(0)}
        if interrupted:
            history = plain_fit(model, 4, callbacks=[stopping, Press(2, 2)], **options)
            assert history.stopped == "interrupted"
            best = nn.Linear(3, 1)
            best.load_state_dict(stopping.best_state)
            assert not np.array_equal(best.weight.data, model.weight.data)
            return plain_fit(model, 2, callbacks=[stopping], history=history, **options).loss
        return plain_fit(model, 4, callbacks=[stopping], **options).loss

    assert trained(True) == trained(False)


@pytest.mark.parametrize("frozen", [0, 1])
def test_gradients_that_were_accumulated_stay_with_their_parameters(frozen):
    def start():
        return nn.Sequential(nn.Linear(3, 3, rng=0), nn.Linear(3, 1, rng=1))

    class Freeze(nn.Callback):
        def before_batch(self, run):
            if (run.epoch, run.batch) == (0, 1):
                run.model[frozen].freeze()

    whole = start()
    options = {"accumulate": 3, "shuffle": False}
    plain_fit(whole, 1, optimizer=nn.SGD(whole, 0.1), callbacks=[Freeze()], **options)
    model = start()
    optimizer = nn.SGD(model, 0.1)
    history = plain_fit(model, 1, optimizer=optimizer, callbacks=[Press(0, 1)], **options)
    model[frozen].freeze()
    plain_fit(model, 1, optimizer=optimizer, history=history, **options)
    for name, array in whole.state_dict().items():
        np.testing.assert_allclose(model.state_dict()[name], array, rtol=1e-12)


class Count(nn.Callback):
    """Counts what begins."""

    state = ("epochs",)

    def __init__(self):
        self.epochs = 0

    def before_epoch(self, run):
        self.epochs += 1


def test_an_epoch_that_goes_on_begins_once():
    model, counts = nn.Linear(3, 1, rng=0), [Count(), Count()]
    options = {"optimizer": nn.SGD(model)}
    history = plain_fit(model, 3, callbacks=[counts[0], Press(1, 1)], **options)
    assert len(history) == 1
    plain_fit(model, 2, callbacks=[counts[1]], history=history, **options)
    assert counts[1].epochs == 3


EVENTS = ("before_epoch", "before_batch", "after_batch", "after_epoch")


class Tell(nn.Callback):
    """Tells what it is called for, draws, and presses Ctrl-C at one of its calls."""

    def __init__(self, name, told, press_at=None):
        self.name, self.told, self.press_at = name, told, press_at

    def tell(self, event, run):
        self.told.append((self.name, event, run.epoch, run.batch, run.rng.random()))
        if self.press_at == (event, run.epoch, run.batch):
            os.kill(os.getpid(), signal.SIGINT)

    before_epoch, before_batch, after_batch, after_epoch = map(
        functools.partial(functools.partialmethod, tell), EVENTS
    )


@pytest.mark.skipif(os.name != "posix", reason="sends itself a signal")
@pytest.mark.parametrize("presses", ["first", "second"])
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("batch", [0, 3, 5])
def test_callbacks_are_called_once_for_each_batch_and_epoch(event, batch, presses):
    """However a run is interrupted: they see what they would have seen, and so does the model."""

    def trained(press_at):
        told, model = [], nn.Linear(3, 1, rng=0)
        options = {"optimizer": nn.Adam(model), "rng": np.random.default_rng(0)}
        history = nn.History()
        for press in (press_at, None):
            pressing = [press if name == presses else None for name in ("first", "second")]
            callbacks = [Tell("first", told, pressing[0]), Tell("second", told, pressing[1])]
            plain_fit(model, 3 - len(history), callbacks=callbacks, history=history, **options)
            assert history.stopped == ("interrupted" if press else "finished")
        return told, model.weight.data.tolist(), history.columns

    place = {"before_epoch": (1, 0), "after_epoch": (2, 0), "before_batch": (1, min(batch, 4))}
    at = place.get(event, (1, max(batch, 1)))
    assert trained((event, *at)) == trained(None)


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_what_is_frozen_after_the_last_batch_of_all(batch):
    class Freeze(nn.Callback):
        def after_batch(self, run):
            if run.batch == batch:
                run.model[0].freeze()

    model = nn.Sequential(nn.Linear(3, 3, rng=0), nn.Linear(3, 1, rng=1))
    before = model.state_dict()
    options = {"optimizer": nn.SGD(model, 0.1), "accumulate": 7, "shuffle": False}
    plain_fit(model, 1, callbacks=[Freeze()], **options)
    after = model.state_dict()
    np.testing.assert_array_equal(before["0.weight"], after["0.weight"])
    assert not np.array_equal(before["1.weight"], after["1.weight"])


def test_all_may_be_frozen_after_the_last_batch():
    class Freeze(nn.Callback):
        def after_batch(self, run):
            if run.batch == 5:
                run.model.freeze()

    model = nn.Linear(3, 1, rng=0)
    before = model.state_dict()
    plain_fit(model, 1, callbacks=[Freeze()], optimizer=nn.SGD(model), accumulate=7)
    np.testing.assert_array_equal(before["weight"], model.state_dict()["weight"])


@pytest.mark.parametrize("compile", [True, False])
def test_amsgrad_may_be_switched_on_and_off(compile):
    class Switch(nn.Callback):
        def before_batch(self, run):
            if run.batch in (2, 4):
                run.optimizer.groups[0].amsgrad = run.batch == 2

    def trained(compile):
        model = nn.Linear(3, 1, rng=0)
        optimizer = nn.Adam(model, 0.01)
        plain_fit(model, 2, optimizer=optimizer, callbacks=[Switch()], compile=compile)
        return model.weight.data

    # by hand, as in Reddi et al.: the largest mean of squares is that since it was switched on
    model = nn.Linear(3, 1, rng=0)
    parameters, rng, count = model.parameters(), np.random.default_rng(0), 0
    means = [[0.0, 0.0, 0.0] for _ in parameters]
    for _ in range(2):
        order = rng.permutation(len(X))
        for batch in range(5):
            rows, is_on, count = order[8 * batch : 8 * batch + 8], batch in (2, 3), count + 1
            loss = nn.mse(model(X[rows]), Y[rows])
            for p, held, g in zip(parameters, means, ag.gradients(loss, parameters), strict=True):
                held[0] = 0.9 * held[0] + 0.1 * g
                held[1] = 0.999 * held[1] + 0.001 * g**2
                held[2] = np.maximum(held[2], held[1]) if is_on else 0.0
                square = (held[2] if is_on else held[1]) / (1 - 0.999**count)
                p.data = p.data - 0.01 * held[0] / (1 - 0.9**count) / (np.sqrt(square) + 1e-8)
    np.testing.assert_allclose(trained(compile), model.weight.data, rtol=1e-9)


class Counting(nn.Module):
    """Counts the samples that it sees, whether it is trained or used."""

    buffers = ("seen", "mean")

    def __init__(self, in_place):
        self.seen, self.mean = np.zeros(1), np.zeros(3)
        self.in_place = in_place
        self.linear = nn.Linear(3, 1, rng=0)

    def forward(self, x):
        new_mean = 0.9 * self.mean + 0.1 * np.mean(ag.stop_gradient(x), axis=0)
        if self.in_place:
            self.seen += len(x)
            self.mean[...] = new_mean
        else:
            self.seen, self.mean = self.seen + len(x), new_mean
        return self.linear(x - self.mean)


@pytest.mark.parametrize("in_place", [False, True])
def test_looking_at_a_model_leaves_its_buffers_alone(in_place):
    options = {
        "loss": "mse", "batch_size": 7, "shuffle": False, "metrics": ["r2"], "compile": False,
        "validation_data": (X, Y), "progress": False,
    }  # fmt: skip
    once, twice = Counting(in_place), Counting(in_place)
    nn.predict(twice, X)
    nn.evaluate(twice, X, Y, loss="mse")
    assert not twice.seen.any() and not twice.mean.any()
    nn.fit(once, X, Y, epochs=4, optimizer=nn.SGD(once, 0.1), **options)
    optimizer = nn.SGD(twice, 0.1)
    history = nn.fit(twice, X, Y, epochs=2, optimizer=optimizer, **options)
    nn.fit(twice, X, Y, epochs=2, optimizer=optimizer, history=history, **options)
    assert once.seen == twice.seen == 4 * len(X)
    for name, array in once.state_dict().items():
        np.testing.assert_array_equal(twice.state_dict()[name], array)
