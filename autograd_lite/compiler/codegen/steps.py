"""The source of a loop that Numba compiles whole: a generalised ufunc that makes all steps."""

from __future__ import annotations

from functools import cache
from itertools import count
from typing import Any

import numpy as np

from autograd_lite.compiler.codegen.loops import contiguous
from autograd_lite.compiler.codegen.operations import OperationWriter
from autograd_lite.compiler.ir import Operation
from autograd_lite.compiler.lowering.formulas import loop_names
from autograd_lite.compiler.lowering.steps import Steps, types_of
from autograd_lite.compiler.runtime.numba_math import numba_module

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
    types = tuple(f"{dtype}[{', '.join(':' * axes)}]" for dtype, axes in types_of(steps))
    outputs = tuple(i for i, x in enumerate(steps.arguments) if isinstance(x, int))
    ufunc = compile_steps(steps.text, types, outputs)
    decorator = f"@guvectorize(writable_args={outputs})"
    name = emitter.define(ufunc, f"{decorator}\n{steps.text}")
    write.enter(operation)
    silent = f"with {emitter.function(np.errstate)}(all='ignore'):" if steps.is_silent else ""
    emitter.extend([f"{name}({', '.join(arguments)})"], silent)
    write.parts[operation] = results


@cache
def compile_steps(text: str, types: tuple[str, ...], outputs: tuple[int, ...]) -> Any:
    """The generalised ufunc of a loop; the same text is compiled once.

    NumPy looks after each call of a ufunc whether there were errors of floating-point
    arithmetic, and warns of them as it does elsewhere.
    """
    numba = numba_module()
    names = loop_names() | {"contiguous": contiguous()}
    exec(text, names)
    names["steps"] = numba.njit(error_model="numpy")(names["loop"])
    given = [f"x{number + 1}" for number in range(len(types))]
    called = ", ".join(f"contiguous({x})" for x in given)
    exec(f"def loop({', '.join(given)}): steps({called})", names)
    axes = map("d{}".format, count())
    layout = ",".join(f"({','.join(next(axes) for _ in range(of.count(':')))})" for of in types)
    signature = f"void({', '.join(types)})"
    return numba.guvectorize([signature], layout, writable_args=outputs)(names["loop"]).ufunc
