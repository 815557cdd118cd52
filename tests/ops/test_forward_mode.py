"""Forward mode computes at each operation what transposing the whole pullback gives."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.tree import flatten
from autograd_lite.transforms import forward
from tests.ops.cases import CASES
from tests.ops.cases.case import Case
from tests.ops.numerical import random_like

DIFFERENTIABLE = [case for case in CASES if case.derivatives]

every_derivative = pytest.mark.parametrize("case", DIFFERENTIABLE, ids=lambda case: case.name)


def in_both_ways(monkeypatch: pytest.MonkeyPatch, compute: Callable[[], Any]) -> tuple[Any, Any]:
    """The numbers with the graph cut off at every operation, and with none of it."""
    found = []
    for most in (-1, sys.maxsize):
        monkeypatch.setattr(forward, "MOST_HELD", most)
        found.append(flatten(compute()))
    return found[0], found[1]


def assert_same(found: Any, expected: Any, precision: float = 1e-13) -> None:
    assert len(found) == len(expected)
    scale = max([1.0, *(float(np.max(np.abs(x), initial=0)) for x in expected)])
    for x, y in zip(found, expected, strict=True):
        assert type(x) is type(y)
        assert np.shape(x) == np.shape(y)
        assert np.asarray(x).dtype == np.asarray(y).dtype
        np.testing.assert_allclose(x, y, rtol=precision, atol=precision * scale)


def narrowed(x: Any) -> Any:
    return x.astype(np.complex64 if np.iscomplexobj(x) else np.float32)


@every_derivative
@pytest.mark.filterwarnings("ignore:logm result may be inaccurate")  # SciPy's, in float32
@pytest.mark.parametrize("precision", [1e-13, 1e-4])
def test_the_first_derivative(
    case: Case, precision: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = case.draw(1) if precision < 1e-6 else list(map(narrowed, case.draw(1)))
    directions = random_like(np.random.default_rng(2), inputs)
    directions = tuple(v.astype(x.dtype) for v, x in zip(directions, inputs, strict=True))

    def listed(*xs: Any) -> Any:
        return flatten(case.call(*xs))

    found, expected = in_both_ways(monkeypatch, lambda: ag.jvp(listed, tuple(inputs), directions))
    assert_same(found, expected, precision)


@pytest.mark.parametrize(
    "case", [case for case in DIFFERENTIABLE if case.derivatives > 1], ids=lambda case: case.name
)
def test_the_second_derivative(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forward mode over forward mode, and over reverse mode."""
    inputs = tuple(case.draw(1))
    rng = np.random.default_rng(2)
    first, second = tuple(random_like(rng, inputs)), tuple(random_like(rng, inputs))

    def listed(*xs: Any) -> Any:
        return flatten(case.call(*xs))

    def along(*xs: Any) -> Any:
        return ag.jvp(listed, xs, first)[1]

    def pulled(*xs: Any) -> Any:
        value, pullback = ag.vjp(listed, *xs)
        return pullback([np.cos(np.arange(np.size(x))).reshape(np.shape(x)) for x in value])

    for inner in (along, pulled):
        found, expected = in_both_ways(
            monkeypatch, lambda inner=inner: ag.jvp(inner, inputs, second)
        )
        assert_same(found, expected, 1e-12)
