"""Segments: operations that pass together over large arrays, block by block.

An elementwise operation on a large array waits for memory, not for arithmetic.
A segment is a run of operations whose results have the same leading axes, so
that all of them can be computed for a block of rows before the next block is
looked at: what only they use never leaves the cache.  A segment may end in
reductions over the rows, which leave one part for each block.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from typing import Any

from autograd_lite.compiler.ir import Constant, Operand, Operation, Program, Type
from autograd_lite.compiler.lowering import Form, Lowering, reduced_axes

__all__ = ["UNCUT", "Blocking", "Segment", "segmented"]

Lowerings = dict[Operation, Lowering]


BYTES = 1 << 17
"""Of an array in a block, at most: few enough for the cache, many enough to be worth a call."""

TOGETHER = 4
"""Blocks are a multiple of so many, all of one size: as many for each of two or four cores."""

QUICK = frozenset((
    "abs", "absolute", "add", "equal", "greater", "greater_equal", "invert", "less", "less_equal",
    "logical_and", "logical_not", "logical_or", "max", "maximum", "mean", "min", "minimum",
    "multiply", "negative", "not_equal", "positive", "prod", "relu", "sign", "square", "subtract",
    "sum", "where", "where_chosen",
))  # fmt: skip
"""Primitives that pass over a block in less time than threads need to agree who may call next."""

CACHE = 1 << 25
"""Bytes of arrays that may still be in the cache when an operation comes to them."""


@dataclass(frozen=True)
class Blocking:
    """How large arrays are cut into blocks, and by how many threads those are taken."""

    block: int | None = None
    """Elements in a block; None: as many as `BYTES` allow, and all blocks alike."""
    least: int = 1 << 15
    """Elements of an array from which on it is cut."""
    threads: int | None = None
    """At most so many; None: one for each core where there is enough to do."""

    def threads_for(
        self, operations: Sequence[Operation], outer: Collection[Operand]
    ) -> int | None:
        """The threads for operations on arrays from outside, their results among them.

        Threads take turns at calling, so calls must be long: functions that are not
        quick count four times, and arrays from beyond the cache as much as an operation.
        """
        if self.threads is not None:
            return self.threads
        slow = sum(x.primitive.name not in QUICK for x in operations)
        moved = len(outer) if sum(x.type.nbytes for x in outer) > CACHE else 0
        pays = len(operations) + 3 * slow + moved >= 1.5 * len(operations)
        return None if pays and not self.is_little(operations) else 1

    def is_little(self, operations: Sequence[Operation]) -> bool:
        """Whether operations cost less than blocks and threads do."""
        elements = max(x.type.size for x in operations)
        return elements * len(operations) < 128 * (self.block or BYTES // 16)


UNCUT = Blocking(least=sys.maxsize, threads=1)
"""Never: the library has parallel loops of its own."""


@dataclass(eq=False)
class Segment:
    """Operations in order, none of which needs another block than the one it is in."""

    operations: tuple[Operation, ...]
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
        """A shape with as many axes as the segment's."""
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
        types = {x.type for operation in self.operations for x in (operation, *operation.operands)}
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

    @cached_property
    def arrays(self) -> tuple[Operand, ...]:
        """The arrays and numbers of NumPy's from outside that its operations read."""
        inner = set(self.operations)
        read = (x for operation in self.operations for x in operation.operands)
        outer = (x for x in read if x not in inner and x.type.is_array)
        varying = (x for x in outer if x.type.shape or not isinstance(x, Constant))
        return tuple(dict.fromkeys(varying))


def segmented(
    program: Program, lowerings: Lowerings, blocking: Blocking, donates: bool = False
) -> tuple[Program, list[Segment]]:
    """Find the segments of a program; in the program returned, their operations are together."""
    if all(x.type.size < blocking.least for x in program.operations):
        return program, []
    groups = list(grouped(program, lowerings, blocking))
    results = set(program.outputs)
    users: dict[Operand, set[Operation]] = {}
    for operation in program.operations:
        for x in operation.operands:
            users.setdefault(x, set()).add(operation)

    def is_wanted(x: Operation, members: set[Operation]) -> bool:
        return x in results or not users.get(x, members) <= members

    segments = [
        Segment(
            tuple(group.operations),
            group.axes,
            frozenset(x for x in group.operations if is_wanted(x, set(group.operations))),
            blocking,
            merges=not donates or results.isdisjoint(group.operations),
        )
        for group in groups
        if group.is_worthwhile(blocking)
    ]
    operations = (x for group in groups for x in (*group.operations, *group.behind))
    return replace(program, operations=tuple(operations)), segments


@dataclass
class Group:
    """A segment while it grows, and the operations that it has let past."""

    operations: list[Operation]
    is_open: bool
    """Whether it can become a segment; else it is one operation of another kind."""
    axes: dict[Operation, tuple[int, ...]] = field(default_factory=dict)
    behind: list[Operation] = field(default_factory=list)
    """Views and small results that stood between its operations, and now come after them."""
    later: set[Operand] = field(default_factory=set)
    """What is known only when the segment has ended."""

    @property
    def first(self) -> Type:
        return self.operations[0].type

    def is_worthwhile(self, blocking: Blocking) -> bool:
        elements = max(x.type.size for x in self.operations)
        if not self.is_open or elements < blocking.least:
            return False
        if len(self.operations) == 1:
            outer = {*self.operations, *self.operations[0].operands}
            return blocking.threads_for(self.operations, outer) != 1
        return not blocking.is_little(self.operations)

    def takes(self, operation: Operation, lowering: Lowering) -> bool:
        """Let an operation in if it can pass over the same blocks."""
        if not self.later.isdisjoint(operation.operands):
            return False
        if lowering.elementwise and self._has_rows(operation.type):
            self.operations.append(operation)
            return True
        if lowering.reduces is None or not self._has_rows(operation.operands[0].type):
            return False
        axes = reduced_axes(operation)
        if (0 in axes) == bool(operation.parameters.get("keepdims")):
            return False
        self.operations.append(operation)
        self.axes[operation] = axes
        if 0 in axes:
            self.later.add(operation)
        return True

    def _has_rows(self, of: Type) -> bool:
        return len(of.shape) == len(self.first.shape) and of.shape[0] == self.first.shape[0]

    def lets_past(self, operation: Operation, lowering: Lowering) -> bool:
        """Let an operation wait for the end of the segment if that holds up little memory."""
        if lowering.form is not Form.VIEW and 8 * operation.type.nbytes > self.first.nbytes:
            return False
        self.behind.append(operation)
        self.later.add(operation)
        return True


def grouped(program: Program, lowerings: Lowerings, blocking: Blocking) -> Iterator[Group]:
    """Cut a program into groups; an operation that fits no other is a group of its own."""
    group: Group | None = None
    for operation in program.operations:
        lowering = lowerings[operation]
        if group is not None:
            if group.takes(operation, lowering) or group.lets_past(operation, lowering):
                continue
            yield group
        starts = lowering.elementwise and bool(operation.type.shape)
        group = Group([operation], starts and operation.type.size >= blocking.least)
        if not group.is_open:
            yield group
            group = None
    if group is not None:
        yield group
