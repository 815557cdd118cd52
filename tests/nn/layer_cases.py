"""The table of layers: one row for each, or several where a layer has several ways."""

from __future__ import annotations

import nn

LAYERS = {
    "Linear": lambda: nn.Linear(4, 3, rng=0),
    "MLP": lambda: nn.MLP(4, [5, 2], activation="tanh", rng=0),
    "PReLU": lambda: nn.PReLU(4),
    "Flatten": lambda: nn.Flatten(),
    "Residual": lambda: nn.Residual(nn.Linear(4, 4, rng=0)),
    "Concatenate": lambda: nn.Concatenate("identity", nn.Linear(4, 3, rng=0)),
    "BatchNorm1d": lambda: nn.BatchNorm1d(4),
    "BatchNorm1d in use": lambda: nn.BatchNorm1d(4).eval(),
    "LayerNorm": lambda: nn.LayerNorm(4),
    "Dropout in use": lambda: nn.Dropout(0.3, rng=0).eval(),
    "Sequential": lambda: nn.Sequential(nn.Linear(4, 3, rng=0), "tanh", nn.Linear(3, 2, rng=1)),
    "Activation": lambda: nn.Activation("gelu"),
}
"""They take numbers of shape (samples, 4)."""

OTHER_LAYERS = {
    "McCullochPitts": lambda: nn.McCullochPitts(2, threshold=2),
    "Perceptron": lambda: nn.Perceptron(2, 3, activation="sign"),
    "Embedding": lambda: nn.Embedding(5, 2, rng=0),
    "Neuron": lambda: nn.Neuron(3, activation="sigmoid", rng=0),
}
"""They have derivatives of 0, or take no array of numbers; they have tests of their own."""
