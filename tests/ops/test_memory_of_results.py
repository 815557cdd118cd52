"""What NumPy's results are in memory: a number or an array, and in which order it lies.

Both show: a number is rebound where an array is written, and ``ravel("K")`` reads the memory.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.primitive import registry
from autograd_lite.core.tree import flatten
from tests.ops.cases import CASES
from tests.ops.cases.case import Case, has

FROM_NUMPY = [case for case in CASES if not isinstance(case.function, str)]
"""Without what only Values have: ``x.at[i].set(v)``."""


def in_rows(x: Any, axes: tuple[int, ...]) -> Any:
    """The same elements, in memory in the order of these axes."""
    return np.transpose(np.array(np.transpose(x, axes), order="C"), np.argsort(axes))


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "C": lambda x: x,
    "Fortran": lambda x: np.array(x, order="F"),
    "transposed": lambda x: in_rows(x, (*range(1, x.ndim), 0)[: x.ndim]),
    "with gaps": lambda x: np.repeat(x, 2, axis=0)[::2] if x.ndim else x,
    "reversed": lambda x: np.flip(np.flip(x).copy()),
}


def draws(case: Case) -> Iterator[list[Any]]:
    """Inputs of the shapes of the row, and of others that the call may take."""
    yield case.draw()
    for shape in [(), (3,), (2, 3), (3, 3), (3, 4, 2)]:
        rng = np.random.default_rng(1)
        try:
            yield [domain.draw(rng, shape) for domain in case.domains]
        except Exception:
            continue


def pairs_of_results(case: Case, inputs: list[Any]) -> list[tuple[Any, Any]]:
    """Ours and NumPy's, for inputs that both take."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            theirs = flatten(case.call(*inputs))
        except Exception:
            return []
        try:
            ours = flatten(case.call(*map(as_value, inputs)))
        except ag.AutogradError:
            return []
    return list(zip(ours, theirs, strict=True))


def as_value(x: Any) -> Any:
    """A Value that holds an array, or a number of NumPy's."""
    return ag.Value(x) if isinstance(x, np.ndarray) else ag.Value(np.reshape(x, 1))[0]


def is_array(x: Any) -> bool:
    return isinstance(x.data if isinstance(x, ag.Value) else x, np.ndarray)


def strides_that_count(x: Any) -> list[int]:
    x = x.data if isinstance(x, ag.Value) else x
    return [step for step, length in zip(x.strides, x.shape, strict=True) if length > 1]


@pytest.mark.parametrize("case", FROM_NUMPY, ids=lambda case: case.name)
def test_a_result_lies_in_memory_as_numpys(case: Case) -> None:
    for inputs in draws(case):
        for layout, place in LAYOUTS.items():
            for ours, theirs in pairs_of_results(case, [place(x) for x in inputs]):
                if isinstance(theirs, np.ndarray) and theirs.size > 1:
                    assert strides_that_count(ours) == strides_that_count(theirs), layout


@pytest.mark.parametrize("case", FROM_NUMPY, ids=lambda case: case.name)
def test_a_result_is_an_array_where_numpys_is_one(case: Case) -> None:
    for inputs in draws(case):
        numbers = [x[()] for x in inputs]
        for given in (inputs, numbers):
            for ours, theirs in pairs_of_results(case, given):
                assert is_array(ours) == is_array(theirs), (ours, theirs)


@pytest.mark.parametrize("case", FROM_NUMPY, ids=lambda case: case.name)
def test_a_result_shares_memory_with_an_operand_only_where_numpys_does(case: Case) -> None:
    """Else ``.data[i] = v`` and optimizers, which make no node, would write both."""
    for inputs in draws(case):
        values = [as_value(x) for x in inputs]
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                results = zip(flatten(case.call(*values)), flatten(case.call(*inputs)), strict=True)
            except Exception:
                continue
        for ours, theirs in results:
            for value, x in zip(values, inputs, strict=True):
                if isinstance(ours, ag.Value) and not np.shares_memory(theirs, x):
                    assert not np.shares_memory(ours.data, value.data)


