"""Arrays that only one handle has seen, which are written where they lie.

After a first write, which copies, a handle has an array that nobody else knows.
Further writes change it in place, as NumPy does; the node of before keeps what it
needs to have its numbers again.  So a loop that fills or steps through an array costs
what it writes and reads, not a copy of the whole for each step.  Parts that are read
are copied.  When the whole is read, it is the reader's too: the next write copies.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autograd_lite.core.memory import History, Overwritten, copied
from autograd_lite.core.node import (
    NO_PARAMETERS,
    Node,
    data_of,
    get_node,
    operand_of,
    set_node,
    split_inputs,
)
from autograd_lite.core.primitive import kept, registry
from autograd_lite.core.recorder import current, record
from autograd_lite.core.views import is_view_of, look_into

__all__ = ["Exclusive", "write_part"]


def of_array(name: str) -> Any:
    """An attribute that is read without a look at the numbers."""

    def read(self: Any) -> Any:
        return getattr(get_node(self).data, name)

    def change(self: Any, x: Any) -> None:
        getattr(self.shared, name).__set__(self, x)  # where it is refused

    return property(read, change)


class Exclusive:
    """A handle whose array nobody else has seen; it is an ordinary one once its node is read."""

    __slots__ = ()

    is_exclusive = True

    shared: Any
    """The class of the ordinary handle."""

    def _node(self) -> Any:
        self.__class__ = self.shared
        return get_node(self)

    node: Any = property(_node)
    shape: Any = of_array("shape")
    size: Any = of_array("size")
    dtype: Any = of_array("dtype")

    def __getitem__(self, index: Any) -> Any:
        if current.get().batch is not None:
            return super().__getitem__(index)  # type: ignore[misc]
        node = get_node(self)
        parts = index if isinstance(index, tuple) else (index,)
        nodes = list(map(operand_of, parts))
        data = node.data[tuple(map(data_of, nodes))]
        is_view = is_view_of(data, node.data)
        getitem = registry[operator.getitem]
        nodes = [node, *map(kept, nodes)]
        operands = split_inputs(tuple(nodes))
        data = copied(data) if is_view else data
        value = record(getitem, data, NO_PARAMETERS, node.requires_grad, *operands)
        if not is_view:
            return value
        base: Any = self
        return look_into(value, base, getitem, tuple(nodes), 0, NO_PARAMETERS)


def write_part(handle: Exclusive, part: Any, parts: tuple[Any, ...]) -> None:
    """``handle[parts] = part`` where the array lies; ``part`` is a handle or an array."""
    node = get_node(handle)
    array = node.data
    part = operand_of(part)
    nodes = list(map(operand_of, parts))
    index = tuple(map(data_of, nodes))
    former = np.array(array[index])
    array[index] = data_of(part)
    before = node.left.data if isinstance(node.left, Node) else None
    history = before.history if isinstance(before, Overwritten) else None
    if history is None or history.array is not array:
        history = History(array)
    nodes = [node, *map(kept, (part, *nodes))]
    history.former.append((tuple(map(data_of, nodes[2:])), former))
    node.data = Overwritten(history, len(history.former) - 1)
    requires_grad = node.requires_grad or (isinstance(part, Node) and part.requires_grad)
    at_set = registry["at.set"]
    value = record(at_set, array, NO_PARAMETERS, requires_grad, *split_inputs(tuple(nodes)))
    value.node.label = node.label
    set_node(handle, value.node)
