"""Rules of functions that work element by element; shapes broadcast, the engine undoes it.

In a rule, ``g`` is the gradient with respect to the result, ``out`` the result,
then come the inputs.  The mathematics is in any table of derivatives, for
instance M. Abramowitz, I. Stegun, "Handbook of Mathematical Functions" (1964),
chapters 3 and 4.
"""

from __future__ import annotations

import operator
from functools import partial
from math import log as log_of
from math import pi
from typing import Any

from autograd_lite.core.backward import is_complex
from autograd_lite.core.errors import ArgumentTypeError
from autograd_lite.core.in_place import write_result
from autograd_lite.core.node import ABSENT, unwrap
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import PYTHON_SCALARS, Primitive, register, registry
from autograd_lite.core.views import is_number
from autograd_lite.ops.choosing import chosen, clip_high, clip_low, clip_x, share
from autograd_lite.ops.define import (
    LeftToNumpy,
    array_function,
    cast,
    composite,
    in_loops,
    masked,
    multi_output,
    nondifferentiable,
    parts,
    ufunc,
)
from autograd_lite.ops.lengths import direction, with_curvature

__all__ = [
    "add",
    "divide",
    "multiply",
    "negative",
    "positive",
    "power",
    "power_operator",
    "relu",
    "square",
    "subtract",
    "where_chosen",
]

function: Any
"""Each of several functions that share a rule, in the loops below."""

LN2, LN10 = log_of(2), log_of(10)


def outer_product(
    function: Any, x: Any, y: Any,
    where: Any = True, dtype: Any = None, casting: Any = "same_kind",
) -> Any:  # fmt: skip
    """``function`` of every element of ``x`` with every element of ``y``."""
    x, y = beside_number(x, y), beside_number(y, x)
    column = np.reshape(x, np.shape(x) + (1,) * np.ndim(y))
    if where is not True:
        return masked(function, column, y, where=where, dtype=dtype, casting=casting)
    return function(column, y, dtype=dtype, casting=casting)


def beside_number(x: Any, other: Any) -> Any:
    """An array as it is beside a number of Python's that is taken for an array, and its dtype."""
    kind: Any = type(unwrap(other))
    if kind not in PYTHON_SCALARS or type(unwrap(x)) in PYTHON_SCALARS:
        return x
    if x.dtype.kind in "biu" and kind is not int:
        return x  # they become floats beside either, but where integers are wanted, as by ldexp
    return np.astype(x, np.result_type(x.dtype, kind))


def zero(g: Any, out: Any, *inputs: Any) -> Any:
    """The derivative of a step function: zero wherever there is one."""
    return np.zeros_like(g)


# Arithmetic.

add = ufunc(
    np.add,
    lambda g, out, x, y: g,
    lambda g, out, x, y: g,
    forward=operator.add,
    singular=False,
    cheap=True,
    linear="all",
    formula="x + y",
)
subtract = ufunc(
    np.subtract,
    lambda g, out, x, y: g,
    lambda g, out, x, y: -g,
    forward=operator.sub,
    singular=False,
    cheap=True,
    linear="all",
    formula="x - y",
)
multiply = ufunc(
    np.multiply,
    lambda g, out, x, y: g * y,
    lambda g, out, x, y: g * x,
    forward=operator.mul,
    cheap=True,
    linear="each",
    formula="x · y",
)
divide = ufunc(
    np.divide,
    lambda g, out, x, y: g / y,
    lambda g, out, x, y: -g * out / y,
    forward=operator.truediv,
    formula="x / y",
)
negative = ufunc(
    np.negative,
    lambda g, out, x: -g,
    forward=operator.neg,
    singular=False,
    cheap=True,
    linear="all",
    formula="-x",
)
positive = ufunc(
    np.positive, lambda g, out, x: g, forward=operator.pos, singular=False, cheap=True, formula="x"
)
reciprocal = ufunc(np.reciprocal, lambda g, out, x: -g * out * out, formula="1 / x")
floor_divide = ufunc(
    np.floor_divide, zero, zero, forward=operator.floordiv, masks=True, formula="⌊x / y⌋"
)
remainder = ufunc(
    np.remainder,
    lambda g, out, x, y: g,
    lambda g, out, x, y: -g * np.floor_divide(x, y),
    forward=operator.mod,
    formula="x mod y",
)


fmod = ufunc(
    np.fmod,
    lambda g, out, x, y: g,
    lambda g, out, x, y: -g * np.rint((x - out) / y),  # x / y may be rounded up to an integer
    formula="fmod(x, y)",  # which x - y · trunc(x / y) is not where y is infinite
)


