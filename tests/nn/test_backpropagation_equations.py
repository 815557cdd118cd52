"""The sweep through an MLP equals the four equations of backpropagation, written by hand.

M. Nielsen, "Neural networks and deep learning" (2015), chapter 2.
"""

from __future__ import annotations

import numpy as np
import pytest

import nn

DERIVATIVES = {
    "sigmoid": lambda z, a: a * (1 - a),
    "tanh": lambda z, a: 1 - a * a,
    "relu": lambda z, a: (z > 0).astype(float),
    "softplus": lambda z, a: 1 / (1 + np.exp(-z)),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_backward_equals_bp1_to_bp4(name):
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(7, 4)), rng.normal(size=(7, 2))
    model = nn.MLP(4, [6, 5, 2], activation=name, rng=rng)
    linears = [layer for layer in model if isinstance(layer, nn.Linear)]
    for layer in linears:
        layer.bias.data[:] = rng.normal(size=layer.out_features)
    nn.mse(model(x), target, reduction="sum").backward()

    activations, weighted_inputs = [x], []
    for layer in linears:
        weighted_inputs.append(activations[-1] @ layer.weight.data + layer.bias.data)
        last = layer is linears[-1]
        activations.append(
            weighted_inputs[-1] if last else nn.activations.activations[name](weighted_inputs[-1])
        )
    error = 2 * (activations[-1] - target)  # BP1, for an output without activation
    for index in reversed(range(len(linears))):
        layer = linears[index]
        bias_gradient = error.sum(axis=0)  # BP3
        weight_gradient = activations[index].T @ error  # BP4
        np.testing.assert_allclose(layer.bias.grad, bias_gradient, rtol=0, atol=1e-12)
        np.testing.assert_allclose(layer.weight.grad, weight_gradient, rtol=0, atol=1e-12)
        if index:
            slope = DERIVATIVES[name](weighted_inputs[index - 1], activations[index])
            error = (error @ layer.weight.data.T) * slope  # BP2


def nielsen_epoch(weights, biases, batches, rate):
    """Stochastic gradient descent sample by sample, with column vectors, as in his chapter 1."""
    for x_batch, y_batch in batches:
        sums_w, sums_b = [np.zeros_like(w) for w in weights], [np.zeros_like(b) for b in biases]
        for x, y in zip(x_batch, y_batch, strict=True):
            activations = [x[:, np.newaxis]]
            for w, b in zip(weights, biases, strict=True):
                activations.append(1 / (1 + np.exp(-(w @ activations[-1] + b))))
            out = activations[-1]
            delta = (out - y[:, np.newaxis]) * out * (1 - out)
            for layer in reversed(range(len(weights))):
                before = activations[layer]
                sums_b[layer] += delta
                sums_w[layer] += delta @ before.T
                delta = (weights[layer].T @ delta) * before * (1 - before)
        for layer in range(len(weights)):
            weights[layer] -= rate / len(x_batch) * sums_w[layer]
            biases[layer] -= rate / len(x_batch) * sums_b[layer]


def test_an_epoch_of_nielsens_network():
    rng = np.random.default_rng(0)
    images = rng.uniform(size=(120, 784)) * (rng.uniform(size=(120, 784)) < 0.2)
    targets = nn.one_hot(rng.integers(0, 10, 120), 10)
    draw = nn.initializers.lecun_normal
    model = nn.Sequential(
        nn.Linear(784, 30, initializer=draw, rng=rng),
        "sigmoid",
        nn.Linear(30, 10, initializer=draw, rng=rng),
        "sigmoid",
    )
    linears = [model[0], model[2]]
    weights = [layer.weight.data.T.copy() for layer in linears]
    biases = [rng.normal(size=(layer.out_features, 1)) for layer in linears]
    for layer, bias in zip(linears, biases, strict=True):
        layer.bias.data[:] = bias[:, 0]
    order = np.random.default_rng(5).permutation(120)  # as fit will draw it
    batches = [(images[order[i : i + 10]], targets[order[i : i + 10]]) for i in range(0, 120, 10)]
    before = weights[0].copy()
    nielsen_epoch(weights, biases, batches, 3.0)
    nn.fit(
        model, images, targets, loss=nn.quadratic, optimizer=nn.SGD(model, learning_rate=3.0),
        epochs=1, batch_size=10, rng=5, progress=False,
    )  # fmt: skip
    assert np.abs(weights[0] - before).max() > 0.01
    for layer, weight, bias in zip(linears, weights, biases, strict=True):
        np.testing.assert_allclose(layer.weight.data.T, weight, rtol=0, atol=1e-10)
        np.testing.assert_allclose(layer.bias.data, bias[:, 0], rtol=0, atol=1e-10)
