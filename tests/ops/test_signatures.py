"""Every call that NumPy's signatures allow means on Values what it means on arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import UnsupportedError, Value
from autograd_lite.core.primitive import registry
from autograd_lite.core.signatures import NOT_TOLD, full_name, keywords_of
from autograd_lite.core.tree import flatten
from tests.ops.cases import CASES
from tests.ops.cases.case import Case

Call = tuple[tuple[Any, ...], dict[str, Any]]
Spelling = Callable[[inspect.Signature, tuple[Any, ...], dict[str, Any]], Call]

UFUNC_DEFAULTS = {
    "where": True,
    "casting": "same_kind",
    "order": "K",
    "dtype": None,
    "subok": True,
}


def is_numpys(function: Any) -> bool:
    """Whether NumPy hands calls of it over with their arguments as they were written."""
    module = getattr(function, "__module__", None) or ""
    is_function = callable(function) and not isinstance(function, np.ufunc)
    return is_function and module.partition(".")[0] == "numpy" and tells_its_signature(function)


def tells_its_signature(function: Any) -> bool:
    try:
        inspect.signature(function)
    except ValueError:
        return False  # of functions in C, before NumPy 2.4
    return True


OF_FUNCTIONS = [case for case in CASES if is_numpys(case.function)]
OF_UFUNCS = [case for case in CASES if isinstance(case.function, np.ufunc)]

every_function = pytest.mark.parametrize("case", OF_FUNCTIONS, ids=lambda case: case.name)


@contextmanager
def spelled(function: Any, spell: Spelling) -> Iterator[None]:
    """Calls of a function reach Values in another spelling than they were written in."""
    original = Value.__array_function__
    signature = inspect.signature(function)

    def respell(self: Any, called: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if called is function:
            args, kwargs = spell(signature, args, kwargs)
        return original(self, called, types, args, kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Value, "__array_function__", respell)
        yield


def numbers_and_gradients(case: Case) -> list[Any]:
    leaves = [Value(x) for x in case.draw()]
    results = flatten(case.call(*leaves))
    for result in results:
        if getattr(result, "requires_grad", False):
            result.backward(np.ones(result.shape, result.dtype))
    plain = [x.data if isinstance(x, Value) else x for x in results]
    return plain + [leaf.grad for leaf in leaves if leaf.grad is not None]


def assert_same(ours: list[Any], theirs: list[Any]) -> None:
    assert len(ours) == len(theirs)
    for mine, yours in zip(ours, theirs, strict=True):
        assert np.asarray(mine).dtype == np.asarray(yours).dtype
        np.testing.assert_array_equal(mine, yours)


def optional(signature: inspect.Signature) -> dict[str, Any]:
    """Arguments with a default that can be passed by name, and that default."""
    return {
        p.name: p.default
        for p in signature.parameters.values()
        if p.default is not p.empty and p.kind is not p.POSITIONAL_ONLY
    }


@every_function
def test_a_keyword_at_its_default_changes_nothing(case: Case) -> None:
    if case.function is np.empty_like:
        return  # memory as it was found
    plainly = numbers_and_gradients(case)
    for name, default in optional(inspect.signature(case.function)).items():

        def spell(
            signature: inspect.Signature, args: Any, kwargs: Any,
            name: str = name, default: Any = default,
        ) -> Call:  # fmt: skip
            given = signature.bind(*args, **kwargs).arguments
            return args, kwargs if name in given else {**kwargs, name: default}

        with spelled(case.function, spell):
            assert_same(numbers_and_gradients(case), plainly)


def by_name(signature: inspect.Signature, args: Any, kwargs: Any) -> Call:
    """All arguments by name that can be."""
    if any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values()):
        return args, kwargs
    positional = [
        name for name, p in signature.parameters.items() if p.kind is not p.POSITIONAL_ONLY
    ]
    kept = len(signature.parameters) - len(positional)
    return args[:kept], dict(zip(positional, args[kept:], strict=False)) | kwargs


def by_position(signature: inspect.Signature, args: Any, kwargs: Any) -> Call:
    """All arguments by position that can be, and all the defaults."""
    bound = signature.bind(*args, **kwargs)
    if len(bound.args) == 1 and (signature.parameters.keys() >= {"condition", "x", "y"}):
        return args, kwargs  # np.where(mask) is not np.where(mask, None, None)
    bound.apply_defaults()
    return bound.args, bound.kwargs


@every_function
@pytest.mark.parametrize("spell", [by_name, by_position])
def test_arguments_may_be_passed_by_name_or_by_position(case: Case, spell: Spelling) -> None:
    if case.function is np.empty_like:
        return
    plainly = numbers_and_gradients(case)
    with spelled(case.function, spell):
        assert_same(numbers_and_gradients(case), plainly)


@pytest.mark.parametrize("case", OF_UFUNCS, ids=lambda case: case.name)
def test_a_keyword_of_a_ufunc_at_its_default_changes_nothing(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    plainly = numbers_and_gradients(case)
    original = Value.__array_ufunc__
    for name, default in UFUNC_DEFAULTS.items():

        def respell(
            self: Any, ufunc: Any, method: str, *inputs: Any,
            keyword: dict[str, Any] = {name: default}, **kwargs: Any,  # noqa: B006
        ) -> Any:  # fmt: skip
            if ufunc is case.function and method == "__call__":
                kwargs = keyword | kwargs
            return original(self, ufunc, method, *inputs, **kwargs)

        monkeypatch.setattr(Value, "__array_ufunc__", respell)
        assert_same(numbers_and_gradients(case), plainly)


# What keywords mean, where they mean something.


def refused(text: str, call: Callable[[], Any], error: type[Exception] = UnsupportedError) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == text


FOR_RESHAPE: dict[str, Any] = {"C": "C", "F": "F", "A": "A", "K": "A"}
"""``np.reshape`` has no "K"."""

LAYOUTS = {
    "C": np.arange(6.0).reshape(2, 3),
    "Fortran": np.arange(6.0).reshape(2, 3).T,
    "vector": np.arange(12.0)[::2],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("order", ["C", "F", "A", "K"])
def test_an_order_of_elements_is_that_of_the_array_in_memory(layout: str, order: Any) -> None:
    array = LAYOUTS[layout]
    for ours, theirs in (
        (lambda x: np.ravel(x, order), np.ravel(array, order)),
        (
            lambda x: np.reshape(x, (6, 1), order=FOR_RESHAPE[order]),
            np.reshape(array, (6, 1), order=FOR_RESHAPE[order]),
        ),
    ):
        x = Value(array)
        result = ours(x)
        np.testing.assert_array_equal(result.data, theirs)
        # Each element is its own number in memory, and gets the square of it back.
        result.backward(theirs**2)
        np.testing.assert_array_equal(x.grad, array**2)


def test_an_order_in_memory_that_is_none_is_refused() -> None:
    x = Value(np.zeros((4, 6))[:, ::2])
    assert np.ravel(x, order="K").shape == (12,)
    with pytest.raises(ag.AutogradError, match="asks how an array lies in memory"):
        ag.compile(lambda xs: np.ravel(ag.scan(lambda c, x: (c, x), 0.0, xs)[1], order="A"))(
            np.ones((2, 3))
        )


def test_casting_is_numpys() -> None:
    x = Value([1.5, -2.5])
    for call in (
        lambda x, **how: np.concatenate([x, x], dtype=np.int64, **how),
        lambda x, **how: np.stack([x, x], dtype=np.int64, **how),
        lambda x, **how: np.vstack([x, x], dtype=np.int64, **how),
        lambda x, **how: np.hstack([x, x], dtype=np.int64, **how),
        lambda x, **how: np.add(x, x, dtype=np.int64, **how),
        lambda x, **how: np.einsum("i,i", x, x, dtype=np.float32, **how),
    ):
        with pytest.raises(TypeError):
            call(x.data)
        with pytest.raises(ag.ArgumentTypeError, match="casting="):
            call(x)
        expected = call(x.data, casting="unsafe")
        result = call(x, casting="unsafe")
        np.testing.assert_array_equal(result.data, expected)
        assert result.dtype == expected.dtype
    assert np.add(x, 1.0, casting="unsafe").data.tolist() == [2.5, -1.5]
    assert np.add(x, 1.0, casting="no").data.tolist() == [2.5, -1.5]


NEWER = ("matvec", "vecmat")
"""What the oldest NumPy that the package takes does not have."""

TOLD: dict[str, Any] = {
    **{
        f.__name__: lambda x, y, f=f, **how: f(x, y, **how)
        for f in (
            np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
            np.logical_and, np.logical_or, np.logical_xor, np.divmod, np.matmul, np.vecdot,
        )
    },
    **{
        f.__name__: lambda x, y, f=f, **how: f(x, **how)
        for f in (np.logical_not, np.isfinite, np.isnan, np.isinf, np.signbit, np.modf, np.frexp)
    },
    "matvec": lambda x, y, **how: np.matvec(np.multiply.outer(x, y), y, **how),
    "vecmat": lambda x, y, **how: np.vecmat(y, np.multiply.outer(x, y), **how),
    "outer": lambda x, y, **how: np.multiply.outer(x, y, **how),
    "clip": lambda x, y, **how: np.clip(x, -0.5, y, **how),
    "clip max": lambda x, y, **how: np.clip(x, max=y, **how),
    "and": lambda x, y, **how: np.bitwise_and(x > 0, y > 0, **how),
    "shift": lambda x, y, **how: np.left_shift(x.astype(int), 2, **how),
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in TOLD if name not in NEWER or hasattr(np, name)])
def test_ufuncs_are_told_the_dtype_of_their_loop(name: str) -> None:
    """Those without a mask: comparisons, tests, products, and those of two results."""
    call, x, y = TOLD[name], np.array([1.5, -2.5, 0.25]), np.array([1.5, 2.5, -1.5])
    for how in (
        {"casting": "unsafe"}, {"casting": "no"}, {"dtype": bool}, {"dtype": float},
        {"dtype": np.float32}, {"dtype": np.float32, "casting": "unsafe"},
        {"dtype": int, "casting": "unsafe"}, {"dtype": np.float64, "casting": "safe"},
    ):  # fmt: skip
        try:
            expected = call(x, y, **how)
        except TypeError:
            with pytest.raises((ag.ArgumentTypeError, TypeError)):
                call(Value(x), Value(y), **how)
            continue
        result = call(Value(x), Value(y), **how)
        for part, wanted in zip(flatten([result]), flatten([expected]), strict=True):
            np.testing.assert_array_equal(part.data, wanted)
            assert part.dtype == wanted.dtype


def without_meaning() -> list[tuple[Any, str]]:
    """Keywords that NumPy's functions have and no definition here takes."""
    functions = {case.function: None for case in OF_FUNCTIONS}
    return [
        (function, name)
        for function in functions
        for name in optional(inspect.signature(function))
        if name != "out"
        and (taken := keywords_of(registry[function])) is not None
        and name not in taken
    ]


