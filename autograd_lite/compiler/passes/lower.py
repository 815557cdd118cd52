"""Lowering: for each operation, the way in which it is written."""

from __future__ import annotations

from dataclasses import replace

from autograd_lite.compiler.ir import Operation
from autograd_lite.compiler.lowering.calls import DRAWN_ELSEWHERE, lowering_of
from autograd_lite.compiler.lowering.forms import Lowering
from autograd_lite.compiler.passes.schedule import Schedule
from autograd_lite.random import Draw

__all__ = ["lower"]


def lower(schedule: Schedule) -> Schedule:
    """Choose a lowering for each operation."""

    def choose(operation: Operation) -> Lowering:
        drawn = isinstance(operation.primitive, Draw) and operation.type.is_array
        is_elsewhere = drawn and not schedule.backend.has_generators
        return DRAWN_ELSEWHERE if is_elsewhere else lowering_of(operation)

    lowerings = {x: choose(x) for x in schedule.program.operations}
    return replace(schedule, lowerings=lowerings)
