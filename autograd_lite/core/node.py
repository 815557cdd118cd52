"""Nodes, which are what was computed, and handles on them, which are what people hold.

Read the core in this order: ``node.py``, ``recorder.py``, ``views.py``,
``primitive.py``, ``backward.py``, ``pullback.py``, ``in_place.py``, ``value.py``; after
these the rest of the package is more of the same.
"""

from __future__ import annotations

from itertools import count
from typing import Any, ClassVar, TypeAlias

import numpy as np

__all__ = [
    "ABSENT",
    "NO_PARAMETERS",
    "Handle",
    "Node",
    "data_of",
    "get_node",
    "holds_value",
    "operand_of",
    "serials",
    "set_node",
    "split_inputs",
    "unwrap",
]

ABSENT = object()
"""Marks an operand that a node does not have; None is an operand, as an index."""

NO_PARAMETERS: dict[str, Any] = {}

serials = count()
"""Numbers nodes in the order of their creation."""

Operand: TypeAlias = Any
"""A `Node`, or a constant as it is."""


class Node:
    """The record of one result, and of how it came about.

    ``data`` is the result, ``primitive`` what computed it, ``inputs`` its
    operands (nodes, and constants as they are), ``parameters`` its static
    keyword arguments.  A leaf has no primitive.  Serial numbers grow in the
    order of creation, so sorting by them is a topological order.

    Only ``grad``, which a sweep finds, and ``label``, which is for people, change.
    """

    __slots__ = (
        "__weakref__",
        "data",
        "grad",
        "label",
        "left",
        "parameters",
        "primitive",
        "requires_grad",
        "rest",
        "right",
        "serial",
    )

    data: Any
    grad: Any
    label: str | None
    left: Operand
    parameters: dict[str, Any]
    primitive: Any
    requires_grad: bool
    rest: tuple[Operand, ...]
    right: Operand
    serial: int

    @classmethod
    def leaf(cls, data: Any, requires_grad: bool = False, label: str | None = None) -> Node:
        """A node that was computed from nothing."""
        node = cls()
        node.data = data
        node.grad = None
        node.label = label
        node.primitive = None
        node.left = node.right = ABSENT
        node.rest = ()
        node.parameters = NO_PARAMETERS
        node.requires_grad = requires_grad
        node.serial = next(serials)
        return node

    @property
    def inputs(self) -> tuple[Operand, ...]:
        """The operands, in order.

        They are held apart: a tuple for each node would be one more object that Python's
        garbage collector visits, and small graphs are little else than nodes.
        """
        if self.right is not ABSENT:
            return (self.left, self.right, *self.rest)
        return () if self.left is ABSENT else (self.left,)

    @inputs.setter
    def inputs(self, inputs: tuple[Operand, ...]) -> None:
        self.left, self.right, self.rest = split_inputs(inputs)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the data; ``()`` for a Python number."""
        return getattr(self.data, "shape", ())

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return getattr(self.data, "size", 1)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the data; that of the type for a Python number."""
        dtype: np.dtype[Any] | None = getattr(self.data, "dtype", None)
        return np.dtype(type(self.data)) if dtype is None else dtype


def split_inputs(inputs: tuple[Operand, ...]) -> tuple[Operand, Operand, tuple[Operand, ...]]:
    """Operands as a node holds them: ``left``, ``right`` and ``rest``."""
    if len(inputs) == 1:
        return inputs[0], ABSENT, ()
    return (inputs[0], inputs[1], inputs[2:]) if inputs else (ABSENT, ABSENT, ())


class Handle:
    """What people hold: it looks at a node, and may come to look at another.

    An alias is the same handle.  Whatever is computed from it refers to the node,
    so that a graph never changes under those who look at it.  `Value` is the handle
    with operators; rules and sweeps know no more than this base.
    """

    __slots__ = ("node",)

    node: Node

    is_exclusive: ClassVar[bool] = False
    """Whether nobody else has seen its array, so that a write may change it."""

    exclusive: ClassVar[Any]
    """The class of such a handle."""

    apply: ClassVar[Any]
    """Applies a primitive to inputs of which one is such a handle: `primitive.apply`."""


get_node: Any = Handle.__dict__["node"].__get__
set_node: Any = Handle.__dict__["node"].__set__
"""The slot itself, for subclasses that hide it behind a property."""


def operand_of(x: Any) -> Operand:
    """What a graph holds of a handle, its node; anything else as it is."""
    return x.node if isinstance(x, Handle) else x


def data_of(operand: Operand) -> Any:
    """The number or array of a node; anything else, a constant, as it is."""
    return operand.data if isinstance(operand, Node) else operand


def unwrap(x: Any) -> Any:
    """The number or array of a handle; anything else as it is."""
    return x.node.data if isinstance(x, Handle) else x


def holds_value(x: Any) -> bool:
    """Whether it is a handle, or nested lists and tuples with one inside."""
    stack = [x]
    while stack:
        part = stack.pop()
        if isinstance(part, Handle):
            return True
        if isinstance(part, (list, tuple)):
            stack.extend(part)
    return False
