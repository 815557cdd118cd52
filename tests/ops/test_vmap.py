"""Every row of the table: mapped over samples it is what it is for each, and so is its gradient.

Set AUTOGRAD_LITE_NIGHTLY to run all rows instead of every sixth.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.tree import flatten
from tests.ops.cases import CASES
from tests.ops.cases.case import Case
from tests.ops.numerical import random_like

STEP = 1 if os.environ.get("AUTOGRAD_LITE_NIGHTLY") else 6
COUNT = 3

NO_ARRAYS = {"array2string", "array_repr", "array_str", "common_type", "einsum_path", "result_type"}
NO_ARRAYS |= {"min_scalar_type", "save", "savetxt", "savez", "savez_compressed"}
"""Functions that answer with something else than arrays, of all samples as of one."""

ONE_BY_ONE = "or call ag.map, which takes the samples one by one"

OF_LAYOUT = {"power.reduceat(0)", "arctan2.reduceat(0)"}
"""NumPy itself folds what is not associative in an order that depends on how an array lies."""

ASKING = {"geomspace", "poly", "polydiv", "trim_zeros"}
"""Functions that may ask for the numbers of a sample, and are refused if differentiated."""


def asks_for_numbers(case: Case) -> bool:
    name = getattr(case.function, "__name__", "")
    return name in ASKING or "(emath" in case.name


def name_of(case: Case) -> str:
    return case.name


ROWS = [
    case
    for case in CASES
    if getattr(case.function, "__name__", "") not in NO_ARRAYS and case.name not in OF_LAYOUT
]


def gradient_of(case: Case, weights: Any) -> Any:
    def gradient(*inputs: Any) -> list[Any]:
        results, pullback = ag.vjp(lambda *xs: flatten(case.call(*xs)), *inputs)
        cotangents = [
            w if np.iscomplexobj(result) else np.real(w)
            for w, result in zip(weights, results, strict=True)
        ]
        return list(pullback(cotangents))

    return gradient


def assert_loop(function: Any, plain: Any, axes: list[int | None], draws: list[list[Any]]) -> None:
    """Compare the mapped function with what it is on the plain arrays of each draw."""
    columns = [
        draws[0][i] if axis is None else np.stack([draw[i] for draw in draws], axis=axis)
        for i, axis in enumerate(axes)
    ]
    found = ag.vmap(lambda *xs: flatten(function(*xs)), tuple(axes))(*columns)
    rows = [
        flatten(plain(*(draws[0 if axis is None else n][i] for i, axis in enumerate(axes))))
        for n in range(COUNT)
    ]
    for x, parts in zip(found, zip(*rows, strict=True), strict=True):
        y = np.stack(parts)
        assert x.shape == y.shape
        assert x.dtype == y.dtype
        size = max(1.0, float(np.max(np.abs(y), initial=0.0, where=np.isfinite(y))))
        np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-11 * size)


@pytest.mark.filterwarnings("ignore::autograd_lite.AutogradWarning")
@pytest.mark.parametrize("case", ROWS[::STEP], ids=name_of)
def test_mapped_is_what_the_loop_is(case):
    draws = [case.draw(seed) for seed in range(COUNT)]
    every: list[int | None] = [0] * len(case.domains)
    last: list[int | None] = [-1] * len(case.domains)
    first: list[int | None] = [0, *[None] * (len(case.domains) - 1)]
    for axes in (every, last, first):
        assert_loop(case.call, case.reference, axes, draws)
    if not case.derivatives:
        return
    weights = random_like(np.random.default_rng(5), flatten(case.reference(*draws[0])))
    gradient = gradient_of(case, weights)
    for axes in (every, first):
        try:
            assert_loop(gradient, gradient, axes, draws)
        except ag.UnsupportedError as refusal:
            assert asks_for_numbers(case)
            assert str(refusal).endswith(ONE_BY_ONE)
