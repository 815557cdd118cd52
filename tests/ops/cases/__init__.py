"""The table of cases: every registered operation has its rows here, and no row lacks one."""

from __future__ import annotations

from importlib.util import find_spec

from tests.ops.cases import (
    accumulations,
    calculus,
    constants,
    contractions,
    elementwise,
    fft,
    indexing,
    joining,
    linalg,
    padding,
    reductions,
    shaping,
    sorting,
    statistics,
)
from tests.ops.cases.case import Case

CASES: list[Case] = [
    *elementwise.ROWS,
    *reductions.ROWS,
    *accumulations.ROWS,
    *shaping.ROWS,
    *joining.ROWS,
    *joining.NESTED,
    *padding.ROWS,
    *sorting.ROWS,
    *statistics.ROWS,
    *indexing.ROWS,
    *contractions.ROWS,
    *linalg.ROWS,
    *fft.ROWS,
    *calculus.ROWS,
    *constants.ROWS,
]

if find_spec("scipy"):
    from tests.ops.cases import special

    CASES += special.ROWS
