"""Cases of sorting and choosing."""

from __future__ import annotations

import inspect

from autograd_lite.core.numpy_namespace import np
from tests.ops.cases.case import Case, complex_of, distinct, passes, real, row

KEYS = np.array([[2, 0, 1, 0], [1, 1, 2, 0], [0, 2, 2, 1]])

ROWS: list[Case] = [
    *[
        row(np.sort, distinct(3, 4), **keywords)
        for keywords in ({}, {"axis": 0}, {"axis": None}, {"axis": 1, "kind": "stable"})
    ],
    row(np.sort, distinct(1), label="single"),
    row(np.sort, complex_of(distinct)(4), label="complex"),
    row(np.sort_complex, distinct(4)),
    *[
        row(np.partition, distinct(3, 5), **keywords)
        for keywords in (
            {"kth": 2},
            {"kth": 0, "axis": 0},
            {"kth": (1, 3)},
            {"kth": 4, "axis": None},
        )
    ],
    row(np.delete, real(5), obj=[0, 2]),
    row(np.delete, real(3, 4), obj=slice(None, None, 2), axis=1),
    row(np.delete, real(3, 4), obj=-1, axis=0),
    row(np.take, real(3, 4), call=lambda x: np.take(x, [0, 5, 5])),
    row(np.take, real(3, 4), call=lambda x: np.take(x, 1, axis=0), label="one"),
    row(
        np.take,
        real(3, 4),
        call=lambda x: np.take(x, [[5, -1], [0, 0]], axis=1, mode="wrap"),
        label="wrap",
    ),
    row(np.take, real(4), call=lambda x: np.take(x, [-3, 9], mode="clip"), label="clip"),
    row(np.take, real(4), call=lambda x: np.take(a=x, indices=[0, 0], axis=0), label="keywords"),
    row(np.take_along_axis, real(3, 4), call=lambda x: np.take_along_axis(x, KEYS, axis=0)),
    row(np.take_along_axis, real(3, 4), call=lambda x: np.take_along_axis(x, KEYS, 1), label="1"),
    row(
        np.take_along_axis,
        distinct(3, 4),
        call=lambda x: np.take_along_axis(x, np.argsort(x, axis=1), axis=1),
        label="argsort",
    ),
    row(np.compress, real(3, 4), call=lambda x: np.compress([True, False, True], x, axis=0)),
    row(np.compress, distinct(5), call=lambda x: np.compress(x > 0, x), label="x>0"),
    row(np.extract, distinct(2, 3), call=lambda x: np.extract(x > 0, x)),
    row(np.trim_zeros, real(3), call=lambda x: np.trim_zeros(np.append([0.0], x))),
    *[
        row(
            np.trim_zeros,
            real(2, 2),
            call=lambda x, k=keywords: np.trim_zeros(np.pad(x, ((0, 2), (1, 2))), **k),
            label=", ".join(map(str, keywords.values())) or "two axes",
        )
        for keywords in ({}, {"axis": 1}, {"axis": -2, "trim": "b"}, {"trim": "f"})
        if "axis" in inspect.signature(np.trim_zeros).parameters  # since NumPy 2.2
    ],
    row(
        np.choose,
        real(3),
        real(2, 1),
        call=lambda x, y: np.choose([0, 1, 0], [x, y]),
    ),
    row(
        np.choose,
        distinct(2),
        label="by a Value",
        call=lambda x: np.choose(np.argsort(x), [x, 2 * x]),
    ),
    row(np.choose, real(3), call=lambda x: np.choose(5, [x, 2 * x], mode="wrap"), label="wrap"),
    row(
        np.select,
        distinct(6),
        call=lambda x: np.select([x < 0, x < 0.4], [x * x, np.sin(x)], 9.0),
    ),
    row(np.select, distinct(6), call=lambda x: np.select([x < 0], [x]), label="default 0"),
    passes(np.argsort, distinct(3, 4)),
    passes(np.argpartition, distinct(3, 4), kth=1),
    passes(np.argsort, distinct(3, 4), axis=0),
    passes(np.searchsorted, distinct(3), call=lambda x: np.searchsorted([-0.2, 0.1], x)),
    passes(np.searchsorted, distinct(3), call=lambda x: np.searchsorted([0.1], v=x), label="v=x"),
    passes(np.digitize, distinct(3), bins=[-0.2, 0.1]),
]
