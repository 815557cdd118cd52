"""Ties: what a maximum hands back is halved where both operands are equal, which is rare.

`ops.choosing.share` says it for any arrays: the gradient where an operand wins, half of it where
both tie, and zero elsewhere.  To find out that there are no ties takes one pass, and then the
bits of the gradient times the mask are the result; to halve and to choose takes five more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeGuard

from autograd_lite.compiler.ir import Constant, Operand, Operation
from autograd_lite.compiler.lowering.calls import BITS, bits_of, has_dtype, is_zero
from autograd_lite.compiler.lowering.forms import Form, Lowered, Lowering, Writer
from autograd_lite.compiler.passes.schedule import Schedule
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.ops import elementwise
from autograd_lite.ops.choosing import share

__all__ = ["share_ties"]

EQUAL = registry[np.equal]


def share_ties(schedule: Schedule) -> Schedule:
    """Make one operation with a branch of what is chosen, or halved where both operands tie."""
    return schedule.with_branches(shared)


def shared(operation: Operation) -> Operand:
    """``where(wins, g, where(x == y, g / 2, 0))`` as one operation; any other as it is."""
    if operation.primitive is not elementwise.where_chosen:
        return operation
    wins, g, otherwise = operation.operands
    if not is_made_by(otherwise, elementwise.where_chosen):
        return operation
    ties, half, zero = otherwise.operands
    if not (is_made_by(ties, EQUAL) and is_made_by(half, elementwise.divide) and is_zero(zero)):
        return operation
    x, y = ties.operands
    halved, by = half.operands
    is_half = halved is g and isinstance(by, Constant) and by.is_number and by.value == 2
    of = operation.type
    alike = all(z.type.shape == of.shape for z in (wins, g, x))
    if not (is_half and alike and of.dtype in BITS and has_dtype(g, of.dtype)):
        return operation
    primitive = Shared(against_zero=is_zero(y) and x.type.dtype is not None)
    operands = (wins, g, x) if primitive.against_zero else (wins, g, ties)
    return replace(operation, primitive=primitive, operands=operands, parameters={})


def is_made_by(x: Operand, primitive: Primitive) -> TypeGuard[Operation]:
    return isinstance(x, Operation) and x.primitive is primitive


def by_ties(wins: Any, g: Any, ties: Any) -> Any:
    return np.where(wins, g, np.where(ties, g / 2, 0))


def by_zeros(wins: Any, g: Any, x: Any) -> Any:
    return share(wins, g, x, 0)


class Shared(Lowered):
    """The gradient where an operand wins, half of it where both tie."""

    __slots__ = ("against_zero",)

    def __init__(self, against_zero: bool) -> None:
        """Ties are where an operand is zero, or where a mask says so."""
        super().__init__(by_zeros if against_zero else by_ties, name="share", elementwise=True)
        self.against_zero = against_zero
        self.lowering = Lowering(Form.OUT, self.lines, in_place=True, elementwise=True)

    def lines(self, write: Writer, operation: Operation, out: str | None) -> list[str]:
        wins, g, x = map(write.operand, operation.operands)
        where, divide = write.function(np.where), write.function(np.divide)
        ties = f"{write.function(np.equal)}({x}, 0)" if self.against_zero else x
        whole = f"{where}({wins}, {g}, {where}({ties}, {divide}({g}, 2), 0))"
        if out is None:
            return [whole]
        count = f"{write.function(np.count_nonzero)}({x})"
        view = f".view({write.literal(bits_of(operation))})"
        return [
            f"if {count} < {x}.size:" if self.against_zero else f"if {count}:",
            f"    {write.function(np.copyto)}({out}, {whole})",
            "else:",
            f"    {write.function(np.multiply)}({g}{view}, {wins}, {out}{view})",
        ]
