"""The driver: writes a scheduled program, and hands groups of operations to their writers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler.codegen.cuda_graphs import write_graph
from autograd_lite.compiler.codegen.emitter import Emitter, Source
from autograd_lite.compiler.codegen.loops import write_loop
from autograd_lite.compiler.codegen.operations import OperationWriter
from autograd_lite.compiler.codegen.tiles import write_tile
from autograd_lite.compiler.frontend.recording import Place
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


def result_text(result: Any, outputs: Sequence[str], literal: Callable[[Any], str]) -> str:
    """The nesting as Python text, with the texts of the outputs in their places.

    ``literal`` gives the text of an object that is neither an output nor a nesting.
    """

    def text_of(part: Any) -> str:
        if isinstance(part, Place):
            return outputs[part.index]
        kind = type(part)
        if isinstance(part, dict):
            pairs = [(literal(key), text_of(value)) for key, value in part.items()]
            if kind is dict:
                return "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
            return f"{literal(kind)}(({''.join(f'({key}, {value}), ' for key, value in pairs)}))"
        if not isinstance(part, (tuple, list)):
            return literal(part)
        parts = [text_of(x) for x in part]
        if kind is list:
            return f"[{', '.join(parts)}]"
        if kind is tuple:
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        if hasattr(part, "_fields"):
            return f"{literal(kind)}({', '.join(parts)})"
        return f"{literal(kind)}(({''.join(f'{x}, ' for x in parts)}))"

    return text_of(result)
