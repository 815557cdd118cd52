"""Where each Value came from: the source line, the module call, the name of a local variable.

The engine records none of this, as it would slow down every computation.  `SourceLines`
watches a block of code through ``sys.setprofile`` instead, from outside: no
module, Value or rule is touched.
"""

from __future__ import annotations

import linecache
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from autograd_lite.core.interpreter import watching_calls
from autograd_lite.core.node import Node
from autograd_lite.core.tree import parts_of
from autograd_lite.core.value import Value
from autograd_lite.drawing.formatting import shorten

__all__ = [
    "ModuleCall",
    "SourceLine",
    "SourceLines",
    "is_module",
    "names_in",
    "parameter_names",
    "parameters_in",
]

# Nobody looks for the origin of a Value in this code.
LIBRARIES = tuple(
    os.path.dirname(os.path.abspath(file)) + os.sep
    for file in (os.path.dirname(__file__), np.__file__)
)

LONGEST_CONTAINER = 1000


@dataclass(frozen=True)
class ModuleCall:
    """One call of a module: ``path`` tells it from all other calls."""

    path: tuple[str, ...]
    module: Any


@dataclass(frozen=True)
class SourceLine:
    """The line of source that made a Value, and the module call that it was made in."""

    file: str
    line: int
    module: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = linecache.getline(self.file, self.line).strip()
        place = f"{os.path.basename(self.file)}:{self.line}"
        return shorten(f"{place}  {text}".strip(), 120)


class SourceLines:
    """Remember which line of source made each Value in a ``with`` block, for drawings.

    Code in the block runs several times slower.  `draw` does this by itself
    when it is given a function or a module; use it for a graph recorded elsewhere.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> x = ag.Value(0.0, label="x")
    >>> with np.errstate(all="ignore"), ag.SourceLines() as lines:
    ...     y = np.log(x) * 0.0
    >>> drawing = ag.draw(y, lines=lines, highlight="nan")
    >>> drawing.picture.notes[0]
    'The first inf is the result of log.'
    """

    def __init__(self) -> None:
        self.origins: dict[int, SourceLine] = {}
        self.names: dict[int, str] = {}
        self.calls: dict[tuple[str, ...], ModuleCall] = {}
        self._open: list[tuple[FrameType, ModuleCall]] = []
        self._counts: dict[tuple[str, ...], int] = {}
        self._paths: dict[int, str] = {}

    def __enter__(self) -> SourceLines:
        self._watch = watching_calls(self._notice)
        self._watch.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._watch.__exit__(None, None, None)
        self._open.clear()

    def parameters(self) -> frozenset[int]:
        """The parameters of all modules that were called, by the serial numbers of their Values."""
        modules = (call.module for call in self.calls.values())
        return frozenset(serial for module in modules for serial in parameter_names(module))

    def _notice(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            self._enter(frame)
        elif event == "return":
            if isinstance(argument, Value):
                self._remember(frame, argument.node)
            if self._open and self._open[-1][0] is frame:
                self._open.pop()
            elif not self._open and not frame.f_code.co_filename.startswith(LIBRARIES):
                for serial, name in names_in(frame.f_locals).items():
                    self.names.setdefault(serial, name)

    def _enter(self, frame: FrameType) -> None:
        """Open a call when a module's ``__call__`` or ``forward`` starts."""
        code = frame.f_code
        if code.co_name not in ("__call__", "forward") or not code.co_argcount:
            return
        module = frame.f_locals.get(code.co_varnames[0])
        if module is None or not is_module(module):
            return
        if self._open and self._open[-1][1].module is module:
            return
        if not self._open:
            self._paths = {id(part): name for name, part in module.named_modules() if name}
        outer = self._open[-1][1].path if self._open else ()
        path = (*outer, shorten(self._paths.get(id(module)) or type(module).__name__))
        count = self._counts[path] = self._counts.get(path, 0) + 1
        if count > 1:
            path = (*path[:-1], f"{path[-1]} (call {count})")
        self.calls[path] = ModuleCall(path, module)
        self._open.append((frame, self.calls[path]))

    def _remember(self, frame: FrameType, node: Node) -> None:
        if node.serial in self.origins or node.primitive is None:
            return
        caller: FrameType | None = frame
        while caller is not None and caller.f_code.co_filename.startswith(LIBRARIES):
            caller = caller.f_back
        if caller is not None:
            module = self._open[-1][1].path if self._open else ()
            self.origins[node.serial] = SourceLine(
                caller.f_code.co_filename, caller.f_lineno, module
            )


def is_module(x: Any) -> bool:
    """Whether something is a module, by its methods and not by its class."""
    kind = type(x)
    return hasattr(kind, "named_parameters") and hasattr(kind, "named_modules")


def parameter_names(module: Any) -> dict[int, str]:
    """The names of a module's parameters, by the serial numbers of their Values.

    None of one that is still being built, by a drawn function or within it: its attributes are
    not all there.
    """
    try:
        named = list(module.named_parameters())
    except AttributeError:
        return {}
    return {x.node.serial: name for name, x in named if isinstance(x, Value)}


def parameters_in(variables: Mapping[str, Any]) -> frozenset[int]:
    """The parameters of all modules among local variables, by serial number."""
    modules = (x for x in variables.values() if is_module(x))
    return frozenset(serial for module in modules for serial in parameter_names(module))


def names_in(variables: Mapping[str, Any]) -> dict[int, str]:
    """Names of Values among local variables, by serial number: ``x``, ``x[0]``, ``layers.0.w``."""
    unnamed = {"In", "Out"} if "get_ipython" in variables else set()  # a notebook's memory
    variables = {n: x for n, x in variables.items() if n[:1].isalpha() and n not in unnamed}
    names: dict[int, str] = {}
    modules = {name: x for name, x in variables.items() if is_module(x)}
    for name, module in modules.items():
        prefix = f"{name}." if len(modules) > 1 else ""
        for serial, parameter in parameter_names(module).items():
            names.setdefault(serial, prefix + parameter)
    for name, x in variables.items():
        for text, part in parts(name, x):
            if isinstance(part, Value):
                names.setdefault(part.node.serial, text)
    return names


def parts(name: str, x: Any) -> Iterator[tuple[str, Any]]:
    """A variable, and what is in it if it is a container that is not too long to look into."""
    yield name, x
    opened = parts_of(x)
    if opened is not None and opened.step is not None and len(opened.keys) <= LONGEST_CONTAINER:
        for key, part in zip(opened.keys, opened.children, strict=True):
            yield name + opened.step.format(key), part
