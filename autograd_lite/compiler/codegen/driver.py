"""The driver: writes a scheduled program, and hands groups of operations to their writers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd_lite.compiler.codegen.cuda_graphs import write_graph
from autograd_lite.compiler.codegen.emitter import Emitter, Source
from autograd_lite.compiler.codegen.loops import write_loop
from autograd_lite.compiler.codegen.operations import OperationWriter
from autograd_lite.compiler.codegen.results import result_text
from autograd_lite.compiler.codegen.tiles import write_tile
from autograd_lite.compiler.ir import Operand, Operation
from autograd_lite.compiler.lowering.forms import Form
from autograd_lite.compiler.passes.groups import Graph, Group, Loop, Tile
from autograd_lite.compiler.passes.schedule import Schedule

__all__ = ["write_program"]

WRITERS: dict[type[Group], Callable[[OperationWriter, Any], None]] = {
    Graph: write_graph,
    Loop: write_loop,
    Tile: write_tile,
}


def write_program(schedule: Schedule, name: str, result: Any) -> Source:
    """Write a program; ``result`` is the nesting of what it returns."""
    program = schedule.program
    emitter = Emitter(schedule.backend)
    own = emitter.fresh(name)
    inputs = [emitter.fresh(x.name) for x in program.inputs]
    emitter.texts.update(zip(program.inputs, inputs, strict=True))
    write = OperationWriter(emitter, schedule)
    emitter.prelude += write.declare(None)
    # A loop in a tile is written by the tile's writer.
    groups = (*schedule.loops, *schedule.tiles, *schedule.graphs)
    group_of: dict[Operation, Group] = {x: group for group in groups for x in group.operations}
    for operation in program.operations:
        group = group_of.get(operation)
        if group is None:
            write.write(operation)
        elif operation is group.operations[0]:
            WRITERS[type(group)](write, group)
    results = list(owned_results(emitter, schedule))
    emitter.lines.append(f"return {result_text(result, results, emitter.literal)}")
    return emitter.finish(own, inputs)


def owned_results(emitter: Emitter, schedule: Schedule) -> Iterator[str]:
    """The outputs as the caller gets them: his own, no buffer and no view of one."""
    returned: set[Operand] = set()
    for x in schedule.program.outputs:
        text = emitter.operand(x)
        if x in returned or not is_owned(x, schedule):
            is_scalar = x.type.kind is np.generic and schedule.backend.has_scalars
            copy = emitter.function(np.asarray if is_scalar else np.array)
            text = f"{copy}({text}){'[()]' * is_scalar}"
        yield text
        returned.add(x)


def is_owned(x: Operand, schedule: Schedule) -> bool:
    if x.type.dtype is None:
        return True
    if not isinstance(x, Operation) or schedule.lowerings[x].form is not Form.OUT:
        return False
    if x in schedule.plan.memory:
        return False
    return x.type.kind is np.generic or bool(x.type.shape)
