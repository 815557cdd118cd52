"""Mistakes that type checkers find: each line marked as wrong is refused by both, and no other.

It is not run; `.ci/packages.py` has it checked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd_lite as ag
import nn
from nn.estimators import MLPClassifier
from nn.training.callbacks import Run

Array = NDArray[np.float64]
W, X, Y = np.ones(3), np.eye(3), np.zeros(3)


def loss(w: Array, x: Array, y: Array) -> Any:
    return np.mean((np.tanh(x @ w) - y) ** 2)


@ag.primitive
def softplus(x: Array) -> Any:
    return np.logaddexp(0, x)


class Late(nn.Callback):
    def after_epoch(self, run: Run, late: bool) -> None:  # wrong: an argument that nobody passes
        run.stop("late")


def functions() -> None:
    ag.grad(loss)(W, X)  # wrong: y is missing
    ag.grad(loss, argnums=1)  # wrong: it is called argnum
    ag.value_and_grad(loss)(W, X, targets=Y)  # wrong: it is called y
    ag.compile(loss)(W, X, Y, 1.0)  # wrong: one argument too many
    ag.compile(loss, checks=False)  # wrong: it is called check
    ag.compile(loss, backend="cuda")  # wrong: there is none of this name
    ag.while_loop(lambda x, y: x < y, lambda x: x + 1, 0.0)  # wrong: one value is handed on
    ag.checkpoint(loss)("w", X, Y)  # wrong: a string in the place of an array
    ag.vmap(loss, in_axis=0)  # wrong: it is called in_axes
    print(ag.gradcheck(softplus, W).hint)  # wrong: they are called hints
    softplus.defvjp(2.0)  # wrong: a rule is a function


def values() -> None:
    v = ag.Value([1.0, 2.0], requires_gradient=False)  # wrong: it is called requires_grad
    v.backwards()  # wrong: it is called backward
    total: float = v @ v  # wrong: it is a Value
    print(v.grad.shape, total)  # wrong: None before backward()
    ag.draw(v).save()  # wrong: where to?


def networks() -> None:
    model = nn.MLP(3, [4, 1])
    nn.fit(model, X, Y, epochs=5)  # wrong: a loss is missing
    nn.fit(model, X, Y, loss="mse", epochs="5")  # wrong: a string in the place of a number
    nn.save(model, Path("model.npz")).close()  # wrong: it is no file
    print(nn.load("model.npz").weight)  # wrong: not every module has one
    MLPClassifier((4,)).predict(X, Y)  # wrong: one argument too many
