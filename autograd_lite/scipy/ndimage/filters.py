"""Filters of images, as in ``scipy.ndimage``.

All are linear, and the same at each place of an image that goes on beyond its edges as ``mode``
says.  So their gradient is the correlation with the response to a single one, and what then lies
beyond an edge goes where the pixels there came from.

>>> import numpy as np, autograd_lite as ag
>>> from autograd_lite.scipy import ndimage
>>> image = np.array([[1.0, 2.0], [4.0, 8.0]])
>>> ag.grad(lambda x: ndimage.sobel(x, axis=0)[0, 0])(image)
array([[-3., -1.],
       [ 3.,  1.]])
"""

from __future__ import annotations

from typing import Any

from scipy import ndimage

from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.ops.indexing import scatter
from autograd_lite.scipy.names import of_scipy, without_output
from autograd_lite.scipy.signal import convolve as full_convolution
from autograd_lite.scipy.signal import correlate as full_correlation

__all__ = [
    "convolve",
    "correlate",
    "gaussian_filter",
    "gaussian_filter1d",
    "gaussian_laplace",
    "laplace",
    "prewitt",
    "sobel",
    "uniform_filter",
    "uniform_filter1d",
]

NUMPYS_MODES = {
    "reflect": "symmetric",
    "grid-mirror": "symmetric",
    "mirror": "reflect",
    "nearest": "edge",
    "wrap": "wrap",
    "grid-wrap": "wrap",
    "constant": "constant",
    "grid-constant": "constant",
}
"""How an image goes on beyond its edges, as ``numpy.pad`` calls it."""


def numpys_mode(mode: Any, name: str) -> Any:
    if not isinstance(mode, str) or mode not in NUMPYS_MODES:
        raise UnsupportedError(
            f"{name}: mode={mode!r} has no derivative rule here; pass one of "
            f"{', '.join(map(repr, NUMPYS_MODES))} for all axes"
        )
    return NUMPYS_MODES[mode]


def unpadded(g: Any, x: Any, widths: Any, mode: Any) -> Any:
    """What lies beyond the edges, added to where it came from."""
    if np.ndim(x) == 0:
        return g
    numbers = np.reshape(np.arange(1, np.size(x) + 1), np.shape(x))
    origins = np.pad(numbers, widths, mode=mode)
    return np.reshape(scatter(g, origins, shape=(np.size(x) + 1,))[1:], np.shape(x))


# Filters of a fixed form, known by their response.


def linear_filter(function: Any, radius: Any) -> Primitive:
    """A filter; ``radius`` says from its other arguments how far its response can reach."""

    def vjp(
        g: Any, out: Any, input: Any, *, mode: Any = "reflect", cval: Any = 0.0,
        **static: Any,
    ) -> Any:  # fmt: skip
        numpys = numpys_mode(mode, function.__name__)
        reach = radius(**static)
        one = np.zeros((2 * reach + 1,) * np.ndim(input))
        one[(reach,) * np.ndim(input)] = 1
        dtype = getattr(np.real(out), "dtype", np.float64)
        response = np.astype(function(one, mode="constant", **static), dtype)
        widths = [(reach, reach)] * np.ndim(input)
        return unpadded(full_correlation(g, response), input, widths, numpys)

    return of_scipy(function, vjp, forward=without_output(function))


def gaussian_reach(sigma: Any, truncate: float = 4.0, radius: Any = None, **_: Any) -> int:
    widest = int(truncate * float(np.max(sigma)) + 0.5)
    return widest if radius is None else int(np.max(radius))


def uniform_reach(size: Any = 3, origin: Any = 0, **_: Any) -> int:
    return int(np.max(size)) + int(np.max(np.abs(origin)))


def one_step(**_: Any) -> int:
    return 1


gaussian_filter = linear_filter(ndimage.gaussian_filter, gaussian_reach)
gaussian_filter1d = linear_filter(ndimage.gaussian_filter1d, gaussian_reach)
gaussian_laplace = linear_filter(ndimage.gaussian_laplace, gaussian_reach)
uniform_filter = linear_filter(ndimage.uniform_filter, uniform_reach)
uniform_filter1d = linear_filter(ndimage.uniform_filter1d, uniform_reach)
laplace = linear_filter(ndimage.laplace, one_step)
sobel = linear_filter(ndimage.sobel, one_step)
prewitt = linear_filter(ndimage.prewitt, one_step)

# Filters by their weights, which have a gradient too.


def weights_vjp(
    name: str, is_convolution: bool, g: Any, input: Any, weights: Any, mode: Any, cval: Any,
    origin: Any,
) -> Any:  # fmt: skip
    numpys = numpys_mode(mode, name)
    origins = np.broadcast_to(origin, (np.ndim(input),))
    widths = []
    for size, shift in zip(np.shape(weights), origins, strict=True):
        before = size // 2 + int(shift)
        before = size - 1 - before if is_convolution else before
        widths.append((before, size - 1 - before))
    constant: dict[str, Any] = {"constant_values": cval} if numpys == "constant" else {}
    image = np.pad(input, widths, mode=numpys, **constant) if widths else input
    # A correlation is with the conjugated weights.
    turned = np.flip(weights) if is_convolution else np.conjugate(weights)
    by_turned = full_correlation(image, np.conjugate(g), mode="valid")
    return (
        unpadded(full_convolution(g, turned), input, widths, numpys),
        np.flip(by_turned) if is_convolution else np.conjugate(by_turned),
    )


def correlate_vjp(
    g: Any, out: Any, input: Any, weights: Any, mode: Any = "reflect", cval: Any = 0.0,
    origin: Any = 0,
) -> Any:  # fmt: skip
    return weights_vjp("correlate", False, g, input, weights, mode, cval, origin)


def convolve_vjp(
    g: Any, out: Any, input: Any, weights: Any, mode: Any = "reflect", cval: Any = 0.0,
    origin: Any = 0,
) -> Any:  # fmt: skip
    return weights_vjp("convolve", True, g, input, weights, mode, cval, origin)


correlate = of_scipy(ndimage.correlate, arrays=2, joint=correlate_vjp)
convolve = of_scipy(ndimage.convolve, arrays=2, joint=convolve_vjp)
