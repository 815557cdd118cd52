"""Elementary functions that a compiler can vectorise: what Numba's loops call.

Numba hands ``sin`` and its like to the C library, one number at a time.  These
are sums and products alone, without branches, so that a loop over them runs on
vectors.  The method is the textbook's: take away multiples of a constant
(W. J. Cody, W. Waite, "Software Manual for the Elementary Functions", 1980), and
sum Taylor's series of what is left.  They are exact to one or two units in the
last place.  float32 is computed in float64 and rounded.
"""

from __future__ import annotations

import math
from functools import cache
from importlib.util import find_spec
from math import factorial
from typing import Any

import numpy as np

from autograd_lite.core.errors import MissingOptionError

__all__ = [
    "ELEMENTARY_NAMES",
    "LARGEST_ANGLE",
    "check_numba",
    "has_numba",
    "loop_names",
    "numba_module",
    "scalar_functions",
]

ELEMENTARY_NAMES = ("sin", "cos", "exp", "expm1", "tanh", "log")

LARGEST_ANGLE = 2.0**45
"""Beyond it sine and cosine are NaN, with the warning that NumPy gives for those of infinity."""

HALF_PI = (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591833e-33)
"""π/2 as a sum: each term is what the ones before it lack, rounded to float64."""
LN2 = (0.6931471805599453, 2.3190468138462996e-17)
SINE = [(-1) ** n / factorial(2 * n + 1) for n in range(9)]
COSINE = [(-1) ** n / factorial(2 * n) for n in range(10)]
EXPONENTIAL = [1 / factorial(n) for n in range(15)]
AREA_TANGENT = [1 / (2 * n + 1) for n in range(11)]


MISSING = (
    'compile: backend="numba" needs the package numba, which is not installed; '
    "run: pip install 'autograd-lite[numba]'"
)


def has_numba() -> bool:
    """Whether Numba is installed; it takes long to import, which is left to whoever compiles."""
    return find_spec("numba") is not None


def check_numba() -> None:
    """Refuse to go on without Numba."""
    if not has_numba():
        raise MissingOptionError(MISSING)


def numba_module() -> Any:
    """Numba, or an error that says how to get it."""
    try:
        import numba
    except ImportError as error:
        raise MissingOptionError(MISSING) from error
    return numba


