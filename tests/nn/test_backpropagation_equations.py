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
        layer.bias.data[:] = rng.normal(size=layer.n_out)
    nn.mse(model(x), target, reduction="sum").backward()

    activations, weighted_inputs = [x], []
    for layer in linears:
        weighted_inputs.append(activations[-1] @ layer.weight.data + layer.bias.data)
        last = layer is linears[-1]
        activations.append(
            weighted_inputs[-1] if last else nn.activations[name](weighted_inputs[-1])
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
