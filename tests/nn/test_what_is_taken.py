"""Data, options and outputs are taken as people have them, or one line says what to do."""

from __future__ import annotations

import traceback
from collections import namedtuple

import numpy as np
import pytest

import autograd_lite as ag
import nn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 3))
Y = X[:, :1] - X[:, 1:2]


def fit(model, x=X, y=Y, **options):
    defaults = {"loss": "mse", "epochs": 2, "rng": 0, "progress": False}
    return nn.fit(model, x, y, **(defaults | options))


def line():
    return nn.Linear(3, 1, rng=0)


def weights_of(model):
    return np.concatenate([p.data.ravel() for p in model.parameters()])


def same_training(x, y, **options):
    expected, model = line(), line()
    fit(expected)
    fit(model, x, y, **options)
    np.testing.assert_allclose(weights_of(model), weights_of(expected), rtol=1e-12)


# Outputs.

Pair = namedtuple("Pair", ["number", "score"])


class Several(nn.Module):
    def __init__(self, form):
        self.first, self.second = nn.Linear(3, 1, rng=0), nn.Linear(3, 2, rng=1)
        vars(self)["form"] = form

    def forward(self, x):
        return self.form(self.first(x), self.second(x))


FORMS = {
    "tuple": (lambda a, b: (a, b), lambda out: out),
    "list": (lambda a, b: [a, b], lambda out: out),
    "dict": (lambda a, b: {"a": a, "b": b}, lambda out: (out["a"], out["b"])),
    "nested": (lambda a, b: {"a": [a], "b": (b,)}, lambda out: (out["a"][0], out["b"][0])),
    "named": (Pair, lambda out: (out.number, out.score)),
}


@pytest.mark.filterwarnings("ignore:fit. the training step runs uncompiled")
@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize("name", FORMS)
def test_models_return_tuples_lists_and_dicts(name, compile):
    form, parts = FORMS[name]
    model = Several(form)

    def loss(outputs, targets):
        a, b = parts(outputs)
        return nn.mse(a, targets) + nn.mse(b[:, :1], targets)

    def error(outputs, targets):
        return nn.metrics.rmse(parts(outputs)[0], targets)

    fit(model, loss=loss, metrics=[error], validation_data=(X, Y), compile=compile, batch_size=6)
    outputs = nn.predict(model, X, batch_size=7)
    assert type(outputs) is type(form(0, 0))
    a, b = parts(outputs)
    np.testing.assert_allclose(a, model.first(X).data)
    np.testing.assert_allclose(b, model.second(X).data)


def test_tied_weights_count_once_and_parameters_of_containers_too():
    model = nn.Sequential(nn.Linear(3, 3, rng=0), "tanh", nn.Linear(3, 3, rng=1))
    model[2].weight = model[0].weight
    summary = model.summary(X)
    assert [line.parameters for line in summary.layers] == [12, 0, 3]
    assert summary.parameters == 15 == sum(p.size for p in model.parameters())
    model.scale = nn.Parameter(np.ones(3))
    assert model.summary().parameters == 18
    assert model.summary().layers[0].layer == "Sequential"


# Options.


def test_optimizers_by_name():
    for name in ("adam", "Adam", "ADAM"):
        same_training(X, Y, optimizer=name)
    with pytest.raises(ag.ArgumentValueError) as error:
        fit(line(), optimizer="adamax")
    assert str(error.value) == (
        "fit: there is no optimizer 'adamax'; use one of sgd, rmsprop, adagrad, adadelta, adam, "
        "adamw, nadam, lion, or pass an optimizer such as nn.Adam(model)"
    )


def test_single_callbacks_and_metrics():
    history = fit(line(), metrics="rmse", callbacks=nn.EarlyStopping("rmse", patience=0))
    assert list(history.columns) == ["loss", "rmse", "learning_rate"]
    history = fit(line(), metrics=nn.metrics.mae)
    assert list(history.columns) == ["loss", "mae", "learning_rate"]
    assert list(nn.evaluate(line(), X, Y, metrics="r2")) == ["r2"]


