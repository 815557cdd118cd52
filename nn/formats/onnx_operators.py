"""What NumPy's operations of numbers are called in ONNX, for models exported as recorded.

Converters of shapes, indices and products are in `nn.formats.onnx_shapes`.  Each is written for
some parameters; with others, and for complex numbers, an operation is refused by its name.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.activations import activations, onnx_converters

__all__ = ["Call", "add_node", "converts"]

Converter = Callable[..., str]

converters: dict[str, Converter] = {}
"""By the names of the engine's operations."""

FLOATS = {
    "absolute": "Abs", "add": "Add", "arccos": "Acos", "arccosh": "Acosh", "arcsin": "Asin",
    "arcsinh": "Asinh", "arctan": "Atan", "arctanh": "Atanh", "ceil": "Ceil",
    "conjugate": "Identity", "cos": "Cos", "cosh": "Cosh", "divide": "Div", "erf": "Erf",
    "exp": "Exp", "expit": "Sigmoid", "fabs": "Abs", "float_power": "Pow", "floor": "Floor",
    "identity": "Identity", "log": "Log", "maximum": "Max", "minimum": "Min", "multiply": "Mul",
    "negative": "Neg", "positive": "Identity", "power": "Pow", "real": "Identity",
    "reciprocal": "Reciprocal", "relu": "Relu", "rint": "Round", "sin": "Sin", "sinh": "Sinh",
    "sqrt": "Sqrt", "subtract": "Sub",
    "tan": "Tan", "tanh": "Tanh",
}  # fmt: skip
"""Operations on numbers that have the type of the result."""

COMPARISONS = {
    "equal": "Equal", "greater": "Greater", "greater_equal": "GreaterOrEqual", "less": "Less",
    "less_equal": "LessOrEqual",
}  # fmt: skip

LOGICAL = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor", "logical_not": "Not"}

BITS = {"bitwise_and": ("And", "BitwiseAnd"), "bitwise_or": ("Or", "BitwiseOr"),
        "bitwise_xor": ("Xor", "BitwiseXor"), "invert": ("Not", "BitwiseNot")}  # fmt: skip
"""Of truth values, and of whole numbers."""

REDUCTIONS = {"sum": "ReduceSum", "mean": "ReduceMean", "max": "ReduceMax", "min": "ReduceMin",
              "prod": "ReduceProd"}  # fmt: skip


class Call:
    """A recorded operation on its way into a graph.

    Attributes
    ----------
    shape, dtype
        Of the result.
    inputs : list
        What it was computed from: arrays, numbers, parts of an index.
    """

    def __init__(self, graph: Any, node: Any, name_of: Callable[[Any], str | None]) -> None:
        self.graph, self.node, self.name_of = graph, node, name_of
        self.name = node.primitive.name
        self.inputs = [part.data if is_node(part) else part for part in node.inputs]

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.node.data)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.asarray(self.node.data).dtype

    def operand(self, position: int, dtype: Any = None) -> str:
        """The name of an operand, in a type: that of floats is the model's."""
        data = self.inputs[position]
        own = self.type_in_graph(np.asarray(data).dtype)
        wanted = own if dtype is None else self.type_in_graph(dtype)
        name = self.name_of(self.node.inputs[position])
        if name is None:
            return str(self.graph.constant(data, wanted))
        return name if own == wanted else self.cast(name, wanted)

    def operands(self, dtype: Any = None) -> list[str]:
        """The names of all operands, in the type of the result if no other is given."""
        dtype = self.dtype if dtype is None else dtype
        return [self.operand(i, dtype) for i in range(len(self.inputs))]

    def type_in_graph(self, dtype: Any) -> np.dtype[Any]:
        """The type that numbers of a type have in the graph."""
        kind = np.dtype(dtype)
        found: np.dtype[Any] = self.graph.dtype if kind.kind == "f" else kind
        return found

    def cast(self, x: str, dtype: Any) -> str:
        """The same numbers in another type."""
        return str(self.graph.add("Cast", x, to=self.graph.type_of(self.type_in_graph(dtype))))

    def refuse(self, what: str = "") -> ag.ArgumentValueError:
        """The error for what there is no operator for."""
        return ag.ArgumentValueError(
            f"export_onnx: the operation {self.name}{what} has no counterpart in ONNX that is "
            "known here; use others, or define a method to_onnx(graph, x) of the layer"
        )


