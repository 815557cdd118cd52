"""Constants of a graph stay what they were, and arrays of a Value are nobody else's."""

from __future__ import annotations

from array import array as array_of_python
from collections import defaultdict, namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag


def test_a_large_constant_that_is_written_is_an_error_and_a_small_one_a_copy():
    table = np.ones((200, 300))
    x = ag.Value(np.ones(200))
    y = np.sum(x @ table)
    y.backward()
    assert x.grad[0] == 300.0
    table[3, 4], table[4, 3] = 2.0, 3.0
    with pytest.raises(ag.InPlaceError) as caught:
        y.backward()
    assert str(caught.value) == (
        "an array of shape (200, 300) and dtype float64 was used with Values and written before "
        "the gradient went back through it; pass a copy (array.copy()), or write into another array"
    )
    small = np.ones(3)
    z = ag.Value(np.ones(3))
    product = np.sum(z * small * small)
    small[:] = 5.0
    product.backward()
    assert z.grad.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.__setitem__((0, 0), -a[0, 0]),
        lambda a: a.__setitem__(slice(None), a[::-1].copy()),
        lambda a: a.__setitem__((slice(None), [0, 1]), a[:, [1, 0]]),
        lambda a: a.sort(axis=0),
        lambda a: a.fill(np.nan),
        lambda a: a.__setitem__((-1, -1), np.nextafter(a[-1, -1], 9)),
    ],
)
@pytest.mark.parametrize("order", ["C", "F", "strided"])
def test_every_change_of_a_large_constant_is_seen(change, order):
    array = np.random.default_rng(0).normal(size=(400, 50))
    array = np.asfortranarray(array) if order == "F" else array
    array = np.repeat(array, 2, axis=1)[:, ::2] if order == "strided" else array
    x = ag.Value(np.ones(50))
    y = np.sum(array @ x)
    y.backward()
    change(array)
    with pytest.raises(ag.InPlaceError, match="written before"):
        y.backward()


def test_a_value_and_a_pullback_have_memory_of_their_own():
    array = np.ones(2)
    x = ag.Value(array)
    array[:] = 5.0
    assert x.data.tolist() == [1.0, 1.0]
    value, pullback = ag.vjp(np.exp, np.zeros(2))
    value[:] = 9.0
    assert pullback(np.ones(2))[0].tolist() == [1.0, 1.0]
    point = np.array([1.0, 2.0])
    _, pullback = ag.vjp(lambda x: x * x, point)
    point[:] = 0.0
    assert pullback(np.ones(2))[0].tolist() == [2.0, 4.0]


def test_functions_that_may_overwrite_their_input_leave_it_or_write_as_numpy_does():
    point = np.array([1.5, -1.5, 0.5])
    for middle in (np.median, lambda x, **options: np.quantile(x, 0.5, **options)):
        gradient = ag.grad(lambda x, middle=middle: middle(x * 1.0, overwrite_input=True))
        assert gradient(point).tolist() == [0.0, 0.0, 1.0]
    assert point.tolist() == [1.5, -1.5, 0.5]

    def without_nan(x):
        z = x * np.array([1.0, np.nan, 2.0])
        np.nan_to_num(z, copy=False, nan=4.0)
        return np.sum(z**2)

    assert ag.grad(without_nan)(point).tolist() == [3.0, 0.0, 4.0]


