"""Rules of trigonometric and hyperbolic functions, and of ``sinc`` and ``i0``, means of such.

They work element by element, as those of `elementwise`.
"""

from __future__ import annotations

from math import factorial, pi
from typing import Any

from autograd_lite.core.backward import is_complex
from autograd_lite.core.duck_arrays import array_of
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.ops.define import ufunc

__all__: list[str] = []

function: Any
"""Each of two functions that share a rule, in the loops below."""

for function in (np.deg2rad, np.radians):
    ufunc(function, lambda g, out, x: g * (pi / 180), singular=False, formula="x · π/180")
for function in (np.rad2deg, np.degrees):
    ufunc(function, lambda g, out, x: g * (180 / pi), singular=False, formula="x · 180/π")

sin = ufunc(np.sin, lambda g, out, x: g * np.cos(x))
cos = ufunc(np.cos, lambda g, out, x: -g * np.sin(x))
tan = ufunc(np.tan, lambda g, out, x: g * (1 + out * out))


# Where squares of numbers would overflow, or vanish, roots and quotients are taken first.


def arcsinh_vjp(g: Any, out: Any, x: Any) -> Any:
    if is_complex(x):
        return g / (np.sqrt(1 + 1j * x) * np.sqrt(1 - 1j * x))
    return g / np.hypot(1, x)


def one_minus(x: Any) -> Any:
    """1 - x; of complex numbers on this side of the root's branch cut, of the real 1 not -0.0."""
    return -(x - 1) if is_complex(x) else 1 - x


def arctan_vjp(g: Any, out: Any, x: Any) -> Any:
    return g / (1 + 1j * x) / (1 - 1j * x) if is_complex(x) else g / (1 + x * x)


def arctan2_y(g: Any, out: Any, y: Any, x: Any) -> Any:
    radius = np.hypot(y, x)
    return g * (x / radius) / radius


def arctan2_x(g: Any, out: Any, y: Any, x: Any) -> Any:
    radius = np.hypot(y, x)
    return -g * (y / radius) / radius


arcsin = ufunc(np.arcsin, lambda g, out, x: g / (np.sqrt(one_minus(x)) * np.sqrt(x + 1)))
arccos = ufunc(np.arccos, lambda g, out, x: -g / (np.sqrt(one_minus(x)) * np.sqrt(x + 1)))
arctan = ufunc(np.arctan, arctan_vjp)
arctan2 = ufunc(np.arctan2, arctan2_y, arctan2_x)
sinh = ufunc(np.sinh, lambda g, out, x: g * np.cosh(x))
cosh = ufunc(np.cosh, lambda g, out, x: g * np.sinh(x))
tanh = ufunc(np.tanh, lambda g, out, x: g * (1 - out * out))
arcsinh = ufunc(np.arcsinh, arcsinh_vjp)
arccosh = ufunc(np.arccosh, lambda g, out, x: g / (np.sqrt(x - 1) * np.sqrt(x + 1)))
arctanh = ufunc(np.arctanh, lambda g, out, x: g / (1 - x) / (1 + x))


def sinc_derivative_forward(x: Any, order: int) -> Any:
    """The derivative of sinc(x) = sin(πx)/(πx) of any order.

    Away from 0 by the recurrence x·fₙ + n·fₙ₋₁ = dⁿ/dxⁿ sin(πx)/π, and by
    sinc's power series within [-1, 1], where the recurrence cancels.
    """
    x = array_of(x)
    near = np.abs(x) < 1
    inside = np.where(near, x, 0)
    series = np.zeros_like(inside)
    for k in range((order + 1) // 2, order // 2 + 20):
        n = 2 * k - order
        coefficient = (-1) ** k * pi ** (2 * k) / ((2 * k + 1) * factorial(n))
        series = series + coefficient * inside**n
    outside = np.where(near, 1, x)
    f = np.sin(pi * outside) / (pi * outside)
    for n in range(1, order + 1):
        f = (pi ** (n - 1) * np.sin(pi * outside + n * pi / 2) - n * f) / outside
    return np.where(near, series, f)


sinc_derivative: Primitive = Primitive(
    sinc_derivative_forward,
    lambda g, out, x, order: g * sinc_derivative(x, order=order + 1),
    name="sinc_derivative",
    elementwise=True,
)
sinc = ufunc(np.sinc, lambda g, out, x: g * sinc_derivative(x, order=1))


def i0_derivative_forward(x: Any, order: int) -> Any:
    """The derivative of the modified Bessel function I₀ of any order.

    I₀(x) is the mean of exp(x cos t) over the circle.  The midpoint rule for it
    converges faster than any power: 256 points serve all x whose I₀ is finite.
    Taking ±cos t together leaves terms of one sign, so that nothing cancels.
    """
    x = array_of(x)
    angles = pi * (np.arange(256) + 0.5) / 256
    cosines = np.asarray(np.cos(angles), np.result_type(x, np.float32), like=x)
    waves = np.sinh if order % 2 else np.cosh
    return np.mean(cosines**order * waves(x[..., None] * cosines), axis=-1)


i0_derivative: Primitive = Primitive(
    i0_derivative_forward,
    lambda g, out, x, order: g * i0_derivative(x, order=order + 1),
    name="i0_derivative",
    elementwise=True,
)
i0 = ufunc(np.i0, lambda g, out, x: g * i0_derivative(x, order=1))
