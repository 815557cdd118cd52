"""Writes in functions that vmap maps: what NumPy does with one sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from tests.engine.mapped_samples import XS, assert_equal, loop


def fills(x: Any) -> Any:
    y = np.zeros(6, like=x)
    y[0] = x[0]
    for i in range(1, 6):
        y[i] = y[i - 1] * 0.5 + np.sin(x[i])
    return y


def views(x: Any) -> Any:
    b = x * 1.0
    tail = b[1:]
    tail *= 2
    b[2] = 5.0
    return b + 1, tail * x[0]


def transposed(x: Any) -> Any:
    b = x.reshape(2, 3) * 1.0
    b.T[0] = x[4:]
    m = np.zeros((2, 3), like=x)
    m[0][...] = x[:3]
    return b * m


def arguments(x: Any) -> Any:
    x[0] = 3.0
    x += x[1]
    return x * 2


def scalars(x: Any) -> Any:
    s = x[0]
    t = s
    s += 1
    total = np.zeros((), like=x)
    for i in range(3):
        total += x[i] ** 2
    return s * t + total


def constants(x: Any) -> Any:
    b = x * 1.0
    y = x * b
    b[:] = 2
    return y + x * b


def masks(x: Any) -> Any:
    b = x * 1.0
    b[x > 0] = 0.5
    np.copyto(b, x**2, where=x < -0.5)
    return b + 0


def places(x: Any) -> Any:
    b = x.reshape(2, 3) * 1.0
    b[:, np.argmax(x) % 3] = x[:2]
    b[[0, 1], np.argsort(x)[:2] % 3] += x[0]
    np.add.at(b, (0, np.argsort(x)[:2] % 3), x[:2])
    return b * b[:, np.argmin(x) % 3][:, None]


def parts(x: Any) -> Any:
    z = x + 0j
    z.real = x * 2
    z.imag[1:] = 3
    b = np.empty_like(x)
    np.multiply(x, 2, out=b)
    b.sort()
    b[[0, 1]] = b[[1, 0]]
    return np.real(z * z) * b


def rows_of_all(x: Any) -> Any:
    kernel = np.outer(x, x)
    kernel.flat[::7] += 0.3
    b = (x.reshape(2, 3) * 2).T
    row = b.flat
    row[1] = x[0] ** 2
    b[1] *= 3
    row[[4, 5]] = x[3]
    b[:, ::2].flat[1:] = x[:2]
    return kernel, b * row[1]


def over_itself(x: Any) -> Any:
    b = x.reshape(2, 3) * 1.0
    np.clip(b, -0.5, 0.8, out=b)
    np.cumsum(b, axis=0, out=b)
    np.clip(b, None, x[:3] ** 2, out=b)
    b[:, [2, 1, 0]] = b
    return b * b


WRITING = [
    fills, views, transposed, arguments, scalars, constants, masks, places, parts, rows_of_all,
    over_itself,
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::autograd_lite.AutogradWarning")
@pytest.mark.parametrize("function", WRITING, ids=lambda f: f.__name__)
def test_writes_inside_are_those_of_the_loop(function):
    def weighed(x: Any) -> Any:
        results = function(x)
        results = results if isinstance(results, tuple) else (results,)
        return sum(np.sum(r * np.arange(1, 1 + np.size(r)).reshape(np.shape(r))) for r in results)

    before = XS.copy()
    wanted = loop(lambda x: weighed(x.copy()), XS)
    slopes = loop(ag.grad(weighed), XS.copy())
    assert_equal(ag.vmap(weighed)(XS), wanted)
    assert_equal(ag.vmap(ag.grad(weighed))(XS), slopes)
    assert_equal(ag.grad(lambda xs: np.sum(ag.vmap(weighed)(xs)))(XS), slopes)
    assert_equal(ag.compile(ag.vmap(weighed))(XS), wanted)
    assert_equal(XS, before)


def test_constants_stay_what_they_were():
    def outside(w: Any) -> Any:
        factor = np.ones(6)
        y = ag.vmap(lambda x: x * factor * w)(XS)
        factor[:] = 2
        return np.sum(y)

    def inside(x: Any) -> Any:
        factor = np.ones(6)
        y = x * factor
        factor[:] = 2
        return np.sum(y + x * factor)

    assert_equal(ag.grad(outside)(np.ones(6)), XS.sum(axis=0))
    assert_equal(ag.vmap(ag.grad(inside))(XS), np.full((4, 6), 3.0))


def test_a_sweep_inside_does_not_write_into_what_is_recorded_outside():
    direction = np.array([0.3, -0.5, 0.7, 0.9])

    def slope(w: Any) -> Any:
        return ag.jvp(lambda w: np.nan_to_num(w)[0] * 2 + np.nan_to_num(w)[1:].sum(), w, direction)[
            1
        ]

    ws = np.ones((3, 4))
    assert_equal(ag.compile(ag.vmap(slope))(ws), [1.7, 1.7, 1.7])
    assert_equal(direction, [0.3, -0.5, 0.7, 0.9])
    halved = ag.vmap(ag.grad(lambda x: np.sum(x[1:] * x[:-1]) + np.sum(x[1:])))
    assert_equal(ag.grad(lambda xs: np.sum(halved(xs) ** 2))(XS).shape, XS.shape)


def test_what_may_be_a_view_is_not_written_through_nor_read_after_a_write():
    def written(x: Any) -> Any:
        b = x * 1.0
        b.T.reshape(-1)[0] = 7.0
        return b

    def read(x: Any) -> Any:
        b = x * 1.0
        row = b.T.reshape(-1)
        b[0] = 7.0
        return row * 1.0

    for function, words in (
        (written, "whether the result of reshape is a view, through which its argument is"),
        (read, "reshape was taken of an array that was written since, and under ag.vmap"),
    ):
        with pytest.raises(ag.InPlaceError, match=words):
            ag.vmap(function)(XS.reshape(4, 2, 3))


ROW = "ravel was taken of an array that was written since"


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (lambda b: b.T.ravel()[...], ROW),
        (lambda b: b.T.ravel().real, ROW),
        (lambda b: np.split(b.T.ravel(), 2)[0], ROW),
        (lambda b: np.squeeze(b.T.ravel())[::-1], ROW),
        (lambda b: b.T.ravel().astype(float, copy=False), ROW),
        (lambda b: np.asfortranarray(b, like=b).T, "asarray was taken of"),
        (lambda b: b.astype(float, order="F", copy=False), "asarray was taken of"),
        (lambda b: b.astype(float, order="C", copy=False)[0], "asarray was taken of"),
    ],
)
def test_a_view_of_what_may_be_a_view_is_not_read_after_a_write(view: Any, words: str) -> None:
    """Whether it shows the write depends on how the sample lies in memory."""

    def read(x: Any) -> Any:
        b = x * 1.0
        part = view(b)
        b *= 3.0
        return part * 1.0

    samples = XS.reshape(4, 2, 3)
    for mapped in (ag.vmap(read), ag.vmap(ag.grad(lambda x: np.sum(read(x))))):
        with pytest.raises(ag.InPlaceError, match=words):
            mapped(samples)


@pytest.mark.parametrize("part", [np.imag, lambda x: x.imag, lambda x: np.imag(x[1:])])
@pytest.mark.parametrize("through", [lambda f: f, ag.grad, ag.compile])
def test_a_real_array_has_no_imaginary_part_to_write(part: Any, through: Any) -> None:
    """NumPy: output array is read-only."""

    def written(x: Any) -> Any:
        y = part(x)
        y += 5.0
        return np.sum(x) + np.sum(y)

    def silently(x: Any) -> Any:
        with ag.no_grad():
            return written(x)

    with pytest.raises(ValueError, match="read-only"):
        written(XS[0])
    for function in (ag.vmap(through(written)), through(ag.vmap(lambda x: ag.grad(silently)(x)))):
        with pytest.raises(ag.InPlaceError, match=r"write; make the array complex first, with x"):
            function(XS)
    with pytest.raises(ag.InPlaceError, match=r"the array is read-only; write into a copy"):
        silently(ag.Value(XS[0]))


@pytest.mark.parametrize("place", [0, 5])
def test_extrema_of_samples_that_are_written_over_are_refused(place: int) -> None:
    def spread(x: Any) -> Any:
        a = x * 1.0
        np.ptp(a, axis=0, out=a[place, ...])
        return a

    with pytest.raises(ag.InPlaceError, match=r"read from a copy \(x.copy\(\)\)"):
        ag.vmap(spread)(XS)


def test_windows_that_can_be_written_are_not_written_as_if_apart() -> None:
    def f(x: Any) -> Any:
        y = x * 1.0
        windows = np.lib.stride_tricks.sliding_window_view(y, 3, writeable=True)
        windows[0] = 1.0  # and so parts of windows[1], which overlaps it
        return np.sum(windows)

    assert f(np.arange(5.0)) == 3 * 1 + (1 + 1 + 3) + (1 + 3 + 4)
    for call, x in ((ag.grad(f), np.arange(5.0)), (ag.vmap(f), np.ones((2, 5)))):
        with pytest.raises(ag.InPlaceError, match="write into a copy"):
            call(x)


WITHOUT_AXES: dict[str, Callable[[Any], Any]] = {
    "astype": lambda a: a.astype(float),
    "astype without a copy": lambda a: a.astype(float, copy=False),
    "np.astype": lambda a: np.astype(a, float),
    "roll": lambda a: np.roll(a, 0),
    "i0": np.i0,
    "real_if_close": np.real_if_close,
    "real_if_close of complex numbers": lambda a: np.real_if_close(a + 0j),
    "piecewise": lambda a: np.piecewise(a, [a > 0.5], [np.sin, 0.5]),
    "resize": lambda a: np.resize(a, ()),
    "an index with an ellipsis": lambda a: np.stack([a, a])[np.array(0), ...],
    "a place that is found, with an ellipsis": lambda a: np.stack([a, -a])[np.argmax(a), ...],
}


@pytest.mark.filterwarnings("ignore::autograd_lite.AutogradWarning")
@pytest.mark.parametrize("is_array", [True, False], ids=["array", "number"])
@pytest.mark.parametrize("name", WITHOUT_AXES)
def test_what_has_no_axes_is_an_array_of_each_sample_where_it_is_of_one(
    name: str, is_array: bool
) -> None:
    def f(x: Any) -> Any:
        x = np.cos(x)
        y = WITHOUT_AXES[name](x[0, ...] if is_array else x[0])
        other = y
        y -= 1.0
        return other * 1.0

    samples = np.array([[0.3, 0.4], [0.5, 0.6]])
    right = [f(x) for x in samples]
    np.testing.assert_array_equal(ag.vmap(f)(samples), right)
    np.testing.assert_array_equal([ag.value_and_grad(f)(x)[0] for x in samples], right)


ROWS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "a row": lambda x, i, j: x[i],
    "a part of a row": lambda x, i, j: x[i, 1:],
    "a column": lambda x, i, j: x[:, i],
    "an element": lambda x, i, j: x[i, j, ...],
    "a row of a transpose": lambda x, i, j: x.T[i],
    "a row with an axis more": lambda x, i, j: x[None, i],
    "a view of a row": lambda x, i, j: x[i][::-1][:, None],
}


@pytest.mark.parametrize("name", ROWS)
def test_a_part_at_a_place_that_is_found_is_a_view(name: str) -> None:
    """Each sample has its own; NumPy copies nothing for an index that is a whole number."""

    def f(x: Any) -> Any:
        x = np.sin(x)
        i, j = np.argmax(x[:, 0]), np.argmin(x[:, 1])
        part, other = ROWS[name](x, i, j), ROWS[name](x, j, i)
        part *= 3.0
        x -= 0.5
        x[i] += x[j]
        other -= x[j, 0]
        return x * part.ravel()[0]

    samples = np.random.default_rng(0).normal(size=(4, 3, 3))
    right = [f(x) for x in samples]
    np.testing.assert_allclose(ag.vmap(f)(samples), right, rtol=1e-14)
    np.testing.assert_allclose(ag.vmap(ag.vmap(f))(samples[None])[0], right, rtol=1e-14)
    gradient = ag.grad(lambda x: np.sum(f(x)))
    np.testing.assert_allclose(
        ag.vmap(gradient)(samples), [gradient(x) for x in samples], rtol=1e-12
    )


def test_a_constant_without_axes_is_not_written_as_a_number() -> None:
    """Of a plain array it is that array, of a Value one that is read-only."""

    def f(x: Any) -> Any:
        constant = ag.stop_gradient(np.copy(x[0]))
        other = constant
        constant += 1.0
        return other * 1.0

    for call, x in ((ag.vmap(f), XS), (ag.vmap(lambda x: f(x * 2.0)), XS), (ag.grad(f), XS[0])):
        with pytest.raises(ag.AutogradError, match=r"stop_gradient|read-only"):
            call(x)
    number = ag.vmap(lambda x: ag.stop_gradient(x[0]) + 1.0)
    np.testing.assert_array_equal(number(XS), XS[:, 0] + 1.0)
