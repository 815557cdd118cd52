"""Compiled programs as pictures: operations, shapes and dtypes; a program has no other numbers."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from autograd_lite.compiler.ir import Constant, Input, Operand, Operation, Program, Type
from autograd_lite.drawing.collect import arguments_text, is_data, is_indexing, operation_text
from autograd_lite.drawing.formatting import in_short, shape_text, shorten
from autograd_lite.drawing.grouping import Groups, Path, fold, folded_text, one_box_each
from autograd_lite.drawing.languages import word
from autograd_lite.drawing.picture import Cluster, Edge, Picture, Vertex
from autograd_lite.drawing.provenance import SourceLine

__all__ = ["program_of", "program_picture"]


def program_of(target: Any) -> Program | None:
    """The program itself, or the one that a compiled function used last; else None.

    Raises
    ------
    CompileError
        If a compiled function has not been called yet.
    """
    program = target if isinstance(target, Program) else getattr(target, "program", None)
    return program if isinstance(program, Program) else None


@dataclass(frozen=True)
class Item:
    """An input, constant or operation: its box if it is drawn alone, and what it gives."""

    vertex: Vertex
    type: Type
    operation: str = ""


@dataclass(frozen=True)
class ProgramGraph:
    """What is drawn, operands before what uses them; a constant appears anew at each use."""

    items: list[Item]
    operands: list[list[int]]
    results: set[int]

    def add(self, item: Item, operands: list[int]) -> int:
        """Append an item and return its position."""
        self.items.append(item)
        self.operands.append(operands)
        return len(self.items) - 1


def program_picture(program: Program, title: str, max_nodes: int) -> tuple[Picture, int]:
    """The picture of a program, and how many boxes it has if none are folded."""
    graph = program_graph(program)
    groups = fold(one_box_each(graph.operands), list(kinds_of(graph)), max_nodes)
    vertices = tuple(make_vertex(graph, box, members) for box, members in enumerate(groups.members))
    edges = tuple(edge for box in range(len(groups)) for edge in edges_of(graph, groups, box))
    sections = dict.fromkeys(v.module for v in vertices if v.module)
    clusters = tuple(Cluster(path, path[-1]) for path in sections)
    results = frozenset(f"v{groups.owners[index]}" for index in graph.results)
    return Picture(title, vertices, edges, clusters, results=results), len(graph.items)


def program_graph(program: Program) -> ProgramGraph:
    """List inputs, operations, and the constants that are operands of theirs."""
    graph = ProgramGraph([], [], set())
    position: dict[Operand, int] = {x: graph.add(input_vertex(x), []) for x in program.inputs}

    def place(x: Operand, section: Path) -> int:
        return (
            graph.add(constant_vertex(x, section), []) if isinstance(x, Constant) else position[x]
        )

    several = len({x.origin.section for x in program.operations}) > 1
    for x in program.operations:
        section = (word(f"section.{x.origin.section}"),) if several else ()
        operands = [place(y, section) for y in x.operands if is_drawn(y, x)]
        position[x] = graph.add(operation_vertex(x, section), operands)
    graph.results.update(place(x, ()) for x in dict.fromkeys(program.outputs))
    return graph


def is_drawn(x: Operand, user: Operation) -> bool:
    """Numbers and arrays are, but no index: it is written behind its operation."""
    if isinstance(x, Constant):
        return is_data(x.value) and not is_indexing(user.primitive.name)
    return True


def input_vertex(x: Input) -> Item:
    return Item(Vertex("", "leaf", shorten(x.name), "", (type_fact(x.type),)), x.type)


def constant_vertex(x: Constant, section: Path) -> Item:
    if x.is_number:
        return Item(Vertex("", "constant", in_short(x.value), module=section), x.type)
    return Item(
        Vertex("", "constant", word("kind.constant"), "", (type_fact(x.type),), section), x.type
    )


def operation_vertex(x: Operation, section: Path) -> Item:
    inputs = [y.value if isinstance(y, Constant) else "…" for y in x.operands]
    name = x.primitive.name
    text = operation_text(name, arguments_text(name, inputs, x.parameters))
    title, subtitle = (shorten(x.name), text) if x.name else (text, "")
    source = str(SourceLine(x.origin.file, x.origin.line)) if x.origin.file else ""
    facts = (type_fact(x.type),)
    return Item(Vertex("", "operation", title, subtitle, facts, section, source), x.type, name)


def type_fact(kind: Type) -> tuple[str, str]:
    """Shape and dtype; of what has neither the name of its class."""
    if kind.dtype is None or not kind.shape:
        return "", str(kind)
    return shape_text(kind.shape), str(kind.dtype)


def kinds_of(graph: ProgramGraph) -> Iterator[Hashable]:
    """What two items must have in common to be drawn as one, in addition to their operands."""
    for index, item in enumerate(graph.items):
        if index in graph.results:
            yield "result", index
        elif item.vertex.kind == "leaf":
            yield "leaf", re.sub(r"\d+", "#", item.vertex.title), str(item.type)
        else:
            yield item.vertex.module, item.operation or item.vertex.title, str(item.type)


def make_vertex(graph: ProgramGraph, box: int, members: list[int]) -> Vertex:
    items = [graph.items[index] for index in members]
    if len(items) == 1:
        return replace(items[0].vertex, key=f"v{box}")
    operations = [item.operation for item in items if item.operation]
    if operations:
        title, rows = folded_text(operations, len(items) - len(operations))
    else:
        kinds = sorted({word(f"kind.{item.vertex.kind}") for item in items})
        kind = kinds[0] if len(kinds) == 1 else word("or", one=kinds[0], other=kinds[1])
        title, rows = f"{len(items)} × {kind}", []
    sections = {item.vertex.module for item in items}
    section = sections.pop() if len(sections) == 1 else ()
    return Vertex(f"v{box}", "fold", title, "", tuple(rows), section)


def edges_of(graph: ProgramGraph, groups: Groups, box: int) -> Iterator[Edge]:
    """One for each operand of an operation; one for each other box that feeds a group."""
    members, owners = groups.members[box], groups.owners
    tails = [o for index in members for o in graph.operands[index] if owners[o] != box]
    if len(members) > 1:
        tails = list({owners[o]: o for o in tails}.values())
    for place, o in enumerate(tails):
        yield Edge(f"v{owners[o]}", f"v{box}", shape_text(graph.items[o].type.shape), place)
