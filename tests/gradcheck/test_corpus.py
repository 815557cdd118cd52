"""Wrong rules, one mistake each: all must be rejected, and nearly all named."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

rng = np.random.default_rng(7)


def normal(*shape):
    return rng.normal(size=shape)


def positive(*shape):
    return rng.uniform(0.5, 2.0, size=shape)


def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def log_sum_exp(x):
    top = np.max(x, axis=-1, keepdims=True)
    return np.squeeze(top, -1) + np.log(np.sum(np.exp(x - top), axis=-1))


def log_sum_exp_vjp(g, out, x):
    return np.expand_dims(g, -1) * np.exp(x - np.expand_dims(out, -1))


def normalize(x):
    return (x - np.mean(x)) / np.std(x)


def normalize_vjp(g, out, x):
    return (g - np.mean(g) - out * np.mean(g * out)) / np.std(x)


def softmax_vjp(g, out, x):
    return out * (g - np.sum(g * out, axis=-1, keepdims=True))


def running_sum_vjp(g, out, x):
    return np.flip(np.cumsum(np.flip(g, 0)), 0)


def relu_vjp(g, out, x):
    return g * (x > 0)


def entry_scaled(g, place, factor):
    """A copy of a flat gradient with one wrong entry."""
    factors = np.ones(np.shape(g))
    factors[place] = factor
    return g * factors


OPERATIONS: dict[str, tuple[Any, tuple[Any, ...], tuple[Any, ...]]] = {
    "sin": (np.sin, (lambda g, out, x: g * np.cos(x),), (normal(4, 3),)),
    "tanh": (np.tanh, (lambda g, out, x: g * (1 - out * out),), (normal(4, 3),)),
    "square": (lambda x: x**2, (lambda g, out, x: g * 2 * x,), (normal(4, 4),)),
    "cube": (lambda x: x**3, (lambda g, out, x: g * 3 * x**2,), (normal(5),)),
    "exp": (np.exp, (lambda g, out, x: g * out,), (normal(5, 5),)),
    "log": (np.log, (lambda g, out, x: g / x,), (positive(6),)),
    "relu": (lambda x: np.maximum(x, 0), (relu_vjp,), (normal(4, 5),)),
    "swish": (
        lambda x: x / (1 + np.exp(-x)),
        (lambda g, out, x: g * (1 + np.exp(-x) * (1 + x)) / (1 + np.exp(-x)) ** 2,),
        (normal(8),),
    ),
    "multiply": (
        lambda x, y: x * y,
        (lambda g, out, x, y: g * y, lambda g, out, x, y: g * x),
        (normal(3, 4), normal(3, 4)),
    ),
    "divide": (
        lambda x, y: x / y,
        (lambda g, out, x, y: g / y, lambda g, out, x, y: -g * x / y**2),
        (normal(5), positive(5)),
    ),
    "matmul": (
        lambda x, y: x @ y,
        (lambda g, out, x, y: g @ y.T, lambda g, out, x, y: x.T @ g),
        (normal(3, 3), normal(3, 3)),
    ),
    "affine": (
        lambda x, w, b: x @ w + b,
        (
            lambda g, out, x, w, b: g @ w.T,
            lambda g, out, x, w, b: x.T @ g,
            lambda g, out, x, w, b: np.sum(g, axis=0),
        ),
        (normal(5, 3), normal(3, 4), normal(4)),
    ),
    "sum": (np.sum, (lambda g, out, x: g * np.ones(x.shape),), (normal(3, 5),)),
    "mean": (
        lambda x: np.mean(x, axis=0),
        (lambda g, out, x: np.broadcast_to(g / x.shape[0], x.shape),),
        (normal(5, 3),),
    ),
    "running sum": (np.cumsum, (running_sum_vjp,), (normal(7),)),
    "softmax": (softmax, (softmax_vjp,), (normal(2, 5),)),
    "log-sum-exp": (log_sum_exp, (log_sum_exp_vjp,), (normal(3, 4),)),
    "normalize": (normalize, (normalize_vjp,), (normal(9),)),
    "transpose": (np.transpose, (lambda g, out, x: np.transpose(g),), (normal(4, 4),)),
    "reverse": (np.flip, (lambda g, out, x: np.flip(g),), (normal(6),)),
    "sum of squares of 1,000": (
        lambda x: np.sum(x**2),
        (lambda g, out, x: g * 2 * x,),
        (normal(1_000),),
    ),
    "sum of squares of 100,000": (
        lambda x: np.sum(x**2),
        (lambda g, out, x: g * 2 * x,),
        (normal(100_000),),
    ),
}


@dataclass(frozen=True)
class Mutant:
    """An operation with one rule replaced, and the kind of hint that it should get."""

    operation: str
    mistake: str
    kind: str
    rule: Any
    argument: int = 0
    order: int = 1

    def __str__(self):
        return f"{self.operation}: {self.mistake}"

    def primitive(self):
        forward, rules, _ = OPERATIONS[self.operation]
        replaced = [*rules]
        replaced[self.argument] = self.rule
        return ag.Primitive(forward, *replaced, name=self.operation)


def scaled(rule, factor):
    return lambda g, out, *inputs: factor * rule(g, out, *inputs)


def ignoring_upstream(rule):
    return lambda g, out, *inputs: rule(np.ones_like(g), out, *inputs)


def everywhere():
    """Mistakes that any rule can have."""
    for operation, (_, rules, _) in OPERATIONS.items():
        rule = rules[0]
        yield Mutant(operation, "scaled by 1.001", "factor", scaled(rule, 1.001))
        yield Mutant(operation, "sign", "sign", scaled(rule, -1.0))
        if operation not in ("sum of squares of 1,000", "sum of squares of 100,000"):
            yield Mutant(operation, "upstream ignored", "upstream", ignoring_upstream(rule))


PARTICULAR = [
    Mutant("sin", "cosine forgotten", "inner factor", lambda g, out, x: g),
    Mutant("sin", "zero", "zero", lambda g, out, x: np.zeros_like(g)),
    Mutant("sin", "wrong at negatives", "region",
           lambda g, out, x: g * np.cos(x) * np.where(x < 0, -1, 1)),
    Mutant("tanh", "input used for the result", "missing term",
           lambda g, out, x: g * (1 - x * x)),
    Mutant("tanh", "square forgotten", "inner factor", lambda g, out, x: g * (1 - out)),
    Mutant("tanh", "transposed places", "permuted",
           lambda g, out, x: np.flip(g * (1 - out * out), 0)),
    Mutant("square", "factor 2 forgotten", "factor", lambda g, out, x: g * x),
    Mutant("square", "transposed", "transposed", lambda g, out, x: (g * 2 * x).T),
    Mutant("square", "shifted", "off by one", lambda g, out, x: np.roll(g * 2 * x, 1, 0)),
    Mutant("cube", "factor 2 for 3", "factor", lambda g, out, x: g * 2 * x**2),
    Mutant("cube", "power not lowered", "inner factor", lambda g, out, x: g * 3 * x**3),
    Mutant("exp", "wrong on the diagonal", "region",
           lambda g, out, x: g * out * (1 + np.eye(5))),
    Mutant("log", "square root", "inner factor", lambda g, out, x: g / np.sqrt(x)),
    Mutant("log", "base 10", "factor", lambda g, out, x: g / (x * np.log(10))),
    Mutant("relu", "leaks at negatives", "region",
           lambda g, out, x: g * np.where(x > 0, 1, 0.1)),
    Mutant("relu", "passes everything", "region", lambda g, out, x: g),
    Mutant("swish", "product rule's second term dropped", "missing term",
           lambda g, out, x: g / (1 + np.exp(-x))),
    Mutant("multiply", "own factor", "swapped", lambda g, out, x, y: g * x),
    Mutant("multiply", "one wrong entry", "entries",
           lambda g, out, x, y: entry_scaled(g * y, (1, 2), 3.0)),
    Mutant("divide", "second sign", "sign", lambda g, out, x, y: g * x / y**2, argument=1),
    Mutant("divide", "square forgotten", "inner factor",
           lambda g, out, x, y: -g * x / y, argument=1),
    Mutant("matmul", "second factor not transposed", "transposed", lambda g, out, x, y: g @ y),
    Mutant("matmul", "first factor not transposed", "transposed",
           lambda g, out, x, y: x @ g, argument=1),
    Mutant("matmul", "result transposed", "transposed", lambda g, out, x, y: (g @ y.T).T),
    Mutant("matmul", "upstream transposed", "transposed", lambda g, out, x, y: g.T @ y.T),
    Mutant("affine", "sum over the batch missing", "broadcast",
           lambda g, out, x, w, b: g, argument=2),
    Mutant("affine", "first of the batch only", "broadcast",
           lambda g, out, x, w, b: g[0], argument=2),
    Mutant("affine", "mean over the batch", "factor",
           lambda g, out, x, w, b: np.mean(g, axis=0), argument=2),
    Mutant("affine", "averaged", "factor", lambda g, out, x, w, b: x.T @ g / 5, argument=1),
    Mutant("mean", "not divided", "factor", lambda g, out, x: np.broadcast_to(g, x.shape)),
    Mutant("mean", "divided by the other length", "factor",
           lambda g, out, x: np.broadcast_to(g / x.shape[1], x.shape)),
    Mutant("running sum", "not reversed", "transposed", lambda g, out, x: np.cumsum(g)),
    Mutant("running sum", "excludes its own term", "off by one",
           lambda g, out, x: running_sum_vjp(g, out, x) - g),
    Mutant("softmax", "diagonal only", "missing term", lambda g, out, x: g * out),
    Mutant("softmax", "elementwise sigmoid", "unexplained", lambda g, out, x: g * out * (1 - out)),
    Mutant("log-sum-exp", "not divided by the sum", "inner factor",
           lambda g, out, x: np.expand_dims(g, -1) * np.exp(x)),
    Mutant("normalize", "mean treated as constant", "missing term",
           lambda g, out, x: (g - out * np.mean(g * out)) / np.std(x)),
    Mutant("normalize", "deviation treated as constant", "missing term",
           lambda g, out, x: (g - np.mean(g)) / np.std(x)),
    Mutant("transpose", "not transposed", "transposed", lambda g, out, x: g),
    Mutant("reverse", "not reversed", "permuted", lambda g, out, x: g),
    Mutant("reverse", "shifted", "off by one", lambda g, out, x: np.roll(np.flip(g), 1)),
    Mutant("sum of squares of 1,000", "one wrong entry", "entries",
           lambda g, out, x: entry_scaled(g * 2 * x, 123, 0.5)),
    Mutant("sum of squares of 1,000", "wrong at negatives", "region",
           lambda g, out, x: g * 2 * np.abs(x)),
    Mutant("sum of squares of 1,000", "reversed", "permuted",
           lambda g, out, x: g * 2 * np.flip(x)),
    Mutant("sum of squares of 100,000", "one wrong entry", "entries",
           lambda g, out, x: entry_scaled(g * 2 * x, 12_345, 0.0)),
    Mutant("sum of squares of 100,000", "shifted", "off by one",
           lambda g, out, x: g * 2 * np.roll(x, 1)),
    Mutant("sin", "second derivative only", "sign",
           lambda g, out, x: g * sine_of_wrong_derivative(x), order=2),
    Mutant("exp", "second derivative only", "zero",
           lambda g, out, x: g * constant_exponential(x), order=2),
]  # fmt: skip

sine_of_wrong_derivative = ag.Primitive(np.cos, lambda g, out, x: g * np.sin(x), name="cosine")
constant_exponential = ag.Primitive(np.exp, lambda g, out, x: np.zeros_like(g), name="exponential")

CORPUS = [*everywhere(), *PARTICULAR]


def report_of(mutant):
    args = OPERATIONS[mutant.operation][2]
    return ag.gradcheck(mutant.primitive(), *args, order=mutant.order, raise_error=False)


@pytest.mark.parametrize("mutant", CORPUS, ids=str)
def test_every_wrong_rule_is_rejected(mutant):
    report = report_of(mutant)
    assert not report
    assert report.verdict in ("wrong derivative", "wrong shape or dtype")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_right_rule_is_accepted(operation):
    forward, rules, args = OPERATIONS[operation]
    assert ag.gradcheck(ag.Primitive(forward, *rules, name=operation), *args)


def test_the_mistake_is_named_first():
    assert len(CORPUS) >= 60
    assert len({mutant.operation for mutant in CORPUS}) >= 15
    missed = [
        f"{mutant}: wanted {mutant.kind}, got {[hint.kind for hint in report.hints]}"
        for mutant in CORPUS
        for report in [report_of(mutant)]
        if not report.hints or report.hints[0].kind != mutant.kind
    ]
    assert len(CORPUS) - len(missed) >= 0.95 * len(CORPUS), missed
