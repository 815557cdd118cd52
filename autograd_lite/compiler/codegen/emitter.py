"""The emitter: names, lines and scopes of a program as straight-line Python.

It knows nothing of what is written with it: see the writers beside it, and `driver`.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from autograd_lite.compiler.ir import Constant, Operand
from autograd_lite.compiler.runtime.backend import NumpyBackend, imported_from
from autograd_lite.core.duck_arrays import is_device_array

__all__ = ["Emitter", "Source", "identifier"]

RESERVED = {*keyword.kwlist, *dir(builtins), "block", "length", "prepare", "start", "stop"}
"""Names that the text uses itself, in one scope or another."""

MOST_CLOSED_OVER = 500
"""Names of buffers that a function reads as they are; Python takes as long to compile a closure as
the square of their number is large (7 s for 20,000)."""


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


class Emitter:
    """Keeps the names, and answers what a lowering asks (`forms.Writer`)."""

    def __init__(self, backend: NumpyBackend) -> None:
        self.backend = backend
        self.source = Source()
        self.used = set(RESERVED)
        self.counts: dict[str, int] = {}
        self.repeats: dict[str, int] = {}
        self.texts: dict[Operand, str] = {}
        """What operands are called in this scope."""
        self.aliases: dict[Operand, Operand] = {}
        """What inputs of bodies stand for outside of them."""
        self.homes: dict[Operand, list[str]] = {}
        """The lines of the body that something is computed in, unless those are outermost."""
        self.keys: dict[Any, str] = {}
        self.prelude: list[str] = []
        """What is done once, before the first call."""
        self.functions: list[str] = []
        self.lines: list[str] = []
        """Of this scope."""
        self.outside = self.lines
        """Of the outermost scope, the function."""
        self.section = ""
        self.open_block = (0, 0, "")
        """The lines that a further line may follow under the same ``with``."""

    # What lowerings ask.

    def operand(self, x: Operand, dtype: np.dtype[Any] | None = None) -> str:
        while x in self.aliases and x not in self.texts:
            x = self.aliases[x]
        if isinstance(x, Constant) and x not in self.texts:
            return self.constant(x.value, dtype)
        if dtype is not None and x.type.dtype is None:
            return self.box(x, dtype)
        return self.texts[x]

    def is_known(self, x: Operand) -> bool:
        """Whether there is a text for an operand already."""
        return isinstance(x, Constant) or x in self.texts or x in self.aliases

    def constant(self, value: Any, dtype: np.dtype[Any] | None) -> str:
        array = self.backend.index(value)
        if isinstance(array, np.ndarray) or is_device_array(array):
            return self.bind(("array", id(value)), "constant", self.backend.constant(array))
        if dtype is not None:
            return self.number(np.asarray(value).astype(dtype))
        if isinstance(value, np.generic) and value.dtype.kind in "fciub":
            return self.number(np.asarray(value))
        return self.literal(value)

    def number(self, array: np.ndarray) -> str:
        """An array without axes that holds a number: NumPy then need not convert it."""
        if array.dtype.itemsize > (16 if array.dtype.kind == "c" else 8):  # no literal has so many
            return self.bind(("number", array.dtype, array.tobytes()), "number", array)
        key = (array.dtype, array.tobytes())
        if key not in self.keys:
            name = self.fresh(f"number_{number_name(array)}")
            self.keys[key] = name
            make, dtype = self.function(np.array), self.function(array.dtype.type)
            self.prelude.append(f"{name} = {make}({plain_text(array)}, {dtype})")
        return self.keys[key]

    def box(self, x: Operand, dtype: np.dtype[Any]) -> str:
        """A Python number of this call as an array without axes."""
        key = (x, dtype)
        if key not in self.keys:
            name = self.fresh(f"{self.texts[x]}_{dtype.name}")
            self.keys[key] = name
            make, kind = self.function(np.empty), self.function(dtype.type)
            self.prelude.append(f"{name} = {make}((), {kind})")
            self.homes.get(x, self.outside).append(f"{name}[()] = {self.texts[x]}")
        return self.keys[key]

    def function(self, function: Any) -> str:
        key = ("function", id(function))
        if key in self.keys:
            return self.keys[key]
        name = self.bind(key, function_name(function), self.backend.own(function))
        place = self.backend.place(function)
        if place is not None:
            self.source.imported[name] = place
        return name

    def define(self, function: Any, text: str) -> str:
        name = self.function(function)
        self.source.definitions[name] = re.sub(r"^def \w+", f"def {name}", text, flags=re.M)
        return name

    def literal(self, value: Any) -> str:
        if type(value) is float and not np.isfinite(value):
            return f"float('{value}')"
        if type(value) is complex and needs_words(value):
            return f"complex({self.literal(value.real)}, {self.literal(value.imag)})"
        if value is None or type(value) in (bool, int, float, complex, str):
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
        if isinstance(value, np.ndarray):
            return self.bind(("array", id(value)), "parameter", self.backend.constant(value))
        wish = "generator" if isinstance(value, np.random.Generator) else "parameter"
        return self.bind(("object", id(value)), wish, value)

    # Names.

    def fresh(self, wish: str) -> str:
        """A name that is not taken yet, as near as possible to the one that was wished for."""
        base = name = identifier(wish)
        while name in self.used:
            self.repeats[base] = self.repeats.get(base, 1) + 1
            name = f"{base}_{self.repeats[base]}"
        self.used.add(name)
        return name

    def fresh_numbered(self, base: str) -> str:
        while True:
            self.counts[base] = self.counts.get(base, 0) + 1
            name = f"{base}{self.counts[base]}"
            if name not in self.used:
                return self.fresh(name)

    def name_once(self, key: Any, wish: str) -> str:
        """The name that was found for a key when it was first asked for."""
        if key not in self.keys:
            self.keys[key] = self.fresh(wish)
        return self.keys[key]

    def bind(self, key: Any, wish: str, value: Any) -> str:
        """The name of an object, by which the text calls it."""
        name = self.name_once(key, wish)
        self.source.names.setdefault(name, value)
        return name

    # Lines and scopes.

    @contextmanager
    def scope(self, texts: Mapping[Operand, str]) -> Iterator[list[str]]:
        """Lines of their own, in which operands go by other names; yields the lines."""
        outside, self.lines = self.lines, []
        hidden = {x: self.texts.get(x) for x in texts}
        self.texts.update(texts)
        try:
            yield self.lines
        finally:
            self.lines = outside
            for x, text in hidden.items():
                if text is None:
                    del self.texts[x]
                else:
                    self.texts[x] = text

    def enter(self, section: str) -> None:
        """Begin a section where it changes."""
        if section != self.section:
            self.lines.append(f"# {section}")
            self.section = section

    def extend(self, lines: list[str], opening: str = "") -> None:
        """Add lines, under the ``with`` that opens their block if there is one."""
        if opening:
            if self.open_block != (id(self.lines), len(self.lines), opening):
                self.lines.append(opening)
            lines = [f"    {line}" for line in lines]
        self.lines.extend(lines)
        self.open_block = (id(self.lines), len(self.lines), opening)

    def finish(self, name: str, inputs: list[str]) -> Source:
        """The text of a function that makes buffers and returns a function of these inputs."""
        lines, prelude = self.lines, self.prelude
        if len(prelude) > MOST_CLOSED_OVER:
            names = ", ".join(line.partition(" = ")[0] for line in prelude)
            buffers = self.fresh("buffers")
            prelude = [*prelude, f"{buffers} = ({names})"]
            lines = [f"{names} = {buffers}", *lines]
        self.source.header = ["def prepare():"]
        self.source.body = [
            *(f"    {line}" for line in prelude),
            *([""] if prelude else []),
            *(f"    {line}" if line else "" for line in self.functions),
            f"    def {name}({', '.join(inputs)}):",
            *(f"        {line}" for line in lines),
            "",
            f"    return {name}",
        ]
        return self.source


@cache
def identifier(wish: str) -> str:
    """The nearest to a wish that Python takes for a name."""
    name = re.sub(r"\W+", "_", wish).strip("_") or "value"
    return f"x{name}" if name[0].isdigit() else name


def function_name(function: Any) -> str:
    name = getattr(function, "__name__", type(function).__name__)
    return "function" if name == "<lambda>" else name


def needs_words(value: complex) -> bool:
    """Whether a complex number is not what its ``repr`` computes: a sum loses signs of zeros."""
    parts = value.real, value.imag
    return any(not np.isfinite(x) or (x == 0 and np.signbit(x)) for x in parts) or value.real == 0


def number_name(array: np.ndarray) -> str:
    text = f"{array.item():g}" if array.dtype.kind != "c" else str(array.item())
    return text.replace("-", "minus_").replace(".", "_").replace("+", "")


def plain_text(array: np.ndarray) -> str:
    value = array.item()
    if isinstance(value, complex):
        return f"complex({plain_text(array.real)}, {plain_text(array.imag)})"
    if isinstance(value, float) and not np.isfinite(value):
        return f"float('{value}')"
    return repr(value)
