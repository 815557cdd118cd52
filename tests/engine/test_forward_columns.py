"""Jacobians column by column, and linear maps that are used again: what rows and `jvp` give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.backward import is_complex
from autograd_lite.core.tree import flatten
from autograd_lite.transforms import tangents
from tests.ops.cases import CASES
from tests.ops.cases.case import Case


def is_real(case: Case) -> bool:
    inputs = case.draw()
    return not any(map(is_complex, (*inputs, *flatten(case.reference(*inputs)))))


REAL = [case for case in CASES if case.derivatives and is_real(case)]


@pytest.mark.parametrize("case", REAL, ids=lambda case: case.name)
def test_columns_are_those_of_the_rows(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = case.draw()
    jacobian = ag.jacobian(lambda *xs: flatten(case.call(*xs)), range(len(inputs)))
    monkeypatch.setattr(tangents, "FEWER", 10**9)
    by_row = jacobian(*inputs)
    monkeypatch.setattr(tangents, "FEWER", 0)
    by_column = jacobian(*inputs)
    for x, y in zip(flatten(by_column), flatten(by_row), strict=True):
        assert x.shape == y.shape
        assert x.dtype == y.dtype
        size = max(1.0, float(np.max(np.abs(y), initial=0.0)))
        np.testing.assert_allclose(x, y, rtol=1e-11, atol=1e-13 * size)


def decay(p: Any, t: Any) -> Any:
    return p[0] * np.exp(-p[1] * t) + p[2]


def test_a_tall_jacobian_is_computed_by_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    push = tangents.push_together

    def counting(trace: Any, directions: Any, count: int) -> Any:
        counts.append(count)
        return push(trace, directions, count)

    monkeypatch.setattr(tangents, "push_together", counting)
    t, p = np.linspace(0, 1, 1000), np.array([2.0, 0.5, 1.0])
    found = ag.jacobian(decay)(p, t)
    by_hand = np.stack([np.exp(-p[1] * t), -t * p[0] * np.exp(-p[1] * t), np.ones_like(t)], axis=1)
    np.testing.assert_allclose(found, by_hand, rtol=1e-14)
    assert found.flags.owndata
    assert found.flags.writeable
    wide = ag.jacobian(lambda x: np.array([[1.0, 0, 2, 0]] * 3) @ x)(np.ones(4))
    assert wide.shape == (3, 4)
    assert counts == [3]


def test_nestings_and_aux_of_tall_ones() -> None:
    def f(p: Any, t: Any) -> Any:
        return {"y": decay(p["a"], t) * p["b"], "z": t * p["b"]}, "aux"

    arguments = {"a": np.array([2.0, 0.5, 1.0]), "b": 3.0}, np.linspace(0, 1, 50)
    found, aux = ag.jacobian(f, has_aux=True)(*arguments)
    assert aux == "aux"
    assert found["y"]["a"].shape == (50, 3)
    np.testing.assert_allclose(found["z"]["b"], arguments[1])
    assert not found["z"]["a"].any()


def test_inside_of_other_transforms() -> None:
    t, p = np.linspace(0, 1, 40), np.array([2.0, 0.5, 1.0])

    def total(scale: Any) -> Any:
        return np.sum(ag.jacobian(lambda p: decay(p * scale, t))(p) ** 2)

    by_difference = (total(1.3 + 1e-6) - total(1.3 - 1e-6)) / 2e-6
    assert ag.grad(total)(1.3) == pytest.approx(by_difference, rel=1e-7)
    mapped = ag.vmap(lambda p: ag.jacobian(decay)(p, t))(np.stack([p, 2 * p]))
    np.testing.assert_allclose(mapped[1], ag.jacobian(decay)(2 * p, t), rtol=1e-13)
    compiled = ag.compile(ag.jacobian(decay))(p, t)
    np.testing.assert_allclose(compiled, ag.jacobian(decay)(p, t), rtol=1e-13)
    with np.errstate(all="raise"):
        masked = ag.jacobian(lambda x: np.where(t > 0.5, np.sqrt(np.maximum(x, 1)), 0.0))(0.0)
    np.testing.assert_array_equal(masked, np.zeros(40))


def test_float32_stays_float32() -> None:
    p = np.array([2, 0.5, 1], np.float32)
    assert ag.jacobian(decay)(p, np.linspace(0, 1, 50, dtype=np.float32)).dtype == np.float32


# Linear maps.


@pytest.mark.parametrize("case", REAL[::7], ids=lambda case: case.name)
def test_a_linear_map_gives_what_jvp_gives(case: Case) -> None:
    inputs = tuple(case.draw())
    rng = np.random.default_rng(0)

    def listed(*xs: Any) -> Any:
        return flatten(case.call(*xs))

    value, pushforward = ag.linearize(listed, *inputs)
    for _ in range(2):
        directions = tuple(rng.normal(size=np.shape(x)).astype(x.dtype) for x in inputs)
        expected, tangent = ag.jvp(listed, inputs, directions)
        for found, wanted in ((value, expected), (pushforward(*directions), tangent)):
            for x, y in zip(flatten(found), flatten(wanted), strict=True):
                np.testing.assert_array_equal(x, y)


def test_the_function_is_called_once_and_later_writes_change_nothing() -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(1)
        return x * x

    x = np.array([1.0, 3.0])
    value, pushforward = ag.linearize(f, x)
    x[:] = 100.0
    value[:] = 7.0
    for _ in range(3):
        np.testing.assert_array_equal(pushforward(np.array([1.0, 0.5])), [2.0, 3.0])
    assert calls == [1]


def test_maps_are_differentiated_by_directions_and_by_what_was_captured() -> None:
    def along(v: Any) -> Any:
        return ag.linearize(np.sin, 0.3)[1](v)

    assert ag.grad(along)(2.0) == pytest.approx(np.cos(0.3))

    def captured(a: Any) -> Any:
        return ag.linearize(lambda x: np.sin(a * x), 0.3)[1](1.0)

    assert ag.grad(captured)(0.7) == pytest.approx(np.cos(0.21) - 0.21 * np.sin(0.21))
    assert ag.compile(captured)(0.7) == pytest.approx(0.7 * np.cos(0.21))


def test_errors_of_maps_say_what_is_wrong() -> None:
    _, pushforward, aux = ag.linearize(lambda x, y: (x * y, "aux"), 1.0, 2.0, has_aux=True)
    assert aux == "aux"
    with pytest.raises(ag.ArgumentTypeError, match="given 1 directions; pass one for each"):
        pushforward(1.0)
    with pytest.raises(ag.ArgumentValueError, match="tangent has shape"):
        pushforward(np.ones(2), 1.0)
