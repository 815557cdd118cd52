"""The attributes and methods that `Value` shares with arrays, each the NumPy function it names."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from types import FunctionType
from typing import Any, Generic, TypeVar

from autograd_lite.core.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    AutogradError,
    MissingAttributeError,
)
from autograd_lite.core.node import Handle
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import registry
from autograd_lite.core.recorder import EAGER, current
from autograd_lite.core.refusals import refused_write
from autograd_lite.core.signatures import check_casting
from autograd_lite.core.views import is_number

__all__ = ["ArrayMethods", "Result", "with_named_calls"]

Class = TypeVar("Class", bound=type)
Result = TypeVar("Result")
"""What operations on such a handle give, for type checkers: `Value`, which is above this file."""


API_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")
"""Of the array API standard, each of which the next one contains."""


def array_namespace(*, api_version: str | None = None) -> Any:
    """The namespace of a version of the standard."""
    if api_version is not None and api_version not in API_VERSIONS:
        raise ArgumentValueError(
            f"version {api_version!r} of the array API standard, of which there are here "
            f"{', '.join(API_VERSIONS)}; leave api_version out for the last of them"
        )
    return import_module("autograd_lite.array_api")


def method(function: Any) -> Callable[..., Any]:
    """The method that is this function of NumPy's, with all its arguments."""
    name = function.__name__

    def call(self: ArrayMethods[Any], *args: Any, **kwargs: Any) -> Any:
        if isinstance(function, np.ufunc):
            return self.__array_ufunc__(function, "__call__", self, *args, **kwargs)
        return self.__array_function__(function, (), (self, *args), kwargs)

    call.__name__, call.__qualname__ = name, f"Value.{name}"
    call.__doc__ = f"``np.{name}`` of this Value, with its arguments."
    return call


def with_named_calls(cls: Class) -> Class:
    """A class of methods that say how they are called, where a call does not fit them."""
    for name, x in list(vars(cls).items()):
        if isinstance(x, FunctionType) and not name.startswith("_") and not takes_anything(x):
            setattr(cls, name, with_named_call(x))
    return cls


def takes_anything(function: FunctionType) -> bool:
    flags = function.__code__.co_flags
    return bool(flags & inspect.CO_VARARGS and flags & inspect.CO_VARKEYWORDS)


def with_named_call(definition: Any) -> Any:
    name = definition.__name__

    @wraps(definition)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return definition(*args, **kwargs)
        except TypeError as error:
            place = error.__traceback__
            was_entered = place is not None and place.tb_next is not None
            if was_entered or isinstance(error, AutogradError):
                raise
            _, *parameters = inspect.signature(definition).parameters.values()
            how = ", ".join(str(p.replace(annotation=p.empty)) for p in parameters)
            fault = str(error).partition("() ")[2]
            raise ArgumentTypeError(f"x.{name}() {fault}; write x.{name}({how})") from error

    return call


class Refused:
    """An attribute of arrays that a Value does not have, and says what to write instead."""

    # Not by __getattr__, with which Python reads every attribute the slow way.

    def __init__(self, name: str, whose: str) -> None:
        self.name = name
        self.whose = whose

    def __get__(self, value: Any, owner: Any = None) -> Any:
        instead = INSTEAD.get(self.name, f"x.data.{self.name}, which no gradient passes through")
        raise MissingAttributeError(
            f"a Value does not have the {self.whose} {self.name!r}; write {instead}"
        )


OF_DASK = (
    *("blocks", "chunks", "chunksize", "compute", "map_blocks", "map_overlap", "moment"),
    *("numblocks", "npartitions", "persist", "rechunk", "store", "to_delayed", "topk"),
    *("vindex", "visualize"),
)

INSTEAD = {
    **{
        name: f"x.data.{name}, which no gradient passes through; and in the place of a function "
        "of Dask that of NumPy, as np.cumsum for da.cumsum, which computes on Dask's arrays too"
        for name in OF_DASK
    },
    "hex": "x.item().hex()",
    "is_integer": "x.item().is_integer(), or x == np.floor(x) for arrays",
    "resize": "x = np.resize(x, shape)",
    "view": "x[...], x.astype(dtype) for the numbers in another dtype, or x.data.view(dtype)",
}
"""For what would be no good advice on the data."""


