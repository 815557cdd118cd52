"""The derivative rules, one file a family.  Importing this package fills the registry."""

from autograd_lite.ops import (
    accumulations,
    calculus,
    constants,
    contractions,
    dask_arrays,
    decompositions,
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

__all__ = [
    "accumulations",
    "calculus",
    "constants",
    "contractions",
    "dask_arrays",
    "decompositions",
    "elementwise",
    "fft",
    "indexing",
    "joining",
    "linalg",
    "padding",
    "reductions",
    "shaping",
    "sorting",
    "statistics",
]
