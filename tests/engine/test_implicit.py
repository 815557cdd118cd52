"""Solutions of equations: `ag.implicit`."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

A, B = 2.0, 1.5


def residual(x: Any, a: Any, b: Any) -> Any:
    return ag.array([x[0] ** 2 + b * x[1] - a, x[1] ** 3 + x[1] - b * x[0]])


def newtons(a: Any, b: Any) -> Any:
    """Newton's method, whose steps can be differentiated too: with Values, it is the reference."""
    x: Any = np.ones(2)
    for _ in range(25):
        matrix = ag.array([[2 * x[0], b], [-b, 3 * x[1] ** 2 + 1]])
        x = x - np.linalg.solve(matrix, residual(x, a, b))
    return x


def implicit_solver(method: Any) -> Any:
    if method == "gmres":
        pytest.importorskip("scipy")
    return ag.implicit(residual, method=method)(newtons)


def cube(x: Any) -> Any:
    return np.sum(x**3)


TRANSFORMS: dict[str, Any] = {
    "grad": lambda f: ag.grad(lambda a, b: cube(f(a, b)), (0, 1))(A, B),
    "grad of grad": lambda f: ag.grad(ag.grad(lambda a, b: cube(f(a, b))), 1)(A, B),
    "third": lambda f: ag.grad(ag.grad(ag.grad(lambda a: cube(f(a, a)))))(A),
    "jacobian": lambda f: ag.jacobian(f, (0, 1))(A, B),
    "hessian": lambda f: ag.hessian(lambda p: cube(f(p[0], p[1])))(np.array([A, B])),
    "jvp": lambda f: ag.jvp(f, (A, B), (1.0, 2.0)),
    "vmap": lambda f: ag.vmap(f)(np.array([A, 3.0]), np.array([B, 1.0])),
    "vmap of grad": lambda f: ag.vmap(ag.grad(lambda a: cube(f(a, B))))(np.array([A, 3.0])),
    "grad of vmap": lambda f: ag.grad(lambda a: cube(ag.vmap(lambda a: f(a, B))(a)))(
        np.array([A, 3.0])
    ),
    "vmap of hessian": lambda f: ag.vmap(
        lambda a: ag.hessian(lambda p: cube(f(p[0], p[1])))(ag.array([a, B]))
    )(np.array([A, 3.0])),
}


@pytest.mark.parametrize("method", ["dense", "gmres"])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_of_a_solution_are_those_of_the_steps_to_it(name: str, method: Any) -> None:
    derivative = TRANSFORMS[name]
    found, expected = derivative(implicit_solver(method)), derivative(newtons)
    for x, y in zip(np.atleast_1d(found), np.atleast_1d(expected), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("method", ["dense", "gmres"])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_a_program_calls_the_solver_as_one_function(method: Any, order: int) -> None:
    solver = implicit_solver(method)

    def function(a: Any, b: Any) -> Any:
        return cube(solver(a, b))

    derivative: Any = function
    for _ in range(order):
        derivative = ag.grad(derivative)
    program = ag.compile(derivative)
    for a in (2.0, 2.1, 2.7, 3.0, 1.1):
        np.testing.assert_allclose(program(a, B), derivative(a, B), rtol=1e-12)
    assert "newtons(a, b)" in program.source


@dataclass
class Point:
    x: Any
    y: Any


def test_arguments_and_solution_may_be_containers() -> None:
    def equations(p: Point, data: dict[str, Any], *, shift: Any) -> Any:
        return {"x": p.x - data["m"] @ p.x - data["b"][0], "y": p.y**2 - shift - p.x[0]}

    @ag.implicit(equations)
    def solve(data: dict[str, Any], *, shift: Any) -> Point:
        x = np.linalg.solve(np.eye(2) - data["m"], data["b"][0])
        return Point(x, float(np.sqrt(shift + x[0])))

    def direct(data: dict[str, Any], shift: Any) -> Any:
        x = np.linalg.solve(np.eye(2) - data["m"], data["b"][0])
        return np.sum(x**2) * np.sqrt(shift + x[0])

    def by_solution(data: dict[str, Any], shift: Any) -> Any:
        point = solve(data, shift=shift)
        return np.sum(point.x**2) * point.y

    data = {"m": np.array([[0.1, 0.2], [0.3, 0.1]]), "b": [np.array([1.0, 2.0])], "kind": "linear"}
    whole = {key: x for key, x in data.items() if key != "kind"}
    found = ag.grad(by_solution, (0, 1))(whole, 2.0)
    expected = ag.grad(direct, (0, 1))(whole, 2.0)
    np.testing.assert_allclose(found[0]["m"], expected[0]["m"])
    np.testing.assert_allclose(found[0]["b"][0], expected[0]["b"][0])
    np.testing.assert_allclose(found[1], expected[1])
    constant = ag.grad(lambda shift: by_solution(data, shift))(2.0)  # with what is no number
    np.testing.assert_allclose(constant, expected[1])


def test_plain_numbers_go_to_the_solver_as_they_are() -> None:
    solve = ag.implicit(lambda x, a: x - 2 * a)(lambda a: ("anything", a))
    assert solve(1.0) == ("anything", 1.0)


def test_single_precision_is_kept() -> None:
    @ag.implicit(lambda x, a: x**3 - a)
    def root(a: Any) -> Any:
        return np.cbrt(a)

    a = np.array([1.0, 8.0], np.float32)
    assert root(ag.Value(a)).dtype == np.float32
    gradient = ag.grad(lambda a: np.sum(root(a)))(a)
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, [1 / 3, 1 / 12], rtol=1e-6)


