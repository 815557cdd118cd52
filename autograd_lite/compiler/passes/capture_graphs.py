"""CUDA graphs: operations whose kernels a GPU repeats without Python.

A kernel on a small array takes less time than Python needs to launch it.  CuPy
can capture the launches of elementwise functions and reductions; it refuses to
capture calls of cuBLAS and the like, and arrays allocated meanwhile would not
stay.  So a graph holds operations between such calls, all of which write into
buffers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from autograd_lite.compiler.ir import Constant, Input, Operand, Operation
from autograd_lite.compiler.lowering.forms import Lowering
from autograd_lite.compiler.passes.gather_kernels import has_kernel
from autograd_lite.compiler.passes.groups import Graph
from autograd_lite.compiler.passes.schedule import Plan, Schedule

__all__ = ["capture_graphs"]

FEWEST = 2
"""Kernels that make a graph worthwhile: launching it costs as much as launching one of them."""


def capture_graphs(schedule: Schedule) -> Schedule:
    """Find operations in a row whose results all lie in buffers, and make graphs of them."""
    if not schedule.options.cuda_graph:
        return schedule
    static = schedule.plan.static
    graphs = (
        Graph(tuple(group))
        for group in capturable(schedule)
        if sum(x not in static for x in group) >= FEWEST
    )
    return replace(schedule, graphs=tuple(graphs))


def capturable(schedule: Schedule) -> Iterator[list[Operation]]:
    plan = schedule.plan
    group: list[Operation] = []
    for operation in schedule.program.operations:
        lowering = schedule.lowerings[operation]
        if operation in plan.static or is_capturable(operation, lowering, plan):
            group.append(operation)
            continue
        yield group
        group = []
    yield group


def is_capturable(operation: Operation, lowering: Lowering, plan: Plan) -> bool:
    """Whether an operation launches kernels of CuPy's own, on arrays that stay where they are."""
    if operation not in plan.memory or not has_kernel(operation, lowering):
        return False
    return all(stays(x, lowering, plan) for x in operation.operands)


def stays(x: Operand, lowering: Lowering, plan: Plan) -> bool:
    """Whether an operand is at the same place in every call; numbers can be, as arrays."""
    if isinstance(x, Constant):
        return True
    if not x.type.is_array:
        return lowering.elementwise
    return isinstance(x, Input) or x in plan.memory or x in plan.static
