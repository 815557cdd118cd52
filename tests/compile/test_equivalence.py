"""A compiled function gives what the function gives: every operation, both derivatives.

Set AUTOGRAD_LITE_NIGHTLY to compile the second derivatives of all rows, not of every other one.
"""

from __future__ import annotations

import os
from itertools import product
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.tree import flatten
from tests.ops.cases import CASES
from tests.ops.cases.case import Case
from tests.ops.numerical import random_like
from tests.ops.reading import is_refused_rightly

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
every_derivative = pytest.mark.parametrize(
    "case", [case for case in CASES if case.derivatives], ids=lambda case: case.name
)


NIGHTLY = bool(os.environ.get("AUTOGRAD_LITE_NIGHTLY"))
SKIPPING = tuple(f"{f.__name__}.reduce" for f in (np.power, np.arctan2))


def plain(results: Any) -> list[Any]:
    return [x.data if isinstance(x, ag.Value) else x for x in flatten(results)]


def assert_same(compiled: Any, eager: Any) -> None:
    """The same types, shapes and dtypes, and numbers that are equal to a few units of rounding."""
    mine, yours = flatten(compiled), plain(eager)
    assert len(mine) == len(yours)
    for x, y in zip(mine, yours, strict=True):
        assert (type(x) is float) is (type(y) is float)
        assert np.shape(x) == np.shape(y)
        assert np.result_type(x) == np.result_type(y)
        if np.result_type(x).kind in "fc":
            size = max(1.0, float(np.max(np.abs(y), initial=0.0)))
            np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-13 * size)
        else:
            np.testing.assert_array_equal(x, y)


def assert_compiles(case: Case, function: Any) -> None:
    """Equal at the first call, at the second with its check, and at the third without."""
    compiled = ag.compile(function)
    first, second = case.draw(0), case.draw(1)
    expected: list[Any] = []
    for inputs in (first, second, first):
        try:
            result = compiled(*inputs)
        except ag.CompileError as error:
            if is_refused_rightly(case, error):
                return
            raise
        if len(expected) < 2:
            expected.append(function(*inputs))
        assert_same(result, expected[0 if inputs is first else 1])


def depends_on_values_in_python(case: Case) -> bool:
    """Whether a result is computed outside of the graph: text, bins of a histogram."""
    results = flatten(case.call(*map(ag.Value, case.draw(0))))
    return not all(isinstance(x, ag.Value) for x in results)


@every_case
def test_values(case: Case) -> None:
    def function(*inputs: Any) -> Any:
        return flatten(case.call(*inputs))

    # NumPy's own folds of power and arctan2 skip elements, which the engine's do not.
    compiled = ag.compile(function, check=not case.name.startswith(SKIPPING))
    for seed in (0, 1, 0):
        inputs = case.draw(seed)
        expected = [np.asarray(x) for x in plain(case.call(*map(ag.Value, inputs)))]
        try:
            results = compiled(*inputs)
        except ag.CompileError as error:
            if is_refused_rightly(case, error):
                return
            assert depends_on_values_in_python(case), error
            return
        assert_same([np.asarray(x) for x in results], expected)


def gradient_of(case: Case) -> tuple[Any, Any]:
    weights = random_like(np.random.default_rng(7), flatten(case.reference(*case.draw(0))))

    def listed(*inputs: Any) -> Any:
        return flatten(case.call(*inputs))

    def gradient(*inputs: Any) -> Any:
        return ag.vjp(listed, *inputs)[1](weights)

    return gradient, weights


@every_derivative
def test_gradients(case: Case) -> None:
    gradient, _ = gradient_of(case)
    assert_compiles(case, gradient)


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.derivatives > 1][:: 1 if NIGHTLY else 2],
    ids=lambda case: case.name,
)
def test_second_derivatives(case: Case) -> None:
    gradient, _ = gradient_of(case)
    probe = tuple(random_like(np.random.default_rng(8), case.draw(0)))

    def second(*inputs: Any) -> Any:
        return ag.vjp(gradient, *inputs)[1](probe)

    assert_compiles(case, second)


@pytest.mark.parametrize(
    "case", [case for case in CASES[::5] if case.derivatives], ids=lambda case: case.name
)
def test_float32_stays_float32(case: Case) -> None:
    gradient, _ = gradient_of(case)
    inputs = [x.astype(np.complex64 if np.iscomplexobj(x) else np.float32) for x in case.draw(0)]
    try:
        results = flatten(ag.compile(gradient)(*inputs))
    except ag.CompileError as error:
        if is_refused_rightly(case, error):
            return
        raise
    for mine, yours in zip(results, flatten(gradient(*inputs)), strict=True):
        assert mine.dtype == yours.dtype
        size = max(1.0, float(np.max(np.abs(yours), initial=0.0)))
        np.testing.assert_allclose(mine, yours, rtol=1e-4, atol=1e-4 * size)


def test_products_of_all_shapes_pass_on_what_is_not_finite():
    """By `numpy.dot`, which programs call, a single 0 times NaN is 0."""
    program = ag.compile(np.matmul)
    for n, k, m in product((1, 2, 3), repeat=3):
        for left, right in (((n, k), (k, m)), ((k,), (k, m)), ((n, k), (k,)), ((k,), (k,))):
            x, y = np.resize([np.nan, 1.0, np.inf, 0.0], left), np.resize([0.0, -1.0, 2.0], right)
            with np.errstate(invalid="ignore"):
                for _ in range(3):
                    np.testing.assert_array_equal(program(x, y), np.matmul(x, y))
