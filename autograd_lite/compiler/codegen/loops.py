"""Joined loops: elementwise operations, one after the other, made one loop with several results.

What fusion leaves apart, because more than one operation uses it or the caller
wants it, passes over memory several times.  Here such operations share a loop:
each array is read once, and a result may lie where an operand of its element
was.  Numba compiles the loop to a generalised ufunc, which writes into its
arguments.
"""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from math import prod
from typing import TYPE_CHECKING, Any

from autograd_lite.compiler.ir import Input, Operand, Operation, Program
from autograd_lite.compiler.passes.fusion import (
    ELEMENTARY,
    FLOAT,
    LARGE,
    MOST_CALLS,
    Fused,
    LoopText,
    has_formula,
    is_varying,
    loop_names,
    number_name,
    parts_of,
)
from autograd_lite.compiler.passes.tiling import Segment
from autograd_lite.compiler.runtime.numba_math import numba_module

if TYPE_CHECKING:
    from autograd_lite.compiler.codegen.emitter import SourceWriter

__all__ = ["Loop", "LoopWriter", "joined"]

LEAST_ROW = 8
"""Numbers along the last axis: the loop is entered anew for every row."""

MOST_OPERATIONS = 24

MOST_PAIRS = 8
"""Of arrays, one of them written, that may lie over each other: so many LLVM compares before
it computes on vectors, and with more it does not."""


@dataclass(eq=False)
class Loop:
    """Operations in order, all computed for an element before the next one is looked at."""

    operations: tuple[Operation, ...]
    escaping: tuple[Operation, ...]
    """Those whose result somebody outside wants; the others are numbers of the loop."""

    @property
    def inner(self) -> frozenset[Operation]:
        """Those whose result is a number of the loop, and lies nowhere."""
        return frozenset(self.operations) - frozenset(self.escaping)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.operations[0].type.shape

    @property
    def operands(self) -> list[Operand]:
        """What the loop is given, each once."""
        read = (x for operation in self.operations for x in operation.operands)
        outer = (x for x in read if is_varying(x) and x not in self.operations)
        return list(dict.fromkeys(outer))


def joined(
    program: Program, segments: Sequence[Segment], partners: Mapping[Operation, Input]
) -> list[Loop]:
    """The loops of a program, each within one segment or outside of all.

    ``partners`` are the arguments that results may be written over.
    """
    segment_of = {x: segment for segment in segments for x in segment.operations}

    def alike(x: Operation) -> Any:
        return has_loop(x) and (x.type.shape, x.origin.errstate, segment_of.get(x))

    join = Joining(program, partners)
    runs = (list(run) for in_loop, run in groupby(program.operations, alike) if in_loop)
    return [loop for run in runs for loop in join.divided(run) if join.is_worthwhile(loop)]


def has_loop(operation: Operation) -> bool:
    return isinstance(operation.primitive, Fused) or has_formula(operation)


class Joining:
    """Which operations, of those that follow each other and have one shape, share a loop."""

    def __init__(self, program: Program, partners: Mapping[Operation, Input]) -> None:
        self.partners = partners
        self.results = frozenset(program.outputs)
        self.users: dict[Operand, set[Operation]] = defaultdict(set)
        for operation in program.operations:
            for x in operation.operands:
                self.users[x].add(operation)

    def divided(self, run: Sequence[Operation]) -> Iterator[Loop]:
        """Loops that are short enough, in order."""
        loop = self._loop(run[:1])
        for operation in run[1:]:
            longer = self._loop((*loop.operations, operation))
            if self._is_short(longer):
                loop = longer
            else:
                yield loop
                loop = self._loop((operation,))
        yield loop

    def _loop(self, operations: Sequence[Operation]) -> Loop:
        members = set(operations)
        wanted = (x for x in operations if x in self.results or not self.users[x] <= members)
        return Loop(tuple(operations), tuple(wanted))

    def _is_short(self, loop: Loop) -> bool:
        parts = {part for x in loop.operations for part in parts_of(x)}
        calls = sum(part.primitive in ELEMENTARY for part in parts)
        if len(parts) > MOST_OPERATIONS or calls > MOST_CALLS:
            return False
        written = {self.partners.get(x, x) for x in loop.escaping}
        read = {x for x in loop.operands if is_along(x, loop.shape)} - written
        pairs = len(written) * (len(written) - 1) // 2 + len(written) * len(read)
        return pairs <= MOST_PAIRS

    def is_worthwhile(self, loop: Loop) -> bool:
        """Whether it is better than a call of NumPy, or of a ufunc, for each operation.

        A ufunc computes one number at a time where an operand is the same all along a row,
        or where the result lies over one.
        """
        if prod(loop.shape) < LARGE or loop.shape[-1] < LEAST_ROW:
            return False
        (first, *more) = loop.operations
        stands_still = any(not is_along(x, loop.shape) for x in loop.operands)
        return bool(more) or (
            isinstance(first.primitive, Fused) and (stands_still or first in self.partners)
        )