def polynomial(coefficients: list[float], x: str) -> str:
    """Horner's rule as an expression, each step rounded once."""
    text = repr(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        text = f"fma({text}, {x}, {coefficient!r})"
    return text


# Both sides of every choice are computed: neither may set a flag that NumPy would warn of.
SOURCE = f"""
def quarter_turns(x):
    return rint(x * {2 / math.pi!r}) + (0.0 if abs(x) <= {LARGEST_ANGLE!r} else inf)

def within_quarter(x, turns):
    r = fma(-turns, {HALF_PI[0]!r}, x)
    return fma(-turns, {HALF_PI[2]!r}, fma(-turns, {HALF_PI[1]!r}, r))

def of_quarter(r, turns):
    square = r * r
    sine = fma(r * square, {polynomial(SINE[1:], "square")}, r)
    cosine = {polynomial(COSINE, "square")}
    half = floor(turns * 0.5)
    value = cosine if turns != 2.0 * half else sine
    return -value if half != 2.0 * floor(half * 0.5) else value

def sin(x):
    turns = quarter_turns(x)
    value = of_quarter(within_quarter(x, turns), turns)
    return x if x == 0.0 else value

def cos(x):
    turns = quarter_turns(x)
    return of_quarter(within_quarter(x, turns), turns + 1.0)

def power_of_two(n):
    return as_float((int64(n) + 1023) << 52)

def exp(x):
    y = min(max(x, -746.0), 710.0)
    y = y if x == x else 0.0
    n = rint(y * {1 / math.log(2)!r})
    r = fma(-n, {LN2[1]!r}, fma(-n, {LN2[0]!r}, y))
    half = floor(n * 0.5)
    value = {polynomial(EXPONENTIAL, "r")} * power_of_two(half) * power_of_two(n - half)
    return value if x == x else x

def expm1(x):
    y = min(max(x, -45.0), 710.0)
    y = y if x == x else 0.0
    n = rint(y * {1 / math.log(2)!r})
    r = fma(-n, {LN2[1]!r}, fma(-n, {LN2[0]!r}, y))
    p = r * {polynomial(EXPONENTIAL[1:], "r")}
    half = power_of_two(n - 1.0)
    value = 2.0 * fma(half, p, half - 0.5)
    return value if abs(x) > 1e-290 else x

def tanh(x):
    y = expm1(min(2.0 * abs(x), 44.0))
    value = copysign(y / (y + 2.0), x)
    return value if x == x else x

def log(x):
    tiny = x < 2.2250738585072014e-308
    scaled = x * (18014398509481984.0 if tiny else 1.0)
    bits = as_int(scaled)
    n = float64((bits >> 52) - 1023) - (54.0 if tiny else 0.0)
    m = as_float((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000)
    large = m > 1.4142135623730951
    m = 0.5 * m if large else m
    n = n + 1.0 if large else n
    s = (m - 1.0) / (m + 1.0)
    square = s * s
    series = s * square * {polynomial(AREA_TANGENT[1:], "square")}
    value = fma(n, {LN2[0]!r}, fma(n, {LN2[1]!r}, 2.0 * (s + series)))
    value = value if x < inf else x
    value = value if x > 0.0 else -1.0 / min(abs(scaled), 1.0)
    return value if x >= 0.0 else sqrt(x)
"""


@cache
def scalar_functions() -> dict[str, Any]:
    """The functions by name, compiled to be put into the loops that call them."""
    numba = numba_module()
    names: dict[str, Any] = {"inf": np.inf, "float64": np.float64, "int64": np.int64}
    names |= {"floor": math.floor, "copysign": math.copysign, "sqrt": np.sqrt}
    names |= machine_instructions(numba)
    before = set(names)
    exec(SOURCE, names)
    made = [name for name in names if name not in before and not name.startswith("_")]
    for name in made:
        names[name] = numba.njit(error_model="numpy", forceinline=True)(names[name])
    return {name: names[name] for name in ELEMENTARY_NAMES}


def loop_names() -> dict[str, Any]:
    """What the text of a loop calls by name."""
    names = {name: getattr(np, name) for name in dir(np)}
    return {**names, "abs": abs, **scalar_functions(), **array_forms()}


@cache
def array_forms() -> dict[str, Any]:
    """Arrays seen in another way, as the caller has found that they lie."""
    numba = numba_module()
    from numba.core import cgutils
    from numba.extending import intrinsic

    helpers: Any = cgutils  # it has no types

    @intrinsic
    def contiguous(context: Any, array: Any) -> Any:
        """The same array, for Numba one whose elements lie side by side."""

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            context.nrt.incref(builder, signature.return_type, args[0])
            return args[0]

        return array.copy(layout="C")(array), generate

    @intrinsic
    def in_line(context: Any, array: Any) -> Any:
        """All elements of an array that lie side by side, as one row."""
        row = array.copy(layout="C", ndim=1)

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            given = context.make_array(array)(context, builder, args[0])
            made = context.make_array(row)(context, builder)
            context.populate_array(
                made,
                data=given.data,
                shape=[given.nitems],
                strides=[given.itemsize],
                itemsize=given.itemsize,
                meminfo=given.meminfo,
                parent=given.parent,
            )
            context.nrt.incref(builder, row, made._getvalue())
            return made._getvalue()

        return row(array), generate

    @intrinsic
    def part(context: Any, memory: Any, start: Any, shape: Any, dtype: Any) -> Any:
        """An array of some shape that lies in memory from a byte on."""
        made_type = numba.types.Array(dtype.dtype, len(shape), "C")
        size = numba.types.intp

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            given = context.make_array(memory)(context, builder, args[0])
            made = context.make_array(made_type)(context, builder)
            first = context.cast(builder, args[1], start, size)
            address = builder.add(builder.ptrtoint(given.data, first.type), first)
            lengths = [
                context.cast(builder, length, of, size)
                for length, of in zip(helpers.unpack_tuple(builder, args[2]), shape, strict=True)
            ]
            itemsize = context.get_abi_sizeof(context.get_data_type(dtype.dtype))
            strides = [context.get_constant(size, itemsize)]
            for length in reversed(lengths[1:]):
                strides.insert(0, builder.mul(strides[0], length))
            context.populate_array(
                made,
                data=builder.inttoptr(address, made.data.type),
                shape=lengths,
                strides=strides,
                itemsize=context.get_constant(size, itemsize),
                meminfo=None,
            )
            return made._getvalue()

        return made_type(memory, start, shape, dtype), generate

    return {"contiguous": contiguous, "in_line": in_line, "part": part}


def machine_instructions(numba: Any) -> dict[str, Any]:
    """Instructions that Python has no name for: x·y + z rounded once, and the bits of a number."""
    from llvmlite import ir
    from numba.extending import intrinsic

    double, integer = numba.types.float64, numba.types.int64

    @intrinsic
    def fma(context: Any, x: Any, y: Any, z: Any) -> Any:
        return double(double, double, double), lambda _, builder, __, args: builder.fma(*args)

    def make_rounding(name: str) -> Any:
        @intrinsic
        def round_number(context: Any, x: Any) -> Any:
            def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
                function = builder.module.declare_intrinsic(f"llvm.{name}", [ir.DoubleType()])
                return builder.call(function, args)

            return double(double), generate

        return round_number

    @intrinsic
    def as_float(context: Any, bits: Any) -> Any:
        return double(integer), lambda _, builder, __, args: builder.bitcast(
            args[0], ir.DoubleType()
        )

    @intrinsic
    def as_int(context: Any, x: Any) -> Any:
        return integer(double), lambda _, builder, __, args: builder.bitcast(
            args[0], ir.IntType(64)
        )

    roundings = {name: make_rounding(name) for name in ("rint", "floor")}
    return {"fma": fma, **roundings, "as_float": as_float, "as_int": as_int}
