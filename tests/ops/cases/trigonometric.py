"""Cases of trigonometric and hyperbolic functions."""

from __future__ import annotations

from autograd_lite.core.numpy_namespace import np
from tests.ops.cases.case import (
    Case,
    above_one,
    complex_numbers,
    inside_unit,
    nonzero,
    real,
    row,
)

ROWS: list[Case] = [
    *[
        row(function, real(2, 3))
        for function in (np.deg2rad, np.radians, np.rad2deg, np.degrees, np.i0)
    ],
    row(np.i0, real(3), call=lambda x: np.i0(10 * x), label="large"),
    row(np.sin, real(2, 3)),
    row(np.cos, real(2, 3)),
    row(np.tan, inside_unit(2, 3)),
    row(np.arcsin, inside_unit(2, 3)),
    row(np.arccos, inside_unit(2, 3)),
    row(np.arctan, real(2, 3)),
    row(np.arctan2, nonzero(2, 3), nonzero(2, 3)),
    row(np.sinh, real(2, 3)),
    row(np.cosh, real(2, 3)),
    row(np.tanh, real(2, 3)),
    row(np.arcsinh, real(2, 3)),
    row(np.arccosh, above_one(2, 3)),
    row(np.arctanh, inside_unit(2, 3)),
    row(np.sinc, real(2, 3)),
    *[
        row(function, complex_numbers(3), label="complex")
        for function in (
            np.sin,
            np.cos,
            np.tan,
            np.arctan,
            np.sinh,
            np.cosh,
            np.tanh,
            np.arcsin,
            np.arccos,
            np.arcsinh,
            np.arccosh,
            np.arctanh,
        )
    ],
]
