"""Cases of SciPy's interpolation: curves through points, and values on a grid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import interpolate

import autograd_lite as ag
from tests.ops.cases.case import (
    Case,
    Domain,
    Rng,
    complex_numbers,
    distinct,
    domain,
    real,
    row,
)


@domain
def near_whole(rng: Rng, shape: tuple[int, ...]) -> Any:
    """Increasing, and none far from 0, 1, 2, …"""
    return np.arange(shape[-1]) + rng.uniform(-0.1, 0.1, shape)


@domain
def between(rng: Rng, shape: tuple[int, ...]) -> Any:
    """Within four points that are nearly whole numbers, and far from each of them."""
    return rng.integers(0, 3, shape) + rng.uniform(0.3, 0.45, shape)


@domain
def around(rng: Rng, shape: tuple[int, ...]) -> Any:
    """One in each interval between nearly whole numbers, and one on either side of all."""
    return np.arange(shape[-1]) - 0.6 + rng.uniform(-0.1, 0.1, shape)


def with_rises(*rises: float) -> Callable[..., Domain]:
    """Values at nearly whole numbers, of which the differences are nearly these."""

    @domain
    def values(rng: Rng, shape: tuple[int, ...]) -> Any:
        return np.cumsum([0.5, *rises]) + rng.uniform(-0.05, 0.05, shape)

    return values


@domain
def rising(rng: Rng, shape: tuple[int, ...]) -> Any:
    return np.cumsum(rng.uniform(0.5, 2.0, shape), axis=0)


def case(
    name: str, *domains: Domain, call: Callable[..., Any], label: str, derivatives: int = 2
) -> Case:
    def by(module: Any) -> Any:
        return lambda *xs: call(getattr(module, name), *xs)

    return row(
        getattr(interpolate, name), *domains, call=by(ag.scipy.interpolate),
        reference=by(interpolate), label=f"interpolate: {label}", derivatives=derivatives,
    )  # fmt: skip


def curve(name: str, *domains: Domain, label: str = "", nu: int = 0, **keywords: Any) -> Case:
    """Made of points, and read at the places that come last."""

    def call(kind: Any, *xs: Any) -> Any:
        return kind(*xs[:-1], **keywords)(xs[-1], nu)

    listed = label or ", ".join(f"{k}={v}" for k, v in {"nu": nu, **keywords}.items())
    return case(name, *domains, call=call, label=listed)


def periodic(kind: Any, x: Any, y: Any, q: Any) -> Any:
    return kind(x, np.concatenate([y, y[:1]]), bc_type="periodic")(q)


def flat(kind: Any, x: Any, y: Any, q: Any) -> Any:
    return kind(x, np.concatenate([y[:2], y[1:]]))(q)


def periodic_of_two(kind: Any, x: Any, y: Any, q: Any) -> Any:
    return kind(x, np.stack([y, y]), bc_type="periodic")(q)


def of_one_place(kind: Any, v: Any, q: Any) -> Any:
    """A grid that falls, and has one point along an axis; the places are beside it."""
    grid = (np.array([0.4]), np.array([3.5, -0.5]))
    return kind(grid, v, bounds_error=False, fill_value=None)(3 * q - 1)


KNOTS = np.array([0.0, 0.0, 0.0, 0.0, 1.2, 2.0, 3.0, 3.0, 3.0, 3.0])
GRID = (np.arange(4.0), np.array([3.0, 2.0, 0.5]))

ROWS: list[Case] = [
    *[
        curve("CubicSpline", near_whole(5), real(5), between(4), bc_type=bc)
        for bc in ("not-a-knot", "natural", "clamped", ((1, 0.5), (2, -1.0)), ((2, 0.5), (1, -1.0)))
    ],
    *[curve("CubicSpline", near_whole(5), real(5, 2), between(3), nu=nu) for nu in (1, 2, 3, 4)],
    curve("CubicSpline", near_whole(4), real(4), around(5), label="around"),
    curve("CubicSpline", near_whole(3), real(2, 3), between(2, 2), axis=1),
    curve("CubicSpline", near_whole(2), real(2), between(3), label="of two"),
    curve("CubicSpline", near_whole(5), complex_numbers(5), between(3), label="complex"),
    case("CubicSpline", near_whole(5), real(4), between(3), call=periodic, label="periodic"),
    case("CubicSpline", near_whole(5), real(4, 2), between(3), call=periodic,
         label="periodic, of vectors"),
    case("CubicSpline", near_whole(3), real(2), between(3), call=periodic,
         label="periodic, of three"),
    case("CubicSpline", near_whole(2), real(), between(3), call=periodic_of_two,
         label="periodic, of two"),
    curve("PchipInterpolator", near_whole(5), rising(5), between(4), label="rising"),
    curve("PchipInterpolator", near_whole(5), distinct(5, 2), between(3), nu=1),
    curve("PchipInterpolator", near_whole(2), real(2), between(3), label="of two"),
    case("PchipInterpolator", near_whole(5), rising(4), between(6), call=flat, label="flat"),
    *[
        curve("PchipInterpolator", near_whole(6), with_rises(*rises)(6), around(7), label=label)
        for label, rises in {
            "turning, and steep": (1, 4.5, 1, -3.8, 1),
            "steep, and turning": (1, -3.8, 1, 4.5, 1),
            "up and down": (1, -1, 1, 2, -1),
        }.items()
    ],
    curve("PchipInterpolator", near_whole(4), rising(4), between(3), extrapolate=False),
    curve("CubicHermiteSpline", near_whole(4), real(4), real(4), between(3)),
    *[
        case("BSpline", real(6), between(3), label=f"nu={nu}",
             call=lambda kind, c, q, nu=nu: kind(KNOTS, c, 3)(q, nu))
        for nu in (0, 1, 2, 3, 4)
    ],
    case("BSpline", real(6, 2), between(2, 2), label="slopes of vectors",
         call=lambda kind, c, q: kind(KNOTS, c, 3)(q, 1)),
    case("BSpline", real(6, 2), between(), label="beyond the last derivative",
         call=lambda kind, c, q: kind(KNOTS, c, 3)(q, 4)),
    case("BSpline", near_whole(8), real(4), around(5), label="around",
         call=lambda kind, t, c, q: kind(t - 2.5, c, 3)(q)),
    case("BSpline", near_whole(8), real(4), around(5), label="periodic",
         call=lambda kind, t, c, q: kind(t - 2.5, c, 3, extrapolate="periodic")(q)),
    case("BSpline", near_whole(8), real(4, 2), between(3), label="by knots",
         call=lambda kind, t, c, q: kind(t - 2.5, c, 3)(q / 3)),
    *[
        case("make_interp_spline", near_whole(5), real(5), between(3), label=f"k={k}",
             call=lambda make, x, y, q, k=k: make(x, y, k)(q))
        for k in (1, 2, 3)
    ],
    case("make_interp_spline", near_whole(4), real(2, 4), between(2), label="axis",
         call=lambda make, x, y, q: make(x, y, axis=1)(q)),
    case("RegularGridInterpolator", real(4, 3), between(3, 2), label="linear",
         call=lambda kind, v, q: kind(GRID, v + 0)(0.9 * q + 0.3)),
    case("RegularGridInterpolator", near_whole(4), real(4, 2), between(3, 1), label="by the grid",
         call=lambda kind, x, v, q: kind((x,), v)(q)),
    case("RegularGridInterpolator", real(4, 3), label="nearest",
         call=lambda kind, v: kind(GRID, v, "nearest")([[0.2, 0.6], [2.7, 2.2]])),
    case("RegularGridInterpolator", real(4, 3), between(3, 2), label="beyond",
         call=lambda kind, v, q: kind(GRID, v + 0, bounds_error=False, fill_value=None)(2 * q - 1)),
    case("RegularGridInterpolator", real(4, 3), label="filled",
         call=lambda kind, v: kind(GRID, v + 0, bounds_error=False, fill_value=2.0)(
             [[-0.1, 1.0], [3.2, 1.0], [1.3, 0.2], [1.3, 3.4], [1.3, 1.0]])),
    case("RegularGridInterpolator", real(1, 2), between(3, 2), label="of one place",
         call=of_one_place),
]  # fmt: skip
