"""A function may know an array that it is called with under another name, and write into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

ONES = np.ones(2)

TRANSFORMS: dict[str, tuple[Callable[..., Any], Any]] = {
    "grad": (lambda f, x: ag.grad(f)(x), [2.0, 4.0]),
    "value_and_grad": (lambda f, x: ag.value_and_grad(f)(x)[0], 5.0),
    "jvp": (lambda f, x: ag.jvp(f, x, ONES)[1], 6.0),
    "vjp": (lambda f, x: ag.vjp(f, x)[1](1.0)[0], [2.0, 4.0]),
    "linearize": (lambda f, x: ag.linearize(f, x)[1](ONES), 6.0),
    "jacobian": (lambda f, x: ag.jacobian(f)(x), [2.0, 4.0]),
    "hessian": (lambda f, x: ag.hessian(f)(x), [[2.0, 0.0], [0.0, 2.0]]),
    "hvp": (lambda f, x: ag.hvp(f, x, ONES), [2.0, 2.0]),
    "in a dict": (lambda f, x: ag.grad(lambda p: f(p["x"]))({"x": x})["x"], [2.0, 4.0]),
    "a view": (lambda f, x: ag.grad(f)(x[::-1])[::-1], [2.0, 4.0]),
}


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("when", ["before it is used", "afterwards"])
def test_the_derivative_is_at_what_the_function_was_called_with(name, when):
    """Of the sum of squares at [1, 2]."""
    transform, right = TRANSFORMS[name]
    state = np.array([1.0, 2.0])

    def total(x):
        if when == "afterwards":
            squares = x**2
        state[1] += 10.0
        return np.sum(squares if when == "afterwards" else x**2)

    np.testing.assert_array_equal(transform(total, state), right)
    assert state[1] >= 12.0  # NumPy's write is done, as often as the function was called


def test_samples_are_those_that_the_function_was_called_with():
    state = np.array([1.0, 2.0])

    def squared(x):
        state[1] += 10.0
        return x**2

    np.testing.assert_array_equal(ag.vmap(squared)(state), [1.0, 4.0])


def test_on_plain_arrays_and_on_values_the_result_is_one():
    def program(x):
        def total(b):
            x[1] += 10.0
            return np.sum(b**2)

        return np.sum(ag.grad(total)(x))

    x = np.array([1.0, 2.0])
    value, gradient = ag.value_and_grad(program)(x)
    assert program(x.copy()) == value == 6.0
    np.testing.assert_array_equal(gradient, [2.0, 2.0])


@pytest.mark.parametrize(
    "transform",
    [lambda f, x: ag.grad(f)(x), lambda f, x: ag.jvp(f, x, x), lambda f, x: ag.vmap(f)(x)],
    ids=["grad", "jvp", "vmap"],
)
def test_a_large_array_that_is_written_is_an_error(transform):
    state = np.ones(200_000)

    def total(x):
        state[0] = 5.0
        return np.sum(x**2)

    with pytest.raises(ag.InPlaceError) as caught:
        transform(total, state)
    assert str(caught.value) == (
        "total was called with an array of shape (200000,) and dtype float64, and wrote into it "
        "under another name than its argument's; let it write into a copy (array.copy()), "
        "or pass one"
    )


def test_a_large_array_that_is_not_written_is_taken_as_it_is():
    state = np.ones(200_000)
    assert ag.grad(lambda x: np.sum(x**2))(state)[0] == 2.0
    value, pullback = ag.vjp(lambda x: np.sum(x**2), state)
    state[0] = 5.0
    assert (value, pullback(1.0)[0][0]) == (200_000.0, 2.0)


def test_what_somebody_keeps_of_a_copy_is_not_written_by_the_next_call():
    """Copies of this size lie in memory that is used again."""
    kept: list[Any] = []

    def total(x):
        kept.extend([x, x[::2], x.data, np.reshape(x.data, (2, -1))[1], memoryview(x.data)])
        return np.sum(x**2)

    for number in (1.0, 2.0, 3.0):
        np.testing.assert_array_equal(ag.grad(total)(np.full(40_000, number)), 2 * number)
    for i, part in enumerate(kept):
        numbers = part.data if isinstance(part, ag.Value) else part
        np.testing.assert_array_equal(numbers, 1.0 + i // 5)


def test_memory_of_a_copy_is_used_again_for_arrays_of_its_form_alone():
    for array in (np.full((200, 200), 2.0), np.full(40_000, 2.0), np.full(40_000, 2.0, ">f8")):
        for factor in (1, 3):
            found = ag.grad(lambda x: np.sum(x * x))(factor * array)
            assert (found.shape, found.dtype) == (array.shape, (factor * array).dtype)
            np.testing.assert_array_equal(found, 4.0 * factor)
