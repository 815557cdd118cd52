"""Cases of functions applied slice by slice, and of sliding windows."""

from __future__ import annotations

from typing import Any

from autograd_lite.core.numpy_namespace import np
from tests.ops.cases.case import Case, complex_numbers, distinct, positive, real, row

MASKS = np.array([[True, False, False, True], [False, False, True, False]])

windows = np.lib.stride_tricks.sliding_window_view


def along(function: Any, axis: int, label: str, *args: Any, **keywords: Any) -> Case:
    return row(
        np.apply_along_axis,
        positive(2, 3, 4),
        label=f"{label},{axis}",
        call=lambda x: np.apply_along_axis(function, axis, x, *args, **keywords),
    )


ROWS: list[Case] = [
    row(windows, real(5), window_shape=3),
    row(windows, real(4, 5), window_shape=(2, 3)),
    row(windows, real(4, 5), window_shape=2, axis=0),
    row(windows, real(4, 5), window_shape=(2, 2), axis=(1, 1)),
    row(windows, complex_numbers(4), label="complex", window_shape=(2,)),
    *[along(np.sum, axis, "number") for axis in (0, 1, -1)],
    *[along(lambda x: x[:2] * x[-1], axis, "vector") for axis in (0, 1, -1)],
    *[along(lambda x: np.outer(x, x[:2]), axis, "matrix") for axis in (0, -1)],
    along(np.power, 1, "arguments", 2.5),
    along(lambda x, scale: x * scale, 1, "keywords", scale=2.0),
    row(
        np.apply_along_axis,
        complex_numbers(2, 3),
        label="complex",
        call=lambda x: np.apply_along_axis(np.cumprod, 1, x),
    ),
    *[
        row(
            np.apply_over_axes,
            real(2, 3, 4),
            label=f"{axes}",
            call=lambda x, axes=axes: np.apply_over_axes(np.sum, x, axes),
        )
        for axes in (0, -1, [0, 2], (0, 1, 2))
    ],
    row(
        np.apply_over_axes,
        real(2, 3),
        label="same shape",
        call=lambda x: np.apply_over_axes(np.cumsum, x, [0, 1]),
    ),
    row(
        np.piecewise,
        distinct(6),
        call=lambda x: np.piecewise(x, [x < 0, x > 0.4], [np.exp, lambda y: y * y, 3.0]),
    ),
    row(np.piecewise, distinct(6), call=lambda x: np.piecewise(x, x < 0, [np.sin]), label="one"),
    row(
        np.piecewise,
        distinct(7),
        label="of what is chosen",
        call=lambda x: np.piecewise(x, [x < 0, x > 0.3], [np.cumsum, lambda y: y * np.mean(y)]),
    ),
    row(
        np.piecewise,
        distinct(2, 3),
        label="rest",
        call=lambda x: np.piecewise(x, [x < 0], [lambda y: y**2, lambda y: y / np.sum(y)]),
    ),
    row(
        np.piecewise,
        real(4),
        label="array of masks",
        call=lambda x: np.piecewise(
            x,
            MASKS,
            [np.sin, np.exp],
        ),
    ),
    row(
        np.piecewise,
        positive(4),
        label="arguments",
        call=lambda x: np.piecewise(x, MASKS, [np.power, lambda y, n: n * y, 0.0], 2.5),
    ),
    row(np.piecewise, positive(), label="0d", call=lambda x: np.piecewise(x, [x > 0], [np.log])),
]
