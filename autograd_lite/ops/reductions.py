"""Rules of reductions along axes; ``spread`` hands a gradient back to what was reduced."""

from __future__ import annotations

from functools import partial
from typing import Any

from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, Rule, register, registry
from autograd_lite.ops.define import composite, nondifferentiable
from autograd_lite.ops.shaping import inverse_order

__all__ = ["extremum_vjp", "keep_axes", "max_", "mean", "min_", "prod", "products_of_others", "sum"]

# ``axis`` counts as NumPy counts it: None for all axes, negative from the end, or a tuple.
# ``where`` is a mask of the elements that count, or True for all of them.


class Reduction(Primitive):
    """A reduction along axes.  With ``where=`` its mask is one more input."""

    __slots__ = ("masked",)

    def __init__(self, function: Any, rule: Rule, **options: Any) -> None:
        def forward(x: Any, where: Any, **static: Any) -> Any:
            return function(x, where=where, **static)

        def masked_rule(g: Any, out: Any, x: Any, where: Any, **static: Any) -> Any:
            return np.where(where, rule(g, out, x, where=where, **static), 0)

        name = function.__name__
        super().__init__(function, rule, arrays=1, **options)
        self.masked = Primitive(forward, masked_rule, None, name=name, **options)
        register(function, self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if "where" not in kwargs:
            return super().__call__(*args, **kwargs)
        where = kwargs.pop("where")
        inputs, static = self._bind(args, kwargs)
        return self.masked(*inputs, where, **static)


def count_of(x: Any, out: Any, axis: Any, where: Any) -> Any:
    """How many elements were reduced to one, in the dtype of ``x``."""
    if where is True:
        return np.size(x) // max(np.size(out), 1)
    return np.sum(np.where(where, np.ones_like(x), 0), axis=axis, keepdims=True)


def keep_axes(reduced: Any, axis: Any, keepdims: bool) -> Any:
    """Put the axes back that a reduction took away, so that the result broadcasts."""
    return reduced if axis is None or keepdims else np.expand_dims(reduced, axis)


def spread(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """Copy ``g`` along the reduced axes to the shape of ``x``."""
    return np.broadcast_to(keep_axes(g, axis, keepdims), np.shape(x))


def sum_vjp(
    g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False,
    dtype: Any = None, initial: Any = 0, where: Any = True,
) -> Any:  # fmt: skip
    return spread(g, x, axis, keepdims)


def mean_vjp(
    g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False,
    dtype: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    return spread(keep_axes(g, axis, keepdims) / count_of(x, out, axis, where), x, axis, True)


def var_vjp(
    g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False,
    ddof: float = 0, correction: float = 0, dtype: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    count = count_of(x, out, axis, where)
    mean = np.sum(np.where(where, x, 0), axis=axis, keepdims=True) / count
    slope = 2 / (count - (ddof or correction))
    return keep_axes(g, axis, keepdims) * slope * np.conjugate(x - mean)


def std_vjp(g: Any, out: Any, x: Any, **static: Any) -> Any:
    """The derivative of the root of `var_vjp`'s; 0 where all elements are equal."""
    return var_vjp(g / (2 * np.where(out == 0, 1, out)), out, x, **static)


def extremum_vjp(
    g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False,
    initial: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    """All that attain the extremum share the gradient equally."""
    g = keep_axes(g, axis, keepdims)
    attained = np.logical_and(where, x == keep_axes(out, axis, keepdims))
    chosen = np.where(attained, np.ones_like(g), 0)
    return g * chosen / np.maximum(np.sum(chosen, axis=axis, keepdims=True), 1)


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


def prod_vjp(
    g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False,
    dtype: Any = None, initial: Any = 1, where: Any = True,
) -> Any:  # fmt: skip
    shape = np.shape(x)
    if not shape or not np.size(x):
        return spread(g * initial, x, axis, keepdims)
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    taken = [a % len(shape) for a in axes]
    order = [a for a in range(len(shape)) if a not in taken] + taken
    moved = np.transpose(x if where is True else np.where(where, x, 1), order)
    kept = np.shape(moved)[: len(shape) - len(taken)]
    others = np.reshape(products_of_others(np.reshape(moved, (*kept, -1))), np.shape(moved))
    return keep_axes(g * initial, axis, keepdims) * np.transpose(others, inverse_order(order))


def along_first(reduction: Any, array: Any, axis: Any = 0, **keywords: Any) -> Any:
    """A reduction as a method of its ufunc, which takes the first axis if none is named."""
    return reduction(array, axis=axis, **keywords)


sum = Reduction(np.sum, sum_vjp, cheap=True)  # noqa: A001
mean = Reduction(np.mean, mean_vjp, cheap=True)
var = Reduction(np.var, var_vjp)
std = Reduction(np.std, std_vjp)
max_ = Reduction(np.max, extremum_vjp, masks=True, cheap=True)
min_ = Reduction(np.min, extremum_vjp, masks=True, cheap=True)
prod = Reduction(np.prod, prod_vjp, cheap=True)


# The same functions under other names, and as methods of ufuncs.

function: Any
reduction: Any
for name, reduction in (("amax", max_), ("amin", min_)):
    registry[getattr(np, name)] = reduction
for function, reduction in (
    (np.add, np.sum),
    (np.multiply, np.prod),
    (np.maximum, np.max),
    (np.minimum, np.min),
    (np.logical_or, np.any),
    (np.logical_and, np.all),
):
    registry[function, "reduce"] = partial(along_first, reduction)


@composite(np.ptp)
def ptp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


nondifferentiable(np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.any, np.all)
nondifferentiable(np.count_nonzero)

# Without the NaN: the same reductions of what is left.


def without_nan(
    reduction: Any, neutral: int, a: Any, axis: Any = None, dtype: Any = None, **keywords: Any
) -> Any:
    """A sum or product in which a number that changes nothing stands for NaN."""
    if dtype is not None:
        keywords["dtype"] = dtype
    return reduction(np.where(np.isnan(a), neutral, a), axis=axis, **keywords)


for function, reduction, neutral in (
    (np.nansum, np.sum, 0),
    (np.nanprod, np.prod, 1),
    (np.nancumsum, np.cumsum, 0),
    (np.nancumprod, np.cumprod, 1),
):
    registry[function] = partial(without_nan, reduction, neutral)


def present(a: Any, where: Any) -> Any:
    """The mask of the elements that count and are not NaN."""
    mask = np.logical_not(np.isnan(a))
    return mask if where is True else np.logical_and(mask, where)


def over_present(rule: Rule) -> Rule:
    """A rule of a reduction that skips NaN: the rule with a mask, of an array without NaN."""

    def nan_rule(g: Any, out: Any, x: Any, where: Any = True, **static: Any) -> Any:
        mask = present(x, where)
        return np.where(mask, rule(g, out, np.where(mask, x, 0), where=mask, **static), 0)

    return nan_rule


for function, rule in (
    (np.nanmax, extremum_vjp),
    (np.nanmin, extremum_vjp),
    (np.nanmean, mean_vjp),
    (np.nanvar, var_vjp),
    (np.nanstd, std_vjp),
):
    Reduction(function, over_present(rule), masks=True)
