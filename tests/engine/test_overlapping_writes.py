"""Writes that read from the memory they write: NumPy's result, or a refusal that names them."""

from __future__ import annotations

import inspect
import itertools
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.primitive import registry
from tests.ops.cases.case import has

POINT = np.random.default_rng(0).uniform(-1, 1, 6)

WITHOUT_COPY = [
    "a.flat[1:] = a[:-1]",
    "a.flat[:] = a[::-1]",
    "a.flat = a[::-1]",
    "a.flat[[1, 2, 3]] = a[:3]",
    "a[a > -9] = a[::-1]",
    "a[a > -1] = a.ravel()[::-1]",
    "a[[True] * 6] = a[::-1]",
    "a.reshape(2, 3)[np.ones((2, 3), bool)] = a[::-1]",
    "a[::2] = a[:3]",
    "a.reshape(3, 2).T[0] = a[:3]",
    "a.real[::2, ...] = a[:3]",
    "np.place(a, a > -9, a[1:])",
    "np.place(a[1:], [1] * 5, a[:-1])",
    "np.fill_diagonal(a.reshape(2, 3), a[:2][::-1])",
    "np.concatenate([a[1:], a[:1]], out=a)",
    "np.stack([a[3:], a[:3]], out=a.reshape(2, 3))",
    "np.ptp(a.reshape(2, 3), axis=0, out=a[1:4])",
    "np.median(a.reshape(2, 3), axis=1, out=a[:2], overwrite_input=True)",
    "np.percentile(a, [20, 60], out=a[:2], overwrite_input=True)",
]
WITH_COPY = [
    "a[1:] = a[:-1]",
    "a[::-2] = a[:3]",
    "a[:3] = a[1::2]",
    "a.reshape(3, 2)[:, :1] = a[:3, None]",
    "a[[1, 2, 3]] = a[:3]",
    "a.reshape(2, 3)[:, [0, 1]] = a.reshape(2, 3)[:, [1, 0]]",
    "a.flat[1:] = a[:-1].copy()",
    "a.flat[3:] = a[:3]",
    "a[a > -9] = a[::-1] * 1.0",
    "np.place(a, a > -9, a)",
    "np.put(a, [1, 2, 3], a[::-1])",
    "np.putmask(a, a > -9, a[::-1])",
    "np.copyto(a[1:], a[:-1])",
    "np.put_along_axis(a, np.arange(6), a[::-1], 0)",
    "np.concatenate([a[:3], a[3:]], out=a)",
    "np.concatenate([a[1:3], a[:1]], out=a[3:])",
    "np.add(a[1:], a[:-1], out=a[1:])",
    "np.add.accumulate(a[::-1], out=a)",
    "np.cumsum(a[:-1], out=a[1:])",
    "np.sum(a.reshape(2, 3), axis=0, out=a[1:4])",
    "np.var(a.reshape(2, 3), axis=0, out=a[1:4])",
    "np.median(a.reshape(2, 3), axis=0, out=a[1:4])",
    "np.median(a[2:], out=a[0, ...], overwrite_input=False)",
    "np.matmul(a.reshape(2, 3), a[:3], out=a[:2])",
    "np.einsum('ij,j->i', a.reshape(2, 3), a[:3], out=a[:2])",
    "np.outer(a[:2], a[:3], out=a.reshape(2, 3))",
    "np.fill_diagonal(a.reshape(2, 3), a[1:])",
    "np.take(a[::-1], [0, 1, 2], out=a[:3])",
    "np.clip(a[::-1], -0.5, 0.5, out=a)",
]


def after(statement: str) -> Any:
    """A function to what an array holds after a statement has written into it."""

    def function(a: Any) -> Any:
        a = a.copy()
        exec(statement, {"np": np, "a": a})
        return a

    return function


@pytest.mark.parametrize("statement", WITHOUT_COPY)
@pytest.mark.parametrize("is_written_before", [False, True])
def test_what_numpy_writes_without_a_copy_is_refused(
    statement: str, is_written_before: bool
) -> None:
    before = "a[0] *= 1.0; " if is_written_before else ""
    with pytest.raises(ag.InPlaceError, match=r"read\nfrom|read from a copy \(x.copy\(\)\)"):
        ag.vjp(after(before + statement), POINT)


