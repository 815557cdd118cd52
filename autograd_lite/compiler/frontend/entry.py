"""The short way into a program: one function that takes a call of its signature apart.

`signature_of` finds the program for a call; most calls are like the one before
them, and to see that takes a straight line of comparisons.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.compiler.frontend.signature import is_variable, kinds_of, static
from autograd_lite.core.tree import Parts, parts_of

__all__ = ["Entry", "entry_of"]

Entry = Callable[[tuple[Any, ...], dict[str, Any]], list[Any] | None]


def entry_of(args: tuple[Any, ...], kwargs: dict[str, Any], by_layout: bool = False) -> Entry:
    """A function that gives the variable leaves of a call like this one, and None of any other.

    ``by_layout``: arrays with other strides are others.
    """
    writer = EntryWriter(by_layout)
    writer.part("args", args)
    writer.part("kwargs", kwargs)
    names = writer.names
    exec(writer.text(), names)
    entry: Entry = names["entry"]
    return entry


class EntryWriter:
    """Writes the comparisons: containers as they are opened, all leaves together at the end."""

    def __init__(self, by_layout: bool) -> None:
        self.by_layout = by_layout
        self.names: dict[str, Any] = {}
        self.known: dict[int, str] = {}
        self.lines: list[str] = []
        self.conditions: list[str] = []
        self.leaves: list[str] = []
        self.count = 0

    def text(self) -> str:
        unlike = f"    if not ({' and '.join(self.conditions) or True}): return None"
        result = f"    return [{', '.join(self.leaves)}]"
        return "\n".join(["def entry(args, kwargs):", *self.lines, unlike, result])

    def nesting(self, name: str, tree: Any, parts: Parts) -> None:
        """Open a container, if it is like this one."""
        kind = type(tree)
        children, unlike = name, f"len({name}) != {len(parts.children)}"
        if kind is dict:
            children, unlike = f"{name}.values()", f"tuple({name}) != {self.name_of(tuple(tree))}"
        elif not (kind is list or (isinstance(tree, tuple) and not hasattr(tree, "__dict__"))):
            opened = self.fresh()
            keys, auxiliary = self.name_of(parts.keys), self.name_of(static(parts.auxiliary))
            children = f"{opened}.children"
            unlike = (
                f"({opened} := {self.name_of(parts_of)}({name})).keys != {keys} "
                f"or {self.name_of(static)}({opened}.auxiliary) != {auxiliary}"
            )
        if isinstance(tree, dict) and set(map(type, tree)) - {str}:
            kinds = f"{self.name_of(kinds_of)}({name}) != {self.name_of(kinds_of(tree))}"
            unlike = f"{unlike} or {kinds}"
        self.lines.append(
            f"    if {name}.__class__ is not {self.name_of(kind)} or {unlike}: return None"
        )
        inner = [self.fresh() for _ in parts.children]
        if inner:
            self.lines.append(f"    {', '.join(inner)}, = {children}")
        for part, subtree in zip(inner, parts.children, strict=True):
            self.part(part, subtree)

    def part(self, name: str, tree: Any) -> None:
        parts = parts_of(tree)
        if parts is not None:
            self.nesting(name, tree, parts)
        elif is_variable(tree):
            self.leaves.append(name)
            self.conditions.append(f"{name}.__class__ is {self.name_of(type(tree))}")
            if hasattr(tree, "shape") and not isinstance(tree, np.generic):
                dtype = self.name_of(tree.dtype)
                self.conditions.append(f"{name}.shape == {tree.shape} and {name}.dtype is {dtype}")
                if self.by_layout:
                    self.conditions.append(f"{name}.strides == {tree.strides}")
        elif tree is None or isinstance(tree, (bool, int, str, bytes)):
            kind = self.name_of(type(tree))
            is_plain = type(tree) in (bool, int, str, bytes, type(None))
            text = repr(tree) if is_plain else self.name_of(tree)
            self.conditions.append(f"{name}.__class__ is {kind} and {name} == {text}")
        else:
            self.conditions.append(f"{name} is {self.name_of(tree)}")

    def name_of(self, thing: Any) -> str:
        """A name for an object that the comparisons are with."""
        if id(thing) not in self.known:
            name = self.known[id(thing)] = self.fresh()
            self.names[name] = thing
        return self.known[id(thing)]

    def fresh(self) -> str:
        self.count += 1
        return f"x{self.count}"
