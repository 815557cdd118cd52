"""A Value has the methods of arrays; each is the function of its name, value and gradient."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value
from autograd_lite.core.tree import flatten

MASK = np.array([[True, False, True], [True, True, False]])
AXES: list[dict[str, Any]] = [{}, {"axis": 1}, {"axis": -1, "keepdims": True}]

CALLS: dict[str, list[dict[str, Any]]] = {
    "all": [*AXES, {"where": MASK}],
    "any": [*AXES, {"where": MASK}],
    "argmax": AXES,
    "argmin": AXES,
    "argpartition": [{"args": (1,)}, {"args": (1, 0)}, {"args": (2,), "kind": "introselect"}],
    "argsort": [{}, {"axis": 0}, {"axis": None}, {"kind": "stable"}, {"stable": True}],
    "astype": [
        {"args": (np.float32,)},
        {"args": (complex,), "casting": "safe", "copy": False, "order": "C", "subok": False},
    ],
    "clip": [{"args": (-0.5, 0.5)}, {"min": 0.0}, {"max": 0.0}, {"args": (None, 0.3)}],
    "compress": [{"args": ([True, False],), "axis": 0}, {"args": ([0, 1, 0, 1],)}],
    "conj": [{}],
    "conjugate": [{}],
    "copy": [{}, {"order": "F"}],
    "cumprod": [{}, {"axis": 0}, {"args": (1, np.float64)}],
    "cumsum": [{}, {"axis": 0}, {"dtype": np.float64, "axis": -1}],
    "diagonal": [{}, {"offset": 1}, {"args": (0, 1, 0)}],
    "dot": [{"args": (np.arange(6.0).reshape(3, 2),)}, {"args": (2.0,)}],
    "flatten": [{}, {"order": "F"}, {"args": ("C",)}],
    "max": [*AXES, {"axis": 0, "where": MASK, "initial": -9.0}],
    "mean": [*AXES, {"axis": 0, "where": MASK}, {"dtype": np.float64}],
    "min": [*AXES, {"axis": 0, "where": MASK, "initial": 9.0}],
    "nonzero": [{}],
    "prod": [*AXES, {"axis": 0, "where": MASK, "initial": 2.0, "dtype": np.float64}],
    "ravel": [{}, {"order": "F"}, {"order": "K"}],
    "repeat": [{"args": (2,)}, {"args": ([1, 2], 0)}, {"args": (2,), "axis": -1}],
    "reshape": [
        {"args": (3, 2)},
        {"args": ((3, 2),)},
        {"args": (-1,), "order": "F"},
        {"args": (6,), "copy": True},
    ],
    "round": [{}, {"decimals": 1}, {"args": (2,)}],
    "searchsorted": [],
    "squeeze": [{}],
    "std": [*AXES, {"ddof": 1, "axis": 0}, {"where": MASK, "dtype": np.float64}],
    "sum": [
        *AXES,
        {"dtype": np.float64},
        {"where": MASK, "initial": 3.0, "axis": 0},
        {"args": (0, np.float64, None)},
    ],
    "swapaxes": [{"args": (0, 1)}],
    "take": [
        {"args": ([0, 2, 2],), "axis": 1},
        {"args": ([0, 5],)},
        {"args": ([7, -1],), "mode": "wrap"},
        {"args": ([9], None, None, "clip")},
    ],
    "trace": [{}, {"offset": 1}, {"args": (0, 1, 0, np.float64)}],
    "transpose": [{}, {"args": (1, 0)}, {"args": ((0, 1),)}, {"args": (None,)}],
    "var": [*AXES, {"ddof": 1, "axis": 0}, {"where": MASK}],
    "choose": [],
    "ptp": [],
    "item": [],
    "to_device": [],
    "tolist": [],
}
"""How each method is called on an array of two rows of three; the empty ones have own tests."""

ARRAY = np.array([[0.5, -1.25, 2.0], [-0.75, 0.25, 1.5]])

IN_PLACE = {"byteswap", "fill", "partition", "put", "resize", "setfield", "setflags", "sort"}
GONE = {"itemset", "newbyteorder", "tostring"}
"""What NumPy 2 has taken away, or is about to."""
NUMBERS_ALONE = {
    "base", "ctypes", "dump", "dumps", "flags", "getfield", "strides", "tobytes", "tofile", "view",
}  # fmt: skip
"""What is about memory and files, and no gradient passes through."""

ATTRIBUTES = {
    "T", "data", "device", "dtype", "flat", "imag", "itemsize", "mT", "nbytes", "ndim", "real",
    "shape", "size",
}  # fmt: skip

NOT_OF_VALUES = {
    # NumPy and others would take the memory, and the gradient would be lost.
    "__array_finalize__", "__array_interface__", "__array_priority__", "__array_struct__",
    "__array_wrap__", "__buffer__",
    # In place; Python falls back to the operator itself where they are missing.
    "__delitem__", "__iadd__", "__iand__", "__ifloordiv__", "__ilshift__", "__imatmul__",
    "__imod__", "__imul__", "__ior__", "__ipow__", "__irshift__", "__isub__", "__itruediv__",
    "__ixor__",
    # Of integers, which a Value does not hold.
    "__lshift__", "__rlshift__", "__rrshift__", "__rshift__",
    # Copies and pickles of a Value are made by __reduce__.
    "__copy__", "__deepcopy__", "__setstate__",
    "__class_getitem__",
}  # fmt: skip


def test_every_attribute_of_arrays_is_there_or_accounted_for() -> None:
    known = set(CALLS) | ATTRIBUTES | IN_PLACE | NUMBERS_ALONE | NOT_OF_VALUES
    for name in dir(np.ndarray):
        is_numpys_own = name.startswith("_") and not name.startswith("__")
        if is_numpys_own:
            continue
        if not hasattr(Value, name):
            assert name in IN_PLACE | NUMBERS_ALONE | NOT_OF_VALUES | GONE, name
        elif not name.startswith("__"):
            assert name in known, name


@pytest.mark.parametrize("name", sorted(NUMBERS_ALONE))
def test_what_is_about_memory_is_refused_by_name(name: str) -> None:
    x = Value(ARRAY)
    assert not hasattr(x, name)
    with pytest.raises(ag.MissingAttributeError) as caught:
        getattr(x, name)
    instead = (
        "x[...], x.astype(dtype) for the numbers in another dtype, or x.data.view(dtype)"
        if name == "view"
        else f"x.data.{name}, which no gradient passes through"
    )
    assert str(caught.value) == f"a Value does not have the array's {name!r}; write {instead}"
    with pytest.raises(AttributeError, match="'Value' object has no attribute 'nonsense'"):
        x.nonsense  # noqa: B018


def results_and_gradients(leaf: Any, result: Any) -> list[Any]:
    """What a call gave, and the gradient of its results weighted by their places."""
    parts = flatten(result)
    for part in parts:
        if getattr(part, "requires_grad", False):
            part.backward(np.arange(1.0, part.size + 1).reshape(part.shape).astype(part.dtype))
    return [getattr(part, "data", part) for part in parts] + [leaf.grad]


EVERY_CALL = [(name, call) for name, calls in CALLS.items() for call in calls]


@pytest.mark.parametrize(("name", "call"), EVERY_CALL, ids=lambda x: str(x).replace("\n", ""))
def test_a_method_is_that_of_arrays_and_has_the_functions_gradient(
    name: str, call: dict[str, Any]
) -> None:
    arguments = dict(call)
    args = arguments.pop("args", ())
    expected = flatten(getattr(ARRAY, name)(*args, **arguments))
    x = Value(ARRAY)
    found = results_and_gradients(x, getattr(x, name)(*args, **arguments))
    for mine, theirs in zip(found, expected, strict=False):
        assert np.asarray(mine).dtype == np.asarray(theirs).dtype
        np.testing.assert_array_equal(mine, theirs)
    # The function, which takes shapes as one tuple, and the condition of compress first.
    function = getattr(np, {"flatten": "ravel"}.get(name, name))
    y = Value(ARRAY)
    if name in ("reshape", "transpose"):
        args = (args[0],) if len(args) == 1 else (args,) if args else ()
    if name == "astype":
        arguments = {"copy": arguments.get("copy", True)}
    operands = (args[0], y, *args[1:]) if name == "compress" else (y, *args)
    for mine, theirs in zip(
        found, results_and_gradients(y, function(*operands, **arguments)), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(("name", "call"), EVERY_CALL, ids=lambda x: str(x).replace("\n", ""))
def test_a_method_is_the_same_in_a_compiled_function(name: str, call: dict[str, Any]) -> None:
    arguments = dict(call)
    args = arguments.pop("args", ())

    def of_rows(x: Any) -> Any:
        return getattr(x, name)(*args, **arguments)

    if name == "nonzero":
        with pytest.raises(ag.CompileError):  # how much it gives depends on numbers
            ag.compile(of_rows)(ARRAY)
        return
    found, expected = flatten(ag.compile(of_rows)(ARRAY)), flatten(of_rows(ARRAY))
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_methods_that_read_a_value_as_places() -> None:
    edges, x = Value([0.0, 1.0, 2.0]), np.array([0.5, 1.0])
    assert edges.searchsorted(x).data.tolist() == [1, 1]
    assert edges.searchsorted(Value(x), side="right", sorter=[0, 1, 2]).data.tolist() == [1, 2]
    assert Value([3.5, 1.0]).ptp().data == 2.5
    assert Value([[3.5, 1.0]]).ptp(axis=1, keepdims=True).data.tolist() == [[2.5]]
    with pytest.raises(TypeError):
        np.array([0.0, 1.0]).choose([x, x])
    with pytest.raises(TypeError):
        Value([0.0, 1.0]).choose([x, x])


def test_choices_are_listed_or_come_one_by_one() -> None:
    """NumPy's method takes no array to write into by position."""
    places, x = np.array([0, 1, 1]), np.array([0.5, 1.5, 2.5])
    for call in (
        lambda i, x: i.choose(x, 2 * x),
        lambda i, x: i.choose(x, 2 * x, 3 * x),
        lambda i, x: i.choose([x, 2 * x]),
        lambda i, x: (i + 2).choose(x, 2 * x, mode="wrap"),
    ):
        expected = call(places, x)
        result = call(Value(places).astype(int), Value(x))
        assert result.data.tolist() == expected.tolist()
        assert ag.vjp(lambda x: call(places_of(x), x), x)[0].tolist() == expected.tolist()  # noqa: B023


