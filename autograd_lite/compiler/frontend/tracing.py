"""Tracing: run a function once on Values that take down what is done to them.

A `Traced` Value records like any other, and refuses what a recording cannot
show: a Python branch on its number, reading the number out, putting it into a
plain array.  The class is swapped in while a trace runs, and only for the
thread or task that traces, so nothing else pays for it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from types import FrameType
from typing import Any, ClassVar

import numpy as np

from autograd_lite.compiler.ir import SourceLocation
from autograd_lite.core.backward import sweep
from autograd_lite.core.errors import CompileError
from autograd_lite.core.primitive import NO_PARAMETERS, Node, serials
from autograd_lite.core.value import Value
from autograd_lite.ops.shaping import as_new_node

__all__ = ["Traced", "callers_errstate", "is_traced", "origin_of", "traced_leaf", "tracing"]

ENGINE = "autograd_lite"

origins: ContextVar[dict[int, SourceLocation] | None] = ContextVar("origins", default=None)
"""Where each operation of the running trace was recorded, by serial number; None outside."""

OUTERMOST = "trace_of"
"""The function that starts a trace: nobody further out records."""

hold_data: Any = Node.__dict__["data"]
"""The slot itself, which `Traced` hides behind a property."""


def from_engine(frame: FrameType) -> bool:
    return is_engine(frame.f_globals.get("__name__", ""))


@cache
def is_engine(module: str) -> bool:
    return module == ENGINE or module.startswith(ENGINE + ".")


def origin_of(frame: FrameType | None) -> SourceLocation:
    """The user's line that a call comes from; in a reverse sweep, the line it differentiates."""
    known = origins.get() or {}
    user: FrameType | None = None
    while frame is not None and frame.f_code.co_name != OUTERMOST:
        if frame.f_code is sweep.__code__:
            differentiated = known.get(id(frame.f_locals.get("node")))
            if differentiated is not None:
                file, line = differentiated.file, differentiated.line
                return origin_at(file, line, "backward", errstate_inside())
        if user is None and not from_engine(frame):
            user = frame
        frame = frame.f_back
    if user is None:
        return SourceLocation(errstate=errstate_inside())
    return origin_at(user.f_code.co_filename, user.f_lineno, "forward", errstate_inside())


@lru_cache(maxsize=1 << 12)
def origin_at(file: str, line: int, section: str, errstate: tuple[Any, ...]) -> SourceLocation:
    """One object for all operations of a line: the garbage collector visits every object."""
    return SourceLocation(file, line, section, errstate)


CALLERS_ERRSTATE = dict.fromkeys(np.geterr(), "call")


def callers_errstate() -> np.errstate:
    """While tracing, what floating-point errors do is left to the caller of the program."""
    return np.errstate(all="call", call=unheeded)


def unheeded(error: str, flag: int) -> None:
    """What happens while tracing to an error that the caller will hear of."""


def errstate_inside() -> tuple[tuple[str, Any], ...]:
    """What the traced function, or the reverse sweep, does about errors by itself."""
    errstate = np.geterr()
    if errstate == CALLERS_ERRSTATE:
        return ()
    return tuple([item for item in errstate.items() if item[1] != "call"])


def _refuse(what: str, instead: str) -> CompileError:
    """The error for something that a program could not repeat, with the user's line."""
    return CompileError(
        f"{what} at {origin_of(sys._getframe(2))}: its number is known only when the compiled "
        f"function runs, not while it is traced; {instead}"
    )


forgets: ContextVar[bool] = ContextVar("forgets", default=False)

LEAST_FORGOTTEN = 1 << 20
"""Bytes of results from which on a trace keeps their first row only."""


@contextmanager
def forgetting() -> Iterator[None]:
    """Trace in little memory: a program needs the types of large results, not their numbers."""
    token = forgets.set(True)
    try:
        yield
    finally:
        forgets.reset(token)


