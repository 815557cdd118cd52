"""Programs written for micrograd run unchanged but for the import."""

from __future__ import annotations

import math
import random

import pytest

from autograd_lite import Value


def test_the_expression_of_micrograds_readme():
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert g.data == pytest.approx(24.70408163265306, rel=1e-15)
    assert a.grad == pytest.approx(138.83381924198252, rel=1e-14)
    assert b.grad == pytest.approx(645.5772594752186, rel=1e-14)


def test_relu_and_reuse_of_a_value():
    x = Value(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    assert (y.data, x.grad) == (-20.0, 46.0)


def test_its_training_loop():
    generator = random.Random(3)
    weights = [Value(generator.uniform(-1, 1)) for _ in range(2)]
    bias = Value(0)
    points = [(1.0, 2.0, 1.0), (-1.5, -0.5, -1.0), (2.0, 0.3, 1.0), (-0.2, -2.0, -1.0)]
    for _ in range(40):
        losses = [
            (1 + -label * (weights[0] * x + weights[1] * y + bias).tanh()).relu()
            for x, y, label in points
        ]
        loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(w * w for w in weights)
        for parameter in (*weights, bias):
            parameter.grad = 0
        loss.backward()
        for parameter in (*weights, bias):
            parameter.data -= 0.5 * parameter.grad
    assert loss.data < 0.06
    assert math.isfinite(weights[0].data)
    assert type(weights[0].data) is float
