"""Rules of averages, covariances and quantiles."""

from __future__ import annotations

import warnings
from functools import cache
from math import nan
from typing import Any

from autograd_lite.core.backward import is_complex
from autograd_lite.core.errors import ArgumentValueError, UnsupportedError
from autograd_lite.core.node import unwrap
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, Rule
from autograd_lite.ops.define import LeftToNumpy, array_function, composite, is_known
from autograd_lite.ops.indexing import scatter
from autograd_lite.ops.joining import as_array
from autograd_lite.ops.reductions import at_least_zero
from autograd_lite.ops.shaping import flatten_axes, inverse_order, unflatten_axes
from autograd_lite.ops.sorting import unsort

__all__: list[str] = []


@composite(np.average, asks_numpy="on failure")
def average(
    a: Any, axis: Any = None, weights: Any = None, returned: bool = False, keepdims: bool = False
) -> Any:
    if np.ndim(a) == 0 and axis is not None:
        raise LeftToNumpy
    if weights is None:
        mean = np.mean(a, axis=axis, keepdims=keepdims)
        total: Any = np.full(np.shape(mean), np.size(a) / np.size(mean), mean.dtype)[()]
    else:
        a, weights = as_array(a), as_array(weights)
        weights = beside(a, weights, axis)
        wide = np.result_type(a.dtype, weights.dtype, "f8" if a.dtype.kind in "biu" else a.dtype)
        cast: dict[str, Any] = {} if a.dtype == weights.dtype == wide else {"dtype": wide}
        total = np.sum(weights, axis=axis, keepdims=keepdims, **cast)
        if is_known(total) and np.any(unwrap(total) == 0):
            raise LeftToNumpy
        mean = np.sum(np.multiply(a, weights, **cast), axis=axis, keepdims=keepdims) / total
    if not returned:
        return mean
    same = np.shape(total) == np.shape(mean)
    return mean, total if same else np.copy(np.broadcast_to(total, np.shape(mean)))


def beside(a: Any, weights: Any, axis: Any) -> Any:
    """The weights of the elements along some axes, as an array that broadcasts to ``a``."""
    if np.shape(weights) == np.shape(a):
        return weights
    several = isinstance(axis, (tuple, list))
    every: Any = range(np.ndim(a)) if axis is None else axis if several else (axis,)
    axes = [along % np.ndim(a) for along in every]
    lengths = tuple(np.shape(a)[along] for along in axes)
    if np.shape(weights) != lengths:
        raise ArgumentValueError(
            f"average: weights of shape {np.shape(weights)} for axis={axis} of an array of shape "
            f"{np.shape(a)}; pass weights of shape {lengths}"
        )
    shape = [n if along in axes else 1 for along, n in enumerate(np.shape(a))]
    return np.reshape(np.transpose(weights, inverse_order(axes)), shape)


@cache
def one_row_is_turned() -> bool:
    """Whether an only row is, in this NumPy, an observation of each variable, as it is told."""
    return bool(np.cov([[1.0, 2.0]], rowvar=False, bias=True).ndim == 2)


undefined = Primitive(
    lambda x, where: np.positive(x),
    lambda g, out, x, where: np.where(where, g * nan, g),
    name="undefined",
    elementwise=True,
)
"""Observations that are too few or too equal. What they give is NaN, and so are its derivatives:
the deviations do not vary, and behind a mask they would count as constant."""


def variables(m: Any, y: Any, rowvar: bool, dtype: Any) -> Any:
    """All observations: a row for each variable."""
    rows = [np.atleast_2d(x) for x in (m, y) if x is not None]
    turned = [not rowvar and np.shape(x)[0] != 1 for x in rows]
    turned[0] = turned[0] or (not rowvar and np.ndim(m) != 1 and one_row_is_turned())
    rows = [np.transpose(x) if turn else x for x, turn in zip(rows, turned, strict=True)]
    if max(map(np.ndim, rows)) > 2:
        raise LeftToNumpy
    if not np.shape(rows[0])[0]:
        return np.astype(np.real(rows[0]), float)
    dtype = np.result_type(*(x.dtype for x in rows), float) if dtype is None else np.dtype(dtype)
    if dtype.kind not in "fc":
        raise LeftToNumpy
    rows = [np.astype(row, dtype) for row in rows]
    # To join one alone would be a mask, behind which what is NaN has the derivative 0.
    return np.concatenate(rows, axis=0) if len(rows) > 1 else rows[0]


@composite(np.cov, asks_numpy="on failure")
def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None,
    fweights: Any = None, aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    return covariances(variables(m, y, rowvar, dtype), bias, ddof, fweights, aweights)


