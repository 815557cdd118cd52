"""Functions applied to slices and to chosen elements, and windows that slide over an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_lite.core.errors import ArgumentValueError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.ops.define import composite, rearrangement
from autograd_lite.ops.indexing import at_set, getitem
from autograd_lite.ops.joining import as_array

__all__: list[str] = []

rearrangement(np.lib.stride_tricks.sliding_window_view)


@composite(np.apply_along_axis, of_sequences=True, asks_numpy="never")
def apply_along_axis(
    func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any
) -> Any:
    arr = as_array(arr)
    axis = np.lib.array_utils.normalize_axis_index(axis, np.ndim(arr))
    rows = np.moveaxis(arr, axis, -1)
    outer = np.shape(rows)[:-1]
    results = [
        as_array(func1d(rows[(*place, ...)], *args, **kwargs)) for place in np.ndindex(outer)
    ]
    if not results:
        raise ArgumentValueError(
            f"apply_along_axis: an array of shape {np.shape(arr)} has no slice along axis {axis}; "
            "every other axis needs a length of at least 1"
        )
    # NumPy writes all into an array like the first.
    alike = [x if x.dtype == results[0].dtype else np.astype(x, results[0].dtype) for x in results]
    inner = np.shape(results[0])
    whole = np.reshape(np.stack(alike), (*outer, *inner))
    last = range(len(outer), len(outer) + len(inner))
    return np.moveaxis(whole, last, range(axis, axis + len(inner)))


@composite(np.apply_over_axes, asks_numpy="never")
def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    count = np.ndim(a)
    for axis in np.atleast_1d(axes).tolist():
        along = axis + count if axis < 0 else axis
        result = func(a, along)
        a = result if np.ndim(result) == count else np.expand_dims(result, along)
        if np.ndim(a) != count:
            raise ArgumentValueError(
                f"apply_over_axes: a result of shape {np.shape(result)} for an array of {count} "
                "axes; pass a function that takes one of them away, or keeps it with length 1"
            )
    return a


@composite(np.piecewise, of_sequences=True, asks_numpy="never")
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """Each function gets the elements that it is for, and no others."""
    x = as_array(x)
    conditions = conditions_of(condlist, x)
    if len(funclist) == len(conditions) + 1:
        conditions.append(np.logical_not(np.any(np.stack(conditions), axis=0)))
    if len(funclist) != len(conditions):
        raise ArgumentValueError(
            f"piecewise: {len(funclist)} functions for {len(conditions)} conditions; pass as many, "
            "or one more for what is left"
        )
    for condition in conditions:
        if np.shape(condition) != np.shape(x):
            raise ArgumentValueError(
                f"piecewise: a condition of shape {np.shape(condition)} for an array of shape "
                f"{np.shape(x)}; pass conditions of the shape of the array"
            )
    result = np.zeros_like(x)
    for condition, piece in zip(conditions, funclist, strict=True):
        if callable(piece):
            chosen = getitem(x, condition)
            if not np.size(chosen):
                continue
            piece = piece(chosen, *args, **kw)
        result = at_set(result, piece, condition)
    return result if np.ndim(result) else np.copy(result)  # an array, of a number too


def conditions_of(condlist: Any, x: Any) -> list[Any]:
    """A list of masks; one alone need not be in a list."""
    several = isinstance(condlist, (list, tuple)) or np.ndim(condlist) > 0
    first: Any = condlist[0] if several else None
    is_one = np.ndim(first) == 0 and not isinstance(first, np.ndarray) and np.ndim(x) > 0
    several = several and not is_one
    masks = [as_array(condition) for condition in (condlist if several else [condlist])]
    return [mask if mask.dtype == bool else np.astype(mask, bool) for mask in masks]
