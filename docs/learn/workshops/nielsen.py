"""Workshop: a network of any number of layers, and its stochastic gradient descent.

After M. Nielsen, "Neural networks and deep learning" (2015): every layer has a sigmoid, the cost
is ½·|output - y|², a mean over examples. Copy this file, fill it in, and grade it:
``python -m docs.learn.check nielsen``. Examples are rows.
"""

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
        raise NotImplementedError

    def backprop(self, x, y):
        """The gradients of the mean cost: two lists, for the weights and for the biases."""
        raise NotImplementedError

    def sgd(self, x, y, epochs, batch_size, rate, rng):
        """Descent on batches of examples, in a new order in each epoch."""
        raise NotImplementedError


# Find the mistake. This program trains and trains, and prints .5 four times.

PAIRS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = np.array([[0.0], [1.0], [1.0], [0.0]])


def xor_outputs():
    """What a network says to the four pairs after it learned XOR."""
    network = Network([2, 4, 1], np.random.default_rng(0))
    network.weights = [np.zeros((2, 4)), np.zeros((4, 1))]
    network.sgd(PAIRS, XOR, epochs=3000, batch_size=4, rate=5.0, rng=np.random.default_rng(1))
    return network.feedforward(PAIRS)
