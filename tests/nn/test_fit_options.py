"""What can be said to `fit` and its kin: names, order, callbacks between batches, rates, logs."""

from __future__ import annotations

import csv
import subprocess
import sys

import numpy as np
import pytest

import autograd_lite as ag
import nn

DRAWS = np.random.default_rng(0)
X, Y = DRAWS.normal(size=(22, 3)), DRAWS.normal(size=(22, 1))


def line():
    return nn.Linear(3, 1, rng=0)


def fit(model, x=X, y=Y, **options):
    options = {"loss": "mse", "epochs": 2, "batch_size": 4, "rng": 0, "progress": False} | options
    if "optimizer" not in options:
        options["optimizer"] = nn.SGD(model, 0.1)
    return nn.fit(model, x, y, **options)


def same_weights(one, other, rtol=1e-12):
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=rtol)


# Names.


@pytest.mark.parametrize(
    ("by_name", "made"),
    [
        ({"loss": "MSE"}, {"loss": nn.mse}),
        ({"optimizer": "RMSprop"}, {"optimizer": nn.RMSprop}),
        ({"optimizer": "rmsprop"}, {"optimizer": nn.RMSprop}),
        ({"schedule": "cosine"}, {"schedule": nn.schedules.Cosine(2)}),
        ({"schedule": "One_Cycle"}, {"schedule": nn.schedules.OneCycle(2)}),
        ({"schedule": "inverse_scaling"}, {"schedule": nn.schedules.InverseScaling()}),
        ({"schedule": "constant"}, {}),
    ],
)
def test_names_stand_for_what_they_name(by_name, made):
    one, other = line(), line()
    assert fit(one, **by_name).loss == fit(other, **made).loss
    same_weights(one, other)


def test_losses_are_metrics_too():
    history = fit(line(), metrics=["mse", "huber", "RMSE"], validation_data=(X, Y))
    assert history["validation_mse"] == history.validation_loss
    np.testing.assert_allclose(
        history["validation_RMSE"], np.sqrt(history.validation_loss), rtol=1e-12
    )
    assert nn.EarlyStopping("validation_huber").patience == 10
    fit(line(), metrics="huber", callbacks=nn.EarlyStopping("huber", patience=0))


def test_a_metric_that_is_a_loss_of_probabilities():
    model = nn.Sequential(nn.Linear(3, 1, rng=0), "sigmoid")
    labels = (Y > 0).astype(int)
    found = nn.evaluate(model, X, labels, metrics="binary_cross_entropy")
    expected = nn.binary_cross_entropy(nn.predict(model, X), labels, from_logits=False)
    np.testing.assert_allclose(found["binary_cross_entropy"], expected)


class Unsized:
    """Batches of which nobody knows how many there are."""

    def __iter__(self):
        yield X, Y


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"schedule": "step"},
            "there is no schedule 'step' that needs no numbers; use one of constant, cosine, "
            "inverse_scaling, one_cycle, or pass a function such as nn.schedules.Step(every=10)",
        ),
        (
            {"schedule": 0.1},
            "schedule is 0.1; pass a function of the time in epochs, such as "
            "nn.schedules.Cosine(epochs=10), or a name",
        ),
        (
            {"optimizer": 0.1},
            "fit: optimizer is 0.1, which is neither an optimizer nor makes one; pass 'adam', "
            "nn.Adam, or nn.Adam(model)",
        ),
        (
            {"batch_size": 30, "drop_last": True},
            "fit: drop_last leaves no batch of 30 in 22 samples; pass a smaller batch_size",
        ),
        (
            {"loss_weights": [1.0]},
            "fit: loss_weights is given for a single loss; give a loss for each output, "
            "loss={'name': ...}, or leave it out",
        ),
        (
            {"x": Unsized(), "y": None, "schedule": "cosine"},
            "fit: the schedule is a function of the time in epochs, which is not known where the "
            "batches come from Unsized, which has no length; pass a list of batches, define "
            "__len__, or leave the schedule out",
        ),
    ],
)
def test_what_is_refused(options, message):
    model = line()
    before = model.state_dict()
    with pytest.raises(ag.AutogradError) as error:
        fit(model, **options)
    assert str(error.value) == message
    np.testing.assert_array_equal(model.weight.data, before["weight"])


class Rows:
    """An iterable of what are no batches."""

    def __iter__(self):
        return iter([3, 4])


