"""Cases of running sums, products and extrema."""

from __future__ import annotations

from typing import Any

from autograd_lite.core.numpy_namespace import np
from tests.ops.cases.case import (
    Case,
    Rng,
    complex_numbers,
    distinct,
    domain,
    method,
    positive,
    real,
    row,
)


@domain
def near_one(rng: Rng, shape: tuple[int, ...]) -> Any:
    """Where powers of powers stay of moderate size."""
    return rng.uniform(0.8, 1.3, shape)


FOLDED = {
    np.subtract: real,
    np.divide: positive,
    np.power: near_one,
    np.float_power: near_one,
    np.hypot: positive,
    np.logaddexp: real,
    np.logaddexp2: real,
    np.arctan2: positive,
    np.heaviside: distinct,
    np.copysign: distinct,
    np.fmax: distinct,
    np.fmin: distinct,
}
"""Ufuncs that are folded over an axis, and where they are smooth."""

STEPPED = (np.floor_divide, np.remainder, np.fmod)
OFF_STEPS = np.array([[7.3], [3.1], [0.45], [0.13]])
"""All quotients along it are far from integers."""

SKIPPING = [(x, name) for x in (np.power, np.arctan2) for name in ("reduce", "reduceat")]
"""Folds that skip elements in NumPy's builds for AVX-512."""


STARTS = [0, 3, 1, 1]
"""Where the slices of the cases of ``reduceat`` begin."""


def step_by_step(function: Any, name: str, axis: int = 0) -> Any:
    """A reduction by running results, right everywhere; None where NumPy's own is right."""
    if (function, name) not in SKIPPING:
        return None

    def last(x: Any, start: int = 0, stop: int | None = None) -> Any:
        part = np.take(x, range(np.shape(x)[axis])[start:stop], axis)
        return np.take(function.accumulate(part, axis=axis), -1, axis)

    def along(x: Any) -> Any:
        if name == "reduce":
            return last(x)
        stops = [*STARTS[1:], np.shape(x)[axis]]
        slices = zip(STARTS, stops, strict=True)
        return np.stack([last(x, i, max(i + 1, j)) for i, j in slices], axis)

    return along


WITH_NAN = np.array([[0.0, np.nan, 0.0], [np.nan, 0.0, 0.0]])


def with_nan(function: Any, axis: int | None) -> Case:
    return row(
        function,
        real(2, 3),
        call=lambda x: function(x + WITH_NAN, axis=axis),
        label=f"nan,{axis}",
    )


ROWS: list[Case] = [
    *[
        row(function, real(2, 3), **keywords)
        for function in (np.cumsum, np.cumprod)
        for keywords in ({}, {"axis": 0}, {"axis": -1}, {"axis": 1, "dtype": np.float64})
    ],
    row(np.cumprod, real(2, 7), label="longer", axis=1),
    row(np.cumsum, real(2, 3), call=lambda x: np.cumsum(x, 1), label="x,1"),
    row(np.cumsum, real(), label="0d"),
    row(np.cumsum, complex_numbers(2, 3), label="complex", axis=0),
    row(np.cumprod, complex_numbers(2, 3), label="complex", axis=0),
    *[
        row(function, real(2, 3), axis=axis, include_initial=initial)
        for function in (np.cumulative_sum, np.cumulative_prod)
        for axis in (0, -1)
        for initial in (False, True)
    ],
    row(np.cumulative_sum, real(3)),
    row(np.cumulative_prod, real(3)),
    *[with_nan(function, axis) for function in (np.nancumsum, np.nancumprod) for axis in (None, 1)],
    *[
        method(function, "accumulate", distinct(4, 3), **keywords)
        for function in (np.add, np.multiply, np.maximum, np.minimum)
        for keywords in ({}, {"axis": 1})
    ],
    *[
        method(
            function,
            name,
            sample(4, 3),
            reference=step_by_step(function, name, **keywords),
            **keywords,
        )
        for function, sample in FOLDED.items()
        for name in ("accumulate", "reduce")
        for keywords in ({}, {"axis": 1})
    ],
    *[
        method(function, "reduce", sample(3, 2, 2), label=f"{keywords}", **keywords)
        for function, sample in ((np.logaddexp, real), (np.hypot, positive), (np.fmax, distinct))
        for keywords in ({"axis": None}, {"axis": (0, 2), "keepdims": True})
    ],
    *[
        method(np.logaddexp, "reduce", real(3, 2), label=f"{keywords}", **keywords)
        for keywords in (
            {"dtype": np.float64},
            {"axis": 1, "initial": 0.5},
            {"axis": -1, "keepdims": True, "initial": -np.inf},
        )
    ],
    method(np.subtract, "reduce", real(1, 3), label="one"),
    method(np.subtract, "reduce", real(2, 3), axis=()),
    method(np.subtract, "accumulate", complex_numbers(3), label="complex"),
    method(np.divide, "reduce", complex_numbers(3), label="complex"),
    *[
        method(
            function,
            "reduceat",
            sample(5, 2),
            call=lambda x, f=function, axis=axis: f.reduceat(x, STARTS, axis=axis),
            reference=step_by_step(function, "reduceat"),
            label=f"{axis}",
        )
        for function, sample in {
            **FOLDED,
            **dict.fromkeys((np.multiply, np.maximum, np.minimum), distinct),
        }.items()
        for axis in (0,)
    ],
    *[
        method(
            function,
            name,
            real(4, 2),
            call=lambda x, f=function, name=name, more=more: getattr(f, name)(
                OFF_STEPS + 0.01 * x, *more
            ),
        )
        for function in STEPPED
        for name, more in (("accumulate", ()), ("reduce", ()), ("reduceat", (STARTS,)))
    ],
    method(
        np.logaddexp, "reduceat", real(2, 5), call=lambda x: np.logaddexp.reduceat(x, [1, 4], -1)
    ),
    *[
        method(function, "accumulate", distinct(2, 3, 2), axis=1, label="of three axes")
        for function in (np.maximum, np.minimum)
    ],
    method(np.add, "reduceat", real(5, 2), call=lambda x: np.add.reduceat(x, [0, 2, 3])),
    method(
        np.add,
        "reduceat",
        real(2, 5),
        call=lambda x: np.add.reduceat(x, np.array([1, 3, 3, 2, 4]), axis=-1),
        label="unordered",
    ),
]
