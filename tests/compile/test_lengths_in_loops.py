"""Second derivatives of lengths, which have a kink at zero, inside and outside of loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag


def chosen(x: Any) -> Any:
    deviation = np.std(x)
    branches = (lambda: np.std(x) * 1.0), (lambda: np.cos(deviation) * 1.0)
    return np.tanh(ag.cond(x[1] > 0.5, *branches))


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "abs outside, norm inside": lambda x: np.sum(
        ag.scan(lambda c, e: (c * np.linalg.norm(c) * e, None), np.abs(x), x)[0]
    ),
    "abs outside, abs inside": lambda x: np.sum(
        ag.scan(lambda c, e: (np.abs(c) * e, None), np.abs(x), x)[0]
    ),
    "hypot outside, std inside": lambda x: np.sum(
        ag.scan(lambda c, e: (c * np.std(c) * e, None), np.hypot(x, 1.0), x)[0]
    ),
    "in a while_loop": lambda x: np.sum(
        ag.while_loop(
            lambda pair: pair[0] < 3,
            lambda pair: (pair[0] + 1, pair[1] * np.linalg.norm(pair[1]) * 0.3),
            (0, np.abs(x)),
        )[1]
    ),
    "captured": lambda x: (
        lambda a: np.sum(ag.scan(lambda c, e: (np.linalg.norm(c * a) * e * c, None), x, x)[0])
    )(np.abs(x)),
    "squares": lambda x: np.sum(
        ag.scan(
            lambda c, e: (c + np.linalg.norm(e) ** 2 + np.abs(c) ** 2, None),
            np.abs(x), np.stack([x, x * 2]),
        )[0]
    ),
    "in a branch": chosen,
}  # fmt: skip
POINTS = np.array([[1.0, 2.0, -0.5], [0.0, 1.0, -2.0], [0.0, 0.0, 0.0], [0.3, 0.0, 0.7]])


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_hessians_are_those_of_pythons_loops(program: Callable[[Any], Any]) -> None:
    hessian = ag.hessian(program)
    compiled = ag.compile(hessian)
    for x in POINTS:
        np.testing.assert_allclose(compiled(x), hessian(x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_third_derivatives_are_those_of_pythons_loops(program: Callable[[Any], Any]) -> None:
    def along(x: Any) -> Any:
        return ag.jvp(ag.hessian(program), x, np.cos(x))[1]

    def slope(x: Any) -> Any:
        return ag.grad(lambda x: np.sum(ag.hessian(program)(x) ** 2))(x)

    for third in (along, slope):
        compiled = ag.compile(third)
        for x in POINTS[:2]:
            np.testing.assert_allclose(compiled(x), third(x), rtol=1e-9, atol=1e-9)


def test_a_hessian_is_that_of_differences() -> None:
    program = PROGRAMS["abs outside, norm inside"]
    x, steps = POINTS[0], 1e-6 * np.eye(3)
    slope = ag.compile(ag.grad(program))
    differences = [(slope(x + h) - slope(x - h)) / 2e-6 for h in steps]
    np.testing.assert_allclose(ag.compile(ag.hessian(program))(x), differences, rtol=1e-5)
