"""Cases of arrays taken as sets."""

from __future__ import annotations

from autograd_lite.core.numpy_namespace import np
from tests.ops.cases.case import Case, complex_of, distinct, row

TIED = np.array([3.0, 1.0, 3.0, 2.0])
SEVERAL = (np.unique_all, np.unique_counts, np.unique_inverse)

ROWS: list[Case] = [
    *[
        row(function, distinct(4), label="tied", call=lambda x, f=function: f(TIED * x[0] ** 2))
        for function in (np.unique, np.unique_values)
    ],
    *[
        row(function, distinct(4), label="tied", call=lambda x, f=function: f(TIED * x[0] ** 2)[0])
        for function in SEVERAL
    ],
    row(np.unique, distinct(2, 3)),
    row(np.unique, complex_of(distinct)(4), label="complex"),
    row(np.unique, distinct(3, 2), axis=0),
    row(np.unique, distinct(2, 3), axis=-1),
    row(np.unique, distinct(4), label="counts", call=lambda x: np.unique(x, return_counts=True)[0]),
    row(
        np.unique,
        distinct(2, 2),
        label="all",
        call=lambda x: np.unique(x, True, True, return_counts=True)[0],
    ),
    *[
        row(function, distinct(2, 2), call=lambda x, f=function: f(x)[0], label="values")
        for function in SEVERAL
    ],
    row(np.unique_values, distinct(2, 2)),
    *[
        row(function, distinct(4), call=lambda x, f=function: f(x, x[:2] * TIED[1]))
        for function in (np.intersect1d, np.union1d, np.setdiff1d, np.setxor1d)
    ],
    *[
        row(
            function,
            distinct(2, 2),
            distinct(2),
            label="apart",
            call=lambda x, y, f=function: f(x, y + 5),
        )
        for function in (np.union1d, np.setdiff1d, np.setxor1d)
    ],
    row(
        np.setdiff1d,
        distinct(4),
        label="unsorted",
        call=lambda x: np.setdiff1d(x, x[1:3], assume_unique=True),
    ),
    row(
        np.intersect1d,
        distinct(4),
        label="indices",
        call=lambda x: np.intersect1d(x, x[1:3], return_indices=True)[0],
    ),
]
