"""The recorded graph is the whole computation: it can be run again on other data.

Compiling, drawing and exporting stand on this.  The interpreter below knows
nothing of derivatives; the gradients it replays were recorded by the sweep.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value
from autograd_lite.core.node import Node


class Replay:
    """A recorded computation as a function of the leaves that it started from."""

    def __init__(self, leaves, results):
        self.leaves = [value.node for value in leaves]
        self.results = [value.node for value in results]
        nodes, stack = set(self.leaves), list(self.results)
        while stack:
            node = stack.pop()
            if node not in nodes:
                nodes.add(node)
                stack.extend(x for x in node.inputs if isinstance(x, Node))
        self.steps = sorted(nodes - set(self.leaves), key=lambda node: node.serial)

    def __call__(self, *data):
        known = dict(zip(self.leaves, data, strict=True))
        for node in self.steps:
            if node.primitive is None:
                known[node] = node.data  # a constant of its own
                continue
            operands = [known[x] if isinstance(x, Node) else x for x in node.inputs]
            known[node] = node.primitive.forward(*operands, **node.parameters)
        return [known[result] for result in self.results]


def mlp_loss(parameters, x, labels):
    for w, b in parameters[:-1]:
        x = np.maximum(x @ w + b, 0)
    w, b = parameters[-1]
    logits = np.tanh(x @ w + b)
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    log_sum = np.log(np.sum(np.exp(shifted), axis=1))
    chosen = shifted[np.arange(len(labels)), labels]
    penalty = sum(np.sum(w**2) for w, _ in parameters)
    return np.mean(log_sum - chosen) + 1e-3 * penalty


def data(seed, dtype):
    rng = np.random.default_rng(seed)
    sizes = (4, 7, 5, 3)
    parameters = [
        (rng.normal(size=(m, n)).astype(dtype), rng.normal(size=n).astype(dtype))
        for m, n in pairwise(sizes)
    ]
    return parameters, rng.normal(size=(6, 4)).astype(dtype), rng.integers(0, 3, 6)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_value_and_grad_of_an_mlp_replays_bit_for_bit(dtype):
    parameters, x, labels = data(0, dtype)
    leaves = [Value(array) for layer in parameters for array in layer]
    batch = Value(x, requires_grad=False)
    nested = list(zip(leaves[::2], leaves[1::2], strict=True))
    loss, gradients = ag.value_and_grad(mlp_loss)(nested, batch, labels)
    replay = Replay([*leaves, batch], [loss, *[g for layer in gradients for g in layer]])

    parameters, x, _ = data(1, dtype)
    arrays = [array for layer in parameters for array in layer]
    again = replay(*arrays, x)
    loss, gradients = ag.value_and_grad(mlp_loss)(parameters, x, labels)
    for replayed, fresh in zip(
        again, [loss, *[g for pair in gradients for g in pair]], strict=True
    ):
        assert replayed.dtype == fresh.dtype == dtype
        np.testing.assert_array_equal(replayed, fresh)


def test_second_derivatives_replay_too():
    def f(x):
        return np.sum(np.where(x > 0, np.sqrt(np.abs(x)), x**3) * np.prod(x))

    leaf = Value(np.array([0.5, -1.0, 2.0]))
    product = ag.hvp(f, leaf, np.ones(3))
    other = np.array([-0.3, 1.5, 0.7])
    (replayed,) = Replay([leaf], [product])(other)
    np.testing.assert_array_equal(replayed, ag.hvp(f, other, np.ones(3)))


def test_gradients_that_depend_on_their_argument_by_comparisons_alone_replay_too():
    leaf = Value(np.array([3.0, 1.0, 2.0]))
    for f in (np.max, np.median, lambda x: np.sum(np.sort(x) * np.arange(3)), one_sided):
        gradient = ag.grad(f)(leaf)
        assert isinstance(gradient, Value)
        other = np.array([-1.0, 5.0, 0.5])
        (replayed,) = Replay([leaf], [gradient])(other)
        np.testing.assert_array_equal(replayed, ag.grad(f)(other))


def one_sided(x):
    return np.sum(np.where(x > 1.5, 2 * x, x))
