"""Rules of running sums, products and extrema."""

from __future__ import annotations

from typing import Any

from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.ops.define import array_function, composite
from autograd_lite.ops.indexing import scatter

__all__: list[str] = []


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
    attains = np.where(x == out, np.ones_like(g), 0)
    stays = np.where(out[..., :-1] == out[..., 1:], np.ones_like(g[..., 1:]), 0)
    edge = np.zeros_like(g[..., :1])
    from_before = np.concatenate((edge, stays), axis=-1)
    ties = np.flip(recurrence(np.flip(attains, -1), np.flip(from_before, -1)), -1)
    return attains * recurrence(g / ties, np.concatenate((stays, edge), axis=-1))


cumsum = array_function(np.cumsum, on_last_axis(cumsum_vjp))
cumprod = array_function(np.cumprod, on_last_axis(cumprod_vjp))


# The same as methods of ufuncs, which take the first axis if none is named.


def accumulate(function: Any, rule: Any, **options: Any) -> None:
    """Register a running extremum: ``np.maximum.accumulate``."""

    def forward(x: Any, axis: int) -> Any:
        return function.accumulate(x, axis=axis)

    primitive = Primitive(
        forward, on_last_axis(rule), name=f"{function.__name__}.accumulate", arrays=1, **options
    )
    registry[function, "accumulate"] = lambda array, axis=0: primitive(array, axis=axis)


@composite((np.add, "accumulate"))
def add_accumulate(array: Any, axis: int = 0, dtype: Any = None) -> Any:
    return np.cumsum(array, axis=axis, dtype=dtype)


@composite((np.multiply, "accumulate"))
def multiply_accumulate(array: Any, axis: int = 0, dtype: Any = None) -> Any:
    return np.cumprod(array, axis=axis, dtype=dtype)


accumulate(np.maximum, cumulative_extremum_vjp, masks=True)
accumulate(np.minimum, cumulative_extremum_vjp, masks=True)


def reduceat_vjp(g: Any, out: Any, x: Any, indices: Any, axis: int = 0) -> Any:
    """Each sum's gradient goes to all the elements from its own index up to the next."""
    length = np.shape(x)[axis]
    stops = np.maximum(np.append(indices[1:], length), indices + 1)
    owners = np.repeat(np.arange(len(indices)), stops - indices)
    places = np.concatenate([np.arange(*ends) for ends in zip(indices, stops, strict=True)])
    before = (slice(None),) * (axis % np.ndim(x))
    return scatter(g[(*before, owners)], *before, places, shape=np.shape(x))


add_reduceat = Primitive(
    lambda x, indices, axis: np.add.reduceat(x, indices, axis=axis),
    reduceat_vjp,
    name="add.reduceat",
)


@composite((np.add, "reduceat"))
def reduceat(array: Any, indices: Any, axis: int = 0) -> Any:
    return add_reduceat(array, indices=np.asarray(indices), axis=axis)


# The array API's names.


def cumulative(function: Any, x: Any, axis: int | None, dtype: Any, start: Any) -> Any:
    """A running sum or product, with its empty beginning if ``start`` is given."""
    result = function(x, axis=0 if axis is None else axis, dtype=dtype)
    if start is None:
        return result
    edge = np.full_like(np.take(result, [0], axis=axis or 0), start)
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
