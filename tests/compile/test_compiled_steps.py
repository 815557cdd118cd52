"""backend="numba": loops compiled with their bodies, so that a step costs no Python."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from tests.compile.loop_checks import RNG, XS, A, W, assert_same, loss_of
from tests.compile.test_loops_and_branches import softmax

pytest.importorskip("numba")

GATES = RNG.normal(size=(3, 6))


def gated(gates: Any, xs: Any) -> Any:
    """Gates that are parts of one product, as of an LSTM; a number that is carried along."""

    def step(carry: Any, x: Any) -> Any:
        h, count = carry
        z = (x + h) @ gates
        h = np.tanh(z[:3]) * softmax(z[3:]) + 0.5 * h[::-1]
        return (h, count * 0.5 + z[0]), (h, np.max(z), h > 0)

    return ag.scan(step, (xs[0], np.float64(0.0)), xs, reverse=True)


def of_matrices(a: Any, x: Any) -> Any:
    """Products of all kinds: with columns, rows, matrices and what is carried."""

    def step(c: Any, row: Any) -> Any:
        c = np.tanh(a @ c + c @ a.T + np.outer(row, row @ a))
        return c, (c @ row, np.mean(c, axis=0, keepdims=True), c.T)

    return ag.scan(step, x, XS)


def exchanged(w: Any, scale: Any) -> Any:
    def step(c: Any, x: Any) -> Any:
        return (c[1], np.where(x > 0, c[0] * scale, np.sqrt(np.abs(x)))), c[0]

    return ag.scan(step, (w, w * 2), XS.astype(w.dtype))


PROGRAMS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "gates": (gated, (GATES, XS)),
    "products": (of_matrices, (A, A)),
    "exchanged, float32": (exchanged, (W.astype(np.float32), np.float32(0.7))),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_whole_loops_give_what_the_plain_function_gives(name: str) -> None:
    function, args = PROGRAMS[name]
    both = ag.value_and_grad(loss_of(function), tuple(range(len(args))))
    compiled = ag.compile(both, backend="numba")
    for scale in (1.0, -0.8):
        scaled = tuple(x * x.dtype.type(scale)
                       for x in args)  # fmt: skip
        assert_same(compiled(*scaled), both(*scaled), 1e-5 if "float32" in name else 1e-10)
    program = compiled.source.split("def prepare")[1]
    assert "for " not in program and "guvectorize" in compiled.source


def test_arguments_that_are_not_in_order_and_errors_of_arithmetic() -> None:
    compiled = ag.compile(
        lambda xs, w: ag.scan(lambda c, x: (c / x + w, c), w, xs), backend="numba"
    )
    strided = np.ones((6, 6))[::2, ::2], np.ones(6)[::2]
    assert_same(compiled(*strided)[0], np.full(3, 4.0))
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        compiled(np.zeros((3, 3)), np.ones(3))
    with warnings.catch_warnings(), np.errstate(divide="ignore"):
        warnings.simplefilter("error")
        compiled(np.zeros((3, 3)), np.ones(3))


def test_what_numba_has_no_loops_for_stays_a_loop_of_python() -> None:
    def program(a: Any) -> Any:
        return ag.scan(lambda c, x: (np.tanh(np.linalg.inv(c)), c), a, None, length=3)

    compiled = ag.compile(program, backend="numba")
    assert_same(compiled(A), program(A), 1e-9)
    assert "for " in compiled.source.split("def prepare")[1]
