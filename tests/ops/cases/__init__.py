"""The table of cases: every registered operation has its rows here, and no row lacks one."""

from __future__ import annotations

from tests.ops.cases import contractions, elementwise, indexing, reductions, shaping
from tests.ops.cases.case import Case

CASES: list[Case] = [
    *elementwise.ROWS,
    *reductions.ROWS,
    *shaping.ROWS,
    *indexing.ROWS,
    *contractions.ROWS,
]
