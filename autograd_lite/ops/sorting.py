"""Rules of sorting and choosing: gradients follow the elements to where they came from."""

from __future__ import annotations

from typing import Any

from autograd_lite.core.duck_arrays import array_of, settled
from autograd_lite.core.errors import CompileError
from autograd_lite.core.node import unwrap
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.core.recorder import current
from autograd_lite.core.views import is_number
from autograd_lite.ops.define import (
    LeftToNumpy,
    array_function,
    as_operand,
    composite,
    nondifferentiable,
    rearrangement,
)
from autograd_lite.ops.indexing import scatter
from autograd_lite.ops.shaping import laid_out

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

rearrangement(np.delete, masks=True)
rearrangement(np.take, np.take_along_axis, arrays=2, masks=True)
take_from = registry[np.take]


@composite(np.take, asks_numpy="on failure")
def take(a: Any, indices: Any, **static: Any) -> Any:
    if isinstance(indices, (list, tuple)) and not np.size(indices):
        indices = np.zeros(np.shape(indices), int)
    return take_from(a, indices, **static)


@composite(np.compress, asks_numpy="on failure")
def compress(condition: Any, a: Any, axis: int | None = None) -> Any:
    if np.ndim(condition) != 1:
        raise LeftToNumpy
    return np.take(a, np.flatnonzero(condition), axis=axis)


@composite(np.extract, asks_numpy="on failure")
def extract(condition: Any, arr: Any) -> Any:
    return np.take(arr, np.flatnonzero(condition))


@composite(np.trim_zeros)
def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    if current.get().trace is not None:
        raise CompileError(
            "trim_zeros: the shape of its result depends on values, and a program has fixed "
            "shapes; take a part by its place, x[start:stop], or write np.where(mask, x, 0)"
        )
    kept = np.argwhere(unwrap(filt))
    kept = settled(kept, "the result of trim_zeros")
    every: Any = (
        range(np.ndim(filt)) if axis is None else axis if isinstance(axis, tuple) else [axis]
    )
    index: list[Any] = [slice(None)] * np.ndim(filt)
    for along in every:
        places = kept[:, along]
        start = int(np.min(places)) if "f" in trim.lower() and len(places) else 0
        stop = int(np.max(places)) + 1 if "b" in trim.lower() and len(places) else None
        index[along] = slice(start, stop) if len(places) else slice(0, 0)
    return filt[tuple(index)] if index or is_number(filt) else filt[...]


numbers_of_choices = Primitive(
    lambda a, count, mode: np.choose(a, np.arange(count), mode=mode),
    name="choose",
    differentiable=False,
)


@composite(np.choose, of_sequences=True)
def choose(a: Any, choices: Any, mode: Any = "raise") -> Any:
    numbers = numbers_of_choices(a, count=len(choices), mode=mode)
    operands = [as_operand(x) for x in choices]
    kinds = [x if np.isscalar(x) else array_of(x).dtype for x in map(unwrap, operands)]
    numbers, *arrays = np.broadcast_arrays(numbers, *operands)
    return np.take_along_axis(
        np.stack(arrays, dtype=np.result_type(*kinds)), numbers[None], axis=0
    )[0]


@composite(np.select, of_sequences=True)
def select_first(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    chosen = default
    for condition, choice in zip(condlist[::-1], choicelist[::-1], strict=True):
        chosen = np.where(condition, as_operand(choice), chosen)
    return laid_out(chosen)
