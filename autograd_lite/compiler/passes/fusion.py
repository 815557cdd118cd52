"""Fusion: elementwise operations made one loop, which Numba compiles to a ufunc.

A pass like the others: what comes out is a program whose fused operations are
NumPy calls too, with buffers, blocks and threads as any ufunc has them.  An
operation goes into the loop of the one operation that uses its result; one
that costs less than keeping its result is done again in every loop that uses it.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from autograd_lite.compiler.ir import (
    Constant,
    Operand,
    Operation,
    Program,
    looked_up,
    with_operands,
)
from autograd_lite.compiler.lowering import Form, Lowering, Writer
from autograd_lite.compiler.runtime.numba_math import (
    ELEMENTARY_NAMES,
    numba_module,
    scalar_functions,
)
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.ops import elementwise

__all__ = ["Fused", "fused"]

MOST_OPERATIONS = 16
MOST_OPERANDS = 16
"""In one loop; a longer one has more numbers at hand than a processor has registers."""

LARGE = 4096
"""Numbers in a result from which on it is worthwhile to compile a loop of its own (`loops`)."""

MOST_IN_PLACE = 128
"""Numbers in a result that may lie over an operand: there a ufunc computes one at a time."""

MOST_NAMES = 4
"""In the name of a loop."""

MOST_CALLS = 1
"""Of elementary functions in one loop; what is called twice is not inlined, and then the
compiler computes one number at a time."""

CHEAP = {
    registry[np.add]: "{} + {}",
    registry[np.subtract]: "{} - {}",
    registry[np.multiply]: "{} * {}",
    registry[np.negative]: "-{}",
    registry[np.square]: "{0} * {0}",
}
"""Operations that cost less than to write and to read a number."""

FORMULAS = {
    **CHEAP,
    registry[np.divide]: "{} / {}",
    registry[np.reciprocal]: "1 / {}",
    registry[np.absolute]: "abs({})",
    registry[np.less]: "{} < {}",
    registry[np.less_equal]: "{} <= {}",
    registry[np.greater]: "{} > {}",
    registry[np.greater_equal]: "{} >= {}",
    registry[np.equal]: "{} == {}",
    registry[np.not_equal]: "{} != {}",
    registry[np.astype]: "{}",
    elementwise.relu: "maximum({}, 0)",
    elementwise.where_chosen: "{1} if {0} else {2}",
    **{
        registry[getattr(np, name)]: name + "({})"
        for name in (
            "sin", "cos", "tan", "exp", "expm1", "log", "log1p", "sinh", "cosh", "tanh",
            "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh", "sqrt", "log2",
            "log10", "exp2", "floor", "ceil", "trunc", "logical_not", "isnan", "isfinite",
        )
    },
    **{
        registry[getattr(np, name)]: name + "({}, {})"
        for name in (
            "maximum", "minimum", "hypot", "arctan2", "copysign", "logical_and", "logical_or",
        )
    },
}  # fmt: skip
"""What each operation is for a single number, as Numba reads it."""

QUICKER_ALONE = frozenset({registry[np.sin], registry[np.cos]})
"""Operations that gain also by themselves: NumPy computes them one number at a time."""

ELEMENTARY = frozenset(registry[getattr(np, name)] for name in ELEMENTARY_NAMES)

ANSWERS = frozenset(
    registry[getattr(np, name)]
    for name in (
        "less", "less_equal", "greater", "greater_equal", "equal", "not_equal",
        "logical_and", "logical_or", "logical_not", "isnan", "isfinite",
    )
) | {elementwise.where_chosen}  # fmt: skip
"""Operations whose results may be booleans."""

FLOAT, BOOL = np.dtype(np.float64), np.dtype(np.bool_)
NUMBA_NAMES = {FLOAT: "float64", np.dtype(np.float32): "float32", BOOL: "boolean"}


class Fused(Primitive):
    """Several elementwise operations in one loop: a ufunc that Numba compiled, and its text."""

    __slots__ = ("given", "parts")

    def __init__(self, parts: Sequence[Operation]) -> None:
        text = LoopText()
        for part in parts:
            text.add(part)
        self.parts = tuple(parts)
        self.given = tuple(text.operands)
        """What the loop reads, in the order of the operands of an operation that it is."""
        dtypes = ", ".join(number_name(x) for x in self.given)
        signature = f"{number_name(parts[-1])}({dtypes})"
        function = text.written(parts[-1])
        super().__init__(compiled(function, signature), name=name_of_all(parts), broadcasts=True)
        self.text = f"@vectorize([{signature!r}])\n{function}"
        is_small = parts[-1].type.size <= MOST_IN_PLACE
        self.lowering = Lowering(Form.INTO, self.lines, in_place=is_small, elementwise=True)

    def lines(self, write: Writer, operation: Operation, out: str | None) -> list[str]:
        arguments = [write.operand(x, x.type.dtype or FLOAT) for x in operation.operands]
        arguments += [] if out is None else [out]
        return [f"{write.defined(self.forward, self.text)}({', '.join(arguments)})"]


@cache
def compiled(text: str, signature: str) -> Any:
    """The ufunc for a function of single numbers; the same text is compiled once."""
    numba = numba_module()
    names = loop_names()
    exec(text, names)
    # Only what stands in the loop itself, however long, is computed on vectors.
    names["inlined"] = numba.njit(error_model="numpy", forceinline=True)(names["loop"])
    arguments = ", ".join(inspect.signature(names["loop"]).parameters)
    exec(f"def loop({arguments}): return inlined({arguments})", names)
    vectorized = numba.vectorize([signature])(names["loop"])
    return vectorized.ufunc  # itself: a call of what surrounds it takes three times as long


def loop_names() -> dict[str, Any]:
    """What the text of a loop calls by name."""
    return {**{name: getattr(np, name) for name in dir(np)}, "abs": abs, **scalar_functions()}


def fused(program: Program) -> Program:
    """Replace elementwise operations by loops that compute several of them."""
    inner = Choice(program).inner
    known: dict[Operand, Operand] = {}
    kept: list[Operation] = []
    for operation in program.operations:
        if operation in inner:
            continue
        loop = list(operations_of(operation, inner))
        if len(loop) > 1 or (operation.primitive in QUICKER_ALONE and has_formula(operation)):
            new = fused_operation(loop)
        else:
            new = operation
        made = with_operands(new, looked_up(new.operands, known))
        known[operation] = made
        kept.append(made)
    outputs = looked_up(program.outputs, known)
    return Program(program.inputs, tuple(kept), outputs)


def operations_of(operation: Operation, inner: set[Operation]) -> list[Operation]:
    """An operation and those that go into its loop, in order."""
    found: dict[Operation, None] = {}
    for x in operation.operands:
        if isinstance(x, Operation) and x in inner:
            found |= dict.fromkeys(operations_of(x, inner))
    return [*found, operation]


def has_formula(operation: Operation) -> bool:
    """Whether an operation on single numbers is known, for floating-point numbers and booleans."""
    of = operation.type
    if operation.primitive not in FORMULAS or not of.shape or of.dtype not in NUMBA_NAMES:
        return False
    if set(operation.parameters) - {"dtype"}:
        return False
    if of.dtype == BOOL and operation.primitive not in ANSWERS:
        return False
    return all(x.type.dtype in NUMBA_NAMES or is_float(x) for x in operation.operands)


def is_float(x: Operand) -> bool:
    """Whether it is one of Python's own numbers."""
    return x.type.kind is float or (isinstance(x, Constant) and x.type.kind in (int, bool))


