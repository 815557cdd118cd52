"""What is wrong with a number that chooses a branch: what generated source calls."""

from __future__ import annotations

from typing import Any

from autograd_lite.core.errors import ArgumentValueError

__all__ = ["refuse_index"]


def refuse_index(index: Any, count: int) -> None:
    """Refuse a number that no branch has."""
    raise ArgumentValueError(
        f"switch: index is {index}, and there are {count} branches; pass 0 to {count - 1}"
    )
