"""The derivative rules, one file a family.  Importing this package fills the registry."""

from autograd_lite.ops import (
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

__all__ = [
    "accumulations",
    "constants",
    "contractions",
    "elementwise",
    "indexing",
    "joining",
    "reductions",
    "shaping",
    "sorting",
]
