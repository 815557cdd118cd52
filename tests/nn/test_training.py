"""Optimizers and fit: they learn, they repeat, they refuse what cannot be trained on."""

from __future__ import annotations

import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import nn

OPTIMIZERS = {
    "sgd": lambda model: nn.SGD(model, learning_rate=0.1),
    "momentum": lambda model: nn.SGD(model, learning_rate=0.03, momentum=0.9),
    "nesterov": lambda model: nn.SGD(model, learning_rate=0.03, momentum=0.9, nesterov=True),
    "rmsprop": lambda model: nn.RMSprop(model, learning_rate=0.03),
    "adam": lambda model: nn.Adam(model, learning_rate=0.03),
}


def line(n=40):
    x = np.linspace(-1, 1, n).reshape(-1, 1)
    return x, 3 * x - 2


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_fits_a_line(name):
    x, y = line()
    model = nn.Linear(1, 1, rng=0)
    history = nn.fit(
        model,
        x,
        y,
        loss=nn.mse,
        optimizer=OPTIMIZERS[name],
        epochs=60,
        batch_size=8,
        rng=0,
        progress=False,
    )
    assert history.loss[-1] < 1e-3 < history.loss[0]
    assert model.weight.item() == pytest.approx(3, abs=0.1)
    assert model.bias.item() == pytest.approx(-2, abs=0.1)


def test_frozen_parameters_stay():
    model = nn.MLP(2, [3, 1], rng=0)
    model[0].weight.requires_grad = False
    before = model.state_dict()
    nn.fit(model, np.ones((4, 2)), np.ones((4, 1)), loss=nn.mse, epochs=2, progress=False)
    after = model.state_dict()
    assert np.array_equal(after["0.weight"], before["0.weight"])
    assert not np.array_equal(after["2.weight"], before["2.weight"])


def test_zero_weights_keep_the_units_of_a_layer_identical():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 3)), rng.normal(size=(50, 1))
    model = nn.MLP(3, [5, 1], activation="sigmoid", initializer=nn.initializers.zeros)
    nn.fit(model, x, y, loss=nn.mse, optimizer=OPTIMIZERS["sgd"], epochs=5, progress=False)
    hidden, out = model[0].weight.data, model[2].weight.data
    assert np.abs(hidden).max() > 0
    # Matrix products may sum the columns of one matrix in different orders.
    np.testing.assert_allclose(hidden, np.repeat(hidden[:, :1], 5, axis=1), rtol=1e-13)
    np.testing.assert_allclose(out, np.repeat(out[:1], 5, axis=0), rtol=1e-13)


def digits():
    x, y = load_digits(return_X_y=True)
    return train_test_split((x / 16).astype(np.float32), y, random_state=0, stratify=y)


def test_an_mlp_reads_digits():
    x_train, x_test, y_train, y_test = digits()
    model = nn.MLP(64, [128, 10], rng=0, dtype=np.float32)
    history = nn.fit(
        model,
        x_train,
        y_train,
        loss=nn.cross_entropy,
        optimizer=nn.Adam(model, learning_rate=0.003),
        epochs=40,
        batch_size=32,
        validation_data=(x_test, y_test),
        rng=0,
        progress=False,
    )
    assert nn.zero_one(nn.predict(model, x_test), y_test) <= 0.03
    assert len(history) == len(history.loss) == len(history.validation_loss) == 40


def test_the_same_seed_gives_the_same_training_bit_for_bit():
    x, y = line()
    weights = []
    for _ in range(2):
        model = nn.MLP(1, [4, 1], rng=3)
        nn.fit(model, x, y, loss=nn.mse, epochs=3, batch_size=7, rng=5, progress=False)
        weights.append(np.concatenate([p.data.ravel() for p in model.parameters()]))
    np.testing.assert_array_equal(*weights)


def test_unknown_input_sizes_are_taken_from_the_data():
    x, y = line()
    model = nn.Sequential(
        nn.Linear(out_features=4, rng=0), "tanh", nn.Linear(out_features=1, rng=1)
    )
    nn.fit(model, x, y, loss=nn.mse, optimizer=nn.Adam, epochs=1, progress=False)
    assert [p.shape for p in model.parameters()] == [(1, 4), (4,), (4, 1), (1,)]


