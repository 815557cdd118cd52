"""Functions that go on in complex numbers where there is no real result: ``np.emath``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_lite.core.numpy_namespace import np
from autograd_lite.ops.define import composite
from autograd_lite.ops.joining import as_array

__all__: list[str] = []

Test = Callable[[Any], Any]


def negative(x: Any) -> Any:
    return x < 0


def beyond_one(x: Any) -> Any:
    return np.absolute(x) > 1


def complex_where(outside: Test, x: Any) -> Any:
    """The same numbers, as complex ones if any real one is outside."""
    x = as_array(x)
    if x.dtype.kind == "c" or not np.any(outside(x)):
        return x
    return np.astype(x, np.complex64 if x.dtype.type in SINGLE else np.complex128)


SINGLE = frozenset({np.float32, np.int8, np.int16, np.uint8, np.uint16})
"""What NumPy takes to complex numbers of single precision."""


def extended(function: Any, by: Any, outside: Test) -> None:
    """Register a function of one argument, by the one that it extends."""

    @composite(function, asks_numpy="on failure")
    def extension(x: Any) -> Any:
        return by(complex_where(outside, x))


for name in ("sqrt", "log", "log2", "log10"):
    extended(getattr(np.emath, name), getattr(np, name), negative)
for name in ("arccos", "arcsin", "arctanh"):
    extended(getattr(np.emath, name), getattr(np, name), beyond_one)


@composite(np.emath.logn, asks_numpy="on failure")
def logn(n: Any, x: Any) -> Any:
    return np.log(complex_where(negative, x)) / np.log(complex_where(negative, n))


@composite(np.emath.power, asks_numpy="on failure")
def power(x: Any, p: Any) -> Any:
    return np.power(complex_where(negative, x), as_array(p))
