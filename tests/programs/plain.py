"""What loops, branches and batches stand for: Python's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite.core.tree import flatten, unflatten

__all__ = ["PLAIN"]

Function = Callable[..., Any]


class Plain:
    """The package, as programs on plain arrays see it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(ag, name)

    def scan(self, f: Function, carry: Any, xs: Any, reverse: bool = False, **_: Any) -> Any:
        rows = [None] * len(xs)
        for i in range(len(xs))[:: -1 if reverse else 1]:
            carry, rows[i] = f(carry, xs[i])
        columns = zip(*map(flatten, rows), strict=True)
        return carry, unflatten(rows[0], [np.stack(column) for column in columns])

    def fori(self, lower: int, upper: int, f: Function, value: Any) -> Any:
        for i in range(lower, upper):
            value = f(i, value)
        return value

    def while_loop(self, condition: Function, f: Function, value: Any) -> Any:
        while condition(value):
            value = f(value)
        return value

    def cond(self, predicate: Any, f: Function, g: Function, *operands: Any) -> Any:
        return f(*operands) if predicate else g(*operands)

    def switch(self, index: Any, branches: Sequence[Function], *operands: Any) -> Any:
        return branches[index](*operands)

    def map(self, f: Function, xs: Any) -> Any:
        return np.stack([f(x) for x in xs])

    def vmap(self, f: Function) -> Function:
        """Of arrays that are the function's own: what it writes to them, is its own."""
        return lambda xs: self.map(f, np.copy(xs))


PLAIN = Plain()
