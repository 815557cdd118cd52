"""Bessel functions by their argument, from their neighbours in order (DLMF 10.6 and 10.29).

By the order their derivatives have no form in such functions, and are refused.  Scaled ones
are multiplied by exp(-|Re z|) or by exp(z) and the like; of a modulus the derivative is ∓Re.
"""

from __future__ import annotations

from typing import Any

from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, Rule
from autograd_lite.ops.define import ufunc
from autograd_lite.scipy.names import no_rule_by, special

__all__ = [
    "i0",
    "i0e",
    "i1",
    "i1e",
    "iv",
    "ive",
    "j0",
    "j1",
    "jn",
    "jv",
    "k0",
    "k0e",
    "k1",
    "k1e",
    "kn",
    "kv",
    "kve",
    "y0",
    "y1",
    "yn",
    "yv",
]


def of_order(function: Any, rule: Rule, order: str = "v") -> Primitive:
    """A function of an order and an argument, with the rule by its argument."""
    return ufunc(function, no_rule_by(order, f"special.{function.__name__}"), rule)


def whole(n: Any) -> Any:
    """The order that SciPy takes of a number with decimals, where orders are whole."""
    return n if isinstance(n, int) else np.trunc(n)


jv: Primitive = of_order(special.jv, lambda g, out, v, z: g * (jv(v - 1, z) - jv(v + 1, z)) / 2)
yv: Primitive = of_order(special.yv, lambda g, out, v, z: g * (yv(v - 1, z) - yv(v + 1, z)) / 2)
yn: Primitive = of_order(
    special.yn, lambda g, out, n, x: g * (yn(whole(n) - 1, x) - yn(whole(n) + 1, x)) / 2, "n"
)
iv: Primitive = of_order(special.iv, lambda g, out, v, z: g * (iv(v - 1, z) + iv(v + 1, z)) / 2)
kv: Primitive = of_order(special.kv, lambda g, out, v, z: -g * (kv(v - 1, z) + kv(v + 1, z)) / 2)
kn: Primitive = of_order(
    special.kn, lambda g, out, n, x: -g * (kn(abs(whole(n) - 1), x) + kn(whole(n) + 1, x)) / 2, "n"
)
jn = jv

j0 = ufunc(special.j0, lambda g, out, x: -g * j1(x))
j1: Primitive = ufunc(special.j1, lambda g, out, x: g * (j0(x) - jv(2, x)) / 2)
y0 = ufunc(special.y0, lambda g, out, x: -g * y1(x))
y1: Primitive = ufunc(special.y1, lambda g, out, x: g * (y0(x) - yv(2, x)) / 2)
i0 = ufunc(special.i0, lambda g, out, x: g * i1(x))
i1: Primitive = ufunc(special.i1, lambda g, out, x: g * (i0(x) + iv(2, x)) / 2)
k0 = ufunc(special.k0, lambda g, out, x: -g * k1(x))
k1: Primitive = ufunc(special.k1, lambda g, out, x: -g * (k0(x) + kv(2, x)) / 2)

# Scaled.


def by_modulus(g: Any, out: Any, z: Any) -> Any:
    """What exp(-|Re z|) adds, which is not a function of z alone."""
    return np.sign(np.real(z)) * np.real(g * out)


ive: Primitive = of_order(
    special.ive,
    lambda g, out, v, z: g * (ive(v - 1, z) + ive(v + 1, z)) / 2 - by_modulus(g, out, z),
)
i0e = ufunc(special.i0e, lambda g, out, x: g * i1e(x) - by_modulus(g, out, x))
i1e: Primitive = ufunc(
    special.i1e, lambda g, out, x: g * (i0e(x) + ive(2, x)) / 2 - by_modulus(g, out, x)
)
kve: Primitive = of_order(
    special.kve, lambda g, out, v, z: g * (out - (kve(v - 1, z) + kve(v + 1, z)) / 2)
)
k0e = ufunc(special.k0e, lambda g, out, x: g * (out - k1e(x)))
k1e: Primitive = ufunc(special.k1e, lambda g, out, x: g * (out - (k0e(x) + kve(2, x)) / 2))
