"""Rules of indexing: taking parts, and giving gradients back to where they were taken from.

The parts of an index are inputs like any other, so that a mask computed from
a Value is recorded too.  An element taken several times gets the sum of its
gradients.
"""

from __future__ import annotations

import operator
from typing import Any

from autograd_lite.core.backward import unbroadcast
from autograd_lite.core.duck_arrays import before_moving, is_device_array, is_duck_array
from autograd_lite.core.memory import copied
from autograd_lite.core.node import Handle
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, register

__all__ = ["at_add", "at_set", "getitem", "repeats_possible", "scatter"]


def repeats_possible(parts: tuple[Any, ...]) -> bool:
    """Whether an index may name an element twice: only one of integer arrays can."""
    return any(
        isinstance(part, list) or (getattr(part, "ndim", 0) > 0 and part.dtype != bool)
        for part in parts
    )


def getitem_forward(x: Any, *parts: Any) -> Any:
    if x.__class__ is np.ndarray:
        for part in parts:
            if isinstance(part, Handle):  # another one for each sample
                return getitem(x, *parts)
    return (np.asarray(x) if x.__class__ is float else x)[parts]


def scatter_forward(g: Any, *parts: Any, shape: tuple[int, ...]) -> Any:
    result = np.zeros(shape, np.result_type(g), like=g if is_duck_array(g) else None)
    if repeats_possible(parts):
        np.add.at(result, parts, g)
    else:
        result[parts] = g
    return result


def as_array(x: Any) -> Any:
    """An array to write into, of what may be a number."""
    return np.asarray(x) if x.__class__ is float or isinstance(x, np.generic) else x


def at_set_forward(x: Any, replacement: Any, *parts: Any) -> Any:
    result = copied(as_array(x))
    if is_device_array(result) and repeats_possible(parts):
        replacement = as_written_last(result, replacement, parts)
    result[parts] = replacement
    return result


def as_written_last(x: Any, replacement: Any, parts: tuple[Any, ...]) -> Any:
    """For each element of an index what is written last where it leads.

    A GPU writes in any order; so it writes the same number wherever an element is named twice.
    """
    places = np.arange(x.size, like=x).reshape(x.shape)[parts]
    turns = np.arange(places.size, like=x).reshape(places.shape)
    last = np.zeros(x.size, turns.dtype, like=x)
    np.maximum.at(last, places, turns)
    return np.broadcast_to(np.asarray(replacement, like=x), places.shape).reshape(-1)[last[places]]


def check_places(x: Any, *operands: Any) -> None:
    """Refuse an index beyond the end, as NumPy does; on a device it would come in again in front.

    Indices that live on the device are not looked at, which would wait for it.
    """
    parts: list[Any] = []
    for part in operands:
        is_mask = getattr(getattr(part, "dtype", None), "kind", "") == "b"
        axes = part.ndim if is_mask else 1
        parts += [slice(None)] * axes if is_duck_array(part) else [part]
    np.broadcast_to(np.empty(()), np.shape(x))[tuple(parts)]


before_moving["getitem"] = check_places
before_moving["at.set"] = before_moving["at.add"] = lambda x, _, *parts: check_places(x, *parts)


def at_add_forward(x: Any, increment: Any, *parts: Any) -> Any:
    result = copied(as_array(x))
    np.add.at(result, parts, increment)
    return result


def getitem_vjp(g: Any, out: Any, x: Any, *parts: Any) -> Any:
    return scatter(g, *parts, shape=np.shape(x))


def scatter_vjp(g: Any, out: Any, taken: Any, *parts: Any, shape: tuple[int, ...]) -> Any:
    return getitem(g, *parts)


def at_set_vjp(g: Any, out: Any, x: Any, replacement: Any, *parts: Any) -> Any:
    return at_set(g, 0.0, *parts)


def at_set_replacement_vjp(g: Any, out: Any, x: Any, replacement: Any, *parts: Any) -> Any:
    """Where the index names an element twice, only the last replacement counts."""
    taken = getitem(g, *parts)
    if repeats_possible(parts):
        like = next(filter(is_device_array, parts), None)
        numbers = np.reshape(np.arange(np.size(taken), like=like), np.shape(taken))
        last = getitem(at_set(np.zeros(np.shape(x), int, like=like), numbers, *parts), *parts)
        taken = np.where(last == numbers, taken, 0)
    return unbroadcast(taken, np.shape(replacement))


def at_add_vjp(g: Any, out: Any, x: Any, increment: Any, *parts: Any) -> Any:
    return g


def at_add_increment_vjp(g: Any, out: Any, x: Any, increment: Any, *parts: Any) -> Any:
    return unbroadcast(getitem(g, *parts), np.shape(increment))


def add_to_part(gradient: Any, g: Any, out: Any, x: Any, *parts: Any) -> None:
    """What `getitem_vjp` scatters into zeros, added where it belongs."""
    if repeats_possible(parts):
        np.add.at(gradient, parts, g)
    else:
        gradient[parts] += g


def take_from_part(g: Any, out: Any, x: Any, replacement: Any, *parts: Any) -> list[Any]:
    """Both gradients of a replacement; what it covered has none."""
    taken = at_set_replacement_vjp(g, out, x, replacement, *parts)
    taken = np.array(taken)
    g[parts] = 0
    return [g, taken]


getitem = Primitive(
    getitem_forward, getitem_vjp, name="getitem", masks=True, accumulate=add_to_part, linear="all"
)
scatter = Primitive(scatter_forward, scatter_vjp, name="scatter", builtin=True, linear="all")
at_set = Primitive(
    at_set_forward, at_set_vjp, at_set_replacement_vjp,
    name="at.set", masks=True, consume=take_from_part, linear="all",
)  # fmt: skip
at_add = Primitive(at_add_forward, at_add_vjp, at_add_increment_vjp, name="at.add", linear="all")


register(operator.getitem, getitem)
register("at.set", at_set)
register("at.add", at_add)
