"""The table of cases: every registered operation has its rows here, and no row lacks one."""

from __future__ import annotations

from importlib.util import find_spec

from tests.ops.cases import (
    accumulations,
    calculus,
    contractions,
    elementwise,
    emath,
    fft,
    histograms,
    indexing,
    joining,
    linalg,
    nondifferentiable,
    padding,
    polynomials,
    reductions,
    sets,
    shaping,
    slices,
    sorting,
    statistics,
    trigonometric,
    writing,
)
from tests.ops.cases.case import Case, has, is_deprecated

ROWS: list[Case] = [
    *elementwise.ROWS,
    *trigonometric.ROWS,
    *reductions.ROWS,
    *accumulations.ROWS,
    *shaping.ROWS,
    *joining.ROWS,
    *joining.NESTED,
    *padding.ROWS,
    *sorting.ROWS,
    *sets.ROWS,
    *statistics.ROWS,
    *indexing.ROWS,
    *contractions.ROWS,
    *linalg.ROWS,
    *fft.ROWS,
    *calculus.ROWS,
    *polynomials.ROWS,
    *emath.ROWS,
    *histograms.ROWS,
    *slices.ROWS,
    *nondifferentiable.ROWS,
    *writing.ROWS,
]

if find_spec("scipy"):
    from tests.ops.cases import (
        scipy_curves,
        scipy_filters,
        scipy_images,
        scipy_integrals,
        scipy_linalg,
        scipy_sparse,
        special,
        stats,
    )

    ROWS += [*special.ROWS, *stats.ROWS, *scipy_linalg.ROWS, *scipy_filters.ROWS]
    ROWS += [*scipy_integrals.ROWS, *scipy_images.ROWS, *scipy_curves.ROWS, *scipy_sparse.ROWS]

HERE = [case for case in ROWS if has(case.function)]
CASES = [case for case in HERE if not is_deprecated(case.function)]
DEPRECATED = [case for case in HERE if is_deprecated(case.function)]
