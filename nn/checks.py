"""Checks of the numbers that people pass, in the same words everywhere."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

import autograd_lite as ag

__all__ = [
    "FRACTION",
    "NOT_NEGATIVE",
    "POSITIVE",
    "Range",
    "check_counts",
    "check_range",
    "check_size",
    "unmasked",
]

Range = tuple[str, Callable[[float], bool]]
"""What a number must be, in words and as a test."""

POSITIVE: Range = ("a positive number", lambda number: 0 < number < inf)
NOT_NEGATIVE: Range = ("a number that is not negative", lambda number: 0 <= number < inf)
FRACTION: Range = ("in [0, 1)", lambda number: 0 <= number < 1)


def check_range(owner: str, allowed: Range, **numbers: float) -> None:
    """Refuse numbers that are out of their range."""
    meaning, holds = allowed
    for name, number in numbers.items():
        try:
            is_allowed = bool(holds(number))
        except (TypeError, ValueError):  # it is no number at all, or several
            is_allowed = False
        if not is_allowed:
            raise ag.ArgumentValueError(f"{owner}: {name} is {number!r}; it must be {meaning}")


def unmasked(x: Any) -> Any:
    """The same without a mask, refused if it is a masked array of which something is masked."""
    if not isinstance(x, np.ma.MaskedArray):
        return x
    n_masked = int(np.sum(np.ma.getmaskarray(x)))
    if n_masked:
        raise ag.ArgumentTypeError(
            f"{n_masked} numbers of a masked array of shape {x.shape} are masked, and what is "
            "masked would be used; give x.filled(number), or leave these samples out"
        )
    return x.data


def check_size(owner: str, name: str, size: Any) -> int:
    """A number of features, checked to be a positive integer."""
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
        raise ag.ArgumentValueError(f"{owner}: {name} is {size!r}; it must be a positive integer")
    return int(size)


def check_counts(owner: str, **counts: Any) -> None:
    """Refuse numbers of epochs or samples that are not positive integers."""
    for name, count in counts.items():
        check_size(owner, name, count)
