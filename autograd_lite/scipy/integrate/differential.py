"""solve_ivp and odeint: by initial values, times and parameters, and by when events happen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scipy import integrate

from autograd_lite.core.errors import ArgumentValueError, UnsupportedError
from autograd_lite.core.node import holds_value
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.tree import flatten, unflatten
from autograd_lite.scipy.calls import Call, Result, as_arguments, is_counted_elsewhere
from autograd_lite.scipy.integrate.flows import Flow, Solver
from autograd_lite.scipy.integrate.steps import METHODS, FlowOfSteps
from autograd_lite.scipy.names import as_array_operand
from autograd_lite.transforms.implicit import implicit

__all__ = ["odeint", "solve_ivp"]

Function = Callable[..., Any]


GRADIENTS = {"adjoint": Flow, "steps": FlowOfSteps}


class OdeResult(Result):
    """A solution that is a Value."""

    module = "integrate"


def initial(y0: Any, name: str) -> Any:
    """What a solution begins with, in the dtype in which SciPy computes."""
    y0 = np.atleast_1d(as_array_operand(y0))
    if y0.dtype.kind == "c":
        raise UnsupportedError(
            f"{name}: y0 is complex; solve for the real and the imaginary part, [y.real, y.imag]"
        )
    return y0 if y0.dtype == np.float64 else np.astype(y0, np.float64)


def vector_field(fun: Function, args: tuple[Any, ...]) -> Function:
    """y' as one vector of floating-point numbers, with the numbers in ``args`` one by one."""

    def f(t: Any, y: Any, *leaves: Any) -> Any:
        slope = as_array_operand(fun(t, y, *unflatten(args, leaves)))
        slope = slope if np.shape(slope) == np.shape(y) else np.reshape(slope, np.shape(y))
        return slope if slope.dtype.kind == "f" else np.astype(slope, np.float64)

    return f


def solve_ivp(
    fun: Function, t_span: Any, y0: Any, method: Any = "RK45", t_eval: Any = None,
    dense_output: bool = False, events: Any = None, vectorized: bool = False, args: Any = None,
    *, gradient: str = "adjoint", **options: Any,
) -> Any:  # fmt: skip
    """``scipy.integrate.solve_ivp``: ``y`` has derivatives by ``y0``, ``args`` and all times.

    Parameters
    ----------
    fun
        Called as ``fun(t, y, *args)``; NumPy code that returns y', a vector or a list.
    t_span, y0, method, t_eval, vectorized, args, **options
        SciPy's.  Without ``t_eval`` the times are those where SciPy's steps end: constants,
        but for the last one.
    events
        ``t_events`` and ``y_events`` have derivatives too, by the equation that holds then.
    dense_output
        For plain numbers alone.
    gradient
        "adjoint" integrates the adjoint equation backwards, by the same method and to the same
        tolerances; "steps" differentiates the steps that were taken, their sizes being constants,
        for RK23 and RK45.

    Returns
    -------
    OdeResult
        ``t`` of shape (n_times,), ``y`` of shape (n, n_times), and what SciPy tells of the way.

    Raises
    ------
    UnsupportedError
        If ``fun`` reads a Value that is not an argument, SciPy found no solution, ``y0`` is
        complex, or the number of times is not known under `compile` and `vmap`: pass ``t_eval``
        there, and no events.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import integrate
    >>> def left(k):  # of what decays
    ...     found = integrate.solve_ivp(lambda t, y, k: -k * y, (0.0, 2.0), [1.0], args=(k,),
    ...                                 rtol=1e-9, atol=1e-9)
    ...     return found.y[0, -1]
    >>> left(0.5).round(6), round(ag.grad(left)(0.5), 6)  # exp(-2k), and -2 exp(-2k)
    (np.float64(0.367879), -0.735759)
    """
    settings = {"method": method, "vectorized": vectorized, **options}
    call = Call("solve_ivp", {**settings, "events": events}, "integrate")
    args = () if args is None else as_arguments(args)
    events, (start, end) = listed(events), t_span
    if not holds_value(flatten([start, end, y0, t_eval, args])):
        return integrate.solve_ivp(
            call.plain(fun), t_span, y0, t_eval=t_eval, dense_output=dense_output,
            events=[plain_event(event, call, ()) for event in events] or None, args=args or None,
            **settings,
        )  # fmt: skip
    check_choices(gradient, method, dense_output)
    y0, leaves = initial(y0, "solve_ivp"), flatten(args)
    flow = GRADIENTS[gradient](vector_field(fun, args), Solver(call, settings))
    solution = Solution(call, flow, start, end, y0, leaves)
    if t_eval is None or events:
        if is_counted_elsewhere():
            raise UnsupportedError(
                "solve_ivp: how many times there are is not known under compile and vmap; pass "
                "t_eval=, and no events="
            )
        return with_events(solution, t_eval, events, args)
    times = as_array_operand(t_eval)
    rows = solution.at(times)
    return told_by(call.found, t=times, y=rows.T, t_events=None, y_events=None)