def places_of(x: Any) -> Any:
    return np.minimum(np.floor(x), 1.0).astype(int)


def test_attributes_are_those_of_the_array() -> None:
    for array in (ARRAY, np.float32(2.0), ARRAY.T[::2]):
        x = Value(array)
        for name in ATTRIBUTES - {"data", "flat", "mT", "real", "imag", "T"}:
            assert getattr(x, name) == getattr(array, name), name
    x = Value(ARRAY.T)
    assert [float(part) for part in x.flat] == list(ARRAY.T.flat)
    x.flat[1].backward()
    np.testing.assert_array_equal(x.grad, [[0, 1], [0, 0], [0, 0]])


# Called wrongly.

ODD: tuple[Any, ...] = (
    None, -1, 0, 1, 2.5, "x", b"x", (), (0,), [1, 0], True, 1j, {}, object(), slice(1), ...,
    np.float64(2.0), np.array([0, 1]),
)  # fmt: skip
KEYWORDS = (
    "axis", "casting", "copy", "ddof", "decimals", "dtype", "initial", "keepdims", "kind", "max",
    "mean", "min", "mode", "nonsense", "offset", "order", "side", "stable", "subok", "where",
)  # fmt: skip

WRITTEN_ELSEWHERE = {"dump", "dumps", "tofile", "resize", "setflags", "setfield", "byteswap"}
"""Into files, or into memory whatever it holds."""

