"""Indices, parts of buffers, donation, and all kinds of arguments and results."""

from __future__ import annotations

import dataclasses
import enum
import fractions
import math
from collections import Counter, OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest

import autograd_lite as ag
from tests.compile.held import X, check_held


def doubled(x):
    return x * 2


# Indices, parts, donation.

INDICES = {
    "argmax": lambda a: lambda x: (np.sin(x) * 2)[np.argmax(a)] * 3,
    "int64": lambda a: lambda x: (np.sin(x) * 2)[np.int64(1)] * 3,
    "int8": lambda a: lambda x: (np.sin(x) * 2)[np.int8(-1)] * 3,
    "0-d": lambda a: lambda x: (np.sin(x) * 2)[np.array(1)] * 3,
    "tuple": lambda a: lambda x: (np.outer(np.sin(x), x) * 2)[np.int64(1), np.int64(0)] * 3,
    "row": lambda a: lambda x: (np.outer(np.sin(x), x) * 2)[np.int64(1)] * 3,
    "column": lambda a: lambda x: (np.outer(np.sin(x), x) * 2)[:, np.int64(1)] * 3,
    "row and slice": lambda a: lambda x: (np.outer(np.sin(x), x) * 2)[np.int64(1), 1:] * 3,
    "python": lambda a: lambda x: (np.sin(x) * 2)[1] * 3,
    "bool": lambda a: lambda x: (np.sin(x) * 2)[True] * 3,
    "numpy bool": lambda a: lambda x: (np.sin(x) * 2)[np.bool_(True)] * 3,
    "ellipsis": lambda a: lambda x: (np.sin(x) * 2)[..., np.int64(1)] * 3,
    "newaxis": lambda a: lambda x: (np.sin(x) * 2)[np.int64(1), None] * 3,
    "take": lambda a: lambda x: np.take(np.sin(x) * 2, np.int64(1)) * 3,
    "slice by numpy": lambda a: lambda x: (np.sin(x) * 2)[np.int64(1) : np.int64(3)] * 3,
    "where": lambda a: lambda x: (np.sin(x) * 2)[np.where(x > 1, 1, 2)] * 3,
    "split": lambda a: lambda x: np.split(np.sin(x) * 2, [1])[1] * 3,
    "imag of a sum": lambda a: (
        lambda x: (
            lambda z: np.imag(np.sum(z)) + np.sum(np.cos(z) * np.sin(z)).real * np.imag(np.sum(z))
        )(x * 1j + 2)
    ),
    "real of a sum": lambda a: (
        lambda x: (lambda s: [np.sum(np.sin(x) * k) * np.real(s) for k in range(3)])(
            np.sum(np.exp(1j * x))
        )
    ),
    "ravel A": lambda a: lambda x: np.ravel(np.outer(x, np.sin(x)).T, "A"),
    "ravel K": lambda a: lambda x: np.ravel(np.outer(x, np.sin(x)).T, "K"),
    "ravel F": lambda a: lambda x: np.ravel(np.outer(x, np.sin(x)).T, "F"),
    "reshape A": lambda a: lambda x: np.reshape(np.outer(x, np.sin(x)).T, 9, order="A"),
    "flatten A": lambda a: lambda x: np.outer(x, np.sin(x)).T.flatten("A"),
    "copy of sum": lambda a: lambda x: (lambda s: s.imag * np.sum(x) + s.real)(np.sum(x * 1j)),
    "diagonal": lambda a: lambda x: np.diagonal(np.outer(x, np.sin(x))) * 2,
}


@pytest.mark.parametrize("name", INDICES)
def test_indices_and_parts(name):
    a = np.array([3.0, 9.0, 1.0])
    check_held(lambda: INDICES[name](a), (X,), (X * 2,), (X[::-1] - 1,))
    check_held(lambda: INDICES[name](a), (np.asfortranarray(X),), times=3)


@pytest.mark.parametrize("order", "AKFC")
def test_orders_of_memory(order):
    f = lambda x: (np.ravel(x, order), np.reshape(x * 1.0, 6, order="A"), x.flatten(order))  # noqa: E731
    c = np.arange(6.0).reshape(2, 3)
    for x in (c, np.asfortranarray(c), np.arange(12.0).reshape(2, 6)[:, ::2], c[::-1]):
        check_held(lambda: f, (x,), times=3)
    check_held(lambda: f, (c,), (np.asfortranarray(c),), (c[::-1],))


