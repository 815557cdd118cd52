"""Cases of functions that work element by element."""

from __future__ import annotations

import operator

from autograd_lite.core.numpy_namespace import np
from tests.ops.cases.case import (
    Case,
    complex_numbers,
    distinct,
    fractional,
    method,
    nonzero,
    passes,
    positive,
    real,
    row,
)

binary = (real(2, 3), real(2, 3))
apart = (distinct(2, 3), fractional(2, 3))


ROWS: list[Case] = [
    row(np.add, *binary),
    row(np.subtract, *binary),
    row(np.multiply, *binary),
    row(np.divide, real(2, 3), nonzero(2, 3)),
    row(np.negative, real(2, 3)),
    row(np.positive, real(2, 3)),
    row(np.reciprocal, nonzero(2, 3)),
    row(np.fmod, real(2, 3), call=lambda x: np.fmod(x, 7.0), label="x,7"),
    row(np.fmod, positive(3), positive(3), call=lambda x, y: np.fmod(-x - 9, y + 20)),
    row(np.divmod, positive(3), positive(3), call=lambda x, y: np.divmod(x + 9, y + 20)),
    row(np.floor_divide, positive(2, 3), call=lambda x: np.floor_divide(x, 7.0), label="x//7"),
    row(np.remainder, real(2, 3), call=lambda x: np.remainder(x, 7.0), label="x%7"),
    row(np.remainder, positive(3), positive(3), call=lambda x, y: np.remainder(x + 9, y + 20)),
    row(
        np.remainder,
        positive(3),
        positive(3),
        call=lambda x, y: np.remainder(x + 9, y + 3.9),
        label="whole part 2 or 1",
    ),
    row(np.power, positive(2, 3), real(2, 3)),
    row(np.power, real(2, 3), call=lambda x: np.power(x, 3), label="x,3"),
    row(np.power, nonzero(2, 3), call=lambda x: np.power(x, -2.0), label="x,-2"),
    row(np.power, real(4), call=lambda x: np.power(x, np.array([0.0, 1, 2, 3])), label="x,0123"),
    row(operator.pow, positive(2, 3), real(2, 3)),
    row(operator.pow, real(2, 3), call=lambda x: x**2, label="x**2"),
    row(operator.pow, real(2, 3), call=lambda x: 2.0**x, label="2**x"),
    row(np.float_power, positive(2, 3), real(2, 3)),
    row(np.square, real(2, 3)),
    row(np.cbrt, nonzero(2, 3)),
    row(np.exp2, real(2, 3)),
    row(np.logaddexp2, *binary),
    row(np.ldexp, real(3), call=lambda x: np.ldexp(x, np.array([1, -2, 3]))),
    *[
        row(function, fractional(2, 3))
        for function in (np.rint, np.floor, np.ceil, np.trunc, np.round, np.around, np.fix)
    ],
    *[
        row(
            round,
            fractional(3),
            call=lambda x, n=digits: round(x / 10**n, n),
            reference=lambda x, n=digits: np.round(x / 10**n, n),
            label=f"x,{digits}",
        )
        for digits in (0, 1, -1)
    ],
    row(np.round, fractional(3), call=lambda x: np.round(x / 10, decimals=1), label="decimals"),
    row(np.modf, fractional(2, 3)),
    row(np.modf, fractional(3), call=lambda x: np.modf(x)[0], label="fraction"),
    row(np.modf, fractional(3), call=lambda x: np.modf(x)[1], label="whole"),
    row(np.frexp, fractional(3), call=lambda x: np.frexp(x)[0], label="mantissa"),
    passes(np.frexp, fractional(3), call=lambda x: np.frexp(x)[1], label="exponent"),
    row(np.heaviside, nonzero(4), real(4)),
    row(np.heaviside, real(1), call=lambda h: np.heaviside(np.zeros(3), h), label="at 0"),
    row(np.copysign, nonzero(4), nonzero(4)),
    row(np.nextafter, real(4), real(4)),
    row(np.copysign, nonzero(4), call=lambda x: np.copysign(x, [1.0, -1, 1, -1]), label="±1"),
    row(np.sqrt, positive(2, 3)),
    row(np.hypot, nonzero(2, 3), nonzero(2, 3)),
    row(np.exp, real(2, 3)),
    row(np.expm1, real(2, 3)),
    row(np.log, positive(2, 3)),
    row(np.log1p, positive(2, 3)),
    row(np.log2, positive(2, 3)),
    row(np.log10, positive(2, 3)),
    row(np.logaddexp, *binary),
    row(np.absolute, nonzero(2, 3)),
    row(np.fabs, nonzero(2, 3)),
    row(np.fmax, *apart),
    row(np.fmin, *apart),
    row(np.sign, nonzero(2, 3)),
    row(np.sign, complex_numbers(3), label="complex"),
    row(np.maximum, *apart),
    row(np.minimum, *apart),
    row("relu", distinct(2, 3), call=lambda x: x.relu(), reference=lambda x: np.maximum(x, 0)),
    row(np.clip, distinct(7), call=lambda x: np.clip(x, -0.3, 0.6), label="x,low,high"),
    row(np.clip, distinct(7), call=lambda x: np.clip(x, 0.0, None), label="x,low,None"),
    row(np.clip, distinct(7), call=lambda x: np.clip(x, a_min=None, a_max=0.0), label="a_max"),
    row(np.clip, distinct(7), call=lambda x: np.clip(x, min=-0.3, max=0.3), label="min,max"),
    row(
        np.clip,
        distinct(2, 3),
        call=lambda x: np.clip(x[0], np.minimum(x[1], 0) - 0.1, x[1] * x[1] + 0.1),
        label="bounds with gradients",
    ),
    row(
        np.clip,
        distinct(2, 6),
        call=lambda x: np.clip(x[0], x[1] / 9 + 0.2, x[1] / 9 + 0.7),
        label="every bound",
    ),
    row(np.where, *binary, call=lambda x, y: np.where(np.eye(2, 3) > 0, x, y), label="c,x,y"),
    row(np.where, distinct(4), call=lambda x: np.where(x > 0, np.sin(x), x), label="x>0"),
    row(
        np.where,
        real(2),
        real(),
        call=lambda x, a: np.where([True, False], [1.0, a], x),
        label="lists",
    ),
    row(np.clip, distinct(2), real(), call=lambda x, a: np.clip(x, [a, -9.0], 9.0), label="lists"),
    row(np.conjugate, real(2, 3)),
    row(np.conjugate, complex_numbers(2, 3), label="complex"),
    row(np.real, complex_numbers(2, 3)),
    row(np.imag, complex_numbers(2, 3)),
    row(np.real, real(3), label="real"),
    row(np.imag, real(3), label="real"),
    row(np.real_if_close, complex_numbers(3)),
    row(np.real_if_close, real(3), call=lambda x: np.real_if_close(x + 1e-17j), label="real"),
    row(np.angle, complex_numbers(3)),
    row(np.angle, complex_numbers(3), deg=True),
    row(np.angle, positive(3), label="real"),
    row(np.nan_to_num, real(3)),
    row(
        np.nan_to_num,
        real(3),
        call=lambda x: np.nan_to_num(x + np.array([np.nan, 0, np.inf]), nan=1.0, posinf=9.0),
        label="nan",
    ),
    *[
        row(function, complex_numbers(3), label="complex")
        for function in (
            np.negative,
            np.positive,
            np.reciprocal,
            np.square,
            np.sqrt,
            np.exp,
            np.expm1,
            np.log,
            np.log1p,
            np.log2,
            np.log10,
            np.absolute,
        )
    ],
    *[
        row(function, complex_numbers(3), complex_numbers(3), label="complex")
        for function in (np.add, np.subtract, np.multiply, np.divide, np.power)
    ],
    *[
        row(function, real(3), complex_numbers(3), label="real,complex")
        for function in (np.add, np.subtract, np.multiply, np.divide)
    ],
    row(np.power, positive(3), complex_numbers(3), label="real,complex"),
    *[
        passes(function, *apart)
        for function in (
            np.less,
            np.less_equal,
            np.greater,
            np.greater_equal,
            np.equal,
            np.not_equal,
            np.logical_and,
            np.logical_or,
            np.logical_xor,
        )
    ],
    *[
        passes(function, *apart, call=lambda x, y, f=function: f(x > 0, y > 0))
        for function in (np.bitwise_and, np.bitwise_or, np.bitwise_xor)
    ],
    passes(np.invert, real(3), call=lambda x: np.invert(x > 0)),
    *[
        passes(function, distinct(2, 3))
        for function in (
            np.logical_not,
            np.isfinite,
            np.isnan,
            np.isinf,
            np.signbit,
            np.isneginf,
            np.isposinf,
            np.isreal,
            np.iscomplex,
            np.nonzero,
        )
    ],
    passes(np.where, distinct(3), label="c"),
    *[
        passes(function, distinct(3), distinct(3))
        for function in (np.isclose, np.allclose, np.array_equal, np.array_equiv)
    ],
    passes(np.allclose, distinct(3), call=lambda x: np.allclose(x, b=x, atol=0.1), label="b="),
    *[
        passes(function, distinct(4), call=lambda x, f=function: f(np.argsort(x), 2))
        for function in (np.gcd, np.lcm, np.left_shift, np.right_shift)
    ],
    passes(np.bitwise_count, distinct(4), call=lambda x: np.bitwise_count(np.argsort(x))),
    row(
        np.log,
        distinct(2, 3),
        call=lambda x: np.log(x + 3, where=x > 0),
        reference=lambda x: np.log(x + 3, out=np.zeros_like(x), where=x > 0),
        label="where",
    ),
    row(
        np.multiply,
        real(2, 3),
        real(3),
        call=lambda x, y: np.multiply(x, y, where=np.eye(2, 3) > 0),
        reference=lambda x, y: np.where(np.eye(2, 3) > 0, x * y, 0),
        label="where",
    ),
    row(np.exp, real(3), label="dtype", dtype=np.float64),
    row(np.add, real(3), real(3), label="dtype", dtype=np.float64),
    *[
        method(function, "outer", real(2), real(3, 2))
        for function in (np.add, np.subtract, np.multiply, np.logaddexp, np.logaddexp2)
    ],
    *[
        method(function, "outer", distinct(2), fractional(3))
        for function in (np.maximum, np.minimum, np.fmax, np.fmin, np.divide)
    ],
    *[
        method(function, "outer", positive(2), positive(3))
        for function in (np.power, np.float_power, np.hypot, np.arctan2)
    ],
    *[
        method(function, "outer", positive(2), call=lambda x, f=function: f.outer(x, [7.0, 8.0]))
        for function in (np.remainder, np.fmod)
    ],
    *[
        method(function, "outer", distinct(2), fractional(3))
        for function in (np.floor_divide, np.heaviside, np.copysign)
    ],
    method(np.ldexp, "outer", real(2), call=lambda x: np.ldexp.outer(x, np.array([1, -2]))),
    *[
        method(
            function,
            "outer",
            real(4),
            call=lambda x, f=function: f.outer(x > 0, np.array([True, False])),
            derivatives=0,
        )
        for function in (
            np.logical_and,
            np.logical_or,
            np.logical_xor,
            np.bitwise_and,
            np.bitwise_or,
            np.bitwise_xor,
        )
    ],
    *[
        method(function, "outer", distinct(2), fractional(3), derivatives=0)
        for function in (
            np.less,
            np.less_equal,
            np.greater,
            np.greater_equal,
            np.equal,
            np.not_equal,
        )
    ],
]
