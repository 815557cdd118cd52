"""The source of a loop that Numba compiles whole: a generalised ufunc that makes all steps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import numpy as np

from autograd_lite.compiler.codegen.operations import OperationWriter
from autograd_lite.compiler.ir import Operation
from autograd_lite.compiler.lowering.formulas import FLOAT
from autograd_lite.compiler.lowering.steps import Steps, types_of
from autograd_lite.compiler.runtime.machine_code import LoopCode, ufunc_of

__all__ = ["write_steps"]


def write_steps(write: OperationWriter, operation: Operation, steps: Steps) -> None:
    """Write the call of a compiled loop, and the arrays that its results lie in."""
    emitter = write.emitter
    body, carries = operation.bodies[0], operation.parameters["carries"]
    in_order = emitter.function(np.ascontiguousarray)
    arguments: list[str] = []
    results: list[str] = []
    for x in steps.arguments:
        if not isinstance(x, int):
            arguments.append(f"{in_order}({emitter.operand(x)})")
            continue
        of = body.outputs[x].type
        shape = (steps.length, *of.shape) if x >= carries else of.shape or (1,)
        name = emitter.fresh("steps" if x >= carries else "carry")
        emitter.prelude.append(f"{name} = {write.empty(shape, of.dtype)}")
        arguments.append(name)
        results.append(f"{name}[0]" if x < carries and not of.shape else name)
    if steps.nbytes:
        arguments.append(emitter.fresh("memory"))
        emitter.prelude.append(f"{arguments[-1]} = {write.empty((steps.nbytes // 8,), FLOAT)}")
    types = [f"{dtype}[{', '.join(':' * axes)}]" for dtype, axes in types_of(steps)]
    outputs = tuple(i for i, x in enumerate(steps.arguments) if isinstance(x, int))
    if steps.nbytes:
        types.append("float64[:]")
        outputs = (*outputs, len(types) - 1)
    ufunc = ufunc_of(code_of(steps.text, types, outputs))
    decorator = f"@guvectorize(writable_args={outputs})"
    name = emitter.define(ufunc, f"{decorator}\n{steps.text}")
    write.enter(operation)
    silent = f"with {emitter.function(np.errstate)}(all='ignore'):" if steps.is_silent else ""
    emitter.extend([f"{name}({', '.join(arguments)})"], silent)
    write.parts[operation] = results


def code_of(text: str, types: Sequence[str], outputs: tuple[int, ...]) -> LoopCode:
    """The code of the generalised ufunc of a loop.

    NumPy looks after each call of a ufunc whether there were errors of floating-point
    arithmetic, and warns of them as it does elsewhere.
    """
    given = [f"x{number + 1}" for number in range(len(types))]
    called = ", ".join(f"contiguous({x})" for x in given)
    outer = f"def loop({', '.join(given)}): inner({called})"
    axes = map("d{}".format, count())
    layout = ",".join(f"({','.join(next(axes) for _ in range(of.count(':')))})" for of in types)
    return LoopCode(text, outer, tuple(types), "void", layout, outputs, is_inlined=False)
