"""The nesting of results, as the expression that a program returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.compiler.frontend.recording import Place

__all__ = ["result_text"]


def result_text(result: Any, outputs: Sequence[str], literal: Callable[[Any], str]) -> str:
    """The nesting as Python text, with the texts of the outputs in their places.

    ``literal`` gives the text of an object that is neither an output nor a nesting.
    """

    def text_of(part: Any) -> str:
        if isinstance(part, Place):
            return outputs[part.index]
        kind = type(part)
        if isinstance(part, dict):
            pairs = [(literal(key), text_of(value)) for key, value in part.items()]
            if kind is dict:
                return "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
            return f"{literal(kind)}(({''.join(f'({key}, {value}), ' for key, value in pairs)}))"
        if not isinstance(part, (tuple, list)):
            return literal(part)
        parts = [text_of(x) for x in part]
        if kind is list:
            return f"[{', '.join(parts)}]"
        if kind is tuple:
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        if hasattr(part, "_fields"):
            return f"{literal(kind)}({', '.join(parts)})"
        return f"{literal(kind)}(({''.join(f'{x}, ' for x in parts)}))"

    return text_of(result)
