"""ONNX files give the same outputs in onnxruntime."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import autograd_lite as ag
import nn
from tests.nn.layer_cases import LAYERS

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def run(path, x):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["output"], {"input": x})[0]


def export(tmp_path, model, x):
    """The note in the file that is written, and the warnings."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        nn.export_onnx(model, tmp_path / "model.onnx", x)
    note = onnx.load(tmp_path / "model.onnx").doc_string
    return note, [str(w.message) for w in warned]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", nn.activations.activations)
def test_every_activation(tmp_path, name, dtype):
    x = np.linspace(-8, 8, 24, dtype=dtype).reshape(6, 4)
    edges = [[0.0, -0.0, 1e-30, -1e-30], [np.nan, np.inf, -np.inf, 1.0], [100.0, -100.0, 1e30, 6.0]]
    model = nn.Sequential(name)
    export(tmp_path, model, x)
    for samples in (x, np.array(edges, dtype)):
        found = run(tmp_path / "model.onnx", samples)
        assert found.dtype == dtype
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(found, nn.predict(model, samples), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", LAYERS)
def test_every_layer(tmp_path, name, dtype):
    x = np.random.default_rng(0).normal(size=(6, 4)).astype(dtype)
    model = nn.Sequential(nn.Linear(4, 4, rng=0), LAYERS[name]()).astype(dtype)
    note, warned = export(tmp_path, model, x)
    assert warned == ([f"export_onnx: {note}"] if note else [])
    found = run(tmp_path / "model.onnx", x)
    tolerance = 1e-12 if dtype == np.float64 and not note else 1e-5
    assert found.dtype == dtype
    np.testing.assert_allclose(found, nn.predict(model, x), rtol=tolerance, atol=tolerance)


def test_small_numbers_beside_a_variance_are_not_rounded(tmp_path):
    x = 1e-4 * np.random.default_rng(0).normal(size=(6, 4))
    for epsilon in (1e-5, 1e-12, 0.1):
        model = nn.LayerNorm(4, epsilon=epsilon)
        nn.export_onnx(model, tmp_path / "model.onnx", x)
        found = run(tmp_path / "model.onnx", x)
        np.testing.assert_allclose(found, nn.predict(model, x), rtol=1e-10)


def test_attributes_that_would_be_rounded_are_refused(tmp_path):
    class Normed(nn.Module):
        def __init__(self):
            self.weight = nn.Parameter(np.ones(4))

        def forward(self, x):
            return nn.LayerNorm(4)(x)

        def to_onnx(self, graph, x):
            return graph.add("LayerNormalization", x, graph.constant(self.weight), epsilon=1e-5)

    x = np.random.default_rng(0).normal(size=(6, 4))
    nn.export_onnx(Normed().astype(np.float32), tmp_path / "model.onnx", x)
    with pytest.raises(ag.ArgumentValueError) as error:
        nn.export_onnx(Normed(), tmp_path / "other.onnx", x)
    assert str(error.value) == (
        "export_onnx: LayerNormalization with epsilon=1e-05 would be rounded in a model of "
        "float64, as attributes are of float32 in ONNX; write it by operators, with "
        "graph.constant(1e-05)"
    )


def test_a_layer_of_ones_own(tmp_path):
    class Twice(nn.Module):
        def forward(self, x):
            return 2 * x

        def to_onnx(self, graph, x):
            return graph.add("Mul", x, graph.constant(2))

    model = nn.Sequential(nn.Linear(4, 3, rng=0), Twice()).astype(np.float32)
    x = np.ones((6, 4), np.float32)
    nn.export_onnx(model, tmp_path / "model.onnx", x)
    np.testing.assert_allclose(
        run(tmp_path / "model.onnx", x), nn.predict(model, x), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    "model",
    [
        nn.MLP(4, [8, 3], rng=0, dtype=np.float32),
        nn.Sequential(
            nn.Linear(4, 6, rng=0),
            nn.BatchNorm1d(6),
            nn.PReLU(6),
            nn.Residual(nn.Sequential(nn.Linear(6, 6, rng=1), "tanh", nn.Dropout(0.5))),
            nn.Concatenate("identity", nn.Linear(6, 2, rng=2, use_bias=False)),
            nn.LayerNorm(8),
            nn.Activation("leaky_relu", slope=0.3),
            nn.Activation("gelu", approximate=True),
            nn.Flatten(),
        ).astype(np.float32),
        nn.Perceptron(4, 2, activation="sign"),
    ],
    ids=["MLP", "all layers", "Perceptron"],
)
def test_models_of_layers(tmp_path, model):
    x = np.random.default_rng(0).normal(size=(10, 4))
    model.train()
    model(x)  # moves the running averages
    dtype = model.parameters()[0].dtype
    nn.export_onnx(model, tmp_path / "model.onnx", x)
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]
    outputs = run(tmp_path / "model.onnx", x.astype(dtype))
    np.testing.assert_allclose(outputs, nn.predict(model, x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", "bhilBHIL")
def test_embeddings_take_integers(tmp_path, dtype):
    model = nn.Sequential(nn.Embedding(5, 3, rng=0), nn.Flatten()).astype(np.float32)
    x = np.array([[1, 4], [0, 2]], dtype)
    nn.export_onnx(model, tmp_path / "model.onnx", x)
    np.testing.assert_array_equal(run(tmp_path / "model.onnx", x), nn.predict(model, x))


@pytest.mark.parametrize("dtype", [np.int64, np.int32])
def test_whole_numbers_are_computed_with(tmp_path, dtype):
    class Scaled(nn.Module):
        def __init__(self):
            self.table, self.weight = nn.Embedding(5, 3, rng=0), nn.Parameter(np.array([0.5]))

        def forward(self, x):
            return np.sum(self.table(x), axis=-1) + x / 2 * self.weight + (x > 1)

    x = np.array([[1, 4], [0, 2]], dtype)
    nn.export_onnx(Scaled(), tmp_path / "model.onnx", x)
    for samples in (x, x[:1], x[[0, 1, 1]]):
        expected = nn.predict(Scaled(), samples)
        np.testing.assert_allclose(run(tmp_path / "model.onnx", samples), expected, rtol=1e-12)


class Own(nn.Module):
    """A layer that is a function of its input and of a weight, in one dtype."""

    def __init__(self, function, dtype=np.float32):
        self.function = function
        self.weight = nn.Parameter(np.linspace(0.5, 1, 4, dtype=dtype))

    def forward(self, x):
        return self.function(x * self.weight)


FUNCTIONS = {
    "arithmetic": lambda x: 1 - x / 2 + x**2 - -x * np.reciprocal(x),
    "functions": lambda x: np.sin(x) + np.cos(x) * np.exp(-np.abs(x)) - np.arctan(x),
    "expm1": np.expm1,
    "where": lambda x: np.where((x > 0) & (x <= 2), np.sqrt(np.abs(x)), 0.0),
    "bounds": lambda x: np.clip(np.maximum(x, -1), None, np.minimum(x, 2.0)),
    "reductions": lambda x: x.sum(axis=1) * x.mean(axis=-1) - np.max(x, axis=(1,)),
    "standardized": lambda x: (
        (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-3)
    ),
    "deviation": lambda x: np.std(x, axis=1, ddof=1),
    "lengths": lambda x: np.linalg.norm(x, axis=1, keepdims=True),
    "products": lambda x: np.dot(x, np.ones((4, 2))) @ np.eye(2),
    "einsum": lambda x: np.einsum("ij,jk->ik", x, np.arange(8.0).reshape(4, 2)),
    "reshaped": lambda x: np.reshape(x, (x.shape[0], 2, 2)).transpose(0, 2, 1).reshape(-1, 4),
    "parts": lambda x: np.concatenate([x[:, :2], x[..., 1:3], x[:, ::-1]], axis=1),
    "chosen": lambda x: x[:, [2, 0]] * x[:, np.newaxis, 1] + np.take(x, [0, 1], axis=1),
    "sides": lambda x: np.sign(x) + np.sign(np.minimum(x, 0)) + np.heaviside(np.fmax(x, 0), 0.5),
    "padded": lambda x: np.pad(np.roll(x, 1, axis=1), ((0, 0), (1, 2)), mode="edge"),
    "sums": lambda x: np.cumsum(x, axis=1) + np.argmax(x, axis=1, keepdims=True),
    "remainders": lambda x: x % 0.7 + np.fmod(x, -0.3) + x // 0.5,
    "spread": lambda x: np.broadcast_to(x[:, :1], x.shape) + np.flip(x, axis=1),
    "columns": lambda x: x[:, 0] + x[:, -1] + np.squeeze(x[:, 1:2], 1),
    "copied": lambda x: +np.copy(x) * x.copy(),
    "stacked": lambda x: np.stack([x, nn.softmax(x)], axis=1),
    **nn.activations.activations,
    "a method": lambda x: x.relu() if isinstance(x, ag.Value) else np.maximum(x, 0),
}


@pytest.mark.filterwarnings("ignore:export_onnx")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_layers_of_ones_own_are_exported_as_recorded(tmp_path, name, dtype):
    x = np.random.default_rng(0).normal(size=(6, 4)).astype(dtype)
    model = nn.Sequential(nn.Linear(4, 4, rng=0), Own(FUNCTIONS[name], dtype)).astype(dtype)
    nn.export_onnx(model, tmp_path / "model.onnx", x)
    for samples in (x, x[:1], np.repeat(x, 3, axis=0)):
        np.testing.assert_allclose(
            run(tmp_path / "model.onnx", samples), nn.predict(model, samples), rtol=1e-4, atol=1e-5
        )


def test_a_subclass_is_not_exported_as_its_parent(tmp_path):
    class Flipped(nn.Linear):
        def forward(self, x):
            return -super().forward(x)

    class Doubled(nn.Sequential):
        def forward(self, x):
            return 2 * super().forward(x)

    x = np.ones((3, 4), np.float32)
    model = nn.Sequential(Flipped(4, 3, rng=0), Doubled("tanh", nn.Linear(3, 2, rng=1)))
    model.astype(np.float32)
    nn.export_onnx(model, tmp_path / "model.onnx", x)
    np.testing.assert_allclose(
        run(tmp_path / "model.onnx", x), nn.predict(model, x), rtol=1e-5, atol=1e-6
    )


def test_several_inputs_and_outputs(tmp_path):
    class TwoHeads(nn.Module):
        def __init__(self):
            self.body = nn.Concatenate("identity", nn.Linear(3, 2, rng=0))
            self.number, self.logits = nn.Linear(4, 1, rng=1), nn.Linear(4, 2, rng=2)

        def forward(self, wide, deep):
            features = self.body(wide, deep)
            return self.number(features), self.logits(features)

    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 2)), rng.normal(size=(5, 3))
    for model in (TwoHeads(), nn.Sequential(TwoHeads().body, nn.Linear(4, 1, rng=0))):
        nn.export_onnx(model, tmp_path / "model.onnx", x)
        session = onnxruntime.InferenceSession(
            tmp_path / "model.onnx", providers=["CPUExecutionProvider"]
        )
        found = session.run(None, {"input_0": x[0], "input_1": x[1]})
        expected = nn.predict(model, x)
        expected = expected if isinstance(expected, tuple) else (expected,)
        for ours, theirs in zip(expected, found, strict=True):
            np.testing.assert_allclose(theirs, ours, rtol=1e-12)


