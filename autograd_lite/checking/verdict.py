"""The verdicts of a check, and the exception that carries one up to the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Exhausted", "Finding", "Hint", "Verdict"]


class Verdict(StrEnum):
    """What a gradient check found; equal to its text.

    >>> from autograd_lite.checking import Verdict
    >>> Verdict.CORRECT == "correct"
    True
    """

    CORRECT = "correct"
    WRONG = "wrong derivative"
    KINK = "not differentiable here"
    NOISE = "cannot decide"
    BORDER = "at a border"
    NONFINITE = "NaN or infinity"
    RANDOM = "random function"
    MUTATED = "mutated argument"
    SHAPE = "wrong shape or dtype"
    VALUES = "another function on Values"


@dataclass(frozen=True)
class Hint:
    """What may have gone wrong: the kind of mistake in a word or two, and a sentence.

    >>> from autograd_lite.checking import Hint
    >>> print(Hint("sign", "the sign is wrong"))
    the sign is wrong
    """

    kind: str
    text: str

    def __str__(self) -> str:
        return self.text


class Finding(Exception):  # noqa: N818 - it ends a check, and is not an error of the checker
    """A check has come to its verdict early: there is no derivative to compare."""

    def __init__(self, verdict: Verdict, reason: str, hints: Sequence[Hint] = ()) -> None:
        super().__init__(reason)
        self.verdict = verdict
        self.reason = reason
        self.hints = list(hints)


class Exhausted(Finding):
    """No further value may be computed."""
