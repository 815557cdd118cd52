"""Indices of Dask's arrays, drawn at random: reading, writing and gradients are NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")


def drawn_part(rng: np.random.Generator, length: int) -> Any:
    """A number, a slice, a mask or a list of places of an axis."""
    kind = rng.integers(8)
    if kind == 0:
        return int(rng.integers(-length, length))
    if kind == 1:
        return np.int64(rng.integers(-length, length))
    if kind == 2:
        return rng.integers(-length, length, size=int(rng.integers(1, 4))).tolist()
    if kind == 3:
        return rng.random(length) > 0.4
    if kind == 4:
        return slice(None)
    first, last = rng.integers(-length - 2, length + 2, size=2).tolist()
    step = int(rng.choice([1, 2, -1, -2, -3]))
    return slice(first if rng.random() < 0.6 else None, last if rng.random() < 0.6 else None, step)


def drawn_chunks(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    cuts = [np.flatnonzero(rng.random(n - 1) < 0.4) + 1 for n in shape]
    return tuple(tuple(np.diff([0, *cut, n]).tolist()) for cut, n in zip(cuts, shape, strict=True))


def drawn(seed: int) -> tuple[np.ndarray[Any, Any], tuple[Any, ...], Any]:
    """An array, an index that NumPy takes, and chunks."""
    rng = np.random.default_rng(seed)
    while True:
        shape = tuple(rng.integers(1, 5, size=int(rng.integers(1, 4))).tolist())
        x = rng.normal(size=shape)
        index = [drawn_part(rng, n) for n in shape[: int(rng.integers(1, len(shape) + 1))]]
        if rng.random() < 0.2:
            index.insert(int(rng.integers(len(index) + 1)), None)
        if sum(isinstance(part, list | np.ndarray) for part in index) < 2:
            return x, tuple(index), drawn_chunks(rng, shape)


def assert_numpys_or_refused(lazy: Any, expected: Any) -> bool:
    """Whether it was computed."""
    try:
        result = lazy()
    except ag.UnsupportedError as error:
        assert str(error).partition(":")[0] in ("getitem", "at.set", "at.add", "scatter")
        return False
    found = getattr(result, "data", result) if isinstance(result, ag.Value) else result
    found = dask.compute(found, scheduler="synchronous")[0]
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    return True


def computed_of(seed: int) -> int:
    """How many of reading, writing and their gradients were computed at an index."""
    x, index, chunks = drawn(seed)
    taken = x[index]
    weights = np.cos(np.arange(x.size)).reshape(x.shape)
    numbers = np.sin(1 + np.arange(taken.size)).reshape(taken.shape)
    gradient, written, added, kept = np.zeros_like(x), x.copy(), x.copy(), np.ones_like(x)
    np.add.at(gradient, index, numbers)
    np.add.at(added, index, numbers)
    written[index] = numbers
    kept[index] = 0

    def lazy() -> Any:
        return da.from_array(x, chunks=chunks)

    def read(v: Any) -> Any:
        return np.sum(v[index] * numbers)

    def covered(v: Any) -> Any:
        return np.sum(v.at[index].set(numbers) * weights)

    def add(v: Any) -> Any:
        return np.sum(ag.Value(lazy()).at[index].add(v) * weights)

    programs = (
        (lambda: ag.Value(lazy())[index], taken),
        (lambda: ag.grad(read)(lazy()), gradient),
        (lambda: ag.Value(lazy()).at[index].set(numbers), written),
        (lambda: ag.Value(lazy()).at[index].set(0.5), np.where(kept == 0, 0.5, x)),
        (lambda: ag.Value(lazy()).at[index].add(numbers), added),
        (lambda: ag.grad(covered)(lazy()), kept * weights),
        (lambda: ag.grad(add)(numbers), weights[index]),
    )
    return sum(assert_numpys_or_refused(run, expected) for run, expected in programs)


@pytest.mark.parametrize("start", range(0, 120, 20))
def test_what_is_read_and_written_at_an_index_is_numpys(start: int) -> None:
    assert sum(map(computed_of, range(start, start + 20))) > 90


def test_a_row_that_is_read_backwards_gets_its_gradient_in_order() -> None:
    x: Any = da.from_array(np.zeros((2, 3)), chunks=1)
    gradient = ag.grad(lambda x: np.sum(x[0, ::-1] * np.array([1.0, 2.0, 3.0])))(x)
    np.testing.assert_array_equal(gradient.compute(), [[3.0, 2.0, 1.0], [0.0, 0.0, 0.0]])


def test_a_slice_that_runs_backwards_from_before_the_first_place_is_empty() -> None:
    x = ag.Value(da.from_array(np.ones((4, 2)), chunks=1))
    assert x[-6::-2].shape == (0, 2)


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        (5, "index 5 is out of bounds for axis 0 of 3"),
        ((1, 2, 3), "too many indices for an array of 2 axes"),
        (True, "True and False are no index there"),
        (
            (0, None, [1]),
            "a number and an index array with ':' or None between them; index by one after the "
            "other, as in x[i][:, j]",
        ),
    ],
    ids=["outside", "many", "bool", "apart"],
)
def test_an_index_that_dask_would_read_otherwise_is_refused(index: Any, reason: str) -> None:
    x: Any = ag.Value(da.from_array(np.ones((3, 2)), chunks=1))
    programs: dict[str, Any] = {
        "getitem": lambda: x[index],
        "at.set": lambda: x.at[index].set(1.0),
    }
    for name, run in programs.items():
        with pytest.raises(ag.UnsupportedError) as refusal:
            run()
        assert str(refusal.value) == (
            f"{name}: dask cannot compute this on its arrays ({reason}); write it with functions "
            "that dask has, or turn the argument into a NumPy array first"
        )


def test_what_is_added_has_the_dtype_of_the_array() -> None:
    x = ag.Value(da.from_array(np.ones(3, np.float32), chunks=2))
    assert x.at[0].add(1).dtype == np.float32
    with pytest.raises(ag.UnsupportedError, match=r"^at\.add: dask cannot .*'same_kind'"):
        x.at[0].add(1j)


@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
def test_a_running_sum_of_several_axes_is_asked_for_one(name: str) -> None:
    for x in (da.ones((2, 3), chunks=2), np.ones((2, 3))):
        with pytest.raises(ag.ArgumentValueError) as refusal:
            getattr(np, name)(ag.Value(x))
        assert str(refusal.value) == (
            f"{name}: x has 2 axes, and of several NumPy runs along none by itself; pass axis="
        )


@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.parametrize("first", [7.0, -7.0, 0.1])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_extrema_begin_with_a_number(name: str, first: float, axis: int | None) -> None:
    extremum = getattr(np, name)

    def loss(x: Any) -> Any:
        return np.sum(extremum(x, axis=axis, initial=first) * 2.0)

    for x in (np.random.default_rng(0).normal(size=(4, 3)), np.ones((0, 3)), np.ones((3, 0))):
        found = extremum(ag.Value(da.from_array(x, chunks=2)), axis=axis, initial=first)
        expected = extremum(x, axis=axis, initial=first)
        np.testing.assert_array_equal(found.data.compute(), expected)

        lazy: Any = ag.grad(loss)(da.from_array(x, chunks=2)).compute()
        np.testing.assert_array_equal(lazy, ag.grad(loss)(x))
