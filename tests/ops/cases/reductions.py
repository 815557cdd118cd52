"""Cases of reductions along axes."""

from __future__ import annotations

from typing import Any

from autograd_lite.core.numpy_namespace import np
from tests.ops.cases.case import Case, complex_numbers, distinct, method, passes, real, row


def along_axes(function: Any, domain: Any, **keywords: Any) -> list[Case]:
    """All the ways to name the axes of an array of three."""
    return [
        row(function, domain, **keywords),
        row(function, domain, axis=1, **keywords),
        row(function, domain, axis=-1, keepdims=True, **keywords),
        row(function, domain, axis=(0, -1), **keywords),
        row(function, domain, keepdims=True, **keywords),
    ]


WITH_NAN = np.array([[0.0, np.nan, 0.0], [np.nan, 0.0, 0.0]])
MASK = np.array([[True, False, True], [True, True, True]])

ROWS: list[Case] = [
    *along_axes(np.sum, real(2, 3, 2)),
    *along_axes(np.mean, real(2, 3, 2)),
    *along_axes(np.prod, real(2, 3, 2)),
    *along_axes(np.var, real(2, 3, 2)),
    *along_axes(np.var, real(2, 3, 2), ddof=1),
    *along_axes(np.std, real(2, 3, 2)),
    *along_axes(np.max, distinct(2, 3, 2)),
    *along_axes(np.min, distinct(2, 3, 2)),
    row(np.sum, real(2, 3), call=lambda x: np.sum(a=x, axis=0), label="a=x,axis=0"),
    row(np.sum, real(2, 3), call=lambda x: np.sum(x, 1), label="x,1"),
    row(np.sum, real(2, 3), call=lambda x: np.sum(x, dtype=np.float64), label="dtype"),
    *[
        row(function, distinct(2, 3), where=MASK, label=f"where,{axis}", axis=axis, **initial)
        for function, initial in (
            (np.sum, {}),
            (np.mean, {}),
            (np.var, {}),
            (np.std, {"ddof": 0.5}),
            (np.prod, {"initial": 2.0}),
            (np.max, {"initial": -9.0}),
            (np.min, {"initial": 9.0}),
        )
        for axis in (None, 0, 1)
    ],
    row(np.sum, distinct(4), call=lambda x: np.sum(x, where=x > 0), label="where x>0"),
    row(np.sum, real(3), initial=2.0),
    row(np.prod, real(), initial=2.0),
    row(np.prod, real(2, 3, 4), axis=0, initial=2.0),
    row(np.amax, distinct(2, 3), axis=0),
    row(np.amin, distinct(2, 3), axis=0),
    *along_axes(np.ptp, distinct(2, 3, 2)),
    *[
        row(
            function,
            distinct(2, 3),
            call=lambda x, f=function, n=axis: f(x + WITH_NAN, axis=n),
            label=f"nan,{axis}",
        )
        for function in (
            np.nansum,
            np.nanprod,
            np.nanmax,
            np.nanmin,
            np.nanmean,
            np.nanvar,
            np.nanstd,
        )
        for axis in (None, 0, -1)
    ],
    row(
        np.nanmean,
        distinct(2, 3),
        call=lambda x: np.nanmean(x + WITH_NAN, axis=1, keepdims=True, where=MASK),
        label="nan,where",
    ),
    row(
        np.nanmean,
        distinct(2, 3),
        call=lambda x: np.nanmean(x + WITH_NAN, axis=1, where=~MASK | (np.arange(3) > 0)),
        label="nan,where,axis",
    ),
    row(np.nanstd, distinct(2, 3), call=lambda x: np.nanstd(x, ddof=1), label="ddof"),
    *[
        method(function, "reduce", distinct(2, 3), **keywords)
        for function in (np.add, np.multiply, np.maximum, np.minimum)
        for keywords in ({}, {"axis": 1, "keepdims": True}, {"axis": None})
    ],
    *[
        method(function, "reduce", distinct(2, 3), derivatives=0)
        for function in (np.logical_and, np.logical_or)
    ],
    row(np.prod, complex_numbers(2, 3), label="complex", axis=0),
    row(np.sum, complex_numbers(2, 3), label="complex", axis=0),
    row(np.mean, complex_numbers(2, 3), label="complex", axis=0),
    row(np.var, complex_numbers(2, 3), label="complex", axis=0),
    row(np.std, complex_numbers(2, 3), label="complex", axis=0),
    *[
        passes(function, distinct(2, 3), **keywords)
        for function in (
            np.argmax,
            np.argmin,
            np.any,
            np.all,
            np.count_nonzero,
            np.nanargmax,
            np.nanargmin,
        )
        for keywords in ({}, {"axis": 0}, {"axis": 1, "keepdims": True})
    ],
]
