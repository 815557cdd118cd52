"""Functions that look at numbers before they compute, and how programs refuse them."""

from __future__ import annotations

import numpy as np

import autograd_lite as ag
from tests.ops.cases.case import Case

__all__ = ["READS", "is_refused_rightly"]

SELECTING = frozenset({np.trim_zeros})
"""The shape of the result depends on numbers."""

BRANCHING = frozenset(
    {np.poly, np.polydiv, np.geomspace, *(getattr(np.emath, name) for name in np.emath.__all__)}
)
"""Whether results are complex, or an end is zero."""

READS = SELECTING | BRANCHING

DATA_DEPENDENT = "the shape of its result depends on values"
BRANCH = "a Python branch (if, while, and, or, not, assert) on a traced Value"


def is_refused_rightly(case: Case, error: ag.CompileError) -> bool:
    """Whether a program could not do it: it has fixed shapes and dtypes."""
    by_branch = BRANCH in str(error) and case.function in BRANCHING
    return by_branch or DATA_DEPENDENT in str(error)
