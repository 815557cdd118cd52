"""Counts of elements, which are steps; and sums of their weights, which are linear."""

from __future__ import annotations

from typing import Any

from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.ops.define import composite, without_rule
from autograd_lite.ops.indexing import getitem
from autograd_lite.ops.joining import as_array

__all__: list[str] = []

without_rule(np.bincount, np.histogram)
count, count_in_bins = registry[np.bincount], registry[np.histogram]


def bincount_vjp(g: Any, out: Any, weights: Any, x: Any, minlength: int) -> Any:
    return getitem(g, x)


def bincount_forward(weights: Any, x: Any, minlength: int) -> Any:
    return np.bincount(x, weights, minlength)


sum_weights = Primitive(bincount_forward, bincount_vjp, None, name="bincount")


@composite(np.bincount)
def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    if weights is None:
        return count(x, minlength=minlength)
    x = as_array(x)
    x = np.astype(x, int) if x.dtype == bool else x
    return sum_weights(as_array(weights), x, minlength=minlength)


def histogram_forward(weights: Any, a: Any, edges: Any, bins: Any, range: Any) -> Any:
    return np.histogram(a, bins, range, weights=weights)[0]


def histogram_vjp(g: Any, out: Any, weights: Any, a: Any, edges: Any, bins: Any, range: Any) -> Any:
    """Each element is in the last bin that begins before it; the last edge belongs to the last."""
    if np.size(edges) < 2:
        return np.zeros_like(weights)
    place = np.minimum(np.searchsorted(edges, a, side="right") - 1, np.size(edges) - 2)
    inside = np.logical_and(a >= edges[0], a <= edges[-1])
    return np.where(inside, getitem(g, np.maximum(place, 0)), 0)


sum_weights_in_bins = Primitive(
    histogram_forward, histogram_vjp, None, None, name="histogram", masks=True
)


@composite(np.histogram)
def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> Any:
    if weights is None:
        return count_in_bins(a, bins=bins, range=range, density=density)
    if isinstance(bins, str):
        raise UnsupportedError(
            f"histogram: bins={bins!r} with weights is not known to NumPy; pass a number of bins, "
            "or their edges"
        )
    edges = np.histogram_bin_edges(a, bins, range)
    sums = sum_weights_in_bins(as_array(weights), a, edges, bins=bins, range=range)
    return (sums / np.diff(edges) / np.sum(sums) if density else sums), edges
