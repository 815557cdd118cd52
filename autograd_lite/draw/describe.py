"""From a recorded graph to a picture of it: what to write into each box."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_lite.draw.collect import Graph, constants, static_text
from autograd_lite.draw.formatting import facts, shape_text, shortened
from autograd_lite.draw.picture import Edge, Picture, Vertex
from autograd_lite.primitive import Node

__all__ = ["picture_of"]


def picture_of(graph: Graph, names: Mapping[int, str], title: str) -> Picture:
    """Draw every node of the graph as a box of its own; ``names`` go by serial number."""
    vertices: list[Vertex] = []
    edges: list[Edge] = []
    for index, node in enumerate(graph.nodes):
        key = f"v{index}"
        for place, constant in constants(node):
            vertices.append(_constant(f"{key}_{place}", constant))
            edges.append(Edge(f"{key}_{place}", key, shape_text(np.shape(constant))))
        vertices.append(_vertex(key, node, names.get(node.serial)))
        edges += [
            Edge(f"v{operand}", key, _shape(graph.nodes[operand]))
            for operand in graph.operands[index]
        ]
    results = frozenset(f"v{index}" for index in graph.results)
    return Picture(title, tuple(vertices), tuple(edges), results=results)


def _vertex(key: str, node: Node, name: str | None) -> Vertex:
    """The box of one node: its name or operation, its value, its gradient."""
    rows = [*_type(node.data), *facts("value", node.data), *facts("grad", node.grad)]
    if node.primitive is None:
        title = shortened(name or "value")
        if not node.requires_grad:
            rows.append(("no gradient", ""))
        return Vertex(key, "leaf", title, facts=tuple(rows))
    operation = shortened(node.primitive.name)
    if static := static_text(node):
        operation += static if static.startswith("[") else f" {shortened(static)}"
    title, subtitle = (shortened(name), operation) if name else (operation, "")
    return Vertex(key, "operation", title, subtitle, facts=tuple(rows))


def _constant(key: str, data: Any) -> Vertex:
    rows = facts("", data)
    if np.ndim(data) == 0:
        return Vertex(key, "constant", rows[0][1], "")
    return Vertex(key, "constant", "constant", "", facts=(*_type(data), *facts("value", data)))


def _type(data: Any) -> tuple[tuple[str, str], ...]:
    """Shape and dtype of an array; a number has neither worth a line."""
    if not np.ndim(data) or isinstance(data, tuple):
        return ()
    return ((shape_text(np.shape(data)), str(data.dtype)),)


def _shape(node: Node) -> str:
    return "" if isinstance(node.data, tuple) else shape_text(np.shape(node.data))