def test_the_progress_bar_shows_the_losses(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")  # wide enough for both losses
    x, y = line()
    nn.fit(nn.Linear(1, 1), x, y, loss=nn.mse, epochs=2, validation_data=(x, y))
    shown = capsys.readouterr().err
    assert "epoch 2/2" in shown
    assert "4/4" in shown
    assert "loss=" in shown
    assert "validation_loss=" in shown


def test_predict_works_in_batches_and_restores_the_mode():
    model = nn.MLP(3, [4, 2], rng=0).train()
    x = np.random.default_rng(0).normal(size=(25, 3))
    np.testing.assert_allclose(nn.predict(model, x, batch_size=4), model(x).data)
    assert model.training
    assert nn.predict(model, x[:0]).shape == (0, 2)


# What fit can be told.


def small():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 2))
    return x, (x[:, 0] > 0.2).astype(int)


def quiet_fit(model, x, y=None, **options):
    defaults = {"loss": nn.mse, "epochs": 2, "rng": 0, "progress": False}
    return nn.fit(model, x, y, **(defaults | options))


def weights_of(model):
    return np.concatenate([p.data.ravel() for p in model.parameters()])


def test_names_of_losses_and_metrics():
    x, y = small()
    history = quiet_fit(
        nn.MLP(2, [4, 2], rng=0),
        x,
        y,
        loss="cross_entropy",
        metrics=["accuracy", nn.metrics.f1],
        validation_split=0.2,
        epochs=30,
        optimizer=lambda m: nn.Adam(m, learning_rate=0.05),
    )
    assert list(history.columns) == [
        "loss",
        "accuracy",
        "f1",
        "validation_loss",
        "validation_accuracy",
        "validation_f1",
        "learning_rate",
    ]
    assert history["accuracy"][-1] > 0.9
    assert history["nothing"] == []
    assert history.stopped == "finished"


def test_metrics_of_an_epoch_are_those_of_its_outputs():
    x, y = line()
    model = nn.Linear(1, 1, rng=0)
    tiny = nn.SGD(model, learning_rate=1e-300)
    history = quiet_fit(model, x, y, optimizer=tiny, metrics={"error": nn.metrics.rmse}, epochs=1)
    expected = nn.evaluate(model, x, y, loss="mse", metrics={"error": nn.metrics.rmse})
    assert history.loss[0] == pytest.approx(expected["loss"])
    assert history["error"][0] == pytest.approx(expected["error"])


def test_sample_weights_count_as_repetitions():
    x, y = line(6)
    repeats = np.array([0, 1, 3, 2, 1, 4])
    models = [nn.Linear(1, 1, rng=0) for _ in range(2)]
    options = {"batch_size": 100, "optimizer": lambda m: nn.SGD(m, learning_rate=0.3)}
    quiet_fit(models[0], x, y, sample_weight=repeats, **options)
    quiet_fit(models[1], np.repeat(x, repeats, axis=0), np.repeat(y, repeats, axis=0), **options)
    np.testing.assert_allclose(weights_of(models[0]), weights_of(models[1]), rtol=1e-12)


@pytest.mark.parametrize("class_weight", [{0: 1.0, 1: 3.0}, [1.0, 3.0], "balanced"])
def test_class_weights_are_sample_weights(class_weight):
    x, y = small()
    share = np.bincount(y) / len(y)
    table = 1 / (2 * share) if class_weight == "balanced" else np.array([1.0, 3.0])
    models = [nn.Linear(2, 2, rng=0) for _ in range(2)]
    quiet_fit(models[0], x, y, loss="cross_entropy", class_weight=class_weight)
    quiet_fit(models[1], x, y, loss="cross_entropy", sample_weight=table[y])
    np.testing.assert_allclose(weights_of(models[0]), weights_of(models[1]), rtol=1e-12)


def test_gradient_accumulation_equals_a_larger_batch():
    x, y = line(20)
    models = [nn.Linear(1, 1, rng=0) for _ in range(2)]
    make = {"optimizer": lambda m: nn.SGD(m, learning_rate=0.3)}
    quiet_fit(models[0], x, y, batch_size=10, **make)
    quiet_fit(models[1], x, y, batch_size=5, accumulate=2, **make)
    np.testing.assert_allclose(weights_of(models[0]), weights_of(models[1]), rtol=1e-12)
    quiet_fit(models[0], x, y, batch_size=20, epochs=1, **make)
    quiet_fit(models[1], x, y, batch_size=7, accumulate=3, epochs=1, **make)  # 7 + 7 + 6
    np.testing.assert_allclose(weights_of(models[0]), weights_of(models[1]), rtol=1e-12)