def test_what_is_no_callback_is_refused():
    with pytest.raises(ag.ArgumentTypeError) as error:
        fit(line(), callbacks=[nn.EarlyStopping])
    assert str(error.value) == (
        "fit: <class 'nn.training.callbacks.EarlyStopping'> is not a callback; pass objects of "
        "classes that derive from nn.Callback"
    )


def test_a_checkpoint_of_unknown_format_is_refused_at_once():
    with pytest.raises(ag.ArgumentValueError) as error:
        nn.Checkpoint("m.keras")
    assert str(error.value) == (
        "m.keras: the suffix '.keras' names no format; use one of .npz, .safetensors"
    )


@pytest.mark.parametrize("validation_data", [5, "x", (X,), (X, Y, None, None)])
def test_validation_data_of_another_form_are_refused(validation_data):
    with pytest.raises(
        ag.AutogradError, match=r"fit: validation_data is .*; pass a tuple \(x, y\)"
    ):
        fit(line(), validation_data=validation_data)


# Data.


def test_batches_of_pytorch_are_lists_of_tensors():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    loader = torch.utils.data.DataLoader(data, batch_size=5)
    arrays = [(X[i : i + 5], Y[i : i + 5]) for i in range(0, 20, 5)]
    models = [line(), line()]
    for model, batches in zip(models, (loader, arrays), strict=True):
        fit(model, batches, None)
    np.testing.assert_array_equal(weights_of(models[0]), weights_of(models[1]))
    same_training(torch.tensor(X), torch.tensor(Y))


def test_numbers_of_pytorch_that_numpy_has_no_dtype_for():
    torch = pytest.importorskip("torch")
    numbers = torch.tensor(X).to(torch.bfloat16)
    rounded = numbers.double().numpy()
    models = [line(), line()]
    for model, x in zip(models, (numbers, rounded), strict=True):
        fit(model, x)
    np.testing.assert_array_equal(weights_of(models[0]), weights_of(models[1]))
    np.testing.assert_array_equal(nn.predict(models[0], numbers), nn.predict(models[0], rounded))
    assert nn.metrics.rmse(numbers, X) == nn.metrics.rmse(rounded, X)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16", "float8_e4m3fn"])
def test_weights_of_pytorch_in_every_dtype_and_as_its_parameters(dtype):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Linear(3, 2).to(getattr(torch, dtype))
    wanted = theirs.weight.detach().double().numpy().T
    for state in (theirs.state_dict(), dict(theirs.named_parameters())):
        model = nn.Linear(3, 2, rng=0)
        nn.load_torch_state_dict(model, state)
        np.testing.assert_array_equal(model.weight.data, wanted)
        model.load_state_dict({"weight": state["weight"].T, "bias": state["bias"]})
        np.testing.assert_array_equal(model.weight.data, wanted)


class Labelled:
    """An array with names for its axes, as xarray has it: asked like one of Dask, it is none."""

    chunks = None

    def __init__(self, numbers):
        self.numbers, self.shape, self.dtype = numbers, numbers.shape, numbers.dtype

    def __len__(self):
        return len(self.numbers)

    def __dask_graph__(self):
        return None

    def __array__(self, dtype=None, copy=None):
        return self.numbers.astype(dtype or self.dtype)


def test_arrays_that_might_hold_chunks_of_dask_and_do_not():
    x, y = Labelled(X), Labelled(Y)
    same_training(x, y)
    same_training(x, y, validation_data=(x, y))
    model = line()
    np.testing.assert_array_equal(nn.predict(model, x), nn.predict(model, X))
    assert nn.evaluate(model, x, y, loss="mse") == nn.evaluate(model, X, Y, loss="mse")
    histories = [nn.fit_lbfgs(line(), *data, loss="mse") for data in ((x, y), (X, Y))]
    assert histories[0].loss == histories[1].loss


