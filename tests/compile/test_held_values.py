"""Values that a function holds and that are updated between calls."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import autograd_lite as ag
from tests.compile.held import X


def written(w):
    w[0] = 0.5 * w.data[0]


def subtracted(w):
    w -= 0.1


def copied_to(w):
    np.copyto(w, 0.9 * w.data)


def written_by_out(w):
    np.multiply(w, 0.9, out=w)


def assigned(w):
    w.data = 0.9 * w.data


@pytest.mark.parametrize("update", [written, subtracted, copied_to, written_by_out, assigned])
@pytest.mark.parametrize("requires_grad", [True, False])
@pytest.mark.parametrize("place", ["closure", "attribute", "list"])
def test_values_that_are_updated_are_read_at_every_call(update, requires_grad, place):
    w = ag.Value(np.ones(3), requires_grad=requires_grad)
    held = {"closure": w, "attribute": SimpleNamespace(w=w), "list": [w]}[place]

    def read():
        return held.w if place == "attribute" else held[0] if place == "list" else held

    def loss(x):
        return np.sum(np.sin(x * read()))

    wanted = (lambda x: ag.gradients(loss(x), [read()])[0]) if requires_grad else loss
    step = ag.compile(wanted)
    for _ in range(9):
        expected = np.cos(X * w.data) * X if requires_grad else np.sum(np.sin(X * w.data))
        np.testing.assert_allclose(step(X), expected, rtol=1e-12)
        with ag.no_grad():
            update(w)


def test_a_value_that_becomes_another_one_is_refused():
    w, other = ag.Value(np.ones(3)), ag.Value(np.ones(3))
    held = [w]
    step = ag.compile(lambda x: np.sum(x * held[0]))
    step(X)
    held[0] = other
    with pytest.raises(ag.CompileError, match="has changed"):
        step(X)
    computed = ag.Value(np.ones(3)) * 2.0
    step = ag.compile(lambda x: np.sum(x * computed))
    step(X)
    computed *= 3.0
    with pytest.raises(ag.CompileError, match="'computed' is another object"):
        step(X)


def test_a_number_that_was_read_of_a_value_is_compared_when_that_is_updated():
    w = ag.Value(np.ones(3))
    scaled = ag.compile(lambda x: x * float(w.data[0]))
    for _ in range(2):
        scaled(X)
    with ag.no_grad():
        w *= 3.0
    with pytest.raises(ag.CompileError, match="whose number was read while it was traced"):
        scaled(X)
