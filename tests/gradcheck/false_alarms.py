"""Correct derivatives at random points of every scale: each alarm is a false one.

The suite runs a few hundred checks; for thousands::

    python -m tests.gradcheck.false_alarms 10000
"""

import sys

import numpy as np

import autograd_lite as ag


def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def log_sum_exp(x):
    top = np.max(x, axis=-1, keepdims=True)
    return np.squeeze(top, -1) + np.log(np.sum(np.exp(x - top), axis=-1))


ANY, POSITIVE = "any", "positive"

FUNCTIONS = {
    "sin": (np.sin, (ANY,)),
    "tanh": (np.tanh, (ANY,)),
    "arctan": (np.arctan, (ANY,)),
    "square": (lambda x: x**2, (ANY,)),
    "cube": (lambda x: x**3, (ANY,)),
    "log": (np.log, (POSITIVE,)),
    "sqrt": (np.sqrt, (POSITIVE,)),
    "inverse": (lambda x: 1 / x, (ANY,)),
    "relu": (lambda x: np.maximum(x, 0), (ANY,)),
    "abs": (np.abs, (ANY,)),
    "where": (lambda x: np.where(x > 0, x * x, -x), (ANY,)),
    "bell": (lambda x: np.exp(-x * x), (ANY,)),
    "multiply": (lambda x, y: x * y, (ANY, ANY)),
    "divide": (lambda x, y: x / y, (ANY, POSITIVE)),
    "add": (lambda x, y: x + y, (ANY, ANY)),
    "hypotenuse": (lambda x, y: np.sqrt(x * x + y * y), (ANY, ANY)),
    "logaddexp": (np.logaddexp, (ANY, ANY)),
    "matmul": (lambda x, y: x @ y.T, (ANY, ANY)),
    "sum": (np.sum, (ANY,)),
    "mean": (lambda x: np.mean(x, axis=0), (ANY,)),
    "running sum": (lambda x: np.cumsum(x, axis=0), (ANY,)),
    "sum of squares": (lambda x: np.sum(x**2), (ANY,)),
    "product": (lambda x: np.prod(x, axis=1), (ANY,)),
    "maximum": (lambda x: np.max(x, axis=1), (ANY,)),
    "deviation": (lambda x: np.std(x, axis=0), (ANY,)),
    "softmax": (softmax, (ANY,)),
    "log-sum-exp": (log_sum_exp, (ANY,)),
    "normalize": (lambda x: (x - np.mean(x)) / np.std(x), (ANY,)),
    "transpose": (np.transpose, (ANY,)),
}


def draw(domain, shape, scale, dtype, rng):
    numbers = rng.normal(size=shape)
    if domain == POSITIVE:
        numbers = np.abs(numbers) + 0.1
    return (scale * numbers).astype(dtype)


def run(count, seed):
    """Check at random points; return a description of each alarm."""
    rng = np.random.default_rng(seed)
    alarms = []
    names = list(FUNCTIONS)
    for index in range(count):
        name = names[index % len(names)]
        function, domains = FUNCTIONS[name]
        scale = 10.0 ** rng.uniform(-8, 8)
        dtype = (np.float32, np.float64)[index // len(names) % 2]
        shape = (int(rng.integers(1, 5)), int(rng.integers(2, 5)))
        args = [draw(domain, shape, scale, dtype, rng) for domain in domains]
        with np.errstate(all="ignore"):
            report = ag.gradcheck(function, *args, rng=index, raise_error=False)
        if not report:
            alarms.append(f"{name} at scale {scale:.1e} in {np.dtype(dtype)}: {report}")
    return alarms


if __name__ == "__main__":
    total = int(sys.argv[1])
    found = run(total, seed=1)
    print(*found, f"{len(found)} false alarms in {total} checks", sep="\n")
