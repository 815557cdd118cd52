"""What transforms return is the caller's: writing into it changes nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from tests.engine.numpys_derivative import same_as_numpy

POINT = np.array([0.5, -0.3, 1.2])


def identity(x: Any) -> Any:
    return x


TRANSFORMED: dict[str, Callable[[Any], Any]] = {
    "elementwise_grad": ag.elementwise_grad(lambda x: np.tanh(x) ** 2),
    "hessian_diagonal": ag.hessian_diagonal(lambda x: np.sum(np.sin(x) * x)),
    "jvp, the result": lambda x: ag.jvp(identity, x, x * 2)[0],
    "jvp, the tangent": lambda x: ag.jvp(identity, x * 2, x)[1],
    "vjp": lambda x: ag.vjp(identity, x)[0],
    "vjp, a cotangent": lambda x: ag.vjp(identity, x * 2)[1](x)[0],
    "value_and_grad, aux": lambda x: ag.value_and_grad(
        lambda x: (np.sum(x), x[:]), has_aux=True
    )(x)[0][1],
    "value_and_jacobian": lambda x: ag.value_and_jacobian(identity)(x)[0],
    "vmap": ag.vmap(identity),
    "vmap, a view": lambda x: ag.vmap(lambda x: x[None])(x).T[0],
    "vmap, along another axis": lambda x: ag.vmap(identity, 1, 1)(x[None])[0],
    "vmap, the same for all": lambda x: ag.vmap(lambda _: x)(np.arange(2.0))[0],
    "vmap, the same, once": lambda x: ag.vmap(lambda _: x, out_axes=None)(np.arange(2.0)),
    "jvp, what was captured": lambda x: ag.jvp(lambda _: x, x * 2, x)[0],
    "jvp, the tangent of a view": lambda x: ag.jvp(lambda t: t[::-1], x * 2, x)[1],
    "linearize, the tangent of a view": lambda x: ag.linearize(lambda t: t[::-1], x * 2)[1](x),
    "vjp, what was captured": lambda x: ag.vjp(lambda _: x, x * 2)[0],
    "vjp, a part of what was captured": lambda x: ag.vjp(lambda _: x[::-1], x * 2)[0],
    "vjp, the cotangent of a view": lambda x: ag.vjp(lambda t: t[::-1], x * 2)[1](x)[0],
    "grad, an aux that was captured": lambda x: ag.grad(
        lambda t: (np.sum(t), x), has_aux=True
    )(x * 2)[1],
    "grad, a part of an argument as aux": lambda x: ag.grad(
        lambda t: (np.sum(t), x[::-1]), has_aux=True
    )(x)[1],
    "hvp": lambda x: ag.hvp(lambda t: np.sum(t**2) / 2, np.ones(3), x),
    "one of two equal gradients": lambda x: ag.grad(
        lambda a, b: np.sum((a + b) * x), [0, 1]
    )(x * 1, x * 2)[0],
}  # fmt: skip


@pytest.mark.parametrize("name", TRANSFORMED)
def test_it_is_written_alone(name: str) -> None:
    def function(x: Any) -> Any:
        y = TRANSFORMED[name](x)
        y[0] *= 3
        y[1] = x[0] * x[2]
        return np.stack([x, y, x * y])

    same_as_numpy(function, POINT)
    x = POINT.copy()
    TRANSFORMED[name](x)[:] = 0.0
    np.testing.assert_array_equal(x, POINT)


@pytest.mark.parametrize("name", TRANSFORMED)
def test_it_stays_when_what_it_came_from_is_written(name: str) -> None:
    def function(x: Any) -> Any:
        x = x * 1.0
        y = TRANSFORMED[name](x)
        x *= 3
        x[1:] = x[0] ** 2
        return np.stack([x, y, x * y])

    same_as_numpy(function, POINT)


SEVERAL: dict[str, Callable[[Any], Any]] = {
    "gradients": lambda x: ag.grad(lambda a, b: np.sum((a + b) * x), [0, 1])(x * 1, x * 2),
    "gradients of a cotangent": lambda x: ag.vjp(lambda a, b: a + b, x * 1, x * 2)[1](x),
    "results": lambda x: ag.vjp(lambda t: (t, t[:]), x)[0],
    "results of one array": lambda x: ag.jvp(lambda t: [np.sin(t)] * 2, x, x)[0],
    "tangents": lambda x: ag.jvp(lambda t: (t, t[:]), x * 2, x)[1],
    "samples": lambda x: ag.vmap(lambda e: (e, e))(x),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_each_of_several_is_written_alone(name: str) -> None:
    def function(x: Any) -> Any:
        a, b = SEVERAL[name](x)
        a *= x
        b[0] = a[1]
        return np.stack([a, b, x])

    same_as_numpy(function, POINT)
    a, b = SEVERAL[name](POINT)
    before = b.copy()
    a[:] = 7.0
    np.testing.assert_array_equal(b, before)


NUMBERS: dict[str, Callable[[Any], Any]] = {
    "a tangent": lambda x: ag.jvp(np.sum, x, x)[1],
    "one of several tangents": lambda x: ag.jvp(lambda x: (x, x[0]), x, x)[1][1],
    "a gradient": lambda x: ag.grad(lambda t: t * np.sum(x))(x[0]),
    "a Jacobian": lambda x: ag.jacobian(lambda t: np.sum(x * t**2))(x[0]),
    "a Hessian": lambda x: ag.hessian(lambda t: t**3)(x[0]),
    "a mixed derivative": lambda x: ag.hessian(lambda a, b: a * a * b, (0, 1))(x[0], x[1])[0][1],
    "a product with a Hessian": lambda x: ag.hvp(lambda t: t**3, (x[0],), (x[1],))[0],
    "a diagonal": lambda x: ag.hessian_diagonal(lambda t: t**3)(x[0]),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_what_has_no_axes_is_a_number_which_nobody_writes(name: str) -> None:
    def function(x: Any) -> Any:
        number = NUMBERS[name](x)
        before = number
        number -= x[2]
        return np.stack([before, number, before * number])

    assert isinstance(NUMBERS[name](POINT), float)
    same_as_numpy(function, POINT)