@pytest.mark.parametrize("name", nn.activations.activations)
def test_operators_that_onnxruntime_lacks_in_float64_are_of_float32_with_a_note(tmp_path, name):
    x = np.linspace(-3, 3, 24).reshape(6, 4)
    model = nn.Sequential(nn.Linear(4, 4, rng=0), name)
    note, warned = export(tmp_path, model, x)
    assert warned == ([f"export_onnx: {note}"] if note else [])
    tolerance = 1e-5 if note else 1e-12
    found = run(tmp_path / "model.onnx", x)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, nn.predict(model, x), rtol=tolerance, atol=tolerance)
    if name == "softplus":
        assert note == (
            "Softplus compute in float32, as onnxruntime has no float64 for them; convert the "
            "model first, with astype(np.float32), if all of it is to be in one dtype"
        )


OTHER_NUMBERS = (
    "export_onnx: what was recorded of this Own computes other numbers for other samples; compute "
    "all that depends on the input with NumPy's functions, and leave the number of samples open "
    "(-1)"
)


@ag.primitive
def sin(x):
    """Not NumPy's."""
    return 2 * x


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            Own(lambda x: np.sort(x, axis=1)),
            "export_onnx: the operation sort has no counterpart in ONNX that is known here; "
            "use others, or define a method to_onnx(graph, x) of the layer",
        ),
        (Own(lambda x: x * len(x)), OTHER_NUMBERS),
        (Own(lambda x: x.reshape(12).reshape(3, 4)), OTHER_NUMBERS),
        (Own(lambda x: x - np.asarray(x.data).mean()), OTHER_NUMBERS),
        (Own(lambda x: x if x.data.sum() > 0 else -x), OTHER_NUMBERS),
        (
            Own(lambda x: np.ones(3)),
            "export_onnx: a result is ndarray, which does not depend on the input; "
            "return what is computed from it",
        ),
        (
            Own(lambda x: x[x[:, 0] > 0]),
            "export_onnx: the operation getitem by truth values has no counterpart in ONNX that is "
            "known here; use others, or define a method to_onnx(graph, x) of the layer",
        ),
        (
            Own(sin),
            "export_onnx: the operation sin has no counterpart in ONNX that is known here; "
            "use others, or define a method to_onnx(graph, x) of the layer",
        ),
    ],
)
def test_what_cannot_be_exported_is_named(tmp_path, model, message):
    x = np.random.default_rng(0).uniform(0.1, 1, size=(3, 4)).astype(np.float32)
    x[-1] *= -20
    with pytest.raises(ag.ArgumentValueError) as error:
        nn.export_onnx(model, tmp_path / "model.onnx", np.abs(x))
    assert str(error.value) == message
    assert not list(tmp_path.iterdir())


