"""The verdicts of a check, and the exception that carries one up to the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from traceback import extract_tb

__all__ = ["Exhausted", "Finding", "Hint", "Verdict", "described"]


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


def described(error: Exception) -> str:
    """An exception of the user's code in a few words: its type, its message, and which line."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    frames = extract_tb(error.__traceback__)
    return f"{text} (line {frames[-1].lineno} of {Path(frames[-1].filename).name})"