def test_penalties_add_their_gradients():
    x, y = line(10)
    model = nn.Linear(1, 1, rng=0)
    w, b = model.weight.item(), model.bias.item()
    quiet_fit(
        model, x, y, epochs=1, l1=0.5, l2=0.25, optimizer=lambda m: nn.SGD(m, learning_rate=0.1)
    )
    error = w * x + b - y
    expected_w = w - 0.1 * (2 * np.mean(error * x) + 0.25 * w + 0.5 * np.sign(w))
    assert model.weight.item() == pytest.approx(expected_w)
    assert model.bias.item() == pytest.approx(b - 0.1 * 2 * np.mean(error))


def test_clipping_bounds_the_step():
    x, y = line(10)
    for options, norm in (({"clip_norm": 0.1}, 0.1), ({"clip_value": 0.1}, 0.1 * np.sqrt(2))):
        model = nn.Linear(1, 1, rng=0)
        before = weights_of(model)
        quiet_fit(
            model, x, 100 * y, epochs=1, optimizer=lambda m: nn.SGD(m, learning_rate=1.0), **options
        )
        assert np.linalg.norm(weights_of(model) - before) == pytest.approx(norm)


def test_a_schedule_is_asked_before_every_step():
    asked = []

    def schedule(epoch):
        asked.append(epoch)
        return 0.5

    x, y = line(20)
    model = nn.Linear(1, 1, rng=0)
    optimizer = nn.SGD(model, learning_rate=0.1)
    quiet_fit(model, x, y, optimizer=optimizer, batch_size=5, schedule=schedule)
    assert asked == [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75]
    assert optimizer.lr_scale == optimizer.schedule_scale == 1.0


@pytest.mark.parametrize("accumulate", range(1, 9))
@pytest.mark.parametrize("n_batches", [1, 6, 7])
def test_a_step_of_several_batches_has_the_time_of_its_last_one(n_batches, accumulate):
    asked = []
    x, y = line(n_batches * 3)
    quiet_fit(
        nn.Linear(1, 1, rng=0), x, y, batch_size=3, accumulate=accumulate, epochs=2,
        schedule=lambda epoch: asked.append(epoch) or 1.0,
    )  # fmt: skip
    last = [min(first + accumulate, n_batches) - 1 for first in range(0, n_batches, accumulate)]
    np.testing.assert_allclose(asked, [e + b / n_batches for e in (0, 1) for b in last])


@pytest.mark.parametrize("schedule", ["cosine", nn.schedules.Step(every=1)])
def test_a_step_of_all_batches_is_taken_at_a_rate_before_the_end(schedule):
    x, y = line(8)
    for accumulate in (1, 2):
        model = nn.Linear(1, 1, rng=0)
        history = quiet_fit(
            model, x, y, batch_size=8, epochs=1, accumulate=accumulate, schedule=schedule,
            optimizer=nn.SGD(model, 0.1),
        )  # fmt: skip
        assert history.learning_rate == [0.1]


def test_early_stopping_goes_back_to_the_best_weights():
    x, y = line()
    model = nn.Linear(1, 1, rng=0)
    stopping = nn.EarlyStopping(patience=3)

    def worse_from_epoch_four(epoch):
        return 1.0 if epoch < 4 else 30.0

    history = quiet_fit(
        model,
        x,
        y,
        epochs=50,
        validation_data=(x, y),
        callbacks=[stopping],
        batch_size=40,
        optimizer=lambda m: nn.SGD(m, learning_rate=0.1),
        schedule=worse_from_epoch_four,
    )
    assert stopping.best_epoch == 3
    assert len(history) == 7
    assert history.stopped == "no better validation_loss for 3 epochs"
    assert nn.evaluate(model, x, y, loss=nn.mse)["loss"] == min(history.validation_loss)


