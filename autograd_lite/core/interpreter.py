"""What only some Pythons can tell, with what to do where they cannot."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["ONLY_HERE", "ONLY_THERE", "getrefcount", "watching_calls"]


def not_counted(x: Any) -> float:
    """What a Python says that keeps no count: NaN, which is not a number of references."""
    return math.nan


getrefcount: Callable[[Any], float] = getattr(sys, "getrefcount", not_counted)
"""How many refer to an object.  What nobody else has is written in the place of a copy.

Comparisons must be false, where nothing is counted, that would mean that nobody else has it."""


def count_references() -> tuple[float, float]:
    """What `getrefcount` says of what one local variable has, and of what one dictionary has."""
    alone = object()
    held = {0: object()}
    return getrefcount(alone), getrefcount(held[0])


ONLY_HERE, ONLY_THERE = count_references()


@contextmanager
def watching_calls(note: Callable[..., object]) -> Iterator[None]:
    """A block whose calls are told to a function; a profiler that was on goes on afterwards."""
    before: Any = sys.getprofile()
    sys.setprofile(note)
    try:
        yield
    finally:
        if before is None or callable(before):
            sys.setprofile(before)
        else:  # cProfile's before Python 3.12, which is not a function
            sys.setprofile(None)
            before.enable()
