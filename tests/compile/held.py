"""What holds of a compiled function: the numbers of the function itself, or a refusal."""

from __future__ import annotations

import copy
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite.core import tree

__all__ = ["X", "check_held", "is_same", "load"]

X = np.array([1.0, 2.0, 3.0])

Made = Callable[..., Any] | tuple[Callable[..., Any], Callable[[int], None]]


def check_held(
    make: Callable[[], Made],
    *calls: tuple[Any, ...],
    times: int = 9,
    refused_from: int = 1,
    **options: Any,
) -> str:
    """Call a compiled function as often as that, beside the function itself on plain arrays.

    ``make`` returns the function; or a pair with a function that is told the number of each call
    before it is made, and may change what the function reads.  Each side gets its own.  The
    arguments of a call are those of ``calls`` in turn; before call ``refused_from`` nothing may
    be refused.  Returns "computed", or the refusal.
    """
    function, change = parts(make())
    reference, change_reference = parts(make())
    compiled = ag.compile(function, **options)
    for number in range(1, times + 1):
        args = calls[(number - 1) % len(calls)]
        change(number)
        change_reference(number)
        expected = outcome(reference, args)
        found = outcome(compiled, args)
        if isinstance(found, ag.AutogradError):
            assert number >= refused_from, f"call {number}: {found}"
            return str(found)
        if isinstance(expected, Exception):
            assert isinstance(found, type(expected)), f"call {number}: {found!r}, not {expected!r}"
        else:
            assert is_same(found, expected), f"call {number}: {found!r}, right is {expected!r}"
    return "computed"


def parts(made: Made) -> tuple[Callable[..., Any], Callable[[int], None]]:
    return made if isinstance(made, tuple) else (made, lambda number: None)


def outcome(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """What a function returns for copies of these arguments, or what it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return plain(function(*copy.deepcopy(args)))
        except Exception as error:
            return error


def plain(result: Any) -> Any:
    return tree.map(lambda x: x.data if isinstance(x, ag.Value) else x, result)


def is_same(found: Any, expected: Any) -> bool:
    """The same nesting, shapes, kinds of numbers, signs of zeros; numbers to rounding."""
    if isinstance(found, Exception | ag.Value):
        return False
    leaves, others = tree.flatten(found), tree.flatten(expected)
    if type(found) is not type(expected) and not (np.isscalar(found) and np.isscalar(expected)):
        return False
    return len(leaves) == len(others) and all(map(is_same_leaf, leaves, others))


def is_same_leaf(x: Any, y: Any) -> bool:
    if not isinstance(y, np.ndarray | np.generic | float | complex):
        return type(x) is type(y) and bool(x == y)
    if not isinstance(x, np.ndarray | np.generic | float | complex | int):
        return False
    x, y = np.asarray(x), np.asarray(y)
    if x.shape != y.shape or x.dtype != y.dtype:
        return False
    if y.dtype.kind not in "fc":
        return bool(np.array_equal(x, y))
    tolerance = 1e-3 if y.dtype.itemsize // (1 + (y.dtype.kind == "c")) == 2 else 1e-6
    tolerance = 1e-11 if y.dtype in (np.float64, np.complex128) else tolerance
    same_sign = all(
        np.array_equal(np.signbit(part(x))[part(y) == 0], np.signbit(part(y))[part(y) == 0])
        for part in (np.real, np.imag)
    )
    return same_sign and bool(
        np.allclose(x, y, rtol=tolerance, atol=0.1 * tolerance, equal_nan=True)
    )


def load(path):
    """The function of a saved module: the last one in it."""
    text, names = path.read_text(encoding="utf-8"), {}
    exec(compile(text, str(path), "exec"), names)
    return names[re.findall(r"^def (\w+)\(", text, re.M)[-1]]