def test_inputs_by_name_are_exported_in_their_order(tmp_path):
    joined = nn.Concatenate(wide="relu", deep=nn.Linear(5, 4, rng=0, dtype=np.float32))
    model = nn.Sequential(joined, nn.Linear(6, 1, rng=1, dtype=np.float32)).eval()
    wide, deep = np.ones((3, 2), np.float32), np.ones((3, 5), np.float32)
    path = tmp_path / "model.onnx"
    with pytest.raises(ag.ArgumentTypeError) as error:
        nn.export_onnx(model, path, {"wide": wide, "deep": deep})
    assert str(error.value) == (
        "export_onnx: the example is a dict; pass a tuple of its arrays, in the order in which "
        "the model takes its inputs"
    )
    nn.export_onnx(model, path, (wide, deep))
    assert path.exists()


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda y: {"y": y}, "a dict"),
        (lambda y: [y], "a list"),
        (lambda y: ((y,), y), "a tuple of"),
    ],
)
def test_outputs_without_an_order_are_refused(make, found, tmp_path):
    class Own(nn.Module):
        def __init__(self):
            self.linear = nn.Linear(2, 1, rng=0)

        def forward(self, x):
            return make(self.linear(x))

    with pytest.raises(ag.ArgumentValueError, match=f"Own returns {found}.*return a tuple of"):
        nn.export_onnx(Own(), tmp_path / "model.onnx", np.zeros((1, 2)))


