"""Small models to draw, made of modules that only look like nn's: drawings know no class of nn."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

import autograd_lite as ag


class Part:
    """A module: it has named parameters and named parts, and can be called."""

    def __init__(self, **members):
        self.__dict__.update(members)

    def named_modules(self, prefix=""):
        yield prefix, self
        for name, part in vars(self).items():
            if isinstance(part, Part):
                yield from part.named_modules(f"{prefix}.{name}" if prefix else name)

    def named_parameters(self):
        for prefix, module in self.named_modules():
            for name, x in vars(module).items():
                if isinstance(x, ag.Value):
                    yield f"{prefix}.{name}" if prefix else name, x


class Affine(Part):
    def __call__(self, x):
        return x @ self.weight + self.bias


class Tanh(Part):
    def __call__(self, x):
        return np.tanh(x)


class Network(Part):
    def __call__(self, x):
        for part in list(vars(self).values()):
            x = part(x)
        return x


def affine(rng, fan_in, fan_out):
    return Affine(
        weight=ag.Value(rng.normal(size=(fan_in, fan_out))), bias=ag.Value(np.zeros(fan_out))
    )


def network(*widths, seed=0):
    """Affine layers of these widths with tanh between them, called layer0, act0, layer1 …"""
    rng = np.random.default_rng(seed)
    parts = {}
    for index, (fan_in, fan_out) in enumerate(pairwise(widths)):
        if index:
            parts[f"act{index - 1}"] = Tanh()
        parts[f"layer{index}"] = affine(rng, fan_in, fan_out)
    return Network(**parts)


def cross_entropy(logits, labels):
    """Binary cross-entropy of logits and labels 0 or 1."""
    return np.mean(np.logaddexp(0.0, logits) - labels * logits)


def expression():
    """(a·b + c)·a: a is used twice."""
    a, b, c = ag.Value(2.0, label="a"), ag.Value(-3.0, label="b"), ag.Value(10.0, label="c")
    return (a * b + c) * a, [a, b, c]


def neuron():
    weights = [ag.Value(w, label=f"w{i}") for i, w in enumerate((0.5, -1.5, 0.25))]
    bias = ag.Value(0.1, label="bias")
    total = bias
    for w, x in zip(weights, (1.0, 2.0, -3.0), strict=True):
        total = total + w * x
    return np.tanh(total), [*weights, bias]


def mlp():
    model = network(2, 3, 1)
    inputs = np.array([[0.5, -1.0], [1.5, 0.3], [-0.7, 0.9], [0.2, 0.1]])
    labels = np.array([[1], [0], [1], [0]])
    loss = ag.Value(0.0) + cross_entropy(model(inputs), labels)
    for name, x in model.named_parameters():
        x.label = name
    return loss, [x for _, x in model.named_parameters()]
