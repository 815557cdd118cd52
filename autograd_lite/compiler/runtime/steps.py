"""What loops of an unknown number of steps leave, added up: what generated source calls."""

from __future__ import annotations

from typing import Any

__all__ = ["add_steps"]


def add_steps(x: Any, y: Any) -> Any:
    """The sum, step by step; no steps at all stand for zeros."""

    def add(x: Any, y: Any) -> Any:
        if not isinstance(x, (list, tuple)):
            return x + y
        return [add(a, b) for a, b in zip(x, y, strict=True)] if x and y else x or y

    return add(x, y)
