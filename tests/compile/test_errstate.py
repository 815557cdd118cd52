"""A program warns where the function warns, and is silent where the function is."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

X = np.array([0.0, 1.0, -2.0])


def chosen_root(x: Any) -> Any:
    return np.sum(np.where(x > 0, np.sqrt(np.abs(x)), 0.0))


def silent_reciprocal(x: Any) -> Any:
    with np.errstate(divide="ignore"):
        y = 1 / x
    return np.where(x == 0, 0.0, y)


def both(x: Any) -> Any:
    return silent_reciprocal(x), 1 / x


def loud_reciprocal(x: Any) -> Any:
    with np.errstate(divide="raise"):
        return 1 / x


def heard(function: Any, *args: Any) -> list[str]:
    """What a call says of floating-point errors: its warnings, or the error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            function(*args)
        except FloatingPointError as error:
            return [f"error: {error}"]
    return sorted({str(warning.message) for warning in caught})


@pytest.mark.parametrize("size", [3, 3 << 10], ids=["small", "in blocks"])
@pytest.mark.parametrize(
    "function", [ag.grad(chosen_root), silent_reciprocal, both, loud_reciprocal, np.sqrt]
)
def test_a_program_says_what_the_function_says(function: Any, size: int) -> None:
    x = np.resize(X, size)
    compiled = ag.compile(function, check=False, block=8)
    with np.errstate(all="ignore"):
        compiled(np.ones_like(x))
    assert heard(compiled, x) == heard(function, x)


def test_lines_under_one_errstate_stand_together() -> None:
    compiled = ag.compile(ag.grad(chosen_root))
    compiled(X)
    assert compiled.source.count("with errstate(all='ignore'):") == 1


def test_what_was_silenced_does_not_silence_its_like() -> None:
    compiled = ag.compile(both)
    with np.errstate(all="ignore"):
        compiled(X)
    assert compiled.source.count("divide(number_1, x") == 2
    assert compiled.source.count("with errstate(divide='ignore'):") == 1


def test_loops_of_numba_are_silent_too() -> None:
    pytest.importorskip("numba")
    compiled = ag.compile(ag.grad(chosen_root), backend="numba")
    x = np.resize(X, 1000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(compiled(x), ag.grad(chosen_root)(x))