@pytest.mark.parametrize("statement", WITH_COPY)
@pytest.mark.parametrize("is_written_before", [False, True])
def test_what_numpy_copies_first_is_as_it_makes_it(statement: str, is_written_before: bool) -> None:
    function = after(("a[0] *= 1.0; " if is_written_before else "") + statement)
    value, pullback = ag.vjp(function, POINT)
    np.testing.assert_array_equal(value, function(POINT))
    steps = 1e-6 * np.eye(6)
    slopes = [(function(POINT + step) - function(POINT - step)) / 2e-6 for step in steps]
    weights = np.arange(1.0, 7.0)
    np.testing.assert_allclose(pullback(weights)[0], slopes @ weights, atol=1e-8)


def spread_over_first(x: Any) -> Any:
    a = x * 1.0
    np.ptp(a, axis=0, out=a[0, ...])
    return a


def test_whether_a_write_is_as_numpys_is_asked_of_the_numbers_that_are_written() -> None:
    """The smallest element is overwritten by the largest before NumPy looks for it."""
    refused = 0
    for order in itertools.permutations(range(8)):
        if order[0] > 1 or order[1] > 2:
            continue  # a sample of the orders
        x = np.array(order, float)
        try:
            value, _ = ag.vjp(spread_over_first, x)
        except ag.InPlaceError:
            refused += order[0] == 0
            continue
        np.testing.assert_array_equal(value, spread_over_first(x))
    assert refused
    with pytest.raises(ag.InPlaceError, match=r"read from a copy \(x.copy\(\)\)"):
        ag.compile(spread_over_first)(np.array([3.0, 1.0, 2.0]))


def test_the_message_says_what_to_write() -> None:
    with pytest.raises(ag.InPlaceError) as error:
        ag.grad(lambda x: np.sum(after("a.flat[1:] = a[:-1]")(x)))(POINT)
    assert str(error.value) == (
        "x.flat[i] = v: what is read lies in the memory that is written, and NumPy copies none of "
        "it beforehand, so that its result depends on the order of the elements in memory; read "
        "from a copy (x.copy())"
    )


def with_out() -> list[Any]:
    """Functions of NumPy's, but for ufuncs, that are told where to write; hfft does not listen."""
    found = []
    for function in registry:
        if not callable(function) or isinstance(function, np.ufunc) or not has(function):
            continue
        try:
            if function is not np.fft.hfft and "out" in inspect.signature(function).parameters:
                found.append(function)
        except ValueError:
            continue
    return found


CALLS = {
    "vector": lambda f, a, b, out: f(a, out=out),
    "matrix": lambda f, a, b, out: f(a.reshape(2, 3), axis=0, out=out),
    "rows": lambda f, a, b, out: f(a.reshape(2, 3), axis=1, out=out),
    "list": lambda f, a, b, out: f([a[:3], b[:3]], out=out),
    "two": lambda f, a, b, out: f(a[:3], b[:3], out=out),
    "products": lambda f, a, b, out: f(a[:4].reshape(2, 2), b[:2], out=out),
    "quantiles": lambda f, a, b, out: f(a.reshape(2, 3), 0.3, axis=0, out=out),
    "used up": lambda f, a, b, out: f(a.reshape(2, 3), axis=0, out=out, overwrite_input=True),
    "used": lambda f, a, b, out: f(a.reshape(2, 3), 0.3, axis=0, out=out, overwrite_input=True),
}
"""Ways to call a function, of which NumPy says which it takes."""


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("function", with_out(), ids=lambda function: function.__name__)
def test_no_function_that_writes_over_what_it_reads_has_another_value(
    function: Any, call: str
) -> None:
    def written(a: Any, first: int, last: int) -> Any:
        a = a.copy()
        shape = np.shape(CALLS[call](function, POINT.copy(), POINT[::-1].copy(), None))
        out = a[first:last].reshape(shape) if shape else a[first, ...]
        CALLS[call](function, a, a[::-1], out)
        return a

    for first in (0, 1, 3):
        for last in range(first + 1, 7):
            try:
                expected = written(POINT, first, last)
            except Exception:
                continue  # NumPy does not take it
            try:
                value, _ = ag.vjp(lambda a, ends=(first, last): written(a, *ends), POINT)
            except ag.AutogradError:
                continue
            np.testing.assert_array_equal(value, expected)
