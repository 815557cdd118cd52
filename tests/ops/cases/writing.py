"""Cases of functions that write in place, and of those that make arrays to write into."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from autograd_lite.core.primitive import registry
from tests.ops.cases.case import Case, complex_numbers, nonzero, positive, real, row

MASK = np.array([[True, False, True], [False, False, True]])


def writes(write: Callable[..., Any]) -> Callable[..., Any]:
    """What an array holds after a write into a copy of it."""

    def call(x: Any, *others: Any) -> Any:
        y = np.copy(x)
        write(y, *others)
        return y * np.sin(x)

    return call


def fills(make: Callable[[Any], Any]) -> Callable[..., Any]:
    """An array made like another one, and filled."""

    def call(x: Any) -> Any:
        y = make(x)
        y[:2] = x[:2] ** 2
        y[0] *= x[1]
        return y

    return call


def internal(name: str, *operands: Any) -> Callable[..., Any]:
    def call(*inputs: Any) -> Any:
        return registry[name](*inputs, *operands)

    return call


ROWS: list[Case] = [
    row(np.put, real(2, 3), real(2), call=writes(lambda y, v: np.put(y, [0, -1], v))),
    row(np.put, real(2, 3), real(), label="wrapped, one for all",
        call=writes(lambda y, v: np.put(y, [0, 8, 0], v, mode="wrap"))),
    row(np.put, real(4), real(3), label="repeated, the last counts",
        call=writes(lambda y, v: np.put(y, [1, 2, 1], v))),
    row(np.place, real(2, 3), real(2), call=writes(lambda y, v: np.place(y, MASK, v))),
    row(np.putmask, real(2, 3), real(2, 3), call=writes(lambda y, v: np.putmask(y, MASK, v))),
    row(np.putmask, real(2, 3), real(2), label="repeated",
        call=writes(lambda y, v: np.putmask(y, MASK, v))),
    row(np.copyto, real(2, 3), real(3), call=writes(np.copyto)),
    row(np.copyto, real(2, 3), real(), label="where",
        call=writes(lambda y, v: np.copyto(y, v, where=MASK))),
    row(np.fill_diagonal, real(3, 3), real(), call=writes(np.fill_diagonal)),
    row(np.fill_diagonal, real(5, 2), real(2), label="wrap",
        call=writes(lambda y, v: np.fill_diagonal(y, v, wrap=True))),
    row(np.put_along_axis, real(2, 3), real(2, 1),
        call=writes(lambda y, v: np.put_along_axis(y, np.array([[0], [2]]), v, 1))),
    row("at.put", real(2, 3), real(2), call=internal("at.put", np.array([4, 0]))),
    row("at.real", complex_numbers(3), real(3), call=internal("at.real")),
    row("at.imag", complex_numbers(3), real(3), call=internal("at.imag")),
    row("ufunc.at", real(4), real(3), label="add",
        call=writes(lambda y, v: np.add.at(y, [1, 1, 0], v))),
    row("ufunc.at", real(4), real(2), label="subtract",
        call=writes(lambda y, v: np.subtract.at(y, [1, 1], v))),
    row("ufunc.at", real(4), real(2), label="multiply",
        call=writes(lambda y, v: np.multiply.at(y, [1, 3], v))),
    row("ufunc.masked", real(2, 3), positive(2, 3), label="log",
        call=writes(lambda y, x: np.log(x, where=MASK, out=y))),
    row("ufunc.masked", real(2, 3), real(2, 3), nonzero(3), label="divide",
        call=writes(lambda y, x, v: np.divide(x, v, where=MASK, out=y))),
    row("ufunc.at", positive(4), label="log", call=writes(lambda y: np.log.at(y, [1, 3]))),
    row("identity", real(3), label="own", call=internal("identity"), reference=lambda x: x[:]),
    row("array", real(2), label="nested", call=lambda x: registry["array"]([x, [1.0, 2.0]]),
        reference=lambda x: np.array([x, [1.0, 2.0]])),
    row(np.zeros, real(3), label="filled", call=fills(lambda x: np.zeros(3, like=x))),
    row(np.ones, real(3), label="filled", call=fills(lambda x: np.ones(3, like=x))),
    row(np.empty, real(2), label="filled", call=fills(lambda x: np.empty(2, like=x))),
    row(np.full, real(3), label="filled", call=fills(lambda x: np.full(3, 7.0, like=x))),
    row(np.full, real(3), label="with a Value", call=lambda x: np.full((2, 3), x, like=x)),
    row(np.eye, real(3), label="filled", call=fills(lambda x: np.eye(3, like=x)[2])),
    row(np.identity, real(3), label="filled", call=fills(lambda x: np.identity(3, like=x)[2])),
    row(np.tri, real(3), label="filled", call=fills(lambda x: np.tri(3, like=x)[1])),
    row(np.arange, real(3), label="filled", call=fills(lambda x: np.arange(3.0, like=x))),
    row(np.fromfunction, real(3), label="filled",
        call=fills(lambda x: np.fromfunction(np.sqrt, (3,), like=x))),
    row(np.frombuffer, real(2), label="to read",
        call=lambda x: x * np.frombuffer(np.arange(2.0).tobytes(), like=x)),
    row(np.fromfile, real(2), label="to read",
        call=lambda x: x * np.fromfile(Path(__file__), np.uint8, 2, like=x)),
    row(np.fromiter, real(3), label="filled",
        call=fills(lambda x: np.fromiter(range(3), float, like=x))),
    row(np.fromstring, real(2), label="filled",
        call=fills(lambda x: np.fromstring("1 2", sep=" ", like=x))),
    row(np.genfromtxt, real(2), label="filled",
        call=fills(lambda x: np.genfromtxt(["1 2"], like=x))),
    row(np.loadtxt, real(2), label="filled", call=fills(lambda x: np.loadtxt(["1 2"], like=x))),
    row(np.array, real(2), label="filled", call=fills(lambda x: np.array([1.0, 2.0], like=x))),
    row(np.array, real(2), label="of Values", call=lambda x: np.array([x[0], 1.0, x[1]], like=x)),
    row(np.asarray, real(2), label="filled", call=fills(lambda x: np.asarray([1.0, 2.0], like=x))),
    row(np.asanyarray, real(2), label="filled",
        call=fills(lambda x: np.asanyarray([1.0, 2.0], like=x))),
    row(np.ascontiguousarray, real(2), label="filled",
        call=fills(lambda x: np.ascontiguousarray([1.0, 2.0], like=x))),
    row(np.asfortranarray, real(2), label="filled",
        call=fills(lambda x: np.asfortranarray([1.0, 2.0], like=x))),
    row(np.require, real(2), label="filled", call=fills(lambda x: np.require([1.0, 2.0], like=x))),
]  # fmt: skip
