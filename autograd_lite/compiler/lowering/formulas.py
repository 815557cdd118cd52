"""Formulas: what an elementwise operation is for a single number, as Numba reads it.

Several operations written as formulas, one after the other, are the text of one
loop, which Numba compiles to a ufunc.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_lite.compiler.ir import Constant, Operand, Operation, substitute
from autograd_lite.compiler.lowering.forms import Form, Lowered, Lowering, Writer
from autograd_lite.compiler.runtime.machine_code import LoopCode, ufunc_of
from autograd_lite.compiler.runtime.numba_math import ELEMENTARY_NAMES
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.ops import elementwise

__all__ = [
    "BOOL",
    "FLOAT",
    "NUMBA_NAMES",
    "Fused",
    "LoopText",
    "formula_of",
    "has_formula",
    "is_elementary",
    "is_float",
    "is_varying",
    "number_name",
    "parts_of",
]

MOST_IN_PLACE = 128
"""Numbers in a result that may lie over an operand: there a ufunc computes one at a time."""

MOST_NAMES = 4
"""In the name of a loop."""

COMPARISONS = {
    np.less: "{} < {}",
    np.less_equal: "{} <= {}",
    np.greater: "{} > {}",
    np.greater_equal: "{} >= {}",
    np.equal: "{} == {}",
    np.not_equal: "{} != {}",
}


def call_of(function: Any) -> str:
    """The formula of a function that goes by its own name; one that NumPy lacks has no operands."""
    return f"{function.__name__}({', '.join(['{}'] * getattr(function, 'nin', 0))})"


TESTS = {
    function: call_of(function)
    for function in (np.logical_and, np.logical_or, np.logical_not, np.isnan, np.isfinite)
}

FORMULAS: dict[Any, str] = {
    np.add: "{} + {}",
    np.subtract: "{} - {}",
    np.multiply: "{} * {}",
    np.negative: "-{}",
    np.square: "{0} * {0}",
    np.divide: "{} / {}",
    np.reciprocal: "1 / {}",
    np.absolute: "abs({})",
    np.astype: "{}",
    elementwise.relu: "maximum({}, 0)",
    elementwise.where_chosen: "{1} if {0} else {2}",
    **COMPARISONS,
    **TESTS,
    **{
        function: call_of(function)
        for function in (
            np.sin, np.cos, np.tan, np.exp, np.expm1, np.log, np.log1p, np.sinh, np.cosh, np.tanh,
            np.arcsin, np.arccos, np.arctan, np.arcsinh, np.arccosh, np.arctanh, np.sqrt, np.log2,
            np.log10, np.exp2, np.maximum, np.minimum, np.hypot, np.arctan2, np.copysign,
            np.floor, np.ceil, np.trunc,
        )
    },
}  # fmt: skip
"""By NumPy's function, or by the primitive where NumPy has none for it."""

FLOAT, BOOL = np.dtype(np.float64), np.dtype(np.bool_)
NUMBA_NAMES = {FLOAT: "float64", np.dtype(np.float32): "float32", BOOL: "boolean"}


def formula_of(primitive: Primitive) -> str | None:
    return FORMULAS.get(primitive) or FORMULAS.get(primitive.function)


def is_elementary(primitive: Primitive) -> bool:
    """Whether it is an elementary function that `numba_math` computes."""
    function = primitive.function
    return isinstance(function, np.ufunc) and function.__name__ in ELEMENTARY_NAMES


def answers(primitive: Primitive) -> bool:
    """Whether its results may be booleans."""
    function = primitive.function
    return function in COMPARISONS or function in TESTS or primitive is elementwise.where_chosen


def has_formula(operation: Operation) -> bool:
    """Whether an operation on single numbers is known, for floating-point numbers and booleans."""
    of = operation.type
    if not of.shape or of.dtype not in NUMBA_NAMES or formula_of(operation.primitive) is None:
        return False
    if set(operation.parameters) - {"dtype"}:
        return False
    if of.dtype == BOOL and not answers(operation.primitive):
        return False
    return all(x.type.dtype in NUMBA_NAMES or is_float(x) for x in operation.operands)


def is_float(x: Operand) -> bool:
    """Whether it is one of Python's own numbers."""
    return x.type.kind is float or (isinstance(x, Constant) and x.type.kind in (int, bool))


def is_varying(x: Operand) -> bool:
    """Whether an operand is handed to the loop, and not a number in its text."""
    return not isinstance(x, Constant) or bool(x.type.shape)


