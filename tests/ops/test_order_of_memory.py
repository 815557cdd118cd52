"""``order="A"`` and ``"K"`` follow how the input lies in memory: values and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

C = np.arange(24.0).reshape(2, 3, 4)
LAYOUTS = {
    "C": C,
    "Fortran": np.asfortranarray(C),
    "transposed": C.transpose(1, 0, 2),
    "turned": C.transpose(2, 0, 1),
    "reversed": C[::-1],
    "with gaps": C.transpose(1, 2, 0)[::-1, :, ::2],
    "matrix": np.asfortranarray(C[0]),
    "row": np.asfortranarray(C[0])[:1],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("order", ["C", "F", "A", "K"])
def test_ravel_and_its_gradient_read_as_numpy_does(layout: str, order: Any) -> None:
    x = LAYOUTS[layout]
    weights = np.arange(1.0, x.size + 1)
    value, share = ag.value_and_grad(lambda x: np.sum(np.ravel(x, order) * weights))(x)
    assert value == np.sum(np.ravel(x, order) * weights)
    numbers = np.empty_like(x, dtype=int)
    numbers[...] = np.arange(x.size).reshape(x.shape)
    expected = np.empty(x.size)
    expected[np.ravel(numbers, order)] = weights
    np.testing.assert_array_equal(share, expected.reshape(x.shape))
    assert not np.any(ag.hessian(lambda x: np.sum(np.ravel(x, order) * weights))(x))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("order", ["C", "F", "A", "K"])
def test_rows_that_are_one_in_memory_are_read_as_numpy_does(layout: str, order: Any) -> None:
    """Where its strides are zero, NumPy's ``ravel`` sorts axes otherwise than its ``copy``."""
    x = LAYOUTS[layout]

    def weighted(row: Any) -> Any:
        return np.sum(row * np.cos(np.arange(row.size)))

    def repeated(x: Any) -> Any:
        rows = np.broadcast_to(x[..., None, :], (2, *x.shape[:-1], 3, x.shape[-1]))
        return weighted(np.ravel(rows, order)) + weighted(rows.T.flatten(order))

    value, share = ag.value_and_grad(repeated)(x)
    assert value == repeated(x)
    np.testing.assert_allclose(np.sum(share * x), value)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("order", ["C", "F", "A"])
def test_reshape_and_its_gradient_read_as_numpy_does(layout: str, order: Any) -> None:
    x = LAYOUTS[layout]
    shape = (-1, x.shape[0])
    weights = np.arange(1.0, x.size + 1).reshape(np.reshape(x, shape).shape)

    def function(x: Any) -> Any:
        return np.sum(np.reshape(x, shape, order=order) * weights)

    value, share = ag.value_and_grad(function)(x)
    assert value == function(x)
    units = np.eye(x.size).reshape(x.size, *x.shape)
    laid_out = np.empty_like(x)
    for place, unit in enumerate(units):
        laid_out[...] = unit
        assert share.ravel()[place] == function(laid_out)


@pytest.mark.parametrize("order", ["A", "K"])
def test_programs_lay_out_arrays_as_suits_them_and_refuse_by_name(order: Any) -> None:
    with pytest.raises(ag.CompileError) as error:
        ag.compile(lambda x: np.ravel(x, order))(C)
    assert str(error.value) == (
        f'order="{order}" asks how an array lies in memory, and a program lays out arrays as '
        'suits it; write order="C" or order="F"'
    )
    assert ag.compile(lambda x: np.ravel(x, order))(C[0, 0]).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("order", ["C", "F", "A", "K"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("copy", [True, False])
def test_a_cast_is_laid_out_and_written_as_numpys(
    layout: str, order: Any, dtype: Any, copy: bool
) -> None:
    """What lies in the order already is the array itself, through which it is written."""

    def function(x: Any) -> Any:
        if isinstance(x, np.ndarray):
            x = x.copy("K") if x.flags.forc else with_gaps(x)
        y = x.astype(dtype, order=order, copy=copy)
        turned = y.T
        turned[0] += 100
        return np.concatenate([np.ravel(y, "K") * 1.0, np.ravel(x)])

    value, pullback = ag.vjp(function, LAYOUTS[layout])
    np.testing.assert_array_equal(value, function(LAYOUTS[layout]))
    share = pullback(np.ones_like(value))[0]
    np.testing.assert_array_equal(share, np.full(LAYOUTS[layout].shape, 2.0))


def with_gaps(x: Any) -> Any:
    """A copy that lies in memory as an array does, gaps and directions included."""
    base = x if x.base is None else x.base
    memory = np.array(base)
    start = x.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    return np.ndarray(x.shape, x.dtype, memory, start, x.strides)


def test_how_a_sample_lies_is_not_known() -> None:
    for order in ("A", "K"):
        with pytest.raises(ag.UnsupportedError, match=f'order="{order}" asks how an array lies'):
            ag.vmap(lambda x, order=order: np.ravel(x, order))(C)


def test_what_is_selected_lies_in_rows_as_in_numpy() -> None:
    x = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    ours = np.select([x > 2], [ag.Value(x)])
    assert ours.data.strides == np.select([x > 2], [x]).strides
    first, last = (np.ravel(y, "K") for y in (ours, np.select([x > 2], [x])))
    np.testing.assert_array_equal(first.data, last)
