"""Models of several inputs and outputs, by name or in their order, and validation by batches."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
import nn

DRAWS = np.random.default_rng(0)
WIDE, DEEP = DRAWS.normal(size=(40, 2)), DRAWS.normal(size=(40, 5))
PRICE = DRAWS.normal(size=(40, 1))
KIND = DRAWS.integers(0, 3, 40)
WEIGHT = DRAWS.uniform(0.5, 2, 40)

INPUTS = {"wide": WIDE, "deep": DEEP}
TARGETS = {"price": PRICE, "kind": KIND}


class WideAndDeep(nn.Module):
    """Two inputs and two outputs by name; or in their order, if ``ordered`` is a type."""

    def __init__(self, ordered=None):
        self.ordered = ordered
        self.deep = nn.MLP(5, [8, 4], rng=0)
        self.price, self.kind = nn.Linear(6, 1, rng=1), nn.Linear(6, 3, rng=2)

    def forward(self, wide, deep):
        joined = np.concatenate([wide, self.deep(deep)], axis=-1)
        if self.ordered is not None:
            return self.ordered([self.price(joined), self.kind(joined)])
        return {"price": self.price(joined), "kind": self.kind(joined)}


def weighted(outputs, targets, sample_weight=None):
    options = {} if sample_weight is None else {"sample_weight": sample_weight}
    price = nn.mse(outputs["price"], targets["price"], **options)
    kind = nn.cross_entropy(outputs["kind"], targets["kind"], **options)
    return 2.0 * price + 0.5 * kind


def fit(model, x=None, y=None, **options):
    options = {"epochs": 3, "batch_size": 16, "rng": 0, "progress": False} | options
    options["optimizer"] = nn.Adam(model, 0.01)
    return nn.fit(model, INPUTS if x is None else x, TARGETS if y is None else y, **options)


BOTH = {"loss": {"price": "mse", "kind": "cross_entropy"},
        "loss_weights": {"price": 2.0, "kind": 0.5}}  # fmt: skip


@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_a_loss_for_each_output_is_their_weighted_sum(compile, weight):
    one, other = WideAndDeep(), WideAndDeep()
    options = {"sample_weight": weight, "validation_split": 0.25, "compile": compile}
    history = fit(one, **BOTH, **options)
    expected = fit(other, loss=weighted, **options)
    for name in ("loss", "validation_loss"):
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-12)
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-10)
    for name in ("", "validation_"):
        total = 2 * np.array(history[f"{name}price_loss"]) + history[f"{name}kind_loss"] * np.array(
            0.5
        )
        np.testing.assert_allclose(total, history[f"{name}loss"], rtol=1e-12)


@pytest.mark.parametrize("kind", [tuple, list])
def test_outputs_in_their_order(kind):
    named, ordered = WideAndDeep(), WideAndDeep(kind)
    expected = fit(named, **BOTH)
    history = fit(ordered, (WIDE, DEEP), (PRICE, KIND), loss=["mse", "cross_entropy"],
                  loss_weights=[2.0, 0.5], metrics=[["rmse"], ["accuracy"]])  # fmt: skip
    assert history.loss == expected.loss
    assert history["1_loss"] == expected["kind_loss"]
    assert list(history.columns) == [
        "loss", "0_loss", "1_loss", "0_rmse", "1_accuracy", "learning_rate",
    ]  # fmt: skip


def test_metrics_by_the_names_of_outputs():
    model = WideAndDeep()
    metrics = {"price": ["rmse", "r2"], "kind": {"hits": "accuracy"}}
    fit(model, **BOTH, metrics=metrics, validation_data=(INPUTS, TARGETS), epochs=1)
    outputs = nn.predict(model, INPUTS)
    numbers = nn.evaluate(model, INPUTS, TARGETS, **BOTH, metrics=metrics)
    assert numbers["price_rmse"] == nn.metrics.rmse(outputs["price"], PRICE)
    assert numbers["price_r2"] == nn.metrics.r2(outputs["price"], PRICE)
    assert numbers["kind_hits"] == nn.metrics.accuracy(outputs["kind"], KIND)
    np.testing.assert_allclose(numbers["loss"], weighted(outputs, TARGETS), rtol=1e-12)
    heavy = nn.evaluate(model, INPUTS, TARGETS, **BOTH, sample_weight=WEIGHT)
    np.testing.assert_allclose(heavy["loss"], weighted(outputs, TARGETS, WEIGHT), rtol=1e-12)
    np.testing.assert_allclose(
        heavy["price_loss"], nn.mse(outputs["price"], PRICE, sample_weight=WEIGHT), rtol=1e-12
    )


def test_callbacks_watch_the_numbers_of_an_output():
    for monitor, mode in (("kind_accuracy", 1), ("price_loss", -1)):
        stop = nn.EarlyStopping(f"validation_{monitor}", patience=2)
        history = fit(WideAndDeep(), **BOTH, metrics={"kind": "accuracy"}, epochs=20,
                      validation_split=0.3, callbacks=stop)  # fmt: skip
        column = mode * np.array(history[f"validation_{monitor}"])
        assert stop.best_epoch == int(np.argmax(column))


def test_an_output_of_probabilities():
    class Two(nn.Module):
        def __init__(self):
            self.linear = nn.Linear(2, 1, rng=0)

        def forward(self, x):
            return {"yes": nn.sigmoid(self.linear(x))}

    from functools import partial

    loss = {"yes": partial(nn.binary_cross_entropy, from_logits=False)}
    labels = (WIDE[:, :1] > 0).astype(int)
    numbers = nn.evaluate(Two(), WIDE, {"yes": labels}, loss=loss, metrics={"yes": "accuracy"})
    outputs = nn.predict(Two(), WIDE)["yes"]
    assert numbers["yes_accuracy"] == np.mean((outputs > 0.5) == labels)


def test_five_lines_for_a_wide_and_deep_network():
    model = nn.Sequential(
        nn.Concatenate(wide="identity", deep=nn.MLP(5, [8, 4], rng=0)), nn.Linear(6, 1, rng=1)
    )
    history = fit(model, INPUTS, PRICE, loss="mse", epochs=30, batch_size=40)
    assert history.loss[-1] < 0.9 * history.loss[0]
    joined = np.concatenate([WIDE, nn.predict(model[0].branches[1], DEEP)], axis=-1)
    np.testing.assert_allclose(nn.predict(model, INPUTS), nn.predict(model[1], joined), rtol=1e-12)


@pytest.mark.parametrize("kind", ["named branches", "own class"])
def test_models_of_named_inputs_are_saved_summed_up_and_resumed(kind, tmp_path):
    def make():
        if kind == "own class":
            return WideAndDeep()
        return nn.Sequential(nn.Concatenate(wide="relu", deep=nn.Linear(5, 4, rng=0)),
                             nn.Linear(6, 1, rng=1))  # fmt: skip

    options, y = (BOTH, TARGETS) if kind == "own class" else ({"loss": "mse"}, PRICE)
    model = make()
    fit(model, INPUTS, y, **options)
    nn.save(model, tmp_path / "model.npz")
    twin = nn.load(tmp_path / "model.npz", classes=[WideAndDeep])
    one, other = (nn.predict(m, INPUTS) for m in (model, twin))
    for a, b in zip(*(x.values() if isinstance(x, dict) else [x] for x in (one, other)),
                    strict=True):  # fmt: skip
        np.testing.assert_array_equal(a, b)
    shapes = [line.shape for line in model.summary(INPUTS).layers]
    assert None not in shapes
    rng, whole = np.random.default_rng(3), make()
    expected = nn.fit(whole, INPUTS, y, optimizer=nn.Adam(whole), epochs=3, rng=rng,
                      progress=False, **options)  # fmt: skip
    part, rng = make(), np.random.default_rng(3)
    optimizer, path = nn.Adam(part), tmp_path / "run.npz"
    nn.fit(part, INPUTS, y, optimizer=optimizer, epochs=1, rng=rng, progress=False,
           callbacks=nn.Checkpoint(path), **options)  # fmt: skip
    again, rng = make(), np.random.default_rng(9)
    optimizer = nn.Adam(again)
    history = nn.load_checkpoint(again, path, optimizer, rng)
    history = nn.fit(again, INPUTS, y, optimizer=optimizer, epochs=2, rng=rng, history=history,
                     progress=False, **options)  # fmt: skip
    assert history.columns == expected.columns


def test_frames_in_a_dict():
    pandas = pytest.importorskip("pandas")
    frames = {"wide": pandas.DataFrame(WIDE, columns=["a", "b"]), "deep": DEEP.tolist()}
    one, other = WideAndDeep(), WideAndDeep()
    assert fit(one, frames, **BOTH).columns == fit(other, **BOTH).columns


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nn.predict(WideAndDeep(), {"wide": WIDE, "depth": DEEP}),
            "WideAndDeep: missing a required argument: 'deep'; the inputs are named wide, depth, "
            "and forward takes (wide, deep): name them alike",
        ),
        (
            lambda: nn.predict(WideAndDeep(), WIDE),
            "WideAndDeep: missing a required argument: 'deep'; there is one input, and forward "
            "takes (wide, deep): pass as many, several to fit and predict in a tuple, or by name "
            "in a dict",
        ),
        (
            lambda: nn.Sequential(nn.Linear(3, 2), "tanh")(DEEP, DEEP),
            "Linear: too many positional arguments; there are 2 inputs, and forward takes (x): "
            "pass as many, several to fit and predict in a tuple, or by name in a dict",
        ),
        (
            lambda: nn.Linear(3, 2).summary((DEEP, DEEP)),
            "Linear: too many positional arguments; there are 2 inputs, and forward takes (x): "
            "pass as many, several to fit and predict in a tuple, or by name in a dict",
        ),
        (
            lambda: nn.predict(nn.Concatenate(a="relu", b="tanh"), {"a": WIDE, "c": WIDE}),
            "Concatenate: the inputs are named a, c, but the branches a, b; name them alike",
        ),
        (
            lambda: nn.predict(nn.Concatenate("relu", "tanh"), {"a": WIDE, "c": WIDE}),
            "Concatenate: the inputs are named a, c, but the branches have no names; name them "
            "alike",
        ),
        (
            lambda: nn.Concatenate("relu", b="tanh"),
            "Concatenate: some branches have names and others have none; name all or none",
        ),
        (
            lambda: fit(WideAndDeep(), loss={"prize": "mse"}),
            "there is a loss or metric for the output 'prize', but the model returns 'price', "
            "'kind'; give losses, metrics and targets the names, or the order, of the model's "
            "outputs",
        ),
        (
            lambda: fit(WideAndDeep(), loss={"price": "mse"}, metrics={"kin": "accuracy"}),
            "there is a loss or metric for the output 'kin', but the model returns 'price', "
            "'kind'; give losses, metrics and targets the names, or the order, of the model's "
            "outputs",
        ),
        (
            lambda: fit(WideAndDeep(), y={"price": PRICE}, **BOTH),
            "there is a loss or metric for the output 'kind', but the targets are 'price'; give "
            "losses, metrics and targets the names, or the order, of the model's outputs",
        ),
        (
            lambda: fit(WideAndDeep(tuple), y=(PRICE, KIND), loss=["mse", "nll", "mse"]),
            "there is a loss or metric for the output 2, but the model returns 2 in a tuple; give "
            "losses, metrics and targets the names, or the order, of the model's outputs",
        ),
        (
            lambda: fit(WideAndDeep(), loss="mse"),
            "fit: the model returns 2 outputs in a dict, and the loss is of one; pass one for "
            "each, such as loss={'price': 'mse', 'kind': 'mse'}",
        ),
        (
            lambda: fit(WideAndDeep(), **BOTH | {"loss_weights": {"prize": 1.0}}),
            "fit: loss_weights is {'prize': 1.0}; give one finite number for each of the losses "
            "'price', 'kind'",
        ),
        (
            lambda: fit(WideAndDeep(), **BOTH | {"loss_weights": [1.0]}),
            "fit: loss_weights is [1.0]; give one finite number for each of the losses 'price', "
            "'kind'",
        ),
        (
            lambda: fit(WideAndDeep(), **BOTH, metrics="accuracy"),
            "fit: the model has several outputs, and a metric is of one of them; pass "
            "metrics={'price': ['accuracy']}",
        ),
        (
            lambda: fit(WideAndDeep(), INPUTS | {"wide": WIDE[:3]}, **BOTH),
            "fit: x['wide'] has shape (3, 2) and x['deep'] has shape (40, 5) and y['price'] has "
            "shape (40, 1) and y['kind'] has shape (40,); both need the same number of samples, "
            "at least one, along their first axis",
        ),
        (
            lambda: fit(WideAndDeep(), **BOTH, class_weight="balanced"),
            "fit: class_weight needs class numbers as targets, one for each sample or one-hot "
            "rows; give sample_weight instead",
        ),
        (lambda: fit(WideAndDeep(), loss={}), "fit: loss is empty; give one for each output"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ag.AutogradError) as error:
        call()
    assert str(error.value) == message


# Validation by batches.


def batches(size, weighted=False):
    rows = [slice(start, start + size) for start in range(0, 40, size)]
    if weighted:
        return [(DEEP[r], PRICE[r], WEIGHT[r]) for r in rows]
    return [(DEEP[r], PRICE[r]) for r in rows]


class Loader:
    """Batches of an object that begins anew each time."""

    def __init__(self, given):
        self.given = given

    def __iter__(self):
        return iter(self.given)


@pytest.mark.parametrize("make", [list, Loader], ids=["list", "object"])
@pytest.mark.parametrize("size", [16, 20, 40])
@pytest.mark.parametrize("weighted", [False, True])
def test_validation_by_batches_gives_the_numbers_of_all(make, size, weighted):
    def history(data):
        return nn.fit(nn.Linear(5, 1, rng=0), DEEP, PRICE, loss="mse", metrics=["rmse", "r2"],
                      epochs=2, validation_data=data, rng=0, progress=False)  # fmt: skip

    given = make(batches(size, weighted))
    whole = (DEEP, PRICE, WEIGHT) if weighted else (DEEP, PRICE)
    found, expected = history(given), history(whole)
    assert found.columns.keys() == expected.columns.keys()
    for name, column in expected.columns.items():
        np.testing.assert_allclose(found[name], column, rtol=1e-12)
    model = nn.Linear(5, 1, rng=0)
    numbers = nn.evaluate(model, given, loss="mse", metrics="mae")
    weight = {"sample_weight": WEIGHT} if weighted else {}
    plain = nn.evaluate(model, DEEP, PRICE, loss="mse", metrics="mae", **weight)
    for name, number in plain.items():
        np.testing.assert_allclose(numbers[name], number, rtol=1e-12)


def test_validation_by_a_loader_of_pytorch():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.tensor(DEEP), torch.tensor(PRICE))
    loader = torch.utils.data.DataLoader(data, batch_size=16)
    model = nn.Linear(5, 1, rng=0)
    history = nn.fit(model, loader, loss="mse", epochs=1, validation_data=loader, progress=False)
    expected = nn.evaluate(model, DEEP, PRICE, loss="mse")["loss"]
    np.testing.assert_allclose(history.validation_loss, [expected], rtol=1e-12)


@pytest.mark.parametrize("given", [iter(batches(16)), "data", 3, DEEP, (DEEP,), {"x": DEEP}])
def test_what_is_no_validation_data(given):
    with pytest.raises(ag.ArgumentTypeError, match=r"pass a tuple \(x, y\)"):
        nn.fit(nn.Linear(5, 1), DEEP, PRICE, loss="mse", validation_data=given, progress=False)


def test_evaluate_takes_weights_of_an_iterable_from_its_batches():
    with pytest.raises(ag.ArgumentValueError, match="an iterable gives weights as"):
        nn.evaluate(nn.Linear(5, 1), batches(16), loss="mse", sample_weight=WEIGHT)


def test_an_error_from_within_forward_stays_what_it_is():
    class Confused(nn.Module):
        def forward(self, x):
            return self.helped(x, 1)

        def helped(self, x):
            return x

    with pytest.raises(TypeError, match=r"helped\(\) takes 2 positional arguments but 3") as error:
        Confused()(DEEP)
    assert type(error.value) is TypeError
