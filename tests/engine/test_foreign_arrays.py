"""Arrays whose operators mean something else: refused by name, never taken for NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

MATRIX = np.array([[1.0, 2.0], [3.0, 4.0]])
VECTOR = np.array([1.0, 2.0, 3.0])

REFUSED = (
    "operators are not those of NumPy's arrays|asked for the plain numbers of a Value|"
    "scipy.sparse.csr_(array|matrix) .* and the gradient would be lost"
)


class Multiplied(np.ndarray):
    """An array with a product of its own."""

    def __mul__(self, other: Any) -> Any:
        return np.asarray(self) + np.asarray(other)


class MultipliedFromTheRight(np.ndarray):
    def __rmul__(self, other: Any) -> Any:
        return np.asarray(self) + np.asarray(other)


class Averaged(np.ndarray):
    """An array with a method of its own in the place of NumPy's."""

    def mean(self, *args: Any, **kwargs: Any) -> Any:
        return np.median(np.asarray(self))


class Answering(np.ndarray):
    def __array_ufunc__(self, *args: Any, **kwargs: Any) -> Any:
        return 42.0


class Described(np.ndarray):
    """An array that knows more about itself, and is one in all else."""

    unit = "m"

    def __array_finalize__(self, other: Any) -> None:
        self.where = getattr(other, "where", None)


def pandas_series() -> Any:
    return pytest.importorskip("pandas").Series([1.0, 5.0, 3.0])


def pandas_table() -> Any:
    return pytest.importorskip("pandas").DataFrame([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def pandas_index() -> Any:
    return pytest.importorskip("pandas").Index([1.0, 5.0, 3.0])


def labelled() -> Any:
    return pytest.importorskip("xarray").DataArray([1.0, 5.0, 3.0], dims="x")


def sparse_matrix() -> Any:
    return pytest.importorskip("scipy.sparse").csr_matrix(np.eye(3))


def sparse_array() -> Any:
    return pytest.importorskip("scipy.sparse").csr_array(np.eye(3))


def tensor() -> Any:
    return pytest.importorskip("torch").tensor([1.0, 2.0, 3.0])


def array_of_jax() -> Any:
    return pytest.importorskip("jax.numpy").array([1.0, 2.0, 3.0])


FOREIGN = {
    "matrix": lambda: np.eye(3).view(np.matrix),
    "masked": lambda: np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0]),
    "own product": lambda: VECTOR.view(Multiplied),
    "own reflected product": lambda: VECTOR.view(MultipliedFromTheRight),
    "own method": lambda: VECTOR.view(Averaged),
    "own protocol": lambda: VECTOR.view(Answering),
    "Series": pandas_series,
    "DataFrame": pandas_table,
    "Index": pandas_index,
    "DataArray": labelled,
    "csr_matrix": sparse_matrix,
    "csr_array": sparse_array,
    "Tensor": tensor,
    "jax": array_of_jax,
}

HOW_TO = {
    "masked": "x.filled()",
    "Series": "x.to_numpy()",
    "DataFrame": "x.to_numpy()",
    "DataArray": "x.to_numpy()",
    "csr_array": "x.toarray()",
    "matrix": "np.asarray(x)",
}


@pytest.fixture(params=FOREIGN)
def name(request: Any) -> Any:
    return request.param


def test_they_are_no_values_and_nothing_is_differentiated_by_them(name: str):
    x = FOREIGN[name]()

    def function(x: Any) -> Any:
        return np.sum(x * x)

    for call in (
        lambda: ag.Value(x),
        lambda: ag.grad(function)(x),
        lambda: ag.grad(lambda pair: function(pair[0]))([x, 1.0]),
        lambda: ag.jacobian(function)(x),
        lambda: ag.vjp(function, x),
        lambda: ag.jvp(function, x, x),
        lambda: ag.hvp(function, x, x),
    ):
        with pytest.raises(ag.ArgumentTypeError, match=REFUSED) as caught:
            call()
        assert HOW_TO.get(name, "") in str(caught.value)


OPERATORS = {
    "x*a": lambda x, a: x * a,
    "a*x": lambda x, a: a * x,
    "x+a": lambda x, a: x + a,
    "a-x": lambda x, a: a - x,
    "(x-a)**2": lambda x, a: (x - a) ** 2,
    "a/x": lambda x, a: a / x,
    "x@a": lambda x, a: x @ a,
    "a@x": lambda x, a: a @ x,
    "x**a": lambda x, a: x**a,
    "x>a": lambda x, a: np.where(x > a, x, 0.0),
    "np.multiply(x, a)": lambda x, a: np.multiply(x, a),
    "np.multiply(a, x)": lambda x, a: np.multiply(a, x),
    "np.dot(x, a)": lambda x, a: np.dot(x, a),
    "np.where(x > 2, x, a)": lambda x, a: np.where(x > 2, x, a),
}