def is_node(part: Any) -> bool:
    """Whether a part of an operation was computed, and is no constant."""
    return hasattr(part, "primitive")


def converts(*names: str, operands: int = 1) -> Callable[[Converter], Converter]:
    """Register ``converter(graph, call, **parameters)`` for operations with so many operands."""

    def register(converter: Converter) -> Converter:
        def convert(graph: Any, call: Call, **parameters: Any) -> str:
            if len(call.inputs) > operands:
                raise call.refuse(" with where=")
            return converter(graph, call, **parameters)

        convert.__signature__ = inspect.signature(converter)  # type: ignore[attr-defined]
        converters.update(dict.fromkeys(names, convert))
        return converter

    return register


def add_node(graph: Any, node: Any, name_of: Callable[[Any], str | None]) -> str:
    """Add a recorded operation to a graph; the name of its result."""
    call = Call(graph, node, name_of)
    name = call.name
    if activations.get(name) is node.primitive:
        names = [call.operand(i) for i in range(len(call.inputs))]
        return onnx_converters[name](graph, *names, **node.parameters)
    known = known_of(node.primitive.forward)
    if name not in known:
        raise call.refuse()
    dtypes = [call.dtype, *(np.asarray(x).dtype for x in call.inputs if hasattr(x, "dtype"))]
    if any(dtype.kind == "c" for dtype in dtypes):
        raise call.refuse(" of complex numbers")
    if call.dtype.kind == "f" and call.dtype.itemsize < graph.dtype.itemsize and name != "astype":
        raise call.refuse(f" in {call.dtype}, beside {graph.dtype},")
    try:
        inspect.signature(known[name]).bind(graph, call, **node.parameters)
    except TypeError:
        raise call.refuse(f" with {', '.join(f'{key}=' for key in node.parameters)}") from None
    return known[name](graph, call, **node.parameters)


def known_of(function: Any) -> dict[str, Converter]:
    """The converters of what NumPy, the engine or nn computes; another's may be called alike."""
    package = str(getattr(function, "__module__", None) or "").partition(".")[0]
    if package == "nn":
        return OF_NN
    is_numpys = isinstance(function, np.ufunc) or package in ("autograd_lite", "numpy", "_operator")
    return converters if is_numpys else {}


def renamed(operator: str, n_operands: int, names: tuple[str, ...]) -> None:
    """Register an operator for operations whose operands have the type of the result."""

    @converts(*names, operands=n_operands)
    def convert(graph: Any, call: Call) -> str:
        if call.dtype.kind != "f" and call.dtype not in (np.int32, np.int64):
            raise call.refuse(f" of {call.dtype}")
        return str(graph.add(operator, *call.operands()))


BINARY = {"Add", "Div", "Max", "Min", "Mul", "Pow", "Sub"}
for name, operator in FLOATS.items():
    renamed(operator, 2 if operator in BINARY else 1, (name,))


@converts(*COMPARISONS, "not_equal", operands=2)
def compare(graph: Any, call: Call) -> str:
    common = np.result_type(*call.inputs)
    names = call.operands(np.int64 if common.kind == "b" else common)
    if call.name == "not_equal":
        return str(graph.add("Not", graph.add("Equal", *names)))
    return str(graph.add(COMPARISONS[call.name], *names))


@converts(*LOGICAL, operands=2)
def logical(graph: Any, call: Call) -> str:
    return str(graph.add(LOGICAL[call.name], *call.operands(bool)))


@converts(*BITS, operands=2)
def bits(graph: Any, call: Call) -> str:
    return str(graph.add(BITS[call.name][call.dtype.kind != "b"], *call.operands()))


@converts("where", operands=3)
def where(graph: Any, call: Call) -> str:
    condition = call.operand(0, bool)
    return str(graph.add("Where", condition, *(call.operand(i, call.dtype) for i in (1, 2))))


@converts("isnan", "isinf", "isposinf", "isneginf", "isfinite")
def classify(graph: Any, call: Call) -> str:
    x = call.operand(0, graph.dtype)
    if call.name == "isfinite":
        either = graph.add("Or", graph.add("IsNaN", x), graph.add("IsInf", x))
        return str(graph.add("Not", either))
    if call.name == "isnan":
        return str(graph.add("IsNaN", x))
    signs = {"isposinf": {"detect_negative": 0}, "isneginf": {"detect_positive": 0}}
    return str(graph.add("IsInf", x, **signs.get(call.name, {})))


