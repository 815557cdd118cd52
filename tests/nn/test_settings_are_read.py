"""Every setting is read, or refused by name: none is accepted and then passed over."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn.optimizers.base import optimizers

OF_EACH = {"lr": 0.5, "parameters": []}
BAD_FLAGS = ("no", "False", 1, 0, None)


@pytest.mark.parametrize("kind", optimizers.values(), ids=optimizers)
def test_an_optimizer_refuses_what_belongs_to_its_groups(kind):
    optimizer = kind(nn.Linear(2, 1))
    for name in {**vars(optimizer.groups[0]), **OF_EACH}:
        written = "learning_rate" if name == "lr" else name
        with pytest.raises(ag.ArgumentTypeError, match=rf"groups\[0\]\.{written} = 0\.5$"):
            setattr(optimizer, name, 0.5)
    optimizer.lr_scale, optimizer.note = 0.5, "its own"


@pytest.mark.parametrize("kind", optimizers.values(), ids=optimizers)
def test_a_group_refuses_what_nothing_reads_and_what_is_out_of_range(kind):
    group = kind(nn.Linear(2, 1)).groups[0]
    with pytest.raises(ag.ArgumentValueError, match="no hyperparameter 'lr'; use one of"):
        group.lr = 0.5
    for name, number in vars(group).copy().items():
        if name == "parameters":
            continue
        wrong = BAD_FLAGS if isinstance(number, bool) else (-1.0, np.nan, "a", None, True, [0.1])
        for value in wrong:
            with pytest.raises(ag.AutogradError, match=name):
                setattr(group, name, value)
            with pytest.raises(ag.AutogradError, match=name):
                kind(nn.Linear(2, 1), **{name: value})
        assert getattr(group, name) == number
    group.learning_rate = 0  # rests


def test_hyperparameters_of_ones_own_are_numbers():
    with pytest.raises(ag.ArgumentTypeError, match=r"betas is .*; it must be a number$"):
        nn.Optimizer(nn.Linear(2, 1), 0.1, betas=(0.9, 0.99))
    group = nn.Optimizer(nn.Linear(2, 1), 0.1, reach=3).groups[0]
    group.reach = 4
    assert group.reach == 4


def test_a_state_brings_the_hyperparameters_that_it_belongs_to():
    """PyTorch's load_state_dict does so too: the velocity comes with its momentum."""
    for kind, options in ((nn.SGD, {"momentum": 0.9}), (nn.Adam, {"amsgrad": True})):
        weights = [nn.Parameter([1.0, 2.0]) for _ in range(2)]
        first, second = kind([weights[0]], 0.1, **options), kind([weights[1]], 0.5)
        for _ in range(3):
            weights[0].grad = weights[0].data.copy()
            first.step()
        second.load_state_dict(first.state_dict())
        weights[1].data = weights[0].data.copy()
        for weight, optimizer in zip(weights, (first, second), strict=True):
            weight.grad = np.array([0.5, -3.0])
            optimizer.step()
        np.testing.assert_array_equal(weights[0].data, weights[1].data)


def test_momentum_that_is_switched_on_late_begins_undampened():
    torch = pytest.importorskip("torch")
    ours, theirs = nn.Parameter([1.0, -2.0]), torch.nn.Parameter(torch.tensor([1.0, -2.0]).double())
    first = nn.SGD([ours], 0.1, dampening=0.5)
    second = torch.optim.SGD([theirs], 0.1, dampening=0.5)
    for step in range(5):
        if step == 2:
            first.groups[0].momentum = second.param_groups[0]["momentum"] = 0.9
        ours.grad, theirs.grad = np.cos(ours.data), torch.cos(theirs.detach())
        first.step()
        second.step()
        np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=1e-12)


ZEROS = np.zeros((2, 2))
FLAGS = {
    "use_bias": lambda flag: nn.Linear(2, 1, use_bias=flag),
    "approximate": lambda flag: nn.gelu(ZEROS, approximate=flag),
    "from_logits": lambda flag: nn.binary_cross_entropy(ZEROS, ZEROS, from_logits=flag),
    "from_logits of a metric": lambda flag: nn.metrics.accuracy([0.2], [1], from_logits=flag),
    "from_logits of labels": lambda flag: nn.predicted_labels([0.2], from_logits=flag),
    "restore_best": lambda flag: nn.EarlyStopping(restore_best=flag),
    "best_only": lambda flag: nn.Checkpoint("run.npz", best_only=flag),
    "architecture": lambda flag: nn.save(nn.Linear(1, 1), "model.npz", architecture=flag),
    "strict": lambda flag: nn.Linear(1, 1).load_state_dict({}, strict=flag),
}


