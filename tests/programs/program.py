"""A program: its text, and the arguments to run it with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import CodeType
from typing import Any

import numpy as np

from tests.programs.plain import PLAIN

IMPORTS = {
    "copy": "import copy",
    "dataclasses": "import dataclasses",
    "functools": "import functools",
    "math": "import math",
    "operator": "import operator",
    "pickle": "import pickle",
    "np": "import numpy as np",
    "ag": "import autograd_lite as ag",
    "nn": "import nn",
}
"""How each module that programs name is imported."""


@dataclass(frozen=True)
class Program:
    """The text of a module with a function ``program``, and its arguments by name."""

    text: str
    arguments: dict[str, Any]

    @cached_property
    def code(self) -> CodeType:
        """What a fresh module is made of."""
        return compile(self.text, "<program>", "exec")

    def load(self, is_plain: bool = False) -> tuple[Callable[..., Any], dict[str, Any]]:
        """The function in a module of its own, and the names of that module.

        ``is_plain``: loops, branches and batches are Python's own.
        """
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(self.code, names)
        if is_plain and "ag" in names:
            names["ag"] = PLAIN
        return names["program"], names

    def copies(self) -> list[Any]:
        """The arguments, which may be written."""
        return [copy_of(x) for x in self.arguments.values()]

    def reproduction(self) -> str:
        """A script that shows what the program gives on plain arrays and on Values."""
        arguments = "\n".join(f"{name} = {literal(x)}" for name, x in self.arguments.items())
        copies = ", ".join(
            f"np.copy({name}, order='K')" if isinstance(x, np.ndarray) else name
            for name, x in self.arguments.items()
        )
        missing = [line for name, line in IMPORTS.items() if name in ("np", "ag")]
        imports = "\n".join(line for line in missing if line not in self.text)
        return (
            f"{imports}\n{self.text}\n{arguments}\n"
            f"print(program({copies}))\n"
            f"print(ag.vjp(program, {', '.join(self.arguments)})[0])\n"
        )


def copy_of(x: Any) -> Any:
    """An array with the same numbers in the same order in memory; a number is itself."""
    return np.copy(x, order="K") if isinstance(x, np.ndarray) else x


def shifted(x: Any, by: Any) -> Any:
    """An argument a little further on, of the same type and order in memory."""
    if not isinstance(x, np.ndarray):
        return float(x + by)
    near = copy_of(x)
    near += by
    return near


def literal(x: Any) -> str:
    """An array or number as it is written in a program."""
    if not isinstance(x, np.ndarray):
        return repr(x)
    dtype = "" if x.dtype in (float, int, bool) else f", dtype=np.{x.dtype}"
    order = "" if x.flags.c_contiguous else ", order='F'"
    return f"np.array({x.tolist()}{dtype}{order})"
