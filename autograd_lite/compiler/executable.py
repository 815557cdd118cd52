"""The program for one signature of a function: from the recorded graph to what is run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_lite.compiler.codegen.driver import execute, write_program
from autograd_lite.compiler.frontend.entry import Entry
from autograd_lite.compiler.frontend.recorded import Recorded
from autograd_lite.compiler.frontend.recording import RandomStates, generators_in, name_of
from autograd_lite.compiler.frontend.signature import strides_of
from autograd_lite.compiler.frontend.verification import MOST_VERIFIED, SECOND
from autograd_lite.compiler.ir import Input, Program, Type, walk
from autograd_lite.compiler.lowering.forms import Form
from autograd_lite.compiler.options import Options
from autograd_lite.compiler.passes.groups import Tile
from autograd_lite.compiler.passes.pipeline import decide, rewrite_all, unwatched
from autograd_lite.compiler.passes.schedule import Plan, Schedule
from autograd_lite.compiler.runtime.backend import NumpyBackend
from autograd_lite.compiler.runtime.blocks import available_threads
from autograd_lite.compiler.validation import Validation
from autograd_lite.core.duck_arrays import is_device_array
from autograd_lite.core.errors import ArgumentValueError, CompileError
from autograd_lite.core.in_place import is_overlapping
from autograd_lite.transforms.bodies import part
from autograd_lite.transforms.captures import Captured
from autograd_lite.transforms.reach import MOST_THINGS

__all__ = [
    "CompiledProgram",
    "Specialization",
    "Statistics",
    "check_unchanged",
    "check_watched",
    "is_array",
]

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
    programs: int = 1
    """Programs that were made for the function, this one among them."""
    reasons: tuple[str, ...] = ()
    """Why each of them was made."""


@dataclass(frozen=True)
class Specialization:
    """A function recorded for one signature, and all else that its program is made from."""

    function: Function
    recorded: Recorded
    captured: Captured
    donated: Sequence[int]
    """The inputs that it writes results into."""
    arguments: Sequence[tuple[str, str | None]]
    """The name of the argument that each variable leaf is of, and the leaf as an expression."""
    entry: Entry
    options: Options

    def with_options(self, **changes: Any) -> Specialization:
        return replace(self, options=replace(self.options, **changes))


class CompiledProgram:
    """The program for one signature, and the prepared functions that run it."""

    def __init__(self, specialization: Specialization) -> None:
        self.specialization = specialization
        self.function = function = specialization.function
        self.recorded = recorded = specialization.recorded
        self.captured = captured = specialization.captured
        self.donated = donated = specialization.donated
        self.arguments = specialization.arguments
        self.entry = specialization.entry
        self.options = options = specialization.options
        self.backend = recorded.backend
        self.moves_arguments = self.backend.moves_arguments
        reached = [*captured.generators, *generators_in(recorded.program)]
        self.generators = list({id(x): x for x in reached}.values())
        self.holds_identities_only = captured.holds_identities_only
        self.calls = 0
        self.next_check: float = 1 if options.check else math.inf
        self.backend.check_options(name_of(function), options.numba, options.cuda_graph)
        given = tuple(recorded.program.inputs[index] for index in donated)
        if options.validate and self.moves_arguments:
            raise ArgumentValueError(
                "compile: validate=True compares with what NumPy computes, and the arguments are "
                "arrays of another library; pass arrays of NumPy, or omit it"
            )
        self.validation = Validation(name_of(function)) if options.validate else None
        watch = unwatched if self.validation is None else self.validation.watch
        rewritten = rewrite_all(recorded.program, watch)
        schedule = Schedule(rewritten, options, self.backend, given)
        if self.validation is not None:
            self.validation.check_decisions(schedule)
        schedule = decide(schedule)
        self.program = schedule.program
        name = getattr(function, "__name__", "program")
        self.source = write_program(schedule, name, recorded.result)
        self.stats = statistics(recorded.program, schedule)
        self.prepare = self.backend.strict(execute(self.source))
        self.idle: list[Function] = []
        inputs = self.program.inputs
        self.arrays = [i for i, x in enumerate(inputs) if x.type.kind is np.ndarray]
        captured_inputs = inputs[len(inputs) - len(recorded.captured) :]
        handles = map(captured.handle_of, recorded.captured)
        self.outside = list(zip(handles, captured_inputs, strict=True))
        self.layouts = self._layouts_outside() if recorded.by_layout else None

    @property
    def compares_numbers(self) -> bool:
        """Whether the function itself runs beside it: here, and in not much more memory."""
        recorded = walk(self.recorded.program)
        needed = sum(x.type.nbytes for x in recorded)
        return not self.moves_arguments and needed <= max(MOST_VERIFIED, 4 * self.stats.peak)

    def plan_next_check(self) -> None:
        """Set the next call at which the function is looked at again: 2, 4, 8, 16, ..."""
        self.next_check = 1 << self.calls.bit_length()
        if self.moves_arguments and self.calls >= SECOND:
            self.next_check = math.inf  # a trace computes where the arrays are

    def in_numpy(self) -> CompiledProgram:
        """The same without loops by Numba."""
        if not self.options.numba:
            return self
        return self.remade(backend="numpy")

    def remade(self, backend: str) -> CompiledProgram:
        """The same recorded program, made in another way."""
        changed = self.specialization.with_options(backend=backend, validate=False)
        return CompiledProgram(changed)

    def become(self, other: CompiledProgram) -> None:
        """Run from the next call on as another program for the same signature does."""
        self.options, self.stats = other.options, other.stats
        self.program, self.source = other.program, other.source
        self.prepare, self.idle = other.prepare, other.idle

    def check_captured(self) -> None:
        """Refuse to run where something that the function reads from outside has changed."""
        if not (self.holds_identities_only and self.captured.guards.hold()):
            check_unchanged(self.function, self.captured)

    def random_states(self) -> RandomStates:
        """How the random generators are that a call may draw from."""
        return RandomStates(self.generators)

    def donated_arrays(self, leaves: list[Any]) -> list[Any]:
        """The arrays that a call with these variable leaves writes results into."""
        inputs = [*leaves, *(handle.node.data for handle, _ in self.outside)]
        donated = [inputs[index] for index in self.donated]
        return [x for x in donated if self.backend.is_writeable(x)]  # others are refused

    def _layouts_outside(self) -> list[Any]:
        return [strides_of(handle.node.data) for handle, _ in self.outside]

    def check_donated(self, leaves: list[Any]) -> None:
        """Refuse a donated array that is read-only, or whose memory another argument looks at."""
        for index in self.donated:
            leaf = leaves[index]
            if leaf.__class__ is np.ndarray and leaf.flags.carray:
                continue  # writable, and nothing lies in one place with something else
            if not self.backend.is_writeable(leaf):
                raise ArgumentValueError(
                    f"the donated argument {self.program.inputs[index].name!r} is read-only; "
                    "pass a writable array, or do not donate it"
                )
            if is_overlapping(leaf):
                raise ArgumentValueError(
                    f"the donated argument {self.program.inputs[index].name!r} shows one number in "
                    "several places, so that it cannot be written to; pass a copy (array.copy())"
                )
        arrays = [leaves[index] for index in self.arrays]
        owners = {id(x if x.base is None else owner_of(x)) for x in arrays}
        if len(owners) < len(arrays):
            refuse_sharing(leaves, self.donated, self.program.inputs, self.backend)

    def run(self, leaves: list[Any]) -> Any:
        """Run on the variable leaves of a call; each thread has buffers of its own."""
        for handle, variable in self.outside:
            data = handle.node.data
            leaves.append(read_captured(data, variable, self.function, self.backend))
        if self.layouts is not None and self.layouts != self._layouts_outside():
            raise CompileError(
                f"{name_of(self.function)} depends on how arrays lie in memory, by what it writes "
                "in place or reads in that order, and a Value that it captures has strides now "
                "that it had not; call .clear() after a change"
            )
        if self.moves_arguments:
            leaves = self.backend.receive(leaves)
        if self.donated:
            self.check_donated(leaves)
        idle = self.idle  # another program may take the place of this one while it runs
        try:
            prepared = idle.pop()
        except IndexError:
            prepared = self.prepare()
        try:
            return prepared(*leaves)
        finally:
            idle.append(prepared)


def check_unchanged(function: Function, captured: Captured) -> None:
    change = captured.changed()
    if change is not None:
        raise CompileError(
            f"since {name_of(function)} was compiled, something that it captures has "
            f"changed: {change}; pass it as an argument, or call .clear() after a change"
        )


def check_watched(function: Function, captured: Captured) -> None:
    """Refuse a function that reads more from outside than can be compared at each call."""
    if captured.beyond is not None:
        raise CompileError(
            f"{name_of(function)} captures {captured.beyond!r}, which leads to more than "
            f"{MOST_THINGS:,} objects, too many to see at each call whether they have changed; "
            "pass what it needs of that as an argument"
        )


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
    base = array.base
    while base is not None and is_array(base):
        array, base = base, base.base
    return array


def is_array(x: Any) -> bool:
    return isinstance(x, np.ndarray) or is_device_array(x)


def statistics(recorded: Program, schedule: Schedule) -> Statistics:
    plan, operations = schedule.plan, schedule.program.operations
    loop_of = {x: loop for loop in schedule.loops for x in loop.operations}
    calls = {loop_of.get(x, x) for x in operations if x not in plan.static}
    kept = [x for x in operations if x not in plan.inner]
    placed = {*plan.memory, *plan.donated}
    allocated = [x for x in kept if x not in placed and x.primitive is not part]
    pieces = list(pieces_of(schedule))
    fixed = sum(pieces)
    lowerings = schedule.lowerings
    fresh = sum(x.type.nbytes for x in allocated if lowerings[x].form is not Form.VIEW)
    return Statistics(
        operations=len(recorded.operations),
        calls=len(calls),
        buffers=len(pieces),
        bytes=fixed,
        peak=fixed + fresh + max((scratch(tile, plan) for tile in schedule.tiles), default=0),
    )


def pieces_of(schedule: Schedule) -> Iterator[int]:
    """The bytes of each buffer, and of what loops keep of their steps."""
    yield from (memory.nbytes for memory in schedule.plan.pieces_of(None))
    for operation, bodies in schedule.bodies.items():
        for body in bodies:
            yield from pieces_of(body)
        length = operation.parameters.get("length") or 0
        first = operation.parameters.get("carries", 0)
        for x in operation.bodies[0].outputs[first:]:
            yield length * (x.type.nbytes if x.type.is_array else BYTES_OF_A_NUMBER)


BYTES_OF_A_NUMBER = 8


def scratch(tile: Tile, plan: Plan) -> int:
    """Bytes that the threads make for the blocks of a tile while it runs."""
    threads = min(tile.threads or available_threads(), tile.count)
    parts = sum(tile.count * x.type.nbytes for x in tile.reductions)
    return parts + threads * sum(memory.nbytes for memory in plan.pieces_of(tile))
