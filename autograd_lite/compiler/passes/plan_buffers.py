"""Buffers: which operation writes into which piece of memory, by liveness.

A buffer is taken from its first to its last use and then given to the next
operation that fits.  An elementwise operation writes over an operand that is
used for the last time.  What only the operations of a tile use gets a buffer
of the size of a block, which each thread makes for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from autograd_lite.compiler.ir import Constant, Operand, Operation
from autograd_lite.compiler.lowering.forms import Form
from autograd_lite.compiler.passes.groups import Tile
from autograd_lite.compiler.passes.schedule import Memory, Plan, Schedule, layout_of
from autograd_lite.core.numpy_namespace import np

__all__ = ["plan_buffers"]

LEAST_SHARED = 4096
"""Bytes from which on results of different shapes share memory; below it only costs clarity."""


def plan_buffers(schedule: Schedule) -> Schedule:
    """Give every operation of the form OUT its memory, but for results, which the caller owns.

    They go over donated arguments, each over the first of its type that is left.  Results of
    CUDA graphs lie in buffers too, and the caller gets copies.
    """
    return replace(schedule, plan=Planner(schedule).plan())


class Planner:
    def __init__(self, schedule: Schedule) -> None:
        self.program = program = schedule.program
        self.lowerings = schedule.lowerings
        keeps_results = schedule.options.cuda_graph
        self.results = frozenset() if keeps_results else frozenset(program.outputs)
        self.partners = schedule.partners
        self.owners: dict[Operand, frozenset[Operand]] = {}
        self.last: dict[Operand, int] = {}
        self.position = {x: index for index, x in enumerate(program.operations)}
        self.layouts: dict[Operation, np.ndarray] = {}
        self.free: dict[Tile | None, dict[Any, list[Memory]]] = {}
        """Of each tile, or of all the program: what it has left, by shape and dtype."""
        self.ending: set[Operation] = set()
        self.seen_through: dict[Operation, set[Operand]] = {}
        """By the first of the operations that run by turns: whose memory they read by a view."""
        self.holders: dict[Memory, Operation] = {}
        self.tiles = {x: tile for tile in schedule.tiles for x in tile.operations}
        self.loops = {x: loop for loop in schedule.loops for x in loop.operations}
        local = {x: tile for x, tile in self.tiles.items() if tile.is_local(x)}
        inner = {x for loop in schedule.loops for x in loop.inner}
        self.made = Plan(local=local, inner=inner)

    def plan(self) -> Plan:
        if all(lowering.form is Form.SCALAR for lowering in self.lowerings.values()):
            return self.made
        self._find_last_uses()
        for index, operation in enumerate(self.program.operations):
            form = self.lowerings[operation].form
            if form is Form.OUT and operation in self.results:
                self._place_result(operation)
            elif form is Form.OUT and operation not in self.made.inner:
                self._place(index, operation)
            elif form is Form.VIEW:
                self._look(operation)
            self._release(index, operation)
        return self.made

    def _together(self, operation: Operation) -> Sequence[Operation]:
        """The operations that run by turns with this one: block by block, those of its tile."""
        piece = self.tiles.get(operation) or self.loops.get(operation)
        return (operation,) if piece is None else piece.operations

    # Who holds memory that an operand looks at, and until when.

    def _find_last_uses(self) -> None:
        for index, operation in enumerate(self.program.operations):
            below = frozenset(y for x in operation.operands for y in self._owners_of(x))
            for owner in below:
                self.last[owner] = index
            form = self.lowerings[operation].form
            own = frozenset([operation])
            self.last[operation] = index
            if form is Form.SCALAR:
                self.owners[operation] = frozenset()
            else:
                self.owners[operation] = own if form is Form.OUT else own | below
        for x in self.program.outputs:
            for owner in self._owners_of(x):
                self.last[owner] = len(self.program.operations)

    def _owners_of(self, x: Operand) -> frozenset[Operand]:
        if isinstance(x, Constant):
            return frozenset()
        return self.owners.get(x, frozenset([x]))

    def _release(self, index: int, operation: Operation) -> None:
        """Free the memory of what was used for the last time."""
        ended = {y for x in (operation, *operation.operands) for y in self._owners_of(x)}
        self.ending |= {y for y in ended if isinstance(y, Operation) and self.last[y] == index}
        ends_tile = operation is self._together(operation)[-1]
        loop = self.loops.get(operation)
        in_loop = loop is not None and operation is not loop.operations[-1]
        for owner in sorted(self.ending, key=self.position.__getitem__):
            tile = self.made.local.get(owner)
            # The next block still reads what comes from outside of the tile.
            if in_loop or (tile is None and not ends_tile):
                continue
            self.ending.remove(owner)
            memory = self.made.memory.get(owner)
            if memory is not None and self.holders[memory] is owner:
                stacks = self.free.setdefault(tile, {})
                stacks.setdefault(layout_of(memory.tenants[0]), []).append(memory)

    # Placing.

    def _place(self, index: int, operation: Operation) -> None:
        memory = self._taken_over(index, operation) or self._taken_free(operation)
        memory.tenants.append(self.made.type_in_memory(operation))
        self.made.memory[operation] = memory
        self.holders[memory] = operation

    def _taken_over(self, index: int, operation: Operation) -> Memory | None:
        """The memory of an operand that is used here for the last time, to be written over."""
        if not self._is_in_place(operation):
            return None
        tile = self.made.local.get(operation)
        for x in operation.operands:
            if not isinstance(x, Operation) or x not in self.made.memory:
                continue
            dies = self.last[x] == index and not self._looked_at(x, operation)
            if (
                dies
                and layout_of(x.type) == layout_of(operation.type)
                and self.made.local.get(x) is tile
            ):
                return self.made.memory[x]
        return None

    def _is_in_place(self, operation: Operation) -> bool:
        """Whether it reads an element of its operands before it writes there, as all loops do."""
        return operation in self.loops or self.lowerings[operation].in_place

    def _looked_at(self, x: Operand, operation: Operation) -> bool:
        """Whether a view of this operand is read by the operation, or between its blocks."""
        together = self._together(operation)
        if together[0] not in self.seen_through:
            read = (y for other in together for y in other.operands)
            self.seen_through[together[0]] = {
                owner for y in read for owner in self._owners_of(y) if owner is not y
            }
        return x in self.seen_through[together[0]]

    def _taken_free(self, operation: Operation) -> Memory:
        tile = self.made.local.get(operation)
        wanted = self.made.type_in_memory(operation)
        free = self.free.get(tile, {})
        same = free.get(layout_of(wanted))
        if same:
            return same.pop()
        # Memory that is much too large would be missed where it fits.
        large = 2 * wanted.nbytes if wanted.nbytes >= LEAST_SHARED and tile is None else -1
        fitting = [x for x in free.values() if x and wanted.nbytes <= x[0].nbytes <= large]
        if not fitting:
            return Memory(wanted.nbytes)
        return min(fitting, key=lambda stack: stack[0].nbytes).pop()

    def _place_result(self, operation: Operation) -> None:
        """A result goes over its donated argument, if that is not read any more."""
        x = self.partners.get(operation)
        if x is None:
            return
        first = self.position[self._together(operation)[0]]
        last = self.last.get(x, -1)
        loop = self.loops.get(operation)
        index = self.position[operation if loop is None else loop.operations[-1]]
        over = last < index or (last == index and self._is_in_place(operation))
        if last < first or (over and not self._looked_at(x, operation)):
            self.made.donated[operation] = x

    # Views.

    def _look(self, operation: Operation) -> None:
        """A view of a buffer is made once, if it is one: a reshape may have to copy."""
        x = operation.operands[0]
        layout = self._layout(x)
        if layout is None:
            return
        parts = [y.value for y in operation.operands[1:] if isinstance(y, Constant)]
        view = operation.primitive.forward(layout, *parts, **operation.parameters)
        if np.may_share_memory(view, layout):
            self.made.static.add(operation)
            self.layouts[operation] = view

    def _layout(self, x: Operand) -> np.ndarray | None:
        """An array laid out like a buffer, or None where the layout is not known beforehand."""
        if not isinstance(x, Operation):
            return None
        if x in self.made.memory and x not in self.layouts:
            self.layouts[x] = np.empty(x.type.shape, x.type.dtype)
        return self.layouts.get(x)
