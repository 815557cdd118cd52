"""Generators of random numbers that a function could draw from behind the recorder's back.

A function that is called once for many samples would draw once where it should for each.
So the states of the generators that it can reach are compared with what they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import CellType, CodeType, FunctionType
from typing import Any

import numpy as np

from autograd_lite.core.errors import UnsupportedError

__all__ = ["Generators"]


class Generators:
    """The generators among some objects and in what a function captures, and NumPy's own."""

    def __init__(self, function: Callable[..., Any], arguments: Iterable[Any]) -> None:
        self.names_random = False
        """Whether the function could draw from the global generator: its state is slow to read."""
        found = [*self._captured(function), *arguments]
        self.states = {
            id(rng): (rng, rng.bit_generator.state)
            for rng in found
            if isinstance(rng, np.random.Generator)
        }
        self.legacy = self._legacy_state()

    def _captured(self, function: Any) -> Iterator[Any]:
        """What a function, and the functions that it captures, find in closures and modules."""
        stack = [function]
        seen: set[int] = set()
        while stack and len(seen) < MOST_FUNCTIONS:
            function = stack.pop()
            while hasattr(function, "__wrapped__") and id(function) not in seen:
                seen.add(id(function))
                function = function.__wrapped__
            if id(function) in seen or not isinstance(function, FunctionType):
                continue
            seen.add(id(function))
            found = [x for cell in function.__closure__ or () for x in contents(cell)]
            for code in codes(function.__code__):
                self.names_random = self.names_random or "random" in code.co_names
                found += [function.__globals__.get(name) for name in code.co_names]
            stack += [x for x in found if callable(x)]
            yield from found

    def _legacy_state(self) -> Any:
        if not self.names_random:
            return None
        state: Any = np.random.get_state()
        return state[1].tobytes(), state[2:]

    @contextmanager
    def noting(self, rng: np.random.Generator) -> Iterator[None]:
        """A block in which a generator moves on as it should."""
        self._check_states()
        yield
        if id(rng) in self.states:
            self.states[id(rng)] = (rng, rng.bit_generator.state)

    def check(self) -> None:
        """Refuse draws that nobody noted."""
        self._check_states()
        if self.legacy != self._legacy_state():
            self._refuse()

    def _check_states(self) -> None:
        for rng, state in self.states.values():
            if repr(rng.bit_generator.state) != repr(state):
                self._refuse()

    def _refuse(self) -> None:
        raise UnsupportedError(
            "vmap: the function draws random numbers from NumPy itself, once where it should for "
            "each sample; draw with a generator by ag.random, as in ag.random.normal(rng, size=n), "
            "which gives each sample its own"
        )


def codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function, and of those that are written inside of it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def contents(cell: CellType) -> list[Any]:
    """What a variable of a closure holds, if it holds anything yet."""
    try:
        return [cell.cell_contents]
    except ValueError:
        return []


MOST_FUNCTIONS = 30