def test_reduce_on_plateau():
    x, y = line()
    model = nn.Linear(1, 1, rng=0)
    optimizer = nn.SGD(model, learning_rate=1e-12)
    callback = nn.ReduceOnPlateau("loss", patience=2, factor=0.5, min_delta=1e-3)
    quiet_fit(model, x, y, optimizer=optimizer, epochs=7, callbacks=[callback])
    assert optimizer.lr_scale == 0.125


def test_an_interruption_keeps_what_was_learned_and_training_goes_on():
    class Interrupt(nn.Callback):
        def after_epoch(self, run):
            if len(run.history) == 3:
                raise KeyboardInterrupt

    x, y = line()
    models = [nn.Linear(1, 1, rng=0) for _ in range(2)]
    optimizers = [nn.Adam(m, learning_rate=0.05) for m in models]
    rngs = [np.random.default_rng(5) for _ in range(2)]
    history = quiet_fit(
        models[0], x, y, optimizer=optimizers[0], epochs=9, rng=rngs[0], callbacks=[Interrupt()]
    )
    assert history.stopped == "interrupted"
    assert len(history) == 3
    assert not models[0].training
    quiet_fit(models[0], x, y, optimizer=optimizers[0], epochs=6, rng=rngs[0], history=history)
    whole = quiet_fit(models[1], x, y, optimizer=optimizers[1], epochs=9, rng=rngs[1])
    np.testing.assert_array_equal(weights_of(models[0]), weights_of(models[1]))
    assert history.columns == whole.columns


def test_a_run_can_go_on_epoch_by_epoch_and_in_another_thread():
    """Where nothing can be told to wait for Ctrl-C; it is the same training as in one go."""

    class Watch(nn.Callback):
        def begin(self, run):
            self.run = run

    x, y = line()
    watch, models = Watch(), [nn.Linear(1, 1, rng=0) for _ in range(2)]
    quiet_fit(models[0], x, y, optimizer="adam", epochs=0, rng=5, callbacks=watch)
    with ThreadPoolExecutor(1) as pool:
        for _ in range(6):
            history = pool.submit(watch.run.run, 1, False).result()
    whole = quiet_fit(models[1], x, y, optimizer="adam", epochs=6, rng=5)
    np.testing.assert_array_equal(weights_of(models[0]), weights_of(models[1]))
    assert history.columns == whole.columns


def test_an_interruption_within_an_epoch_keeps_the_steps_taken():
    calls = []

    def loss(outputs, targets):
        calls.append(1)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return nn.mse(outputs, targets)

    x, y = line(20)
    model = nn.Linear(1, 1, rng=0)
    before = weights_of(model)
    history = quiet_fit(model, x, y, loss=loss, batch_size=5, optimizer=nn.Adam, compile=False)
    assert (len(history), history.stopped) == (1, "interrupted")
    assert not np.array_equal(weights_of(model), before)


def test_batches_may_come_from_an_iterable():
    x, y = line(20)
    batches = [(x[i : i + 5], y[i : i + 5]) for i in range(0, 20, 5)]
    weighted = [(*batch, np.ones(5)) for batch in batches]
    models = [nn.Linear(out_features=1, rng=0) for _ in range(2)]
    for model, data in zip(models, (batches, weighted), strict=True):
        history = quiet_fit(model, data, optimizer=lambda m: nn.SGD(m, learning_rate=0.1))
        assert len(history) == 2
    np.testing.assert_allclose(weights_of(models[0]), weights_of(models[1]))


def test_several_inputs_and_outputs_are_tuples():
    class TwoHeads(nn.Module):
        def __init__(self):
            self.body = nn.Concatenate("identity", nn.Linear(3, 2, rng=0))
            self.number, self.logits = nn.Linear(4, 1, rng=1), nn.Linear(4, 2, rng=2)

        def forward(self, wide, deep):
            features = self.body(wide, deep)
            return self.number(features), self.logits(features)

    def both(outputs, targets):
        return nn.mse(outputs[0], targets[0]) + nn.cross_entropy(outputs[1], targets[1])

    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 2)), rng.normal(size=(40, 3))
    y = x[0][:, :1] * 2, (x[1][:, 0] > 0).astype(int)
    model = TwoHeads()
    history = quiet_fit(
        model,
        x,
        y,
        loss=both,
        epochs=60,
        validation_split=0.25,
        optimizer=lambda m: nn.Adam(m, learning_rate=0.05),
        metrics={"accuracy": lambda out, targets: nn.metrics.accuracy(out[1], targets[1])},
    )
    assert history["validation_accuracy"][-1] >= 0.8
    assert history.loss[-1] < 0.3 * history.loss[0]
    numbers, logits = nn.predict(model, x, batch_size=7)
    assert (numbers.shape, logits.shape) == ((40, 1), (40, 2))


