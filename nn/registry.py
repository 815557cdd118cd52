"""Registry: functions or classes by name, each registered where it is defined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import autograd_lite as ag

__all__ = ["Registry"]

Thing = TypeVar("Thing", bound=Callable[..., Any])


class Registry(dict[str, Callable[..., Any]]):
    """A dict of what is known by its name."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def register(self, thing: Thing) -> Thing:
        """Make something known by its name; a decorator."""
        self[thing.__name__] = thing
        return thing

    def find(self, given: str | Callable[..., Any]) -> Callable[..., Any]:
        """The one of that name, in capitals or not; a function is returned as it is."""
        if not isinstance(given, str):
            if not callable(given):
                raise ag.ArgumentTypeError(
                    f"{given!r} is no {self.kind}, nor the name of one; use one of "
                    f"{', '.join(self)}, or pass a function"
                )
            if isinstance(given, type):
                raise ag.ArgumentTypeError(
                    f"{given.__name__} is a class, and no {self.kind}; make an object of it, "
                    f"{given.__name__}(...), or pass a function"
                )
            return given
        given = given if given in self else given.lower()
        if given not in self:
            raise ag.ArgumentValueError(
                f"there is no {self.kind} {given!r}; "
                f"use one of {', '.join(self)}, or pass a function"
            )
        return self[given]
