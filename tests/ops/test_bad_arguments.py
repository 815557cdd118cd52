"""Arguments as people get them wrong: NumPy's value, or an error, and no other number.

Calls of the table of cases are taken apart, and one argument at a time is exchanged for
others.  What NumPy refuses is refused; what it computes is computed, or refused by name.

Set AUTOGRAD_LITE_NIGHTLY to try all of them instead of a sample.
"""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value
from autograd_lite.core.primitive import registry
from autograd_lite.core.tree import flatten
from tests.ops.cases import CASES
from tests.ops.cases.case import Case

IS_NIGHTLY = bool(os.environ.get("AUTOGRAD_LITE_NIGHTLY"))
STEP = 1 if IS_NIGHTLY else 11

Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


EXCEPT = {
    np.empty, np.empty_like, np.may_share_memory, np.frombuffer, np.fromfile,
    np.save, np.savez, np.savez_compressed, np.savetxt, np.loadtxt, np.genfromtxt,
    (np.power, "reduce"), (np.power, "reduceat"), (np.arctan2, "reduce"), (np.arctan2, "reduceat"),
}  # fmt: skip
"""Memory as it was found or is looked at, files, and ufuncs whose reductions skip elements."""


def is_tried(case: Case) -> bool:
    key = case.function
    if key in EXCEPT:
        return False
    if isinstance(key, tuple):
        return key[1] != "__call__"
    return callable(key) and key in registry and not isinstance(key, np.ufunc)


TRIED = [case for case in CASES if is_tried(case)]


