"""Arguments of functions that are differentiated or mapped: which, and whose arrays they are."""

from __future__ import annotations

import inspect
import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.core.duck_arrays import is_duck_array
from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError, InPlaceError
from autograd_lite.core.memory import as_it_lies, constant, copied_for_a_while, is_written
from autograd_lite.core.node import Node

__all__ = [
    "Argnum",
    "CallersArrays",
    "arguments_in",
    "is_several",
    "parameter_names",
    "passed_twice",
    "places",
]

Function = Callable[..., Any]

MOST_COPIED_FOR_A_CALL = 2**20
"""Bytes of an argument up to which a copy costs less than to compare it before and after."""

Argnum = int | str | Sequence[int | str]
"""Which arguments: a position or a name, or several of them."""


class CallersArrays:
    """Arrays that a function was called with, which it may know under another name as well.

    What it writes there is not written into its argument: that has memory of its own. A large
    array is not copied where all is over with the call; that it was written is seen then.
    """

    def __init__(self, name: str, is_kept: bool = False) -> None:
        """``name`` of the function; ``is_kept``: sweeps come later."""
        self.name = name
        self.is_kept = is_kept
        self.watched: list[Node] = []

    def apart(self, data: Any, given: Any) -> Any:
        """The numbers of an argument that was given, in memory of their own."""
        if isinstance(data, np.ndarray):
            if data is not given and data.base is None:
                return data  # a list that was made an array, or integers that were made floats
            if self.is_kept:
                return as_it_lies(data)
            if data.nbytes <= MOST_COPIED_FOR_A_CALL:
                is_in_line = data.flags.c_contiguous
                return copied_for_a_while(data) if is_in_line else as_it_lies(data)
            kept = constant(data)
            if kept.__class__ is not Node:
                return kept
            self.watched.append(kept)
        elif self.is_kept and data is given and is_duck_array(data):
            return data.copy()
        return data

    def check(self) -> None:
        """Refuse a function that has written a large array that it was called with."""
        for node in self.watched:
            if is_written(node):
                raise InPlaceError(
                    f"{self.name} was called with an array of shape {node.shape} and dtype "
                    f"{node.dtype}, and wrote into it under another name than its argument's; "
                    "let it write into a copy (array.copy()), or pass one"
                )


def passed_twice(arguments: Sequence[Any]) -> set[int]:
    """Identities of arrays in which more than one of these arguments lie."""
    ndarray = np.ndarray
    memories = [id(x if x.base is None else x.base) for x in arguments if isinstance(x, ndarray)]
    if len(set(memories)) == len(memories):
        return set()
    return {memory for memory, count in Counter(memories).items() if count > 1}


def arguments_in(primals: Any) -> tuple[Any, ...]:
    """The arguments that were passed together: in a tuple, or one alone, as a namedtuple is."""
    return primals if primals.__class__ is tuple else (primals,)


def is_several(argnum: Argnum) -> bool:
    """Whether several arguments are named, so that there are as many results."""
    if argnum.__class__ is int:
        return False
    if isinstance(argnum, np.ndarray):
        return argnum.ndim > 0
    return isinstance(argnum, Sequence) and not isinstance(argnum, str)


def places(
    function: Function, args: Sequence[Any], kwargs: Mapping[str, Any], argnum: Any
) -> list[int | str]:
    """Where the arguments that are named stand in a call: positions, or keywords."""
    if argnum.__class__ is int and 0 <= argnum < len(args):
        return [argnum]
    found: list[int | str] = []
    for name in argnum if is_several(argnum) else [argnum]:
        place = place_of(function, args, kwargs, name)
        if place in found:
            raise ArgumentValueError(
                f"argnum {name!r} names an argument that is named already; name each once"
            )
        found.append(place)
    return found


def place_of(
    function: Function, args: Sequence[Any], kwargs: Mapping[str, Any], name: Any
) -> int | str:
    if isinstance(name, str):
        if name in kwargs:
            return name
        names = parameter_names(function)[: len(args)]
        if name in names:
            return names.index(name)
    else:
        try:
            index = operator.index(name)
        except TypeError:
            raise ArgumentTypeError(
                f"argnum is {name!r}; pass a position, the name of a parameter, or several in a "
                "tuple"
            ) from None
        if -len(args) <= index < len(args):
            return index % len(args)
        names = parameter_names(function)
        if 0 <= index < len(names) and names[index] in kwargs:
            return names[index]
    called = getattr(function, "__name__", repr(function))
    keywords = f" and {', '.join(kwargs)}" if kwargs else ""
    raise ArgumentValueError(
        f"argnum {name!r} names no argument: {called} was called with {len(args)}{keywords}"
    )


def parameter_names(function: Function) -> list[str]:
    """The parameters that may be passed by position, as far as Python can tell them."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters if p.kind in kinds]
