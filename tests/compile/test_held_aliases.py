"""What loops and branches do besides returning numbers is done as in Python, or refused.

A result may be the very array that a function was given, and a function may change what is outside:
in a program a branch is traced whether it is taken or not, and a loop has no steps for some data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

X = np.array([1.0, 2.0, 3.0])
SAMPLES = np.stack([X, -X])
"""They take different ways."""


def doubled_or_itself(x: Any) -> Any:
    return ag.cond(np.sum(x) > 0, lambda: 2 * x, lambda: x)


def halved_or_itself(x: Any) -> Any:
    return ag.while_loop(lambda v: np.sum(v) > 1, lambda v: v / 2, x)


def writing_the_result(x: Any) -> Any:
    x = x * 1.0
    y = doubled_or_itself(x)
    y[0] = 5.0
    return x


def writing_what_was_returned(x: Any) -> Any:
    x = x * 1.0
    y = doubled_or_itself(x)
    x[0] = 5.0
    return y


def writing_through_a_view(x: Any) -> Any:
    x = x * 1.0
    y = ag.cond(np.sum(x) > 0, lambda: 2 * x[:2], lambda: x[:2])
    x[::2] = 5.0
    return y


def writing_the_last_carry(x: Any) -> Any:
    x = x * 1.0
    y = halved_or_itself(x)
    y[0] = 5.0
    return x


def writing_the_first_carry(x: Any) -> Any:
    x = x * 1.0
    y = halved_or_itself(x)
    x *= 2.0
    return y


def writing_one_of_two(x: Any) -> Any:
    y, z = ag.cond(np.sum(x) > 0, lambda: (2 * x, 3 * x), lambda: (2 * x,) * 2)
    y[0] = 5.0
    return z


def writing_one_of_two_carries(x: Any) -> Any:
    x = x * 1.0
    y, z = ag.while_loop(lambda v: np.sum(v[0]) > 1, lambda v: (v[0] / 2, v[1]), (x, x * 1.0))
    z[0] = 5.0
    return y + x + z


def writing_for_a_gradient(x: Any) -> Any:
    def loss(x: Any) -> Any:
        y = x * 1.0
        doubled_or_itself(y)[0] = 0.0
        return np.sum(y * x)

    return ag.grad(loss)(x)


WRITING = [
    writing_the_result, writing_what_was_returned, writing_through_a_view, writing_the_last_carry,
    writing_the_first_carry, writing_one_of_two, writing_one_of_two_carries, writing_for_a_gradient,
]  # fmt: skip


SHARED = "for some data these are one array, and for others they are not; write into a copy"


@pytest.mark.parametrize("function", WRITING)
def test_what_is_one_array_for_some_data_only_is_not_written(function: Callable[..., Any]) -> None:
    with pytest.raises(ag.CompileError, match=SHARED):
        ag.compile(function)(X)
    with pytest.raises(ag.InPlaceError, match=SHARED):
        ag.vmap(function)(SAMPLES)


def test_what_a_scan_hands_on_is_not_written() -> None:
    def function(x: Any) -> Any:
        first = x * 1.0
        last, _ = ag.scan(lambda c, r: (c, r), first, x)
        last[0] = 5.0
        return first

    with pytest.raises(ag.CompileError, match="a result of scan"):
        ag.compile(function)(X)


def test_results_of_their_own_are_written() -> None:
    def branch(x: Any) -> Any:
        y = ag.cond(np.sum(x) > 0, lambda: 2 * x, lambda: np.zeros(3))
        y[0] = 5.0
        return y, x * 1.0

    def loop(x: Any) -> Any:
        y = ag.fori(0, 3, lambda i, v: v / 2, x)
        y[0] = 5.0
        rows = ag.scan(lambda c, r: (c, c), x, x)[1]
        rows[0] = 1.0
        return y, rows, x * 1.0

    for function in (branch, loop):
        compiled = ag.compile(function)
        for x in (X, -X, X, -X):
            for found, right in zip(compiled(x), function(x.copy()), strict=True):
                np.testing.assert_array_equal(found, right)


def test_numbers_are_rebound() -> None:
    def function(x: Any) -> Any:
        y = ag.while_loop(lambda v: v > 1, lambda v: v / 2, x)
        y += 1.0
        return x, y

    compiled = ag.compile(function)
    for x in (4.0, 0.5, np.float64(3.0), np.float64(0.5)):
        assert compiled(x) == function(x)


class Box:
    number = 2.0


def changing(how: str) -> Callable[..., Any]:
    """A function whose branch or loop changes something that is read afterwards."""

    def function(x: Any) -> Any:
        numbers, array, box, number = [2.0], np.full(1, 2.0), Box(), 2.0

        def change(y: Any) -> Any:
            nonlocal number
            if how == "list":
                numbers[0] = 3.0
            elif how == "array":
                array[0] = 3.0
            elif how == "attribute":
                box.number = 3.0
            else:
                number = 3.0
            return y / 2

        y = ag.while_loop(lambda y: np.sum(y) > 1, change, x)
        z = ag.cond(np.sum(x) > 0, change, np.sin, x)
        return (y + z) * numbers[0] * array[0] * box.number * number

    return function


@pytest.mark.parametrize("how", ["list", "array", "attribute", "variable"])
def test_what_is_outside_is_not_changed_in_a_branch_or_loop(how: str) -> None:
    function = changing(how)
    with pytest.raises(ag.CompileError, match="changes what is outside of it"):
        ag.compile(function)(-X)
    with pytest.raises(ag.UnsupportedError, match="changes what is outside of it"):
        ag.vmap(function)(SAMPLES)


def test_what_a_function_makes_inside_is_its_own() -> None:
    def step(c: Any, r: Any) -> Any:
        parts = {"sum": c + r}
        parts["product"] = parts["sum"] * r
        return parts["product"], [parts["sum"]]

    compiled = ag.compile(lambda x: ag.scan(step, 1.0, x))
    for x in (X, -X, X):
        last, (rows,) = compiled(x)
        right, (right_rows,) = ag.scan(step, 1.0, x)
        assert last == right
        np.testing.assert_array_equal(rows, right_rows)
