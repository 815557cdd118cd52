"""The table of losses: each with targets and the losses that belong to them, by other means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import special
from scipy.spatial import distance

import nn

RNG = np.random.default_rng(0)
PREDICTION, TARGET = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 3))
LABELS = np.array([0, 2, 1, 1, 0, 2])
COUNTS = RNG.poisson(2.0, (6, 3)).astype(float)
PROBABILITIES = np.array([[0.2, 0.3, 0.5], [1, 0, 0], [0, 0.5, 0.5], *np.eye(3)])
OTHERS = np.where(nn.one_hot(LABELS, 3) == 1, -np.inf, PREDICTION).max(axis=1)
MARGINS = PREDICTION[np.arange(6), LABELS] - OTHERS
YES_NO = np.array([[0.0, 1, 1], [1, 0, 0], [0, 0, 1], [1, 1, 1], [0, 0, 0], [0.3, 0.5, 0.9]])


class Case(NamedTuple):
    """A row: the loss of `PREDICTION` and these targets is, sample by sample, what is expected."""

    loss: Callable[..., Any]
    target: Any
    expected: Any
    linear: bool = False  # between its kinks, so that second derivatives are 0


CASES = {
    "mse": Case(nn.mse, TARGET, (PREDICTION - TARGET) ** 2),
    "mae": Case(nn.mae, TARGET, np.abs(PREDICTION - TARGET), linear=True),
    "huber": Case(nn.huber, TARGET, special.huber(1.0, PREDICTION - TARGET)),
    "log_cosh": Case(nn.log_cosh, TARGET, np.log(np.cosh(PREDICTION - TARGET))),
    "quadratic": Case(nn.quadratic, TARGET, 0.5 * ((PREDICTION - TARGET) ** 2).sum(axis=1)),
    "poisson": Case(nn.poisson, COUNTS, np.exp(PREDICTION) - COUNTS * PREDICTION),
    "cosine": Case(
        nn.losses.cosine,
        TARGET,
        [distance.cosine(p, t) for p, t in zip(PREDICTION, TARGET, strict=True)],
    ),
    "nll": Case(nn.nll, LABELS, -PREDICTION[np.arange(6), LABELS], linear=True),
    "multilabel": Case(
        nn.losses.multilabel,
        YES_NO,
        special.kl_div(YES_NO, special.expit(PREDICTION)).sum(axis=1)
        + special.kl_div(1 - YES_NO, special.expit(-PREDICTION)).sum(axis=1)
        + special.entr(YES_NO).sum(axis=1)
        + special.entr(1 - YES_NO).sum(axis=1),
    ),
    "kl_divergence": Case(
        nn.kl_divergence,
        PROBABILITIES,
        special.rel_entr(PROBABILITIES, special.softmax(PREDICTION, axis=1)).sum(axis=1),
    ),
    "hinge": Case(nn.hinge, LABELS, np.maximum(0, 1 - MARGINS), linear=True),
    "squared_hinge": Case(nn.squared_hinge, LABELS, np.maximum(0, 1 - MARGINS) ** 2),
    "perceptron": Case(nn.losses.perceptron, LABELS, np.maximum(0, -MARGINS), linear=True),
    "cross_entropy": Case(
        nn.cross_entropy,
        LABELS,
        -special.log_softmax(PREDICTION, axis=1)[np.arange(6), LABELS],
    ),
    "binary_cross_entropy": Case(
        nn.binary_cross_entropy,
        YES_NO,
        -YES_NO * special.log_expit(PREDICTION) - (1 - YES_NO) * special.log_expit(-PREDICTION),
    ),
}
