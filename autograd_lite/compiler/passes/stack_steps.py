"""All steps of a loop at once: operations on arrays that have a row for each step.

`at_once` says of an operation what it is on such arrays, where that is known; sums over
the steps, which gradients of what is captured are, are products of matrices where they can.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_lite.compiler.ir import Constant, Operand, Operation, SourceLocation, Type
from autograd_lite.compiler.lowering.calls import is_power_of_numbers
from autograd_lite.core.primitive import Primitive
from autograd_lite.ops import contractions, elementwise, indexing, joining, reductions, shaping

__all__ = ["Stacked", "at_once", "summed"]


@dataclass(frozen=True)
class Stacked:
    """An operand: with a row for each step, or the same at all of them."""

    operand: Operand
    is_stacked: bool

    @property
    def row(self) -> tuple[int, ...]:
        """The shape at one step."""
        shape = self.operand.type.shape
        return shape[1:] if self.is_stacked else shape


Rule = Callable[[Operation, list[Stacked], int], Operation | None]

RULES: dict[Primitive, Rule] = {}


def at_once(operation: Operation, operands: list[Stacked], length: int) -> Operation | None:
    """An operation for all steps at once; None where it is not known how."""
    if operation.type.dtype is None or operation.bodies or is_power_of_numbers(operation):
        return None
    if not any(x.is_stacked for x in operands):
        return None
    rule = RULES.get(operation.primitive)
    if rule is None and operation.primitive.elementwise and operation.primitive.builtin:
        rule = each_element
    return None if rule is None else rule(operation, operands, length)


def like(
    operation: Operation, length: int, operands: tuple[Operand, ...], **parameters: Any
) -> Operation:
    """The same operation on other operands, with a result for each step."""
    of = Type(np.ndarray, (length, *operation.type.shape), operation.type.dtype)
    return replace(operation, operands=operands, parameters=parameters, type=of, name="")


def made(
    primitive: Primitive, operands: tuple[Operand, ...], shape: tuple[int, ...], of: Operation,
    **parameters: Any,
) -> Operation:  # fmt: skip
    """A further operation, with a result of this shape."""
    kind = Type(np.ndarray, shape, of.type.dtype)
    return Operation(primitive, operands, parameters, kind, "", of.origin)


def reshaped(x: Operand, shape: tuple[int, ...], of: Operation) -> Operand:
    if x.type.shape == shape:
        return x
    made_of = Type(np.ndarray, shape, x.type.dtype)
    return Operation(shaping.reshape, (x,), {"shape": shape}, made_of, "", of.origin)


def each_element(operation: Operation, operands: list[Stacked], length: int) -> Operation | None:
    if operation.parameters:
        return None
    ndim = len(operation.type.shape)
    found = []
    for x in operands:
        missing = ndim - len(x.row)
        if x.is_stacked and missing:
            shape = (length, *(1,) * missing, *x.row)
            found.append(reshaped(x.operand, shape, operation))
        else:
            found.append(x.operand)
    return like(operation, length, tuple(found))


def rule_of(*primitives: Primitive) -> Callable[[Rule], Rule]:
    def enter(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(primitives, rule))
        return rule

    return enter


RULES[elementwise.where_chosen] = each_element


@rule_of(shaping.expand_dims, shaping.squeeze, shaping.reshape, shaping.ravel)
def reshape_rows(operation: Operation, operands: list[Stacked], length: int) -> Operation | None:
    if operation.parameters.get("order", "C") != "C":
        return None
    x = operands[0].operand
    found = reshaped(x, (length, *operation.type.shape), operation)
    if isinstance(found, Operation):
        return found
    return made(shaping.identity, (x,), found.type.shape, operation)


@rule_of(shaping.swapaxes, shaping.transpose)
def transpose_rows(operation: Operation, operands: list[Stacked], length: int) -> Operation | None:
    ndim = len(operation.type.shape)
    if operation.primitive is shaping.swapaxes:
        axes = list(range(ndim))
        i, j = (operation.parameters[name] % ndim for name in ("axis1", "axis2"))
        axes[i], axes[j] = axes[j], axes[i]
    else:
        given = operation.parameters.get("axes")
        axes = list(range(ndim))[::-1] if given is None else [int(a) % ndim for a in given]
    order = (0, *(1 + a for a in axes))
    shape = (length, *operation.type.shape)
    return made(shaping.transpose, (operands[0].operand,), shape, operation, axes=order)


@rule_of(shaping.astype, shaping.identity)
def convert_rows(operation: Operation, operands: list[Stacked], length: int) -> Operation | None:
    return like(operation, length, (operands[0].operand,), **operation.parameters)


@rule_of(reductions.sum, reductions.max_, reductions.min_, reductions.prod, reductions.mean)
def reduce_rows(operation: Operation, operands: list[Stacked], length: int) -> Operation | None:
    if set(operation.parameters) - {"axis", "keepdims"} or not operands[0].row:
        return None
    ndim = len(operands[0].row)
    axis = operation.parameters.get("axis")
    axes = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    parameters = operation.parameters | {"axis": tuple(1 + int(a) % ndim for a in axes)}
    return like(operation, length, (operands[0].operand,), **parameters)


@rule_of(indexing.getitem)
def take_of_rows(operation: Operation, operands: list[Stacked], length: int) -> Operation | None:
    x, *parts = operands
    if not x.is_stacked or not all(is_basic(part) for part in parts):
        return None
    everything = Constant(slice(None))
    return like(operation, length, (x.operand, everything, *(part.operand for part in parts)))


@rule_of(indexing.scatter)
def scatter_rows(operation: Operation, operands: list[Stacked], length: int) -> Operation | None:
    g, *parts = operands
    if not g.is_stacked or not all(is_basic(part) for part in parts):
        return None
    given = (g.operand, Constant(slice(None)), *(part.operand for part in parts))
    return like(operation, length, given, shape=(length, *operation.type.shape))


def is_basic(part: Stacked) -> bool:
    """Whether a part of an index is fixed and selects by position."""
    return isinstance(part.operand, Constant) and (
        part.operand.value is Ellipsis
        or isinstance(part.operand.value, slice | int | np.integer | None)
    )


@rule_of(joining.join)
def join_rows(operation: Operation, operands: list[Stacked], length: int) -> Operation | None:
    if not all(x.is_stacked for x in operands):
        return None
    axis = operation.parameters.get("axis", 0)
    given = tuple(x.operand for x in operands)
    return like(operation, length, given, axis=1 + axis % len(operation.type.shape))


@rule_of(contractions.matmul)
def multiply_rows(operation: Operation, operands: list[Stacked], length: int) -> Operation | None:
    """One product of matrices, where one of the two is the same at all steps."""
    x, y = operands
    if x.operand.type.dtype != y.operand.type.dtype or operation.parameters:
        return None
    if x.is_stacked and not y.is_stacked and len(y.row) == 2 and x.row:
        n, m = y.row
        rows = reshaped(x.operand, (x.operand.type.size // max(n, 1), n), operation)
        if not n:
            return None
        product = made(contractions.matmul, (rows, y.operand), (rows.type.shape[0], m), operation)
        found = reshaped(product, (length, *operation.type.shape), operation)
        return found if isinstance(found, Operation) else None
    if y.is_stacked and not x.is_stacked and len(x.row) == 2 and 1 in (*y.row[1:], len(y.row)):
        # Of a column: its transpose times the transpose.
        n, m = x.row
        rows = reshaped(y.operand, (length, m), operation)
        turned = made(shaping.swapaxes, (x.operand,), (m, n), operation, axis1=0, axis2=1)
        product = made(contractions.matmul, (rows, turned), (length, n), operation)
        found = reshaped(product, (length, *operation.type.shape), operation)
        return found if isinstance(found, Operation) else None
    if x.is_stacked and y.is_stacked and len(x.row) == len(y.row) == 2:
        return like(operation, length, (x.operand, y.operand))
    return None


# Sums over all steps.

Find = Callable[[Operand], Stacked | None]
"""What an operand of the body is for all steps at once; None if it cannot be had."""


def summed(x: Operand, find: Find, length: int) -> Operand | None:
    """The sum over all steps of what a body computes; None if it cannot be had at once."""
    if not isinstance(x, Operation):
        found = find(x)
        return None if found is None or not found.is_stacked else sum_rows(found.operand, x)
    factors = outer_factors(x)
    if factors is not None:
        a, b = (find(factor) for factor in factors)
        if a is not None and b is not None and a.is_stacked and b.is_stacked:
            left = reshaped(a.operand, (length, a.operand.type.size // max(length, 1)), x)
            right = reshaped(b.operand, (length, b.operand.type.size // max(length, 1)), x)
            n, m = left.type.shape[1], right.type.shape[1]
            turned = made(shaping.swapaxes, (left,), (n, length), x, axis1=0, axis2=1)
            outer = made(contractions.matmul, (turned, right), (n, m), x)
            return reshaped(outer, x.type.shape, x)
    if x.primitive is contractions.matmul and len(x.type.shape) == 2:
        product = sum_of_products(x, find, length)
        if product is not None:
            return product
    stacked = find(x)
    return None if stacked is None or not stacked.is_stacked else sum_rows(stacked.operand, x)


def sum_rows(rows: Operand, like: Operand) -> Operation:
    shape = rows.type.shape[1:]
    of = Type(np.ndarray if shape else np.generic, shape, rows.type.dtype)
    origin = like.origin if isinstance(like, Operation) else SourceLocation(section="backward")
    return Operation(reductions.sum, (rows,), {"axis": 0}, of, "", origin)


def outer_factors(x: Operation) -> tuple[Operand, Operand] | None:
    """The column and the row that an array of two axes is the product of."""
    is_product = x.primitive.function is np.multiply and len(x.type.shape) == 2
    if not is_product or x.operands[0].type.dtype != x.operands[1].type.dtype:
        return None
    n, m = x.type.shape
    for column, row in (x.operands, x.operands[::-1]):
        if column.type.shape == (n, 1) and row.type.shape in ((1, m), (m,)) and n > 1 and m > 1:
            return column, row
    return None


def sum_of_products(x: Operation, find: Find, length: int) -> Operand | None:
    """Products of matrices, added up: one product of them all in a row."""
    left, right = (find(operand) for operand in x.operands)
    if left is None or right is None or not (left.is_stacked and right.is_stacked):
        return None
    if len(left.row) != 2 or len(right.row) != 2 or left.operand.type.dtype != x.type.dtype:
        return None
    if right.operand.type.dtype != x.type.dtype:
        return None
    (n, k), (_, m) = left.row, right.row
    order = (0, 2, 1)
    turned = made(shaping.transpose, (left.operand,), (length, k, n), x, axes=order)
    rows = reshaped(turned, (length * k, n), x)
    columns = made(shaping.swapaxes, (rows,), (n, length * k), x, axis1=0, axis2=1)
    return made(
        contractions.matmul, (columns, reshaped(right.operand, (length * k, m), x)), (n, m), x
    )