def test_dynamic_index_of_python_numbers():
    a = np.array([1.0, 2.0, 3.0])
    check_held(lambda: lambda s: a[np.where(s > 0, 1, 2)] * s, (0.5,), (-0.5,), (2.0,))
    check_held(lambda: lambda x, i: np.split(x, i)[0] * 2, (np.arange(4.0), 2), times=3)
    check_held(
        lambda: lambda x, i: np.split(x, i)[0] * 2, (np.arange(4.0), np.array([1, 2])), times=3
    )
    check_held(lambda: lambda x, i: x[i] * 2, (X, np.int64(1)), (X, np.int64(2)), (X, np.int64(0)))


def test_donation_of_a_captured_array():
    w = np.ones(3)
    step = ag.compile(lambda v: (v * 2, np.sum(w)), donate=0)
    with pytest.raises(ag.AutogradError):
        for _ in range(3):
            result, total = step(w)
            assert total == 3.0 or result is not w


def test_donation_of_an_array_without_strides():
    x = np.lib.stride_tricks.as_strided(np.ones(1), (3,), (0,))
    step = ag.compile(lambda v: v * np.arange(3.0), donate=0)
    with pytest.raises(ag.ArgumentValueError, match="donated"):
        step(x)
    with pytest.raises(ag.AutogradError, match="donate"):
        ag.compile(lambda x: x * 2, donate=5)(X)
    with pytest.raises(ag.AutogradError, match="donate"):
        ag.compile(lambda x: x * 2, donate="x")(X)
    with pytest.raises(ag.AutogradError, match="donate"):
        ag.compile(lambda x: x * 2, donate=(ag.Value(2.0),))(X)


# Results.

Point = namedtuple("Point", "a b")


@dataclasses.dataclass
class Pair:
    a: object
    b: object = 1.0


class Holder:
    def __init__(self, held):
        self.held = held


@dataclasses.dataclass(frozen=True)
class Frozen:
    a: object
    b: object = dataclasses.field(default="text", metadata={"static": True})


class Text(enum.StrEnum):
    A = "a"


class Number(enum.IntEnum):
    ONE = 1
    TWO = 2


class Flag(enum.IntFlag):
    A = 1
    B = 2


