"""Every case on CuPy's arrays, where there is a GPU: ``pytest -m cupy``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from tests.ops.cases import CASES
from tests.ops.cases.case import Case
from tests.ops.cupy_library import cupy_with_gpu
from tests.ops.test_device_arrays import values_and_gradients

pytestmark = pytest.mark.cupy


@pytest.fixture(scope="module")
def cupy() -> Any:
    return cupy_with_gpu()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_values_and_gradients_are_numpys_or_the_function_is_refused_by_name(
    case: Case, cupy: Any
) -> None:
    try:
        found = values_and_gradients(case, [cupy.asarray(x) for x in case.draw()])
    except ag.UnsupportedError as error:
        assert ": cupy cannot compute this on its arrays" in str(error)
        return
    for mine, numpys in zip(found, values_and_gradients(case, case.draw()), strict=True):
        for a, b in zip(mine, numpys, strict=True):
            if np.asarray(b).dtype.kind in "fciub":
                a = cupy.asnumpy(a)
                np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


def test_a_model_moves_there_and_back(cupy: Any) -> None:
    import nn

    model = nn.MLP(3, [4, 2], rng=0).to(cupy)
    x = cupy.asarray(np.linspace(-1, 1, 15).reshape(5, 3))
    loss = np.mean(model(x) ** 2)
    loss.backward()
    assert all(isinstance(p.grad, cupy.ndarray) for p in model.parameters())
    assert isinstance(model.to(np)[0].weight.data, np.ndarray)
