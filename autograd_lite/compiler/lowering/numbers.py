"""Arithmetic on Python's own numbers, as Python writes it."""

from __future__ import annotations

import math
import operator

from autograd_lite.compiler.ir import Constant, Operand, Operation
from autograd_lite.compiler.lowering.forms import Form, Lowering, Writer, call, call_lines
from autograd_lite.core.backward import guard
from autograd_lite.core.numpy_namespace import np
from autograd_lite.ops import elementwise, shaping

__all__ = ["SCALAR", "is_safe_power"]

INFIX = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", operator.pow: "**",
    np.power: "**", np.floor_divide: "//", np.remainder: "%", np.less: "<", np.less_equal: "<=",
    np.greater: ">", np.greater_equal: ">=", np.equal: "==", np.not_equal: "!=",
}  # fmt: skip

OF_FLOAT = {
    getattr(np, name): getattr(math, name.replace("arc", "a"))
    for name in (
        "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "sinh", "cosh",
        "tanh", "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh", "sqrt",
    )
}  # fmt: skip


def number_lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
    """Arithmetic as Python writes it; a function of NumPy's gives its result as a number."""
    texts = [write.operand(x) for x in operation.operands]
    plain = all(x.type.kind in (float, int, bool) for x in operation.operands)
    primitive = operation.primitive
    symbol = INFIX.get(primitive.function)
    if operation.parameters or any(x.type.is_array for x in operation.operands):
        plain = False
    elif symbol is not None and (symbol != "**" or is_python_power(operation)):
        return [f"{texts[0]} {symbol} {texts[1]}"]
    if plain and primitive is elementwise.negative:
        return [f"-{texts[0]}"]
    if plain and primitive is elementwise.relu:
        return [f"0.0 if {texts[0]} <= 0.0 else {texts[0]}"]
    if plain and primitive.function in OF_FLOAT and operation.type.kind is float:
        return [call(write, OF_FLOAT[primitive.function], texts)]
    if primitive is shaping.recompute:
        return texts
    if plain and primitive is guard:
        return [f"{texts[0]} if {texts[1]} else 0.0"]
    if plain and primitive is elementwise.where_chosen:
        chosen = f"{texts[1]} if {texts[0]} else {texts[2]}"
        return [f"{operation.type.kind.__name__}({chosen})"]
    (text,) = call_lines(write, operation, None)
    returns_number = primitive is elementwise.power_operator
    return [text if returns_number else f"{operation.type.kind.__name__}({text})"]


def is_python_power(operation: Operation) -> bool:
    """Whether Python's power is meant, or gives the same as NumPy's."""
    is_complex = operation.type.kind is complex and operation.primitive is elementwise.power
    return not is_complex and is_safe_power(operation.operands[1])


def is_safe_power(n: Operand) -> bool:
    """Whether a negative number may be raised to this: otherwise Python answers in complex."""
    return isinstance(n, Constant) and float(n.value).is_integer()


SCALAR = Lowering(Form.SCALAR, number_lines)
