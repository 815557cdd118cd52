"""Rules of Fourier transforms.

The matrix of the discrete Fourier transform is symmetric, so each transform is
its own transpose.  Transforms along several axes are made of those along one.
"""

from __future__ import annotations

from typing import Any

from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.ops.define import array_function, composite

__all__: list[str] = []

# ``n`` is the length transformed: inputs are cut or filled up with zeros to it.


def fit(x: Any, length: int, axis: int) -> Any:
    """Cut an axis to a length, or fill it up with zeros."""
    have = np.shape(x)[axis]
    before = (slice(None),) * (axis % np.ndim(x))
    if have >= length:
        return x if have == length else x[(*before, slice(0, length))]
    missing = list(np.shape(x))
    missing[axis] = length - have
    return np.concatenate((x, np.zeros(missing, x.dtype)), axis=axis)


def fft_vjp(
    g: Any, out: Any, a: Any, n: int | None = None, axis: int = -1, norm: Any = None
) -> Any:
    return fit(np.fft.fft(g, axis=axis, norm=norm), np.shape(a)[axis], axis)


def ifft_vjp(
    g: Any, out: Any, a: Any, n: int | None = None, axis: int = -1, norm: Any = None
) -> Any:
    return fit(np.fft.ifft(g, axis=axis, norm=norm), np.shape(a)[axis], axis)


def rfft_vjp(
    g: Any, out: Any, a: Any, n: int | None = None, axis: int = -1, norm: Any = None
) -> Any:
    """The half of the spectrum that is left out gets no gradient; the input is real."""
    length = np.shape(a)[axis]
    spectrum = np.fft.fft(fit(g, length if n is None else n, axis), axis=axis, norm=norm)
    return fit(np.real(spectrum), length, axis)


def irfft_vjp(
    g: Any, out: Any, a: Any, n: int | None = None, axis: int = -1, norm: Any = None
) -> Any:
    """Each frequency counts for itself and for its mirror image; the first has none."""
    length = np.shape(out)[axis]
    half = length // 2 + 1
    counts = np.full(half, 2, g.dtype)
    counts[0] = 1
    if length % 2 == 0:
        counts[-1] = 1
    spectrum = fit(np.fft.ifft(g, axis=axis, norm=norm), half, axis)
    shape = [1] * np.ndim(out)
    shape[axis] = half
    return fit(np.reshape(counts, shape) * spectrum, np.shape(a)[axis], axis)


fft = array_function(np.fft.fft, fft_vjp, linear="all")
ifft = array_function(np.fft.ifft, ifft_vjp, linear="all")
rfft = array_function(np.fft.rfft, rfft_vjp, linear="all")
irfft = array_function(np.fft.irfft, irfft_vjp, linear="all")


def cutting_first(transform: Primitive, half: bool = False) -> Any:
    """A transform of what it reads: where it is cut, an index says that the rest is left out."""

    def transform_part(a: Any, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
        read = n // 2 + 1 if half and n is not None else n
        if read is not None and 0 < read < np.shape(a)[axis]:
            a = fit(a, read, axis)
        return transform(a, n=n, axis=axis, norm=norm)

    return transform_part


for whole in (fft, ifft, rfft, irfft):
    composite(whole.function, asks_numpy="on failure")(cutting_first(whole, whole is irfft))

OPPOSITE: dict[Any, Any] = {
    None: "forward",
    "backward": "forward",
    "ortho": "ortho",
    "forward": "backward",
}


@composite(np.fft.hfft, asks_numpy="on failure")
def hfft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    return np.fft.irfft(np.conjugate(a), n, axis, norm=OPPOSITE[norm])


@composite(np.fft.ihfft, asks_numpy="on failure")
def ihfft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    return np.conjugate(np.fft.rfft(a, n, axis, norm=OPPOSITE[norm]))


# Along several axes, the last of them first.


def lengths_and_axes(a: Any, s: Any, axes: Any) -> list[tuple[int | None, int]]:
    """How long and along which axes to transform; -1 stands for the length there is."""
    if axes is None:
        axes = range(np.ndim(a)) if s is None else range(-len(s), 0)
    lengths: list[Any] = [None] * len(axes) if s is None else [None if n == -1 else n for n in s]
    if len({axis % np.ndim(a) for axis in axes}) < len(
        axes
    ):  # the lengths are those of before the first transform
        pairs = zip(lengths[:-1], axes, strict=False)
        lengths[:-1] = [np.shape(a)[axis] if n is None else n for n, axis in pairs]
    return list(zip(lengths, axes, strict=True))


def along_several(transform: Any) -> Any:
    """A transform along one axis as one along several."""

    def transform_all(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
        steps = lengths_and_axes(a, s, axes)
        for n, axis in reversed(steps):
            a = transform(a, n, axis, norm=norm)
        return a if steps else np.copy(a)

    return transform_all


composite(np.fft.fftn, asks_numpy="on failure")(along_several(np.fft.fft))
composite(np.fft.ifftn, asks_numpy="on failure")(along_several(np.fft.ifft))


@composite(np.fft.rfftn, asks_numpy="on failure")
def rfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    *others, (n, last) = lengths_and_axes(a, s, axes)
    a = np.fft.rfft(a, n, last, norm=norm)
    for n, axis in reversed(others):
        a = np.fft.fft(a, n, axis, norm=norm)
    return a


@composite(np.fft.irfftn, asks_numpy="on failure")
def irfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    *others, (n, last) = lengths_and_axes(a, s, axes)
    for length, axis in others:
        a = np.fft.ifft(a, length, axis, norm=norm)
    return np.fft.irfft(a, n, last, norm=norm)


def along_last_two(transform: Any) -> Any:
    """A transform along several axes as one that takes the last two if none are named."""

    def transform_two(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Any:
        return transform(a, s, axes, norm)

    return transform_two


composite(np.fft.fft2, asks_numpy="on failure")(along_last_two(np.fft.fftn))
composite(np.fft.ifft2, asks_numpy="on failure")(along_last_two(np.fft.ifftn))
composite(np.fft.rfft2, asks_numpy="on failure")(along_last_two(np.fft.rfftn))
composite(np.fft.irfft2, asks_numpy="on failure")(along_last_two(np.fft.irfftn))
