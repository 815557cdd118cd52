"""Results that are written with ``out=``: into larger arrays, and the same for all samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from tests.engine.numpys_derivative import same_as_numpy

POINT = np.array([[0.5, -0.3, 1.2], [0.2, 0.7, -1.0]])

WRITES: dict[str, Callable[[Any, Any], Any]] = {
    "a row": lambda x, z: np.sin(x[0], out=z),
    "a number": lambda x, z: np.sin(x[0, 0], out=z),
    "a column and a number": lambda x, z: np.add(x[:, :1], x[0, 0], out=z),
    "its own row": lambda x, z: np.add(z[0], x[0], out=z),
    "one of two results": lambda x, z: np.modf(x[0], out=(z, None)),
    "with a mask": lambda x, z: np.sin(x[0], out=z, where=[True, False, True]),
    "numbers": lambda x, z: np.add(1.0, 2.0, out=z),
    "a plain row": lambda x, z: np.add(np.ones(3), 1.0, out=z),
    "plain numbers": lambda x, z: np.add(np.ones((2, 3)), 1.0, out=z),
    "a plain sum": lambda x, z: np.sum(np.ones((2, 2, 3)), axis=0, out=z),
    "plain numbers between bounds": lambda x, z: np.clip(np.ones((2, 3)), 0.0, 0.5, out=z),
    "plain parts": lambda x, z: np.concatenate([np.ones((1, 3)), np.eye(1, 3)], out=z),
    "plain products": lambda x, z: np.matmul(np.ones((2, 3)), np.eye(3), out=z),
}


@pytest.mark.parametrize("name", WRITES)
def test_they_are_numpys(name: str) -> None:
    def function(x: Any) -> Any:
        z = x * 2
        WRITES[name](x, z)
        return z * x + z**2

    same_as_numpy(function, POINT)
    expected = function(POINT)
    np.testing.assert_array_equal(ag.compile(function)(POINT), expected)
    np.testing.assert_array_equal(ag.vmap(function)(np.stack([POINT, -POINT]))[0], expected)


@pytest.mark.parametrize(
    "write",
    [
        lambda x, z: np.sin(x[:, :2], out=z),
        lambda x, z: np.sin(x, out=z[0]),
        lambda x, z: np.sin(x[None], out=z),
        lambda x, z: np.add.reduce(x, axis=0, out=z),
        lambda x, z: np.matmul(x[:1], np.eye(3), out=z),
        lambda x, z: np.sum(x, axis=0, out=z),
    ],
)
def test_what_does_not_fit_is_refused_as_in_numpy(write: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        write(POINT, POINT * 2)
    with pytest.raises(ag.ArgumentValueError, match="does not fit into the array of shape"):
        ag.vjp(lambda x: write(x, x * 2), POINT)
