"""Rules of averages, covariances and quantiles."""

from __future__ import annotations

from typing import Any

from autograd_lite.core.backward import is_complex
from autograd_lite.core.duck_arrays import array_of
from autograd_lite.core.errors import ArgumentValueError, UnsupportedError
from autograd_lite.core.node import Handle
from autograd_lite.core.numpy_namespace import np
from autograd_lite.ops.define import array_function, composite
from autograd_lite.ops.indexing import scatter
from autograd_lite.ops.shaping import inverse_order
from autograd_lite.ops.sorting import unsort

__all__: list[str] = []


@composite(np.average)
def average(
    a: Any, axis: Any = None, weights: Any = None, returned: bool = False, keepdims: bool = False
) -> Any:
    if weights is None:
        mean = np.mean(a, axis=axis, keepdims=keepdims)
        total: Any = np.full(np.shape(mean), np.size(a) / np.size(mean), mean.dtype)[()]
    else:
        a, weights = (x if isinstance(x, Handle) else array_of(x) for x in (a, weights))
        weights = beside(a, weights, axis)
        wide = np.result_type(a.dtype, weights.dtype, "f8" if a.dtype.kind in "biu" else a.dtype)
        cast: dict[str, Any] = {} if a.dtype == weights.dtype == wide else {"dtype": wide}
        total = np.sum(weights, axis=axis, keepdims=keepdims, **cast)
        mean = np.sum(np.multiply(a, weights, **cast), axis=axis, keepdims=keepdims) / total
    if not returned:
        return mean
    same = np.shape(total) == np.shape(mean)
    return mean, total if same else np.copy(np.broadcast_to(total, np.shape(mean)))