def test_a_complex_parameter_of_a_real_solution() -> None:
    @ag.implicit(lambda x, z: x**3 - np.real(z * np.conj(z)))
    def root(z: Any) -> Any:
        return np.cbrt(abs(z) ** 2)

    expected = ag.grad(lambda z: np.cbrt(np.real(z * np.conj(z))))(1.0 + 2.0j)
    np.testing.assert_allclose(ag.grad(root)(1.0 + 2.0j), expected)


@ag.implicit(lambda x, a: x**3 - a)
def root(a: Any) -> Any:
    x: Any = np.ones_like(a)
    for _ in range(40):  # a solver that differentiates, whose numbers are nobody's
        x = x - (x**3 - a) / ag.grad(lambda x: np.sum(x**3 - a))(x)
    return x


INSIDE: dict[str, Any] = {
    "scan": lambda f: (
        lambda a: ag.scan(lambda c, t: (f(c + t * a), None), a, np.arange(1.0, 3.0))[0]
    ),
    "cond": lambda f: lambda a: ag.cond(a > 1, f, np.sin, a),
    "checkpoint": lambda f: ag.checkpoint(lambda a: f(a) * a),
    "itself": lambda f: lambda a: f(1 + f(a)),
    "where": lambda f: lambda a: np.where(a > 0, f(a), 0.0),
}


@pytest.mark.parametrize("name", INSIDE)
def test_inside_of_loops_branches_and_checkpoints(name: str) -> None:
    function, expected = INSIDE[name](root), INSIDE[name](np.cbrt)
    program = ag.compile(ag.grad(ag.grad(function)))
    for a in (1.5, 2.0, 2.5):
        second = ag.grad(ag.grad(expected))(a)
        np.testing.assert_allclose(ag.grad(ag.grad(function))(a), second, rtol=1e-12)
        np.testing.assert_allclose(program(a), second, rtol=1e-12)


def test_a_buffer_of_the_solver_and_its_argument_may_be_the_solution() -> None:
    buffer = np.zeros(2)

    @ag.implicit(lambda x, a: x**3 - a)
    def filled(a: Any) -> Any:
        buffer[:] = np.cbrt(a)
        return buffer

    a = np.array([1.0, 2.0])
    expected = ag.grad(lambda a: np.sum(np.cbrt(a) * np.cbrt(2 * a)))(a)
    np.testing.assert_allclose(ag.grad(lambda a: np.sum(filled(a) * filled(2 * a)))(a), expected)
    same = ag.implicit(lambda x, a: x - a)(lambda a: a)
    np.testing.assert_array_equal(ag.grad(lambda a: np.sum(same(a)))(a), [1.0, 1.0])


def test_a_residual_that_writes_changes_no_solution() -> None:
    def writing(x: Any, a: Any) -> Any:
        x -= a
        return x

    solve = ag.implicit(writing)(lambda a: a + 0.0)
    a = np.array([1.0, 2.0])
    np.testing.assert_array_equal(solve(ag.Value(a)).data, a)
    with pytest.raises(ag.InPlaceError):
        ag.grad(lambda a: np.sum(solve(a)))(a)


def test_many_unknowns_without_the_matrix() -> None:
    pytest.importorskip("scipy")
    matrix = np.random.default_rng(0).normal(size=(60, 60)) / 20

    def iterated(a: Any) -> Any:
        x = a
        for _ in range(200):
            x = np.tanh(matrix @ x + a)
        return x

    def equation(x: Any, a: Any) -> Any:
        return x - np.tanh(matrix @ x + a)

    dense = ag.implicit(equation)(iterated)
    free = ag.implicit(equation, method="gmres")(iterated)
    a = np.linspace(-1.0, 1.0, 60)
    found, expected = (ag.grad(lambda a, f=f: np.sum(f(a) ** 2))(a) for f in (free, dense))
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_gradcheck_passes() -> None:
    assert ag.gradcheck(ag.implicit(residual)(newtons), A, B)


def said(kind: Any, function: Any, *args: Any) -> str:
    with pytest.raises(kind) as caught, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        function(*args)
    return str(caught.value)


def test_what_is_no_solution_is_refused() -> None:
    wrong = ag.implicit(lambda x, a: x**2 - a)(lambda a: a)
    assert said(ag.ArgumentValueError, ag.grad(wrong), 4.0) == (
        "<lambda>: the residual is not zero at the solution: it is 12, and a change of x by 0.001 "
        "makes a difference of 0.0358; let the solver converge, or correct the residual"
    )
    nothing = ag.implicit(lambda x, a: x**2 - a)(lambda a: np.nan * a)
    assert "it is nan" in said(ag.ArgumentValueError, ag.grad(nothing), 4.0)
    # What a solver leaves of the residual is none.
    nearly = ag.implicit(lambda x, a: x**2 - a)(lambda a: np.sqrt(a) * (1 + 1e-5))
    np.testing.assert_allclose(ag.grad(nearly)(4.0), 0.25, rtol=1e-4)
    zero = ag.implicit(lambda x, a: x - a)(lambda a: a + 1e-9)
    assert ag.grad(zero)(0.0) == 1.0


