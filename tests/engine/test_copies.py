"""Copies of Values carry the gradient, and copies of leaves are leaves."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections import namedtuple
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

VECTOR = np.array([1.5, 0.5, 2.5])


@dataclasses.dataclass
class Point:
    x: Any


Pair = namedtuple("Pair", ["a", "b"])


@pytest.mark.parametrize(
    "copied",
    [
        copy.copy,
        copy.deepcopy,
        np.copy,
        lambda v: dataclasses.asdict(Point(v))["x"],
        lambda v: dataclasses.astuple(Point(v))[0],
        lambda v: dataclasses.replace(Point(v)).x,
        lambda v: copy.deepcopy({"a": [v, (v, 1)]})["a"][1][0],
        lambda v: copy.deepcopy(Pair(v, None)).a,
        lambda v: copy.deepcopy(Point(v)).x,
    ],
)
def test_copies_carry_the_gradient(copied: Any):
    assert ag.grad(lambda x: copied(x * x) * x)(1.5) == 3 * 1.5**2
    assert ag.grad(lambda x: copied(x) * x)(1.5) == 2 * 1.5
    assert ag.grad(ag.checkpoint(lambda x: copied(x) * x))(1.5) == 2 * 1.5
    assert ag.grad(ag.grad(lambda x: copied(x * x) * x))(1.5) == 6 * 1.5
    np.testing.assert_allclose(
        ag.grad(lambda x: np.sum(copied(x * x) * x))(VECTOR), 3 * VECTOR**2, rtol=1e-15
    )
    np.testing.assert_allclose(
        ag.compile(ag.grad(lambda x: np.sum(copied(x * x) * x)))(VECTOR), 3 * VECTOR**2, rtol=1e-15
    )


def test_copies_carry_the_gradient_in_micrograds_style():
    x = ag.Value(1.5)
    (copy.deepcopy(x * x) * x).backward()
    assert x.grad == 3 * 1.5**2


def test_a_copy_of_a_leaf_is_a_leaf():
    x = ag.Value([1.0, 2.0], label="x")
    for twin in (copy.copy(x), copy.deepcopy(x)):
        twin.sum().backward()
        assert x.grad is None
        np.testing.assert_array_equal(twin.grad, [1.0, 1.0])


def test_a_copy_of_a_part_without_gradient_is_a_value_of_its_own():
    v = ag.Value([1.0, 2.0, 3.0], requires_grad=False)
    for twin in (copy.copy(v[:2]), copy.deepcopy(v[:2]), pickle.loads(pickle.dumps(v[:2]))):
        assert type(twin) is ag.Value
        twin[0] = 5.0
        np.testing.assert_array_equal(twin.data, [5.0, 2.0])
        np.testing.assert_array_equal(v.data, [1.0, 2.0, 3.0])


def test_what_is_copied_twice_stays_one():
    x = ag.Value(2.0)
    first, second = copy.deepcopy([x, x])
    assert first is second