def answers_first(name: str, operation: str) -> bool:
    """Whether the array takes the call, and no Value is asked."""
    is_its = operation[0] == "a" or operation == "np.multiply(a, x)"
    return is_its and name in ("own protocol", "DataArray")


ASKED = [
    (x, operation) for x in FOREIGN for operation in OPERATORS if not answers_first(x, operation)
]


@pytest.mark.parametrize(("name", "operation"), ASKED)
def test_beside_a_value_they_are_refused(name: str, operation: str):
    a = FOREIGN[name]()
    with pytest.raises(ag.AutogradError, match=REFUSED):
        ag.grad(lambda x: np.sum(OPERATORS[operation](x, a)))(VECTOR)


@pytest.mark.parametrize("name", [name for name in FOREIGN if name != "own protocol"])
def test_beside_a_single_number_they_are_refused(name: str):
    a = FOREIGN[name]()
    for function in (lambda x: x * a, lambda x: a * x, lambda x: a + x):
        with pytest.raises(ag.AutogradError):
            ag.grad(lambda x, f=function: np.sum(f(x)))(2.0)


def test_matrices_are_refused_also_where_nothing_is_multiplied():
    m = MATRIX.view(np.matrix)
    for function in (
        lambda x: np.stack([m, x]),
        lambda x: np.concatenate([x, m]),
        lambda x: np.vstack([m, x]),
        lambda x: np.block([[m, x]]),
        lambda x: np.where(m > 2, m, x),
        lambda x: x.at[0].set(m[0]),
        lambda x: x[m > 2],
        lambda x: np.einsum("ij,jk", m, x),
        lambda x: np.linalg.solve(m, x),
    ):
        with pytest.raises(ag.ArgumentTypeError, match="numpy matrix"):
            ag.grad(lambda x, f=function: np.sum(f(x)))(MATRIX)


def test_an_index_may_not_be_foreign_either():
    series = pandas_series()
    for index in (series > 2, np.ma.masked_array([0, 1], [0, 1])):
        with pytest.raises(ag.ArgumentTypeError, match=REFUSED):
            ag.grad(lambda x, i=index: np.sum(x[i]))(VECTOR)


def test_numbers_taken_out_of_them_are_right():
    # np.matrix: the gradient of sum(x @ x), worked out by hand.
    x = np.asarray(MATRIX.view(np.matrix))
    np.testing.assert_array_equal(ag.grad(lambda x: np.sum(x @ x))(x), [[7, 11], [9, 13]])
    series = pandas_series()
    np.testing.assert_array_equal(
        ag.grad(lambda w: np.sum((w - series.to_numpy()) ** 2))(VECTOR), [0.0, -6.0, 0.0]
    )
    table = pandas_table()
    np.testing.assert_array_equal(
        ag.grad(lambda w: np.sum(table.to_numpy() @ w))(VECTOR), [5.0, 7.0, 9.0]
    )
    masked = np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0])
    np.testing.assert_array_equal(
        ag.grad(lambda w: np.sum(w * masked.filled(0)))(VECTOR), [1.0, 0.0, 3.0]
    )


def test_an_array_of_xarray_that_takes_a_value_in_computes_with_it():
    a = labelled()
    w = VECTOR
    np.testing.assert_array_equal(
        ag.grad(lambda x: ((a * x) ** 2).sum().data)(w), 2 * w * a.to_numpy() ** 2
    )
    np.testing.assert_allclose(
        ag.grad(lambda x: np.exp(a - x).mean().data)(w), -np.exp(a.to_numpy() - w) / 3, rtol=1e-15
    )
    with pytest.raises(ag.ArgumentTypeError, match="returned an object of type DataArray"):
        ag.grad(lambda x: (a * x).sum())(w)


def test_the_message_names_the_array_and_how_to_get_its_numbers():
    with pytest.raises(ag.ArgumentTypeError) as caught:
        ag.Value(2.0) * MATRIX.view(np.matrix)
    assert str(caught.value) == (
        "an operand of multiply is a numpy matrix, whose operators are not those of NumPy's "
        "arrays; pass its numbers as a plain array: np.asarray(x)"
    )