CALLS = {
    "a loss of 3": lambda: fit(line(), loss=3),
    "no loss": lambda: fit(line(), loss=None),
    "a loss of dicts": lambda: fit(line(), loss={"a": {"b": "mse"}}),
    "weights of 3": lambda: fit(line(), loss={"a": "mse"}, loss_weights=3),
    "targets in a dict": lambda: fit(line(), y={"a": Y}),
    "labels in a dict": lambda: fit(nn.Linear(3, 2), y={"a": Y}, loss="cross_entropy"),
    "no inputs": lambda: fit(line(), {}),
    "inputs named 0": lambda: fit(line(), {0: X}),
    "inputs of another name": lambda: fit(line(), {"z": X}),
    "ragged inputs": lambda: fit(line(), {"x": [[1, 2], [3]]}),
    "inputs in a list of dicts": lambda: nn.predict(line(), [{"x": X}]),
    "texts": lambda: nn.predict(line(), ["a", "b"]),
    "metrics of 3": lambda: fit(line(), metrics=3),
    "no metrics": lambda: fit(line(), metrics=None),
    "a metric named 1": lambda: fit(line(), metrics={1: nn.metrics.rmse}),
    "a metric named loss": lambda: fit(line(), metrics={"loss": nn.metrics.rmse}),
    "a metric named validation_loss": lambda: fit(line(), metrics={"validation_loss": "rmse"}),
    "a metric named learning_rate": lambda: fit(line(), metrics={"learning_rate": "rmse"}),
    "a schedule that is NaN": lambda: fit(line(), schedule=lambda epoch: np.nan),
    "a schedule that is negative": lambda: fit(line(), schedule=lambda epoch: -1.0),
    "a schedule of texts": lambda: fit(line(), schedule=lambda epoch: "x"),
    "a schedule not made": lambda: fit(line(), schedule=nn.schedules.Cosine),
    "an order of texts": lambda: fit(line(), shuffle="no"),
    "a last batch of arrays": lambda: fit(line(), drop_last=np.ones(2)),
    "an optimizer of None": lambda: fit(line(), optimizer=None),
    "an optimizer of another model": lambda: fit(line(), optimizer=nn.Adam(line())),
    "validation of numbers": lambda: fit(line(), validation_data=Rows()),
    "validation of a set": lambda: fit(line(), validation_data={1, 2}),
    "validation of nothing": lambda: fit(line(), validation_data=[]),
    "evaluation of 3": lambda: nn.evaluate(line(), 3, loss="mse"),
    "evaluation of one array": lambda: nn.evaluate(line(), X, loss="mse"),
    "rates of what is frozen": lambda: nn.find_learning_rate(line().freeze(), X, Y, loss="mse"),
    "weights without a loss": lambda: nn.evaluate(
        line(), X, Y, metrics="rmse", sample_weight=np.ones(22)
    ),
    "layers in a slice": lambda: nn.MLP(3, [2, 1]).__setitem__(slice(0, 2), line()),
    "a hook of 3": lambda: line().register_forward_hook(3),
    "a state of 3": lambda: line().load_state_dict(3),
    "a prefix of 3": lambda: nn.load_weights(line(), "model.npz", prefix=3),
    "an ignored text": lambda: nn.cross_entropy(np.zeros((1, 3)), [0], ignore_index="x"),
    "a weight of a text": lambda: nn.binary_cross_entropy(np.zeros(2), [0, 1], pos_weight="x"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_what_cannot_be_meant_is_an_error_of_this_package(call):
    with pytest.raises(ag.AutogradError) as error:
        call()
    assert "; " in str(error.value), "it does not say what to write"


def test_no_epochs_change_nothing():
    model = line()
    before = model.state_dict()
    history = fit(model, epochs=0, schedule="cosine", callbacks=nn.EarlyStopping("loss"))
    assert len(history) == 0
    assert history.stopped == "finished"
    np.testing.assert_array_equal(model.weight.data, before["weight"])


# Order.


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("compile", [False, True])
def test_batches_in_their_own_order_are_those_of_pytorch(drop_last, compile):
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    batches = torch.utils.data.DataLoader(data, batch_size=4, drop_last=drop_last)
    one, other = line(), line()
    history = fit(one, shuffle=False, drop_last=drop_last, compile=compile)
    expected = fit(other, batches, None, compile=compile)
    np.testing.assert_allclose(history.loss, expected.loss, rtol=1e-12)
    same_weights(one, other)


def test_the_last_batch_is_left_out_of_a_shuffled_epoch_too():
    class Count(nn.Callback):
        sizes = ()

        def after_batch(self, run):
            self.sizes = (*self.sizes, run.batch)

    count = Count()
    fit(line(), drop_last=True, callbacks=count)
    assert count.sizes == (1, 2, 3, 4, 5) * 2
    count.sizes = ()
    fit(line(), callbacks=count, epochs=1)
    assert count.sizes == (1, 2, 3, 4, 5, 6)


def test_without_a_shuffle_the_last_samples_are_set_aside():
    one, other = line(), line()
    history = fit(one, shuffle=False, validation_split=0.25)
    expected = fit(other, X[:-6], Y[:-6], shuffle=False, validation_data=(X[-6:], Y[-6:]))
    assert history.columns == expected.columns


def test_iterables_and_dask_have_their_own_order():
    with pytest.raises(ag.ArgumentValueError, match="let the iterable leave out its last batch"):
        fit(line(), [(X, Y)], None, drop_last=True)
    array = pytest.importorskip("dask.array")
    x, y = array.from_array(X, chunks=(11, 3)), array.from_array(Y, chunks=(11, 1))
    for options in ({"shuffle": False}, {"drop_last": True}):
        with pytest.raises(ag.ArgumentValueError, match=r"or load the arrays with \.compute"):
            fit(line(), x, y, **options)


# Callbacks between batches.


def test_callbacks_are_called_in_their_order():
    class Note(nn.Callback):
        def __init__(self):
            self.calls = []

        def begin(self, run):
            self.calls.append("begin")

        def before_epoch(self, run):
            self.calls.append(f"epoch {run.epoch}")

        def before_batch(self, run):
            self.calls.append(f"batch {run.batch}")

        def after_batch(self, run):
            assert np.isfinite(run.batch_loss)
            self.calls.append(f"done {run.batch}")

        def after_epoch(self, run):
            self.calls.append(f"epoch done {run.epoch}")

        def end(self, run):
            self.calls.append("end")

    note = Note()
    fit(line(), batch_size=11, epochs=2, callbacks=note)
    batches = ["batch 0", "done 1", "batch 1", "done 2"]
    assert note.calls == [
        "begin", "epoch 0", *batches, "epoch done 1", "epoch 1", *batches, "epoch done 2", "end",
    ]  # fmt: skip


def test_the_loss_of_a_batch_is_the_one_before_its_step():
    class Losses(nn.Callback):
        def __init__(self):
            self.losses = []

        def after_batch(self, run):
            self.losses.append(run.batch_loss)

    losses = Losses()
    history = fit(line(), batch_size=11, epochs=1, callbacks=losses)
    np.testing.assert_allclose(np.mean(losses.losses), history.loss[0], rtol=1e-12)


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("change", ["learning_rate", "scale", "dict", "frozen"])
def test_what_is_changed_between_batches_is_taken_up(change, accumulate):
    class Scaled(nn.Module):
        def __init__(self):
            self.linear, self.options, self.scale = line(), {"scale": 1.0}, 1.0

        def forward(self, x):
            return self.scale * self.options["scale"] * self.linear(x)

    class Change(nn.Callback):
        def before_batch(self, run):
            if run.batch % 3 == 2:
                if change == "learning_rate":
                    run.optimizer.groups[0].learning_rate *= 0.7
                elif change == "frozen":
                    bias = run.model.linear.bias
                    bias.requires_grad = not bias.requires_grad
                elif change == "scale":
                    run.model.scale = 0.5
                else:
                    run.model.options["scale"] = 0.5

    one, other = Scaled(), Scaled()
    fit(one, callbacks=Change(), epochs=3, accumulate=accumulate)
    fit(other, callbacks=Change(), epochs=3, accumulate=accumulate, compile=False)
    same_weights(one, other)


# Learning rates.


def test_the_history_holds_the_rate_of_the_last_step():
    model = line()
    history = fit(model, epochs=4, schedule=nn.schedules.Step(2, 0.1), optimizer=nn.SGD(model, 0.5))
    np.testing.assert_allclose(history.learning_rate, [0.5, 0.5, 0.05, 0.05], rtol=1e-12)
    cosine = nn.schedules.Cosine(2)
    history = fit(model, schedule="cosine", optimizer=nn.SGD(model, 0.5))
    expected = [0.5 * cosine(5 / 6), 0.5 * cosine(1 + 5 / 6)]
    np.testing.assert_allclose(history.learning_rate, expected, rtol=1e-12)


def test_each_group_has_its_rate():
    model = nn.MLP(3, [4, 1], rng=0)
    groups = [{"parameters": model[0], "learning_rate": 0.01}, {"parameters": model[2]}]

    class Halve(nn.Callback):
        def after_epoch(self, run):
            run.optimizer.lr_scale /= 2

    history = fit(model, epochs=3, optimizer=nn.SGD(groups, 0.1), callbacks=Halve())
    np.testing.assert_allclose(history["learning_rate"], [0.01, 0.005, 0.0025])
    np.testing.assert_allclose(history["learning_rate_1"], [0.1, 0.05, 0.025])
    pytest.importorskip("matplotlib")
    assert [line.get_label() for line in history.plot().lines] == ["loss"]


@pytest.mark.parametrize("form", ["name", "class", "instance", "groups"])
def test_rates_are_tried_with_any_form_of_optimizer(form):
    model = nn.Sequential(nn.Linear(3, 8, rng=0), nn.Dropout(0.2, rng=0), nn.Linear(8, 1, rng=1))
    fit(model, optimizer="adam")
    model.train()
    model[1].eval()
    made = nn.Adam(model, 0.002)
    if form == "groups":
        made = nn.Adam([{"parameters": model[0], "learning_rate": 0.02}, {"parameters": model[2]}])
    for p in model.parameters():
        p.grad = np.ones_like(p.data)
    made.step()
    model.zero_grad()
    given = {"name": "adam", "class": nn.Adam, "instance": made, "groups": made}[form]
    before, state = model.state_dict(), made.state_dict()
    draws = model[1].rng.bit_generator.state
    found = nn.find_learning_rate(model, X, Y, loss="mse", optimizer=given, rng=0, steps=30)
    assert found.rates[0] == pytest.approx(1e-5)
    assert len(found.losses) == len(found.rates)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    for name, array in made.state_dict().items():
        np.testing.assert_array_equal(array, state[name])
    assert model[1].rng.bit_generator.state == draws
    assert [m.training for m in model] == [True, False, True]
    if form in ("name", "class"):
        twin = nn.find_learning_rate(model, X, Y, loss="mse", optimizer=nn.Adam(model, 3.0), rng=0,
                                     steps=30)  # fmt: skip
        np.testing.assert_allclose(twin.losses, found.losses, rtol=1e-9)


def test_a_plot_of_rates():
    pytest.importorskip("matplotlib")
    found = nn.find_learning_rate(line(), X, Y, loss="mse", rng=0, steps=30)
    axes = found.plot()
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), found.rates)
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), found.losses)
    assert axes.lines[1].get_xdata()[0] == found.suggestion
    assert f"{found.suggestion:.3g}" in axes.get_legend().get_texts()[0].get_text()


