"""Callbacks that watch a column know which way is better, and go together with schedules."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
import nn

LARGER = {"accuracy", "top_k_accuracy", "precision", "recall", "f1", "roc_auc", "r2"}
X = np.linspace(-1, 1, 12)[:, np.newaxis]


class Told(nn.Callback):
    """Puts numbers into the history in the place of those that were computed."""

    def __init__(self, name, numbers):
        self.name, self.numbers = name, list(numbers)

    def after_epoch(self, run):
        run.history.columns[self.name][-1] = self.numbers[len(run.history) - 1]


def fit(numbers, monitor, callback, **options):
    labels = {"loss": "binary_cross_entropy"}
    regression = {"rmse", "mae", "r2", "mse", "own"} & {monitor.removeprefix("validation_")}
    y = X if regression else (X > 0).astype(float)
    model = options.pop("model", None) or nn.Linear(1, 1, rng=0)
    return nn.fit(
        model, X, y, loss="mse" if regression else labels["loss"], epochs=len(numbers),
        validation_data=(X, y), callbacks=[Told(monitor, numbers), callback], progress=False,
        **options,
    )  # fmt: skip


@pytest.mark.parametrize("name", [name for name in nn.metrics.metrics if name != "top_k_accuracy"])
@pytest.mark.parametrize("prefix", ["", "validation_"])
def test_each_metric_knows_its_direction(name, prefix):
    rising, falling = np.arange(8) / 8, np.arange(8)[::-1] / 8
    better, worse = (rising, falling) if name in LARGER else (falling, rising)
    for numbers, epochs in ((better, 8), (worse, 3)):
        stopping = nn.EarlyStopping(prefix + name, patience=2)
        history = fit(numbers, prefix + name, stopping, metrics=[name])
        assert len(history) == epochs
    assert nn.metrics.metrics[name].larger_is_better == (name in LARGER)


def test_losses_are_to_be_small_and_others_say_so():
    def own(outputs, targets):
        return 0.0

    for metric in ("loss", nn.mse):
        name = metric if metric == "loss" else "mse"
        metrics = [] if metric == "loss" else [metric]
        history = fit(np.arange(8), name, nn.EarlyStopping(name, patience=2), metrics=metrics)
        assert len(history) == 3
    with pytest.raises(ag.ArgumentValueError) as error:
        fit(np.arange(8), "own", nn.EarlyStopping("own", patience=2), metrics=[own])
    assert str(error.value) == (
        "EarlyStopping: it is not known whether a larger 'own' is better; "
        "pass mode='max' or mode='min'"
    )
    stopping = nn.EarlyStopping("own", patience=2, mode="max")
    assert len(fit(np.arange(8), "own", stopping, metrics=[own])) == 8
    own.larger_is_better = True
    assert len(fit(np.arange(8), "own", nn.EarlyStopping("own", patience=2), metrics=[own])) == 8


def test_the_best_by_a_metric_is_kept(tmp_path):
    path = tmp_path / "best.npz"
    checkpoint = nn.Checkpoint(path, best_only=True, monitor="accuracy")
    model = nn.Linear(1, 1, rng=0)
    fit([0.1, 0.7, 0.3, 0.2], "accuracy", checkpoint, metrics=["accuracy"], model=model)
    assert len(nn.load_checkpoint(model, path, nn.Adam(model))) == 2


class Rates(nn.Callback):
    def __init__(self):
        self.seen = []

    def after_epoch(self, run):
        optimizer = run.optimizer
        self.seen.append(optimizer.scalars(optimizer.groups[0], 1)["learning_rate"])


def test_a_schedule_and_a_plateau_multiply():
    model, rates = nn.Linear(1, 1, rng=0), Rates()
    optimizer = nn.SGD(model, learning_rate=0.5)
    plateau = nn.ReduceOnPlateau("loss", patience=2, factor=0.1)
    nn.fit(
        model, X, X, loss="mse", epochs=6, optimizer=optimizer, progress=False,
        schedule=nn.schedules.Exponential(0.5), callbacks=[Told("loss", [1] * 6), rates, plateau],
    )  # fmt: skip
    expected = 0.5 * 0.5 ** np.arange(6) * [1, 1, 1, 0.1, 0.1, 0.01]
    np.testing.assert_allclose(rates.seen, expected)
    assert optimizer.lr_scale == pytest.approx(0.01)


def test_a_plateau_does_not_raise_a_small_scale():
    model = nn.Linear(1, 1, rng=0)
    optimizer = nn.SGD(model)
    optimizer.lr_scale = 1e-8
    plateau = nn.ReduceOnPlateau("loss", patience=1, smallest=1e-6)
    callbacks = [Told("loss", [1] * 4), plateau]
    nn.fit(model, X, X, loss="mse", epochs=4, optimizer=optimizer, callbacks=callbacks,
           progress=False)  # fmt: skip
    assert optimizer.lr_scale == 1e-8


def test_the_rate_is_back_after_a_schedule():
    model = nn.Linear(1, 1, rng=0)
    optimizer = nn.SGD(model, learning_rate=0.1)
    options = {"loss": "mse", "optimizer": optimizer, "progress": False}
    nn.fit(model, X, X, epochs=3, schedule=nn.schedules.Cosine(3), **options)
    before = model.weight.item()
    nn.fit(model, X, X, epochs=1, **options)
    assert model.weight.item() != before
    assert optimizer.schedule_scale == optimizer.lr_scale == 1.0


@pytest.mark.parametrize(
    "callback",
    [
        lambda path: nn.EarlyStopping(),
        lambda path: nn.ReduceOnPlateau("validation_rmse"),
        lambda path: nn.Checkpoint(path, best_only=True),
    ],
)
def test_what_needs_validation_data_says_so_before_training(callback, tmp_path):
    model = nn.Linear(1, 1, rng=0)
    before = model.state_dict()
    with pytest.raises(ag.ArgumentValueError, match="to watch without validation data; pass fit"):
        nn.fit(
            model, X, X, loss="mse", metrics=["rmse"], callbacks=callback(tmp_path / "run.npz"),
            progress=False,
        )  # fmt: skip
    for name, array in before.items():
        np.testing.assert_array_equal(model.state_dict()[name], array)


@pytest.mark.parametrize(
    ("callback", "message"),
    [
        (
            lambda path: nn.EarlyStopping("acuracy"),
            "EarlyStopping: there is no 'acuracy' to watch; the history has loss, accuracy, own, "
            "validation_loss, validation_accuracy, validation_own, learning_rate",
        ),
        (
            lambda path: nn.ReduceOnPlateau("own"),
            "ReduceOnPlateau: it is not known whether a larger 'own' is better; "
            "pass mode='max' or mode='min'",
        ),
        (
            lambda path: nn.Checkpoint(path / "run.npz", best_only=True, monitor="f1"),
            "Checkpoint: there is no 'f1' to watch; the history has loss, accuracy, own, "
            "validation_loss, validation_accuracy, validation_own, learning_rate",
        ),
        (
            lambda path: nn.Checkpoint(path / "no" / "run.npz"),
            "Checkpoint: there is no folder '{path}'; make it before, with "
            "pathlib.Path(folder).mkdir(parents=True)",
        ),
        (
            lambda path: nn.EarlyStopping(None),
            "EarlyStopping: monitor is None; give the name of a column of the history, "
            "such as 'validation_loss'",
        ),
    ],
)
def test_what_cannot_be_watched_is_refused_before_training(callback, message, tmp_path):
    model, labels = nn.Linear(1, 1, rng=0), (X > 0).astype(float)
    before = model.state_dict()

    def own(outputs, targets):
        return 0.0

    with pytest.raises(ag.AutogradError) as error:
        nn.fit(
            model, X, labels, loss="binary_cross_entropy", metrics=["accuracy", own],
            validation_split=0.25, callbacks=callback(tmp_path), progress=False,
        )  # fmt: skip
    assert str(error.value) == message.replace("{path}", str(tmp_path / "no"))
    for name, array in before.items():
        np.testing.assert_array_equal(model.state_dict()[name], array)


class Adding(nn.Callback):
    def after_epoch(self, run):
        run.history.append(extra=len(run.history))


def test_a_column_of_a_callback_is_watched_and_one_of_an_earlier_run_is_not():
    model = nn.Linear(1, 1, rng=0)
    stopping = nn.EarlyStopping("extra", patience=1, mode="min")
    options = {"loss": "mse", "progress": False, "epochs": 4}
    history = nn.fit(model, X, X, callbacks=[Adding(), stopping], **options)
    assert history["extra"] == [1, 2]
    with pytest.raises(ag.ArgumentValueError, match="there is no 'extra' to watch"):
        nn.fit(model, X, X, callbacks=[stopping], history=history, **options)
    with pytest.raises(ag.ArgumentValueError, match="there is no 'extra' to watch"):
        nn.fit(model, X, X, callbacks=[nn.Callback(), Told("loss", [1] * 9), stopping],
               history=history, **options)  # fmt: skip


class Interrupting(nn.Callback):
    def after_epoch(self, run):
        if len(run.history) == 3:
            raise KeyboardInterrupt


def test_a_run_that_has_ended_is_not_interrupted_any_more():
    """A Ctrl-C right after the last epoch changes nothing of how the run ended."""
    weights = []
    for more in ([], [Interrupting()]):
        model = nn.Linear(1, 1, rng=0)
        stopping = nn.EarlyStopping("loss", patience=2)
        history = nn.fit(
            model, X, X, loss="mse", epochs=9, progress=False, rng=0,
            callbacks=[Told("loss", [2, 3, 4]), stopping, *more],
        )  # fmt: skip
        assert history.stopped == "no better loss for 2 epochs"
        weights.append(model.weight.item())
    assert weights[0] == weights[1]


@pytest.mark.parametrize("seed", range(4))
def test_a_plateau_is_pytorchs_with_one_epoch_of_patience_less(seed):
    torch = pytest.importorskip("torch")
    watched = np.abs(np.cumsum(np.random.default_rng(seed).normal(size=30))) + 1
    plain = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 1.0)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        plain, factor=0.5, patience=1, threshold=0.0, threshold_mode="abs"
    )
    theirs, ours = [], []
    for number in watched:
        schedule.step(number)
        theirs.append(plain.param_groups[0]["lr"])

    class Column(nn.Callback):
        def after_epoch(self, run):
            run.history.columns.setdefault("watched", []).append(watched[run.epoch - 1])

    class Note(nn.Callback):
        def after_epoch(self, run):
            ours.append(run.optimizer.lr_scale)

    model, zeros = nn.Linear(1, 1, rng=0), np.zeros((2, 1))
    plateau = nn.ReduceOnPlateau("watched", factor=0.5, patience=2, mode="min")
    nn.fit(model, zeros, zeros, loss="mse", epochs=30, callbacks=[Column(), plateau, Note()],
           progress=False)  # fmt: skip
    np.testing.assert_allclose(ours, theirs)


def test_the_best_epoch_is_that_of_the_last_run():
    x = np.ones((4, 1))
    stopping = nn.EarlyStopping("loss")
    model = nn.Linear(1, 1, initializer=nn.initializers.zeros)
    options = {"loss": "mse", "callbacks": stopping, "progress": False}
    nn.fit(model, x, x, optimizer=nn.SGD(model, 0.1), epochs=3, **options)
    assert stopping.best_epoch == 2
    nn.fit(model, x, x, optimizer=nn.SGD(model, 0.1), epochs=0, **options)
    assert (stopping.best_epoch, stopping.best_state) == (0, None)


class AppendsForEachBatch(nn.Callback):
    def after_batch(self, run):
        run.history.append(batch_loss=run.batch_loss)


def test_a_history_has_a_row_for_each_epoch():
    """Rows for batches made more epochs of it, by which schedules and further runs went."""
    model, x = nn.Linear(1, 1, rng=0), np.ones((8, 1))
    options = {"loss": "mse", "optimizer": "sgd", "callbacks": AppendsForEachBatch(), "epochs": 2}
    with pytest.raises(ag.ArgumentValueError, match=r"2 rows after 1 epochs.* in after_epoch"):
        nn.fit(model, x, x, batch_size=4, progress=False, **options)
    assert len(nn.fit(model, x, x, batch_size=8, progress=False, **options)) == 2
