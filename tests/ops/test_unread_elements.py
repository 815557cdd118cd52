"""What a function does not read gets no gradient, however steep what computed it is.

Behind such a function 0 · ∞ is 0, as it is behind `where`: of ``np.diag(np.sqrt(a))`` the
derivative by what is not on the diagonal is 0, also where that is 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.tree import flatten
from tests.ops.cases import CASES
from tests.ops.cases.case import Case

NOT_PROTECTED = (
    "power(", "float_power(",  # x ** 0: most powers are of no such number
    "imag(real)",
    "einsum(",  # of a diagonal: most are not
    "at.add(empty)",
    "scipy.",
)  # fmt: skip
"""Functions that leave something out so rarely that protection would cost more than it is worth."""

OF_NUMPY = [c for c in CASES if c.derivatives and not c.name.startswith(NOT_PROTECTED)]


def results(case: Case, inputs: list[Any]) -> list[Any] | None:
    """What a case computes; None if it refuses such inputs."""
    with np.errstate(all="ignore"):
        try:
            return [np.asarray(x) for x in flatten(case.reference(*inputs))]
        except (ValueError, FloatingPointError, np.linalg.LinAlgError):
            return None


def unread(case: Case, inputs: list[Any]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Elements of inputs on which no result depends."""
    expected = results(case, inputs)
    for place, x in enumerate(inputs):
        if x.dtype.kind not in "fc":
            continue
        for index in np.ndindex(x.shape):
            for number in (1.37 * x[index] + 0.11, np.nan):
                moved = x.copy()
                moved[index] = number
                found = results(case, [*inputs[:place], moved, *inputs[place + 1 :]])
                if found is None or not all(map(np.array_equal, found, expected or ())):
                    break
            else:
                yield place, index
                break


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", OF_NUMPY, ids=lambda case: case.name)
def test_what_is_not_read_gets_no_gradient(case: Case) -> None:
    inputs = case.draw(3)
    for place, index in unread(case, inputs):
        squares = [np.asarray(x) for x in inputs]
        squares[place] = np.ones(inputs[place].shape)
        squares[place][index] = 0.0
        rest = inputs[place] - squares[place]

        def function(*xs: Any, place: int = place, rest: Any = rest) -> Any:
            steep = rest + np.sqrt(xs[place])  # its derivative is infinite where nothing is read
            return flatten(case.call(*xs[:place], steep, *xs[place + 1 :]))

        out, pullback = ag.vjp(function, *squares)
        gradients = pullback([np.ones(np.shape(x), np.asarray(x).dtype) for x in out])
        assert gradients[place][index] == 0.0
