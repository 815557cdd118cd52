"""Views: handles that look into the memory of another, as NumPy's views do.

Whether a result is a view, NumPy says: it shares memory with an operand.  A view
knows what it looks into, and how, and looks again when that has been written;
`in_place` does the writing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.core.errors import InPlaceError
from autograd_lite.core.memory import copied
from autograd_lite.core.node import Handle, Node, data_of, get_node, set_node, split_inputs
from autograd_lite.core.recorder import current, record, recording

__all__ = [
    "WITHOUT_AXES",
    "Look",
    "Looking",
    "is_all_or_part",
    "is_number",
    "is_view_of",
    "look_into",
    "looking_recorded",
    "root_of",
]


class Look(NamedTuple):
    """How a view looks into the memory of another handle.

    ``base`` is that handle, ``root`` the first one on the way that is not a view.  The
    view is the result of ``primitive`` on ``operands``, of which the one at ``place``
    is the base.
    """

    base: Handle
    root: Handle
    primitive: Any
    operands: tuple[Any, ...]
    place: int
    parameters: dict[str, Any]


new_look = partial(tuple.__new__, Look)


class Looking:
    """A view: the node of the handle is looked up anew when its memory has been written."""

    __slots__ = ()

    look: Look
    seen: Node
    """The node of the root that the view has looked at."""
    is_certain = True
    """Whether NumPy would give a view, too."""
    row: Any = None
    """The class of a view that is all of an array in one row."""

    def _node(self) -> Any:
        if get_node(self.look.root) is not self.seen:
            look_again(self)
        return get_node(self)

    node: Any = property(_node)


WITHOUT_AXES: Any = MappingProxyType({})
"""The parameters of a sample, in a batch, that NumPy has as an array without axes."""


def is_number(x: Any) -> bool:
    """Whether a handle holds a number, of Python's or NumPy's, and no array without axes."""
    node = x.node
    if isinstance(node.data, Handle):  # samples of a batch
        return not (node.shape or isinstance(x, Looking) or node.parameters is WITHOUT_AXES)
    return isinstance(node.data, (float, int, complex, np.generic))


def root_of(handle: Any) -> Any:
    """The handle whose memory this one looks into; itself if it is not a view."""
    return handle.look.root if isinstance(handle, Looking) else handle


def is_view_of(data: Any, operand: Any) -> bool:
    """Whether the result of an operation on an array looks into its memory."""
    base = getattr(data, "base", None)
    if base is None or type(operand) is not type(data):
        return False
    return base is operand or base is operand.base or bool(np.may_share_memory(data, operand))


def is_all_or_part(data: Any, operand: Any) -> bool:
    """The same, or whether it is the operand itself, as ``np.real(x)`` of real numbers is."""
    return data is operand or is_view_of(data, operand)


def look_into(
    value: Any, base: Handle, primitive: Any, operands: tuple[Any, ...], place: int, parameters: Any
) -> Any:
    """The view that a result is of one of its operands."""
    root = root_of(base)
    look = new_look((base, root, primitive, operands, place, parameters))
    return current.get().view(value.node, look, get_node(root))


def look_again(view: Any) -> None:
    """Let a view, and the views between it and what it looks into, show what is there now."""
    stale = []
    root = view.look.root
    while view is not root:
        stale.append(view)
        view = view.look.base
    seen = get_node(root)
    for view in reversed(stale):
        if view.seen is not seen:
            if not view.is_certain:
                raise InPlaceError(
                    f"{view.look.primitive.name} was taken of an array that was written since, and "
                    "under ag.vmap it is not known whether its result is a view, which would show "
                    "that; take it after the write, or copy it (x.copy())"
                )
            is_recorded = get_node(view).primitive is not None
            set_node(view, remade(view.look, is_recorded))
            view.seen = seen


@contextmanager
def looking_recorded(handle: Any) -> Iterator[None]:
    """A block in which a view taken under `no_grad` is one that a write can go back through."""
    silent: list[Any] = []
    while isinstance(handle, Looking):
        if not handle.node.requires_grad:
            silent.append(handle)
        handle = handle.look.base
    for view in reversed(silent):
        set_node(view, remade(view.look, True))
    try:
        yield
    finally:
        for view in reversed(silent):
            set_node(view, remade(view.look, False))
            view.seen = get_node(view.look.root)


def remade(look: Look, is_recording: bool) -> Node:
    """The node of a view of its base as that is now."""
    node = get_node(look.base)
    operands = (*look.operands[: look.place], node, *look.operands[look.place + 1 :])
    arrays = list(map(data_of, operands))
    is_of_batch = any(isinstance(x, Handle) for x in arrays)
    compute = look.primitive if is_of_batch else look.primitive.forward
    data = compute(*arrays, **look.parameters)
    if look.root.is_exclusive and look.base is look.root and is_all_or_part(data, node.data):
        is_writeable = data.flags.writeable
        data = copied(data)
        data.flags.writeable = is_writeable
    requires_grad = look.primitive.differentiable and any(
        isinstance(x, Node) and x.requires_grad for x in operands
    )
    with recording(is_recording):
        value = record(
            look.primitive, data, look.parameters, requires_grad, *split_inputs(operands)
        )
    made: Node = get_node(value)
    return made
