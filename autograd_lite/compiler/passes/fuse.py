"""Fusion: elementwise operations made one loop, which Numba compiles to a ufunc.

What comes out is a program whose fused operations are NumPy calls too, with
buffers, blocks and threads as any ufunc has them.  An operation goes into the
loop of the one operation that uses its result; one that costs less than keeping
its result is done again in every loop that uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from autograd_lite.compiler.ir import Operand, Operation, Program, substitute, with_operands
from autograd_lite.compiler.lowering.formulas import Fused, has_formula, is_elementary, is_varying
from autograd_lite.compiler.passes.groups import Users
from autograd_lite.compiler.passes.schedule import Schedule
from autograd_lite.core.numpy_namespace import np

__all__ = ["MOST_CALLS", "fuse"]

MOST_OPERATIONS = 16
MOST_OPERANDS = 16
"""In one loop; a longer one has more numbers at hand than a processor has registers."""

MOST_CALLS = 1
"""Of elementary functions in one loop; what is called twice is not inlined, and then the
compiler computes one number at a time."""

FREE = frozenset({np.add, np.subtract, np.multiply, np.negative, np.square})
"""Functions that cost less than to write and to read a number."""

QUICKER_ALONE = frozenset({np.sin, np.cos})
"""Functions that gain also by themselves: NumPy computes them one number at a time."""


def fuse(schedule: Schedule) -> Schedule:
    """Replace elementwise operations by loops that compute several of them."""
    if not schedule.options.numba:
        return schedule
    program = schedule.program
    inner = Choice(program).inner
    known: dict[Operand, Operand] = {}
    kept: list[Operation] = []
    for operation in program.operations:
        if operation in inner:
            continue
        loop = operations_of(operation, inner)
        is_quicker = operation.primitive.function in QUICKER_ALONE and has_formula(operation)
        new = fused_operation(loop) if len(loop) > 1 or is_quicker else operation
        known[operation] = made = with_operands(new, substitute(new.operands, known))
        kept.append(made)
    outputs = substitute(program.outputs, known)
    return replace(schedule, program=Program(program.inputs, tuple(kept), outputs))


def fused_operation(operations: Sequence[Operation]) -> Operation:
    """One operation that does what all of these do; the last one gives the result."""
    primitive = Fused(operations)
    return replace(operations[-1], primitive=primitive, operands=primitive.given, parameters={})


def operations_of(operation: Operation, inner: set[Operation]) -> list[Operation]:
    """An operation and those that go into its loop, in order."""
    found: dict[Operation, None] = {}
    for x in operation.operands:
        if isinstance(x, Operation) and x in inner:
            found |= dict.fromkeys(operations_of(x, inner))
    return [*found, operation]


class Choice:
    """Which operations go into the loop of others (``inner``), to be computed there."""

    def __init__(self, program: Program) -> None:
        self.users = Users(program)
        self.inner: set[Operation] = set()
        self.sizes: dict[Operation, int] = {}
        self.calls: dict[Operation, int] = {}
        self.operands: dict[Operation, set[Operand]] = {}
        for operation in filter(has_formula, program.operations):
            self._limit(operation)
            if self._goes_into_others(operation):
                self.inner.add(operation)

    def _goes_into_others(self, operation: Operation) -> bool:
        users = self.users.of.get(operation, [])
        if operation in self.users.outputs or not users or not all(map(has_formula, users)):
            return False
        if any(user.type.shape != operation.type.shape for user in users):
            return False
        if any(user.origin.errstate != operation.origin.errstate for user in users):
            return False
        return len(users) == 1 or self._is_free(operation)

    def _is_free(self, operation: Operation) -> bool:
        """Whether it costs nothing to do it again: a little arithmetic on an array that is kept."""
        arrays = {x for x in operation.operands if x.type.shape}
        return (
            operation.primitive.function in FREE
            and len(arrays) == 1
            and arrays.isdisjoint(self.inner)
        )

    def _limit(self, operation: Operation) -> None:
        """Leave operands out of the loop, the longest first, until it is short enough."""
        inside = [x for x in operation.operands if isinstance(x, Operation) and x in self.inner]
        inside = sorted(dict.fromkeys(inside), key=self.sizes.__getitem__)
        while True:
            self.sizes[operation] = 1 + sum(self.sizes[x] for x in inside)
            outside = {x for x in operation.operands if x not in inside and is_varying(x)}
            self.operands[operation] = outside.union(*(self.operands[x] for x in inside))
            calls = is_elementary(operation.primitive)
            self.calls[operation] = calls + sum(self.calls[x] for x in inside)
            if not inside or self._is_short(operation):
                return
            self.inner.remove(inside.pop())

    def _is_short(self, operation: Operation) -> bool:
        return (
            self.sizes[operation] <= MOST_OPERATIONS
            and len(self.operands[operation]) <= MOST_OPERANDS
            and self.calls[operation] <= MOST_CALLS
        )
