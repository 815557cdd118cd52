"""Unit: one threshold unit that learns sample by sample."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score

import autograd_lite as ag

__all__ = ["Unit"]

MASK = 0xFFFFFFFF
"""Of numbers of 32 bits."""


class Unit:
    """A unit that learns as scikit-learn's stochastic gradient descent would have it.

    ``options`` is the Perceptron, whose arguments it goes by.  For data that come as a sparse
    matrix the bias learns a hundred times slower, and the penalty "l1" pulls the weights of
    what is stored alone.
    """

    def __init__(self, options: Any, coef: Any, intercept: Any, is_dense: bool) -> None:
        self.options = options
        self.coef = np.array(coef, np.float64)
        self.intercept = float(intercept)
        self.is_dense = is_dense
        self.intercept_decay = 1.0 if is_dense else 0.01
        self.everywhere = np.ones(self.coef.shape, bool)
        self.squares = self.sizes = 0.0
        self._measure()
        self.best = np.inf
        self.waited = 0
        self.pull = 0.0
        self.pulled = np.zeros_like(self.coef)
        self.l1_ratio = {"l2": 0.0, "l1": 1.0, "elasticnet": options.l1_ratio, None: 0.0}[
            options.penalty
        ]

    def learn(
        self, x: Any, y: Any, weight: Any, plain_weight: Any, aside: Any, seed: int, epochs: int
    ) -> int:
        """Learn from the samples, those set aside excepted; the number of epochs it took."""
        order = np.arange(len(y))
        for epoch in range(1, epochs + 1):
            if self.options.shuffle:
                shuffle(order, seed)
            kept = order[~aside[order]]
            total = sum(self._see(x[i], y[i], weight[i]) for i in kept)
            if not (np.isfinite(self.coef).all() and np.isfinite(self.intercept)):
                raise ag.ArgumentValueError(
                    f"Floating-point under-/overflow occurred at epoch #{epoch}. Scaling input "
                    "data with StandardScaler or MinMaxScaler might help."
                )
            mean = total / len(kept)
            if self.options.verbose:
                print(f"Epoch {epoch}, loss = {mean:.8f}")
            if self.options.early_stopping:
                decided = np.where(x[aside] @ self.coef + self.intercept > 0, 1.0, -1.0)
                mean = -accuracy_score(y[aside], decided, sample_weight=plain_weight[aside])
            if self._is_over(mean):
                break
        return epoch

    def _see(self, x: Any, y: float, weight: float) -> float:
        """Learn from one sample; what it adds to the objective."""
        options = self.options
        total = float(x @ self.coef) + self.intercept
        loss = -total * y if total * y <= 0 else 0.0
        if options.penalty is not None:
            ridge, lasso = 0.5 * self.squares, self.sizes
            loss += options.alpha * ((1 - self.l1_ratio) * ridge + self.l1_ratio * lasso)
            if options.penalty != "l1":
                kept = max(0.0, 1 - (1 - self.l1_ratio) * options.eta0 * options.alpha)
                self.coef *= kept
                self.squares, self.sizes = self.squares * kept**2, self.sizes * kept
        step = options.eta0 * y * weight if total * y <= 0 else 0.0
        if step:
            self.coef += step * x
            self._measure()
            if options.fit_intercept:
                self.intercept += step * self.intercept_decay
        if options.penalty in ("l1", "elasticnet"):
            self._shrink(self.everywhere if self.is_dense else x != 0)
        return loss

    def _measure(self) -> None:
        """Norms for the objective; as in scikit-learn they are those before the last pull to 0."""
        self.squares = float(self.coef @ self.coef)
        self.sizes = float(np.sum(np.abs(self.coef)))

    def _shrink(self, seen: Any) -> None:
        """Pull weights to 0 by what was missed, but not beyond (Y. Tsuruoka et al., 2009)."""
        self.pull += self.l1_ratio * self.options.eta0 * self.options.alpha
        before = self.coef[seen]
        due = np.where(before > 0, self.pull + self.pulled[seen], self.pull - self.pulled[seen])
        after = np.sign(before) * np.maximum(0.0, np.abs(before) - due)
        self.coef[seen] = after
        self.pulled[seen] += after - before

    def _is_over(self, objective: float) -> bool:
        """Whether nothing has improved for long enough."""
        options = self.options
        improved = options.tol is None or not objective > self.best - options.tol
        self.waited = 0 if improved else self.waited + 1
        self.best = min(self.best, objective)
        return bool(self.waited >= options.n_iter_no_change)


def shuffle(order: Any, seed: int) -> None:
    """Shuffle in place as scikit-learn's descent does: Fisher and Yates, by an xorshift."""
    n = len(order)
    for i, draw in zip(range(n - 1), xorshift(seed), strict=False):
        j = i + draw % (n - i)
        order[i], order[j] = order[j], order[i]


def xorshift(seed: int) -> Iterator[int]:
    """Numbers of 31 bits (G. Marsaglia, "Xorshift RNGs", 2003)."""
    state = int(seed) or 1
    while True:
        state ^= (state << 13) & MASK
        state ^= state >> 17
        state ^= (state << 5) & MASK
        yield state & 0x7FFFFFFF
