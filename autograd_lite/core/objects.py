"""Objects that a primitive of somebody's is called with: its rules may read what they hold.

They cannot be copied, as arrays and containers are.  So the arrays and numbers in them are
summed up when the primitive is called, and again when a sweep goes back through it: what
was changed in between is an error, not another gradient.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from autograd_lite.core.errors import InPlaceError
from autograd_lite.core.memory import checksum
from autograd_lite.core.node import Handle, Node, unwrap
from autograd_lite.core.tree import contents

__all__ = ["holders", "state_of", "states", "verify_objects", "watch_objects"]


states: WeakKeyDictionary[Node, int] = WeakKeyDictionary()
"""What the objects held that a primitive was called with, by the node of its result."""


def watch_objects(node: Node) -> None:
    """Note what the objects hold that the primitive of a node, and its rules, may read."""
    objects = objects_of(node)
    if objects:
        states[node] = state_of(objects)


def verify_objects(node: Node) -> None:
    """Refuse a sweep through a primitive that was called with objects that have changed since."""
    if state_of(objects_of(node)) != states[node]:
        names = " or ".join(sorted({type(x).__name__ for x in objects_of(node)}))
        raise InPlaceError(
            f"{node.primitive.name} was called with an object of type {names}, and a number or "
            "array in it was changed before the gradient went back; let the function return "
            "what its rules need as residuals (ag.primitive(residuals=True)), or pass copies"
        )


def objects_of(node: Node) -> list[Any]:
    """The objects that the primitive of a node was called with."""
    given = (*node.inputs, *node.parameters.values())
    return [x for x in given if not isinstance(x, Node) and is_object(x)]


def is_object(x: Any) -> bool:
    """Whether it is, or holds, an object with numbers that others may change."""
    return not all(part.__class__ is np.ndarray or is_container(part) for part in holders(x))


def is_container(x: Any) -> bool:
    return x.__class__ in (list, dict) or isinstance(x, tuple)


def holders(x: Any) -> list[Any]:
    """What holds arrays or numbers that can change, at any depth: arrays, containers, objects."""
    found, seen, stack = [], set(), [x]
    while stack:
        x = stack.pop()
        if isinstance(x, UNCHANGING) or id(x) in seen:
            continue
        seen.add(id(x))
        parts = [unwrap(x)] if isinstance(x, Handle) else list(contents(x))
        if parts or isinstance(x, np.ndarray):
            found.append(x)
        stack += parts
    return found


UNCHANGING = (float, int, complex, str, bytes, type(None), np.generic, np.dtype, slice)


def state_of(x: Any) -> int:
    """A number that changes when the arrays and numbers do that an object holds, at any depth."""
    state: list[Any] = []
    for part in holders(x):
        if isinstance(part, np.ndarray):
            state.append(checksum(part))
        else:
            # Whole numbers of objects may count their calls; those of containers are meant.
            numbers = (float, complex, int) if is_container(part) else (float, complex)
            state += [n for n in contents(part) if isinstance(n, numbers)]
    return hash(tuple(state))
