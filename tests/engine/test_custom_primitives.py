"""Functions with rules of their own: what the engine does for them, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value

POINT = np.array([0.5, -1.0, 2.0])


def swish():
    @ag.primitive
    def swish(x):
        """x times its logistic sigmoid."""
        return x / (1 + np.exp(-x))

    def vjp(g, out, x):
        s = 1 / (1 + np.exp(-x))
        return g * (s + out * (1 - s))

    return swish.defvjp(vjp)


def test_a_custom_primitive_is_a_function_with_derivatives_of_any_order():
    f = swish()
    assert f.__doc__ == "x times its logistic sigmoid."
    assert repr(f) == "<Primitive swish>"
    plain = f(POINT)
    assert type(plain) is np.ndarray
    x = Value(POINT)
    np.testing.assert_array_equal(f(x).data, plain)

    def composed(x):
        return np.sum(x / (1 + np.exp(-x)))

    np.testing.assert_allclose(
        ag.grad(lambda x: np.sum(f(x)))(POINT), ag.grad(composed)(POINT), rtol=1e-13
    )
    np.testing.assert_allclose(
        ag.hessian(lambda x: np.sum(f(x)))(POINT),
        ag.hessian(composed)(POINT),
        rtol=1e-12,
        atol=1e-15,
    )


def test_static_keyword_arguments_reach_the_rules():
    @ag.primitive
    def power(x, *, exponent=2):
        return x**exponent

    power.defvjp(lambda g, out, x, exponent=2: g * exponent * x ** (exponent - 1))
    assert ag.grad(lambda x: power(x))(3.0) == 6.0
    assert ag.grad(lambda x: power(x, exponent=3))(3.0) == 27.0
    with pytest.raises(ag.ArgumentTypeError) as caught:
        power(Value(3.0), exponent=Value(2.0))
    assert str(caught.value) == (
        "power: the argument 'exponent' is static and cannot be a Value; "
        "pass exponent=exponent.data to use its number as a constant"
    )


def test_none_marks_an_argument_without_derivative():
    @ag.primitive
    def scaled(x, factor):
        return x * factor

    scaled.defvjp(lambda g, out, x, factor: g * factor, None)
    x, factor = Value(3.0), Value(2.0)
    scaled(x, factor).backward()
    assert x.grad == 2.0
    assert factor.grad is None


def test_a_missing_rule_names_the_function_and_the_argument():
    @ag.primitive
    def product(x, y):
        return x * y

    with pytest.raises(ag.NoRuleError) as caught:
        product(Value(1.0), 2.0).backward()
    assert str(caught.value) == (
        "product: no derivative rule for argument 0 ('x'); give one with product.defvjp(...), "
        "or None there if it has no derivative"
    )
    product.defvjp(lambda g, out, x, y: g * y)
    assert ag.grad(product)(1.0, 2.0) == 2.0
    with pytest.raises(ag.NoRuleError, match=r"no derivative rule for argument 1 \('y'\)"):
        ag.grad(product, 1)(1.0, 2.0)


def test_an_elementwise_primitive_with_fewer_rules_than_inputs():
    @ag.primitive(broadcasts=True)
    def scaled_sum(x, y, z=1.0):
        return z * (x + y)

    a, b, c = ag.Value(2.0), ag.Value(3.0), ag.Value(4.0)
    scaled_sum.defvjp(lambda g, out, x, y=0.0, z=1.0: g * z)
    with pytest.raises(ag.NoRuleError, match=r"no derivative rule for argument 1 \('y'\)"):
        scaled_sum(a, b).backward()
    scaled_sum.defvjp(*[lambda g, out, x, y=0.0, z=1.0: g * z] * 2)
    with pytest.raises(ag.NoRuleError, match=r"no derivative rule for argument 2 \('z'\)"):
        scaled_sum(a, b, c).backward()
    scaled_sum(a, b, 5.0).backward()
    assert (a.grad, b.grad) == (5.0, 5.0)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (
            lambda g, out, x: np.ones(2),
            "triple: the rule for argument 0 ('x') returned shape (2,), but the argument has "
            "shape (3,); a gradient has the shape of what it is the gradient of",
        ),
        (
            lambda g, out, x: np.sum(g * 3),
            "triple: the rule for argument 0 ('x') returned shape (), but the argument has "
            "shape (3,); a gradient has the shape of what it is the gradient of",
        ),
        (
            lambda g, out, x: None,
            "triple: the rule for argument 0 ('x') returned NoneType; "
            "return an array of shape (3,)",
        ),
        (
            lambda g, out, x: [1.0, 2.0, 3.0],
            "triple: the rule for argument 0 ('x') returned list; return an array of shape (3,)",
        ),
        (
            lambda g, out, x: np.array(["a", "b", "c"]),
            "triple: the rule for argument 0 ('x') returned dtype <U1; "
            "return real or complex numbers",
        ),
    ],
)
def test_a_rule_with_a_wrong_result_is_refused(rule, text):
    @ag.primitive
    def triple(x):
        return 3 * x

    triple.defvjp(rule)
    with pytest.raises(ag.RuleError) as caught:
        np.sum(triple(Value(POINT))).backward()
    assert str(caught.value) == text


def test_what_is_no_function_is_no_primitive():
    for wrong in (3, "exp"):
        with pytest.raises(ag.ArgumentTypeError, match="is not a function; write @ag"):
            ag.primitive(wrong)


def test_a_rule_that_is_no_function_is_refused():
    with pytest.raises(ag.ArgumentTypeError) as caught:
        swish().defvjp(3.0)
    assert str(caught.value) == (
        "swish.defvjp: rule 0 is 3.0; pass a function of (g, out, *inputs), "
        "or None for no derivative"
    )


def test_broadcasting_is_undone_where_the_primitive_says_that_it_broadcasts():
    def multiply(x, y):
        return x * y

    rules = (lambda g, out, x, y: g * y, lambda g, out, x, y: g * x)
    x, y = np.ones((2, 3)), np.array([[2.0], [5.0]])
    broadcasting = ag.primitive(broadcasts=True)(multiply).defvjp(*rules)
    gradients = ag.grad(lambda x, y: np.sum(broadcasting(x, y)), (0, 1))(x, y)
    np.testing.assert_array_equal(gradients[0], [[2.0] * 3, [5.0] * 3])
    np.testing.assert_array_equal(gradients[1], [[3.0], [3.0]])
    strict = ag.primitive(multiply).defvjp(*rules)
    with pytest.raises(ag.RuleError, match=r"returned shape \(2, 3\), but the argument has shape"):
        ag.grad(lambda x, y: np.sum(strict(x, y)), (0, 1))(x, y)


def test_float32_stays_although_the_rule_computes_in_float64():
    @ag.primitive
    def double(x):
        return x * 2

    double.defvjp(lambda g, out, x: g * np.float64(2))
    x = Value(np.ones(3, np.float32))
    np.sum(double(x)).backward()
    assert x.grad.dtype == np.float32


def test_joint_rules_are_computed_once_for_all_inputs():
    calls = []

    def joint(g, out, x, y):
        calls.append(1)
        return g * y, g * x

    product = ag.Primitive(lambda x, y: x * y, joint=joint, name="product")
    assert ag.grad(product, (0, 1))(2.0, 3.0) == (3.0, 2.0)
    assert len(calls) == 1


def test_rules_for_any_number_of_inputs():
    total = ag.Primitive(
        lambda *xs: sum(xs), each=lambda index, g, out, *xs: g * (index + 1), name="total"
    )
    assert ag.grad(total, (0, 1, 2))(1.0, 1.0, 1.0) == (1.0, 2.0, 3.0)


# What lies in containers.


def test_a_primitive_applies_its_rule_also_to_what_lies_in_containers():
    product = ag.primitive(lambda pair: pair[0] * pair[1])
    product.defvjp(lambda g, out, pair: [100 * g, 200 * g])
    assert ag.grad(lambda x: product([x, 2 * x]))(1.5) == 100 + 400
    assert ag.grad(lambda x: product([x, 3.0]))(1.5) == 100
    assert ag.grad(lambda x: product((2.0, x)))(1.5) == 200
    assert product([2.0, 3.0]) == 6.0

    of_dict = ag.primitive(lambda d: d["a"] * 3 + d["b"][0])
    of_dict.defvjp(lambda g, out, d: {"a": 100 * g, "b": [10 * g, 0.0]})
    assert ag.grad(lambda x: of_dict({"a": x, "b": [x, 1.0]}))(1.5) == 110
    assert ag.grad(of_dict)({"a": 1.0, "b": [2.0, 3.0]}) == {"a": 100.0, "b": [10.0, 0.0]}


def test_a_primitive_of_values_beside_containers_of_values():
    both = ag.primitive(lambda y, xs, scale=1.0: scale * xs[0] * y)
    both.defvjp(
        lambda g, out, y, xs, scale=1.0: 1000 * g * scale,
        lambda g, out, y, xs, scale=1.0: [100 * g * scale],
    )
    assert ag.grad(lambda x: both(x, [x]))(1.5) == 1100
    assert ag.grad(lambda x: both(x, [2.0]))(1.5) == 1000
    assert ag.grad(lambda x: both(3.0, [x], scale=2.0))(1.5) == 200
    assert ag.compile(ag.grad(lambda x: both(x, [x])))(1.5) == 1100


def test_a_rule_of_containers_has_higher_derivatives_and_batches():
    power = ag.primitive(lambda xs: xs[0] ** 2 * xs[1])
    power.defvjp(lambda g, out, xs: [g * 2 * xs[0] * xs[1], g * xs[0] ** 2])
    assert ag.grad(ag.grad(lambda x: power([x, x])))(2.0) == pytest.approx(6 * 2.0)
    x = np.array([1.0, 2.0])
    np.testing.assert_allclose(
        ag.jacobian(lambda x: power([x, x]))(x), np.diag(3 * x**2), rtol=1e-14
    )


def test_a_rule_of_a_container_that_gives_something_else_is_named():
    wrong = ag.primitive(lambda pair: pair[0] * pair[1])
    wrong.defvjp(lambda g, out, pair: [g])
    with pytest.raises(ag.RuleError, match="expected 2 arrays, given 1"):
        ag.grad(lambda x: wrong([x, x]))(1.5)
    lacking = ag.primitive(lambda pair: pair[0] * pair[1])
    with pytest.raises(ag.NoRuleError):
        ag.grad(lambda x: lacking([x, x]))(1.5)


def test_values_in_a_container_by_keyword_need_a_rule_too():
    scaled = ag.primitive(lambda x, options=None: x * options["scale"])
    scaled.defvjp(lambda g, out, x, options=None: g * options["scale"])
    with pytest.raises(ag.NoRuleError, match="no derivative rule for argument 1"):
        ag.grad(lambda x: scaled(x, options={"scale": x}))(1.5)


@pytest.mark.parametrize(
    "result", [(1.0, 2.0), [1.0], {"a": 1.0}, None], ids=["tuple", "list", "dict", "None"]
)
def test_a_primitive_has_one_result(result) -> None:
    of_one = ag.Primitive(lambda x: result, lambda g, out, x: g, name="of_one")
    of_two = ag.Primitive(lambda x, y: result, lambda g, out, x, y: g, None, name="of_two")
    for function in (of_one, lambda x: of_two(x, 2.0)):
        with pytest.raises(
            ag.ArgumentTypeError, match=r"returned \w+, and a Primitive has one array"
        ):
            ag.grad(function)(np.ones(2))
