"""Loops and branches in each other, under every transform: what plain Python computes on arrays.

A program is written once, for a namespace: `ag`, or `Plain`, which has the same functions as loops
of Python's.  Derivatives are compared with differences of what `Plain` gives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.tree import flatten

X = np.array([0.9, -0.4, 0.7])
DIRECTION = np.array([0.5, 1.0, -0.3])
SCALES = np.array([1.0, 0.8, -0.6, 0.5])


class Plain:
    """What the functions of `ag` stand for."""

    @staticmethod
    def scan(f: Any, carry: Any, xs: Any, reverse: bool = False, checkpoint: bool = False) -> Any:
        rows = [None] * len(xs)
        for i in range(len(xs))[:: -1 if reverse else 1]:
            carry, rows[i] = f(carry, xs[i])
        return carry, np.array(rows).reshape(len(xs), *X.shape)

    @staticmethod
    def fori(lower: int, upper: int, f: Any, value: Any) -> Any:
        for i in range(lower, upper):
            value = f(i, value)
        return value

    @staticmethod
    def while_loop(condition: Any, f: Any, value: Any) -> Any:
        while condition(value):
            value = f(value)
        return value

    @staticmethod
    def cond(predicate: Any, f: Any, g: Any, *operands: Any) -> Any:
        return f(*operands) if predicate else g(*operands)

    @staticmethod
    def switch(index: Any, branches: Any, *operands: Any) -> Any:
        return branches[index](*operands)

    @staticmethod
    def map(f: Any, xs: Any) -> Any:
        return np.stack([f(x) for x in xs])

    @staticmethod
    def keep(rng: Any, x: Any) -> Any:
        return rng.random(x.shape) < 0.7


class Ours:
    """The functions of `ag`."""

    scan, fori, while_loop = map(staticmethod, (ag.scan, ag.fori, ag.while_loop))
    cond, switch, map = map(staticmethod, (ag.cond, ag.switch, ag.map))

    @staticmethod
    def keep(rng: Any, x: Any) -> Any:
        return ag.random.random(rng, x.shape) < 0.7


@dataclass
class State:
    h: Any
    name: str = field(default="state", metadata={"static": True})


NESTINGS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "array": (lambda h: h, lambda c: c),
    "tuple": (lambda h: (h, None, ()), lambda c: c[0]),
    "dict": (lambda h: {"h": [h], "steps": 1.0}, lambda c: c["h"][0] * c["steps"]),
    "dataclass": (State, lambda c: c.h),
}


@dataclass(frozen=True)
class Setting:
    """How the loops of a program are: cheap to vary, so each program has others."""

    length: int
    is_reversed: bool
    nesting: str
    drops: bool


Body = Callable[[Any], Any]


def scanned(on: Any, body: Body, h: Any, s: Setting) -> Any:
    pack, unpack = NESTINGS[s.nesting]

    def step(c: Any, k: Any) -> Any:
        return pack(body(unpack(c) * k)), unpack(c)

    # Rows depend on what is differentiated by; a checkpoint must not draw in a loop.
    xs = np.outer(SCALES[: s.length], np.cos(h)) if s.length % 2 else SCALES[: s.length]
    checkpoint = s.length == LONGEST and not s.drops
    last, rows = on.scan(step, pack(h), xs, reverse=s.is_reversed, checkpoint=checkpoint)
    return unpack(last) + np.sum(rows * rows, axis=0)


def counted(on: Any, body: Body, h: Any, s: Setting) -> Any:
    pack, unpack = NESTINGS[s.nesting]
    return unpack(on.fori(1, 1 + s.length, lambda i, c: pack(body(unpack(c)) / i), pack(h)))


def repeated(on: Any, body: Body, h: Any, s: Setting) -> Any:
    """An early exit: by what has been computed, or after so many steps."""
    pack, unpack = NESTINGS[s.nesting]

    def unsettled(pair: Any) -> Any:
        n, c = pair
        return (np.sum(unpack(c) ** 2) > 0.05) & (n < s.length)

    return unpack(
        on.while_loop(
            unsettled, lambda p: (p[0] + 1, pack(0.6 * body(unpack(p[1])))), (0, pack(h))
        )[1]
    )


def chosen(on: Any, body: Body, h: Any, s: Setting) -> Any:
    return on.cond(np.sum(h) > 0.3, body, lambda h: 0.5 * h * h, h)


def switched(on: Any, body: Body, h: Any, s: Setting) -> Any:
    return on.switch(np.argmax(h), [body, np.cos, lambda h: h * 0.3], h)


def mapped(on: Any, body: Body, h: Any, s: Setting) -> Any:
    return np.sum(on.map(body, np.stack([h, 0.5 * h])), axis=0)


STRUCTURES = (scanned, counted, repeated, chosen, switched, mapped)
PAIRS = [(outer, inner) for outer in STRUCTURES for inner in (None, *STRUCTURES)]
LONGEST = 4
"""Steps, of a loop that keeps some of them only."""
LENGTHS = [(3, False), (0, False), (3, True), (1, False), (4, True), (0, True), (1, True)]
"""With whether they are gone through from the last row on."""


def program(number: int, on: Any = Ours, drops: bool | None = None) -> Callable[..., Any]:
    """A function of a vector, a captured one and what draws; each is set in another way."""
    outer, inner = PAIRS[number]
    length, is_reversed = LENGTHS[(number // 7 + number) % len(LENGTHS)]
    drops = number % 3 == 1 if drops is None else drops
    setting = Setting(length, is_reversed, list(NESTINGS)[number % 4], drops)

    def loss(x: Any, w: Any, rng: Any) -> Any:
        def innermost(h: Any) -> Any:
            h = np.tanh(h * w + 0.3)
            return np.where(on.keep(rng, h), h, 0.25 * h) if drops else h

        body = innermost if inner is None else lambda h: inner(on, innermost, h, setting)
        return np.sum(np.sin(outer(on, body, x, setting)))

    return loss


def name_of(number: int) -> str:
    return "-".join(f.__name__ for f in PAIRS[number] if f is not None)


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


every_program = pytest.mark.parametrize("number", range(len(PAIRS)), ids=name_of)


@every_program
def test_values_and_derivatives_are_those_of_plain_python(number: int) -> None:
    loss, plain = program(number), program(number, Plain)
    w = np.cos(X)

    def along(t: float) -> float:
        return float(plain(X + t * DIRECTION, w - t * DIRECTION, rng()))

    def pair(*args: Any) -> Any:
        return loss(*args, rng())

    np.testing.assert_allclose(pair(X, w), along(0.0), rtol=1e-14)
    for of in (pair, ag.checkpoint(pair)):
        gradients = ag.grad(of, (0, 1))(X, w)
        slope = (along(1e-5) - along(-1e-5)) / 2e-5
        np.testing.assert_allclose((gradients[0] - gradients[1]) @ DIRECTION, slope, atol=1e-8)
    _, tangent = ag.jvp(pair, (X, w), (DIRECTION, -DIRECTION))
    np.testing.assert_allclose(tangent, slope, atol=1e-8)
    products = ag.hvp(pair, (X, w), (DIRECTION, -DIRECTION))
    weights = {0: -30, 1: 16, 2: -1}
    bend = sum(k * along(sign * i * 1e-3) for i, k in weights.items() for sign in (1, -1))
    bend = (bend + 30 * along(0.0)) / 12e-6
    np.testing.assert_allclose((products[0] - products[1]) @ DIRECTION, bend, rtol=1e-6, atol=1e-7)


def derivatives(loss: Callable[..., Any], drops: bool) -> Callable[..., Any]:
    """All that is asked of a program, in one function; a checkpoint must not draw in a loop."""

    def found(x: Any, w: Any, rng: Any) -> Any:
        def pair(x: Any, w: Any) -> Any:
            return loss(x, w, rng)

        return (
            ag.value_and_grad(pair, (0, 1))(x, w),
            ag.grad(pair if drops else ag.checkpoint(pair))(x, w),
            ag.jvp(pair, (x, w), (w, x))[1],
            ag.hvp(pair, (x, w), (w, x)),
            () if drops else ag.jacobian(ag.grad(pair))(x, w),
        )

    return found


@every_program
def test_programs_are_the_function(number: int) -> None:
    of = derivatives(program(number), drops=number % 3 == 1)
    check_compiled(of, ag.compile(of))


@pytest.mark.parametrize("number", (9, 23), ids=name_of)
def test_programs_by_numba_are_the_function(number: int) -> None:
    pytest.importorskip("numba")
    of = ag.value_and_grad(program(number), (0, 1))
    check_compiled(of, ag.compile(of, backend="numba"))


def check_compiled(of: Callable[..., Any], compiled: Callable[..., Any]) -> None:
    for x in (X, X[::-1] * 0.5, -X):
        wanted, found = (flatten(f(x, np.cos(X), rng())) for f in (of, compiled))
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)


@every_program
def test_samples_are_computed_together(number: int) -> None:
    loss = program(number, drops=False)

    def both(x: Any, w: Any) -> Any:
        return ag.value_and_grad(lambda x, w: loss(x, w, None), (0, 1))(x, w)

    xs, w = np.stack([X, -X, X[::-1] * 0.4, X * 0.1]), np.cos(X)
    columns = list(zip(*(flatten(both(x, w)) for x in xs), strict=True))
    mapped = ag.vmap(both, (0, None))
    for of in (mapped, ag.compile(mapped)):
        for found, wanted in zip(flatten(of(xs, w)), columns, strict=True):
            np.testing.assert_allclose(found, np.stack(wanted), rtol=1e-9, atol=1e-12)
    summed = ag.grad(lambda xs: np.sum(ag.vmap(lambda x: loss(x, w, None))(xs)))
    for of in (summed, ag.compile(summed)):
        np.testing.assert_allclose(of(xs), np.stack(columns[1]), rtol=1e-9, atol=1e-12)


def halved(x: Any) -> Any:
    """Mantissas times exponents, which are integers among the results of one function."""
    mantissa, exponent = np.frexp(x)
    return mantissa * (exponent + 1) * 0.5


SPLIT: dict[str, Callable[[Any], Any]] = {
    "scan": lambda x: ag.scan(lambda c, e: (halved(c * e) * c, None), x, x)[0],
    "cond": lambda x: ag.cond(x[0] > 0, halved, np.sin, x),
    "while_loop": lambda x: ag.while_loop(lambda c: np.sum(c) > 1, lambda c: halved(c) * c, x),
}


@pytest.mark.parametrize("function", SPLIT.values(), ids=SPLIT.keys())
def test_integers_among_several_results(function: Callable[[Any], Any]) -> None:
    x = np.array([1.5, -0.3, 0.7])
    slope = ag.grad(lambda x: np.sum(np.sin(function(x))))
    curvature = ag.grad(lambda x: np.sum(np.sin(slope(x))))
    for derivative in (slope, curvature, lambda x: ag.jvp(function, x, x)[1]):
        np.testing.assert_allclose(ag.compile(derivative)(x), derivative(x), rtol=1e-12)
    each = ag.vmap(slope)
    xs = np.stack([x, x * 0.7])
    np.testing.assert_allclose(ag.compile(each)(xs), each(xs), rtol=1e-12)
