"""``ufunc.at`` with an index that names an element several times takes them in turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

SEGMENTS = np.array([0, 1, 0, 2, 2, 1, 0])
X = np.array([0.3, -0.8, 1.4, 0.6, -0.5, 1.1, 0.9])


def largest(x):
    found = np.full(3, -np.inf, like=x)
    np.maximum.at(found, SEGMENTS, x)
    return np.sum(found**2) + found[0] * x[1]


def products(x):
    found = np.ones(3, like=x)
    np.multiply.at(found, SEGMENTS, x)
    np.divide.at(found, [0, 0], 2 + x[:2] ** 2)
    np.power.at(found, [1, 1], 2.0)
    np.negative.at(found, [0, 2, 0])
    return np.sum(found**3)


def of_two_axes(x):
    table = np.ones((2, 3), like=x)
    np.multiply.at(table, ([0, 0, 1], [1, 1, 2]), x[:3])
    np.minimum.at(table, (slice(None), [0, 0]), x[:2])
    np.multiply.at(table, (..., [1, 1]), 1.5)
    np.hypot.at(table.T, [0, 0, 2], x[:2])
    return np.sum(table**2 * np.arange(1, 7).reshape(2, 3))


def of_itself(x):
    z = x * 1
    np.multiply.at(z, [0, 0, 1], z[:3])
    np.multiply.at(z, [1, 1], z[::-1][:2])
    return np.sum(z**2)


def of_nothing(x):
    z = x * 1
    np.multiply.at(z, np.array([], int), x[:0])
    return np.sum(z**2)


PROGRAMS: list[Callable[[Any], Any]] = [largest, products, of_two_axes, of_itself, of_nothing]


@pytest.mark.parametrize("program", PROGRAMS, ids=[f.__name__ for f in PROGRAMS])
def test_value_and_gradient_are_those_of_numpys_own(program):
    value, gradient = ag.value_and_grad(program)(X)
    assert value == program(X.copy())
    step = 1e-6
    right = [(program(X + step * e) - program(X - step * e)) / (2 * step) for e in np.eye(7)]
    np.testing.assert_allclose(gradient, right, rtol=1e-7, atol=1e-8)
    tangent = ag.jvp(program, X, np.cos(X))[1]
    np.testing.assert_allclose(tangent, gradient @ np.cos(X))


def test_compiled_and_for_samples_it_is_the_same():
    gradient = ag.grad(largest)
    compiled = ag.compile(gradient)
    for _ in range(3):
        np.testing.assert_array_equal(compiled(X), gradient(X))
    samples = np.stack([X, X[::-1]])
    np.testing.assert_array_equal(ag.vmap(gradient)(samples), list(map(gradient, samples)))


def test_ties_are_those_of_the_maximum_of_two_one_after_the_other():
    def f(x):
        found = np.full(1, -np.inf, like=x)
        np.maximum.at(found, [0, 0, 0], x)
        return found[0]

    np.testing.assert_array_equal(ag.grad(f)(np.ones(3)), [0.25, 0.25, 0.5])