@pytest.mark.parametrize(("function", "name"), without_meaning())
def test_a_keyword_without_meaning_for_values_is_refused_by_name(function: Any, name: str) -> None:
    case = next(case for case in CASES if case.function is function)

    def spell(signature: inspect.Signature, args: Any, kwargs: Any) -> Call:
        return args, {**kwargs, name: "something"}

    with spelled(function, spell):
        refused(
            f"{full_name(function)} of a Value does not take {name}; "
            "leave it out, or pass x.data to compute without gradient",
            lambda: numbers_and_gradients(case),
        )


def test_the_function_that_was_called_is_named() -> None:
    x = Value([[1.0, 2.0], [3.0, 4.0]])
    refused(
        "np.linalg.pinv of a Value does not take hermitian; "
        "leave it out, or pass x.data to compute without gradient",
        lambda: np.linalg.pinv(x, hermitian=True),
    )
    refused(
        "np.add.outer of a Value does not take order; "
        "leave it out, or pass x.data to compute without gradient",
        lambda: np.add.outer(x, x, order="F"),
    )
    refused(
        "np.isnan of a Value does not take order; "
        "leave it out, or pass x.data to compute without gradient",
        lambda: np.isnan(x, order="F"),
    )


def test_the_function_that_was_called_is_named_where_numpy_writes_for_it() -> None:
    x, plain = Value(2.0), np.array([1.0, np.nan])
    for call, name in (
        (lambda: np.full_like(plain, x), "full_like"),
        (lambda: np.nan_to_num(plain, nan=x), "nan_to_num"),
    ):
        refused(
            f"np.{name} cannot write a Value into a plain array, where its gradient would be "
            "lost; make the array with np.zeros(shape, like=x) or np.empty_like(x), "
            "or write what makes a new one, as a = a + x in the place of a += x",
            call,
            ag.InPlaceError,
        )
    assert np.full_like(Value(plain), x).data.tolist() == [2.0, 2.0]
    refused(
        "np.copyto cannot write a Value into a plain array, where its gradient would be lost; "
        "make the array with np.zeros(shape, like=x) or np.empty_like(x), "
        "or write what makes a new one, as a = a + x in the place of a += x",
        lambda: np.copyto(plain, x),
        ag.InPlaceError,
    )
    refused(
        "nan_to_num: the argument 'nan' is static and cannot be a Value; pass nan=nan.data "
        "to use its number as a constant",
        lambda: np.nan_to_num(Value(plain), nan=x),
        ag.ArgumentTypeError,
    )


