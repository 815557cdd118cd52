"""``order="A"`` and ``"K"`` follow how the input lies in memory: values and gradients."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
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


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("order", ["A", "K"])
def test_programs_read_what_numpy_reads(order: Any, backend: str) -> None:
    """One compiled function, called with arrays that lie in memory in any way."""
    if backend == "numba":
        pytest.importorskip("numba")

    def function(x: Any) -> Any:
        turned = np.swapaxes(x * 2, 0, 1)
        return np.ravel(turned, order) * np.arange(x.size), np.reshape(x, (-1, 2), order="A")

    def number(x: Any) -> Any:
        return np.sum(function(x)[0] ** 2)

    compiled = ag.compile(function, backend=backend)
    slope, eager = ag.compile(ag.grad(number), backend=backend), ag.grad(number)
    for call in range(5):
        for x in LAYOUTS.values():
            for found, right in zip(compiled(x + call), function(x + call), strict=True):
                np.testing.assert_array_equal(found, right)
            np.testing.assert_allclose(slope(x), eager(x), rtol=1e-14)
            strided = np.zeros((*x.shape, 2))[..., 0]
            strided[...] = x
            for found, right in zip(compiled(strided), function(strided), strict=True):
                np.testing.assert_array_equal(found, right)


def test_programs_read_large_arrays_as_numpy_does() -> None:
    x = np.asfortranarray(np.arange(2.0**18).reshape(2**9, 2**9))
    compiled = ag.compile(lambda x: np.ravel(np.sin(x), "K"))
    np.testing.assert_array_equal(compiled(x), np.sin(np.ravel(x, "K")))
    np.testing.assert_array_equal(compiled(x.copy("C")), np.sin(np.ravel(x)))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.ravel(ag.cond(np.sum(x) > 0, lambda: x * 1, lambda: x.T * 1), "K"),
        lambda x: ag.scan(lambda c, row: (c.T * 1, np.ravel(c, "K")), x * 1, x)[1],
        lambda x: ag.fori(0, 3, lambda i, c: np.reshape(np.ravel(c, "A"), c.shape).T * 1, x),
        lambda x: np.ravel(ag.while_loop(lambda c: np.sum(c) < 9, lambda c: c.T * 2, x), "A"),
    ],
)
def test_the_order_of_what_loops_and_branches_give_is_refused_by_name(function: Any) -> None:
    compiled = ag.compile(function)
    with pytest.raises(ag.CompileError, match=r'a loop or branch does .*write order="C"'):
        compiled(np.arange(1.0, 10).reshape(3, 3))


@pytest.mark.parametrize("order", ["A", "K"])
def test_the_order_of_a_sample_is_refused_by_name(order: Any) -> None:
    mapped = ag.vmap(lambda x: np.ravel(x * 2, order))
    for function in (mapped, ag.compile(mapped)):
        with pytest.raises(ag.UnsupportedError, match=r'under ag.vmap.*write order="C"'):
            function(np.ones((4, 2, 3)))


def test_a_program_that_reads_in_the_order_of_memory_is_not_saved() -> None:
    compiled = ag.compile(lambda x: np.ravel(x, "K") * 2)
    compiled(C[0])
    refused = r'such a module takes them in any; write order="C"'
    with TemporaryDirectory() as folder:
        with pytest.raises(ag.CompileError, match=refused):
            compiled.save(Path(folder, "program.py"))
        assert not list(Path(folder).iterdir())


def test_a_captured_value_that_lies_otherwise_now_is_refused() -> None:
    w = ag.Value(np.arange(6.0).reshape(2, 3), requires_grad=False)
    compiled = ag.compile(lambda x: np.ravel(w, "K") * x)
    for _ in range(2):
        np.testing.assert_array_equal(compiled(np.ones(6)), np.arange(6.0))
    w.data = np.asfortranarray(w.data)
    with pytest.raises(ag.CompileError, match="reads in that order"):
        compiled(np.ones(6))
    compiled.clear()
    np.testing.assert_array_equal(compiled(np.ones(6)), np.ravel(w.data, "K"))


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


@pytest.mark.parametrize("order", ["C", "F", "A", "K"])
@pytest.mark.parametrize("part", [np.s_[::2], np.s_[::-1], np.s_[1:3]])
def test_a_cast_of_one_axis_is_the_array_itself_where_it_has_no_gaps(order: Any, part: Any) -> None:
    def function(x: Any) -> Any:
        y = x * 1.0
        y[part].astype(float, order=order, copy=False)[0] = x[3] * 10
        return y

    x = np.arange(1.0, 7.0)
    value, pullback = ag.vjp(function, x)
    np.testing.assert_array_equal(value, function(x))
    is_written = value != x
    expected = np.where(is_written, 0.0, 1.0)
    expected[3] += 10 * np.sum(is_written)
    np.testing.assert_array_equal(pullback(np.ones(6))[0], expected)
    if order == "K":
        np.testing.assert_array_equal(ag.vmap(function)(x[None]), value[None])
    else:
        with pytest.raises(ag.InPlaceError, match="not known how a sample lies in memory"):
            ag.vmap(function)(x[None])


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


def test_where_it_is_not_known_how_arrays_lie_it_is_not_known_whether_a_copy_is_needed() -> None:
    def in_rows(x: Any) -> Any:
        return (x.T * 2).T.reshape(2, 2, copy=False) * x

    def flat(x: Any) -> Any:
        return np.reshape(x, -1, copy=False)

    with pytest.raises(ag.UnsupportedError, match=r"under ag.vmap .*; leave copy=False out"):
        ag.vmap(flat)(np.ones((3, 2, 2)))
    for function in (in_rows, flat):
        with pytest.raises(
            ag.CompileError, match=r"in a compiled program .*; leave copy=False out"
        ):
            ag.compile(function)(np.ones((2, 2)))
        np.testing.assert_array_equal(
            ag.jacobian(function)(np.ones((2, 2))).sum(), 16.0 if function is in_rows else 4.0
        )


def test_what_is_selected_lies_in_rows_as_in_numpy() -> None:
    x = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    ours = np.select([x > 2], [ag.Value(x)])
    assert ours.data.strides == np.select([x > 2], [x]).strides
    first, last = (np.ravel(y, "K") for y in (ours, np.select([x > 2], [x])))
    np.testing.assert_array_equal(first.data, last)


def test_samples_that_are_laid_out_keep_their_gradients() -> None:
    samples = np.arange(12.0).reshape(2, 2, 3)
    found = ag.vmap(ag.grad(lambda x: np.sum(np.asfortranarray(x, like=x) ** 2)))(samples)
    np.testing.assert_array_equal(found, 2 * samples)
