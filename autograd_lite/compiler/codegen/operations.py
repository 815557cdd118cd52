"""Operations: the lines that compute them one by one, and the memory that results lie in."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import numpy as np

from autograd_lite.compiler.codegen.emitter import Emitter, identifier
from autograd_lite.compiler.ir import Operand, Operation
from autograd_lite.compiler.lowering.forms import Form
from autograd_lite.compiler.passes.groups import Tile
from autograd_lite.compiler.passes.schedule import Memory, Schedule, layout_of
from autograd_lite.core.errors import NonFiniteError
from autograd_lite.ops import elementwise
from autograd_lite.random import Draw
from autograd_lite.transforms.bodies import part

__all__ = ["OperationWriter"]

LONGEST_INLINED = 60
"""Characters of an expression of Python numbers that is written into the line that needs it."""


class OperationWriter:
    """Writes the operations of a schedule, and names the memory of their results."""

    def __init__(self, emitter: Emitter, schedule: Schedule) -> None:
        self.emitter = emitter
        self.schedule = schedule
        self.plan = schedule.plan
        self.lowerings = schedule.lowerings
        self.loops = {x: loop for loop in schedule.loops for x in loop.operations}
        self.check_finite = schedule.options.check_finite
        self.inlined = set() if self.check_finite else used_once(schedule)
        self.places: dict[tuple[Memory, Any], str] = {}
        """One name for each piece of memory and each shape and dtype that it is used in."""
        self.rows: dict[Operation, str] = {}
        """In a body: results that are written into a row of an array, which has this name."""
        self.parts: dict[Operand, list[str]] = {}
        """What the results of loops and branches are called."""
        for operation, memory in self.plan.memory.items():
            key = (memory, layout_of(self.plan.type_in_memory(operation)))
            if key not in self.places:
                self.places[key] = self.result_name(operation)

    def result_name(self, operation: Operation) -> str:
        """The user's label; or what the operation is called and a number: tanh1, tanh2, ..."""
        if operation.name:
            return self.emitter.fresh(operation.name)
        return self.emitter.fresh_numbered(identifier(operation.primitive.name))

    # Memory.

    def declare(self, tile: Tile | None) -> list[str]:
        """The lines that make the buffers of a tile, or of the whole program."""
        emitter = self.emitter
        lines = []
        for memory in self.plan.pieces_of(tile):
            layouts = list(dict.fromkeys(map(layout_of, memory.tenants)))
            names = [self.places[memory, layout] for layout in layouts]
            if len(layouts) == 1:
                lines.append(f"{names[0]} = {self.empty(*layouts[0], tile)}")
                continue
            whole, byte = emitter.fresh("memory"), emitter.function(np.uint8)
            lines.append(f"{whole} = {emitter.function(np.empty)}({memory.nbytes}, {byte})")
            for name, (shape, dtype) in zip(names, layouts, strict=True):
                nbytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
                lines.append(
                    f"{name} = {whole}[:{nbytes}].view({emitter.literal(dtype)}).reshape({shape})"
                )
        return lines

    def empty(self, shape: Any, dtype: Any, tile: Tile | None = None) -> str:
        """A new array; in a tile, as many rows of it as a block has."""
        text = str(shape)
        if tile is not None:
            text = f"({', '.join(['length', *map(str, shape[1:])])}{',' * (len(shape) == 1)})"
        return f"{self.emitter.function(np.empty)}({text}, {self.emitter.literal(dtype)})"

    def out(self, operation: Operation) -> str | None:
        """The name of what an operation writes into; None if it makes its result."""
        if operation in self.rows:
            return self.rows[operation]
        if operation in self.plan.memory:
            layout = layout_of(self.plan.type_in_memory(operation))
            return self.places[self.plan.memory[operation], layout]
        if operation in self.plan.donated:
            return self.emitter.texts[self.plan.donated[operation]]
        return None

    def result_array(self, operation: Operation) -> str:
        """The array that a result is written into, whole; made here if there is none."""
        emitter = self.emitter
        name = emitter.texts.get(operation) or self.out(operation)
        if name is None:
            name = self.result_name(operation)
            of = operation.type
            emitter.lines.append(f"{name} = {self.empty(of.shape, of.dtype)}")
        emitter.texts[operation] = name
        return name

    # Lines.

    def enter(self, operation: Operation) -> None:
        self.emitter.enter(operation.origin.section)

    def write(self, operation: Operation) -> None:
        """Compute an operation; or make it beforehand, if it is a view of a buffer."""
        if operation in self.plan.static:
            name = self.result_name(operation)
            (text,) = self.lowerings[operation].lines(self.emitter, operation, None)
            self.emitter.prelude.append(f"{name} = {text}")
            self.emitter.texts[operation] = name
            return
        if operation.primitive is part:
            names = self.parts[operation.operands[0]]
            self.emitter.texts[operation] = names[operation.parameters["index"]]
            return
        self.enter(operation)
        self.write_as(operation, operation)

    def write_as(self, operation: Operation, how: Operation) -> None:
        """Compute an operation in the way of another one, which gives the same."""
        texts = self.emitter.texts
        out = self.out(operation)
        lines = self.lowerings[operation].lines(self.emitter, how, out)
        if operation in self.inlined and len(lines[0]) <= LONGEST_INLINED:
            texts[operation] = f"({lines[0]})"
            return
        if out is None:
            out = self.result_name(operation)
            lines = [f"{out} = {lines[0]}"]
        texts[operation] = out
        self.add(operation, lines)

    def owned(self, x: Operand, is_returned: bool) -> str:
        """An output as text: an array that nobody else has, which it is or is copied to."""
        text = self.emitter.operand(x)
        if not is_returned and is_owned(x, self.schedule):
            return text
        is_scalar = x.type.kind is np.generic and self.schedule.backend.has_scalars
        copy = self.emitter.function(np.asarray if is_scalar else np.array)
        return f"{copy}({text}){'[()]' * is_scalar}"

    def add(self, operation: Operation, lines: list[str]) -> None:
        """Lines that compute an operation, with what is to be known of its result."""
        emitter = self.emitter
        lines = [f"{lines[0]}{comment(operation)}", *lines[1:]]
        emitter.extend(lines, self._errstate(operation))
        if self.check_finite and operation.type.dtype is not None:
            name, out = emitter.function(checked_finite), emitter.texts[operation]
            emitter.lines.append(f"{name}({out}, {str(operation)!r})")

    def _errstate(self, operation: Operation) -> str:
        """The `numpy.errstate` that an operation was recorded in, if any."""
        errstate = operation.origin.errstate
        if not errstate or self.lowerings[operation].form is Form.SCALAR:
            return ""
        arguments = ", ".join(f"{kind}={how!r}" for kind, how in errstate)
        if len(errstate) == len(np.geterr()) and len({how for _, how in errstate}) == 1:
            arguments = f"all={errstate[0][1]!r}"
        return f"with {self.emitter.function(np.errstate)}({arguments}):"


