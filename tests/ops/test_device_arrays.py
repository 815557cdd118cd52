"""Every case on arrays that refuse to become NumPy's: nothing is fetched, no number differs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.tree import flatten
from tests.ops.by_scipy import is_by_scipy_alone
from tests.ops.cases import CASES
from tests.ops.cases.case import Case
from tests.ops.device_array import DeviceArray, assert_lacking, transfers
from tests.ops.numerical import random_like
from tests.ops.reading import READS


def on_host(x: Any) -> Any:
    return x.held if isinstance(x, DeviceArray) else x


def values_and_gradients(case: Case, inputs: list[Any]) -> tuple[list[Any], list[Any]]:
    if not case.derivatives:
        results = flatten(case.call(*[ag.Value(x) for x in inputs]))
        return [getattr(result, "data", result) for result in results], []
    weights = random_like(np.random.default_rng(1), flatten(case.reference(*case.draw())))
    values, pullback = ag.vjp(lambda *xs: flatten(case.call(*xs)), *inputs)
    return values, list(pullback(weights))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_values_and_gradients_are_numpys_and_stay_on_the_device(case: Case) -> None:
    transfers.clear()
    if is_by_scipy_alone(case):
        with pytest.raises(ag.AutogradError, match="on NumPy's arrays alone"):
            values_and_gradients(case, [DeviceArray(x) for x in case.draw()])
        return
    try:
        values, gradients = values_and_gradients(case, [DeviceArray(x) for x in case.draw()])
    except ag.UnsupportedError as error:
        assert_lacking(case.function, error)
        return
    assert transfers == [] or case.function in READS
    expected, expected_gradients = values_and_gradients(case, case.draw())
    for mine, numpys in zip(values, expected, strict=True):
        if np.asarray(numpys).dtype.kind in "fciub":
            np.testing.assert_allclose(on_host(mine), numpys, rtol=1e-12, atol=1e-12)
    for mine, numpys in zip(gradients, expected_gradients, strict=True):
        assert isinstance(mine, DeviceArray)
        np.testing.assert_allclose(on_host(mine), numpys, rtol=1e-12, atol=1e-12)


def drawn() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(20, 5)), rng.normal(size=5)


def loss(x: Any, w: Any) -> Any:
    return np.mean(np.log1p(np.exp(-np.tanh(x @ w)))) + np.sum(w * w)


def test_backward_fetches_nothing_and_adds_up() -> None:
    x, w = drawn()
    transfers.clear()
    weights = ag.Value(DeviceArray(w))
    for _ in range(2):
        loss(DeviceArray(x), weights).backward()
    assert transfers == []
    np.testing.assert_allclose(weights.grad.held, 2 * ag.grad(loss, 1)(x, w), rtol=1e-13)


def test_second_derivatives_fetch_nothing() -> None:
    x, w = drawn()
    v = np.linspace(-1, 1, 5)
    transfers.clear()
    product = ag.hvp(lambda w: loss(DeviceArray(x), w), DeviceArray(w), DeviceArray(v))
    assert transfers == []
    np.testing.assert_allclose(product.held, ag.hvp(lambda w: loss(x, w), w, v), rtol=1e-12)


def test_a_leafs_gradient_is_the_callers_to_change() -> None:
    a, b = ag.Value(DeviceArray(np.ones(3))), ag.Value(DeviceArray(np.ones(3)))
    np.sum(a + b).backward()
    a.grad[0] = 7.0
    np.testing.assert_array_equal(b.grad.held, np.ones(3))


def test_numpy_constants_move_to_the_device_and_numbers_come_back_when_asked_for() -> None:
    transfers.clear()
    x = ag.Value(DeviceArray(np.arange(3.0)))
    y = np.sum(x * np.array([1.0, 2.0, 3.0]) + [1.0, 1.0, 1.0])
    assert isinstance(y.data, DeviceArray)
    assert transfers == []
    assert (y.item(), float(y), bool(y > 0)) == (11.0, 11.0, True)
    assert transfers == ["item", "float", "bool"]


def test_what_the_library_lacks_is_refused_by_name() -> None:
    class Poor(DeviceArray):
        def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
            return NotImplemented

    with pytest.raises(ag.UnsupportedError, match=r"^sort: tests cannot compute this on its arr"):
        np.sort(ag.Value(Poor(np.arange(3.0))))


def test_an_index_beyond_the_end_is_an_error_where_it_is_on_the_host() -> None:
    x = ag.Value(DeviceArray(np.arange(3.0)))
    for index in ([0, 3], np.array([-4, 1]), (np.array([5]),), ([[3]], None)):
        with pytest.raises(IndexError, match="out of bounds"):
            x[index]
        with pytest.raises(IndexError, match="out of bounds"):
            x[index] = 1.0


@pytest.mark.parametrize("on_device", [False, True])
def test_of_repeated_writes_the_last_counts(on_device: bool) -> None:
    rows, columns = np.array([[0, 1], [0, 1]]), np.array([2, 0])

    def written(x: Any, v: Any, rows: Any, columns: Any) -> Any:
        z = x * 1.0
        z[rows, columns] = v
        z[..., [1, 1]] = v
        return np.sum(np.sin(z) * x)

    x, v = np.linspace(0.0, 1.0, 6).reshape(2, 3), np.array([[1.0, 2.0], [3.0, 4.0]])
    indices = [DeviceArray(i) if on_device else i for i in (rows, columns)]
    found = ag.grad(written, (0, 1))(DeviceArray(x), DeviceArray(v), *indices)
    for mine, numpys in zip(found, ag.grad(written, (0, 1))(x, v, rows, columns), strict=True):
        np.testing.assert_allclose(mine.held, numpys, rtol=1e-13)


@pytest.mark.parametrize(
    ("function", "matrix"),
    [
        (np.linalg.cholesky, [[1.0, 2.0], [2.0, 1.0]]),
        (np.linalg.inv, [[1.0, 2.0], [2.0, 4.0]]),
        (lambda a: np.linalg.solve(a, np.ones((2, 1), like=a)), [[0.0, 0.0], [0.0, 1.0]]),
    ],
)
def test_matrices_without_a_solution_are_errors(function: Any, matrix: Any) -> None:
    for on_it in (lambda x: np.sum(function(x)), ag.grad(lambda x: np.sum(function(x)))):
        with pytest.raises(np.linalg.LinAlgError):
            on_it(ag.Value(DeviceArray(np.array(matrix))))


@pytest.mark.parametrize("look", [np.transpose, np.ravel, lambda y: np.swapaxes(y, 0, 1)[1:]])
def test_writes_through_views_of_another_shape_reach_what_they_look_into(look: Any) -> None:
    def written(x: Any) -> Any:
        y = x * 1.0
        look(y)[0] = 2.0
        return np.sum(y**3)

    x = np.linspace(0.5, 1.5, 6).reshape(2, 3)
    np.testing.assert_allclose(ag.grad(written)(DeviceArray(x)).held, ag.grad(written)(x))


@pytest.mark.parametrize("order", ["A", "K"])
@pytest.mark.parametrize("function", [np.ravel, lambda x, order: x.flatten(order)])
def test_an_order_of_memory_that_is_not_known_is_refused(function: Any, order: str) -> None:
    with pytest.raises(ag.UnsupportedError) as refusal:
        function(ag.Value(DeviceArray(np.ones((2, 3)))).T, order=order)
    assert str(refusal.value) == (
        f'order="{order}" asks how an array lies in memory, and of one of device_library that is '
        'not known; write order="C"'
    )