def check_choices(gradient: str, method: Any, dense_output: bool) -> None:
    """Refuse what solve_ivp does not do with Values."""
    if gradient not in GRADIENTS:
        raise ArgumentValueError(
            f"solve_ivp: gradient is {gradient!r}; pass one of {', '.join(map(repr, GRADIENTS))}"
        )
    if gradient == "steps" and method not in METHODS:
        raise UnsupportedError(
            f"solve_ivp: the steps of method={method!r} have no derivative rule here; pass "
            "method='RK45' or 'RK23', or gradient='adjoint'"
        )
    if dense_output:
        raise UnsupportedError(
            "solve_ivp: dense_output is for plain numbers; leave it out, and pass the times by "
            "t_eval="
        )


class Solution:
    """A solution as SciPy finds it, as a function of Values."""

    def __init__(
        self, call: Call, flow: Flow, start: Any, end: Any, y0: Any, leaves: Sequence[Any]
    ) -> None:
        self.call = call
        self.flow = flow
        self.start, self.end, self.y0, self.leaves = start, end, y0, leaves

    def at(self, times: Any, rows: Any = None, events: Sequence[Any] = (), args: Any = ()) -> Any:
        """The rows at the times, which SciPy finds; or those that it has found before."""

        def run(start: Any, end: Any, times: Any, y0: Any, *leaves: Any) -> Any:
            if rows is not None:
                return rows
            given = unflatten(args, leaves)
            asked = [plain_event(event, self.call, given) for event in events] or None
            f = self.flow.of_state(leaves)
            found = self.flow.solver.solve(f, start, end, y0, t_eval=times, events=asked)
            self.call.keep(found)
            return found.y.T

        return self.flow.at(self.start, self.end, times, self.y0, self.leaves, run)


def plain_event(event: Any, call: Call, args: tuple[Any, ...]) -> Any:
    """An event as SciPy asks for it, with what it knows of it."""
    asked = call.plain(lambda t, y, *more: event(t, y, *(more or args)))
    for name in ("terminal", "direction"):
        if hasattr(event, name):
            setattr(asked, name, getattr(event, name))
    return asked


def listed(events: Any) -> list[Any]:
    return [events] if callable(events) else list(events or ())


def told_by(found: Any, **values: Any) -> OdeResult:
    """A result of Values, with what SciPy tells of the way to it where that is known."""
    told = {} if is_counted_elsewhere() else {
        name: found[name] for name in ("nfev", "njev", "nlu", "status", "message", "success")
    }  # fmt: skip
    return OdeResult({**values, **told})


