"""Which argument a transform differentiates by, and what comes along with a result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

W = np.array([0.5, -1.5, 2.0])


def product(x: Any, y: Any, z: Any = 2.0) -> Any:
    return x * y**2 * z**3


@pytest.mark.parametrize(
    "argnum",
    [(0, 1), [0, 1], range(2), ("x", "y"), ["x", 1], (-3, -2), np.arange(2), (np.int64(0), "y")],
)
def test_several_arguments_by_position_or_name(argnum: Any) -> None:
    assert ag.grad(product, argnum)(2.0, 3.0, 1.0) == (9.0, 12.0)
    assert ag.value_and_grad(product, argnum)(2.0, 3.0, 1.0) == (18.0, (9.0, 12.0))
    assert ag.jacobian(product, argnum)(2.0, 3.0, 1.0) == (9.0, 12.0)
    assert ag.hessian(product, argnum)(2.0, 3.0, 1.0) == ((0.0, 6.0), (6.0, 4.0))


@pytest.mark.parametrize("argnum", [1, -2, "y", np.int64(1)])
def test_one_argument_by_position_or_name(argnum: Any) -> None:
    assert ag.grad(product, argnum)(2.0, 3.0, 1.0) == 12.0
    assert ag.hessian(product, argnum)(2.0, 3.0, 1.0) == 4.0


def test_arguments_passed_by_keyword() -> None:
    assert ag.grad(product, "z")(1.0, 1.0, z=2.0) == 12.0
    assert ag.grad(product, 2)(1.0, 1.0, z=2.0) == 12.0
    assert ag.grad(product, ("z", "x"))(x=1.0, y=1.0, z=2.0) == (12.0, 8.0)
    assert ag.hessian(product, "z")(1.0, 1.0, z=2.0) == 12.0
    assert ag.grad(lambda **options: options["rate"] ** 2, "rate")(rate=3.0) == 6.0
    assert ag.compile(ag.grad(product, "z"))(1.0, 1.0, z=2.0) == 12.0


@pytest.mark.parametrize(
    ("argnum", "text"),
    [
        ("w", "argnum 'w' names no argument: product was called with 2"),
        ("z", "argnum 'z' names no argument: product was called with 2"),
        (2, "argnum 2 names no argument: product was called with 2"),
        ((0, 0), "argnum 0 names an argument that is named already; name each once"),
        ((0, "x"), "argnum 'x' names an argument that is named already; name each once"),
        ((1, -1), "argnum -1 names an argument that is named already; name each once"),
        (0.5, "argnum is 0.5; pass a position, the name of a parameter, or several in a tuple"),
        ({0}, "argnum is {0}; pass a position, the name of a parameter, or several in a tuple"),
        (None, "argnum is None; pass a position, the name of a parameter, or several in a tuple"),
    ],
)
def test_arguments_that_there_are_not(argnum: Any, text: str) -> None:
    for transform in (ag.grad, ag.value_and_grad, ag.jacobian, ag.hessian):
        with pytest.raises(ag.AutogradError) as caught:
            transform(product, argnum)(2.0, 3.0)
        assert str(caught.value) == text


# What comes along with a result.


def with_aux(x: Any) -> Any:
    return np.sum(x**3), {"twice": 2 * x, "text": "kept", "none": None, "list": [x[0]]}


def assert_aux(aux: Any) -> None:
    np.testing.assert_array_equal(aux["twice"], 2 * W)
    assert type(aux["twice"]) is np.ndarray
    assert (aux["text"], aux["none"]) == ("kept", None)
    assert aux["list"] == [W[0]]
    assert not isinstance(aux["list"][0], ag.Value)


def test_every_transform_hands_on_an_aux() -> None:
    v = np.array([1.0, 2.0, 3.0])
    gradient, aux = ag.grad(with_aux, has_aux=True)(W)
    np.testing.assert_allclose(gradient, 3 * W**2)
    assert_aux(aux)
    (value, aux), gradient = ag.value_and_grad(with_aux, has_aux=True)(W)
    assert value == np.sum(W**3)
    np.testing.assert_allclose(gradient, 3 * W**2)
    assert_aux(aux)
    jacobian, aux = ag.jacobian(with_aux, has_aux=True)(W)
    np.testing.assert_allclose(jacobian, 3 * W**2)
    assert_aux(aux)
    hessian, aux = ag.hessian(with_aux, has_aux=True)(W)
    np.testing.assert_allclose(hessian, np.diag(6 * W))
    assert_aux(aux)
    value, pullback, aux = ag.vjp(with_aux, W, has_aux=True)
    np.testing.assert_allclose(pullback(2.0)[0], 6 * W**2)
    assert_aux(aux)
    value, tangent, aux = ag.jvp(with_aux, W, v, has_aux=True)
    assert tangent == pytest.approx(3 * W**2 @ v)
    assert_aux(aux)
    product, aux = ag.hvp(with_aux, W, v, has_aux=True)
    np.testing.assert_allclose(product, 6 * W * v)
    assert_aux(aux)
    products, aux = ag.hvp(with_aux, (W,), (v,), has_aux=True)
    np.testing.assert_allclose(products[0], 6 * W * v)
    assert_aux(aux)


def test_an_aux_that_depends_on_a_callers_value_is_one() -> None:
    w = ag.Value(2.0)
    gradient, (mine, yours) = ag.grad(lambda x: (x**2, (x * 3.0, x * w)), has_aux=True)(5.0)
    assert (gradient, mine) == (10.0, 15.0)
    assert isinstance(yours, ag.Value)
    yours.backward()
    assert w.grad == 5.0


def test_an_aux_takes_part_in_outer_derivatives() -> None:
    def outer(x: Any) -> Any:
        gradient, aux = ag.grad(lambda y: (x * y**2, x**3), has_aux=True)(3.0)
        return gradient + aux

    assert ag.grad(outer)(2.0) == 6.0 + 12.0


def test_compiled_functions_have_an_aux() -> None:
    compiled = ag.compile(ag.value_and_grad(with_aux, has_aux=True))
    for _ in range(3):
        (value, aux), gradient = compiled(W)
        assert value == pytest.approx(np.sum(W**3))
        np.testing.assert_allclose(gradient, 3 * W**2)
        assert_aux(aux)


@pytest.mark.parametrize("result", [1.0, (1.0,), [1.0, 2.0, 3.0], {"a": 1.0, "b": 2.0}])
def test_a_result_without_aux_is_refused(result: Any) -> None:
    for call in (
        lambda: ag.grad(lambda x: result, has_aux=True)(1.0),
        lambda: ag.vjp(lambda x: result, 1.0, has_aux=True),
    ):
        with pytest.raises(ag.ArgumentTypeError, match="write return result, aux"):
            call()
