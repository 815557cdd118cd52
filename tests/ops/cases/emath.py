"""Cases of functions that go on in complex numbers."""

from __future__ import annotations

from autograd_lite.core.numpy_namespace import np
from tests.ops.cases.case import (
    Case,
    above_one,
    complex_numbers,
    inside_unit,
    nonzero,
    positive,
    row,
)

OF_POSITIVE = (np.emath.sqrt, np.emath.log, np.emath.log2, np.emath.log10)
OF_SMALL = (np.emath.arccos, np.emath.arcsin, np.emath.arctanh)

ROWS: list[Case] = [
    *[
        row(function, inside(4), label=f"emath,{label}")
        for function, label, inside in [
            *[(f, label, x) for f in OF_POSITIVE for label, x in (("real", positive),)],
            *[(f, "both", nonzero) for f in OF_POSITIVE],
            *[(f, "real", inside_unit) for f in OF_SMALL],
            *[(f, "outside", above_one) for f in OF_SMALL],
            *[(f, "complex", complex_numbers) for f in (*OF_POSITIVE, *OF_SMALL)],
        ]
    ],
    row(np.emath.logn, above_one(3), positive(3), label="emath"),
    row(
        np.emath.logn,
        above_one(3),
        positive(3),
        label="emath,negative",
        call=lambda n, x: np.emath.logn(-n, -x),
    ),
    row(np.emath.power, positive(3), nonzero(3), label="emath"),
    row(np.emath.power, nonzero(3), nonzero(3), label="emath,negative"),
]
