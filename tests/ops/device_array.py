"""A stand-in for arrays that live on a device, such as CuPy's: NumPy behind a wall.

It speaks NumPy's two protocols, takes no NumPy array beside its own and gives
none away: what would fetch numbers to the host counts as a transfer.  It differs
from NumPy where CuPy does (14.2): an index beyond the end comes in again at the
other side, which of several writes to one element wins is anybody's guess, few
ufuncs accumulate or scatter, and matrices without a solution give numbers all
the same, unless ``errstate(linalg="raise")`` asks for the error.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np

transfers: list[str] = []
"""What has fetched numbers to the host, call by call."""


class DeviceArray(np.lib.mixins.NDArrayOperatorsMixin):
    """An array that only its own library can look into (`device_library`, like CuPy's arrays)."""

    __module__ = "device_library"

    def __init__(self, held: Any) -> None:
        self.held = np.asarray(held)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        operands = inputs[::2] if method == "at" else inputs
        if not all(map(is_own, operands)):
            return NotImplemented
        check_method(ufunc, method)
        if method == "at":
            x, index, *rest = inputs
            inputs = (x, wrapped(inside(index), x.shape), *rest)
        return outside(getattr(ufunc, method)(*map(inside, inputs), **inside(kwargs)))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in (np.asarray, np.array):
            return DeviceArray(np.array(*inside(args), **kwargs))
        if not all(issubclass(kind, DeviceArray) for kind in types):
            return NotImplemented
        return outside(run(function, inside(args), inside(kwargs)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise TypeError("implicit conversion to a NumPy array is not allowed; call .get()")

    def __getitem__(self, index: Any) -> DeviceArray:
        return DeviceArray(self.held[wrapped(inside(index), self.shape)])

    def __setitem__(self, index: Any, value: Any) -> None:
        if not is_own(value):
            raise TypeError(f"a {type(value).__name__} cannot be written into a DeviceArray")
        write(self.held, wrapped(inside(index), self.shape), inside(value))

    def __len__(self) -> int:
        return len(self.held)

    def __repr__(self) -> str:
        return f"DeviceArray(shape={self.shape}, dtype={self.dtype})"

    def get(self) -> Any:
        """The numbers, on the host."""
        transfers.append("get")
        return self.held

    def item(self) -> Any:
        transfers.append("item")
        return self.held.item()

    def __bool__(self) -> bool:
        transfers.append("bool")
        return bool(self.held)

    def __float__(self) -> float:
        transfers.append("float")
        return float(self.held)

    def __int__(self) -> int:
        transfers.append("int")
        return int(self.held)

    __index__ = __int__

    def view(self, dtype: Any) -> DeviceArray:
        return DeviceArray(self.held.view(dtype))

    def reshape(self, *shape: Any) -> DeviceArray:
        return DeviceArray(self.held.reshape(*shape))

    def transpose(self, *axes: Any) -> DeviceArray:
        return DeviceArray(self.held.transpose(*axes))

    def fill(self, number: Any) -> None:
        self.held.fill(number)

    def copy(self) -> DeviceArray:
        return type(self)(self.held.copy())

    def astype(self, dtype: Any, copy: bool = True) -> DeviceArray:
        return DeviceArray(self.held.astype(dtype, copy=copy))

    @property
    def real(self) -> DeviceArray:
        return DeviceArray(self.held.real)

    @real.setter
    def real(self, part: DeviceArray) -> None:
        self.held.real = inside(part)

    @property
    def imag(self) -> DeviceArray:
        return DeviceArray(self.held.imag)

    @imag.setter
    def imag(self, part: DeviceArray) -> None:
        self.held.imag = inside(part)

    T = property(lambda self: DeviceArray(self.held.T))
    shape = property(lambda self: self.held.shape)
    strides = property(lambda self: self.held.strides)
    dtype = property(lambda self: self.held.dtype)
    ndim = property(lambda self: self.held.ndim)
    size = property(lambda self: self.held.size)
    base = property(lambda self: self.held.base)


SUMMING = (np.add, np.multiply)
SCATTERING = (np.add, np.subtract, np.maximum, np.minimum)

settings = {"linalg": "ignore"}


@contextmanager
def errstate(linalg: str) -> Iterator[None]:
    """Whether matrices without a solution are an error, as ``cupyx.errstate`` says it."""
    before, settings["linalg"] = settings["linalg"], linalg
    try:
        yield
    finally:
        settings["linalg"] = before


sys.modules["device_libraryx"] = SimpleNamespace(errstate=errstate)  # type: ignore[assignment]


def check_method(ufunc: np.ufunc, method: str) -> None:
    known = {"accumulate": SUMMING, "reduce": SUMMING, "at": SCATTERING}.get(method)
    if known is not None and ufunc not in known:
        raise NotImplementedError(f"{ufunc.__name__}.{method} is not supported")


def assert_lacking(function: Any, error: Exception) -> None:
    """What CuPy lacks is refused by name: ufuncs that fold an array, but for sums and products."""
    assert re.search(r"arrays \((\w+)\.(reduce|accumulate) is not supported\)", str(error))
    assert isinstance(function, tuple)
    assert isinstance(function[0], np.ufunc)


def run(function: Any, args: Any, kwargs: Any) -> Any:
    """A function of NumPy's, as forgiving as those of CuPy are."""
    if function is np.take and kwargs.get("mode", "raise") == "raise":
        kwargs = {**kwargs, "mode": "wrap"}
    try:
        return function(*args, **kwargs)
    except np.linalg.LinAlgError:
        if settings["linalg"] == "raise":
            raise
        return np.full(np.shape(args[-1]), 7.7)


def wrapped(index: Any, shape: tuple[int, ...]) -> Any:
    """An index whose arrays come in again at the other side."""
    parts = list(index) if isinstance(index, tuple) else [index]
    used = sum(np.ndim(p) if is_mask(p) else p is not None and p is not Ellipsis for p in parts)
    axis = 0
    for place, part in enumerate(parts):
        if part is Ellipsis:
            axis += len(shape) - used
        elif is_mask(part):
            axis += np.ndim(part)
        elif part is not None:
            if isinstance(part, (list, np.ndarray)) and np.ndim(part) and shape[axis]:
                parts[place] = np.asarray(part, int) % shape[axis]
            axis += 1
    return tuple(parts) if isinstance(index, tuple) else parts[0]


def is_mask(part: Any) -> bool:
    return isinstance(part, (list, np.ndarray, np.bool_, bool)) and np.asarray(part).dtype == bool


def write(held: np.ndarray, index: Any, content: Any) -> None:
    """Of several numbers for one element the first is what remains."""
    places = np.arange(held.size).reshape(held.shape)[index]
    content = np.broadcast_to(content, np.shape(places))
    held.flat[np.ravel(places)[::-1]] = np.ravel(content)[::-1]


def is_own(x: Any) -> bool:
    """Whether this library computes with it: its own arrays, and numbers."""
    return isinstance(x, (DeviceArray, float, int, complex, bool, np.generic))


def inside(x: Any) -> Any:
    """Arguments with what device arrays hold."""
    if isinstance(x, dict):
        return {name: inside(part) for name, part in x.items()}
    if isinstance(x, (list, tuple)):
        return type(x)(inside(part) for part in x)
    return x.held if isinstance(x, DeviceArray) else x


def outside(result: Any) -> Any:
    """Results as device arrays; reductions too stay on the device."""
    if isinstance(result, tuple):
        parts = map(outside, result)
        return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
    if isinstance(result, list):
        return [outside(part) for part in result]
    return DeviceArray(result) if isinstance(result, (np.ndarray, np.generic)) else result
