"""Export to ONNX (an extra), so that a trained model runs where Python does not.

One converter for each class of layer, and one for each activation; a model may
hold any nesting of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from pathlib import Path
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.activations import SELU_ALPHA, SELU_SCALE, activations
from nn.models.layers import (
    Activation,
    Concatenate,
    Embedding,
    Flatten,
    Linear,
    PReLU,
    Residual,
    Sequential,
)
from nn.models.module import Module, Parameter
from nn.models.regularization import BatchNorm1d, Dropout, LayerNorm
from nn.models.units import Perceptron
from nn.training.prediction import predict

__all__ = ["export_onnx"]

OPERATORS = 20
"""The version of ONNX's operator set that is written."""


def export_onnx(model: Module, path: str | Path, example: Any) -> None:
    """Write a model as an ONNX file, as it computes in use (``eval``).

    Parameters
    ----------
    model : Module
        Made of the layers and activations of nn.
    path : str or Path
        The file; it appears whole or not at all.
    example : array_like
        An input: its shape, but for the number of samples, and its dtype become
        the input's.  The input is called ``"input"``, the result ``"output"``.

    Raises
    ------
    ArgumentValueError
        If a layer cannot be exported; the message names it.
    MissingOptionError
        If the package onnx is not installed.

    Examples
    --------
    >>> import tempfile, pathlib, numpy as np, nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     try:
    ...         nn.export_onnx(nn.MLP(2, [3, 1]), folder + "/model.onnx", np.zeros((1, 2)))
    ...         written = pathlib.Path(folder, "model.onnx").exists()
    ...     except ImportError:  # onnx is not installed
    ...         written = True
    >>> written
    True
    """
    try:
        import onnx
    except ImportError as error:
        raise ag.MissingOptionError(
            "nn.export_onnx needs onnx; install it with: pip install 'autograd-lite[onnx]'"
        ) from error
    array = np.asarray(example)
    dtype = next((p.dtype for p in model.parameters()), np.dtype(np.float32))
    given = array.dtype if array.dtype.kind in "iu" else dtype
    graph = Graph(onnx, dtype)
    result = convert(model, graph, "input")
    graph.add("Identity", result, outputs=["output"])
    shapes = [["samples", *x.shape[1:]] for x in (array, predict(model, array))]
    contents = onnx.helper.make_graph(
        graph.nodes,
        "autograd_lite",
        [onnx.helper.make_tensor_value_info("input", graph.type_of(given), shapes[0])],
        [onnx.helper.make_tensor_value_info("output", graph.type_of(dtype), shapes[1])],
        graph.constants,
    )
    file = onnx.helper.make_model(
        contents,
        producer_name="autograd_lite",
        opset_imports=[onnx.helper.make_opsetid("", OPERATORS)],
        ir_version=9,
    )
    onnx.checker.check_model(file)
    with ag.files.atomic_write(path) as place:
        place.write(file.SerializeToString())


class Graph:
    """An ONNX graph in the making: its nodes, its constants, and names for what they compute."""

    def __init__(self, onnx: Any, dtype: np.dtype[Any]) -> None:
        self.onnx = onnx
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def type_of(self, dtype: Any) -> Any:
        """ONNX's number for a dtype."""
        return self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def add(
        self, operator: str, *inputs: str, outputs: list[str] | None = None, **attributes: Any
    ) -> str:
        """Add an operation; return the name of its (first) result."""
        results = outputs or [f"v{len(self.nodes)}"]
        node = self.onnx.helper.make_node(operator, inputs, results, **attributes)
        self.nodes.append(node)
        return results[0]

    def constant(self, value: Any, dtype: Any = None) -> str:
        """Add an array; return its name."""
        name = f"c{len(self.constants)}"
        data = value.data if isinstance(value, Parameter) else value
        array = np.asarray(data, dtype or self.dtype)
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name


@singledispatch
def convert(layer: Module, graph: Graph, x: str) -> str:
    """Add a layer that computes on ``x``; return the name of its result."""
    raise ag.ArgumentValueError(
        f"export_onnx: a layer of class {type(layer).__name__} cannot be exported; "
        "use the layers of nn"
    )


@convert.register
def _(layer: Sequential, graph: Graph, x: str) -> str:
    for part in layer:
        x = convert(part, graph, x)
    return x


@convert.register
def _(layer: Linear, graph: Graph, x: str) -> str:
    x = graph.add("MatMul", x, graph.constant(layer.weight))
    return x if layer.bias is None else graph.add("Add", x, graph.constant(layer.bias))


@convert.register
def _(layer: Perceptron, graph: Graph, x: str) -> str:
    x = graph.add("MatMul", x, graph.constant(layer.weight))
    x = graph.add("Add", x, graph.constant(layer.bias))
    return convert(Activation(layer.activation), graph, x)


