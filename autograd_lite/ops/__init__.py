"""The derivative rules, one file a family.  Importing this package fills the registry."""

from autograd_lite.ops import (
    accumulations,
    calculus,
    contractions,
    dask_arrays,
    decompositions,
    elementwise,
    fft,
    indexing,
    joining,
    linalg,
    nondifferentiable,
    padding,
    reductions,
    shaping,
    sorting,
    statistics,
)

__all__ = [
    "accumulations",
    "calculus",
    "contractions",
    "dask_arrays",
    "decompositions",
    "elementwise",
    "fft",
    "indexing",
    "joining",
    "linalg",
    "nondifferentiable",
    "padding",
    "reductions",
    "shaping",
    "sorting",
    "statistics",
]
