"""Spaced verification: now and then the function itself runs beside its program."""

from __future__ import annotations

import logging

import numpy as np
import pytest

import autograd_lite as ag
from tests.compile.held import X

SCALE = logging.getLogger("scale of a test")
"""What holds a number that no guard watches."""


def test_verification_repeats_draws_and_leaves_the_stream_as_it_is():
    rng, same = np.random.default_rng(0), np.random.default_rng(0)
    noisy = ag.compile(lambda x: x + ag.random.normal(rng, 0.0, 1.0, x.shape))
    for _ in range(20):
        np.testing.assert_array_equal(noisy(X), X + same.normal(0.0, 1.0, 3))


@pytest.mark.parametrize("way", ["captured", "given", "in a loop"])
def test_verification_sees_changes_beside_draws(way):
    rng, same = np.random.default_rng(0), np.random.default_rng(0)

    def noise(rng):
        if way == "in a loop":
            return ag.scan(lambda c, _: (c + ag.random.normal(rng), None), 0.0, length=3)[0]
        return ag.random.uniform(rng, size=3)

    def scaled(x, rng=rng):
        return x * noise(rng) * float(SCALE.getEffectiveLevel())

    given = [] if way == "captured" else [rng]
    SCALE.setLevel(1)
    compiled = ag.compile(scaled)
    for _ in range(2):
        np.testing.assert_allclose(compiled(X, *given), scaled(X, same))
    SCALE.setLevel(2)
    compiled(X, *given)
    with pytest.raises(ag.CompileError, match=r"at call 4 .* does not compute what the function"):
        compiled(X, *given)


def test_verification_does_not_write_to_what_is_donated_or_passed():
    step = ag.compile(lambda w, g: w - 0.1 * g, donate=0)
    w, g, right = np.ones(3), np.arange(3.0), np.ones(3)
    for _ in range(20):
        assert step(w, g) is w
        right = right - 0.1 * g
        np.testing.assert_allclose(w, right)
    np.testing.assert_array_equal(g, np.arange(3.0))


@pytest.mark.parametrize("call", [1, 4, 8])
@pytest.mark.parametrize("way", ["argument", "captured"])
def test_what_is_written_over_hides_no_difference(way, call):
    """A large step: how far rounding goes was measured from where the step had led."""
    SCALE.setLevel(2 if call == 1 else 1)

    def scale(x):
        return float(SCALE.getEffectiveLevel()) if call > 1 or isinstance(x, ag.Value) else 1.0

    w, rng = ag.Value(np.ones(3)), np.random.default_rng(0)

    def moved(w, x, rng):
        return w - 0.5 * scale(x) * np.sum(x * w) * ag.random.random(rng, (3,))

    if way == "captured":
        compiled = ag.compile(lambda x, rng: moved(w, x, rng), donate=w)
        given = []
    else:
        compiled, given = ag.compile(moved, donate=0), [w.data]
    for _ in range(1, call):
        compiled(*given, X, rng)
    before, draws = w.data.copy(), rng.bit_generator.state
    SCALE.setLevel(2)
    with pytest.raises(ag.CompileError, match=f"at call {call} .* does not compute what"):
        compiled(*given, X, rng)
    np.testing.assert_array_equal(w.data, before)
    assert rng.bit_generator.state == draws


def test_rounding_that_grows_is_no_difference():
    """The logistic map doubles a difference at each step: after 60 the digits are others."""

    def chaotic(x):
        for _ in range(60):
            x = 3.999 * x * (1 - x)
        return x

    compiled = ag.compile(lambda x: chaotic(x / 3 + 0.1))
    for _ in range(9):
        compiled(np.linspace(0.1, 0.9, 7))
    cancelling = ag.compile(lambda x: np.sum(x - np.mean(x)))
    for k in range(9):
        cancelling(np.linspace(0.1, 0.9 + k, 1000))


def test_large_functions_are_traced_again_instead(monkeypatch):
    def deep(x):
        for _ in range(40):
            x = np.sin(x)
        return x

    def forbidden(*args):
        raise MemoryError

    monkeypatch.setattr("autograd_lite.compiler.api.outcome_of", forbidden)
    monkeypatch.setattr("autograd_lite.compiler.executable.MOST_VERIFIED", 10_000)
    compiled = ag.compile(deep)
    for _ in range(5):
        compiled(np.ones(100))
    with pytest.raises(MemoryError):
        compiled(np.ones(3))
