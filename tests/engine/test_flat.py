"""``x.flat`` reads and writes what NumPy's iterators do, or refuses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from tests.engine.numpys_derivative import same_as_numpy

POINT = np.array([[0.5, -0.3, 1.2], [0.2, 0.7, -1.0]])

PLACES = [
    0, -1, np.int64(2), (1,), [0, 4], np.array([[0, 1], [5, 3]]), [],
    np.arange(6) % 2 == 0, np.s_[::-1], np.s_[5:1:-2], np.s_[2:2], ...,
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize("content", [0.7, [0.7, 0.2], [], np.s_[0], np.s_[:0]], ids=str)
def test_it_is_read_and_written_as_numpys(place: Any, content: Any) -> None:
    def function(x: Any) -> Any:
        y = x * 2
        read = y.flat[place]
        y.flat[place] = x.ravel()[content] if isinstance(content, (int, slice)) else content
        return np.concatenate([y.ravel(), np.ravel(y.flat[place]) ** 2, np.ravel(read)])

    try:
        function(POINT.copy())
    except ValueError:  # several numbers for one place
        with pytest.raises(ag.ArgumentValueError, match=r"x.flat\[i\] = v writes one number"):
            ag.vjp(function, POINT)
    else:
        same_as_numpy(function, POINT)


def write_nothing(x: Any) -> Any:
    y = x * 2
    y.flat = x[:0]
    return y


def test_nothing_to_write_leaves_all_as_it_is() -> None:
    same_as_numpy(write_nothing, POINT)
    np.testing.assert_array_equal(ag.compile(write_nothing)(POINT), POINT * 2)
    np.testing.assert_array_equal(ag.vmap(write_nothing)(POINT), POINT * 2)


@pytest.mark.parametrize("place", [True, np.False_, np.array(True), None, (None,)])
def test_what_means_something_else_there_is_refused(place: Any) -> None:
    def write(x: Any) -> Any:
        y = x * 2
        y.flat[place] = 1.0
        return y

    accesses: list[Callable[[Any], Any]] = [write, lambda x: x.flat[place]]
    for access in accesses:
        with pytest.raises(ag.ArgumentTypeError, match="NumPy's iterators take integers, slices"):
            ag.vjp(access, POINT)