TAKEN = {
    ("repeat", True): "an axis that is True",
}
"""What is taken though NumPy refuses it: by the method and an odd argument, and why."""

OF_PYTHON = re.compile(r"positional argument|unexpected keyword|required positional|<locals>")
"""What Python says of a call that does not fit a function: of ours, nobody knows that one."""


def wrong_calls() -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    yield from (((x,), {}) for x in ODD)
    yield from (((0, x), {}) for x in ODD)
    yield from (((x, 0), {}) for x in ODD)
    yield from (((0,) * count, {}) for count in range(9))
    yield from (((), {name: x}) for name in KEYWORDS for x in (None, 0, "x", (), 2.5))
    yield from (((0,), {name: x}) for name in KEYWORDS for x in (None, "x"))


def outcome(x: Any, name: str, args: Any, kwargs: Any) -> Any:
    try:
        return getattr(x, name)(*args, **kwargs)
    except Exception as error:
        return error


def fault_of_call(array: Any, name: str, args: Any, kwargs: Any) -> str | None:
    theirs = outcome(array.copy(), name, args, kwargs)
    ours = outcome(Value(array) * 1, name, args, kwargs)
    if isinstance(ours, ag.AutogradError) or any((name, x) in TAKEN for x in map(simple, args)):
        return None
    if not isinstance(ours, Exception):
        return f"taken, and NumPy says {theirs!r}" if isinstance(theirs, Exception) else None
    if not isinstance(theirs, Exception):
        return f"{ours!r}, and NumPy computes it"
    is_numpys = isinstance(ours, (TypeError, ValueError, IndexError))
    return None if is_numpys and not OF_PYTHON.search(str(ours)) else repr(ours)