def test_out_is_refused_wherever_it_is_written() -> None:
    x, out = Value([1.0, 2.0]), np.zeros(2)
    for call in (
        lambda: np.cumsum(x, None, None, out),
        lambda: np.cumsum(x, out=out),
        lambda: np.clip(x, 0.0, 1.0, out),
    ):
        with pytest.raises(ag.InPlaceError, match="cannot write a Value into a plain array"):
            call()
    assert np.add(x, 1.0, None).data.tolist() == np.add(x, 1.0, out=None).data.tolist() == [2, 3]
    assert np.einsum("i->", x, out=None, dtype=None, order="K", casting="safe").data == 3.0


def test_arguments_are_spelled_as_in_numpy() -> None:
    x, y = Value([1.0, -2.0]), np.array([0.5, 3.0])
    for ours, theirs in (
        (np.sum(a=x), -1.0),
        (np.clip(a=x, a_min=-1.0, a_max=0.5), [0.5, -1.0]),
        (np.clip(x, a_max=0.5, a_min=None), [0.5, -2.0]),
        (np.clip(x, max=0.5), [0.5, -2.0]),
        (np.roll(shift=1, a=x), [-2.0, 1.0]),
        (np.full_like(x, 3.0, None, "C", False), [3.0, 3.0]),
        (np.linalg.norm(x=x, ord=1), 3.0),
    ):
        assert np.array(getattr(ours, "data", ours)).tolist() == theirs
    with pytest.raises(TypeError):
        np.add(x1=x, x2=y)
    if tells_its_signature(np.dot):
        assert np.dot(a=x, b=y).data == np.dot(y, b=x).data == -5.5


