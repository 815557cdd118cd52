"""The array API standard: every name and keyword, values as its strict implementation has them."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

xp = ag.array_api

DTYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float32", "float64", "complex64", "complex128"),
)
LATER = {"isin", "eig", "eigvals"}
"""Came with the version after."""


@pytest.fixture(scope="module")
def strict() -> Any:
    module = pytest.importorskip("array_api_strict")
    module.set_array_api_strict_flags(api_version="2024.12")
    yield module
    module.reset_array_api_strict_flags()


def functions(module: Any) -> dict[str, Any]:
    """The functions of the standard in a module of its strict implementation."""
    return {
        name: function
        for name, function in vars(module).items()
        if inspect.isfunction(function)
        and "array_api_strict" in function.__module__
        and not name.startswith("_")
        and "flags" not in name
        and name not in LATER
    }


def mine(*path: str) -> Any:
    found: Any = xp
    for name in path:
        found = getattr(found, name)
    return found


def test_every_name_of_the_standard_is_there(strict: Any) -> None:
    missing = [name for name in strict.__all__ if "trict" not in name and not hasattr(xp, name)]
    assert set(missing) <= {"Device", "__version__", *LATER}
    assert xp.__array_api_version__ == "2024.12"
    assert set(dir(xp)) <= set(strict.__all__)


@pytest.mark.parametrize("extension", ["linalg", "fft"])
def test_every_name_of_the_extensions_is_there(strict: Any, extension: str) -> None:
    for name, function in functions(getattr(strict, extension)).items():
        if function.__module__.endswith(extension) and name != "normalize_axis_tuple":
            assert callable(mine(extension, name)), name


def test_every_keyword_of_the_standard_is_taken(strict: Any) -> None:
    for name, function in functions(strict).items():
        if isinstance(getattr(xp, name), np.ufunc):
            continue  # by position alone, in the standard too
        theirs = inspect.signature(function).parameters.values()
        ours = inspect.signature(getattr(xp, name)).parameters
        takes_any = any(p.kind is p.VAR_KEYWORD for p in ours.values())
        for p in theirs:
            assert p.kind is not p.KEYWORD_ONLY or takes_any or p.name in ours, (name, p.name)


NUMBERS = {"b": [True, False], "i": [3, -1], "u": [3, 1], "f": [0.3, 0.8], "c": [0.3 + 1j, 0.8]}
SECOND = {"b": [True, True], "i": [2, 1], "u": [2, 1], "f": [0.5, 2.0], "c": [0.5, 2.0 - 1j]}


def same(got: Any, expected: Any, what: object) -> None:
    """Whether a Value holds what an array of the strict implementation does."""
    if isinstance(expected, (list, tuple)):
        assert len(got) == len(expected), what
        for a, b in zip(got, expected, strict=True):
            same(a, b, what)
        return
    numbers = np.from_dlpack(expected)
    assert isinstance(got, ag.Value), what
    assert got.dtype == numbers.dtype and got.shape == numbers.shape, what
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(np.asarray(got.data), numbers, rtol=1e-6, err_msg=str(what))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", DTYPES)
def test_elementwise_functions(strict: Any, dtype: str) -> None:
    kind = np.dtype(dtype).kind
    tried = 0
    for name, function in functions(strict).items():
        if not function.__module__.endswith("elementwise_functions"):
            continue
        count = len([p for p in inspect.signature(function).parameters.values() if p.kind == 0])
        lists = [NUMBERS[kind], SECOND[kind]][:count]
        try:
            expected = function(*(strict.asarray(x, dtype=getattr(strict, dtype)) for x in lists))
        except TypeError:
            continue  # not of this kind
        given = (xp.asarray(x, dtype=getattr(xp, dtype)) for x in lists)
        same(getattr(xp, name)(*given), expected, (name, dtype))
        tried += 1
    assert tried >= 10


CALLS: dict[str, list[tuple[Any, dict[str, Any]]]] = {
    "all": [((0,), {"axis": 1, "keepdims": True})],
    "any": [((0,), {"axis": (0, 1)})],
    "arange": [((5,), {}), ((1, 9), {"step": 3, "dtype": "float32"})],
    "argmax": [((0,), {"axis": 1}), ((0,), {"keepdims": True})],
    "argmin": [((0,), {"axis": 0})],
    "argsort": [((0,), {}), ((0,), {"axis": 0, "descending": True, "stable": False}),
                ((1,), {"descending": True})],
    "asarray": [(([1, 2],), {}), (([True],), {}), ((2.5,), {"dtype": "float32"}),
                ((0,), {"copy": True})],
    "astype": [((0, "int32"), {"copy": False}), ((1, "complex64"), {})],
    "broadcast_arrays": [((0, 1), {})],
    "broadcast_to": [((1, (2, 3)), {})],
    "concat": [(([0, 0],), {"axis": 1}), (([0, 1],), {"axis": None})],
    "count_nonzero": [((0,), {"axis": 1, "keepdims": True})],
    "cumulative_prod": [((0,), {"axis": 1, "include_initial": True})],
    "cumulative_sum": [((0,), {"axis": 0, "dtype": "float32"})],
    "diff": [((0,), {"axis": 0}), ((0,), {"n": 2}), ((1,), {"prepend": 1, "append": None})],
    "empty_like": [],
    "expand_dims": [((0,), {"axis": 1})],
    "eye": [((2, 3), {"k": 1, "dtype": "int16"})],
    "flip": [((0,), {"axis": 1}), ((0,), {})],
    "full": [(((2, 2), 3), {}), ((2, True), {})],
    "full_like": [((0, 7.5), {"dtype": "float32"})],
    "linspace": [((0.0, 1.0, 5), {"endpoint": False}), ((0, 1, 3), {"dtype": "float32"})],
    "matmul": [((0, 1), {})],
    "matrix_transpose": [((0,), {})],
    "max": [((0,), {"axis": 1, "keepdims": True})],
    "mean": [((0,), {"axis": (0, 1)})],
    "meshgrid": [((1, 1), {"indexing": "ij"})],
    "min": [((0,), {})],
    "moveaxis": [((0, 0, 1), {})],
    "nonzero": [((0,), {})],
    "ones": [(((2,),), {"dtype": "uint8"})],
    "ones_like": [((0,), {})],
    "permute_dims": [((0, (1, 0)), {})],
    "prod": [((0,), {"axis": 0, "dtype": "float32"})],
    "repeat": [((0, 2), {"axis": 1}), ((0, 2), {})],
    "reshape": [((0, (3, 2)), {"copy": True})],
    "roll": [((0, (1, 2)), {"axis": (0, 1)})],
    "searchsorted": [((1, 0), {"side": "right"})],
    "sort": [((0,), {}), ((0,), {"axis": 0, "descending": True})],
    "squeeze": [],
    "stack": [(([0, 0],), {"axis": -1})],
    "std": [((0,), {"axis": 0, "correction": 1.0})],
    "sum": [((0,), {"axis": 1, "keepdims": True}), ((0,), {"dtype": "float32"})],
    "take": [((0, [1, 1, 0]), {"axis": 1})],
    "take_along_axis": [((0, [[1], [0]]), {"axis": 1})],
    "tensordot": [((0, 1), {"axes": 1})],
    "tile": [((1, (2, 2)), {})],
    "tril": [((0,), {"k": -1})],
    "triu": [((0,), {})],
    "unique_all": [],
    "unique_counts": [((0,), {})],
    "unique_inverse": [((0,), {})],
    "unique_values": [((0,), {})],
    "unstack": [((0,), {"axis": 1})],
    "var": [((0,), {"correction": 1})],
    "vecdot": [((0, 0), {"axis": -2})],
    "where": [(([[True, False, True]], 0, 1), {}), (([[True, False, True]], 0, 2.5), {})],
    "zeros": [((3,), {})],
    "zeros_like": [((0,), {"dtype": "complex64"})],
}  # fmt: skip
"""Arguments of the functions that are not elementwise; 0 and 1 stand for the arrays below."""

OTHERS = {"can_cast", "isdtype", "result_type", "broadcast_shapes", "finfo", "iinfo", "from_dlpack",
          "empty"}  # fmt: skip
"""Give no arrays, or say nothing about the numbers."""

ARRAYS = ([[0.5, -1.25, 2.0], [-1.25, 0.25, 2.0]], [1.0, 1.0, 2.0])


def given(x: Any, namespace: Any, is_first: bool = True) -> Any:
    """An argument of a call above, made of the arrays of a namespace."""
    if isinstance(x, str):
        return getattr(namespace, x, x)
    if isinstance(x, list) and x and isinstance(x[0], int) and not isinstance(x[0], bool):
        numbers = len(x) == 3
        return namespace.asarray(x) if numbers else [given(y, namespace) for y in x]
    if isinstance(x, list):
        return namespace.asarray(x)
    is_array = isinstance(x, int) and not isinstance(x, bool) and x in (0, 1) and is_first
    return namespace.asarray(ARRAYS[x]) if is_array else x


NUMBERS_FIRST = {"arange", "linspace", "eye", "full", "ones", "zeros"}
ONE_ARRAY = {"moveaxis", "repeat", "roll", "full_like"}


@pytest.mark.parametrize("name", CALLS)
def test_other_functions(strict: Any, name: str) -> None:
    for args, kwargs in CALLS[name]:
        results = []
        for namespace in (xp, strict):
            count = 0 if name in NUMBERS_FIRST else 1 if name in ONE_ARRAY else len(args)
            if name == "asarray" and args != (0,):
                arguments = list(args)
            else:
                arguments = [given(x, namespace, i < count) for i, x in enumerate(args)]
            options = {
                k: namespace.asarray([1.0]) if k == "prepend" else
                getattr(namespace, v) if k == "dtype" else v
                for k, v in kwargs.items()
            }  # fmt: skip
            results.append(getattr(namespace, name)(*arguments, **options))
        same(*results, (name, args, kwargs))


def test_every_function_has_its_calls(strict: Any) -> None:
    elementwise = {
        name
        for name, function in functions(strict).items()
        if function.__module__.endswith("elementwise_functions")
    }
    assert set(functions(strict)) == elementwise | set(CALLS) | OTHERS


def test_what_gives_no_arrays() -> None:
    x = ag.Value(np.float32([1.0, 2.0]))
    assert xp.result_type(x, xp.float64) == np.float64 and xp.result_type(x, 1.0) == np.float32
    assert xp.can_cast(x, xp.float64) and not xp.can_cast(x, xp.int8)
    assert xp.isdtype(x.dtype, ("integral", "real floating"))
    assert xp.broadcast_shapes((2, 1), (3,)) == (2, 3)
    assert xp.finfo(x).eps == xp.finfo(xp.float32).eps == np.finfo(np.float32).eps
    assert xp.iinfo(xp.int16).max == xp.iinfo(xp.asarray([1], dtype=xp.int16)).max == 2**15 - 1
    assert xp.empty((2, 3)).shape == (2, 3)
    assert xp.__array_namespace_info__().default_dtypes()["real floating"] == xp.float64
    same(xp.fft.fftfreq(4, d=0.5, dtype=xp.float32), np.float32([0, 0.5, -1, -0.5]), "fftfreq")
    assert xp.fft.rfftfreq(4).dtype == np.float64


def test_arrays_have_what_the_standard_asks_for(strict: Any) -> None:
    x = ag.Value([[1.0]])
    for name in dir(type(strict.asarray(0.0))):
        if (name.startswith("__") or not name.startswith("_")) and name != "__buffer__":
            assert hasattr(x, name), name
    assert x.device == xp.ones(2).device == ag.Value(2.0).device == "cpu"
    assert x.to_device("cpu") is x
    with pytest.raises(
        ag.ArgumentValueError, match=r"move the array before a Value is made of it$"
    ):
        x.to_device("gpu")
    with pytest.raises(ValueError, match="gpu"):
        xp.asarray([1.0], device="gpu")


def test_versions() -> None:
    x = ag.Value(1.0)
    for version in (None, "2021.12", "2022.12", "2023.12", "2024.12"):
        assert x.__array_namespace__(api_version=version) is xp
    with pytest.raises(ag.ArgumentValueError, match=r"leave api_version out for the last of them$"):
        x.__array_namespace__(api_version="2031.12")


def test_memory_is_nobody_elses() -> None:
    """What callers do with their arrays afterwards changes no gradient."""
    for made in (
        xp.asarray,
        xp.from_dlpack,
        lambda a: xp.asarray(memoryview(a)),
        lambda a: np.asarray(a, like=ag.Value(1.0)),
        lambda a: np.asarray(memoryview(a), like=ag.Value(1.0)),
        lambda a: np.require(a, like=ag.Value(1.0)),
    ):
        x, numbers = ag.Value([1.0, 2.0]), np.array([3.0, 4.0])
        y = xp.sum(x * made(numbers))
        numbers[0] = 100.0
        y.backward()
        assert x.grad.tolist() == [3.0, 4.0]
    with pytest.raises(ag.ArgumentValueError, match=r"leave copy out$"):
        xp.asarray(np.ones(2), copy=False)
    x = ag.Value([1.0])
    assert xp.asarray(x) is x is xp.asarray(x, copy=False) is xp.asarray(x, dtype=xp.float64)
    assert ag.grad(lambda x: xp.sum(xp.asarray([x, x * x])))(3.0) == 7.0


def test_numbers_leave_by_no_other_door() -> None:
    x = ag.Value([1.0, 2.0])
    for take in (np.from_dlpack, xp.from_dlpack):
        with pytest.raises(ag.ArgumentTypeError, match=r"the gradient would be lost|its gradient"):
            take(x)
    assert np.from_dlpack(xp.ones(2)).tolist() == [1.0, 1.0]


def test_transforms_go_through() -> None:
    def loss(x: Any) -> Any:
        xp = x.__array_namespace__()
        y = xp.zeros(3)
        y[1:] = xp.sort(x, descending=True)
        return xp.linalg.vector_norm(y) + xp.sum(xp.where(x > 1, xp.exp(x), xp.asarray(0.5)))

    x = np.array([0.5, 1.5])
    expected = x / np.linalg.norm(x) + [0.0, np.exp(1.5)]
    np.testing.assert_allclose(ag.grad(loss)(x), expected)
    np.testing.assert_allclose(ag.compile(ag.grad(loss))(x), expected)
    np.testing.assert_allclose(ag.vmap(ag.grad(loss))(np.stack([x, x]))[1], expected)
    assert ag.gradcheck(ag.grad(lambda x: xp.sum(xp.cumulative_prod(x) ** 2)), x)


def test_array_api_compat_knows_values() -> None:
    compat = pytest.importorskip("array_api_compat")
    x = ag.Value([1.0, 2.0])
    assert compat.array_namespace(x, xp.ones(2), 1.0) is xp
    assert compat.is_array_api_obj(x) and not compat.is_numpy_array(x)
    assert (compat.device(x), compat.size(x), compat.to_device(x, "cpu")) == ("cpu", 2, x)


@pytest.mark.parametrize("library", ["scipy", "sklearn"])
def test_libraries_of_the_standard_run_on_values(library: str) -> None:
    """In another process, as SciPy asks for the standard when it is imported."""
    pytest.importorskip(library, minversion={"scipy": "1.17", "sklearn": "1.8"}[library])
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.engine.array_api_consumers", library],
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        cwd=Path(__file__).parents[2],
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
