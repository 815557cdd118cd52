"""What stands beside a Value: sequences, whole numbers in their places, and what is no number."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from tests.engine.numpys_derivative import POINT, check_at_point

PLACES = np.arange(4.0)


def positive(x: Any) -> Any:
    """How many elements are positive, as NumPy counts them: 3 at the point."""
    return np.sum(x > 0)


def sums_of_written_steps(x: Any) -> Any:
    counts, largest, seen = np.zeros(4, int), np.zeros(4), np.zeros(4, bool)
    for level in (0.0, 0.6, 1.0):
        counts += x > level
    np.add(largest, np.argsort(x), out=largest, where=x > 0.6)
    np.cumsum(x > 0, out=largest)
    seen |= x > 1
    np.logical_or(seen, x < 0, out=seen)
    part = largest[1:3]
    part *= np.argmax(x)
    return np.sum(counts * x**2 + largest * x + seen * x**3)


def constants_keep_what_they_were(x: Any) -> Any:
    counts = np.ones(4)
    before = np.sum(counts * x**2)
    counts += positive(x)
    return before + np.sum(counts * x)


PROGRAMS = {
    "a list, that often": lambda x: np.sum(np.array([0.5] * positive(x) + [2.0]) * x),
    "that often a tuple": lambda x: len(positive(x) * (1.0, 2.0)) * np.sum(x**2),
    "a list of Values": lambda x: sum([x[0], x[1]] * np.argmax(x)),
    "a deque, that often": lambda x: sum(deque([1.0, 3.0]) * positive(x)) * x[0] ** 2,
    "a product of a list": lambda x: np.sum([1, 2, 3, 4] * x),
    "a product of a range": lambda x: np.sum(range(4) * x + positive(x) * np.arange(4.0)),
    "range": lambda x: np.sum((x**2 - range(4)) * (range(1, 5) / x) + (x < range(1, 5)) * x),
    "deque": lambda x: np.sum(x ** deque([1, 2, 3, 1]) @ deque([1.0, 2.0, 3.0, 4.0])),
    "equal to a range": lambda x: np.sum((np.round(x) == range(-1, 3)) * x),
    "not equal to a deque": lambda x: np.sum(x != deque([0.25, 1, 2.5, 3])) * x[0],
    "not None": lambda x: np.sum(x != None) * np.sum(x**2),  # noqa: E711
    "where not None": lambda x: np.sum(x[x != None] ** 2),  # noqa: E711
    "None": lambda x: np.sum(np.where(x == None, 3 * x, x**2)),  # noqa: E711
    "no text": lambda x: np.sum((x != "auto") * x**2),
    "roll": lambda x: np.sum(np.roll(x, positive(x)) * PLACES * x),
    "delete": lambda x: np.sum(np.delete(x, np.flatnonzero(x < 0)) ** 2),
    "insert": lambda x: np.sum(np.insert(x, np.flatnonzero(x > 0.6), x[:2]) * np.arange(6.0)),
    "diag": lambda x: np.sum(np.diag(x, np.argmax(x) - 1) ** 2),
    "linspace": lambda x: np.sum(np.linspace(x[0], x[2], num=positive(x)) ** 2),
    "fft": lambda x: np.sum(np.abs(np.fft.fft(x, n=positive(x))) ** 2),
    "partition": lambda x: np.partition(x, np.argmax(x))[2] ** 2,
    "axis": lambda x: np.sum(np.cumsum(np.outer(x, x), axis=np.argmin(x)) ** 2),
    "tril": lambda x: np.sum(np.tril(np.outer(x, x), np.argmin(x) - 1) ** 2),
    "bincount": lambda x: np.sum(np.bincount([0, 1, 1, 0], x**2, minlength=positive(x)) ** 2),
    "window": lambda x: np.sum(
        np.max(np.lib.stride_tricks.sliding_window_view(x, positive(x)), axis=1) ** 2
    ),
    "full": lambda x: np.sum(np.full(positive(x), x[0], like=x) ** 2),
    "steps written into plain arrays": sums_of_written_steps,
    "constants": constants_keep_what_they_were,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_program_is_numpys(name: str) -> None:
    program = PROGRAMS[name]
    check_at_point(program)
    gradient = ag.grad(program)(POINT)
    np.testing.assert_allclose(ag.grad(ag.checkpoint(program))(POINT), gradient, rtol=1e-14)
    leaf = ag.Value(POINT)
    program(leaf).backward()
    np.testing.assert_allclose(leaf.grad, gradient, rtol=1e-14)


@pytest.mark.filterwarnings("ignore::autograd_lite.AutogradWarning")
@pytest.mark.parametrize("name", PROGRAMS)
def test_samples_and_compiled_programs_give_the_same_or_refuse(name: str) -> None:
    program = PROGRAMS[name]
    expected = ag.grad(program)(POINT)
    for transform in (
        lambda: ag.vmap(ag.grad(program))(np.stack([POINT, POINT]))[1],
        lambda: ag.compile(ag.grad(program))(POINT),
    ):
        try:
            np.testing.assert_allclose(transform(), expected, rtol=1e-13)
        except ag.AutogradError:
            continue


def test_what_has_a_gradient_is_written_into_no_plain_array() -> None:
    def program(x: Any) -> Any:
        total = np.zeros(4)
        total += x
        return np.sum(total)

    for transform in (ag.grad(program), lambda x: ag.vmap(program)(np.stack([x, x]))):
        with pytest.raises(ag.InPlaceError, match=r"np\.add\(out=\) cannot write a Value into"):
            transform(POINT)


def test_a_single_number_is_not_none_and_no_text() -> None:
    assert (ag.Value(2.0) == None) is False  # noqa: E711
    assert (ag.Value(2.0) != "auto") is True
    assert ag.Value([1.0, 2.0])[0] != None  # noqa: E711
