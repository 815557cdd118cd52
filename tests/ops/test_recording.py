"""Nothing that a rule does escapes the record: recorded gradients replay on other inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.pullback import Pullback
from autograd_lite.core.tree import flatten
from tests.engine.test_replay import Replay
from tests.ops.cases import CASES
from tests.ops.cases.case import Case
from tests.ops.numerical import random_like

DIFFERENTIABLE = [case for case in CASES if case.derivatives]


def gradients(case: Case, weights: list[Any], leaves: list[ag.Value], recorded: bool) -> list[Any]:
    """The gradients as the sweep leaves them: Values if it is recorded."""
    outputs = [value.node for value in flatten(case.call(*leaves))]
    pullback = Pullback(outputs, [leaf.node for leaf in leaves])
    return pullback(weights, recorded=recorded)


def shapes(case: Case, inputs: list[Any]) -> list[Any]:
    return [np.shape(x) for x in flatten(case.reference(*inputs))]


@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=lambda case: case.name)
def test_recorded_gradients_replay_on_other_inputs(case: Case) -> None:
    inputs, others = case.draw(0), case.draw(9)
    if shapes(case, inputs) != shapes(case, others):
        others = inputs  # a shape that depends on the numbers makes another program of others
    weights = random_like(np.random.default_rng(1), flatten(case.reference(*inputs)))
    leaves = [ag.Value(x) for x in inputs]
    recorded = gradients(case, weights, leaves, recorded=True)
    nodes = [g for g in recorded if isinstance(g, ag.Value)]
    replayed = iter(Replay(leaves, nodes)(*others))
    fresh = gradients(case, weights, [ag.Value(x) for x in others], recorded=False)
    for g, expected in zip(recorded, fresh, strict=True):
        again = next(replayed) if isinstance(g, ag.Value) else g
        np.testing.assert_allclose(again, expected, rtol=1e-11, atol=1e-11)
