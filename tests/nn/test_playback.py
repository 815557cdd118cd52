"""Playback records what the model was, epoch by epoch, and changes nothing by it."""

from __future__ import annotations

import base64
import json
import re
import zlib
from functools import partial

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn.optimizers.base import optimizers
from nn.replay.frames import Film, Frame
from nn.replay.page import packed
from nn.replay.probe import reading
from nn.replay.stages import REPLAYED
from nn.replay.updates import next_steps

QUICK = {"rng": 0, "progress": False, "compile": False}


def two_classes(n=60):
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, n)
    return rng.normal(size=(n, 2)) + 2.0 * y[:, None] - 1.0, y


def train(path, model=None, epochs=8, callbacks=(), recorder=None, **options):
    x, y = two_classes()
    model = model or nn.MLP(2, [4, 2], activation="tanh", rng=0)
    recorder = recorder or nn.Playback(path)
    given = {"loss": "cross_entropy", "optimizer": nn.SGD(model, 0.1), "batch_size": 16}
    options = QUICK | given | options
    return (
        recorder,
        nn.fit(model, x, y, epochs=epochs, callbacks=[*callbacks, recorder], **options),
        model,
    )


def data_of(path):
    """What the script of a page reads."""
    text = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', path.read_text("utf-8"), re.S
    )
    return json.loads(text[1])


def unpacked(pack):
    """What `packed` packs, as the page unpacks it."""
    rows, columns = pack["shape"]
    planes = np.frombuffer(zlib.decompress(base64.b64decode(pack["bytes"])), np.uint8)
    words = planes.reshape(4, -1).T.copy().view("<u4").reshape(rows, columns)
    return np.bitwise_xor.accumulate(words, axis=0).view("<f4")


def test_a_training_that_is_recorded_is_the_same_bit_for_bit(tmp_path):
    runs = []
    for recorded in (False, True):
        x, y = two_classes()
        model = nn.Sequential(
            nn.Linear(2, 6, rng=0), "relu", nn.Dropout(0.3, rng=1), nn.Linear(6, 2, rng=2)
        )
        callbacks = [nn.Playback(tmp_path / "run.html")] if recorded else []
        history = nn.fit(
            model, x, y, loss="cross_entropy", epochs=5, callbacks=callbacks, metrics="accuracy",
            validation_split=0.25, rng=0, progress=False,
        )  # fmt: skip
        runs.append((history.columns, [p.data.tolist() for p in model.parameters()]))
    assert runs[0] == runs[1]


class Watcher(nn.Callback):
    """Keeps copies of what the model was."""

    def begin(self, run):
        self.states, self.rates = [run.model.state_dict()], [0.1]

    def after_epoch(self, run):
        self.states.append(run.model.state_dict())
        self.rates.append(run.optimizer.groups[0].learning_rate * run.optimizer.schedule_scale)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_frame_holds_what_the_model_was(dtype, tmp_path):
    path, watcher = tmp_path / "run.html", Watcher()
    model = nn.MLP(2, [4, 2], activation="tanh", rng=0, dtype=dtype)
    recorder, history, _ = train(path, model, callbacks=[watcher], schedule="cosine")
    data = data_of(path)
    assert data["frames"]["epochs"] == list(range(9))
    np.testing.assert_allclose(data["frames"]["rates"], watcher.rates, rtol=1e-8)
    assert data["history"]["epochs"] == list(range(1, 9))
    np.testing.assert_allclose(data["history"]["columns"]["loss"], history.loss, rtol=1e-6)
    weights, gradients, outputs = (
        unpacked(data["frames"][name]) for name in ("weights", "gradients", "outputs")
    )
    probe = recorder.probe
    before = None
    for frame, state in enumerate(watcher.states):
        model.load_state_dict(state)
        parameters = list(model.parameters())
        loss = nn.cross_entropy(model(probe.x), probe.y)
        flat = np.concatenate([p.data.ravel() for p in parameters])
        g = np.concatenate([g.ravel() for g in ag.gradients(loss, parameters)])
        np.testing.assert_array_equal(weights[frame], flat.astype(np.float32))
        np.testing.assert_array_equal(gradients[frame], g.astype(np.float32))
        own = nn.predict(model, probe.x)[probe.watched].astype(np.float32)
        np.testing.assert_allclose(outputs[frame], own.ravel(), rtol=1e-6)
        assert data["frames"]["losses"][frame] == pytest.approx(float(loss), rel=1e-6)
        if before is not None:
            change = (flat.astype(np.float64) - before)[:12]  # weights and biases of layer 1
            assert data["frames"]["updates"][frame][0] == pytest.approx(
                np.linalg.norm(change), 1e-5
            )
        before = flat.astype(np.float64)