class JoinedText(LoopText):
    """The text of a loop along a row: ``x3[i]`` is an element, ``x4`` a number of all the row."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def element(self, x: Operand, name: str) -> str:
        return f"{name}[i]" if is_along(x, self.shape) else name

    def definition(self, names: Sequence[str], results: Mapping[str, Operation]) -> str:
        """The function; ``results`` are what it writes, by the name of the row it goes to."""
        return "\n".join(
            [
                f"def loop({', '.join(names)}):",
                f"    for i in range(len({next(iter(results))})):",
                *(f"        {line}" for line in self.lines),
                *(f"        {name}[i] = {self.names[x]}" for name, x in results.items()),
            ]
        )


class LoopWriter:
    """Writes one loop into the source of a program, or of a block."""

    def __init__(self, source: SourceWriter, loop: Loop) -> None:
        self.source = source
        self.loop = loop
        self.operations = loop.operations

    def write(self, n_axes: int | None = None) -> None:
        """``n_axes`` are those of the arrays as they are here: in blocks, leading ones are one."""
        source, shape = self.source, self.loop.shape
        n_axes = min(2, n_axes or len(shape))
        text = JoinedText(shape)
        for operation in self.operations:
            text.add(operation)
        given = {name: x for x, name in text.operands.items()}
        arguments = {name: self._argument(x, n_axes) for name, x in given.items()}
        results: dict[str, Operation] = {}
        for x in self.loop.escaping:
            array = source.result_array(x)
            over = (name for name, argument in arguments.items() if argument == array)
            name = next(over, f"x{len(given) + 1}")
            given[name] = results[name] = x
            arguments[name] = array
        function = text.definition(list(given), results)
        types = [
            f"{number_name(x)}[{', '.join(':' * max(1, len(core(x, shape, n_axes))))}]"
            for x in given.values()
        ]
        layout = ",".join(f"({','.join(core(x, shape, n_axes))})" for x in given.values())
        written = tuple(i for i, name in enumerate(given) if name in results)
        call = compiled_along_rows(function, f"void({', '.join(types)})", layout, written)
        decorator = f"@guvectorize({layout!r}, writable_args={written})"
        source.enter(self.operations[0])
        name = source.defined(call, f"{decorator}\n{function}")
        source.add(self.operations[-1], [f"{name}({', '.join(arguments.values())})"])

    def _argument(self, x: Operand, n_axes: int) -> str:
        """An operand without the axes along which it is one number."""
        name = self.source.operand(x, x.type.dtype or FLOAT)
        axes = range(min(n_axes, len(x.type.shape)), 0, -1)
        parts = ", ".join(":" if has_axis(x, self.loop.shape, axis) else "0" for axis in axes)
        return f"{name}[..., {parts.removeprefix(':, ')}]" if "0" in parts else name


def has_axis(x: Operand, shape: tuple[int, ...], axis: int) -> bool:
    """Whether an operand has numbers for all along an axis, counted from the last one, 1."""
    return len(x.type.shape) >= axis and x.type.shape[-axis] == shape[-axis]


def is_along(x: Operand, shape: tuple[int, ...]) -> bool:
    """Whether an operand has a number for each along a row, and not one for all."""
    return has_axis(x, shape, 1)


def core(x: Operand, shape: tuple[int, ...], n_axes: int) -> list[str]:
    """The axes of an operand that the loop goes along: ``m`` rows, ``n`` numbers in a row."""
    return [
        name for axis, name in ((2, "m"), (1, "n")) if axis <= n_axes and has_axis(x, shape, axis)
    ]


@cache
def compiled_along_rows(text: str, signature: str, layout: str, written: tuple[int, ...]) -> Any:
    """The generalised ufunc for a loop along rows; the same text is compiled once."""
    numba = numba_module()
    names = loop_names() | {"contiguous": contiguous()}
    exec(text, names)
    names["along"] = numba.njit(error_model="numpy", forceinline=True)(names["loop"])
    parameters = list(inspect.signature(names["loop"]).parameters)
    exec(calls_along_rows(parameters, re.findall(r"\((.*?)\)", layout)), names)
    return numba.guvectorize([signature], layout, writable_args=written)(names["loop"]).ufunc


def calls_along_rows(parameters: Sequence[str], cores: Sequence[str]) -> str:
    """The text of a function that calls ``along`` for each row, or once where rows are in line.

    LLVM computes on vectors only where it knows that elements lie side by side.
    """
    arrays = [x for x, core in zip(parameters, cores, strict=True) if core == "m,n"]
    of_rows = {"m,n": "{}[j]", "m": "{}[j]", "n": "{}", "": "{}[0]"}
    rows = [of_rows[core].format(x) for x, core in zip(parameters, cores, strict=True)]
    is_side_by_side = " and ".join(
        f"{x}.strides[{core.count('m')}] == {x}.itemsize"
        for x, core in zip(parameters, cores, strict=True)
        if "n" in core
    )
    dense = [
        f"contiguous({row})" if "n" in core else row for row, core in zip(rows, cores, strict=True)
    ]
    in_rows = f"for j in range(len({arrays[0]})): " if arrays else ""
    lines = [
        f"if {is_side_by_side}: ",
        f"    {in_rows}along({', '.join(dense)})",
        "else:",
        f"    {in_rows}along({', '.join(rows)})",
    ]
    if arrays and set(cores) <= {"m,n", ""}:
        in_line = (f"{x}.strides[0] == {x}.shape[1] * {x}.itemsize" for x in arrays)
        whole = [
            f"contiguous({x}).reshape({x}.size)" if x in arrays else f"{x}[0]" for x in parameters
        ]
        lines = [
            f"if {' and '.join([is_side_by_side, *in_line])}:",
            f"    along({', '.join(whole)})",
            f"el{lines[0]}",
            *lines[1:],
        ]
    return "\n".join([f"def loop({', '.join(parameters)}):", *(f"    {line}" for line in lines)])


@cache
def contiguous() -> Any:
    """What Numba takes for an array whose elements lie side by side: the same array."""
    numba_module()
    from numba.extending import intrinsic

    @intrinsic
    def contiguous(context: Any, array: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            context.nrt.incref(builder, signature.return_type, args[0])
            return args[0]

        return array.copy(layout="C")(array), generate

    return contiguous
