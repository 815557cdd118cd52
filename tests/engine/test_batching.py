"""Rows of a Jacobian computed together are the rows computed one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.core.tree import flatten
from autograd_lite.transforms import trace
from autograd_lite.transforms.batching import NoBatchingRuleError
from tests.ops.cases import CASES
from tests.ops.cases.case import Case
from tests.ops.numerical import random_like, with_a_jacobian
from tests.ops.test_random_programs import SHAPES, assemble, step

ONE_BY_ONE = {"reshape(F)", "ravel(order=F)", "at.set(apart)"}
"""Cases that have no batching rule: an order in memory other than C, an index parted by a slice."""

by_case = pytest.mark.parametrize(
    "case", [case for case in CASES if case.derivatives], ids=lambda case: case.name
)
by_smooth_case = pytest.mark.parametrize(
    "case", [case for case in CASES if case.derivatives > 1], ids=lambda case: case.name
)

POINT = np.array([0.3, -0.7, 1.1])


def assert_same(together: Any, one_by_one: Any) -> None:
    for x, y in zip(flatten(together), flatten(one_by_one), strict=True):
        assert x.shape == y.shape
        assert x.dtype == y.dtype
        size = max(1.0, float(np.max(np.abs(y), initial=0.0)))
        np.testing.assert_allclose(x, y, rtol=1e-11, atol=1e-13 * size)


def one_by_one(function: Any, *inputs: Any) -> Any:
    """Call with a limit that lets no two rows be computed together."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace, "MOST_TOGETHER", 0)
        return function(*inputs)


@pytest.fixture
def refused(monkeypatch):
    """The errors of attempts to compute rows together."""
    errors: list[Exception] = []
    batch = trace.Trace._batch

    def watched(self: Any, *args: Any) -> Any:
        try:
            return batch(self, *args)
        except Exception as error:
            errors.append(error)
            raise

    monkeypatch.setattr(trace.Trace, "_batch", watched)
    return errors


def listed(case: Case) -> Any:
    return lambda *inputs: flatten(case.call(*inputs))


def pulled_back(case: Case) -> Any:
    weights = random_like(np.random.default_rng(7), flatten(case.reference(*case.draw())))
    return lambda *inputs: list(ag.vjp(listed(case), *inputs)[1](weights))


@by_case
def test_every_case_has_its_jacobian_from_one_sweep(case, refused):
    inputs = case.draw()
    jacobian = ag.jacobian(with_a_jacobian(listed(case)), tuple(range(len(inputs))))
    assert_same(jacobian(*inputs), one_by_one(jacobian, *inputs))
    assert bool(refused) == (case.name in ONE_BY_ONE), refused
    assert all(isinstance(error, NoBatchingRuleError) for error in refused)


@by_smooth_case
def test_every_case_has_its_second_derivatives_from_one_sweep(case, refused):
    inputs = case.draw()
    jacobian = ag.jacobian(with_a_jacobian(pulled_back(case)), tuple(range(len(inputs))))
    assert_same(jacobian(*inputs), one_by_one(jacobian, *inputs))
    assert not refused


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    steps=st.lists(step, min_size=5, max_size=25),
    shapes=st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3),
    seed=st.integers(0, 2**32 - 1),
)
def test_random_programs(steps: Any, shapes: Any, seed: int) -> None:
    program = assemble(steps, shapes)
    rng = np.random.default_rng(seed)
    inputs = [np.asarray(rng.uniform(-1, 1, shape)) for shape in shapes]

    def function(*xs: Any) -> Any:
        arrays = list(xs)
        for instruction, places in program:
            arrays.append(instruction.call(*[arrays[place] for place in places]))
        return arrays[-3:]

    jacobian = ag.jacobian(function, tuple(range(len(inputs))))
    assert_same(jacobian(*inputs), one_by_one(jacobian, *inputs))


def mixed(x):
    return np.tanh(np.outer(x, x) @ x) + np.cumsum(x) ** 2


@pytest.mark.parametrize("limit", [30, 60, 1 << 24])
def test_rows_in_batches_of_any_size(limit, monkeypatch):
    monkeypatch.setattr(trace, "MOST_TOGETHER", limit)
    jacobian = ag.jacobian(lambda x: mixed(np.concatenate((x, x))))
    assert_same(jacobian(POINT), one_by_one(jacobian, POINT))


@pytest.mark.parametrize(
    "function",
    [
        ag.jacobian(ag.jacobian(mixed)),
        ag.hessian(lambda x: np.sum(ag.jacobian(mixed)(x) ** 2)),
        ag.grad(lambda x: np.linalg.det(ag.jacobian(mixed)(x))),
        ag.jacobian(lambda x: ag.hvp(lambda y: np.sum(mixed(y)), x, x)),
        ag.jacobian(lambda x: ag.vjp(mixed, x)[1](np.sin(x))),
        ag.jacobian(ag.checkpoint(mixed)),
    ],
    ids=["jacobian", "hessian", "grad", "hvp", "vjp", "checkpoint"],
)
def test_nested_transforms(function):
    assert_same(function(POINT), one_by_one(function, POINT))


def test_the_graph_of_captured_values_is_kept():
    scale = ag.Value(np.array([2.0, 3.0, 5.0]))
    rows = ag.jacobian(lambda x: scale * np.sin(x))(POINT)
    assert isinstance(rows, ag.Value)
    np.sum(rows).backward()
    np.testing.assert_allclose(scale.grad, np.cos(POINT), rtol=1e-15)


def test_rows_are_computed_together_with_one_call_of_each_rule():
    calls = []

    @ag.primitive
    def doubled(x):
        return 2 * x

    def rule(g, out, x):
        calls.append(np.shape(g))
        return 2 * g

    doubled.defvjp(rule)
    np.testing.assert_array_equal(ag.jacobian(doubled)(POINT), 2 * np.eye(3))
    assert calls == [(3,)]


def test_a_rule_that_needs_plain_arrays_gets_them_row_by_row():
    @ag.primitive
    def tripled(x):
        return 3 * x

    def rule(g, out, x):
        share = np.empty(3)
        share[:] = 3 * g
        return share

    tripled.defvjp(rule)
    np.testing.assert_array_equal(ag.jacobian(tripled)(POINT), 3 * np.eye(3))


def test_an_error_in_a_rule_is_raised_as_it_is():
    @ag.primitive
    def broken(x):
        return x + 0

    broken.defvjp(lambda g, out, x: g[:2])
    with pytest.raises(ag.RuleError, match=r"returned shape \(2,\)"):
        ag.jacobian(broken)(POINT)


def test_a_poisoned_output_does_not_reach_the_rows_of_the_others():
    def outputs(x):
        return x**2, np.exp(x * 1e3)

    with np.errstate(over="ignore", invalid="ignore"):
        squares, _ = ag.jacobian(outputs)(POINT)
    np.testing.assert_array_equal(squares, np.diag(2 * POINT))


def test_masks_keep_zero_in_every_row():
    def guarded(x):
        return np.where(x > 0, np.sqrt(np.where(x > 0, x, 0)), 0) + np.sum(x)

    with np.errstate(divide="ignore"):
        rows = ag.jacobian(guarded)(np.array([4.0, -1.0, 0.25]))
    np.testing.assert_allclose(rows, 1 + np.diag([0.25, 0.0, 1.0]), rtol=1e-15)