def choose(graph: Any, condition: str, yes: str, no: str) -> str:
    return str(graph.add("Where", condition, yes, no))


@converts("sign")
def sign(graph: Any, call: Call) -> str:
    """0 at 0, and NaN of NaN."""
    x = call.operand(0)
    if call.dtype.kind != "f":
        raise call.refuse(f" of {call.dtype}")
    return choose(graph, graph.add("IsNaN", x), x, graph.add("Sign", x))


@converts("heaviside", operands=2)
def heaviside(graph: Any, call: Call) -> str:
    """The second operand at 0, and NaN of NaN."""
    x, at_zero = call.operands()
    zero, one = graph.constant(0), graph.constant(1)
    right = choose(graph, graph.add("Greater", x, zero), one, x)
    left = choose(graph, graph.add("Less", x, zero), zero, right)
    return choose(graph, graph.add("Equal", x, zero), at_zero, left)


@converts("fmax", "fmin", operands=2)
def without_nan(graph: Any, call: Call) -> str:
    x, y = call.operands()
    best = graph.add("Max" if call.name == "fmax" else "Min", x, y)
    kept = choose(graph, graph.add("IsNaN", y), x, best)
    return choose(graph, graph.add("IsNaN", x), y, kept)


@converts("trunc", "fix")
def truncate(graph: Any, call: Call) -> str:
    x = call.operand(0)
    up = graph.add("Less", x, graph.constant(0))
    return choose(graph, up, graph.add("Ceil", x), graph.add("Floor", x))


@converts("round", "around")
def rounded(graph: Any, call: Call, decimals: int = 0) -> str:
    if call.dtype.kind != "f":
        raise call.refuse(f" of {call.dtype}")
    if not decimals:
        return str(graph.add("Round", call.operand(0)))
    unit = graph.constant(10.0 ** abs(decimals))
    there, back = ("Mul", "Div") if decimals > 0 else ("Div", "Mul")
    return str(graph.add(back, graph.add("Round", graph.add(there, call.operand(0), unit)), unit))


@converts("fmod", "remainder", "floor_divide", operands=2)
def divide_with_rest(graph: Any, call: Call) -> str:
    """The rest has the sign of the dividend, or in ``remainder`` that of the divisor."""
    if call.dtype.kind != "f":
        raise call.refuse(f" of {call.dtype}")
    x, y = call.operands()
    rest = graph.add("Mod", x, y, fmod=1)
    if call.name == "fmod":
        return str(rest)
    zero, one = graph.constant(0), graph.constant(1)
    differ = graph.add("Xor", graph.add("Less", rest, zero), graph.add("Less", y, zero))
    is_whole = graph.add("Equal", rest, zero)
    other_side = graph.add("And", differ, graph.add("Not", is_whole))
    if call.name == "remainder":
        moved = choose(graph, other_side, graph.add("Add", rest, y), rest)
        signed = graph.add("Mul", zero, y)
        return choose(graph, is_whole, signed, moved)
    whole = graph.add("Round", graph.add("Div", graph.add("Sub", x, rest), y))
    floor = choose(graph, other_side, graph.add("Sub", whole, one), whole)
    return choose(graph, graph.add("Equal", y, zero), graph.add("Div", x, y), floor)


def scaled(name: str, factor: float, inner: str = "") -> None:
    """Register an operation that is another one times a number."""

    @converts(name)
    def convert(graph: Any, call: Call) -> str:
        x = call.operand(0, call.dtype)
        return str(graph.add("Mul", graph.add(inner, x) if inner else x, graph.constant(factor)))


scaled("log2", 1 / math.log(2), "Log")
scaled("log10", 1 / math.log(10), "Log")
scaled("deg2rad", np.pi / 180)
scaled("radians", np.pi / 180)
scaled("rad2deg", 180 / np.pi)
scaled("degrees", 180 / np.pi)


@converts("exp2")
def exp2(graph: Any, call: Call) -> str:
    return str(graph.add("Pow", graph.constant(2), call.operand(0, call.dtype)))


@converts("cbrt")
def cbrt(graph: Any, call: Call) -> str:
    """The root of the size, with the sign; of NaN the size, which is NaN."""
    x = call.operand(0, call.dtype)
    root = graph.add("Pow", graph.add("Abs", x), graph.constant(1 / 3))
    below = graph.add("Less", x, graph.constant(0))
    return choose(graph, below, graph.add("Neg", root), root)


