"""Checks of the exercises in chapters 1 to 8."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

import autograd_lite as ag
import nn
from docs.learn.grading.exercise import exercise, is_gradient, is_true, same

PAIRS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


@exercise("1.1", "xor(x)", "The rows of x are pairs of 0 and 1; return the exclusive or of each.")
def check_xor(xor: Any) -> None:
    same(xor(PAIRS), [0, 1, 1, 0], "xor of 00, 01, 10, 11")
    same(xor(PAIRS[::-1][:3]), [0, 1, 1], "xor of 11, 10, 01")


@exercise("1.2", "sigmoid_slope(z)", "Return the derivative of the sigmoid at every element of z.")
def check_sigmoid_slope(answer: Any) -> None:
    is_gradient(answer, nn.sigmoid, np.array([-3.0, -1.0, 0.5, 2.0]))


@exercise(
    "2.1", "learn(w, b, x, target)",
    "Apply Rosenblatt's rule to one example; return the new weights and the new bias.",
)  # fmt: skip
def check_learn(learn: Any) -> None:
    for w, b, x, target, new_w, new_b in (
        ([1.0, 1.0], 0.0, [2.0, -1.0], 0, [-1.0, 2.0], -1.0),
        ([0.0, 0.0], -1.0, [0.0, 1.0], 1, [0.0, 1.0], 0.0),
        ([1.0, 1.0], -1.0, [1.0, 0.0], 1, [1.0, 1.0], -1.0),
        ([1.0, 1.0], -1.0, [0.0, 0.0], 0, [1.0, 1.0], -1.0),
    ):
        given = f"w = {w}, b = {b}, x = {x}, target {target}"
        result = learn(np.array(w), b, np.array(x), target)
        is_true(isinstance(result, tuple) and len(result) == 2, "return a pair: weights, bias")
        same(result[0], new_w, f"the weights after {given}")
        same(result[1], new_b, f"the bias after {given}")


@exercise("2.2", "squared_gradient(w, x, t)", "Return the gradient of (w·x - t)² in w.")
def check_squared_gradient(answer: Any) -> None:
    x, t = np.array([1.0, 2.0, -1.0]), 1.0
    is_gradient(lambda w: answer(w, x, t), lambda w: (w @ x - t) ** 2, np.array([0.3, -0.2, 0.5]))


def fires(w: Any, b: Any) -> Any:
    return PAIRS @ np.asarray(w, dtype=float) + b >= 0


@exercise(
    "3.1", "negated(w, b)",
    "The step of the proof: return the weights and the bias of a unit that fires, on the four "
    "pairs of 0 and 1, exactly where the unit with w and b does not.",
)  # fmt: skip
def check_negated(negated: Any) -> None:
    for name, w, b in (
        ("AND", [1.0, 1.0], -1.5), ("OR", [1.0, 1.0], -0.5), ("NAND", [-1.0, -1.0], 1.5),
        ("a unit with a sum of exactly 0", [1.0, 1.0], -1.0), ("a unit", [0.3, -0.2], 0.0),
    ):  # fmt: skip
        result = negated(np.array(w), b)
        is_true(isinstance(result, tuple) and len(result) == 2, "return a pair: weights, bias")
        wrong = np.flatnonzero(fires(w, b) == fires(*result))
        is_true(not wrong.size, f"negated {name}: {len(wrong)} of 4 pairs are wrong")


@exercise(
    "3.2", "relu_xor_gradient(x)",
    "Return the gradient of max(0, x1 + x2) - 2·max(0, x1 + x2 - 1) at the point x.",
)  # fmt: skip
def check_relu_xor_gradient(answer: Any) -> None:
    for point in ([0.3, 0.2], [0.8, 0.9], [-0.5, 0.1]):
        x = np.array(point)
        slope = float(x.sum() > 0) - 2.0 * float(x.sum() > 1)
        same(answer(x), [slope, slope], f"the gradient at {point}")


@exercise("4.1", "d_gradient(a, b)", "Return both derivatives of (a·b + a)² as a pair.")
def check_d_gradient(answer: Any) -> None:
    same(answer(2.0, -3.0), (16.0, -16.0), "the derivatives at a = 2, b = -3")
    is_gradient(answer, lambda a, b: (a * b + a) ** 2, 0.7, 1.2)


@exercise("4.2", "power_slope(x)", "Return the derivative of x to the power x.")
def check_power_slope(answer: Any) -> None:
    is_gradient(answer, lambda x: x**x, 1.5)


@exercise("4.3", "sine_square_slope(x)", "Return the derivative of sin² at every element of x.")
def check_sine_square_slope(answer: Any) -> None:
    is_gradient(answer, lambda x: np.sin(x) ** 2, np.array([0.5, 1.0, -2.0]))


@exercise(
    "5.1", "tanh_gradient(x, t, w1, b1, w2, b2)",
    "The hidden layer has tanh, the output a sigmoid, the cost is ½·sum((output - t)²): return "
    "the gradient in w1.",
)  # fmt: skip
def check_tanh_gradient(answer: Any) -> None:
    rng = np.random.default_rng(5)
    x, t = rng.normal(size=(4, 3)), rng.uniform(size=(4, 2))
    w1, b1 = rng.normal(size=(3, 5)), rng.normal(size=5)
    w2, b2 = rng.normal(size=(5, 2)), rng.normal(size=2)

    def cost(w1: Any) -> Any:
        output = nn.sigmoid(np.tanh(x @ w1 + b1) @ w2 + b2)
        return 0.5 * np.sum((output - t) ** 2)

    is_gradient(lambda w1: answer(x, t, w1, b1, w2, b2), cost, w1)


@exercise("5.2", "direction_vjp(g, out, x)", "Return the VJP of x / |x|, |x| being x's length.")
def check_direction_vjp(answer: Any) -> None:
    x, g = np.array([3.0, -4.0, 12.0]), np.array([1.0, 0.5, -2.0])
    out = x / 13.0
    same(answer(g, out, x), (g - out * (g @ out)) / 13.0, "the share of g at (3, -4, 12)")
    same(answer(out, out, x), np.zeros(3), "the share of g along x")


@exercise(
    "6.1", "factors(rate)",
    "One plain step on ½·(w1² + 25·w2²) multiplies w1 and w2 by two factors: return the pair.",
)  # fmt: skip
def check_factors(factors: Any) -> None:
    for rate in (0.01, 1 / 13, 0.5):
        same(factors(rate), (1 - rate, 1 - 25 * rate), f"the factors for the rate {rate:.3g}")


@exercise("6.2", "rosenbrock_gradient(x)", "Return the gradient of Rosenbrock's valley at x.")
def check_rosenbrock_gradient(answer: Any) -> None:
    is_gradient(
        answer, lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2, np.array([-1.3, 1.2])
    )


@exercise(
    "7.1", "cross_entropy_gradient(z, label)",
    "Return the gradient of cross-entropy in the logits z, a vector, if label is right.",
)  # fmt: skip
def check_cross_entropy_gradient(answer: Any) -> None:
    for label in (0, 2):
        is_gradient(
            lambda z, label=label: answer(z, label),
            lambda z, label=label: nn.cross_entropy(z[np.newaxis], [label]),
            np.array([0.5, -1.0, 2.0]),
        )


@exercise(
    "7.2", "two_slopes(z)",
    "The target is 1: return the derivatives in the logit z of the squared error of its sigmoid, "
    "and of its binary cross-entropy, as a pair.",
)  # fmt: skip
def check_two_slopes(answer: Any) -> None:
    for z in (-10.0, 0.0, 2.0):
        s = 1 / (1 + np.exp(-z))
        same(answer(z), (2 * (s - 1) * s * (1 - s), s - 1), f"the slopes at z = {z:g}")


@ag.primitive
def bend_with_a_wrong_rule(x: Any) -> Any:
    return np.tanh(x)


bend_with_a_wrong_rule.defvjp(lambda g, out, x: g * (1 - out))


@exercise(
    "7.3", "is_right(model, x, y)",
    "Have every weight of a classifier graded with its loss; return True, or False.",
)  # fmt: skip
def check_is_right(is_right: Any) -> None:
    x, y = np.random.default_rng(7).normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2])
    good = nn.MLP(4, [5, 3], activation="tanh", rng=0)
    bad = nn.Sequential(nn.Linear(4, 5, rng=0), bend_with_a_wrong_rule, nn.Linear(5, 3, rng=1))
    is_true(is_right(good, x, y), "a sound model was called wrong")
    verdict: Any = False
    with contextlib.suppress(ag.AutogradError):
        verdict = is_right(bad, x, y)
    is_true(not verdict, "a model whose activation has a wrong derivative was called right")


@exercise(
    "8.1", "nudge(model, image, other)",
    "Return an image near the given one, its numbers from 0 to 1, that the model takes for other.",
)  # fmt: skip
def check_nudge(nudge: Any) -> None:
    rng = np.random.default_rng(8)
    model = nn.Linear(64, 10, rng=0)
    model.weight.data[:] = rng.normal(size=(64, 10))
    image = rng.uniform(0.3, 0.7, size=64)
    was = int(nn.predicted_labels(nn.predict(model, image[np.newaxis]))[0])
    for other in sorted({(was + 1) % 10, (was + 5) % 10}):
        found = np.asarray(nudge(model, image.copy(), other), dtype=float)
        is_true(found.shape == image.shape, f"the image has the shape {found.shape}")
        is_true(found.min() >= 0 and found.max() <= 1, "some numbers are not from 0 to 1")
        now = int(nn.predicted_labels(nn.predict(model, found[np.newaxis]))[0])
        is_true(now == other, f"the model takes it for {now}, and not for {other}")
        far = np.abs(found - image).mean()
        is_true(far < 0.25, f"the pixels moved by {far:.2f} on average: a smaller nudge would do")


@exercise(
    "8.2", "double_network()",
    "Return a network for the digits, 64 inputs and 10 logits, that can be graded: in double "
    "precision, and small.",
)  # fmt: skip
def check_double_network(double_network: Any) -> None:
    model = double_network()
    kinds = {str(p.dtype) for p in model.parameters()}
    is_true(kinds == {"float64"}, f"the parameters are {', '.join(sorted(kinds))}")
    n_numbers = sum(p.size for p in model.parameters())
    is_true(n_numbers < 2000, f"{n_numbers} numbers are many to be measured; fewer will do")
    rng = np.random.default_rng(82)
    x, y = rng.uniform(size=(4, 64)), np.array([3, 1, 4, 9])
    report = ag.gradcheck(model, x, y, loss=nn.cross_entropy, raise_error=False)
    is_true(report, f"gradcheck says: {report.verdict}")


@exercise(
    "8.3", "smallest(accuracies, wanted)",
    "accuracies is a dictionary from the width of the hidden layer to the accuracy on the "
    "validation set: return the smallest width that reaches what is wanted, None if none does.",
)  # fmt: skip
def check_smallest(smallest: Any) -> None:
    accuracies = {32: 0.97, 2: 0.55, 16: 0.96, 8: 0.95, 4: 0.83}
    is_true(smallest(accuracies, 0.95) == 8, "0.95 is reached by 8, 16 and 32 units")
    is_true(smallest(accuracies, 0.5) == 2, "all of them reach 0.5, in whatever order they come")
    is_true(smallest(accuracies, 0.99) is None, "none reaches 0.99")
