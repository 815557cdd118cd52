"""What a function captures from outside: globals, closures, defaults, attributes of ``self``.

A program has taken these in as constants.  They are remembered when it is made,
and compared at every call: numbers and objects by identity, writable arrays also
by a checksum of what they hold.
"""

from __future__ import annotations

import functools
import types
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.core.node import Handle
from autograd_lite.core.tree import flatten

__all__ = ["Captured", "contents", "names_in"]

ABSENT = object()
CALL = "__call__"
SKIPPED = (types.ModuleType, type, types.BuiltinFunctionType, np.ufunc)


@dataclass(frozen=True)
class Variable:
    """A name that a function reads from outside, and how it is read again."""

    name: str
    read: Callable[[], Any]


class Captured:
    """The variables that a function captures, as they were when it was traced."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.seen: set[int] = set()
        self.variables: list[tuple[Variable, Any]] = []
        self.add(function)
        self.nested = [
            (variable, value, leaves_of(value))
            for variable, value in self.variables
            if isinstance(value, (list, dict))
        ]
        self.arrays = [
            (variable.name, leaf, checksum(leaf))
            for variable, value in self.variables
            for leaf in leaves_of(value)
            if isinstance(leaf, np.ndarray) and is_writable(leaf)
        ]

    def add(self, function: Callable[..., Any]) -> None:
        """Remember also what another function reads, if it is numbers and functions only."""
        for variable in captured_variables(function, self.seen):
            self.variables.append((variable, variable.read()))

    @property
    def generators(self) -> list[np.random.Generator]:
        """The random generators among them."""
        leaves = (leaf for _, value in self.variables for leaf in leaves_of(value))
        return [leaf for leaf in leaves if isinstance(leaf, np.random.Generator)]

    def changed(self) -> str | None:
        """The name of a variable that is not what it was, and how it differs."""
        for variable, value in self.variables:
            now = variable.read()
            if now is not value and not same_number(now, value):
                return f"{variable.name!r} is another object"
        for variable, value, leaves in self.nested:
            now = leaves_of(value)
            if len(now) != len(leaves) or any(
                x is not y and not same_number(x, y) for x, y in zip(now, leaves, strict=True)
            ):
                return f"{variable.name!r} has other elements"
        for name, array, before in self.arrays:
            if checksum(array) != before:
                return f"the array {name!r} holds other numbers"
        return None


def same_number(x: Any, y: Any) -> bool:
    return isinstance(x, (int, float, complex, str)) and type(x) is type(y) and bool(x == y)


def leaves_of(value: Any) -> list[Any]:
    return flatten(value) if isinstance(value, (list, tuple, dict)) else [value]


def is_writable(array: Any) -> bool:
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return True
        array = array.base
    return False


def checksum(array: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")


def captured_variables(function: Any, seen: set[int]) -> Iterator[Variable]:
    """Walk from a function to all that it reads, through the functions that it calls."""
    if id(function) in seen or isinstance(function, SKIPPED):
        return
    seen.add(id(function))
    if isinstance(function, functools.partial):
        yield from captured_variables(function.func, seen)
        return
    if isinstance(function, types.MethodType):
        for variable in attributes(function.__self__, function.__func__.__code__):
            yield variable
            yield from captured_variables(variable.read(), seen)
        yield from captured_variables(function.__func__, seen)
        return
    if not isinstance(function, types.FunctionType):
        call = getattr(type(function), CALL, None)
        if isinstance(call, types.FunctionType) and not isinstance(function, Handle):
            yield from captured_variables(types.MethodType(call, function), seen)
        return
    for variable in read_by(function):
        value = variable.read()
        if value is ABSENT or isinstance(value, SKIPPED):
            continue
        yield variable
        if callable(value) and not isinstance(value, Handle):
            yield from captured_variables(value, seen)


def read_by(function: types.FunctionType) -> Iterator[Variable]:
    """The variables that one function reads: its closure, its defaults and globals."""
    cells = function.__closure__ or ()
    for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
        yield Variable(name, functools.partial(contents, cell))
    for index, _ in enumerate(function.__defaults__ or ()):
        yield Variable(f"default {index}", functools.partial(default, function, index))
    if (function.__module__ or "numpy").split(".")[0] in ("autograd_lite", "numpy"):
        return
    for name in sorted(names_in(function.__code__)):
        if name in function.__globals__:
            yield Variable(name, functools.partial(function.__globals__.get, name, ABSENT))


def attributes(thing: Any, code: types.CodeType) -> Iterator[Variable]:
    """The attributes of ``self`` that a method names."""
    owned = getattr(thing, "__dict__", {})
    for name in sorted(names_in(code)):
        if name in owned:
            yield Variable(f"self.{name}", functools.partial(owned.get, name, ABSENT))


def contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return ABSENT


def default(function: types.FunctionType, index: int) -> Any:
    defaults = function.__defaults__ or ()
    return defaults[index] if index < len(defaults) else ABSENT


def names_in(code: types.CodeType) -> set[str]:
    """The names of globals and attributes in a piece of code and in the code inside it."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= names_in(constant)
    return names
