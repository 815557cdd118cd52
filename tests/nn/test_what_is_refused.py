"""What would be used though it is not meant: masked numbers, dates, weights of zero."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn.losses import losses

X = np.arange(8.0).reshape(4, 2) / 8
Y = np.arange(4.0).reshape(4, 1) / 4
MASKED = np.ma.masked_array(X, X == 0)
MASKED_Y = np.ma.masked_array(Y, Y == 0)
MASKED_WEIGHT = np.ma.masked_array(np.ones(4), [True, False, False, False])


def fit(x=X, y=Y, **options):
    model = nn.Linear(2, 1, rng=0)
    return nn.fit(model, x, y, loss="mse", epochs=1, progress=False, **options)


MODEL = nn.Linear(2, 1, rng=0)
USES = {
    "x": lambda: fit(MASKED),
    "y": lambda: fit(y=MASKED_Y),
    "sample_weight": lambda: fit(sample_weight=MASKED_WEIGHT),
    "validation": lambda: fit(validation_data=(X, MASKED_Y)),
    "batches": lambda: nn.fit(MODEL, [(X, MASKED_Y)], loss="mse", progress=False),
    "predict": lambda: nn.predict(MODEL, MASKED),
    "evaluate x": lambda: nn.evaluate(MODEL, MASKED, Y, loss="mse"),
    "evaluate y": lambda: nn.evaluate(MODEL, X, MASKED_Y, loss="mse"),
    "evaluate weight": lambda: nn.evaluate(MODEL, X, Y, loss="mse", sample_weight=MASKED_WEIGHT),
    "loss": lambda: nn.mse(Y, MASKED_Y),
    "loss of Values": lambda: nn.mse(ag.Value(Y), MASKED_Y),
    "weight of a loss": lambda: nn.mse(Y, Y, sample_weight=MASKED_WEIGHT),
    "labels": lambda: nn.cross_entropy(X, np.ma.masked_array([0, 1, 0, 1], [1, 0, 0, 0])),
    "metric": lambda: nn.metrics.rmse(Y, MASKED_Y),
    "classes": lambda: nn.metrics.accuracy(X, np.ma.masked_array([0, 1, 0, 1], [1, 0, 0, 0])),
    "state": lambda: MODEL.load_state_dict({"weight": MASKED[:1].T, "bias": [0.0]}),
}


@pytest.mark.parametrize("use", USES)
def test_masked_numbers_are_refused(use):
    with pytest.raises(ag.ArgumentTypeError, match=r"are masked.*give x\.filled"):
        USES[use]()


def test_masked_arrays_of_which_nothing_is_masked_are_arrays():
    np.testing.assert_array_equal(fit(np.ma.masked_array(X), rng=0).loss, fit(X, rng=0).loss)


@pytest.mark.parametrize("column", ["datetime", "date", "timedelta"])
def test_columns_of_dates_are_refused(column):
    pandas = pytest.importorskip("pandas")
    days = pandas.date_range("2020-01-01", periods=4)
    made = {
        "datetime": days, "date": list(days.date), "timedelta": days - days[0]
    }[column]  # fmt: skip
    frame = pandas.DataFrame({"number": [1.0, 2.0, 3.0, 4.0], "other": made})
    for use in (lambda: fit(frame), lambda: nn.predict(MODEL, frame)):
        with pytest.raises(ag.ArgumentTypeError, match="which is not a number; leave that column"):
            use()
    digits = pandas.DataFrame({"number": [1.0, 2.0, 3.0, 4.0], "text": list("1234")})
    with pytest.raises(ag.ArgumentTypeError, match="x has dtype object; it must hold real numb"):
        fit(digits)
    mixed = pandas.DataFrame({"number": [1.0, 2.0, 3.0, 4.0], "is": [True, False, True, True]})
    np.testing.assert_array_equal(
        fit(mixed, rng=0).loss, fit(mixed.to_numpy(np.float64), rng=0).loss
    )


class Frame:
    """Columns that become one array of floats whatever they hold, as a frame of polars does."""

    def __init__(self, **columns):
        self.parts = columns
        self.columns = list(columns)

    def __getitem__(self, name):
        return self.parts[name]

    def __array__(self, dtype=None, copy=None):
        numbers = [np.asarray(part).astype("i8" if name else float).astype(float)
                   for name, part in self.parts.items()]  # fmt: skip
        return np.stack(numbers, axis=1).astype(dtype or float)

    def to_numpy(self, dtype=None):
        return self.__array__(dtype)


DAYS = np.array(["2020-01-01"], "M8[D]") + np.arange(4)


@pytest.mark.parametrize("odd", [DAYS, DAYS - DAYS[0]])
def test_columns_of_times_are_refused_where_the_frame_makes_floats_of_them(odd):
    assert Frame(a=np.arange(4), b=odd).to_numpy().dtype == float
    for use in (
        lambda: fit(Frame(a=np.arange(4), b=odd)),
        lambda: nn.predict(MODEL, Frame(a=np.arange(4), b=odd)),
        lambda: MODEL(Frame(a=np.arange(4), b=odd)),
        lambda: fit(y=Frame(a=odd)),
        lambda: nn.mse(Y, Frame(a=odd)),
    ):
        with pytest.raises(ag.ArgumentTypeError, match=r"holds? (datetime|timedelta)64, which is"):
            use()
    numbers = Frame(a=np.arange(4), b=np.arange(4))
    np.testing.assert_array_equal(fit(numbers, rng=0).loss, fit(numbers.to_numpy(), rng=0).loss)


NO_REALS = {
    "times": DAYS, "durations": DAYS - DAYS[0], "texts": np.array(list("1234")),
    "bytes": np.array(list(b"1234"), "S1"), "complex": np.ones(4) + 1j,
    "texts in objects": np.array(list("1234"), object), "a list of texts": list("1234"),
    "a list of complex": [1j, 1, 1, 1],
}  # fmt: skip


@pytest.mark.parametrize("odd", NO_REALS)
def test_what_is_no_real_number_is_taken_for_none(odd):
    """Conversions would take days for their number, and texts for what they spell."""
    odd, labels = NO_REALS[odd], np.array([0, 1, 0, 1])
    column = np.asarray(odd)[:, np.newaxis]
    wide = np.concatenate([column, column], axis=1)
    for use in (
        lambda: MODEL(wide),
        lambda: nn.LayerNorm(2)(wide),
        lambda: nn.mse(Y, column),
        lambda: nn.mse(Y[:, 0], odd),
        lambda: nn.cross_entropy(X, labels, sample_weight=odd),
        lambda: nn.binary_cross_entropy(Y, column),
        lambda: fit(wide),
        lambda: fit(y=column),
        lambda: fit(sample_weight=odd),
        lambda: fit(validation_data=(X, Y, odd)),
        lambda: nn.fit(MODEL, [(X, Y, odd)], loss="mse", progress=False),
        lambda: nn.evaluate(MODEL, X, Y, loss="mse", sample_weight=odd),
    ):
        with pytest.raises(ag.ArgumentTypeError):
            use()


def test_weights_in_a_column_are_one_for_each_sample():
    weight = np.array([1.0, 2.0, 0.5, 0.5])
    for given in (weight[:, np.newaxis], Frame(weight=weight * 2)):
        expected = fit(sample_weight=np.asarray(given)[:, 0], rng=0).loss
        np.testing.assert_array_equal(fit(sample_weight=given, rng=0).loss, expected)
    with pytest.raises(ag.ArgumentValueError, match=r"sample_weight has shape \(4, 2\)"):
        fit(sample_weight=np.ones((4, 2)))


def test_an_object_that_is_no_samples_is_named():
    with pytest.raises(ag.ArgumentTypeError, match="fit: x is object, which makes no array of sam"):
        fit(object())


def test_what_does_not_count_does_not_where_its_loss_is_infinite():
    logits = ag.Value([[0.0, 1.0], [-np.inf, 0.0]])
    for options in ({"ignore_index": -100}, {"sample_weight": [1, 0]}):
        labels = [1, -100 if "ignore_index" in options else 0]
        loss = nn.cross_entropy(logits, labels, **options)
        np.testing.assert_allclose(float(loss), 0.3132616875182228, rtol=1e-12)  # log(1 + 1/e)
        g = ag.gradients(loss, [logits])[0]
        p = 1 / (1 + np.e)
        np.testing.assert_allclose(g, [[p, -p], [0, 0]], rtol=1e-12)
        loss = nn.cross_entropy(logits, labels, reduction="none", **options)
        np.testing.assert_allclose(loss.data, [0.3132616875182228, 0], rtol=1e-12)


@pytest.mark.parametrize("name", ["mse", "mae", "huber", "binary_cross_entropy"])
def test_samples_of_no_weight_may_be_infinite(name):
    outputs, targets = np.array([[0.5], [-np.inf]]), np.array([[1.0], [1.0]])
    alone = losses[name](outputs[:1], targets[:1])
    np.testing.assert_allclose(losses[name](outputs, targets, sample_weight=[1, 0]), alone)


def test_the_derivative_of_a_weight_of_zero_is_the_loss():
    weight = ag.Value([1.0, 0.0])
    loss = nn.mse(np.array([[1.0], [3.0]]), np.zeros((2, 1)), sample_weight=weight, reduction="sum")
    np.testing.assert_allclose(ag.gradients(loss, [weight])[0], [1.0, 9.0])


def own(outputs, targets):
    return 0.0


QUESTIONS = (np.arange(12).reshape(4, 3) % 2).astype(float)


@pytest.mark.parametrize("loss", ["multilabel", "binary_cross_entropy"])
@pytest.mark.parametrize("targets", [np.eye(3)[[0, 1, 2, 0]], QUESTIONS])
@pytest.mark.parametrize("metric", ["accuracy", "f1", "roc_auc"])
def test_metrics_of_classes_are_refused_where_columns_are_questions(loss, targets, metric):
    model = nn.Linear(2, 3, rng=0)
    before = model.state_dict()
    options = {"loss": loss, "metrics": [metric]}
    for use in (
        lambda: nn.fit(model, X, targets, progress=False, **options),
        lambda: nn.evaluate(model, X, targets, **options),
    ):
        with pytest.raises(ag.ArgumentValueError, match="3 questions of yes or no, and '"):
            use()
    np.testing.assert_array_equal(before["weight"], model.weight.data)
    nn.fit(nn.Linear(2, 1), X, Y > 0, loss="binary_cross_entropy", metrics=["accuracy"],
           epochs=1, progress=False)  # fmt: skip
    nn.fit(model, X, targets, loss=loss, metrics={"own": own}, epochs=1, progress=False)


def test_two_metrics_of_one_name_are_refused():
    def made(number):
        def metric(outputs, targets):
            return number

        return metric

    message = "metrics: two are called 'metric', and a history has one column of a name; pass a "
    with pytest.raises(ag.ArgumentValueError, match=message):
        fit(metrics=[made(1.0), made(2.0)])
    assert fit(metrics={"one": made(1.0), "two": made(2.0)})["two"] == [2.0]
    assert fit(metrics=["rmse", "rmse"]).columns.keys() >= {"rmse"}


def test_two_metrics_of_outputs_that_would_have_one_name_are_refused():
    class Two(nn.Module):
        def __init__(self):
            self.linear = nn.Linear(2, 1, rng=0)

        def forward(self, x):
            y = self.linear(x)
            return {"a": y, "a_b": y}

    with pytest.raises(ag.ArgumentValueError, match="two are called 'a_b_c'"):
        nn.fit(Two(), X, {"a": Y, "a_b": Y}, loss={"a": "mse", "a_b": "mse"}, progress=False,
               metrics={"a": {"b_c": own}, "a_b": {"c": own}})  # fmt: skip


def test_a_model_whose_forward_hook_would_be_lost_is_not_saved(tmp_path):
    model = nn.Sequential(nn.Linear(2, 1, rng=0))
    hook = model[0].register_forward_hook(lambda module, inputs, output: 2 * output)
    with pytest.raises(ag.ArgumentValueError, match=r"Linear has a forward hook.*\.remove\(\)"):
        nn.save(model, tmp_path / "model.npz")
    nn.save(model, tmp_path / "weights.npz", architecture=False)
    hook.remove()
    nn.save(model, tmp_path / "model.npz")
    x = nn.load(tmp_path / "model.npz")(X)
    np.testing.assert_array_equal(x.data, model(X).data)


def test_a_value_in_the_place_of_a_parameter_is_refused():
    model = nn.Linear(4, 1)
    with pytest.raises(ag.ArgumentTypeError, match=r"write \.weight = nn\.Parameter\(\.\.\.\)"):
        model.weight = ag.Value(np.ones((4, 1)))
    model.weight = nn.Parameter(np.ones((4, 1)))
    assert dict(model.named_parameters())["weight"] is model.weight


def test_the_state_of_another_optimizer_is_refused(tmp_path):
    def trained(kind):
        model = nn.Linear(2, 1, rng=0)
        optimizer = kind(model, weight_decay=0.1)
        history = nn.fit(model, X, Y, loss="mse", optimizer=optimizer, epochs=1, progress=False)
        return model, optimizer, history

    model, adam, history = trained(nn.Adam)
    other = nn.AdamW(model)
    with pytest.raises(
        ag.ArgumentValueError, match=r"load it into an optimizer of the class Adam$"
    ):
        other.load_state_dict(adam.state_dict())
    for name in ("run.npz", "run.safetensors"):
        nn.save_checkpoint(model, tmp_path / name, adam, history)
        with pytest.raises(
            nn.FileFormatError, match=r"load it into an optimizer of the class Adam$"
        ):
            nn.load_checkpoint(model, tmp_path / name, other)
        assert other.groups[0].decoupled
        nn.load_checkpoint(model, tmp_path / name, nn.Adam(model))
    older = {name: array for name, array in adam.state_dict().items() if name != "class"}
    nn.Adam(model).load_state_dict(older)


def test_modules_with_slots_are_refused():
    with pytest.raises(ag.ArgumentTypeError, match=r"Own has __slots__.*leave __slots__ out"):

        class Own(nn.Module):
            __slots__ = ("weight",)


class Sum(nn.Module):
    def __init__(self):
        self.layer = nn.Linear(2, 1, rng=0)

    def forward(self, a, b):
        return self.layer(a) + b


ROWS = np.random.default_rng(0).normal(size=(6, 2))
ONE = ROWS[:1, :1]
USES_OF_DATA = {
    "predict": lambda model, x, y: nn.predict(model, x),
    "evaluate": lambda model, x, y: nn.evaluate(model, x, y, loss=squares, metrics=[squares]),
    "fit": lambda model, x, y: nn.fit(model, x, y, loss=squares, epochs=1, progress=False),
    "fit_lbfgs": lambda model, x, y: nn.fit_lbfgs(model, x, y, loss=squares),
}


def squares(outputs, targets):
    return np.mean((outputs - targets) ** 2)


@pytest.mark.parametrize("use", USES_OF_DATA)
def test_one_sample_is_not_paired_with_all_others(use):
    """Of data of different lengths broadcasting would make pairs, of one batch or of another."""
    call = USES_OF_DATA[use]
    for x in ((ROWS, ONE), (ROWS[:1], ROWS[:, :1]), {"a": ROWS, "b": ONE}):
        with pytest.raises(ag.ArgumentValueError, match="same number of samples"):
            call(Sum(), x, ROWS[:, :1])
    if use != "predict":
        with pytest.raises(ag.ArgumentValueError, match="samples"):
            call(nn.Linear(2, 1, rng=0), ROWS, ONE)


@pytest.mark.parametrize("use", USES_OF_DATA)
def test_what_makes_no_array_of_samples_is_refused(use):
    torch = pytest.importorskip("torch")
    moved = torch.ones((6, 2), requires_grad=True)
    for x in (3.0, None, {1, 2}, iter(ROWS), moved, ROWS + 1j, ROWS.astype("M8[s]")):
        with pytest.raises(ag.AutogradError):
            USES_OF_DATA[use](nn.Linear(2, 1, rng=0), x, ROWS[:, :1])


def test_the_messages_for_data_that_are_no_samples():
    model = nn.Linear(2, 1, rng=0)
    for x, message in (
        (
            (ROW for ROW in ROWS),
            "predict: x is generator, which makes no array of samples; pass an array, samples "
            "first, or a tuple or dict of them, and batches one by one",
        ),
        (
            ROWS + 1j,
            "the input of a layer holds complex128, which is not a real number; leave it out, or "
            "make a number of it",
        ),
    ):
        with pytest.raises(ag.ArgumentTypeError) as error:
            nn.predict(model, x)
        assert str(error.value) == message


class ForeignError(Exception):
    """An error of a library of frames, which derives from none of Python's."""


