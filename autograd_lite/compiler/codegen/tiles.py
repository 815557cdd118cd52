"""The source of a tile: a function that computes one block, and the line that runs them all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from autograd_lite.compiler.codegen.loops import write_loop
from autograd_lite.compiler.codegen.operations import OperationWriter
from autograd_lite.compiler.ir import Input, Operand, Operation, Type
from autograd_lite.compiler.lowering.calls import reduce_by
from autograd_lite.compiler.passes.groups import Tile
from autograd_lite.compiler.runtime.blocks import run_blocks

__all__ = ["write_tile"]


def write_tile(write: OperationWriter, tile: Tile) -> None:
    TileWriter(write, tile).write_tile()


class TileWriter:
    """Writes one tile into the source of a program.

    ``segment1(length, x, out)`` makes buffers for blocks of a length, and returns
    ``block(start, stop)``, which computes the rows from ``start`` to ``stop``.
    Each thread that takes blocks calls it once.
    """

    def __init__(self, write: OperationWriter, tile: Tile) -> None:
        self.write = write
        self.emitter = write.emitter
        self.tile = tile
        self.arrays: dict[str, Type] = {}
        """What the block reads or writes, by the names that the function has for it."""
        self.parts: dict[Operation, Input] = {}
        """What the blocks leave of each reduction, one part each."""

    def write_tile(self) -> None:
        emitter, tile = self.emitter, self.tile
        for x in tile.arrays:
            self.arrays[emitter.operand(x)] = x.type
        for operation in tile.operations:
            if operation in tile.reductions:
                self._make_parts(operation)
            elif operation in tile.escaping:
                self.arrays[self.write.result_array(operation)] = operation.type
        name = emitter.fresh_numbered("segment")
        emitter.functions += self.function(name)
        run = emitter.function(run_blocks)
        size = [str(tile.length), str(tile.size)]
        arguments = [name, *size, *map(self._argument, self.arrays)]
        arguments += [] if tile.threads is None else [f"threads={tile.threads}"]
        emitter.lines.append(f"{run}({', '.join(arguments)})")
        for operation, parts in self.parts.items():
            whole = replace(operation, operands=(parts,), parameters={"axis": 0})
            self.write.write_as(operation, whole)

    # What is there outside of the block.

    def _make_parts(self, operation: Operation) -> None:
        """An array with a place for each block's part of a reduction."""
        emitter = self.emitter
        shape = (self.tile.count, *operation.type.shape)
        of = Type(np.ndarray, shape, operation.type.dtype)
        parts = self.parts[operation] = Input(f"{operation.primitive.name}_parts", of)
        name = emitter.texts[parts] = emitter.fresh(parts.name)
        emitter.lines.append(f"{name} = {self.write.empty(of.shape, of.dtype)}")
        self.arrays[name] = of

    def _argument(self, name: str) -> str:
        """An array as the block wants it: with the leading axes made one."""
        of, tile = self.arrays[name], self.tile
        if tile.leading == 1 or self._is_parts(name):
            return name
        if not tile.is_cut(of) and len(of.shape) <= len(tile.shape) - tile.leading:
            return name
        return f"{name}.reshape({tile.merged(of)})"

    def _is_parts(self, name: str) -> bool:
        return any(self.emitter.texts[parts] == name for parts in self.parts.values())

    # The block.

    def function(self, name: str) -> list[str]:
        """The lines of the function that makes the block."""
        tile, loops = self.tile, self.write.loops
        names, texts = self._inside()
        with self.emitter.scope(texts) as lines:
            for operation in tile.operations:
                loop = loops.get(operation)
                if loop is None:
                    self.write.enter(operation)
                    self._write_operation(operation)
                elif operation is loop.operations[0]:
                    write_loop(self.write, loop, len(tile.shape) - tile.leading + 1)
        buffers = self.write.declare(tile)
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

    def _inside(self) -> tuple[list[str], dict[Operand, str]]:
        """Within the block, arrays go by the name of the part that the block sees.

        Returns the lines that name these parts, and the texts of operands in the block.
        """
        emitter, tile = self.emitter, self.tile
        seen: dict[str, str] = {}
        lines = []
        for name, of in self.arrays.items():
            if self._is_parts(name):
                seen[name] = emitter.fresh(name.replace("parts", "part"))
                lines.append(f"{seen[name]} = {name}[start // {tile.size}, ...]")
            elif tile.is_cut(of):
                seen[name] = emitter.name_once(("block", name), f"{name}_block")
                lines.append(f"{seen[name]} = {name}[start:stop]")
        texts: dict[Operand, str] = {}
        for x in (*tile.arrays, *tile.operations, *self.parts.values()):
            if emitter.is_known(x):
                name = emitter.operand(x)
                texts[x] = seen.get(name, name)
        return lines, texts

    def _write_operation(self, operation: Operation) -> None:
        emitter, tile = self.emitter, self.tile
        lowering = self.write.lowerings[operation]
        out: str | None
        if operation in tile.reductions:
            assert lowering.reduces is not None
            out = emitter.texts[self.parts[operation]]
            in_block = tile.in_block(operation)
            chosen = reduce_by(lowering.reduces, in_block)
            assert chosen is not None
            lines = chosen.lines(emitter, in_block, out)
        else:
            out = emitter.texts.get(operation) or self.write.out(operation)
            assert out is not None
            inner = tile.in_block(operation) if operation in tile.axes else operation
            lines = lowering.lines(emitter, inner, out)
        emitter.texts[operation] = out
        self.write.add(operation, lines)
