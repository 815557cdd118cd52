"""Compiled Jacobians and Hessians whose rows are mostly zeros come from a few products.

Rows that share no column are computed together; the numbers are those of one row at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core import tree
from autograd_lite.core.tree import flatten

pytest.importorskip("scipy")

X = np.linspace(-1.3, 1.7, 40)

WEIGHTS = np.random.default_rng(0).normal(size=(40, 40))


def rosenbrock(x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def stencil(x: Any) -> Any:
    grid = np.reshape(x, (5, 8))
    return np.tanh(grid[1:-1, 1:-1] * (grid[2:, 1:-1] - grid[:-2, 1:-1]) + grid[1:-1, 2:])


def descended(x: Any) -> Any:
    """Three steps down by the Hessian's product, and the first numbers on the way."""

    def step(position: Any, _: Any) -> Any:
        return position - 1e-3 * ag.hessian(rosenbrock)(position) @ position, position[0]

    return ag.scan(step, x, None, 3)


def of_a_dict(p: Any) -> Any:
    return {"a": np.exp(p["a"]) * p["b"][0], "b": p["a"][1:] - p["a"][:-1]}


def jacobian(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    return ag.jacobian(function, **options)


def sum_of_sines(x: Any) -> Any:
    return np.sum(np.sin(ag.hessian(rosenbrock)(x)))


FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "hessian of a chain": (ag.hessian(rosenbrock), (X,)),
    "single precision": (ag.hessian(rosenbrock), (X.astype(np.float32),)),
    "elementwise": (jacobian(lambda x: np.sin(x) * x), (X,)),
    "a stencil on a grid": (jacobian(stencil), (X,)),
    "an argument with two axes": (jacobian(lambda x: np.diff(x**3)), (X.reshape(5, 8),)),
    "of two arguments": (jacobian(lambda x, y: x * y[::-1], argnum=(0, 1)), (X, X + 2)),
    "of a dict": (jacobian(of_a_dict), ({"a": X, "b": np.ones(2)},)),
    "with an aux": (jacobian(lambda x: (x**2, np.sum(x)), has_aux=True), (X,)),
    "with the value": (ag.value_and_jacobian(np.tanh), (X,)),
    "dense": (jacobian(lambda x: np.tanh(WEIGHTS @ x)), (X,)),
    "dense on the way": (jacobian(lambda x: x * (np.sum(x) - np.sum(x))), (X,)),
    "constant": (jacobian(lambda x: np.ones(40) + 0 * np.round(x)), (X,)),
    "elements that the numbers choose": (jacobian(lambda x: x[np.argsort(x * x)] ** 2), (X,)),
    "infinite slopes": (jacobian(lambda x: np.sqrt(np.abs(x)) * x[::-1]), (np.zeros(40),)),
    "complex": (jacobian(lambda x: x * np.exp(1j * x)), (X,)),
    "of a single number": (jacobian(lambda x, y: np.sin(x) * y, argnum=1), (X, np.array(0.5))),
    "a row": (jacobian(lambda x: np.sum(x**2, keepdims=True)), (X,)),
    "third derivatives": (ag.jacobian(ag.hessian(rosenbrock)), (X[:17],)),
    "differentiated": (ag.grad(sum_of_sines), (X,)),
    "pushed forward": (lambda x: ag.jvp(ag.hessian(rosenbrock), x, x)[1], (X,)),
    "of samples": (ag.vmap(ag.hessian(rosenbrock)), (np.stack([X, X + 1, -X]),)),
    "in a loop": (descended, (X,)),
}


def scaled(factor: float, x: Any) -> Any:
    return x * x.dtype.type(factor)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_numbers_are_those_of_one_row_at_a_time(name: str) -> None:
    function, arguments = FUNCTIONS[name]
    program = ag.compile(function)
    for factor in (1.0, 1.5, -0.5):
        given = tree.map(partial(scaled, factor), arguments)
        found, expected = flatten(program(*given)), flatten(function(*given))
        assert len(found) == len(expected)
        for number, right in zip(found, expected, strict=True):
            np.testing.assert_array_equal(number, right)
            assert number.dtype == right.dtype


