"""The source of a segment: a function that computes one block, and the line that runs them all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from autograd_lite.compiler.ir import Constant, Input, Operation, Type
from autograd_lite.compiler.lowering import reduction_lowering
from autograd_lite.compiler.passes.tiling import Segment
from autograd_lite.compiler.runtime.blocks import run_blocks

if TYPE_CHECKING:
    from autograd_lite.compiler.codegen.emitter import SourceWriter

__all__ = ["SegmentWriter"]


class SegmentWriter:
    """Writes one segment into the source of a program.

    ``segment1(length, x, out)`` makes buffers for blocks of a length, and returns
    ``block(start, stop)``, which computes the rows from ``start`` to ``stop``.
    Each thread that takes blocks calls it once.
    """

    def __init__(self, source: SourceWriter, segment: Segment) -> None:
        self.source = source
        self.segment = segment
        self.operations = segment.operations
        self.arrays: dict[str, Type] = {}
        """What the block reads or writes, by the names that the function has for it."""
        self.parts: dict[Operation, Input] = {}
        """What the blocks leave of each reduction, one part each."""

    def write(self) -> None:
        source, segment = self.source, self.segment
        for x in segment.arrays:
            self.arrays[source.operand(x)] = x.type
        for operation in segment.operations:
            if operation in segment.reductions:
                self._make_parts(operation)
            elif operation in segment.escaping:
                self._make_result(operation)
        name = source.numbered("segment")
        source.functions += self.function(name)
        run = source.function(run_blocks)
        size = [str(segment.length), str(segment.size)]
        arguments = [name, *size, *map(self._argument, self.arrays)]
        arguments += [] if segment.threads is None else [f"threads={segment.threads}"]
        source.lines.append(f"{run}({', '.join(arguments)})")
        for operation, parts in self.parts.items():
            whole = replace(operation, operands=(parts,), parameters={"axis": 0})
            source.write_lines(operation, whole)

    # What is there outside of the block.

    def _make_result(self, operation: Operation) -> None:
        """The array that a result of the segment is written into, whole."""
        self.arrays[self.source.result_array(operation)] = operation.type

    def _make_parts(self, operation: Operation) -> None:
        """An array with a place for each block's part of a reduction."""
        source = self.source
        shape = (self.segment.count, *operation.type.shape)
        of = Type(np.ndarray, shape, operation.type.dtype)
        parts = self.parts[operation] = Input(f"{operation.primitive.name}_parts", of)
        name = source.texts[parts] = source.fresh(parts.name)
        source.lines.append(f"{name} = {source.empty(of.shape, of.dtype)}")
        self.arrays[name] = of

    def _argument(self, name: str) -> str:
        """An array as the block wants it: with the leading axes made one."""
        of, segment = self.arrays[name], self.segment
        if segment.leading == 1 or self._is_parts(name):
            return name
        if not segment.is_cut(of) and len(of.shape) <= len(segment.shape) - segment.leading:
            return name
        return f"{name}.reshape({segment.merged(of)})"

    def _is_parts(self, name: str) -> bool:
        return any(self.source.texts[parts] == name for parts in self.parts.values())

    # The block.

    def function(self, name: str) -> list[str]:
        """The lines of the function that makes the block."""
        with self._inside() as (names, lines):
            for operation in self.segment.operations:
                loop = self.source.loops.get(operation)
                if loop is None:
                    self.source.enter(operation)
                    self._write_operation(operation)
                elif operation is loop.operations[0]:
                    loop.write(len(self.segment.shape) - self.segment.leading + 1)
        buffers = self.source.declarations(self.segment)
        return [
            f"def {name}({', '.join(['length', *self.arrays])}):",
            *(f"    {line}" for line in buffers),
            *([""] if buffers else []),
            "    def block(start, stop):",
            *(f"        {line}" for line in (*names, *lines)),
            "",
            "    return block",
            "",
        ]

    @contextmanager
    def _inside(self) -> Iterator[tuple[list[str], list[str]]]:
        """Within the block, arrays go by the name of the part that the block sees."""
        source = self.source
        outside, source.lines = source.lines, []
        texts, source.texts = source.texts, dict(source.texts)
        seen: dict[str, str] = {}
        lines = []
        for name, of in self.arrays.items():
            if self._is_parts(name):
                seen[name] = source.fresh(name.replace("parts", "part"))
                lines.append(f"{seen[name]} = {name}[start // {self.segment.size}, ...]")
            elif self.segment.is_cut(of):
                seen[name] = source.named_once(("block", name), f"{name}_block")
                lines.append(f"{seen[name]} = {name}[start:stop]")
        for x in (*self.segment.arrays, *self.segment.operations, *self.parts.values()):
            if isinstance(x, Constant) or x in source.texts:
                name = source.operand(x)
                source.texts[x] = seen.get(name, name)
        try:
            yield lines, source.lines
        finally:
            source.lines, source.texts = outside, texts

    def _write_operation(self, operation: Operation) -> None:
        source, segment = self.source, self.segment
        lowering = source.lowerings[operation]
        out: str | None
        if operation in segment.reductions:
            assert lowering.reduces is not None
            out = source.texts[self.parts[operation]]
            reduced = segment.in_block(operation)
            chosen = reduction_lowering(lowering.reduces)(reduced)
            assert chosen is not None
            lines = chosen.lines(source, reduced, out)
        else:
            out = source.texts.get(operation) or source.out(operation)
            assert out is not None
            inner = segment.in_block(operation) if operation in segment.axes else operation
            lines = lowering.lines(source, inner, out)
        source.texts[operation] = out
        source.add(operation, lines)
