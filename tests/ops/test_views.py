"""Results are views exactly where NumPy's are, so that writes mean what they mean there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.tree import flatten
from autograd_lite.core.views import Looking
from tests.ops.cases import CASES
from tests.ops.cases.case import Case


def is_written_through(result: Any, inputs: list[Any]) -> list[bool]:
    """For each input, whether it changes when the result is written."""
    before = [np.array(x) for x in inputs]
    result[...] = 77 + result
    return [not np.array_equal(x, y, equal_nan=True) for x, y in zip(inputs, before, strict=True)]


def plain(x: Any) -> Any:
    return x.data if isinstance(x, ag.Value) else x


def is_array(x: Any) -> bool:
    return isinstance(plain(x), np.ndarray) and plain(x).dtype.kind in "fc"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_write_into_a_result_reaches_the_inputs_as_in_numpy(case: Case) -> None:
    drawn = case.draw()
    for index in range(len(flatten(case.reference(*drawn)))):
        arrays = [np.array(x) for x in drawn]
        theirs = flatten(case.reference(*arrays))[index]
        if not is_array(theirs):
            continue
        values = [np.copy(ag.Value(x)) if x.dtype.kind in "fc" else x for x in drawn]
        ours = flatten(case.call(*values))[index]
        if not isinstance(ours, ag.Value):
            continue
        try:
            reached = is_written_through(theirs, arrays)
        except (ValueError, FutureWarning, DeprecationWarning):
            if case.function is np.imag:
                continue  # NumPy's zeros are read-only, ours are not
            with pytest.raises(ag.InPlaceError, match="read-only"):
                ours[...] = 1.0
            continue
        before = [plain(x).copy() for x in values]
        ours[...] = 77 + ours
        changed = [
            not np.array_equal(plain(x), y, equal_nan=True)
            for x, y in zip(values, before, strict=True)
        ]
        assert changed == reached
        for mine, yours in zip(values, arrays, strict=True):
            assert np.array_equal(plain(mine), yours, equal_nan=True)
        assert np.array_equal(plain(ours), theirs, equal_nan=True)


def test_a_view_is_a_value_like_any_other() -> None:
    x = ag.Value([1.0, 2.0, 3.0])
    view = x[1:]
    assert isinstance(view, Looking)
    assert isinstance(view, ag.Value)
    assert repr(view) == "Value([2., 3.])"