# Lists of Values, where NumPy hands the call over.

POINT, NUMBER = np.array([1.5, -2.5]), 2.0

WITH_LISTS: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, a: np.add([a, 1.0], x),
    "operator": lambda x, a: [a, a * a] * x,
    "reflected operator": lambda x, a: x - (a, 3.0),
    "matmul": lambda x, a: x @ [[a, 1.0], [0.0, a]],
    "ufunc with dtype": lambda x, a: np.multiply(x, [a, a], dtype=np.float64),
    "ufunc with where": lambda x, a: np.multiply(x, [a, a], where=[True, True], out=None),
    "less": lambda x, a: np.less(x, [a, -a]),
    "dot": lambda x, a: np.dot(x, [a, a]),
    "inner": lambda x, a: np.inner([a, 1.0], x),
    "outer": lambda x, a: np.outer(x, [a, 1.0]),
    "kron": lambda x, a: np.kron([a, 1.0], x),
    "tensordot": lambda x, a: np.tensordot(x, [a, a], 1),
    "convolve": lambda x, a: np.convolve(x, [a, 1.0]),
    "einsum": lambda x, a: np.einsum("i,j->ij", x, [a, 1.0]),
    "where": lambda x, a: np.where([True, False], [a, a], x),
    "clip": lambda x, a: np.clip(x, [-a, -a], [a, 0.0]),
    "interp": lambda x, a: np.interp(x, [-3.0, a], [a, 0.0]),
    "average": lambda x, a: np.average(x, weights=[a, 1.0]),
    "broadcast_arrays": lambda x, a: np.broadcast_arrays(x, [[a], [1.0]]),
    "meshgrid": lambda x, a: np.meshgrid(x, [a, 0.0, a]),
    "atleast_2d": lambda x, a: np.atleast_2d(x, [a, 0.0]),
    "choose": lambda x, a: np.choose([1, 0], [x, [a, 1.0]]),
    "select": lambda x, a: np.select([x > 0, x < 0], [[a, 1.0], x], a),
    "stack": lambda x, a: np.stack([x, [a, 1.0]]),
    "hstack": lambda x, a: np.hstack(([a], x)),
    "vstack": lambda x, a: np.vstack(([a, a], x)),
    "dstack": lambda x, a: np.dstack(([a, a], x)),
    "column_stack": lambda x, a: np.column_stack(([a, a], x)),
    "append": lambda x, a: np.append(x, [a, 1.0]),
    "insert": lambda x, a: np.insert(x, 1, [a, 1.0]),
    "block of numbers": lambda x, a: np.block([[a, 1.0], [0.0, a * x[0]]]),
    "solve": lambda x, a: np.linalg.solve([[a, 1.0], [0.0, a]], x),
    "multi_dot": lambda x, a: np.linalg.multi_dot([x, [[a, 1.0], [1.0, a]], x]),
    "trapezoid": lambda x, a: np.trapezoid([a, 1.0], x),
    "polyval": lambda x, a: np.polyval([a, 1.0], x),
    "cross": lambda x, a: np.cross([a, 1.0, 0.0], np.append(x, 1.0)),
}


