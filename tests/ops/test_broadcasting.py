"""Functions that broadcast hand every input a gradient of its own shape."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.core.primitive import Primitive, registry
from tests.ops.cases import CASES
from tests.ops.cases.case import Case
from tests.ops.numerical import directional_derivative, inner, random_like

BINARY = [
    case
    for case in CASES
    if case.derivatives
    and len(case.domains) == 2
    and isinstance(case.function, np.ufunc)
    and isinstance(registry[case.function], Primitive)
    and case.function.signature is None
    and case.domains[0].shape == case.domains[1].shape
]


@pytest.mark.parametrize("case", BINARY, ids=lambda case: case.name)
@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3, min_side=0),
    seed=st.integers(0, 2**32 - 1),
)
def test_gradients_are_summed_over_what_was_broadcast(case: Case, shapes: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    inputs = [
        domain.draw(rng, shape)
        for domain, shape in zip(case.domains, shapes.input_shapes, strict=True)
    ]
    weights = random_like(rng, [case.reference(*inputs)])
    _, pullback = ag.vjp(case.call, *inputs)
    shares = pullback(weights[0])
    assert [np.shape(share) for share in shares] == list(shapes.input_shapes)
    direction = random_like(rng, inputs)
    numerical = directional_derivative(
        lambda *xs: inner(weights, [case.reference(*xs)]), inputs, direction, 8e-3
    )
    scale = sum(float(np.sum(np.abs(share))) for share in shares)
    assert abs(inner(shares, direction) - numerical) <= 2e-9 * max(scale, 1.0)
