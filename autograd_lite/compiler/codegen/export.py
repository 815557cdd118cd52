"""Programs as modules of their own: what ``compiled.save`` writes, and what needs NumPy only."""

from __future__ import annotations

import ast
import base64
import inspect
import io
import keyword
import os
import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograd_lite.compiler.codegen.emitter import Source, identifier
from autograd_lite.compiler.frontend.captures import names_in
from autograd_lite.compiler.ir import Input
from autograd_lite.compiler.runtime import blocks
from autograd_lite.compiler.runtime.backend import imported_from
from autograd_lite.core.duck_arrays import duck_types
from autograd_lite.core.errors import CompileError
from autograd_lite.files import atomic_write

__all__ = ["module_text", "write_module"]

LONGEST_LITERAL = 64
"""Elements of a constant that is written out; larger ones are encoded."""

ENGINE = "autograd_lite"

OWN_NAMES = {"prepare", "checked", "decoded", "idle"}

CHECKED = '''
def checked(name, given, shape, dtype):
    """Refuse an argument that the program is not for."""
    if shape is None:
        found = type(given).__name__
        fits = isinstance(given, dtype) or (dtype is float and isinstance(given, int))
        wanted = dtype.__name__
    else:
        is_array = hasattr(given, "shape") and hasattr(given, "dtype")
        found = f"{given.dtype}{list(given.shape)}" if is_array else type(given).__name__
        wanted = f"{dtype}{list(shape)}"
        fits = found == wanted
    if not fits:
        raise TypeError(
            f"argument {name} is {found}, but this program was made for {wanted}; "
            "convert it, or compile and save the function for such arguments"
        )
    return given
'''

DECODED = '''
def decoded(text):
    """An array from the text of an .npy file."""
    import base64
    import io

    import numpy

    return numpy.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False)
'''


def write_module(path: str | os.PathLike[str], text: str) -> Path:
    """Write a module at once or not at all."""
    with atomic_write(path) as file:
        file.write(text.encode())
    return Path(path)


def module_text(
    source: Source,
    name: str,
    arguments: Sequence[tuple[str, str]],
    inputs: Sequence[Input],
    captured: Sequence[Any],
) -> str:
    """The text of a module with the program as one function.

    ``arguments`` gives, for each input that a caller passes, the name of the
    argument and the expression that takes the input out of it; ``captured`` are
    the numbers of the remaining inputs.
    """
    parts = Parts(name)
    for own, value in source.names.items():
        if own not in source.imported:
            parts.define(own, value)
    for index, data in enumerate(captured):
        parts.define(f"captured_{index}", data)
    return "\n".join(
        [
            f'"""{name}, written by autograd_lite.compile; needs NumPy only."""',
            "",
            "from __future__ import annotations",
            "",
            *source.imports(),
            *parts.lines,
            CHECKED,
            "",
            *source.header,
            *source.body,
            "",
            "",
            "idle = []  # programs with their buffers, for the next call",
            "",
            "",
            *entry(parts.own_name(source), arguments, inputs, len(captured)),
            "",
        ]
    )


def entry(
    name: str, arguments: Sequence[tuple[str, str]], inputs: Sequence[Input], captured: int
) -> Iterator[str]:
    """The function that people call: checks its arguments, and runs a program of its own."""
    names = list(dict.fromkeys(argument for argument, _ in arguments))
    taken = [f"captured_{index}" for index in range(captured)]
    yield f"def {name}({', '.join(names)}):"
    yield "    program = idle.pop() if idle else prepare()"
    yield "    try:"
    yield "        return program("
    for (_, expression), variable in zip(arguments, inputs, strict=False):
        of = variable.type
        dtype = of.kind.__name__ if of.dtype is None else repr(of.dtype.name)
        shape = None if of.dtype is None else of.shape
        yield f"            checked({expression!r}, {expression}, {shape}, {dtype}),"
    yield from (f"            {text}," for text in taken)
    yield "        )"
    yield "    finally:"
    yield "        idle.append(program)"


