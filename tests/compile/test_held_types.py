"""Python numbers in loops and branches take on a dtype that holds them, or are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

BYTES = np.arange(3, dtype=np.uint8)
WHOLE = np.arange(3)
SINGLE = np.arange(3, dtype=np.float32)


def hand_on(first: Any) -> Callable[..., Any]:
    return lambda xs: ag.scan(lambda c, x: (x, c), first, xs)


TOO_NARROW = [
    (hand_on(0.5), WHOLE), (hand_on(0.5j), SINGLE), (hand_on(300), BYTES), (hand_on(-1), BYTES),
    (hand_on(2), WHOLE > 1), (hand_on(1e300), SINGLE),
    (lambda x: ag.scan(lambda c, x: (0.5, c), x[0], x), WHOLE),
    (lambda x: ag.scan(lambda c, x: (-1, c), x[0], x), BYTES),
    (lambda x: ag.fori(0, 2, lambda i, c: i, 0.5), 1.0),
    (lambda x: ag.while_loop(lambda c: c < 1, lambda c: x, 0.5), np.int64(1)),
]  # fmt: skip


@pytest.mark.parametrize(("function", "x"), TOO_NARROW)
def test_a_carry_that_its_dtype_would_change_is_refused(
    function: Callable[..., Any], x: Any
) -> None:
    for called in (function, ag.compile(function)):
        with pytest.raises(ag.ArgumentTypeError, match="begin with a carry of that shape"):
            called(x)


@pytest.mark.parametrize(
    ("number", "x"),
    [(0.5, np.int64(1)), (300, np.uint8(1)), (1e300, np.float32(1)), (1j, np.float64(2.5))],
)
def test_a_result_that_its_dtype_would_change_is_refused(number: Any, x: Any) -> None:
    def function(x: Any) -> Any:
        return ag.cond(x > 3, lambda: np.multiply(x, 1), lambda: number)

    assert function(x) == number
    with pytest.raises(ag.ArgumentTypeError, match="which cannot hold it; convert one of them"):
        ag.compile(function)(x)


def test_a_first_carry_takes_on_the_dtype_of_the_rest() -> None:
    """As NumPy does where a Python number meets an array of it."""
    for first, xs in [
        (0.1, SINGLE),
        (0.1, np.arange(3, dtype=np.float16)),
        (1, SINGLE),
        (7, BYTES),
    ]:
        rows = np.array([first, *xs[:-1]], xs.dtype)
        for called in (hand_on(first), ag.compile(hand_on(first))):
            last, found = called(xs)
            assert last == xs[-1]
            assert found.dtype == xs.dtype
            np.testing.assert_array_equal(found, rows)


def test_python_integers_stay_integers_where_one_is_chosen() -> None:
    def steps_to_one(n: Any) -> Any:
        def step(pair: Any) -> Any:
            n, steps = pair
            return np.where(n % 2 == 0, n // 2, 3 * n + 1), steps + 1

        return ag.while_loop(lambda pair: pair[0] != 1, step, (n, 0))

    compiled = ag.compile(steps_to_one)
    for n, steps in [(2, 1), (3, 7), (27, 111), (3, 7)]:
        found = compiled(n)
        assert found == (1, steps)
        assert np.asarray(found[0]).dtype == int
