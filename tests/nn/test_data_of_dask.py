"""What arrays and dataframes of Dask may hold, and estimators on them: as in memory, or refused."""

from __future__ import annotations

import re
import threading
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn.dask.data import even_batches

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = X[:, :1] - X[:, 1:2]
LAZY_X, LAZY_Y = da.from_array(X, chunks=(20, 4)), da.from_array(Y, chunks=(20, 1))


def fit(x: Any, y: Any = LAZY_Y, **options: Any) -> Any:
    model = nn.Sequential(nn.Linear(4, 1, rng=0))
    return nn.fit(
        model, x, y, **{"loss": "mse", "epochs": 1, "progress": False, "rng": 0} | options
    )


def with_holes() -> Any:
    x = X.copy()
    x[54, 3] = x[55, 0] = np.nan
    x[57, 1] = np.inf
    return x


@pytest.fixture(autouse=True, scope="module")
def here() -> Any:
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture(scope="module")
def estimators() -> Any:
    return pytest.importorskip("nn.estimators")


def never(*args: Any, **kwargs: Any) -> Any:
    raise AssertionError("something was computed")


HOLES = "holds 3 NaN or infinite numbers in samples 40 to 59, the first at (54, 3)"


@pytest.mark.parametrize("options", [{}, {"validation_split": 0.5}, {"batch_size": 7}])
def test_nan_is_named_by_its_place_in_the_whole(options: dict[str, Any]) -> None:
    with pytest.raises(ag.ArgumentValueError) as refusal:
        fit(da.from_array(with_holes(), chunks=(20, 4)), **options)
    assert str(refusal.value) == f"fit: x {HOLES}; remove or replace them before training"


def test_nan_among_targets_too() -> None:
    targets = da.from_array(np.where(np.arange(60)[:, None] == 33, np.nan, Y), chunks=(20, 1))
    with pytest.raises(ag.ArgumentValueError, match=r"fit: y holds 1 .*, the first at \(33, 0\)"):
        fit(LAZY_X, targets)


def test_masked_arrays_are_refused() -> None:
    masked = da.ma.masked_array(LAZY_X, mask=LAZY_X > 1)
    for attempt in (lambda: fit(masked), lambda: nn.predict(nn.Linear(4, 1), masked)):
        with pytest.raises(
            ag.ArgumentTypeError, match=r"masked array.*da\.ma\.filled\(x, number\)"
        ):
            attempt()


MASKED = np.ma.masked_greater(Y, 0.5)
LAZY_MASKED = da.ma.masked_greater(LAZY_Y, 0.5)
WEIGHT = np.ma.masked_greater(np.ones(60) + np.arange(60), 50)
LAZY_WEIGHT = da.ma.masked_greater(da.arange(1, 61, chunks=7), 50)


@pytest.mark.parametrize("x", [X, LAZY_X], ids=["in memory", "of dask"])
@pytest.mark.parametrize("lazy", [False, True], ids=["plain mask", "mask of dask"])
def test_masks_are_refused_wherever_they_are_given(x: Any, lazy: bool) -> None:
    y, weight = (LAZY_MASKED, LAZY_WEIGHT) if lazy else (MASKED, WEIGHT)
    model = nn.Linear(4, 1)
    for attempt in (
        lambda: fit(x, y),
        lambda: fit(x, Y, sample_weight=weight),
        lambda: fit(x, Y, validation_data=(x, y)),
        lambda: fit(x, Y, validation_data=(x, Y, weight)),
        lambda: nn.evaluate(model, x, y, loss="mse"),
        lambda: nn.evaluate(model, x, Y, loss="mse", sample_weight=weight),
    ):
        with pytest.raises(ag.ArgumentTypeError, match="masked array"):
            attempt()


def test_what_makes_no_samples_is_refused() -> None:
    with pytest.raises(ag.ArgumentTypeError, match="makes no array of samples; pass an array"):
        fit(LAZY_X.sum())
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(ag.ArgumentTypeError, match=r"csr_matrix; .* x\.map_blocks"):
        fit(LAZY_X.map_blocks(sparse.csr_matrix))


