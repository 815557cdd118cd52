"""Functions that write into an array, and those that make an array to write into.

Each writing function computes the whole content that the array has afterwards, by a
primitive like any other; `in_place.write` gives it to the array.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from math import prod
from types import FrameType
from typing import Any

from autograd_lite.core.duck_arrays import is_duck_array, moved
from autograd_lite.core.errors import ArgumentTypeError
from autograd_lite.core.in_place import (
    buffer,
    check_cast,
    check_writable,
    data_now,
    leaves_the_rest,
    within_history,
    write,
    write_result,
)
from autograd_lite.core.memory import copied
from autograd_lite.core.node import Handle, holds_value, unwrap
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.overlaps import check_overlap
from autograd_lite.core.primitive import Primitive, register, registry
from autograd_lite.core.signatures import full_name
from autograd_lite.core.views import Looking, is_number
from autograd_lite.ops.define import composite, has_numbers, numbers_of
from autograd_lite.ops.indexing import repeats_possible, scatter
from autograd_lite.ops.joining import as_array

__all__ = ["Origins", "written"]

# Writing.


class Origins(Primitive):
    """The numbers, from 1 on, of the elements that are written to each place; 0 where none is.

    They depend on the shapes of the first two inputs, not on what is in them.
    """

    __slots__ = ()


def written(function: Callable[..., Any], name: str) -> Primitive:
    """The content of an array after a function has written elements of another into it.

    The function is called as ``function(array, elements, *places, **static)``.  Written
    into numbered places it tells by itself which element went where.
    """

    def forward(x: Any, elements: Any, *places: Any, **static: Any) -> Any:
        content = copied(x) if np.ndim(x) else np.array(x)  # a sample without axes is a number here
        function(content, elements, *places, **static)
        return content

    def number(x: Any, elements: Any, *places: Any, **static: Any) -> Any:
        content = np.zeros(np.shape(x), np.intp)
        numbers = np.arange(1, np.size(elements) + 1).reshape(np.shape(elements))
        if is_duck_array(x):
            content, numbers = (moved(array, x) for array in (content, numbers))
        function(content, numbers, *places, **static)
        return content

    origins = Origins(number, name=f"{name}.origins", differentiable=False, builtin=True)

    def kept(g: Any, out: Any, *operands: Any, **static: Any) -> Any:
        return np.where(origins(*operands, **static) > 0, 0, g)

    def taken(g: Any, out: Any, x: Any, elements: Any, *places: Any, **static: Any) -> Any:
        numbers = origins(x, elements, *places, **static)
        sums = scatter(g, numbers, shape=(np.size(elements) + 1,))
        return np.reshape(sums[1:], np.shape(elements))

    return Primitive(forward, kept, taken, name=name, masks=True, builtin=True)


def writing(function: Any, what: str) -> Callable[..., None]:
    """A function that writes elements of its second argument into its first."""
    primitive = written(function, what)

    def call(x: Any, elements: Any, *places: Any, **static: Any) -> None:
        if not isinstance(x, Handle):
            write_result(x, elements, caller_in_numpy() or f"np.{what}")
        check_writable(x, f"np.{what}")
        check_cast(as_array(elements), data_now(x), f"np.{what}", "unsafe")
        if leaves_the_rest(x):
            with within_history(x, as_array(elements)) as elements:
                call(x, elements, *places, **static)
            return
        content = primitive(x, as_array(elements), *places, **static)
        check_overlap(
            lambda y, given: function(y, *given, **static), x, (elements, *places), f"np.{what}"
        )
        write(x, content, f"np.{what}")

    return call


def caller_in_numpy() -> str | None:
    """The function of NumPy's own that the user called, if it is one that came here."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and package_of(frame) == "autograd_lite":
        frame = frame.f_back
    caller = None
    while frame is not None and package_of(frame) == "numpy":
        caller, frame = f"np.{frame.f_code.co_name}", frame.f_back
    return caller


def package_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


put_elements = writing(lambda x, v, places, mode: np.put(x, places, v, mode), "put")
place_elements = writing(lambda x, v, mask: np.place(x, mask, v), "place")
putmask_elements = writing(lambda x, v, mask: np.putmask(x, mask, v), "putmask")
copy_elements = writing(lambda x, v, where: np.copyto(x, v, "unsafe", where), "copyto")
fill_elements = writing(lambda x, v, wrap: np.fill_diagonal(x, v, wrap), "fill_diagonal")
along_elements = writing(
    lambda x, v, indices, axis: np.put_along_axis(x, indices, v, axis), "put_along_axis"
)


