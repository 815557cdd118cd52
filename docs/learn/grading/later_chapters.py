"""Checks of the exercises in chapter 9 and those after it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_lite as ag
from docs.learn.engine import Value
from docs.learn.grading.exercise import exercise, is_true, same


@exercise("9.1", "tanh(x)", "Return tanh of a Value of docs/learn/engine.py, as a Value.")
def check_tanh(tanh: Any) -> None:
    x = Value(0.5)
    y = tanh(x)
    is_true(isinstance(y, Value), "it must return a Value of docs.learn.engine: import it")
    same(y.data, math.tanh(0.5), "tanh(0.5)")
    (y * y).backward()
    same(x.grad, 2 * math.tanh(0.5) * (1 - math.tanh(0.5) ** 2), "the slope of tanh² at 0.5")


@exercise("9.2", "divide(x, y)", "Return the quotient of two Values of docs/learn/engine.py.")
def check_divide(divide: Any) -> None:
    x, y = Value(3.0), Value(2.0)
    z = divide(x, y)
    is_true(isinstance(z, Value), "it must return a Value of docs.learn.engine: import it")
    same(z.data, 1.5, "3 / 2")
    z.backward()
    same(x.grad, 0.5, "the slope in the numerator at 3 / 2")
    same(y.grad, -0.75, "the slope in the denominator at 3 / 2")


@exercise("9.3", "depth(result)", "Return how many operations the longest way to a Value has.")
def check_depth(depth: Any) -> None:
    x = Value(1.0)
    same(depth(x), 0, "the depth of a leaf")
    same(depth(x * x + x), 2, "the depth of x·x + x")
    same(depth(x + (x + (x + x))), 3, "the depth of x + (x + (x + x))")
    chain = x
    for _ in range(20_000):
        chain = chain + x
    same(depth(chain), 20_000, "the depth of a chain of 20,000 sums")


@exercise(
    "10.1", "slopes_of(value)",
    "Return the local slopes of the operation that made an ag.Value of numbers, in a list.",
)  # fmt: skip
def check_slopes_of(slopes_of: Any) -> None:
    a, b = ag.Value(6.0), ag.Value(2.0)
    same(slopes_of(a / b), [0.5, -1.5], "the slopes of 6 / 2")
    same(slopes_of(a * b), [2.0, 6.0], "the slopes of 6 · 2")
    same(slopes_of(np.exp(b)), [math.exp(2.0)], "the slope of exp at 2")


@exercise(
    "10.2", "unbroadcast(g, shape)",
    "Return the gradient g summed to the shape that an operand had before it was broadcast.",
)  # fmt: skip
def check_unbroadcast(unbroadcast: Any) -> None:
    rng = np.random.default_rng(10)
    for shape in ((3, 1), (2,), (1, 1, 2), (4, 3, 2), (), (1, 3, 1)):
        g = rng.normal(size=(4, 3, 2))
        _, pullback = ag.vjp(lambda x: x + np.zeros((4, 3, 2)), np.zeros(shape))
        same(unbroadcast(g, shape), pullback(g)[0], f"from (4, 3, 2) to {shape}")