@pytest.mark.parametrize("name", optimizers)
def test_the_next_step_is_that_of_the_optimizer(name):
    """Its rule, with all that it remembers; nothing is changed by asking."""
    options = {"SGD": {"momentum": 0.9, "weight_decay": 0.1}}.get(name, {})
    model = nn.MLP(2, [3, 2], rng=0)
    optimizer = optimizers[name](model, learning_rate=0.05, **options)
    x, y = two_classes()
    parameters = list(model.parameters())
    for _ in range(3):
        optimizer.zero_grad()
        nn.cross_entropy(model(x), y).backward()
        before = [p.data.copy() for p in parameters]
        state = optimizer.state_dict()
        steps = next_steps(optimizer, parameters, [p.grad for p in parameters])
        assert all(np.array_equal(a, p.data) for a, p in zip(before, parameters, strict=True))
        after = optimizer.state_dict()
        assert all(np.array_equal(state[key], after[key]) for key in state)
        optimizer.step()
        for step, old, p in zip(steps, before, parameters, strict=True):
            np.testing.assert_array_equal(step, p.data - old)


def test_momentum_that_is_switched_on_late_is_taken_up(tmp_path):
    class SwitchOn(nn.Callback):
        def after_epoch(self, run):
            run.optimizer.groups[0].momentum = 0.5

    train(tmp_path / "run.html", callbacks=[SwitchOn()], epochs=3)
    data = data_of(tmp_path / "run.html")
    assert not data["rule"]["is_plain"] and "momentum=0.5" in data["rule"]["name"]
    steps, gradients = (unpacked(data["frames"][name]) for name in ("steps", "gradients"))
    np.testing.assert_allclose(steps[0], -0.1 * gradients[0], rtol=1e-6)
    assert not np.allclose(steps[2], -0.1 * gradients[2], rtol=1e-3)


# Which epochs are kept.


def film_of(losses, capacity):
    film = Film(capacity)
    film.add(Frame(0, np.inf, 1.0, *[None] * 4, 0.0, 0.0, []))
    for epoch, loss in enumerate(losses, 1):
        film.add(Frame(epoch, loss, film.surprise(loss), *[None] * 4, 0.0, 0.0, []))
    return film


def test_the_first_the_best_the_spikes_and_the_last_epoch_are_kept():
    losses = 1.0 / np.arange(1.0, 1001.0)
    losses[[399, 699]] *= 5.0
    losses[800:] *= 3.0  # the best was the epoch before
    film = film_of(losses.tolist(), 50)
    epochs = [frame.epoch for frame in film.frames]
    assert len(epochs) == 50 and epochs[0] == 0 and epochs[-1] == 1000
    assert film.best.epoch == 800
    assert {400, 700, 800} <= set(epochs)
    assert {400, 700} <= {frame.epoch for frame in film.spikes()}


@pytest.mark.parametrize("n_epochs", [10, 299, 300, 2000])
def test_at_most_so_many_epochs_are_kept_dense_early(n_epochs):
    film = film_of([1.0] * n_epochs, 300)
    epochs = np.array([frame.epoch for frame in film.frames])
    assert len(epochs) == min(n_epochs + 1, 300)
    gaps = np.diff(epochs)
    if n_epochs > 300:
        assert gaps[:20].max() <= gaps[-20:].min() + 1
        assert gaps.max() <= 2.5 * max(np.median(gaps[-50:]), 1.0)
    elif n_epochs < 300:
        assert (gaps == 1).all()


def test_losses_that_are_not_finite_are_no_best_and_no_spike():
    film = film_of([1.0, 0.5, 0.4, np.nan, np.inf, 0.3, 0.6], 10)
    assert film.best.epoch == 6 or film.best.watched == 0.3
    assert [frame.epoch for frame in film.spikes()] == []


# Sizes and files.


@pytest.mark.parametrize(("optimizer", "most"), [("sgd", 330_000), ("adam", 380_000)])
def test_a_small_network_of_200_epochs_takes_about_300_kilobytes(optimizer, most, tmp_path):
    path = tmp_path / "run.html"
    train(path, nn.MLP(2, [8, 8, 2], rng=0), 200, optimizer=optimizer, batch_size=60)
    assert data_of(path)["frames"]["epochs"] == list(range(201))
    assert path.stat().st_size < most


