"""Cases of running sums, products and extrema."""

from __future__ import annotations

from typing import Any

from autograd_lite.core.numpy_namespace import np
from tests.ops.cases.case import Case, complex_numbers, distinct, method, real, row

WITH_NAN = np.array([[0.0, np.nan, 0.0], [np.nan, 0.0, 0.0]])


def with_nan(function: Any, axis: int | None) -> Case:
    return row(
        function,
        real(2, 3),
        call=lambda x: function(x + WITH_NAN, axis=axis),
        label=f"nan,{axis}",
    )


ROWS: list[Case] = [
    *[
        row(function, real(2, 3), **keywords)
        for function in (np.cumsum, np.cumprod)
        for keywords in ({}, {"axis": 0}, {"axis": -1}, {"axis": 1, "dtype": np.float64})
    ],
    row(np.cumprod, real(2, 7), label="longer", axis=1),
    row(np.cumsum, real(2, 3), call=lambda x: np.cumsum(x, 1), label="x,1"),
    row(np.cumsum, real(), label="0d"),
    row(np.cumsum, complex_numbers(2, 3), label="complex", axis=0),
    row(np.cumprod, complex_numbers(2, 3), label="complex", axis=0),
    *[
        row(function, real(2, 3), axis=axis, include_initial=initial)
        for function in (np.cumulative_sum, np.cumulative_prod)
        for axis in (0, -1)
        for initial in (False, True)
    ],
    row(np.cumulative_sum, real(3)),
    row(np.cumulative_prod, real(3)),
    *[with_nan(function, axis) for function in (np.nancumsum, np.nancumprod) for axis in (None, 1)],
    *[
        method(function, "accumulate", distinct(4, 3), **keywords)
        for function in (np.add, np.multiply, np.maximum, np.minimum)
        for keywords in ({}, {"axis": 1})
    ],
    method(np.add, "reduceat", real(5, 2), call=lambda x: np.add.reduceat(x, [0, 2, 3])),
    method(
        np.add,
        "reduceat",
        real(2, 5),
        call=lambda x: np.add.reduceat(x, np.array([1, 3, 3, 2, 4]), axis=-1),
        label="unordered",
    ),
]
