"""Signatures: what calls have in common that one program can serve."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from autograd_lite.compiler.frontend.recording import is_variable
from autograd_lite.core.node import Handle

__all__ = ["leaf_expressions", "leaf_names", "signature_of"]


class ValueFoundError(Exception):
    """There is a Value among the arguments of a call."""


def signature_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], Any]:
    """The variable leaves of a call, and a key for all the rest.

    The key holds the nesting, the shape and dtype of every array, the type of
    every inexact number, and static arguments: integers, strings and the like
    by their value, other objects by their identity.  It is None if there is a
    Value among the arguments, whose graph a program would cut off.
    """
    leaves: list[Any] = []
    key: list[Any] = []
    try:
        _describe(args, leaves, key)
        if kwargs:
            key.append(tuple(kwargs))
            _describe(kwargs.values(), leaves, key)
    except ValueFoundError:
        return leaves, None
    return leaves, tuple(key)


def _describe(trees: Iterable[Any], leaves: list[Any], key: list[Any]) -> None:
    for tree in trees:
        kind = tree.__class__
        if kind is np.ndarray and tree.dtype.kind in "fciub":
            leaves.append(tree)
            key.append(tree.shape)
            key.append(tree.dtype)
        elif kind is float or kind is complex:
            leaves.append(tree)
            key.append(kind)
        elif isinstance(tree, (tuple, list)):
            key.append(kind)
            key.append(len(tree))
            _describe(tree, leaves, key)
        elif isinstance(tree, dict):
            key.append(kind)
            key.append(tuple(tree))
            _describe(tree.values(), leaves, key)
        elif is_variable(tree):
            leaves.append(tree)
            key.append((kind, tree.shape, tree.dtype) if hasattr(tree, "dtype") else kind)
        elif isinstance(tree, Handle):
            raise ValueFoundError
        else:
            key.append((kind, _static(tree)))


def _static(leaf: Any) -> Any:
    """A static argument: by its value if it is plain and never changes, else by its identity."""
    if leaf is None or isinstance(leaf, (bool, int, str, bytes)):
        return leaf
    return Identity(leaf)


class Identity:
    """Equal only to the same object, which it keeps alive."""

    __slots__ = ("thing",)

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and self.thing is other.thing


def leaf_names(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[str]:
    """Names for all leaves of a call: the argument's, followed by the path in its nesting."""
    names = list(argument_names(function, len(args)))
    found: list[str] = []
    for name, tree in zip(names, args, strict=True):
        found.extend(_paths(name, tree))
    for name, tree in kwargs.items():
        found.extend(_paths(name, tree))
    return found


def argument_names(function: Callable[..., Any], count: int) -> Iterator[str]:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    named = [p.name for p in parameters if p.kind in positional]
    for index in range(count):
        yield named[index] if index < len(named) else f"argument_{index}"


def _paths(name: str, tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        for key, part in tree.items():
            yield from _paths(f"{name}_{key}", part)
    elif isinstance(tree, (list, tuple)):
        fields = getattr(tree, "_fields", range(len(tree)))
        for key, part in zip(fields, tree, strict=True):
            yield from _paths(f"{name}_{key}", part)
    elif tree is not None:
        yield name


def leaf_expressions(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[tuple[str, str]]:
    """For each variable leaf of a call its argument's name, and how it is taken out of it."""
    named = [*zip(argument_names(function, len(args)), args, strict=True), *kwargs.items()]
    return [(name, path) for name, tree in named for path in _expressions(name, tree)]


def _expressions(path: str, tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        for key, part in tree.items():
            yield from _expressions(f"{path}[{key!r}]", part)
    elif isinstance(tree, (list, tuple)):
        for index, part in enumerate(tree):
            yield from _expressions(f"{path}[{index}]", part)
    elif is_variable(tree):
        yield path
