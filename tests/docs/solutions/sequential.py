"""A right answer to the workshop of this name."""

import numpy as np

import autograd_lite as ag

ACTIVATIONS = {"linear": lambda z: z, "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}


class Perceptron:
    """Rosenblatt's unit: fires where x @ weight + bias >= 0, and begins with zeros."""

    def fit(self, x, y, epochs=100):
        """Learn from each example in its turn until an epoch has no mistake; return self."""
        self.weight, self.bias = np.zeros(np.shape(x)[1]), 0.0
        for _ in range(epochs):
            mistakes = 0
            for x_i, y_i in zip(x, y, strict=True):
                error = y_i - int(x_i @ self.weight + self.bias >= 0)
                self.weight, self.bias = self.weight + error * x_i, self.bias + error
                mistakes += abs(error)
            if not mistakes:
                break
        return self

    def predict(self, x):
        """0 or 1 for every row of x."""
        return (x @ self.weight + self.bias >= 0).astype(int)


class Dense:
    """A layer of so many units; how many inputs it has, it learns from the first ones it sees."""

    def __init__(self, units, activation="linear"):
        self.units, self.activation = units, ACTIVATIONS[activation]
        self.weight = self.bias = None

    def build(self, n_inputs, rng):
        """Make a weight (n_inputs, units) with the variance 1 / n_inputs, and a bias of zeros."""
        self.weight = rng.normal(0, n_inputs**-0.5, (n_inputs, self.units))
        self.bias = np.zeros(self.units)

    def __call__(self, x, weight, bias):
        """The activation of the layer's sums, with these parameters."""
        return self.activation(x @ weight + bias)


class Sequential:
    """Layers one after the other."""

    def __init__(self, layers, seed=0):
        self.layers, self.rng = layers, np.random.default_rng(seed)

    def build(self, x):
        width = np.shape(x)[1]
        for layer in self.layers:
            if layer.weight is None:
                layer.build(width, self.rng)
            width = layer.units

    def predict(self, x):
        """The outputs for the rows of x; builds the layers that are not built."""
        self.build(x)
        for layer in self.layers:
            x = layer(x, layer.weight, layer.bias)
        return x

    def count_parameters(self):
        """How many numbers there are to learn."""
        return sum(layer.weight.size + layer.bias.size for layer in self.layers)

    def fit(self, x, y, loss, rate, epochs):
        """Descent on all examples at once; return the losses, one for each epoch.

        ``loss(outputs, y)`` is a number. ``ag.value_and_grad(f)(parameters)`` takes a list, and
        returns a list of gradients.
        """
        self.build(x)

        def loss_of(parameters):
            outputs = x
            for layer, (weight, bias) in zip(self.layers, parameters, strict=True):
                outputs = layer(outputs, weight, bias)
            return loss(outputs, y)

        losses = []
        for _ in range(epochs):
            parameters = [(layer.weight, layer.bias) for layer in self.layers]
            value, gradients = ag.value_and_grad(loss_of)(parameters)
            losses.append(float(value))
            for layer, (of_weight, of_bias) in zip(self.layers, gradients, strict=True):
                layer.weight = layer.weight - rate * of_weight
                layer.bias = layer.bias - rate * of_bias
        return losses


def hinge(outputs, signs):
    """A loss to learn XOR with."""
    return np.mean(np.maximum(0, 1 - outputs[:, 0] * signs))
