"""Cases of counts and of sums of weights."""

from __future__ import annotations

from autograd_lite.core.numpy_namespace import np
from tests.ops.cases.case import Case, complex_numbers, positive, real, row

PLACES = np.array([0, 2, 2, 5, 0])
DATA = np.array([0.1, 0.5, 1.0, 2.0, -3.0])
EDGES = np.array([0.0, 0.5, 1.5, 2.0])

ROWS: list[Case] = [
    row(np.bincount, real(5), label="weights", call=lambda w: np.bincount(PLACES, w)),
    row(
        np.bincount,
        real(5),
        label="minlength",
        call=lambda w: np.bincount(PLACES, weights=w, minlength=9),
    ),
    *[
        row(
            np.histogram,
            positive(5),
            label=label,
            call=lambda w, keywords=keywords: np.histogram(DATA, weights=w, **keywords)[0],
        )
        for label, keywords in {
            "bins": {"bins": 4},
            "edges": {"bins": EDGES},
            "range": {"bins": 3, "range": (0.0, 2.0)},
            "density of weights": {"bins": EDGES, "density": True},
        }.items()
    ],
    row(
        np.histogram,
        complex_numbers(5),
        label="complex",
        call=lambda w: np.histogram(DATA, EDGES, weights=w)[0],
    ),
]
