"""ONNX files give the same outputs in onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
import nn
from tests.nn.layer_cases import LAYERS

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def run(path, x):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["output"], {"input": x})[0]


@pytest.mark.parametrize("name", nn.activations.activations)
def test_every_activation(tmp_path, name):
    x = np.linspace(-8, 8, 24, dtype=np.float32).reshape(6, 4)
    model = nn.Sequential(name)
    nn.export_onnx(model, tmp_path / "model.onnx", x)
    np.testing.assert_allclose(
        run(tmp_path / "model.onnx", x), nn.predict(model, x), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer(tmp_path, name):
    x = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    model = LAYERS[name]().astype(np.float32)
    nn.export_onnx(model, tmp_path / "model.onnx", x)
    np.testing.assert_allclose(
        run(tmp_path / "model.onnx", x), nn.predict(model, x), rtol=1e-5, atol=1e-6
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


def test_embeddings_take_integers(tmp_path):
    model = nn.Sequential(nn.Embedding(5, 3, rng=0), nn.Flatten()).astype(np.float32)
    x = np.array([[1, 4], [0, 2]])
    nn.export_onnx(model, tmp_path / "model.onnx", x)
    np.testing.assert_array_equal(run(tmp_path / "model.onnx", x), nn.predict(model, x))


def test_what_cannot_be_exported_is_named(tmp_path):
    for model, message in (
        (
            nn.Sequential(np.sin),
            "export_onnx: the activation sin cannot be exported; use one of nn by name",
        ),
        (
            nn.Sequential(nn.Neuron(2)),
            "export_onnx: a layer of class Neuron cannot be exported; use the layers of nn, "
            "or define its method to_onnx",
        ),
    ):
        with pytest.raises(ag.ArgumentValueError) as error:
            nn.export_onnx(model, tmp_path / "model.onnx", np.ones((1, 2)))
        assert str(error.value) == message
    assert not list(tmp_path.iterdir())