def test_subclasses_that_compute_as_arrays_do_are_arrays(tmp_path: Any):
    mapped = np.memmap(tmp_path / "numbers", "float64", "w+", shape=3)
    mapped[:] = VECTOR
    for x in (mapped, VECTOR.view(Described)):
        np.testing.assert_array_equal(ag.grad(lambda x: np.sum(x * x))(x), 2 * VECTOR)
        np.testing.assert_array_equal(ag.grad(lambda w, x=x: np.sum(w * x))(VECTOR), VECTOR)


@pytest.mark.parametrize("operation", [np.multiply, lambda w, x: w * x, lambda w, x: x * w])
def test_such_subclasses_are_constants_that_stay_what_they_were(operation: Any):
    buffer = np.zeros(3).view(Described)

    def function(w: Any) -> Any:
        total = 0.0
        for k in (1.0, 2.0, 3.0):
            buffer[:] = k
            total = total + np.sum(operation(w, buffer))
        return total

    np.testing.assert_array_equal(ag.grad(function)(VECTOR), [6.0, 6.0, 6.0])


def test_a_primitive_of_ones_own_may_take_them_as_constants():
    sparse = sparse_matrix()
    product = ag.primitive(lambda x, a: a @ x)
    product.defvjp(lambda g, out, x, a: a.T @ g, None)
    np.testing.assert_array_equal(
        ag.grad(lambda x: np.sum(product(x, 2 * sparse)))(VECTOR), [2.0, 2.0, 2.0]
    )


# Integers and booleans as primals.


@pytest.mark.parametrize(
    "three", [3, np.int64(3), np.int8(3), np.array(3), np.uint8(3)], ids=lambda x: type(x).__name__
)
def test_integers_are_primals_of_every_transform(three: Any):
    def square(x: Any) -> Any:
        return x * x

    def same(found: Any, expected: float) -> None:
        assert np.shape(found) == ()
        assert found == expected
        assert np.result_type(found).kind == "f"

    value, tangent = ag.jvp(square, three, 0.5)
    same(value, 9.0)
    same(tangent, 3.0)
    same(ag.jvp(square, (three,), (0.5,))[1], 3.0)
    same(ag.jvp(lambda x: x, three, 0.5)[1], 0.5)
    same(ag.vjp(square, three)[1](0.5)[0], 3.0)
    same(ag.vjp(square, three)[1](1)[0], 6.0)
    same(ag.grad(square)(three), 6.0)
    same(ag.value_and_grad(square)(three)[1], 6.0)
    same(ag.jacobian(square)(three), 6.0)
    same(ag.hessian(square)(three), 2.0)
    same(ag.hvp(lambda x: x**3, three, 0.5), 9.0)
    same(ag.grad(ag.grad(lambda x: x**3))(three), 18.0)
    same(ag.grad(lambda y: y * ag.grad(lambda x: x**3 * y)(three))(2), 108.0)


def test_integers_in_arrays_and_containers_too():
    def square(x: Any) -> Any:
        return x * x

    ones = np.array([1, 2])
    np.testing.assert_array_equal(ag.jvp(square, ones, np.array([0.5, 0.25]))[1], [1.0, 1.0])
    np.testing.assert_array_equal(ag.vjp(square, ones)[1](np.array([0.5, 0.25]))[0], [1.0, 1.0])
    np.testing.assert_array_equal(ag.jacobian(square)(ones), np.diag([2.0, 4.0]))
    np.testing.assert_array_equal(
        ag.hvp(lambda x: np.sum(x**3), ones, np.array([0.5, 0.5])), [3.0, 6.0]
    )
    assert ag.jvp(lambda pair: pair[0] * pair[1], ([3, 4],), ([0.5, 1.0],)) == (12.0, 5.0)
    assert ag.jvp(lambda d: d["a"] ** 2, {"a": 3}, {"a": 0.5}) == (9.0, 3.0)
    assert ag.jvp(square, 3.0, 1)[1] == 6.0


def test_booleans_are_no_primals():
    for x in (True, np.True_, np.array([True, False])):
        for call in (
            lambda x=x: ag.grad(lambda x: np.sum(x * x))(x),
            lambda x=x: ag.jvp(lambda x: x * x, x, 0.5),
            lambda x=x: ag.vjp(lambda x: x * x, x),
        ):
            with pytest.raises(ag.ArgumentTypeError, match="convert it to float first"):
                call()


def test_a_complex_direction_of_a_real_primal_is_refused():
    for x, direction in ((3.0, 1j), (3, 1j), (np.array([3.0]), np.array([1j]))):
        with pytest.raises(ag.ArgumentTypeError, match="tangent is complex"):
            ag.jvp(lambda x: x * x, x, direction)
        with pytest.raises(ag.ArgumentTypeError, match="cotangent is complex"):
            ag.vjp(lambda x: x * x, x)[1](direction)
