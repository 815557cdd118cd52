"""Constant folding: what depends on known constants only is computed beforehand."""

from __future__ import annotations

from typing import Any

from autograd_lite.compiler.ir import Constant, Operand, Operation, Program, Type, rewrite
from autograd_lite.core.numpy_namespace import np

__all__ = ["fold_constants"]

MOST_FOLDED = 1 << 16
"""Constants of more bytes are not computed beforehand: the program would carry them about."""


def fold_constants(program: Program) -> Program:
    """Compute beforehand what depends on known constants only."""

    def rule(operation: Operation) -> Operand:
        known = all(isinstance(x, Constant) and x.is_known for x in operation.operands)
        if not known or not operation.operands or operation.type.nbytes > MOST_FOLDED:
            return operation
        if not operation.primitive.builtin or operation.bodies:
            return operation
        with np.errstate(all="ignore"):
            value = result_of(operation)
        return operation if Type.of(value) != operation.type else Constant(value, private=True)

    return rewrite(program, rule)


def result_of(operation: Operation) -> Any:
    """The result of an operation on constants, of the type that it was recorded with."""
    values = [x.value for x in operation.operands if isinstance(x, Constant)]
    try:
        value = operation.primitive.forward(*values, **operation.parameters)
    except ArithmeticError:
        return None
    if isinstance(value, np.generic) and operation.type.dtype is None:
        return value.item()
    return value.copy() if isinstance(value, np.ndarray) else value
