"""Whether two traces of a function are the same program, and where they first differ."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

import numpy as np

from autograd_lite.compiler.frontend.recorded import Recorded
from autograd_lite.compiler.ir import Constant, Operand, Operation, Program
from autograd_lite.core.duck_arrays import is_device_array
from autograd_lite.core.primitive import Primitive
from autograd_lite.core.tree import parts_of

__all__ = ["first_difference"]


def first_difference(recorded: Recorded, again: Recorded) -> str | None:
    """What differs first between two traces; None if they are the same."""
    difference = program_difference(recorded.program, again.program)
    if difference is None and not same_static(recorded.result, again.result):
        return f"it returns {recorded.result!r} and then {again.result!r}"
    return difference


def program_difference(program: Program, other: Program) -> str | None:
    twins: dict[Operand, Operand] = dict(zip(program.inputs, other.inputs, strict=False))
    for mine, yours in zip_longest(program.operations, other.operations):
        if mine is None or yours is None:
            extra = mine or yours
            return f"one of them has an operation that the other lacks: {extra!r}"
        difference = operation_difference(mine, yours, twins)
        if difference is not None:
            return difference
        twins[mine] = yours
    if len(program.outputs) != len(other.outputs):
        return "they return different numbers of results"
    for index, (x, y) in enumerate(zip(program.outputs, other.outputs, strict=True)):
        if not same_operand(x, y, twins):
            return f"result {index} is {shown(x)} and then {shown(y)}"
    return None


def operation_difference(
    mine: Operation, yours: Operation, twins: dict[Operand, Operand]
) -> str | None:
    if not same_primitive(mine.primitive, yours.primitive):
        return f"{mine!r} became {yours!r}"
    if mine.type != yours.type:
        return f"the result of {mine!r} was {mine.type} and is {yours.type}"
    if len(mine.operands) != len(yours.operands):
        return f"{mine!r} has another number of operands"
    for index, (x, y) in enumerate(zip(mine.operands, yours.operands, strict=True)):
        if not same_operand(x, y, twins):
            return f"operand {index} of {mine!r} was {shown(x)} and is {shown(y)}"
    if not same_static(mine.parameters, yours.parameters):
        return f"{mine!r} got {mine.parameters} and then {yours.parameters}"
    return bodies_difference(mine, yours)


def bodies_difference(mine: Operation, yours: Operation) -> str | None:
    """What differs first between what two loops or branches do."""
    if len(mine.bodies) != len(yours.bodies):
        return f"{mine!r} has another number of branches"
    pairs = zip(mine.bodies, yours.bodies, strict=True)
    return next(filter(None, (program_difference(*pair) for pair in pairs)), None)


def same_primitive(mine: Primitive, yours: Primitive) -> bool:
    """The same primitive; one made in the function itself is the same by its code."""
    if mine is yours:
        return True
    codes = [getattr(x.forward, "__code__", None) for x in (mine, yours)]
    return mine.name == yours.name and codes[0] is not None and codes[0] is codes[1]


def same_operand(x: Operand, y: Operand, twins: dict[Operand, Operand]) -> bool:
    if isinstance(x, Constant) and isinstance(y, Constant):
        return same_static(x.value, y.value)
    return twins.get(x) is y


def same_static(x: Any, y: Any) -> bool:
    if x is y:
        return True
    if type(x) is not type(y):
        return False
    parts, others = parts_of(x), parts_of(y)
    if parts is not None and others is not None:
        return (
            list(parts.keys) == list(others.keys)
            and same_static(parts.auxiliary, others.auxiliary)
            and all(map(same_static, parts.children, others.children))
        )
    if isinstance(x, np.ndarray | np.generic | float | complex) or is_device_array(x):
        same_layout = np.shape(x) == np.shape(y) and np.result_type(x) == np.result_type(y)
        is_inexact = np.result_type(x).kind in "fc"
        return same_layout and bool(np.array_equal(x, y, equal_nan=is_inexact))
    return bool(x == y)


def shown(x: Operand) -> str:
    if not isinstance(x, Constant):
        return repr(x) if isinstance(x, Operation) else f"the argument {x.name}"
    return f"the constant {np.array2string(np.asarray(x.value), threshold=6)}"
