"""The short way into a program: one function that takes a call of its signature apart.

`signature_of` finds the program for a call; most calls are like the one before
them, and to see that takes a straight line of comparisons.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.compiler.frontend.signature import is_variable

__all__ = ["Entry", "entry_of"]

Entry = Callable[[tuple[Any, ...], dict[str, Any]], list[Any] | None]


def entry_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Entry:
    """A function that gives the variable leaves of a call like this one, and None of any other."""
    writer = EntryWriter()
    writer.nesting("args", args)
    writer.nesting("kwargs", kwargs)
    names = writer.names
    exec(writer.text(), names)
    entry: Entry = names["entry"]
    return entry


class EntryWriter:
    """Writes the comparisons: containers as they are opened, all leaves together at the end."""

    def __init__(self) -> None:
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

    def nesting(self, name: str, tree: Any) -> None:
        """Open a tuple, list or dict, if it is like this one."""
        parts, unlike = name, f"len({name}) != {len(tree)}"
        if isinstance(tree, dict):
            parts, unlike = f"{name}.values()", f"tuple({name}) != {self.name_of(tuple(tree))}"
        kind = self.name_of(type(tree))
        self.lines.append(f"    if {name}.__class__ is not {kind} or {unlike}: return None")
        inner = [self.fresh() for _ in tree]
        if inner:
            self.lines.append(f"    {', '.join(inner)}, = {parts}")
        subtrees = tree.values() if isinstance(tree, dict) else tree
        for part, subtree in zip(inner, subtrees, strict=True):
            self.part(part, subtree)

    def part(self, name: str, tree: Any) -> None:
        if isinstance(tree, (tuple, list, dict)):
            self.nesting(name, tree)
        elif is_variable(tree):
            self.leaves.append(name)
            self.conditions.append(f"{name}.__class__ is {self.name_of(type(tree))}")
            if hasattr(tree, "shape") and not isinstance(tree, np.generic):
                dtype = self.name_of(tree.dtype)
                self.conditions.append(f"{name}.shape == {tree.shape} and {name}.dtype is {dtype}")
        elif tree is None or isinstance(tree, (bool, int, str, bytes)):
            kind = self.name_of(type(tree))
            self.conditions.append(f"{name}.__class__ is {kind} and {name} == {tree!r}")
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
