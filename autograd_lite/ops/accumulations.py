"""Rules of running sums, products and extrema, and of ufuncs folded over an axis."""

from __future__ import annotations

from typing import Any

from autograd_lite.core.duck_arrays import is_device_array
from autograd_lite.core.errors import ArgumentValueError, UnsupportedError
from autograd_lite.core.node import unwrap
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, Rule, registry
from autograd_lite.ops.define import array_function, composite
from autograd_lite.ops.indexing import scatter
from autograd_lite.ops.joining import as_array
from autograd_lite.ops.reductions import axis_of, extremum_vjp, in_dtype
from autograd_lite.ops.shaping import flatten_axes, laid_out, unflatten_axes

__all__ = ["accumulate_forward", "reduce_forward", "running_extremum"]

function: Any
"""Each of several ufuncs that share a treatment, in the loops below."""


def shift(x: Any, steps: int) -> Any:
    """Move elements towards the front along the last axis; zeros come in at the end."""
    return np.concatenate((x[..., steps:], np.zeros_like(x[..., :steps])), axis=-1)


def recurrence(b: Any, a: Any) -> Any:
    """Solve S[i] = b[i] + a[i] S[i + 1] along the last axis, without division.

    Two steps of the recurrence are one of the same form, so that each round
    doubles the stride (P. Kogge, H. Stone, "A parallel algorithm for the
    efficient solution of a general class of recurrence equations", 1973).
    """
    stride = 1
    while stride < np.shape(b)[-1]:
        b = b + a * shift(b, stride)
        a = a * shift(a, stride)
        stride *= 2
    return b


def on_last_axis(rule: Any) -> Any:
    """A rule for the last axis as a rule for any axis; None means the flattened array."""

    def along(g: Any, out: Any, x: Any, axis: int | None = None, dtype: Any = None) -> Any:
        x = in_dtype(x, dtype)
        if axis is None or np.ndim(x) == 0:
            return np.reshape(rule(g, out, np.ravel(x)), np.shape(x))
        g, out, x = (np.moveaxis(array, axis, -1) for array in (g, out, x))
        return np.moveaxis(rule(g, out, x), -1, axis)

    return along


def cumsum_vjp(g: Any, out: Any, x: Any) -> Any:
    """Each element counts in all sums from its own place on."""
    return np.flip(np.cumsum(np.flip(g, -1), axis=-1), -1)


def cumprod_vjp(g: Any, out: Any, x: Any) -> Any:
    """∂out[j]/∂x[i] is the product before i times that from i + 1 to j; exact with zeros."""
    before = np.concatenate((np.ones_like(out[..., :1]), out[..., :-1]), axis=-1)
    return before * recurrence(g, shift(x, 1))


def cumulative_extremum_vjp(g: Any, out: Any, x: Any) -> Any:
    """All that have attained the extremum so far share the gradient equally."""
    # From the first NaN on it is the extremum, and equals nothing.
    attains = np.where(np.logical_or(x == out, np.isnan(x)), np.ones_like(g), 0)
    stays = np.logical_or(out[..., :-1] == out[..., 1:], np.isnan(out[..., :-1]))
    stays = np.where(stays, np.ones_like(g[..., 1:]), 0)
    edge = np.zeros_like(g[..., :1])
    from_before = np.concatenate((edge, stays), axis=-1)
    ties = np.flip(recurrence(np.flip(attains, -1), np.flip(from_before, -1)), -1)
    return attains * recurrence(g / np.maximum(ties, 1), np.concatenate((stays, edge), axis=-1))


cumsum = array_function(np.cumsum, on_last_axis(cumsum_vjp), linear="all")
cumprod = array_function(np.cumprod, on_last_axis(cumprod_vjp))


# The same as methods of ufuncs, which take the first axis if none is named.


def accumulate_forward(x: Any, function: Any, axis: int) -> Any:
    return function.accumulate(x, axis=axis)


def running_extremum(x: Any, function: Any, axis: int) -> Any:
    """The running extrema; on a device each of a few passes takes in twice as many elements.

    W. D. Hillis and G. L. Steele, "Data parallel algorithms" (1986); CuPy accumulates only
    sums and products.
    """
    if not is_device_array(x):
        return function.accumulate(x, axis=axis)
    x = np.moveaxis(x, axis, 0)
    reach = 1
    while reach < len(x):
        x = np.concatenate((x[:reach], function(x[reach:], x[:-reach])))
        reach *= 2
    return np.moveaxis(x, 0, axis)


def reduce_forward(x: Any, function: Any, axis: Any, keepdims: bool) -> Any:
    return function.reduce(x, axis=axis, keepdims=keepdims)


def accumulate(function: Any, rule: Any, forward: Any = accumulate_forward, **options: Any) -> None:
    """Register the running results of a ufunc: ``np.maximum.accumulate``."""

    along = on_last_axis(rule)

    def vjp(g: Any, out: Any, x: Any, function: Any, axis: int) -> Any:
        return along(g, out, x, axis)

    primitive = Primitive(forward, vjp, name=f"{function.__name__}.accumulate", **options)

    @composite((function, "accumulate"))
    def running(array: Any, axis: int = 0, dtype: Any = None) -> Any:
        return primitive(
            array if dtype is None else np.astype(array, dtype), function=function, axis=axis
        )


