"""Arrays whose operators mean something else than NumPy's: refused by name, at the call.

``x * x`` is a product of matrices for `numpy.matrix`, passes over masked entries, matches
labels in pandas, and takes sparse matrices apart.  A graph of NumPy's functions would be
another function than the one that was written.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from functools import cache
from types import EllipsisType, NoneType
from typing import Any

import numpy as np

from autograd_lite.core.duck_arrays import is_duck_array
from autograd_lite.core.errors import ArgumentTypeError
from autograd_lite.core.node import Handle

__all__ = ["BUFFERS", "ORDINARY", "array_in_numpy", "check_ordinary", "check_subclasses"]

ORDINARY = frozenset(
    {np.ndarray, np.float64, np.float32, float, int, complex, bool, str}
    | {NoneType, slice, EllipsisType, list, tuple, dict}
)
"""Types of constants that need no second look."""

COMPARISONS = {"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"}

HARMLESS = set(dir(object)) - COMPARISONS | {
    "__array_finalize__",
    "__array_priority__",
    "__array_wrap__",
    "__setstate__",
}
"""Attributes of arrays by which a subclass does not change what its operators mean."""

PROTOCOLS = ("__array__", "__array_ufunc__", "__array_priority__")
"""By any of these a type with operators is one of arrays."""

GIVING = ("__array__", "__array_interface__", "__array_struct__")
"""By any of these NumPy makes an array of an object, as of a data set of h5py or Zarr."""

BUFFERS = (memoryview, bytearray, array)
"""Of these it does so too."""

CONVERSIONS = ("to_numpy", "toarray", "filled")
"""Methods by which such arrays give their numbers away."""


def check_ordinary(x: Any, what: str) -> None:
    """Refuse an array that computes by rules of its own, and say how to get at its numbers."""
    kind: Any = type(x)
    if kind in ORDINARY:
        return
    if is_duck_array(x):
        check_chunks(x, what)
    elif means_something_else(kind):
        raise refusal(kind, what)


def array_in_numpy(x: Any) -> Any:
    """The array that NumPy makes of an object, read now; what is a number or no array, as it is.

    A graph that held the object would read it again in the sweep, when it may say something else.
    """
    kind = type(x)
    if issubclass(kind, (np.ndarray, np.generic, Handle)):
        return x
    is_read = issubclass(kind, BUFFERS) or any(hasattr(kind, name) for name in GIVING)
    return np.array(x) if is_read else x


def check_chunks(x: Any, what: str) -> None:
    """The same for the chunks of an array of Dask, which knows an empty one like them."""
    kind: Any = type(getattr(x, "_meta", None))
    if kind not in ORDINARY and means_something_else(kind) and not is_duck_array(x._meta):
        raise ArgumentTypeError(
            f"{what} is an array of dask in chunks of {name_of(kind)}, whose operators are not "
            "those of NumPy's arrays; pass its numbers in plain chunks: "
            f"x.map_blocks(lambda x: {plain_numbers(kind)})"
        )


def check_subclasses(kinds: Iterable[Any], function: Any) -> None:
    """The same for the types that a function of NumPy was called with, as NumPy tells them."""
    for kind in kinds:
        if kind not in ORDINARY and issubclass(kind, np.ndarray) and means_something_else(kind):
            raise refusal(kind, f"np.{function.__name__}: an argument")


def refusal(kind: type, what: str) -> ArgumentTypeError:
    return ArgumentTypeError(
        f"{what} is a {name_of(kind)}, whose operators are not those of NumPy's arrays; pass its "
        f"numbers as a plain array: {plain_numbers(kind)}"
    )


def name_of(kind: type) -> str:
    return f"{kind.__module__.partition('.')[0]} {kind.__name__}"


def plain_numbers(kind: type) -> str:
    """What to write for the numbers in an array ``x`` of a type."""
    method = next((name for name in CONVERSIONS if hasattr(kind, name)), None)
    return "np.asarray(x)" if method is None else f"x.{method}()"


@cache
def means_something_else(kind: Any) -> bool:
    """Whether a type is one of arrays, but neither NumPy's nor like it."""
    if issubclass(kind, np.ndarray):
        own = kind.__mro__[: kind.__mro__.index(np.ndarray)]
        changed = {name for cls in own if cls is not np.memmap for name in vars(cls)}
        return not changed.isdisjoint(set(dir(np.ndarray)) - HARMLESS)
    if issubclass(kind, (np.generic, Handle)) or not hasattr(kind, "__mul__"):
        return False
    return any(hasattr(kind, name) for name in PROTOCOLS)