@composite(np.divmod, asks_numpy="on failure")
def divmod_(x: Any, y: Any) -> Any:
    return np.floor_divide(x, y), np.remainder(x, y)


def power_of_numbers(x: Any, n: Any) -> Any:
    """``x ** n`` as NumPy has it: a negative number to a broken power is NaN, not complex."""
    result = x**n
    if result.__class__ is complex and complex not in (x.__class__, n.__class__):
        return np.power(x, n).item()
    return result


def less_one(n: Any) -> Any:
    """An exponent that small integers and unsigned ones may be too short to hold."""
    kind = getattr(getattr(n, "dtype", None), "kind", "f")
    return (np.astype(n, np.promote_types(n.dtype, np.int16)) if kind in "iu" else n) - 1


def power_base(g: Any, out: Any, x: Any, n: Any) -> Any:
    n = int(n) if isinstance(n, np.integer) else n
    if n.__class__ is int or n.__class__ is float:
        return g * n * power_of_numbers(x, n - 1) if n != 0 else np.zeros_like(g)
    # 0 ** -1 would be infinite; elsewhere the exponent has a derivative, at n = 0 too.
    return g * n * x ** np.where(np.logical_and(n == 0, x == 0), 1, less_one(n))


def power_exponent(g: Any, out: Any, x: Any, n: Any) -> Any:
    return g * out * np.log(np.where(x == 0, np.ones_like(out), x))


power = ufunc(np.power, power_base, power_exponent, formula="x ** n")
power_operator = Primitive(
    power_of_numbers,
    power_base,
    power_exponent,
    name="power",
    elementwise=True,
    singular=True,
    formula="x ** n",
)
register(operator.pow, power_operator)
float_power = ufunc(np.float_power, power_base, power_exponent, formula="x ** n")
square = ufunc(np.square, lambda g, out, x: g * (2 * x), cheap=True, formula="x²")
sqrt = ufunc(np.sqrt, lambda g, out, x: g / (2 * out), formula="√x")
cbrt = ufunc(np.cbrt, lambda g, out, x: g / (3 * out * out), formula="∛x")
hypot = ufunc(
    np.hypot,
    lambda g, out, x, y: with_curvature(g * direction(x, out), x, g, out),
    lambda g, out, x, y: with_curvature(g * direction(y, out), y, g, out),
    formula="√(x² + y²)",
)

# Exponentials and logarithms.

exp = ufunc(np.exp, lambda g, out, x: g * out)
exp2 = ufunc(np.exp2, lambda g, out, x: g * out * LN2, formula="2 ** x")
expm1 = ufunc(np.expm1, lambda g, out, x: g * (out + 1), formula="exp(x) - 1")
log = ufunc(np.log, lambda g, out, x: g / x)
log1p = ufunc(np.log1p, lambda g, out, x: g / (1 + x), formula="log(1 + x)")
log2 = ufunc(np.log2, lambda g, out, x: g / (x * LN2))
log10 = ufunc(np.log10, lambda g, out, x: g / (x * LN10))
logaddexp = ufunc(
    np.logaddexp,
    lambda g, out, x, y: g * np.exp(-np.logaddexp(0, y - x)),
    lambda g, out, x, y: g * np.exp(-np.logaddexp(0, x - y)),
    formula="log(exp(x) + exp(y))",
)
logaddexp2 = ufunc(
    np.logaddexp2,
    lambda g, out, x, y: g * np.exp2(-np.logaddexp2(0, y - x)),
    lambda g, out, x, y: g * np.exp2(-np.logaddexp2(0, x - y)),
    formula="log2(2 ** x + 2 ** y)",
)
ldexp = ufunc(np.ldexp, lambda g, out, x, n: np.ldexp(g, n), None, formula="x · 2 ** n")

# Steps, kinks and choices.

for function in (np.rint, np.floor, np.ceil, np.trunc):
    ufunc(function, zero, singular=False, masks=True)
for function in (np.round, np.around, np.fix):
    array_function(function, lambda g, out, x, decimals=0: np.zeros_like(g), masks=True)


def round_as_python_does(x: Any, digits: int) -> Any:
    """``round(x, digits)``: of a float to the nearest decimal, of arrays as NumPy does."""
    return round(x, digits) if x.__class__ is float else np.round(x, digits)


