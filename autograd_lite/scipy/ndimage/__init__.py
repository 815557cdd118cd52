"""Filters of images, and images at other places, as in ``scipy.ndimage``.

>>> import numpy as np, autograd_lite as ag
>>> from autograd_lite.scipy import ndimage
>>> image = np.array([[1.0, 2.0], [4.0, 8.0]])
>>> ag.grad(lambda x: ndimage.sobel(x, axis=0)[0, 0])(image)
array([[-3., -1.],
       [ 3.,  1.]])
>>> between = lambda place: ndimage.map_coordinates(image, place, order=1)[0]
>>> ag.grad(between)(np.array([[0.5], [0.5]]))  # the slopes down and across
array([[4.5],
       [2.5]])
"""

from autograd_lite.scipy.ndimage.filters import (
    convolve,
    correlate,
    gaussian_filter,
    gaussian_filter1d,
    gaussian_laplace,
    laplace,
    prewitt,
    sobel,
    uniform_filter,
    uniform_filter1d,
)
from autograd_lite.scipy.ndimage.interpolation import (
    affine_transform,
    map_coordinates,
    rotate,
    shift,
    spline_filter,
    spline_filter1d,
    zoom,
)

__all__ = [
    "affine_transform",
    "convolve",
    "correlate",
    "gaussian_filter",
    "gaussian_filter1d",
    "gaussian_laplace",
    "laplace",
    "map_coordinates",
    "prewitt",
    "rotate",
    "shift",
    "sobel",
    "spline_filter",
    "spline_filter1d",
    "uniform_filter",
    "uniform_filter1d",
    "zoom",
]