def with_events(solution: Solution, t_eval: Any, events: list[Any], args: Any) -> OdeResult:
    """A solution whose times are known when SciPy has found it: those of steps, and of events."""
    given = None if t_eval is None else as_array_operand(t_eval)
    solution.at(given, None, events, args)
    found = solution.call.found
    t_events: Any = []
    y_events: Any = []
    for event, moments, states in zip(
        events, found.t_events or (), found.y_events or (), strict=True
    ):
        states = np.reshape(states, (len(moments), np.size(solution.y0)))
        t_events.append(times_of(solution, event, args, moments))
        y_events.append(solution.at(t_events[-1], states))
    if given is None:
        times = found.t
        stops = [t[-1] for t in t_events if len(t) and t.data[-1] == times[-1]]
        stop: Any = stops[0] if found.status == 1 and stops else solution.end
        if holds_value([stop]):
            times = np.concatenate([times[:-1], np.reshape(stop, (1,))])
    else:
        times = given[: len(found.t)]
    rows = solution.at(times, found.y.T)
    if not events:
        t_events = y_events = None
    return told_by(found, t=times, y=rows.T, t_events=t_events, y_events=y_events)


def times_of(solution: Solution, event: Function, args: Any, times: Any) -> Any:
    """When an event happened: by the equation that it is zero then."""
    flow = Flow(solution.flow.f, solution.flow.solver)

    def residual(t: Any, start: Any, end: Any, y0: Any, leaves: Sequence[Any]) -> Any:
        states = flow.at(start, end, t, y0, leaves, flow.run)
        given = unflatten(args, leaves)
        values = [event(t[i], states[i], *given) for i in range(len(times))]
        return np.stack([np.reshape(value, ()) for value in values])

    @implicit(residual)
    def time_of_event(start: Any, end: Any, y0: Any, leaves: Sequence[Any]) -> Any:
        return times

    if len(times) == 0:
        return times
    return time_of_event(solution.start, solution.end, solution.y0, list(solution.leaves))


def odeint(
    func: Function, y0: Any, t: Any, args: Any = (), Dfun: Any = None, col_deriv: Any = 0,  # noqa: N803
    full_output: Any = 0, *, tfirst: bool = False, **options: Any,
) -> Any:  # fmt: skip
    """``scipy.integrate.odeint``: the solution has derivatives by ``y0``, ``t`` and ``args``.

    The adjoint equation is solved by LSODA too, to the same tolerances; ``full_output`` is for
    plain numbers.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import integrate
    >>> t = np.array([0.0, 1.0, 2.0])
    >>> grown = lambda r: integrate.odeint(lambda y, t, r: r * y * (1 - y), 0.1, t, args=(r,))
    >>> ag.jacobian(grown)(1.0)[:, 0].round(5)
    array([0.     , 0.17816, 0.49517])
    """
    settings = {"Dfun": Dfun, "col_deriv": col_deriv, **options}
    call = Call("odeint", settings, "integrate")
    args = as_arguments(args)
    if not holds_value(flatten([y0, t, args])):
        return integrate.odeint(
            call.plain(func), y0, t, args, full_output=full_output, tfirst=tfirst, **settings
        )
    if full_output:
        raise UnsupportedError("odeint: full_output is for plain numbers; leave it out")
    y0, t = initial(y0, "odeint"), as_array_operand(t)
    by_time = func if tfirst else lambda t, y, *args: func(y, t, *args)
    f = vector_field(by_time, args)
    tolerances = {name: options.get(name, LSODA_TOLERANCE) for name in ("rtol", "atol")}
    tolerances = {name: LSODA_TOLERANCE if x is None else x for name, x in tolerances.items()}
    flow = Flow(f, Solver(call, {"method": "LSODA", **tolerances}))

    def run(start: Any, end: Any, times: Any, y0: Any, *leaves: Any) -> Any:
        plain = call.plain(flow.of_state(leaves))
        return integrate.odeint(plain, y0, np.append(start, times), tfirst=True, **settings)[1:]

    rows = flow.at(t[0], t[-1], t[1:], y0, flatten(args), run)
    return np.concatenate([y0[None, :], rows])


LSODA_TOLERANCE = 1.49012e-8
"""odeint's own, for both tolerances."""