def test_the_digits_classifier_fits_and_larger_models_have_fewer_frames(tmp_path):
    rng = np.random.default_rng(0)
    counts = []
    for widths, epochs in (((64, 32, 10), 60), ((784, 32, 10), 20)):
        x, y = rng.random((20, widths[0])), rng.integers(0, 10, 20)
        path = tmp_path / "run.html"
        model = nn.MLP(widths[0], widths[1:], rng=0)
        nn.playback(model, x, y, path=path, loss="cross_entropy", epochs=epochs, **QUICK)
        assert path.stat().st_size <= 3_000_000
        counts.append(len(data_of(path)["frames"]["epochs"]))
    assert counts[0] == 61 and 5 <= counts[1] < 21


def test_a_model_that_is_too_large_is_refused_with_a_size_that_does(tmp_path):
    x, y = np.random.default_rng(0).normal(size=(20, 300)), np.arange(20) % 2
    options = {"path": tmp_path / "run.html", "loss": "cross_entropy", "epochs": 1} | QUICK
    with pytest.raises(ag.ArgumentValueError, match=r"30,605 parameters.*pass max_bytes=") as info:
        nn.playback(nn.MLP(300, [100, 5], rng=0), x, y, max_bytes=300_000, **options)
    enough = int(re.search(r"max_bytes=(\d+)", str(info.value))[1])
    nn.playback(nn.MLP(300, [100, 5], rng=0), x, y, max_bytes=enough, **options)
    assert len(data_of(options["path"])["frames"]["epochs"]) == 2


def test_a_file_is_never_larger_than_it_may_be(tmp_path):
    """Of frames fewer are kept than fit by the look of them; then fewer numbers of the history."""
    x, y = np.random.default_rng(0).normal(size=(8, 40)), np.arange(8) % 2
    path = tmp_path / "run.html"
    options = {"path": path, "loss": "cross_entropy", "batch_size": 8, "epochs": 200} | QUICK
    options["metrics"] = {f"metric {i}": lambda z, y: np.sqrt(np.sum(z**2)) for i in range(12)}
    with pytest.raises(ag.ArgumentValueError, match="max_bytes=") as info:
        nn.playback(nn.MLP(40, [20, 5], rng=0), x, y, max_bytes=9_000, **options)
    least = int(re.search(r"max_bytes=(\d+)", str(info.value))[1])
    for most, n_epochs in ((300_000, 200), (least, 5)):
        nn.playback(nn.MLP(40, [20, 5], rng=0), x, y, max_bytes=most, **options)
        assert path.stat().st_size <= most
        assert 2 <= len(data_of(path)["frames"]["epochs"]) <= 20
        assert len(data_of(path)["history"]["epochs"]) <= n_epochs


def test_weights_that_are_frozen_are_said_to_be(tmp_path):
    model = nn.MLP(2, [4, 2], rng=0)
    model[0].freeze()
    train(tmp_path / "run.html", model, 2, optimizer=nn.SGD(model, 0.1))
    data = data_of(tmp_path / "run.html")
    assert [layer["is_frozen"] for layer in data["layers"]] == [True, False]
    gradients = unpacked(data["frames"]["gradients"])
    assert not gradients[:, :12].any() and gradients[:, 12:].any()


def test_the_packing_gives_back_every_bit():
    rng = np.random.default_rng(0)
    rows = np.cumsum(rng.normal(size=(7, 5)), axis=0).astype(np.float32)
    rows[2, 1], rows[3, 2], rows[4, 4] = np.nan, -0.0, np.inf
    assert unpacked(packed(list(rows))).tobytes() == rows.tobytes()


def test_a_file_that_cannot_be_written_is_known_before_the_training(tmp_path):
    model = nn.MLP(2, [4, 2], rng=0)
    before = model.state_dict()
    with pytest.raises(OSError):
        train(tmp_path / "missing" / "run.html", model)
    assert all(np.array_equal(before[k], v) for k, v in model.state_dict().items())


def test_what_was_recorded_is_written_if_training_is_interrupted_or_diverges(tmp_path):
    class Interrupt(nn.Callback):
        def before_epoch(self, run):
            if run.epoch == 3:
                raise KeyboardInterrupt

    path = tmp_path / "run.html"
    train(path, callbacks=[Interrupt()])
    data = data_of(path)
    assert (data["stopped"], data["frames"]["epochs"]) == ("interrupted", [0, 1, 2, 3])
    model = nn.MLP(2, [4, 1], activation="identity", rng=0)
    with pytest.raises(nn.DivergenceError):
        x, _ = two_classes()
        nn.playback(
            model, 1e3 * x, x[:, 0], path=path, loss="mse", optimizer=nn.SGD(model, 1.0),
            epochs=50, **QUICK,
        )  # fmt: skip
    assert data_of(path)["stopped"] == "diverged"


