"""Nothing global changes while graphs are built and swept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

import autograd_lite as ag

ROUNDS = 300


def nested_gradients(seed: int) -> list[float]:
    rng = np.random.default_rng(seed)

    def inner(x, y):
        return np.sum(np.tanh(x * y) * np.sin(y))

    def outer(x):
        return np.sum(ag.grad(inner, 1)(x, x * 2) ** 2)

    results = []
    for _ in range(ROUNDS):
        x = rng.normal(size=3)
        results.extend(ag.grad(outer)(x))
        with ag.no_grad():
            results.append(float(np.sum(x)))
    return results


def test_eight_threads_give_the_results_of_one_bit_for_bit():
    expected = [nested_gradients(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(nested_gradients, range(8))) == expected


def test_no_grad_in_one_thread_does_not_reach_another():
    with ThreadPoolExecutor(1) as pool, ag.no_grad():
        assert not (ag.Value(1.0) * 2).requires_grad
        assert pool.submit(lambda: (ag.Value(1.0) * 2).requires_grad).result()
