"""Compiled Jacobians and Hessians: one batched program, the same numbers as the eager ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.compiler.frontend.recording import record_program
from autograd_lite.compiler.frontend.signature import Arguments
from autograd_lite.compiler.passes.simplify import simplify
from autograd_lite.core.tree import flatten
from tests.compile.test_equivalence import assert_compiles, assert_same
from tests.ops.cases import CASES
from tests.ops.cases.case import Case
from tests.ops.numerical import with_a_jacobian

POINT = np.linspace(-1, 1, 6)

by_case = pytest.mark.parametrize(
    "case", [case for case in CASES if case.derivatives][::3], ids=lambda case: case.name
)


def rosenbrock(x: Any) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def mixed(x: Any) -> Any:
    return np.tanh(np.outer(x, x) @ x) + np.cumsum(x) ** 2


@by_case
def test_jacobians_of_every_third_case(case: Case) -> None:
    places = tuple(range(len(case.domains)))
    listed = with_a_jacobian(lambda *inputs: flatten(case.call(*inputs)))
    assert_compiles(case, ag.jacobian(listed, places))


@pytest.mark.parametrize(
    "function",
    [
        ag.jacobian(mixed),
        ag.hessian(rosenbrock),
        ag.jacobian(ag.jacobian(mixed)),
        ag.grad(lambda x: np.sum(ag.jacobian(mixed)(x) ** 3)),
        ag.value_and_grad(lambda x: np.linalg.det(ag.hessian(rosenbrock)(x))),
    ],
    ids=["jacobian", "hessian", "twice", "gradient of it", "determinant of it"],
)
def test_nested_transforms(function):
    compiled = ag.compile(function)
    for x in (POINT, POINT**2, POINT):
        assert_same(compiled(x), function(x))


@pytest.mark.parametrize("transform", [ag.jacobian(mixed), ag.hessian(rosenbrock)])
def test_a_program_has_as_many_operations_for_many_rows_as_for_few(transform):
    calls = []
    for size in (20, 80):
        compiled = ag.compile(transform)
        compiled(np.linspace(-1, 1, size))
        calls.append(compiled.stats.calls)
    assert calls[0] == calls[1] < 60


def test_shares_that_cannot_be_poisoned_are_not_guarded():
    def function(x, y):
        return np.where(x > 0, 3 * x * 2, 0) + np.where(x > 0, x * y, 0)

    hessian = ag.hessian(lambda x: np.sum(function(x, x) ** 2))
    program = record_program(hessian, Arguments(hessian, (POINT,), {}))
    guards = [x.primitive.name for x in program.program.operations].count("guard")
    # A guard that is needed is written out as a choice by whether upstream is 0.
    needed = [x.primitive.name for x in simplify(program.program).operations]
    assert 0 < needed.count("not_equal") < guards


def test_zero_upstream_stays_zero_where_a_derivative_is_infinite():
    def roots(x):
        return np.where(x > 0, np.sqrt(x) * np.sqrt(x) * x, x)

    gradient = ag.grad(lambda x: np.sum(roots(x)))
    x = np.array([4.0, 0.0, 9.0])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(ag.compile(gradient)(x), [8.0, 1.0, 18.0], rtol=1e-14)
        hessian = ag.compile(ag.hessian(lambda x: np.sum(roots(x))))(x)
    np.testing.assert_allclose(hessian, np.diag([2.0, 0.0, 2.0]), atol=1e-14)


@pytest.mark.parametrize(
    ("function", "slopes"),
    [(np.sqrt, [np.inf, 0.5]), (np.log, [np.inf, 1.0]), (lambda x: x**0.5, [np.inf, 0.5])],
    ids=["sqrt", "log", "power"],
)
def test_an_infinite_slope_stays_in_its_row(function, slopes):
    pytest.importorskip("scipy")
    x = np.array([0.0, 1.0])
    with np.errstate(all="ignore"):
        for jacobian in (ag.jacobian(function), ag.compile(ag.jacobian(function))):
            np.testing.assert_array_equal(jacobian(x), np.diag(slopes))
        sparse = ag.jacobian(function, sparse=True)(x)
        np.testing.assert_array_equal(sparse.toarray(), np.diag(slopes))
        first = ag.jacobian(lambda x: 2 * function(x)[:1])(x)
        np.testing.assert_array_equal(first, [[np.inf, 0.0]])
