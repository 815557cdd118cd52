"""Every case on Dask's arrays: NumPy's numbers from a graph of tasks, or a refusal by name."""

from __future__ import annotations

import os
import re
import warnings
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.tree import flatten
from tests.ops.cases import CASES
from tests.ops.cases.case import Case
from tests.ops.dask_refusals import IN_ONE_CHUNK, REASONS, REFUSED, WHOLE
from tests.ops.numerical import random_like
from tests.ops.reading import READS

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

IS_NIGHTLY = bool(os.environ.get("AUTOGRAD_LITE_NIGHTLY"))
MOST_CHUNKS = 60

NAMED = (
    r"^[\w.]+: dask cannot compute|^[\w.]+ of an array of dask:|^the result of [\w.]+ has the shape"
    r"|^[^:]+: arrays of dask are not written in place"
)


def never(*args: Any, **kwargs: Any) -> Any:
    raise AssertionError("something was computed while the graph was built")


def in_halves(x: Any) -> Any:
    return da.from_array(np.asarray(x), chunks=tuple(max(1, -(-n // 2)) for n in np.shape(x)))


def in_one_chunk(x: Any) -> Any:
    return da.from_array(np.asarray(x), chunks=-1)


def results_of(case: Case, inputs: list[Any], chunked: Any) -> tuple[list[Any], list[Any]]:
    """Values and gradients, built without computing anything but what must be read."""
    rng = np.random.default_rng(1)
    weights = random_like(rng, flatten(case.reference(*inputs))) if case.derivatives else []
    with dask.config.set(scheduler="synchronous" if case.function in READS else never):
        lazy = [chunked(x) for x in inputs]
        if not case.derivatives:
            values = flatten(case.call(*[ag.Value(x) for x in lazy]))
            return [getattr(value, "data", value) for value in values], []
        values, pullback = ag.vjp(lambda *xs: flatten(case.call(*xs)), *lazy)
        return values, list(pullback(weights))


def computed(arrays: list[Any]) -> list[Any]:
    return list(dask.compute(*arrays, scheduler="synchronous"))


def assert_equal(found: list[Any], expected: list[Any]) -> None:
    assert len(found) == len(expected)
    for mine, numpys in zip(found, expected, strict=True):
        if np.asarray(numpys).dtype.kind not in "fciub":
            assert mine == numpys
        else:
            np.testing.assert_allclose(mine, numpys, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_values_and_gradients_are_numpys_or_the_function_is_refused_by_name(case: Case) -> None:
    inputs = case.draw()
    chunked = in_one_chunk if case.name in WHOLE else in_halves
    if case.name in REFUSED:
        refusals = (ag.UnsupportedError, ag.ArgumentValueError, ag.InPlaceError)
        with pytest.raises(refusals, match=NAMED):
            results_of(case, inputs, in_halves)
        return
    values, gradients = results_of(case, inputs, chunked)
    assert_equal(computed(values), flatten(case.reference(*inputs)))
    if case.derivatives:
        _, numpy_gradients = results_of(case, inputs, np.asarray)
        assert_equal(computed(gradients), numpy_gradients)
        for gradient, x in zip(gradients, inputs, strict=True):
            assert isinstance(gradient, da.Array)
            assert gradient.dtype == np.asarray(x).dtype


def one_by_one(x: Any) -> Any:
    return da.from_array(np.asarray(x), chunks=1)


def unevenly(x: Any) -> Any:
    """The first row by itself, and the last column."""
    shape = np.shape(x)
    chunks = [(1, n - 1) if n > 1 else (n,) for n in shape[:1]]
    chunks += [(n - 1, 1) if n > 1 else (n,) for n in shape[1:]]
    return da.from_array(np.asarray(x), chunks=tuple(chunks))


OTHERWISE = {"in one chunk": in_one_chunk, "one by one": one_by_one, "unevenly": unevenly}
TAKEN = [case for case in CASES if case.name not in REFUSED | WHOLE][:: 1 if IS_NIGHTLY else 7]


@pytest.mark.parametrize("chunking", OTHERWISE)
@pytest.mark.parametrize("case", TAKEN, ids=lambda case: case.name)
def test_numbers_do_not_depend_on_chunks(case: Case, chunking: str) -> None:
    inputs = case.draw()
    if sum(np.size(x) for x in inputs) > MOST_CHUNKS and chunking == "one by one":
        pytest.skip("too many chunks")
    try:
        values, gradients = results_of(case, inputs, OTHERWISE[chunking])
    except ag.ArgumentValueError as error:  # Dask's differences and inverses ask for other chunks
        assert re.search(r"^[\w.]+ of an array of dask: .*(Rechunk|\.rechunk)", str(error))
        return
    assert_equal(computed(values), flatten(case.reference(*inputs)))
    if case.derivatives:
        assert_equal(computed(gradients), results_of(case, inputs, np.asarray)[1])


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_what_needs_one_chunk_says_so_where_there_are_several(name: str) -> None:
    (case,) = (case for case in CASES if case.name == name)
    with pytest.raises((ag.ArgumentValueError, ag.UnsupportedError), match="chunk"):
        results_of(case, case.draw(), in_halves)


def test_the_tables_name_cases_that_there_are() -> None:
    names = {case.name for case in CASES}
    known = names | {name.partition("(")[0] for name in names}
    assert {entry for entries in REASONS.values() for entry in entries} <= known
    assert set(IN_ONE_CHUNK) <= known
    assert not REFUSED & WHOLE


def test_refusals_have_three_parts() -> None:
    x = ag.Value(da.ones((4, 3), chunks=2))
    with pytest.raises(ag.UnsupportedError) as refusal:
        np.sort(x)
    assert str(refusal.value) == (
        "sort: dask cannot compute this on its arrays (it has no such function); write it with "
        "functions that dask has, or turn the argument into a NumPy array first"
    )


def test_lengths_that_are_not_known_are_refused_where_they_arise() -> None:
    x = da.from_array(np.array([-1.0, 2.0, 3.0]), chunks=2)
    advice = (
        "has the shape (nan,), whose unknown lengths depend on numbers not computed yet; call "
        ".compute_chunk_sizes() on the array first, or write np.where(mask, x, 0) instead of "
        "x[mask]"
    )
    with pytest.raises(ag.ArgumentValueError) as refusal:
        ag.Value(x[x > 0])
    assert str(refusal.value) == f"data {advice}"
    value = ag.Value(x)
    with pytest.raises(ag.ArgumentValueError) as refusal:
        value[value > 0]
    assert str(refusal.value) == f"the result of getitem {advice}"
    total = np.sum(ag.Value(x[x > 0].compute_chunk_sizes()))
    assert float(total) == 5.0


def loss(x: Any, w: Any) -> Any:
    return np.mean(np.log1p(np.exp(-np.tanh(x @ w)))) + np.sum(w * w)


def drawn() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(20, 5)), rng.normal(size=5)


def test_backward_leaves_lazy_gradients_that_add_up() -> None:
    x, w = drawn()
    with dask.config.set(scheduler=never):
        rows, weights = ag.Value(da.from_array(x, chunks=(6, 5))), ag.Value(w)
        for _ in range(2):
            loss(rows, weights).backward()
        assert isinstance(rows.grad, da.Array)
        assert rows.grad.chunks == rows.data.chunks
    np.testing.assert_allclose(weights.grad.compute(), 2 * ag.grad(loss, 1)(x, w), rtol=1e-13)
    np.testing.assert_allclose(rows.grad.compute(), 2 * ag.grad(loss)(x, w), rtol=1e-13)


def test_a_graph_that_is_freed_gives_the_same_gradients() -> None:
    x, w = drawn()
    weights = ag.Value(w)
    loss(da.from_array(x, chunks=7), weights).backward(retain_graph=False)
    np.testing.assert_allclose(weights.grad.compute(), ag.grad(loss, 1)(x, w), rtol=1e-13)


@pytest.mark.parametrize("scheduler", ["synchronous", "threads", "processes"])
def test_one_compute_gives_loss_and_gradient_on_any_scheduler(scheduler: str) -> None:
    x, w = drawn()
    lazy = ag.value_and_grad(loss, 1)(da.from_array(x, chunks=(6, 5)), w)
    value, gradient = dask.compute(*lazy, scheduler=scheduler)
    expected, expected_gradient = ag.value_and_grad(loss, 1)(x, w)
    np.testing.assert_allclose(value, expected, rtol=1e-14)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-13)


def test_second_derivatives_are_lazy_too() -> None:
    x, w = drawn()
    v = np.linspace(-1, 1, 5)
    with dask.config.set(scheduler=never):
        rows = da.from_array(x, chunks=(6, 5))
        lazy = ag.hvp(lambda w: loss(rows, w), da.from_array(w, chunks=3), v)
        tangent = ag.jvp(lambda w: np.tanh(rows @ w), da.from_array(w, chunks=3), v)[1]
    np.testing.assert_allclose(lazy.compute(), ag.hvp(lambda w: loss(x, w), w, v), rtol=1e-12)
    numpys = ag.jvp(lambda w: np.tanh(x @ w), w, v)[1]
    np.testing.assert_allclose(tangent.compute(), numpys, rtol=1e-12)


def test_jacobians_row_by_row() -> None:
    w = np.array([0.3, -0.2])
    lazy = ag.jacobian(lambda w: np.sin(w) * w[::-1])(da.from_array(w, chunks=1))
    numpys = ag.jacobian(lambda w: np.sin(w) * w[::-1])(w)
    np.testing.assert_allclose(lazy.compute(), numpys, rtol=1e-14)


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("chunk", [1, 2, 4])
def test_cholesky_reads_one_triangle_in_chunks_as_numpy_does(
    dtype: type, upper: bool, chunk: int
) -> None:
    """What lies in the other triangle is not looked at, nor the imaginary part of the diagonal."""
    x, weights = random_like(np.random.default_rng(0), [np.ones((4, 4), dtype)] * 2)
    a = x @ np.conjugate(x.T) + np.eye(4) + (np.tril(x, -1) if upper else np.triu(x, 1))
    a = a + np.diag(1j * np.arange(4)) if dtype is complex else a

    def loss(a: Any) -> Any:
        return np.sum(np.real(weights * np.linalg.cholesky(a, upper=upper)))

    found = dask.compute(*ag.value_and_grad(loss)(da.from_array(a, chunks=chunk)))
    expected = ag.value_and_grad(loss)(a)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-13)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-11)


@pytest.mark.parametrize("shape", [(4, 1), (1, 4), (2, 2), (4,)])
def test_an_index_array_keeps_its_axes_or_is_refused(shape: tuple[int, ...]) -> None:
    x, places = np.arange(4.0), np.arange(4).reshape(shape)[::-1]
    lazy = ag.Value(da.from_array(x, chunks=2))
    np.testing.assert_array_equal(np.take(lazy, places).data.compute(), x[places])
    if len(shape) == 1:
        np.testing.assert_array_equal(lazy[places].data.compute(), x[places])
        return
    with pytest.raises(ag.UnsupportedError, match=r"one axis; np\.take\(x, i\) takes any"):
        lazy[places]


@pytest.mark.parametrize("widths", [(1, 0), (0, 2), (3, 4)])
@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("mode", ["reflect", "symmetric", "wrap", "edge", "linear_ramp", "maximum"])
def test_padding_wider_than_the_axis_is_numpys(
    mode: str, length: int, widths: tuple[int, int]
) -> None:
    x = np.arange(2.0 * length).reshape(length, 2) + 1
    weights = np.random.default_rng(0).normal(size=(length + sum(widths), 3))

    def loss(x: Any) -> Any:
        return np.sum(weights * np.pad(x, (widths, (1, 0)), mode))

    found = dask.compute(*ag.value_and_grad(loss)(one_by_one(x)))
    expected = ag.value_and_grad(loss)(x)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-13)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-13)


