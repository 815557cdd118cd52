"""Rules of reductions along axes; ``spread`` hands a gradient back to what was reduced."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite.ops.define import array_function, constant

# ``axis`` counts as NumPy counts it: None for all axes, negative from the end, or a tuple.


def keep_axes(reduced: Any, axis: Any, keepdims: bool) -> Any:
    """Put the axes back that a reduction took away, so that the result broadcasts."""
    return reduced if axis is None or keepdims else np.expand_dims(reduced, axis)


def spread(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """Copy ``g`` along the reduced axes to the shape of ``x``."""
    return np.broadcast_to(keep_axes(g, axis, keepdims), np.shape(x))


def sum_vjp(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return spread(g, x, axis, keepdims)


def mean_vjp(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return spread(g / (np.size(x) // max(np.size(out), 1)), x, axis, keepdims)


def var_vjp(
    g: Any, out: Any, x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False
) -> Any:
    count = np.size(x) // max(np.size(out), 1)
    centred = np.conjugate(x - np.mean(x, axis=axis, keepdims=True))
    return keep_axes(g, axis, keepdims) * (2 / (count - ddof)) * centred


def std_vjp(
    g: Any, out: Any, x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False
) -> Any:
    """The derivative of the root of `var_vjp`'s; 0 where all elements are equal."""
    safe = np.where(out == 0, 1, out)
    return var_vjp(g / (2 * safe), out, x, axis=axis, ddof=ddof, keepdims=keepdims)


def extremum_vjp(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """All that attain the extremum share the gradient equally."""
    g = keep_axes(g, axis, keepdims)
    chosen = np.where(x == keep_axes(out, axis, keepdims), np.ones_like(g), 0)
    return g * chosen / np.sum(chosen, axis=axis, keepdims=True)


def products_of_others(x: Any) -> Any:
    """For each element along the last axis the product of all the others, without division.

    Products go up a binary tree; on the way down each child gets its parent's
    product times its sibling's (G. Blelloch, "Prefix sums and their
    applications", 1990).  Exact with any number of zeros, and linear in time.
    """
    size = np.shape(x)[-1]
    levels = [x]
    while np.shape(levels[-1])[-1] > 1:
        level = levels[-1]
        if np.shape(level)[-1] % 2:
            level = np.concatenate((level, np.ones_like(level[..., :1])), axis=-1)
            levels[-1] = level
        levels.append(level[..., 0::2] * level[..., 1::2])
    others = np.ones_like(levels.pop())
    for level in reversed(levels):
        others = others[..., : np.shape(level)[-1] // 2]
        pairs = np.stack((others * level[..., 1::2], others * level[..., 0::2]), axis=-1)
        others = np.reshape(pairs, np.shape(level))
    return others[..., :size]


def prod_vjp(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    shape = np.shape(x)
    if not shape or not np.size(x):
        return spread(g, x, axis, keepdims)
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    taken = [a % len(shape) for a in axes]
    order = [a for a in range(len(shape)) if a not in taken] + taken
    moved = np.transpose(x, order)
    kept = np.shape(moved)[: len(shape) - len(taken)]
    others = np.reshape(products_of_others(np.reshape(moved, (*kept, -1))), np.shape(moved))
    return keep_axes(g, axis, keepdims) * np.transpose(others, np.argsort(order))


def cumsum_vjp(g: Any, out: Any, x: Any, axis: int | None = None) -> Any:
    """Each element counts in all sums from its own place on."""
    last = 0 if axis is None else axis
    return np.reshape(np.flip(np.cumsum(np.flip(g, last), axis=last), last), np.shape(x))


sum = array_function(np.sum, sum_vjp)
mean = array_function(np.mean, mean_vjp)
var = array_function(np.var, var_vjp)
std = array_function(np.std, std_vjp)
max_ = array_function(np.max, extremum_vjp, masks=True)
min_ = array_function(np.min, extremum_vjp, masks=True)
prod = array_function(np.prod, prod_vjp)
cumsum = array_function(np.cumsum, cumsum_vjp)

constant(np.argmax, np.argmin, np.argsort, np.any, np.all, np.count_nonzero)
