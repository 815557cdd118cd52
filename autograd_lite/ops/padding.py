"""Rules of padding, in all the modes of NumPy."""

from __future__ import annotations

from typing import Any

from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.node import Handle
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.ops.define import composite
from autograd_lite.ops.indexing import scatter
from autograd_lite.ops.joining import as_array
from autograd_lite.ops.shaping import laid_out

__all__ = ["pad_with_copies"]


def pairs(widths: Any, ndim: int) -> list[tuple[Any, Any]]:
    """A pair (before, after) for each axis; NumPy lets one pair or number stand for all."""
    if isinstance(widths, dict):
        pairs_of = {axis % ndim: np.broadcast_to(w, 2) for axis, w in widths.items()}
        return [tuple(pairs_of.get(axis, (0, 0))) for axis in range(ndim)]
    if widths is None:
        return [(None, None)] * ndim
    return [(before, after) for before, after in np.broadcast_to(widths, (ndim, 2)).tolist()]


def pad_forward(x: Any, widths: Any, mode: Any, **options: Any) -> Any:
    return np.pad(x, widths, mode, **options)


def copies_vjp(g: Any, out: Any, x: Any, widths: Any, mode: Any, **options: Any) -> Any:
    """Padded with its own elements, or a constant: number them, pad, and see where each went."""
    numbers = np.arange(1, np.size(x) + 1).reshape(np.shape(x))
    if mode in ("constant", "empty"):
        mode, options = "constant", {}
    origins = np.pad(numbers, widths, mode, **options)
    return np.reshape(scatter(g, origins, shape=(np.size(x) + 1,))[1:], np.shape(x))


def linear_vjp(g: Any, out: Any, x: Any, widths: Any, mode: Any, **options: Any) -> Any:
    """Padded with linear combinations of its elements: pad the identity matrix to see which."""
    for axis, (before, after) in enumerate(widths):
        static = {name: pairs(option, np.ndim(x))[axis] for name, option in options.items()
                  if name == "stat_length" and option is not None}  # fmt: skip
        if mode in ("reflect", "symmetric"):
            static = options
        rows = np.eye(np.shape(x)[axis], dtype=g.dtype)
        matrix = np.pad(rows, ((before, after), (0, 0)), mode, **for_rows(static))
        g = np.moveaxis(np.tensordot(matrix, g, axes=(0, axis)), 0, axis)
    return g


def for_rows(static: dict[str, Any]) -> Any:
    """Options of one axis as those of the first of two."""
    if "stat_length" not in static:
        return static
    return {"stat_length": (static["stat_length"], (1, 1))}


pad_with_copies = Primitive(pad_forward, copies_vjp, name="pad")
pad_linearly = Primitive(pad_forward, linear_vjp, name="pad")

STATISTICS = {"maximum": np.max, "minimum": np.min, "median": np.median}


def pad_with_statistic(x: Any, widths: Any, function: Any, stat_length: Any = None) -> Any:
    """Each edge is filled with a statistic of the elements nearest to it."""
    lengths, dtype = pairs(stat_length, np.ndim(x)), x.dtype
    for axis, (before, after) in enumerate(widths):
        before_axes = (slice(None),) * axis
        size = np.shape(x)[axis]
        first, last = (size if n is None else min(n, size) for n in lengths[axis])
        near = function(x[(*before_axes, slice(0, first))], axis=axis, keepdims=True)
        far = function(x[(*before_axes, slice(size - last, size))], axis=axis, keepdims=True)
        pieces = (np.repeat(near, before, axis=axis), x, np.repeat(far, after, axis=axis))
        x = np.concatenate(pieces, axis=axis)
    return np.astype(x, dtype)


def holds_value(x: Any) -> bool:
    return isinstance(x, Handle) or (isinstance(x, (list, tuple)) and any(map(holds_value, x)))


def pad_with_values(x: Any, widths: Any, constants: Any) -> Any:
    """Padded with numbers that have a gradient: what comes later has the corners."""
    dtype = x.dtype
    constants = np.broadcast_to(np.astype(constants, dtype), (np.ndim(x), 2))
    for axis, pair in enumerate(widths):
        shape = list(np.shape(x))
        sides = []
        for side, shape[axis] in enumerate(pair):
            sides.append(np.broadcast_to(constants[axis, side], tuple(shape)))
        x = np.concatenate((sides[0], x, sides[1]), axis=axis)
    return np.astype(x, dtype)


@composite(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Any:
    if not isinstance(mode, str):
        raise UnsupportedError(
            "pad: a function as mode has no derivative rule here; use one of NumPy's modes, "
            "or np.concatenate"
        )
    if np.ndim(array) == 0:
        return np.copy(array)  # a number has no edges
    widths = pairs(pad_width, np.ndim(array))
    if mode == "constant" and holds_value(options.get("constant_values")):
        padded = pad_with_values(array, widths, as_array(options["constant_values"]))
        return laid_out(padded, array, "A")
    if mode in STATISTICS and array.dtype.kind in "fc":
        padded = pad_with_statistic(array, widths, STATISTICS[mode], **options)
        return laid_out(padded, array, "A")
    odd = options.get("reflect_type") == "odd"
    method = pad_linearly if odd or mode in ("linear_ramp", "mean") else pad_with_copies
    return method(array, widths=widths, mode=mode, **options)