@composite((np.add, "accumulate"))
def add_accumulate(array: Any, axis: int = 0, dtype: Any = None) -> Any:
    return np.cumsum(array, axis=axis, dtype=dtype)


@composite((np.multiply, "accumulate"))
def multiply_accumulate(array: Any, axis: int = 0, dtype: Any = None) -> Any:
    return np.cumprod(array, axis=axis, dtype=dtype)


for function in (np.maximum, np.minimum, np.fmax, np.fmin):
    accumulate(function, cumulative_extremum_vjp, running_extremum, masks=True)


def reduceat_vjp(g: Any, out: Any, x: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
    """Each sum's gradient goes to all the elements from its own index up to the next."""
    length = np.shape(x)[axis]
    stops = np.maximum(np.append(indices[1:], length), indices + 1)
    owners = np.repeat(np.arange(len(indices)), stops - indices)
    places = np.concatenate([np.arange(*ends) for ends in zip(indices, stops, strict=True)])
    before = (slice(None),) * (axis % np.ndim(x))
    return scatter(g[(*before, owners)], *before, places, shape=np.shape(x))


add_reduceat = Primitive(
    lambda x, indices, axis, dtype: np.add.reduceat(x, indices, axis=axis, dtype=dtype),
    reduceat_vjp,
    name="add.reduceat",
    masks=True,
)


def one_axis(axis: Any) -> Any:
    """NumPy takes a tuple of one for it."""
    return axis[0] if isinstance(axis, tuple) and len(axis) == 1 else axis


def no_slices(function: Any, array: Any, axis: int, dtype: Any) -> Any:
    """Nothing at all along an axis, in the dtype that slices would be reduced to."""
    reduced = function.reduceat(np.ones(1, array.dtype), [0], dtype=dtype)
    return np.astype(np.take(array, np.zeros(0, int), axis=axis), reduced.dtype)


@composite((np.add, "reduceat"))
def reduceat(array: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
    indices, axis = np.asarray(indices), one_axis(axis)
    indices = indices.astype(np.intp) if indices.dtype.kind in "iu" else indices
    if not np.size(indices):
        return no_slices(np.add, array, axis, dtype)
    return add_reduceat(array, indices=indices, axis=axis, dtype=dtype)


# Other ufuncs, folded from the left: out[i] = f(out[i - 1], x[i]).


def fold_vjp(function: Any) -> Rule:
    """The rule of all running results, by the two rules of the ufunc itself."""

    def rule(g: Any, out: Any, x: Any) -> Any:
        before, after, added = out[..., :-1], out[..., 1:], x[..., 1:]
        ones = np.ones_like(added)
        by_before, by_added = (
            slope(ones, after, before, added) for slope in registry[function].rules
        )
        edge = g[..., :1]
        total = recurrence(g, np.concatenate((by_before, np.zeros_like(edge)), axis=-1))
        return total * np.concatenate((np.ones_like(edge), by_added), axis=-1)

    return rule


def last_of_fold_vjp(function: Any) -> Rule:
    """The rule of the last of all running results."""

    def rule(g: Any, out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
        row = flatten_axes(x, axis)
        if not np.shape(row)[-1]:
            return np.zeros_like(x)
        last = np.reshape(g, (*np.shape(row)[:-1], 1))
        weights = np.concatenate((np.zeros_like(row[..., 1:]), last), axis=-1)
        shares = fold_vjp(function)(weights, function.accumulate(row, axis=-1), row)
        return unflatten_axes(shares, x, axis)

    return rule


def reduce(function: Any, rule: Rule, **options: Any) -> None:
    """Register the reduction of a ufunc: ``np.logaddexp.reduce``."""
    name = f"{function.__name__}.reduce"

    def vjp(g: Any, out: Any, x: Any, function: Any, axis: Any, keepdims: bool) -> Any:
        return rule(g, out, x, axis=axis, keepdims=keepdims)

    primitive = Primitive(reduce_forward, vjp, name=name, **options)

    @composite((function, "reduce"))
    def reduction(
        array: Any, axis: Any = 0, dtype: Any = None, keepdims: bool = False,
        initial: Any = None, where: Any = True,
    ) -> Any:  # fmt: skip
        if where is not True:
            raise UnsupportedError(
                f"np.{name} of a Value does not take a mask; select the elements before, "
                "or write np.where(mask, x, c) with a c that changes nothing"
            )
        if dtype is not None:
            array = np.astype(array, dtype)
        axis = axis_of(array, axis)
        if initial is None and function.identity == 0 and is_single(array, axis):
            number = array if keepdims or axis == () else np.squeeze(array, axis)
            return function(number, np.zeros((), number.dtype))
        if initial is not None and np.ndim(array) == 0:
            return function(initial, array)
        if initial is not None:
            array = starting_with(function, initial, array, axis)
        if function in SKIPPING and np.size(array) and is_one_axis(array, axis):
            return last_of_running(function, array, axis, keepdims)
        return primitive(array, function=function, axis=axis, keepdims=keepdims)


def is_single(x: Any, axis: Any) -> bool:
    """Whether single elements are reduced; `np.hypot` takes their absolute values all the same."""
    return all(np.shape(x)[along] == 1 for along in axes_of(x, axis))


SKIPPING = (np.power, np.arctan2)
"""Ufuncs whose ``reduce`` skips elements in NumPy's builds for AVX-512, up to 2.5 at least.

There ``np.power.reduce([2.0, 3.0, 2.0])`` is 4.0; their ``accumulate`` is right everywhere.
"""


def last_of_running(function: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """A reduction as the last of all running results."""
    (axis,) = axes_of(x, axis)
    last: Any = np.take(function.accumulate(x, axis=axis), -1, axis=axis)
    last = laid_out(last, np.moveaxis(unwrap(x), axis, 0)[0]) if np.ndim(last) else last
    return np.expand_dims(last, axis) if keepdims else last


def is_one_axis(x: Any, axis: Any) -> bool:
    """NumPy refuses several, and reduces over none by leaving all as it is."""
    return len(axes_of(x, axis)) == 1


def axes_of(x: Any, axis: Any) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(np.ndim(x)))
    return tuple(axis) if isinstance(axis, tuple) else (axis,)


def starting_with(function: Any, initial: Any, x: Any, axis: Any) -> Any:
    """An array with one more element, at the front of an axis."""
    if not isinstance(axis, int):
        raise UnsupportedError(
            f"np.{function.__name__}.reduce of a Value takes an initial number along one axis "
            "only; reduce one axis after the other"
        )
    if x.dtype.kind in "biu":
        x = np.astype(x, function.reduce(np.ones(2, x.dtype)).dtype)
    shape = list(np.shape(x))
    shape[axis] = 1
    first: Any = np.broadcast_to(np.astype(as_array(initial), x.dtype), tuple(shape))
    return np.concatenate((laid_out(first, x), x), axis=axis)


def reduceat_by_slices(function: Any) -> None:
    """Register the reductions of slices: ``np.maximum.reduceat``."""

    @composite((function, "reduceat"))
    def of_slices(array: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
        axis = one_axis(axis)
        length = np.shape(array)[axis]
        before = (slice(None),) * (axis % np.ndim(array))
        starts = np.asarray(indices).tolist()
        if not starts:
            return no_slices(function, array, axis, dtype)
        array = array if dtype is None else np.astype(array, dtype)
        reduced = {} if dtype is None else {"dtype": dtype}
        pieces = []
        for start, stop in zip(starts, [*starts[1:], length], strict=True):
            if not 0 <= start < length:
                raise ArgumentValueError(
                    f"{function.__name__}.reduceat: the index {start} is not on an axis of length "
                    f"{length}; pass indices from 0 to {length - 1}"
                )
            part = array[(*before, slice(start, max(stop, start + 1)))]
            is_one = stop <= start + 1  # without the identity that a reduction may begin with
            pieces.append(
                part if is_one else function.reduce(part, axis=axis, keepdims=True, **reduced)
            )
        return np.concatenate(pieces, axis=axis)


for function in (
    np.subtract, np.divide, np.floor_divide, np.remainder, np.fmod, np.power, np.float_power,
    np.hypot, np.logaddexp, np.logaddexp2, np.arctan2, np.heaviside, np.copysign,
):  # fmt: skip
    masks = function in (np.floor_divide, np.heaviside, np.copysign)  # steps
    accumulate(function, fold_vjp(function), masks=masks)
    reduce(function, last_of_fold_vjp(function), masks=masks)
    reduceat_by_slices(function)
for function in (np.fmax, np.fmin):
    reduce(function, extremum_vjp, masks=True)
for function in (np.multiply, np.maximum, np.minimum, np.fmax, np.fmin):
    reduceat_by_slices(function)


# The array API's names.


def cumulative(function: Any, x: Any, axis: int | None, dtype: Any, start: Any) -> Any:
    """A running sum or product, with its empty beginning if ``start`` is given."""
    if axis is None and np.ndim(x) > 1:
        name = f"cumulative_{function.__name__.removeprefix('cum')}"
        raise ArgumentValueError(
            f"{name}: x has {np.ndim(x)} axes, and of several NumPy runs along none by itself; "
            "pass axis="
        )
    result = function(x, axis=0 if axis is None else axis, dtype=dtype)
    if start is None:
        return result
    shape = list(np.shape(result))
    shape[axis or 0] = 1
    edge = np.full_like(result, start, shape=tuple(shape))
    return np.concatenate((edge, result), axis=axis or 0)


@composite(np.cumulative_sum)
def cumulative_sum(
    x: Any, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    return cumulative(np.cumsum, x, axis, dtype, 0 if include_initial else None)


@composite(np.cumulative_prod)
def cumulative_prod(
    x: Any, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    return cumulative(np.cumprod, x, axis, dtype, 1 if include_initial else None)
