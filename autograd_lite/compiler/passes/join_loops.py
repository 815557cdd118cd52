"""Joined loops: elementwise operations, one after the other, made one loop with several results.

What fusion leaves apart, because more than one operation uses it or the caller
wants it, passes over memory several times.  Here such operations share a loop:
each array is read once, and a result may lie where an operand of its element
was.  Numba compiles the loop to a generalised ufunc, which writes into its
arguments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from math import prod
from typing import Any

from autograd_lite.compiler.ir import Input, Operation, Program
from autograd_lite.compiler.lowering.formulas import Fused, has_formula, is_elementary, parts_of
from autograd_lite.compiler.passes.fuse import MOST_CALLS
from autograd_lite.compiler.passes.groups import Loop, Users, is_along
from autograd_lite.compiler.passes.schedule import Schedule

__all__ = ["join_loops"]

LARGE = 4096
"""Numbers in a result from which on it is worthwhile to compile a loop of its own."""

LEAST_ROW = 8
"""Numbers along the last axis: the loop is entered anew for every row."""

MOST_OPERATIONS = 24

MOST_PAIRS = 8
"""Of arrays, one of them written, that may lie over each other: so many LLVM compares before
it computes on vectors, and with more it does not."""


def join_loops(schedule: Schedule) -> Schedule:
    """Find the loops of a program, each within one tile or outside of all."""
    program = schedule.program
    if not schedule.options.numba or schedule.options.check_finite:
        return schedule
    tile_of = {x: tile for tile in schedule.tiles for x in tile.operations}

    def alike(x: Operation) -> Any:
        return has_loop(x) and (x.type.shape, x.origin.errstate, tile_of.get(x))

    join = Joining(program, schedule.partners)
    runs = (list(run) for in_loop, run in groupby(program.operations, alike) if in_loop)
    loops = (loop for run in runs for loop in join.divide(run) if join.is_worthwhile(loop))
    return replace(schedule, loops=tuple(loops))


def has_loop(operation: Operation) -> bool:
    return isinstance(operation.primitive, Fused) or has_formula(operation)


class Joining:
    """Which operations, of those that follow each other and have one shape, share a loop."""

    def __init__(self, program: Program, partners: Mapping[Operation, Input]) -> None:
        self.partners = partners
        """The arguments that results may be written over."""
        self.users = Users(program)

    def divide(self, run: Sequence[Operation]) -> Iterator[Loop]:
        """Loops that are short enough, in order."""
        loop = self._loop((run[0],))
        for operation in run[1:]:
            longer = self._loop((*loop.operations, operation))
            if self._is_short(longer):
                loop = longer
            else:
                yield loop
                loop = self._loop((operation,))
        yield loop

    def _loop(self, operations: tuple[Operation, ...]) -> Loop:
        return Loop(operations, self.users.escaping(operations))

    def _is_short(self, loop: Loop) -> bool:
        parts = {part for x in loop.operations for part in parts_of(x)}
        calls = sum(is_elementary(part.primitive) for part in parts)
        if len(parts) > MOST_OPERATIONS or calls > MOST_CALLS:
            return False
        written = {self.partners.get(x, x) for x in loop.escaping}
        read = {x for x in loop.operands if is_along(x, loop.shape)} - written
        pairs = len(written) * (len(written) - 1) // 2 + len(written) * len(read)
        return pairs <= MOST_PAIRS

    def is_worthwhile(self, loop: Loop) -> bool:
        """Whether it is better than a call of NumPy, or of a ufunc, for each operation.

        A ufunc computes one number at a time where an operand is the same all along a row,
        or where the result lies over one.
        """
        if prod(loop.shape) < LARGE or loop.shape[-1] < LEAST_ROW:
            return False
        (first, *more) = loop.operations
        stands_still = any(not is_along(x, loop.shape) for x in loop.operands)
        return bool(more) or (
            isinstance(first.primitive, Fused) and (stands_still or first in self.partners)
        )