@pytest.mark.parametrize("function", [np.ravel, np.transpose, np.cov, np.gradient, np.flip])
def test_arrays_without_elements_have_gradients_without_elements(function: Any) -> None:
    x = np.ones((2, 0)) if function is not np.gradient else np.ones((0, 2))
    options = {"axis": 1} if function is np.gradient else {}

    def loss(x: Any) -> Any:
        return np.sum(function(x * x, **options))

    with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        expected = ag.value_and_grad(loss)(x)
        found = dask.compute(*ag.value_and_grad(loss)(da.from_array(x, chunks=2)))
    np.testing.assert_array_equal(found[0], expected[0])
    assert found[1].shape == x.shape


@pytest.mark.parametrize("kind", ["masked", "matrix", "sparse"])
def test_chunks_that_compute_by_rules_of_their_own_are_refused(kind: str) -> None:
    """As arrays of that kind are without Dask: masked numbers would be used, or passed over."""
    plain = da.from_array(np.arange(9.0).reshape(3, 3), chunks=2)
    if kind == "masked":
        chunks, way = da.ma.masked_greater(plain, 4), r"x\.filled\(\)"
    elif kind == "matrix":
        matrix = np.ones((1, 1)).view(np.matrix)
        chunks, way = plain.map_blocks(np.matrix, meta=matrix), r"np\.asarray\(x\)"
    else:
        chunks = plain.map_blocks(pytest.importorskip("scipy.sparse").csr_matrix)
        way = r"x\.toarray\(\)"
    w = np.ones((3, 3))
    for program in (
        lambda: ag.Value(chunks),
        lambda: ag.grad(np.sum)(chunks),
        lambda: ag.grad(lambda w: np.mean((w - chunks) ** 2))(w),
        lambda: ag.grad(lambda w: np.sum(chunks * w))(w),
        lambda: ag.grad(lambda w: np.sum(np.where(chunks > 2, w, 0)))(w),
        lambda: ag.compile(lambda w, x: np.sum(w * x))(w, chunks),
    ):
        with pytest.raises(ag.ArgumentTypeError, match=rf"dask in chunks of .*: .*{way}"):
            program()


