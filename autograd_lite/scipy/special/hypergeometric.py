"""Hypergeometric functions by their argument, and elliptic integrals.

The derivative of a hypergeometric series is another one, all of whose parameters are greater
by 1 (DLMF 15.5.1, 13.3.15, 16.3.1); complete elliptic integrals are hypergeometric (19.5).
"""

from __future__ import annotations

from math import pi
from typing import Any

from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.ops.define import ufunc
from autograd_lite.scipy.names import in_precision_of, no_rule_by, special

__all__ = ["ellipe", "ellipk", "ellipkm1", "hyp0f1", "hyp1f1", "hyp2f1"]

hyp0f1: Primitive = ufunc(
    special.hyp0f1,
    no_rule_by("v", "special.hyp0f1"),
    lambda g, out, v, z: g * hyp0f1(v + 1, z) / v,
)
hyp1f1: Primitive = ufunc(
    special.hyp1f1,
    no_rule_by("a", "special.hyp1f1"),
    no_rule_by("b", "special.hyp1f1"),
    lambda g, out, a, b, x: g * (a / b) * hyp1f1(a + 1, b + 1, x),
)
hyp2f1: Primitive = ufunc(
    special.hyp2f1,
    no_rule_by("a", "special.hyp2f1"),
    no_rule_by("b", "special.hyp2f1"),
    no_rule_by("c", "special.hyp2f1"),
    lambda g, out, a, b, c, z: g * (a * b / c) * hyp2f1(a + 1, b + 1, c + 1, z),
)

ellipk = ufunc(
    special.ellipk, lambda g, out, m: g * in_precision_of(m, hyp2f1(1.5, 1.5, 2.0, m) * (pi / 8))
)
ellipe = ufunc(
    special.ellipe, lambda g, out, m: -g * in_precision_of(m, hyp2f1(0.5, 1.5, 2.0, m) * (pi / 8))
)
# 1 - p loses the digits of a small p, and E(1 - p) - p K(1 - p) those of one near 1.


def ellipkm1_by_p(p: Any, out: Any) -> Any:
    is_small = p < 0.5
    small, rest = np.where(is_small, p, 0.25), np.where(is_small, 0.5, 1 - p)
    near = (complementary_e(small) - small * out) / (2 * small * (1 - small))
    return np.where(is_small, near, in_precision_of(p, hyp2f1(1.5, 1.5, 2.0, rest) * (pi / 8)))


complementary_e: Primitive = Primitive(
    lambda p: special.ellipe(1 - p),
    lambda g, out, p: g * (ellipkm1(p) - out) / (2 * (1 - p)),
    name="ellipem1",
    elementwise=True,
)
"""E(1 - p), whose slope needs the digits of p."""
ellipkm1: Primitive = ufunc(special.ellipkm1, lambda g, out, p: -g * ellipkm1_by_p(p, out))
