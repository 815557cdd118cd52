"""Writes that were refused while functions are differentiated, so that no `except` hides one.

A program that catches such an error goes on with an array that NumPy would have written, to
another number.  What NumPy refuses as well, a program may catch as it likes.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from autograd_lite.core.errors import InPlaceError
from autograd_lite.core.node import Node

__all__ = ["Attempt", "differentiated", "forget", "refused_write", "refused_writes", "running"]

differentiated: set[Node] = set()
"""The arguments of all transforms whose functions are running, in whatever thread.

A result is asked whether it depends on one of them, so that threads do not meet here."""

running: list[Callable[..., object]] = []
"""The functions that transforms are calling, in whatever thread."""

refused_writes: list[InPlaceError] = []
"""What was refused while they run, oldest first."""


def refused_write(words: str) -> InPlaceError:
    """The error for a write that NumPy would carry out."""
    error = InPlaceError(words)
    if running:
        refused_writes.append(error)
    return error


def forget(error: BaseException | None) -> None:
    """What is done in another way now, and so was not lost."""
    refused_writes[:] = [x for x in refused_writes if x is not error]


class Attempt:
    """A block that may fail in any way; what follows does the same in another way then."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        forget(error)
        return isinstance(error, Exception)
