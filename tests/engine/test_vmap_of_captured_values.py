"""Values from outside of a mapped function: what is computed from them alone keeps its gradient.

Inside nothing is recorded for the samples unless a transform asks for it; outside it is.
"""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

XS = np.array([1.0, 2.0, 3.0])
SUM = 6.0

INSIDE: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any], Any]]] = {
    "another batch": (lambda r, x: r * np.sum(ag.vmap(lambda s: s * x * x)(XS)), lambda x: 12 * x),
    "a third batch": (
        lambda r, x: np.sum(ag.vmap(lambda s: r * ag.vmap(lambda t: s * t * x)(XS))(XS)),
        lambda x: SUM**2,
    ),
    "a copy": (lambda r, x: r * copy.copy(x) ** 2, lambda x: 2 * x),
    "a deep copy": (lambda r, x: r * copy.deepcopy({"x": x})["x"] ** 2, lambda x: 2 * x),
    "a derivative": (lambda r, x: r * ag.grad(lambda q: q * q * x)(3.0), lambda x: 6.0),
    "its value": (lambda r, x: r * ag.value_and_grad(lambda q: q * x)(3.0)[0], lambda x: 3.0),
    "a derivative by it": (lambda r, x: r * ag.grad(lambda q: q**3)(x), lambda x: 6 * x),
    "a pullback": (lambda r, x: r * ag.vjp(lambda q: q * q * x, 3.0)[1](1.0)[0], lambda x: 6.0),
    "a direction": (lambda r, x: r * ag.jvp(lambda q: q**3, (x,), (1.0,))[1], lambda x: 6 * x),
    "along it": (lambda r, x: r * ag.jvp(lambda q: q * q, (3.0,), (x,))[1], lambda x: 6.0),
    "a Hessian": (lambda r, x: r * ag.hvp(lambda q: q**3 * x, 2.0, 1.0), lambda x: 12.0),
    "a Jacobian": (lambda r, x: r * ag.jacobian(lambda q: q * q * x)(3.0), lambda x: 6.0),
}


@pytest.mark.parametrize("name", INSIDE)
def test_gradients_of_captured_values(name: str) -> None:
    function, slope = INSIDE[name]

    def total(x: Any) -> Any:
        return np.sum(ag.vmap(lambda r: function(r, x))(XS))

    for transform in (lambda f: f, ag.compile):
        np.testing.assert_allclose(transform(ag.grad(total))(2.0), SUM * slope(2.0), rtol=1e-12)
    np.testing.assert_allclose(ag.jvp(total, (2.0,), (0.5,))[1], SUM * slope(2.0) / 2, rtol=1e-12)
    each = ag.vmap(ag.grad(total))(XS)
    np.testing.assert_allclose(each, [SUM * slope(x) for x in XS], rtol=1e-12)


LEAVING: list[Callable[[Any], Any]] = [
    math.sin, float, lambda x: pickle.loads(pickle.dumps(x)), lambda x: np.full(3, 1.0).tolist()[0]
    + float(x), lambda x: {2.0: 3.0}.get(x, 1.0), lambda x: np.fromiter([x], float),
]  # fmt: skip


@pytest.mark.parametrize("leave", LEAVING)
def test_numbers_of_captured_values_do_not_leave(leave: Callable[[Any], Any]) -> None:
    def total(x: Any) -> Any:
        return np.sum(ag.vmap(lambda r: r * leave(x))(XS))

    with pytest.raises(ag.UnsupportedError, match="gradient would be lost"):
        ag.grad(total)(2.0)
    total(2.0)  # where nothing is differentiated, they may


def test_constants_beside_captured_values_are_kept() -> None:
    def total(x: Any) -> Any:
        def function(r: Any) -> Any:
            scale = np.full(1, 0.5)
            found = np.sin(x) * scale
            scale[0] = 3.0
            return r * found[0]

        return np.sum(ag.vmap(function)(XS))

    right = SUM * 0.5 * np.cos(XS)
    np.testing.assert_allclose([ag.grad(total)(x) for x in XS], right)
    np.testing.assert_allclose(ag.vmap(ag.grad(total))(XS), right)


def test_samples_are_not_pickled() -> None:
    with pytest.raises(ag.UnsupportedError, match="there is one for each of 3 samples"):
        ag.vmap(lambda r: pickle.loads(pickle.dumps(r)))(XS)