def number_name(x: Operand) -> str:
    """What Numba calls the type of a single number of an operand."""
    return NUMBA_NAMES[x.type.dtype or FLOAT]


class Fused(Lowered):
    """Several elementwise operations in one loop: a ufunc that Numba compiled, and its text."""

    __slots__ = ("given", "parts")

    def __init__(self, parts: Sequence[Operation]) -> None:
        text = LoopText()
        for part in parts:
            text.add(part)
        self.parts = tuple(parts)
        self.given = tuple(text.operands)
        """What the loop reads, in the order of the operands of an operation that it is."""
        dtypes = [number_name(x) for x in self.given]
        function = text.function(parts[-1])
        code = code_of(function, dtypes, number_name(parts[-1]))
        super().__init__(ufunc_of(code), name=name_of_all(parts), elementwise=True)
        self.text = f"@vectorize([{code.signature!r}])\n{function}"
        is_small = parts[-1].type.size <= MOST_IN_PLACE
        self.lowering = Lowering(Form.OUT, self.lines, in_place=is_small, elementwise=True)

    def lines(self, write: Writer, operation: Operation, out: str | None) -> list[str]:
        arguments = [write.operand(x, x.type.dtype or FLOAT) for x in operation.operands]
        arguments += [] if out is None else [out]
        return [f"{write.define(self.forward, self.text)}({', '.join(arguments)})"]


def parts_of(operation: Operation) -> tuple[Operation, ...]:
    """The operations that one is made of."""
    return operation.primitive.parts if isinstance(operation.primitive, Fused) else (operation,)


def name_of_all(operations: Sequence[Operation]) -> str:
    """The names of what a loop computes, each once: ``multiply, tanh``."""
    names = list(dict.fromkeys(x.primitive.name for x in operations))
    if len(names) > MOST_NAMES:
        names = [*names[: MOST_NAMES - 1], "...", names[-1]]
    return ", ".join(names)


def code_of(text: str, types: Sequence[str], result: str) -> LoopCode:
    """The code of a ufunc for a function of single numbers.

    Only what stands in the loop itself, however long, is computed on vectors.
    """
    head = text[: text.index(":")]
    arguments = head.removeprefix("def loop")
    return LoopCode(text, f"{head}: return inner{arguments}", tuple(types), result)


class LoopText:
    """The text of a function of single numbers, with names that tell nothing of the program.

    So loops that do the same have the same text, and are compiled once.
    """

    def __init__(self) -> None:
        self.operands: dict[Operand, str] = {}
        self.names: dict[Operand, str] = {}
        self.lines: list[str] = []
        self.replaced: dict[Operand, Operand] = {}

    def add(self, operation: Operation) -> None:
        """Compute an operation; one that is in the loop already is not computed again."""
        if operation in self.names:
            return
        primitive = operation.primitive
        if isinstance(primitive, Fused):
            self.replaced |= zip(primitive.given, operation.operands, strict=True)
            for part in primitive.parts:
                self.add(part)
            self.names[operation] = self.names[primitive.parts[-1]]
            return
        floats = [x.type.dtype for x in operation.operands if x.type.dtype is not None]
        narrow = bool(floats) and np.float64 not in floats and np.float32 in floats
        operands = substitute(operation.operands, self.replaced)
        arguments = [self._argument(x, narrow) for x in operands]
        formula = (formula_of(primitive) or "").format(*arguments)
        if operation.type.dtype != BOOL:
            formula = f"{operation.type.dtype}({formula})"
        self.names[operation] = f"v{len(self.lines) + 1}"
        self.lines.append(f"{self.names[operation]} = {formula}")

    def _argument(self, x: Operand, narrow: bool) -> str:
        if x in self.names:
            return self.names[x]
        if not is_varying(x):
            assert isinstance(x, Constant)
            text = repr(bool(x.value)) if x.type.dtype == BOOL else repr(float(x.value))
        else:
            text = self.element(x, self.operands.setdefault(x, f"x{len(self.operands) + 1}"))
        return f"float32({text})" if narrow and x.type.dtype is None else text

    def element(self, x: Operand, name: str) -> str:
        """How a single number of an operand is written."""
        return name

    def function(self, last: Operation) -> str:
        """The function whose result is that of the last operation."""
        head = f"def loop({', '.join(self.operands.values())}):"
        lines = [*self.lines, f"return {self.names[last]}"]
        return "\n".join([head, *(f"    {line}" for line in lines)])
