"""Steps of loops on leaves: nestings are taken apart and put together, and results checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite.core.errors import ArgumentTypeError
from autograd_lite.core.node import unwrap
from autograd_lite.core.tree import flatten, flatten_like, unflatten
from autograd_lite.transforms.leaves import (
    as_type,
    check_alike,
    check_leaf,
    dtype_of,
    first_different,
    is_plain_number,
    named_leaves,
    names_of,
    takes_on,
    text_of_type,
)
from autograd_lite.transforms.sharing import Owners, owners_of

__all__ = ["Condition", "Step"]

Function = Callable[..., Any]


class Step:
    """One step on leaves: from those of the carry and of ``x`` to those of the carry and ``y``."""

    def __init__(self, f: Function, init: Any, xs: Any, what: str) -> None:
        self.f = f
        self.init = init
        self.xs = xs
        self.what = what
        self.name = getattr(f, "__name__", repr(f))
        self.carries = len(flatten(init))
        self.xs_leaves = [xs] if isinstance(xs, range) else flatten(xs)
        self.result: Any = None
        """The nesting of the ``y`` that was returned last."""
        self.is_first = True
        self.given: Owners = []
        self.returned: Owners = []
        """Whose memory the last step was given, and the carry that it returned lies in."""

    def __call__(self, leaves: Sequence[Any]) -> list[Any]:
        given = list(leaves[: self.carries])
        x_leaves = leaves[self.carries :]
        x = x_leaves[0] if isinstance(self.xs, range) else unflatten(self.xs, x_leaves)
        result = self.f(unflatten(self.init, given), x)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise ArgumentTypeError(
                f"{self.what}: {self.name} returned {type(result).__name__}; it must return a pair "
                "of the next carry and a result (return carry, None if there is none)"
            )
        carry, y = result
        self._check_nesting(carry)
        if not self.is_first:
            check_alike(f"{self.what}: {self.name} returned at one step", "y", y, self.result)
        self.result, self.is_first = y, False
        found = flatten_like(carry, self.init)
        self.given, self.returned = owners_of(leaves), owners_of(found)
        triples = zip(names_of(self.init, "carry"), given, found, strict=True)
        found = [self._checked(*triple) for triple in triples]
        for name, leaf in named_leaves(self.result, "y"):
            check_leaf(f"{self.what}: {self.name} returned a result of which", name, leaf)
        return [*found, *flatten(self.result)]

    def _check_nesting(self, carry: Any) -> None:
        wanted, found = names_of(self.init, "carry"), names_of(carry, "carry")
        if sorted(wanted) != sorted(found):
            raise ArgumentTypeError(
                f"{self.what}: {self.name} got a carry with the parts {', '.join(wanted)}, and "
                f"returned one with {', '.join(found)}; return a carry nested as it came"
            )
        different = first_different(carry, self.init, "carry")
        if different is not None:
            raise ArgumentTypeError(
                f"{self.what}: {self.name} returned {different} with other things besides its "
                "numbers (static fields, attributes) than it came with; carry them as numbers"
            )

    def _checked(self, name: str, before: Any, after: Any) -> Any:
        """A part of the carry, refused if it changes its type; a Python number may, at first."""
        check_leaf(f"{self.what}: {self.name} returned a carry of which", name, after)
        same_shape = np.shape(unwrap(before)) == np.shape(unwrap(after))
        is_kept = dtype_of(before) == dtype_of(after)
        is_lost = is_plain_number(after) and not is_plain_number(before)
        if is_lost:
            is_kept = takes_on(after, before)
        elif is_plain_number(before):
            is_kept = takes_on(before, after)
        if same_shape and is_kept:
            return as_type(after, unwrap(before)) if is_lost else after
        raise ArgumentTypeError(
            f"{self.what}: {name} was {text_of_type(before)}, and {self.name} returned "
            f"{text_of_type(after)} in its place; begin with a carry of that shape and dtype, or "
            f"convert what is returned (np.broadcast_to(y, shape), y.astype(dtype))"
        )


class Condition:
    """The condition of a loop on leaves."""

    def __init__(self, condition: Function, init: Any) -> None:
        self.condition = condition
        self.init = init

    def __call__(self, leaves: Sequence[Any]) -> list[Any]:
        found = self.condition(unflatten(self.init, leaves))
        check_leaf("while_loop", "the result of the condition", found)
        if np.shape(unwrap(found)):
            raise ArgumentTypeError(
                f"while_loop: the condition returned an array of shape {np.shape(unwrap(found))}, "
                "not a single number; reduce it (np.all, np.any)"
            )
        return [found]
