"""Common subexpressions: what is computed twice is computed once."""

from __future__ import annotations

from typing import Any

from autograd_lite.compiler.ir import Constant, Operand, Operation, Program, rewrite
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.ops import shaping
from autograd_lite.random import Draw

__all__ = ["is_repeatable", "merge_repeats"]


def merge_repeats(program: Program) -> Program:
    """Compute what is computed twice, the same primitive on the same operands, only once.

    Errors of floating-point arithmetic that the caller is to hear of are not silenced by that.
    """
    known: dict[Any, Operation] = {}
    silenced: dict[Any, Operation] = {}

    def rule(operation: Operation) -> Operand:
        if not is_repeatable(operation.primitive):
            return operation
        key = (
            operation.primitive,
            tuple(map(identity_of, operation.operands)),
            hashable(operation.parameters),
        )
        errstate = operation.origin.errstate
        if not errstate:
            return known.setdefault(key, operation)
        return known.get(key) or silenced.setdefault((key, errstate), operation)

    return rewrite(program, rule)


def is_repeatable(primitive: Primitive) -> bool:
    """Whether it gives the same for the same; a recomputation for memory's sake is kept apart."""
    return not isinstance(primitive, Draw) and primitive is not shaping.recompute


def identity_of(x: Operand) -> Any:
    """What two operands must have in common to be the same."""
    if not isinstance(x, Constant):
        return x
    if x.is_number:
        return type(x.value), x.type, np.asarray(x.value).tobytes()
    return type(x.value), hashable(x.value)


def hashable(x: Any) -> Any:
    """A hashable stand-in for a static argument: equal where the argument is surely the same."""
    if isinstance(x, dict):
        return tuple((key, hashable(value)) for key, value in x.items())
    if isinstance(x, (tuple, list)):
        return type(x), tuple(map(hashable, x))
    if isinstance(x, (int, float, str, bytes, type, np.dtype, type(None), type(Ellipsis))):
        return type(x), repr(x)
    if isinstance(x, slice):
        return slice, hashable((x.start, x.stop, x.step))
    return id(x)
