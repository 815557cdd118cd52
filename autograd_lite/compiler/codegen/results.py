"""The nesting of results, as the expression that a program returns."""

from __future__ import annotations

from typing import Any

from autograd_lite.compiler.frontend.recording import Place

__all__ = ["result_template"]


def result_template(result: Any, constant: Any) -> str:
    """The nesting as Python text with {0}, {1}, ... for the outputs.

    ``constant`` gives the text of an object that is neither an output nor a nesting.
    """
    if isinstance(result, Place):
        return f"{{{result.index}}}"
    if type(result) is tuple:
        parts = [result_template(part, constant) for part in result]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
    if type(result) is list:
        return f"[{', '.join(result_template(part, constant) for part in result)}]"
    if type(result) is dict:
        items = (
            f"{escaped(constant(key))}: {result_template(part, constant)}"
            for key, part in result.items()
        )
        return "{{" + ", ".join(items) + "}}"
    if isinstance(result, tuple) and hasattr(result, "_fields"):
        parts = [result_template(part, constant) for part in result]
        return f"{escaped(constant(type(result)))}({', '.join(parts)})"
    if isinstance(result, (tuple, list)):
        parts = [result_template(part, constant) for part in result]
        return f"{escaped(constant(type(result)))}(({''.join(part + ', ' for part in parts)}))"
    if isinstance(result, dict):
        items = (
            f"({escaped(constant(key))}, {result_template(part, constant)}), "
            for key, part in result.items()
        )
        return f"{escaped(constant(type(result)))}(({''.join(items)}))"
    return escaped(constant(result))


def escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
