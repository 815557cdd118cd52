"""Checkpoints in functions that vmap maps, of samples and of what is the same for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

X = np.array([1.0, 2.0, 3.0])
XS = np.stack([X, X * -0.5])
wave = ag.checkpoint(lambda x: np.sin(x) * x)


MIXED: dict[str, Callable[[Any, Any], Any]] = {
    "first of outside": lambda x, v: (x * 2, v * 3),
    "first of a sample": lambda x, v: (v * 3, x * 2),
    "of both": lambda x, v: (v * x, x * x),
}


@pytest.mark.parametrize(
    "function",
    [lambda x, v: wave(x), lambda x, v: wave(x) * v, lambda x, v: wave(x * 1.0) + wave(v)],
    ids=["captured", "times a sample", "beside one of a sample"],
)
def test_what_is_the_same_for_all_samples(function: Callable[[Any, Any], Any]) -> None:
    program = ag.compile(lambda x, xs: ag.vmap(lambda v: function(x, v))(xs))
    for scale in (1.0, 2.0, -1.0):
        x, xs = X * scale, XS * scale
        np.testing.assert_allclose(program(x, xs), [function(x, v) for v in xs], rtol=1e-14)


@pytest.mark.parametrize("function", MIXED.values(), ids=MIXED.keys())
def test_several_results_of_which_some_are_of_a_sample(
    function: Callable[[Any, Any], Any],
) -> None:
    def squares(call: Callable[..., Any]) -> Callable[[Any, Any], Any]:
        def total(x: Any, xs: Any) -> Any:
            return np.sum(np.sin(ag.vmap(lambda v: sum(np.sum(a * a) for a in call(x, v)))(xs)))

        return total

    for place in (0, 1):
        wanted = ag.grad(squares(function), place)(X, XS)
        gradient = ag.grad(squares(ag.checkpoint(function)), place)
        np.testing.assert_allclose(gradient(X, XS), wanted, rtol=1e-13)
        np.testing.assert_allclose(ag.compile(gradient)(X, XS), wanted, rtol=1e-13)
