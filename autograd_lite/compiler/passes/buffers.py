"""Buffers: which operation writes into which piece of memory, by liveness.

A buffer is taken from its first to its last use and then given to the next
operation that fits.  An elementwise operation writes over an operand that is
used for the last time.  What only the operations of a segment use gets a buffer
of the size of a block, which each thread makes for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_lite.compiler.codegen.loops import Loop
from autograd_lite.compiler.ir import Constant, Input, Operand, Operation, Program, Type
from autograd_lite.compiler.lowering import Form, Lowering
from autograd_lite.compiler.passes.tiling import Segment

__all__ = ["Memory", "Plan", "layout_of", "planned"]


@dataclass(eq=False)
class Memory:
    """A piece of memory and the types of the results that it holds in turn."""

    nbytes: int
    tenants: list[Type] = field(default_factory=list)


@dataclass
class Plan:
    """Where each result lives."""

    memory: dict[Operation, Memory]
    """Results written into a preallocated buffer."""
    static: set[Operation]
    """Views of buffers, which can be made beforehand, once."""
    donated: dict[Operation, Input]
    """Results written over an argument that the caller gave away."""
    local: dict[Operation, Segment]
    """Results that live in buffers of the size of a block, and in which segment."""
    inner: set[Operation]
    """Results that are numbers of a loop, and live nowhere."""

    @property
    def pieces(self) -> list[Memory]:
        """Memory that is there from the first call to the last."""
        return self.pieces_of(None)

    def pieces_of(self, segment: Segment | None) -> list[Memory]:
        """Memory that one segment takes for a block; with None, that of the whole program."""
        kept = (m for x, m in self.memory.items() if self.local.get(x) is segment)
        return list(dict.fromkeys(kept))

    def type_in_memory(self, operation: Operation) -> Type:
        """The type of a result as it is held: that of a block, if it lives in a segment."""
        segment = self.local.get(operation)
        return operation.type if segment is None else segment.block_type(operation.type)


LEAST_SHARED = 4096
"""Bytes from which on results of different shapes share memory; below it only costs clarity."""

Lowerings = dict[Operation, Lowering]


def planned(
    program: Program,
    lowerings: Lowerings,
    donated: Iterable[Input] = (),
    segments: Sequence[Segment] = (),
    loops: Sequence[Loop] = (),
    *,
    keep_results: bool = False,
) -> Plan:
    """Give every operation of the form INTO its memory, but for results, which the caller owns.

    They go over donated arguments, each over the first of its type that is left.  With
    ``keep_results`` they lie in buffers too, and the caller gets copies.
    """
    return Planner(program, lowerings, donated, segments, loops, keep_results).plan()


class Planner:
    def __init__(
        self,
        program: Program,
        lowerings: Lowerings,
        donated: Iterable[Input],
        segments: Sequence[Segment],
        loops: Sequence[Loop],
        keep_results: bool,
    ) -> None:
        self.program = program
        self.lowerings = lowerings
        self.results = {x for x in program.outputs if isinstance(x, Operation)}
        if keep_results:
            self.results = set()
        self.partners = partners(program.outputs, donated)
        self.owners: dict[Operand, frozenset[Operand]] = {}
        self.last: dict[Operand, int] = {}
        self.position = {x: index for index, x in enumerate(program.operations)}
        self.layouts: dict[Operation, np.ndarray] = {}
        self.free: dict[Segment | None, dict[Any, list[Memory]]] = {}
        """Of each segment, or of all the program: what it has left, by shape and dtype."""
        self.ending: set[Operation] = set()
        self.seen_through: dict[Operation, set[Operand]] = {}
        """By the first of the operations that run by turns: whose memory they read by a view."""
        self.holders: dict[Memory, Operation] = {}
        self.segments = {x: segment for segment in segments for x in segment.operations}
        local = {x: s for x, s in self.segments.items() if s.is_local(x)}
        self.loops = {x: loop for loop in loops for x in loop.operations}
        self.made = Plan({}, set(), {}, local, {x for loop in loops for x in loop.inner})

    def plan(self) -> Plan:
        if all(lowering.form is Form.NUMBER for lowering in self.lowerings.values()):
            return self.made
        self._find_last_uses()
        for index, operation in enumerate(self.program.operations):
            form = self.lowerings[operation].form
            if form is Form.INTO and operation in self.results:
                self._place_result(operation)
            elif form is Form.INTO and operation not in self.made.inner:
                self._place(index, operation)
            elif form is Form.VIEW:
                self._look(operation)
            self._release(index, operation)
        return self.made

    def _together(self, operation: Operation) -> Sequence[Operation]:
        """The operations that run by turns with this one: block by block, those of its segment."""
        piece = self.segments.get(operation) or self.loops.get(operation)
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
            if form is Form.NUMBER:
                self.owners[operation] = frozenset()
            else:
                self.owners[operation] = own if form is Form.INTO else own | below
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
        ends_segment = operation is self._together(operation)[-1]
        loop = self.loops.get(operation)
        in_loop = loop is not None and operation is not loop.operations[-1]
        for owner in sorted(self.ending, key=self.position.__getitem__):
            segment = self.made.local.get(owner)
            # The next block still reads what comes from outside of the segment.
            if in_loop or (segment is None and not ends_segment):
                continue
            self.ending.remove(owner)
            memory = self.made.memory.get(owner)
            if memory is not None and self.holders[memory] is owner:
                stacks = self.free.setdefault(segment, {})
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
        segment = self.made.local.get(operation)
        for x in operation.operands:
            if not isinstance(x, Operation) or x not in self.made.memory:
                continue
            dies = self.last[x] == index and not self._looked_at(x, operation)
            if dies and fits(x, operation) and self.made.local.get(x) is segment:
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
        segment = self.made.local.get(operation)
        wanted = self.made.type_in_memory(operation)
        free = self.free.get(segment, {})
        same = free.get(layout_of(wanted))
        if same:
            return same.pop()
        # Memory that is much too large would be missed where it fits.
        large = 2 * wanted.nbytes if wanted.nbytes >= LEAST_SHARED and segment is None else -1
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


def layout_of(of: Type) -> tuple[tuple[int, ...], Any]:
    """What two results that live in the same array have in common."""
    return of.shape, of.dtype


def fits(x: Operand, y: Operand) -> bool:
    return layout_of(x.type) == layout_of(y.type)


def partners(outputs: Iterable[Operand], donated: Iterable[Input]) -> dict[Operation, Input]:
    """For each result, in order, the first donated argument of its type that is left."""
    left = list(donated)
    found: dict[Operation, Input] = {}
    for output in dict.fromkeys(outputs):
        if output in left:  # the argument itself is returned, so nothing may go over it
            left.remove(output)
        elif isinstance(output, Operation):
            x = next((x for x in left if fits(x, output)), None)
            if x is not None:
                found[output] = x
                left.remove(x)
    return found