# Logs.


def test_a_table_of_the_history(tmp_path):
    path = tmp_path / "run.csv"
    model, logger = line(), nn.CSVLogger(path)
    history = fit(model, metrics="rmse", validation_data=(X, Y), callbacks=logger)
    first = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    history = fit(model, history=history, callbacks=nn.CSVLogger(path, separator=";"))
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines(), delimiter=";"))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    for name, column in history.columns.items():
        assert [float(row[name]) for row in rows if row[name]] == [x for x in column if x == x]
    assert rows[2]["rmse"] == ""
    assert first[0]["loss"] == rows[0]["loss"]


@pytest.mark.parametrize("separator", ["", ", ", 1, '"', "\n", "\r"])
def test_separators_are_single_characters(tmp_path, separator):
    with pytest.raises(ag.ArgumentValueError, match="it must be a single character"):
        nn.CSVLogger(tmp_path / "run.csv", separator=separator)


def test_a_folder_that_is_not_there_is_known_before_training(tmp_path):
    model = line()
    before = model.weight.data.copy()
    with pytest.raises(ag.ArgumentValueError, match=r"CSVLogger: there is no folder .*no"):
        fit(model, callbacks=nn.CSVLogger(tmp_path / "no" / "run.csv"))
    np.testing.assert_array_equal(model.weight.data, before)


