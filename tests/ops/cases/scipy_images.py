"""Cases of SciPy's images at other places: splines of several orders, in all modes."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy
from scipy import ndimage

import autograd_lite as ag
from tests.ops.cases.case import Case, Domain, Rng, complex_numbers, domain, real
from tests.ops.cases.scipy_filters import case

MODES = (
    "reflect", "grid-mirror", "mirror", "nearest", "wrap", "grid-wrap", "constant", "grid-constant",
)  # fmt: skip


@domain
def between_pixels(rng: Rng, shape: tuple[int, ...]) -> Any:
    """Within and beyond an image of five by four pixels, and away from where splines meet."""
    return rng.integers(-3, 8, shape) + rng.uniform(0.15, 0.35, shape)


@domain
def near_edges(rng: Rng, shape: tuple[int, ...]) -> Any:
    """Between the two pixels on either side of an edge of an image of four rows or columns."""
    return np.resize([-0.7, 0.3, 2.3, 3.3], shape) + rng.uniform(-0.1, 0.1, shape)


@domain
def small(rng: Rng, shape: tuple[int, ...]) -> Any:
    return rng.uniform(0.2, 0.3, shape)


@domain
def nearly_one(rng: Rng, shape: tuple[int, ...]) -> Any:
    return np.eye(*shape) + rng.uniform(0.02, 0.06, shape)


@domain
def scales(rng: Rng, shape: tuple[int, ...]) -> Any:
    return rng.uniform(0.5, 0.52, shape)


@domain
def degrees(rng: Rng, shape: tuple[int, ...]) -> Any:
    return rng.uniform(17.0, 17.2, shape)


def of_image(name: str, *domains: Domain, label: str = "", **keywords: Any) -> Case:
    return case(ndimage, name, *domains, label=label, **keywords)


assert ag.scipy.ndimage  # which enters the rules

ROWS: list[Case] = [
    *[
        of_image("map_coordinates", real(5, 4), between_pixels(2, 3), order=order, mode=mode,
                 cval=0.5)
        for order in (1, 3) for mode in MODES
    ],
    of_image("map_coordinates", real(6), between_pixels(1, 2, 2), order=2, mode="mirror"),
    of_image("map_coordinates", real(6), between_pixels(1, 4), order=5, mode="reflect"),
    of_image("map_coordinates", real(5, 4), between_pixels(2, 3), prefilter=False),
    of_image("map_coordinates", real(4), near_edges(1, 4), order=1, mode="grid-constant"),
    of_image("map_coordinates", real(3, 3, 3), between_pixels(3, 2), order=1, mode="mirror"),
    of_image("shift", real(5, 4), small(2), mode="nearest"),
    of_image("shift", complex_numbers(5), small(1), order=2, mode="reflect"),
    of_image("zoom", real(4, 3), zoom=1.7),
    of_image("zoom", real(4, 3), zoom=(2, 1), order=1, mode="grid-wrap", grid_mode=True),
    of_image("zoom", real(3, 4), zoom=(0.4, 1), order=1),
    of_image("zoom", real(3, 4), zoom=2, order=1),
    of_image("zoom", real(3, 4), zoom=1, mode="nearest"),
    of_image("affine_transform", real(4, 4), nearly_one(2, 2), small(2), order=2),
    of_image("affine_transform", real(4, 4), nearly_one(2, 3), mode="mirror"),
    of_image("rotate", real(5, 4), degrees(), order=1, mode="mirror"),
    of_image("rotate", real(3, 4, 2), degrees(), order=3, mode="reflect", reshape=False),
    of_image("rotate", real(2, 3, 4), degrees(), order=3, mode="nearest", axes=(-1, 1)),
    of_image("spline_filter", real(5, 4)),
    of_image("spline_filter", real(5), order=4),
    of_image("spline_filter1d", real(5, 4), axis=0, order=2, mode="reflect"),
    of_image("spline_filter1d", real(5, 4), axis=0, order=1),
    of_image("spline_filter1d", real(5, 1), label="of length 1"),
    of_image("spline_filter1d", real(5, 2), label="of length 2"),
]  # fmt: skip
if np.lib.NumpyVersion(scipy.__version__) >= "1.16.0":
    # Older versions take no array without axes, and warn of a diagonal.
    ROWS += [
        of_image(
            "shift", complex_numbers(5), small(), order=2, mode="reflect", label="by one number"
        ),
        of_image("affine_transform", real(4, 4), small(2), output_shape=(3, 5), order=1),
        of_image("affine_transform", real(4, 4), scales(2), small(2), order=1, label="scaled"),
    ]
