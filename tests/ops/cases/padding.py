"""Cases of padding, in all modes."""

from __future__ import annotations

from autograd_lite.core.numpy_namespace import np
from tests.ops.cases.case import Case, complex_numbers, distinct, real, row

WIDTHS = ((1, 2), (0, 3))

ROWS: list[Case] = [
    row(np.pad, real(2, 3), call=lambda x: np.pad(x, 1)),
    row(np.pad, real(2, 3), call=lambda x: np.pad(x, WIDTHS), label="widths"),
    row(np.pad, real(2, 3), call=lambda x: np.pad(x, {-1: (1, 2)}), label="dict")
    if np.lib.NumpyVersion(np.__version__) >= "2.3.0"
    else row(np.pad, real(2, 3), call=lambda x: np.pad(x, (0, 2)), label="pair"),
    row(np.pad, real(2, 3), pad_width=WIDTHS, constant_values=(4, 5)),
    row(
        np.pad,
        real(2, 3),
        real(),
        label="a Value",
        call=lambda x, c: np.pad(x, WIDTHS, constant_values=c),
    ),
    row(
        np.pad,
        real(2, 3),
        real(2, 2),
        label="Values",
        call=lambda x, c: np.pad(x, WIDTHS, "constant", constant_values=c),
    ),
    row(
        np.pad,
        real(3),
        real(),
        label="a Value and a number",
        call=lambda x, c: np.pad(x, 2, constant_values=(c, np.float32(7))),
    ),
    *[
        row(np.pad, distinct(3, 5), label=f"{mode},{width}", pad_width=width, mode=mode)
        for mode in (
            "edge",
            "reflect",
            "symmetric",
            "wrap",
            "linear_ramp",
            "mean",
            "median",
            "maximum",
            "minimum",
        )
        for width in (1, WIDTHS)
    ],
    *[
        row(np.pad, distinct(4, 3), pad_width=1, mode=mode, stat_length=((2, 3), (1, 2)))
        for mode in ("mean", "median", "maximum", "minimum")
    ],
    *[
        row(np.pad, real(3, 4), pad_width=width, mode=mode, reflect_type="odd")
        for mode in ("reflect", "symmetric")
        for width in (2, ((0, 1), (5, 4)))
    ],
    row(np.pad, real(3), pad_width=(2, 3), mode="linear_ramp", end_values=(5, -4)),
    row(np.pad, complex_numbers(3), label="complex", pad_width=2, mode="reflect"),
    row(np.pad, real(3), call=lambda x: np.pad(x, 2, "empty")[2:-2], label="empty"),
]
