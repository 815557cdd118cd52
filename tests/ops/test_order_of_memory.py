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


def test_what_is_selected_lies_in_rows_as_in_numpy() -> None:
    x = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    ours = np.select([x > 2], [ag.Value(x)])
    assert ours.data.strides == np.select([x > 2], [x]).strides
    first, last = (np.ravel(y, "K") for y in (ours, np.select([x > 2], [x])))
    np.testing.assert_array_equal(first.data, last)
