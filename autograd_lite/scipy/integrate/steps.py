"""Solutions by the steps that were taken: their derivative is that of each step.

The sizes of the steps count as constants.  So this is the exact derivative of what was computed,
to the last digits at any tolerance, where the adjoint equation is solved to the tolerance alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from scipy import integrate

from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.scipy.calls import packed, unpacked, unrolled
from autograd_lite.scipy.integrate.flows import START, Flow
from autograd_lite.transforms.implicit import pulled_back

__all__ = ["METHODS", "FlowOfSteps"]

METHODS = {"RK23": integrate.RK23, "RK45": integrate.RK45}


class FlowOfSteps(Flow):
    """An equation that is solved by explicit steps of Runge and Kutta."""

    def gradients(self, g: Any, out: Any, places: list[int], inputs: Sequence[Any]) -> list[Any]:
        """Those with respect to some of the arguments, for that with respect to the rows."""
        if START in places:
            raise UnsupportedError(
                "solve_ivp: by where the solution starts there is no derivative with "
                "gradient='steps', whose sizes are constants; pass gradient='adjoint'"
            )

        def pulled(way: Any, g: Any, *inputs: Any) -> Any:
            return packed(pulled_back(partial(self.again, way), inputs, places, g))

        found = unrolled("steps of solve_ivp", self.way, pulled, [g, *inputs])
        return unpacked(found, [inputs[place] for place in places])

    def way(self, g: Any, start: Any, end: Any, times: Any, y0: Any, *leaves: Any) -> Any:
        """Where SciPy's steps end, and the step that each of the times lies in."""
        ends = self.solver.solve(self.of_state(leaves), start, end, y0).t
        sign = 1.0 if ends[-1] >= ends[0] else -1.0
        return ends, np.maximum(np.searchsorted(sign * ends, sign * times), 1) - 1

    def again(self, way: Any, start: Any, end: Any, times: Any, y0: Any, *leaves: Any) -> Any:
        """The solution at the times, by the same steps."""
        ends, steps = way
        tableau = METHODS[self.solver.options["method"]]
        count = 1 + int(np.max(steps, initial=-1))
        rows: list[Any] = [None] * len(steps)
        y, slope = y0, self.f(ends[0], y0, *leaves)
        for step in range(count):
            t, h = ends[step], ends[step + 1] - ends[step]
            slopes = [slope]
            for stage in range(1, len(tableau.C)):
                moved = y + h * weighted(tableau.A[stage], slopes)
                slopes.append(self.f(t + tableau.C[stage] * h, moved, *leaves))
            after = y + h * weighted(tableau.B, slopes)
            slope = self.f(t + h, after, *leaves)
            slopes.append(slope)
            for row in np.flatnonzero(steps == step):
                way_there = (times[row] - t) / h
                powers = np.cumprod(np.stack([way_there] * tableau.P.shape[1]))
                rows[row] = y + h * weighted(tableau.P @ powers, slopes)
            y = after
        return np.stack(rows) if rows else np.zeros((0, np.size(y0)))


def weighted(weights: Any, slopes: Sequence[Any]) -> Any:
    return sum(weight * slope for weight, slope in zip(weights, slopes, strict=False))
