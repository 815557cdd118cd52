"""Solutions of differential equations, y' = f(t, y, θ), as functions of all that determines them.

For gradients g with respect to y at several times, the adjoint λ of y runs backwards,
λ' = -(∂f/∂y)ᵀ λ, and takes up g at each of these times; what it is at the start is the gradient by
y there, and the integral of (∂f/∂θ)ᵀ λ that by θ (L. Pontryagin et al., "The Mathematical Theory
of Optimal Processes", 1962).  y is read from the solution that was found forwards: computed
backwards it would run away where the equation forgets its past.

The map from g to these gradients is the transposed of that from changes of y and θ at the start to
changes of the solution, which is a flow of twice as many numbers.  So it has derivatives of any
order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from scipy import integrate

from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.scipy.calls import (
    Call,
    in_one_call,
    packed,
    unpacked,
    with_numbers,
)
from autograd_lite.transforms.functions import jvp
from autograd_lite.transforms.graph import stop_gradient
from autograd_lite.transforms.implicit import pulled_back

__all__ = ["START", "Flow", "Solver"]

Function = Callable[..., Any]

KEPT = ("method", "rtol", "atol", "max_step")
"""Options that hold for the equations of changes and of adjoints too."""

START, END, TIMES, Y0, FIRST = range(5)
"""The places of a flow's arguments; from FIRST on they are parameters of the equation."""


class Solver:
    """How SciPy solves equations: to which tolerances, and what else it is told."""

    def __init__(self, call: Call, options: dict[str, Any]) -> None:
        self.call = call
        self.options = options

    def beside(self, count: int) -> Solver:
        """For the changes of ``count`` unknowns beside them."""
        options = {name: self.options[name] for name in KEPT if name in self.options}
        for name in ("rtol", "atol"):
            if np.ndim(options.get(name, 0.0)):
                options[name] = np.concatenate([np.broadcast_to(options[name], (count,))] * 2)
        return Solver(self.call, options)

    def adjoint(self, count: int, others: int) -> Solver:
        """For adjoints of ``count`` unknowns and of ``others`` parameters."""
        options = {name: self.options[name] for name in KEPT if name in self.options}
        for name in ("rtol", "atol"):
            if np.ndim(options.get(name, 0.0)):
                given = np.broadcast_to(options[name], (count,))
                options[name] = np.append(given, np.full(others, np.min(given)))
        return Solver(self.call, options)

    def solve(self, f: Function, start: Any, end: Any, y0: Any, **more: Any) -> Any:
        """SciPy's solution, which goes as far as it was to go."""
        span = (float(start), float(end))
        found = integrate.solve_ivp(self.call.plain(f), span, y0, **self.options, **more)
        if not found.success:
            raise UnsupportedError(
                f"{self.call.name}: there is no solution to differentiate ({found.message}); "
                "change the equation, its interval or the method"
            )
        return found


Run = Callable[..., Any]
"""Computes the rows of a solution from plain start, end, times, y0 and parameters."""


