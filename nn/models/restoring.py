"""What a computation that is tried changes of its own accord, put back: counters, caches, lists."""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.models.fingerprint import (
    MACHINERY,
    PACKAGES,
    is_fixed,
    is_installed,
    is_writable,
    names_in,
    package_of,
    slots_of,
)

__all__ = ["restorer"]

MOST_BYTES = 1 << 24
"""Larger arrays are data that computations read: a copy of them would take memory and time."""

UNTOUCHED = MACHINERY | PACKAGES | {"threading"}
"""Packages of whose instances no attribute is put back: another thread may be at work there."""

MISSING = object()

Restore = Callable[[], None]


def restorer(found: Iterable[Any]) -> Restore:
    """What puts back all that a fingerprint found, as far as it has changed since.

    Attributes of objects, elements of lists, dicts, sets and arrays, and the variables that
    functions have outside: a loss that counts how often it was called, when the call did not
    count.
    """
    things = {id(thing): thing for thing in found}
    restores = [restore for thing in things.values() for restore in restores_of(thing)]

    def restore_all() -> None:
        for restore in restores:
            restore()

    return restore_all


def restores_of(thing: Any) -> list[Restore]:
    """How parts of a thing are put back."""
    if isinstance(thing, types.FunctionType):
        return of_function(thing)
    if isinstance(thing, type | types.ModuleType | ag.Value):
        return of_class(thing) if isinstance(thing, type) else []
    if isinstance(thing, np.ndarray):
        return of_array(thing)
    found = [of(thing) for kinds, of in CONTAINERS.items() if isinstance(thing, kinds)]
    if package_of(type(thing).__module__) not in UNTOUCHED:
        attributes = getattr(thing, "__dict__", None)
        if isinstance(attributes, dict):
            found.append(of_dict(attributes))
        kind: Any = type(thing)
        found += [of_attribute(thing, name) for name in slots_of(kind)]
    return found


def of_function(function: types.FunctionType) -> list[Restore]:
    """Attributes, and variables of the functions around it and of its module."""
    if is_fixed(function.__module__) or is_installed(function.__module__):
        return []
    known = function.__globals__
    names, _ = names_in(function.__code__)
    cells = [of_attribute(cell, "cell_contents") for cell in function.__closure__ or ()]
    before = {name: known[name] for name in names if name in known}

    def restore() -> None:
        known.update({name: x for name, x in before.items() if known.get(name) is not x})

    return [of_dict(vars(function)), restore, *cells]


def of_class(kind: type) -> list[Restore]:
    """The attributes of a class of somebody's own."""
    if is_fixed(kind.__module__) or is_installed(kind.__module__):
        return []
    return [of_attribute(kind, name) for name in vars(kind) if name[:2] != "__"]


def of_attribute(thing: Any, name: str) -> Restore:
    """An attribute, unless it is missing."""
    before = look_up(thing, name)

    def restore() -> None:
        if before is not MISSING and look_up(thing, name) is not before:
            setattr(thing, name, before)

    return restore


def look_up(thing: Any, name: str) -> Any:
    """An attribute as it is stored, or MISSING."""
    try:
        return vars(thing)[name] if isinstance(thing, type) else getattr(thing, name)
    except (AttributeError, KeyError, ValueError):  # the last of a cell that is empty
        return MISSING


def of_dict(mapping: Any) -> Restore:
    """Keys and values."""
    before = dict(mapping)

    def restore() -> None:
        is_same = mapping.keys() == before.keys()
        if not is_same or any(mapping[name] is not x for name, x in before.items()):
            mapping.clear()
            mapping.update(before)

    return restore


def of_sequence(sequence: Any) -> Restore:
    """The elements of a list."""
    before = list(sequence)

    def restore() -> None:
        now = list(sequence)
        if len(now) != len(before) or any(x is not y for x, y in zip(now, before, strict=True)):
            sequence.clear()
            sequence.extend(before)

    return restore


def of_set(elements: Any) -> Restore:
    """The elements of a set."""
    before = set(elements)

    def restore() -> None:
        if elements != before:
            elements.clear()
            elements.update(before)

    return restore


def of_array(array: Any) -> list[Restore]:
    """The numbers of an array that can be written to."""
    if not array.flags.writeable or not is_writable(array) or array.nbytes > MOST_BYTES:
        return []
    before = array.copy()

    def restore() -> None:
        if array.dtype == object or array.tobytes() != before.tobytes():
            array[...] = before

    return [restore]


CONTAINERS: dict[Any, Callable[[Any], Restore]] = {
    dict: of_dict,
    (list, deque): of_sequence,
    set: of_set,
}
