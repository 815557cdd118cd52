"""`stop_gradient` ends every gradient there is, whatever maps over samples inside or outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

X = np.array([1.0, 2.0, 3.0])
XS = np.stack([X, X * -0.5])


def stopped(x: Any) -> Any:
    return np.sum(ag.stop_gradient(x * 2.0) * x)


def mapped(xs: Any) -> Any:
    return np.sum(ag.vmap(stopped)(xs))


def nested(xs: Any) -> Any:
    return np.sum(ag.vmap(ag.vmap(stopped))(xs[None]))


def shared(xs: Any) -> Any:
    return np.sum(ag.vmap(lambda x: ag.stop_gradient(xs) * xs)(np.ones(2))) / 2


def outside(xs: Any) -> Any:
    return np.sum(ag.vmap(lambda x: np.sum(ag.stop_gradient(x) * x))(xs * 2.0)) / 2


FUNCTIONS: list[tuple[Callable[[Any], Any], float]] = [
    (mapped, 2.0), (nested, 2.0), (shared, 1.0), (outside, 2.0),
]  # fmt: skip


@pytest.mark.parametrize(("function", "slope"), FUNCTIONS)
def test_no_gradient_goes_through_samples(function: Callable[[Any], Any], slope: float) -> None:
    gradient, hessian = ag.grad(function), ag.hessian(function)
    for of, right in ((gradient, slope * XS), (hessian, np.zeros((2, 3, 2, 3)))):
        np.testing.assert_array_equal(of(XS), right)
        np.testing.assert_array_equal(ag.compile(of)(XS), right)


def test_gradients_of_each_sample_are_stopped_too() -> None:
    def slopes(xs: Any) -> Any:
        return ag.vmap(ag.grad(stopped))(xs)

    np.testing.assert_array_equal(slopes(XS), 2 * XS)
    total = ag.grad(lambda xs: np.sum(np.sin(slopes(xs))))
    np.testing.assert_array_equal(total(XS), np.zeros((2, 3)))
    np.testing.assert_array_equal(ag.compile(total)(XS), np.zeros((2, 3)))


def test_in_the_step_of_a_loop_that_is_mapped() -> None:
    def last(x: Any, xs: Any) -> Any:
        return np.sum(ag.scan(lambda c, e: (c * ag.stop_gradient(np.sum(e) * 1.0), None), x, xs)[0])

    slope = ag.vmap(ag.grad(last), (0, None))
    np.testing.assert_array_equal(slope(XS, XS), np.full((2, 3), -18.0))
    np.testing.assert_array_equal(ag.compile(slope)(XS, XS), np.full((2, 3), -18.0))


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_what_it_gives_is_not_written(compiled: bool) -> None:
    def write(x: Any) -> Any:
        kept = ag.stop_gradient(x * 1.0)
        kept[0] = 9.0
        return kept * x

    function = ag.vmap(write)
    with pytest.raises(ag.AutogradError) as error:
        (ag.compile(function) if compiled else function)(XS)
    assert str(error.value) == (
        "x[i] = v writes into a result of stop_gradient, or into what it was given or returned: "
        "for some data these are one array, and for others they are not; write into a copy "
        "(x = x.copy())"
    )


def test_samples_are_not_detached() -> None:
    with pytest.raises(ag.UnsupportedError) as error:
        ag.vmap(lambda x: x.detach() * x)(XS)
    assert str(error.value) == (
        "x.detach() makes a leaf of a plain array, and under ag.vmap there is none; write "
        "ag.stop_gradient(x)"
    )
