"""`ag.scipy.optimize`: SciPy's solvers, differentiated by the equation of their result."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd_lite as ag

scipys = pytest.importorskip("scipy.optimize")
ours = ag.scipy.optimize

T = np.array([0.0, 1.0, 2.0, 3.5])
MATRIX = np.stack([np.ones(4), T], axis=1)
LIMITS = np.array([[1.0, 2.0], [3.0, 1.0]])


class Case(NamedTuple):
    """A solution as a function of an array, and the same in closed form."""

    name: str
    solution: Callable[[Any], Any]
    closed: Callable[[Any], Any]
    at: Any
    tolerance: float = 1e-7


def square(x: Any, a: Any) -> Any:
    return x**2 - a


def valley(x: Any, a: Any) -> Any:
    return np.sum(np.exp(x) - a * x)


def bowl(x: Any, a: Any) -> Any:
    return np.sum((x - a) ** 2)


def line(t: Any, p: Any, q: Any) -> Any:
    return p + q * t


def normal_equations(y: Any, weights: Any = 1.0) -> Any:
    m = MATRIX * np.reshape(weights, (-1, 1)) if np.ndim(weights) else MATRIX
    return np.linalg.solve(m.T @ m, m.T @ (y * weights))


def steepness(t: Any) -> Any:
    return np.sum((t - np.mean(t)) * DATA) / np.sum((t - np.mean(t)) ** 2)


def covariance(y: Any) -> Any:
    off = MATRIX @ normal_equations(y) - y
    return np.linalg.inv(MATRIX.T @ MATRIX) * np.sum(off**2) / 2


def between(name: str, a: Any) -> Any:
    return getattr(ours, name)(square, 0.0, 9.0, (a[0],), xtol=1e-14, rtol=1e-14)


PAIR = np.array([2.0, 3.0])
DATA = np.array([1.0, 2.5, 2.0, 5.0])
CASES = [
    Case(
        "root",
        lambda a: ours.root(
            lambda x, a: ag.array([x[0] ** 2 - a[0], x[1] - x[0] * a[1]]), PAIR, (a,), tol=1e-13
        ).x,
        lambda a: ag.array([np.sqrt(a[0]), a[1] * np.sqrt(a[0])]),
        PAIR,
    ),
    Case(
        "root with its Jacobian",
        lambda a: ours.root(
            lambda x, a: (x**2 - a, np.diag(2 * x)), PAIR, (a,), jac=True, tol=1e-13
        ).x,
        np.sqrt,
        PAIR,
    ),
    Case(
        "fsolve", lambda a: ours.fsolve(square, PAIR, (a,), xtol=1e-13), np.sqrt, PAIR
    ),
    Case(
        "root_scalar",
        lambda a: ours.root_scalar(square, (a[0],), bracket=(0.0, 9.0), xtol=1e-14).root,
        lambda a: np.sqrt(a[0]),
        PAIR,
    ),
    Case(
        "root_scalar with its slope",
        lambda a: ours.root_scalar(
            lambda x, a: (x**2 - a, 2 * x), (a[0],), x0=1.0, fprime=True, xtol=1e-14
        ).root,
        lambda a: np.sqrt(a[0]),
        PAIR,
    ),
    *(
        Case(
            name,
            partial(between, name),
            lambda a: np.sqrt(a[0]),
            PAIR,
        )
        for name in ("bisect", "brenth", "brentq", "ridder", "toms748")
    ),
    Case(
        "newton",
        lambda a: ours.newton(square, 1.5, None, (a[0],), tol=1e-13),
        lambda a: np.sqrt(a[0]),
        PAIR,
    ),
    Case(
        "newton of an array",
        lambda a: ours.newton(square, PAIR, lambda x, a: 2 * x, (a,), tol=1e-13),
        np.sqrt,
        PAIR,
    ),
    Case(
        "fixed_point",
        lambda a: ours.fixed_point(lambda x, a: x / 2 + a / (2 * x), PAIR, (a,), xtol=1e-13),
        np.sqrt,
        PAIR,
    ),
    Case(
        "minimize",
        lambda a: ours.minimize(valley, np.zeros(2), (a,), tol=1e-9).x,
        np.log,
        PAIR,
        1e-5,
    ),
    Case(
        "the lowest value",
        lambda a: ours.minimize(valley, np.zeros(2), (a,), tol=1e-9).fun,
        lambda a: np.sum(a - a * np.log(a)),
        PAIR,
        1e-5,
    ),
    Case(
        "minimize with its gradient",
        lambda a: ours.minimize(
            lambda x, a: (valley(x, a), np.exp(x) - a), np.zeros(2), (a,), jac=True, tol=1e-11
        ).x,
        np.log,
        PAIR,
    ),
    Case(
        "minimize between bounds",
        lambda a: ours.minimize(bowl, np.ones(2), (a,), bounds=[(0.0, 2.5), (None, 2.5)]).x,
        lambda a: np.minimum(a, 2.5),
        PAIR,
        1e-6,
    ),
    Case(
        "minimize_scalar",
        lambda a: ours.minimize_scalar(valley, args=(a[0],), tol=1e-12).x,
        lambda a: np.log(a[0]),
        PAIR,
        1e-6,
    ),
    Case(
        "minimize_scalar between bounds",
        lambda a: ours.minimize_scalar(bowl, bounds=(0.0, a[1]), args=(5 * a[0],)).x,
        lambda a: a[1],
        PAIR,
        1e-4,
    ),
    Case(
        "least_squares",
        lambda y: ours.least_squares(lambda p, y: MATRIX @ p - y, [0.0, 0.0], args=(y,)).x,
        normal_equations,
        DATA,
    ),
    Case(
        "the cost",
        lambda y: ours.least_squares(
            lambda p, *, y: MATRIX @ p - y, [0.0, 0.0], kwargs={"y": y}
        ).cost,
        lambda y: np.sum((MATRIX @ normal_equations(y) - y) ** 2) / 2,
        DATA,
    ),
    Case("curve_fit", lambda y: ours.curve_fit(line, T, y)[0], normal_equations, DATA),
    Case(
        "curve_fit by where the data are",
        lambda t: ours.curve_fit(line, t, DATA)[0],
        lambda t: ag.array([np.mean(DATA) - steepness(t) * np.mean(t), steepness(t)]),
        T,
    ),
    Case("its covariance", lambda y: ours.curve_fit(line, T, y)[1], covariance, DATA),
    Case(
        "curve_fit by deviations",
        lambda s: ours.curve_fit(line, T, DATA, [1.0, 1.0], s, True)[0],
        lambda s: normal_equations(DATA, 1 / s),
        np.array([1.0, 0.5, 2.0, 1.5]),
    ),
    Case(
        "linprog",
        lambda b: ours.linprog([-1.0, -1.0], LIMITS, b).x,
        lambda b: np.linalg.solve(LIMITS, b),
        np.array([4.0, 6.0]),
    ),
    Case(
        "linprog with an equation and bounds",
        lambda b: ours.linprog([1.0, 2.0, 0.0], None, None, [[1.0, 1.0, 1.0]], b[:1],
                               bounds=[(0, None), (0, 3), (None, 1.0)]).fun,
        lambda b: b[0] - 1.0,
        np.array([4.0, 6.0]),
    ),
]  # fmt: skip

ALL = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


def total(function: Any) -> Any:
    """A number that depends on all that a function gives, by no straight line."""
    return lambda a: np.sum(np.sin(function(a)) + function(a) ** 2)


@ALL
def test_values_and_derivatives_are_those_of_the_closed_form(case: Case) -> None:
    close: Any = {"rtol": case.tolerance, "atol": case.tolerance}
    found, expected = total(case.solution), total(case.closed)
    np.testing.assert_allclose(case.solution(case.at), case.closed(case.at), **close)
    np.testing.assert_allclose(ag.grad(found)(case.at), ag.grad(expected)(case.at), **close)
    np.testing.assert_allclose(ag.hessian(found)(case.at), ag.hessian(expected)(case.at), **close)


@ALL
def test_compiled_and_for_samples(case: Case) -> None:
    gradient = ag.grad(total(case.solution))
    points = case.at * np.array([[1.0], [1.01], [1.02]])
    expected = [gradient(point) for point in points]
    np.testing.assert_allclose(ag.vmap(gradient)(points), expected, rtol=1e-9, atol=1e-12)
    program = ag.compile(gradient)
    for point, one in zip(points, expected, strict=True):
        np.testing.assert_allclose(program(point), one, rtol=1e-9, atol=1e-12)


def test_every_function_has_a_case() -> None:
    names = {case.name.split()[0] for case in CASES}
    assert names >= set(ours.__all__)


def test_plain_calls_are_scipys() -> None:
    found = ours.minimize(valley, np.zeros(2), (PAIR,))
    assert "hess_inv" in found and type(found) is scipys.OptimizeResult
    assert ours.brentq(square, 0.0, 9.0, (2.0,), full_output=True)[1].converged
    assert ours.newton(square, 1.0, args=(2.0,), full_output=True)[1].converged
    assert ours.root_scalar(square, (2.0,), bracket=(0, 9)).converged
    assert ours.linprog([1.0, 1.0]).success
    options = {"constraints": {"type": "eq", "fun": lambda x: x[0] - 1}}
    assert ours.minimize(valley, np.zeros(2), (PAIR,), **options).success
    fit = ours.curve_fit(line, T, DATA, full_output=True)
    assert len(fit) == 5


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (
            lambda a: ours.root(
                lambda x, a: [x[0] ** 2 - a, x[1] - x[0]], [1.0, 1.0], a, tol=1e-13
            ).x[1],
            0.25,
        ),
        (
            lambda a: ours.least_squares(
                lambda p, a: [p[0] - a, p[1] - 2 * a, 0.0 * a], [0.0, 0.0], args=(a,)
            ).x[1],
            2.0,
        ),
        (lambda a: ours.curve_fit(line, [0.0, 1.0, 2.0], [a, 2.0, 3.0])[0][1], -0.5),
    ],
)
def test_lists_are_taken_where_scipy_takes_them(function: Any, expected: float) -> None:
    np.testing.assert_allclose(ag.grad(function)(4.0), expected, rtol=1e-7)


def test_the_lowest_value_is_a_single_number_as_scipys_is() -> None:
    lowest = ours.minimize(lambda x, a: np.reshape(bowl(x, a) + a, (1,)), [0.0], ag.Value(3.0))
    assert lowest.fun.shape == () and abs(lowest.fun - 3.0) < 1e-6


def test_results_of_values_tell_how_the_solver_went() -> None:
    def function(a: Any) -> Any:
        found = ours.minimize(valley, np.zeros(2), a)
        assert found.success and found.nit > 0 and "hess_inv" not in found
        return found.hess_inv

    with pytest.raises(ag.MissingAttributeError) as caught:
        ag.jacobian(function)(2.0)
    assert str(caught.value) == (
        "a result of scipy.optimize has no 'hess_inv' where it is differentiated; call SciPy's "
        "function with plain numbers for it, or compute it from 'x'"
    )
    with pytest.raises(ag.MissingAttributeError, match="has no 'nit'"):
        ag.compile(lambda a: ours.minimize(valley, np.zeros(2), a).nit)(2.0)


THEIRS = {
    "bisect": lambda a: scipys.bisect(lambda x: x**2 - a, 0.0, 9.0),
    "brenth": lambda a: scipys.brenth(lambda x: x**2 - a, 0.0, 9.0),
    "brentq": lambda a: scipys.brentq(lambda x: x**2 - a, 0.0, 9.0),
    "curve_fit": lambda a: scipys.curve_fit(line, T, a * DATA)[0],
    "fixed_point": lambda a: scipys.fixed_point(lambda x: (x + a / x) / 2, 1.0),
    "fsolve": lambda a: scipys.fsolve(lambda x: x**2 - a, 1.0),
    "least_squares": lambda a: scipys.least_squares(lambda x: x - a, 1.0).x,
    "linprog": lambda a: scipys.linprog([1.0], [[-1.0]], [-a]).x,
    "minimize": lambda a: scipys.minimize(bowl, [1.0], (a,)).x,
    "minimize_scalar": lambda a: scipys.minimize_scalar(bowl, args=(a,)).x,
    "ridder": lambda a: scipys.ridder(lambda x: x**2 - a, 0.0, 9.0),
    "root": lambda a: scipys.root(lambda x: x**2 - a, 1.0).x,
    "root_scalar": lambda a: scipys.root_scalar(lambda x: x**2 - a, bracket=(0.0, 9.0)).root,
    "toms748": lambda a: scipys.toms748(lambda x: x**2 - a, 0.0, 9.0),
}
"""SciPy's own; the steps of its ``newton`` are operators, which are differentiated."""