@composite(np.put, asks_numpy="never")
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    if not isinstance(ind, Handle):
        ind = np.asarray(ind, None if isinstance(ind, np.ndarray) else np.intp)
    put_elements(a, v, ind, mode=mode)


@composite(np.place, asks_numpy="never")
def place(arr: Any, mask: Any, vals: Any) -> None:
    place_elements(arr, vals, mask)


@composite(np.putmask, asks_numpy="never")
def putmask(a: Any, mask: Any, values: Any) -> None:
    putmask_elements(a, values, mask)


@composite(np.copyto, asks_numpy="never")
def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    if isinstance(dst, Handle):
        check_writable(dst, "np.copyto")
        check_cast(src, dst.node.data, "np.copyto", casting)
    copy_elements(dst, src, where)


@composite(np.fill_diagonal, asks_numpy="never")
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    fill_elements(a, val, wrap=wrap)


@composite(np.put_along_axis, asks_numpy="never")
def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None) -> None:
    along_elements(arr, values, indices, axis=axis)


def ufunc_at(ufunc: Any, x: Any, index: Any, *operands: Any) -> None:
    """``ufunc.at``: repeated indices are written one after the other."""
    what = f"np.{ufunc.__name__}.at"
    parts = index if isinstance(index, tuple) else (index,)
    if not isinstance(x, Handle):
        write_result(x, operands[-1] if operands else x, what)
    check_writable(x, what)
    for operand in operands:
        check_cast(as_array(operand), data_now(x), what, "unsafe")
    if leaves_the_rest(x):
        content = np.copy(x)  # under `no_grad`, where all of it is a constant
        ufunc_at(ufunc, content, index, *operands)
        x[index] = content[index]
        return
    # Fractions are cut off of each sum, not of what is added.
    is_added = ufunc in (np.add, np.subtract)
    if is_added and np.can_cast(as_array(operands[0]).dtype, x.dtype, "same_kind"):
        operand = np.astype(as_array(operands[0]), x.dtype)
        increment = operand if ufunc is np.add else -operand
        write(x, registry["at.add"](x, increment, *parts), what)
        return
    parts = tuple(map(numbers_of, parts))
    if repeats_possible(parts) and has_repeats(x, parts):
        named = places_in(np.shape(x))[parts]
        # As they are now: NumPy copies operands that lie where it writes.
        wide = [np.broadcast_to(as_array(operand), named.shape).flatten() for operand in operands]
        for turn in turns(np.ravel(named)):
            place = np.unravel_index(np.ravel(named)[turn], np.shape(x))
            write_content(ufunc, x, place, [operand[turn] for operand in wide])
        return
    write_content(ufunc, x, parts, operands)


def write_content(ufunc: Any, x: Any, parts: tuple[Any, ...], operands: Sequence[Any]) -> None:
    content = np.astype(ufunc(x[parts], *operands), x.dtype)
    write(x, registry["at.set"](x, content, *parts), f"np.{ufunc.__name__}.at")


def places_in(shape: tuple[int, ...]) -> Any:
    """The place of each element in the array made flat."""
    return np.reshape(np.arange(prod(shape)), shape)


def turns(elements: Any) -> Iterator[Any]:
    """Where each element is named for the first time, then where for the second, and so on."""
    order = np.argsort(elements, kind="stable")
    in_order = elements[order]
    turn = np.empty_like(elements)
    turn[order] = np.arange(np.size(elements)) - np.searchsorted(in_order, in_order)
    for number in range(np.max(turn, initial=-1) + 1):
        yield np.flatnonzero(turn == number)


def has_repeats(x: Any, parts: tuple[Any, ...]) -> bool:
    counts = np.zeros(np.shape(x), np.intp)
    np.add.at(counts, parts, 1)
    return bool(np.any(counts > 1))


registry["ufunc.at"] = ufunc_at

# What views other than parts put back.


def put_at(content: Any, elements: Any, places: Any) -> None:
    np.put(content, places, elements)


at_put = written(put_at, "at.put")
register("at.put", at_put)


def real_written(z: Any, part: Any) -> Any:
    content = copied(z)
    content.real = part
    return content


def imag_written(z: Any, part: Any) -> Any:
    content = copied(z)
    content.imag = part
    return content


register(
    "at.real",
    Primitive(
        real_written,
        lambda g, out, z, part: 1j * np.imag(g),
        lambda g, out, z, part: np.real(g),
        name="at.real",
    ),
)
register(
    "at.imag",
    Primitive(
        imag_written,
        lambda g, out, z, part: np.real(g) + 0j,
        lambda g, out, z, part: -np.imag(g),
        name="at.imag",
    ),
)

# Arrays to write into.


