"""Cases of differences, integrals, interpolation and convolution."""

from __future__ import annotations

from autograd_lite.core.numpy_namespace import np
from tests.ops.cases.case import Case, complex_numbers, increasing, positive, real, row

PLACES = np.array([0.0, 0.5, 2.0, 2.5, 4.0, 4.5])
FAR_AND_NEAR = np.array([-1.0, 0.2, 2.2, 5.0])
"""Beyond both ends of the data, and inside two segments."""
EVEN = np.array([1, 3, 5, 7])
LENGTHS = [(5, 3), (3, 5), (4, 4), (5, 2), (2, 6), (1, 3), (6, 4), (4, 7)]


ROWS: list[Case] = [
    row(np.diff, real(2, 4)),
    row(np.diff, real(4, 3), n=2, axis=0),
    row(np.diff, real(2, 4), n=0),
    row(
        np.diff,
        real(4),
        real(2),
        label="edges",
        call=lambda x, y: np.diff(x, prepend=y, append=1.0),
    ),
    row(np.diff, real(2, 3), label="scalar edges", axis=0, prepend=2.0),
    row(np.ediff1d, real(2, 3)),
    row(np.ediff1d, real(4), to_end=[7.0], to_begin=8.0),
    row(np.gradient, real(6)),
    row(np.gradient, real(3, 4), label="all axes"),
    row(np.gradient, real(3, 7), axis=-1, edge_order=2),
    row(np.gradient, real(2, 3), axis=(1, 0)),
    row(np.gradient, real(3, 3), label="edges", axis=0, edge_order=2),
    row(np.gradient, real(2), label="two"),
    row(np.gradient, real(6), call=lambda f: np.gradient(f, 0.5), label="step"),
    row(np.gradient, real(6), call=lambda f: np.gradient(f, PLACES), label="places"),
    row(
        np.gradient,
        real(2, 6),
        label="both",
        call=lambda f: np.gradient(f, 0.5, PLACES, edge_order=1),
    ),
    row(
        np.gradient, real(6), label="places,2", call=lambda f: np.gradient(f, PLACES, edge_order=2)
    ),
    row(np.gradient, complex_numbers(5), label="complex"),
    row(np.gradient, real(2, 4), label="even places", call=lambda f: np.gradient(f, 2.0, EVEN)),
    row(np.gradient, real(3), positive(), label="step of a Value"),
    row(np.gradient, real(3, 2), positive(), positive(), label="steps", edge_order=1),
    *[
        row(
            np.gradient,
            real(2, 6),
            real(6),
            label=f"places of a Value,{order}",
            call=lambda f, x, order=order: np.gradient(
                f, np.astype(PLACES, x.dtype) + 0.1 * x, axis=1, edge_order=order
            ),
        )
        for order in (1, 2)
    ],
    row(
        np.gradient,
        positive(),
        label="places alone",
        call=lambda h: np.gradient(np.arange(5) ** 3, h, edge_order=2),
    ),
    row(np.trapezoid, real(2, 4)),
    row(np.trapezoid, real(4, 2), dx=0.5, axis=0),
    row(np.trapezoid, real(2, 4), increasing(4), label="x"),
    row(np.trapezoid, real(3, 2), real(3, 2), label="x of all", axis=0),
    row(np.unwrap, real(5), call=lambda x: np.unwrap(x + PLACES[:5] * 9)),
    row(np.unwrap, real(2, 5), axis=0, period=1.7),
    *[
        row(
            np.interp,
            real(4),
            real(),
            real(6),
            label=f"{left},{right}",
            call=lambda x, shift, f, left=left, right=right: np.interp(
                FAR_AND_NEAR + 0.05 * x, PLACES + 0.05 * shift, f, left=left, right=right
            ),
        )
        for left, right in ((None, None), (7.0, None), (None, 8.0), (7.0, 8.0))
    ],
    row(
        np.interp,
        real(5),
        real(6),
        label="heights beyond the places",
        call=lambda x, f: np.interp(
            (PLACES[:-1] + PLACES[1:]) / 2 + 0.05 * x, PLACES, f + 50, left=7.0, right=8.0
        ),
    ),
    row(
        np.interp,
        real(2, 2),
        increasing(5),
        real(5),
        label="shape",
        call=lambda x, xp, f: np.interp(0.2 * x + 2.2, xp, f),
    ),
    row(
        np.interp,
        real(4),
        real(3),
        label="period",
        call=lambda x, f: np.interp(0.1 * x + FAR_AND_NEAR, [0.0, 5.0, 2.7], f, period=4.0),
    ),
    row(
        np.interp,
        complex_numbers(6),
        label="complex",
        call=lambda f: np.interp(FAR_AND_NEAR, PLACES, f),
    ),
    row(np.linspace, real(), real(), num=5),
    row(np.linspace, real(2), real(3, 1), num=4, endpoint=False, axis=-1),
    row(np.linspace, real(2), call=lambda x: np.linspace(x, 7.0, 3), label="to a number"),
    row(np.linspace, complex_numbers(), complex_numbers(), label="complex", num=3),
    row(np.logspace, real(), real(), num=4),
    row(
        np.logspace,
        real(2),
        label="base",
        call=lambda x: np.logspace(x, 0.5, num=3, base=2.0, endpoint=False),
    ),
    row(
        np.logspace,
        positive(),
        label="base of a Value",
        call=lambda b: np.logspace(0.0, 2.0, num=3, base=b),
    ),
    *[
        row(
            np.logspace,
            real(2),
            positive(3, 1),
            label=f"bases,{axis}",
            call=lambda x, b, axis=axis: np.logspace(x, 1.0, num=3, base=b, axis=axis),
        )
        for axis in (0, -1)
    ],
    row(np.geomspace, positive(), positive(), num=5),
    row(np.geomspace, positive(2), positive(3, 1), num=4, endpoint=False, axis=-1),
    row(np.geomspace, positive(), positive(), label="one", num=1),
    row(np.geomspace, positive(2), call=lambda x: np.geomspace(-x, -9.0, 4), label="negative"),
    row(
        np.geomspace,
        complex_numbers(),
        label="complex",
        call=lambda z: np.geomspace(3 + 0.2 * z, 2j, 4),
    ),
    *[
        row(function, real(n), real(m), label=f"{n},{m},{mode}", mode=mode)
        for function in (np.convolve, np.correlate)
        for n, m in LENGTHS
        for mode in ("full", "same", "valid")
    ],
    *[
        row(function, complex_numbers(4), complex_numbers(3), label="complex", mode="same")
        for function in (np.convolve, np.correlate)
    ],
    row(np.correlate, complex_numbers(3), complex_numbers(4), label="complex, swapped"),
]
