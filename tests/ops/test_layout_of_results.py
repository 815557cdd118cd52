"""How results lie in memory, which decides what ``order="K"`` means later and what is a view."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.primitive import registry
from autograd_lite.core.tree import flatten
from tests.ops.cases import CASES


def in_columns(x: Any) -> Any:
    return np.asfortranarray(x)


def turned(x: Any) -> Any:
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0)


def backwards(x: Any) -> Any:
    return np.ascontiguousarray(x[::-1])[::-1]


def steps_of(x: Any) -> list[int]:
    """The strides along axes on which there is anywhere to step."""
    return [stride for stride, length in zip(x.strides, x.shape, strict=True) if length > 1]


OF_NUMPY = [case for case in CASES if case.function in registry and case.reference is case.call]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("lay", [np.asarray, in_columns, turned, backwards])
def test_results_lie_in_memory_as_numpy_lays_them_out(lay: Any) -> None:
    checked = 0
    for case in OF_NUMPY:
        data = [lay(x) if np.ndim(x) > 1 else np.asarray(x) for x in case.draw()]
        with np.errstate(all="ignore"):
            theirs = flatten(case.call(*[x.copy("K") for x in data]))
            ours = flatten(case.call(*[ag.Value(x.copy("K")) for x in data]))
        for mine, yours in zip(ours, theirs, strict=True):
            found = mine.data if isinstance(mine, ag.Value) else mine
            if isinstance(yours, np.ndarray) and isinstance(found, np.ndarray) and yours.size > 1:
                assert steps_of(found) == steps_of(yours), case.name
                checked += 1
    assert checked > 500


@pytest.mark.parametrize("function", [np.ascontiguousarray, np.asfortranarray])
def test_what_has_no_axes_gets_one_and_is_a_view(function: Any) -> None:
    def f(x: Any) -> Any:
        part = np.copy(x[0])
        row = function(part, like=x) if isinstance(x, ag.Value) else function(part)
        row += 1
        return part * row

    x = np.array([2.0, 3.0])
    assert f(x).tolist() == [9.0]
    value, pullback = ag.vjp(f, x)
    assert value.tolist() == [9.0]
    np.testing.assert_array_equal(pullback(np.ones(1))[0], [6.0, 0.0])
    np.testing.assert_array_equal(ag.vmap(f)(np.stack([x, x + 1])), [[9.0], [16.0]])
