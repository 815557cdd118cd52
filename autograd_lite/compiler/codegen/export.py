"""Programs as modules of their own: what ``compiled.save`` writes, and what needs NumPy only."""

from __future__ import annotations

import ast
import base64
import builtins
import dis
import inspect
import io
import keyword
import operator
import os
import re
import types
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograd_lite.compiler.codegen.emitter import Source, identifier
from autograd_lite.compiler.ir import Input
from autograd_lite.compiler.runtime import blocks
from autograd_lite.compiler.runtime.backend import imported_from
from autograd_lite.core.duck_arrays import duck_types
from autograd_lite.core.errors import AutogradError, CompileError
from autograd_lite.files import as_path, atomic_write

__all__ = ["module_text", "write_module"]

LONGEST_LITERAL = 64
"""Elements of a constant that is written out; larger ones are encoded."""

ENGINE = "autograd_lite"

OWN_NAMES = {"prepare", "checked", "decoded", "idle", "numpy", *dir(builtins)}

CHECKED = '''
def checked(name, given, shape, dtype):
    """Refuse an argument that the program is not for."""
    if shape is None:
        found, wanted = type(given).__name__, dtype
        kinds = {"float": (float, int), "complex": complex, "int": int, "bool": bool}
        fits = isinstance(given, kinds[dtype])
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
    path = as_path(path)
    with atomic_write(path) as file:
        file.write(text.encode())
    return path


def module_text(
    source: Source,
    name: str,
    arguments: Sequence[tuple[str, str | None]],
    inputs: Sequence[Input],
    captured: Sequence[Any],
    function: Callable[..., Any],
) -> str:
    """The text of a module with the program as one function.

    ``arguments`` gives, for each input that a caller passes, the name of the
    argument and the expression that takes the input out of it; ``captured`` are
    the numbers of the remaining inputs, and ``function`` is what was compiled.
    """
    parts = Parts(name, {argument for argument, _ in arguments})
    for own, value in source.names.items():
        if own not in source.imported:
            parts.define(own, value)
    for index, data in enumerate(captured):
        parts.define(f"captured_{index}", data)
    called = parts.own_name(source)
    return "\n".join(
        [
            f'"""{name}, written by autograd_lite.compile; needs NumPy only."""',
            "",
            "from __future__ import annotations",
            "",
            f"__all__ = [{called!r}]",
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
            *entry(parts, called, arguments, inputs, len(captured), numbers_by_default(function)),
            "",
        ]
    )


def entry(
    parts: Parts,
    name: str,
    arguments: Sequence[tuple[str, str | None]],
    inputs: Sequence[Input],
    captured: int,
    defaults: Mapping[str, Any],
) -> Iterator[str]:
    """The function that people call: checks its arguments, and runs a program of its own.

    Names that it shares with an argument, it gets by keywords that nobody passes.
    """
    names = list(dict.fromkeys(argument for argument, _ in arguments))
    taken = [f"captured_{index}" for index in range(captured)]
    hidden = {x: parts.fresh(x) for x in ("prepare", "checked", "idle", "program", *taken)}
    aliases = [f"{new}={old}" for old, new in hidden.items() if new != old and old != "program"]
    given = [*with_defaults(names, defaults), *["*"] * bool(aliases), *aliases]
    yield f"def {name}({', '.join(given)}):"
    prepare, checked, idle, program = (hidden[x] for x in ("prepare", "checked", "idle", "program"))
    yield f"    {program} = {idle}.pop() if {idle} else {prepare}()"
    yield "    try:"
    yield f"        return {program}("
    for (argument, expression), variable in zip(arguments, inputs, strict=False):
        if expression is None:
            raise CompileError(
                f"{name} cannot be saved as a module of its own: its argument {argument} is of a "
                "class that was registered; save a function of its parts, in a tuple or dict"
            )
        of = variable.type
        dtype = repr(of.kind.__name__ if of.dtype is None else of.dtype.name)
        shape = None if of.dtype is None else of.shape
        yield f"            {checked}({expression!r}, {expression}, {shape}, {dtype}),"
    yield from (f"            {hidden[text]}," for text in taken)
    yield "        )"
    yield "    finally:"
    yield f"        {idle}.append({program})"


def numbers_by_default(function: Callable[..., Any]) -> dict[str, Any]:
    """The arguments of a function whose default is a number."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    return {x.name: x.default for x in parameters if type(x.default) in (float, int, complex, bool)}


def with_defaults(names: Sequence[str], defaults: Mapping[str, Any]) -> list[str]:
    """Parameters in their order, those at the end with the numbers they have by default."""
    last = next((n for n, name in enumerate(reversed(names)) if name not in defaults), len(names))
    without = len(names) - last
    return [*names[:without], *(f"{name}={defaults[name]!r}" for name in names[without:])]


class Parts:
    """Definitions of what a program calls by name and NumPy does not have."""

    def __init__(self, program: str, arguments: Collection[str]) -> None:
        self.program = program
        self.arguments = set(arguments)
        self.lines: list[str] = []
        self.defined: dict[str, Any] = {}

    def fresh(self, name: str) -> str:
        """A name that no argument of the program has."""
        while name in self.arguments:
            name = f"{name}_"
        self.arguments.add(name)
        return name

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
        elif value is operator.abs:
            self._need(f"from operator import abs as {name}")
        elif isinstance(value, type) and issubclass(value, AutogradError):
            # What it is without this package: the exception of Python's that it derives from.
            own = next(base for base in value.__mro__ if base.__module__ == "builtins")
            self.lines += ["", f"{name} = {own.__name__}"]
        elif isinstance(value, type) and value in (results := results_of_linalg()):
            self._need("import numpy")
            self.lines += ["", f"{name} = type(numpy.linalg.{results[value]}(numpy.eye(1)))"]
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
        text = re.sub(r"^__all__ = .*\n", "", text, flags=re.MULTILINE)
        self.lines += [text, f"{name} = run_blocks"]

    def _define_function(self, name: str, function: types.FunctionType) -> None:
        """A function of this package is copied, and with it what it calls."""
        code = function.__code__
        is_plain = function.__name__.isidentifier() and not code.co_freevars
        if function.__module__.split(".")[0] != ENGINE or not is_plain:
            raise self._refusal(function.__qualname__, function)
        for used in sorted(globals_in(code) & function.__globals__.keys()):
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
        if isinstance(value, np.random.Generator) or value is np.random.Generator:
            return CompileError(
                f"{self.program} cannot be saved as a module of its own: it draws random numbers, "
                "and a file holds no generator and where it stands; draw them outside, and pass "
                "them as an argument"
            )
        return CompileError(
            f"{self.program} cannot be saved as a module of its own: it uses {what} of "
            f"{home_of(value)}, and such a module has NumPy only; write that part with NumPy's "
            "functions, or import the package where the program runs"
        )


def globals_in(code: types.CodeType) -> set[str]:
    """The names of globals in a piece of code and in the code inside it; not of attributes."""
    names = {x.argval for x in dis.get_instructions(code) if x.opname == "LOAD_GLOBAL"}
    inner = (globals_in(x) for x in code.co_consts if isinstance(x, types.CodeType))
    return names.union(*inner)


def home_of(value: Any) -> str:
    """The package that a thing comes from, as programs import it."""
    if isinstance(value, types.ModuleType):
        return value.__name__.partition(".")[0]
    if isinstance(value, np.ufunc) and getattr(np, value.__name__, None) is not value:
        return "scipy.special"  # the other ufuncs that rules are made of, which name no home
    return getattr(value, "__module__", None) or type(value).__module__


def results_of_linalg() -> dict[Any, str]:
    """Functions of `numpy.linalg` by the classes of their results, to which NumPy gives no name."""
    functions = (np.linalg.eig, np.linalg.eigh, np.linalg.qr, np.linalg.slogdet, np.linalg.svd)
    return {type(function(np.eye(1))): function.__name__ for function in functions}


def is_literal(value: Any) -> bool:
    """Whether a container is what its ``repr`` says."""
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError):
        return False
