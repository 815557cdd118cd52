"""From a recorded graph to a picture of it: what becomes a box, and what is written into it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograd_lite.core.backward import by_serial
from autograd_lite.core.node import Node
from autograd_lite.drawing.collect import constants, operation_text, rank, static_text
from autograd_lite.drawing.formatting import facts, shape_text, shorten
from autograd_lite.drawing.grouping import (
    Groups,
    Path,
    fold,
    folded_text,
    kinds_of,
    one_box_each,
    run_text,
)
from autograd_lite.drawing.languages import word
from autograd_lite.drawing.modules import (
    call_title,
    clip,
    kind_of,
    module_paths,
    parameter_count,
    roll_up,
    take_in,
)
from autograd_lite.drawing.picture import Cluster, Edge, Kind, Picture, Vertex
from autograd_lite.drawing.subject import Subject

__all__ = ["Scene", "compose"]


@dataclass(frozen=True)
class Scene(Subject):
    """A recorded graph, and the boxes that it is drawn as.

    ``paths`` are the module calls that its nodes lie in, ``prefix`` is the letter
    that the keys of its vertices begin with.
    """

    groups: Groups
    paths: list[Path]
    prefix: str = "v"

    @property
    def root(self) -> Node:
        """The result that a sweep starts from."""
        return self.graph.nodes[self.graph.results[0]]

    def members(self, box: int) -> list[Node]:
        """The nodes in a box."""
        return [self.graph.nodes[index] for index in self.groups.members[box]]

    def box_key(self, box: int) -> str:
        """The key of the vertex that a box is drawn as."""
        return f"{self.prefix}{box}"

    def contents(self, key: str) -> tuple[list[Node], int | None]:
        """The nodes that a vertex stands for; of a constant its user, and its place there."""
        box, _, place = key.removeprefix(self.prefix).partition("_")
        return self.members(int(box)), int(place) if place else None

    def key(self, index: int) -> str:
        """The key of the vertex that the node at this position is drawn in."""
        return self.box_key(self.groups.owners[index])

    def key_of(self, node: Node) -> str:
        """The key of the vertex that a node is drawn in."""
        return self.key(bisect_left(self.graph.nodes, node.serial, key=by_serial))

    def picture(self) -> Picture:
        """Describe what is drawn."""
        vertices: list[Vertex] = []
        edges: list[Edge] = []
        for box, members in enumerate(self.groups.members):
            if len(members) == 1 and not self.groups.calls[box]:
                vertices += self._constants(box, members[0])
                vertices.append(self._single(box, members[0]))
            else:
                vertices.append(self._several(box))
            edges += self._edges(box)
        return Picture(
            self.title,
            tuple(vertices),
            tuple(edges),
            tuple(self._clusters(vertices)),
            results=frozenset(self.key(index) for index in self.graph.results),
        )

    def _clusters(self, vertices: list[Vertex]) -> Iterator[Cluster]:
        paths = {v.module[:depth] for v in vertices for depth in range(1, len(v.module) + 1)}
        for path in sorted(paths, key=in_order):
            call = self.lines.calls[path]
            count = parameter_count([call])
            title = call_title(call) + (f"  {count:,} {word('parameters')}" if count else "")
            yield Cluster(path, title)

    def _edges(self, box: int) -> Iterator[Edge]:
        """One for each operand of a node; one for each other box that feeds a group."""
        members = self.groups.members[box]
        head = self.box_key(box)
        if len(members) == 1:
            node = self.graph.nodes[members[0]]
            operands = iter(self.graph.operands[members[0]])
            drawn = {place for place, _ in constants(node)}
            for place, x in enumerate(node.inputs):
                if isinstance(x, Node):
                    yield Edge(self.key(next(operands)), head, shape(x), place)
                elif place in drawn:
                    yield Edge(f"{head}_{place}", head, shape_text(np.shape(x)), place)
        else:
            tails = {self.groups.owners[o]: o for o in self._operands_outside(box)}
            for tail, o in tails.items():
                yield Edge(self.box_key(tail), head, shape(self.graph.nodes[o]))

    def _operands_outside(self, box: int) -> list[int]:
        """What the nodes in a box need from other boxes."""
        operands = (o for index in self.groups.members[box] for o in self.graph.operands[index])
        return [o for o in operands if self.groups.owners[o] != box]

    def _constants(self, box: int, index: int) -> Iterator[Vertex]:
        for place, data in constants(self.graph.nodes[index]):
            key, module = f"{self.box_key(box)}_{place}", self.paths[index]
            rows = facts("value", data)
            if np.ndim(data) == 0:
                yield Vertex(key, "constant", rows[0][1], module=module)
            else:
                yield Vertex(
                    key, "constant", word("kind.constant"), "", (*type_text(data), *rows), module
                )

    def _single(self, box: int, index: int) -> Vertex:
        """The box of one node: its name or operation, its value, its gradient."""
        node, key, module = self.graph.nodes[index], self.box_key(box), self.paths[index]
        name = self.names.get(node.serial)
        gradient = facts("grad", self.gradients.get(node))
        rows = (*type_text(node.data), *facts("value", node.data), *gradient)
        if node.primitive is None:
            subtitle = "" if node.requires_grad else word("no_gradient")
            kind: Kind = "parameter" if node.serial in self.parameters else "leaf"
            return Vertex(key, kind, shorten(name or word("given")), subtitle, rows, module)
        operation = operation_text(node.primitive.name, static_text(node))
        title, subtitle = (shorten(name), operation) if name else (operation, "")
        origin = self.lines.origins.get(node.serial)
        source = str(origin) if origin is not None else ""
        return Vertex(key, "operation", title, subtitle, rows, module, source)

    def _several(self, box: int) -> Vertex:
        members = self.members(box)
        calls = self.groups.calls[box]
        nodes = self.groups.members[box]
        paths = [self.paths[x] for x in nodes if self.graph.nodes[x].primitive is not None]
        paths = paths or [self.paths[nodes[-1]]]
        if calls and all(any(path[: len(call)] == call for call in calls) for path in paths):
            return self._modules(box, members)
        operations = [node.primitive.name for node in members if node.primitive is not None]
        leaves = len(members) - len(operations)
        if operations:
            title, rows = folded_text(operations, leaves)
            rows += self._ranges([self.graph.nodes[x] for x in nodes if x in self._handed_on])
        else:
            rows = self._ranges(members)
            title = f"{leaves} × {self._common_name(members)}"
        return Vertex(self.box_key(box), "fold", title, "", tuple(rows), paths[-1])

    @cached_property
    def _handed_on(self) -> set[int]:
        """The positions of nodes that other boxes use, and of the results."""
        owners = self.groups.owners
        used = set(self.graph.results)
        for index, operands in enumerate(self.graph.operands):
            used.update(o for o in operands if owners[o] != owners[index])
        return used

    def _ranges(self, nodes: list[Node]) -> list[tuple[str, str]]:
        """What all numbers of some nodes lie between, and all of their gradients."""
        rows: list[tuple[str, str]] = []
        gradients = [self.gradients[node] for node in nodes if node in self.gradients]
        for name, arrays in (("value", [node.data for node in nodes]), ("grad", gradients)):
            if arrays and all(isinstance(x, (float, np.ndarray, np.floating)) for x in arrays):
                numbers = np.concatenate([np.ravel(x) for x in arrays])
                rows += facts(name, numbers if numbers.size > 1 else numbers[0])
        return rows

    def _common_name(self, members: list[Node]) -> str:
        names = {self.names.get(node.serial) or word("given") for node in members}
        stem = min(names).rstrip("0123456789[].") if len(names) > 1 else names.pop()
        return shorten(stem) if stem else word("given")

    def _modules(self, box: int, members: list[Node]) -> Vertex:
        """The box of a whole layer, or of a run of equal layers."""
        calls = [self.lines.calls[path] for path in self.groups.calls[box]]
        kinds = [kind_of(call) for call in calls]
        title = call_title(calls[0]) if len(calls) == 1 else run_text(kinds)
        rows = []
        if len(calls) > 1:
            rows.append(("", f"{calls[0].path[-1]} … {calls[-1].path[-1]}"))
        if count := parameter_count(calls):
            rows.append(("parameters", f"{count:,}"))
        outside = self._operands_outside(box)
        before = shape(self.graph.nodes[outside[0]]) if outside else ""
        after = shape(members[-1])
        if before or after:
            rows.append(("", f"{before or word('number')} → {after or word('number')}"))
        key, module = self.box_key(box), calls[0].path[:-1]
        return Vertex(key, "module", shorten(title, 60), "", tuple(rows), module)


def compose(subject: Subject, depth: int | None, max_nodes: int) -> Scene:
    """Decide what is drawn as one box: modules from ``depth`` on, and what is too many."""
    graph, lines = subject.graph, subject.lines
    groups = one_box_each(graph.operands)
    paths = module_paths(graph, lines)
    deepest = max(map(len, paths), default=0)
    if depth is not None:
        groups = roll_up(graph, clip(groups, paths, depth), lines)
        groups = take_in(graph, groups, lines)
    while len(groups) > max_nodes and deepest > 1 and depth is None:
        deepest -= 1
        groups = roll_up(graph, clip(one_box_each(graph.operands), paths, deepest), lines)
        groups = take_in(graph, groups, lines)
    groups = fold(groups, kinds_of(graph, subject.names), max_nodes)
    return Scene(**vars(subject), groups=groups, paths=paths)


def in_order(path: Path) -> list[list[tuple[bool, int, str]]]:
    """What paths are sorted by: each before those in it, and layer 2 before layer 10."""
    return [
        [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in split]
        for split in (re.split(r"(\d+)", name) for name in path)
    ]


def type_text(data: Any) -> tuple[tuple[str, str], ...]:
    """Shape and dtype of an array; a number has neither worth a line."""
    if not rank(data):
        return ()
    return ((shape_text(np.shape(data)), str(data.dtype)),)


def shape(node: Node) -> str:
    return "" if isinstance(node.data, tuple) else shape_text(np.shape(node.data))
