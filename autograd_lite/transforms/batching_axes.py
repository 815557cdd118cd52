"""Batching rules of functions along axes, and of those that shape, move and join."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.ops import (
    accumulations,
    calculus,
    joining,
    linalg,
    padding,
    reductions,
    shaping,
)
from autograd_lite.transforms.batching import (
    NoBatchingRuleError,
    array_of,
    batching,
    count_of,
    each_element,
    every_axis,
    in_every_row,
    is_stacked,
    one_stacked,
    shifted,
    with_axes,
)

__all__ = ["REARRANGEMENTS"]


@batching(np.sum, np.mean, np.prod, np.max, np.min, np.var, np.std, np.flip, np.any, np.all)
@batching(np.count_nonzero, np.nanmax, np.nanmin, np.nanmean, np.nanvar, np.nanstd)
@batching(np.median, np.nanmedian, "softmax", "log_softmax", "logsumexp")
def along_axes(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """``axis`` is None for all."""
    x, _ = one_stacked(inputs)
    axis = parameters.get("axis")
    axis = every_axis(x) if axis is None else shifted(axis, x.ndim)
    return primitive(x.array, **{**parameters, "axis": axis})


REDUCTIONS: tuple[reductions.Reduction, ...] = tuple(
    registry[function]
    for function in (
        np.sum, np.mean, np.prod, np.max, np.min, np.var, np.std,
        np.nanmax, np.nanmin, np.nanmean, np.nanvar, np.nanstd,
    )
)  # fmt: skip


@batching(*(reduction.masked for reduction in REDUCTIONS))
def masked_along_axes(
    primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]
) -> Any:
    x, mask = inputs
    axis = parameters.get("axis")
    axis = every_axis(x) if axis is None else shifted(axis, x.ndim)
    array = in_every_row(x, count_of(inputs))
    return primitive(array, with_axes(mask, np.ndim(x)), **{**parameters, "axis": axis})


@batching(np.quantile, np.percentile, np.nanquantile, np.nanpercentile)
def quantile(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """The axes of the quantiles come first."""
    x, (q,) = one_stacked(inputs)
    if parameters.get("weights") is not None:
        raise NoBatchingRuleError("weighted quantiles")
    axis = parameters.get("axis")
    axis = every_axis(x) if axis is None else shifted(axis, x.ndim)
    result = primitive(x.array, q, **{**parameters, "axis": axis})
    return np.moveaxis(result, np.ndim(q), 0)


@batching(np.sort, np.argsort, np.partition, np.argpartition)
def sort(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """Along the last axis unless told; ``axis`` is None for the flattened array."""
    x, others = one_stacked(inputs)
    axis = parameters.get("axis", -1)
    array = np.reshape(x.array, (len(x.array), -1)) if axis is None else x.array
    axis = 1 if axis is None else shifted(axis, x.ndim)
    return primitive(array, *others, **{**parameters, "axis": axis})


@batching(np.argmax, np.argmin, np.nanargmax, np.nanargmin)
def argmax(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, _ = one_stacked(inputs)
    axis = parameters.get("axis")
    if axis is not None:
        return primitive(x.array, **{**parameters, "axis": shifted(axis, x.ndim)})
    flat = primitive(np.reshape(x.array, (len(x.array), -1)), axis=1)
    return np.reshape(flat, (-1, *(1,) * x.ndim)) if parameters.get("keepdims") else flat


@batching(linalg.vector_norm_of)
def norm(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """Of all elements, where no axis is named."""
    x, _ = one_stacked(inputs)
    axis, keepdims = parameters.get("axis"), parameters.get("keepdims", False)
    if axis is not None:
        return primitive(x.array, **{**parameters, "axis": shifted(axis, x.ndim)})
    flat = np.reshape(x.array, (len(x.array), -1))
    order = parameters.get("ord") if x.ndim == 1 else None
    result = primitive(flat, **{**parameters, "ord": order, "axis": 1, "keepdims": False})
    return np.reshape(result, (-1, *(1,) * x.ndim)) if keepdims else result


@batching(np.expand_dims)
def new_axes(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, _ = one_stacked(inputs)
    axis = parameters["axis"]
    return primitive(x.array, axis=shifted(axis, x.ndim + np.size(axis)))


@batching(np.squeeze)
def squeeze(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, _ = one_stacked(inputs)
    axis = parameters.get("axis")
    lengths = enumerate(x.shape, start=1)
    ones = tuple(i for i, n in lengths if n == 1) if axis is None else shifted(axis, x.ndim)
    return primitive(x.array, axis=ones)


@batching(np.cumsum, np.cumprod, np.roll)
def along_one_axis(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """``axis`` is None for the flattened array."""
    x, _ = one_stacked(inputs)
    axis = parameters.get("axis")
    if axis is not None:
        return primitive(x.array, **{**parameters, "axis": shifted(axis, x.ndim)})
    flat = np.reshape(x.array, (len(x.array), -1))
    result = primitive(flat, **{**parameters, "axis": 1})
    return np.reshape(result, np.shape(x.array)) if primitive is registry[np.roll] else result


@batching(accumulations.reduce_forward)
def reduce(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, _ = one_stacked(inputs)
    axis = parameters["axis"]
    axis = every_axis(x) if axis is None else shifted(axis, x.ndim)
    # In which order NumPy folds what is not associative depends on how an array lies.
    return primitive(np.copy(x.array, "C"), **{**parameters, "axis": axis})


@batching(accumulations.accumulate_forward, accumulations.running_extremum, calculus.gradient_along)
def along_named_axis(
    primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]
) -> Any:
    x, others = one_stacked(inputs)
    return primitive(
        x.array, *others, **{**parameters, "axis": shifted(parameters["axis"], x.ndim)}
    )


@batching(np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft, np.unwrap)
def transform(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, _ = one_stacked(inputs)
    axis = shifted(parameters.get("axis", -1), x.ndim)
    return primitive(x.array, **{**parameters, "axis": axis})


@batching(np.astype, np.nan_to_num, np.round, np.around, np.fix)
def as_it_is(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """Functions of each element."""
    x, others = one_stacked(inputs)
    return primitive(x.array, *others, **parameters)


@batching(np.tril, np.triu, np.linalg.inv, np.linalg.det, np.linalg.cholesky, np.linalg.pinv)
@batching(
    np.linalg.svdvals,
    np.linalg.svd,
    np.linalg.eig,
    np.linalg.eigh,
    np.linalg.eigvals,
    np.linalg.eigvalsh,
)
@batching(np.linalg.qr, np.linalg.slogdet)
@batching(linalg.cofactors)
def of_matrices(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """Functions of the last two axes."""
    x, others = one_stacked(inputs)
    if x.ndim < 2:
        raise NoBatchingRuleError("samples are no matrices")
    return primitive(x.array, *others, **parameters)


# Shapes.


@batching(np.reshape, np.ravel)
def reshape(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, _ = one_stacked(inputs)
    if parameters.get("order", "C") != "C":
        raise NoBatchingRuleError("only arrays in C order are reshaped row by row")
    shape = parameters.get("shape", -1)
    shape = tuple(shape) if np.ndim(shape) else (shape,)
    if -1 in shape:
        known = math.prod(n for n in shape if n != -1)
        shape = tuple(x.size // max(known, 1) if n == -1 else n for n in shape)
    return np.reshape(x.array, (len(x.array), *shape))


@batching(np.transpose)
def transpose(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, _ = one_stacked(inputs)
    axes = parameters.get("axes")
    axes = range(x.ndim)[::-1] if axes is None else axes
    return primitive(x.array, axes=(0, *(a % (x.ndim + 1) for a in shifted(axes, x.ndim))))


@batching(np.swapaxes, np.moveaxis)
def exchange(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """All static arguments are axes."""
    x, _ = one_stacked(inputs)
    return primitive(x.array, **{name: shifted(axis, x.ndim) for name, axis in parameters.items()})


@batching(np.diagonal)
def diagonal(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, _ = one_stacked(inputs)
    axes = {
        name: shifted(parameters.get(name, i), x.ndim) for i, name in enumerate(("axis1", "axis2"))
    }
    return primitive(x.array, **{**parameters, **axes})


@batching(np.broadcast_to)
def broadcast_to(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, _ = one_stacked(inputs)
    shape = parameters["shape"]
    shape = tuple(shape) if np.ndim(shape) else (shape,)
    return primitive(with_axes(x, len(shape)), shape=(len(x.array), *shape))


@batching(np.isneginf, np.isposinf, np.isreal, np.iscomplex, np.isclose, shaping.identity)
@batching(shaping.recompute)
def elementwise(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    return each_element(primitive, inputs, parameters).array


REARRANGEMENTS = (
    np.fliplr, np.flipud, np.rot90, np.rollaxis, np.resize, np.fft.fftshift, np.fft.ifftshift,
    np.diag, np.diagflat, np.delete, np.lib.stride_tricks.sliding_window_view,
)  # fmt: skip


@batching(*REARRANGEMENTS)
def rearrange(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """Do to numbered places what is done to the elements, and take them from there."""
    x, others = one_stacked(inputs)
    numbers = np.arange(1, x.size + 1).reshape(x.shape)
    origins = primitive.forward(numbers, *others, **parameters)
    flat = np.reshape(x.array, (len(x.array), -1))
    if np.all(origins > 0):
        return flat[:, origins - 1]
    nothing = np.zeros((len(x.array), 1), x.dtype)
    return np.concatenate([nothing, flat], axis=1)[:, origins]


@batching(padding.pad_with_copies)
def pad(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """What it is padded with, if not with its own elements, comes from an array of zeros."""
    x, _ = one_stacked(inputs)
    if parameters["mode"] not in ("constant", "empty"):
        return rearrange(primitive, inputs, parameters)
    edges = primitive.forward(np.zeros(x.shape, x.dtype), **parameters)
    return edges + rearrange(
        primitive, inputs, {"widths": parameters["widths"], "mode": "constant"}
    )


# Joining.


@batching(joining.join)
def join(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    count = count_of(inputs)
    axis = shifted(parameters.get("axis", 0), np.ndim(inputs[0]))
    return primitive(*(in_every_row(x, count) for x in inputs), axis=axis)


@batching(joining.array_of_rows)
def array_of_rows(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    count = count_of(inputs)
    return np.stack([in_every_row(x, count) for x in inputs], axis=1)


@batching(calculus.interpolate)
def interpolate(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, others = one_stacked(inputs)
    return primitive(x.array, *others, **parameters)


@batching(np.searchsorted)
def searchsorted(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    a, *others = inputs
    if is_stacked(a) or any(map(is_stacked, others[1:])):
        raise NoBatchingRuleError("other bounds for each sample")
    return primitive(array_of(a), *map(array_of, others), **parameters)


@batching(np.digitize)
def digitize(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, others = one_stacked(inputs)
    return primitive(x.array, *others, **parameters)
