"""Compiled functions that write into arrays: NumPy's numbers at every call, or a refusal."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.memory import copied
from autograd_lite.core.tree import flatten

PLACES = [np.array([0, 2, 0]), np.array([3, 3, 1]), np.array([2, 1, 0])]
MASKS = [
    np.array([True, False, True, False]),
    np.array([False, False, True, True]),
    np.array([False, True, False, True]),
]
WRITES: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "put": (lambda y, v, at: np.put(y, at, v[:3]), PLACES),
    "put_along_axis": (lambda y, v, at: np.put_along_axis(y, at, v[:3], 0), PLACES),
    "x[i] = v": (lambda y, v, at: y.__setitem__(at, v[:3]), PLACES),
    "add.at": (lambda y, v, at: np.add.at(y, at, v[:3]), PLACES),
    "place": (lambda y, v, at: np.place(y, at, v[:3]), MASKS),
    "putmask": (lambda y, v, at: np.putmask(y, at, v), MASKS),
    "copyto": (lambda y, v, at: np.copyto(y, v, where=at), MASKS),
    "out": (lambda y, v, at: np.multiply(v, v, out=y, where=at), MASKS),
    "at.put": (lambda y, v, at: y.reshape(2, 2).T.ravel().reshape(4).put(at, v[:3]), PLACES),
}


@pytest.mark.parametrize("name", WRITES)
def test_where_is_written_is_said_at_each_call(name: str) -> None:
    write, places = WRITES[name]

    def program(x: Any, v: Any, at: Any) -> Any:
        y = x * 2
        write(y, v, at)
        return y * np.sin(x)

    def both(x: Any, v: Any, at: Any) -> Any:
        result, pullback = ag.vjp(lambda x, v: program(x, v, at), x, v)
        return result, *pullback(np.array([1.0, -2.0, 0.5, 3.0]))

    compiled = ag.compile(both)
    x, v = np.array([0.3, 1.2, -0.7, 2.0]), np.array([5.0, -1.5, 0.25, 7.0])
    for at in (*places, places[0]):
        result, *gradients = compiled(x, v, at)
        np.testing.assert_allclose(result, program(x, v, at), rtol=1e-14)
        step = 1e-6
        weights = np.array([1.0, -2.0, 0.5, 3.0])
        for which, gradient in enumerate(gradients):
            for i in range(4):
                ahead, behind = [[x.copy(), v.copy()] for _ in range(2)]
                ahead[which][i] += step
                behind[which][i] -= step
                difference = program(*ahead, at) - program(*behind, at)
                slope = np.sum(difference * weights) / (2 * step)
                assert gradient[i] == pytest.approx(slope, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize(
    "make",
    [lambda x: np.empty(3, like=x), lambda x: np.empty_like(x, shape=3)],
    ids=["empty", "empty_like"],
)
def test_an_empty_array_is_the_same_at_every_call(make: Any) -> None:
    def filled(x: Any) -> Any:
        y = make(x)
        y[:2] = x
        y[2] = 1
        return np.sum(y * y)

    compiled = ag.compile(ag.grad(filled))
    for x in (np.array([1.0, 2.0]), np.array([-1.0, 0.5]), np.array([0.0, 3.0])):
        np.testing.assert_array_equal(compiled(x), 2 * x)


LAYOUTS = [
    np.arange(6.0).reshape(3, 2),
    np.asfortranarray(np.arange(6.0).reshape(3, 2)),
    np.arange(24.0).reshape(3, 8)[:, ::4],
    np.arange(6.0).reshape(3, 2)[::-1],
]
COLUMNS = [np.arange(3.0)[:, None], np.arange(3.0)[::-1][:, None], np.arange(6.0)[::2][:, None]]


def written_then_read(x: Any) -> Any:
    rows, twice = x.reshape(-1), x * 2.0
    row = np.ravel(twice)
    x[0] += 1.0
    twice[-1] -= 1.0
    return rows, row


@pytest.mark.parametrize("arrays", [LAYOUTS, COLUMNS], ids=["tables", "columns"])
@pytest.mark.parametrize("repetitions", [1, 3])
def test_what_is_a_view_is_said_by_the_strides_of_each_call(
    arrays: list[Any], repetitions: int
) -> None:
    """A program for one layout, called with another, showed writes where NumPy has none."""

    def results(x: Any) -> Any:
        return ag.vjp(written_then_read, x)[0]

    for first in range(len(arrays)):
        compiled = ag.compile(results)
        for x in [x for x in arrays[first:] + arrays[:first] for _ in range(repetitions)] * 2:
            mine = copied(x)
            assert mine.strides == x.strides
            wanted = written_then_read(copied(x))
            for found in (results(mine), compiled(mine)):
                np.testing.assert_array_equal(flatten(found), wanted)
        assert compiled.stats.programs == len(arrays)


def test_layouts_make_no_other_programs_where_nothing_is_written() -> None:
    compiled = ag.compile(lambda x: np.ravel(x) * 2)
    for x in LAYOUTS:
        np.testing.assert_array_equal(compiled(x), np.ravel(x) * 2)
    assert compiled.stats.programs == 1


def test_the_layout_of_what_is_captured_is_looked_at_where_something_is_written() -> None:
    w = ag.Value(LAYOUTS[0].copy())

    def written(x: Any) -> Any:
        y = w * x
        row = np.ravel(y)
        y[0] = 0.0
        return row

    compiled = ag.compile(written)
    for number in range(3):
        np.testing.assert_array_equal(compiled(2.0), [0, 0, 4, 6, 8, 10], str(number))
    w.data = LAYOUTS[1].copy(order="K")
    with pytest.raises(ag.CompileError, match="a Value that it captures has strides now"):
        compiled(2.0)
    compiled.clear()
    np.testing.assert_array_equal(compiled(2.0), [0, 2, 4, 6, 8, 10])


def part_of_flat(x: Any) -> Any:
    y = x * 1.0
    part = y.flat[1:3]
    y[1] = 9.0
    return part, y


def repeated_in_flat(x: Any) -> Any:
    y = x.T * 1.0
    y.flat[:] = [1.0, 2.0]
    y.flat[[0, 2]] += 1.0
    y.flat[-1] = x[-1, 0]
    return y


@pytest.mark.parametrize("function", [part_of_flat, repeated_in_flat])
def test_parts_of_flat_are_copies_and_what_is_written_there_repeats(function: Any) -> None:
    x = np.arange(1.0, 7.0).reshape(2, 3)
    for compiled in (
        ag.compile(function, check=False),
        ag.compile(lambda x: ag.vjp(function, x)[0]),
    ):
        for found, wanted in zip(flatten(compiled(x)), flatten(function(x)), strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_parts_of_flat_are_copies_of_samples_too() -> None:
    x = np.arange(1.0, 13.0).reshape(2, 2, 3)
    found = ag.vmap(part_of_flat)(x)[0]
    np.testing.assert_array_equal(found, [part_of_flat(row)[0] for row in x])


def test_flat_is_not_written_with_what_lies_there() -> None:
    def shifted(x: Any) -> Any:
        y = x * 1.0
        y.flat[1:] = y.reshape(-1)[:-1]
        return y

    with pytest.raises(ag.InPlaceError, match="NumPy copies none of it"):
        ag.compile(shifted, check=False)(np.arange(3.0))


@ag.primitive
def scaled(x: Any, held: Any) -> Any:
    return x * (held.factor if hasattr(held, "factor") else held[0])


scaled.defvjp(
    lambda g, out, x, held: g * (held.factor if hasattr(held, "factor") else held[0]), None
)

HOLDERS: dict[str, Callable[[Any], Any]] = {
    "list": lambda k: [k],
    "tuple": lambda k: (k,),
    "dict": lambda k: {0: k},
    "object": lambda k: SimpleNamespace(factor=k),
}


@pytest.mark.parametrize("is_again", [True, False])
@pytest.mark.parametrize("name", HOLDERS)
def test_what_a_primitive_was_called_with_is_not_changed_afterwards(
    name: str, is_again: bool
) -> None:
    """A program evaluates the call later, with what the container then holds."""

    def program(x: Any) -> Any:
        k = np.full(3, 0.7)
        held = HOLDERS[name](k)
        y = scaled(x, held)
        k[...] = 0.3
        return y + scaled(x, held) if is_again else y

    with pytest.raises(ag.CompileError, match="changed afterwards"):
        ag.compile(program, check=False)(np.ones(3))
    unchanged = ag.compile(lambda x: scaled(x, HOLDERS[name](2)) + scaled(x, HOLDERS[name](3)))
    for _ in range(4):
        np.testing.assert_array_equal(unchanged(np.ones(3)), np.full(3, 5.0))


def log_where(x: Any, index: Any) -> Any:
    y = x * 2
    np.exp.at(y, index)
    return y


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.trim_zeros(x),
        lambda x: x * np.linalg.matrix_rank(x * np.ones((3, 1))),
        lambda x: x * len(np.array_str(x)),
        lambda x: log_where(x, np.astype(x, int)),
    ],
    ids=["trim_zeros", "matrix_rank", "array_str", "exp.at"],
)
def test_what_needs_numbers_is_refused_while_there_are_none(function: Any) -> None:
    with pytest.raises(ag.CompileError):
        ag.compile(function)(np.array([0.0, 1.0, 2.0]))


def test_writes_that_reach_outside_are_refused() -> None:
    kept = ag.Value(np.zeros(3), requires_grad=False)

    def remember(x: Any) -> Any:
        kept[0] = x
        return kept * x

    with pytest.raises(ag.CompileError, match="writes into a Value from outside"):
        ag.compile(remember)(2.0)


def filled_again(x: Any) -> Any:
    plain, total = np.zeros(2), 0.0
    for i in (1, 2):
        plain[:] = i
        total = total + plain * x
    return total


def filled_afterwards(x: Any) -> Any:
    plain = np.ones(2)
    y = plain * x
    plain[:] = 3
    return y


@pytest.mark.parametrize("function", [filled_again, filled_afterwards])
def test_plain_arrays_that_are_written_after_their_use_are_refused(function: Any) -> None:
    with pytest.raises(ag.CompileError, match="was written after it had been used with Values"):
        ag.compile(function)(np.array([1.0, -2.0]))


def by_branch(x: Any) -> Any:
    return ag.cond(x[0, 0] > 0, lambda a: np.sin(a.T), np.cos, x)


def by_steps(x: Any) -> Any:
    return ag.while_loop(lambda s: s[1] < x[0, 0], lambda s: (s[0].T, s[1] + 1.0), (x, 0.0))[0]


def by_rows(x: Any) -> Any:
    return ag.scan(lambda carry, row: (carry, carry.T * row), x, np.ones(3))[1][1]


MADE = pytest.mark.parametrize("made", [by_branch, by_steps, by_rows])
TABLES = [sign * np.arange(1.0, 10.0).reshape(3, 3) for sign in (-1.0, 1.0, 3.0)]


def row_written(y: Any) -> None:
    y.reshape(-1)[1] = 5.0


def column_written(y: Any) -> None:
    y.ravel("F")[1] = 5.0


def written_before_it_is_read(y: Any) -> None:
    row = np.reshape(y, 9)
    y[0] = row[:3] * 2.0


@MADE
@pytest.mark.parametrize("write", [row_written, column_written, written_before_it_is_read])
def test_views_that_a_loop_or_branch_decides_are_not_written_through(
    made: Callable[..., Any], write: Callable[..., None]
) -> None:
    """With axes in another order ``reshape`` copies: programs went on writing as at first."""

    def written(x: Any) -> Any:
        y = made(x) * 1.0
        write(y)
        return y

    compiled = ag.compile(written)
    with pytest.raises(ag.CompileError) as info:
        compiled(TABLES[0])
    assert str(info.value) == (
        "x[i] = v writes into an array that comes of a loop or branch and was reshaped: by the "
        "order of its axes in memory, which is another one after other steps or in another "
        "branch, that is a view, which shows the write, or a copy; write into x.copy(), and "
        "reshape that"
    )


def copied_in_rows(x: Any, made: Callable[..., Any]) -> Any:
    y = made(x).copy()
    row_written(y)
    return y


def filled(x: Any, made: Callable[..., Any]) -> Any:
    y = np.zeros(x.shape, like=x)
    y[:] = made(x)
    row_written(y)
    return y


def by_flat(x: Any, made: Callable[..., Any]) -> Any:
    y = made(x) * 1.0
    y.flat[1] = 5.0
    return y


def with_axes_kept(x: Any, made: Callable[..., Any]) -> Any:
    y = made(x) * 1.0
    y.reshape(3, 1, 3)[1, 0] = 5.0
    y.T[0] += 1.0
    return y.reshape(-1)


@MADE
@pytest.mark.parametrize("write", [copied_in_rows, filled, by_flat, with_axes_kept])
def test_what_is_a_view_in_any_order_is_written_after_loops_and_branches(
    made: Callable[..., Any], write: Callable[..., Any]
) -> None:
    compiled = ag.compile(lambda x: write(x, made))
    for x in TABLES * 2:
        np.testing.assert_array_equal(compiled(x), write(x, made))
    assert compiled.stats.programs == 1