def test_a_run_that_goes_on_counts_its_epochs_on(tmp_path):
    model = nn.MLP(2, [4, 2], rng=0)
    optimizer = nn.Adam(model)
    _, history, _ = train(tmp_path / "a.html", model, 3, optimizer=optimizer)
    train(tmp_path / "b.html", model, 3, optimizer=optimizer, history=history)
    data = data_of(tmp_path / "b.html")
    assert data["frames"]["epochs"] == [3, 4, 5, 6]
    assert data["history"]["epochs"] == [1, 2, 3, 4, 5, 6]


# The probe.


def test_the_probe_is_taken_evenly_from_what_is_trained_on(tmp_path):
    x = np.arange(1000.0).reshape(-1, 1) / 1000
    recorder = nn.Playback(tmp_path / "run.html")
    nn.fit(nn.Linear(1, 1), x, x, loss="mse", epochs=1, callbacks=recorder, **QUICK)
    probe = recorder.probe.features.ravel()
    assert len(probe) == 256 and probe[0] == 0 and probe[-1] == np.float32(0.999)
    assert np.diff(probe).max() <= 0.0051
    nn.fit(
        nn.Linear(1, 1), [(x[:8], x[:8])], loss="mse", epochs=1, callbacks=recorder, **QUICK
    )  # batches that someone else makes
    assert len(recorder.probe.features) == 8
    own = nn.Playback(tmp_path / "run.html", x[:3], x[:3])
    nn.fit(
        nn.Linear(1, 1), x, x, loss="mse", epochs=1, callbacks=own, validation_split=0.5, **QUICK
    )
    assert own.probe.features.ravel().tolist() == np.float32(x[:3]).ravel().tolist()


def test_sparse_inputs_and_images_are_taken(tmp_path):
    sparse = pytest.importorskip("scipy.sparse")
    recorder = nn.Playback(tmp_path / "run.html")
    options = {"loss": "mse", "epochs": 1, "callbacks": recorder} | QUICK
    x = sparse.random_array((40, 9), density=0.4, rng=np.random.default_rng(0)).tocsr()
    nn.fit(nn.Linear(9, 1), x, np.ones((40, 1)), **options)
    np.testing.assert_array_equal(recorder.probe.features, x.toarray().astype(np.float32))
    assert recorder.probe.image is None
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 1))
    nn.fit(model, np.ones((40, 3, 4)), np.ones((40, 1)), **options)
    assert recorder.probe.image == (3, 4) and recorder.probe.features.shape == (40, 12)


LABELS, ROWS = np.array([0, 2, 1]), np.eye(3)
READINGS = [
    (nn.cross_entropy, LABELS, 3, "classes", "softmax", 0.0),
    (partial(nn.cross_entropy, label_smoothing=0.1), LABELS, 3, "classes", "softmax", 0.0),
    (nn.cross_entropy, ROWS * 0.9 + 0.03, 3, "classes", "softmax", 0.0),
    (nn.nll, LABELS, 3, "classes", "exp", 0.0),
    (nn.hinge, LABELS, 3, "classes", "none", 0.0),
    (nn.mse, ROWS, 3, "classes", "none", 0.0),
    (nn.mse, ROWS + 0.5, 3, "numbers", "none", 0.0),
    (nn.multilabel, ROWS, 3, "numbers", "none", 0.0),
    (nn.binary_cross_entropy, LABELS > 0, 1, "binary", "sigmoid", 0.0),
    (partial(nn.binary_cross_entropy, from_logits=False), LABELS > 0, 1, "binary", "identity", 0.5),
    (nn.hinge, np.array([-1, 1, 1]), 1, "binary", "none", 0.0),
    (nn.mse, np.array([0.5, 2.0, -1.0]), 1, "numbers", "none", 0.0),
]


@pytest.mark.parametrize(("loss", "y", "n_out", "kind", "probability", "threshold"), READINGS)
def test_outputs_are_read_as_the_loss_means_them(loss, y, n_out, kind, probability, threshold):
    targets, *found = reading(loss, y, n_out)
    assert found == [kind, probability, threshold]
    assert len(targets) == 3