class Parts:
    """Definitions of what a program calls by name and NumPy does not have."""

    def __init__(self, program: str) -> None:
        self.program = program
        self.lines: list[str] = []
        self.defined: dict[str, Any] = {}

    def own_name(self, source: Source) -> str:
        """The name of the function of the module: the user's, if nothing else is called so."""
        name = identifier(self.program)
        name = "program" if keyword.iskeyword(name) else name
        while name in OWN_NAMES or name in source.names or name in self.defined:
            name = f"{name}_"
        return name

    def define(self, name: str, value: Any) -> None:
        """Bind a name at the top of the module."""
        if name in self.defined:
            return
        self.defined[name] = value
        if isinstance(value, (np.ndarray, np.generic)):
            self._define_array(name, np.asarray(value), isinstance(value, np.generic))
        elif isinstance(value, (float, int, complex, range, str)) or is_literal(value):
            self.lines += ["", f"{name} = {value!r}"]
        elif value is duck_types:
            self.lines += ["", f"{name} = set()"]  # where there is NumPy only
        elif value is blocks.run_blocks:
            self._define_blocks(name)
        elif isinstance(value, types.FunctionType):
            self._define_function(name, value)
        else:
            raise self._refusal(getattr(value, "__name__", type(value).__name__), value)

    def _define_array(self, name: str, array: Any, is_scalar: bool) -> None:
        if array.dtype.kind not in "fciub":
            raise self._refusal(f"a constant of dtype {array.dtype}", array)
        end = "[()]" if is_scalar else ""
        if array.size <= LONGEST_LITERAL and np.all(np.isfinite(array)):
            text = f"numpy.array({array.tolist()!r}, {array.dtype.name!r}).reshape({array.shape})"
            self._need("import numpy")
            self.lines += ["", f"{name} = {text}{end}"]
            return
        self._need(DECODED)
        file = io.BytesIO()
        np.save(file, array, allow_pickle=False)
        text = base64.b64encode(file.getvalue()).decode()
        pieces = [f'    "{text[i : i + 88]}"' for i in range(0, len(text), 88)]
        self.lines += ["", f"{name} = decoded(", *pieces, f"){end}"]

    def _define_blocks(self, name: str) -> None:
        text = inspect.getsource(blocks).split("from __future__ import annotations\n")[1]
        self.lines += [text, f"{name} = run_blocks"]

    def _define_function(self, name: str, function: types.FunctionType) -> None:
        """A function of this package is copied, and with it what it calls."""
        code = function.__code__
        is_plain = function.__name__.isidentifier() and not code.co_freevars
        if function.__module__.split(".")[0] != ENGINE or not is_plain:
            raise self._refusal(function.__qualname__, function)
        for used in sorted(names_in(code) & function.__globals__.keys()):
            value = function.__globals__[used]
            place = imported_from(value)
            if isinstance(value, types.ModuleType) and value.__name__ == "numpy":
                self._need(f"import numpy as {used}")
            elif place is not None:
                self._need(f"from {place[0]} import {place[1]} as {used}")
            else:
                self.define(used, value)
        self.lines += ["", "", inspect.getsource(function).rstrip(), ""]
        if name != function.__name__:
            self.lines += [f"{name} = {function.__name__}"]

    def _need(self, text: str) -> None:
        if text not in self.defined:
            self.defined[text] = None
            self.lines += ["", text]

    def _refusal(self, what: str, value: Any) -> CompileError:
        module = getattr(value, "__module__", None) or type(value).__module__
        return CompileError(
            f"{self.program} cannot be saved as a module of its own: it uses {what} of {module}, "
            "and such a module has NumPy only; write that part with NumPy's functions, "
            "or import the package where the program runs"
        )


def is_literal(value: Any) -> bool:
    """Whether a container is what its ``repr`` says."""
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError):
        return False
