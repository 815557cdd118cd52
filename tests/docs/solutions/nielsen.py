"""A right answer to the workshop of this name."""

from itertools import pairwise

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class Network:
    """Layers of these sizes, ``Network([784, 30, 10], rng)``."""

    def __init__(self, sizes, rng):
        pairs = list(pairwise(sizes))
        self.weights = [rng.normal(0, n**-0.5, (n, m)) for n, m in pairs]
        self.biases = [np.zeros(m) for _, m in pairs]

    def feedforward(self, x):
        """The output for every row of x."""
        for w, b in zip(self.weights, self.biases, strict=True):
            x = sigmoid(x @ w + b)
        return x

    def backprop(self, x, y):
        """The gradients of the mean cost: two lists, for the weights and for the biases."""
        activations = [x]
        for w, b in zip(self.weights, self.biases, strict=True):
            activations.append(sigmoid(activations[-1] @ w + b))
        delta = (activations[-1] - y) / len(x)
        of_weights, of_biases = [], []
        for w, a, before in zip(
            self.weights[::-1], activations[:0:-1], activations[-2::-1], strict=True
        ):
            delta = delta * a * (1 - a)
            of_weights.insert(0, before.T @ delta)
            of_biases.insert(0, delta.sum(axis=0))
            delta = delta @ w.T
        return of_weights, of_biases

    def sgd(self, x, y, epochs, batch_size, rate, rng):
        """Descent on batches of examples, in a new order in each epoch."""
        for _ in range(epochs):
            order = rng.permutation(len(x))
            for start in range(0, len(x), batch_size):
                batch = order[start : start + batch_size]
                of_weights, of_biases = self.backprop(x[batch], y[batch])
                for p, g in zip(self.weights + self.biases, of_weights + of_biases, strict=True):
                    p -= rate * g


# Find the mistake. This program trains and trains, and prints .5 four times.

PAIRS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = np.array([[0.0], [1.0], [1.0], [0.0]])


def xor_outputs():
    """What a network says to the four pairs after it learned XOR."""
    network = Network([2, 4, 1], np.random.default_rng(0))
    network.weights = [np.random.default_rng(0).normal(size=w.shape) for w in network.weights]
    network.sgd(PAIRS, XOR, epochs=3000, batch_size=4, rate=5.0, rng=np.random.default_rng(1))
    return network.feedforward(PAIRS)