def test_frames_of_numbers_and_bools():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": X[:, 0], "kind": list("xyyx" * 5)})
    dummies = pandas.get_dummies(frame)
    assert set(map(str, dummies.dtypes)) == {"float64", "bool"}
    model, twin = line(), line()
    fit(model, dummies, pandas.DataFrame(Y))
    fit(twin, dummies.to_numpy(float))
    np.testing.assert_array_equal(weights_of(model), weights_of(twin))
    assert nn.predict(model, dummies).shape == (20, 1)
    with pytest.raises(ag.ArgumentTypeError) as error:
        fit(line(), frame)
    assert str(error.value).startswith("fit: x has dtype object; it must hold real numbers: of ")


@pytest.mark.parametrize("form", ["coo", "csc", "dia", "csr", "lil", "bsr", "dok"])
def test_sparse_matrices_of_every_form(form):
    sparse = pytest.importorskip("scipy.sparse")
    x = np.where(np.abs(X) > 0.5, X, 0)
    model, twin = line(), line()
    for matrix in (sparse.coo_matrix(x).asformat(form), sparse.coo_array(x).asformat(form)):
        model, twin = line(), line()
        fit(model, matrix)
        fit(twin, x)
        np.testing.assert_allclose(weights_of(model), weights_of(twin), rtol=1e-12)
        np.testing.assert_allclose(nn.predict(model, matrix), nn.predict(twin, x), rtol=1e-12)


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "binary_cross_entropy", "hinge"])
def test_a_column_of_outputs_and_single_labels(loss):
    y = (Y > 0).astype(float)
    models = [line(), line()]
    histories = [
        fit(model, X, labels, loss=loss, metrics=["mae"], validation_data=(X, labels))
        for model, labels in zip(models, (y, y[:, 0]), strict=True)
    ]
    np.testing.assert_array_equal(weights_of(models[0]), weights_of(models[1]))
    assert histories[0].columns == histories[1].columns
    with pytest.raises(ag.ArgumentValueError, match=r"the (targets|labels) have shape"):
        nn.losses.losses[loss](np.zeros((4, 1)), np.zeros(1))


def test_numbers_of_longdouble():
    same_training(X.astype(np.longdouble), Y.astype(np.longdouble))
    assert nn.metrics.rmse(Y.astype(np.longdouble), Y) == 0.0


# History.


def test_histories_with_metrics_that_came_later_become_frames():
    pandas = pytest.importorskip("pandas")
    model = line()
    history = fit(model)
    fit(model, history=history, metrics=["mae"], validation_data=(X, Y))
    fit(model, history=history, epochs=1)
    frame = history.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert frame["loss"].notna().all()
    assert frame["mae"].isna().tolist() == [True, True, False, False, True]
    assert len(history) == 5
    history.append(own=3.0)
    assert len(history) == 5
    assert history["own"][-1] == 3.0


# Errors.


@pytest.mark.parametrize("compile", [True, False])
def test_a_traceback_shows_the_cause_once(compile):
    def loss(outputs, targets):
        raise ValueError("the cause")

    with pytest.raises(ValueError, match="the cause") as error:
        fit(line(), loss=loss, compile=compile)
    text = "".join(traceback.format_exception(error.value))
    assert text.count("ValueError: the cause") == 1
    with pytest.raises(ag.ArgumentValueError) as error:
        fit(line(), X, np.full(20, 3), loss="cross_entropy", compile=compile)
    text = "".join(traceback.format_exception(error.value))
    assert text.count("cross_entropy: the label") == 1
    assert "During handling" not in text
    assert "direct cause" not in text


def test_errors_of_files_show_the_cause_once(tmp_path):
    path = tmp_path / "model.npz"
    nn.save(nn.Linear(2, 3), path)
    with pytest.raises(nn.FileFormatError) as error:
        nn.load_weights(nn.Linear(2, 2), path)
    text = "".join(traceback.format_exception(error.value))
    assert text.count("has shape") == 1
