"""A stand-in for CuPy: NumPy's functions on arrays of a device, and streams that capture them.

It is as strict as CuPy is: its functions take no array of NumPy, a stream that captures
refuses calls of cuBLAS and transfers, and what is allocated meanwhile must come from a
pool of its own.  Captured calls are not run until their graph is launched.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from tests.ops.device_array import (
    DeviceArray,
    check_method,
    inside,
    is_own,
    outside,
    transfers,
    wrapped,
)
from tests.ops.device_array import run as run_forgivingly

OF_CUBLAS = (np.dot, np.matmul, np.vdot, np.inner, np.tensordot, np.einsum)

launched: list[str] = []
"""The functions that were called from Python and that compute, in order."""


class Stream:
    """What is asked of it runs at once, or is kept for a graph."""

    def __init__(self, non_blocking: bool = False) -> None:
        self.non_blocking = non_blocking
        self.captured: list[Callable[[], Any]] | None = None
        self.waited: list[Stream] = []

    def __enter__(self) -> Stream:
        streams.append(self)
        return self

    def __exit__(self, *_: Any) -> None:
        streams.pop()

    def record(self) -> Stream:
        return self

    def wait_event(self, event: Stream) -> None:
        self.waited.append(event)

    def begin_capture(self) -> None:
        if not self.non_blocking:
            raise RuntimeError("cannot capture on the default (legacy) stream")
        self.captured = []

    def end_capture(self) -> Graph:
        captured, self.captured = self.captured, None
        assert captured is not None
        return Graph(captured)


class Graph:
    """Calls that were captured, on the arrays that they were captured with."""

    launches = 0

    def __init__(self, calls: list[Callable[[], Any]]) -> None:
        self.calls = calls

    def launch(self) -> None:
        Graph.launches += 1
        for call in self.calls:
            call()


streams = [Stream()]
pools: list[Any] = [None]


class MemoryPool:
    def malloc(self, size: int) -> None: ...


@contextmanager
def using_allocator(malloc: Any) -> Iterator[None]:
    pools.append(malloc)
    try:
        yield
    finally:
        pools.pop()


def check_capture(what: str) -> None:
    """Refuse what a stream cannot do while it captures."""
    if streams[-1].captured is not None:
        raise NotImplementedError(f"{what} during stream capture is currently unsupported")


def on_device(function: Any) -> Callable[..., Any]:
    """A function of NumPy's on arrays of the device only."""
    is_cublas = function in OF_CUBLAS or getattr(function, "__module__", "") == "numpy.linalg"

    def run(*args: Any, **options: Any) -> Any:
        check_own([*args, *options.values()])
        launched.append(function.__name__)
        captured = streams[-1].captured
        if captured is None:
            result = run_forgivingly(function, inside(args), inside(options))
            out = given_out(function, args, options)
            return outside(result) if out is None else out
        if is_cublas:
            check_capture("calling cuBLAS API")
        out = given_out(function, args, options)
        assert out is not None or pools[-1] is not None, "memory that others may take"
        captured.append(lambda: function(*inside(args), **inside(options)))
        return out

    return run


def given_out(function: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """The array that a call writes into."""
    if function is np.copyto:
        return args[0]
    nin = getattr(function, "nin", {"dot": 2, "concatenate": 2}.get(function.__name__, len(args)))
    return args[nin] if len(args) > nin else options.get("out")


def check_own(arguments: Any) -> None:
    for x in arguments:
        if isinstance(x, (list, tuple)):
            check_own(x)
        elif isinstance(x, np.ndarray):
            raise TypeError(f"Unsupported type {type(x)}")


class Ufunc:
    """A ufunc as CuPy has it."""

    def __init__(self, ufunc: np.ufunc) -> None:
        self.ufunc = ufunc
        self.__name__ = f"cupy_{ufunc.__name__}"

    def __call__(self, *args: Any, **options: Any) -> Any:
        by_keyword = self.ufunc.signature is not None and len(args) > self.ufunc.nin
        if not all(map(is_own, args)) or by_keyword or set(options) - {"out", "dtype", "casting"}:
            raise TypeError(f"{self.__name__} of {args} with {options}")
        return on_device(self.ufunc)(*args, **options)

    def reduce(self, a: Any, **options: Any) -> Any:
        check_method(self.ufunc, "reduce")
        return on_device(self.ufunc.reduce)(a, **options)

    def accumulate(self, a: Any, **options: Any) -> Any:
        check_method(self.ufunc, "accumulate")
        return on_device(self.ufunc.accumulate)(a, **options)

    def at(self, a: Any, indices: Any, b: Any = None) -> None:
        check_capture("scattering")
        check_method(self.ufunc, "at")
        self.ufunc.at(inside(a), wrapped(inside(indices), a.shape), inside(b))


class Functions(ModuleType):
    """A module with NumPy's functions, made as they are asked for."""

    def __init__(self, name: str, numpys: Any) -> None:
        super().__init__(name)
        self.numpys = numpys

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = getattr(self.numpys, name)
        if isinstance(found, (type, ModuleType)):
            return found
        return Ufunc(found) if isinstance(found, np.ufunc) else on_device(found)


def asarray(x: Any, dtype: Any = None) -> DeviceArray:
    if isinstance(x, DeviceArray):
        return x
    check_capture("a transfer")
    return DeviceArray(np.array(x, dtype))


def array(x: Any, dtype: Any = None) -> DeviceArray:
    launched.append("array")
    check_capture("a transfer")
    return DeviceArray(np.array(inside(x), dtype))


def empty(shape: Any, dtype: Any = float) -> DeviceArray:
    assert streams[-1].captured is None or pools[-1] is not None, "memory that others may take"
    return DeviceArray(np.full(shape, 77, dtype))


def get_current_stream() -> Stream:
    return streams[-1]


library = Functions("device_library", np)
library.__dict__.update(
    asarray=asarray,
    array=array,
    empty=empty,
    linalg=Functions("device_library.linalg", np.linalg),
    fft=Functions("device_library.fft", np.fft),
    cuda=SimpleNamespace(
        Stream=Stream,
        MemoryPool=MemoryPool,
        using_allocator=using_allocator,
        get_current_stream=get_current_stream,
    ),
    ndarray=DeviceArray,
    asnumpy=lambda x: x.held,
    transfers=transfers,
    launched=launched,
    Graph=Graph,
)
sys.modules["device_library"] = library