def test_what_stop_gradient_gives_keeps_the_numbers_of_then() -> None:
    point = np.arange(1.0, 4.0)

    def write_it(x: Any) -> Any:
        ag.stop_gradient(x)[0] = 7.0
        return np.sum(x)

    def write_what_it_was_taken_from(x: Any) -> Any:
        x = x.copy()
        x[0] = 3.0
        fixed = ag.stop_gradient(x[1:])
        x[1] = 2.0
        x *= 2
        return np.sum(x[1:] * fixed)

    with pytest.raises(ValueError, match="read-only"):
        ag.grad(write_it)(point)
    np.testing.assert_array_equal(point, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(ag.grad(write_what_it_was_taken_from)(point), [0.0, 0.0, 6.0])


def test_a_gradient_is_stopped_in_containers_too() -> None:
    def function(x: Any) -> Any:
        fixed = ag.stop_gradient({"x": x, "parts": [x[0], 2.0]})
        return np.sum(x * fixed["x"]) * fixed["parts"][0]

    np.testing.assert_array_equal(ag.grad(function)(np.array([2.0, 3.0])), [4.0, 6.0])


def test_a_function_that_writes_into_its_argument_is_no_primitive() -> None:
    @ag.primitive
    def doubled(x: Any) -> Any:
        x *= 2
        return x

    doubled.defvjp(lambda g, out, x: 2 * g)
    point = np.array([1.0, 2.0])
    with pytest.raises(ag.InPlaceError, match=r"doubled writes into its argument.*x.copy\(\)"):
        ag.grad(lambda x: np.sum(doubled(x) + x))(point)
    np.testing.assert_array_equal(point, [1.0, 2.0])


def test_a_primitive_may_ask_for_arrays_that_can_be_written() -> None:
    @ag.primitive
    def square(x: Any) -> Any:
        if not x.flags.writeable:
            raise ValueError("buffer source array is read-only")
        return x * x

    square.defvjp(lambda g, out, x: 2 * g * x)
    np.testing.assert_array_equal(
        ag.grad(lambda x: np.sum(square(x)))(np.array([1.0, 2.0])), [2.0, 4.0]
    )


def test_a_buffer_that_is_written_twice_is_checked() -> None:
    def function(x: Any) -> Any:
        out = np.zeros_like(x)
        out[:2] = x[1:]
        out[1:] = out[:2] * x[0]
        return out

    assert ag.gradcheck(function, np.array([0.5, -0.3, 1.2]))


def test_a_primitive_that_fills_a_buffer_of_its_own_gives_a_copy():
    buffer, window = np.zeros(2), np.zeros(5)

    @ag.primitive
    def whole(x: Any) -> Any:
        buffer[:] = np.sin(x)
        return buffer

    @ag.primitive
    def part(x: Any) -> Any:
        window[1:3] = np.sin(x)
        return window[1:3]

    for function in (whole, part):
        function.defvjp(lambda g, out, x: g * np.cos(x))
        point = np.array([0.3, 0.7])

        def program(x: Any, function: Any = function) -> Any:
            a, b = function(x), function(2 * x)
            return np.sum(a * b)

        expected = np.cos(point) * np.sin(2 * point) + 2 * np.sin(point) * np.cos(2 * point)
        np.testing.assert_allclose(ag.grad(program)(point), expected, rtol=1e-14)


@dataclass
class Record:
    array: Any


class Box:
    def __init__(self, array: Any) -> None:
        self.array = array


class Slots:
    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array


class Scale:
    """A method of it is a primitive, and reads what it holds."""

    def __init__(self, held: Any) -> None:
        self.held = held

    @ag.primitive
    def times(self, x: Any) -> Any:
        return x * array_in(self.held)


def array_in(held: Any) -> Any:
    """The array in a container or object."""
    while not isinstance(held, np.ndarray):
        if isinstance(held, dict):
            held = next(iter(held.values()))
        else:
            held = held[0] if isinstance(held, (list, tuple)) else held.array
    return held


Pair = namedtuple("Pair", "array label")

COPIED: dict[str, Any] = {
    "list": lambda a: [a],
    "tuple": lambda a: (a,),
    "dict": lambda a: {"a": a},
    "named tuple": lambda a: Pair(a, "b"),
    "nesting": lambda a: [{"k": (a,)}],
}
WATCHED: dict[str, Any] = {
    "dataclass": Record,
    "object": Box,
    "slots": Slots,
    "object in a list": lambda a: [Box(a)],
    "list in an object": lambda a: Box([a]),
    "objects in each other": lambda a: Box(Box(a)),
    "dict with a default": lambda a: defaultdict(list, {"a": a}),
}

Scale.times.defvjp(None, lambda g, out, self, x: g * array_in(self.held))


@ag.primitive
def scaled(x: Any, held: Any) -> Any:
    return x * array_in(held)


@ag.primitive
def scaled_by(x: Any, *, held: Any) -> Any:
    return x * array_in(held)


scaled.defvjp(lambda g, out, x, held: g * array_in(held), None)
scaled_by.defvjp(lambda g, out, x, held: g * array_in(held))

WAYS: dict[str, Any] = {
    "by position": scaled,
    "by keyword": lambda x, held: scaled_by(x, held=held),
    "of self": lambda x, held: Scale(held).times(x),
}


@pytest.mark.parametrize("size", [2, 40_000])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("holder", COPIED | WATCHED)
@pytest.mark.parametrize("is_refilled", [False, True])
def test_what_a_primitive_is_given_in_containers_and_objects_stays_what_it_was(
    holder: str, way: str, size: int, is_refilled: bool
) -> None:
    array = np.full(size, 3.0)
    held = (COPIED | WATCHED)[holder](array)

    def function(x: Any) -> Any:
        product = WAYS[way](x, held)
        if is_refilled:
            array[:] = 7.0
        return np.sum(product)

    if is_refilled and (holder in WATCHED or way == "of self"):
        with pytest.raises(ag.InPlaceError, match=r"an object of type \w+, and .*residuals=True"):
            ag.grad(function)(np.ones(size))
    else:
        np.testing.assert_array_equal(ag.grad(function)(np.ones(size)), 3.0)


def test_a_number_of_an_object_is_watched_too() -> None:
    box = Box(2.0)

    @ag.primitive
    def times(x: Any, box: Any) -> Any:
        return x * box.array

    times.defvjp(lambda g, out, x, box: g * box.array, None)

    def function(x: Any) -> Any:
        first = times(x, box)
        box.array = 5.0
        return first + times(x, box)

    with pytest.raises(ag.InPlaceError, match="an object of type Box"):
        ag.grad(function)(1.0)
    box.array = 2.0
    assert ag.grad(lambda x: times(x, box) + times(x, box))(1.0) == 4.0


@pytest.mark.parametrize("part", [slice(None), slice(1, None)])
def test_results_of_a_primitive_that_share_memory_are_refused(part: slice) -> None:
    @ag.primitive
    def both(x: Any) -> Any:
        sine = np.sin(x)
        return sine, sine[part]

    both.defvjp(lambda g, out, x: g[0] * np.cos(x))
    with pytest.raises(ag.UnsupportedError, match=r"two of its results share memory.*x.copy\(\)"):
        ag.vjp(lambda x: both(x)[0], np.array([1.0, 2.0]))
    both(np.array([1.0, 2.0]))

    @ag.primitive(residuals=True)
    def kept(x: Any) -> Any:
        sine = np.sin(x)
        return sine, sine

    kept.defvjp(lambda g, out, sine, x: g * np.cos(x))
    assert ag.grad(lambda x: np.sum(kept(x)))(np.array([0.0])) == 1.0


ARRAYS_IN_THE_MEMORY_OF_ANOTHER = {
    "asarray": lambda a, x: np.asarray(a, like=x),
    "asarray of a dtype": lambda a, x: np.asarray(a, float, like=x),
    "asarray of a view": lambda a, x: np.asarray(a[::-1], like=x)[::-1],
    "asarray of a buffer": lambda a, x: np.asarray(memoryview(a), like=x),
    "asanyarray": lambda a, x: np.asanyarray(a, like=x),
    "ascontiguousarray": lambda a, x: np.ascontiguousarray(a, like=x),
    "asfortranarray": lambda a, x: np.asfortranarray(a, like=x),
    "require": lambda a, x: np.require(a, None, "C", like=x),
    "array": lambda a, x: np.array(a, copy=None, like=x),
    "frombuffer": lambda a, x: np.frombuffer(a, like=x),
    "frombuffer by name": lambda a, x: np.frombuffer(buffer=a, like=x),
}


@pytest.mark.parametrize("name", ARRAYS_IN_THE_MEMORY_OF_ANOTHER)
def test_an_array_like_a_value_in_the_memory_of_another_is_that_one(name: str) -> None:
    make = ARRAYS_IN_THE_MEMORY_OF_ANOTHER[name]

    def used_before(x: Any) -> Any:
        a = np.array([1.0, 2.0, 3.0])
        result = np.sum(make(a, x) * x)
        a[:] = 0.0
        return result

    def written(x: Any) -> Any:
        a = np.array([1.0, 2.0, 3.0])
        y = make(a, x)
        y[0] = 7.0
        a[1] = 5.0
        return np.sum(a * x) + np.sum(y * x)

    def filled(x: Any) -> Any:
        make(np.zeros(3), x)[0] = x[0]
        return x[0]

    x = np.ones(3)
    assert ag.grad(used_before)(x).tolist() == [1.0, 2.0, 3.0]
    assert written(x) == 30.0
    value, gradient = ag.value_and_grad(written)(x)
    assert value == 30.0 and gradient.tolist() == [14.0, 10.0, 6.0]
    with pytest.raises(ag.AutogradError, match="like=x"):
        ag.grad(filled)(x)


def test_an_array_of_records_is_no_place_for_values() -> None:
    x = ag.Value(np.ones(3))
    with pytest.raises(ag.ArgumentTypeError, match="make an array for each field"):
        np.zeros(3, [("position", float), ("speed", float)], like=x)


def test_an_array_like_a_value_of_numbers_of_its_own_can_be_filled():
    def f(x: Any) -> Any:
        arrays = [np.asarray([1.0, 2.0], like=x), np.asarray(np.arange(2), float, like=x)]
        arrays += [np.array(np.ones(2), like=x), np.frombuffer(bytes(16), like=x).copy()]
        for array in arrays:
            array[1] = x[1] ** 2
        return np.sum(np.stack(arrays))

    assert ag.grad(f)(np.array([1.0, 3.0])).tolist() == [0.0, 24.0]


def test_fromfunction_returns_what_its_function_returns():
    x = np.array([1.0, 2.0, 3.0])
    kept = np.array([1.0, 2.0, 3.0])

    def table(x: Any) -> Any:
        return np.sum(np.fromfunction(lambda i, j: x[i] * x[j], (3, 3), dtype=int, like=x))

    def captured(x: Any) -> Any:
        result = np.sum(np.fromfunction(lambda i: kept, (3,), like=x) * x)
        kept[:] = 0.0
        return result

    assert ag.grad(table)(x).tolist() == [12.0, 12.0, 12.0]  # of (x0 + x1 + x2)²
    assert ag.grad(captured)(x).tolist() == [1.0, 2.0, 3.0]


def test_a_shape_may_be_an_array():
    shape = np.array([2, 2])
    assert ag.grad(lambda x: np.sum(x.reshape(shape)[0] ** 2))(np.ones(4)).tolist() == [2, 2, 0, 0]


class DataSet:
    """What NumPy makes an array of when it computes, as a data set of h5py or Zarr in a file."""

    def __init__(self, numbers: Any) -> None:
        self.numbers = np.array(numbers)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.numbers.astype(dtype or float)

    def __setitem__(self, index: Any, number: float) -> None:
        self.numbers[index] = number


@dataclass
class DataSetWithFields(DataSet):
    """The same as a dataclass, which arrays of Zarr are."""

    numbers: Any
    name: str = "temperatures"

    def __post_init__(self) -> None:
        self.numbers = np.array(self.numbers)


SOURCES = {
    "a data set": DataSet,
    "a dataclass": DataSetWithFields,
    "array.array": lambda numbers: array_of_python("d", numbers),
    "memoryview": lambda numbers: memoryview(np.array(numbers)),
}

WITH_SOURCES = {
    "x * c": lambda x, c: x * c,
    "c - x": lambda x, c: c - x * x,
    "x ** c": lambda x, c: x**c,
    "x @ c": lambda x, c: x @ c,
    "multiply": np.multiply,
    "divide": lambda x, c: np.divide(c, x),
    "power": np.power,
    "maximum": lambda x, c: np.maximum(x * x, c),
    "arctan2": lambda x, c: np.arctan2(c, x),
    "hypot": np.hypot,
    "logaddexp": np.logaddexp,
    "dot": np.dot,
    "outer": lambda x, c: np.outer(c, x),
    "convolve": np.convolve,
    "einsum": lambda x, c: np.einsum("i,i", x, c),
    "comparison": lambda x, c: (x < c) * x,
}


@pytest.mark.parametrize("name", WITH_SOURCES)
@pytest.mark.parametrize("source", SOURCES)
def test_what_numpy_reads_an_array_from_is_read_once(source: str, name: str) -> None:
    function = WITH_SOURCES[name]
    numbers, point = [5.0, 3.0, 2.5, 1.5], np.array([0.7, 1.1, 1.9, 2.3])
    constant, x = SOURCES[source](numbers), ag.Value(point)
    y = np.sum(function(x, constant))
    for place in range(4):
        constant[place] = 99.0
    y.backward()
    plain = np.array(numbers)
    assert y.item() == np.sum(function(point, plain))

    def moved(step: float, place: int) -> Any:
        return np.sum(function(point + step * np.eye(4)[place], plain))

    slopes = [(moved(1e-6, i) - moved(-1e-6, i)) / 2e-6 for i in range(4)]
    np.testing.assert_allclose(x.grad, slopes, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("source", ["a data set", "a dataclass"])
def test_arguments_that_numpy_reads_are_arrays_and_no_containers(source: str) -> None:
    argument = SOURCES[source]([1.0, 2.0])
    np.testing.assert_array_equal(ag.grad(lambda x: np.sum(x**3))(argument), [3.0, 12.0])
    np.testing.assert_array_equal(ag.compile(lambda x: np.multiply(x, 2.0))(argument), [2.0, 4.0])