def with_empty_chunks(x: Any, place: int) -> Any:
    """An array of Dask with a chunk without numbers along each axis."""
    chunks = [list(along) for along in in_halves(x).chunks]
    for along in chunks:
        along.insert(place, 0)
    return da.from_array(np.asarray(x), chunks=tuple(map(tuple, chunks)))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_empty_chunks_are_dropped_where_arrays_meet_values(place: int) -> None:
    """Functions of Dask stumble over them, without a word some of them, such as cumsum."""
    x = np.random.default_rng(0).normal(size=(3, 4))
    halves, lazy = in_halves(x), with_empty_chunks(x, place)
    value = ag.Value(lazy)
    assert value.data.chunks == halves.chunks
    for operation in (
        lambda x: value * x,
        lambda x: x * value,
        lambda x: np.maximum(x, value),
        lambda x: np.concatenate([value, x]),
        lambda x: ag.grad(lambda w: np.sum(w * x))(halves),
        lambda x: ag.grad(lambda x: np.sum(np.exp(x)))(x),
    ):
        found, expected = (getattr(y, "data", y) for y in map(operation, (lazy, halves)))
        assert found.chunks == expected.chunks
        np.testing.assert_array_equal(*computed([found, expected]))
    assert value[:0].data.chunks == ((0,), (4,))
    np.testing.assert_array_equal(np.concatenate([value[:0], value]).data.compute(), x)


