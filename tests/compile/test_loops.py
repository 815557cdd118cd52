"""Joined loops: operations that follow each other are one loop with several results."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import autograd_lite as ag
from autograd_lite.compiler.passes.join_loops import MOST_PAIRS, join_loops
from tests.compile.elementwise_programs import assert_close, laid_out, programs, with_gradients

pytest.importorskip("numba")

SHAPE = (96, 64)


def by_numba(function: Any, **options: Any) -> ag.Compiled:
    return ag.compile(function, backend="numba", **options)


def arrays(count: int, dtype: Any = np.float64, shape: Any = SHAPE) -> list[Any]:
    rng = np.random.default_rng(0)
    return [rng.uniform(0.5, 1.5, shape).astype(dtype) for _ in range(count)]


def adam(weight, mean, square, g, rate, epsilon):
    mean = mean + 0.1 * (g - mean)
    square = square + 0.01 * (g * g - square)
    return weight - rate * mean / (np.sqrt(square) + epsilon), mean, square


NUMBERS = (0.25, 1e-3)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_an_update_of_donated_arrays_is_one_loop_that_writes_over_them(dtype):
    given = arrays(4, dtype)
    expected = adam(*given, *NUMBERS)
    update = by_numba(adam, donate=(0, 1, 2), check=False)
    results = update(*given, *NUMBERS)
    for result, old, wanted in zip(results, given[:3], expected, strict=True):
        assert result is old
        assert result.dtype == dtype
        np.testing.assert_allclose(result, wanted, rtol=1e-13 if dtype is np.float64 else 2e-6)
    assert update.source.count("@guvectorize") == 1
    (line,) = (x for x in update.source.splitlines() if x.startswith("@guvectorize"))
    assert line.count("(m,n)") == len(given)  # the results are among them
    assert (update.stats.calls, update.stats.buffers) == (1, 0)


def unaligned(array):
    memory = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    memory[...] = array
    return memory


@pytest.mark.parametrize(
    "lay_out",
    [
        lambda x: laid_out(x, "F"),
        lambda x: laid_out(x, "strided"),
        lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
        unaligned,
    ],
    ids=["columns", "strided", "backwards", "unaligned"],
)
def test_donated_arrays_may_lie_in_memory_as_they_like(lay_out):
    given = arrays(4)
    expected = adam(*given, *NUMBERS)
    given = [*map(lay_out, given[:3]), given[3]]
    update = by_numba(adam, donate=(0, 1, 2))
    for _ in range(2):  # the second call is checked against the function itself
        fresh = [*map(lay_out, arrays(3)), given[3]]
        for result, old, wanted in zip(update(*fresh, *NUMBERS), fresh, expected, strict=False):
            assert result is old
            np.testing.assert_allclose(result, wanted, rtol=1e-13)
    assert "@guvectorize" in update.source


def test_rows_columns_and_numbers_among_the_operands():
    def f(x, row, column, one, number):
        scaled = x * row + number
        return scaled, np.tanh(scaled * column) - one

    x, row, column, one = (arrays(1, shape=s)[0] for s in (SHAPE, SHAPE[1:], (96, 1), ()))
    compiled = by_numba(f, check=False)
    for mine, expected in zip(
        compiled(x, row, column, one, 2.0), f(x, row, column, one, 2.0), strict=True
    ):
        np.testing.assert_allclose(mine, expected, rtol=1e-13)
    assert "column[..., 0]" in compiled.source
    assert compiled.source.count("@guvectorize") == 1


def test_a_loop_with_a_number_of_the_call_is_made_for_it():
    """A ufunc has no vectors for an operand that stands still."""

    def f(x, rate):
        return x - rate * np.tanh(x)

    x = arrays(1)[0]
    compiled = by_numba(f, check=False)
    np.testing.assert_allclose(compiled(x, 0.1), f(x, 0.1), rtol=1e-13)
    assert "'(m,n),(),(m,n)'" in compiled.source
    small = by_numba(f, check=False)
    np.testing.assert_allclose(small(x[:2], 0.1), f(x[:2], 0.1), rtol=1e-13)
    assert "@vectorize" in small.source


def test_no_loop_has_more_arrays_than_the_compiler_compares():
    def f(*xs):
        return [x * y + 1.0 for x, y in itertools.pairwise(xs)]

    given = arrays(6)
    compiled = by_numba(f, check=False)
    for mine, expected in zip(compiled(*given), f(*given), strict=True):
        np.testing.assert_allclose(mine, expected, rtol=1e-13)
    assert "@guvectorize" in compiled.source
    for line in compiled.source.splitlines():
        if line.startswith("@guvectorize"):
            arrays_of, written = line.count("(m,n)"), line.split("args=")[1].count(",")
            pairs = written * (written - 1) // 2 + written * (arrays_of - written)
            assert pairs <= MOST_PAIRS


def test_what_is_large_has_loops_within_its_blocks():
    def f(x, y, rate):
        mean = x + rate * (y - x)
        return mean, y - mean / (np.sqrt(mean * mean) + 1.0)

    x, y = arrays(2, shape=(300, 64))
    expected = f(x, y, 0.5)
    compiled = by_numba(f, donate=(0, 1), block=100, check=False)
    results = compiled(x, y, 0.5)
    assert "run_blocks" in compiled.source
    for mine, old, wanted in zip(results, (x, y), expected, strict=True):
        assert mine is old
        np.testing.assert_allclose(mine, wanted, rtol=1e-13)
    assert compiled.source.count("@guvectorize") == 1


def test_a_program_that_is_checked_for_finite_numbers_keeps_each_result():
    compiled = by_numba(adam, check_finite=True, check=False)
    for mine, wanted in zip(
        compiled(*arrays(4), *NUMBERS), adam(*arrays(4), *NUMBERS), strict=True
    ):
        np.testing.assert_allclose(mine, wanted, rtol=1e-13)
    assert "@guvectorize" not in compiled.source


def test_warnings_and_errstate_are_those_of_numpy():
    def f(x):
        y = 1 / x
        return y, y * 2 + x

    x = np.zeros(SHAPE)
    compiled = by_numba(f, check=False)
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert np.all(np.isinf(compiled(x)[0]))
    assert "@guvectorize" in compiled.source
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        compiled(x)
    with np.errstate(divide="ignore"):
        compiled(x)


@settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(drawn=programs())
def test_random_programs_in_joined_loops(drawn):
    steps, inputs = drawn
    tolerance = 1e-11 if inputs[0].dtype == np.float64 else 2e-4
    values = with_gradients(steps, inputs)
    expected = ag.compile(values, check=False)(*inputs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(join_loops.__globals__, "LARGE", 1)
        patch.setitem(join_loops.__globals__, "LEAST_ROW", 1)
        for options in ({"block": 0}, {"block": 2}, {"donate": tuple(range(len(inputs)))}):
            given = [np.array(x, order="K") for x in inputs]
            if "donate" in options and not all(x.ndim for x in given):
                continue
            results = by_numba(values, check=False, **options)(*given)
            assert_close(results, expected, tolerance)


@pytest.mark.parametrize("shape", [SHAPE, (8, 9), (5,)])
def test_a_result_of_one_loop_lies_over_its_donated_argument(shape):
    x, y = arrays(2, shape=shape)
    expected = np.tanh(x * y) + y
    compiled = by_numba(lambda x, y: np.tanh(x * y) + y, donate=0, check=False)
    result = compiled(x, y)
    assert result is x
    np.testing.assert_allclose(result, expected, rtol=1e-13)
    assert ("@guvectorize" in compiled.source) == (shape == SHAPE)


def test_between_small_and_large_no_ufunc_writes_over_its_operand():
    """It would compute one number at a time: at 1,000 numbers that takes longer than memory."""
    x, y = arrays(2, shape=(1000,))
    compiled = by_numba(lambda x, y: np.tanh(x * y) + y, donate=0, check=False)
    assert compiled(x, y) is not x
    assert "@vectorize" in compiled.source