def test_a_solution_without_neighbours_is_taken_as_it_is() -> None:
    def bordered(x: Any, a: Any) -> Any:
        if not np.all(np.isclose(x, a, rtol=1e-5)):
            raise ValueError("outside")
        return x - a

    near = ag.implicit(bordered)(lambda a: a * (1 + 1e-9))
    assert ag.grad(near)(2.0) == 1.0
    endless = ag.implicit(lambda x, a: x / 0.0 - a)(lambda a: a)
    assert "it is inf" in said(ag.ArgumentValueError, ag.grad(endless), np.float64(2.0))


@pytest.mark.parametrize("order", [1, 2])
def test_a_singular_jacobian_is_refused(order: int) -> None:
    @ag.implicit(lambda x, a: ag.array([x[0] + x[1] - a, 2 * (x[0] + x[1] - a)]))
    def underdetermined(a: Any) -> Any:
        return np.array([a, 0.0])

    def function(a: Any) -> Any:
        return np.sum(underdetermined(a) ** 3)

    derivative: Any = function
    for _ in range(order):
        derivative = ag.grad(derivative)
    message = (
        "implicit: the Jacobian of the residual with respect to the solution is singular "
        "(condition number inf), so that the solution is not a differentiable function of the "
        "arguments; add the equations that determine it"
    )
    assert said(ag.ArgumentValueError, derivative, 1.0) == message
    program = ag.compile(lambda a: derivative(a))
    assert said(ag.AutogradError, program, 1.0) == message


def test_a_singular_jacobian_is_refused_without_the_matrix_too() -> None:
    pytest.importorskip("scipy")

    @ag.implicit(lambda x, a: ag.array([x[0] + x[1] - a, 2 * (x[0] + x[1] - a)]), method="gmres")
    def underdetermined(a: Any) -> Any:
        return np.array([a, 0.0])

    gradient = ag.grad(lambda a: underdetermined(a)[0])
    assert 'pass method="dense"' in said(ag.ArgumentValueError, gradient, 1.0)


def test_a_residual_of_another_shape_is_refused() -> None:
    short = ag.implicit(lambda x, a: x[0] - a)(lambda a: np.array([a, a]))
    assert said(ag.ArgumentValueError, ag.jacobian(short), 1.0) == (
        "<lambda>: the residual returned shape (), but the solution has shape (2,); return as many "
        "equations as there are unknowns"
    )
    pair = ag.implicit(lambda x, a: x[0] - a)(lambda a: (a, np.array([a, a])))
    assert "shape of its parts (), (2,)" in said(ag.ArgumentValueError, ag.jacobian(pair), 1.0)


def test_values_from_outside_are_refused() -> None:
    def function(a: Any) -> Any:
        return ag.implicit(lambda x, b: x - a * b)(lambda b: 3.0 * b)(a)

    assert said(ag.UnsupportedError, ag.grad(function), 3.0) == (
        "<lambda>: the residual reads a Value from outside, and its gradient would be lost; pass "
        "it as an argument of <lambda>"
    )

    def solver(a: Any) -> Any:
        return ag.implicit(lambda x, b: x - b)(lambda b: a * b / a)(a)

    assert "the solver reads a Value" in said(ag.UnsupportedError, ag.grad(solver), 3.0)
    assert "outside of its trace" in said(ag.CompileError, ag.compile(solver), 3.0)


def test_other_arguments_are_refused_by_name() -> None:
    assert said(ag.ArgumentTypeError, ag.implicit, 3) == (
        "implicit: residual is int; write @ag.implicit(residual) with a function "
        "residual(x, *args) above the solver"
    )
    assert said(ag.ArgumentValueError, lambda: ag.implicit(abs, method="lu")) == (  # type: ignore[arg-type]
        "implicit: method is 'lu'; pass 'dense' or 'gmres'"
    )
    whole = ag.implicit(lambda x, a: x - a)(lambda a: int(a))
    assert "returned int; return a floating-point" in said(
        ag.ArgumentTypeError, ag.grad(whole), 1.0
    )
    turned = ag.implicit(lambda x, a: x - a)(lambda a: a + 0j)
    assert "the solution or the residual is complex" in said(
        ag.UnsupportedError, turned, ag.Value(1.0)
    )


def test_a_number_that_leaves_the_residual_is_refused_in_the_sweep() -> None:
    """No transform calls the residual any more then."""

    @ag.implicit(lambda x, a: x - math.sin(a))
    def solver(a: float) -> float:
        return math.sin(a)

    with pytest.raises(ag.UnsupportedError, match=r"^math.sin\(\) takes a number out of the"):
        ag.grad(solver)(1.0)
