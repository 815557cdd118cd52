"""The functional transforms: what they compute, how they nest, what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import Value

POINT = np.array([0.3, -1.2, 0.7])


def bowl(x):
    return np.sum(np.sin(x) * x**2)


def test_grad_leaves_nothing_behind():
    x = Value(POINT)
    ag.grad(bowl)(x)
    assert x.grad is None
    np.testing.assert_allclose(
        ag.grad(bowl)(POINT), np.cos(POINT) * POINT**2 + 2 * POINT * np.sin(POINT), rtol=1e-14
    )


def test_the_type_of_the_argument_is_the_type_of_the_gradient():
    assert type(ag.grad(np.sin)(1.0)) is float
    assert type(ag.grad(np.sin)(1)) is float
    gradient = ag.grad(bowl)(POINT.astype(np.float32))
    assert gradient.dtype == np.float32
    assert gradient.flags.owndata
    assert gradient.flags.writeable


def test_gradients_of_sums_are_writeable_arrays():
    gradient = ag.grad(np.sum)(np.ones(3))
    gradient += 1
    assert gradient.tolist() == [2.0, 2.0, 2.0]
    a, b = ag.grad(lambda a, b: np.sum(a + b), (0, 1))(np.ones(2), np.ones(2))
    a[0] = 5
    assert b.tolist() == [1.0, 1.0]


def test_argnum_chooses_the_arguments():
    def f(x, y, power=2):
        return x * y**power

    assert ag.grad(f)(2.0, 3.0) == 9.0
    assert ag.grad(f, 1)(2.0, 3.0) == 12.0
    assert ag.grad(f, -1)(2.0, 3.0) == 12.0
    assert ag.grad(f, (1, 0))(2.0, 3.0) == (12.0, 9.0)
    assert ag.grad(f)(2.0, 3.0, power=3) == 27.0


def test_nested_arguments_come_back_nested():
    def loss(parameters, scale):
        w, b = parameters["layer"]
        return np.sum(w * scale + b) + parameters["bias"] ** 2

    parameters = {"layer": (np.ones(3), [2.0][0]), "bias": 3.0}
    gradient = ag.grad(loss)(parameters, 2.0)
    assert list(gradient) == ["layer", "bias"]
    np.testing.assert_array_equal(gradient["layer"][0], [2.0, 2.0, 2.0])
    assert gradient["layer"][1] == 3.0
    assert gradient["bias"] == 6.0


def test_value_and_grad_gives_both():
    value, gradient = ag.value_and_grad(lambda x: x**3)(2.0)
    assert (value, gradient) == (8.0, 12.0)
    assert type(value) is float


@pytest.mark.parametrize("order", range(6))
def test_derivatives_of_any_order(order):
    function = np.sin
    for _ in range(order):
        function = ag.grad(function)
    assert float(function(0.7)) == pytest.approx(math.sin(0.7 + order * math.pi / 2), abs=1e-14)


def test_perturbations_are_not_confused():
    # The inner derivative of x*(x + y) with respect to y is x, whatever x is.
    inner = ag.grad(lambda x: x * ag.grad(lambda y: x + y)(1.0))
    assert inner(1.0) == 1.0
    nested = ag.grad(lambda x: ag.grad(lambda y: x * y * y)(3.0))(2.0)
    assert (type(nested), nested) == (float, 6.0)


def test_a_result_is_a_value_exactly_when_it_depends_on_one_of_the_caller():
    w = Value(2.0)
    dependent = ag.grad(lambda x: w * x * x)(3.0)
    assert isinstance(dependent, Value)
    dependent.backward()
    assert w.grad == 6.0
    assert type(ag.grad(lambda x: x * x + w)(3.0)) is float
    assert isinstance(ag.grad(lambda x: x * x)(w), Value)
    value, gradient = ag.value_and_grad(lambda x: x * 3.0 + w)(1.0)
    assert isinstance(value, Value)
    assert type(gradient) is float
    with ag.no_grad():
        assert type(ag.grad(lambda x: w * x * x)(3.0)) is float


def test_what_has_no_influence_has_gradient_zero():
    assert ag.grad(lambda x: 3.0)(1.0) == 0.0
    assert ag.grad(lambda x, y: np.sum(x), 1)(POINT, POINT).tolist() == [0.0, 0.0, 0.0]
    assert ag.grad(lambda x: np.sum(np.sign(x)))(POINT).tolist() == [0.0, 0.0, 0.0]


def test_vjp_and_jvp_are_transposes():
    matrix = np.arange(6.0).reshape(2, 3)

    def f(x):
        return np.tanh(matrix @ x)

    value, pullback = ag.vjp(f, POINT)
    tangent = np.array([1.0, -2.0, 0.5])
    cotangent = np.array([0.3, 0.9])
    also, pushed = ag.jvp(f, POINT, tangent)
    np.testing.assert_array_equal(value, also)
    (pulled,) = pullback(cotangent)
    assert pulled @ tangent == pytest.approx(cotangent @ pushed, rel=1e-13)
    jacobian = ag.jacobian(f)(POINT)
    np.testing.assert_allclose(jacobian @ tangent, pushed, rtol=1e-13)
    np.testing.assert_allclose(cotangent @ jacobian, pulled, rtol=1e-13)
    np.testing.assert_allclose(jacobian, (1 - value**2)[:, None] * matrix, rtol=1e-13)
    (again,) = pullback(2 * cotangent)
    np.testing.assert_allclose(again, 2 * pulled, rtol=1e-14)


def test_several_arguments_and_results():
    def f(x, y):
        return {"product": x * y, "sum": np.sum(x + y)}

    x, y = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    value, pullback = ag.vjp(f, x, y)
    assert value["sum"] == 11.0
    gx, gy = pullback({"product": np.ones(2), "sum": 10.0})
    np.testing.assert_array_equal(gx, y + 10)
    np.testing.assert_array_equal(gy, x + 10)
    value, tangent = ag.jvp(f, (x, y), (np.ones(2), np.zeros(2)))
    np.testing.assert_array_equal(tangent["product"], y)
    assert tangent["sum"] == 2.0
    jacobian = ag.jacobian(f, (0, 1))(x, y)
    np.testing.assert_array_equal(jacobian["product"][0], np.diag(y))
    np.testing.assert_array_equal(jacobian["sum"][1], [1.0, 1.0])


def test_hessian_and_its_products():
    def rosenbrock(x):
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    hessian = ag.hessian(rosenbrock)(POINT)
    a, b, c = POINT
    expected = np.array(
        [
            [1200 * a**2 - 400 * b + 2, -400 * a, 0],
            [-400 * a, 202 + 1200 * b**2 - 400 * c, -400 * b],
            [0, -400 * b, 200],
        ]
    )
    np.testing.assert_allclose(hessian, expected, rtol=1e-12)
    v = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(ag.hvp(rosenbrock, POINT, v), expected @ v, rtol=1e-12)
    (product,) = ag.hvp(rosenbrock, (POINT,), (v,))
    np.testing.assert_allclose(product, expected @ v, rtol=1e-12)
    assert ag.hessian(lambda x: x**3)(2.0) == 12.0


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_jvp_of_grad_is_hvp(size, seed):
    rng = np.random.default_rng(seed)
    x, v, w = rng.normal(size=(3, size))

    def f(x):
        return np.sum(np.tanh(x * w) * np.sin(x)) * np.sum(x**2)

    _, by_jvp = ag.jvp(ag.grad(f), x, v)
    np.testing.assert_allclose(ag.hvp(f, x, v), by_jvp, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(ag.hessian(f)(x) @ v, by_jvp, rtol=1e-10, atol=1e-12)


def test_transforms_of_transforms_of_captured_values():
    scale = Value(2.0)
    product = ag.hvp(lambda x: scale * np.sum(x**3), POINT, np.ones(3))
    assert isinstance(product, Value)
    np.sum(product).backward()
    assert scale.grad == pytest.approx(6 * POINT.sum(), rel=1e-13)
    _, tangent = ag.jvp(lambda x: scale * x * x, 3.0, 1.0)
    assert isinstance(tangent, Value)
    assert tangent.item() == 12.0


def test_complex_jacobians_act_on_complex_tangents():
    def f(z):
        return z * z * (1 + 2j)

    z, v, g = np.array([1 + 1j, 2 - 1j]), np.array([0.5 - 1j, 1j]), np.array([1j, 2.0])
    _, tangent = ag.jvp(f, z, v)
    np.testing.assert_allclose(tangent, 2 * z * v * (1 + 2j), rtol=1e-14)
    _, pullback = ag.vjp(f, z)
    np.testing.assert_allclose(pullback(g)[0], g * np.conj(2 * z * (1 + 2j)), rtol=1e-14)


def count_calls(function):
    calls = []

    def counted(x):
        calls.append(1)
        return function(x)

    return counted, calls


def test_checkpoint_computes_again_and_gives_the_same():
    w = Value(np.array([[0.5, -0.2, 0.1], [0.3, 0.8, -0.5], [0.2, 0.2, 0.9]]))

    def block(x):
        return np.tanh(w @ x)

    counted, calls = count_calls(block)
    x = Value(POINT)
    np.sum(ag.checkpoint(counted)(ag.checkpoint(counted)(x)) ** 2).backward()
    assert len(calls) == 4
    checkpointed = (x.grad.copy(), w.grad.copy())
    x.grad = w.grad = None
    np.sum(block(block(x)) ** 2).backward()
    np.testing.assert_array_equal(checkpointed[0], x.grad)
    np.testing.assert_array_equal(checkpointed[1], w.grad)


def test_checkpoint_under_transforms():
    def f(x):
        return np.sum(np.sin(x) * x)

    checkpointed = ag.checkpoint(f)
    np.testing.assert_array_equal(ag.grad(checkpointed)(POINT), ag.grad(f)(POINT))
    np.testing.assert_allclose(
        ag.hessian(checkpointed)(POINT), ag.hessian(f)(POINT), rtol=1e-14, atol=1e-15
    )
    assert checkpointed(POINT) == f(POINT)


@pytest.fixture(params=[False, True], ids=["eager", "compiled"])
def run(request):
    return ag.compile if request.param else lambda function: function


def test_a_checkpoint_has_all_derivatives_by_what_it_captures(run):
    """∂²/∂a² of Σ sin(z a) is -Σ z² sin(z a)."""
    points = np.array([1.0, 2.0])

    def f(a):
        return np.sum(ag.checkpoint(lambda z: np.sin(z * a))(points))

    first, second = ag.grad(f), ag.grad(ag.grad(f))
    np.testing.assert_allclose(run(first)(0.5), np.sum(points * np.cos(points / 2)), rtol=1e-14)
    np.testing.assert_allclose(
        run(second)(0.5), -np.sum(points**2 * np.sin(points / 2)), rtol=1e-14
    )
    third = -np.sum(points**3 * np.cos(points / 2))
    np.testing.assert_allclose(run(ag.grad(second))(0.5), third, rtol=1e-14)
    assert ag.jvp(first, 0.5, 1.0)[1] == pytest.approx(second(0.5), rel=1e-14)


@pytest.mark.parametrize(
    "function",
    [
        lambda a: ag.checkpoint(lambda z: a)(1.0) * 3,
        lambda a: ag.checkpoint(lambda z: z)(a) * 3,
        lambda a: ag.checkpoint(lambda: a)() * 3,
        lambda a: sum(ag.checkpoint(lambda z: (a, z, a))(a)),
    ],
)
def test_what_a_checkpoint_returns_unchanged_has_its_gradient(run, function):
    assert run(ag.grad(function))(2.0) == 3.0


def test_a_checkpoint_takes_keywords_and_gives_several_results(run):
    def block(z, *, scale, options=None):
        return {"sine": np.sin(z * scale), "rest": (np.cos(z) * scale, 3.0, np.argmax(z))}

    def loss(around):
        def f(a):
            results = around(block)(POINT * a, scale=a, options="none")
            cosine, number, place = results["rest"]
            return np.sum(results["sine"] * cosine) * number + cosine[place]

        return f

    def one_result_used(a):
        return np.sum(ag.checkpoint(block)(POINT * a, scale=a)["rest"][0])

    for derivative in (ag.grad, lambda f: ag.grad(ag.grad(f))):
        expected = derivative(loss(lambda block: block))(0.5)
        np.testing.assert_allclose(run(derivative(loss(ag.checkpoint)))(0.5), expected, rtol=1e-13)
    slope = np.sum(np.cos(POINT / 2) - POINT / 2 * np.sin(POINT / 2))
    np.testing.assert_allclose(run(ag.grad(one_result_used))(0.5), slope, rtol=1e-13)
    assert ag.checkpoint(block)(2.0, scale=1.0)["rest"][1] == 3.0


def test_a_checkpoint_that_gives_another_result_when_called_again_is_an_error():
    calls = []

    def block(x):
        calls.append(1)
        return x * len(calls)

    def shrinking(x):
        calls.append(1)
        return np.sum(x[: len(calls)])

    for function in (block, shrinking):
        calls.clear()
        with pytest.raises(ag.BackwardError) as error:
            ag.grad(lambda x, f=function: np.sum(ag.checkpoint(f)(x)))(POINT)
        assert str(error.value) == (
            "checkpoint: the function gave another result when it was called again for its "
            "gradient; let it depend on nothing that changes in between, and draw random numbers "
            "by ag.random"
        )
    with np.errstate(all="ignore"):
        result = ag.grad(lambda x: np.sum(ag.checkpoint(np.log)(x)))(np.array([0.0, -1.0, 2.0]))
    np.testing.assert_array_equal(result, [np.inf, -1.0, 0.5])


def test_bad_calls_say_what_to_do():
    for call, error, text in (
        (
            lambda: ag.grad(lambda x: x * 2)(POINT),
            ag.BackwardError,
            "grad: <lambda> returned shape (3,), not a single number; reduce it "
            "(np.sum, np.mean), or use ag.jacobian or ag.vjp",
        ),
        (
            lambda: ag.grad(lambda x: None)(1.0),
            ag.ArgumentTypeError,
            "grad: <lambda> returned NoneType; it must return a single number",
        ),
        (
            lambda: ag.grad(np.sin)("text"),
            ag.ArgumentTypeError,
            "an argument of sin must hold real or complex numbers, not str of dtype <U4; "
            "convert it to float first",
        ),
        (
            lambda: ag.grad(bowl, 1)(POINT),
            ag.ArgumentValueError,
            "argnum 1 names no argument: bowl was called with 1",
        ),
        (
            lambda: ag.grad(bowl)([]),
            ag.ArgumentValueError,
            "bowl: there is no number among its arguments; pass a number or array",
        ),
        (
            lambda: ag.vjp(np.sin, POINT)[1](np.ones(2)),
            ag.ArgumentValueError,
            "a cotangent has shape (2,), but its value has shape (3,); the two must be equal",
        ),
        (
            lambda: ag.jvp(np.sin, POINT, np.ones(2)),
            ag.ArgumentValueError,
            "a tangent has shape (2,), but its primal has shape (3,); the two must be equal",
        ),
        (
            lambda: ag.jvp(np.multiply, (POINT, POINT), (POINT,)),
            ag.ArgumentValueError,
            "expected 2 arrays, given 1; nest tangents like the arguments, and cotangents like "
            "the result",
        ),
        (
            lambda: ag.vjp(lambda x: (x, "x"), POINT)[1]((POINT, None)),
            ag.ArgumentTypeError,
            "vjp: <lambda> returned str among its results, which has no derivative; return numbers "
            "and arrays, and the rest as the second of two results, with has_aux=True",
        ),
        (
            lambda: ag.jvp(lambda x: (x, np.array(["x"])), POINT, POINT),
            ag.ArgumentTypeError,
            "jvp: <lambda> returned an array of <U1 among its results, which has no derivative; "
            "return numbers and arrays, and the rest as the second of two results, with "
            "has_aux=True",
        ),
        (
            lambda: ag.jacobian(lambda x: {"x": x, "name": "x"})(POINT),
            ag.ArgumentTypeError,
            "jacobian: <lambda> returned str among its results, which has no derivative; return "
            "numbers and arrays, and the rest as the second of two results, with has_aux=True",
        ),
        (
            lambda: ag.grad(np.sum)(holding_itself()),
            ag.ArgumentTypeError,
            "a container of type list holds itself, or others nested too deep to be taken apart; "
            "pass the arrays that are in it",
        ),
        (
            lambda: ag.checkpoint(lambda x: [x, "x"])(Value(1.0)),
            ag.ArgumentTypeError,
            "checkpoint: the function returned str; it must return arrays or numbers, or a nesting "
            "of them",
        ),
    ):
        with pytest.raises(error) as caught:
            call()
        assert str(caught.value) == text


def holding_itself():
    x = [POINT]
    x.append(x)
    return x


def test_steps_among_results_have_the_tangent_zero():
    def function(x):
        return x**2, x > 0, np.argmax(x), np.any(x > 0), True, 3

    _, tangents = ag.jvp(function, POINT, np.ones(3))
    np.testing.assert_array_equal(tangents[0], 2 * POINT)
    for tangent, like in zip(tangents[1:], (POINT, 0.0, 0.0, 0.0, 0.0), strict=True):
        np.testing.assert_array_equal(tangent, np.zeros(np.shape(like)))


def test_a_pullback_is_differentiated_by_cotangents_that_came_after_it():
    """It is linear in them, whenever they were made (the pullback of s² at x is 2 x g)."""
    x = np.array([1.0, 2.0, 3.0])
    _, pullback = ag.vjp(lambda s: s**2, x)
    gradient = ag.grad(lambda g: np.sum(pullback(g)[0]))(x)
    assert isinstance(gradient, np.ndarray)
    np.testing.assert_array_equal(gradient, 2 * x)
    np.testing.assert_array_equal(ag.jacobian(lambda g: pullback(g)[0])(x), np.diag(2 * x))
    np.testing.assert_array_equal(ag.jvp(lambda g: pullback(g)[0], x, x)[1], 2 * x * x)
    gradient = ag.grad(lambda t: np.sum(pullback(t * t)[0] * t))(x)
    np.testing.assert_array_equal(gradient, 6 * x * x**2)
    a = ag.Value(2.0)
    _, captured = ag.vjp(lambda s: a * s**2, x)
    twice = ag.grad(lambda g: np.sum(captured(g)[0]))(x)
    np.testing.assert_array_equal(ag.gradients(np.sum(twice * x), [a])[0], np.sum(2 * x * x))