@converts("log1p")
def log1p(graph: Any, call: Call) -> str:
    """x · log(u) / (u - 1) with u = 1 + x as it was rounded, which is precise for small numbers."""
    x, one = call.operand(0, call.dtype), graph.constant(1)
    u = graph.add("Add", one, x)
    logarithm, rest = graph.add("Log", u), graph.add("Sub", u, one)
    scaled = graph.add("Mul", logarithm, graph.add("Div", x, rest))
    is_tiny, is_huge = graph.add("Equal", u, one), graph.add("Equal", u, x)
    usual = choose(graph, is_huge, logarithm, scaled)  # ∞ / ∞ is NaN
    return choose(graph, is_tiny, x, usual)


@converts("expm1")
def expm1(graph: Any, call: Call) -> str:
    """tanh(x / 2) · (exp(x) + 1), which is precise for small numbers."""
    x = call.operand(0, call.dtype)
    half = graph.add("Tanh", graph.add("Mul", x, graph.constant(0.5)))
    more = graph.add("Add", graph.add("Exp", x), graph.constant(1))
    return str(graph.add("Mul", half, more))


@converts("sinc")
def sinc(graph: Any, call: Call) -> str:
    x = graph.add("Mul", call.operand(0, call.dtype), graph.constant(np.pi))
    at_zero = graph.add("Equal", x, graph.constant(0))
    return choose(graph, at_zero, graph.constant(1), graph.add("Div", graph.add("Sin", x), x))


@converts("square")
def square(graph: Any, call: Call) -> str:
    x = call.operand(0, call.dtype)
    return str(graph.add("Mul", x, x))


@converts("logaddexp", operands=2)
def logaddexp(graph: Any, call: Call) -> str:
    """max(a, b) + log(1 + exp(-|a - b|)); of two infinities alike, themselves."""
    a, b = call.operands()
    far = graph.add("Neg", graph.add("Abs", graph.add("Sub", a, b)))
    tail = graph.add("Log", graph.add("Add", graph.constant(1), graph.add("Exp", far)))
    usual = graph.add("Add", graph.add("Max", a, b), tail)
    twice = graph.add("Add", a, graph.constant(math.log(2)))
    return choose(graph, graph.add("Equal", a, b), twice, usual)


@converts("logit")
def logit(graph: Any, call: Call) -> str:
    x = call.operand(0, call.dtype)
    return str(graph.add("Log", graph.add("Div", x, graph.add("Sub", graph.constant(1), x))))


@converts("xlogy", operands=2)
def xlogy(graph: Any, call: Call) -> str:
    x, y = call.operands()
    usual = graph.add("Mul", x, graph.add("Log", y))
    is_zero = graph.add("And", graph.add("Equal", x, graph.constant(0)),
                        graph.add("Not", graph.add("IsNaN", y)))  # fmt: skip
    return choose(graph, is_zero, graph.constant(0), usual)


@converts("clip", operands=3)
def clip(graph: Any, call: Call) -> str:
    found = call.operand(0, call.dtype)
    for position, operator in enumerate(("Max", "Min"), 1):
        if len(call.inputs) > position and call.inputs[position] is not None:
            found = graph.add(operator, found, call.operand(position, call.dtype))
    return str(found)


@converts("nan_to_num")
def nan_to_num(
    graph: Any, call: Call, nan: Any = 0.0, posinf: Any = None, neginf: Any = None,
) -> str:  # fmt: skip
    found, largest = call.operand(0), np.finfo(graph.dtype).max
    if call.dtype.kind != "f" or np.ndim(nan) or np.ndim(posinf) or np.ndim(neginf):
        raise call.refuse(" of such numbers")
    found = choose(graph, graph.add("IsNaN", found), graph.constant(nan), found)
    for sign, given, limit in (("negative", posinf, largest), ("positive", neginf, -largest)):
        is_one = graph.add("IsInf", found, **{f"detect_{sign}": 0})
        found = choose(graph, is_one, graph.constant(limit if given is None else given), found)
    return found


@converts("astype")
def astype(graph: Any, call: Call, dtype: Any) -> str:
    """Floats are in the type of the model; those that were made shorter stay rounded."""
    kind, x = np.dtype(dtype), call.operand(0)
    if kind.kind == "f" and kind.itemsize < graph.dtype.itemsize:
        x = str(graph.add("Cast", x, to=graph.type_of(kind)))
    return call.cast(x, kind)