# What is refused.


class Doubled(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


def hooked():
    model = nn.MLP(2, [3, 2])
    model[0].register_forward_hook(lambda module, inputs, output: None)
    return model


REFUSED = [
    (
        lambda: nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 2)),
        "'1', BatchNorm1d",
    ),
    (lambda: nn.Sequential(nn.Linear(2, 2), nn.Residual(nn.Linear(2, 2))), "'1', Residual"),
    (lambda: nn.Sequential(nn.Linear(2, 2), nn.Activation(np.arctan)), "own.*use one of identity"),
    (lambda: nn.Sequential("tanh", nn.Linear(2, 2)), "before the first Linear"),
    (lambda: nn.Sequential(nn.Linear(2, 2), nn.Activation("softmax", axis=0)), "axis=-1"),
    (lambda: nn.Sequential(Doubled(2, 2)), "'0', Doubled.*none of Linear"),
    (hooked, "hooks"),
]


@pytest.mark.parametrize(("model", "why"), REFUSED)
def test_what_cannot_be_replayed_is_refused_by_its_name(model, why, tmp_path):
    model = model()
    before = {name: np.copy(p.data) for name, p in model.named_parameters()}
    with pytest.raises(ag.ArgumentValueError, match=f"(?s)Playback: .*{why}"):
        train(tmp_path / "run.html", model, 1)
    assert all(np.array_equal(before[name], p.data) for name, p in model.named_parameters())
    assert not list(tmp_path.iterdir())


OPTIONS = [
    ({"x": [[1.0]]}, "only one of x and y"),
    ({"max_frames": 1}, "max_frames is 1"),
    ({"max_bytes": 0}, "max_bytes"),
    ({"class_names": ["a"]}, r"class_names is \['a'\]; give 2 names"),
    ({"feature_names": "xy"}, "feature_names is 'xy'; give 2 names"),
    ({"image_shape": (2, 2)}, r"image_shape is \(2, 2\), and a sample has 2 numbers"),
    ({"x": np.ones((3, 4)), "y": [0, 1, 1]}, r"shape \(3, 4\), and the page replays.*2"),
    ({"x": np.ones((3, 2)), "y": [0, 1]}, r"x has shape \(3, 2\) and y has shape \(2,\)"),
]


@pytest.mark.parametrize(("options", "why"), OPTIONS)
def test_options_that_do_not_fit_are_refused(options, why, tmp_path):
    with pytest.raises(ag.AutogradError, match=why):
        train(tmp_path, recorder=nn.Playback(tmp_path / "run.html", **options), epochs=1)
    assert not list(tmp_path.iterdir())


def test_a_path_that_is_no_page_is_refused():
    with pytest.raises(ag.ArgumentValueError, match=r"'run.txt' does not end in \.html"):
        nn.Playback("run.txt")


def test_every_activation_is_known_to_the_page():
    """Its formulas in JavaScript are compared with Python's in tests/draw."""
    assert set(REPLAYED) == set(nn.activations.activations)


def exchange_layer(model):
    model[0] = nn.Linear(2, 4, rng=5)


CHANGES = {
    "a layer more": lambda model: model.append(nn.Linear(2, 2, rng=0)),
    "an activation more": lambda model: model.append(nn.Activation("tanh")),
    "another activation": lambda model: model.layers.__setitem__(1, nn.Activation("relu")),
    "another layer": exchange_layer,
    "a layer less": lambda model: model.layers.pop(),
    "a layer that no page knows": lambda model: model.append(nn.LayerNorm(2)),
    "a hook": lambda model: model[0].register_forward_hook(lambda *_: None),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_model_that_becomes_another_one_is_refused_and_its_page_kept(change, tmp_path):
    class Change(nn.Callback):
        def after_epoch(self, run):
            if run.epoch == 3:
                CHANGES[change](run.model)

    path = tmp_path / "run.html"
    with pytest.raises(ag.ArgumentValueError) as error:
        train(path, callbacks=[Change()])
    assert str(error.value) == (
        "Playback: the layers of the model changed in epoch 3, and a page shows one network; train "
        "with fit before the change and after it, each with a Playback of its own"
    )
    assert data_of(path)["frames"]["epochs"] == [0, 1, 2]


def test_what_is_frozen_on_the_way_is_the_same_network(tmp_path):
    class Freeze(nn.Callback):
        def after_epoch(self, run):
            run.model[0].freeze()

    train(tmp_path / "run.html", callbacks=[Freeze()])