round_operator = Primitive(
    round_as_python_does,
    lambda g, out, x, digits: np.zeros_like(g),
    name="round",
    elementwise=True,
    masks=True,
)
register(round, round_operator)
heaviside = ufunc(
    np.heaviside, zero, lambda g, out, x, at_zero: np.where(x == 0, g, 0), singular=False,
    masks=True,
)  # fmt: skip
nextafter = ufunc(np.nextafter, lambda g, out, x, y: g, zero, singular=False)
copysign = ufunc(
    np.copysign,
    lambda g, out, x, y: g * np.sign(x) * np.copysign(np.ones_like(out), y),
    zero,
    singular=False,
    masks=True,
)


def modf_vjp(g: Any, out: Any, x: Any) -> Any:
    """The fraction moves with the number, the integer does not."""
    return np.zeros_like(g[1]) if g[0] is None else g[0]


def frexp_vjp(g: Any, out: Any, x: Any) -> Any:
    """x = mantissa · 2 ** exponent, and the exponent is constant nearly everywhere."""
    return np.ldexp(g[0], -parts(out, 2)[1])


modf = multi_output(np.modf, modf_vjp)
frexp = multi_output(np.frexp, frexp_vjp)


def sign_vjp(g: Any, out: Any, x: Any) -> Any:
    """A real number keeps its sign; a complex one's turns with its angle."""
    if not is_complex(x):
        return np.zeros_like(g)
    return 1j * np.imag(g * out) / np.where(x == 0, 1, x)


def absolute_vjp(g: Any, out: Any, x: Any) -> Any:
    x = np.conjugate(x)
    return with_curvature(g * np.sign(x), x, g, out)


absolute = ufunc(
    np.absolute,
    absolute_vjp,
    forward=operator.abs,
    cheap=True,
    formula="|x|",
)
fabs = ufunc(np.fabs, absolute_vjp, formula="|x|")
sign = ufunc(np.sign, sign_vjp, masks=True, singular=False, cheap=True)
maximum = ufunc(
    np.maximum,
    lambda g, out, x, y: share(x > y, g, x, y),
    lambda g, out, x, y: share(y > x, g, x, y),
    masks=True,
    singular=False,
    cheap=True,
    formula="max(x, y)",
)
minimum = ufunc(
    np.minimum,
    lambda g, out, x, y: share(x < y, g, x, y),
    lambda g, out, x, y: share(y < x, g, x, y),
    masks=True,
    singular=False,
    cheap=True,
    formula="min(x, y)",
)
fmax = ufunc(
    np.fmax,
    lambda g, out, x, y: np.where(x == y, g / 2, np.where(out == x, g, 0)),
    lambda g, out, x, y: np.where(x == y, g / 2, np.where(out == y, g, 0)),
    masks=True,
    singular=False,
    formula="max(x, y)",
)
fmin = ufunc(
    np.fmin,
    lambda g, out, x, y: np.where(x == y, g / 2, np.where(out == x, g, 0)),
    lambda g, out, x, y: np.where(x == y, g / 2, np.where(out == y, g, 0)),
    masks=True,
    singular=False,
    formula="min(x, y)",
)


def relu_forward(x: Any) -> Any:
    if x.__class__ is float:
        return 0.0 if x <= 0.0 else x
    return np.maximum(x, 0)


relu = Primitive(
    relu_forward,
    lambda g, out, x: g * (x > 0),
    name="relu",
    elementwise=True,
    masks=True,
    cheap=True,
    formula="max(x, 0)",
)
register("relu", relu)


clip_between = Primitive(
    np.clip, clip_x, clip_low, clip_high, elementwise=True, masks=True, builtin=True
)


@composite(np.clip, asks_numpy="on failure")
def clip(
    a: Any, a_min: Any = ABSENT, a_max: Any = ABSENT,
    *, min: Any = ABSENT, max: Any = ABSENT, dtype: Any = None, casting: Any = "same_kind",
) -> Any:  # fmt: skip
    if dtype is not None or casting != "same_kind":
        bounds = {"a_min": a_min, "a_max": a_max, "min": min, "max": max}
        given = {k: x for k, x in bounds.items() if x is not ABSENT and x is not None}
        wanted = np.result_type(a, *given.values()) if dtype is None else dtype
        given = {k: cast(x, wanted, casting) for k, x in given.items()}
        return clip(cast(a, wanted, casting), **(bounds | given))
    if a_min is not ABSENT or a_max is not ABSENT:
        if a_min is ABSENT or a_max is ABSENT or min is not ABSENT or max is not ABSENT:
            raise LeftToNumpy
        return clip_between(a, a_min, a_max)
    low, high = (None if bound is ABSENT else bound for bound in (min, max))
    return clip_between(a, low, high)