NEED_ALL_CHUNKS_FULL = (
    "cumsum(axis=-1)",
    "cumprod(axis=0)",
    "var()",
    "std(keepdims=True)",
    "take()",
    "flip()",
    "linalg.norm(inf,axis=0)",
    "getitem(stride)",
    "gradient(places)",
)
"""Cases that are wrong, or fail, where Dask meets an empty chunk."""


@pytest.mark.parametrize("name", NEED_ALL_CHUNKS_FULL)
def test_empty_chunks_change_no_number(name: str) -> None:
    (case,) = (case for case in CASES if case.name == name)
    inputs = case.draw()
    for place in (0, 1, 2):
        values, gradients = results_of(case, inputs, lambda x, n=place: with_empty_chunks(x, n))
        assert_equal(computed(values), flatten(case.reference(*inputs)))
        assert_equal(computed(gradients), results_of(case, inputs, np.asarray)[1])


@pytest.mark.filterwarnings("ignore:All-NaN slice")
@pytest.mark.parametrize("name", ["argmax", "argmin", "nanargmax", "nanargmin"])
@pytest.mark.parametrize("chunks", [1, 2, (2, 4), (3, 1)])
def test_the_first_of_equal_extrema_is_found_in_any_chunks(name: str, chunks: Any) -> None:
    """Dask's own finds the first in the first chunk, which need not be the first row."""
    for seed in range(4):
        x = np.random.default_rng(seed).integers(0, 3, (3, 4)).astype(float)
        x[0, seed] = np.nan
        value = ag.Value(da.from_array(x, chunks=chunks))
        for axis in (None, 0, 1):
            for keepdims in (False, True):
                expected = getattr(np, name)(x, axis=axis, keepdims=keepdims)
                found = getattr(np, name)(value, axis=axis, keepdims=keepdims)
                np.testing.assert_array_equal(np.asarray(found), expected)


