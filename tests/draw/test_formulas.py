"""Formulas: the forward one from the primitive, the derivatives from its rules."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.node import Node
from autograd_lite.drawing.formulas import fill_in, formula_of, local_derivative

X, Y = ag.Value(2.0), ag.Value(-3.0)


@pytest.mark.parametrize(
    ("value", "formula", "derivatives"),
    [
        (X + Y, "x + y", ["1", "1"]),
        (X - Y, "x - y", ["1", "-1"]),
        (X * Y, "x · y", ["y", "x"]),
        (X / Y, "x / y", ["1 / y", "-out / y"]),
        (X**3, "x ** n", ["3 · x ** 2"]),
        (-X, "-x", ["-1"]),
        (np.exp(X), "exp(x)", ["out"]),
        (np.log(X), "log(x)", ["1 / x"]),
        (np.tanh(X), "tanh(x)", ["1 - out²"]),
        (np.sqrt(X), "√x", ["1 / (2 · out)"]),
        (np.sin(X), "sin(x)", ["cos(x)"]),
        (X.relu(), "max(x, 0)", ["x > 0"]),
    ],
)
def test_formulas_of_scalar_operations(value, formula, derivatives):
    node = value.node
    assert formula_of(node) == formula
    for place, expected in enumerate(derivatives):
        found = local_derivative(node, place, 1.7)
        assert found is not None
        is_local, symbol = found
        assert is_local
        assert symbol.text == expected


@pytest.mark.parametrize("value", [X * Y, X / Y, np.tanh(X), np.sqrt(X), X**3, np.logaddexp(X, Y)])
def test_the_number_of_a_local_derivative_is_the_contribution_over_the_upstream(value):
    node = value.node
    value.backward(1.0)
    for place, x in enumerate(node.inputs):
        if isinstance(x, Node):
            before, x.grad = x.grad, None
            value.backward(1.0)
            assert local_derivative(node, place, 1.0)[1].data == pytest.approx(x.grad, rel=1e-15)
            x.grad = before


def test_matrix_products_hand_back_products_with_the_upstream_gradient():
    x, w = ag.Value(np.ones((5, 2))), ag.Value(np.arange(6.0).reshape(2, 3))
    node = (x @ w).node
    upstream = np.arange(15.0).reshape(5, 3)
    assert local_derivative(node, 0, upstream)[0] is False
    assert local_derivative(node, 0, upstream)[1].text == "g @ yᵀ"
    assert local_derivative(node, 1, upstream)[1].text == "xᵀ @ g"


def test_a_gradient_of_ones_does_not_make_a_product_elementwise():
    x, w = ag.Value(np.ones((2, 2))), ag.Value(np.arange(4.0).reshape(2, 2))
    for place in (0, 1):
        assert local_derivative((x @ w).node, place, np.ones((2, 2)))[0] is False
        assert local_derivative((x * w).node, place, np.ones((2, 2)))[0] is True


def test_rules_that_are_more_than_a_line_have_no_formula():
    @ag.primitive
    def odd(x):
        return x * 2.0

    odd.defvjp(lambda g, out, x: float(np.asarray(g.item())) * 2.0)
    assert local_derivative(odd(X).node, 0, 1.0) is None


def test_a_primitive_without_formula_shows_its_name_and_arguments():
    scaled = ag.Primitive(lambda x, w: x * w, lambda g, out, x, w: g * w, None, name="scaled")
    assert formula_of(scaled(X, 3.0).node) == "scaled(x, w)"
    assert formula_of(X.reshape((1,))[0].node) == "x[0]"


def test_names_are_filled_in_at_once_and_not_one_after_the_other():
    assert fill_in("x · y", {"x": "y", "y": "x"}) == "y · x"
    assert fill_in("exp(x) - x", {"x": "-1.0"}) == "exp(-1.0) - (-1.0)"


def test_squares_and_transposes_are_no_part_of_a_name():
    assert fill_in("1 - out²", {"out": "-0.5"}) == "1 - (-0.5)²"
    assert fill_in("g @ yᵀ", {"y": "layer0.weight"}) == "g @ layer0.weightᵀ"