def like(function: Any) -> Callable[..., Any]:
    """``function(..., like=x)``: an array as NumPy makes it, to write Values into."""

    def make(*args: Any, **kwargs: Any) -> Any:
        try:
            return buffer(function(*args, **kwargs))
        except TypeError as error:
            if not holds_value(args):
                raise
            raise ArgumentTypeError(
                f"{full_name(function)} takes plain numbers only ({error}); pass x.data"
            ) from error

    return make


def buffer_of(made: Any, source: Any) -> Any:
    """The array that NumPy made of ``source``, to write Values into.

    One that lies in the memory of the source stays plain: the caller's array sees what is
    written into it, and a constant that is written after its use is looked after when used.
    """
    is_shared = not is_duck_array(source) and np.may_share_memory(made, source)
    return made if is_shared else buffer(made)


function: Any
"""Each of several functions that share a treatment, in the loops below."""

for function in (
    np.zeros, np.ones, np.eye, np.identity, np.tri, np.arange, np.fromfile, np.fromiter,
    np.fromstring, np.genfromtxt, np.loadtxt,
):  # fmt: skip
    registry[function] = like(function)
# What is there before the first write is the same at every call: a program is compared with
# its function.
registry[np.empty] = like(np.zeros)


def from_function(*args: Any, **kwargs: Any) -> Any:
    """``np.fromfunction(..., like=x)``: what the function returns, which may hold Values.

    A plain array is copied: it may be one that the function only refers to.
    """
    made = np.fromfunction(*args, **kwargs)
    return buffer(made.copy()) if isinstance(made, np.ndarray) else made


registry[np.fromfunction] = from_function
registry[np.frombuffer] = lambda buffer, *args, **kwargs: buffer_of(
    np.frombuffer(buffer, *args, **kwargs), buffer
)


def array_like(function: Any) -> Callable[..., Any]:
    """``function(nested, like=x)``, where the nested numbers may be Values."""

    def make(a: Any, dtype: Any = None, **kwargs: Any) -> Any:
        is_there = isinstance(a, Handle) and (dtype is None or np.dtype(dtype) == a.node.dtype)
        value: Any = a if is_there else as_array(a, dtype)
        if not isinstance(value, Handle):
            return buffer_of(function(a, dtype, **kwargs), a)
        result = made_of(a, value, **kwargs)
        missing = kwargs.get("ndmin", 0) - result.ndim
        return result[(None,) * missing] if missing > 0 else result

    def made_of(a: Any, value: Any, **kwargs: Any) -> Any:
        result: Any = value
        if function in ORDERS and not result.shape:
            return (np.copy(result) if is_number(result) else result)[None]  # never without axes
        if is_number(result):
            return np.copy(result)
        order: Any = ORDERS.get(function) or kwargs.get("order") or "K"
        copy = kwargs.get("copy", True if function is np.array else None)
        if function is np.require:
            order, copy = required(value, **kwargs)
        is_copied = copy and value is a
        if order not in "KA" and isinstance(unwrap(value), Handle) and not is_copied:
            return in_order(value, order=order)  # of samples, which lie nobody knows how
        is_laid_out = order in "KA" or not has_numbers(value) or lies_in(unwrap(value), order)
        stays = is_laid_out and not is_copied
        return result if stays else np.copy(result, order=order)

    return make


in_order = Primitive(
    lambda x, order="K": np.asarray(x, order=order),
    lambda g, out, x, order="K": g,
    name="asarray",
    arrays=1,
    builtin=True,
)
"""The same array if it lies in an order, else a copy that does."""

ORDERS = {np.ascontiguousarray: "C", np.asfortranarray: "F"}
"""The orders that functions have in their names."""


def required(x: Any, requirements: Any = None) -> tuple[str, bool]:
    """In which order `np.require` wants an array, and whether it copies one that is a view."""
    np.require(np.empty(0), None, requirements)  # NumPy knows their names
    wanted = {name[0].upper() for name in requirements or ()}
    order = "F" if "F" in wanted else "C" if "C" in wanted else "K"
    return order, "O" in wanted and isinstance(x, Looking)


def lies_in(data: Any, order: str) -> bool:
    flags = np.asarray(data).flags
    return bool(flags.c_contiguous if order == "C" else flags.f_contiguous)


for function in (
    np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.require,
):  # fmt: skip
    registry[function] = array_like(function)


@composite(np.full, asks_numpy="on failure")
def full(
    shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", *, device: Any = None
) -> Any:
    if not isinstance(fill_value, Handle):
        return buffer(np.full(shape, fill_value, dtype, order, device=device))
    value: Any = fill_value
    filled = np.copy(np.broadcast_to(value, shape), order=order)
    return filled if dtype is None else np.astype(filled, dtype)