@pytest.mark.parametrize("place", [5, -6, [[0, 7]]])
def test_what_is_taken_from_beyond_the_end_is_an_error(place: Any) -> None:
    value = ag.Value(da.ones((5, 2), chunks=2))
    with pytest.raises(ag.AutogradError, match="out of bounds"):
        np.take(value, place, axis=0)
    assert np.take(ag.Value(da.ones((0, 2), chunks=2)), [], axis=0).shape == (0, 2)


def test_float32_stays_float32() -> None:
    x, w = (array.astype(np.float32) for array in drawn())
    value, gradient = ag.value_and_grad(loss, 1)(da.from_array(x, chunks=6), w)
    assert value.dtype == gradient.dtype == np.float32
    assert gradient.compute().dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, int])
@pytest.mark.parametrize("q", [0.3, [0.1, 0.5], np.float64(0.3), np.array([0.3])])
@pytest.mark.parametrize("function", [np.quantile, np.nanquantile])
def test_quantiles_are_of_numpys_dtype(function: Any, q: Any, dtype: Any) -> None:
    x = (100 * drawn()[0]).astype(dtype)
    mine = ag.as_value(function(ag.Value(da.from_array(x, chunks=6)), q, axis=0)).data
    numpys = function(x, q, axis=0)
    assert mine.dtype == mine.compute().dtype == numpys.dtype
    np.testing.assert_allclose(mine.compute(), numpys, rtol=4 * np.finfo(numpys.dtype).eps)


def test_arrays_and_values_stand_on_either_side_of_an_operator() -> None:
    x = da.from_array(np.arange(1.0, 5.0), chunks=2)
    w = ag.Value(np.arange(4.0))
    for result in (x * w, w * x, np.multiply(x, w), np.concatenate([x, w])[:4] * w):
        assert isinstance(result, ag.Value)
        assert isinstance(result.data, da.Array)
    assert ag.Value(x).item.__name__ == "item"
    assert np.sum(ag.Value(x)).item() == 10.0


