"""Tiles: operations that pass together over large arrays, block by block.

An elementwise operation on a large array waits for memory, not for arithmetic.
A tile is a group of operations whose results have the same leading axes, so
that all of them can be computed for a block of rows before the next block is
looked at: what only they use never leaves the cache.  A tile may end in
reductions over the rows, which leave one part for each block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from autograd_lite.compiler.ir import Operand, Operation, Type
from autograd_lite.compiler.lowering.calls import reduced_axes
from autograd_lite.compiler.lowering.forms import Form, Lowering
from autograd_lite.compiler.options import Blocking
from autograd_lite.compiler.passes.groups import Tile, Users
from autograd_lite.compiler.passes.schedule import Schedule

__all__ = ["tile"]


def tile(schedule: Schedule) -> Schedule:
    """Find the tiles of a program; in the program returned, their operations are together."""
    program, blocking = schedule.program, schedule.options.blocking
    is_small = all(x.type.size < blocking.least for x in program.operations)
    if is_small or not schedule.backend.has_blocks:
        return schedule
    candidates = list(cut(schedule))
    users = Users(program)
    tiles = [
        Tile(
            operations := tuple(candidate.operations),
            candidate.axes,
            frozenset(users.escaping(operations)),
            blocking,
            merges=not schedule.donated or users.outputs.isdisjoint(operations),
        )
        for candidate in candidates
        if candidate.is_worthwhile(blocking)
    ]
    ordered = (x for candidate in candidates for x in (*candidate.operations, *candidate.behind))
    program = replace(program, operations=tuple(ordered))
    return replace(schedule, program=program, tiles=tuple(tiles))


@dataclass
class Candidate:
    """A tile while it grows, and the operations that it has let past."""

    operations: list[Operation]
    is_open: bool
    """Whether it can become a tile; else it is one operation of another kind."""
    axes: dict[Operation, tuple[int, ...]] = field(default_factory=dict)
    behind: list[Operation] = field(default_factory=list)
    """Views and small results that stood between its operations, and now come after them."""
    later: set[Operand] = field(default_factory=set)
    """What is known only when the tile has ended."""

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
        """Let an operation wait for the end of the tile if that holds up little memory."""
        if lowering.form is not Form.VIEW and 8 * operation.type.nbytes > self.first.nbytes:
            return False
        self.behind.append(operation)
        self.later.add(operation)
        return True


def cut(schedule: Schedule) -> Iterator[Candidate]:
    """Cut a program into candidates; an operation that fits no other is one by itself."""
    least = schedule.options.blocking.least
    candidate: Candidate | None = None
    for operation in schedule.program.operations:
        lowering = schedule.lowerings[operation]
        if candidate is not None:
            if candidate.takes(operation, lowering) or candidate.lets_past(operation, lowering):
                continue
            yield candidate
        starts = lowering.elementwise and bool(operation.type.shape)
        candidate = Candidate([operation], starts and operation.type.size >= least)
        if not candidate.is_open:
            yield candidate
            candidate = None
    if candidate is not None:
        yield candidate
