"""Random programs of loops and branches, from the number that seeds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_lite as ag

__all__ = ["random_program"]

SHAPES = [(), (3,), (2, 3)]


class RandomProgram:
    """A function of three arrays, made of scans, branches and loops in each other.

    A step knows a pool of arrays; it combines some of them to others that stay bounded.
    What is drawn is drawn when the program is made, so that all calls do the same.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def choose(self, options: Any) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def expression(self, size: int) -> Callable[[list[Any]], Any]:
        """An array of the shape of one in the pool, computed from a few of them."""
        kind = self.choose([
            "one", "two", "two", "where", "sum", "product", "softmax", "part", "stopped",
            "checkpoint", "constant",
        ])  # fmt: skip
        i, j = (int(self.rng.integers(size)) for _ in range(2))
        unary = self.choose([np.sin, np.tanh, np.cos, lambda x: x / (1 + x * x), np.abs])
        binary = self.choose([np.add, np.multiply, np.maximum, lambda x, y: x - 0.5 * y])
        if kind == "one":
            return lambda pool: unary(pool[i])
        if kind == "two":
            return lambda pool: fit(np.tanh(binary(fit(pool[j], pool[i]), pool[i])), pool[i])
        if kind == "where":
            return lambda pool: np.where(pool[i] > 0.1, pool[i] * 0.5, unary(pool[i]))
        if kind == "sum":
            return lambda pool: np.tanh(pool[i] + np.sum(pool[j]) * 0.1)
        if kind == "product":
            matrix = self.rng.normal(size=(3, 3)) * 0.4
            return lambda pool: pool[i] @ matrix if np.ndim(pool[i]) else pool[i] * 0.9
        if kind == "softmax":
            return lambda pool: softmax(pool[i])
        if kind == "stopped":
            return lambda pool: np.tanh(ag.stop_gradient(np.sum(pool[j]) * 1.0) * pool[i])
        if kind == "checkpoint":
            again = ag.checkpoint(lambda x: np.sin(x) * x)
            return lambda pool: fit(np.tanh(again(pool[j])), pool[i])
        if kind == "constant":
            return lambda pool: 0.3 + np.zeros(np.shape(pool[i]))
        return lambda pool: pool[i] * (pool[j][0] if np.ndim(pool[j]) == 1 else 0.7)

    def choice(self, pool: int, depth: int) -> Callable[[list[Any]], Any]:
        """One result: an expression, or a loop or branch of its own."""
        kind = self.choose(["plain"] * (3 if depth else 5) + ["cond", "switch", "scan", "while"])
        if not depth or kind == "plain":
            return self.expression(pool)
        i = int(self.rng.integers(pool))
        if kind in ("cond", "switch"):
            branches = [self.choice(pool, depth - 1) for _ in range(2 if kind == "cond" else 3)]

            def taken(values: list[Any]) -> Any:
                called = [lambda b=b: fit(b(values), values[i]) for b in branches]
                if kind == "cond":
                    return ag.cond(np.sum(values[i]) > 0, *called)
                parts = np.stack([np.sum(np.sin(k * values[i])) for k in (1.0, 2.0, 3.0)])
                return ag.switch(np.argmax(parts), called)

            return taken
        step = self.choice(pool, depth - 1)
        if kind == "while":
            rate = float(self.rng.uniform(0.4, 0.7))

            def shrunk(values: list[Any]) -> Any:
                def shrink(x: Any) -> Any:
                    inside = [*values[:i], x, *values[i + 1 :]]
                    return rate * x + 0.01 * fit(step(inside), x)

                return ag.while_loop(lambda x: np.sum(x * x) > 0.1, shrink, values[i])

            return shrunk
        loop = self.loop(pool, depth - 1)
        return lambda values: fit(np.sum(loop(values)[1], axis=0) * 0.3, values[i])

    def loop(self, pool: int, depth: int) -> Callable[[list[Any]], Any]:
        """A scan over copies of an array in the pool."""
        n = int(self.rng.integers(1, 4))
        places = [int(self.rng.integers(pool)) for _ in range(n)]
        row = int(self.rng.integers(pool))
        length, is_reversed = int(self.rng.integers(0, 5)), bool(self.rng.integers(2))
        inner = pool + n + 1
        nexts = [
            self.choose(
                [self.choice(inner, depth), self.choice(inner, depth), int(self.rng.integers(n))]
            )
            for _ in range(n)
        ]
        result = self.choose([self.choice(inner, depth), int(self.rng.integers(n))])

        def run(values: list[Any]) -> Any:
            def step(carry: Any, x: Any) -> Any:
                known = [*values, *carry, x]
                found = [
                    fit(carry[k] if isinstance(k, int) else k(known), carry[index])
                    for index, k in enumerate(nexts)
                ]
                y = carry[result] if isinstance(result, int) else result(known)
                return tuple(found), y

            xs = np.stack([values[row] * k for k in np.arange(1.0, 5.0)])[:length]
            return ag.scan(step, tuple(values[p] for p in places), xs, reverse=is_reversed)

        return run


def fit(x: Any, like: Any) -> Any:
    """An array of another one's shape, made of a given one."""
    if np.shape(x) == np.shape(like):
        return x
    return np.broadcast_to(np.sum(x) * 0.2, np.shape(like)) + 0.0 * like


def softmax(x: Any) -> Any:
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def random_program(seed: int) -> tuple[Callable[..., Any], list[Any]]:
    """A function of a number, a vector and a matrix with one number as its result; and these."""
    rng = np.random.default_rng(seed)
    loop = RandomProgram(rng).loop(len(SHAPES), 2)
    point = [np.asarray(rng.normal(size=shape))[()] for shape in SHAPES]

    def program(*arrays: Any) -> Any:
        carry, ys = loop(list(arrays))
        total = sum(np.sum(np.sin(part)) for part in carry)
        return total + np.sum(ys * np.cos(ys))

    return program, point
