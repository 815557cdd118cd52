"""Ctrl-C, deferred while something is done that must not be left half done."""

from __future__ import annotations

import signal
import threading
from typing import Any, Self

__all__ = ["DeferredInterrupt"]


class DeferredInterrupt:
    """A block in which Ctrl-C waits for the end of inner blocks marked by `deferring`.

    A second Ctrl-C does not wait.  The user's own handlers are left alone, and
    other threads never get a Ctrl-C.
    """

    def __init__(self) -> None:
        self.is_busy = self.was_pressed = self.is_installed = False

    def __enter__(self) -> Self:
        self.is_busy = self.was_pressed = self.is_installed = False
        is_default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if is_default and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._press)
            self.is_installed = True
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_installed:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _press(self, *_: Any) -> None:
        if not self.is_busy or self.was_pressed:
            raise KeyboardInterrupt
        self.was_pressed = True

    def deferring(self) -> Deferring:
        """A block that is run to its end before Ctrl-C is obeyed."""
        return Deferring(self)


class Deferring:
    """An inner block; one made from a generator takes longer, and each batch has one."""

    __slots__ = ("interrupt",)

    def __init__(self, interrupt: DeferredInterrupt) -> None:
        self.interrupt = interrupt

    def __enter__(self) -> None:
        self.interrupt.is_busy = True

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.interrupt.is_busy = False
        if self.interrupt.was_pressed and kind is None:
            raise KeyboardInterrupt
