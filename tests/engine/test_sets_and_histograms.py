"""Sets and histograms: a gradient for what they pick and weigh, a refusal for the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

PLAIN = np.array([1.0, 4.0, 9.0, 16.0])
VECTOR = np.array([1.5, 0.5, 2.5])

TIED = np.array([3.0, 1.0, 2.0, 1.0])


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: np.unique(x), [6, 1, 4, 1]),
        (lambda x: np.unique(x, return_counts=True)[0], [6, 1, 4, 1]),
        (lambda x: np.unique_values(x), [6, 1, 4, 1]),
        (lambda x: np.unique_all(x).values, [6, 1, 4, 1]),
        (lambda x: np.unique_counts(x).values, [6, 1, 4, 1]),
        (lambda x: np.unique_inverse(x).values, [6, 1, 4, 1]),
        (lambda x: np.union1d(x, [7.0]), [6, 1, 4, 1]),
        (lambda x: np.intersect1d(x, [3.0, 2.0, 9.0]), [3, 0, 2, 0]),
        (lambda x: np.setdiff1d(x, [2.0, 9.0]), [6, 1, 0, 1]),
        (lambda x: np.setdiff1d([9.0, 4.0], x), [0, 0, 0, 0]),
        (lambda x: np.setxor1d(x, [2.0, 9.0]), [6, 1, 0, 1]),
    ],
)
def test_elements_of_sets_carry_the_gradient_shared_among_equals(function: Any, expected: Any):
    np.testing.assert_allclose(ag.grad(lambda x: np.sum(function(x) ** 2))(TIED), expected)


def test_rows_of_sets_too():
    x = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])
    g = ag.grad(lambda x: np.sum(np.unique(x, axis=0) ** 2))(x)
    np.testing.assert_allclose(g, [[1, 2], [6, 8], [1, 2]])
    g = ag.grad(lambda x: np.sum(np.unique(x, axis=-1) ** 2))(x.T.copy())
    np.testing.assert_allclose(g, np.array([[1, 2], [6, 8], [1, 2]]).T)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.histogram(x, 3)[1],
        lambda x: np.histogram(x, 3, density=True)[0],
        lambda x: np.histogram(PLAIN, np.sort(x), density=True)[0],
        lambda x: np.histogram_bin_edges(x, 3),
        lambda x: np.histogram2d(x, x, 3)[1],
        lambda x: np.histogram2d(x, x, 3, density=True)[0],
        lambda x: np.histogramdd(x[:, None], 3)[0],
    ],
)
def test_histograms_have_no_rule_but_for_counts_and_weights(function: Any):
    x = np.array([0.3, 1.2, 2.9, 2.0])
    with pytest.raises(ag.AutogradError, match="histogram"):
        ag.grad(lambda x: np.sum(function(x) ** 2))(x)
    function(x)
