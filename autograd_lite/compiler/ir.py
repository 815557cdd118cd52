"""Programs: a traced computation as a list of operations on inputs and constants.

A program is a value, never changed: every pass makes a new one.  An operation is
at the same time the name of its result, so that a program needs no names to be
correct; those it carries are for people.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from autograd_lite.core.duck_arrays import is_device_array
from autograd_lite.core.primitive import Primitive

__all__ = [
    "Constant",
    "Input",
    "Operand",
    "Operation",
    "Program",
    "SourceLocation",
    "Type",
    "keep_in_order",
    "rewrite",
    "rewrite_bodies",
    "substitute",
    "walk",
    "with_operands",
]


@dataclass(frozen=True, slots=True)
class Type:
    """What is known of a result before it is computed: its Python class, shape and dtype."""

    kind: type
    shape: tuple[int, ...] = ()
    dtype: np.dtype[Any] | None = None

    @classmethod
    def of(cls, data: Any) -> Type:
        """The type of data; numbers of NumPy count as arrays without axes.

        Arrays of other libraries have the type that NumPy's would have.
        """
        if data.__class__ is float:
            return FLOAT
        if isinstance(data, np.ndarray):
            return cls(np.ndarray, data.shape, data.dtype)
        if isinstance(data, np.generic):
            return cls(np.generic, (), data.dtype)
        if is_device_array(data):
            return cls(np.ndarray if data.shape else np.generic, data.shape, data.dtype)
        return cls(type(data))

    @property
    def is_array(self) -> bool:
        return self.dtype is not None

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return 0 if self.dtype is None else self.size * self.dtype.itemsize

    def __str__(self) -> str:
        if self.dtype is None:
            return self.kind.__name__
        name = name_of(self.dtype)
        return f"{name}{list(self.shape)}" if self.shape else name


@cache
def name_of(dtype: np.dtype[Any]) -> str:
    """The name of a dtype, which NumPy puts together anew each time."""
    return dtype.name


FLOAT = Type(float)


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """Where an operation was recorded: the user's line, and the section of the program.

    ``errstate`` is what `numpy.errstate` was told there, if it was not left to the caller.
    """

    file: str = ""
    line: int = 0
    section: str = "forward"
    errstate: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.file else "an unknown line"


@dataclass(frozen=True, eq=False, slots=True)
class Input:
    """A number or array that is given anew at every call."""

    name: str
    type: Type


@dataclass(frozen=True, eq=False, slots=True)
class Constant:
    """A number or array that is the same at every call.

    A number is known for good, and so is an array that nobody else refers to
    (``private``).  Any other array is only referred to: what it holds may change.
    """

    value: Any
    private: bool = False

    @property
    def type(self) -> Type:
        return Type.of(self.value)

    @property
    def is_number(self) -> bool:
        """Whether it is a single number that is known for good."""
        return isinstance(self.value, (int, float, complex, np.generic))

    @property
    def is_known(self) -> bool:
        """Whether its value is known for good: no array that somebody may write to."""
        return self.private or self.is_number


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Operation:
    """One application of a primitive; it stands for its own result."""

    primitive: Primitive
    operands: tuple[Operand, ...]
    parameters: dict[str, Any]
    type: Type
    name: str = ""
    origin: SourceLocation = field(default_factory=SourceLocation)
    bodies: tuple[Program, ...] = ()
    """Of a loop or branch: what it does again and again, or perhaps."""

    def __repr__(self) -> str:
        return f"<{self.primitive.name} at {self.origin}>"


Operand: TypeAlias = Input | Constant | Operation


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Program:
    """Operations in an order in which they can be computed, between inputs and outputs."""

    inputs: tuple[Input, ...]
    operations: tuple[Operation, ...]
    outputs: tuple[Operand, ...]

    def __repr__(self) -> str:
        return format_program(self)


def keep_in_order(operation: Operation, kept: dict[Operation, None]) -> None:
    """Put an operation into a new list of operations, after those of its operands that are new."""
    for x in operation.operands:
        if isinstance(x, Operation) and x not in kept:
            keep_in_order(x, kept)
    kept[operation] = None


def rewrite(program: Program, rule: Callable[[Operation], Operand]) -> Program:
    """Let ``rule`` replace operations, in order; it sees operands that are already replaced.

    A replacement may have new operations among its operands.
    """
    known: dict[Operand, Operand] = {}
    kept: dict[Operation, None] = {}

    for operation in program.operations:
        same = operation
        if not known.keys().isdisjoint(operation.operands):
            same = with_operands(operation, substitute(operation.operands, known))
        new = rule(same)
        if new is not operation:
            known[operation] = new
        if new is same:
            kept[same] = None  # its operands are kept already
        elif isinstance(new, Operation):
            keep_in_order(new, kept)
    return Program(program.inputs, tuple(kept), substitute(program.outputs, known))


def substitute(operands: Iterable[Operand], known: dict[Operand, Operand]) -> tuple[Operand, ...]:
    """Operands, each replaced by what is known to stand in its place."""
    return tuple([known.get(x, x) for x in operands])


def with_operands(operation: Operation, operands: tuple[Operand, ...]) -> Operation:
    """The same operation on other operands; the very same where they are the same."""
    if operation.operands == operands:
        return operation
    of = operation  # in full: `replace` takes three times as long, and programs are long
    return Operation(of.primitive, operands, of.parameters, of.type, of.name, of.origin, of.bodies)


def rewrite_bodies(program: Program, rule: Callable[[Program], Program]) -> Program:
    """Let ``rule`` replace the bodies of loops and branches."""
    if not any(operation.bodies for operation in program.operations):
        return program

    def replace_bodies(operation: Operation) -> Operation:
        if not operation.bodies:
            return operation
        return replace(operation, bodies=tuple(map(rule, operation.bodies)))

    return rewrite(program, replace_bodies)


def walk(program: Program) -> Iterator[Operation]:
    """All operations, those of bodies before what they are the bodies of."""
    for operation in program.operations:
        for body in operation.bodies:
            yield from walk(body)
        yield operation


def format_program(program: Program) -> str:
    """A program as text, one operation a line: what the passes work on."""
    names: dict[Operand, str] = {x: x.name for x in program.inputs}

    def shown(x: Operand) -> str:
        if isinstance(x, Constant):
            return repr(x.value) if x.is_number else f"constant {x.type}"
        return names[x]

    lines = []
    for index, operation in enumerate(program.operations):
        names[operation] = f"{operation.primitive.name}_{index}"
        arguments = [shown(x) for x in operation.operands]
        arguments += [f"{key}={value!r}" for key, value in operation.parameters.items()]
        lines.append(
            f"{names[operation]} = {operation.primitive.name}({', '.join(arguments)})"
            f"  # {operation.type}"
        )
        for body in operation.bodies:
            given = ", ".join(x.name for x in body.inputs)
            text = f"{given}:\n{format_program(body)}"
            lines += [f"    {line}" for line in text.split("\n")]
    lines.append(f"return {', '.join(shown(x) for x in program.outputs)}")
    return "\n".join(lines)
