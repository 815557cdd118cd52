"""Rules of sorting and choosing: gradients follow the elements to where they came from."""

from __future__ import annotations

from typing import Any

from autograd_lite.core.duck_arrays import check_lengths
from autograd_lite.core.node import unwrap
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.ops.define import array_function, composite, nondifferentiable, rearrangement
from autograd_lite.ops.indexing import scatter

__all__ = ["unsort"]


def over_ties(g: Any, ordered: Any) -> Any:
    """Share the gradient equally among the tied: its mean over each run of equal elements."""
    starts = np.concatenate(
        (np.ones(np.shape(ordered[..., :1]), bool), ordered[..., 1:] != ordered[..., :-1]), axis=-1
    )
    run = np.cumsum(np.ravel(starts)) - 1
    sums = scatter(np.ravel(g), run, shape=(np.size(g),))
    counts = scatter(np.ravel(np.ones_like(g)), run, shape=(np.size(g),))
    return np.reshape(sums[run] / counts[run], np.shape(g))


def unsort(g: Any, out: Any, x: Any) -> Any:
    """Hand the gradients along a sorted last axis back to where its elements came from."""
    places = np.argsort(np.argsort(x, axis=-1, kind="stable"), axis=-1)
    return np.take_along_axis(over_ties(g, out), places, axis=-1)


def sort_vjp(
    g: Any, out: Any, x: Any, axis: int | None = -1,
    kind: Any = None, order: Any = None, stable: Any = None,
) -> Any:  # fmt: skip
    if axis is None:
        return np.reshape(unsort(g, out, np.ravel(x)), np.shape(x))
    last = (np.moveaxis(array, axis, -1) for array in (g, out, x))
    return np.moveaxis(unsort(*last), -1, axis)


def partition_vjp(
    g: Any, out: Any, x: Any, kth: Any = 0, axis: int | None = -1,
    kind: Any = "introselect", order: Any = None,
) -> Any:  # fmt: skip
    """Sort what was partitioned, and it is the sorted array."""
    along = -1 if axis is None else axis
    rank = np.argsort(out, axis=along, kind="stable")
    g, out = (np.take_along_axis(array, rank, axis=along) for array in (g, out))
    return sort_vjp(g, out, x, axis=axis)


sort = array_function(np.sort, sort_vjp)
partition = array_function(np.partition, partition_vjp)
nondifferentiable(np.argsort, np.argpartition, np.searchsorted, np.digitize)


@composite(np.sort_complex)
def sort_complex(a: Any) -> Any:
    dtype = a.dtype if a.dtype.kind == "c" else np.result_type(a.dtype, np.complex128)
    return np.astype(np.sort(a), dtype)


# Choosing by place, or by condition.

rearrangement(np.delete)
rearrangement(np.take, np.take_along_axis, arrays=2)


@composite(np.compress)
def compress(condition: Any, a: Any, axis: int | None = None) -> Any:
    return np.take(a, np.flatnonzero(condition), axis=axis)


@composite(np.extract)
def extract(condition: Any, arr: Any) -> Any:
    return np.take(arr, np.flatnonzero(condition))


@composite(np.trim_zeros)
def trim_zeros(filt: Any, trim: str = "fb") -> Any:
    kept = np.flatnonzero(unwrap(filt))
    check_lengths(kept, "the result of trim_zeros")
    start = kept[0] if "f" in trim.lower() and len(kept) else 0
    stop = kept[-1] + 1 if "b" in trim.lower() and len(kept) else np.size(filt)
    return filt[start:stop] if len(kept) else filt[:0]


numbers_of_choices = Primitive(
    lambda a, count, mode: np.choose(a, np.arange(count), mode=mode),
    name="choose",
    differentiable=False,
)


@composite(np.choose)
def choose(a: Any, choices: Any, mode: Any = "raise") -> Any:
    numbers = numbers_of_choices(a, count=len(choices), mode=mode)
    numbers, *arrays = np.broadcast_arrays(numbers, *choices)
    return np.take_along_axis(np.stack(arrays), numbers[None], axis=0)[0]


@composite(np.select)
def select_first(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    chosen = default
    for condition, choice in zip(condlist[::-1], choicelist[::-1], strict=True):
        chosen = np.where(condition, choice, chosen)
    return chosen


@composite(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **keywords: Any) -> Any:
    conditions = list(condlist) if isinstance(condlist, (list, tuple)) else [condlist]
    pieces = [f(x, *args, **keywords) if callable(f) else f for f in funclist]
    result = pieces.pop() if len(pieces) > len(conditions) else np.zeros_like(x)
    for condition, piece in zip(conditions, pieces, strict=True):
        result = np.where(condition, piece, result)
    return result
