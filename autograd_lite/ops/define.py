"""How rules enter the registry; every file beside this one is a list of such entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_lite.primitive import Primitive, Rule, registry

__all__ = ["array_function", "composite", "constant", "ufunc"]


def ufunc(
    function: Any, *rules: Rule, forward: Any = None, singular: bool = True, **options: Any
) -> Primitive:
    """Register the rules of a function that works element by element and broadcasts.

    ``forward`` is Python's operator for it, where there is one: the same on
    arrays, and much faster on Python numbers.
    """
    primitive = Primitive(
        forward or function,
        *rules,
        name=function.__name__,
        broadcasts=True,
        singular=singular,
        **options,
    )
    registry[function] = primitive
    return primitive


def array_function(
    function: Any, *rules: Rule | None, forward: Any = None, **options: Any
) -> Primitive:
    """Register the rules of a function of whole arrays; arguments after them are static.

    ``forward`` takes its place where static arguments cannot be passed by keyword.
    """
    options.setdefault("arrays", len(rules))
    primitive = Primitive(forward or function, *rules, name=function.__name__, **options)
    registry[function] = primitive
    return primitive


def constant(*functions: Any) -> None:
    """Register functions whose results carry no gradient; they are recorded all the same."""
    for function in functions:
        registry[function] = Primitive(function, differentiable=False)


def composite(*functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function by what it is in terms of other functions: it needs no rule."""

    def register(definition: Callable[..., Any]) -> Callable[..., Any]:
        for function in functions:
            registry[function] = definition
        return definition

    return register
