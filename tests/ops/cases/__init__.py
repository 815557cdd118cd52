"""The table of cases: every registered operation has its rows here, and no row lacks one."""

from __future__ import annotations

from tests.ops.cases import (
    accumulations,
    constants,
    contractions,
    elementwise,
    indexing,
    joining,
    reductions,
    shaping,
    sorting,
)
from tests.ops.cases.case import Case

CASES: list[Case] = [
    *elementwise.ROWS,
    *reductions.ROWS,
    *accumulations.ROWS,
    *shaping.ROWS,
    *joining.ROWS,
    *joining.NESTED,
    *sorting.ROWS,
    *constants.ROWS,
    *indexing.ROWS,
    *contractions.ROWS,
]
