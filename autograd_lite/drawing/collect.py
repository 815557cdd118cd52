"""What was recorded, as a list: each node visited once, oldest first, without recursion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.core.backward import by_serial
from autograd_lite.core.memory import Overwritten
from autograd_lite.core.node import Node
from autograd_lite.drawing.formatting import shorten
from autograd_lite.drawing.languages import word

__all__ = [
    "Graph",
    "arguments_text",
    "constants",
    "index_text",
    "is_data",
    "is_indexing",
    "operation_text",
    "rank",
    "recorded_graph",
    "static_text",
]


@dataclass(frozen=True)
class Graph:
    """Nodes in the order of computation; ``operands`` are positions in that order."""

    nodes: list[Node]
    operands: list[list[int]]
    results: list[int]


def recorded_graph(roots: Iterable[Node]) -> Graph:
    """Everything that the roots were computed from, with or without gradient."""
    roots = list(roots)
    seen = set(roots)
    stack = list(seen)
    while stack:
        for x in stack.pop().inputs:
            if isinstance(x, Node) and x not in seen:
                seen.add(x)
                stack.append(x)
    nodes = sorted(seen, key=by_serial)
    for node in nodes:
        if isinstance(node.data, Overwritten):
            node.data = np.asarray(node.data)
    position = {node: index for index, node in enumerate(nodes)}
    operands = [[position[x] for x in node.inputs if isinstance(x, Node)] for node in nodes]
    return Graph(nodes, operands, [position[root] for root in roots])


def is_data(x: Any) -> bool:
    """Whether an operand is a number or array that was not wrapped in a Value."""
    return isinstance(x, (bool, int, float, complex, np.generic)) or (
        hasattr(x, "dtype") and not isinstance(x, Node)
    )


def constants(node: Node) -> list[tuple[int, Any]]:
    """The constant operands of a node that are drawn as boxes, with their places."""
    if node.primitive is not None and is_indexing(node.primitive.name):
        return []
    return [(place, x) for place, x in enumerate(node.inputs) if is_data(x)]


def static_text(node: Node) -> str:
    """The static arguments of the operation that made a node."""
    name = "" if node.primitive is None else node.primitive.name
    return arguments_text(name, node.inputs, node.parameters)


def arguments_text(operation: str, inputs: Sequence[Any], parameters: Mapping[str, Any]) -> str:
    """Static arguments as they would be written in a call: ``axis=0``, ``[1:, :]``."""
    if is_indexing(operation):
        start = 1 if operation == "getitem" else 2
        return "[" + ", ".join(map(index_text, inputs[start:])) + "]"
    given = {name: x for name, x in parameters.items() if x is not None and x is not False}
    texts = {name: x.__name__ if isinstance(x, type) else x for name, x in given.items()}
    return ", ".join(f"{name}={text}" for name, text in texts.items())


def operation_text(operation: str, static: str) -> str:
    """An operation with its static arguments."""
    static = shorten(static)
    space = "" if not static or static.startswith("[") else " "
    return shorten(operation) + space + static


def is_indexing(operation: str) -> bool:
    """Whether the arguments of an operation are an index, which is written in brackets."""
    return operation in ("getitem", "at.set", "at.add")


def rank(data: Any) -> int:
    """The number of axes; 0 for the tuple that an operation with several outputs gives."""
    return getattr(data, "ndim", 0)


SHORT_INDEX = 4


def index_text(part: Any) -> str:
    """One part of an index as it is written."""
    if isinstance(part, Node):
        return "…"
    if isinstance(part, slice):
        ends = [part.start, part.stop] + ([part.step] if part.step is not None else [])
        return ":".join("" if end is None else str(end) for end in ends)
    if part is Ellipsis:
        return "..."
    if part is None:
        return "None"
    if isinstance(part, (list, np.ndarray)) and np.ndim(part):
        array = np.asarray(part)
        if array.ndim == 1 and array.size <= SHORT_INDEX:
            return str(array.tolist())
        return word("booleans" if array.dtype == bool else "indices", count=array.size)
    return str(part)
