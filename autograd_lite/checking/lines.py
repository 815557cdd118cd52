"""A call that is given up once it has run too many lines, as one that would never come to an end.

Asked for another upstream gradient than it is made for, a solver may wait for a residual that
rounding does not let become so small.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = ["OutOfLines", "within_lines"]


class OutOfLines(BaseException):
    """Raised in a function that runs too many lines, past what it catches itself."""


def within_lines(most: int, call: Callable[[], Any]) -> Any:
    """What a call returns; raises `OutOfLines` once it has run more than ``most`` lines of Python.

    Debuggers and coverage, which watch lines too, are put back in their place afterwards.

    >>> from autograd_lite.checking.lines import within_lines
    >>> within_lines(100, lambda: sum([1, 2]))
    3
    """
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        if event == "line":
            count += 1
            if count > most:
                raise OutOfLines
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return call()
    finally:
        sys.settrace(before)