class Unreadable:
    """Numbers of which their library makes no array, as Polars does of integers of 128 bits."""

    shape, columns = (2, 2), ("a", "b")

    def __len__(self):
        return 2

    def __array__(self, dtype=None, copy=None):
        raise ForeignError("datatype not supported")


@pytest.mark.parametrize("use", [
    lambda odd: nn.fit(nn.Linear(2, 2), odd, [0, 1], loss="cross_entropy", progress=False),
    lambda odd: nn.predict(nn.Linear(2, 2), odd),
    lambda odd: nn.Linear(2, 2)(odd),
    lambda odd: nn.mse(np.ones((2, 2)), odd),
    lambda odd: nn.metrics.rmse(odd, np.ones((2, 2))),
    lambda odd: nn.metrics.accuracy(odd, [0, 1]),
    lambda odd: nn.Linear(2, 2).load_state_dict({"weight": odd, "bias": [0.0, 0.0]}),
    lambda odd: nn.load_torch_state_dict(nn.Linear(2, 2), {"weight": odd, "bias": [0.0, 0.0]}),
])  # fmt: skip
def test_errors_of_other_libraries_are_refusals_by_name(use):
    with pytest.raises(ag.ArgumentTypeError, match=r"Unreadable.* no array.*datatype not supp"):
        use(Unreadable())
