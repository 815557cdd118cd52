"""Source: a program as straight-line Python, for people to read and Python to run."""

from __future__ import annotations

import builtins
import keyword
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from autograd_lite.compiler.codegen.cuda_graphs import Run, RunWriter
from autograd_lite.compiler.codegen.loops import Loop, LoopWriter
from autograd_lite.compiler.codegen.results import result_template
from autograd_lite.compiler.codegen.tiles import SegmentWriter
from autograd_lite.compiler.ir import Constant, Operand, Operation, Program, Type
from autograd_lite.compiler.lowering import Form, Lowering
from autograd_lite.compiler.passes.buffers import Memory, Plan, layout_of
from autograd_lite.compiler.passes.tiling import Segment
from autograd_lite.compiler.runtime.backend import NUMPY, REDUCTIONS, Library, imported_from
from autograd_lite.core.duck_arrays import is_device_array
from autograd_lite.core.errors import NonFiniteError
from autograd_lite.ops import elementwise

__all__ = ["Source", "written"]

LONGEST_INLINED = 60
"""Characters of an expression of Python numbers that is written into the line that needs it."""

RESERVED = {*keyword.kwlist, *dir(builtins), "prepare"}


@dataclass
class Source:
    """The text of a module with one function ``prepare``, and what its names stand for."""

    header: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)
    """Objects that the text calls by name: functions of NumPy and others, constant arrays."""

    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Those that are imported: the module, and the name there."""

    definitions: dict[str, str] = field(default_factory=dict)
    """The texts of functions that can be imported from nowhere."""

    @property
    def text(self) -> str:
        definitions = [line for text in self.definitions.values() for line in ("", "", text)]
        lines = [*self.imports(), *definitions, "", "", *self.header, *self.body, ""]
        return "\n".join(lines)

    def imports(self) -> list[str]:
        """The import lines for the names that come from NumPy or its like, and from math."""
        groups: dict[str, list[str]] = {}
        for name, (module, original) in self.imported.items():
            alias = original if name == original else f"{original} as {name}"
            groups.setdefault(module, []).append(alias)
        return [f"from {module} import {', '.join(sorted(groups[module]))}" for module in groups]


def written(
    program: Program,
    lowerings: dict[Operation, Lowering],
    plan: Plan,
    name: str,
    result: Any,
    check_finite: bool = False,
    segments: Sequence[Segment] = (),
    loops: Sequence[Loop] = (),
    library: Library = NUMPY,
    runs: Sequence[Run] = (),
) -> Source:
    """Write a program; ``result`` is the nesting of what it returns."""
    writer = SourceWriter(program, lowerings, plan, check_finite, segments, loops, library, runs)
    return writer.write(name, result)


class SourceWriter:
    """Keeps the names, and answers what a lowering asks (`lowering.Writer`)."""

    def __init__(
        self,
        program: Program,
        lowerings: dict[Operation, Lowering],
        plan: Plan,
        check_finite: bool,
        segments: Sequence[Segment],
        loops: Sequence[Loop],
        library: Library,
        runs: Sequence[Run],
    ) -> None:
        self.program = program
        self.library = library
        self.lowerings = lowerings
        self.plan = plan
        self.check_finite = check_finite
        self.source = Source()
        self.used = set(RESERVED)
        self.counts: dict[str, int] = {}
        self.texts: dict[Operand, str] = {}
        self.keys: dict[Any, str] = {}
        self.prelude: list[str] = []
        pieces: list[SegmentWriter | RunWriter] = [SegmentWriter(self, x) for x in segments]
        pieces += [RunWriter(self, x) for x in runs]
        writers = [LoopWriter(self, x) for x in loops]
        self.loops = {x: writer for writer in writers for x in writer.operations}
        self.pieces = {**self.loops, **{x: piece for piece in pieces for x in piece.operations}}
        self.functions: list[str] = []
        self.inlined = set() if check_finite else used_once(program, lowerings)
        self.section = ""
        self.lines: list[str] = []
        """Of the function, or of the block that is being written."""
        self.outside = self.lines
        """Of the function."""
        self.open_block = (0, 0, "")
        """The lines that a further line may follow under the same ``with``."""

    # What lowerings ask.

    def operand(self, x: Operand, dtype: np.dtype[Any] | None = None) -> str:
        if isinstance(x, Constant) and x not in self.texts:
            return self.constant(x.value, dtype)
        if dtype is not None and x.type.dtype is None:
            return self.boxed(x, dtype)
        return self.texts[x]

    def constant(self, value: Any, dtype: np.dtype[Any] | None) -> str:
        if isinstance(value, np.ndarray) or is_device_array(value):
            return self.array(value)
        if dtype is not None:
            return self.number(np.asarray(value).astype(dtype))
        if isinstance(value, np.generic):
            return self.number(np.asarray(value))
        if isinstance(value, list) and not self.library.is_numpy:
            return self.array(np.asarray(value))
        return self.literal(value)

    def array(self, value: Any) -> str:
        return self.named(("array", id(value)), "constant", self.library.constant(value))

    def number(self, array: np.ndarray) -> str:
        """An array without axes that holds a number: NumPy then need not convert it."""
        key = (array.dtype, array.tobytes())
        if key not in self.keys:
            name = self.fresh(f"number_{number_name(array)}")
            self.keys[key] = name
            make, dtype = self.function(np.array), self.function(array.dtype.type)
            self.prelude.append(f"{name} = {make}({plain_text(array)}, {dtype})")
        return self.keys[key]

    def boxed(self, x: Operand, dtype: np.dtype[Any]) -> str:
        """A Python number of this call as an array without axes."""
        key = (x, dtype)
        if key not in self.keys:
            name = self.fresh(f"{self.texts[x]}_{dtype.name}")
            self.keys[key] = name
            make, kind = self.function(np.empty), self.function(dtype.type)
            self.prelude.append(f"{name} = {make}((), {kind})")
            self.outside.append(f"{name}[()] = {self.texts[x]}")
        return self.keys[key]

    def function(self, function: Any) -> str:
        own = self.library.own(function)
        name = self.named(("function", id(function)), function_name(function), own)
        place = self.library.place(function)
        if place is not None:
            self.source.imported[name] = place
        return name

    def reduced(self, ufunc: np.ufunc, array: str, axis: str, out: str | None, keeps: bool) -> str:
        if not self.library.is_numpy:
            options = [f"out={out}"] if out else []
            options += ["keepdims=True"] if keeps else []
            return f"{self.function(REDUCTIONS[ufunc])}({', '.join([array, axis, *options])})"
        options = ["None", out or "None", "True"] if keeps else ["None", out] if out else []
        return f"{self.function(ufunc)}.reduce({', '.join([array, axis, *options])})"

    def reduced_rows(self, ufunc: np.ufunc, array: str, out: str | None, keeps: bool) -> str:
        if not self.library.is_numpy:
            return self.reduced(ufunc, array, "-1", out, keeps)
        options = [] if out is None else ["None", f"{out}.T[0]" if keeps else f"{out}.T"]
        text = f"{self.function(ufunc)}.reduce({', '.join([f'{array}.T.copy()', '0', *options])})"
        if out is None:
            text = f"{text}.T[..., None]" if keeps else f"{text}.T"
        return text

    def defined(self, function: Any, text: str) -> str:
        name = self.function(function)
        self.source.definitions[name] = re.sub(r"^def \w+", f"def {name}", text, flags=re.M)
        return name

    def literal(self, value: Any) -> str:
        if isinstance(value, float) and not np.isfinite(value):
            return f"float('{value}')"
        if value is None or isinstance(value, (bool, int, float, complex, str)):
            return repr(value)
        if isinstance(value, np.integer):
            return repr(int(value))
        if type(value) is tuple:
            return "(" + "".join(f"{self.literal(x)}, " for x in value).strip() + ")"
        if type(value) is list:
            return "[" + ", ".join(map(self.literal, value)) + "]"
        if isinstance(value, np.dtype) and value.isbuiltin == 1:
            return self.function(value.type)
        if isinstance(value, slice):
            parts = map(self.literal, (value.start, value.stop, value.step))
            return f"slice({', '.join(parts)})"
        if isinstance(value, type) and getattr(np, value.__name__, None) is value:
            return self.function(value)
        if imported_from(value) is not None:
            return self.function(value)
        wish = "generator" if isinstance(value, np.random.Generator) else "parameter"
        return self.named(("object", id(value)), wish, value)

    # Names.

    def fresh(self, wish: str) -> str:
        """A name that is not taken yet, as near as possible to the one that was wished for."""
        base = identifier(wish)
        name, count = base, 1
        while name in self.used:
            count += 1
            name = f"{base}_{count}"
        self.used.add(name)
        return name

    def result_name(self, operation: Operation) -> str:
        """The user's label; or what the operation is called and a number: tanh1, tanh2, ..."""
        if operation.name:
            return self.fresh(operation.name)
        return self.numbered(identifier(operation.primitive.name))

    def numbered(self, base: str) -> str:
        while True:
            self.counts[base] = self.counts.get(base, 0) + 1
            name = f"{base}{self.counts[base]}"
            if name not in self.used:
                return self.fresh(name)

    def named_once(self, key: Any, wish: str) -> str:
        """The name that was found for a key when it was first asked for."""
        if key not in self.keys:
            self.keys[key] = self.fresh(wish)
        return self.keys[key]

    def named(self, key: Any, wish: str, value: Any) -> str:
        if key not in self.keys:
            name = self.keys[key] = self.fresh(wish)
            self.source.names[name] = value
        return self.keys[key]

    # Writing.

    def write(self, name: str, result: Any) -> Source:
        own = self.fresh(name)
        for x in self.program.inputs:
            self.texts[x] = self.fresh(x.name)
        self.places: dict[tuple[Memory, Any], str] = {}
        self._name_memory()
        self.prelude.extend(self.declarations(None))
        for operation in self.program.operations:
            piece = self.pieces.get(operation)
            if piece is None:
                self.write_operation(operation)
            elif operation is piece.operations[0]:
                piece.write()
        template = result_template(result, self.literal)
        self.lines.append(f"return {template.format(*self._results())}")
        inputs = ", ".join(self.texts[x] for x in self.program.inputs)
        self.source.header = ["def prepare():"]
        self.source.body = [
            *(f"    {line}" for line in self.prelude),
            *([""] if self.prelude else []),
            *(f"    {line}" if line else "" for line in self.functions),
            f"    def {own}({inputs}):",
            *(f"        {line}" for line in self.lines),
            "",
            f"    return {own}",
        ]
        return self.source

    def enter(self, operation: Operation) -> None:
        """Begin a section where it changes."""
        section = operation.origin.section
        if section != self.section:
            self.lines.append(f"# {section}")
            self.section = section

    # Memory.

    def _name_memory(self) -> None:
        """One name for each piece of memory and each shape and dtype that it is used in."""
        for operation, memory in self.plan.memory.items():
            key = (memory, layout_of(self.plan.type_in_memory(operation)))
            if key not in self.places:
                self.places[key] = self.result_name(operation)

    def declarations(self, segment: Segment | None) -> list[str]:
        """The lines that make the buffers of a segment, or of the whole program."""
        lines = []
        for memory in self.plan.pieces_of(segment):
            layouts = list(dict.fromkeys(map(layout_of, memory.tenants)))
            names = [self.places[memory, layout] for layout in layouts]
            if len(layouts) == 1:
                lines.append(f"{names[0]} = {self.empty(*layouts[0], segment)}")
                continue
            whole, byte = self.fresh("memory"), self.function(np.uint8)
            lines.append(f"{whole} = {self.function(np.empty)}({memory.nbytes}, {byte})")
            for name, (shape, dtype) in zip(names, layouts, strict=True):
                nbytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
                lines.append(
                    f"{name} = {whole}[:{nbytes}].view({self.literal(dtype)}).reshape({shape})"
                )
        return lines

    def empty(self, shape: Any, dtype: Any, segment: Segment | None = None) -> str:
        """A new array; in a segment, as many rows of it as a block has."""
        text = str(shape)
        if segment is not None:
            text = f"({', '.join(['length', *map(str, shape[1:])])}{',' * (len(shape) == 1)})"
        return f"{self.function(np.empty)}({text}, {self.literal(dtype)})"

    def out(self, operation: Operation) -> str | None:
        """The name of what an operation writes into; None if it makes its result."""
        if operation in self.plan.memory:
            layout = layout_of(self.plan.type_in_memory(operation))
            return self.places[self.plan.memory[operation], layout]
        if operation in self.plan.donated:
            return self.texts[self.plan.donated[operation]]
        return None

    def result_array(self, operation: Operation) -> str:
        """The array that a result is written into, whole; made here if there is none."""
        name = self.texts.get(operation) or self.out(operation)
        if name is None:
            name = self.result_name(operation)
            self.lines.append(f"{name} = {self.empty(operation.type.shape, operation.type.dtype)}")
        self.texts[operation] = name
        return name

    # Operations.

    def write_operation(self, operation: Operation) -> None:
        """Compute an operation; or make it beforehand, if it is a view of a buffer."""
        if operation in self.plan.static:
            name = self.result_name(operation)
            (text,) = self.lowerings[operation].lines(self, operation, None)
            self.prelude.append(f"{name} = {text}")
            self.texts[operation] = name
            return
        self.enter(operation)
        self.write_lines(operation, operation)

    def write_lines(self, operation: Operation, how: Operation) -> None:
        """Compute an operation in the way of another one, which gives the same."""
        out = self.out(operation)
        lines = self.lowerings[operation].lines(self, how, out)
        if operation in self.inlined and len(lines[0]) <= LONGEST_INLINED:
            self.texts[operation] = f"({lines[0]})"
            return
        if out is None:
            out = self.result_name(operation)
            lines = [f"{out} = {lines[0]}"]
        self.texts[operation] = out
        self.add(operation, lines)

    def add(self, operation: Operation, lines: list[str]) -> None:
        """Lines that compute an operation, with what is to be known of its result."""
        self._extend(operation, [f"{lines[0]}{comment(operation)}", *lines[1:]])
        if self.check_finite and operation.type.dtype is not None:
            name, out = self.function(checked_finite), self.texts[operation]
            self.lines.append(f"{name}({out}, {str(operation)!r})")

    def _extend(self, operation: Operation, lines: list[str]) -> None:
        """Add lines, under the `numpy.errstate` that they were recorded in, if any."""
        opening = self.opening(operation)
        if opening:
            if self.open_block != (id(self.lines), len(self.lines), opening):
                self.lines.append(opening)
            lines = [f"    {line}" for line in lines]
        self.lines.extend(lines)
        self.open_block = (id(self.lines), len(self.lines), opening)

    def opening(self, operation: Operation) -> str:
        errstate = operation.origin.errstate
        if not errstate or self.lowerings[operation].form is Form.NUMBER:
            return ""
        arguments = ", ".join(f"{kind}={how!r}" for kind, how in errstate)
        if len(errstate) == len(np.geterr()) and len({how for _, how in errstate}) == 1:
            arguments = f"all={errstate[0][1]!r}"
        return f"with {self.function(np.errstate)}({arguments}):"

    def _results(self) -> Iterable[str]:
        """The outputs as the caller gets them: his own, no buffer and no view of one."""
        returned: set[Operand] = set()
        for x in self.program.outputs:
            text = self.operand(x)
            yield text if self._is_owned(x) and x not in returned else self._owned(text, x.type)
            returned.add(x)

    def _is_owned(self, x: Operand) -> bool:
        if x.type.dtype is None:
            return True
        if not isinstance(x, Operation) or self.lowerings[x].form is not Form.INTO:
            return False
        if x in self.plan.memory:
            return False
        return x.type.kind is np.generic or bool(x.type.shape)

    def _owned(self, text: str, of: Type) -> str:
        if of.kind is np.generic and self.library.is_numpy:
            return f"{self.function(np.asarray)}({text})[()]"
        return f"{self.function(np.array)}({text})"


