"""What is to be drawn: a recorded Value, or a function or module that is run once to see."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from autograd_lite.core import tree
from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError
from autograd_lite.core.node import Node
from autograd_lite.core.tree import flatten, parts_of
from autograd_lite.core.value import Value
from autograd_lite.drawing.backpropagation import backpropagation_from
from autograd_lite.drawing.collect import Graph, recorded_graph
from autograd_lite.drawing.formatting import shorten
from autograd_lite.drawing.languages import word
from autograd_lite.drawing.provenance import (
    SourceLines,
    is_module,
    names_in,
    parameter_names,
    parameters_in,
)

__all__ = ["Subject", "find_subject"]


@dataclass(frozen=True)
class Subject:
    """A recorded graph, and all that is known of it."""

    title: str
    graph: Graph
    names: dict[int, str]
    gradients: dict[Node, Any] = field(repr=False)
    lines: SourceLines
    parameters: frozenset[int]
    """The parameters of modules among the leaves, by serial number."""


def find_subject(
    target: Any, args: Sequence[Any], lines: SourceLines | None, frame: FrameType
) -> Subject:
    """The graph of a Value; or of a function or module, which is called once on ``args``."""
    require_drawable(target, args)
    return (
        from_value(target, lines, frame) if isinstance(target, Value) else from_call(target, args)
    )


def from_value(value: Value, lines: SourceLines | None, frame: FrameType) -> Subject:
    """A graph that is already there; names come from the local variables of a frame."""
    root = value.node
    graph = recorded_graph([root])
    lines = lines or SourceLines()
    known = names_in(frame.f_locals)
    gradients = {node: node.grad for node in graph.nodes if node.grad is not None}
    title = root.label or known.get(root.serial) or word("graph_title")
    names = names_of(graph, lines, known)
    parameters = lines.parameters() | parameters_in(frame.f_locals)
    return Subject(shorten(title), graph, names, gradients, lines, parameters)


def from_call(function: Callable[..., Any], args: Sequence[Any]) -> Subject:
    """Call a function or module on Values of its own, and sweep back if it gives a number."""
    title = getattr(function, "__name__", type(function).__name__)
    known: dict[int, str] = {}
    called = [
        as_values(argument, name, known)
        for argument, name in zip(args, argument_names(function, len(args)), strict=True)
    ]
    with SourceLines() as lines:
        result = function(*called)
    roots = [x.node for x in flatten(result) if isinstance(x, Value)]
    if not roots:
        raise ArgumentValueError(
            f"draw: {title} returned {type(result).__name__}, which no Value was recorded for; "
            "return what is computed from the arguments"
        )
    graph = recorded_graph(roots)
    sweep = backpropagation_from(roots[0]) if len(roots) == 1 else None
    gradients = {} if sweep is None else sweep.gradients
    names = names_of(graph, lines, known)
    return Subject(shorten(title), graph, names, gradients, lines, lines.parameters())


def names_of(graph: Graph, lines: SourceLines, known: dict[int, str]) -> dict[int, str]:
    """Names by serial number: a label first, then a parameter's name, then a variable's.

    Where a label is but the last part of the parameter's name, the full name says more.
    """
    names = lines.names | known
    for path, call in reversed(lines.calls.items()):
        if len(path) == 1:
            names |= parameter_names(call.module)
    for x in graph.nodes:
        if x.label is not None and not names.get(x.serial, "").endswith(f".{x.label}"):
            names[x.serial] = x.label
    return names


def argument_names(function: Callable[..., Any], count: int) -> list[str]:
    """The names of the positional arguments, as far as Python can tell them."""
    target = getattr(function, "forward", function) if is_module(function) else function
    try:
        parameters = list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "argument")
    several = count - len(names) > 1
    names += [f"{rest}[{index}]" if several else rest for index in range(count - len(names))]
    return names[:count]


def as_values(argument: Any, name: str, known: dict[int, str]) -> Any:
    """The argument with Values for its numbers; labels and indices stay as they are."""
    names = iter(list(leaf_names(argument, name)))

    def wrap(leaf: Any) -> Any:
        called = next(names)
        if not isinstance(leaf, Value):
            if not varies(leaf):
                return leaf
            leaf = Value(leaf)
        known[leaf.node.serial] = called
        return leaf

    return tree.map(wrap, argument)


def leaf_names(argument: Any, name: str) -> Iterator[str]:
    """How Python calls the leaves of an argument: ``p['w'][0]``."""
    parts = parts_of(argument)
    if parts is None:
        yield name
        return
    for key, child in zip(parts.keys, parts.children, strict=True):
        yield from leaf_names(child, name + (parts.step or "[{!r}]").format(key))


def varies(leaf: Any) -> bool:
    """Whether an argument is a number, or an array of anything but integers."""
    if isinstance(leaf, (np.ndarray, np.generic)):
        return leaf.dtype.kind in "fc"
    return isinstance(leaf, (float, int, complex)) and not isinstance(leaf, bool)


def require_drawable(target: Any, args: Sequence[Any]) -> None:
    """Refuse what cannot be drawn, and say what to pass instead."""
    if isinstance(target, Value):
        if args:
            raise ArgumentTypeError(
                "draw: a Value takes no example arguments, it has been computed already; "
                "pass the function to draw it for other arguments"
            )
    elif not callable(target):
        raise ArgumentTypeError(
            f"draw: the target is {type(target).__name__}; pass a Value that was computed, "
            "or a function or module and example arguments"
        )
    elif is_module(target) and not args:
        raise ArgumentTypeError(
            f"draw: the module {type(target).__name__} needs an example input to be run once; "
            "write ag.draw(model, x)"
        )