def beside(a: Any, weights: Any, axis: Any) -> Any:
    """The weights of the elements along some axes, as an array that broadcasts to ``a``."""
    if np.shape(weights) == np.shape(a):
        return weights
    every: Any = range(np.ndim(a)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = [along % np.ndim(a) for along in every]
    lengths = tuple(np.shape(a)[along] for along in axes)
    if np.shape(weights) != lengths:
        raise ArgumentValueError(
            f"average: weights of shape {np.shape(weights)} for axis={axis} of an array of shape "
            f"{np.shape(a)}; pass weights of shape {lengths}"
        )
    shape = [n if along in axes else 1 for along, n in enumerate(np.shape(a))]
    return np.reshape(np.transpose(weights, inverse_order(axes)), shape)


@composite(np.cov)
def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None,
    fweights: Any = None, aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    rows = [np.atleast_2d(x) for x in (m, y) if x is not None]
    rows = [x if rowvar or np.shape(x)[0] == 1 else np.transpose(x) for x in rows]
    dtype = np.result_type(*(x.dtype for x in rows), float) if dtype is None else dtype
    x = np.concatenate([np.astype(row, dtype) for row in rows], axis=0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    weights = [np.asarray(w, float) for w in (fweights, aweights) if w is not None]
    if not weights:
        centred = x - np.mean(x, axis=1)[:, None]
        right, count = np.transpose(centred), np.shape(x)[1] - ddof
    else:
        w = np.prod(weights, axis=0)
        centred = x - np.average(x, axis=1, weights=w)[:, None]
        right = np.transpose(centred * w)
        repeated = np.sum(w) if aweights is None else np.sum(w * aweights)
        count = np.sum(w) - (ddof * repeated / np.sum(w) if aweights is not None else ddof)
    # A real transpose stays a view: of x and its own xᵀ BLAS computes one triangle alone.
    product = np.dot(centred, np.conjugate(right) if is_complex(right) else right)
    return np.squeeze(product * np.true_divide(1, count))


@composite(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    c = np.cov(x, y, rowvar, dtype=dtype)
    if np.ndim(c) == 0:
        return c / c
    deviation = np.sqrt(np.real(np.diag(c)))
    c = c / deviation[:, None] / deviation[None, :]
    if c.dtype.kind == "c":
        return np.clip(np.real(c), -1, 1) + 1j * np.clip(np.imag(c), -1, 1)
    return np.clip(c, -1, 1)


# Quantiles: each lies between two neighbours of the sorted array, with weights that depend
# on the number of elements alone.  The quantile of 0, 1, 2, ... says where.


def flatten_axes(x: Any, axis: Any) -> Any:
    """The axes of a reduction as one last axis."""
    if axis is None:
        return np.ravel(x)
    axes = axis if isinstance(axis, tuple) else (axis,)
    moved = np.moveaxis(x, axes, range(-len(axes), 0))
    return np.reshape(moved, (*np.shape(moved)[: -len(axes)], -1))


def unflatten_axes(share: Any, x: Any, axis: Any) -> Any:
    """The inverse of `flatten_axes`."""
    if axis is None:
        return np.reshape(share, np.shape(x))
    axes = axis if isinstance(axis, tuple) else (axis,)
    lengths = [np.shape(x)[a] for a in axes]
    return np.moveaxis(
        np.reshape(share, (*np.shape(share)[:-1], *lengths)), range(-len(axes), 0), axes
    )


def between_neighbours(g: Any, places: Any, x: Any) -> Any:
    """Gradients of interpolated order statistics, handed to the elements of the last axis.

    ``g`` and ``places`` have one row for each quantile, then the axes of ``x``
    but for the last.
    """
    shape = np.shape(x)
    low = np.floor(places)
    high_share = g * (places - low).astype(g.dtype)
    rows = np.arange(np.size(x) // shape[-1]).reshape(shape[:-1]) * shape[-1]
    low = rows + low.astype(int)
    high = np.minimum(low + 1, rows + shape[-1] - 1)
    shares = scatter(g - high_share, low, shape=(np.size(x),))
    shares = shares + scatter(high_share, high, shape=(np.size(x),))
    return unsort(np.reshape(shares, shape), np.sort(x, axis=-1), x)


def quantile_rule(function: Any) -> Any:
    def rule(
        g: Any, out: Any, a: Any, q: Any = 0.5, axis: Any = None,
        overwrite_input: bool = False, method: str = "linear", keepdims: bool = False,
    ) -> Any:  # fmt: skip
        x = flatten_axes(a, axis)
        static = {} if function is np.median else {"q": q, "method": method}
        where = np.ravel(function(np.arange(np.shape(x)[-1], dtype=float), **static))
        g = np.reshape(g, (-1, *np.shape(x)[:-1]))
        places = np.reshape(where, (-1,) + (1,) * (np.ndim(g) - 1))
        return unflatten_axes(between_neighbours(g, places + np.zeros(np.shape(g)), x), a, axis)

    return rule


def nan_quantile_rule(scale: float | None) -> Any:
    """NaN are sorted to the end; the others of each row count.  None is for the median."""

    def rule(
        g: Any, out: Any, a: Any, q: Any = 0.5, axis: Any = None,
        overwrite_input: bool = False, method: str = "linear", keepdims: bool = False,
    ) -> Any:  # fmt: skip
        if method != "linear":
            raise UnsupportedError(
                f"a quantile without NaN by method={method!r} has no derivative rule here; "
                "pass method='linear'"
            )
        x = flatten_axes(a, axis)
        fractions = np.ravel(np.asarray(q, float)) / (scale or 1)
        last = np.sum(np.logical_not(np.isnan(x)), axis=-1) - 1
        g = np.reshape(g, (-1, *np.shape(x)[:-1]))
        places = np.reshape(fractions, (-1,) + (1,) * (np.ndim(g) - 1)) * np.maximum(last, 0)
        return unflatten_axes(between_neighbours(g, places, x), a, axis)

    return rule


for function in (np.quantile, np.percentile, np.median):
    array_function(function, quantile_rule(function), masks=True)
for function, scale in ((np.nanquantile, 1), (np.nanpercentile, 100), (np.nanmedian, None)):
    array_function(function, nan_quantile_rule(scale), masks=True)