RESULTS = {
    "dataclass": lambda x: Pair(x * 2, [x]),
    "frozen": lambda x: Frozen(x * 2),
    "namedtuple": lambda x: Point(x, x * 2),
    "Counter": lambda x: Counter({"a": x[0] * 2}),
    "set": lambda x: {1.0, 2.0},
    "set of values": lambda x: {x[0] * 2},
    "frozenset": lambda x: frozenset({x[0] * 2}),
    "object": lambda x: Holder(x * 2).__dict__,
    "holder": lambda x: Holder(x * 2),
    "defaultdict": lambda x: defaultdict(list, a=x * 2),
    "OrderedDict": lambda x: OrderedDict(a=x * 2, b=x),
    "generator": lambda x: (y * 2 for y in x),
    "map": lambda x: map(doubled, [x]),
    "dict values": lambda x: {"a": x}.values(),
    "object array": lambda x: np.array([x[0], None]),
    "string": lambda x: "text",
    "enum": lambda x: (Number.ONE, Text.A, Flag.A | Flag.B, x),
    "numpy str": lambda x: (np.str_("a"), x),
    "numpy strings": lambda x: (np.array(["a"]), x),
    "datetime": lambda x: (np.datetime64("2020-01-01"), x),
    "None": lambda x: None,
    "type": lambda x: (float, x),
    "exception": lambda x: (ValueError, x),
    "lambda": lambda x: {"f": x, "g": doubled},
    "partial values": lambda x: {"f": x * 2, "closure": [lambda: x]}["f"],
    "closure": lambda x: lambda: x * 2,
    "int": lambda x: 3,
    "bool": lambda x: (True, x),
    "nan": lambda x: (math.nan, -math.inf, -0.0, 1e400),
    "slice": lambda x: slice(0, 1),
    "ellipsis": lambda x: (..., x),
    "range": lambda x: range(3),
    "bytes": lambda x: (b"a", x),
    "bytearray": lambda x: (bytearray(b"a"), x),
    "dtype": lambda x: (x.dtype, x.shape, x),
    "fraction": lambda x: (fractions.Fraction(1, 3), x),
    "same list twice": lambda x: [[x] * 2] * 2,
    "deque": lambda x: __import__("collections").deque([x, x * 2], maxlen=3),
    "numpy scalar": lambda x: (np.float32(2), np.int8(3), np.bool_(True), x),
    "matrix": lambda x: np.outer(x, x).view(np.matrix),
    "masked": lambda x: np.ma.masked_array(x, [True, False, False]),
    "subclass of float": lambda x: type("Mine", (float,), {})(2.0),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results(name):
    check_held(lambda: RESULTS[name], (X,), (X * 2,), times=5)


class Metres(np.ndarray):
    def __mul__(self, other):
        return np.asarray(self) * 100


class Plainly(np.ndarray):
    pass


ARGUMENTS = {
    "IntEnum": lambda x, e=Number.ONE: (x * e, x * Number.TWO, x[e]),
    "StrEnum": lambda x, e=Text.A: x * (2.0 if e == "a" else 3.0),
    "longdouble": lambda x: x * np.longdouble(1) / 3,
    "float16": lambda x: x * np.float16(0.1),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_kinds_of_constants(name):
    check_held(lambda: ARGUMENTS[name], (X,), times=3)


@pytest.mark.parametrize(
    "argument",
    [
        Number.ONE,
        Number.TWO,
        Text.A,
        Flag.B,
        np.str_("a"),
        np.longdouble(2) / 3,
        defaultdict(list, a=X),
        np.float16(2),
        np.array(2.0),
        np.array(2),
        np.int8(3),
        True,
        np.bool_(True),
        None,
        "text",
        b"text",
        np.array([1.0, 2.0], dtype=np.longdouble),
        np.array(["a", "b"]),
        np.array([1, None]),
        np.ones((1, 2)).view(np.matrix),
        np.ma.masked_array([1.0, 2.0], [True, False]),
        np.array([1.0, 2.0]).view(Metres),
        np.array([1.0, 2.0]).view(Plainly),
        np.datetime64("2020-01-01"),
        np.array([1.0, 2.0], dtype=">f8"),
        np.array([(1.0, 2)], dtype=[("a", float), ("b", int)]),
        fractions.Fraction(1, 3),
        {1.0: X},
        {1, 2},
        frozenset({1}),
        OrderedDict(a=X),
        Point(X, 2.0),
        Frozen(X),
        Pair(X, X),
        type("Mine", (float,), {})(2.0),
        type("Mine", (int,), {})(2),
        2**70,
        -0.0,
        math.nan,
        slice(0, 2),
        range(3),
        float,
        np.float64,
        np.sin,
        np.dtype(float),
        X[:0],
        np.zeros((2, 0)),
        np.ones((2, 3), order="F"),
    ],
    ids=lambda a: type(a).__name__,
)
def test_kinds_of_arguments(argument):
    def double(a):
        if isinstance(a, dict):
            return {key: part * 2 for key, part in a.items()}
        return a * 2

    for f in (lambda x, a: (x, double(a)), lambda x, a: (x, a), lambda x, a: x * 2):
        check_held(lambda f=f: f, (X, argument), times=3)
        check_held(lambda f=f: lambda x: f(x, argument), (X,), times=3)


def test_static_arguments_are_told_apart_by_kind():
    compiled = ag.compile(
        lambda x, n: x * 2 if n is True else x * 3 if isinstance(n, Number) else x * 5
    )
    for _ in range(3):
        for n, factor in ((1, 5), (True, 2), (Number.ONE, 3), (1, 5), (Number.TWO, 3)):
            np.testing.assert_array_equal(compiled(X, n), X * factor)
    signed = ag.compile(lambda x, n: np.copysign(x, n))
    for _ in range(3):
        for n in (0.0, -0.0, math.nan):
            np.testing.assert_array_equal(signed(X, n), np.copysign(X, n))
    named = ag.compile(lambda x, n: x * len(n))
    for _ in range(3):
        for n in ("ab", np.str_("abc"), Text.A, (1,), (True, 2), [1.0] * 4):
            np.testing.assert_array_equal(named(X, n), X * len(n))
