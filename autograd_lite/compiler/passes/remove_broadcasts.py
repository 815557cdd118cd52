"""Broadcasts: an elementwise operation repeats its operands by itself."""

from __future__ import annotations

from typing import Any

from autograd_lite.compiler.ir import Constant, Operand, Operation, Program, rewrite, with_operands
from autograd_lite.core.numpy_namespace import np
from autograd_lite.ops import shaping

__all__ = ["remove_broadcasts"]


def remove_broadcasts(program: Program) -> Program:
    """Let elementwise operations broadcast by themselves, instead of spreading operands out first.

    A constant whose elements are all equal becomes a number.
    """

    def rule(operation: Operation) -> Operand:
        if not operation.primitive.elementwise or operation.parameters:
            return operation
        operands = list(operation.operands)
        for index, x in enumerate(operands):
            narrow = unspread(x)
            if narrow is x:
                continue
            shapes = [y.type.shape for i, y in enumerate(operands) if i != index]
            if np.broadcast_shapes(narrow.type.shape, *shapes) == operation.type.shape:
                operands[index] = narrow
        return with_operands(operation, tuple(operands))

    return rewrite(program, rule)


def unspread(x: Operand) -> Operand:
    """What an operand repeats: the array before ``broadcast_to``, or the one number it holds."""
    if isinstance(x, Operation) and x.primitive is shaping.broadcast_to:
        return x.operands[0]
    if isinstance(x, Constant) and x.is_known and x.type.shape and x.type.size:
        first = x.value[(0,) * x.value.ndim]
        if x.value.dtype.kind in "fiub" and is_repeated(x.value, first):
            return Constant(first)
    return x


def is_repeated(array: Any, first: Any) -> bool:
    """Whether all elements are the same number, zeros of the same sign included."""
    if not any(array.strides):
        return True
    if array.dtype.kind == "f" and not np.all(np.signbit(array) == np.signbit(first)):
        return False
    return bool(np.all(array == first))
