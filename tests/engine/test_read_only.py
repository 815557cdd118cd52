"""What is read-only of NumPy's is so of Values, also where it is made of a number."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

LOOKS_AT_READ_ONLY = {
    "broadcast_arrays": lambda y: np.broadcast_arrays(y, np.ones((2, 3)))[0][0],
    "a part": lambda y: np.broadcast_to(y, (2, 3))[0],
    "one row": lambda y: np.broadcast_to(y, (1, 3))[0],
    "reshaped": lambda y: np.broadcast_to(y, (1, 3)).reshape(-1),
    "diagonal": lambda y: np.diagonal(np.outer(y, y))[:2],
    "of a number": lambda y: np.broadcast_to(y[0], (3,)),
}


@pytest.mark.parametrize("is_written_before", [False, True])
@pytest.mark.parametrize("look", LOOKS_AT_READ_ONLY.values(), ids=LOOKS_AT_READ_ONLY)
def test_what_is_read_only_of_numpy_stays_so(look: Any, is_written_before: bool) -> None:
    y = ag.Value([1.0, 2.0, 3.0]) * 1.0
    part = look(y)
    if is_written_before:
        y[2] = 7.0
    with pytest.raises(ag.InPlaceError, match="read-only"):
        part[0] = 9.0
    with pytest.raises(ag.InPlaceError, match="read-only"):
        part *= 2.0


OF_A_NUMBER = {
    "a number": lambda x: np.broadcast_to(x[0], ()),
    "a sum": lambda x: np.broadcast_to(np.sum(x), ()),
    "the real part": lambda x: np.real(np.broadcast_to(x[0], ())),
    "reshaped": lambda x: np.broadcast_to(x[0], ()).reshape(()),
    "with axes": lambda x: np.broadcast_to(x[0], (1, 1)),
    "one of one": lambda x: np.broadcast_to(x[:1], (1,)),
    "diagonal": lambda x: np.diagonal(x[:1, None]),
}
WRITES_OF_ALL = {
    "+=": operator.iadd,
    "[...]": lambda z, v: operator.setitem(z, ..., v),
    "out": lambda z, v: np.add(z, v, out=z),
}


@pytest.mark.parametrize("mapped", [False, True], ids=["", "mapped"])
@pytest.mark.parametrize("write", WRITES_OF_ALL)
@pytest.mark.parametrize("name", OF_A_NUMBER)
def test_what_numpy_makes_of_a_number_is_read_only_where_that_of_an_array_is(
    name: str, write: str, mapped: bool
) -> None:
    def function(x: Any) -> Any:
        z = OF_A_NUMBER[name](x)
        WRITES_OF_ALL[write](z, 1.0)
        return np.sum(z * x)

    with pytest.raises(ValueError, match="read-only"):
        function(np.array([1.0, 2.0]))
    run = ag.vmap(function) if mapped else function
    with pytest.raises(ag.InPlaceError, match="is read-only, as several of its elements may lie"):
        ag.grad(lambda x: np.sum(run(x)))(np.array([[1.0, 2.0]] if mapped else [1.0, 2.0]))


def test_what_numpy_makes_of_a_number_of_pythons_is_read_only_too() -> None:
    def function(x: Any) -> Any:
        z = np.broadcast_to(x, ())
        z += 1
        return z

    with pytest.raises(ValueError, match="read-only"):
        function(2.0)
    with pytest.raises(ag.InPlaceError, match="read-only"):
        ag.grad(function)(2.0)
    assert ag.grad(lambda x: np.broadcast_to(x, ()) * x)(2.0) == 4.0


def test_arrays_of_one_shape_are_broadcast_to_themselves() -> None:
    def function(x: Any) -> Any:
        z, w = np.broadcast_arrays(x, x * 2)
        z += 1
        return np.sum(x * w)

    def of_numbers(x: Any) -> Any:
        z, w = np.broadcast_arrays(x[0], 2.0)
        same = z
        z += 1
        return same * w * x[1]

    x = np.array([1.0, 2.0])
    for run in (function, of_numbers):
        value = run(x.copy())
        assert ag.value_and_grad(run)(x)[0] == value
        assert ag.vmap(run)(x[None])[0] == value
    np.testing.assert_array_equal(ag.grad(function)(x), [6, 10])  # of Σ (x + 1) 2 x
    np.testing.assert_array_equal(ag.grad(of_numbers)(x), [4, 4])  # of 2 (x₀ + 1) x₁
