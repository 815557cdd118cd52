"""Modules, parameters, layers: structure, state, shapes, dtypes, errors."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn.models.module import layers
from tests.nn.layer_cases import LAYERS, OTHER_LAYERS


def test_parameters_are_found_in_attributes_lists_and_dicts():
    class Model(nn.Module):
        def __init__(self):
            self.first = nn.Linear(2, 3)
            self.more = [nn.Linear(3, 3), nn.Parameter(1.0)]
            self.named = {"out": nn.Linear(3, 1, use_bias=False)}
            self.again = self.first
            self.note = "no parameter"

    assert [name for name, _ in Model().named_parameters()] == [
        "more.1",
        "first.weight",
        "first.bias",
        "more.0.weight",
        "more.0.bias",
        "named.out.weight",
    ]


def test_a_parameter_is_a_value_that_owns_its_array():
    array = np.array([1.0, 2.0])
    parameter = nn.Parameter(array, label="w")
    parameter.data[0] = 5.0
    assert isinstance(parameter, ag.Value)
    assert array[0] == 1.0
    assert repr(nn.Parameter(2.0)) == "Parameter(2.0)"
    for twin in (pickle.loads(pickle.dumps(parameter)), copy.deepcopy(parameter)):
        assert type(twin) is nn.Parameter
        assert twin.label == "w"
        np.testing.assert_array_equal(twin.data, parameter.data)


@pytest.mark.parametrize("shape", [(), (1,), (7, 5), (784, 128)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_parameter_begins_with_a_line_of_the_cache(shape, dtype):
    """What chance decides otherwise, and small batches feel: see docs/performance.md."""
    given = np.asfortranarray(np.ones(shape, dtype))
    data = nn.Parameter(given).data
    assert data.__array_interface__["data"][0] % 64 == 0
    assert data.dtype == dtype
    assert data.flags.c_contiguous
    assert data.flags.writeable
    np.testing.assert_array_equal(data, given)


def test_state_dict_copies_and_loads():
    model, other = nn.MLP(2, [3, 1], rng=0), nn.MLP(2, [3, 1], rng=1)
    state = model.state_dict()
    state["0.weight"][:] = 7.0
    assert not np.any(model[0].weight.data == 7.0)
    other.load_state_dict(model.state_dict())
    x = np.ones((4, 2))
    np.testing.assert_array_equal(nn.predict(other, x), nn.predict(model, x))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda state: state.pop("2.bias"),
            "load_state_dict: the state lacks '2.bias' of shape (1,); "
            "build the model that was saved",
        ),
        (
            lambda state: state.update({"4.weight": np.zeros(2)}),
            "load_state_dict: '4.weight' is in the state but not in the model, which has "
            "0.weight, 0.bias, 2.weight, 2.bias; build the model that was saved",
        ),
        (
            lambda state: state.update({"2.bias": np.zeros((2, 2))}),
            "load_state_dict: '2.bias' has shape (2, 2) in the state, but (1,) "
            "in the model; build the model that was saved",
        ),
        (
            lambda state: state.update({"2.bias": np.array(["a"])}),
            "load_state_dict: '2.bias' has dtype <U1 in the state; "
            "it must hold numbers that fit into float64, as in the model",
        ),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, message):
    model = nn.MLP(2, [3, 1], rng=0)
    before = model.state_dict()
    state = nn.MLP(2, [3, 1], rng=1).state_dict()
    change(state)
    with pytest.raises(ag.ArgumentValueError) as error:
        model.load_state_dict(state)
    assert str(error.value) == message
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("activation", nn.activations.activations)
def test_models_with_any_activation_are_pickled_and_copied(activation):
    model = nn.Sequential(nn.Linear(2, 4, rng=0), activation)
    x = np.ones((3, 2))
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(nn.predict(twin, x), nn.predict(model, x))
        assert twin[1].function is model[1].function
        assert twin[0].weight is not model[0].weight


def test_train_and_eval_reach_every_module():
    model = nn.Sequential(nn.Sequential(nn.Linear(2, 2)), "relu")
    model.eval()
    assert not any(module.training for _, module in model.named_modules())
    model.train()
    assert all(module.training for _, module in model.named_modules())


def test_repr_shows_the_structure():
    assert repr(nn.Sequential(nn.MLP(2, [3, 1]), "sigmoid")) == (
        "Sequential(\n"
        "  0: MLP(\n"
        "    0: Linear(2, 3)\n"
        "    1: relu\n"
        "    2: Linear(3, 1)\n"
        "  )\n"
        "  1: sigmoid\n"
        ")"
    )
    assert repr(nn.Linear(2, 3, use_bias=False)) == "Linear(2, 3, use_bias=False)"
    assert repr(nn.Activation("softmax", axis=0)) == "softmax(axis=0)"
    assert repr(nn.Perceptron(2)) == "Perceptron(in_features=2)"


def test_linear_is_an_affine_map_in_any_number_of_axes():
    layer = nn.Linear(3, 2, rng=0)
    layer.bias.data[:] = [1.0, -1.0]
    x = np.random.default_rng(1).normal(size=(4, 5, 3))
    np.testing.assert_allclose(layer(x).data, x @ layer.weight.data + layer.bias.data)


def test_linear_takes_its_number_of_inputs_from_the_first_input():
    layer = nn.Linear(out_features=2, rng=0)
    assert layer.parameters() == []
    assert layer(np.zeros((5, 3))).shape == (5, 2)
    assert repr(layer) == "Linear(3, 2)"
    assert layer.weight.shape == (3, 2)


def test_the_same_seed_gives_the_same_weights():
    first, second, other = (nn.MLP(4, [5, 3], rng=seed).state_dict() for seed in (7, 7, 8))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["0.weight"], other["0.weight"])


@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh", "softplus"])
def test_float32_is_kept_forward_and_backward(name):
    model = nn.MLP(3, [4, 2], activation=name, rng=0, dtype=np.float32)
    outputs = model(np.ones((5, 3)))  # float64 input is converted
    loss = nn.cross_entropy(outputs, np.zeros(5, int))
    loss.backward()
    assert outputs.dtype == loss.dtype == np.float32
    assert {p.grad.dtype for p in model.parameters()} == {np.dtype(np.float32)}


def test_a_neuron_computes_on_scalars():
    neuron = nn.Neuron(2, activation="identity", rng=0)
    x = ag.Value(3.0), ag.Value(-2.0)
    out = neuron(x)
    expected = sum(w.data * v.data for w, v in zip(neuron.weights, x, strict=True))
    assert isinstance(out.data, float)
    assert out.data == expected
    out.backward()
    assert [w.grad for w in neuron.weights] == [3.0, -2.0]
    assert [name for name, _ in neuron.named_parameters()] == ["weights.0", "weights.1", "bias"]


def test_every_layer_is_tested():
    """A layer is its class, which registers and lists itself, and its row in the table."""
    made = {type(make()).__name__ for make in (LAYERS | OTHER_LAYERS).values()}
    public = {name for name in nn.__all__ if isinstance(getattr(nn, name), type)}
    exported = {name for name in public if issubclass(getattr(nn, name), nn.Module)} - {"Module"}
    assert made == set(layers) == exported


@pytest.mark.parametrize("name", LAYERS)
def test_layers_have_correct_derivatives_of_both_orders(name, check_derivatives):
    layer = LAYERS[name]()
    x = np.random.default_rng(3).normal(size=(5, 4))
    check_derivatives(layer, x)
    if layer.parameters():
        check_derivatives(*of_parameters(layer, x))


def of_parameters(layer, x):
    """The output as a function of the parameters, and these."""
    names = [name for name, _ in layer.named_parameters()]

    def output(*arrays):
        twin = copy.deepcopy(layer)
        owners = {id(p): m for _, m in twin.named_modules() for _, p in m.members()}
        for name, array in zip(names, arrays, strict=True):
            parameter = dict(twin.named_parameters())[name]
            vars(owners[id(parameter)])[name.rpartition(".")[2]] = array
        return twin(x)

    return output, *(p.data for p in layer.parameters())


def test_dropout_in_training_has_correct_derivatives(check_derivatives):
    x = np.random.default_rng(3).normal(size=(5, 4))
    check_derivatives(lambda x: nn.Dropout(0.4, rng=0)(x), x)
    assert (nn.Dropout(0.4, rng=0)(x) == 0).any()


def test_embeddings_have_correct_derivatives(check_derivatives):
    indices = np.array([[0, 2], [2, 2], [1, 0]])
    check_derivatives(*of_parameters(nn.Embedding(4, 3, rng=0), indices))


def test_a_neuron_has_correct_derivatives(check_derivatives):
    neuron = nn.Neuron(2, rng=0)
    check_derivatives(lambda a, b: neuron((a, b)), 0.3, -0.7)
    assert ag.gradcheck(neuron, [0.3, -0.7])


@pytest.mark.parametrize("name", LAYERS)
def test_layers_keep_float32(name):
    layer = LAYERS[name]().astype(np.float32)
    x = ag.Value(np.ones((5, 4), np.float32))
    out = layer(x)
    out.backward(np.ones_like(out.data))
    assert out.dtype == x.grad.dtype == np.float32
    assert {array.dtype for array in layer.state_dict().values()} <= {np.dtype(np.float32)}


def test_dropout_drops_at_its_rate_and_keeps_the_mean():
    x = np.ones((400, 500), np.float32)
    layer = nn.Dropout(0.3, rng=0)
    out = layer(x)
    assert out.dtype == np.float32
    assert np.mean(out == 0) == pytest.approx(0.3, abs=0.005)
    assert out.mean() == pytest.approx(1.0, abs=0.01)
    np.testing.assert_array_equal(nn.Dropout(0.3, rng=0)(x), out)
    assert layer.eval()(x) is x
    value = ag.Value(np.ones(50))
    dropped = layer.train()(value)
    dropped.backward(np.ones(50))
    np.testing.assert_array_equal(value.grad, dropped.data)


def test_batch_norm_equals_its_definition():
    rng = np.random.default_rng(0)
    x = 3 + 2 * rng.normal(size=(50, 4))
    layer = nn.BatchNorm1d(4, momentum=0.25)
    expected = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)
    np.testing.assert_allclose(layer(x).data, expected)
    np.testing.assert_allclose(layer.running_mean, 0.25 * x.mean(axis=0))
    np.testing.assert_allclose(layer.running_var, 0.75 + 0.25 * x.var(axis=0, ddof=1))
    mean, variance = layer.running_mean, layer.running_var
    np.testing.assert_allclose(layer.eval()(x).data, (x - mean) / np.sqrt(variance + 1e-5))
    assert layer.running_mean is mean
    assert set(layer.state_dict()) == {"weight", "bias", "running_mean", "running_var"}


def test_batch_norm_takes_a_batch_of_one():
    layer = nn.BatchNorm1d(2)
    np.testing.assert_array_equal(layer(np.array([[5.0, -3.0]])).data, [[0.0, 0.0]])
    np.testing.assert_array_equal(layer.running_var, [1.0, 1.0])


def test_layer_norm_equals_its_definition():
    x = np.random.default_rng(0).normal(size=(2, 5, 4))
    expected = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(nn.LayerNorm(4)(x).data, expected)


def test_embeddings_are_rows_and_their_gradients_add_up():
    layer = nn.Embedding(5, 2, rng=0)
    out = layer(np.array([[1, 3], [3, 3]]))
    np.testing.assert_array_equal(out.data, layer.weight.data[[[1, 3], [3, 3]]])
    np.sum(out).backward()
    np.testing.assert_array_equal(layer.weight.grad[:, 0], [0, 1, 0, 3, 0])


def test_concatenate_gives_each_branch_its_input():
    wide, deep = np.ones((5, 2)), np.zeros((5, 3))
    model = nn.Concatenate("identity", nn.Linear(3, 4, rng=0))
    assert model(wide, deep).shape == (5, 6)
    whole = nn.Sequential(model, nn.Linear(6, 1, rng=0))
    assert whole(wide, deep).shape == (5, 1)
    assert [name for name, _ in whole.named_parameters()] == [
        "0.branches.1.weight",
        "0.branches.1.bias",
        "1.weight",
        "1.bias",
    ]


@pytest.mark.parametrize("make", [nn.BatchNorm1d, nn.LayerNorm])
def test_normalization_takes_its_size_from_the_first_input(make):
    layer = make()
    assert not layer.shapes_known()
    layer(np.ones((3, 4)))
    assert layer.weight.shape == (4,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nn.BatchNorm1d(3)(np.zeros((5, 4))),
            "BatchNorm1d: the input has shape (5, 4), but the weight has shape (3,); "
            "the last axis of the input must have length 3",
        ),
        (
            lambda: nn.BatchNorm1d(3, momentum=0),
            "BatchNorm1d: momentum is 0; it must be in (0, 1]",
        ),
        (
            lambda: nn.LayerNorm(3, epsilon=0),
            "LayerNorm: epsilon is 0; it must be a positive number",
        ),
        (lambda: nn.Dropout(1.0), "Dropout: rate is 1.0; it must be in [0, 1)"),
        (
            lambda: nn.PReLU(3)(np.zeros((5, 4))),
            "PReLU: the input has shape (5, 4), but the slopes have shape (3,); "
            "the last axis of the input must have length 3",
        ),
        (
            lambda: nn.Embedding(5, 2)([1, 5]),
            "Embedding: the input goes from 1 to 5, but there are 5 vectors, numbered from 0 to 4",
        ),
        (
            lambda: nn.Residual(nn.Linear(4, 3))(np.zeros((5, 4))),
            "Residual: the input has shape (5, 4), but the output of the module has shape (5, 3); "
            "both must be equal to be added",
        ),
        (
            lambda: nn.Concatenate("relu", "tanh", "sign")(np.zeros(3), np.zeros(3)),
            "Concatenate: there are 2 inputs for 3 branches; pass one for all, or one for each",
        ),
        (
            lambda: nn.Flatten()(1.0),
            "Flatten: the input is a single number; it must have an axis of samples",
        ),
        (
            lambda: nn.Linear(3, 2)(np.zeros((5, 4))),
            "Linear: the input has shape (5, 4), but the weight has shape (3, 2); "
            "the last axis of the input must have length 3",
        ),
        (
            lambda: nn.Linear(out_features=2)(1.0),
            "Linear: in_features is 0; it must be a positive integer",
        ),
        (
            lambda: nn.Linear(3, 2)(1.0),
            "Linear: the input has shape (), but the weight has shape (3, 2); "
            "the last axis of the input must have length 3",
        ),
        (
            lambda: nn.Linear(10),
            "Linear: out_features is missing; write Linear(in_features, out_features), "
            "or Linear(out_features=...) to take in_features from the first input",
        ),
        (lambda: nn.Linear(3, 0), "Linear: out_features is 0; it must be a positive integer"),
        (lambda: nn.Linear(2.5, 1), "Linear: in_features is 2.5; it must be a positive integer"),
        (
            lambda: nn.MLP(2, 3),
            "MLP: layer_sizes is 3; it must list the sizes of the layers, for instance [16, 1]",
        ),
        (
            lambda: nn.MLP(2, [3, 1], activation="rely"),
            "there is no activation 'rely'; use one of "
            + ", ".join(nn.activations.activations)
            + ", or pass a function",
        ),
        (
            lambda: nn.Neuron(2)([1.0, 2.0, 3.0]),
            "Neuron: the input has 3 numbers, but there are 2 weights; "
            "pass one number for each weight",
        ),
    ],
)
def test_bad_shapes_are_named(call, message):
    with pytest.raises(ag.ArgumentValueError) as error:
        call()
    assert str(error.value) == message


def test_linear_layers_collapse_to_one():
    deep = nn.Sequential(nn.Linear(4, 6, rng=0), nn.Linear(6, 5, rng=1), nn.Linear(5, 3, rng=2))
    for layer in deep:
        layer.bias.data[:] = np.arange(layer.out_features)
    flat = nn.Linear(4, 3)
    zero = np.zeros((1, 4))
    flat.bias.data[:] = nn.predict(deep, zero)[0]
    flat.weight.data[:] = nn.predict(deep, np.eye(4)) - flat.bias.data
    x = np.random.default_rng(0).normal(size=(20, 4))
    np.testing.assert_allclose(nn.predict(deep, x), nn.predict(flat, x), atol=1e-12)


def test_dropout_in_a_checkpoint_drops_the_same_again():
    def derivatives(around):
        rng = np.random.default_rng(0)
        model = nn.Sequential(nn.Linear(4, 8, rng=rng), nn.Dropout(0.5, rng=rng))
        x = np.random.default_rng(1).normal(size=(16, 4))
        np.sum(around(model.train())(x) ** 2).backward()
        return model[0].weight.grad

    np.testing.assert_array_equal(derivatives(ag.checkpoint), derivatives(lambda model: model))


def test_layers_are_exchanged_and_added():
    model = nn.Sequential(nn.Linear(3, 4, rng=0), "relu")
    model[1] = "tanh"
    model.append(nn.Linear(4, 1, rng=1)).insert(1, nn.LayerNorm(4))
    assert repr(model) == (
        "Sequential(\n  0: Linear(3, 4)\n  1: LayerNorm(in_features=4)\n  2: tanh\n"
        "  3: Linear(4, 1)\n)"
    )
    assert model(np.ones((2, 3))).shape == (2, 1)
    del model[1], model[-1]
    assert [repr(layer) for layer in model] == ["Linear(3, 4)", "tanh"]
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias"]


def test_optimizers_show_their_hyperparameters():
    model = nn.MLP(2, [3, 1], rng=0)
    assert repr(nn.SGD(model, 0.1, momentum=0.9)) == (
        "SGD(learning_rate=0.1, weight_decay=0.0, decoupled=False, momentum=0.9, dampening=0.0, "
        "nesterov=False)"
    )
    parts = [{"parameters": model[0], "learning_rate": 1.0}, {"parameters": model[2]}]
    assert repr(nn.Lion(parts)).count("learning_rate=") == 2


def averages_after(around, train):
    """The running averages of a model with batch normalization, and its gradients."""
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(4, 8, rng=rng), nn.BatchNorm1d(8), nn.Linear(8, 1, rng=rng))
    train(around(model.train()), np.random.default_rng(1).normal(size=(16, 4)))
    return [model[1].running_mean, model[1].running_var, *(p.grad for p in model.parameters())]


def sweep_once(model, x):
    np.sum(model(x) ** 2).backward()


def sweep_within_another(model, x):
    np.sum(ag.checkpoint(lambda y: model(np.sin(y)))(x) ** 2).backward()


@pytest.mark.parametrize("train", [sweep_once, sweep_within_another])
def test_running_averages_in_a_checkpoint_move_once(train):
    expected = averages_after(lambda model: model, train)
    for found, value in zip(averages_after(ag.checkpoint, train), expected, strict=True):
        np.testing.assert_allclose(found, value, rtol=1e-12, atol=1e-14)


class Checkpointed(nn.Module):
    """A model that forgets what happens inside of it."""

    def __init__(self, inner):
        self.inner = inner

    def forward(self, x):
        return ag.checkpoint(self.inner)(x)


@pytest.mark.parametrize("compiled", [False, True])
def test_running_averages_in_a_checkpoint_move_once_in_fit(compiled):
    def fitted(around):
        rng = np.random.default_rng(0)
        inner = nn.Sequential(nn.Linear(4, 8, rng=rng), nn.BatchNorm1d(8), nn.Linear(8, 1, rng=rng))
        x = np.random.default_rng(1).normal(size=(32, 4))
        y = np.sum(x, axis=1, keepdims=True)
        nn.fit(around(inner), x, y, loss="mse", epochs=3, batch_size=8, rng=0, compile=compiled)
        return inner[1].running_mean, inner[1].running_var

    for found, value in zip(fitted(Checkpointed), fitted(lambda inner: inner), strict=True):
        np.testing.assert_allclose(found, value, rtol=1e-10)


def test_a_part_may_know_the_whole():
    model = nn.Sequential(nn.Linear(2, 3))
    model[0].whole = model
    assert repr(model) == "Sequential(\n  0: Linear(\n    whole: ...\n  )\n)"
    assert list(model.state_dict()) == ["0.weight", "0.bias"]


def test_containers_may_be_deep_and_hold_themselves():
    """No depth is too deep for what a module holds, and no circle is walked twice."""
    weights = [nn.Parameter([float(n)]) for n in range(3)]
    deep = [weights[0]]
    for _ in range(5000):
        deep = [deep]
    circle = [weights[1]]
    circle.append({"again": circle, "more": weights[2]})

    class Holder(nn.Module):
        def __init__(self):
            self.deep, self.circle = deep, circle

        def forward(self, x):
            return x

    model = Holder()
    assert list(model.parameters()) == weights
    assert list(dict(model.named_parameters()))[1:] == ["circle.0", "circle.1.more"]
    with pytest.raises(ag.ArgumentValueError) as error:
        nn.to_config(model)
    assert str(error.value) == (
        "Holder: its attributes are nested too deeply, or hold themselves; "
        "save the weights alone with architecture=False"
    )


def test_the_dtype_of_a_parameter_is_the_object_that_other_arrays_have():
    """By its identity the engine knows arrays that are alike, which need no conversion."""
    for dtype in (np.float32, np.float64):
        assert nn.Parameter(np.zeros(3, dtype)).data.dtype is np.dtype(dtype)
        assert nn.Parameter(np.zeros(3, np.dtype(dtype).newbyteorder())).data.dtype == dtype