class Choice:
    """Which operations go into the loop of others (``inner``), to be computed there."""

    def __init__(self, program: Program) -> None:
        self.users: dict[Operand, list[Operation]] = {}
        for operation in program.operations:
            for x in dict.fromkeys(operation.operands):
                self.users.setdefault(x, []).append(operation)
        self.outputs = set(program.outputs)
        self.inner: set[Operation] = set()
        self.sizes: dict[Operation, int] = {}
        self.calls: dict[Operation, int] = {}
        self.operands: dict[Operation, set[Operand]] = {}
        for operation in filter(has_formula, program.operations):
            self._limit(operation)
            if self._goes_into_others(operation):
                self.inner.add(operation)

    def _goes_into_others(self, operation: Operation) -> bool:
        users = self.users.get(operation, [])
        if operation in self.outputs or not users or not all(map(has_formula, users)):
            return False
        if any(user.type.shape != operation.type.shape for user in users):
            return False
        if any(user.origin.errstate != operation.origin.errstate for user in users):
            return False
        return len(users) == 1 or self._is_free(operation)

    def _is_free(self, operation: Operation) -> bool:
        """Whether it costs nothing to do it again: a little arithmetic on an array that is kept."""
        arrays = {x for x in operation.operands if x.type.shape}
        return operation.primitive in CHEAP and len(arrays) == 1 and arrays.isdisjoint(self.inner)

    def _limit(self, operation: Operation) -> None:
        """Leave operands out of the loop, the longest first, until it is short enough."""
        inside = [x for x in operation.operands if isinstance(x, Operation) and x in self.inner]
        inside = sorted(dict.fromkeys(inside), key=self.sizes.__getitem__)
        while True:
            self.sizes[operation] = 1 + sum(self.sizes[x] for x in inside)
            outside = {x for x in operation.operands if x not in inside and is_varying(x)}
            self.operands[operation] = outside.union(*(self.operands[x] for x in inside))
            calls = operation.primitive in ELEMENTARY
            self.calls[operation] = calls + sum(self.calls[x] for x in inside)
            if not inside or self._is_short(operation):
                return
            self.inner.remove(inside.pop())

    def _is_short(self, operation: Operation) -> bool:
        return (
            self.sizes[operation] <= MOST_OPERATIONS
            and len(self.operands[operation]) <= MOST_OPERANDS
            and self.calls[operation] <= MOST_CALLS
        )


def is_varying(x: Operand) -> bool:
    """Whether an operand is handed to the loop, and not a number in its text."""
    return not isinstance(x, Constant) or bool(x.type.shape)


def fused_operation(operations: Sequence[Operation]) -> Operation:
    """One operation that does what all of these do; the last one gives the result."""
    primitive = Fused(operations)
    return replace(operations[-1], primitive=primitive, operands=primitive.given, parameters={})


def parts_of(operation: Operation) -> tuple[Operation, ...]:
    """The operations that one is made of."""
    return operation.primitive.parts if isinstance(operation.primitive, Fused) else (operation,)


def number_name(x: Operand) -> str:
    """What Numba calls the type of a single number of an operand."""
    return NUMBA_NAMES[x.type.dtype or FLOAT]


def name_of_all(operations: Sequence[Operation]) -> str:
    """The names of what a loop computes, each once: ``multiply, tanh``."""
    names = list(dict.fromkeys(x.primitive.name for x in operations))
    if len(names) > MOST_NAMES:
        names = [*names[: MOST_NAMES - 1], "...", names[-1]]
    return ", ".join(names)


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
        operands = looked_up(operation.operands, self.replaced)
        arguments = [self._argument(x, narrow) for x in operands]
        formula = FORMULAS[operation.primitive].format(*arguments)
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

    def written(self, last: Operation) -> str:
        head = f"def loop({', '.join(self.operands.values())}):"
        lines = [*self.lines, f"return {self.names[last]}"]
        return "\n".join([head, *(f"    {line}" for line in lines)])