def test_nan_among_data_to_validate_with_is_named() -> None:
    holes = da.from_array(with_holes(), chunks=(20, 4))
    for x, y in ((X, Y), (LAZY_X, LAZY_Y)):
        with pytest.raises(ag.ArgumentValueError) as refusal:
            fit(x, y, validation_data=(holes, LAZY_Y))
        assert str(refusal.value) == (
            f"fit: validation_data[0] {HOLES}; remove or replace them before training"
        )
        with pytest.raises(ag.ArgumentValueError, match="sample_weight has shape"):
            fit(x, y, validation_data=(LAZY_X, LAZY_Y, -np.ones(60)))


def test_empty_chunks_train_the_same() -> None:
    empty = da.from_array(X, chunks=((0, 20, 20, 0, 20), 4))
    assert fit(empty).loss == fit(LAZY_X).loss
    model = nn.Linear(4, 1)
    np.testing.assert_array_equal(nn.predict(model, empty), nn.predict(model, LAZY_X))


def test_dataframes_of_several_dtypes_get_the_hint() -> None:
    pandas, frames = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    integers = np.round(frame.b).astype("Int64")
    for changed, dtypes in (
        (frame.assign(a=frame.a > 0), "bool, float64"),
        (frame.assign(b=integers), "Int64, float64"),
        (frame.astype("Float64"), "Float64"),
    ):
        lazy = frames.from_pandas(changed, npartitions=3)
        with pytest.raises(ag.ArgumentTypeError, match=r"frame\.astype\(float\)$") as refusal:
            fit(lazy)
        assert f"of the dtypes {dtypes}," in str(refusal.value)
        assert len(fit(lazy.astype(float)).loss) == 1


def test_dataframes_with_other_indices_are_refused() -> None:
    pandas, frames = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    inputs = frames.from_pandas(pandas.DataFrame(X), npartitions=3)
    numbers = np.arange(60)
    for index in (numbers[::-1], numbers + 1):
        targets = frames.from_pandas(pandas.DataFrame(Y, index=index), npartitions=3, sort=False)
        with pytest.raises(ag.ArgumentValueError, match="x and y have different indices"):
            fit(inputs, targets)
    same = frames.from_pandas(pandas.DataFrame(Y), npartitions=2)
    assert fit(inputs, same).loss == fit(inputs, LAZY_Y).loss


@pytest.mark.filterwarnings("ignore:the network was still improving")
def test_rows_of_all_that_is_given_belong_together(estimators: Any) -> None:
    """Also those of pandas, where something of Dask is among them."""
    pandas, frames = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")

    def lazy(frame: Any) -> Any:
        return frames.from_pandas(frame, npartitions=3, sort=False)

    x, y, weight = pandas.DataFrame(X), pandas.Series(Y[:, 0]), pandas.Series(np.ones(60))
    other = y[::-1]
    model, fitted = nn.Linear(4, 1), estimators.MLPRegressor(max_iter=1).fit(X, Y[:, 0])
    for attempt in (
        lambda: fit(lazy(x), other),
        lambda: fit(x, lazy(other)),
        lambda: fit(lazy(x), lazy(y), sample_weight=weight[::-1]),
        lambda: fit(lazy(x), lazy(y), sample_weight=lazy(weight[::-1])),
        lambda: fit(lazy(x), lazy(y), validation_data=(lazy(x), lazy(other))),
        lambda: fit(X, Y, validation_data=(lazy(x), other)),
        lambda: nn.evaluate(model, lazy(x), lazy(other), loss="mse"),
        lambda: nn.evaluate(model, lazy(x), y, loss="mse", sample_weight=weight[::-1]),
        lambda: estimators.MLPRegressor().fit(lazy(x), other),
        lambda: estimators.MLPRegressor().fit(lazy(x), y, sample_weight=weight[::-1]),
        lambda: fitted.score(lazy(x), lazy(other)),
        lambda: fitted.score(lazy(x), other),
    ):
        with pytest.raises(ag.ArgumentValueError, match="have different indices"):
            attempt()
    assert fit(lazy(x), y).loss == fit(LAZY_X, Y[:, 0]).loss
    expected = nn.evaluate(model, X, Y, loss="mse", metrics=["r2"])
    found = nn.evaluate(model, lazy(x), lazy(y), loss="mse", metrics=["r2"])
    assert found == pytest.approx(expected)
    assert fitted.score(lazy(x), lazy(y)) == pytest.approx(fitted.score(X, Y[:, 0]))