def test_events_of_tensorboard_are_the_history(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    model = line()
    history = fit(model, callbacks=nn.TensorBoard(tmp_path), validation_data=(X, Y))
    history = fit(model, callbacks=nn.TensorBoard(tmp_path), history=history)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert set(events.Tags()["scalars"]) == set(history.columns)
    for name, column in history.columns.items():
        found = events.Scalars(name)
        kept = [(step, x) for step, x in enumerate(column, 1) if x == x]
        assert [event.step for event in found] == [step for step, _ in kept]
        np.testing.assert_allclose([event.value for event in found], [x for _, x in kept], 1e-6)


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_without_tensorboard_a_message_says_what_to_install():
    done = run("import sys; sys.modules['tensorboard'] = None; import nn; nn.TensorBoard('x')")
    assert done.stderr.strip().splitlines()[-1] == (
        "autograd_lite.MissingOptionError: nn.TensorBoard needs the package tensorboard; install "
        "it with: pip install tensorboard"
    )


def test_without_tqdm_training_goes_on_and_says_so_once():
    done = run(
        "import sys; sys.modules['tqdm'] = None\n"
        "import numpy as np, nn\n"
        "x = np.ones((4, 1))\n"
        "for _ in range(3):\n"
        "    history = nn.fit(nn.Linear(1, 1, rng=0), x, x, loss='mse', epochs=1)\n"
        "print(len(history))"
    )
    assert done.stdout.strip() == "1", done.stderr
    assert done.stderr.count("there is no progress bar, because tqdm is not installed") == 1
