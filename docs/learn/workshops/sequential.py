"""Workshop: from the perceptron to a Sequential as in Keras.

Copy this file, fill it in, and grade it: ``python -m docs.learn.check sequential``. Gradients come
from ``ag``; all else is yours.
"""

import numpy as np

import autograd_lite as ag  # noqa: F401 (what you write will need it)

ACTIVATIONS = {"linear": lambda z: z, "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}


class Perceptron:
    """Rosenblatt's unit: fires where x @ weight + bias >= 0, and begins with zeros."""

    def fit(self, x, y, epochs=100):
        """Learn from each example in its turn until an epoch has no mistake; return self."""
        raise NotImplementedError

    def predict(self, x):
        """0 or 1 for every row of x."""
        raise NotImplementedError


class Dense:
    """A layer of so many units; how many inputs it has, it learns from the first ones it sees."""

    def __init__(self, units, activation="linear"):
        self.units, self.activation = units, ACTIVATIONS[activation]
        self.weight = self.bias = None

    def build(self, n_inputs, rng):
        """Make a weight (n_inputs, units) with the variance 1 / n_inputs, and a bias of zeros."""
        raise NotImplementedError

    def __call__(self, x, weight, bias):
        """The activation of the layer's sums, with these parameters."""
        raise NotImplementedError


class Sequential:
    """Layers one after the other."""

    def __init__(self, layers, seed=0):
        self.layers, self.rng = layers, np.random.default_rng(seed)

    def predict(self, x):
        """The outputs for the rows of x; builds the layers that are not built."""
        raise NotImplementedError

    def count_parameters(self):
        """How many numbers there are to learn."""
        raise NotImplementedError

    def fit(self, x, y, loss, rate, epochs):
        """Descent on all examples at once; return the losses, one for each epoch.

        ``loss(outputs, y)`` is a number. ``ag.value_and_grad(f)(parameters)`` takes a list, and
        returns a list of gradients.
        """
        raise NotImplementedError


def hinge(outputs, signs):
    """A loss to learn XOR with."""
    return np.mean(np.maximum(0, 1 - outputs[:, 0] * signs))
