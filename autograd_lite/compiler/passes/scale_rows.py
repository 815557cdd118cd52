"""Diagonal matrices: a product with one scales the rows of the other matrix.

A Jacobian sweeps back through all rows of the identity at once, and what they meet first are
slopes: a matrix that is zero beside its diagonal is multiplied by a dense one.  The zeros add
nothing to a sum, unless they meet what is not finite: the program looks for that first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from autograd_lite.compiler.ir import Constant, Operand, Operation
from autograd_lite.compiler.lowering.forms import Form, Lowered, Lowering, Writer, call
from autograd_lite.compiler.passes.schedule import Schedule
from autograd_lite.core.numpy_namespace import np
from autograd_lite.ops import contractions, elementwise

__all__ = ["scale_rows"]


def scale_rows(schedule: Schedule) -> Schedule:
    """Multiply rows by slopes, in the place of a matrix by a diagonal one."""
    return schedule.with_branches(scaled)


def scaled(operation: Operation) -> Operand:
    """``(identity * slopes) @ y`` as one operation; any other as it is."""
    if operation.primitive not in (contractions.matmul, contractions.dot):
        return operation
    x, y = operation.operands
    product = masked_by_identity(x)
    is_masked = product is not x
    if not isinstance(product, Operation) or product.primitive is not elementwise.multiply:
        return operation
    left, right = product.operands
    identity, slopes = (left, right) if is_identity(left) else (right, left)
    dtype = operation.type.dtype
    alike = all(z.type.dtype == dtype for z in (identity, slopes, y))
    if product.parameters or not (is_identity(identity) and alike and len(y.type.shape) == 2):
        return operation
    if slopes.type.shape != x.type.shape[1:]:
        return operation
    primitive = TIMES_MASKED if is_masked else TIMES_DIAGONAL
    return replace(operation, primitive=primitive, operands=(identity, slopes, y), parameters={})


def masked_by_identity(x: Operand) -> Operand:
    """What zeros are chosen for beside the diagonal; any other operand as it is."""
    if not isinstance(x, Operation) or x.primitive is not elementwise.where_chosen:
        return x
    mask, product, zero = x.operands
    is_zero = isinstance(zero, Constant) and zero.is_known and np.array_equal(zero.value, 0)
    return product if is_zero and is_identity(mask, "b") else x


def is_identity(x: Operand, kind: str = "f") -> bool:
    """Whether it is a square matrix of real numbers, or truths, known to be the identity."""
    if not (isinstance(x, Constant) and x.is_known and len(x.type.shape) == 2):
        return False
    rows, columns = x.type.shape
    is_square = rows == columns and np.dtype(x.type.dtype).kind == kind
    return is_square and np.array_equal(x.value, np.eye(rows))


def times_diagonal(identity: Any, slopes: Any, y: Any, out: Any = None) -> Any:
    """``(identity * slopes) @ y``, a matrix of slopes on the diagonal times another one."""
    with np.errstate(all="ignore"):  # as a product of matrices, which warns of nothing
        if are_finite(slopes, y):
            return rows_scaled(slopes, y, out)
        return np.dot(identity * slopes, y, out)


def times_masked_diagonal(identity: Any, slopes: Any, y: Any, out: Any = None) -> Any:
    """The same with zeros beside the diagonal, whatever the slopes are."""
    with np.errstate(all="ignore"):
        if are_finite(slopes, y):
            return rows_scaled(slopes, y, out)
        return np.dot(np.diag(slopes), y, out)


def are_finite(slopes: Any, y: Any) -> bool:
    return bool(np.isfinite(slopes).all() and np.isfinite(y).all())


def rows_scaled(slopes: Any, y: Any, out: Any) -> Any:
    out = np.multiply(y, slopes[:, None], out)
    return np.add(out, 0.0, out)  # a sum with zeros is never -0.0


class TimesDiagonal(Lowered):
    """A call of such a function; the matrix may be an argument of the program, and not known."""

    __slots__ = ()

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function, name="matmul")
        self.lowering = Lowering(Form.OUT, self.lines)

    def lines(self, write: Writer, operation: Operation, out: str | None) -> list[str]:
        return [call(write, self.forward, [*map(write.operand, operation.operands)], out)]


TIMES_DIAGONAL = TimesDiagonal(times_diagonal)
TIMES_MASKED = TimesDiagonal(times_masked_diagonal)