def simple(x: Any) -> Any:
    return x if isinstance(x, bool) else None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(set(CALLS) - {"ptp"} | IN_PLACE - WRITTEN_ELSEWHERE))
def test_a_method_called_wrongly_is_refused_as_numpys_is_or_by_name(name: str) -> None:
    for array in (ARRAY, ARRAY[0].copy(), np.array(2.0)):
        for args, kwargs in wrong_calls():
            fault = fault_of_call(array, name, args, kwargs)
            assert fault is None, f"x.{name}({args}, {kwargs}) of shape {array.shape}: {fault}"


def said(error: type[Exception], call: Any) -> str:
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


def test_a_wrong_call_is_told_how_to_call() -> None:
    x = Value(ARRAY)
    assert said(ag.ArgumentTypeError, lambda: x.squeeze(0, 1)) == (
        "np.squeeze was given 3 arguments in the place of 2; write np.squeeze(a, axis=None)"
    )
    assert said(ag.ArgumentTypeError, lambda: x.diagonal(nonsense=1)) == (
        "np.diagonal was given 'nonsense', which it does not know; "
        "write np.diagonal(a, offset=0, axis1=0, axis2=1)"
    )
    assert said(ag.ArgumentTypeError, lambda: x.swapaxes(0)) == (
        "np.swapaxes was given no argument 'axis2'; write np.swapaxes(a, axis1, axis2)"
    )
    assert said(ag.ArgumentTypeError, lambda: x.flatten("C", 1)) == (
        "x.flatten() takes from 1 to 2 positional arguments but 3 were given; "
        "write x.flatten(order='C')"
    )
    assert said(ag.ArgumentTypeError, lambda: pow(x, 2, 3)) == (
        "pow(x, y, m) of Values and of arrays takes no modulus; write x**y % m"
    )
    with pytest.raises(ag.ArgumentValueError, match=r"write x = np\.delete\(x, i\)"):
        del x[0]
    with pytest.raises(ag.ArgumentValueError, match=r"write x\[\.\.\.\] = v for several"):
        (x * 1).fill([1.0])
    with pytest.raises(ag.ArgumentTypeError, match=r"write x\.reshape\(\(\)\)"):
        Value(np.array(2.0)).reshape()


def test_a_cast_lays_out_its_elements_as_it_was_told() -> None:
    for array in (ARRAY, ARRAY.T):
        for order in ("K", "C", "F", "A"):
            theirs = array.astype(np.float32, order=order).ravel("K")
            ours = Value(array).astype(np.float32, order=order).ravel("K")
            np.testing.assert_array_equal(ours.data, theirs)


def test_methods_refuse_what_their_functions_refuse() -> None:
    x = Value(ARRAY)
    with pytest.raises(
        ag.InPlaceError, match=r"np\.sum\(out=\) cannot write a Value into a plain array"
    ):
        x.sum(out=np.zeros(()))
    with pytest.raises(ag.ArgumentTypeError, match="casting='safe'"):
        x.astype(np.float32, casting="safe")
    with pytest.raises(TypeError):
        x.sum(nonsense=1)


def test_methods_say_what_they_are() -> None:
    assert inspect.getdoc(Value.sum) == "``np.sum`` of this Value, with its arguments."
    assert Value.cumprod.__qualname__ == "Value.cumprod"


def test_a_value_is_clipped_by_one_bound_as_an_array_is() -> None:
    x = np.array([-1.0, 0.5, 2.0])
    for call in (lambda x: x.clip(0), lambda x: x.clip(max=1), lambda x: x.clip(0, out=None)):
        assert call(Value(x)).data.tolist() == call(x).tolist()
    assert ag.grad(lambda x: np.sum(x.clip(0.0)))(x).tolist() == [0.0, 1.0, 1.0]