class Flow:
    """An equation: ``f(t, y, *parameters)`` is the vector y'."""

    def __init__(self, f: Function, solver: Solver) -> None:
        self.f = f
        self.solver = solver

    def at(self, start: Any, end: Any, times: Any, y0: Any, leaves: Sequence[Any], run: Run) -> Any:
        """The solution at each of the times, as rows, which ``run`` computes.

        Integrated from ``start`` to ``end``; by the end there is no derivative, as the solution
        at the times does not depend on it.
        """

        def rule(g: Any, out: Any, places: list[int], *inputs: Any) -> list[Any]:
            return self.gradients(g, out, places, inputs)

        name = self.solver.call.name
        return in_one_call(name, run, rule, [start, end, times, y0, *leaves])

    def run(self, start: Any, end: Any, times: Any, y0: Any, *leaves: Any) -> Any:
        """By SciPy's solve_ivp."""
        return self.solver.solve(self.of_state(leaves), start, end, y0, t_eval=times).y.T

    def of_state(self, leaves: Sequence[Any]) -> Function:
        """The equation of given parameters."""
        return lambda t, y: self.f(t, y, *leaves)

    def gradients(self, g: Any, out: Any, places: list[int], inputs: Sequence[Any]) -> list[Any]:
        """Those with respect to some of the arguments, for that with respect to the rows."""
        start, end, times, y0, *leaves = inputs
        varied = [place - FIRST for place in places if place >= FIRST]
        found: dict[int, Any] = {END: np.zeros_like(end)}
        if START in places or Y0 in places or varied:
            by_y0, *by_leaves = self.adjoint(g, start, end, times, y0, leaves, varied)
            found[Y0] = by_y0
            found |= {place + FIRST: x for place, x in zip(varied, by_leaves, strict=True)}
            if START in places:
                found[START] = -np.sum(by_y0 * self.f(start, y0, *leaves))
        if TIMES in places:
            found[TIMES] = np.stack(
                [
                    np.sum(g[row] * self.f(times[row], out[row], *leaves))
                    for row in range(np.shape(out)[0])
                ]
            )
        return [found.get(place) for place in places]

    def adjoint(
        self, g: Any, start: Any, end: Any, times: Any, y0: Any, leaves: list[Any],
        varied: list[int],
    ) -> list[Any]:  # fmt: skip
        """The gradients by y0 and by some of the parameters, in one call.

        The map is linear, so that it is computed for gradients of a size that tolerances suit.
        """
        like = [y0, *(leaves[place] for place in varied)]
        size = scale_of([g])

        def forward(g: Any, start: Any, end: Any, times: Any, y0: Any, *leaves: Any) -> Any:
            return self.backwards(g, start, end, times, y0, leaves, varied)

        def rule(
            h: Any, out: Any, places: list[int], g: Any, start: Any, end: Any, times: Any,
            y0: Any, *leaves: Any,
        ) -> list[Any]:  # fmt: skip
            """Of <h, gradients> = <g, change of the solution along h>."""

            def product(g: Any, *inputs: Any) -> Any:
                return np.sum(g * self.change(h, inputs, varied))

            inputs = (g, start, end, times, y0, *leaves)
            return pulled_back(product, inputs, places, 1.0)

        arguments = [g / size, start, end, times, y0, *leaves]
        name = f"adjoint of {self.solver.call.name}"
        return unpacked(size * in_one_call(name, forward, rule, arguments), like)

    def backwards(
        self, g: Any, start: Any, end: Any, times: Any, y0: Any, leaves: Sequence[Any],
        varied: list[int],
    ) -> Any:  # fmt: skip
        """The adjoints of y and of some parameters at the start, from plain numbers."""
        count, rows = np.size(y0), np.size(times)
        places = [0, *(place + 1 for place in varied)]
        adjoints = packed([np.zeros(count), *(np.zeros(np.shape(leaves[k])) for k in varied)])
        if rows == 0:
            return adjoints
        last = float(times[-1])
        trajectory: Any = None
        if last != start:
            f = self.of_state(leaves)
            trajectory = self.solver.solve(f, start, last, y0, dense_output=True).sol

        def adjoint_of(t: Any, adjoints: Any) -> Any:
            y = trajectory(t)
            found = pulled_back(partial(self.f, t), [y, *leaves], places, adjoints[:count])
            return -packed(found)

        solver = self.solver.adjoint(count, np.size(adjoints) - count)
        before = [start, *times[:-1]]
        for row in reversed(range(rows)):
            adjoints[:count] += g[row]
            if before[row] != times[row] and np.any(adjoints[:count]):
                adjoints = solver.solve(adjoint_of, times[row], before[row], adjoints).y[:, -1]
        return adjoints

    def change(self, h: Any, inputs: Sequence[Any], varied: list[int]) -> Any:
        """The change of the solution along h: that of y0 and of some of the parameters."""
        start, end, times, y0, *leaves = inputs
        count = int(np.size(y0))
        size = scale_of([h])
        of_y0, *of_leaves = unpacked(h / size, [y0, *(leaves[place] for place in varied)])

        def both(t: Any, state: Any, of_leaves: Any, *leaves: Any) -> Any:
            def of_varied(y: Any, *numbers: Any) -> Any:
                return self.f(t, y, *with_numbers(leaves, varied, numbers))

            y, of_y = state[:count], state[count:]
            numbers = tuple(leaves[place] for place in varied)
            directions = tuple(unpacked(of_leaves, numbers))
            return np.concatenate(jvp(of_varied, (y, *numbers), (of_y, *directions)))

        flow = Flow(both, self.solver.beside(count))
        directions = packed(of_leaves) if of_leaves else np.zeros(0)
        y0 = np.concatenate([y0, of_y0])
        rows = flow.at(start, end, times, y0, [directions, *leaves], flow.run)
        return size * rows[:, count:]


def scale_of(arrays: Sequence[Any]) -> Any:
    """Their largest number, or 1; a constant to divide by, and to multiply the result with."""
    largest = stop_gradient(np.max(np.stack([np.max(np.abs(x), initial=0.0) for x in arrays])))
    return np.where(largest > 0, largest, 1.0)