def used_once(program: Program, lowerings: dict[Operation, Lowering]) -> set[Operation]:
    """Numbers that a single line of the same section needs: they may be written into it."""
    uses = Counter(x for operation in program.operations for x in operation.operands)
    uses.update(program.outputs)
    return {
        x
        for operation in program.operations
        if operation.primitive is not elementwise.relu  # it names its operand twice
        for x in operation.operands
        if isinstance(x, Operation)
        and lowerings[x].form is Form.NUMBER
        and uses[x] == 1
        and x.origin.section == operation.origin.section
    }


@cache
def identifier(wish: str) -> str:
    """The nearest to a wish that Python takes for a name."""
    name = re.sub(r"\W+", "_", wish).strip("_") or "value"
    return f"x{name}" if name[0].isdigit() else name


def checked_finite(result: Any, operation: str) -> None:
    """Raise an error that names the operation if a result holds NaN or infinity."""
    if not np.all(np.isfinite(result)):
        raise NonFiniteError(f"the result of {operation} holds NaN or infinity")


def comment(operation: Operation) -> str:
    """The shape of a result, and the line of the user's that it was computed in."""
    origin = operation.origin
    place = f"  {os.path.basename(origin.file)}:{origin.line}" if origin.file else ""
    return f"  # {operation.type}{place}"


def function_name(function: Any) -> str:
    name = getattr(function, "__name__", type(function).__name__)
    return "function" if name == "<lambda>" else name


def number_name(array: np.ndarray) -> str:
    text = f"{array.item():g}" if array.dtype.kind != "c" else str(array.item())
    return text.replace("-", "minus_").replace(".", "_").replace("+", "")


def plain_text(array: np.ndarray) -> str:
    value = array.item()
    if isinstance(value, complex):
        return f"complex('{value}')"
    if isinstance(value, float) and not np.isfinite(value):
        return f"float('{value}')"
    return repr(value)
