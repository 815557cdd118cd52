"""Every registered operation: in ONNX with the same numbers, or refused by its name."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
import scipy.special

import autograd_lite as ag
from autograd_lite.core.tree import flatten
from nn.formats.onnx import Graph
from tests.ops.cases import CASES

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
onnxruntime.set_default_logger_severity(4)

WANTED = {
    "absolute", "add", "all", "any", "arccos", "arctan", "argmax", "argmin", "broadcast_to",
    "cbrt", "ceil", "clip", "concatenate", "count_nonzero", "cumsum", "degrees", "diagonal",
    "divide", "dot", "einsum", "equal", "exp", "exp2", "expand_dims", "expit", "expm1", "fabs",
    "flip", "floor", "floor_divide", "fmax", "fmin", "fmod", "greater", "heaviside", "inner",
    "isfinite", "isinf", "isnan", "less", "log", "log10", "log1p", "log2", "logaddexp",
    "logical_and", "logical_not", "logical_or", "logical_xor", "logit", "logsumexp", "matmul",
    "matvec", "max", "maximum", "mean", "min", "minimum", "moveaxis", "multi_dot", "multiply",
    "nan_to_num", "negative", "norm", "not_equal", "pad", "positive", "power", "prod",
    "radians", "ravel", "reciprocal", "remainder", "reshape", "rint", "roll", "round", "sign",
    "sin", "sinc", "softmax", "sqrt", "square", "squeeze", "stack", "std", "subtract", "sum",
    "swapaxes", "take", "take_along_axis", "tanh", "tensordot", "transpose", "tril", "triu",
    "trunc", "var", "vdot", "vecdot", "vecmat", "where", "xlogy",
}  # fmt: skip
"""Operations that are in ONNX, or are made of what is."""

REFUSED = (
    r"export_onnx: the operation \S+"
    r"( with [\w=., '()-]+| of [\w ]+| by .+| in \w+, beside \w+,)?"
    r" has no counterpart in ONNX that is known here; use others, or define a method "
    r"to_onnx\(graph, x\) of the layer"
    r"|export_onnx: a result is \w+, which does not depend on the input; .*"
    r"|export_onnx: the example has dtype complex128; it must hold real numbers"
)


def in_onnx(function, inputs, dtype):
    """What onnxruntime computes of the recorded function, what was computed here, how precisely.

    All floats are in the type of the model.
    """
    graph = Graph(onnx, np.dtype(dtype))
    names = graph.take_inputs(tuple(inputs))
    values = [ag.Value(graph.examples[name]) for name in names]
    expected = [np.asarray(ag.stop_gradient(x)) for x in flatten(function(*values))]
    expected = [x.astype(dtype) if x.dtype.kind == "f" else x for x in expected]
    results = graph.record(lambda *xs: tuple(flatten(function(*xs))), *names)
    outputs = [f"output_{number}" for number in range(len(results))]
    for name, result, array in zip(outputs, results, expected, strict=True):
        graph.add("Identity", result, outputs=[name])
        graph.examples[name] = array
    infos = [
        [
            onnx.helper.make_tensor_value_info(
                name, graph.type_of(graph.examples[name].dtype), graph.examples[name].shape
            )
            for name in some
        ]
        for some in (names, outputs)
    ]
    file = onnx.helper.make_model(
        onnx.helper.make_graph(graph.nodes, "recorded", *infos, graph.constants),
        opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=9,
    )  # fmt: skip
    session = onnxruntime.InferenceSession(
        file.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    found = session.run(None, {name: graph.examples[name] for name in names})
    precision = np.float32 if graph.in_float32 else dtype
    return found, expected, 200 * float(np.finfo(precision).eps)


def assert_same(found, expected, tolerance):
    for theirs, ours in zip(found, expected, strict=True):
        assert theirs.shape == ours.shape
        assert theirs.dtype == ours.dtype
        np.testing.assert_allclose(theirs, ours, rtol=tolerance, atol=tolerance, equal_nan=True)


def attempt(case, dtype, inputs):
    """Whether a case was exported; what was refused is refused by its name."""
    inputs = [x.astype(dtype) if x.dtype.kind == "f" else x for x in map(np.asarray, inputs)]
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            computed = in_onnx(case.call, inputs, dtype)
    except (ag.ArgumentValueError, ag.ArgumentTypeError) as error:
        assert re.fullmatch(REFUSED, str(error)), error
        return False
    assert_same(*computed)
    return True


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_same_numbers_or_refused_by_name(case):
    for dtype in (np.float64, np.float32):
        attempt(case, dtype, case.draw())


SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, -3.5, 1e-9, 40.0, -40.0, np.nan, np.inf, -np.inf]


PAIRS = np.array([(a, b) for a in SPECIAL for b in SPECIAL])


def special_inputs(case):
    """All pairs of special numbers in the place of floats; None where it is not elementwise."""
    columns = iter((PAIRS[:, 0], PAIRS[:, 1], PAIRS[::-1, 0], PAIRS[::-1, 1]))
    inputs = [next(columns).copy() if np.shape(x) else x for x in case.draw()]
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            whole = case.reference(*inputs)
            half = case.reference(*[x[::2] if np.shape(x) else x for x in inputs])
    except Exception:  # it is not for such shapes
        return None
    is_one = getattr(whole, "shape", None) == PAIRS.shape[:1]
    is_one = (
        is_one
        and bool(np.isfinite(whole).any())
        and np.array_equal(whole[::2], half, equal_nan=whole.dtype.kind in "fc")
    )
    return inputs if is_one else None


def is_scipys(case):
    """Whether SciPy computes it, by algorithms of which some take for ever on infinities."""
    function = case.function[0] if isinstance(case.function, tuple) else case.function
    is_special = any(function is x for x in vars(scipy.special).values())
    module = getattr(function, "__module__", None) or type(function).__module__
    return is_special or module.startswith(("scipy", "autograd_lite.scipy"))


ELEMENTWISE = {
    case.name: (case, inputs)
    for case in CASES
    if not is_scipys(case) and (inputs := special_inputs(case)) is not None
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_special_numbers_too(name):
    case, inputs = ELEMENTWISE[name]
    attempt(case, np.float64, inputs)


def test_how_many_operations_are_exported():
    """Those of which every case is, are: what is refused by mistake would be missed else."""
    exported = {case.function for case in CASES if attempt(case, np.float64, case.draw())}
    names = {getattr(function, "__name__", "") for function in exported}
    assert names >= WANTED, WANTED - names
    assert len(names) >= 200
