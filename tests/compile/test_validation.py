"""``validate=True``: a pass that changes what a program computes is named, and others are not.

Set AUTOGRAD_LITE_NIGHTLY to validate the gradients of all rows of the table of cases.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.compiler import validation
from autograd_lite.compiler.ir import Constant, Operation, Program, rewrite
from autograd_lite.compiler.passes import pipeline
from autograd_lite.compiler.passes.schedule import Schedule
from autograd_lite.ops import elementwise, trigonometric
from tests.compile.test_equivalence import assert_same, gradient_of
from tests.ops.cases import CASES
from tests.ops.cases.case import Case
from tests.ops.reading import is_refused_rightly

EVERY = 1 if os.environ.get("AUTOGRAD_LITE_NIGHTLY") else 25
SMOOTH = [case for case in CASES if case.derivatives][::EVERY]


def loss(w: Any, x: Any) -> Any:
    hidden = np.maximum(np.tanh(x @ w) - 0.0, 0.25)
    return np.sum(np.where(hidden > 0.5, hidden**2, 1 / hidden)) / 3


def inverse(w: Any, x: Any) -> Any:
    return 2 / w


def recurrent(w: Any, xs: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        h = np.tanh(x + h @ w)
        return h, h

    return np.sum(ag.scan(step, np.zeros(3), xs)[1] ** 2)


ARGUMENTS = np.ones((3, 3)), np.ones((4, 3))


def wrong(change: Any) -> Any:
    """A pass that replaces operations by what ``change`` makes of them."""

    def wrong_pass(program: Program) -> Program:
        return rewrite(program, lambda operation: change(operation) or operation)

    return wrong_pass


def drop_maximum(operation: Operation) -> Any:
    """The larger of x and a number is not x, though it is for large ones."""
    if operation.primitive is elementwise.maximum and operation.type == operation.operands[0].type:
        return operation.operands[0]
    return None


def bound_divisor(operation: Operation) -> Any:
    """1/x is what it was, but for infinite x."""
    if operation.primitive is not elementwise.divide:
        return None
    x, y = operation.operands
    bounded = replace(operation, primitive=elementwise.minimum, operands=(y, Constant(1e3)))
    return replace(operation, operands=(x, bounded))


def double_tanh(operation: Operation) -> Any:
    if operation.primitive is trigonometric.tanh and operation.operands[0].type.shape == (3,):
        return replace(
            operation,
            primitive=elementwise.multiply,
            operands=(replace(operation), Constant(1.001)),
        )
    return None


@pytest.mark.parametrize(
    ("change", "function", "data"),
    [
        (drop_maximum, loss, "random numbers"),
        (bound_divisor, inverse, "infinities"),
        (double_tanh, recurrent, "random numbers"),
    ],
)
def test_a_wrong_rewrite_is_named(change: Any, function: Any, data: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(pipeline, "REWRITES", (*pipeline.REWRITES, wrong(change)))
    with pytest.raises(ag.CompileError, match="after the pass wrong_pass") as error:
        ag.compile(function, validate=True)(*ARGUMENTS)
    assert f"on {data}" in str(error.value)
    # Nobody else sees it before the first comparison with the function.
    ag.compile(function, check=False)(*ARGUMENTS)


def test_a_wrong_decision_is_named(monkeypatch: Any) -> None:
    def share_memory(schedule: Schedule) -> Schedule:
        plan = schedule.plan
        first = next(iter(plan.memory.values()))
        same = {x: first if m.nbytes == first.nbytes else m for x, m in plan.memory.items()}
        first.tenants.extend(x.type for x in same if same[x] is first)
        return replace(schedule, plan=replace(plan, memory=same))

    monkeypatch.setattr(validation, "DECISIONS", (*validation.DECISIONS, share_memory))

    def crossed(x: Any, y: Any) -> Any:
        a, b = np.sin(x), np.cos(y)
        return np.exp(a) * b + np.exp(b) * a

    with pytest.raises(ag.CompileError, match="after the pass share_memory"):
        ag.compile(crossed, validate=True)(np.ones(3), np.ones(3))


def test_what_was_checked_is_told() -> None:
    compiled = ag.compile(ag.value_and_grad(loss), validate=True)
    assert_same(compiled(*ARGUMENTS), ag.value_and_grad(loss)(*ARGUMENTS))
    title, *lines = str(compiled.validation).splitlines()
    assert title.startswith("validation of ")
    passes = [line.split()[0] for line in lines]
    assert passes == [x.__name__ for x in (*pipeline.REWRITES, *pipeline.DECISIONS)]
    assert all(line.endswith("the same on 12 of 12 data sets") for line in lines)


def test_bodies_are_checked_as_programs_of_their_own() -> None:
    compiled = ag.compile(ag.grad(recurrent), validate=True)
    compiled(*ARGUMENTS)
    assert "simplify of a body" in str(compiled.validation)
    assert "split_loops" in str(compiled.validation)


def test_without_it_nothing_is_told() -> None:
    compiled = ag.compile(loss)
    compiled(*ARGUMENTS)
    with pytest.raises(ag.CompileError, match="validate=True"):
        _ = compiled.validation


def test_draws_are_as_if_nothing_had_been_checked() -> None:
    def noisy(x: Any, rng: Any) -> Any:
        return x * ag.random.normal(rng, (3,))

    results = [
        ag.compile(noisy, validate=validate)(np.ones(3), np.random.default_rng(1))
        for validate in (False, True)
    ]
    np.testing.assert_array_equal(*results)


def test_loops_that_never_end_on_other_data_are_left_alone() -> None:
    def halved(x: Any) -> Any:
        return ag.while_loop(lambda x: np.abs(x) > 1.0, lambda x: x / 2, x)

    def grown(x: Any) -> Any:
        return ag.while_loop(lambda x: x < 1.0, lambda x: x * 2, x)  # never, from below 0

    for function in (halved, ag.grad(halved), grown, ag.grad(grown)):
        compiled = ag.compile(function, validate=True)
        assert compiled(0.75) == function(0.75)
        assert "the same on" in str(compiled.validation)


@pytest.mark.parametrize("case", SMOOTH, ids=lambda case: case.name)
def test_gradients_of_the_table_are_valid(case: Case) -> None:
    gradient, _ = gradient_of(case)
    try:
        ag.compile(gradient, validate=True)(*case.draw(0))
    except ag.CompileError as error:
        if not is_refused_rightly(case, error):
            raise


def test_lapack_is_not_asked_for_what_it_may_never_answer() -> None:
    """``np.linalg.svd`` of infinities runs for ever under some kernels of OpenBLAS."""

    def asked_for(x: Any) -> Any:
        assert np.isfinite(x).all()
        return np.linalg.svdvals(x)

    asked_for.__module__ = "numpy.linalg"
    watched = ag.Primitive(asked_for, None, name="watched")
    compiled = ag.compile(lambda x: np.sum(watched(x)), validate=True)
    compiled(np.ones((9, 9)))
    assert "the same on 8 of 12 data sets" in str(compiled.validation)


def test_series_that_never_end_on_huge_numbers_are_left_alone() -> None:
    """SciPy's hyp1f1 adds up as many terms as there are in its argument, and at 1e300 for ever."""
    special = pytest.importorskip("scipy.special")
    function = ag.grad(lambda x: np.sum(special.hyp1f1(1.0, 2.0, x)))
    compiled = ag.compile(function, validate=True)
    np.testing.assert_allclose(compiled(np.ones((2, 3))), function(np.ones((2, 3))))
    assert "the same on" in str(compiled.validation)
