"""Whose arrays a program computes with: NumPy's, or those of a library that has its functions.

A program is the same for both.  What differs is kept here: where a function is
found, how constants get there, and the few calls that the library words differently.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from autograd_lite.compiler.runtime.replay import Replayed
from autograd_lite.core.duck_arrays import is_device_array, package_of
from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.numpy_namespace import np

__all__ = ["NUMPY", "REDUCTIONS", "Library", "imported_from", "library_of"]

MODULES = (np, np.linalg, np.fft, math)

REDUCTIONS: dict[np.ufunc, Any] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
}
"""Reductions by functions: CuPy's ``maximum`` and ``minimum`` have no ``reduce``."""


def imported_from(value: Any) -> tuple[str, str] | None:
    """The module and name under which a function of NumPy's or of Python's can be imported."""
    name = getattr(value, "__name__", None)
    for module in MODULES:
        if isinstance(name, str) and getattr(module, name, None) is value:
            return module.__name__, name
    return None


@dataclass(frozen=True)
class Library:
    """A module with NumPy's functions for arrays of its own."""

    module: ModuleType

    @property
    def is_numpy(self) -> bool:
        return self.module is np

    def replayed(self, lines: Callable[[], None]) -> Replayed:
        """Lines that are captured as a CUDA graph."""
        return Replayed(self.module.cuda, lines)

    @property
    def name(self) -> str:
        return self.module.__name__

    def place(self, function: Any) -> tuple[str, str] | None:
        """The module and name under which programs import what is NumPy's function elsewhere."""
        found = imported_from(function)
        if found is None or self.is_numpy or isinstance(function, type):
            return found
        module, name = found
        return module.replace("numpy", self.name, 1), name

    def own(self, function: Any) -> Any:
        """The library's function for one of NumPy's; any other function as it is."""
        place = self.place(function)
        if self.is_numpy or place is None or not place[0].startswith(self.name):
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
        """A constant where the program computes, moved there once."""
        return array if self.is_numpy or is_device_array(array) else self.module.asarray(array)

    def given(self, leaves: list[Any]) -> list[Any]:
        """The arguments of a call; arrays of NumPy beside the library's own move there."""
        if self.is_numpy:
            return leaves
        arrays = (np.ndarray, np.generic)
        return [self.module.asarray(x) if isinstance(x, arrays) else x for x in leaves]


NUMPY = Library(np)


def library_of(arrays: Iterable[Any]) -> Library:
    """The library of these arrays: NumPy, unless one of them lives elsewhere."""
    for array in arrays:
        if is_device_array(array):
            return Library(package_of(array))
    return NUMPY
