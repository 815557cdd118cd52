"""Schedules: a program, and what passes have decided about the way in which it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograd_lite.compiler.ir import Input, Operand, Operation, Program, Type, rewrite
from autograd_lite.compiler.lowering.forms import Form, Lowering
from autograd_lite.compiler.lowering.steps import Steps
from autograd_lite.compiler.options import Options
from autograd_lite.compiler.passes.groups import Graph, Loop, Tile
from autograd_lite.compiler.passes.remove_dead_code import remove_dead_code
from autograd_lite.compiler.runtime.backend import NumpyBackend

__all__ = ["Memory", "Plan", "Schedule", "layout_of"]


@dataclass(eq=False)
class Memory:
    """A piece of memory and the types of the results that it holds in turn."""

    nbytes: int
    tenants: list[Type] = field(default_factory=list)


@dataclass
class Plan:
    """Where each result lives."""

    memory: dict[Operation, Memory] = field(default_factory=dict)
    """Results written into a preallocated buffer."""
    static: set[Operation] = field(default_factory=set)
    """Views of buffers, which can be made beforehand, once."""
    donated: dict[Operation, Input] = field(default_factory=dict)
    """Results written over an argument that the caller gave away."""
    local: dict[Operation, Tile] = field(default_factory=dict)
    """Results that live in buffers of the size of a block, and in which tile."""
    inner: set[Operation] = field(default_factory=set)
    """Results that are numbers of a loop, and live nowhere."""

    def pieces_of(self, tile: Tile | None) -> list[Memory]:
        """Memory that a tile takes for a block; with None, that of the whole program."""
        kept = (m for x, m in self.memory.items() if self.local.get(x) is tile)
        return list(dict.fromkeys(kept))

    def type_in_memory(self, operation: Operation) -> Type:
        """The type of a result as it is held: that of a block, if it lives in a tile."""
        tile = self.local.get(operation)
        return operation.type if tile is None else tile.block_type(operation.type)


@dataclass(frozen=True)
class Schedule:
    """A value, never changed: every pass makes a new one."""

    program: Program
    options: Options
    backend: NumpyBackend
    donated: tuple[Input, ...] = ()
    """The arguments that results may be written over."""
    lowerings: dict[Operation, Lowering] = field(default_factory=dict)
    tiles: tuple[Tile, ...] = ()
    loops: tuple[Loop, ...] = ()
    graphs: tuple[Graph, ...] = ()
    plan: Plan = field(default_factory=Plan)
    bodies: dict[Operation, tuple[Schedule, ...]] = field(default_factory=dict)
    """How the bodies of loops and branches run."""
    compiled: dict[Operation, Steps] = field(default_factory=dict)
    """Loops that Numba compiles, body and all."""
    stored: tuple[int, ...] = ()
    """Of a body: the outputs for which there is an array with a row for each step."""

    def with_branches(self, rule: Callable[[Operation], Operand]) -> Schedule:
        """Operations replaced by ones that branch on numbers, for which a device would wait."""
        if not self.backend.has_scalars:
            return self
        return replace(self, program=remove_dead_code(rewrite(self.program, rule)))

    @property
    def rows(self) -> frozenset[Operation]:
        """Results of a body that are written into a row where they lie."""
        outputs = (self.program.outputs[index] for index in self.stored)
        return frozenset(
            x
            for x in outputs
            if isinstance(x, Operation)
            and x.type.kind is np.ndarray
            and x.type.shape
            and self.lowerings[x].form is Form.OUT
        )

    @property
    def partners(self) -> dict[Operation, Input]:
        """For each result, in order, the first donated argument of its type that is left."""
        left, rows = list(self.donated), self.rows
        found: dict[Operation, Input] = {}
        for output in dict.fromkeys(self.program.outputs):
            if output in left:  # the argument itself is returned, so nothing may go over it
                left.remove(output)
            elif isinstance(output, Operation) and output not in rows:
                wanted = layout_of(output.type)
                x = next((x for x in left if layout_of(x.type) == wanted), None)
                if x is not None:
                    found[output] = x
                    left.remove(x)
        return found


def layout_of(of: Type) -> tuple[tuple[int, ...], Any]:
    """What two results that live in the same array have in common."""
    return of.shape, of.dtype