@with_named_calls
class ArrayMethods(Handle, Generic[Result]):
    """What a `Value` has in common with an array, besides operators and indexing."""

    __slots__ = ()

    __array_ufunc__: Any
    __array_function__: Any

    def _call(self, function: Any, *args: Any, **kwargs: Any) -> Result:
        """A function, as this Value answers NumPy; which would come back with the question."""
        result: Result = self.__array_function__(function, (), args, kwargs)
        return result

    def _read(self, is_number: bool = True) -> Any:
        """The data, on their way out of the graph."""
        node = self.node
        recorder = current.get()
        if recorder is not EAGER:
            recorder.note_read(node, is_number)
        return node.data

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the data; ``()`` for a Python number."""
        return getattr(self.node.data, "shape", ())

    @shape.setter
    def shape(self, shape: Any) -> None:
        raise refused_write(
            "a Value does not change its shape in place; write x = x.reshape(shape)"
        )

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.node.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the data; that of the type for a Python number."""
        return self.node.dtype

    @dtype.setter
    def dtype(self, dtype: Any) -> None:
        raise refused_write("a Value does not change its dtype in place; write x = x.astype(dtype)")

    @property
    def T(self) -> Result:
        """The transpose: all axes reversed."""
        return self._call(np.transpose, self)

    @property
    def mT(self) -> Result:
        """The matrix transpose: the last two axes swapped."""
        return self._call(np.swapaxes, self, -1, -2)

    # The array API standard.

    @property
    def __array_namespace__(self) -> Callable[..., Any]:
        """The functions of the array API standard, which take Values."""
        if str(sys._getframe(1).f_globals.get("__name__")).startswith("xarray."):
            # By NumPy's protocols it can more; by this one, of xarray 2026.9, what is written
            # at a[{"x": [0, 1], "y": [0, 1]}] goes to two elements and not to four.
            raise MissingAttributeError("xarray asks for NumPy's functions; write np.sin(x)")
        return array_namespace

    @property
    def device(self) -> Any:
        """Where the data lie, in the words of their library; "cpu" for NumPy's and for numbers."""
        return getattr(self.node.data, "device", "cpu")

    def to_device(self: Any, device: Any, /, *, stream: Any = None) -> Any:
        """This Value, which is on that device already; another one is refused."""
        if stream is not None or device != self.device:
            raise ArgumentValueError(
                f"to_device: a Value on {self.device!r} does not move to {device!r}; move the "
                "array before a Value is made of it"
            )
        return self

    def __dlpack__(self, **options: Any) -> Any:
        return np.asarray(self).__dlpack__(**options)  # refused of what requires a gradient

    def __dlpack_device__(self) -> Any:
        return getattr(self.node.data, "__dlpack_device__", NOTHING.__dlpack_device__)()

    # Methods that NumPy's arrays have.

    sum: Callable[..., Result] = method(np.sum)
    prod: Callable[..., Result] = method(np.prod)
    mean: Callable[..., Result] = method(np.mean)
    var: Callable[..., Result] = method(np.var)
    std: Callable[..., Result] = method(np.std)
    max: Callable[..., Result] = method(np.max)
    min: Callable[..., Result] = method(np.min)
    ptp: Callable[..., Result] = method(np.ptp)
    any: Callable[..., Result] = method(np.any)
    all: Callable[..., Result] = method(np.all)
    argmax: Callable[..., Result] = method(np.argmax)
    argmin: Callable[..., Result] = method(np.argmin)
    cumsum: Callable[..., Result] = method(np.cumsum)
    cumprod: Callable[..., Result] = method(np.cumprod)
    round: Callable[..., Result] = method(np.round)
    dot: Callable[..., Result] = method(np.dot)
    trace: Callable[..., Result] = method(np.trace)
    diagonal: Callable[..., Result] = method(np.diagonal)
    ravel: Callable[..., Result] = method(np.ravel)
    squeeze: Callable[..., Result] = method(np.squeeze)
    swapaxes: Callable[..., Result] = method(np.swapaxes)
    repeat: Callable[..., Result] = method(np.repeat)
    take: Callable[..., Result] = method(np.take)
    nonzero: Callable[..., Any] = method(np.nonzero)
    argsort: Callable[..., Result] = method(np.argsort)
    argpartition: Callable[..., Result] = method(np.argpartition)
    searchsorted: Callable[..., Result] = method(np.searchsorted)

    def choose(self, *choices: Any, out: Any = None, mode: str = "raise") -> Result:
        """``np.choose`` by this Value, from one sequence of arrays or from several arrays."""
        listed = choices[0] if len(choices) == 1 else list(choices)
        return self._call(np.choose, self, listed, out=out, mode=mode)

    def compress(self, condition: Any, axis: int | None = None, out: Any = None) -> Result:
        """``np.compress`` of this Value."""
        return self._call(np.compress, condition, self, axis=axis, out=out)

    def conjugate(self: Any, out: Any = None, /) -> Any:
        """``np.conjugate`` of this Value; a real array gives itself, as NumPy's method does."""
        if out is None and self.dtype.kind != "c":
            return self
        written = {} if out is None else {"out": (out,)}
        return self.__array_ufunc__(np.conjugate, "__call__", self, **written)

    conj: Callable[..., Result] = conjugate

    def copy(self, order: Any = "C") -> Result:
        """``np.copy`` of this Value, which lays out the elements in C order unless told."""
        check_order(order)
        if is_number(self):
            number: Any = self
            is_sample = isinstance(self.node.data, Handle)
            same: Result = number if is_sample else registry["identity"](number)
            return same
        return self._call(np.copy, self, order)

    def flatten(self, order: Any = "C") -> Result:
        """All elements in one row, as a copy; ``x.ravel()`` is a view where that can be."""
        return self._call(np.copy, self._call(np.ravel, self, order))

    def clip(self, min: Any = None, max: Any = None, out: Any = None, **options: Any) -> Result:
        """``np.clip`` of this Value, with its arguments; one bound will do."""
        return self._call(np.clip, self, min, max, out=out, **options)

    def reshape(self, *shape: Any, order: Any = "C", copy: bool | None = None) -> Result:
        """``np.reshape`` of this Value; the shape as one tuple or as several integers."""
        if not shape or shape[0] is None:
            raise ArgumentTypeError("x.reshape() lacks a shape; write x.reshape(()) for a number")
        lengths = shape[0] if len(shape) == 1 else shape
        return self._call(np.reshape, self, lengths, order=order, copy=copy)

    def transpose(self, *axes: Any) -> Result:
        """``np.transpose`` of this Value; the axes as one tuple or as several integers."""
        order = axes[0] if len(axes) == 1 else axes or None
        return self._call(np.transpose, self, (order,) if isinstance(order, int) else order)

    def astype(
        self, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: bool = True,
        copy: bool = True,
    ) -> Result:  # fmt: skip
        """``np.astype`` of this Value; the gradient goes back in the dtype it came from."""
        check_casting(self.dtype, dtype, casting)
        check_order(order)
        if order == "K" or self.ndim < (2 if copy else 1):
            return self._call(np.astype, self, dtype, copy=bool(copy))
        array: Any = self
        if order == "A" and (self.ndim == 1 or isinstance(array.node.data, Handle)):
            order = "C"  # of one axis the same; how a sample lies under vmap nobody knows
        if copy or np.dtype(dtype) != self.dtype or not is_one_block(array, order):
            array = self._call(np.copy, self, order)
        else:
            array = registry[np.asarray](self, order=order)
        return self._call(np.astype, array, dtype, copy=False)

    def __divmod__(self: Any, other: Any) -> tuple[Any, Any]:
        return self // other, self % other

    def __rdivmod__(self: Any, other: Any) -> tuple[Any, Any]:
        return other // self, other % self

    def __round__(self: Any, digits: int | None = None) -> Any:
        if self.dtype.kind == "c":
            raise ArgumentTypeError(
                "round() of complex numbers, which Python does not round; write np.round(x, digits)"
            )
        rounded = registry[round](self, digits=digits or 0)
        return int(rounded) if digits is None else rounded

    def __contains__(self, item: Any) -> bool:
        return bool(np.any(self == item))

    @property
    def itemsize(self) -> int:
        """The bytes that an element takes."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """The bytes that the elements take."""
        return self.size * self.itemsize

    def relu(self) -> Result:
        """The positive part; its derivative at 0 is 0.

        Examples
        --------
        >>> from autograd_lite import Value
        >>> Value([-1.0, 2.0]).relu()
        Value([0., 2.])
        """
        result: Result = registry["relu"](self)
        return result

    tanh: Callable[..., Result] = method(np.tanh)
    exp: Callable[..., Result] = method(np.exp)
    log: Callable[..., Result] = method(np.log)


def check_order(order: Any) -> None:
    """Let NumPy refuse what is not an order of elements."""
    NOTHING.copy(order)


def is_one_block(x: Any, order: Any) -> bool:
    """Whether an array may stay where it lies: with ``order="A"`` it must lie without gaps."""
    data = x.node.data
    return order != "A" or not isinstance(data, np.ndarray) or bool(data.flags.forc)


NOTHING: Any = np.zeros(0)

OF_ARRAYS = [name for name in dir(np.ndarray) if not name.startswith("_")]

ATTRIBUTES = {
    "array's": OF_ARRAYS,
    "number's": ("hex", "is_integer"),
    "Dask array's": OF_DASK,
}
"""What Values are asked for as if they were something else, by whose attributes these are."""

for whose, names in ATTRIBUTES.items():
    for name in names:
        if name not in dir(ArrayMethods):
            setattr(ArrayMethods, name, Refused(name, whose))
