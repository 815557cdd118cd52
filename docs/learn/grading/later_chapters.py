"""Checks of the exercises in chapter 9 and those after it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_lite as ag
import nn
from docs.learn.engine import Value
from docs.learn.grading.exercise import exercise, is_gradient, is_true, same


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
    x, y = Value(3.0), Value(4.0)
    z = divide(x, y)
    is_true(isinstance(z, Value), "it must return a Value of docs.learn.engine: import it")
    same(z.data, 0.75, "3 / 4")
    z.backward()
    same(x.grad, 0.25, "the slope in the numerator at 3 / 4")
    same(y.grad, -0.1875, "the slope in the denominator at 3 / 4")


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


@exercise("11.1", "kinds_of_units(weight)", "Count the different columns of a layer's weight.")
def check_kinds_of_units(kinds_of_units: Any) -> None:
    weight = np.array([[1.0, 2.0, 1.0, 2.0], [0.0, 5.0, 0.0, 5.5]])
    same(kinds_of_units(weight), 3, "the kinds of units in three different columns of four")
    same(kinds_of_units(np.zeros((3, 7))), 1, "the kinds of units among zeros")


@exercise("11.2", "he_limit(n_in)", "Return the bound of uniform weights with He's variance.")
def check_he_limit(he_limit: Any) -> None:
    for n_in in (6, 600):
        same(he_limit(n_in), math.sqrt(6 / n_in), f"the bound for {n_in} inputs")


@exercise("12.1", "distances(a, b)", "Return the distance of every row of a to every row of b.")
def check_distances(distances: Any) -> None:
    rng = np.random.default_rng(12)
    a, b = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
    right = [[math.dist(row, column) for column in b] for row in a]
    same(distances(a, b), right, "the table of 4 and 5 points")


@exercise("12.2", "standardised(x)", "Return x, each column with mean 0 and deviation 1.")
def check_standardised(standardised: Any) -> None:
    x = np.random.default_rng(122).normal(5, 3, size=(30, 2))
    found = np.asarray(standardised(x.copy()))
    is_true(found.shape == x.shape, f"the shape is {found.shape}")
    same(found.mean(axis=0), np.zeros(2), "the means of the columns")
    same(found.std(axis=0), np.ones(2), "the deviations of the columns")


@exercise("13.1", "dual_exp(pair)", "Return the exponential of (value, slope), as a pair.")
def check_dual_exp(dual_exp: Any) -> None:
    same(dual_exp((0.0, 3.0)), (1.0, 3.0), "the exponential of (0, 3)")
    same(dual_exp((1.0, -2.0)), (math.e, -2 * math.e), "the exponential of (1, -2)")


@exercise("13.2", "newton(f, x, steps)", "Return where Newton's method is after so many steps.")
def check_newton(newton: Any) -> None:
    same(newton(lambda x: x * x - 2.0, 1.0, 1), 1.5, "one step from 1 towards the root of 2")
    same(newton(lambda x: np.exp(x) - 3.0, 1.0, 8), math.log(3.0), "eight steps to ln 3")


@exercise("14.1", "largest_rate(curvature, momentum)", "Return the border of descent.")
def check_largest_rate(largest_rate: Any) -> None:
    for curvature, momentum in ((2.0, 0.0), (25.0, 0.5), (10.0, 0.9)):
        given = f"curvature {curvature:g} and momentum {momentum:g}"
        same(largest_rate(curvature, momentum), 2 * (1 + momentum) / curvature, given)


@exercise("14.2", "adam_step(w, g, m, s, t, rate)", "Return w, m and s after step number t.")
def check_adam_step(adam_step: Any) -> None:
    w, m, s = np.array([1.0, -2.0, 0.5]), np.zeros(3), np.zeros(3)
    parameter = nn.Parameter(w.copy())
    optimizer = nn.Adam([parameter], learning_rate=0.1)
    # The last gradients are so small that ε counts.
    for t, g in enumerate(([3.0, -0.1, 1e-8], [-1.0, 2.0, 2e-8], [0.5, 0.5, -1e-8]), 1):
        optimizer.zero_grad()
        (parameter @ np.array(g)).backward()
        optimizer.step()
        w, m, s = adam_step(w, np.array(g), m, s, t, 0.1)
        same(w, parameter.data, f"the weights after step {t}")


@exercise("15.1", "kind(hessian)", "Say minimum, maximum, saddle or undecided.")
def check_kind(kind: Any) -> None:
    for hessian, right in (
        ([[2.0, 0.0], [0.0, 1.0]], "minimum"), ([[-2.0, 0.5], [0.5, -1.0]], "maximum"),
        ([[0.5, 0.1], [0.1, 2.0]], "minimum"), ([[-0.5, 0.1], [0.1, -0.3]], "maximum"),
        ([[1.0, 3.0], [3.0, 1.0]], "saddle"), ([[1.0, 0.0], [0.0, 0.0]], "undecided"),
    ):  # fmt: skip
        is_true(kind(np.array(hessian)) == right, f"the Hessian {hessian} is not that")


@exercise("15.2", "deepest(f, starts, rate, steps)", "Return the best end of several descents.")
def check_deepest(deepest: Any) -> None:
    def valleys(w: Any) -> Any:
        return w**4 - 3 * w**2 + w

    for starts in ([2.0, 0.5, -1.0], [-2.0, 1.0]):
        same(deepest(valleys, starts, 0.02, 300), -1.3008395659, f"from {starts}", 1e-6)
    same(deepest(valleys, [2.0], 0.02, 300), 1.1309011225, "from 2 alone", 1e-6)


@exercise("16.1", "to_range(z, low, high)", "Return numbers between low and high, for any z.")
def check_to_range(to_range: Any) -> None:
    z = np.linspace(-30.0, 30.0, 13)
    found = np.asarray(to_range(z, -40.0, 60.0))
    is_true(found.shape == z.shape, f"the shape is {found.shape}")
    is_true(np.all((found >= -40) & (found <= 60)), "some numbers are not from -40 to 60")
    is_true(np.all(np.diff(found) >= 0), "a larger z should give no smaller number")
    same(found[[0, -1]], [-40.0, 60.0], "the results for z = -30 and 30", 1e-6)


@exercise("16.2", "multilabel_gradient(z, labels)", "Return the gradient of nn.multilabel in z.")
def check_multilabel_gradient(answer: Any) -> None:
    rng = np.random.default_rng(16)
    z, labels = rng.normal(size=(4, 3)), rng.integers(0, 2, (4, 3)).astype(float)
    is_gradient(lambda z: answer(z, labels), lambda z: nn.multilabel(z, labels), z)


@exercise("17.1", "smallest_fit(a, y)", "Return the smallest weights w with a @ w = y.")
def check_smallest_fit(smallest_fit: Any) -> None:
    rng = np.random.default_rng(17)
    a, y = rng.normal(size=(3, 8)), rng.normal(size=3)
    found = np.asarray(smallest_fit(a, y))
    is_true(found.shape == (8,), f"the shape is {found.shape}")
    same(a @ found, y, "a @ w")
    same(found, np.linalg.pinv(a) @ y, "the weights: they fit, and smaller ones do too")


@exercise("17.2", "ridge(a, y, strength)", "Return the minimum of |a w - y|² + strength·|w|².")
def check_ridge(ridge: Any) -> None:
    rng = np.random.default_rng(172)
    a, y = rng.normal(size=(6, 4)), rng.normal(size=6)
    w = np.asarray(ridge(a, y, 0.7))
    is_true(w.shape == (4,), f"the shape is {w.shape}")
    same(a.T @ (a @ w - y) + 0.7 * w, np.zeros(4), "the gradient at what came back")


@exercise("18.1", "hebb(weight, x, y)", "Return the weight after Hebb's rule saw a pair.")
def check_hebb(hebb: Any) -> None:
    weight = np.array([[0.0, 1.0, 0.0], [2.0, 0.0, 0.0]])
    right = [[1.0, 0.0, 1.0], [1.0, 1.0, -1.0]]
    same(hebb(weight, np.array([1.0, -1.0]), np.array([1.0, -1.0, 1.0])), right, "the weight")


@exercise("18.2", "recall(weight, x)", "Let the units fire until nothing changes any more.")
def check_recall(recall: Any) -> None:
    patterns = np.array([[1] * 8 + [-1] * 8, [1, -1] * 8])
    weight = patterns.T @ patterns - 2 * np.eye(16, dtype=int)
    for pattern in patterns:
        spoilt = pattern.copy()
        spoilt[[0, 5]] *= -1
        same(recall(weight, spoilt), pattern, "what is recalled from a spoilt pattern")
    of_sums_of_0 = recall(np.zeros((3, 3)), np.array([-1, 1, -1]))
    same(of_sums_of_0, np.ones(3), "what comes of sums of 0")
    chain = np.diag(np.ones(15), 1) * 2.0
    chain[0, 0] = 1.0
    same(recall(chain, np.r_[1, -np.ones(15, int)]), np.ones(16), "a change that runs on and on")
