"""Rules of arrays taken as sets: what an element receives is shared equally among its equals."""

from __future__ import annotations

from functools import partial
from typing import Any

from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import registry
from autograd_lite.ops.define import composite, multi_output, parts

__all__: list[str] = []

function: Any
"""Each of several functions that share a rule, in the loop below."""


def unique_vjp(
    g: Any, out: Any, x: Any, return_index: bool = False, return_inverse: bool = False,
    return_counts: bool = False, axis: int | None = None, **static: Any,
) -> Any:  # fmt: skip
    values, shares = out, g
    if return_index or return_inverse or return_counts:
        values, shares = parts(out, len(g))[0], g[0]
    return to_equals(shares, values, x, axis, equal_nan=static.get("equal_nan", True))


def to_equals(g: Any, values: Any, x: Any, axis: int | None = None, **static: Any) -> Any:
    """Hand the gradients of unique elements, or slices, to all that are equal to them."""
    _, places, counts = np.unique(x, return_inverse=True, return_counts=True, axis=axis, **static)
    shape = np.shape(x)
    if axis is None:  # NumPy may leave them unsorted
        shape, axis = (np.size(x),), 0
        g = np.take_along_axis(g, np.argsort(values, kind="stable"), axis=0)
    along = [-1 if i == axis % len(shape) else 1 for i in range(len(shape))]
    shares = g / np.reshape(np.astype(counts, g.dtype), along)
    places = np.broadcast_to(np.reshape(places, along), shape)
    return np.reshape(np.take_along_axis(shares, places, axis=axis), np.shape(x))


def one_of_several_vjp(count: int, g: Any, out: Any, x: Any) -> Any:
    return to_equals(g[0], parts(out, count)[0], x, equal_nan=False)


def values_vjp(g: Any, out: Any, x: Any) -> Any:
    return to_equals(g, out, x, equal_nan=False)


multi_output(np.unique, unique_vjp, selecting=True)
multi_output(np.unique_values, values_vjp, selecting=True)
for function, count in ((np.unique_all, 4), (np.unique_counts, 2), (np.unique_inverse, 2)):
    multi_output(function, partial(one_of_several_vjp, count), selecting=True)


def joined(ar1: Any, ar2: Any) -> Any:
    return np.concatenate((np.ravel(ar1), np.ravel(ar2)))


def those(condition: Any, x: Any) -> Any:
    # Through the registry: NumPy would not ask a Value that only says where.
    return registry[np.take](x, np.flatnonzero(condition))


@composite(np.union1d)
def union1d(ar1: Any, ar2: Any) -> Any:
    return np.unique(joined(ar1, ar2))


@composite(np.intersect1d)
def intersect1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False
) -> Any:
    if assume_unique:  # what occurs twice in one of them is taken for common, as NumPy takes it
        both = joined(ar1, ar2)
        ordered, places = np.sort(both), np.argsort(both, kind="stable")
        twice = ordered[1:] == ordered[:-1]
        common = those(twice, ordered[:-1])
        if not return_indices:
            return common
        return common, those(twice, places[:-1]), those(twice, places[1:]) - np.size(ar1)
    every = np.unique(joined(ar1, ar2))
    common = those(np.logical_and(np.isin(every, ar1), np.isin(every, ar2)), every)
    if not return_indices:
        return common
    found = (np.unique(x, return_index=True) for x in (ar1, ar2))
    return common, *(those(np.isin(values, common), places) for values, places in found)


@composite(np.setdiff1d)
def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    candidates = np.ravel(ar1) if assume_unique else np.unique(ar1)
    return those(np.isin(candidates, ar2, invert=True), candidates)


@composite(np.setxor1d)
def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    if not assume_unique:
        ar1, ar2 = np.unique(ar1), np.unique(ar2)
    both = np.sort(joined(ar1, ar2))
    differs = both[1:] != both[:-1]
    end = np.ones(min(1, len(both)), bool)
    return those(
        np.logical_and(np.concatenate((end, differs)), np.concatenate((differs, end))), both
    )
