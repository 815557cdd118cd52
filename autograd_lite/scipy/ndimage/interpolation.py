"""Images at other places than their pixels, read from splines through these.

SciPy computes them.  Their derivatives are those of the definition: the coefficients of the spline
are a linear map of the image along each axis, and what it is at a place is a sum of coefficients
near it, with weights that are polynomials in where it lies between the pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from scipy import ndimage

from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, register
from autograd_lite.ops.indexing import getitem
from autograd_lite.scipy.calls import is_smooth
from autograd_lite.scipy.names import computed_by_scipy, of_scipy, without_output
from autograd_lite.scipy.special import cosdg, sindg
from autograd_lite.transforms.implicit import pulled_back

__all__ = [
    "affine_transform",
    "map_coordinates",
    "rotate",
    "shift",
    "spline_filter",
    "spline_filter1d",
    "zoom",
]

Function = Callable[..., Any]

PADDED = {"nearest": "edge", "grid-constant": "constant"}
"""Modes in which SciPy lays pixels around an image, before it looks for a spline."""

PAD = 12

BEYOND = {
    "reflect": "reflect", "grid-mirror": "reflect", "mirror": "mirror", "grid-wrap": "wrap",
    "wrap": "mirror", "constant": "mirror", "nearest": "edge", "grid-constant": "constant",
}  # fmt: skip
"""How the coefficients of a spline go on beyond the edges."""

# Coefficients: SciPy's filter, as the matrix that it is.


@lru_cache(maxsize=16)
def filter_matrix(count: int, order: int, mode: str) -> Any:
    matrix = ndimage.spline_filter1d(np.eye(count), order, axis=0, mode=mode)
    matrix.flags.writeable = False
    return matrix


def along(matrix: Any, x: Any, axis: int) -> Any:
    """A matrix times all that lies along an axis."""
    matrix = np.astype(matrix, np.real(x).dtype)
    return np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis)


def coefficients(x: Any, order: int, mode: str, axes: Any) -> Any:
    for axis in axes:
        if order > 1 and np.shape(x)[axis] > 1:
            x = along(filter_matrix(np.shape(x)[axis], order, mode), x, axis)
    return x


# Places, and the weights of the coefficients around them.


def within(place: Any, count: int, mode: str) -> Any:
    """A place, or the index of a coefficient, as one within an axis of some length."""
    if count == 1:
        return place * 0
    if mode == "wrap":
        return place - count * np.floor(place / count)
    if mode == "mirror":
        period = 2 * (count - 1)
        place = place - period * np.floor(place / period)
        return np.where(place >= count, period - place, place)
    period = 2 * count
    place = place - period * np.floor((place + 0.5) / period)
    return np.where(place > count - 0.5, period - 1 - place, place)


def place_on_axis(place: Any, count: int, mode: str) -> Any:
    """Where an image is read that goes on beyond its edges."""
    if mode == "wrap":  # whose last pixel lies on the first one of the next image
        period = max(count - 1, 1)
        after = np.where(place > count - 1, np.floor(place / period), 0)
        turns = np.where(place < 0, -1 - np.floor(-place / period), after)
        return place - period * turns
    if mode == "constant" or mode in PADDED:
        return place
    return within(place, count, BEYOND[mode])


def spline_weights(way: Any, order: int) -> list[Any]:
    """The weights of coefficients that follow one another, of a place that is some way along.

    The recursion of de Boor and Cox for knots at whole numbers.
    """
    weights = [np.ones_like(way)]
    for degree in range(1, order + 1):
        following = [np.zeros_like(way)] * (degree + 1)
        for place, weight in enumerate(weights):
            share = weight / degree
            following[place] = following[place] + (place + 1 - way) * share
            following[place + 1] = (way + degree - 1 - place) * share
        weights = following
    return weights


def interpolated(
    input: Any, coordinates: Any, *, output: Any = None, order: int = 3, mode: str = "constant",
    cval: Any = 0.0, prefilter: bool = True,
) -> Any:  # fmt: skip
    """An image at places that coordinates tell for its first axes; others are left as they are."""
    count = len(coordinates)
    lengths = np.shape(input)[:count]
    spline, pad = input, 0
    if prefilter and order > 1:
        if mode in PADDED:
            pad = PAD
            widths = [(pad, pad)] * count + [(0, 0)] * (np.ndim(input) - count)
            extra: dict[str, Any] = {"constant_values": cval} if mode == "grid-constant" else {}
            padding: Any = PADDED[mode]
            spline = np.pad(input, widths, mode=padding, **extra)
        spline = coefficients(spline, order, mode, range(count))
    shape = np.shape(spline)
    index: Any = 0
    weight: Any = 1.0
    is_outside: Any = False
    is_unknown: Any = False
    for axis in range(count):
        length = shape[axis]
        place = coordinates[axis] + pad if pad else coordinates[axis]
        if mode == "constant":
            is_outside = is_outside | (place < 0) | (place > lengths[axis] - 1)
        place = place_on_axis(place, length, mode)
        start = np.floor(place if order % 2 else place + 0.5)
        way = place - start if order % 2 else place + 0.5 - start
        beside = (slice(None),) + (None,) * (count - 1 - axis)
        steps = []
        for step in range(order + 1):
            at = start - order // 2 + step
            steps.append(at if mode in PADDED else within(at, length, BEYOND[mode]))
        indices = np.stack(steps)[beside]
        weights = np.stack(spline_weights(way, order))[beside]
        if mode == "grid-constant":
            is_unknown = is_unknown | (indices < 0) | (indices > length - 1)
        places = np.clip(np.astype(indices, int), 0, length - 1)
        index = index * length + places
        weight = weight * weights
    rest = shape[count:]
    flat = np.reshape(spline, (-1, *rest))
    trailing = (...,) + (None,) * len(rest)
    read = getitem(flat, index)
    if mode == "grid-constant":
        read = np.where(is_unknown[trailing], np.asarray(cval, read.dtype), read)
    dtype = np.real(read).dtype
    found = np.sum(np.astype(weight, dtype)[trailing] * read, axis=tuple(range(count)))
    if mode == "constant":
        found = np.where(is_outside[trailing], np.asarray(cval, found.dtype), found)
    return found


def grid(shape: Any, like: Any) -> Any:
    """The coordinates of the pixels of an image, in the precision of what moves them."""
    return np.indices(shape, getattr(like, "dtype", np.float64))


# SciPy's functions, by images and by what says where they are read.


def read_at(function: Any, definition: Function, arrays: int, forward: Any = None) -> Primitive:
    """``definition`` is called with the shape of the result, and with the arguments."""

    def rule(index: int, g: Any, out: Any, *inputs: Any, **static: Any) -> Any:
        mode = static.get("mode", "constant")
        if mode not in BEYOND:
            raise UnsupportedError(
                f"{function.__name__}: mode={mode!r} has no derivative rule here; pass one of "
                f"{', '.join(map(repr, BEYOND))}"
            )
        if not is_smooth(inputs[index]):
            return None
        defined = partial(definition, np.shape(out), **static)
        return pulled_back(defined, inputs, [index], g)[0]

    primitive = computed_by_scipy(
        without_output(forward or function), each=rule, name=function.__name__, arrays=arrays
    )
    return register(function, primitive)


def at_coordinates(shape: Any, input: Any, coordinates: Any, **options: Any) -> Any:
    return interpolated(input, coordinates, **options)


def shifted(shape: Any, input: Any, shift: Any, **options: Any) -> Any:
    return interpolated(input, grid(shape, shift) - beside_grid(shift, shape), **options)


def beside_grid(x: Any, shape: Any) -> Any:
    """A number for each axis, or one for all."""
    each = np.broadcast_to(x, (len(shape),))
    return np.reshape(each, (-1, *[1] * len(shape)))


def zoomed(
    shape: Any, input: Any, *, zoom: Any = None, grid_mode: bool = False, **options: Any
) -> Any:
    less = 0 if grid_mode else 1
    ratios = np.asarray(
        [
            (n - less) / (m - less) if m > less else 1.0
            for n, m in zip(np.shape(input), shape, strict=True)
        ],
        np.real(input).dtype,
    )
    if options.get("prefilter", True) and np.all(np.asarray(zoom) == 1):
        return input
    places = grid(shape, np.real(input)) + 0.5 * grid_mode
    return interpolated(input, places * beside_grid(ratios, shape) - 0.5 * grid_mode, **options)


def transformed(
    shape: Any, input: Any, matrix: Any, offset: Any = 0.0, *, output_shape: Any = None,
    **options: Any,
) -> Any:  # fmt: skip
    ndim = np.ndim(input)
    if np.ndim(matrix) == 2 and np.shape(matrix)[1] == ndim + 1:
        matrix, offset = matrix[:ndim, :ndim], matrix[:ndim, ndim]
    if np.ndim(matrix) == 1:
        places = grid(shape, matrix) + beside_grid(offset / matrix, shape)
        return interpolated(input, places * beside_grid(matrix, shape), **options)
    places = np.tensordot(matrix, grid(shape, matrix), (1, 0))
    each = np.reshape(np.broadcast_to(offset, (ndim,)), (-1, *[1] * len(shape)))
    return interpolated(input, places + each, **options)


def rotated(
    shape: Any, input: Any, angle: Any, *, axes: Any = (1, 0), reshape: bool = True,
    **options: Any,
) -> Any:  # fmt: skip
    axes = sorted(axis % np.ndim(input) for axis in axes)
    c, s = cosdg(angle), sindg(angle)
    matrix = np.reshape(np.stack([c, s, -s, c]), (2, 2))
    before, after = (np.array([x[axis] for axis in axes]) for x in (np.shape(input), shape))
    pixels = grid(tuple(after.tolist()), matrix)
    before, after = (np.astype(x, matrix.dtype) for x in (before, after))
    offset = (before - 1) / 2 - matrix @ ((after - 1) / 2)
    places = np.tensordot(matrix, pixels, (1, 0)) + offset[:, None, None]
    turned = interpolated(np.moveaxis(input, axes, (0, 1)), places, **options)
    return np.moveaxis(turned, (0, 1), axes)


def as_numbers(x: Any) -> Any:
    """A number, or a list: SciPy takes no array without axes."""
    return np.asarray(x).tolist()


def shift_forward(input: Any, shift: Any, *args: Any, **options: Any) -> Any:
    return ndimage.shift(input, as_numbers(shift), *args, **options)


def affine_forward(input: Any, matrix: Any, offset: Any = 0.0, **options: Any) -> Any:
    return ndimage.affine_transform(input, matrix, as_numbers(offset), **options)


def rotate_forward(input: Any, angle: Any, **options: Any) -> Any:
    return ndimage.rotate(input, float(angle), **options)


map_coordinates = read_at(ndimage.map_coordinates, at_coordinates, 2)
shift = read_at(ndimage.shift, shifted, 2)
zoom = read_at(ndimage.zoom, zoomed, 1)
affine_transform = read_at(ndimage.affine_transform, transformed, 3)
rotate = read_at(ndimage.rotate, rotated, 2)


# The coefficients by themselves.


def filter1d_vjp(
    g: Any, out: Any, input: Any, *, order: int = 3, axis: int = -1, output: Any = None,
    mode: str = "mirror",
) -> Any:  # fmt: skip
    if order < 2 or np.shape(input)[axis] < 2:
        return g
    return along(filter_matrix(np.shape(input)[axis], order, mode).T, g, axis)


def filter_vjp(
    g: Any, out: Any, input: Any, *, order: int = 3, output: Any = None, mode: str = "mirror"
) -> Any:
    for axis in range(np.ndim(input)):
        g = filter1d_vjp(g, out, input, order=order, axis=axis, mode=mode)
    return g


spline_filter1d = of_scipy(
    ndimage.spline_filter1d, filter1d_vjp, forward=without_output(ndimage.spline_filter1d)
)
spline_filter = of_scipy(
    ndimage.spline_filter, filter_vjp, forward=without_output(ndimage.spline_filter)
)
