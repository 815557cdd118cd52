"""Signatures: what calls have in common that one program can serve."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.core.duck_arrays import is_device_array
from autograd_lite.core.node import Handle
from autograd_lite.core.tree import unflatten

__all__ = ["Arguments", "Leaf", "is_variable", "signature_of"]


def is_variable(leaf: Any) -> bool:
    """Whether an argument varies from call to call: arrays and inexact numbers do."""
    if isinstance(leaf, np.ndarray | np.generic) or is_device_array(leaf):
        return bool(leaf.dtype.kind in "fciub")
    return isinstance(leaf, float | complex)


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
        describe(args, leaves, key)
        if kwargs:
            key.append(tuple(kwargs))
            describe(kwargs.values(), leaves, key)
    except ValueFoundError:
        return leaves, None
    return leaves, tuple(key)


def describe(trees: Iterable[Any], leaves: list[Any], key: list[Any]) -> None:
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
            describe(tree, leaves, key)
        elif isinstance(tree, dict):
            key.append(kind)
            key.append(tuple(tree))
            describe(tree.values(), leaves, key)
        elif is_variable(tree):
            leaves.append(tree)
            key.append((kind, tree.shape, tree.dtype) if hasattr(tree, "dtype") else kind)
        elif isinstance(tree, Handle):
            raise ValueFoundError
        else:
            key.append((kind, static(tree)))


def static(leaf: Any) -> Any:
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


@dataclass(frozen=True)
class Leaf:
    """One leaf of the arguments of a call."""

    argument: int | str
    """The position or the keyword of the argument that it is of."""
    argument_name: str
    name: str
    """What people call it: the argument's name, followed by the path in its nesting."""
    expression: str
    """How it is taken out of the argument: ``state['w'][0]``."""
    value: Any

    @property
    def is_variable(self) -> bool:
        """Whether it varies from call to call: arrays and inexact numbers do."""
        return is_variable(self.value)


class Arguments:
    """The arguments of one call, taken apart once for all that is made of them."""

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.args = args
        self.kwargs = kwargs
        named = zip(argument_names(function, len(args)), args, strict=True)
        places: list[tuple[int | str, str, Any]]
        places = [(index, *argument) for index, argument in enumerate(named)]
        places += [(name, name, tree) for name, tree in kwargs.items()]
        self.leaves = [
            Leaf(place, name, *leaf)
            for place, name, tree in places
            for leaf in walk(name, name, tree)
        ]
        self.variables = [leaf for leaf in self.leaves if leaf.is_variable]

    def nest(self, leaves: Iterable[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Other leaves in the nesting of these arguments."""
        nested: tuple[tuple[Any, ...], dict[str, Any]] = unflatten((self.args, self.kwargs), leaves)
        return nested


def argument_names(function: Callable[..., Any], count: int) -> Iterator[str]:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    named = [p.name for p in parameters if p.kind in positional]
    for index in range(count):
        yield named[index] if index < len(named) else f"argument_{index}"


def walk(name: str, expression: str, tree: Any) -> Iterator[tuple[str, str, Any]]:
    """Name, expression and value of each leaf, in the order of `tree.flatten`."""
    if isinstance(tree, dict):
        for key, part in tree.items():
            yield from walk(f"{name}_{key}", f"{expression}[{key!r}]", part)
    elif isinstance(tree, (list, tuple)):
        fields = getattr(tree, "_fields", range(len(tree)))
        for index, (field, part) in enumerate(zip(fields, tree, strict=True)):
            yield from walk(f"{name}_{field}", f"{expression}[{index}]", part)
    elif tree is not None:
        yield name, expression, tree
