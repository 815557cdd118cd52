"""What an exercise is: the name that an answer has, a task, and a check that says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd_lite as ag


class NotYetError(Exception):
    """An answer that is not right; its text says in what, and not what would be."""


@dataclass(frozen=True)
class Exercise:
    """A task of a chapter, ``"5.3"``, or of a workshop, ``"framework.2"``."""

    number: str
    call: str
    """How the answer is called: ``"xor(x)"``."""
    task: str
    check: Callable[[Any], None]
    """Raises `NotYetError`, or whatever an answer raises that does not work."""

    @property
    def name(self) -> str:
        """What the answer is called, without its arguments."""
        return self.call.partition("(")[0]

    @property
    def chapter(self) -> str:
        """The chapter or workshop that it belongs to."""
        return self.number.partition(".")[0]


EXERCISES: dict[str, Exercise] = {}
"""All of them, in the order of the course."""


def exercise(number: str, call: str, task: str) -> Callable[[Callable[[Any], None]], Any]:
    """Make a check known by the number of its exercise."""

    def register(check: Callable[[Any], None]) -> Callable[[Any], None]:
        EXERCISES[number] = Exercise(number, call, task, check)
        return check

    return register


# What checks are made of.


def same(got: Any, wanted: Any, of: str, tolerance: float = 1e-9) -> None:
    """``got`` has the shape and, but for rounding, the numbers of ``wanted``."""
    if got is None:
        raise NotYetError(f"{of}: nothing came back; is there a return?")
    try:
        found, right = np.asarray(got, dtype=float), np.asarray(wanted, dtype=float)
    except (TypeError, ValueError):
        raise NotYetError(f"{of}: {got!r} is not made of numbers") from None
    if found.shape != right.shape:
        raise NotYetError(f"{of}: the shape is {found.shape}, and should be {right.shape}")
    off = np.abs(found - right) > tolerance * (1 + np.abs(right))
    if np.any(off | np.isnan(found)):
        raise NotYetError(f"{of}: {count(off | np.isnan(found))}{guess(found, right)}")


def count(off: Any) -> str:
    """How many of the numbers are wrong."""
    return f"{int(np.sum(off))} of {off.size} numbers are wrong" if off.size > 1 else "wrong"


def guess(found: Any, right: Any) -> str:
    """The usual slips, where one of them explains all numbers."""
    for factor, hint in ((-1.0, "the sign"), (2.0, "a factor of 2"), (0.5, "a factor of ½")):
        if np.any(right) and np.allclose(found, factor * right):
            return f"; look at {hint}"
    return ""


def is_true(condition: Any, otherwise: str) -> None:
    """It holds, or the answer is not right for this reason."""
    if not condition:
        raise NotYetError(otherwise)


def is_gradient(answer: Any, function: Any, *points: Any) -> None:
    """``answer`` is the gradient of ``function``, as measured at a point of all its arguments."""
    found = answer(*points)  # what it raises is told as it is; to gradcheck it would be a finding
    is_true(found is not None, "nothing came back; is there a return?")
    if len(points) == 1 and not isinstance(found, (tuple, list)):
        shapes = np.shape(found), np.shape(points[0])
        is_true(shapes[0] == shapes[1], f"the shape is {shapes[0]}, and should be {shapes[1]}")
    report = ag.gradcheck(function, *points, gradient=answer, raise_error=False)
    if not report:
        hint = f"; {report.hints[0]}" if report.hints else ""
        raise NotYetError(f"{report.verdict}{hint}")
