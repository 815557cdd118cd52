"""Inlining: a primitive whose function is made of NumPy's functions becomes lines of the program.

A primitive of the user's is one call that allocates all that it computes.  Where
tracing its function shows everything that the function does, the operations
take the place of the call.
"""

from __future__ import annotations

import dis
import math
import types
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from autograd_lite.compiler.frontend.recording import record_program
from autograd_lite.compiler.frontend.signature import Arguments
from autograd_lite.compiler.ir import (
    Constant,
    Operand,
    Operation,
    Program,
    Type,
    rewrite,
    substitute,
)
from autograd_lite.compiler.lowering.calls import find_lowering
from autograd_lite.compiler.passes.merge_repeats import is_repeatable
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.core.value import Value
from autograd_lite.transforms.codes import codes_in, names_in
from autograd_lite.transforms.reach import contents

__all__ = ["inline", "transparent_functions"]

NUMBERS = (bool, int, float, complex, str, type(None), np.generic)

PURE_BUILTINS = frozenset(
    {"abs", "bool", "complex", "enumerate", "float", "int", "len", "list", "max", "min", "range"}
    | {"reversed", "round", "sum", "tuple", "TypeError", "zip"}
)

ATTRIBUTES = frozenset(
    {name for name in dir(Value) if not name.startswith("_")}
    | {
        "bool_",
        "e",
        "kind",
        "eps",
        "errstate",
        "finfo",
        "float32",
        "float64",
        "inf",
        "nan",
        "newaxis",
    }
    | {"pi", "tiny"}
)
"""Names of what reads nothing from outside, besides functions with rules."""

FUNCTIONS_OF_MATH = frozenset(filter(callable, vars(math).values()))

EFFECTS = frozenset({"DELETE_ATTR", "STORE_ATTR", "STORE_DEREF", "STORE_GLOBAL"})


def inline(program: Program) -> Program:
    """Put what calls of primitives do in the place of the calls."""
    return inline_others(program, frozenset())


def transparent_functions(program: Program) -> list[Callable[..., Any]]:
    """The functions that may be inlined: a program depends on what these read."""
    return [primitive.forward for primitive in transparent_primitives(program)]


def transparent_primitives(program: Program) -> list[Primitive]:
    primitives = dict.fromkeys(operation.primitive for operation in program.operations)
    return [primitive for primitive in primitives if is_transparent(primitive)]


def inline_others(program: Program, outer: frozenset[Primitive]) -> Program:
    """Inline all but the primitives that are being inlined, should one call itself."""
    chosen = set(transparent_primitives(program)) - outer

    def rule(operation: Operation) -> Operand:
        parts = parts_of(operation) if operation.primitive in chosen else None
        if parts is None:
            return operation
        return expand(operation, inline_others(parts, outer | {operation.primitive}))

    return rewrite(program, rule) if chosen else program


def expand(operation: Operation, parts: Program) -> Operand:
    """The result of the parts of an operation, computed from its own operands."""
    given: dict[Operand, Operand] = dict(zip(parts.inputs, varying(operation), strict=True))

    def rule(part: Operation) -> Operand:
        operands = substitute(part.operands, given)
        errstate = part.origin.errstate or operation.origin.errstate
        origin = replace(operation.origin, errstate=errstate)
        return replace(part, operands=operands, name="", origin=origin)

    (result,) = rewrite(parts, rule).outputs
    return given.get(result, result)


def varying(operation: Operation) -> list[Operand]:
    return [x for x in operation.operands if not isinstance(x, Constant)]


def parts_of(operation: Operation) -> Program | None:
    """What the function of a primitive does with operands of these types; None if it is unknown."""
    given_types = [x.type for x in varying(operation)]
    if any(x.dtype is None and x.kind not in (float, complex) for x in given_types):
        return None
    examples = [example_of(x) for x in given_types]

    def call(*given: Any) -> Any:
        left = iter(given)
        operands = [x.value if isinstance(x, Constant) else next(left) for x in operation.operands]
        return operation.primitive.forward(*operands, **operation.parameters)

    # A function of the user's may fail in any way on what is no plain array.
    try:
        recorded = record_program(call, Arguments(call, tuple(examples), {}))
    except Exception:
        return None
    program = recorded.program
    is_same = [x.type for x in program.outputs] == [operation.type]
    return program if is_same and len(program.inputs) == len(examples) else None


def example_of(of: Type) -> Any:
    """A number or array of a type; its elements are such that most functions are defined there."""
    number = 0.5 if of.dtype is None or of.dtype.kind in "fc" else 1
    if of.dtype is None:
        return of.kind(number)
    if of.kind is np.generic:
        return of.dtype.type(number)
    return np.broadcast_to(np.array(number, of.dtype), of.shape)


# Whether a trace of a function shows all that it does.


def is_transparent(primitive: Primitive) -> bool:
    """Whether a primitive may be taken apart: another's, that reads NumPy and numbers only."""
    if primitive.builtin or find_lowering(primitive) is not None:
        return False
    return is_repeatable(primitive) and reads_numbers_only(primitive.forward)


def reads_numbers_only(function: Any) -> bool:
    """Whether a function, and all that it calls, reads NumPy's functions and fixed numbers only."""
    seen: set[Any] = set()
    waiting = [function]
    while waiting:
        called = waiting.pop()
        if not isinstance(called, types.FunctionType) or not has_plain_code(called):
            return False
        if called in seen:
            continue
        seen.add(called)
        for value in read_by(called):
            if isinstance(value, Primitive):
                waiting += [] if value.builtin else [value.forward]
            elif not is_fixed(value):
                waiting.append(value)
    return True


def has_plain_code(function: types.FunctionType) -> bool:
    """Whether code binds nothing outside of itself, and names what is known to be harmless."""
    if has_effects(function.__code__):
        return False
    unknown = names_in(function.__code__) - function.__globals__.keys()
    return unknown <= harmless_names(len(registry))


@lru_cache(maxsize=4096)
def has_effects(code: types.CodeType) -> bool:
    """Whether code binds something outside of itself, or code inside it does."""
    return any(x.opname in EFFECTS for part in codes_in(code) for x in dis.get_instructions(part))


@lru_cache(maxsize=1)
def harmless_names(registered: int) -> frozenset[str]:
    """The names above, and those of so many functions as are registered by now."""
    names = (getattr(function, "__name__", None) for function in registry)
    return PURE_BUILTINS | ATTRIBUTES | frozenset(filter(None, names))


def read_by(function: types.FunctionType) -> Iterator[Any]:
    """What a function reads from outside: globals, its closure and its defaults."""
    for name in names_in(function.__code__) & function.__globals__.keys():
        yield function.__globals__[name]
    yield from map(contents, function.__closure__ or ())
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()


def is_fixed(value: Any) -> bool:
    """Whether a value is the same for good: a number, NumPy, a thing of its, a class of errors."""
    if isinstance(value, tuple):
        return all(map(is_fixed, value))
    if isinstance(value, types.ModuleType):
        return value.__name__ in ("math", "numpy")
    if isinstance(value, type):
        return value.__module__ == "numpy" or issubclass(value, Exception)
    if isinstance(value, NUMBERS):
        return True
    return isinstance(value, Hashable) and (value in registry or value in FUNCTIONS_OF_MATH)
