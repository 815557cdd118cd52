"""Convolutions and filters, as in ``scipy.signal``.

SciPy's own make plain arrays of what they get, so they are to be called from here.

>>> import numpy as np, autograd_lite as ag
>>> from autograd_lite.scipy import signal
>>> ag.grad(lambda k: np.sum(signal.convolve([1.0, 2.0, 3.0], k, mode="same")))(np.ones(2))
array([6., 3.])
"""

from __future__ import annotations

from typing import Any

from scipy import signal

from autograd_lite.core.backward import is_complex
from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.scipy.names import of_scipy

__all__ = ["convolve", "correlate", "fftconvolve", "lfilter", "oaconvolve", "savgol_filter"]

# Convolutions.  The gradient of what a mode cuts off is 0; by each operand it is the
# convolution with the other one, turned round.


def axes_of(x: Any, axes: Any) -> tuple[int, ...]:
    """Axes counted from 0; all of them for None."""
    ndim = np.ndim(x)
    given = range(ndim) if axes is None else np.atleast_1d(axes)
    return tuple(int(axis) % ndim for axis in given)


def whole(g: Any, a: Any, b: Any, mode: str, axes: tuple[int, ...]) -> Any:
    """The gradient with respect to the full convolution."""
    widths = [(0, 0)] * np.ndim(g)
    for axis in axes:
        m, n = np.shape(a)[axis], np.shape(b)[axis]
        before = {"full": 0, "same": (n - 1) // 2, "valid": min(m, n) - 1}[mode]
        widths[axis] = (before, m + n - 1 - before - np.shape(g)[axis])
    return np.pad(g, widths)


def conjugated(x: Any) -> Any:
    return np.conjugate(x) if is_complex(x) else x


def convolve_vjp(
    g: Any, out: Any, a: Any, b: Any, mode: str = "full", axes: Any = None, method: str = "auto"
) -> Any:
    if np.ndim(a) == 0:
        return g * b, g * a
    axes = axes_of(a, axes)
    g = whole(g, a, b, mode, axes)
    return tuple(fftconvolve(g, np.flip(x, axes), mode="valid", axes=axes) for x in (b, a))


def direct_vjp(g: Any, out: Any, a: Any, b: Any, mode: str = "full", method: str = "auto") -> Any:
    if np.ndim(a) == 0:
        return g * b, g * a
    g = whole(g, a, b, mode, axes_of(a, None))
    return tuple(convolve(g, np.flip(x), mode="valid", method=method) for x in (b, a))


def correlate_vjp(
    g: Any, out: Any, a: Any, b: Any, mode: str = "full", method: str = "auto"
) -> Any:
    """Of the convolution with what is turned round and conjugated."""
    if np.ndim(a) == 0:
        return g * conjugated(b), conjugated(g * a)
    g = whole(g, a, b, mode, axes_of(a, None))
    by_turned = convolve(g, np.flip(a), mode="valid", method=method)
    return (
        convolve(g, conjugated(b), mode="valid", method=method),
        conjugated(np.flip(by_turned)),
    )


def of_two(function: Any, rule: Any, **options: Any) -> Primitive:
    return of_scipy(function, arrays=2, joint=rule, **options)


convolve = of_two(signal.convolve, direct_vjp)
correlate = of_two(signal.correlate, correlate_vjp)
fftconvolve = of_two(signal.fftconvolve, convolve_vjp, broadcasts=True)
oaconvolve = of_two(signal.oaconvolve, convolve_vjp, broadcasts=True)

# Recursive filters: a(z) y = b(z) x, with z a delay by one.


def lagged(h: Any, x: Any, coefficients: Any) -> Any:
    """The inner products of ``h`` with ``x`` delayed by 0, 1, 2, … along the last axis."""
    length, count = np.shape(x)[-1], np.size(coefficients)
    products = [np.sum(h[..., k:] * x[..., : max(length - k, 0)]) for k in range(count)]
    return np.reshape(np.stack(products), np.shape(coefficients))


def lfilter_vjp(g: Any, out: Any, b: Any, a: Any, x: Any, axis: int = -1) -> Any:
    """The adjoint of a filter runs backwards in time."""

    def backwards(numerator: Any, y: Any) -> Any:
        return np.flip(lfilter(numerator, a, np.flip(y, -1)), -1)

    g, out, x = (np.moveaxis(y, axis, -1) for y in (g, out, x))
    h = backwards(np.ones_like(np.ravel(a)[:1]), g)
    return lagged(h, x, b), -lagged(h, out, a), np.moveaxis(backwards(b, g), -1, axis)


lfilter = of_scipy(signal.lfilter, arrays=3, joint=lfilter_vjp)

# Polynomials fitted in a window that moves.


def savgol_vjp(
    g: Any, out: Any, x: Any, *, window_length: int, polyorder: int, deriv: int = 0,
    delta: float = 1.0, axis: int = -1, mode: str = "interp",
) -> Any:  # fmt: skip
    """Inside a convolution; at the ends what the polynomials of the first and last window say."""
    if mode != "interp":
        raise UnsupportedError(
            f"savgol_filter: mode={mode!r} has no derivative rule here; pass mode='interp'"
        )
    if window_length % 2 == 0:
        raise UnsupportedError(
            f"savgol_filter: window_length={window_length} has no derivative rule here, for a "
            "window without a middle; pass an odd number"
        )
    identity = np.eye(window_length, dtype=out.dtype)
    fit = signal.savgol_filter(identity, window_length, polyorder, deriv, delta, axis=0)
    half, count = window_length // 2, np.shape(x)[axis]
    g = np.moveaxis(g, axis, -1)
    rest = [(0, 0)] * (np.ndim(g) - 1)
    kernel = np.reshape(fit[half], (1,) * (np.ndim(g) - 1) + (window_length,))
    inside = fftconvolve(g[..., half : count - half], kernel, axes=-1)
    first = g[..., :half] @ fit[:half]
    last = g[..., count - half :] @ fit[window_length - half :]
    beside = count - window_length
    ends = np.pad(first, [*rest, (0, beside)]) + np.pad(last, [*rest, (beside, 0)])
    return np.moveaxis(inside + ends, -1, axis)


savgol_filter = of_scipy(signal.savgol_filter, savgol_vjp)
