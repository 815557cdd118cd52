"""Runs of operations that a GPU repeats as one CUDA graph.

A kernel on a small array takes less time than Python needs to launch it.  CuPy
can capture the launches of elementwise functions and reductions; it refuses to
capture calls of cuBLAS and the like, and arrays allocated meanwhile would not
stay.  So a graph holds a run of operations between such calls, all of which
write into buffers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from autograd_lite.compiler.ir import Constant, Input, Operand, Operation, Program
from autograd_lite.compiler.lowering import Form, Lowering
from autograd_lite.compiler.passes.buffers import Plan
from autograd_lite.compiler.runtime.backend import imported_from

if TYPE_CHECKING:
    from autograd_lite.compiler.codegen.emitter import SourceWriter

__all__ = ["Run", "RunWriter", "gathered", "runs_of"]

Lowerings = dict[Operation, Lowering]

FEWEST = 2
"""Kernels that make a graph worthwhile: launching it costs as much as launching one of them."""


@dataclass(eq=False)
class Run:
    """Operations in order, captured together."""

    operations: tuple[Operation, ...]

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The arrays among the program's inputs that they read."""
        read = (x for operation in self.operations for x in operation.operands)
        arrays = (x for x in read if isinstance(x, Input) and x.type.is_array)
        return tuple(dict.fromkeys(arrays))


def gathered(program: Program, lowerings: Lowerings) -> Program:
    """Let what no graph can hold go first where it may, so that runs are long.

    Arithmetic on Python's own numbers always may: a graph would repeat its results.
    """
    order: list[Operation] = []
    run: dict[Operation, None] = {}
    for operation in program.operations:
        lowering = lowerings[operation]
        waits = any(x in run for x in operation.operands)
        if has_kernel(operation, lowering) or (waits and lowering.form is Form.VIEW):
            run[operation] = None
            continue
        if waits:
            order += run
            run = {}
        order.append(operation)
    return replace(program, operations=(*order, *run))


def has_kernel(operation: Operation, lowering: Lowering) -> bool:
    """Whether it is computed by a kernel of the library's own, not by one of SciPy's say."""
    function = operation.primitive.forward
    foreign = isinstance(function, np.ufunc) and imported_from(function) is None
    return (lowering.elementwise or lowering.reduces is not None) and not foreign


def runs_of(program: Program, lowerings: Lowerings, plan: Plan) -> list[Run]:
    """The runs of a program whose results all lie in buffers."""
    return [
        Run(tuple(group))
        for group in grouped(program, lowerings, plan)
        if sum(x not in plan.static for x in group) >= FEWEST
    ]


def grouped(program: Program, lowerings: Lowerings, plan: Plan) -> Iterator[list[Operation]]:
    group: list[Operation] = []
    for operation in program.operations:
        if operation in plan.static or is_capturable(operation, lowerings[operation], plan):
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


class RunWriter:
    """Writes one run into the source of a program.

    ``graph1()`` is a function of the buffers, made once.  Arguments that it reads are
    copied into buffers of their own before.
    """

    def __init__(self, source: SourceWriter, run: Run) -> None:
        self.source = source
        self.run = run
        self.operations = run.operations

    def write(self) -> None:
        source = self.source
        texts = dict(source.texts)
        for x in self.run.inputs:
            source.texts[x] = self._given(x)
        outside, source.lines = source.lines, []
        for operation in self.run.operations:
            source.write_operation(operation)
        lines, source.lines = source.lines, outside
        name = source.numbered("graph")
        replayed = source.named("replayed", "replayed", source.library.replayed)
        source.functions += [f"@{replayed}", f"def {name}():", *(f"    {x}" for x in lines), ""]
        source.lines.append(f"{name}()")
        for x in self.run.inputs:
            source.texts[x] = texts[x]

    def _given(self, x: Input) -> str:
        """The buffer that an argument is copied into, once in a call."""
        source = self.source
        key = ("given", x)
        if key not in source.keys:
            name = source.named_once(key, f"{source.texts[x]}_given")
            source.prelude.append(f"{name} = {source.empty(x.type.shape, x.type.dtype)}")
            source.lines.append(f"{source.function(np.copyto)}({name}, {source.texts[x]})")
        return source.keys[key]
