"""Lowerings that choose: exact for NaN, infinity and -0, in every dtype, and without branches."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.compiler.lowering.calls import LEAST_BY_BITS

SPECIAL = np.array([0.0, -0.0, 1.0, -1.5, np.inf, -np.inf, np.nan, 1e-40])

every_float = pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])


def special_pairs(dtype, size):
    """All pairs of special numbers, repeated to a size, with a mask that has both for each."""
    x, y, condition = np.meshgrid(SPECIAL, SPECIAL, [True, False])
    repeats = -(-size // x.size)
    with np.errstate(over="ignore"):
        return [np.tile(a.ravel(), repeats).astype(a.dtype if a is condition else dtype)
                for a in (x, y, condition)]  # fmt: skip


def assert_same_bits(mine, yours):
    assert mine.dtype == yours.dtype
    numbers = ~np.isnan(yours)
    np.testing.assert_array_equal(np.isnan(mine), ~numbers)
    np.testing.assert_array_equal(mine[numbers], yours[numbers])
    np.testing.assert_array_equal(np.signbit(mine[numbers]), np.signbit(yours[numbers]))


@every_float
@pytest.mark.parametrize("size", [10, 2 * LEAST_BY_BITS])
@pytest.mark.parametrize(
    "choose",
    [
        lambda c, x, y: np.where(c, x, y),
        lambda c, x, y: np.where(c, x, 0),
        lambda c, x, y: np.where(c, 0, y),
        lambda c, x, y: np.where(c, x, -0.0),
        lambda c, x, y: np.where(c, 2.5, y),
    ],
)
def test_choices_are_exact_to_the_last_bit(dtype, size, choose):
    x, y, condition = special_pairs(dtype, size)

    def function(condition, x, y):
        return -choose(condition, -x, -y)  # the choice lies in a buffer, as its operands do

    compiled = ag.compile(function)
    for _ in range(3):
        assert_same_bits(compiled(condition, x, y), function(condition, x, y))


def test_a_choice_against_zero_is_one_call_in_place():
    compiled = ag.compile(lambda c, x: np.exp(np.where(c, np.sin(x), 0)))
    compiled(np.array([True, False]), np.array([1.0, 2.0]))
    assert "multiply(sin1.view(int64), c, sin1.view(int64))" in compiled.source
    assert "copyto" not in compiled.source


@every_float
def test_no_nan_from_the_branch_not_taken(dtype):
    def loss(x):
        return np.sum(np.where(x > 0, np.sqrt(x) * np.log(x), 0))

    x = np.array([0.0, 4.0, -1.0, 1.0] * 3, dtype)
    with np.errstate(all="ignore"):
        expected = ag.grad(loss)(x)
        compiled = ag.compile(ag.grad(loss))
        for _ in range(3):
            assert_same_bits(compiled(x), expected)
    assert np.all(np.isfinite(expected))


def test_a_guard_takes_one_comparison_and_one_choice():
    """Behind a mask: zero upstream gives zero, and several shares ask the same question once."""
    gradient = ag.grad(lambda x, y: np.sum(np.where(x > 0, x * np.exp(y), 0)), argnum=(0, 1))
    compiled = ag.compile(gradient)
    x, y = np.array([1.0, -1.0]), np.array([0.0, np.inf])
    with np.errstate(invalid="ignore"):
        for mine, yours in zip(compiled(x, y), gradient(x, y), strict=True):
            assert_same_bits(mine, yours)
    assert compiled.source.count("not_equal(") <= 2
    assert "isfinite" not in compiled.source


def test_numbers_needed_once_are_written_into_the_line_that_needs_them():
    compiled = ag.compile(lambda a, b, c: a * b + c * 2.0)
    assert compiled(2.0, 3.0, 4.0) == 14.0
    assert "add1 = (a * b) + (c * 2.0)" in compiled.source


def test_a_guard_of_numbers_is_a_condition():
    def loss(x):
        return (x * x - 6.0).relu()

    compiled = ag.compile(ag.grad(loss))
    assert [compiled(x) for x in (1.0, 3.0, 1.0)] == [0.0, 6.0, 0.0]
    assert " else 0.0" in compiled.source
    assert "numpy" not in compiled.source


OF_MATRICES = {
    "solve": np.linalg.solve,
    "matmul": np.matmul,
    "vecdot": np.vecdot,
    **{name: getattr(np, name) for name in ("matvec", "vecmat") if hasattr(np, name)},
}


@pytest.mark.parametrize("function", OF_MATRICES.values(), ids=OF_MATRICES)
def test_a_matrix_of_one_number_stays_a_matrix_where_one_is_needed(function):
    matrix, ones = np.array([[2.0, 1.0], [0.0, 4.0]]), np.ones((2, 2))
    for of_one in (lambda x: function(x, ones), lambda x: function(ones + np.eye(2), x * ones)):
        np.testing.assert_allclose(ag.compile(of_one)(matrix), of_one(matrix), rtol=1e-14)


def test_static_arguments_may_be_numpys_numbers() -> None:
    """NumPy's numbers are Python's too, but their ``repr`` is no text of a program."""
    a, b = np.arange(6.0).reshape(3, 2), np.ones(3)

    def solve(a, b):
        return np.linalg.lstsq(a, b, np.float64(1e-9))[0] * np.quantile(b, np.float64(0.5))

    for _ in range(2):
        np.testing.assert_allclose(ag.compile(solve)(a, b), solve(a, b), rtol=1e-12)


def test_a_number_is_read_from_an_array_before_that_is_overwritten() -> None:
    """The imaginary part of a buffer is a view of it, and ``1j *`` that a Python number."""
    weights = np.array([1 + 2j, 0.5 - 1j, 0.3 + 0.1j])
    slopes = ag.grad(lambda x: np.abs(np.sum(x * weights)))
    second = ag.grad(lambda x: np.sum(np.sin(slopes(x))))
    x = np.array([0.4, 0.7, -0.2])
    np.testing.assert_allclose(ag.compile(second, check=False)(x), second(x), rtol=1e-13)
