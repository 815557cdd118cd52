"""A NaN is the maximum, minimum and every quantile of what it is in, and gets the gradient.

The rule is PyTorch's for ``torch.max(x)``; for sorted arrays there is no other.
"""

import numpy as np
import pytest

import autograd_lite as ag

ONE = np.array([1.0, np.nan, 2.0, 2.0])
TWO = np.array([np.nan, 1.0, np.nan])


@pytest.mark.parametrize(
    "function",
    [
        np.max, np.min, np.maximum.reduce, lambda x: np.max(x[None], axis=1)[0],
        lambda x: np.max(x, where=np.arange(4) < 3, initial=0.0),
        lambda x: np.maximum.accumulate(x)[-1], lambda x: np.minimum.accumulate(x)[-1],
        np.median, lambda x: np.quantile(x, 0.3), lambda x: np.percentile(x, [10.0, 50.0])[0],
        lambda x: np.sort(x)[-1],
    ],
)  # fmt: skip
def test_a_nan_gets_the_whole_gradient(function):
    assert np.isnan(function(ONE))
    np.testing.assert_array_equal(ag.grad(function)(ONE), [0.0, 1.0, 0.0, 0.0])
    assert ag.jvp(function, ONE, np.arange(4.0))[1] == 1.0
    np.testing.assert_array_equal(ag.compile(ag.grad(function))(ONE), [0.0, 1.0, 0.0, 0.0])


@pytest.mark.parametrize("function", [np.max, np.min, lambda x: np.maximum.accumulate(x)[-1]])
def test_several_nan_share_it(function):
    np.testing.assert_array_equal(ag.grad(function)(TWO), [0.5, 0.0, 0.5])


def test_nan_before_and_behind_in_a_running_maximum():
    jacobian = ag.jacobian(np.maximum.accumulate)(ONE)
    np.testing.assert_array_equal(
        jacobian, [[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]]
    )


def test_rows_without_nan_keep_theirs():
    x = np.stack([ONE, [1.0, 4.0, 2.0, 3.0]])
    gradient = ag.grad(lambda x: np.nansum(np.median(x, axis=1)) + np.sum(np.max(x, axis=1)))(x)
    np.testing.assert_array_equal(gradient, [[0, 1, 0, 0], [0, 1, 0.5, 0.5]])


@pytest.mark.parametrize("function", [np.nanmax, np.nanmedian, lambda x: np.nanquantile(x, 0.5)])
def test_where_nan_are_skipped_they_get_nothing(function):
    assert ag.grad(function)(ONE)[1] == 0.0


@pytest.mark.parametrize("function", [np.maximum, np.minimum])
def test_of_two_numbers_none_gets_it(function):
    for x, y in ((1.0, np.nan), (np.nan, 1.0), (np.nan, np.nan)):
        assert ag.grad(function, (0, 1))(x, y) == (0.0, 0.0)