# Reductions.


def reduce(graph: Any, operator: str, x: str, axis: Any = None, keepdims: bool = False) -> str:
    axes = [] if axis is None else [graph.constant(np.atleast_1d(axis), np.int64)]
    return str(graph.add(operator, x, *axes, keepdims=int(keepdims)))


def no_axes(axis: Any) -> bool:
    """Whether nothing is reduced; no axes are all axes in ONNX."""
    return isinstance(axis, tuple) and not axis


@converts(*REDUCTIONS)
def reduction(
    graph: Any, call: Call, axis: Any = None, keepdims: bool = False, dtype: Any = None
) -> str:
    x = call.operand(0, call.dtype)
    return x if no_axes(axis) else reduce(graph, REDUCTIONS[call.name], x, axis, keepdims)


@converts("any", "all", "count_nonzero")
def count(graph: Any, call: Call, axis: Any = None, keepdims: bool = False) -> str:
    if no_axes(axis):
        raise call.refuse(" with axis=()")
    x = call.cast(call.operand(0, bool), np.int64)
    operator = {"any": "ReduceMax", "all": "ReduceMin"}.get(call.name, "ReduceSum")
    return call.cast(reduce(graph, operator, x, axis, keepdims), call.dtype)


@converts("var", "std")
def variance(
    graph: Any, call: Call, axis: Any = None, keepdims: bool = False, ddof: float = 0
) -> str:
    """The mean of the squared distances from the mean; the root of it."""
    if no_axes(axis):
        raise call.refuse(" with axis=()")
    x = call.operand(0, call.dtype)
    away = graph.add("Sub", x, reduce(graph, "ReduceMean", x, axis, True))
    mean = reduce(graph, "ReduceMean", graph.add("Mul", away, away), axis, keepdims)
    n = np.size(call.inputs[0]) // max(int(np.prod(call.shape)), 1)
    if ddof:
        mean = str(graph.add("Mul", mean, graph.constant(n / (n - ddof))))
    return str(graph.add("Sqrt", mean)) if call.name == "std" else mean


@converts("norm")
def norm(graph: Any, call: Call, ord: Any = None, axis: Any = None, keepdims: bool = False) -> str:
    x = call.operand(0, call.dtype)
    n_axes = np.ndim(call.inputs[0]) if axis is None else np.size(axis)
    if ord is None or (ord == "fro" and n_axes == 2) or (ord == 2 and n_axes == 1):
        return reduce(graph, "ReduceL2", x, axis, keepdims)
    operators = {1: "ReduceL1", np.inf: "ReduceMax", -np.inf: "ReduceMin"}
    if n_axes != 1 or ord not in operators:
        raise call.refuse(f" with ord={ord!r} of so many axes")
    return reduce(graph, operators[ord], graph.add("Abs", x), axis, keepdims)


@converts("logsumexp")
def logsumexp(graph: Any, call: Call, axis: Any = None, keepdims: bool = False) -> str:
    """The largest is taken out, unless it is infinite."""
    x = call.operand(0, call.dtype)
    top = reduce(graph, "ReduceMax", x, axis, True)
    top = choose(graph, graph.add("IsInf", top), graph.constant(0), top)
    total = reduce(graph, "ReduceSum", graph.add("Exp", graph.add("Sub", x, top)), axis, keepdims)
    if not keepdims:
        top = reduce(graph, "ReduceMax", top, axis)
    return str(graph.add("Add", graph.add("Log", total), top))


@converts("softmax", "log_softmax")
def softmax(graph: Any, call: Call, axis: Any = None) -> str:
    """Those of `ag.special`."""
    if not isinstance(axis, int):
        raise call.refuse(f" with axis={axis!r}")
    operator = {"softmax": "Softmax", "log_softmax": "LogSoftmax"}[call.name]
    return str(graph.add(operator, call.operand(0), axis=axis))


# Operations of nn.


def normal_probability(graph: Any, call: Call) -> str:
    """½ · (1 + erf(x / √2))."""
    erf = graph.add("Erf", graph.add("Mul", call.operand(0), graph.constant(math.sqrt(0.5))))
    return str(graph.add("Mul", graph.constant(0.5), graph.add("Add", graph.constant(1), erf)))


OF_NN: dict[str, Converter] = {
    "normal_probability": normal_probability,
    "indices": lambda graph, call, count=None: call.operand(0, np.int64),
}
"""Of operations of nn that are no activations."""
