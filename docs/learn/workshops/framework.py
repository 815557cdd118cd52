"""Workshop: a framework of your own, that learns to read digits.

Copy this file, fill in what raises NotImplementedError, and grade it where it lies:
``python -m docs.learn.check framework``. NumPy is all you need. Examples are rows: x has the shape
(n, n_in). Every ``backward`` gets the gradient of the loss in what ``forward`` returned, and
returns the gradient in what ``forward`` was given.
"""

import numpy as np


class Linear:
    """y = x W + b, with W of the shape (n_in, n_out)."""

    def __init__(self, n_in, n_out, rng):
        self.weight = rng.normal(0.0, np.sqrt(2 / n_in), (n_in, n_out))
        self.bias = np.zeros(n_out)

    def forward(self, x):
        raise NotImplementedError  # keep x, backward needs it

    def backward(self, g):
        """Set weight_gradient and bias_gradient (BP4 and BP3), return the gradient in x."""
        raise NotImplementedError

    def step(self, rate):
        """One step of descent, from the gradients that backward set."""
        raise NotImplementedError


class ReLU:
    """max(x, 0); this one is given."""

    def forward(self, x):
        self.is_on = x > 0
        return x * self.is_on

    def backward(self, g):
        return g * self.is_on

    def step(self, rate):
        pass


class Softmax:
    """Probabilities: exp(z) / sum(exp(z)) along each row, for logits of 1000 too."""

    def forward(self, z):
        raise NotImplementedError

    def backward(self, g):
        raise NotImplementedError

    def step(self, rate):
        pass


class CrossEntropyLoss:
    """The mean over the rows of -ln p[label]."""

    def forward(self, p, labels):
        raise NotImplementedError

    def backward(self):
        """The gradient in p."""
        raise NotImplementedError


class Net:
    """Linear layers of these sizes, ReLU between them, Softmax at the end."""

    def __init__(self, sizes, rng):
        raise NotImplementedError

    def forward(self, x):
        """The probabilities."""
        raise NotImplementedError

    def learn(self, x, labels, rate):
        """One step of descent on a batch; return the loss before it."""
        raise NotImplementedError
