"""Derivatives of functions of a certain kind: against closed forms, JAX and the whole matrices."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag

X = np.array([0.3, -1.2, 0.7])
MATRIX = np.arange(6.0).reshape(2, 3) / 5
DIRECTION = np.array([0.5, -2.0, 1.0])


def ways(function):
    """As it is, compiled and mapped: the ways to call a function of one array."""
    yield function
    yield ag.compile(function)
    yield lambda x: ag.vmap(function)(np.stack([x, 2 * x, x]))[2]
    yield ag.compile(lambda x: ag.vmap(function)(np.stack([x, x]))[1])


def assert_always(function, x, expected, tolerance=1e-13):
    for way in ways(function):
        np.testing.assert_allclose(way(x), expected, rtol=tolerance, atol=tolerance)


def piecewise(x):
    return np.where(x > 0, np.sqrt(abs(x)) * np.log1p(abs(x)), x / (1 + np.exp(x)))


# elementwise_grad


@pytest.mark.parametrize(
    ("function", "first", "second"),
    [
        (np.sin, np.cos, lambda x: -np.sin(x)),
        (lambda x: x**3 * np.exp(x), lambda x: (3 * x**2 + x**3) * np.exp(x),
         lambda x: (6 * x + 6 * x**2 + x**3) * np.exp(x)),
        (np.tanh, lambda x: 1 - np.tanh(x) ** 2,
         lambda x: -2 * np.tanh(x) * (1 - np.tanh(x) ** 2)),
    ],
)  # fmt: skip
def test_elementwise_derivatives_to_second_order_in_every_way(function, first, second):
    once = ag.elementwise_grad(function)
    assert_always(once, X, first(X))
    assert_always(ag.elementwise_grad(once), X, second(X))
    assert_always(ag.grad(lambda x: np.sum(once(x))), X, second(X))
    np.testing.assert_allclose(ag.jvp(once, X, DIRECTION)[1], second(X) * DIRECTION)


@pytest.mark.parametrize(
    "function",
    [
        np.cumsum,
        lambda x: x[::-1],
        lambda x: x - np.mean(x),
        lambda x: x * np.sum(x),
        lambda x: np.roll(x, 1) + 10 * x,
        lambda x: x + 1e-9 * x[0],
        lambda x: np.concatenate([x[1:2], x[:1], x[2:]]),
    ],
)
def test_what_is_not_elementwise_is_refused_in_every_way(function):
    for way in ways(ag.elementwise_grad(function)):
        with pytest.raises(ag.UnsupportedError, match="is not elementwise"):
            way(X)


def test_a_compiled_derivative_checks_the_numbers_of_every_call():
    """Sorting is elementwise for what is sorted."""
    sorted_derivative = ag.compile(ag.elementwise_grad(np.sort))
    assert sorted_derivative(np.array([1.0, 2.0, 3.0])).tolist() == [1, 1, 1]
    for _ in range(5):
        with pytest.raises(ag.UnsupportedError, match="is not elementwise"):
            sorted_derivative(np.array([3.0, 1.0, 2.0]))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_no_elementwise_function_is_refused_for_its_rounding(dtype):
    x = np.linspace(-27.5, 27.5, 997).astype(dtype)
    with np.errstate(all="ignore"):
        for function in (lambda x: np.exp(-x * x), lambda x: np.sinh(x * 1e-3) - x * 1e-3,
                         piecewise, lambda x: 1 / x, np.sqrt):  # fmt: skip
            assert ag.elementwise_grad(function)(x).dtype == dtype


def test_elementwise_derivatives_follow_the_conventions_of_grad():
    f = ag.elementwise_grad(lambda x, y: (x * y**2, "aux"), ("x", 1), has_aux=True)
    (by_x, by_y), aux = f(X, 2 * X)
    np.testing.assert_allclose(by_x, 4 * X**2)
    np.testing.assert_allclose(by_y, 4 * X**2)
    assert aux == "aux"
    assert ag.elementwise_grad(np.sin)(0.0) == 1.0
    assert type(ag.elementwise_grad(np.sin)(0.0)) is float
    assert ag.elementwise_grad(lambda x: np.ones(3))(X).tolist() == [0, 0, 0]
    assert isinstance(ag.elementwise_grad(np.sin)(ag.Value(X)), np.ndarray) is False


def test_elementwise_grad_refuses_other_shapes_and_complex_numbers():
    with pytest.raises(ag.ArgumentValueError, match=r"returned shape \(\)"):
        ag.elementwise_grad(np.sum)(X)
    with pytest.raises(ag.ArgumentTypeError, match="returned tuple"):
        ag.elementwise_grad(lambda x: (x, x))(X)
    for x in (X, X + 0j):
        with pytest.raises(ag.UnsupportedError, match="complex"):
            ag.elementwise_grad(lambda x: x * 1j)(x)


# derivative


def spiral(t):
    return {"real": np.array([1.0, 2.0]) * t**3, "complex": (np.exp(2j * t), t)}


def test_the_derivative_of_one_number_is_nested_as_the_result():
    found = ag.derivative(spiral)(0.5)
    np.testing.assert_allclose(found["real"], [0.75, 1.5])
    np.testing.assert_allclose(found["complex"][0], 2j * np.exp(1j))
    assert found["complex"][1] == 1.0


def test_the_derivative_of_one_number_in_every_way():
    def curve(t):
        return np.array([1.0, 2.0]) * t**3

    for t in (0.5, 2.0):
        once, twice = ag.derivative(curve), ag.derivative(ag.derivative(curve))
        for f, expected in ((once, [3 * t**2, 6 * t**2]), (twice, [6 * t, 12 * t])):
            assert_always(f, np.float64(t), expected)
            np.testing.assert_allclose(f(t), expected)
        np.testing.assert_allclose(ag.grad(lambda t: np.sum(ag.derivative(curve)(t)))(t), 18 * t)


def test_derivatives_by_several_numbers_are_those_of_jacobian():
    def f(t, s, x):
        return np.stack([t * s, t + s["a"] if isinstance(s, dict) else t + s]) * x

    assert [list(d) for d in ag.derivative(f, (0, 1))(2.0, 3.0, 1.0)] == [[3, 1], [2, 1]]
    found = ag.derivative(lambda p: p["a"] * p["b"] ** 2)({"a": 2.0, "b": 3.0})
    assert found == ag.jacobian(lambda p: p["a"] * p["b"] ** 2)({"a": 2.0, "b": 3.0})
    assert ag.derivative(lambda t: (t**2, "aux"), has_aux=True)(3.0) == (6.0, "aux")
    assert ag.derivative(lambda t: 5.0)(3.0) == 0.0


def test_derivative_refuses_arrays_and_complex_numbers():
    with pytest.raises(ag.ArgumentValueError, match=r"derivative: sin .* shape \(3,\)"):
        ag.derivative(np.sin)(X)
    with pytest.raises(ag.UnsupportedError, match="holomorphic_grad"):
        ag.derivative(np.sin)(1j)
    with pytest.raises(ag.ArgumentTypeError, match="returned str"):
        ag.derivative(lambda t: "a")(1.0)


# holomorphic_grad


@pytest.mark.parametrize(
    ("function", "derivative"),
    [
        (np.exp, np.exp),
        (lambda z: z**3, lambda z: 3 * z**2),
        (np.sin, np.cos),
        (lambda z: 1 / z, lambda z: -1 / z**2),
        (np.log, lambda z: 1 / z),
        (lambda z: np.conj(np.conj(z) ** 2), lambda z: 2 * z),
    ],
)
def test_holomorphic_derivatives_are_those_of_formulas(function, derivative):
    z = np.complex128(0.6 - 1.3j)
    assert_always(ag.holomorphic_grad(function), z, derivative(z))
    twice = ag.holomorphic_grad(ag.holomorphic_grad(function))
    step = 1e-5
    assert_always(twice, z, (derivative(z + step) - derivative(z - step)) / (2 * step), 1e-8)


def test_holomorphic_derivatives_by_arrays():
    z = X + 1j * DIRECTION
    np.testing.assert_allclose(ag.holomorphic_grad(lambda z: np.sum(z**2) * z[0])(z),
                               2 * z * z[0] + np.sum(z**2) * np.eye(3)[0])  # fmt: skip


def test_what_is_not_holomorphic_is_refused():
    for f in (np.conj, lambda z: z * np.conj(z), lambda z: z + 1e-6 * np.real(z)):
        for way in ways(ag.holomorphic_grad(f)):
            with pytest.raises(ag.UnsupportedError, match="is not holomorphic"):
                way(np.complex128(1 + 2j))
    for f, z in ((np.abs, 1j), (np.exp, 1.0)):
        with pytest.raises(ag.ArgumentTypeError, match="real numbers"):
            ag.holomorphic_grad(f)(z)
    with pytest.raises(ag.BackwardError, match="not a single number"):
        ag.holomorphic_grad(np.exp)(X + 0j)


# value_and_jacobian, hessian_diagonal, ggnvp


def test_value_and_jacobian_calls_once_and_returns_both():
    calls = []

    def f(x, y):
        calls.append(1)
        return {"a": x**2 * y, "b": np.sum(x)}, "aux"

    (value, aux), slopes = ag.value_and_jacobian(f, has_aux=True)(X, 3.0)
    assert (len(calls), aux) == (1, "aux")
    np.testing.assert_allclose(value["a"], 3 * X**2)
    np.testing.assert_allclose(slopes["a"], np.diag(6 * X))
    np.testing.assert_allclose(slopes["b"], np.ones(3))
    for way in ways(lambda x: ag.value_and_jacobian(np.sin)(x)[1]):
        np.testing.assert_allclose(way(X), np.diag(np.cos(X)))


def quartic(x):
    return np.sum(np.sin(x) * x**3) * np.prod(x)


def test_the_diagonal_of_the_hessian_is_that_of_the_matrix():
    assert_always(ag.hessian_diagonal(quartic), X, np.diag(ag.hessian(quartic)(X)))
    tree = {"a": 2.0, "b": X.reshape(3, 1), "c": np.zeros((0, 2))}
    found = ag.hessian_diagonal(lambda p: p["a"] ** 3 * np.sum(p["b"] ** 4) + np.sum(p["c"]))(tree)
    np.testing.assert_allclose(found["a"], 12 * np.sum(X**4))
    np.testing.assert_allclose(found["b"], 96 * X.reshape(3, 1) ** 2)
    assert found["c"].shape == (0, 2)
    gradient = ag.grad(lambda x: np.sum(ag.hessian_diagonal(lambda x: np.sum(x**4))(x)))(X)
    np.testing.assert_allclose(gradient, 24 * X)


def test_the_diagonal_of_the_hessian_in_parts_and_with_rules_of_plain_arrays(monkeypatch):
    monkeypatch.setattr("autograd_lite.transforms.trace.MOST_TOGETHER", 100)
    x = np.linspace(-1, 1, 7).reshape(7, 1)
    np.testing.assert_allclose(ag.hessian_diagonal(quartic)(x).ravel(),
                               np.diag(ag.hessian(quartic)(x).reshape(7, 7)))  # fmt: skip
    monkeypatch.setattr("autograd_lite.transforms.trace.MOST_TOGETHER", 1)
    np.testing.assert_allclose(ag.hessian_diagonal(lambda x: np.sum(x**3))(X), 6 * X)


def test_hessian_diagonal_follows_the_conventions_of_grad():
    f = ag.hessian_diagonal(lambda x, y: (np.sum(x**3) * y**2, "aux"), (1, 0), has_aux=True)
    (by_y, by_x), aux = f(X, 2.0)
    np.testing.assert_allclose(by_x, 24 * X)
    np.testing.assert_allclose(by_y, 2 * np.sum(X**3))
    assert aux == "aux"
    with pytest.raises(ag.BackwardError, match="not a single number"):
        ag.hessian_diagonal(np.sin)(X)
    with pytest.raises(ag.UnsupportedError, match="complex"):
        ag.hessian_diagonal(lambda z: np.sum(np.abs(z) ** 2))(X + 0j)


def model(x):
    return np.tanh(MATRIX @ x)


def loss(r):
    return np.sum(r**4) + np.prod(r)


def test_gauss_newton_products_are_those_of_the_matrices():
    slopes, curvature = ag.jacobian(model)(X), ag.hessian(loss)(model(X))
    matrix = slopes.T @ curvature @ slopes
    assert_always(lambda x: ag.ggnvp(model, loss, x, DIRECTION), X, matrix @ DIRECTION)
    assert_always(lambda v: ag.ggnvp(model, loss, X, v), DIRECTION, matrix @ DIRECTION)
    by_direction = ag.grad(lambda v: v @ ag.ggnvp(model, loss, X, v))(DIRECTION)
    np.testing.assert_allclose(by_direction, 2 * matrix @ DIRECTION)
    ag.gradcheck(lambda x: ag.ggnvp(model, loss, x, DIRECTION), X, progress=False)


def test_gauss_newton_products_of_nested_arguments_and_results():
    def f(a, b):
        return {"r": a * b, "s": (b,)}, "aux"

    def square(result):
        return np.sum(result["r"] ** 2) / 2 + result["s"][0] ** 2

    (by_a, by_b), aux = ag.ggnvp(f, square, (X, 2.0), (DIRECTION, 1.0), has_aux=True)
    residual = 2 * DIRECTION + X
    np.testing.assert_allclose(by_a, 2 * residual)
    np.testing.assert_allclose(by_b, X @ residual + 2)
    assert aux == "aux"


def test_ggnvp_refuses_by_name():
    with pytest.raises(ag.ArgumentValueError, match="a tangent has shape"):
        ag.ggnvp(model, loss, X, np.ones(2))
    with pytest.raises(ag.BackwardError, match="not a single number"):
        ag.ggnvp(model, lambda r: r, X, X)
    with pytest.raises(ag.ArgumentTypeError, match=r"ggnvp: .* returned str"):
        ag.ggnvp(lambda x: "a", loss, X, X)


def test_jax_agrees():
    jax = pytest.importorskip("jax")
    from jax.flatten_util import ravel_pytree

    with jax.enable_x64(True), jax.disable_jit():
        theirs = jax.grad(lambda z: z**3 / (1 + z), holomorphic=True)(1 + 2j)
        np.testing.assert_allclose(ag.holomorphic_grad(lambda z: z**3 / (1 + z))(1 + 2j), theirs)
        vector, unravel = ravel_pytree([X, {"b": 2.0}])
        ours, unflatten = ag.flatten([X, {"b": 2.0}])
        np.testing.assert_array_equal(ours, vector)
        assert unflatten(2 * ours)[1]["b"] == unravel(2 * vector)[1]["b"]


# flatten, unflatten

TREE = {"w": np.arange(6.0).reshape(2, 3), "b": [2.0, (np.float32(1), X.astype(np.float32))]}


def test_flatten_and_back_is_the_identity():
    vector, unflatten = ag.flatten(TREE)
    assert vector.dtype == np.float64
    back = unflatten(vector)
    np.testing.assert_array_equal(back["w"], TREE["w"])
    assert back["b"][0] == 2.0
    assert type(back["b"][0]) is float
    assert back["b"][1][0].dtype == back["b"][1][1].dtype == np.float32
    again, _ = ag.flatten(back)
    np.testing.assert_array_equal(again, vector)
    vector[:] = 0  # the vector is an array of its own
    assert TREE["w"][1, 1] == 4.0


def test_both_ways_are_differentiable_in_every_way():
    vector, unflatten = ag.flatten(TREE)

    def energy(vector):
        tree = unflatten(vector)
        return np.sum(tree["w"] ** 3) * tree["b"][0] + np.sum(tree["b"][1][1])

    expected = np.concatenate(
        [6 * TREE["w"].ravel() ** 2, [np.sum(TREE["w"] ** 3), 0.0, 1.0, 1.0, 1.0]]
    )
    assert_always(ag.grad(energy), vector, expected, 1e-6)
    assert ag.hessian(energy)(vector)[1, 1] == 12.0
    for way in ways(lambda x: ag.grad(lambda p: np.sum(ag.flatten(p)[0] ** 2))([x, x])[0]):
        np.testing.assert_allclose(way(X), 2 * X)
    assert ag.flatten([ag.Value(2.0), ag.Value(X)])[0].shape == (4,)
    assert ag.flatten((None, {}))[1](np.zeros(0)) == (None, {})


def test_flatten_refuses_by_name():
    _, unflatten = ag.flatten(TREE)
    for wrong, message in (
        (lambda: ag.flatten([1.0, 1j]), "some numbers of the nesting are complex"),
        (lambda: ag.flatten(["a"]), "must hold real or complex numbers"),
        (lambda: unflatten(np.ones((11, 1))), "pass a vector of shape"),
        (lambda: unflatten(np.ones(11) + 0j), "the vector is complex"),
    ):
        with pytest.raises(ag.AutogradError, match=message):
            wrong()