def test_weights_of_dask_weigh_validation_data_and_evaluations() -> None:
    weight = np.arange(60.0)
    lazy = da.from_array(weight, chunks=7)
    model = nn.Sequential(nn.Linear(4, 1, rng=0))
    expected = nn.evaluate(model, X, Y, loss="mse", sample_weight=weight)
    assert nn.evaluate(model, LAZY_X, LAZY_Y, loss="mse", sample_weight=lazy) == pytest.approx(
        expected
    )
    in_memory = fit(LAZY_X, validation_data=(X, Y, weight)).validation_loss
    assert fit(LAZY_X, validation_data=(LAZY_X, LAZY_Y, lazy)).validation_loss == pytest.approx(
        in_memory
    )


def elsewhere(graph: Any, keys: Any, **options: Any) -> Any:
    """A scheduler as others bring their own: tasks go there and results come back as bytes."""
    import cloudpickle

    there = cloudpickle.loads(cloudpickle.dumps(graph))
    return cloudpickle.loads(cloudpickle.dumps(dask.get(there, keys, **options)))


def test_schedulers_of_others_train_the_same_model() -> None:
    def trained() -> Any:
        model = nn.MLP(4, [3, 1], rng=0)
        losses = nn.fit(
            model, LAZY_X, LAZY_Y, loss="mse", epochs=2, rng=0, progress=False
        ).loss  # fmt: skip
        return [*(p.data for p in model.parameters()), losses]

    here = trained()
    with dask.config.set(scheduler=elsewhere):
        there = trained()
    for mine, other in zip(here, there, strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("scheduler", ["processes", elsewhere])
def test_a_loss_that_cannot_travel_is_named_in_one_line(scheduler: Any) -> None:
    lock = threading.Lock()

    def loss(outputs: Any, targets: Any) -> Any:
        with lock:
            return np.mean((outputs - targets) ** 2)

    assert len(fit(LAZY_X, loss=loss).loss) == 1
    with (
        dask.config.set(scheduler=scheduler),
        pytest.raises(
            ag.ArgumentTypeError, match=r"^fit: the loss cannot be sent to workers \(Ty"
        ) as refusal,
    ):
        fit(LAZY_X, loss=loss)
    assert "\n" not in str(refusal.value)


# Estimators.


OPTIONS = {"hidden_layer_sizes": (4,), "random_state": 0, "max_iter": 2}
CLASSES = np.array(["no", "yes"])[(Y[:, 0] > 0).astype(int)]


@pytest.mark.filterwarnings("ignore:the network was still improving")
def test_predictions_of_estimators_are_lazy_and_those_in_memory(estimators: Any) -> None:
    classifier = estimators.MLPClassifier(**OPTIONS).fit(LAZY_X, CLASSES)
    regressor = estimators.MLPRegressor(**OPTIONS).fit(LAZY_X, Y[:, 0])
    methods = ("predict", "predict_proba", "predict_log_proba", "decision_function")
    for estimator, name in [*((classifier, name) for name in methods), (regressor, "predict")]:
        method = getattr(estimator, name)
        with dask.config.set(scheduler=never):
            lazy = method(LAZY_X)
        assert isinstance(lazy, da.Array)
        assert lazy.chunks[0] == LAZY_X.chunks[0]
        expected = method(X)
        assert lazy.shape == expected.shape
        assert lazy.dtype == expected.dtype
        if expected.dtype.kind == "f":
            np.testing.assert_allclose(lazy.compute(), expected, rtol=1e-14)
        else:
            np.testing.assert_array_equal(lazy.compute(), expected)
    assert classifier.score(LAZY_X, CLASSES) == classifier.score(X, CLASSES)
    holes = da.from_array(with_holes(), chunks=(20, 4))
    with pytest.raises(ag.ArgumentValueError) as refusal:
        classifier.predict(holes).compute()
    assert (
        str(refusal.value) == f"MLPClassifier: X {HOLES}; remove or replace them before predicting"
    )


@pytest.mark.filterwarnings("ignore:the network was still improving")
def test_early_stopping_sets_samples_aside_in_chunks(estimators: Any) -> None:
    estimator = estimators.MLPClassifier(**OPTIONS, early_stopping=True)
    estimator.fit(LAZY_X, CLASSES, sample_weight=np.ones(60))
    assert len(estimator.validation_scores_) == estimator.n_iter_ == 2
    in_memory = estimators.MLPClassifier(**OPTIONS, early_stopping=True).fit(X, CLASSES)
    assert len(in_memory.validation_scores_) == 2
    holes = da.from_array(with_holes(), chunks=(20, 4))
    with pytest.raises(ag.ArgumentValueError, match=r"in samples 40 to 59, the first at \(54, 3\)"):
        estimators.MLPClassifier(**OPTIONS, early_stopping=True).fit(holes, CLASSES)


@pytest.mark.filterwarnings("ignore:the network was still improving")
def test_names_of_columns_are_kept_and_compared(estimators: Any) -> None:
    pandas, frames = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    frame = frames.from_pandas(pandas.DataFrame(X, columns=list("abcd")), npartitions=3)
    estimator = estimators.MLPClassifier(**OPTIONS).fit(frame, CLASSES)
    assert estimator.feature_names_in_.tolist() == list("abcd")
    assert estimator.n_features_in_ == 4
    assert estimator.predict(frame).shape == (60,)
    with pytest.raises(ValueError, match="feature names should match"):
        estimator.predict(frame[list("dcba")])


@pytest.mark.filterwarnings("ignore:the network was still improving")
@pytest.mark.parametrize("x", [X, LAZY_X], ids=["in memory", "of dask"])
def test_estimators_refuse_masks(estimators: Any, x: Any) -> None:
    """Scikit-learn's checks would drop them, and the numbers below them be used."""
    labels, masked_labels = (Y[:, 0] > 0).astype(int), np.ma.masked_greater(np.arange(60) % 2, 0)
    regressor = estimators.MLPRegressor(max_iter=1).fit(X, Y[:, 0])
    attempts = [
        lambda: estimators.MLPRegressor().fit(x, MASKED[:, 0]),
        lambda: estimators.MLPRegressor().fit(x, LAZY_MASKED[:, 0]),
        lambda: estimators.MLPRegressor().fit(x, Y[:, 0], sample_weight=WEIGHT),
        lambda: estimators.MLPRegressor().fit(x, Y[:, 0], sample_weight=LAZY_WEIGHT),
        lambda: estimators.MLPClassifier().partial_fit(x, masked_labels, classes=[0, 1]),
        lambda: regressor.score(x, MASKED[:, 0]),
        lambda: regressor.score(x, Y[:, 0], sample_weight=WEIGHT),
    ]
    if x is X:
        for kind in (estimators.Perceptron, estimators.PerceptronClassifier):
            attempts += [
                lambda kind=kind: kind().fit(X, masked_labels),
                lambda kind=kind: kind().fit(np.ma.masked_greater(X, 1), labels),
                lambda kind=kind: kind().fit(X, labels).predict(np.ma.masked_greater(X, 1)),
                lambda kind=kind: kind().fit(X, labels).score(X, masked_labels),
            ]
    for attempt in attempts:
        with pytest.raises(ag.ArgumentTypeError, match="masked array"):
            attempt()


def test_a_single_feature_needs_its_axis(estimators: Any) -> None:
    with pytest.raises(ag.ArgumentValueError, match=r"of one feature make a column, X\[:, None\]"):
        estimators.MLPRegressor().fit(LAZY_X[:, 0], Y[:, 0])


def test_of_no_samples_there_are_predictions_and_no_training() -> None:
    x, y = da.zeros((0, 3), chunks=2), da.zeros((0,), chunks=2)
    model = nn.MLP(3, [4, 2], rng=0)
    found = nn.predict(model, x)
    assert isinstance(found, da.Array)
    assert found.compute().shape == nn.predict(model, np.zeros((0, 3))).shape == (0, 2)
    with pytest.raises(ag.ArgumentValueError) as error:
        nn.fit(model, x, y, loss="mse", progress=False)
    assert str(error.value) == (
        "fit: x has shape (0, 3), which holds no samples; give one at least"
    )


@pytest.mark.parametrize("rows", [1, 2, 13, 60])
@pytest.mark.parametrize("batch_size", [1, 2, 7, 25])
def test_batches_are_even_however_small_and_take_each_sample_once(
    rows: int, batch_size: int
) -> None:
    taken: list[int] = []

    def ones_more(outputs: Any, targets: Any) -> Any:
        taken.append(len(targets))
        return np.mean((outputs - targets) ** 2)

    lazy = da.from_array(X, chunks=(rows, 4)), da.from_array(Y, chunks=(rows, 1))
    model = nn.Linear(4, 1, rng=0)
    batches: list[int] = []

    class Counted(nn.Callback):
        def after_batch(self, run: nn.Run) -> None:
            batches.append(sum(taken))
            taken.clear()

    nn.fit(
        model, *lazy, loss=ones_more, optimizer=nn.SGD(model, 0.01), epochs=2, rng=0,
        batch_size=batch_size, compile=False, progress=False, callbacks=Counted(),
    )  # fmt: skip
    epoch = batches[len(batches) // 2 :]  # the first one begins with trials of the loss
    assert sum(epoch) == 60
    assert max(epoch) <= batch_size
    assert min(epoch) >= 1
    if rows * 8 >= 60:  # one group of chunks
        assert len(epoch) == -(-60 // batch_size)
        assert max(epoch) - min(epoch) <= 1


def test_shares_of_chunks_are_in_proportion() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        lengths = rng.integers(1, 40, rng.integers(1, 12)).tolist()
        count = int(rng.integers(1, sum(lengths) + 1))
        ends, left = [0] * len(lengths), np.array(lengths)
        sizes = []
        for bounds in even_batches(lengths, count, rng):
            assert [start for start, _ in bounds] == ends
            ends = [stop for _, stop in bounds]
            taken = np.array([stop - start for start, stop in bounds])
            assert (abs(taken - taken.sum() * left / left.sum()) < 1).all()
            left = left - taken
            sizes.append(int(taken.sum()))
        assert ends == lengths
        assert len(sizes) == count
        assert min(sizes) >= 1
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("rows", [20, 60])
def test_a_loss_that_captures_parameters_is_refused(rows: int) -> None:
    model = nn.Linear(4, 1, rng=0)

    def penalized(outputs: Any, targets: Any) -> Any:
        return np.mean((outputs - targets) ** 2) + 0.1 * np.sum(model.weight**2)

    lazy = da.from_array(X, chunks=(rows, 4)), da.from_array(Y, chunks=(rows, 1))
    with pytest.raises(ag.ArgumentTypeError) as refusal:
        nn.fit(model, *lazy, loss=penalized, progress=False)
    assert str(refusal.value) == (
        "fit: penalized depends on Values beside outputs and targets, such as parameters of the "
        "model, whose gradient would be lost on Dask; write a penalty as l1= or l2=, x.data for "
        "what is constant, or load the arrays with .compute()"
    )


def test_parameters_that_are_not_the_models_are_refused() -> None:
    model, scale = nn.Linear(4, 1, rng=0), nn.Parameter(np.ones(()))
    with pytest.raises(ag.ArgumentValueError) as refusal:
        nn.fit(
            model, LAZY_X, LAZY_Y, loss="mse", progress=False,
            optimizer=nn.SGD([*model.parameters(), scale]),
        )  # fmt: skip
    assert str(refusal.value) == (
        "fit: the optimizer has 1 parameters that are not the model's, whose gradients would be "
        "lost on Dask; make them attributes of the model, or load the arrays with .compute()"
    )


class Nested(nn.Module):
    """Outputs by name, one of them a tuple."""

    def __init__(self) -> None:
        self.a, self.b = nn.Linear(4, 1, rng=0), nn.Linear(4, 3, rng=1)

    def forward(self, x: Any) -> Any:
        return {"a": self.a(x), "both": (self.b(x), [self.a(x) * 2])}


@pytest.mark.parametrize("rows", [60, 0], ids=["some rows", "no rows"])
def test_outputs_are_nested_as_in_memory(rows: int) -> None:
    lazy, plain = nn.predict(Nested(), LAZY_X[:rows]), nn.predict(Nested(), X[:rows])
    assert lazy.keys() == plain.keys()
    assert type(lazy["both"]) is tuple
    assert type(lazy["both"][1]) is list
    for mine, numpys in (
        (lazy["a"], plain["a"]),
        (lazy["both"][0], plain["both"][0]),
        (lazy["both"][1][0], plain["both"][1][0]),
    ):
        np.testing.assert_array_equal(mine.compute(), numpys)


def test_what_is_refused_is_named_by_its_caller() -> None:
    unknown = LAZY_X[LAZY_X[:, 0] > 0]
    with pytest.raises(ag.ArgumentValueError, match=r"^predict: x has the shape \(nan, 4\)"):
        nn.predict(nn.Linear(4, 1), unknown)
    with pytest.raises(ag.ArgumentTypeError, match=r"^predict: x has dtype complex128"):
        nn.predict(nn.Linear(4, 1), LAZY_X * 1j)


@pytest.mark.parametrize("loss", ["cross_entropy", lambda o, y: nn.cross_entropy(o, y)], ids="ab")
@pytest.mark.parametrize("place", [0, 21, 47])
def test_a_label_out_of_range_is_named_by_its_place_in_the_whole(loss: Any, place: int) -> None:
    labels = np.arange(60) % 2
    labels[place] = 5
    with pytest.raises(ag.ArgumentValueError) as refusal:
        nn.fit(
            nn.Linear(4, 2, rng=0), LAZY_X, da.from_array(labels, chunks=(0, 20, 20, 20)), rng=0,
            loss=loss, progress=False, batch_size=60,
        )  # fmt: skip
    start = place // 20 * 20
    which = rf"20 of the samples {start} to {start + 19}|24 samples of some chunks"
    assert re.fullmatch(
        rf"of ({which}): cross_entropy: the label at position {place} is 5, but the logits have 2 "
        "classes; labels go from 0 to 1",
        str(refusal.value),
    )


def test_a_label_that_is_trained_on_beside_a_validation_split_too() -> None:
    labels = np.arange(60) % 2
    labels[[12, 13]] = 5, 6  # one of them at least is trained on
    with pytest.raises(ag.ArgumentValueError) as refusal:
        nn.fit(
            nn.Linear(4, 2, rng=0), LAZY_X, da.from_array(labels, chunks=20), rng=0,
            loss="cross_entropy", progress=False, validation_split=0.1,
        )  # fmt: skip
    message = str(refusal.value)
    assert "of the samples 0 to 19: cross_entropy: the label at position" in message
    assert "position 12 is 5" in message or "position 13 is 6" in message


def test_delayed_data_are_refused_by_what_they_are() -> None:
    with pytest.raises(ag.ArgumentTypeError) as refusal:
        fit(dask.delayed(X))
    assert str(refusal.value) == (
        "fit: x is DelayedLeaf, whose shape is not known; write da.from_delayed(x, shape, dtype)"
    )
    with pytest.raises(ag.ArgumentTypeError, match=r"^predict: x is DelayedLeaf, whose"):
        nn.predict(nn.Linear(3, 1), dask.delayed(X))


def test_nan_among_validation_targets_is_told_once() -> None:
    targets = da.from_array(np.where(np.arange(60)[:, None] == 33, np.nan, Y), chunks=(20, 1))
    with pytest.raises(ag.ArgumentValueError) as refusal:
        fit(LAZY_X, validation_data=(LAZY_X, targets))
    assert str(refusal.value) == (
        "fit: validation_data[1] holds 1 NaN or infinite numbers in samples 20 to 39, the first at "
        "(33, 0); remove or replace them before training"
    )
