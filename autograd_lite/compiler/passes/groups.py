"""Groups: operations in order that are written together, as a tile, a loop or a CUDA graph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

from autograd_lite.compiler.ir import Constant, Input, Operand, Operation, Program, Type
from autograd_lite.compiler.lowering.formulas import is_varying
from autograd_lite.compiler.options import BYTES, Blocking

__all__ = ["Graph", "Group", "Loop", "Tile", "Users", "has_axis", "is_along"]

TOGETHER = 4
"""Blocks are a multiple of so many, all of one size: as many for each of two or four cores."""


class Users:
    """Which operations use each result."""

    def __init__(self, program: Program) -> None:
        self.outputs = frozenset(program.outputs)
        self.of: dict[Operand, list[Operation]] = {}
        for operation in program.operations:
            for x in dict.fromkeys(operation.operands):
                self.of.setdefault(x, []).append(operation)

    def escaping(self, operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
        """Those whose result somebody else wants."""
        members = set(operations)
        return tuple(
            x for x in operations if x in self.outputs or not members.issuperset(self.of.get(x, ()))
        )


@dataclass(eq=False)
class Group:
    operations: tuple[Operation, ...]

    @cached_property
    def outer(self) -> tuple[Operand, ...]:
        """What its operations read from outside, each once."""
        inner = set(self.operations)
        read = (x for operation in self.operations for x in operation.operands)
        return tuple(dict.fromkeys(x for x in read if x not in inner))


@dataclass(eq=False)
class Graph(Group):
    """Operations that a GPU repeats as one CUDA graph."""

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The arrays among the program's inputs that they read."""
        return tuple(x for x in self.outer if isinstance(x, Input) and x.type.is_array)


@dataclass(eq=False)
class Loop(Group):
    """Operations that are all computed for an element before the next one is looked at."""

    escaping: tuple[Operation, ...]
    """Those whose result somebody outside wants; the others are numbers of the loop."""

    @property
    def inner(self) -> frozenset[Operation]:
        """Those whose result is a number of the loop, and lies nowhere."""
        return frozenset(self.operations) - frozenset(self.escaping)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.operations[0].type.shape

    @property
    def operands(self) -> list[Operand]:
        """What the loop is given, each once."""
        return [x for x in self.outer if is_varying(x)]


@dataclass(eq=False)
class Tile(Group):
    """Operations that run block by block: none needs another block than the one it is in."""

    axes: dict[Operation, tuple[int, ...]]
    """The axes that its reductions take away."""
    escaping: frozenset[Operation]
    """Those whose result somebody outside wants."""
    blocking: Blocking
    merges: bool = True
    """Whether leading axes may be made one; an argument to be written over may not be in order."""

    @cached_property
    def reductions(self) -> frozenset[Operation]:
        """Those over rows, which leave one part for each block, to be put together at the end."""
        return frozenset(x for x, axes in self.axes.items() if 0 in axes)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The axes that the results have, those that are 1 in some at their full length."""
        shapes = [x.type.shape for x in self.operations if x not in self.reductions]
        return tuple(map(max, zip(*shapes, strict=True)))

    @cached_property
    def leading(self) -> int:
        """How many leading axes count as one, along which the blocks lie."""
        most = len(self.shape) if self.merges else 1
        return next(n for n in range(most, 0, -1) if self._may_lead(n))

    def _may_lead(self, leading: int) -> bool:
        """Whether these axes are alike everywhere: all of them are there, repeat or are summed."""
        every = self.shape[:leading]
        for operation in self.operations:
            sums_rows = operation in self.reductions
            taken = sum(axis < leading for axis in self.axes.get(operation, ()))
            if taken != (leading if sums_rows else 0):
                return False
            if not sums_rows and operation.type.shape[:leading] != every:
                return False
            heads = (self.aligned(x.type)[:leading] for x in operation.operands)
            if any(head != every and max(head) > 1 for head in heads):
                return False
        return True

    def is_local(self, operation: Operation) -> bool:
        """Whether a result is used within a block only."""
        return operation not in self.escaping and operation not in self.reductions

    def aligned(self, of: Type) -> tuple[int, ...]:
        """A shape with as many axes as the tile's."""
        return (1,) * (len(self.shape) - len(of.shape)) + of.shape

    def is_cut(self, of: Type) -> bool:
        """Whether a block sees its own rows of such an array; else it sees all of it."""
        head = self.aligned(of)[: self.leading]
        has_rows = len(of.shape) == len(self.shape) or self.length > 1
        return has_rows and head == self.shape[: self.leading]

    @property
    def length(self) -> int:
        return prod(self.shape[: self.leading])

    @property
    def size(self) -> int:
        """Rows in a block."""
        row = prod(self.shape[self.leading :])
        most = min(self.length, max(1, (self.blocking.block or BYTES // self.itemsize) // row))
        if self.blocking.block or most == self.length:
            return most
        count = -(-self.length // most)
        return -(-self.length // (count + -count % TOGETHER))

    @property
    def itemsize(self) -> int:
        """Bytes of the largest numbers that its operations read or make."""
        types = {x.type for x in (*self.operations, *self.outer)}
        return max(of.dtype.itemsize for of in types if of.dtype is not None)

    @property
    def count(self) -> int:
        return -(-self.length // self.size)

    @property
    def threads(self) -> int | None:
        return self.blocking.threads_for(self.operations, {*self.arrays, *self.escaping})

    def merged(self, of: Type) -> tuple[int, ...]:
        """The shape of an array with the leading axes made one."""
        aligned = self.aligned(of)
        return (prod(aligned[: self.leading]), *aligned[self.leading :])

    def block_type(self, of: Type) -> Type:
        """The type of what a block holds of such a result."""
        return replace(of, shape=(self.size, *self.merged(of)[1:]))

    def in_block(self, reduction: Operation) -> Operation:
        """A reduction as it is in a block, where the leading axes are one."""
        axes = {max(0, axis - self.leading + 1) for axis in self.axes[reduction]}
        parameters: dict[str, Any] = {"axis": tuple(sorted(axes))}
        if reduction not in self.reductions:
            parameters["keepdims"] = True
        return replace(reduction, parameters=parameters)

    @property
    def arrays(self) -> tuple[Operand, ...]:
        """The arrays and numbers of NumPy's from outside that its operations read."""
        given = (x for x in self.outer if x.type.is_array)
        return tuple(x for x in given if x.type.shape or not isinstance(x, Constant))


def has_axis(x: Operand, shape: tuple[int, ...], axis: int) -> bool:
    """Whether an operand has numbers for all along an axis, counted from the last one, 1."""
    return len(x.type.shape) >= axis and x.type.shape[-axis] == shape[-axis]


def is_along(x: Operand, shape: tuple[int, ...]) -> bool:
    """Whether an operand has a number for each along a row, and not one for all."""
    return has_axis(x, shape, 1)