@pytest.mark.parametrize("call", WITH_LISTS.values(), ids=WITH_LISTS)
def test_a_list_of_values_is_an_operand_as_a_list_of_numbers_is(
    call: Callable[[Any, Any], Any],
) -> None:
    x, a = Value(POINT), Value(NUMBER)
    expected = flatten(call(POINT, NUMBER))
    found = flatten(call(x, a))
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine.data, theirs)
    if not any(part.requires_grad for part in found):
        return

    def total(x: Any, a: Any) -> Any:
        return sum((np.sum(part * part) for part in flatten(call(x, a))), 0.0)

    total(x, a).backward()
    step = 1e-6
    slope = (total(POINT, NUMBER + step) - total(POINT, NUMBER - step)) / (2 * step)
    np.testing.assert_allclose(a.grad, slope, rtol=1e-7)
    for i, unit in enumerate(np.eye(2) * step):
        slope = (total(POINT + unit, NUMBER) - total(POINT - unit, NUMBER)) / (2 * step)
        np.testing.assert_allclose(x.grad[i], slope, rtol=1e-7, atol=1e-7)


def test_signatures_that_old_numpys_do_not_tell_are_those_of_new_ones() -> None:
    for function, ours in NOT_TOLD.items():
        try:
            theirs = inspect.signature(function)
        except ValueError:
            continue
        assert inspect.signature(ours) == theirs, function