FORMS = {
    "of one": lambda f, x: f(x),
    "of two": lambda f, x: f(x, x),
    "and an integer": lambda f, x: f(x, 2),
    "of a list": lambda f, x: f([x, x]),
    "with its axes kept": lambda f, x: f(x, keepdims=True),
    "along an axis": lambda f, x: f(x, axis=0),
    "like itself": lambda f, x: f(x, like=x if isinstance(x, ag.Value) else None),
}
METHODS = [name for name in dir(np.ndarray) if not name.startswith("_") and name != "flat"]
BY_SCIPY = {f for f in registry if (getattr(f, "__module__", None) or "").startswith("scipy")}
"""Their own code runs on Values."""
FUNCTIONS = [f for f in registry if callable(f) and has(f) and f not in {np.frombuffer, *BY_SCIPY}]
INPUTS = [np.float64(0.5), np.array(0.5), np.array([0.5]), np.array([[0.5]]), np.eye(2) + 0.5]


@pytest.mark.parametrize("form", FORMS)
def test_a_function_gives_an_array_where_numpys_does(form: str) -> None:
    for function in FUNCTIONS:
        case = Case(function, lambda x, f=function: FORMS[form](f, x), (), lambda x: x)
        for x in INPUTS:
            for ours, theirs in pairs_of_results(case, [x]):
                assert is_array(ours) == is_array(theirs), (function, x)


@pytest.mark.parametrize("arguments", [(), (0,), (1,), (float,), (np.float32,)])
def test_a_method_gives_an_array_where_numpys_does(arguments: tuple[Any, ...]) -> None:
    for name in METHODS:
        case = Case(name, lambda x, n=name: getattr(x, n)(*arguments), (), lambda x: x)
        for x in INPUTS:
            for ours, theirs in pairs_of_results(case, [x]):
                assert is_array(ours) == is_array(theirs), (name, x)


ALIASED: dict[str, Callable[[Any], Any]] = {
    "item": lambda x: x[0],
    "part": lambda x: x[0, ...],
    "copy of an item": lambda x: x[0].copy(),
    "np.copy": lambda x: np.copy(x[0]),
    "np.array": lambda x: np.array(x[0], like=x),
    "np.asarray": lambda x: np.asarray(x[0], like=x),
    "np.block": lambda x: np.block(x[0]),
    "np.full": lambda x: np.full((), x[0], like=x),
    "np.where": lambda x: np.where(x[0] > 0, x[0], 0.0),
    "astype": lambda x: x[0].astype(float),
    "astype of an array": lambda x: x[0, ...].astype(float),
    "sum": np.sum,
    "np.add of a part": lambda x: np.add(x[0, ...], 1.0),
    "squeeze": lambda x: np.squeeze(x[:1]),
}


@pytest.mark.parametrize("name", ALIASED)
@pytest.mark.parametrize("write", [operator.iadd, operator.imul])
def test_what_another_name_sees_of_a_write_is_what_numpy_shows(name: str, write: Any) -> None:
    def function(x: Any) -> Any:
        x = x * 1.0
        y = other = ALIASED[name](x)
        y = write(y, 3.0)
        return x[0] + 10 * other + 100 * y

    point = np.array([1.5, 2.0])
    value, slope = ag.value_and_grad(function)(point)
    assert value == function(point)
    step = np.array([1e-6, 0.0])
    expected = (function(point + step) - function(point - step)) / 2e-6
    np.testing.assert_allclose(slope[0], expected, rtol=1e-8)


@pytest.mark.parametrize("order", ["C", "F", "A", "K"])
@pytest.mark.parametrize("layout", ["C", "Fortran", "transposed"])
def test_astype_lays_out_as_it_is_told(order: Any, layout: str) -> None:
    x = LAYOUTS[layout](np.arange(24.0).reshape(2, 3, 4))
    for dtype in (np.float64, np.float32):
        for copy in (True, False):
            ours = ag.Value(x).astype(dtype, order, copy=copy)
            assert ours.data.strides == x.astype(dtype, order, copy=copy).strides