@convert.register
def _(layer: Flatten, graph: Graph, x: str) -> str:
    return graph.add("Flatten", x)


@convert.register
def _(layer: Dropout, graph: Graph, x: str) -> str:
    return x


@convert.register
def _(layer: PReLU, graph: Graph, x: str) -> str:
    return graph.add("PRelu", x, graph.constant(layer.weight))


@convert.register
def _(layer: Embedding, graph: Graph, x: str) -> str:
    return graph.add("Gather", graph.constant(layer.weight), x)


@convert.register
def _(layer: BatchNorm1d, graph: Graph, x: str) -> str:
    assert layer.weight is not None
    scale = layer.weight.data / np.sqrt(layer.running_var + layer.epsilon)
    x = graph.add("Sub", x, graph.constant(layer.running_mean))
    x = graph.add("Mul", x, graph.constant(scale))
    return graph.add("Add", x, graph.constant(layer.bias))


@convert.register
def _(layer: LayerNorm, graph: Graph, x: str) -> str:
    weights = graph.constant(layer.weight), graph.constant(layer.bias)
    return graph.add("LayerNormalization", x, *weights, epsilon=layer.epsilon, axis=-1)


@convert.register
def _(layer: Residual, graph: Graph, x: str) -> str:
    return graph.add("Add", x, convert(layer.module, graph, x))


@convert.register
def _(layer: Concatenate, graph: Graph, x: str) -> str:
    return graph.add("Concat", *(convert(part, graph, x) for part in layer.branches), axis=-1)


@convert.register
def _(layer: Activation, graph: Graph, x: str) -> str:
    for name, function in activations.items():
        if layer.function is function:
            return ACTIVATIONS[name](graph, x, **layer.options)
    raise ag.ArgumentValueError(
        f"export_onnx: the activation {layer!r} cannot be exported; use one of nn by name"
    )


def operator(name: str, **attributes: Any) -> Callable[..., str]:
    """A converter to a single operator of ONNX; options become attributes."""
    return lambda graph, x, **options: graph.add(name, x, **attributes, **options)


def heaviside(graph: Graph, x: str) -> str:
    """1 where x >= 0."""
    fires = graph.add("GreaterOrEqual", x, graph.constant(0))
    return graph.add("Cast", fires, to=graph.type_of(graph.dtype))


def sign(graph: Graph, x: str) -> str:
    """2 H(x) - 1."""
    twice = graph.add("Mul", heaviside(graph, x), graph.constant(2))
    return graph.add("Sub", twice, graph.constant(1))


def clipped(low: float, high: float) -> Callable[..., str]:
    """A converter to clipping."""
    return lambda graph, x: graph.add("Clip", x, graph.constant(low), graph.constant(high))


def leaky_relu(graph: Graph, x: str, slope: float = 0.01) -> str:
    """ONNX calls the slope alpha."""
    return graph.add("LeakyRelu", x, alpha=slope)


def gelu(graph: Graph, x: str, approximate: bool = False) -> str:
    """ONNX names the approximation."""
    return graph.add("Gelu", x, approximate="tanh" if approximate else "none")


def silu(graph: Graph, x: str) -> str:
    """x · sigmoid(x)."""
    return graph.add("Mul", x, graph.add("Sigmoid", x))


def glu(graph: Graph, x: str, axis: int = -1) -> str:
    """One half gated by the other."""
    halves = [f"half{len(graph.nodes)}_{i}" for i in range(2)]
    graph.add("Split", x, outputs=halves, axis=axis, num_outputs=2)
    return graph.add("Mul", halves[0], graph.add("Sigmoid", halves[1]))


ACTIVATIONS: dict[str, Callable[..., str]] = {
    "identity": lambda graph, x: x,
    "heaviside": heaviside,
    "sign": sign,
    "sigmoid": operator("Sigmoid"),
    "tanh": operator("Tanh"),
    "relu": operator("Relu"),
    "softplus": operator("Softplus"),
    "hard_sigmoid": operator("HardSigmoid", alpha=1 / 6, beta=0.5),
    "hard_tanh": clipped(-1, 1),
    "relu6": clipped(0, 6),
    "leaky_relu": leaky_relu,
    "elu": operator("Elu"),
    "selu": operator("Selu", alpha=SELU_ALPHA, gamma=SELU_SCALE),
    "gelu": gelu,
    "silu": silu,
    "mish": operator("Mish"),
    "softsign": operator("Softsign"),
    "softmax": operator("Softmax"),
    "log_softmax": operator("LogSoftmax"),
    "glu": glu,
}
