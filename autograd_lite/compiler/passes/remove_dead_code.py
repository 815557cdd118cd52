"""Dead code: operations that no result depends on."""

from __future__ import annotations

from dataclasses import replace

from autograd_lite.compiler.ir import Operation, Program
from autograd_lite.random import Draw

__all__ = ["has_effect", "remove_dead_code"]


def remove_dead_code(program: Program) -> Program:
    """Leave out operations that no output depends on; random draws stay, each moves a stream."""
    alive = {x for x in program.outputs if isinstance(x, Operation)}
    alive.update(filter(has_effect, program.operations))
    for operation in reversed(program.operations):
        if operation in alive:
            alive.update(x for x in operation.operands if isinstance(x, Operation))
    return replace(program, operations=tuple(x for x in program.operations if x in alive))


def has_effect(operation: Operation) -> bool:
    """Whether it draws random numbers, or something inside of it does."""
    inside = (x for body in operation.bodies for x in body.operations)
    return isinstance(operation.primitive, Draw) or any(map(has_effect, inside))