@pytest.mark.parametrize("name", FLAGS)
@pytest.mark.parametrize("flag", BAD_FLAGS)
def test_truth_values_are_true_or_false(name, flag, tmp_path, monkeypatch):
    """PyTorch's gelu(approximate="none") is the exact one; as a truth value it was not."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ag.ArgumentTypeError, match=f"{name.split()[0]} is .*; pass True or False$"):
        FLAGS[name](flag)


REFUSED = {
    "patience": (lambda: nn.EarlyStopping(patience=2.5), "a whole number of epochs"),
    "true patience": (lambda: nn.EarlyStopping(patience=True), "a number that is not negative"),
    "smallest": (lambda: nn.ReduceOnPlateau(smallest="a"), "smallest is 'a'"),
    "best of every": (
        lambda: nn.Checkpoint("run.npz", best_only=True, every=2),
        "leave one of both out",
    ),
    "slope": (lambda: nn.PReLU(slope=1j), "slope is 1j; it must be a finite number"),
    "infinite slope": (lambda: nn.PReLU(slope=np.inf), "it must be a finite number"),
    "slopes": (lambda: nn.PReLU(2, slope=[0.1, 0.2]), "it must be a finite number"),
    "initializer": (lambda: nn.Linear(2, 1, initializer="he"), "use one of constant, glorot_"),
    "no initializer": (lambda: nn.MLP(2, [1], initializer=3), "MLP: initializer is 3; use one of"),
    "option": (lambda: nn.Activation("relu", axis=1), "has no options; leave 'axis' out"),
    "options": (lambda: nn.Activation("elu", slope=1), "takes alpha; leave 'slope' out"),
    "n_classes": (
        lambda: nn.metrics.confusion_matrix([0.2], [1], n_classes=2.5),
        "it must be a positive integer",
    ),
    "momentum": (lambda: nn.BatchNorm1d(2, momentum=True), r"it must be in \(0, 1\]"),
    "probability": (
        lambda: nn.binary_cross_entropy([0.5, 1.5], [0.0, 1.0], from_logits=False),
        "the probabilities hold 1.5; they must be from 0 to 1",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_means_nothing_is_refused(name):
    make, message = REFUSED[name]
    with pytest.raises(ag.AutogradError, match=message):
        make()


def test_initializers_have_names():
    by_name = nn.Linear(4, 3, initializer="he_normal", rng=0)
    by_function = nn.Linear(4, 3, initializer=nn.initializers.he_normal, rng=0)
    np.testing.assert_array_equal(by_name.weight.data, by_function.weight.data)
    assert (nn.MLP(4, [3, 2], initializer="Zeros")[2].weight.data == 0).all()
    assert (nn.Embedding(4, 3, initializer="ones").weight.data == 1).all()
    of_twos = partial(nn.initializers.constant, value=2.0)
    assert (nn.Linear(4, 3, initializer=of_twos).weight.data == 2).all()


COMPLEX = sorted(set(nn.activations.activations) - {"identity", "tanh"})


@pytest.mark.parametrize("name", COMPLEX)
@pytest.mark.parametrize("kind", [np.array, ag.Value])
def test_activations_refuse_complex_numbers(name, kind):
    """The sigmoid of 1 + 2j was 0.903, that of its size; of them none is the larger."""
    z = kind(np.array([1 + 2j, 0.5 - 1j]))
    with pytest.raises(ag.ArgumentTypeError, match="those of real numbers, and complex ones"):
        nn.activations.activations[name](z)


def test_the_hyperbolic_tangent_of_complex_numbers_is_theirs():
    z = np.array([1 + 2j, 0.5 - 1j])
    np.testing.assert_allclose(nn.tanh(z), np.sinh(z) / np.cosh(z), rtol=1e-14)


def test_a_parameter_takes_numbers_of_its_shape():
    layer = nn.Linear(3, 2, rng=0)
    layer.weight.data = np.ones((3, 2), int)
    assert layer.weight.data.dtype == np.float64
    x = np.eye(3)
    nn.fit(layer, x, x[:, :2], loss="mse", optimizer=nn.SGD(layer, 0.1), epochs=1, progress=False)
    assert (layer.weight.data != np.round(layer.weight.data)).any()
    layer.weight.data = [[1, 2], [3, 4], [5, 6]]
    np.testing.assert_array_equal(layer.weight.data, np.arange(1.0, 7).reshape(3, 2))
    with pytest.raises(ag.ArgumentValueError, match=r"layer\.weight = nn\.Parameter\(data\)$"):
        layer.weight.data = np.zeros((3, 5))
    with pytest.raises(ag.ArgumentTypeError, match="convert it to float first"):
        layer.weight.data = "abc"
    with pytest.raises(ag.ArgumentTypeError, match="are masked"):
        layer.weight.data = np.ma.masked_less(np.zeros((3, 2)), 1)
    number = nn.Parameter(2.0)
    number.data = 3
    assert float(number.data) == 3.0


GIVEN_LATER = {
    "read-only": lambda: np.broadcast_to(0.5, (3, 2)),
    "strided": lambda: np.full((6, 4), 0.5)[::2, ::2],
    "of one memory": lambda: np.lib.stride_tricks.as_strided(np.full(4, 0.5), (3, 2), (8, 8)),
    "whole numbers": lambda: np.zeros((3, 2), int),
    "lists": lambda: [[0.5, 0.5]] * 3,
    "another's": lambda: nn.Parameter(np.full((3, 2), 0.5)).data.copy(),
}


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("name", GIVEN_LATER)
def test_what_a_parameter_is_given_later_is_its_own(name, compiled):
    given, rng = GIVEN_LATER[name](), np.random.default_rng(0)
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
    before = np.array(given, float)
    layer = nn.Linear(3, 2, rng=0)
    layer.weight.data = given
    options = {"loss": "mse", "epochs": 1, "batch_size": 8, "progress": False, "rng": 0}
    nn.fit(layer, x, y, optimizer=nn.SGD(layer, 0.1), compile=compiled, **options)
    np.testing.assert_array_equal(given, before)
    np.testing.assert_allclose(layer.weight.data, before - 0.1 * 2 * x.T @ (x @ before - y) / 16)


@pytest.mark.parametrize("view", ["itself", "transposed", "a part"])
def test_numbers_of_another_parameter_are_not_given(view):
    mine, other = nn.Parameter(np.zeros((2, 2))), nn.Parameter(np.ones((2, 2)), label="weight")
    views = {"itself": mine.data, "transposed": mine.data.T, "a part": mine.data[:, ::-1]}
    with pytest.raises(ag.ArgumentValueError) as error:
        other.data = views[view]
    assert str(error.value) == (
        "the parameter 'weight' was given the numbers of a parameter, which it would not share; "
        "write layer.weight = other.weight to tie two layers, or assign other.weight.data.copy()"
    )
    other.data -= 1  # its own
    other.data = mine.data.copy()
    np.testing.assert_array_equal(other.data, 0)


def test_gradients_given_by_hand_are_such_as_the_engine_gives():
    w = nn.Parameter(np.zeros(2), label="weight")
    optimizer = nn.SGD([w], 0.1)
    for given in (np.array([3, 4]), [3.0, 4.0], np.array([3.0, 4.0])):
        w.data, w.grad = np.zeros(2), given
        assert nn.clip_gradient_norm([w], 1.0) == 5.0
        optimizer.step()
        np.testing.assert_allclose(w.data, [-0.06, -0.08])
    for wrong, shape in ((1.0, "()"), (np.ones(3), "(3,)"), (np.ones((1, 2)), "(1, 2)")):
        with pytest.raises(ag.ArgumentValueError) as error:
            w.grad = wrong
        assert str(error.value) == (
            "the parameter 'weight' has shape (2,), and was given a gradient of shape "
            f"{shape}; assign one of the same shape"
        )
    for name in ("data", "grad"):
        with pytest.raises(ag.ArgumentTypeError, match=r"of complex numbers; assign their \.real"):
            setattr(w, name, np.ones(2) * 1j)


def test_arrays_of_other_libraries_are_no_data_of_a_parameter():
    pandas = pytest.importorskip("pandas")
    w = nn.Parameter(np.zeros(2))
    with pytest.raises(ag.ArgumentTypeError, match=r"pandas Series, .*: x\.to_numpy\(\)$"):
        w.data = pandas.Series([1.0, 2.0], index=[1, 0])


def test_numbers_that_a_dtype_cannot_hold_are_refused():
    layer = nn.Linear(2, 1, dtype=np.float32, rng=0)
    before = layer.weight.data.copy()
    state = {"weight": [[1e300], [0.0]], "bias": [0.0]}
    with pytest.raises(ag.ArgumentValueError, match=r"'weight' holds 1e\+300, .*np\.clip"):
        layer.load_state_dict(state)
    np.testing.assert_array_equal(layer.weight.data, before)
    layer.load_state_dict(state | {"weight": [[np.inf], [np.nan]]})  # as they were
    layer.weight.data = np.full((2, 1), 1e6, np.float32)
    with pytest.raises(ag.ArgumentValueError, match=r"astype: 'weight' holds 1e\+06"):
        layer.astype(np.float16)
    assert layer.weight.dtype == layer.dtype == np.float32


def test_weights_of_classes_that_are_masked_are_refused():
    """The number behind the mask was used."""
    z, weight = np.eye(3), np.ma.array([1.0, 9.0, 2.0], mask=[0, 1, 0])
    for loss in (nn.cross_entropy, nn.nll):
        with pytest.raises(ag.ArgumentTypeError, match="are masked"):
            loss(z, [0, 1, 2], class_weight=weight)
    with pytest.raises(ag.AutogradError, match=r"masked|NaN"):
        nn.fit(nn.Linear(3, 3), z, np.arange(3), loss="nll", class_weight=weight, progress=False)


def test_flatten_takes_no_samples():
    assert nn.Flatten()(np.zeros((0, 3, 4))).shape == (0, 12)
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    assert nn.predict(model, np.zeros((0, 3, 4))).shape == (0, 2)


class Branches(nn.Module):
    def __init__(self):
        self.parts = OrderedDict(first=nn.Linear(2, 3, rng=0), last=nn.Linear(3, 1, rng=1))

    def forward(self, x):
        for part in self.parts.values():
            x = part(x)
        return x


def test_an_ordered_dict_is_saved_as_one(tmp_path):
    model = Branches()
    nn.save(model, tmp_path / "model.npz")
    twin = nn.load(tmp_path / "model.npz", classes=[Branches])
    assert type(twin.parts) is OrderedDict and list(twin.parts) == ["first", "last"]
    x = np.eye(2)
    np.testing.assert_array_equal(nn.predict(twin, x), nn.predict(model, x))


READ_WHEN_MADE = {
    "Linear": (lambda: nn.Linear(2, 3), {"out_features": 9, "use_bias": False, "in_features": 4}),
    "MLP": (lambda: nn.MLP(2, [3, 1]), {"activation": "tanh", "layer_sizes": [5, 1]}),
    "MLP's inputs": (lambda: nn.MLP(2, [3, 1]), {"in_features": 4}),
    "initializer": (lambda: nn.Linear(2, 3), {"initializer": nn.initializers.zeros}),
    "PReLU": (lambda: nn.PReLU(2), {"slope": 0.5, "in_features": 3}),
    "Embedding": (lambda: nn.Embedding(4, 2), {"num_embeddings": 9, "embedding_dim": 3}),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(2), {"in_features": 3}),
    "LayerNorm": (lambda: nn.LayerNorm(2), {"in_features": 3}),
}  # fmt: skip


@pytest.mark.parametrize("name", READ_WHEN_MADE)
def test_a_setting_that_was_read_when_a_layer_was_made_is_not_taken_later(name):
    make, settings = READ_WHEN_MADE[name]
    for setting, value in settings.items():
        layer = make()
        before = getattr(layer, setting)
        with pytest.raises(ag.ArgumentTypeError, match=rf"{setting} was .*; make another \w+$"):
            setattr(layer, setting, value)
        assert getattr(layer, setting) == before
        if setting in vars(layer):
            setattr(layer, setting, before)
        with pytest.raises(ag.ArgumentTypeError, match=r"dtype was .*; call astype\(\.\.\.\)$"):
            layer.dtype = np.float16
        assert layer.astype(np.float32).dtype == np.float32


def test_a_layer_that_is_not_made_yet_takes_its_settings():
    layer = nn.Linear(out_features=3)
    layer.out_features, layer.use_bias = 5, False
    assert layer(np.ones((4, 2))).shape == (4, 5) and layer.bias is None


OUT_OF_RANGE = {
    "Dropout": (lambda: nn.Dropout(0.5), {"rate": (2.0, -0.1, 1, np.nan, "a", True)}),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(2), {"momentum": (0, 1.5), "epsilon": (-1, 0)}),
    "LayerNorm": (lambda: nn.LayerNorm(2), {"epsilon": (-1e-5, np.inf)}),
    "Perceptron": (lambda: nn.Perceptron(2), {"learning_rate": (0, -1.0, "a")}),
    "McCullochPitts": (lambda: nn.McCullochPitts(2, 1), {"threshold": ("a", np.nan)}),
}


@pytest.mark.parametrize("name", OUT_OF_RANGE)
def test_a_layer_refuses_numbers_out_of_range_also_later(name):
    """A dropout whose rate was set to 2 gave zeros and turned signs."""
    make, settings = OUT_OF_RANGE[name]
    layer = make()
    for setting, values in settings.items():
        before = getattr(layer, setting)
        for value in values:
            with pytest.raises(ag.ArgumentValueError, match=f"{name}: {setting} is .*must be"):
                setattr(layer, setting, value)
        assert getattr(layer, setting) == before
    with pytest.raises(ag.ArgumentValueError, match=r"n_inhibitory is 1\.5; it must be a whole"):
        nn.McCullochPitts(2, 1, 1.5)


@pytest.mark.parametrize("compile", [True, False])
def test_a_parameter_that_was_put_into_two_groups_later_is_refused(compile):
    for spoil in (
        lambda groups: groups.append(groups[0]),
        lambda groups: groups[0].parameters.append(groups[0].parameters[0]),
    ):
        layer = nn.Linear(2, 1, rng=0)
        optimizer, before = nn.SGD(layer, 0.1), layer.weight.data.copy()
        spoil(optimizer.groups)
        options = {"loss": "mse", "optimizer": optimizer, "progress": False, "compile": compile}
        with pytest.raises(ag.ArgumentValueError, match=r"'weight' .*is given twice"):
            nn.fit(layer, np.eye(2), np.ones((2, 1)), **options)
        np.testing.assert_array_equal(layer.weight.data, before)
    group = nn.SGD(nn.Linear(2, 1), 0.1).groups[0]
    group.parameters = nn.Linear(3, 2)
    assert [p.shape for p in group.parameters] == [(3, 2), (2,)]
    with pytest.raises(ag.ArgumentTypeError, match="is not a Parameter"):
        group.parameters = [np.ones(2)]


def test_rows_of_labels_are_of_a_dtype_of_numbers():
    for dtype in (str, object, "M8[s]"):
        with pytest.raises(ag.ArgumentTypeError, match=r"one_hot: dtype is .*none of numbers"):
            nn.one_hot([0, 1], 2, dtype=dtype)


LATE = {
    "EarlyStopping": (
        lambda: nn.EarlyStopping(patience=3),
        {"patience": -1, "min_delta": "a", "mode": "least", "monitor": 3, "restore_best": "no"},
    ),
    "ReduceOnPlateau": (lambda: nn.ReduceOnPlateau(), {"factor": 3.0, "smallest": -1}),
    "Checkpoint": (lambda: nn.Checkpoint("run.npz"), {"every": -2, "best_only": 1, "path": "a.b"}),
    "SGD": (lambda: nn.SGD(nn.Linear(2, 1)), {"lr_scale": -1.0, "steps": "a"}),
}


@pytest.mark.parametrize("name", LATE)
def test_callbacks_and_optimizers_refuse_what_means_nothing_also_later(name):
    """A negative scale went up the slope, and a mode that there is not counted as "min"."""
    make, settings = LATE[name]
    for setting, value in settings.items():
        thing = make()
        before = getattr(thing, setting)
        with pytest.raises(ag.AutogradError, match=r"is |names no format"):
            setattr(thing, setting, value)
        assert getattr(thing, setting) == before
    callback = nn.EarlyStopping(patience=3)
    callback.patience, callback.mode, callback.note = 5, "max", "its own"
    assert (callback.patience, callback.mode, callback.note) == (5, "max", "its own")
