"""Maxima and minima of many short rows are taken column by column, with the same result."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag

BY_COLUMNS = ".T.copy()"


@pytest.mark.parametrize("shape", [(64, 2), (200, 10), (8, 9, 32), (4, 4, 4, 5)])
@pytest.mark.parametrize("reduce", [np.max, np.min])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_the_result_is_the_same(shape, reduce, keepdims, dtype):
    def f(x):
        peak = reduce(x, axis=-1, keepdims=keepdims)
        return peak, np.sum(peak * 2), np.sum(reduce(x + x, axis=x.ndim - 1))

    x = (100 * np.random.default_rng(0).normal(size=shape)).astype(dtype)
    if dtype is not np.int64:
        x[(0,) * (len(shape) - 1)] = np.nan
    compiled = ag.compile(f, check=False)
    for given in (x, x[::-1], np.asfortranarray(x)):
        for mine, expected in zip(compiled(given), f(given), strict=True):
            assert np.asarray(mine).dtype == np.asarray(expected).dtype
            np.testing.assert_array_equal(mine, expected)
            assert np.shape(mine) == np.shape(expected)
    assert compiled.source.count(BY_COLUMNS) == 2


@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((63, 10), -1),
        ((200, 33), -1),
        ((200, 1), -1),
        ((200, 10), 0),
        ((200, 10), None),
        ((10,), 0),
        ((1 << 15, 5), -1),
    ],
)
def test_long_few_or_too_many_rows_and_other_axes_are_left_to_numpy(shape, axis):
    compiled = ag.compile(lambda x: np.max(x, axis=axis), check=False)
    x = np.random.default_rng(0).normal(size=shape)
    np.testing.assert_array_equal(compiled(x), np.max(x, axis=axis))
    assert BY_COLUMNS not in compiled.source


def test_sums_keep_their_rounding():
    compiled = ag.compile(lambda x: np.sum(x, axis=-1), check=False)
    x = np.random.default_rng(0).normal(size=(200, 10)).astype(np.float32)
    np.testing.assert_array_equal(compiled(x), np.sum(x, axis=-1))
    assert BY_COLUMNS not in compiled.source


def test_in_blocks():
    def f(x):
        return np.max(np.tanh(x) * 2, axis=-1), np.max(x + 1, axis=(1, 2))

    x = np.random.default_rng(0).normal(size=(3000, 7, 5))
    compiled = ag.compile(f, check=False, block=400)
    for mine, expected in zip(compiled(x), f(x), strict=True):
        np.testing.assert_array_equal(mine, expected)
    assert "run_blocks" in compiled.source
