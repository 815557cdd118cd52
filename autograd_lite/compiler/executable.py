"""The program for one signature of a function: from the recorded graph to what is run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_lite.compiler.codegen.cuda_graphs import gathered, runs_of
from autograd_lite.compiler.codegen.emitter import Source, written
from autograd_lite.compiler.codegen.loops import Loop, joined
from autograd_lite.compiler.frontend.captures import Captured
from autograd_lite.compiler.frontend.entry import Entry
from autograd_lite.compiler.frontend.recording import Recorded, name_of
from autograd_lite.compiler.ir import Input, Program, Type
from autograd_lite.compiler.lowering import Form, lowering_of, lowerings_of
from autograd_lite.compiler.options import Options
from autograd_lite.compiler.passes.buffers import Plan, partners, planned
from autograd_lite.compiler.passes.fusion import fused
from autograd_lite.compiler.passes.inlining import primitives_inlined, transparent_functions
from autograd_lite.compiler.passes.simplify import simplified
from autograd_lite.compiler.passes.tiling import UNCUT, Segment, segmented
from autograd_lite.compiler.runtime.backend import Library
from autograd_lite.compiler.runtime.blocks import available_threads
from autograd_lite.core.duck_arrays import is_device_array
from autograd_lite.core.errors import ArgumentValueError, CompileError

__all__ = ["CompiledProgram", "Statistics", "is_array"]

Function = Callable[..., Any]


@dataclass(frozen=True)
class Statistics:
    """What a program costs, known before it runs."""

    operations: int
    """Operations recorded when the function was traced."""
    calls: int
    """Operations left after the passes."""
    buffers: int
    """Preallocated pieces of memory."""
    bytes: int
    """Their bytes."""
    peak: int
    """Those, and all that NumPy allocates during a call, results included."""


class CompiledProgram:
    """The program for one signature, and the prepared functions that run it."""

    def __init__(
        self,
        function: Function,
        recorded: Recorded,
        captured: Captured,
        donated: Sequence[int],
        arguments: Sequence[tuple[str, str]],
        entry: Entry,
        options: Options,
    ) -> None:
        self.function = function
        self.recorded = recorded
        self.library = recorded.library
        self.is_numpys = self.library.is_numpy
        self.captured = captured
        self.donated = donated
        self.arguments = arguments
        self.entry = entry
        self.options = options
        self.checked = not options.check
        check_library(function, self.library, options)
        self._write()
        self.prepare = executed(self.source)
        self.idle: list[Function] = []
        inputs = self.program.inputs
        self.arrays = [i for i, x in enumerate(inputs) if x.type.kind is np.ndarray]
        captured_inputs = inputs[len(inputs) - len(recorded.captured) :]
        self.outside = list(zip(recorded.captured, captured_inputs, strict=True))
        self.is_of_numbers = all(x.type.dtype is None for x in self.program.operations)
        for inlined in transparent_functions(recorded.program):
            captured.add(inlined)

    def _write(self) -> None:
        """From what was recorded to source, by the passes."""
        recorded, options = self.recorded, self.options
        program = simplified(primitives_inlined(recorded.program))
        if options.backend == "numba":
            program = fused(program)
        lowerings = lowerings_of(program, self.library)
        program = gathered(program, lowerings) if options.cuda_graph else program
        blocking = options.blocking if self.library.is_numpy else UNCUT
        self.program, segments = segmented(program, lowerings, blocking, bool(self.donated))
        given = [self.program.inputs[index] for index in self.donated]
        loops: list[Loop] = []
        if options.backend == "numba" and not options.check_finite:
            loops = joined(self.program, segments, partners(self.program.outputs, given))
        plan = planned(
            self.program, lowerings, given, segments, loops, keep_results=options.cuda_graph
        )
        self.source = written(
            self.program,
            lowerings,
            plan,
            getattr(self.function, "__name__", "program"),
            recorded.result,
            options.check_finite,
            segments,
            loops,
            self.library,
            runs_of(self.program, lowerings, plan) if options.cuda_graph else (),
        )
        self.stats = statistics(recorded.program, self.program, plan, segments, loops)

    def in_numpy(self) -> CompiledProgram:
        """The same without loops by Numba."""
        if self.options.backend == "numpy":
            return self
        return CompiledProgram(
            self.function,
            self.recorded,
            self.captured,
            self.donated,
            self.arguments,
            self.entry,
            replace(self.options, backend="numpy"),
        )

    def check_captured(self) -> None:
        change = self.captured.changed()
        if change is not None:
            raise CompileError(
                f"since {name_of(self.function)} was compiled, something that it captures has "
                f"changed: {change}; pass it as an argument, or call .clear() after a change"
            )

    def check_donated(self, leaves: list[Any]) -> None:
        """Refuse a donated array that is read-only, or whose memory another argument looks at."""
        for index in self.donated if self.is_numpys else ():
            if not leaves[index].flags.writeable:
                raise ArgumentValueError(
                    f"the donated argument {self.program.inputs[index].name!r} is read-only; "
                    "pass a writable array, or do not donate it"
                )
        arrays = [leaves[index] for index in self.arrays]
        owners = {id(x if x.base is None else owner_of(x)) for x in arrays}
        if len(owners) < len(arrays):
            refuse_sharing(leaves, self.donated, self.program.inputs, self.library)

    def run(self, leaves: list[Any]) -> Any:
        """Run on the variable leaves of a call; each thread has buffers of its own."""
        for node, variable in self.outside:
            leaves.append(checked_captured(node.data, variable, self.function, self.library))
        if not self.is_numpys:
            leaves = self.library.given(leaves)
        if self.donated:
            self.check_donated(leaves)
        try:
            prepared = self.idle.pop()
        except IndexError:
            prepared = self.prepare()
        try:
            return prepared(*leaves)
        finally:
            self.idle.append(prepared)


def check_library(function: Function, library: Library, options: Options) -> None:
    """Refuse options that go with other arrays than those that there are."""
    if options.cuda_graph and library.is_numpy:
        raise CompileError(
            f"{name_of(function)} is to run as CUDA graphs, but its arrays are NumPy's; "
            "pass arrays of CuPy, or leave cuda_graph=True out"
        )
    if options.backend == "numba" and not library.is_numpy:
        raise CompileError(
            f"{name_of(function)} is to run in loops of Numba, which work on arrays of NumPy, "
            f"but its arrays are those of {library.name}; leave backend='numba' out"
        )


def checked_captured(data: Any, variable: Input, function: Function, library: Library) -> Any:
    of = variable.type
    is_numpys = library.is_numpy and data.__class__ is np.ndarray
    if is_numpys and data.shape == of.shape and data.dtype is of.dtype:
        return data
    if Type.of(data) != of:
        raise CompileError(
            f"{name_of(function)} was compiled for a captured Value {variable.name!r} of type "
            f"{of}, which is now {Type.of(data)}; call .clear() after a change"
        )
    if is_device_array(data) and library.is_numpy:
        raise CompileError(
            f"{name_of(function)} was compiled for arrays of NumPy, but the captured Value "
            f"{variable.name!r} has moved to another library; call .clear() after a move"
        )
    return data


def refuse_sharing(
    leaves: list[Any], donated: Sequence[int], inputs: Sequence[Input], library: Library
) -> None:
    """Refuse donated arrays whose memory another argument looks at."""
    sharing: dict[int, list[int]] = {}
    for index, leaf in enumerate(leaves):
        if is_array(leaf):
            sharing.setdefault(id(owner_of(leaf)), []).append(index)
    for index in donated:
        array = leaves[index]
        for other in sharing[id(owner_of(array))]:
            if other != index and library.own(np.may_share_memory)(array, leaves[other]):
                raise ArgumentValueError(
                    f"the donated argument {inputs[index].name!r} shares memory with "
                    f"{inputs[other].name!r}; pass a copy of one of them"
                )


def owner_of(array: Any) -> Any:
    """What holds the memory that an array looks at."""
    while is_array(array) and array.base is not None:
        array = array.base
    return array


def is_array(x: Any) -> bool:
    return isinstance(x, np.ndarray) or is_device_array(x)


def executed(source: Source) -> Function:
    """Run the text of a program; what it returns prepares buffers and a function to call."""
    names: dict[str, Any] = dict(source.names)
    exec("\n".join([*source.header, *source.body]), names)
    prepare: Function = names["prepare"]
    return prepare


def statistics(
    recorded: Program,
    program: Program,
    plan: Plan,
    segments: Sequence[Segment],
    loops: Sequence[Loop],
) -> Statistics:
    loop_of = {x: loop for loop in loops for x in loop.operations}
    calls = {loop_of.get(x, x) for x in program.operations if x not in plan.static}
    kept = [x for x in program.operations if x not in plan.inner]
    allocated = [x for x in kept if x not in plan.memory and x not in plan.donated]
    fixed = sum(memory.nbytes for memory in plan.pieces)
    fresh = sum(x.type.nbytes for x in allocated if lowering_of(x).form is not Form.VIEW)
    return Statistics(
        operations=len(recorded.operations),
        calls=len(calls),
        buffers=len(plan.pieces),
        bytes=fixed,
        peak=fixed + fresh + max((scratch(segment, plan) for segment in segments), default=0),
    )


def scratch(segment: Segment, plan: Plan) -> int:
    """Bytes that the threads make for the blocks of a segment while it runs."""
    threads = min(segment.threads or available_threads(), segment.count)
    parts = sum(segment.count * x.type.nbytes for x in segment.reductions)
    return parts + threads * sum(memory.nbytes for memory in plan.pieces_of(segment))
