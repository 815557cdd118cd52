"""Rules of indexing: taking parts, and giving gradients back to where they were taken from.

The parts of an index are inputs like any other, so that a mask computed from
a Value is recorded too.  An element taken several times gets the sum of its
gradients.
"""

from __future__ import annotations

import operator
from typing import Any

from autograd_lite.core.backward import unbroadcast
from autograd_lite.core.duck_arrays import is_duck_array
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, register

__all__ = ["at_add", "at_set", "getitem", "scatter"]


def repeats_possible(parts: tuple[Any, ...]) -> bool:
    """Whether an index may name an element twice: only one of integer arrays can."""
    return any(
        isinstance(part, list) or (getattr(part, "ndim", 0) > 0 and part.dtype != bool)
        for part in parts
    )


def getitem_forward(x: Any, *parts: Any) -> Any:
    return (np.asarray(x) if x.__class__ is float else x)[parts]


def scatter_forward(g: Any, *parts: Any, shape: tuple[int, ...]) -> Any:
    result = np.zeros(shape, np.result_type(g), like=g if is_duck_array(g) else None)
    if repeats_possible(parts):
        np.add.at(result, parts, g)
    else:
        result[parts] = g
    return result


def own_copy(x: Any) -> Any:
    """A new array to write into, of the library that ``x`` is of."""
    return x.copy() if is_duck_array(x) else np.array(x)


def at_set_forward(x: Any, replacement: Any, *parts: Any) -> Any:
    result = own_copy(x)
    result[parts] = replacement
    return result


def at_add_forward(x: Any, increment: Any, *parts: Any) -> Any:
    result = own_copy(x)
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
        numbers = np.reshape(np.arange(np.size(taken)), np.shape(taken))
        last = getitem(at_set(np.zeros(np.shape(x), int), numbers, *parts), *parts)
        taken = np.where(last == numbers, taken, 0)
    return unbroadcast(taken, np.shape(replacement))


def at_add_vjp(g: Any, out: Any, x: Any, increment: Any, *parts: Any) -> Any:
    return g


def at_add_increment_vjp(g: Any, out: Any, x: Any, increment: Any, *parts: Any) -> Any:
    return unbroadcast(getitem(g, *parts), np.shape(increment))


getitem = Primitive(getitem_forward, getitem_vjp, name="getitem", masks=True)
scatter = Primitive(scatter_forward, scatter_vjp, name="scatter", builtin=True)
at_set = Primitive(at_set_forward, at_set_vjp, at_set_replacement_vjp, name="at.set", masks=True)
at_add = Primitive(at_add_forward, at_add_vjp, at_add_increment_vjp, name="at.add")

register(operator.getitem, getitem)
register("at.set", at_set)
register("at.add", at_add)
