"""Numbers, which nothing is a view of, and arrays without axes, which are written as others are.

Each way to look at one or to write it is NumPy's, or an error; so it is for each sample of
`vmap`, where both are samples without axes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

X = np.array([0.3, 0.7, 1.2, 0.5])

MADE: dict[str, Callable[[Any], Any]] = {
    "sum": np.sum,
    "element": lambda x: x[1],
    "array": lambda x: np.copy(x[1]),
    "array of all": lambda x: np.sum(x)[...],
    "view": lambda x: x[1, ...],
}

LOOKED_AT: dict[str, Callable[[Any], Any]] = {
    "itself": lambda s: s,
    "[...]": lambda s: s[...],
    "[None]": lambda s: s[None],
    "[()]": lambda s: s[()],
    "reshape": lambda s: np.reshape(s, (1, 1)),
    "reshape to none": lambda s: np.reshape(s, ()),
    "ravel": np.ravel,
    "x.ravel": lambda s: s.ravel(),
    "x.flatten": lambda s: s.flatten(),
    "atleast_1d": np.atleast_1d,
    "T": lambda s: s.T,
    "transpose": np.transpose,
    "expand_dims": lambda s: np.expand_dims(s, 0),
    "real": np.real,
    "x.real": lambda s: s.real,
    "squeeze": np.squeeze,
    "x.squeeze": lambda s: s.squeeze(),
    "flat": lambda s: s.flat,
    "conj": lambda s: s.conj(),
    "+": lambda s: +s,
    "astype": lambda s: s.astype(float, copy=False),
    "nan_to_num": lambda s: np.nan_to_num(s, copy=False),
}

WRITTEN: dict[str, Callable[[Any], Any]] = {
    "[...] =": lambda s: s.__setitem__(..., 7.0),
    "copyto": lambda s: np.copyto(s, 7.0),
    "put": lambda s: np.put(s, 0, 7.0),
    "x.put": lambda s: s.put(0, 7.0),
    "place": lambda s: np.place(s, True, [7.0]),
    "putmask": lambda s: np.putmask(s, True, 7.0),
    "fill": lambda s: s.fill(7.0),
    "add.at": lambda s: np.add.at(s, (), 7.0),
    "out": lambda s: np.add(s, 7.0, out=s),
    "flat =": lambda s: setattr(s, "flat", 7.0),
    "real =": lambda s: setattr(s, "real", 7.0),
}


def after(make: Any, look: Any, write: Any) -> Any:
    def function(x: Any) -> Any:
        x = x * 1.0
        s = make(x)
        write(look(s))
        return s * x

    return function


def result_of(call: Any, *args: Any) -> Any:
    """What is returned; None where that is refused."""
    try:
        return call(*args)
    except Exception:
        return None


@pytest.mark.filterwarnings("ignore::autograd_lite.AutogradWarning")
@pytest.mark.parametrize("how", LOOKED_AT)
@pytest.mark.parametrize("what", MADE)
def test_what_is_written_through_is_what_numpy_writes(what: str, how: str) -> None:
    for write in WRITTEN.values():
        function = after(MADE[what], LOOKED_AT[how], write)
        wanted = result_of(function, X)
        eager = result_of(lambda: ag.vjp(function, X)[0])  # noqa: B023
        mapped = result_of(ag.vmap(function), np.stack([X, X]))
        if wanted is None:
            continue  # NumPy refuses it, by errors of several kinds
        if eager is not None:
            np.testing.assert_array_equal(eager, wanted)
        if mapped is not None:
            np.testing.assert_array_equal(mapped, [wanted, wanted])


@pytest.mark.filterwarnings("ignore::autograd_lite.AutogradWarning")
def test_arrays_without_axes_are_written_under_vmap() -> None:
    for name, write in WRITTEN.items():
        mapped = ag.vmap(after(MADE["array"], LOOKED_AT["itself"], write))(np.stack([X, X]))
        np.testing.assert_array_equal(mapped, np.tile(X * (7.7 if name in SUMS else 7.0), (2, 1)))


SUMS = {"add.at", "out"}


@pytest.mark.parametrize("write", ["flat =", "add.at", "copyto", "put"])
def test_a_number_is_not_written_in_silence(write: str) -> None:
    with pytest.raises(ag.AutogradError, match=r"write y = \.\.\. with the result that is"):
        ag.vjp(after(np.sum, LOOKED_AT["itself"], WRITTEN[write]), X)


@pytest.mark.parametrize("part", [slice(None), 0])
def test_ag_array_is_a_copy_that_can_be_written_as_that_of_numpy(part: Any) -> None:
    def f(x: Any) -> Any:
        y = ag.array(x[part])
        same = y
        y += 3.0
        return np.sum(x**2) + np.sum(same * x)

    x = np.array([1.0, 2.0, 4.0])
    y = np.array(x[part]) + 3.0
    right = 2 * x + np.eye(3)[0] * x.sum() + y if part == 0 else 4 * x + 3.0
    value, gradient = ag.value_and_grad(f)(x)
    assert value == f(x) == np.sum(x**2) + np.sum(y * x)
    assert gradient.tolist() == right.tolist()
    leaf = ag.Value(x)
    assert ag.array(leaf) is not leaf
    assert ag.array(x) is not x
    assert ag.array(leaf, float) is not leaf
