"""Cases of indexing, and of replacing parts."""

from __future__ import annotations

import operator
from typing import Any

from autograd_lite.core.numpy_namespace import np
from tests.ops.cases.case import Case, complex_numbers, distinct, real, row

INDICES: dict[str, Any] = {
    "integer": 1,
    "negative": -1,
    "slice": slice(1, None),
    "stride": slice(None, None, -2),
    "ellipsis": (Ellipsis, 0),
    "new axis": (slice(None), None, 1),
    "list": [0, 2, 0],
    "array": np.array([[2, 0], [2, 2]]),
    "pairs": (np.array([0, 2, 0]), np.array([1, 1, 1])),
    "mixed": (slice(None), np.array([3, 3, 0])),
    "apart": (np.array([0, 1]), slice(None), np.array([1, 1])),
    "boolean": np.array([True, False, True]),
    "boolean matrix": np.arange(12).reshape(3, 4) % 5 == 0,
    "boolean and slice": (np.array([True, False, True]), slice(1, 3)),
    "boolean and integer": (np.array([True, False, True]), 2),
    "empty": slice(0, 0),
    "integer array scalar": np.int64(2),
    "all integers": (1, 2, 1),
}


def replaced(x: Any, index: Any, v: Any) -> Any:
    result = x.copy()
    result[index] = v
    return result


def increased(x: Any, index: Any, v: Any) -> Any:
    result = x.copy()
    np.add.at(result, index, v)
    return result


ROWS: list[Case] = [
    *[
        row(
            operator.getitem,
            real(3, 4, 2),
            call=lambda x, index=index: x[index],
            label=label,
        )
        for label, index in INDICES.items()
    ],
    row(operator.getitem, distinct(3, 4), call=lambda x: x[x > 0], label="x>0"),
    row(operator.getitem, distinct(5), call=lambda x: x[np.argsort(x)], label="argsort"),
    row(operator.getitem, complex_numbers(3), call=lambda x: x[[0, 0]], label="complex"),
    *[
        row(
            "at.set",
            real(3, 4, 2),
            real(),
            call=lambda x, v, index=index: x.at[index].set(v),
            reference=lambda x, v, index=index: replaced(x, index, v),
            label=label,
        )
        for label, index in INDICES.items()
    ],
    *[
        row(
            "at.add",
            real(3, 4, 2),
            real(),
            call=lambda x, v, index=index: x.at[index].add(v),
            reference=lambda x, v, index=index: increased(x, index, v),
            label=label,
        )
        for label, index in INDICES.items()
    ],
    row(
        "at.set",
        real(5),
        real(3),
        call=lambda x, v: x.at[[1, 3, 1]].set(v),
        reference=lambda x, v: replaced(x, [1, 3, 1], v),
        label="repeated, the last counts",
    ),
    row(
        "at.add",
        real(5),
        real(3),
        call=lambda x, v: x.at[[1, 3, 1]].add(v),
        reference=lambda x, v: increased(x, [1, 3, 1], v),
        label="repeated, all count",
    ),
    row(
        "at.set",
        real(2, 3),
        real(2, 1),
        call=lambda x, v: x.at[:, 1:].set(v),
        reference=lambda x, v: replaced(x, (slice(None), slice(1, None)), v),
        label="broadcast",
    ),
    row(
        "at.set",
        complex_numbers(3),
        real(2),
        call=lambda x, v: x.at[1:].set(v),
        reference=lambda x, v: replaced(x, slice(1, None), v),
        label="real into complex",
    ),
]
