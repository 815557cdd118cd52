"""Gradients of choices are np.where's, bit for bit, whatever bits there are."""

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.ops.choosing import chosen, share

SPECIAL = [np.inf, -np.inf, np.nan, -0.0, 0.0, 1.5, -2.0, 1e-310]


def gradients(dtype):
    """Rows of special numbers, laid out in memory in several ways."""
    table = np.array([SPECIAL, SPECIAL[::-1], SPECIAL], dtype)
    yield table
    yield table.T
    yield table[::2, ::-1]
    yield np.broadcast_to(table[0], (3, 8))
    yield np.asarray(table, table.dtype.newbyteorder())


def equal_bits(a, b):
    assert a.dtype == b.dtype
    assert np.array_equal(a, b, equal_nan=True)
    assert np.array_equal(np.signbit(a.real), np.signbit(b.real))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble", "complex128"])
def test_a_masked_gradient_is_where_s(dtype):
    rng = np.random.default_rng(0)
    for g in gradients(dtype):
        mask = rng.random(g.shape) > 0.5
        wanted = np.where(mask, g, 0)
        equal_bits(chosen(mask, g).astype(dtype), wanted.astype(dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ties_share_equally(dtype):
    rng = np.random.default_rng(1)
    for g in gradients(dtype):
        x = rng.integers(0, 3, g.shape).astype(dtype)
        x[0, 0] = np.nan
        wanted = np.where(x > 1, g, np.where(x == 1, g / 2, 0))
        equal_bits(share(x > 1, g, x, 1).astype(dtype), wanted.astype(dtype))


@pytest.mark.parametrize("function", [np.maximum, np.minimum])
def test_gradients_of_kinks_are_not_views(function):
    """What the caller gets is his to write, and is what an array beside it does not share."""
    x = np.array([-1.0, 0.0, 2.0])
    g = ag.grad(lambda x: np.sum(function(x, 0.0)))(x)
    assert g.base is None
    assert g.flags.writeable
    assert g.tolist() == ([0.0, 0.5, 1.0] if function is np.maximum else [1.0, 0.5, 0.0])
