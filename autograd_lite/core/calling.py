"""Calls of functions of others, which may write into what they get, keep what they give, refuse."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import combinations
from types import FrameType, NoneType
from typing import Any

import numpy as np

from autograd_lite.core.errors import ArgumentTypeError, UnsupportedError
from autograd_lite.core.interpreter import getrefcount
from autograd_lite.core.memory import copied, read_only
from autograd_lite.core.node import Handle, Node, holds_value
from autograd_lite.core.recorder import current
from autograd_lite.core.refusals import refused_write
from autograd_lite.core.tree import tuple_like
from autograd_lite.core.views import is_view_of

__all__ = [
    "PYTHON_SCALARS",
    "called_unwritten",
    "check_plain",
    "computed_in_numpy",
    "in_numpys_type",
    "is_held_by_others",
    "lines_of_engine",
    "settle_scalar",
]

PYTHON_SCALARS: frozenset[Any] = frozenset({float, int, complex, bool})


def computed_in_numpy(
    primitive: Any, operands: Sequence[Any], parameters: dict[str, Any], error: Exception
) -> Any:
    """What NumPy's arithmetic says where Python's numbers refuse: 1/0 is inf; else the refusal."""
    are_pythons = all(x.__class__ in PYTHON_SCALARS for x in operands)
    if not (primitive.builtin and are_pythons and isinstance(error, ArithmeticError)):
        current.get().note_error(error)
        raise error
    return primitive.forward(*map(in_numpys_type, operands), **parameters).item()


def in_numpys_type(x: Any) -> Any:
    """One of Python's numbers as the one that NumPy computes with beside floats."""
    return np.complex128(x) if x.__class__ is complex else np.float64(x)


def settle_scalar(data: Any, kind: type, operands: list[Any]) -> Any:
    """Keep graphs of Python numbers in Python numbers: there NumPy's scalars only cost time."""
    if kind in PYTHON_SCALARS or isinstance(data, (tuple, list)):
        return data
    for operand in operands:
        if operand.__class__ not in PYTHON_SCALARS:
            return data
    is_read_only = kind is np.ndarray and not data.flags.writeable  # made of a number by NumPy
    return data if is_read_only else data.item()


def called_unwritten(
    forward: Any,
    operands: list[Any],
    nodes: list[Any],
    parameters: dict[str, Any],
    name: str,
    is_single: bool = False,
) -> Any:
    """What a function of others computes, which must not write into what Values hold.

    ``is_single``: whether its rules are those of one result.
    """
    places = [
        i for i, x in enumerate(operands)
        if x.__class__ is np.ndarray and x.flags.writeable and isinstance(nodes[i], Node)
    ]  # fmt: skip
    shown = list(operands)
    for i in places:
        shown[i] = read_only(operands[i])
    try:
        data = forward(*shown, **parameters)
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        # It writes, or only asks for arrays that can be written, as extensions may.
        for i in places:
            shown[i] = copied(operands[i])
        data = forward(*shown, **parameters)
        if any(shown[i].tobytes() != operands[i].tobytes() for i in places):
            raise refused_write(
                f"{name} writes into its argument, and what that means for the gradient is not "
                "known; let it write into a copy (x = x.copy())"
            ) from error
    check_plain(name, data)
    if is_single and isinstance(data, (tuple, list, dict, str, NoneType)):
        raise ArgumentTypeError(
            f"{name} returned {type(data).__name__}, and a Primitive has one array or number for "
            "a result; write @ag.primitive, which takes several in a tuple"
        )
    if isinstance(data, tuple):
        return with_own_arrays(data, operands, name)
    if is_held_by_others(data, operands, shown):
        return copied(data)  # a buffer, which may be filled again
    if data.__class__ is np.ndarray and data.base is None:
        return data
    for i in places:
        if data is shown[i]:
            return operands[i]
        if data.__class__ is np.ndarray and not data.flags.writeable and data.base is not None:
            with suppress(ValueError):
                data.flags.writeable = is_view_of(data, operands[i]) or data.flags.writeable
    return data


def check_plain(name: str, data: Any) -> None:
    """Refuse a Value that a function of others computes of plain arrays: its rules do not know."""
    if isinstance(data, (Handle, tuple)) and holds_value(data):
        raise UnsupportedError(
            f"{name} returned a Value, though it is called with plain arrays: it computes with a "
            "Value that it captured or found in an object, whose gradient its rules do not have; "
            f"pass that Value as an argument of {name}, with a rule of its own, or use its numbers "
            "(w.data) if they are meant as a constant"
        )


def with_own_arrays(results: Any, operands: list[Any], name: str) -> Any:
    """Several results, in memory that nobody fills again; what looks into an operand stays so."""
    seen = [x for x in results[: getattr(results, "number", None)] if isinstance(x, np.ndarray)]
    if any(np.may_share_memory(x, y) for x, y in combinations(seen, 2)):
        raise UnsupportedError(
            f"{name}: two of its results share memory, and what a write into one means for the "
            "other is not known; return a copy of one (x.copy())"
        )
    arrays = [x for x in operands if isinstance(x, np.ndarray)]
    own = [
        copied(x)
        if isinstance(x, np.ndarray) and not any(np.may_share_memory(x, y) for y in arrays)
        else x
        for x in results
    ]
    return tuple_like(results, own)


def is_held_by_others(data: Any, operands: list[Any], shown: list[Any]) -> bool:
    """Whether a function of others keeps the array that it gave, or what that is a view of."""
    if data.__class__ is not np.ndarray:
        return False
    for x in (*operands, *shown):
        if data is x:
            return False
    if data.base is None:
        return not getrefcount(data) <= OF_NOBODY_ELSE
    is_view = any(isinstance(x, np.ndarray) and np.may_share_memory(data, x) for x in operands)
    return not (is_view or getrefcount(data.base) <= OF_ONE_VIEW)


FRESH_VIEW: Any = np.zeros(1)[:]
OF_ONE_VIEW = getrefcount(FRESH_VIEW.base)


def references(x: Any) -> float:
    return getrefcount(x)


def references_of_nobody_else() -> float:
    """What `is_held_by_others` counts of an array that its caller alone has."""
    array = np.zeros(1)
    return references(array)


OF_NOBODY_ELSE = references_of_nobody_else()


def lines_of_engine() -> int:
    """How far up the stack the line of the user's is, for a warning."""
    depth = 1
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("autograd_lite."):
        depth, frame = depth + 1, frame.f_back
    return depth
