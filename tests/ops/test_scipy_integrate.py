"""`ag.scipy.integrate`: integrals and differential equations, against closed forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd_lite as ag

scipys = pytest.importorskip("scipy.integrate")
ours = ag.scipy.integrate

AT = np.array([0.7, 1.3])
BEND = np.array([0.4, -0.9])
TIMES = np.array([0.0, 0.4, 0.8])
TIGHT = {"rtol": 1e-8, "atol": 1e-9}
NAMES = ("quad", "quad_vec", "solve_ivp", "odeint")


class Case(NamedTuple):
    """A function of an array, and the same in closed form."""

    name: str
    function: Callable[[Any], Any]
    closed: Callable[[Any], Any]
    tolerance: float = 1e-8
    derivatives: int = 2


def turning(t: Any, y: Any, k: Any) -> Any:
    """A rotation, with an angle that does not grow evenly."""
    return [-k * t * y[1], k * t * y[0]]


def turned(t: Any, k: Any, y: Any) -> Any:
    angle = k * t**2 / 2
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([y[0] * c - y[1] * s, y[0] * s + y[1] * c])


def solved(method: str, **options: Any) -> Callable[[Any], Any]:
    def function(a: Any) -> Any:
        found = ours.solve_ivp(
            turning, (0.0, 0.8), [1.0, a[1]], method, TIMES, args=(a[0],), **TIGHT | options
        )
        return found.y

    return function


def turned_at_times(a: Any) -> Any:
    return turned(TIMES, a[0], [1.0, a[1]])


def falls(t: Any, y: Any, g: Any) -> Any:
    return [y[1], -g]


def height(t: Any, y: Any, g: Any) -> Any:
    return y[0]


CASES = [
    Case(
        "quad by limits and args",
        lambda a: ours.quad(lambda x, k: np.exp(-k * x), 0.5 * a[0], a[1], args=(a[0],))[0],
        lambda a: (np.exp(-0.5 * a[0] ** 2) - np.exp(-a[0] * a[1])) / a[0],
    ),
    Case(
        "quad by limits alone",
        lambda a: ours.quad(lambda x: x**2, a[0], 2 * a[1])[0],
        lambda a: (8 * a[1] ** 3 - a[0] ** 3) / 3,
    ),
    Case(
        "quad to infinity, of nested args",
        lambda a: ours.quad(
            lambda x, k: k["b"][1] * np.exp(-k["b"][0] * x**2), -np.inf, np.inf, ({"b": a},)
        )[0],
        lambda a: a[1] * np.sqrt(np.pi / a[0]),
    ),
    Case(
        "quad_vec",
        lambda a: ours.quad_vec(lambda x, k: ag.array([np.sin(k[0] * x), k[1] * x]), 0.0, a[1],
                                args=(a,))[0],
        lambda a: ag.array([(1 - np.cos(a[0] * a[1])) / a[0], a[1] ** 3 / 2]),
    ),
    *[
        Case(f"solve_ivp by {method}", solved(method), turned_at_times, tolerance, derivatives)
        for method, tolerance, derivatives in (
            ("RK45", 3e-6, 1), ("DOP853", 1e-6, 2), ("LSODA", 1e-4, 1)
        )
    ],
    Case("solve_ivp by its steps", solved("RK45", gradient="steps"), turned_at_times, 1e-6),
    Case(
        "solve_ivp by times",
        lambda a: ours.solve_ivp(
            turning, (0.1 * a[0], 2.0), [1.0, 0.5], "DOP853", a, args=(1.0,), **TIGHT
        ).y,
        lambda a: turned(
            np.sqrt(a**2 - 0.01 * a[0] ** 2), 1.0, np.array([1.0, 0.5])
        ),
        1e-6,
    ),
    Case(
        "solve_ivp to an end",
        lambda a: ours.solve_ivp(
            turning, (0.0, a[1]), [1.0, 0.5], "DOP853", args=(a[0],), **TIGHT
        ).y[:, -1],
        lambda a: turned(a[1], a[0], [1.0, 0.5]),
        1e-6,
        1,
    ),
    Case(
        "solve_ivp until an event",
        lambda a: ours.solve_ivp(
            falls, (0.0, 9.0), [a[1], 1.0], args=(a[0],), events=height, **TIGHT
        ).t_events[0],
        lambda a: np.reshape((1 + np.sqrt(1 + 2 * a[0] * a[1])) / a[0], (1,)),
        1e-6,
    ),
    Case(
        "odeint",
        lambda a: ours.odeint(lambda y, t, k: turning(t, y, k), ag.array([1.0, a[1]]),
                              TIMES * a[1], args=(a[0],), rtol=1e-9, atol=1e-9).T,
        lambda a: turned(TIMES * a[1], a[0], [1.0, a[1]]),
        1e-5,
    ),
]  # fmt: skip

ALL = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


def total(function: Any) -> Any:
    """A number that depends on all that a function gives, by no straight line."""
    return lambda a: np.sum(np.sin(function(a)) + function(a) ** 2)


@ALL
def test_values_and_derivatives_are_those_of_the_closed_form(case: Case) -> None:
    close: Any = {"rtol": case.tolerance, "atol": case.tolerance}
    found, expected = total(case.function), total(case.closed)
    np.testing.assert_allclose(case.function(AT), case.closed(AT), **close)
    np.testing.assert_allclose(ag.grad(found)(AT), ag.grad(expected)(AT), **close)
    if case.derivatives < 2:
        return
    slope, curve = ag.hvp(found, AT, BEND), ag.hvp(expected, AT, BEND)
    np.testing.assert_allclose(slope, curve, **close)


def test_values_and_derivatives_of_the_error_are_scipys_and_zero() -> None:
    def error(module: Any, k: Any) -> Any:
        return module.quad_vec(lambda x, k: np.sin(k * x * AT), 0.0, 1.0, args=(k,))[1]

    found = error(ours, ag.Value(2.0))
    assert not isinstance(found, ag.Value)
    assert found == error(scipys, 2.0)
    assert ag.grad(lambda k: error(ours, k))(2.0) == 0.0


@pytest.mark.parametrize("case", [case for case in CASES if case.name not in (
    "solve_ivp to an end", "solve_ivp until an event", "solve_ivp by LSODA",
    "quad to infinity, of nested args", "solve_ivp by RK45")],
    ids=lambda case: case.name)  # fmt: skip
def test_compiled_and_for_samples(case: Case) -> None:
    gradient = ag.grad(total(case.function))
    points = AT * np.array([[1.0], [1.05]])
    expected = [gradient(point) for point in points]
    np.testing.assert_allclose(ag.vmap(gradient)(points), expected, rtol=1e-9, atol=1e-12)
    program = ag.compile(gradient)
    for point, one in zip(points, expected, strict=True):
        np.testing.assert_allclose(program(point), one, rtol=1e-9, atol=1e-12)
    name = case.name.split()[0]
    assert f"= {name}(" in program.source


def test_every_function_of_functions_has_a_case() -> None:
    assert {case.name.split()[0] for case in CASES} == set(NAMES)


def test_plain_calls_are_scipys() -> None:
    assert ours.quad(np.cos, 0.0, 1.0, weight="cos", wvar=2.0) == scipys.quad(
        np.cos, 0.0, 1.0, weight="cos", wvar=2.0
    )
    assert len(ours.quad(np.cos, 0.0, 1.0, full_output=1)) == 3
    found = ours.solve_ivp(falls, (0.0, 1.0), [1.0, 1.0], args=(2.0,), dense_output=True,
                           events=height)  # fmt: skip
    assert found.sol(0.5).shape == (2,)
    assert isinstance(ours.odeint(lambda y, t: -y, 1.0, TIMES, full_output=True)[1], dict)


def test_values_are_scipys_to_the_last_bit() -> None:
    def both(function: Any) -> Any:
        return function(ours, ag.Value(0.7)), function(scipys, 0.7)

    for function in (
        lambda s, a: s.quad(lambda x, k: np.exp(-k * x), 0.0, a, args=(a,))[0],
        lambda s, a: s.quad_vec(lambda x: np.sin(x * AT), 0.0, a)[0],
        lambda s, a: s.solve_ivp(turning, (0.0, 2.0), [1.0, 0.0], args=(a,)).y,
        lambda s, a: s.solve_ivp(turning, (0.0, 2.0), [1.0, 0.0], t_eval=TIMES, args=(a,)).y,
        lambda s, a: s.solve_ivp(falls, (0.0, 9.0), [1, 1], args=(a,), events=height).y_events[0],
        lambda s, a: s.odeint(turning, [1.0, 0.0], TIMES, args=(a,), tfirst=True),
    ):
        mine, theirs = both(function)
        np.testing.assert_array_equal(mine.data, theirs)


def test_a_terminal_event_ends_the_solution_where_it_happens() -> None:
    def stop(t: Any, y: Any, g: Any) -> Any:
        return y[0]

    stop.terminal = True  # type: ignore[attr-defined]

    def end(g: Any) -> Any:
        found = ours.solve_ivp(falls, (0.0, 9.0), [1.0, 0.0], args=(g,), events=stop, **TIGHT)
        assert found.status == 1
        return found.t[-1], found.y[1, -1]

    g = 2.0
    time, speed = ag.jacobian(end)(g)
    assert time == pytest.approx(-np.sqrt(2 / g) / (2 * g), rel=1e-6)
    assert speed == pytest.approx(-1 / np.sqrt(2 * g), rel=1e-6)


def test_what_forgets_its_past_has_its_gradient() -> None:
    """Backwards in time the solution itself would grow by exp(3000)."""

    def last(k: Any) -> Any:
        def f(t: Any, y: Any, k: Any) -> Any:
            return -1000 * (y - k * np.cos(t))

        return ours.solve_ivp(
            f, (0.0, 3.0), [0.5], "Radau", [3.0], args=(k,), rtol=1e-7, atol=1e-9
        ).y[0, 0]

    w = 1000.0
    exact = (w**2 * np.cos(3.0) + w * np.sin(3.0)) / (1 + w**2)
    assert ag.grad(last)(1.0) == pytest.approx(exact, rel=1e-5)


def test_a_number_is_refused_to_leave_a_function_that_is_integrated() -> None:
    import math

    with pytest.raises(ag.UnsupportedError, match=r"^math.sin\(\) takes a number out of"):
        ag.grad(lambda k: ours.quad(lambda x, k: x * math.sin(k), 0.0, 1.0, args=(k,))[0])(1.0)


REFUSED = [
    (
        lambda a: ours.quad(lambda x: a * x, 0.0, 1.0)[0],
        "quad: the function reads a Value from outside, and its gradient would be lost; pass it "
        "by args=, ag.scipy.integrate.quad(f, …, args=(value,))",
    ),
    (
        lambda a: ours.quad(lambda x, a: a, 0.0, 1.0, args=a, weight="cos", wvar=1.0)[0],
        "quad: full_output, weight, wvar and complex_func are for plain numbers; leave them out, "
        "write a weight into the function, and integrate the real and the imaginary part",
    ),
    (
        lambda a: ours.quad(lambda x, a: 1j * a, 0.0, 1.0, args=a)[0],
        "quad: the function is complex; integrate its real and its imaginary part",
    ),
    (
        lambda a: ours.quad(lambda x, a: a * AT, 0.0, 1.0, args=a)[0],
        "quad: the function returned shape (2,); return one number, or call "
        "ag.scipy.integrate.quad_vec",
    ),
    (
        lambda a: ours.quad(lambda x: x, 0.0, 1.0, epsabs=a)[0],
        "quad: epsabs is a Value, by which there is no derivative; pass epsabs.data",
    ),
    (
        lambda a: ours.solve_ivp(falls, (0.0, 1.0), [1.0, 0.0], args=a, dense_output=True).y,
        "solve_ivp: dense_output is for plain numbers; leave it out, and pass the times by t_eval=",
    ),
    (
        lambda a: ours.solve_ivp(falls, (0.0, 1.0), [1.0, 0.0], args=a, gradient="best").y,
        "solve_ivp: gradient is 'best'; pass one of 'adjoint', 'steps'",
    ),
    (
        lambda a: (
            ours.solve_ivp(falls, (0.0, 1.0), [1.0, 0.0], "Radau", args=a, gradient="steps").y
        ),
        "solve_ivp: the steps of method='Radau' have no derivative rule here; pass method='RK45' "
        "or 'RK23', or gradient='adjoint'",
    ),
    (
        lambda a: ours.solve_ivp(falls, (a, 3.0), [1.0, 0.0], args=(a,), gradient="steps").y,
        "solve_ivp: by where the solution starts there is no derivative with gradient='steps', "
        "whose sizes are constants; pass gradient='adjoint'",
    ),
    (
        lambda a: ours.solve_ivp(lambda t, y, a: a * y, (0.0, 1.0), [1j], args=a).y.real,
        "solve_ivp: y0 is complex; solve for the real and the imaginary part, [y.real, y.imag]",
    ),
    (
        lambda a: ours.solve_ivp(lambda t, y, a: a * y**2, (0.0, 9.0), [1.0], args=a).y,
        "solve_ivp: there is no solution to differentiate",
    ),
    (
        lambda a: ours.odeint(lambda y, t, a: a * y, 1.0, TIMES, args=a, full_output=1)[0],
        "odeint: full_output is for plain numbers; leave it out",
    ),
    (
        lambda a: ours.simpson([a, 2.0, 3.0], x=[0.0, 0.0, 1.0]),
        "simpson: parabolas through samples of which two were taken at one place have no "
        "derivative; pass each place once, or call trapezoid",
    ),
    (
        lambda a: ours.cumulative_trapezoid(np.ones(3), dx=a * np.ones((2, 1)))[0],
        "cumulative_trapezoid: dx of shape (2, 1) makes more of samples of shape (3,) than their "
        "integrals, for which there is no derivative rule here; pass a number, or dx that "
        "broadcasts to (2,)",
    ),
    (
        lambda a: ours.simpson(np.ones((2, 5)), dx=a * np.ones((1, 1, 5)), axis=0)[0],
        "simpson: dx of shape (1, 1, 5) makes more of samples of shape (2, 5) than their "
        "integrals, for which there is no derivative rule here; pass a number, or dx that "
        "broadcasts to (5,)",
    ),
]


@pytest.mark.parametrize("transform", [ag.compile, lambda f: lambda a: ag.vmap(f)(AT)])
def test_without_times_solutions_are_of_plain_numbers_and_values_alone(transform: Any) -> None:
    def function(a: Any) -> Any:
        return np.sum(ours.solve_ivp(falls, (0.0, 1.0), [1.0, 0.0], args=a).y)

    with pytest.raises(ag.UnsupportedError) as caught:
        transform(function)(2.0)
    assert (
        "solve_ivp: how many times there are is not known under compile and vmap; pass t_eval=, "
        "and no events="
    ) in str(caught.value)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("function", "message"), REFUSED, ids=[m[:40] for _, m in REFUSED])
def test_refused_by_name(function: Any, message: str) -> None:
    with pytest.raises(ag.AutogradError) as caught:
        ag.grad(lambda a: np.sum(function(a)) * a)(2.0)
    assert message in str(caught.value)


THEIRS = {
    "quad": lambda a: scipys.quad(lambda x, a: a * x, 0.0, 1.0, (a,))[0],
    "quad_vec": lambda a: scipys.quad_vec(lambda x: a * x, 0.0, 1.0)[0],
    "solve_ivp": lambda a: scipys.solve_ivp(lambda t, y: -a * y, (0.0, 1.0), [1.0]).y,
    "odeint": lambda a: scipys.odeint(lambda y, t: -a * y, 1.0, TIMES),
    "simpson": lambda a: scipys.simpson(a * TIMES),
    "trapezoid": lambda a: scipys.trapezoid(a * TIMES),
    "cumulative_simpson": lambda a: scipys.cumulative_simpson(a * TIMES),
    "cumulative_trapezoid": lambda a: scipys.cumulative_trapezoid(a * TIMES),
}


@pytest.mark.parametrize("name", ours.__all__)
def test_scipys_own_name_these(name: str) -> None:
    with pytest.raises(ag.AutogradError) as caught:
        ag.grad(lambda a: np.sum(THEIRS[name](a)))(4.0)
    by_args = " by args=" if name in NAMES else ""
    assert f"write ag.scipy.integrate.{name}, which knows its derivative{by_args}, or" in str(
        caught.value
    )