def forgotten(data: Any) -> Any:
    """An array of the same shape and dtype that repeats the first row."""
    if not isinstance(data, np.ndarray) or data.nbytes < LEAST_FORGOTTEN or not any(data.strides):
        return data
    return np.broadcast_to(data[:1].copy(), data.shape)


class Traced(Value):
    """A Value in a function that is being compiled: it has a shape and a dtype, no number."""

    __slots__ = ()

    traced: ClassVar[bool] = True

    __init__ = object.__init__

    @property
    def data(self) -> Any:
        """The number or array, for the engine alone."""
        if not from_engine(sys._getframe(1)):
            raise _refuse(
                ".data of a traced Value was read",
                "compute with the Value itself, or return it and read it outside",
            )
        return hold_data.__get__(self)

    @data.setter
    def data(self, data: Any) -> None:
        hold_data.__set__(self, forgotten(data) if forgets.get() else data)

    def __bool__(self) -> bool:
        raise _refuse(
            "a Python branch (if, while, and, or, not, assert) on a traced Value",
            "write np.where(condition, x, y), or make the condition depend on static "
            "arguments (shapes, ints, strings) only",
        )

    def __float__(self) -> float:
        raise _refuse("float() of a traced Value", "compute with the Value itself")

    def __int__(self) -> int:
        raise _refuse("int() of a traced Value", "pass the number as a Python int argument")

    def __complex__(self) -> complex:
        raise _refuse("complex() of a traced Value", "compute with the Value itself")

    def __index__(self) -> int:
        raise _refuse(
            "a traced Value as a Python index or length",
            "pass the number as a Python int argument, or index a Value with it",
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise _refuse(
            "a traced Value was turned into a plain array",
            "build arrays of Values with np.stack or np.concatenate",
        )

    def __format__(self, specification: str) -> str:
        raise _refuse("a traced Value was formatted as text", "return it and format it outside")

    def __repr__(self) -> str:
        return f"Traced(shape={self.shape}, dtype={self.dtype})"

    def item(self) -> Any:
        raise _refuse(".item() of a traced Value", "compute with the Value itself")

    def tolist(self) -> Any:
        raise _refuse(".tolist() of a traced Value", "compute with the Value itself")

    def detach(self) -> Value:
        """The same Value, through which no gradient goes."""
        node: Value = as_new_node(self)
        node.requires_grad = False
        return node

    def backward(self, seed: Any = None, *, retain_graph: bool = True) -> None:
        raise _refuse(
            "backward() of a traced Value, which would leave .grad behind",
            "use ag.value_and_grad and return the gradient",
        )


def traced_leaf(data: Any) -> Traced:
    """An argument of the function that is traced; integers and booleans stay what they are."""
    leaf: Traced = Traced()
    hold_data.__set__(leaf, data)
    leaf.grad = None
    leaf.primitive = None
    leaf.inputs = ()
    leaf.parameters = NO_PARAMETERS
    leaf.requires_grad = isinstance(data, float) or np.result_type(data).kind in "fc"
    leaf.label = None
    leaf.serial = next(serials)
    return leaf


def is_traced(x: Any) -> bool:
    return isinstance(x, Traced)


untraced = Node.new_result
running = 0
swapping = threading.Lock()


def new_result() -> Any:
    """Stands in for `Node.new_result` while any trace runs."""
    lines = origins.get()
    if lines is None:
        return untraced()
    node: Any = Traced()
    lines[id(node)] = origin_of(sys._getframe(1))
    return node


@contextmanager
def tracing() -> Iterator[dict[int, SourceLocation]]:
    """Make results in this thread or task `Traced`; yields the origins of operations."""
    global running
    lines: dict[int, SourceLocation] = {}
    token = origins.set(lines)
    with swapping:
        running += 1
        Node.new_result = new_result
    try:
        yield lines
    finally:
        with swapping:
            running -= 1
            if not running:
                Node.new_result = untraced
        origins.reset(token)
