"""The driver: writes a scheduled program, and hands groups of operations to their writers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autograd_lite.compiler.codegen.cuda_graphs import write_graph
from autograd_lite.compiler.codegen.emitter import Emitter, Source
from autograd_lite.compiler.codegen.loops import write_loop
from autograd_lite.compiler.codegen.operations import OperationWriter
from autograd_lite.compiler.codegen.structures import write_structure
from autograd_lite.compiler.codegen.tiles import write_tile
from autograd_lite.compiler.frontend.recording import Place
from autograd_lite.compiler.ir import Operand, Operation
from autograd_lite.compiler.passes.groups import Graph, Group, Loop, Tile
from autograd_lite.compiler.passes.schedule import Schedule
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.tree import parts_of

__all__ = ["execute", "write_program"]

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
    write_operations(write)
    results = list(owned_results(write))

    def literal(part: Any) -> str:
        if isinstance(part, np.dtype):  # elsewhere its type will do
            return emitter.bind(("object", id(part)), "dtype", part)
        return emitter.literal(part)

    emitter.lines.append(f"return {result_text(result, results, literal)}")
    return emitter.finish(own, inputs)


def execute(source: Source) -> Callable[..., Any]:
    """Run the text of a program; what it returns prepares buffers and a function to call."""
    names: dict[str, Any] = dict(source.names)
    exec("\n".join([*source.header, *source.body]), names)
    prepare: Callable[..., Any] = names["prepare"]
    return prepare


def write_operations(write: OperationWriter) -> None:
    """Write the operations of a program, or of a body in it, and declare its buffers."""
    schedule = write.schedule
    write.emitter.prelude += write.declare(None)
    # A loop in a tile is written by the tile's writer.
    groups = (*schedule.loops, *schedule.tiles, *schedule.graphs)
    group_of: dict[Operation, Group] = {x: group for group in groups for x in group.operations}
    for operation in schedule.program.operations:
        group = group_of.get(operation)
        if operation.bodies:
            write_structure(write, operation, write_operations)
        elif group is None:
            write.write(operation)
        elif operation is group.operations[0]:
            WRITERS[type(group)](write, group)


def owned_results(write: OperationWriter) -> Iterator[str]:
    """The outputs as the caller gets them: his own, no buffer and no view of one."""
    returned: set[Operand] = set()
    for x in write.schedule.program.outputs:
        yield write.owned(x, x in returned)
        returned.add(x)


def result_text(result: Any, outputs: Sequence[str], literal: Callable[[Any], str]) -> str:
    """The nesting as Python text, with the texts of the outputs in their places.

    ``literal`` gives the text of an object that is neither an output nor a nesting.
    """

    def text_of(part: Any) -> str:
        if isinstance(part, Place):
            return outputs[part.index]
        kind = type(part)
        opened = parts_of(part)
        if opened is None:
            return literal(part)
        parts = [text_of(x) for x in opened.children]
        if kind is dict:
            pairs = zip(map(literal, part), parts, strict=True)
            return "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
        if kind is tuple:
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        if isinstance(part, tuple) and hasattr(part, "_fields"):
            return f"{literal(kind)}({', '.join(parts)})"
        if kind is OrderedDict:
            pairs = zip(map(literal, part), parts, strict=True)
            return f"{literal(kind)}([{', '.join(f'({key}, {value})' for key, value in pairs)}])"
        listed = f"[{', '.join(parts)}]"
        return listed if kind is list else f"{literal(opened.make)}({listed})"

    return text_of(result)