def covariances(
    x: Any, bias: bool = False, ddof: int | None = None, fweights: Any = None, aweights: Any = None
) -> Any:
    if not np.shape(x)[0]:
        return np.reshape(x, (0, 0))
    ddof = (1 if bias == 0 else 0) if ddof is None else ddof
    if ddof != int(ddof):
        raise LeftToNumpy
    for counts, given in ((True, fweights), (False, aweights)):
        if given is not None and not may_weigh(given, np.shape(x)[1], counts):
            raise LeftToNumpy
    weights = [np.asarray(w, float) for w in (fweights, aweights) if w is not None]
    w: Any = np.prod(weights, axis=0) if weights else None
    if w is None:
        count = np.shape(x)[1] - ddof
    else:
        repeated = np.sum(w) if aweights is None else np.sum(w * aweights)
        count = np.sum(w) - (ddof * repeated / np.sum(w) if aweights is not None else ddof)
    if is_known(count) and unwrap(count) <= 0:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=7)
        x = undefined(x, True)
    if w is None:
        centred = x - np.mean(x, axis=1)[:, None]
        right = np.transpose(centred)
    else:
        centred = np.astype(x - np.average(x, axis=1, weights=w)[:, None], x.dtype)
        right = np.transpose(centred * w)
    # A real transpose stays a view: of x and its own xᵀ BLAS computes one triangle alone.
    product = np.dot(centred, np.conjugate(right) if is_complex(right) else right)
    scaled = product * np.true_divide(1, at_least_zero(count))
    return np.squeeze(np.astype(scaled, product.dtype))


def may_weigh(weights: Any, count: int, are_counts: bool) -> bool:
    """Whether numbers are weights of observations, as far as they are known."""
    if np.shape(weights) != (count,):
        return False
    if not is_known(weights):
        return True
    numbers = np.asarray(unwrap(weights), float)
    return not np.any(numbers < 0) and not (are_counts and np.any(numbers != np.around(numbers)))


@composite(np.corrcoef, asks_numpy="on failure")
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    observed = variables(x, y, rowvar, dtype)
    c = covariances(observed)
    are_equal = np.real(np.diag(np.atleast_2d(c)))[:, None] == 0
    if is_known(are_equal) and np.any(unwrap(are_equal)):
        c = covariances(undefined(observed, unwrap(are_equal)))
    if np.ndim(c) == 0:
        return c / c
    deviation = np.sqrt(np.real(np.diag(c)))
    c = c / deviation[:, None] / deviation[None, :]
    if c.dtype.kind == "c":
        return np.clip(np.real(c), -1, 1) + 1j * np.clip(np.imag(c), -1, 1)
    return np.clip(c, -1, 1)


# Quantiles: each lies between two neighbours of the sorted array, with weights that depend
# on the number of elements alone.  The quantile of 0, 1, 2, ... says where.


def places_below(places: Any, count: int) -> Any:
    """The integers below; without a gradient, as indices are."""
    return np.searchsorted(np.arange(count), places, side="right") - 1