def test_pandas_columns_are_refused_with_the_way_to_their_numbers() -> None:
    pandas = pytest.importorskip("pandas")
    with pytest.raises(ag.ArgumentTypeError, match=r"pandas Series.*x\.to_numpy\(\)"):
        ag.Value(pandas.Series([1.0, 2.0]))


def test_a_picture_shows_chunks_and_computes_nothing() -> None:
    x = ag.Value(da.ones((6, 4), chunks=(2, 4)), label="x")
    with dask.config.set(scheduler=never):
        y = np.mean(np.tanh(x @ np.ones(4)))
        y.backward()
        source = ag.draw(y).source
    assert "3 chunks of (2, 4)" in source
    assert "3 chunks of (2,)" in source
    assert "1 chunk" in source


@pytest.mark.parametrize("hole", [np.nan, np.inf])
@pytest.mark.parametrize("function", [np.linalg.inv, np.linalg.cholesky, np.linalg.qr])
def test_factors_of_what_is_not_finite_are_refused(function: Any, hole: float) -> None:
    matrix = 3 * np.eye(4)
    matrix[1, 2] = matrix[2, 1] = hole
    x = ag.Value(da.from_array(matrix, chunks=(4, 4)))
    name = function.__name__
    found = function(x)
    with pytest.raises(ag.ArgumentValueError) as refusal:
        (found[0] if name == "qr" else found).data.compute(scheduler="synchronous")
    assert str(refusal.value) == (
        f"{name} of an array of dask: the matrix holds NaN or infinity, of which Dask computes "
        "none; write np.where(np.isfinite(x), x, 0), or turn it into a NumPy array first"
    )


def test_solutions_of_what_is_not_finite_are_refused() -> None:
    matrix, right = da.eye(4, chunks=2), da.from_array([1.0, np.nan, 0, 0], chunks=2)
    found = np.linalg.solve(ag.Value(matrix), right)
    with pytest.raises(ag.ArgumentValueError, match=r"^solve of an array of dask: the matrix"):
        found.data.compute(scheduler="synchronous")


NOTHING = {
    "sum": lambda x: np.sum(x**2),
    "norm": np.linalg.norm,
    "product": lambda x: np.sum(x.T @ x),
    "mean of rows": lambda x: np.sum(np.mean(x, axis=1)),
    "largest of rows": lambda x: np.sum(np.max(x, axis=1)),
    "smallest of rows": lambda x: np.sum(np.min(x, axis=-1, keepdims=True)),
    "softmax": lambda x: np.sum(np.exp(x - np.max(x, axis=1, keepdims=True))),
    "products": lambda x: np.sum(np.prod(x, axis=0)),
}


@pytest.mark.parametrize(
    "chunks",
    [((0,), (4,)), ((0, 0), (2, 2)), ((0,), (1, 1, 2))],
    ids=["one", "several", "several columns"],
)
@pytest.mark.parametrize("name", NOTHING)
def test_arrays_of_no_elements_are_numpys(name: str, chunks: Any) -> None:
    function, plain = NOTHING[name], np.zeros((0, 4))
    lazy = da.zeros((0, 4), chunks=chunks)
    numpys = [*ag.value_and_grad(function)(plain), *ag.jvp(function, (plain,), (plain,))]
    mine = [*ag.value_and_grad(function)(lazy), *ag.jvp(function, (lazy,), (lazy * 1.0,))]
    for a, b in zip(dask.compute(*mine, scheduler="synchronous"), numpys, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("order", ["A", "K"])
def test_an_order_of_memory_is_refused(order: str) -> None:
    for attempt in (np.ravel, lambda x, order: x.flatten(order), lambda x, order: x.ravel(order)):
        with pytest.raises(ag.UnsupportedError) as refusal:
            attempt(ag.Value(da.ones((2, 3), chunks=2)).T, order=order)
        assert str(refusal.value) == (
            f'order="{order}" asks how an array lies in memory, and of one of dask that is not '
            'known; write order="C"'
        )
