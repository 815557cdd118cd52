"""Early updates: a parameter is updated as soon as nobody reads its old numbers any more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from autograd_lite.compiler.ir import Input, Operand, Operation, Program
from autograd_lite.compiler.passes.remove_dead_code import has_effect
from autograd_lite.ops import shaping

__all__ = ["update_early"]

VIEWS = (
    shaping.transpose,
    shaping.swapaxes,
    shaping.reshape,
    shaping.expand_dims,
    shaping.squeeze,
    shaping.recompute,
)


def update_early(program: Program) -> Program:
    """Update a parameter as soon as its gradient is known and nobody reads it as it was.

    Otherwise all gradients would have to be kept until the end of the reverse sweep.
    """
    updates = updates_of(program)
    if not updates:
        return program
    ready: dict[Operand, int] = {}
    for index, operation in enumerate(program.operations):
        if operation not in updates:
            ready[operation] = index
            for x in seen_through(operation):
                ready[x] = index
    for operation in program.operations:
        if operation in updates:
            ready[operation] = max((ready.get(x, 0) for x in operation.operands), default=0)
    wait_for_users(program, updates, ready)
    order = sorted(program.operations, key=lambda x: (ready[x], x in updates))
    return replace(program, operations=tuple(order))


def updates_of(program: Program) -> set[Operation]:
    """What follows a sweep and is read by no other: of two sweeps, one may read what is between.

    Python's numbers hold up no memory to speak of, and random draws keep their order.
    """
    updates: set[Operation] = set()
    read_by_sweeps: set[Operand] = set()
    for operation in reversed(program.operations):
        is_update = operation.origin.section == "update" and operation.type.dtype is not None
        if is_update and operation not in read_by_sweeps and not has_effect(operation):
            updates.add(operation)
        else:
            read_by_sweeps.update(operation.operands)
    return updates


def wait_for_users(program: Program, updates: set[Operation], ready: dict[Operand, int]) -> None:
    """What depends on arguments alone, as a penalty on weights does, is best computed last.

    It then holds up no memory, and passes over the same blocks as what uses it.
    """
    of_arguments: set[Operand] = set()
    for operation in program.operations:
        operands = (x for x in operation.operands if isinstance(x, Operation))
        if operation in updates and of_arguments.issuperset(operands):
            of_arguments.add(operation)
    first_use: dict[Operand, int] = {}
    for operation in reversed(program.operations):
        if operation in of_arguments:
            ready[operation] = first_use.get(operation, ready[operation])
        for x in operation.operands:
            first_use[x] = min(ready[operation], first_use.get(x, ready[operation]))


def seen_through(operation: Operation) -> Iterator[Input]:
    """The arguments that an operation reads, be it through a transpose or a reshape."""
    for x in operation.operands:
        while isinstance(x, Operation) and x.primitive in VIEWS:
            x = x.operands[0]
        if isinstance(x, Input):
            yield x
