"""Signatures: what calls have in common that one program can serve."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.core.duck_arrays import is_device_array
from autograd_lite.core.node import Handle
from autograd_lite.core.tree import parts_of, unflatten

__all__ = [
    "Arguments",
    "Leaf",
    "described",
    "first_change",
    "is_variable",
    "kinds_of",
    "signature_of",
    "static",
    "strides_of",
]


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


def strides_of(x: Any) -> Any:
    """How an array lies in memory: by it NumPy says whether ``reshape`` gives a view or a copy."""
    return getattr(x, "strides", None)


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
        elif is_variable(tree):
            leaves.append(tree)
            key.append((kind, tree.shape, tree.dtype) if hasattr(tree, "dtype") else kind)
        elif isinstance(tree, Handle):
            raise ValueFoundError
        elif (parts := parts_of(tree)) is not None:
            key.append(kind)
            key.append(tuple(parts.keys))
            if isinstance(tree, dict):
                key.append(kinds_of(tree))
            key.append(static(parts.auxiliary))
            describe(parts.children, leaves, key)
        else:
            key.append((kind, static(tree)))


def kinds_of(keys: Iterable[Any]) -> tuple[type, ...]:
    """What the keys of a dict are, apart from being equal: 1, 1.0 and True are one key there."""
    return tuple(map(type, keys))


def static(leaf: Any) -> Any:
    """A static argument: by its value if it is plain and never changes, else by its identity."""
    if leaf is None or isinstance(leaf, (bool, int, str, bytes)):
        return leaf
    if leaf.__class__ is tuple:
        return tuple((part.__class__, static(part)) for part in leaf)
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
    expression: str | None
    """How it is taken out of the argument, ``state['w'][0]``; None if Python has no way."""
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
        self.names = [name for _, name, _ in places]
        self.leaves = [
            Leaf(place, name, *leaf)
            for place, name, tree in places
            for leaf in walk(name, name, tree)
        ]
        self.variables = [leaf for leaf in self.leaves if leaf.is_variable]
        self.static = [leaf.value for leaf in self.leaves if not leaf.is_variable]
        self.static += auxiliaries((args, kwargs))

    def nest(self, leaves: Iterable[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Other leaves in the nesting of these arguments."""
        nested: tuple[tuple[Any, ...], dict[str, Any]] = unflatten((self.args, self.kwargs), leaves)
        return nested


def described(arguments: Arguments, by_layout: bool) -> dict[str, str]:
    """What of each argument a program is made for, by the argument's name."""
    texts: dict[str, list[str]] = {name: [] for name in arguments.names}
    for leaf in arguments.leaves:
        text = leaf.name[len(leaf.argument_name) :] + shown(leaf.value)
        if by_layout and strides_of(leaf.value):
            text += f" with strides {strides_of(leaf.value)}"
        texts[leaf.argument_name].append(text)
    return {name: ", ".join(parts) for name, parts in texts.items()}


def shown(x: Any) -> str:
    """The shape and dtype of an array, the type of an inexact number, a static argument itself."""
    if isinstance(x, np.ndarray | np.generic) or is_device_array(x):
        return f"{x.dtype}{list(x.shape)}"
    if is_variable(x):
        return type(x).__name__
    return repr(x) if isinstance(x, bool | int | str | bytes) else object.__repr__(x)


def first_change(before: dict[str, str], now: dict[str, str]) -> tuple[str, str]:
    """The name of the first argument that another program was made for, and how it differs."""
    for name in {**before, **now}:
        if before.get(name) != now.get(name):
            was, becomes = (short(x.get(name, "missing")) for x in (before, now))
            return name, f"{name} was {was} and is {becomes}"
    return "", "the nesting or an object among the arguments is another one"


def short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def auxiliaries(tree: Any) -> Iterator[Any]:
    """What else belongs to the containers of a nesting."""
    parts = parts_of(tree)
    if parts is not None:
        if parts.auxiliary is not None:
            yield parts.auxiliary
        for child in parts.children:
            yield from auxiliaries(child)


def argument_names(function: Callable[..., Any], count: int) -> Iterator[str]:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    named = [p.name for p in parameters if p.kind in positional]
    for index in range(count):
        yield named[index] if index < len(named) else f"argument_{index}"


def walk(name: str, expression: str | None, tree: Any) -> Iterator[tuple[str, str | None, Any]]:
    """Name, expression and value of each leaf, in the order of `tree.flatten`."""
    parts = parts_of(tree)
    if parts is None:
        if tree is not None:
            yield name, expression, tree
        return
    for key, part in zip(parts.keys, parts.children, strict=True):
        if expression is None or parts.step is None:
            step = None
        else:
            step = expression + parts.step.format(key)
        yield from walk(f"{name}_{key}", step, part)
