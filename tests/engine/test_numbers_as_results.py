"""What ``x.item()`` takes out of the graph is a constant, and not what a function returns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core import leaving


def total(x: Any) -> Any:
    return np.sum(x * x).item()


TAKEN = (
    " took a number out of the graph while a function is differentiated, and its result does not "
    "depend on the arguments any more: the gradient would be 0.\n"
    "Return the Value itself in the place of x.item(); or write ag.stop_gradient(x) if it is meant "
    "as a constant"
)
THREE = np.array([1.0, 2.0, 3.0])
TRANSFORMS = {
    "grad": lambda f: ag.grad(f)(THREE),
    "value_and_grad": lambda f: ag.value_and_grad(f)(THREE),
    "jacobian": lambda f: ag.jacobian(f)(THREE),
    "hessian": lambda f: ag.hessian(f)(THREE),
    "hvp": lambda f: ag.hvp(f, THREE, THREE),
    "jvp": lambda f: ag.jvp(f, THREE, THREE),
    "vjp": lambda f: ag.vjp(f, THREE),
    "linearize": lambda f: ag.linearize(f, THREE),
    "gradcheck": lambda f: ag.gradcheck(f, THREE),
}
OUTER = ag.Value(2.0)
RESULTS = {
    "the number itself": lambda x: np.sum(x).item(),
    "of an index": lambda x: x.item(1),
    "as a list": lambda x: x[0].tolist(),
    "what is computed from it": lambda x: np.sin(np.sum(x).item()),
    "an array of it": lambda x: np.array([x[0].item(), 1.0]),
    "a Value of something else": lambda x: OUTER * x[0].item(),
    "one of several": lambda x: (x * 2, x[0].item()),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_number_that_was_taken_out_is_no_result(name: str):
    line = total.__code__.co_firstlineno + 1
    with pytest.raises(ag.UnsupportedError) as info:
        TRANSFORMS[name](total)
    assert str(info.value) == f"item() in line {line} of total{TAKEN}"


@pytest.mark.parametrize("name", RESULTS)
def test_nor_is_what_is_made_of_it(name: str):
    with pytest.raises(ag.UnsupportedError, match="its result does not depend on the arguments"):
        ag.jacobian(RESULTS[name])(THREE)


def test_nor_is_that_of_an_inner_function():
    def inner(y: Any) -> Any:
        return (y * y).item()

    with pytest.raises(ag.UnsupportedError, match="of inner took a number"):
        ag.grad(lambda x: x * ag.grad(inner)(x))(2.0)
    brentq = pytest.importorskip("autograd_lite.scipy.optimize").brentq
    with pytest.raises(ag.UnsupportedError, match="took a number"):
        ag.grad(lambda a: brentq(lambda z: (z**3 - a + a * 0).item(), 0.0, 5.0))(2.0)


def without_gradient(x: Any) -> Any:
    with ag.no_grad():
        return np.sum(x).item()


CONSTANTS = {
    "stop_gradient": (lambda x: ag.stop_gradient(np.sum(x)), [0, 0, 0]),
    "what is computed of it": (lambda x: np.sin(ag.stop_gradient(x[0])), [0, 0, 0]),
    "no_grad": (without_gradient, [0, 0, 0]),
    "nothing taken": (lambda x: 1.0, [0, 0, 0]),
    "text": (lambda x: (f"{x[0]:.3f}", 1.0)[1], [0, 0, 0]),
    "a step": (lambda x: float(math.floor(x[0])), [0, 0, 0]),
    "a condition": (lambda x: np.sum(x) if x[0].item() > 0 else x[1], [1, 1, 1]),
    "a factor": (lambda x: x[0] * x[1].item(), [2, 0, 0]),
    "where an inner function is differentiated": (
        lambda x: x[0] * ag.grad(lambda y: y * y)(x[1].item()), [4, 0, 0],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONSTANTS)
def test_what_is_meant_as_a_constant_may_be_one(name: str):
    function, gradient = CONSTANTS[name]
    np.testing.assert_array_equal(ag.grad(function)(THREE), gradient)


def test_a_count_and_what_comes_along_may_be_plain_numbers():
    jacobian, of_count = ag.jacobian(lambda x: (x, int(x[2].item())))(THREE)
    np.testing.assert_array_equal(jacobian, np.eye(3))
    np.testing.assert_array_equal(of_count, 0)
    (value, aux), gradient = ag.value_and_grad(
        lambda x: (np.sum(x), np.sum(x).item()), has_aux=True
    )(THREE)
    assert (value, aux) == (6.0, 6.0)
    np.testing.assert_array_equal(gradient, 1)


def test_nothing_is_kept_of_what_was_taken():
    with pytest.raises(ag.UnsupportedError):
        ag.grad(total)(THREE)
    ag.grad(lambda x: x[0] * x[1].item())(THREE)
    assert not leaving.taken
