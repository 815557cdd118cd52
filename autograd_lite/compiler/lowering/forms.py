"""Forms of lowering: what the compiler knows of the line of Python that computes an operation.

A lowering has one of four forms.  OUT writes into a buffer that is handed to it,
VIEW looks at its operand's memory in another way, ALLOCATE lets NumPy allocate
the result, SCALAR is arithmetic on Python's own numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from autograd_lite.compiler.ir import Operand, Operation
from autograd_lite.compiler.runtime.backend import NumpyBackend
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive

__all__ = ["CALL", "Form", "Lower", "Lowered", "Lowering", "Writer", "call", "call_lines"]


class Form(Enum):
    OUT = "writes into a buffer"
    VIEW = "looks at its operand's memory"
    ALLOCATE = "allocates its result"
    SCALAR = "computes a Python number"


class Writer(Protocol):
    """What a lowering may ask of the source that is being written."""

    backend: NumpyBackend

    def operand(self, x: Operand, dtype: np.dtype[Any] | None = None) -> str:
        """The name of an operand; a Python number becomes an array of this dtype."""

    def function(self, function: Any) -> str:
        """The name by which a function is called."""

    def define(self, function: Any, text: str) -> str:
        """The name of a function that can be imported from nowhere; ``text`` defines it."""

    def literal(self, value: Any) -> str:
        """A static argument as it is written."""


Lines = Callable[[Writer, Operation, str | None], list[str]]
"""Writes an operation: into ``out``, or with None as one expression that makes the result."""


@dataclass(frozen=True)
class Lowering:
    form: Form
    lines: Lines
    in_place: bool = False
    """Whether the buffer may be that of an operand, which is read before it is written over."""
    elementwise: bool = False
    """Whether each element depends on its like in the operands only."""
    reduces: np.ufunc | None = None
    """What a reduction puts parts of it together with."""


Lower = Callable[[Operation], Lowering | None]
"""Chooses the lowering of an operation; None where only a call of the function will do."""


class Lowered(Primitive):
    """A primitive that brings its own lowering, as one that the compiler makes does."""

    __slots__ = ("lowering",)

    lowering: Lowering


BY_KEYWORD = (np.maximum, np.minimum, np.matmul)
"""Libraries want the name of their ``out``: NumPy of the first two, CuPy of the third."""


def call(write: Writer, function: Any, arguments: list[str], out: str | None = None) -> str:
    """The call of a function, that writes into ``out`` if there is one."""
    if out is not None:
        arguments = [*arguments, f"out={out}" if function in BY_KEYWORD else out]
    return f"{write.function(function)}({', '.join(arguments)})"


def call_lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
    arguments = [write.operand(x) for x in operation.operands]
    arguments += [f"{key}={write.literal(x)}" for key, x in operation.parameters.items()]
    return [call(write, operation.primitive.forward, arguments)]


CALL = Lowering(Form.ALLOCATE, call_lines)
