"""Ties of maxima: a branch of the program, and the numbers of the eager engine to the last bit."""

import numpy as np
import pytest

import autograd_lite as ag

SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 1e-300, 2.0, -3.0])

FUNCTIONS = {
    "against zero": lambda x, y, w: np.maximum(x, 0) * w,
    "zero first": lambda x, y, w: np.maximum(0.0, x) * w,
    "against a number": lambda x, y, w: np.minimum(x, 1.0) * w,
    "of two": lambda x, y, w: np.maximum(x, y) * w,
    "of two, smaller": lambda x, y, w: np.minimum(y, x) * w,
    "of itself": lambda x, y, w: np.maximum(x, x) * w,
    "of a row": lambda x, y, w: np.maximum(x, y[0]) * w,
    "of an argument that is written over": lambda x, y, w: np.maximum(np.sin(x), 0) * w,
}


def arguments(shape: tuple[int, ...], dtype: str, tied: bool) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    values = SPECIAL if tied else rng.permutation(np.arange(1, 1 + np.prod(shape)))
    arrays = [rng.choice(values, shape, replace=tied) for _ in range(3)]
    return [x.astype(dtype) if tied else (x - 0.5 * k).astype(dtype) for k, x in enumerate(arrays)]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_compiled_as_eager_to_the_last_bit(name, dtype):
    with np.errstate(all="ignore"):

        def loss(x, y, w):
            return np.sum(FUNCTIONS[name](x, y, w))

        gradients = ag.grad(loss, argnum=(0, 1))
        compiled = ag.compile(gradients)
        for tied in (True, False, True, True, False):
            xs = arguments((4, 30), dtype, tied)
            for got, expected in zip(compiled(*xs), gradients(*xs), strict=True):
                assert got.dtype == expected.dtype
                np.testing.assert_array_equal(got, expected)
                finite = ~np.isnan(expected)
                np.testing.assert_array_equal(np.signbit(got[finite]), np.signbit(expected[finite]))


@pytest.mark.parametrize("rows", [1, 3000])
def test_each_block_of_a_large_array_looks_for_its_own_ties(rows):
    x = np.linspace(-1, 1, 40 * rows).reshape(rows, 40)
    x[-1, 3:6] = 0.0
    w = np.cos(x)
    gradient = ag.grad(lambda x, w: np.sum(np.exp(np.maximum(x, 0)) * w))
    compiled = ag.compile(gradient)
    expected = np.exp(np.maximum(x, 0)) * w * np.where(x == 0, 0.5, x > 0)
    for _ in range(4):
        np.testing.assert_allclose(compiled(x, w), expected, rtol=1e-15)


def test_ties_are_a_rare_branch():
    x, w = np.array([1.0, 0.0, -2.0]), np.array([3.0, 4.0, 5.0])
    compiled = ag.compile(ag.grad(lambda x, w: np.sum(np.maximum(x, 0) ** 2 * w)))
    np.testing.assert_array_equal(compiled(x * 2, w), [12.0, 0.0, 0.0])
    compiled = ag.compile(ag.grad(lambda x, w: np.sum(np.maximum(x * 2, 0) * w)))
    np.testing.assert_array_equal(compiled(x, w), [6.0, 4.0, 0.0])
    assert "if count_nonzero(multiply1) < multiply1.size:" in compiled.source
    compiled = ag.compile(ag.grad(lambda x, w: np.sum(np.maximum(x * 2, w) * w)))
    np.testing.assert_array_equal(compiled(x, np.array([2.0, 3.0, 1.0])), [2.0, 0.0, 0.0])
    assert "if count_nonzero(equal1):" in compiled.source


def test_second_derivatives_of_ties():
    def function(x):
        return np.sum(np.maximum(x, 0) ** 2 * np.maximum(x, x**2))

    x = np.array([0.5, -1.0, 2.0, 1.0, 0.0])
    compiled = ag.compile(ag.hessian(function))
    for _ in range(3):
        np.testing.assert_array_equal(compiled(x), ag.hessian(function)(x))
