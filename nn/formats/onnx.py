"""Export to ONNX (an extra), so that a trained model runs where Python does not.

Each layer and each activation of nn knows its operators.  Other layers are called
once and exported as they were recorded.  What is written is run, and compared with
the model, before the file takes its place.
"""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.formats import onnx_shapes  # noqa: F401
from nn.formats.config import refuse_hooks
from nn.formats.onnx_operators import add_node
from nn.models.module import Module
from nn.training.data import check_on_host, dtype_of, map_arrays
from nn.training.prediction import in_use, predict

__all__ = ["export_onnx"]

OPERATORS = 20
"""The version of ONNX's operator set that is written."""

FLOAT32_ALONE = {
    "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Cosh", "Elu", "Erf", "Gelu",
    "HardSigmoid", "LeakyRelu", "Mish", "PRelu", "Selu", "Sinh", "Softplus", "Softsign", "Tan",
}  # fmt: skip
"""Operators that onnxruntime has for float32, and not for float64."""


def export_onnx(model: Module, path: str | os.PathLike[str], example: Any) -> None:
    """Write a model as an ONNX file, as it computes in use (``eval``).

    Parameters
    ----------
    model : Module
        A layer that is not of nn is exported by its method ``to_onnx(graph, x)``, if its
        class defines one: ``graph.add("Relu", x)`` adds an operator and returns the name of
        its result, ``graph.constant(array)`` adds an array, ``graph.apply(layer, x)`` a layer.
        Otherwise its operations are recorded on the example, and translated.
    path : str or Path
        The file; it appears whole or not at all.
    example : array_like, or a tuple of them
        An input: its shape, but for the number of samples, and its dtype become
        the input's.  The input is called ``"input"``, the result ``"output"``; several
        are called ``"input_0"``, ``"input_1"``, … and ``"output_0"``, ….

    Raises
    ------
    ArgumentValueError
        If an operation cannot be exported, or what was written computes other numbers
        than the model, because it depends on the number of samples or on its input in
        ways that were not recorded.
    MissingOptionError
        If the package onnx is not installed.

    Warns
    -----
    UserWarning
        If operators in a model of float64 compute in float32, as onnxruntime has
        them for that alone.

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
    check_on_host("export_onnx", model)
    try:
        import onnx
    except ImportError as error:
        raise ag.MissingOptionError(
            "nn.export_onnx needs onnx; install it with: pip install 'autograd-lite[onnx]'"
        ) from error
    if isinstance(example, dict):
        raise ag.ArgumentTypeError(
            "export_onnx: the example is a dict; pass a tuple of its arrays, in the order in which "
            "the model takes its inputs"
        )
    predict(model, example)  # for layers that learn their sizes
    graph = Graph(onnx, dtype_of(model) or dtype_of_floats(example))
    inputs = graph.take_inputs(example)
    outputs = graph.name_outputs(model, inputs)
    file = graph.to_model(inputs, outputs)
    onnx.checker.check_model(file)
    graph.verify(file, model, inputs)
    if graph.in_float32:
        warnings.warn(f"export_onnx: {graph.note}", stacklevel=2)
    with ag.files.atomic_write(path) as target:
        target.write(file.SerializeToString())


def dtype_of_floats(example: Any) -> np.dtype[Any]:
    """The dtype of the first floats in an example; that of most files if there are none."""
    dtypes = (np.asarray(part).dtype for part in as_tuple(example))
    return next((dtype for dtype in dtypes if dtype.kind == "f"), np.dtype(np.float32))


def as_tuple(things: Any) -> tuple[Any, ...]:
    """A single input or output as a tuple of one."""
    return things if isinstance(things, tuple) else (things,)


def numbered(name: str, things: Any) -> list[str]:
    """Names for a single thing, or for each of a tuple."""
    if not isinstance(things, tuple):
        return [name]
    return [f"{name}_{index}" for index in range(len(things))]


class Graph:
    """An ONNX graph in the making: its nodes, its constants, and names for what they compute."""

    def __init__(self, onnx: Any, dtype: np.dtype[Any]) -> None:
        self.onnx = onnx
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.examples: dict[str, Any] = {}
        self.in_float32: set[str] = set()
        self.outputs: list[str] = []

    @property
    def note(self) -> str:
        """What is said of operators that compute in less precision than the model."""
        names = ", ".join(sorted(self.in_float32))
        return (
            f"{names} compute in float32, as onnxruntime has no float64 for them; convert the "
            "model first, with astype(np.float32), if all of it is to be in one dtype"
        )

    def type_of(self, dtype: Any) -> Any:
        """ONNX's number for a dtype."""
        try:
            return self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype).newbyteorder("="))
        except ValueError:
            raise ag.ArgumentTypeError(
                f"export_onnx: ONNX has no numbers of {np.dtype(dtype)}; convert the model first, "
                "with model.astype(np.float64)"
            ) from None

    def add(
        self, operator: str, *inputs: str, outputs: list[str] | None = None, **attributes: Any
    ) -> str:
        """Add an operation; return the name of its (first) result."""
        if operator in FLOAT32_ALONE and self.dtype == np.float64:
            self.in_float32.add(operator)
            single = [self._cast(x, np.float32) for x in inputs]
            return self._cast(self._node(operator, single, None, attributes), np.float64, outputs)
        self._check_attributes(operator, attributes)
        return self._node(operator, inputs, outputs, attributes)

    def _check_attributes(self, operator: str, attributes: dict[str, Any]) -> None:
        """Refuse numbers that the file would round: those of attributes are of float32."""
        for name, number in attributes.items():
            if not isinstance(number, float) or self.dtype != np.float64:
                continue
            if float(np.float32(number)) != number:
                raise ag.ArgumentValueError(
                    f"export_onnx: {operator} with {name}={number!r} would be rounded in a model "
                    "of float64, as attributes are of float32 in ONNX; write it by operators, "
                    f"with graph.constant({number!r})"
                )

    def _node(self, operator: str, inputs: Any, outputs: Any, attributes: Any) -> str:
        results = outputs or [f"v{len(self.nodes)}"]
        self.nodes.append(self.onnx.helper.make_node(operator, inputs, results, **attributes))
        return str(results[0])

    def _cast(self, x: str, dtype: Any, outputs: list[str] | None = None) -> str:
        return self._node("Cast", [x], outputs, {"to": self.type_of(dtype)})

    def as_floats(self, *names: str) -> list[str]:
        """Inputs of a layer that computes with floats: whole numbers are made some."""
        whole = {name for name, array in self.examples.items() if array.dtype.kind != "f"}
        return [self._cast(name, self.dtype) if name in whole else name for name in names]

    def as_index(self, name: str) -> str:
        """An input that numbers things: operators take no shorter integers than these two."""
        is_one = self.examples[name].dtype in (np.int32, np.int64)
        return name if is_one else self._cast(name, np.int64)

    def constant(self, value: Any, dtype: Any = None) -> str:
        """Add an array; return its name."""
        name = f"c{len(self.constants)}"
        data = value.data if isinstance(value, ag.Value) else value
        wanted = np.dtype(dtype or self.dtype)
        self.type_of(wanted)
        array = np.asarray(data, wanted.newbyteorder("="))
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def apply(self, module: Module, *inputs: str) -> Any:
        """Add a module; return the name of its result, or those of several.

        A class knows its operators by a ``to_onnx`` of its own; one that is inherited
        may be that of another ``forward``.
        """
        refuse_hooks(module, " before it is exported")
        example = [self.examples[name] for name in inputs]
        if "to_onnx" in vars(type(module)) and "forward" not in vars(module):
            result: Any = module.to_onnx(self, *inputs)  # type: ignore[attr-defined]
        else:
            result = self.record(module, *inputs)
        with ag.no_grad():
            out = map_arrays(np.asarray, module(*example))
        self.examples |= dict(zip(as_tuple(result), as_tuple(out), strict=True))
        return result

    def record(self, function: Any, *inputs: str) -> Any:
        """Add what a function does with its inputs, as it is recorded for the example."""
        values = [
            ag.Value(array.astype(self.dtype)).astype(array.dtype)  # which keeps whole numbers
            for array in (self.examples[name] for name in inputs)
        ]
        names = {id(value.node): name for value, name in zip(values, inputs, strict=True)}
        results = function(*values)
        for result in as_tuple(results):
            if isinstance(result, dict | list | tuple):
                raise ag.ArgumentValueError(
                    f"export_onnx: {type(function).__name__} returns a {type(results).__name__}"
                    f"{' of ' + type(result).__name__ + 's' if result is not results else ''}, "
                    "and the outputs of a file have an order alone; return a tuple of arrays"
                )
        return map_arrays(lambda result: self._add_recorded(result, names), results)

    def _add_recorded(self, result: Any, names: dict[int, str]) -> str:
        if not isinstance(result, ag.Value):
            raise ag.ArgumentValueError(
                f"export_onnx: a result is {type(result).__name__}, which does not depend on the "
                "input; return what is computed from it"
            )
        stack = [result.node]
        while stack:
            node = stack[-1]
            missing = [
                part for part in node.inputs if hasattr(part, "primitive") and id(part) not in names
            ]
            if missing:
                stack += missing
                continue
            stack.pop()
            if id(node) not in names:
                names[id(node)] = self._add_node(node, names)
        return names[id(result.node)]

    def _add_node(self, node: Any, names: dict[int, str]) -> str:
        if node.primitive is None:
            return self.constant(node.data, self._dtype_of_constant(node.data))

        return add_node(self, node, lambda part: names.get(id(part)))

    def _dtype_of_constant(self, data: Any) -> Any:
        array = np.asarray(data)
        is_index = array.ndim and array.dtype.kind in "iu"
        return array.dtype if is_index or array.dtype.kind == "b" else self.dtype

    # From the model to the file.

    def take_inputs(self, example: Any) -> list[str]:
        """Note the inputs; their names."""
        names = numbered("input", example)
        for name, part in zip(names, as_tuple(example), strict=True):
            array = np.asarray(part)
            if array.dtype.kind not in "fiub":
                raise ag.ArgumentTypeError(
                    f"export_onnx: the example has dtype {array.dtype}; it must hold real numbers"
                )
            self.examples[name] = array.astype(self.dtype) if array.dtype.kind == "f" else array
        return names

    def name_outputs(self, model: Module, inputs: list[str]) -> list[str]:
        """Add the whole model, as it is in use; the names of its outputs."""
        with in_use(model):
            results = self.apply(model, *inputs)
        names = numbered("output", results)
        for name, result in zip(names, as_tuple(results), strict=True):
            self.add("Identity", result, outputs=[name])
            self.examples[name] = self.examples[result]
        self.outputs = names
        return names

    def to_model(self, inputs: list[str], outputs: list[str]) -> Any:
        """The contents of a file."""
        helper = self.onnx.helper
        infos = [[self._info(name) for name in names] for names in (inputs, outputs)]
        return helper.make_model(
            helper.make_graph(self.nodes, "autograd_lite", *infos, self.constants),
            producer_name="autograd_lite",
            doc_string=self.note if self.in_float32 else "",
            opset_imports=[helper.make_opsetid("", OPERATORS)],
            ir_version=9,
        )

    def _info(self, name: str) -> Any:
        """Name, type and shape of an input or output."""
        array = self.examples[name]
        dtype = self.dtype if array.dtype.kind == "f" else array.dtype
        shape = ["samples", *array.shape[1:]]
        return self.onnx.helper.make_tensor_value_info(name, self.type_of(dtype), shape)

    def verify(self, file: Any, model: Module, inputs: list[str]) -> None:
        """Refuse a file that computes other numbers, also for other samples, more and one."""
        from onnx.reference import ReferenceEvaluator

        evaluator = ReferenceEvaluator(file)
        sizes = [largest(self.examples[name]) for name in self.outputs]
        for vary in (np.asarray, other_samples, opposite_samples, first_sample):
            feeds = {name: vary(self.examples[name]) for name in inputs}
            x = tuple(feeds.values())
            try:
                with np.errstate(all="ignore"):  # these may lie outside of a function's domain
                    expected = as_tuple(predict(model, x if len(x) > 1 else x[0]))
                found = evaluator.run(None, feeds)
                is_right = len(found) == len(expected) and all(
                    map(self._agree, expected, found, sizes)
                )
            except ag.AutogradError as error:
                raise ag.ArgumentValueError(
                    f"export_onnx: other samples than those of the example are refused: {error}; "
                    "give an example whose first axis is that of the samples"
                ) from None
            except Exception:  # of either, where shapes do not fit
                is_right = False
            if not is_right:
                raise ag.ArgumentValueError(
                    f"export_onnx: what was recorded of this {type(model).__name__} computes "
                    "other numbers for other samples; compute all that depends on the input "
                    "with NumPy's functions, and leave the number of samples open (-1)"
                )

    def _agree(self, ours: Any, theirs: Any, size: float) -> bool:
        """Whether two outputs, of others of this size, are the same but for rounding."""
        precision = np.finfo(np.float32 if self.in_float32 else self.dtype).eps
        tolerance = 1e3 * precision * max(size, largest(ours))
        return ours.shape == theirs.shape and np.allclose(
            ours, theirs, rtol=0, atol=tolerance, equal_nan=True
        )


def largest(numbers: Any) -> float:
    """The size of the largest finite number."""
    sizes = np.abs(numbers)
    return float(np.max(sizes, initial=0.0, where=np.isfinite(sizes)))


def other_samples(x: Any) -> Any:
    """Two samples more, and other numbers where these are floats."""
    more = np.concatenate([x[::-1], x[:1], x[:1]])
    return more if x.dtype.kind != "f" else (0.75 * more - 0.125).astype(x.dtype)


def first_sample(x: Any) -> Any:
    """The first sample alone."""
    return x[:1]


def opposite_samples(x: Any) -> Any:
    """The same samples with opposite signs where these are floats."""
    return x if x.dtype.kind != "f" else -x
