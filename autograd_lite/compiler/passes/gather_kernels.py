"""Gathering: kernels that a GPU can repeat by itself come to stand in a row.

CuPy can capture the launches of elementwise functions and reductions; it refuses
to capture calls of cuBLAS and the like.
"""

from __future__ import annotations

from dataclasses import replace

from autograd_lite.compiler.ir import Operation
from autograd_lite.compiler.lowering.forms import Form, Lowering
from autograd_lite.compiler.passes.schedule import Schedule
from autograd_lite.compiler.runtime.backend import imported_from
from autograd_lite.core.numpy_namespace import np

__all__ = ["gather_kernels", "has_kernel"]


def gather_kernels(schedule: Schedule) -> Schedule:
    """Let what no graph can hold go first where it may, so that graphs are long.

    Arithmetic on Python's own numbers always may: a graph would repeat its results.
    """
    if not schedule.options.cuda_graph:
        return schedule
    order: list[Operation] = []
    kernels: dict[Operation, None] = {}
    for operation in schedule.program.operations:
        lowering = schedule.lowerings[operation]
        waits = any(x in kernels for x in operation.operands)
        if has_kernel(operation, lowering) or (waits and lowering.form is Form.VIEW):
            kernels[operation] = None
            continue
        if waits:
            order += kernels
            kernels = {}
        order.append(operation)
    return replace(schedule, program=replace(schedule.program, operations=(*order, *kernels)))


def has_kernel(operation: Operation, lowering: Lowering) -> bool:
    """Whether it is computed by a kernel of the library's own, not by one of SciPy's say."""
    function = operation.primitive.forward
    foreign = isinstance(function, np.ufunc) and imported_from(function) is None
    return (lowering.elementwise or lowering.reduces is not None) and not foreign
