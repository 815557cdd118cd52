"""The program for one signature of a function: from the recorded graph to what is run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_lite.compiler.codegen.driver import write_program
from autograd_lite.compiler.codegen.emitter import Source
from autograd_lite.compiler.frontend.captures import Captured
from autograd_lite.compiler.frontend.entry import Entry
from autograd_lite.compiler.frontend.recording import Recorded, name_of
from autograd_lite.compiler.ir import Input, Program, Type
from autograd_lite.compiler.lowering.forms import Form
from autograd_lite.compiler.options import Options
from autograd_lite.compiler.passes.groups import Tile
from autograd_lite.compiler.passes.inline import transparent_functions
from autograd_lite.compiler.passes.pipeline import run_passes
from autograd_lite.compiler.passes.schedule import Plan, Schedule
from autograd_lite.compiler.runtime.backend import NumpyBackend
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
        self.backend = recorded.backend
        self.moves_arguments = self.backend.moves_arguments
        self.captured = captured
        self.donated = donated
        self.arguments = arguments
        self.entry = entry
        self.options = options
        self.checked = not options.check
        self.backend.check_options(name_of(function), options.numba, options.cuda_graph)
        given = tuple(recorded.program.inputs[index] for index in donated)
        schedule = run_passes(Schedule(recorded.program, options, self.backend, given))
        self.program = schedule.program
        name = getattr(function, "__name__", "program")
        self.source = write_program(schedule, name, recorded.result)
        self.stats = statistics(recorded.program, schedule)
        self.prepare = execute(self.source)
        self.idle: list[Function] = []
        inputs = self.program.inputs
        self.arrays = [i for i, x in enumerate(inputs) if x.type.kind is np.ndarray]
        captured_inputs = inputs[len(inputs) - len(recorded.captured) :]
        self.outside = list(zip(recorded.captured, captured_inputs, strict=True))
        self.is_of_numbers = all(x.type.dtype is None for x in self.program.operations)
        for inlined in transparent_functions(recorded.program):
            captured.add(inlined)

    def in_numpy(self) -> CompiledProgram:
        """The same without loops by Numba."""
        if not self.options.numba:
            return self
        options = replace(self.options, backend="numpy")
        recorded, captured, donated = self.recorded, self.captured, self.donated
        made_of = (recorded, captured, donated, self.arguments, self.entry, options)
        return CompiledProgram(self.function, *made_of)

    def check_captured(self) -> None:
        change = self.captured.changed()
        if change is not None:
            raise CompileError(
                f"since {name_of(self.function)} was compiled, something that it captures has "
                f"changed: {change}; pass it as an argument, or call .clear() after a change"
            )

    def check_donated(self, leaves: list[Any]) -> None:
        """Refuse a donated array that is read-only, or whose memory another argument looks at."""
        for index in self.donated:
            if not self.backend.is_writeable(leaves[index]):
                raise ArgumentValueError(
                    f"the donated argument {self.program.inputs[index].name!r} is read-only; "
                    "pass a writable array, or do not donate it"
                )
        arrays = [leaves[index] for index in self.arrays]
        owners = {id(x if x.base is None else owner_of(x)) for x in arrays}
        if len(owners) < len(arrays):
            refuse_sharing(leaves, self.donated, self.program.inputs, self.backend)

    def run(self, leaves: list[Any]) -> Any:
        """Run on the variable leaves of a call; each thread has buffers of its own."""
        for node, variable in self.outside:
            leaves.append(read_captured(node.data, variable, self.function, self.backend))
        if self.moves_arguments:
            leaves = self.backend.receive(leaves)
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


def read_captured(data: Any, variable: Input, function: Function, backend: NumpyBackend) -> Any:
    of = variable.type
    if data.__class__ is np.ndarray and data.shape == of.shape and data.dtype is of.dtype:
        return data
    if Type.of(data) != of:
        raise CompileError(
            f"{name_of(function)} was compiled for a captured Value {variable.name!r} of type "
            f"{of}, which is now {Type.of(data)}; call .clear() after a change"
        )
    if not backend.accepts(data):
        raise CompileError(
            f"{name_of(function)} was compiled for arrays of NumPy, but the captured Value "
            f"{variable.name!r} has moved to another library; call .clear() after a move"
        )
    return data


def refuse_sharing(
    leaves: list[Any], donated: Sequence[int], inputs: Sequence[Input], backend: NumpyBackend
) -> None:
    """Refuse donated arrays whose memory another argument looks at."""
    sharing: dict[int, list[int]] = {}
    for index, leaf in enumerate(leaves):
        if is_array(leaf):
            sharing.setdefault(id(owner_of(leaf)), []).append(index)
    for index in donated:
        array = leaves[index]
        for other in sharing[id(owner_of(array))]:
            if other != index and backend.own(np.may_share_memory)(array, leaves[other]):
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


def execute(source: Source) -> Function:
    """Run the text of a program; what it returns prepares buffers and a function to call."""
    names: dict[str, Any] = dict(source.names)
    exec("\n".join([*source.header, *source.body]), names)
    prepare: Function = names["prepare"]
    return prepare


def statistics(recorded: Program, schedule: Schedule) -> Statistics:
    plan, operations = schedule.plan, schedule.program.operations
    loop_of = {x: loop for loop in schedule.loops for x in loop.operations}
    calls = {loop_of.get(x, x) for x in operations if x not in plan.static}
    kept = [x for x in operations if x not in plan.inner]
    allocated = [x for x in kept if x not in plan.memory and x not in plan.donated]
    pieces = plan.pieces_of(None)
    fixed = sum(memory.nbytes for memory in pieces)
    lowerings = schedule.lowerings
    fresh = sum(x.type.nbytes for x in allocated if lowerings[x].form is not Form.VIEW)
    return Statistics(
        operations=len(recorded.operations),
        calls=len(calls),
        buffers=len(pieces),
        bytes=fixed,
        peak=fixed + fresh + max((scratch(tile, plan) for tile in schedule.tiles), default=0),
    )


def scratch(tile: Tile, plan: Plan) -> int:
    """Bytes that the threads make for the blocks of a tile while it runs."""
    threads = min(tile.threads or available_threads(), tile.count)
    parts = sum(tile.count * x.type.nbytes for x in tile.reductions)
    return parts + threads * sum(memory.nbytes for memory in plan.pieces_of(tile))
