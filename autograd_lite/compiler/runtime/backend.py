"""Backends: whose arrays a program computes with, NumPy's or those of a library with its functions.

A program is the same for both.  What differs is kept here: where a function is
found, how constants get there, and the few calls that the library words differently.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from autograd_lite.compiler.runtime.replay import Replayed
from autograd_lite.core.duck_arrays import is_device_array, package_of, raising
from autograd_lite.core.errors import CompileError, UnsupportedError
from autograd_lite.core.numpy_namespace import np

__all__ = ["CupyBackend", "NumpyBackend", "backend_of", "imported_from"]

Prepare = Callable[[], Callable[..., Any]]
"""What makes a program with buffers of its own."""

MODULES = (np, np.linalg, np.fft, np.lib.stride_tricks, math)

REDUCTIONS: dict[np.ufunc, Any] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
}


def imported_from(value: Any) -> tuple[str, str] | None:
    """The module and name under which a function of NumPy's or of Python's can be imported."""
    name = getattr(value, "__name__", None)
    for module in MODULES:
        if isinstance(name, str) and getattr(module, name, None) is value:
            return module.__name__, name
    return None


class NumpyBackend:
    """NumPy itself, whose functions are where they are and whose arrays need not move."""

    has_blocks = True
    """Whether arrays are worth cutting into blocks: it has no parallel loops of its own."""
    has_generators = True
    """Whether random generators fill its arrays."""
    has_scalars = True
    """Whether a single number is something other than an array without axes."""
    moves_arguments = False
    """Whether arguments may have to move to where it computes."""
    prefers_columns = True
    """Whether it reduces columns much faster than short rows."""

    def place(self, function: Any) -> tuple[str, str] | None:
        """The module and name under which programs import what is NumPy's function elsewhere."""
        return imported_from(function)

    def own(self, function: Any) -> Any:
        """The library's function for one of NumPy's; any other function as it is."""
        return function

    def constant(self, array: Any) -> Any:
        """A constant where the program computes, moved there once."""
        return array

    def index(self, value: Any) -> Any:
        """A constant that may be an index, as the library takes it."""
        return value

    def reduction(
        self, ufunc: np.ufunc, out: str | None, keeps: bool
    ) -> tuple[Any, str, list[str]]:
        """What reduces by a ufunc: a function, its method, and the arguments after the axis."""
        options = ["None", out or "None", "True"] if keeps else ["None", out] if out else []
        return ufunc, ".reduce", options

    def receive(self, leaves: list[Any]) -> list[Any]:
        """The arguments of a call; arrays of NumPy beside the library's own move there."""
        return leaves

    def accepts(self, data: Any) -> bool:
        """Whether an array that was captured is of this library, or moves to it."""
        return not is_device_array(data)

    def is_writeable(self, array: Any) -> bool:
        return bool(array.flags.writeable)

    def strict(self, prepare: Prepare) -> Prepare:
        """What prepares programs that raise where NumPy does."""
        return prepare

    def check_options(self, function: str, numba: bool, cuda_graph: bool) -> None:
        """Refuse options that go with other arrays."""
        if cuda_graph:
            raise CompileError(
                f"{function} is to run as CUDA graphs, but its arrays are NumPy's; "
                "pass arrays of CuPy, or omit cuda_graph=True"
            )

    def check_export(self, function: str) -> None:
        """Refuse to write a module that needs NumPy only, where it would need more."""


class CupyBackend(NumpyBackend):
    """CuPy, or a library like it, with arrays of its own."""

    has_blocks = has_generators = has_scalars = prefers_columns = False
    moves_arguments = True

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.name = module.__name__

    def place(self, function: Any) -> tuple[str, str] | None:
        found = imported_from(function)
        if found is None or isinstance(function, type):
            return found
        module, name = found
        return module.replace("numpy", self.name, 1), name

    def own(self, function: Any) -> Any:
        place = self.place(function)
        if place is None or not place[0].startswith(self.name):
            return function
        module, name = place
        found: Any = self.module
        for part in (*module.split(".")[1:], name):
            found = getattr(found, part, None)
        if found is None:
            raise UnsupportedError(
                f"{name}: {self.name} has no such function; write it with functions that "
                f"{self.name} has, or call the compiled function with arrays of NumPy"
            )
        return found

    def constant(self, array: Any) -> Any:
        return array if is_device_array(array) else self.module.asarray(array)

    def index(self, value: Any) -> Any:
        return np.asarray(value) if isinstance(value, list) else value

    def reduction(
        self, ufunc: np.ufunc, out: str | None, keeps: bool
    ) -> tuple[Any, str, list[str]]:
        options = [f"out={out}"] if out else []
        return REDUCTIONS[ufunc], "", options + ["keepdims=True"] * keeps

    def receive(self, leaves: list[Any]) -> list[Any]:
        arrays = (np.ndarray, np.generic)
        return [self.module.asarray(x) if isinstance(x, arrays) else x for x in leaves]

    def accepts(self, data: Any) -> bool:
        return True

    def is_writeable(self, array: Any) -> bool:
        return True

    def strict(self, prepare: Prepare) -> Prepare:
        def prepared() -> Callable[..., Any]:
            program = prepare()

            def run(*leaves: Any) -> Any:
                with raising(self.name):
                    return program(*leaves)

            return run

        return prepared

    def check_options(self, function: str, numba: bool, cuda_graph: bool) -> None:
        if numba:
            raise CompileError(
                f"{function} is to run in loops of Numba, which work on arrays of NumPy, "
                f"but its arrays are those of {self.name}; omit backend='numba'"
            )

    def check_export(self, function: str) -> None:
        raise CompileError(
            f"{function} was used last on arrays of {self.name}, and such a module has "
            "NumPy only; call it with arrays of NumPy before you save it"
        )

    def replay(self, lines: Callable[[], None]) -> Replayed:
        """Lines that are captured as a CUDA graph."""
        return Replayed(self.module.cuda, lines)


def backend_of(arrays: Iterable[Any]) -> NumpyBackend:
    """The backend for these arrays: NumPy's, unless one of them lives elsewhere."""
    for array in arrays:
        if is_device_array(array):
            return CupyBackend(package_of(array))
    return NumpyBackend()