def between_neighbours(g: Any, places: Any, x: Any) -> Any:
    """Gradients of interpolated order statistics, handed to the elements of the last axis.

    ``g`` and ``places`` have one row for each quantile, then the axes of ``x``
    but for the last.
    """
    shape = np.shape(x)
    low = places_below(places, shape[-1])
    high_share = g * (places - low).astype(g.dtype)
    rows = np.arange(np.size(x) // shape[-1]).reshape(shape[:-1]) * shape[-1]
    low = rows + low
    high = np.minimum(low + 1, rows + shape[-1] - 1)
    shares = scatter(g - high_share, low, shape=(np.size(x),))
    shares = shares + scatter(high_share, high, shape=(np.size(x),))
    return unsort(np.reshape(shares, shape), np.sort(x, axis=-1), x)


def by_place(g: Any, places: Any, last: Any, x: Any) -> Any:
    """Gradients of interpolated order statistics by their places, which may lie beyond the ends."""
    ordered = np.sort(x, axis=-1)
    low = np.clip(places_below(places, np.shape(x)[-1]), 0, np.maximum(last - 1, 0))
    values = (
        np.moveaxis(np.take_along_axis(ordered, np.moveaxis(index, 0, -1), axis=-1), -1, 0)
        for index in (low, np.minimum(low + 1, last))
    )
    inside = np.logical_and(places >= 0, places <= last)
    return np.where(inside, g * -np.subtract(*values), 0)


INTERPOLATING = {
    "interpolated_inverted_cdf": (0, 1), "hazen": (1 / 2, 1 / 2), "weibull": (0, 0),
    "linear": (1, 1), "median_unbiased": (1 / 3, 1 / 3), "normal_unbiased": (3 / 8, 3 / 8),
}  # fmt: skip
"""α and β of the methods by which the place of a quantile is n q + α + q (1 - α - β) - 1; that of
the others is a step function (R. Hyndman, Y. Fan, "Sample quantiles in statistical packages",
1996)."""


def quantile_rules(function: Any, scale: float = 1) -> tuple[Rule, Rule]:
    """The rules by the elements and by the fraction, of which the scale is 1."""

    def by_elements(
        g: Any, out: Any, a: Any, q: Any = None, axis: Any = None, overwrite_input: bool = False,
        method: str = "linear", keepdims: bool = False, weights: Any = None,
    ) -> Any:  # fmt: skip
        x = flatten_axes(a, axis)
        if not np.size(x):
            return np.zeros_like(a)
        g = np.reshape(g, (-1, *np.shape(x)[:-1]))
        if weights is not None:
            # The quantile of the ranks is the rank of the quantile.
            ranks = np.argsort(np.argsort(x, axis=-1, kind="stable"), axis=-1).astype(float)
            heavy = np.broadcast_to(beside(a, np.asarray(weights), axis), np.shape(a))
            heavy = flatten_axes(heavy, axis)
            where = function(ranks, q, axis=-1, method=method, weights=heavy)
            places = np.reshape(where, np.shape(g))
        else:
            static = {} if function is np.median else {"q": q, "method": method}
            where = np.ravel(function(np.arange(np.shape(x)[-1], dtype=float), **static))
            places = np.reshape(where, (-1,) + (1,) * (np.ndim(g) - 1)) + np.zeros(np.shape(g))
        # A NaN, sorted to the end, is every quantile.
        places = np.where(np.any(np.isnan(x), axis=-1), np.shape(x)[-1] - 1.0, places)
        return unflatten_axes(between_neighbours(g, places, x), a, axis)

    def by_fraction(
        g: Any, out: Any, a: Any, q: Any, axis: Any = None, overwrite_input: bool = False,
        method: str = "linear", keepdims: bool = False, weights: Any = None,
    ) -> Any:  # fmt: skip
        if method not in INTERPOLATING or weights is not None:
            return np.zeros_like(q)
        x = flatten_axes(a, axis)
        if not np.size(x):
            return np.zeros_like(q)
        count = np.shape(x)[-1]
        alpha, beta = INTERPOLATING[method]
        slope = (count + 1 - alpha - beta) / scale
        g = np.reshape(g, (-1, *np.shape(x)[:-1]))
        places = np.reshape(q, (-1,) + (1,) * (np.ndim(g) - 1)) * slope + (alpha - 1)
        share = by_place(g, places + np.zeros(np.shape(g)), count - 1, x) * slope
        return np.reshape(np.sum(share, axis=tuple(range(1, np.ndim(g)))), np.shape(q))

    return by_elements, by_fraction


def places_without_nan(x: Any, q: Any, scale: float) -> tuple[Any, Any]:
    """NaN are sorted to the end; the others of each row count."""
    last = np.maximum(np.sum(np.logical_not(np.isnan(x)), axis=-1) - 1, 0)
    fractions = np.reshape(np.astype(as_array(q), float), (-1,) + (1,) * (np.ndim(x) - 1))
    return fractions / scale * last, last


def nan_quantile_rules(scale: float) -> tuple[Rule, Rule]:
    def by_elements(
        g: Any, out: Any, a: Any, q: Any = 0.5, axis: Any = None,
        overwrite_input: bool = False, method: str = "linear", keepdims: bool = False,
    ) -> Any:  # fmt: skip
        require_linear(method)
        x = flatten_axes(a, axis)
        if not np.size(x):
            return np.zeros_like(a)
        g = np.reshape(g, (-1, *np.shape(x)[:-1]))
        return unflatten_axes(between_neighbours(g, places_without_nan(x, q, scale)[0], x), a, axis)

    def by_fraction(
        g: Any, out: Any, a: Any, q: Any, axis: Any = None,
        overwrite_input: bool = False, method: str = "linear", keepdims: bool = False,
    ) -> Any:  # fmt: skip
        require_linear(method)
        x = flatten_axes(a, axis)
        if not np.size(x):
            return np.zeros_like(q)
        g = np.reshape(g, (-1, *np.shape(x)[:-1]))
        places, last = places_without_nan(x, q, scale)
        share = by_place(g, places, last, x) * (last / scale)
        return np.reshape(np.sum(share, axis=tuple(range(1, np.ndim(g)))), np.shape(q))

    return by_elements, by_fraction


def require_linear(method: str) -> None:
    if method != "linear":
        raise UnsupportedError(
            f"a quantile without NaN by method={method!r} has no derivative rule here; "
            "pass method='linear'"
        )


array_function(np.median, quantile_rules(np.median)[0], masks=True)
array_function(np.nanmedian, nan_quantile_rules(1)[0], masks=True)
for function, scale in ((np.quantile, 1), (np.percentile, 100)):
    array_function(function, *quantile_rules(function, scale), masks=True)
for function, scale in ((np.nanquantile, 1), (np.nanpercentile, 100)):
    array_function(function, *nan_quantile_rules(scale), masks=True)