@pytest.mark.parametrize(("width", "colors"), [(1, 3), (2, 5), (4, 9)])
def test_a_band_takes_as_many_products_as_it_is_wide(width: int, colors: int) -> None:
    def banded(x: Any) -> Any:
        return sum(np.sum(np.sin(x[k:] * x[: len(x) - k])) for k in range(1, width + 1))

    program = ag.compile(ag.hessian(banded))
    np.testing.assert_array_equal(program(X), ag.hessian(banded)(X))
    assert f"float64[{colors}, 40]" in program.source
    assert "float64[40, 39]" not in program.source


def test_a_dense_matrix_has_all_its_rows() -> None:
    def layer(x: Any) -> Any:
        return np.tanh(WEIGHTS @ x) * x

    program = ag.compile(ag.jacobian(layer))
    program(X)
    assert "float64[40, 40]" in program.source


DIFFERENCES = np.diag(-np.ones(40)) + np.diag(np.ones(39), 1)
LEVEL = np.arange(40.0)
LEVEL[4] = LEVEL[5]
"""The difference there is 0, where a root has an infinite slope."""


def of_columns(x: Any) -> Any:
    return np.cbrt(DIFFERENCES @ np.reshape(x, (40, 1)))[:, 0]


def of_a_table(x: Any) -> Any:
    return np.cbrt(DIFFERENCES @ np.stack([x, x], axis=1))[:, 1]


STEEP: dict[str, Callable[[Any], Any]] = {
    "matrix times vector": lambda x: np.cbrt(DIFFERENCES @ x),
    "vector times matrix": lambda x: np.cbrt(x @ DIFFERENCES.T),
    "dot": lambda x: np.cbrt(np.dot(DIFFERENCES, x)),
    "matrix times column": of_columns,
    "matrix times table": of_a_table,
}


@pytest.mark.parametrize("name", STEEP)
def test_an_infinite_slope_concerns_its_own_row_alone(name: str) -> None:
    """Zeros of the matrix times infinity made NaN of the rows of the same colour."""
    differences = DIFFERENCES @ LEVEL
    with np.errstate(divide="ignore"):
        slopes = np.cbrt(differences) ** -2.0 / 3.0
    expected = np.zeros((40, 40))
    here = DIFFERENCES != 0
    expected[here] = (slopes[:, None] * np.where(here, DIFFERENCES, 1.0))[here]
    program = ag.compile(ag.jacobian(STEEP[name]))
    with np.errstate(divide="ignore"):
        for _ in range(3):
            np.testing.assert_allclose(program(LEVEL), expected, rtol=1e-12)
        np.testing.assert_allclose(ag.jacobian(STEEP[name])(LEVEL), expected, rtol=1e-12)
        found = ag.jacobian(STEEP[name], sparse=True)(LEVEL).toarray()
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_derivatives_of_rows_behind_steep_functions_are_those_of_the_formula() -> None:
    def weighted(x: Any) -> Any:
        return np.sum(np.sin(LEVEL)[:, None] * ag.jacobian(STEEP["dot"])(x))

    x = np.cos(LEVEL) + 1.5 * np.arange(40.0)
    # Of Σ sin(i) s(D x)ᵢ Σⱼ Dᵢⱼ, where s is the slope of the root.
    differences, totals = DIFFERENCES @ x, DIFFERENCES.sum(axis=1)
    bends = -2.0 / 9.0 / np.cbrt(differences) ** 5
    expected = DIFFERENCES.T @ (np.sin(LEVEL) * totals * bends)
    for gradient in (ag.grad(weighted), ag.compile(ag.grad(weighted))):
        np.testing.assert_allclose(gradient(x), expected, rtol=1e-10)
