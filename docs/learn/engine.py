"""An engine, a network and its training, in a hundred lines: ``python docs/learn/engine.py``."""

import math
import random
from itertools import count, pairwise

serials = count()


class Value:
    """A number that knows what it was computed from, and how it reacts to it."""

    def __init__(self, data, inputs=(), slopes=()):
        self.data, self.inputs, self.slopes = data, inputs, slopes
        self.grad, self.serial = None, next(serials)

    def __add__(self, other):
        other = as_value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = as_value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def relu(self):
        return Value(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def __rsub__(self, other):
        return self * -1.0 + other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        """Add to ``grad`` of every leaf how fast this number changes with it."""
        gradients = {self: 1.0}
        for node in sorted(ancestors(self), key=lambda node: node.serial, reverse=True):
            g = gradients[node]
            for x, slope in zip(node.inputs, node.slopes, strict=True):
                gradients[x] = gradients.get(x, 0.0) + g * slope
            if not node.inputs:
                node.grad = g if node.grad is None else node.grad + g


def as_value(x):
    return x if isinstance(x, Value) else Value(x)


def ancestors(result):
    """The number itself and all that it was computed from, each once."""
    found, waiting = {result}, [result]
    while waiting:
        for x in waiting.pop().inputs:
            if x not in found:
                found.add(x)
                waiting.append(x)
    return found


def moons(n, rng):
    """Points on two half circles that reach into each other, and their signs."""
    for i in range(n):
        angle, sign = rng.uniform(0.0, math.pi), 1.0 - 2.0 * (i % 2)
        x, y = sign * math.cos(angle) + i % 2, sign * math.sin(angle) + 0.5 * (i % 2)
        yield (x + rng.gauss(0.0, 0.1), y + rng.gauss(0.0, 0.1)), sign


def network(sizes, rng, number=Value):
    """Layers of units; a unit is its weights, one for each input, and its bias."""
    return [
        [([number(rng.gauss(0.0, n**-0.5)) for _ in range(n)], number(0.0)) for _ in range(m)]
        for n, m in pairwise(sizes)
    ]


def score(layers, signals):
    """Positive for one moon, negative for the other."""
    for layer in layers:
        sums = [sum((w * x for w, x in zip(ws, signals, strict=True)), b) for ws, b in layer]
        signals = [z.relu() for z in sums]
    return sums[0]


def train(layers, points, steps, rate=0.5):
    """Descend against the gradient of the mean hinge loss, and yield the losses."""
    parameters = [p for layer in layers for ws, b in layer for p in (*ws, b)]
    for _ in range(steps):
        loss = sum((1.0 - sign * score(layers, x)).relu() for x, sign in points) * (1 / len(points))
        for p in parameters:
            p.grad = None
        loss.backward()
        for p in parameters:
            p.data -= rate * p.grad
        yield loss.data


if __name__ == "__main__":
    rng = random.Random(0)
    points, layers = list(moons(40, rng)), network([2, 12, 1], rng)
    for step, loss in enumerate(train(layers, points, 100)):
        print(step, round(loss, 4))
