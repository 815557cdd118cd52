"""Bodies: how what a loop or branch does is scheduled, as a program inside of the program."""

from __future__ import annotations

from dataclasses import replace

from autograd_lite.compiler.ir import Operation
from autograd_lite.compiler.lowering.steps import Steps, steps_of
from autograd_lite.compiler.passes.schedule import Schedule

__all__ = ["compile_loops", "schedules_of"]


def compile_loops(schedule: Schedule) -> dict[Operation, Steps]:
    """The loops that Numba compiles whole: a step then costs no Python."""
    if not schedule.options.numba or schedule.options.check_finite:
        return {}
    found = {x: steps_of(x) for x in schedule.program.operations if x.bodies}
    return {x: steps for x, steps in found.items() if steps is not None}


def schedules_of(operation: Operation, schedule: Schedule) -> list[Schedule]:
    """The schedules of the bodies of a loop or branch, about which nothing is decided yet.

    A carry that nobody keeps may be overwritten by what takes its place; what is kept of
    every step is written into a row of an array.
    """
    options = replace(schedule.options, cuda_graph=False)
    plain = [Schedule(body, options, schedule.backend) for body in operation.bodies]
    if "length" not in operation.parameters:
        return plain
    # The first body is that of the steps; a further one is the condition.
    body, carries = operation.bodies[0], operation.parameters["carries"]
    results, kept = body.outputs[:carries], body.outputs[carries:]
    pairs = list(zip(body.inputs, results, strict=False))
    donated = tuple(
        x
        for x, result in pairs
        if isinstance(result, Operation) and x.type.shape and not {x, result} & {*kept}
    )
    stored: list[int] = []
    if operation.parameters["length"] is not None:
        stored += [index for index, (x, _) in enumerate(pairs) if x in kept]
        stored += range(carries, len(body.outputs))
    return [replace(plain[0], donated=donated, stored=tuple(stored)), *plain[1:]]