WITH_PARTS = {
    "dense": lambda: nn.MLP(3, [4, 2], activation="tanh", rng=0),
    "residual": lambda: nn.Residual(nn.Linear(3, 3, rng=0)),
    "branches": lambda: nn.Concatenate("identity", nn.Linear(3, 2, rng=0)),
    "batch": lambda: nn.BatchNorm1d(3),
    "layer": lambda: nn.LayerNorm(3),
    "slopes": lambda: nn.PReLU(3),
    "activation": lambda: nn.Activation("sigmoid"),
}


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.bool_])
@pytest.mark.parametrize("name", WITH_PARTS)
def test_whole_numbers_become_floats_in_layers(tmp_path, name, dtype):
    x = np.array([[0, 1, 2], [3, 0, 1]]).astype(dtype)
    model = nn.Sequential(WITH_PARTS[name]())
    export(tmp_path, model, x)
    found = run(tmp_path / "model.onnx", x)
    np.testing.assert_allclose(found, nn.predict(model, x), rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_model_that_has_seen_no_input_learns_its_sizes(tmp_path, dtype):
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(dtype)
    model = nn.MLP(None, [4, 2], rng=0, dtype=dtype)
    nn.export_onnx(model, tmp_path / "model.onnx", x)
    assert run(tmp_path / "model.onnx", x).dtype == dtype
    np.testing.assert_allclose(run(tmp_path / "model.onnx", x), nn.predict(model, x), rtol=1e-5)


def test_hooks_are_refused_unless_they_see_gradients_alone(tmp_path):
    x = np.random.default_rng(0).normal(size=(5, 3))
    model = nn.MLP(3, [4, 2], rng=0)
    model[0].register_gradient_hook(lambda module, gradient: 2 * gradient)
    nn.export_onnx(model, tmp_path / "model.onnx", x)
    np.testing.assert_allclose(run(tmp_path / "model.onnx", x), nn.predict(model, x), rtol=1e-12)
    model[0].register_forward_hook(lambda module, inputs, output: 2 * output)
    with pytest.raises(ag.ArgumentValueError) as error:
        nn.export_onnx(model, tmp_path / "other.onnx", x)
    assert str(error.value) == (
        "Linear has a forward hook, which may change its outputs, and files hold no functions of "
        "one's own; call .remove() on the hook before it is exported"
    )


def test_one_sample_without_an_axis_of_samples_is_refused(tmp_path):
    with pytest.raises(ag.ArgumentValueError) as error:
        nn.export_onnx(nn.Linear(3, 2, rng=0), tmp_path / "model.onnx", np.ones(3))
    assert str(error.value) == (
        "export_onnx: other samples than those of the example are refused: Linear: the input has "
        "shape (5,), but the weight has shape (3, 2); the last axis of the input must have length "
        "3; give an example whose first axis is that of the samples"
    )


def test_outputs_that_are_not_finite_hide_no_others(tmp_path):
    """A tolerance in proportion to the largest output is that of the largest finite one."""
    x = np.array([[-2.0, 0.5], [0.25, -3.0]], np.float32)
    model = nn.Sequential(np.log1p)
    with np.errstate(invalid="ignore"):
        nn.export_onnx(model, tmp_path / "model.onnx", x)
        expected = nn.predict(model, x)
    np.testing.assert_allclose(run(tmp_path / "model.onnx", x), expected, rtol=1e-6)

    def infinite_here(x):  # one more infinity than the samples say
        return np.concatenate([1 / (x[:, :1] * 0), x[:, 1:] * float(len(x))], axis=1)

    with pytest.raises(ag.ArgumentValueError) as error, np.errstate(divide="ignore"):
        nn.export_onnx(Own(infinite_here), tmp_path / "other.onnx", np.ones((3, 4), np.float32))
    assert str(error.value) == OTHER_NUMBERS


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x if len(x) > 1 else -x,
        np.squeeze,
        lambda x: np.ones((9, 4))[: len(x)] * x.sum() if len(x) > 1 else x,
    ],
)
def test_what_is_different_for_one_sample_is_refused(tmp_path, function):
    with pytest.raises(ag.ArgumentValueError, match="computes other numbers for other samples"):
        nn.export_onnx(
            nn.Sequential(nn.Linear(3, 1 if function is np.squeeze else 4), function),
            tmp_path / "model.onnx", np.ones((4, 3)),
        )  # fmt: skip
    assert not (tmp_path / "model.onnx").exists()


def test_a_dtype_that_onnx_lacks_is_refused(tmp_path):
    with pytest.raises(ag.ArgumentTypeError) as error:
        nn.export_onnx(nn.Linear(3, 1, dtype=np.longdouble), tmp_path / "m.onnx", np.ones((4, 3)))
    assert str(error.value) == (
        f"export_onnx: ONNX has no numbers of {np.dtype(np.longdouble)}; convert the model first, "
        "with model.astype(np.float64)"
    )
