"""Hypergeometric functions by their argument, and elliptic integrals.

The derivative of a hypergeometric series is another one, all of whose parameters are greater
by 1 (DLMF 15.5.1, 13.3.15, 16.3.1); complete elliptic integrals are hypergeometric (19.5).
"""

from __future__ import annotations

from math import pi

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
# 1 - p loses the digits of a small p, which E(1 - p) and p keep.
ellipkm1 = ufunc(
    special.ellipkm1,
    lambda g, out, p: -g * (ellipe(1 - p) - p * out) / (2 * p * (1 - p)),
)
