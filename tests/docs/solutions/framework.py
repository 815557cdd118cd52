"""A right answer to the workshop of this name."""

from itertools import pairwise

import numpy as np


class Linear:
    """y = x W + b, with W of the shape (n_in, n_out)."""

    def __init__(self, n_in, n_out, rng):
        self.weight = rng.normal(0.0, np.sqrt(2 / n_in), (n_in, n_out))
        self.bias = np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.weight + self.bias

    def backward(self, g):
        """Set weight_gradient and bias_gradient (BP4 and BP3), return the gradient in x."""
        self.weight_gradient = self.x.T @ g
        self.bias_gradient = g.sum(axis=0)
        return g @ self.weight.T

    def step(self, rate):
        """One step of descent, from the gradients that backward set."""
        self.weight -= rate * self.weight_gradient
        self.bias -= rate * self.bias_gradient


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
        powers = np.exp(z - z.max(axis=1, keepdims=True))
        self.p = powers / powers.sum(axis=1, keepdims=True)
        return self.p

    def backward(self, g):
        return self.p * (g - np.sum(g * self.p, axis=1, keepdims=True))

    def step(self, rate):
        pass


class CrossEntropyLoss:
    """The mean over the rows of -ln p[label]."""

    def forward(self, p, labels):
        self.p, self.rows, self.labels = p, np.arange(len(p)), labels
        return -np.mean(np.log(p[self.rows, labels]))

    def backward(self):
        """The gradient in p."""
        g = np.zeros_like(self.p)
        g[self.rows, self.labels] = -1 / (len(self.p) * self.p[self.rows, self.labels])
        return g


class Net:
    """Linear layers of these sizes, ReLU between them, Softmax at the end."""

    def __init__(self, sizes, rng):
        self.layers = []
        for n, m in pairwise(sizes):
            self.layers += [Linear(n, m, rng), ReLU()]
        self.layers[-1] = Softmax()
        self.loss = CrossEntropyLoss()

    def forward(self, x):
        """The probabilities."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def learn(self, x, labels, rate):
        """One step of descent on a batch; return the loss before it."""
        loss = self.loss.forward(self.forward(x), labels)
        g = self.loss.backward()
        for layer in reversed(self.layers):
            g = layer.backward(g)
            layer.step(rate)
        return loss