def call_of(case: Case) -> Call | None:
    """How a case calls its function: its arguments as they reach a Value."""
    found: list[Call] = []
    of_functions, of_ufuncs = Value.__array_function__, Value.__array_ufunc__

    def function(self: Any, called: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if called is case.function:
            found.append((called, args, kwargs))
        return of_functions(self, called, types, args, kwargs)

    def ufunc(self: Any, called: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        if (called, method) == case.function:
            found.append((getattr(called, method), args, kwargs))
        return of_ufuncs(self, called, method, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Value, "__array_function__", function)
        patch.setattr(Value, "__array_ufunc__", ufunc)
        case.call(*map(Value, case.draw()))
    return found[0] if found else None


# What an argument is exchanged for.


def others(x: Any) -> Iterator[Any]:
    """Others in the place of an argument."""
    if isinstance(x, Value):
        yield from map(value_of, arrays_beside(x.data))
        yield value_of(as_integers(x.data))
        yield x != 0
    elif isinstance(x, np.ndarray):
        yield from arrays_beside(x)
        yield from (x.tolist(), as_integers(x), x != 0)
    elif isinstance(x, (list, tuple)):
        yield from ((), [], tuple(x), list(x), x[:1], x * 2)
        if x:
            yield x[0]
            for other in others(x[0]):
                if not isinstance(other, str):
                    yield type(x)((other, *x[1:]))
    elif isinstance(x, str):
        yield from ("nonsense", None, 1)
    elif isinstance(x, bool):
        yield from (not x, 2, None)
    elif callable(x):
        return
    else:
        yield from PLAIN


def value_of(x: Any) -> Any:
    """A Value of this dtype, integers and booleans too."""
    x = np.asarray(x)
    return Value(x) if x.dtype.kind in "fc" else np.astype(Value(x.astype(float)), x.dtype)


def as_integers(x: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.real(x).astype(int)


def arrays_beside(x: Any) -> Iterator[Any]:
    x = np.asarray(x)
    yield x.ravel()
    yield x[None]
    yield x[..., None]
    yield x[:0] if x.ndim else x.reshape(1)[:0]
    yield x.ravel()[0].reshape(()) if x.size else np.float64(1)
    yield np.zeros_like(x)
    if x.ndim:
        yield from (x[:1], x[:, :1] if x.ndim > 1 else x[:2], x[..., :0])
        yield x[0] if len(x) else x[None]
    yield x.astype(np.complex64 if np.iscomplexobj(x) else np.float32)
    yield x.astype(x.dtype.newbyteorder())


PLAIN: tuple[Any, ...] = (
    -1, 0, 1, 2, 3, 7, 2.0, 2.5, None, (), (0,), [0], [1, 0], (0, 1), "nonsense",
    np.argmax(Value([0.0, 1.0])), [np.argmax(Value([0.0, 1.0]))], np.int64(1), np.inf,
)  # fmt: skip


NUMBERS = (-1, 0, 1, 2, 7, 2.5, 0.01)

PLAIN_OF = {
    "dtype": ("float32", "nonsense"),
    **dict.fromkeys(("correction", "ddof", "rcond", "scale"), NUMBERS),
}

NOT_TRIED = {"out", "like", "device", "func", "func1d", "funclist"}


def variants(call: Call) -> Iterator[Call]:
    function, args, kwargs = call
    named = dict(kwargs)
    try:
        signature = inspect.signature(function)
        given = signature.bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        given, signature = {}, inspect.Signature()
    names = list(signature.parameters)
    for place, x in enumerate(args):
        for other in PLAIN_OF.get(names[place] if place < len(names) else "") or others(x):
            yield function, (*args[:place], other, *args[place + 1 :]), kwargs
    for name, p in signature.parameters.items():
        if p.default is not p.empty and name not in given:
            named[name] = p.default
    for name, x in named.items():
        if name in NOT_TRIED:
            continue
        for other in PLAIN_OF.get(name) or others(x):
            yield function, args, {**kwargs, name: other}


# What comes of it.


def plain(x: Any) -> Any:
    if isinstance(x, Value):
        return x.data.copy() if isinstance(x.data, np.ndarray) else x.data
    if isinstance(x, np.ndarray):
        return x.copy()
    if isinstance(x, (list, tuple)):
        return type(x)(map(plain, x)) if not hasattr(x, "_fields") else type(x)(*map(plain, x))
    if isinstance(x, dict):
        return {name: plain(item) for name, item in x.items()}
    return x


def values_in(x: Any) -> list[Value]:
    return [leaf for leaf in flatten(x) if isinstance(leaf, Value)]


def outcome(call: Call) -> Any:
    function, args, kwargs = call
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return function(*args, **kwargs)
        except Exception as error:
            return error


def is_undefined(call: Call, results: list[Any]) -> bool:
    """Whether NumPy leaves memory as it found it, or divides by steps of zero."""
    function, args, kwargs = call
    if function is np.pad:
        return "empty" in (*args[2:], kwargs.get("mode"))
    return function is np.gradient and not all(np.all(np.isfinite(x)) for x in results)


REFUSALS = (ag.AutogradError, np.linalg.LinAlgError)


def fault_of(call: Call) -> str | None:
    """What is wrong with what came of a call of Values; None if nothing is."""
    function, args, kwargs = call
    if not values_in((args, kwargs)):
        return None
    theirs = outcome((function, plain(args), plain(kwargs)))
    ours = outcome(call)
    if isinstance(ours, ag.AutogradError):
        return None
    if isinstance(ours, Exception):
        if isinstance(ours, type(theirs)) or isinstance(theirs, type(ours)):
            return None
        return f"{shown(ours)} in the place of {shown(theirs)}"
    if isinstance(theirs, AttributeError):
        return None  # a slip of NumPy's own
    if isinstance(theirs, Exception):
        return f"{shown(ours)}, and NumPy raises {theirs!r}"
    mine, yours = flatten(plain(ours)), flatten(plain(theirs))
    if is_undefined(call, yours):
        return None
    if len(mine) != len(yours) or not all(map(is_same, mine, yours)):
        return f"{shown(ours)} in the place of {shown(theirs)}"
    for result in values_in(ours):
        if result.requires_grad:
            swept = outcome((result.backward, (np.ones(result.shape, result.dtype),), {}))
            if isinstance(swept, Exception) and not isinstance(swept, REFUSALS):
                return f"the gradient is {swept!r}"
    return None


def is_same(mine: Any, yours: Any) -> bool:
    if not isinstance(yours, (np.ndarray, np.generic, float, int, complex)):
        return type(mine) is type(yours)
    mine, yours = np.asarray(mine), np.asarray(yours)
    if mine.shape != yours.shape or mine.dtype != yours.dtype:
        return False
    if yours.dtype.kind not in "fc":
        return bool(np.array_equal(mine, yours))
    with np.errstate(all="ignore"):
        scale = np.finfo(yours.dtype).eps * 1e3
        return bool(np.allclose(mine, yours, rtol=scale, atol=scale, equal_nan=True))


def described(call: Call) -> str:
    function, args, kwargs = call
    name = getattr(function, "__qualname__", function)
    return f"{name}({shown(args)}, {shown(kwargs)})"


def shown(x: Any) -> str:
    """An argument or result in short: of arrays, what they are and their shape."""
    if isinstance(x, dict):
        return "{" + ", ".join(f"{name}={shown(item)}" for name, item in x.items()) + "}"
    if isinstance(x, (list, tuple)):
        return f"{type(x).__name__}({', '.join(map(shown, x))})"
    if isinstance(x, (Value, np.ndarray)) and x.size > 4:
        return f"{type(x).__name__} {x.dtype}{list(x.shape)}"
    if isinstance(x, (Value, np.ndarray)):
        return f"{type(x).__name__} {x.dtype} {np.asarray(plain(x)).tolist()}"
    return repr(x)


def faults(step: int = 1, offset: int = 0) -> Iterator[tuple[str, str]]:
    calls = (v for case in TRIED if (call := call_of(case)) is not None for v in variants(call))
    for number, call in enumerate(calls):
        if number % step == offset % step:
            fault = fault_of(call)
            if fault is not None:
                yield described(call), fault


# Keywords of ufuncs, which are all the same.

UFUNCS = {x: None for x in registry if isinstance(x, np.ufunc)}

ODD: tuple[Any, ...] = (
    None, 0, 2.5, "x", "no", "unsafe", "C", "?", int, (0,), [1, 0], np.array([0, 1]), True, b"a",
    {}, np.float64(2.0),
)  # fmt: skip

KEYWORDS = ("casting", "where", "dtype", "order", "subok", "signature", "axis", "nonsense")

TRUE_AXIS = "an integer is required"
"""What NumPy says of an axis that is True, which is 1 here."""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", KEYWORDS)
def test_a_keyword_of_a_ufunc_means_what_numpy_means_by_it(name: str) -> None:
    x = np.array([[0.5, 0.25], [0.75, 0.5]])
    for ufunc in UFUNCS:
        args = (x, x.T, x)[: ufunc.nin]
        for odd in ODD:
            call: Call = (ufunc, tuple(map(Value, args)), {name: odd})
            if name == "where" and not isinstance(outcome((ufunc, args, {name: odd})), Exception):
                # What NumPy leaves as it finds it, where the mask is false, is 0 here.
                ours = outcome(call)
                fault = repr(ours) if isinstance(ours, Exception) else None
                fault = None if isinstance(ours, ag.AutogradError) else fault
            else:
                fault = fault_of(call)
            is_known = fault is not None and TRUE_AXIS in fault
            assert fault is None or is_known, f"np.{ufunc.__name__}({name}={odd!r}): {fault}"


def test_a_wrong_argument_means_what_numpy_means_by_it() -> None:
    found = [f"{call}: {fault}" for call, fault in faults(STEP)]
    assert not found, "\n".join(found[:20])
