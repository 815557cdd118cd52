"""Views that a trace cannot foresee: those by ``reshape`` after a loop or a branch.

Whether ``x.reshape(-1)`` is a view or a copy depends on the order of the axes of ``x`` in memory.
What a loop or branch gives may have another order at other numbers, when it makes another number
of steps or takes the other branch, and elementwise functions keep that order.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from itertools import accumulate
from operator import mul
from typing import Any

from autograd_lite.core.node import Node
from autograd_lite.core.views import is_all_or_part
from autograd_lite.ops import indexing, shaping
from autograd_lite.transforms.bodies import Structured

__all__ = ["in_one_memory", "is_unforeseen"]

FLATTENING = frozenset({shaping.reshape, shaping.ravel})
"""They give views of arrays whose axes lie in one order, copies of others."""


def is_unforeseen(node: Node, inside: Container[Node], settled: Container[Node]) -> bool:
    """Whether it is a view of its operand or a copy, as a loop or branch decides.

    ``inside`` holds what loops and branches hand to their functions, ``settled`` what was copied
    in an order of its own.
    """
    if node.primitive not in FLATTENING or not isinstance(node.left, Node):
        return False
    is_joining = joins_axes(node.left.shape, node.shape, node.parameters.get("order", "C"))
    return is_joining and lies_anyhow(node.left, inside, settled)


def joins_axes(shape: Sequence[int], result: Sequence[int], order: Any) -> bool:
    """Whether one axis of the result goes along several of the operand."""
    step = 1 if order == "F" else -1
    ends, new_ends = (set(accumulate(lengths[::step], mul)) for lengths in (shape, result))
    return 0 not in shape and not ends <= {1, *new_ends}


def lies_anyhow(node: Node, inside: Container[Node], settled: Container[Node]) -> bool:
    """Whether the order of its axes in memory may come from a loop or branch."""
    seen: set[Node] = set()
    stack = [node]
    while stack:
        x = stack.pop()
        if x in inside or isinstance(x.primitive, Structured):
            return True
        if x not in seen and x not in settled:
            # What is written into an array does not move its axes.
            operands = x.inputs[:1] if x.primitive is indexing.at_set else x.inputs
            stack += [y for y in operands if isinstance(y, Node) and has_order(y)]
        seen.add(x)
    return False


def has_order(node: Node) -> bool:
    return isinstance(node.primitive, Structured) or len(node.shape) > 1


def in_one_memory(node: Node) -> Iterator[Node]:
    """A node, what it is a view of or was copied from, and what that is a view of."""
    yield node
    x: Any = node.left
    while isinstance(x, Node):
        yield x
        x = x.left if isinstance(x.left, Node) and is_all_or_part(x.data, x.left.data) else None
