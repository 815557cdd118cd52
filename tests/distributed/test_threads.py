"""Training on Dask's arrays and dataframes without a cluster."""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
import nn

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")


def drawn(samples: int = 500) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(samples, 6))
    return x, (x[:, 0] > x[:, 1]).astype(int)


def fitted(x: Any, y: Any, **options: Any) -> tuple[Any, Any]:
    model = options.pop("model", None) or nn.MLP(6, [8, 2], rng=0)
    settings: dict[str, Any] = {"epochs": 3, "batch_size": 60, "rng": 1, "progress": False}
    history = nn.fit(model, x, y, **({"loss": nn.cross_entropy} | settings | options))
    return model, history


def numbers(model: Any) -> list[Any]:
    return [np.array(p.data) for p in model.parameters()]


def assert_same(left: Any, right: Any) -> None:
    for a, b in zip(numbers(left), numbers(right), strict=True):
        np.testing.assert_array_equal(a, b)


def lazy(x: Any, y: Any, rows: int = 70) -> tuple[Any, Any]:
    return da.from_array(x, chunks=(rows, 3)), da.from_array(y, chunks=rows // 2)


def test_threads_give_the_same_training_as_none() -> None:
    data = lazy(*drawn())
    with dask.config.set(scheduler="synchronous"):
        one, history = fitted(*data)
    with dask.config.set(scheduler="threads"):
        other, other_history = fitted(*data)
    assert_same(one, other)
    assert history.columns == other_history.columns


WEIGHTS = np.random.default_rng(3).uniform(0.1, 2, 100)
LABELLED = drawn(100)
AS_NUMPY: dict[str, dict[str, Any]] = {
    "as it is": {},
    "metrics": {"metrics": ["accuracy"]},
    "weights": {"sample_weight": WEIGHTS, "metrics": ["accuracy"]},
    "classes": {"class_weight": "balanced", "sample_weight": WEIGHTS},
    "penalties": {"l1": 0.01, "l2": 0.1},
    "clipping": {"clip_norm": 0.01, "clip_value": 0.005},
    "Adam": {"optimizer": "adam", "schedule": "cosine"},
    "validation": {"validation_data": (*LABELLED, WEIGHTS), "metrics": ["accuracy"]},
    "validation without weights": {"validation_data": LABELLED, "callbacks": nn.EarlyStopping()},
    "ignored": {"loss": functools.partial(nn.cross_entropy, ignore_index=1)},
    "weights of the loss": {"loss": functools.partial(nn.cross_entropy, class_weight=[1.0, 4.0])},
    "smoothed": {"loss": functools.partial(nn.cross_entropy, label_smoothing=0.1)},
    "a sum": {"loss": functools.partial(nn.cross_entropy, reduction="sum")},
    "uncompiled": {"compile": False},
}


@pytest.mark.parametrize("rows", [1, 7, 100])
@pytest.mark.parametrize("name", AS_NUMPY)
def test_a_step_of_the_whole_is_numpys(name: str, rows: int) -> None:
    options = {"epochs": 2, "batch_size": 100, "optimizer": "sgd"} | AS_NUMPY[name]
    mine, history = fitted(*lazy(*LABELLED, 2 * rows), **options)
    numpys, plain = fitted(*LABELLED, **options)
    assert history.columns == {
        column: pytest.approx(found, rel=1e-11) for column, found in plain.columns.items()
    }
    for a, b in zip(numbers(mine), numbers(numpys), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_every_sample_counts_once_an_epoch() -> None:
    x, _ = drawn(437)
    seen: list[Any] = []

    class Forget(nn.Callback):
        def after_epoch(self, run: Any) -> None:
            """Of the first epoch, before which the loss is tried."""
            if len(run.history) == 1:
                seen.clear()

    def noted(outputs: Any, targets: Any) -> Any:
        seen.append(targets)
        return nn.cross_entropy(outputs, targets % 2)

    with dask.config.set(scheduler="synchronous"):
        data = da.from_array(x, chunks=(50, 6)), da.from_array(np.arange(437), chunks=50)
        model = nn.MLP(6, [8, 2], rng=0)
        options: dict[str, Any] = {"callbacks": Forget(), "progress": False, "compile": False}
        nn.fit(model, *data, loss=noted, epochs=2, batch_size=64, rng=0, **options)
    assert sorted(np.concatenate(seen).tolist()) == list(range(437))


def test_dataframes_and_numpy_targets_serve_too() -> None:
    pandas = pytest.importorskip("pandas")
    dd = pytest.importorskip("dask.dataframe")
    x, y = drawn()
    frame = dd.from_pandas(pandas.DataFrame(x, columns=list("abcdef")), npartitions=4)
    series = dd.from_pandas(pandas.Series(y), npartitions=4)
    of_frame, _ = fitted(frame, series)
    of_array, _ = fitted(da.from_array(x, chunks=(125, 6)), y)
    assert_same(of_frame, of_array)


def test_metrics_validation_and_evaluation_are_those_of_numpy() -> None:
    x, y = drawn()
    data = lazy(x, y)
    model, history = fitted(*data, metrics=["accuracy"], validation_data=data)
    plain = nn.evaluate(model, x, y, loss=nn.cross_entropy, metrics=["accuracy"])
    assert history["validation_loss"][-1] == pytest.approx(plain["loss"], rel=1e-13)
    assert history["validation_accuracy"][-1] == plain["accuracy"]
    assert len(history["accuracy"]) == 3
    outputs = nn.predict(model, data[0])
    assert isinstance(outputs, da.Array)
    np.testing.assert_allclose(outputs.compute(), nn.predict(model, x), rtol=1e-12)


def test_training_goes_on_from_a_history() -> None:
    data = lazy(*drawn())
    whole, _ = fitted(*data, epochs=4, optimizer=nn.SGD, rng=np.random.default_rng(3))
    rng = np.random.default_rng(3)
    half, history = fitted(*data, epochs=2, optimizer=nn.SGD, rng=rng)
    fitted(*data, model=half, epochs=2, optimizer=nn.SGD, rng=rng, history=history)
    assert_same(whole, half)
    assert len(history) == 4


def test_an_interruption_keeps_what_was_learned() -> None:
    steps = 0

    def interrupt(epoch: float) -> float:
        nonlocal steps
        steps += 1
        if steps == 5:
            raise KeyboardInterrupt
        return 1.0

    model, history = fitted(*lazy(*drawn()), schedule=interrupt)
    assert history.stopped == "interrupted"
    assert not model.training
    assert not np.array_equal(numbers(model)[0], numbers(nn.MLP(6, [8, 2], rng=0))[0])


class Centred(nn.Module):
    """Subtracts a running mean, which is a buffer."""

    buffers = ("mean",)

    def __init__(self, n: int) -> None:
        self.mean = np.zeros(n)

    def forward(self, x: Any) -> Any:
        self.mean = 0.9 * self.mean + 0.1 * np.mean(ag.stop_gradient(x), axis=0)
        return x - self.mean


@pytest.mark.filterwarnings("ignore:fit. the outputs of the model for a sample depend")
def test_dropout_and_batch_statistics_do_not_depend_on_who_computes() -> None:
    def model() -> Any:
        return nn.Sequential(
            nn.Linear(6, 8, rng=0), Centred(8), nn.Dropout(0.3, rng=1), nn.Linear(8, 2, rng=2)
        )

    data = lazy(*drawn())
    with dask.config.set(scheduler="synchronous"):
        one, _ = fitted(*data, model=model())
    two, _ = fitted(*data, model=model())
    assert_same(one, two)
    for (name, a, attribute), (_, b, _) in zip(
        one.named_buffers(), two.named_buffers(), strict=True
    ):
        np.testing.assert_array_equal(getattr(a, attribute), getattr(b, attribute), err_msg=name)
        assert np.any(getattr(a, attribute))


def test_gradients_of_several_batches_add_up_to_one_step() -> None:
    data = lazy(*drawn())
    mine, _ = fitted(*data, accumulate=3)
    fewer, _ = fitted(*data)
    assert not np.array_equal(numbers(mine)[0], numbers(fewer)[0])


@pytest.mark.parametrize("weighted", [False, True])
def test_a_batch_is_over_what_counts_in_it_wherever_its_samples_lie(weighted: bool) -> None:
    x, y = drawn()
    y = np.where(np.arange(len(y)) % 7 < 3, -100, y)
    weight = np.random.default_rng(1).uniform(0, 3, len(y)) if weighted else None
    loss = functools.partial(nn.cross_entropy, ignore_index=-100)
    options = {"loss": loss, "batch_size": len(y), "sample_weight": weight, "optimizer": nn.SGD}
    here, history = fitted(x, y, **options)
    there, other = fitted(*lazy(x, y), **options)
    for a, b in zip(numbers(here), numbers(there), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(other.loss, history.loss, rtol=1e-9)


def endless(prediction: Any, target: Any) -> Any:
    return np.inf * nn.cross_entropy(prediction, target)


def test_a_loss_that_diverges_says_so_and_leaves_the_model() -> None:
    x, y = drawn()
    model = nn.MLP(6, [8, 2], rng=0)
    with pytest.raises(nn.DivergenceError, match="the loss became inf in epoch 1, batch"):
        fitted(*lazy(x, y), model=model, batch_size=500, loss=endless)
    assert_same(model, nn.MLP(6, [8, 2], rng=0))


def test_bad_data_are_refused_before_anything_runs() -> None:
    x, y = drawn()
    columns = da.from_array(x, chunks=(70, 6))
    with pytest.raises(ag.ArgumentValueError, match=r"y has shape \(499,\), but there are 500 sam"):
        fitted(columns, y[1:])
    with pytest.raises(ag.ArgumentTypeError, match="y is missing; pass targets beside inputs of"):
        fitted(columns, None)
    with pytest.raises(ag.ArgumentValueError, match=r"sample_weight has shape \(500,\); it must"):
        fitted(columns, y, sample_weight=-np.ones(500))
    with pytest.raises(ag.ArgumentValueError, match=r"sample_weight has shape \(500,\); it must"):
        fitted(columns, y, sample_weight=da.full(500, np.nan, chunks=50))
    with pytest.raises(ag.ArgumentValueError, match=r"sample_weight has shape \(499,\), but there"):
        fitted(columns, y, sample_weight=np.ones(499))
    with pytest.raises(ag.ArgumentValueError, match=r"no weight for the classes \[1\]; give one f"):
        fitted(columns, y, class_weight={0: 1.0})
    with pytest.raises(ag.ArgumentValueError, match="class_weight needs class numbers as targets"):
        fitted(columns, y.astype(float), class_weight="balanced")
    with pytest.raises(ag.ArgumentValueError, match=r"validation_split is 1.5 for 500 samp"):
        fitted(columns, y, validation_split=1.5)
    with pytest.raises(ag.ArgumentValueError, match="whose unknown lengths depend on numbers not"):
        fitted(columns[columns[:, 0] > 0], y)
    with pytest.raises(ag.ArgumentTypeError, match="x has dtype object; it must hold real numbers"):
        fitted(columns.astype(object), y)


@pytest.mark.parametrize("classes", [None, "balanced", {0: 1.0, 1: 3.0}], ids=str)
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weights of samples"])
def test_weights_are_numpys(weighted: bool, classes: Any) -> None:
    """Of samples and classes, whatever the weight of a share; one of them has none at all."""
    x, y = drawn()
    y[:100] = 1
    weight = np.random.default_rng(2).uniform(0, 2, 500) * (np.arange(500) >= 70)
    options: dict[str, Any] = {"epochs": 3, "batch_size": 500, "class_weight": classes}
    given = da.from_array(weight, chunks=300) if weighted else None
    mine, history = fitted(*lazy(x, y), sample_weight=given, **options)
    numpys, plain = fitted(x, y, sample_weight=weight if weighted else None, **options)
    assert history["loss"] == pytest.approx(plain["loss"], rel=1e-12)
    for a, b in zip(numbers(mine), numbers(numpys), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-12)


def test_weights_go_with_their_samples_in_small_batches() -> None:
    """Samples of another class than the first have no weight, so nothing of them is learned."""
    x, y = drawn()
    weight = (y == 0).astype(float)
    some = x[y == 0], y[y == 0]
    model, _ = fitted(
        *lazy(x, y), sample_weight=weight, epochs=4,
        optimizer=lambda model: nn.Adam(model, learning_rate=0.05),
    )  # fmt: skip
    assert nn.evaluate(model, *some, metrics=["accuracy"])["accuracy"] == 1.0
    assert nn.evaluate(model, x, y, metrics=["accuracy"])["accuracy"] == np.mean(y == 0)


def test_a_share_is_set_aside_and_the_same_seed_sets_the_same_aside() -> None:
    x, _ = drawn(437)
    x[:, 0] = np.arange(437) / 437
    seen: list[Any] = []

    def noted(outputs: Any, targets: Any) -> Any:
        seen.append(np.array(targets))
        return nn.cross_entropy(outputs, targets % 2)

    def split(seed: int) -> tuple[Any, Any, Any]:
        seen.clear()
        data = da.from_array(x, chunks=(50, 6)), da.from_array(np.arange(437), chunks=50)
        with dask.config.set(scheduler="synchronous"):
            history = nn.fit(
                nn.MLP(6, [8, 2], rng=0), *data, loss=noted, epochs=1, batch_size=64, rng=seed,
                progress=False, compile=False, validation_split=0.2,
            )  # fmt: skip
        *trained, aside = seen
        return np.unique(np.concatenate(trained)), np.sort(aside), history

    trained, aside, history = split(0)
    assert len(aside) == round(0.2 * 437)
    np.testing.assert_array_equal(np.sort(np.append(trained, aside)), np.arange(437))
    assert len(history["validation_loss"]) == 1
    for chunk in range(8):
        assert np.sum(aside // 50 == chunk) in (9, 10, 11)
    np.testing.assert_array_equal(split(0)[1], aside)
    assert not np.array_equal(split(1)[1], aside)


def test_a_split_goes_with_weights() -> None:
    x, y = drawn()
    options: dict[str, Any] = {"validation_split": 0.25, "sample_weight": np.ones(500)}
    weighted, history = fitted(*lazy(x, y), **options)
    plain, same = fitted(*lazy(x, y), validation_split=0.25)
    assert history["validation_loss"] == pytest.approx(same["validation_loss"], rel=1e-9)
    np.testing.assert_allclose(numbers(weighted)[0], numbers(plain)[0], rtol=1e-7)


def test_estimators_take_the_same_path() -> None:
    estimators = pytest.importorskip("nn.estimators")
    x, y = drawn()
    options: dict[str, Any] = {
        "hidden_layer_sizes": (8,), "max_iter": 20, "batch_size": 500, "random_state": 0,
        "n_iter_no_change": 20, "tol": 0.0, "alpha": 0.5,
    }  # fmt: skip
    names = np.array(["no", "yes"])[y]
    with pytest.warns(UserWarning, match="still improving"):
        mine = estimators.MLPClassifier(**options).fit(da.from_array(x, chunks=(70, 6)), names)
    with pytest.warns(UserWarning, match="still improving"):
        numpys = estimators.MLPClassifier(**options).fit(x, names)
    assert mine.loss_curve_ == pytest.approx(numpys.loss_curve_, rel=1e-12)
    assert mine.n_features_in_ == 6
    found = mine.predict(da.from_array(x, chunks=(70, 6)))
    assert (found == numpys.predict(x)).mean() > 0.99
    weight = np.where(y == 0, 1.0, 0.0)
    with pytest.warns(UserWarning, match="still improving"):
        mine.set_params(learning_rate_init=0.05)
        mine.fit(da.from_array(x, chunks=(70, 6)), names, sample_weight=weight)
    assert set(mine.predict(x)) == {"no"}
    with pytest.raises(ag.ArgumentValueError, match="go neither with solver='lbfgs' nor"):
        estimators.MLPClassifier(solver="lbfgs").fit(da.from_array(x), names)


class TwoOutputs(nn.Module):
    """Two outputs by name."""

    def __init__(self, in_features: int) -> None:
        self.a, self.b = nn.Linear(in_features, 1, rng=0), nn.Linear(in_features, 3, rng=1)

    def forward(self, x: Any) -> Any:
        return {"a": self.a(x), "b": self.b(x)}


def test_several_outputs_weights_and_what_changes_between_batches_are_numpys() -> None:
    draws = np.random.default_rng(0)
    x, weight = draws.normal(size=(96, 3)), draws.uniform(0.1, 2, 96)
    y = {"a": draws.normal(size=(96, 1)), "b": draws.integers(0, 3, 96)}

    class Change(nn.Callback):
        def before_batch(self, run: nn.Run) -> None:
            run.model.a.bias.requires_grad = run.batch % 2 == 0

    def history(wrap: Any) -> Any:
        model = TwoOutputs(3)
        history = nn.fit(
            model, wrap(x), {name: wrap(part) for name, part in y.items()}, epochs=2,
            loss={"a": "mse", "b": "cross_entropy"}, metrics={"b": "accuracy"},
            sample_weight=wrap(weight), batch_size=96, optimizer=nn.SGD(model, 0.1),
            callbacks=Change(), rng=0, progress=False,
        )  # fmt: skip
        return history.columns, [p.data for p in model.parameters()]

    lazy_columns, lazy_numbers = history(lambda part: da.from_array(part, (32, *part.shape[1:])))
    columns, arrays = history(lambda part: part)
    assert columns.keys() == lazy_columns.keys()
    for name, column in columns.items():
        np.testing.assert_allclose(lazy_columns[name], column, rtol=1e-9, err_msg=name)
    for mine, other in zip(lazy_numbers, arrays, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-9)


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(8), Centred(8)])
@pytest.mark.parametrize("rows", [1, 7])
def test_samples_that_depend_on_each_other_are_told(layer: Any, rows: int) -> None:
    x, y = drawn(50)
    layers = nn.Linear(6, 8, rng=0), layer, nn.Dropout(0.3, rng=1), nn.Linear(8, 2, rng=2)
    with pytest.warns(UserWarning, match="depend on the others of its batch") as warned:
        fitted(*lazy(x, y, rows=2 * rows), model=nn.Sequential(*layers), batch_size=50)
    assert [str(warning.message) for warning in warned] == [
        "fit: the outputs of the model for a sample depend on the others of its batch, as with "
        "BatchNorm1d, and on Dask those of a share are a batch of their own: the numbers depend "
        "on the chunks; write nn.LayerNorm, or load the arrays with .compute()"
    ]
    assert warned[0].filename == __file__


def with_ignored(outputs: Any, targets: Any, **options: Any) -> Any:
    return nn.cross_entropy(outputs, targets, ignore_index=1, **options)


def summed(outputs: Any, targets: Any) -> Any:
    return np.sum(nn.cross_entropy(outputs, targets, reduction="none"))


def rooted(outputs: Any, targets: Any) -> Any:
    return np.sqrt(nn.cross_entropy(outputs, targets))


@pytest.mark.parametrize("loss", [with_ignored, summed, rooted])
@pytest.mark.parametrize("rows", [2, 7])
def test_a_loss_that_is_no_mean_over_samples_is_refused(loss: Any, rows: int) -> None:
    x, y = drawn(50)
    model = nn.MLP(6, [8, 2], rng=0)
    before = numbers(model)
    with pytest.raises(ag.ArgumentValueError) as error:
        fitted(*lazy(x, y, rows), model=model, loss=loss, batch_size=50)
    assert re.fullmatch(
        rf"fit: {loss.__name__} of \d+ samples is \d+\.\d+, and \d+\.\d+ by two parts of them, as "
        r"shares are computed on Dask; write it as a mean over samples, Σ w·loss / Σ w, or load "
        r"the arrays with \.compute\(\)",
        str(error.value),
    )
    for a, b in zip(numbers(model), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_mean_of_ones_own_is_numpys() -> None:
    x, y = drawn(50)
    options: dict[str, Any] = {"loss": lambda p, t: np.mean(abs(p[:, 0] - t)), "batch_size": 50}
    mine, _ = fitted(*lazy(x, y, 14), **options)
    numpys, _ = fitted(x, y, **options)
    for a, b in zip(numbers(mine), numbers(numpys), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-13)


WEIGHT = np.random.default_rng(2).uniform(0.1, 3, 50)
LABELS = drawn(50)[1]


@pytest.mark.parametrize(
    ("options", "weight"),
    [
        ({"sample_weight": WEIGHT}, WEIGHT),
        ({"class_weight": {0: 1.0, 1: 5.0}}, np.where(LABELS == 1, 5.0, 1.0)),
        ({"class_weight": "balanced"}, (25 / np.bincount(LABELS))[LABELS]),
        ({"class_weight": {0: 1.0, 1: 5.0}, "sample_weight": WEIGHT},
         np.where(LABELS == 1, 5.0, 1.0) * WEIGHT),
    ],
)  # fmt: skip
def test_samples_set_aside_keep_their_weights(options: dict[str, Any], weight: Any) -> None:
    x, y = drawn(50)
    seen: list[Any] = []

    def noted(outputs: Any, targets: Any) -> float:
        seen.append(outputs)
        return 0.0

    model = nn.MLP(6, [8, 2], activation="tanh", rng=0)
    history = nn.fit(
        model, *lazy(x, y, 14), loss="cross_entropy", metrics=noted, validation_split=0.4, rng=0,
        epochs=1, batch_size=50, progress=False, **options,
    )  # fmt: skip
    outputs = nn.predict(model, x)
    rows = [int(np.argmin(np.sum((outputs - mine) ** 2, axis=1))) for mine in seen[-1]]
    assert len(set(rows)) == 20
    each = np.asarray(nn.cross_entropy(outputs[rows], y[rows], reduction="none"))
    expected = np.average(each, weights=weight[rows])
    assert history["validation_loss"] == [pytest.approx(expected, rel=1e-12)]


def test_the_step_of_arrays_is_not_that_of_dask() -> None:
    """An optimizer keeps its last step, which knows batches of one kind."""
    x, y = drawn()
    model = nn.MLP(6, [8, 2], rng=0)
    optimizer = nn.SGD(model, 0.1)
    other = nn.MLP(6, [8, 2], rng=0)
    optimizers = optimizer, nn.SGD(other, 0.1)
    whole: dict[str, Any] = {"epochs": 1, "batch_size": 500}
    for data in ((x, y), lazy(x, y), (x, y)):
        fitted(*data, model=model, optimizer=optimizers[0], **whole)
        fitted(x, y, model=other, optimizer=optimizers[1], **whole)
    for a, b in zip(numbers(model), numbers(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("train", [nn.fit, nn.fit_lbfgs, nn.find_learning_rate])
def test_weights_of_dask_beside_arrays(train: Any) -> None:
    x, y = drawn(50)
    weight = np.random.default_rng(2).uniform(0.1, 3, 50)
    found = []
    for given in (weight, da.from_array(weight, chunks=7)):
        model = nn.MLP(6, [8, 2], rng=0)
        options: dict[str, Any] = {"loss": "cross_entropy", "sample_weight": given}
        options |= {"iterations": 5} if train is nn.fit_lbfgs else {"rng": 0}
        options |= {"progress": False, "epochs": 1} if train is nn.fit else {}
        result = train(model, x, y, **options)
        found.append([*numbers(model), getattr(result, "losses", 0)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("clip", [nn.clip_gradient_norm, nn.clip_gradient_values])
def test_gradients_of_dask_are_clipped(clip: Any) -> None:
    x, y = drawn(50)
    found = []
    for data in ((x, y), lazy(x, y, 14)):
        model = nn.MLP(6, [8, 2], rng=0)
        nn.cross_entropy(model(data[0]), data[1]).backward()
        clip(model, 0.01)
        found.append([np.asarray(p.grad) for p in model.parameters()])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)