def test_a_diverging_loss_is_diagnosed():
    x, y = line()
    model = nn.Linear(1, 1, rng=0)
    with pytest.raises(nn.DivergenceError) as error:
        quiet_fit(
            model, x, y, optimizer=nn.SGD(model, learning_rate=1e200), epochs=20, batch_size=40
        )
    assert str(error.value).startswith("fit: the loss became ")
    assert "in epoch 2, batch 1, at learning rate 1e+200; the largest parameter is" in str(
        error.value
    )
    assert str(error.value).endswith(
        "use a smaller learning rate, clip the gradients (clip_norm=1.0), "
        "or scale the inputs to a standard deviation of 1"
    )


@pytest.mark.parametrize(
    ("x", "y", "loss"),
    [
        (np.ones((1, 3)), np.array([[2.0]]), "mse"),  # one sample
        (np.linspace(-1, 1, 9).reshape(-1, 1), np.ones((9, 1)), "mse"),  # constant target
        (np.ones((6, 2)), np.zeros(6, int), "cross_entropy"),  # one class of two
        (np.full((4, 2), 1e30), np.ones((4, 1)), "huber"),  # huge values
    ],
)
def test_odd_data_are_trained_on(x, y, loss):
    model = nn.MLP(None, [3, 2 if loss == "cross_entropy" else 1], activation="tanh", rng=0)
    history = quiet_fit(model, x, y, loss=loss, batch_size=2)
    assert np.isfinite(history.loss).all()
    assert all(np.isfinite(p.data).all() for p in model.parameters())


def test_a_class_may_be_missing_from_a_batch():
    x, y = small()
    history = quiet_fit(nn.Linear(2, 3, rng=0), x, y, loss="cross_entropy", batch_size=1)
    assert np.isfinite(history.loss).all()


def test_a_million_rows_need_little_memory(tmp_path):
    rows = np.memmap(tmp_path / "x", np.float32, "w+", shape=(1_000_000, 8))
    rows[:, 0] = 1.0
    targets = np.ones(1_000_000)
    model = nn.Linear(8, 1, rng=0)
    tracemalloc.start()
    try:
        outputs = nn.predict(model, rows)
        quiet_fit(
            model,
            rows,
            targets[:, np.newaxis],
            epochs=1,
            batch_size=100_000,
            optimizer=lambda m: nn.SGD(m, learning_rate=0.1),
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert outputs.shape == (1_000_000, 1)
    assert peak < 60e6  # the rows alone are 64 MB in the model's float64


def test_histories_go_to_json_and_pandas():
    history = quiet_fit(nn.Linear(1, 1, rng=0), *line(), validation_split=0.2, epochs=3)
    twin = nn.History.from_json(history.to_json())
    assert twin.columns == history.columns
    assert twin.stopped == "finished"
    pandas = pytest.importorskip("pandas")
    frame = history.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame["loss"]) == history.loss


@pytest.mark.parametrize("columns", [60, 100])
def test_a_progress_bar_shows_its_numbers_first(columns, monkeypatch, capsys):
    pytest.importorskip("tqdm")
    monkeypatch.setenv("COLUMNS", str(columns))
    from nn.training.progress import progress_bar

    with progress_bar(938, True) as bar:
        bar.ncols = columns
        bar.set_description_str("epoch 3/60")
        bar.set_postfix({"loss": "0.1234", "accuracy": "0.95", "validation_loss": "0.123"})
        bar.refresh()
    shown = [line for line in capsys.readouterr().err.split("\r") if "validation" in line][-1]
    numbers = "epoch 3/60, loss=0.1234, accuracy=0.95, validation_loss=0.123"
    assert shown.startswith(numbers[:columns].rstrip("3"))