where_chosen = Primitive(
    np.where,
    None,
    lambda g, out, condition, x, y: chosen(condition, g),
    lambda g, out, condition, x, y: np.where(condition, 0, g),
    elementwise=True,
    masks=True,
    cheap=True,
    builtin=True,
)
nondifferentiable(np.nonzero, selecting=True)


@composite(np.where, asks_numpy="on failure")
def where(condition: Any, *choices: Any) -> Any:
    if not choices:
        return np.nonzero(condition)
    chosen = where_chosen(condition, *choices)
    if chosen.dtype.kind not in "fciub":
        raise ArgumentTypeError(
            f"where: a Value beside what is not a number, together of dtype {chosen.dtype}; "
            "pass numbers"
        )
    return chosen


# Complex numbers.

conjugate = ufunc(np.conjugate, lambda g, out, x: np.conjugate(g), singular=False, linear="all")
real = ufunc(np.real, lambda g, out, x: g, singular=False, linear="all")
imag = ufunc(np.imag, lambda g, out, x: -1j * g, singular=False, linear="all")
real_if_close = Primitive(
    np.real_if_close, lambda g, out, x, tol=100: g, name="real_if_close", builtin=True
)


@composite(np.real_if_close, asks_numpy="on failure")
def as_real(a: Any, tol: Any = 100) -> Any:
    """What is real is itself; of a number NumPy makes an array without axes."""
    if a.dtype.kind == "c":
        return real_if_close(a, tol=tol)
    return np.copy(a) if is_number(a) else a


@composite(np.angle, asks_numpy="on failure")
def angle(z: Any, deg: bool = False) -> Any:
    imaginary = np.imag(z) if z.dtype.kind == "c" else 0
    radians = np.arctan2(imaginary, np.real(z))
    return radians * (180 / pi) if deg else radians


def nan_to_num_vjp(g: Any, out: Any, x: Any, **static: Any) -> Any:
    return np.where(np.isfinite(x), g, 0)


nan_to_num_copy = Primitive(
    np.nan_to_num, nan_to_num_vjp, name="nan_to_num", arrays=1, masks=True, builtin=True
)


@composite(np.nan_to_num, asks_numpy="never")
def nan_to_num(x: Any, copy: bool = True, **static: Any) -> Any:
    result = nan_to_num_copy(x, **static)
    if copy:
        return result
    written = write_result(x, result, "np.nan_to_num(copy=False)")
    return written if np.ndim(written) else written[()]  # which is a number


# Comparisons and tests.

for function, python_operator in (
    (np.less, operator.lt),
    (np.less_equal, operator.le),
    (np.greater, operator.gt),
    (np.greater_equal, operator.ge),
    (np.equal, operator.eq),
    (np.not_equal, operator.ne),
    (np.bitwise_and, operator.and_),
    (np.bitwise_or, operator.or_),
    (np.bitwise_xor, operator.xor),
):
    name = function.__name__
    register(function, Primitive(python_operator, name=name, differentiable=False, cheap=True))

nondifferentiable(np.invert, np.logical_and, np.logical_or, np.logical_not, cheap=True)
nondifferentiable(
    np.logical_xor, np.isfinite, np.isnan, np.isinf, np.signbit, np.isneginf, np.isposinf,
    np.isreal, np.iscomplex, np.isclose,
    np.allclose, np.array_equal, np.array_equiv, np.gcd, np.lcm, np.left_shift, np.right_shift,
    np.bitwise_count,
)  # fmt: skip

in_loops(
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not, np.isfinite, np.isnan,
    np.isinf, np.signbit, np.gcd, np.lcm, np.bitwise_count, np.divmod, np.modf, np.frexp,
)  # fmt: skip

# Methods of ufuncs.

for function in (
    np.add, np.subtract, np.multiply, np.divide, np.power, np.float_power, np.maximum, np.minimum,
    np.fmax, np.fmin, np.hypot, np.arctan2, np.logaddexp, np.logaddexp2, np.remainder, np.fmod,
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
    np.floor_divide, np.heaviside, np.copysign, np.ldexp, np.logical_and, np.logical_or,
    np.logical_xor, np.bitwise_and, np.bitwise_or, np.bitwise_xor,
):  # fmt: skip
    registry[function, "outer"] = partial(outer_product, function)
