"""What a Value holds, how it behaves in Python, and what it refuses."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value


class Kind(IntEnum):
    THREE = 3


def refused(error: type[Exception], text: str, call):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("given", "held"),
    [
        (2, 2.0),
        (2.5, 2.5),
        (1 + 2j, 1 + 2j),
    ],
)
def test_a_python_number_stays_one(given, held):
    value = Value(given)
    assert value.data == held
    assert type(value.data) is type(held)


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        ([1, 2, 3], np.float64),
        ([[1.0, 2.0]], np.float64),
        (np.arange(3), np.float64),
        (np.ones(2, np.float32), np.float32),
        (np.ones(2, np.float16), np.float16),
        (np.ones(2, np.complex64), np.complex64),
        (np.float32(3), np.float32),
    ],
)
def test_anything_else_becomes_an_array_of_floats(given, dtype):
    value = Value(given)
    assert isinstance(value.data, np.ndarray)
    assert value.dtype == dtype
    assert value.shape == np.shape(given)


def test_a_float_array_is_copied_and_keeps_its_layout():
    array = np.ones((3, 4), np.float32, order="F")[::-1, ::2]
    value = Value(array)
    assert not np.shares_memory(value.data, array)
    assert (value.dtype, value.data.strides) == (array.dtype, array.strides)
    assert value.data.tolist() == array.tolist()


@pytest.mark.parametrize("bad", [True, [True, False], "text", ["a"], None, {"a": 1}, object()])
def test_what_is_no_number_is_refused(bad):
    array = np.asarray(bad)
    refused(
        ag.ArgumentTypeError,
        f"data must hold real or complex numbers, not {type(bad).__name__} of dtype "
        f"{array.dtype}; convert it to float first",
        lambda: Value(bad),
    )


def test_ragged_lists_are_refused():
    refused(
        ag.ArgumentValueError,
        "data is a ragged list: its rows differ in length; pass rows of equal length",
        lambda: Value([[1.0], [1.0, 2.0]]),
    )


def test_a_value_of_a_value_is_refused():
    refused(
        ag.ArgumentTypeError,
        "data is already a Value; use it as it is, or pass its .data for a new leaf",
        lambda: Value(Value(1.0)),
    )


def test_a_list_of_values_is_refused():
    refused(
        ag.ArgumentTypeError,
        "data is a list of Values; use ag.array or np.stack to join them with their gradients, "
        "or pass their .data",
        lambda: Value([Value(1.0), 2.0]),
    )


OPERATIONS = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "floor_divide": lambda a, b: a // b,
    "remainder": lambda a, b: a % b,
    "power": lambda a, b: a**b,
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
    "equal": lambda a, b: a == b,
    "not_equal": lambda a, b: a != b,
}

OPERANDS = {
    "float": 2.5,
    "int": 3,
    "array": np.array([0.5, 2.0, 2.5]),
    "float32": np.array([0.5, 2.0, 2.5], np.float32),
    "scalar": np.float64(1.5),
    "list": [1.0, 2.0, 3.0],
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize("other", OPERANDS.values(), ids=OPERANDS)
def test_operators_agree_with_numpy_on_either_side(operation, other):
    array = np.array([2.5, 0.5, 3.0])
    for got, expected in (
        (operation(Value(array), other), operation(array, other)),
        (operation(other, Value(array)), operation(np.asarray(other), array)),
        (operation(Value(array), Value(array)), operation(array, array)),
    ):
        assert isinstance(got, Value)
        assert got.dtype == expected.dtype
        np.testing.assert_array_equal(got.data, expected)


def test_matrix_product_on_either_side():
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    for product in (Value(a) @ Value(b), Value(a) @ b, a @ Value(b)):
        assert isinstance(product, Value)
        np.testing.assert_array_equal(product.data, a @ b)


def test_operators_of_two_numbers_give_python_numbers():
    for operation in OPERATIONS.values():
        expected = operation(2.5, 1.5)
        got = operation(Value(2.5), Value(1.5))
        assert type(got.data) is type(expected)
        assert got.data == expected
    assert type(np.sin(Value(1.0)).data) is float
    assert type((-Value(1.0)).data) is float


def test_numbers_follow_numpy_where_python_would_raise():
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert (Value(1.0) / 0.0).data == np.inf
    with pytest.warns(RuntimeWarning, match="overflow"):
        assert (Value(1e300) ** 2).data == np.inf
    with pytest.warns(RuntimeWarning, match="invalid value"):
        assert np.isnan((Value(-8.0) ** (1 / 3)).data)


@pytest.mark.parametrize("other", [None, "text", object(), {}])
def test_operators_refuse_what_is_no_number(other):
    with pytest.raises(TypeError, match="unsupported operand"):
        Value(1.0) + other
    assert (Value(1.0) == other) is False
    assert (Value(1.0) != other) is True


NUMBERS = {"fraction": Fraction(7, 3), "a subclass of int": Kind.THREE}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize("other", NUMBERS.values(), ids=NUMBERS)
def test_operators_take_pythons_other_numbers(operation, other):
    for x in (2.5, 7 / 3, 3.0):
        for mine, swapped in ((operation, False), (lambda a, b: operation(b, a), True)):
            expected = mine(x, other)
            assert mine(Value(x), other).data == expected, swapped
            elements = mine(Value([x, 1.0]), other)
            assert elements.data.tolist() == [expected, mine(1.0, other)]
            assert elements.dtype in (float, bool)
    x = Value(2.5)
    (Fraction(1, 2) * x).backward()
    assert x.grad == 0.5
    assert (Value(np.ones(2, np.float32)) * Fraction(1, 2)).dtype == np.float32


def test_decimals_do_not_mix_with_values_as_they_do_not_with_floats():
    x = Value(0.5)
    refused(
        ag.ArgumentTypeError,
        "multiply of a Value and a Decimal, which do not mix any more than a float and a Decimal "
        "do; write float(d) for the Decimal d",
        lambda: x * Decimal("0.5"),
    )
    with pytest.raises(ag.ArgumentTypeError, match="add of a Value and a Decimal"):
        Decimal(1) + Value([1.0])
    assert (x == Decimal("0.5")).data
    assert (Decimal("0.1") != Value(0.1)).data
    assert (Value([0.1, 0.5]) == Decimal("0.5")).data.tolist() == [False, True]


@pytest.mark.parametrize(("x", "y"), [(7.5, 2.0), (-7.5, 2), (7.25, -0.5), (1e17, 0.3)])
def test_divmod_is_pythons(x, y):
    expected = divmod(x, y)
    for quotient, rest in (divmod(Value(x), y), divmod(x, Value(y)), divmod(Value(x), Value(y))):
        assert (quotient.data, rest.data) == expected
    a, b = Value(x), Value([1.0, y])
    quotient, rest = divmod(a, b)
    assert quotient.data.tolist() == np.divmod(x, [1.0, y])[0].tolist()
    rest.backward(np.array([0.0, 1.0]))
    assert a.grad == 1.0
    assert b.grad.tolist() == [0.0, -expected[0]]


def test_rounding_is_pythons():
    x = Value(2.675)
    assert round(x, 2).data == round(2.675, 2) == 2.67
    assert round(Value(1234.5), -2).data == 1200.0
    assert type(round(x)) is int
    assert round(x) == 3
    assert round(Value(np.float64(2.675)), 2).data == round(np.float64(2.675), 2) == 2.68
    y = round(x, 1)
    (y * x).backward()
    assert x.grad == y.data
    with pytest.raises(TypeError):
        round(Value([1.0, 2.0]))


def test_a_power_to_a_modulus_is_refused_as_of_floats():
    with pytest.raises(TypeError, match="takes no modulus; write x"):
        pow(Value(2.0), 3, 5)
    assert pow(Value(2.0), 3).data == 8.0


def test_a_number_is_in_a_value_as_in_the_array():
    array = np.array([[1.0, 2.0], [3.0, 4.0]])
    for item in (3.0, 5.0, [1.0, 2.0], None):
        assert (item in Value(array)) == (item in array)
    assert Value(3.0) in Value(array)


def test_float32_stays_beside_python_numbers():
    x = Value(np.ones(3, np.float32))
    for y in (x + 1, 2 * x, x / 3.0, 1 - x, x**2, 2**x, x * Value(2.0), np.sin(x), x.mean()):
        assert y.dtype == np.float32, y


def test_python_protocols():
    x = Value([1.0, 2.0])
    assert len(x) == 2
    assert [float(part) for part in x] == [1.0, 2.0]
    assert bool(Value(0.0)) is False
    assert int(Value(2.5)) == 2
    assert complex(Value(1j)) == 1j
    assert f"{Value(1.23456):.2f}" == "1.23"
    assert [10, 20, 30][np.argmax(x)] == 20
    assert max(Value(1.0), Value(2.0)).data == 2.0
    assert sorted([Value(2.0), Value(1.0)])[0].data == 1.0
    assert abs(Value(-2.0)).data == 2.0
    assert (~(x > 1)).data.tolist() == [True, False]
    assert len({x, x, Value(1.0)}) == 2
    a, b = x
    assert (a + b).item() == 3.0


def test_a_single_number_has_no_length():
    refused(
        ag.ArgumentTypeError,
        "len() of a Value that is a single number; np.size(x) is 1, and np.atleast_1d(x) is an "
        "array of it",
        lambda: len(Value(1.0)),
    )
    refused(
        ag.ArgumentTypeError,
        "iteration over a Value that is a single number; write for a in np.atleast_1d(x)",
        lambda: list(Value(1.0)),
    )


def test_array_attributes_and_methods():
    array = np.arange(6.0).reshape(2, 3)
    x = Value(array)
    assert (x.shape, x.ndim, x.size, x.dtype) == ((2, 3), 2, 6, np.float64)
    for got, expected in (
        (x.T, array.T),
        (x.sum(), array.sum()),
        (x.sum(axis=0), array.sum(axis=0)),
        (x.mean(axis=-1, keepdims=True), array.mean(axis=-1, keepdims=True)),
        (x.max(axis=1), array.max(axis=1)),
        (x.min(), array.min()),
        (x.var(ddof=1), array.var(ddof=1)),
        (x.std(axis=0), array.std(axis=0)),
        (x.cumsum(), array.cumsum()),
        (x.reshape(3, 2), array.reshape(3, 2)),
        (x.reshape((3, -1)), array.reshape(3, 2)),
        (x.transpose(), array.transpose()),
        (x.transpose(1, 0), array.transpose(1, 0)),
        (x.ravel(), array.ravel()),
        (x.astype(np.float32), array.astype(np.float32)),
        (x.clip(1, 4), array.clip(1, 4)),
    ):
        np.testing.assert_array_equal(got.data, expected)
        assert got.dtype == expected.dtype
    assert x[1, 2].item() == 5.0
    assert x.tolist() == array.tolist()


def test_repr_shows_the_numbers():
    x = Value([1.0, 2.0], label="x")
    assert repr(x) == "Value([1., 2.], label='x')"
    (x * x).sum().backward()
    assert repr(x) == "Value([1., 2.], grad=[2., 4.], label='x')"
    assert repr(Value(np.ones(1, np.float32))) == "Value([1.], dtype=float32)"
    assert repr(Value(2.0) > 1) == "Value(True)"


def test_pickles_and_copies_of_leaves_are_leaves_of_their_own():
    x = Value([1.0, 2.0], label="x")
    y = x * 2
    y.sum().backward()
    twins = [pickle.loads(pickle.dumps(x)), copy.deepcopy(x), copy.copy(x)]
    for twin, like in [*((twin, x) for twin in twins), (pickle.loads(pickle.dumps(y)), y)]:
        assert type(twin) is Value
        assert twin.node.inputs == ()
        assert twin.requires_grad
        assert twin.label == like.label
        np.testing.assert_array_equal(twin.data, like.data)
        np.testing.assert_array_equal(twin.grad, like.grad)
    copy.deepcopy(x).data[0] = 9.0
    assert x.data[0] == 1.0


def test_a_value_does_not_slip_into_a_plain_array():
    text = (
        "NumPy asked for the plain numbers of a Value, and its gradient would be lost.\n"
        "Write np.zeros(n, like=x) for an array to put Values into, ag.array([x, y]) for "
        "np.array([x, y]), np.mean(ag.array([x, y])) for np.mean([x, y]), a @ x for a.dot(x), "
        "or pass x.data to use the numbers as a constant"
    )
    buffer = np.zeros(2)

    def store():
        buffer[0] = Value(1.0)

    with pytest.raises(ValueError, match="setting an array element") as caught:
        store()  # NumPy's own error; ours is its stated cause, and both are printed
    assert isinstance(caught.value.__cause__, ag.ArgumentTypeError)
    assert str(caught.value.__cause__) == text
    assert float(Value(1.0)) == 1.0
    refused(ag.ArgumentTypeError, text, lambda: np.array([[Value(1.0), 2.0]]))
    refused(ag.ArgumentTypeError, text, lambda: np.asarray(Value([1.0])))
    assert np.asarray(Value([1.0], requires_grad=False)).tolist() == [1.0]


def test_a_numpy_function_without_rule_is_refused_by_name():
    refused(
        ag.NoRuleError,
        "numpy.spacing has no derivative rule in autograd_lite; write one with ag.primitive and "
        "defvjp, or pass x.data to use the number as a constant",
        lambda: np.spacing(Value(1.0)),
    )
    refused(
        ag.NoRuleError,
        "numpy.histogramdd has no derivative rule in autograd_lite; write one with ag.primitive "
        "and defvjp, or pass x.data to use the number as a constant",
        lambda: np.histogramdd(Value([1.0])),
    )


def test_mismatched_shapes_are_numpys_own_error():
    with pytest.raises(ValueError, match=r"could not be broadcast together with shapes \(2,\) \(3"):
        Value([1.0, 2.0]) + np.ones(3)
    with pytest.raises(ValueError, match="mismatch in its core dimension"):
        Value(np.ones((2, 3))) @ np.ones((2, 3))


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (np.divide, (1.0, 0.0)),
        (np.divide, (1j, 0.0)),
        (np.floor_divide, (1.0, 0.0)),
        (np.remainder, (1.0, 0.0)),
        (np.power, (0.0, -1.0)),
        (np.power, (1e200, 2.0)),
        (np.square, (1e200,)),
    ],
)
def test_functions_of_numbers_give_what_numpys_do_where_pythons_refuse(function, arguments):
    """Operators and functions are one: neither ends with a ZeroDivisionError or OverflowError."""
    with np.errstate(all="ignore"):
        right = function(*arguments)
        found = function(*map(Value, arguments)).data
        within = ag.compile(function)(*arguments)
    np.testing.assert_equal((found, within), (right, right))


def test_a_refusal_that_was_asked_for_stays_one():
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        np.divide(Value(1.0), Value(0.0))


def test_numbers_that_a_function_of_ones_own_refuses_are_refused():
    @ag.primitive
    def share(x):
        return 1 / x

    with pytest.raises(ZeroDivisionError):
        share(Value(0.0))
