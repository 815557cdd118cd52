"""A second opinion without any tolerance: how fast the Taylor remainder vanishes.

The remainder |φ(h) - φ(0) - h·⟨g, u⟩| of a first-order expansion falls like h²
if g is the gradient, and like h if it is not.  Doubling the step shows which.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from autograd_lite.checking.comparison import Probe

__all__ = ["TaylorRow", "TaylorTable", "taylor_table"]


@dataclass(frozen=True)
class TaylorRow:
    """One step: the remainder, and the order as compared with the row above."""

    step: float
    remainder: float
    order: float | None


@dataclass(frozen=True)
class TaylorTable:
    """Remainders over a ladder of steps; print it to see them.

    Attributes
    ----------
    rows : tuple of TaylorRow
        From the coarsest step to the finest.
    rounding : float
        Remainders below this are rounding errors and say nothing.
    """

    rows: tuple[TaylorRow, ...]
    rounding: float

    @property
    def order(self) -> float | None:
        """The fitted order: 2 for a right gradient, 1 for a wrong one.

        None where the remainder is nothing but rounding, as for a linear function.
        """
        seen = [row for row in self.rows if row.remainder > 10 * self.rounding]
        if len(seen) < 2:
            return None
        steps = np.log2([row.step for row in seen])
        return float(np.polyfit(steps, np.log2([row.remainder for row in seen]), 1)[0])

    def __str__(self) -> str:
        lines = ["        step    remainder    order"]
        for row in self.rows:
            order = "" if row.order is None else f"{row.order:9.2f}"
            lines.append(f"{row.step:12.3e} {row.remainder:12.3e}{order}".rstrip())
        return "\n".join(lines)


def taylor_table(probe: Probe) -> TaylorTable:
    """The table of a probe's values, for its first cotangent."""
    analytic, base = float(probe.analytic[0]), float(probe.ladder.base[0])
    measured = []
    for level in sorted(probe.ladder.samples):
        step = 2.0**-level
        value = float(probe.ladder.samples[level][0][0])
        measured.append((step, abs(value - base - step * analytic)))
    orders = [None] + [_order(coarse, fine) for coarse, fine in pairwise(measured)]
    rows = tuple(
        TaylorRow(step, remainder, order)
        for (step, remainder), order in zip(measured, orders, strict=True)
    )
    return TaylorTable(rows, float(probe.ladder.noise[0]))


def _order(coarse: tuple[float, float], fine: tuple[float, float]) -> float | None:
    if not coarse[1] > 0 or not fine[1] > 0:
        return None
    return float(np.log(coarse[1] / fine[1]) / np.log(coarse[0] / fine[0]))