def is_owned(x: Operand, schedule: Schedule) -> bool:
    """Whether it is an array of its own, no buffer and no view of one; or a Python number."""
    if x.type.dtype is None:
        return True
    if not isinstance(x, Operation) or schedule.lowerings[x].form is not Form.OUT:
        return False
    if x in schedule.plan.memory:
        return False
    return x.type.kind is np.generic or bool(x.type.shape)


def used_once(schedule: Schedule) -> set[Operation]:
    """Numbers that a single line of the same section needs: they may be written into it.

    Not random draws: in that line they would come after others that were made before it; nor what
    reads an array, whose memory may be another's by then.
    """
    program, lowerings = schedule.program, schedule.lowerings
    uses = Counter(x for operation in program.operations for x in operation.operands)
    uses.update(program.outputs)
    return {
        x
        for operation in program.operations
        if operation.primitive is not elementwise.relu  # it names its operand twice
        for x in operation.operands
        if isinstance(x, Operation)
        and not isinstance(x.primitive, Draw)
        and lowerings[x].form is Form.SCALAR
        and uses[x] == 1
        and not any(isinstance(y, Operation) and y.type.dtype is not None for y in x.operands)
        and x.origin.section == operation.origin.section
    }


def checked_finite(result: Any, operation: str) -> None:
    """Raise an error that names the operation if a result holds NaN or infinity."""
    if not np.all(np.isfinite(result)):
        raise NonFiniteError(f"the result of {operation} holds NaN or infinity")


def comment(operation: Operation) -> str:
    """The shape of a result, and the line of the user's that it was computed in."""
    origin = operation.origin
    place = f"  {os.path.basename(origin.file)}:{origin.line}" if origin.file else ""
    return f"  # {operation.type}{place}"
