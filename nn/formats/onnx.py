"""Export to ONNX (an extra), so that a trained model runs where Python does not.

Each layer and each activation knows its operators, see ``Module.to_onnx``; a
model may hold any nesting of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.models.module import Module
from nn.training.prediction import predict

__all__ = ["export_onnx"]

OPERATORS = 20
"""The version of ONNX's operator set that is written."""


def export_onnx(model: Module, path: str | Path, example: Any) -> None:
    """Write a model as an ONNX file, as it computes in use (``eval``).

    Parameters
    ----------
    model : Module
        Made of layers and activations of nn, or of classes that define ``to_onnx``.
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
    input_dtype = array.dtype if array.dtype.kind in "iu" else dtype
    graph = Graph(onnx, dtype)
    result = model.to_onnx(graph, "input")
    graph.add("Identity", result, outputs=["output"])
    shapes = [["samples", *x.shape[1:]] for x in (array, predict(model, array))]
    contents = onnx.helper.make_graph(
        graph.nodes,
        "autograd_lite",
        [onnx.helper.make_tensor_value_info("input", graph.type_of(input_dtype), shapes[0])],
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
        data = value.data if isinstance(value, ag.Value) else value
        array = np.asarray(data, dtype or self.dtype)
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name
