"""Cases of SciPy's convolutions and filters, of signals and of images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage, signal

import autograd_lite as ag
from tests.ops.cases.case import Case, Domain, Rng, complex_numbers, domain, real, row


@domain
def recursion(rng: Rng, shape: tuple[int, ...]) -> Any:
    """Coefficients of a filter whose response dies out."""
    first = np.arange(shape[0]) == 0
    return rng.uniform(-0.3, 0.3, shape) + 1.5 * first


def case(
    module: Any, name: str, *domains: Domain, call: Callable[..., Any] | None = None,
    label: str = "", **keywords: Any,
) -> Case:  # fmt: skip
    """A function of a module: ours, with SciPy's as the reference."""
    ours = getattr(getattr(ag.scipy, module.__name__.rpartition(".")[2]), name)

    def by(function: Any) -> Any:
        if call is not None:
            return lambda *xs: call(function, *xs)
        return lambda *xs: function(*xs, **keywords)

    short = module.__name__.removeprefix("scipy.")
    listed = label or ", ".join(f"{k}={v}" for k, v in keywords.items())
    theirs = getattr(module, name)
    return row(
        theirs, *domains, call=by(ours), reference=by(theirs), label=f"{short}: {listed}"
    )  # fmt: skip


MODES = ("reflect", "mirror", "nearest", "wrap", "constant")

ROWS: list[Case] = [
    *[
        case(signal, name, real(5), real(n), label=f"{mode},{n}",
             call=lambda f, a, b, mode=mode: f(a, b, mode=mode))
        for name in ("convolve", "correlate", "fftconvolve", "oaconvolve")
        for mode, n in (("full", 3), ("same", 4), ("valid", 3))
    ],
    case(signal, "convolve", real(3), real(5), mode="valid"),
    case(signal, "correlate", real(3), real(5), mode="same"),
    case(signal, "correlate", real(2), real(5), label="of the shorter one",
         call=lambda f, a, b: f(a, b, mode="valid")),
    case(signal, "convolve", real(3, 4), real(2, 3), mode="same", label="images"),
    case(signal, "correlate", real(3, 4), real(2, 3), label="images"),
    case(signal, "convolve", complex_numbers(4), complex_numbers(3), label="complex"),
    case(signal, "correlate", complex_numbers(4), complex_numbers(3), label="complex"),
    *[
        case(signal, name, complex_numbers(), complex_numbers(), label="numbers")
        for name in ("convolve", "correlate", "fftconvolve")
    ],
    case(signal, "fftconvolve", real(2, 5), real(1, 3), axes=1),
    case(signal, "oaconvolve", real(2, 5), real(2, 3), axes=-1, mode="same"),
    case(signal, "lfilter", real(3), recursion(2), real(6)),
    case(signal, "lfilter", real(2), recursion(4), real(5, 2), axis=0),
    case(signal, "lfilter", real(6), recursion(2), real(3), label="of few samples"),
    case(signal, "lfilter", complex_numbers(2), recursion(2), complex_numbers(5), label="complex"),
    case(signal, "savgol_filter", real(9), window_length=5, polyorder=2),
    case(signal, "savgol_filter", real(8, 2), window_length=3, polyorder=1, axis=0),
    case(signal, "savgol_filter", real(2, 7), window_length=5, polyorder=3, deriv=1, delta=0.5),
    *[case(ndimage, "gaussian_filter", real(5, 4), sigma=0.8, mode=mode) for mode in MODES],
    case(ndimage, "gaussian_filter", real(5, 4), sigma=(0.5, 1.0), order=(0, 1)),
    case(ndimage, "gaussian_filter1d", real(4, 6), sigma=0.7, axis=0),
    case(ndimage, "gaussian_laplace", real(5, 5), sigma=0.6),
    case(ndimage, "uniform_filter", real(5, 4), size=3),
    case(ndimage, "uniform_filter", real(5, 4), size=(2, 3), origin=(0, 1), mode="nearest"),
    case(ndimage, "uniform_filter1d", real(3, 6), size=4),
    case(ndimage, "laplace", real(5, 4), mode="wrap"),
    case(ndimage, "sobel", real(5, 4), axis=0),
    case(ndimage, "prewitt", real(4, 4)),
    *[
        case(ndimage, name, real(5, 4), real(3, 2), mode=mode)
        for name in ("convolve", "correlate")
        for mode in MODES
    ],
    case(ndimage, "convolve", real(5), real(4), origin=1, mode="constant", cval=2.0),
    case(ndimage, "correlate", real(5), real(3), origin=-1, mode="constant", cval=2.0),
    *[
        case(ndimage, name, complex_numbers(5), complex_numbers(3), label="complex")
        for name in ("convolve", "correlate")
    ],
    case(ndimage, "convolve", real(), real(), label="of numbers"),
    case(ndimage, "correlate", real(), real(), label="of numbers"),
    case(ndimage, "gaussian_filter", real(), sigma=0.8, label="of a number"),
    case(ndimage, "uniform_filter", complex_numbers(5, 2), size=3, label="complex"),
]  # fmt: skip
