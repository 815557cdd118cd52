"""Whole layers with one mistake each, as people make them: rejected, and named.

The claim of a mistaken layer is the derivative of an altered one: a statistic taken for a
constant, a mask drawn again, a recurrence cut off, a sum with samples left out.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

rng = np.random.default_rng(11)
fixed = ag.stop_gradient


def normal(*shape):
    return rng.normal(size=shape)


def softmax(x, axis=-1):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


LABELS = np.array([0, 2, 1, 1])
ONE_HOT = np.eye(3)[LABELS]
MASK = np.array([[1, 0, 1, 1, 0, 1], [0, 1, 1, 0, 1, 1], [1, 1, 0, 1, 1, 0]]) / 0.6
OTHER_MASK = np.array([[0, 1, 1, 0, 1, 1], [1, 1, 0, 1, 1, 0], [1, 0, 1, 1, 0, 1]]) / 0.6


def normalized(x, axis, mean=lambda m: m, deviation=lambda s: s):
    centred = x - mean(np.mean(x, axis=axis, keepdims=True))
    return centred / deviation(np.sqrt(np.mean(centred**2, axis=axis, keepdims=True) + 1e-5))


def norm_without(axis, what):
    """A normalization that takes its mean, its variance, or both for constants."""

    def layer(x, gamma, beta):
        mean = np.mean(x, axis=axis, keepdims=True)
        deviation = np.sqrt(np.mean((x - mean) ** 2, axis=axis, keepdims=True) + 1e-5)
        mean = fixed(mean) if "mean" in what else mean
        deviation = fixed(deviation) if "variance" in what else deviation
        return gamma * (x - mean) / deviation + beta

    return layer


def cross_entropy(z):
    return -np.sum(ONE_HOT * np.log(softmax(z)))


def convolution(x, w):
    return np.stack([np.sum(x[i : i + len(w)] * w) for i in range(len(x) - len(w) + 1)])


def convolution_vjp(g, x, w, flip=False, offset=0):
    n, k = len(x), len(w)
    of_x, of_w = np.zeros(n), np.zeros(k)
    for i, upstream in enumerate(g):
        for j in range(k):
            place = i + j + offset
            if 0 <= place < n:
                of_x[place] += upstream * (w[::-1] if flip else w)[j]
                of_w[j] += upstream * x[place]
    return of_x, of_w


def pool(x):
    return np.max(np.reshape(x, (-1, 2)), axis=1)


def pool_vjp(g, x, which=np.argmax, spread=False):
    parts = np.reshape(x, (-1, 2))
    out = np.zeros_like(parts)
    if spread:
        out[:] = g[:, np.newaxis] / 2
    else:
        out[np.arange(len(g)), which(parts, axis=1)] = g
    return np.ravel(out)


def recurrent(xs, w, u, h, keep=lambda t, h: h, last_only=False):
    states = []
    for t, x in enumerate(xs):
        h = np.tanh(x @ w + keep(t, h) @ u)
        states.append(h)
    return states[-1] if last_only else np.stack(states)


def last_state(xs, w, u, h, keep=lambda t, h: h):
    return recurrent(xs, w, u, h, keep, last_only=True)


def lstm(xs, w, keep=lambda t, c: c):
    """A cell with one unit; w holds the rows of the four gates, for input, state and bias."""
    h, c = 0.0, 0.0
    for t in range(len(xs)):
        z = w[:, 0] * xs[t] + w[:, 1] * h + w[:, 2]
        c = sigmoid(z[0]) * keep(t, c) + sigmoid(z[1]) * np.tanh(z[2])
        h = sigmoid(z[3]) * np.tanh(c)
    return h


def lstm_of_inputs(xs):
    return lstm(xs, LSTM[1])


def attention(q, k, v, weights=lambda a: a, scale=1.0):
    return weights(softmax(scale * q @ k.T / np.sqrt(q.shape[1]))) @ v


def hidden(x, w, b):
    return np.maximum(x @ w + b, 0)


def ridge(w, b):
    return np.mean((X4 @ w + b - Y4) ** 2) + 0.1 * np.sum(w**2)


X4, Y4 = normal(4, 3), normal(4)


def engine(function):
    """The vjp of a function that the engine differentiates."""

    def vjp(g, *args):
        gradients = ag.vjp(function, *args)[1](g)
        return gradients

    return vjp


def changed(function, place, change):
    """The right vjp, with one gradient changed."""

    def vjp(g, *args):
        gradients = engine(function)(g, *args)
        parts = list(gradients) if isinstance(gradients, tuple) else [gradients]
        parts[place] = change(parts[place], g, *args)
        return tuple(parts) if len(parts) > 1 else parts[0]

    return vjp


@dataclass(frozen=True)
class Mistake:
    layer: str
    what: str
    kinds: tuple[str, ...]
    function: Any
    args: tuple[Any, ...]
    vjp: Any

    def __str__(self):
        return f"{self.layer}: {self.what}"


def mistake(layer, what, kinds, function, args, vjp):
    return Mistake(layer, what, (kinds,) if isinstance(kinds, str) else kinds, function, args, vjp)


Z, P = normal(4, 3), normal(5)
BATCH = (normal(6, 3), normal(3), normal(3))
ROWS = (normal(3, 6), normal(6), normal(6))
CONV = (normal(8), normal(3))
POOL = (normal(10),)
RNN = (normal(5, 2), normal(2, 3), normal(3, 3), normal(3))
LSTM = (normal(6), normal(4, 3))
QKV = (normal(3, 3), normal(3, 3), normal(3, 3))
DROP = (normal(3, 6),)
DENSE = (normal(4, 3), normal(3, 3), normal(3))
RIDGE = (normal(3), np.float64(0.3))

batchnorm, layernorm = norm_without(0, ()), norm_without(1, ())


def dropout(x):
    return x * MASK


def cut_at(step):
    return lambda t, h: fixed(h) if t == step else h


def sum_of_samples(x, w, b):
    return np.sum((x @ w + b) ** 2, axis=1)


MISTAKES = [
    mistake("softmax", "elementwise", "coupling", softmax, (P,),
            lambda g, x: g * softmax(x) * (1 - softmax(x))),
    mistake("softmax", "times the result", "missing term", softmax, (P,),
            lambda g, x: g * softmax(x)),
    mistake("softmax", "of a batch, elementwise", "coupling", softmax, (normal(3, 4),),
            lambda g, x: g * softmax(x) * (1 - softmax(x))),
    mistake("cross entropy", "sign", "sign", cross_entropy, (Z,),
            lambda g, z: g * (ONE_HOT - softmax(z))),
    mistake("cross entropy", "mean for sum", "factor", cross_entropy, (Z,),
            lambda g, z: g * (softmax(z) - ONE_HOT) / 4),
    mistake("cross entropy", "a sample left out", "left out", cross_entropy, (Z,),
            lambda g, z: g * (softmax(z) - ONE_HOT) * np.array([[1], [1], [0], [1]])),
    mistake("cross entropy", "labels of one sample", ("entries", "region"), cross_entropy, (Z,),
            lambda g, z: g * (softmax(z) - np.eye(3)[[0, 2, 1, 2]])),
    mistake("cross entropy", "upstream ignored", "upstream", cross_entropy, (Z,),
            lambda g, z: softmax(z) - ONE_HOT),
    mistake("batchnorm", "mean constant", "normalization", batchnorm, BATCH,
            engine(norm_without(0, ("mean",)))),
    mistake("batchnorm", "variance constant", "normalization", batchnorm, BATCH,
            engine(norm_without(0, ("variance",)))),
    mistake("batchnorm", "both constant", "normalization", batchnorm, BATCH,
            engine(norm_without(0, ("mean", "variance")))),
    mistake("batchnorm", "gamma averaged", "factor", batchnorm, BATCH,
            changed(batchnorm, 1, lambda d, g, *args: d / 6)),
    mistake("batchnorm", "beta not summed", "broadcast", batchnorm, BATCH,
            changed(batchnorm, 2, lambda d, g, *args: g[0])),
    mistake("layernorm", "mean constant", "normalization", layernorm, ROWS,
            engine(norm_without(1, ("mean",)))),
    mistake("layernorm", "variance constant", "normalization", layernorm, ROWS,
            engine(norm_without(1, ("variance",)))),
    mistake("layernorm", "both constant", "normalization", layernorm, ROWS,
            engine(norm_without(1, ("mean", "variance")))),
    mistake("layernorm", "gamma's sign", "sign", layernorm, ROWS,
            changed(layernorm, 1, lambda d, g, *args: -d)),
    mistake("conv1d", "kernel flipped", ("permuted", "transposed"), convolution, CONV,
            lambda g, x, w: (convolution_vjp(g, x, w)[0], convolution_vjp(g, x, w)[1][::-1])),
    mistake("conv1d", "padding off by one", "off by one", convolution, CONV,
            lambda g, x, w: (convolution_vjp(g, x, w, offset=1)[0], convolution_vjp(g, x, w)[1])),
    mistake("conv1d", "padding off by one, the other way", "off by one", convolution, CONV,
            lambda g, x, w: (convolution_vjp(g, x, w, offset=-1)[0], convolution_vjp(g, x, w)[1])),
    mistake("conv1d", "kernel averaged", "factor", convolution, CONV,
            lambda g, x, w: (convolution_vjp(g, x, w)[0], convolution_vjp(g, x, w)[1] / len(g))),
    mistake("conv1d", "last window left out", "left out", lambda w: convolution(CONV[0], w),
            (CONV[1],), lambda g, w: convolution_vjp(g[:-1], CONV[0], w)[1]),
    mistake("maxpool", "to the smallest", ("mask", "permuted"), pool, POOL,
            lambda g, x: pool_vjp(g, x, np.argmin)),
    mistake("maxpool", "twice", "factor", pool, POOL, lambda g, x: 2 * pool_vjp(g, x)),
    mistake("maxpool", "reversed", "permuted", pool, POOL, lambda g, x: pool_vjp(g, x)[::-1]),
    mistake("maxpool", "off by one", "off by one", pool, POOL,
            lambda g, x: np.roll(pool_vjp(g, x), 1)),
    mistake("RNN", "truncated after two steps", "truncated", last_state, RNN,
            changed(last_state, 0, lambda d, g, *a: np.where(np.arange(5)[:, None] < 3, 0, d))),
    mistake("RNN", "first step left out", "left out", last_state, RNN,
            changed(last_state, 0, lambda d, g, *a: np.where(np.arange(5)[:, None] < 1, 0, d))),
    mistake("RNN", "recurrent weights transposed", "transposed", last_state, RNN,
            changed(last_state, 2, lambda d, g, *a: d.T)),
    mistake("RNN", "first state zero", "zero", last_state, RNN,
            changed(last_state, 3, lambda d, g, *a: 0 * d)),
    mistake("RNN", "times reversed", "permuted", last_state, RNN,
            changed(last_state, 0, lambda d, g, *a: d[::-1])),
    mistake("LSTM", "truncated", "truncated", lstm_of_inputs, (LSTM[0],),
            changed(lstm_of_inputs, 0, lambda d, g, x: np.where(np.arange(6) < 3, 0, d))),
    mistake("LSTM", "a gate's row", ("entries", "region"), lstm, LSTM,
            changed(lstm, 1, lambda d, g, *a: d * np.array([[1], [1], [-1], [1]]))),
    mistake("LSTM", "sign", "sign", lstm, LSTM, changed(lstm, 1, lambda d, g, *a: -d)),
    mistake("attention", "weights constant", "zero", attention, QKV,
            changed(attention, 0, lambda d, g, *a: 0 * d)),
    mistake("attention", "scale forgotten", "factor", attention, QKV,
            changed(attention, 0, lambda d, g, *a: d * np.sqrt(3))),
    mistake("attention", "keys and queries exchanged", "swapped", attention, QKV,
            lambda g, *a: (lambda q, k, v: (k, q, v))(*engine(attention)(g, *a))),
    mistake("attention", "weights not transposed", "transposed", attention, QKV,
            changed(attention, 2, lambda d, g, q, k, v: softmax(q @ k.T / np.sqrt(3)) @ g)),
    mistake("dropout", "mask drawn anew", "mask", dropout, DROP, lambda g, x: g * OTHER_MASK),
    mistake("dropout", "not rescaled", "factor", dropout, DROP, lambda g, x: g * (MASK > 0)),
    mistake("dropout", "mask forgotten", ("inner factor", "region", "mask", "entries", "unmasked"),
            dropout, DROP, lambda g, x: g / 0.6),
    mistake("dense", "relu masked by the gradient", "upstream",
            lambda x: np.maximum(x, 0), (normal(4, 3),), lambda g, x: g * (g > 0)),
    mistake("dense", "relu not at all", "region", lambda x: np.maximum(x, 0), (normal(4, 3),),
            lambda g, x: g),
    mistake("dense", "weights transposed", "transposed", lambda x, w: x @ w,
            (normal(3, 3), normal(3, 3)), lambda g, x, w: (g @ w.T, g.T @ x)),
    mistake("dense", "weights not transposed", "transposed", lambda x, w: x @ w,
            (normal(3, 3), normal(3, 3)), lambda g, x, w: (g @ w, x.T @ g)),
    mistake("dense", "bias averaged", "factor", hidden, DENSE,
            changed(hidden, 2, lambda d, g, *a: d / 4)),
    mistake("dense", "bias over the wrong axis", ("transposed", "upstream"), lambda x, b: x + b,
            (normal(3, 3), normal(3)), lambda g, x, b: (g, np.sum(g, axis=1))),
    mistake("dense", "sample left out", "left out", lambda w: (X4 @ w) ** 2, (normal(3),),
            lambda g, w: 2 * X4[:3].T @ (g[:3] * (X4[:3] @ w))),
    mistake("sigmoid", "taken of the input", "wrong place", sigmoid, (normal(5),),
            lambda g, x: g * x * (1 - x)),
    mistake("sigmoid", "taken of the result", "wrong place", sigmoid, (normal(5),),
            lambda g, x: g * sigmoid(sigmoid(x)) * (1 - sigmoid(sigmoid(x)))),
    mistake("tanh", "taken of the input", ("wrong place", "missing term"), np.tanh, (normal(5),),
            lambda g, x: g * (1 - x * x)),
    mistake("ridge", "penalty left out", "missing term", ridge, RIDGE,
            changed(ridge, 0, lambda d, g, w, b: d - 0.2 * g * w)),
    mistake("ridge", "penalty on the bias", "missing term", ridge, RIDGE,
            changed(ridge, 1, lambda d, g, w, b: d + 0.2 * g * b)),
    mistake("ridge", "half the penalty", "missing term", ridge, RIDGE,
            changed(ridge, 0, lambda d, g, w, b: d - 0.1 * g * w)),
    mistake("ridge", "two weights, one wrong", "entries", lambda w: np.sum(w**3), (normal(2),),
            lambda g, w: g * 3 * w**2 * np.array([1.0, 1.3])),
    mistake("regression", "one in a million", "factor", ridge, RIDGE,
            changed(ridge, 0, lambda d, g, w, b: d * (1 + 1e-5))),
]  # fmt: skip


def report_of(wrong):
    return ag.gradcheck(wrong.function, *wrong.args, vjp=wrong.vjp, raise_error=False)


@pytest.mark.parametrize("wrong", MISTAKES, ids=str)
def test_every_mistaken_layer_is_rejected(wrong):
    report = report_of(wrong)
    assert report.verdict == "wrong derivative"
    assert report.evaluations <= 300


@pytest.mark.parametrize("wrong", MISTAKES, ids=str)
def test_the_right_layer_is_accepted(wrong):
    assert ag.gradcheck(wrong.function, *wrong.args)


def test_the_mistake_is_named_first():
    assert len(MISTAKES) >= 40
    missed = [
        f"{wrong}: wanted {wrong.kinds}, got {report.hints[0] if report.hints else None}"
        for wrong in MISTAKES
        for report in [report_of(wrong)]
        if not report.hints or report.hints[0].kind not in wrong.kinds
    ]
    assert len(missed) <= 0.1 * len(MISTAKES), "\n".join(missed)


class TestWording:
    def test_the_term_of_the_normalization_is_named(self):
        wrong = next(w for w in MISTAKES if str(w) == "batchnorm: variance constant")
        assert (
            "a term of a normalization is missing or wrong: what goes through the variance of x "
            "over axis 0" in report_of(wrong).hints[0].text
        )

    def test_no_factor_is_called_1(self):
        for wrong in (w for w in MISTAKES if "factor" in w.kinds):
            assert "is 1 times" not in str(report_of(wrong))

    def test_a_nonlinear_vjp_is_named_as_such(self):
        report = ag.gradcheck(
            np.sin, normal(3), vjp=lambda g, x: g * g * np.cos(x), raise_error=False
        )
        assert report.hints[0].text == "the vjp is not linear in its upstream gradient g"

    def test_of_an_array_result_the_sum_was_checked(self):
        assert "the gradient of its sum" in str(ag.gradcheck(np.sin, normal(3), gradient=np.cos))