def test_scipys_own_are_all_there() -> None:
    assert {*THEIRS, "newton"} == set(ours.__all__)


@pytest.mark.parametrize("name", THEIRS)
def test_scipys_own_name_these(name: str) -> None:
    try:
        found = ag.grad(lambda a: np.sum(THEIRS[name](a)))(4.0)
    except ag.AutogradError as error:
        caught = str(error)
    else:  # newer SciPy computes it by the array API, on Values too
        assert (name, found) == ("fixed_point", pytest.approx(0.25))
        return
    assert f"write ag.scipy.optimize.{name}, which knows its derivative by args=" in caught


REFUSED = [
    (
        lambda a: ours.brentq(lambda x: x**2 - a, 0.0, 9.0),
        "brentq: the function reads a Value from outside, and its gradient would be lost; pass it "
        "by args=, ag.scipy.optimize.brentq(f, …, args=(value,))",
    ),
    (lambda a: ours.root(lambda x: x**2 - a, [1.0]).x, "root: the function reads a Value"),
    (
        lambda a: ours.minimize(lambda x: bowl(x, a), [1.0]).x,
        "minimize: the function reads a Value",
    ),
    (lambda a: ours.least_squares(lambda x: x - a, [1.0]).x, "least_squares: the function reads"),
    (
        lambda a: ours.brentq(square, 0.0, 9.0, (a,), xtol=a),
        "brentq: xtol is a Value, by which there is no derivative; pass xtol.data",
    ),
    (
        lambda a: ours.brentq(square, 0.0, 9.0, (a,), full_output=True)[0],
        "brentq: full_output=True is for plain numbers; leave it out, or call "
        "ag.scipy.optimize.root_scalar or root",
    ),
    (
        lambda a: (
            ours.minimize(bowl, [1.0], a, constraints={"type": "eq", "fun": lambda x: x[0] - 1}).x
        ),
        "minimize: with constraints there is no derivative here",
    ),
    (
        lambda a: ours.least_squares(lambda x, a: x - a, [1.0], args=a, loss="cauchy").x,
        "least_squares: loss='cauchy' has no derivative rule here; pass loss='linear'",
    ),
    (
        lambda a: ours.curve_fit(line, T, DATA * a, sigma=np.eye(4))[0],
        "curve_fit: a matrix of covariances as sigma has no derivative rule here",
    ),
    (lambda a: ours.curve_fit(line, T, DATA * a, full_output=True)[0], "curve_fit: full_output"),
    (
        lambda a: ours.linprog([-1.0], b_ub=[a * 1.0], A_ub=[[-1.0]]).x,
        "linprog: there is no solution",
    ),
    (
        lambda a: ours.linprog([1.0, 1.0], [[-1.0, -1.0]], [-a]).x,
        "the Jacobian of the residual with",
    ),
    (
        lambda a: ours.root(lambda x, a: x**2 + a, [1.0], a).x,
        "root: the residual is not zero at the solution",
    ),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("function", "message"), REFUSED, ids=[m[:40] for _, m in REFUSED])
def test_refused_by_name(function: Any, message: str) -> None:
    with pytest.raises(ag.AutogradError) as caught:
        ag.grad(lambda a: np.sum(function(a)) * a)(2.0)
    assert message in str(caught.value)
