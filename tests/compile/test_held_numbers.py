"""Numbers at the edges: exact algebra, signs of zeros, integers, poles."""

from __future__ import annotations

import contextlib
import math
import operator
import warnings

import numpy as np
import pytest

import autograd_lite as ag
from tests.compile.held import X, check_held, is_same, load


def doubled(x):
    return x * 2


# Numbers.

SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 0.5, 2.0, 1e300, 5e-324])
COMPLEX = np.array([complex(a, b) for a in SPECIAL for b in SPECIAL])

EXACT = {
    "1*x": lambda x: 1 * x,
    "x*1.0": lambda x: x * 1.0,
    "x/1": lambda x: x / 1,
    "x+(-0.)": lambda x: x + (-0.0),
    "-0.+x": lambda x: -0.0 + x,
    "x-0": lambda x: x - 0,
    "x-0.": lambda x: x - 0.0,
    "x-(-0.)": lambda x: x - (-0.0),
    "x+0": lambda x: x + 0,
    "0-x": lambda x: 0 - x,
    "-(-x)": lambda x: np.negative(-x),
    "x**1": lambda x: x**1,
    "x**2": lambda x: x**2,
    "x**0": lambda x: x**0,
    "x**-1": lambda x: x**-1,
    "x**.5": lambda x: x**0.5,
    "power .5": lambda x: np.power(x, 0.5),
    "power 2": lambda x: np.power(x, 2),
    "power 2.": lambda x: np.power(x, 2.0),
    "x**3": lambda x: x**3,
    "x*x": lambda x: x * x,
    "where": lambda x: np.where(x == x, x, 0),
    "where 0": lambda x: np.where(x == x, 0, x),
    "where 0.": lambda x: np.where(x == x, 0.0, x),
    "where -0.": lambda x: np.where(x == x, x, -0.0),
    "0*x": lambda x: 0 * x,
    "x-x": lambda x: x - x,
    "conj": lambda x: np.conj(np.conj(x)),
    "sum of no axis": lambda x: np.sum(x, axis=()),
    "abs": lambda x: np.abs(np.abs(x)),
    "sqrt of square": lambda x: np.sqrt(x * x),
    "sqrt(1*x)": lambda x: np.sqrt(1 * x),
    "log(x/1)": lambda x: np.log(x / 1),
    "arccosh(1*x)": lambda x: np.arccosh(1 * x),
    "arcsin(x-0)": lambda x: np.arcsin(x - 0),
    "sqrt(-(-x))": lambda x: np.sqrt(np.negative(-x)),
    "sqrt(x+(-0.))": lambda x: np.sqrt(x + (-0.0)),
    "ones*x": lambda x: np.ones(np.shape(x)) * x,
}


@pytest.mark.parametrize("name", EXACT)
def test_exact_algebra(name):
    with np.errstate(all="ignore"):
        for dtype in (float, np.float32, np.float16, complex, np.complex64):
            numbers = (COMPLEX if np.dtype(dtype).kind == "c" else SPECIAL).astype(dtype)
            check_held(lambda: EXACT[name], (numbers,), times=2)


ALL_OF_FLOAT16 = np.arange(1 << 16, dtype=np.uint16).view(np.float16)


@pytest.mark.parametrize("name", EXACT)
def test_exact_algebra_for_every_float16(name):
    with np.errstate(all="ignore"):
        expected = EXACT[name](ALL_OF_FLOAT16)
        found = ag.compile(EXACT[name], check=False)(ALL_OF_FLOAT16)
    assert found.dtype == expected.dtype
    bits = f"u{found.itemsize}"
    same_bits = found.view(bits) == expected.view(bits)
    assert np.all(same_bits | (np.isnan(found) & np.isnan(expected)))


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize(
    "number",
    [
        0.0,
        -0.0,
        2.0,
        -2.0,
        math.inf,
        -math.inf,
        math.nan,
        1e308,
        complex(0.5, -0.0),
        complex(-2, -0.0),
    ],
)
def test_exact_algebra_of_single_numbers(name, number):
    with np.errstate(all="ignore"):
        compiled = ag.compile(EXACT[name])
        expected = [np.asarray(EXACT[name](np.asarray(number)[()]))]
        with contextlib.suppress(ArithmeticError):  # where Python refuses, NumPy's numbers count
            expected.append(np.asarray(EXACT[name](number)))
        for _ in range(2):
            found = np.asarray(compiled(number))
            assert any(is_same(found, right) for right in expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.bool_])
@pytest.mark.parametrize("number", [300, -1, 2**70, 1.5, 255, True])
@pytest.mark.parametrize("op", [operator.lt, operator.ge, operator.eq, operator.ne])
def test_integers_are_compared_as_numbers(dtype, number, op):
    x = np.array([0, 1, 200, 255]).astype(dtype)
    check_held(lambda: lambda x: op(x, number), (x,), times=2)
    check_held(lambda: lambda x: np.where(op(x, number), 1.0, 2.0), (x,), times=2)
    check_held(lambda: lambda x: op(number, x) * 1.0, (x,), times=2)


def test_gradients_of_integers():
    slope = ag.grad(lambda x: np.sum(x * x * 0.25))
    check_held(lambda: slope, (np.array([1, 2, 3]),))
    check_held(lambda: slope, (3,))
    check_held(
        lambda: ag.value_and_grad(lambda w, x: np.sum(w * x), (0, 1)), (np.array([1, 2, 3]), X)
    )
    check_held(
        lambda: ag.grad(lambda tree: np.sum(tree["w"] * tree["w"] * 0.25)),
        ({"w": np.array([1, 2])},),
    )
    check_held(lambda: ag.hessian(lambda x: np.sum(x**3)), (np.array([1, 2, 3]),))
    check_held(lambda: ag.jacobian(lambda x: np.sinh(x)), (np.array([1, 2, 3]),))


def test_the_sign_of_zeros_in_saved_programs(tmp_path):
    for constant in (
        complex(-0.0, 1),
        complex(1, -0.0),
        -0.0,
        np.array([complex(0.0, -0.0)]),
        np.array([-0.0]),
    ):
        compiled = ag.compile(
            lambda x, k=constant: np.arctan2(np.imag(x * 1j + k), np.real(k)) + 1 / (k + 0 * x)
        )
        with np.errstate(all="ignore"):
            right = compiled(np.array([-0.0 + 0j]))
            saved = load(compiled.save(tmp_path / "saved.py"))
            assert is_same(saved(np.array([-0.0 + 0j])), right)


def test_constants_with_signed_zeros_in_results(tmp_path):
    constants = (
        complex(-0.0, -0.0),
        complex(0.0, -0.0),
        complex(-0.0, 2),
        complex(math.nan, -0.0),
        np.complex64(complex(2, -0.0)),
    )

    def f(x):
        return tuple(x * 1.0 + k for k in constants) + tuple(x - k for k in constants)

    check_held(lambda: f, (np.array([complex(-0.0, -0.0)]),), times=2)
    check_held(lambda: lambda x: (x, *constants, [-0.0, math.inf, math.nan]), (X,), times=2)
    compiled = ag.compile(f)
    right = compiled(np.array([complex(-0.0, -0.0)]))
    saved = load(compiled.save(tmp_path / "saved.py"))
    assert is_same(saved(np.array([complex(-0.0, -0.0)])), right)


# Python numbers at their poles, and other crashes.

POLES = {
    "a*log(s)": lambda a, s: a * np.log(s),
    "exp(s)": lambda a, s: a * np.exp(s),
    "1/s": lambda a, s: a * (1 / s),
    "s**-1": lambda a, s: a * s**-1,
    "s**-.5": lambda a, s: a * s**-0.5,
    "s**.5": lambda a, s: a * s**0.5,
    "sqrt": lambda a, s: a * np.sqrt(s),
    "arccosh": lambda a, s: a + np.arccosh(s),
    "sinh": lambda a, s: a * np.sinh(s),
    "cosh": lambda a, s: a * np.cosh(s),
    "expm1": lambda a, s: a * np.expm1(s),
    "arctanh": lambda a, s: a * np.arctanh(s),
    "log1p": lambda a, s: a * np.log1p(-s),
    "power": lambda a, s: a * s**2,
    "power of s": lambda a, s: a * 2.0**s,
    "mod": lambda a, s: a * (1.0 % s),
    "floor": lambda a, s: a * (1.0 // s),
    "tan": lambda a, s: a * np.tan(s),
    "square": lambda a, s: a * (s * s),
    "arcsin": lambda a, s: a * np.arcsin(s),
    "log2": lambda a, s: a * np.log2(s),
    "log10": lambda a, s: a * np.log10(s),
    "relu": lambda a, s: a * np.maximum(s, 0),
    "where": lambda a, s: a * np.where(s > 0, s, -s),
    "np.divide": lambda a, s: a * np.divide(1.0, s),
    "np.floor_divide": lambda a, s: a * np.floor_divide(1.0, s),
    "np.remainder": lambda a, s: a * np.remainder(1.0, s),
}


@pytest.mark.parametrize("name", POLES)
def test_python_numbers_at_their_poles(name):
    f = POLES[name]
    numbers = [
        2.0,
        0.0,
        -0.0,
        1000.0,
        -1000.0,
        math.inf,
        -math.inf,
        math.nan,
        1e308,
        -2.0,
        1.0,
        -1.0,
    ]

    def slope(a, s):
        return ag.grad(lambda a, s: np.sum(f(a, s)), 1)(a, s)

    def reference(a, s):
        return np.asarray(f(np.asarray(a), np.float64(s)))[()]

    for a in (X, 2.0):
        compiled, compiled_slope = ag.compile(f), ag.compile(slope)
        for s in numbers:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                found = compiled(a, s)
                np.testing.assert_allclose(found, reference(a, s), rtol=1e-12, err_msg=str((a, s)))
                if name in ("s**.5", "s**-.5") and s < 0:
                    continue
                np.testing.assert_allclose(
                    compiled_slope(a, s), slope(a, s), rtol=1e-10, err_msg=str((a, s))
                )


@pytest.mark.parametrize("x", [1j, 2j - 1, 0j], ids=["i", "-1 + 2i", "zero"])
def test_complex_numbers_divided_by_zero(x):
    with np.errstate(all="ignore"):
        expected = np.complex128(x) / 0.0
        for f in (lambda x: x / 0.0, lambda x: np.divide(x, 0.0)):
            np.testing.assert_equal(ag.compile(f)(x), expected)
        found = ag.compile(lambda x: np.nan_to_num(x / 0))(x)
        np.testing.assert_equal(found, np.nan_to_num(expected))


def test_a_complex_zero_is_complex_in_the_second_trace():
    scaled = ag.compile(lambda z, x: z * x)
    for _ in range(5):
        assert is_same(scaled(0j, 2.0), 0j)


def test_complex_numbers_of_python_have_no_order():
    with pytest.raises(TypeError, match="not supported between instances of 'complex'"):
        ag.Value(1j) < 2.0  # noqa: B015


ROOTS = {
    "an element": lambda x, n: (x[0] * 1) ** n,
    "an extremum": lambda x, n: np.max(x[:1]) ** n,
    "rows": lambda x, n: ag.scan(lambda c, r: (c * 0.1, (r + c) ** n), 0.0, x)[1],
    "a carry": lambda x, n: ag.fori(0, 1, lambda i, c: c**n, x[0]),
    "elements": lambda x, n: x**n,
    "np.power": lambda x, n: np.power(x[0] * 1, n),
    "np.power of rows": lambda x, n: ag.scan(lambda c, r: (c, np.power(r, n)), 0.0, x)[1],
}
"""NumPy takes the root of arrays and in `numpy.power`, for ``**`` of numbers C's power."""


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ROOTS)
def test_roots_of_numbers_and_of_arrays(name, dtype, backend):
    if backend == "numba":
        pytest.importorskip("numba")
    f = ROOTS[name]
    given = ag.compile(f, backend=backend)
    written = ag.compile(lambda x: f(x, dtype(0.5)), backend=backend)
    with np.errstate(all="ignore"):
        for first in (4.0, -np.inf, -0.0, 0.0, np.inf):
            x = np.array([first, 2.0, first], dtype)
            assert is_same(given(x, 0.5), f(x, 0.5))
            assert is_same(written(x), f(x, dtype(0.5)))


@pytest.mark.parametrize("places", [[0, 0], [0, 2]], ids=["one place", "two places"])
def test_fractions_added_to_integers_are_cut_off_of_each_sum(places):
    def f(x, k):
        sums = k.copy()
        np.add.at(sums, places, x)
        np.subtract.at(sums, places, x[::-1])
        return sums

    compiled = ag.compile(f)
    for x in ([0.126, -0.132], [0.105, -0.536], [1.304, 0.947], [-1.265, -0.623]):
        x, k = np.array(x), np.array([1, -2, 3])
        assert is_same(compiled(x, k), f(x, k))


def test_arrays_of_python_numbers_have_a_dtype():
    single = np.ones(2, np.float32)
    assert ag.compile(lambda s: np.copy(s) * single)(1.5).dtype == np.float64
    converted = ag.compile(lambda s: np.asarray(s, like=s).astype(np.float32), check=False)
    assert is_same(converted(1.5), np.array(1.5, np.float32))
    for like in (np.float32(1), np.array(1, np.float16), np.uint8(1), single):
        filled = ag.compile(lambda a, s: np.full_like(a, s))
        assert is_same(filled(like, 2.5), np.full_like(like, 2.5))


def test_small_caches():
    check_held(lambda: doubled, (X,), (X[:2],), cache_size=1)
    with pytest.raises(ag.ArgumentValueError, match="cache_size"):
        ag.compile(doubled, cache_size=0)
    with pytest.raises(ag.ArgumentValueError, match="cache_size"):
        ag.compile(doubled, cache_size=-3)


@pytest.mark.parametrize(
    "options",
    [
        *({name: 2.5} for name in ("cache_size", "block", "threads")),
        *({name: "a"} for name in ("cache_size", "block", "threads", "check", "validate")),
        *({name: True} for name in ("cache_size", "block", "threads")),
        *({"check": None}, {"check_finite": 1}, {"cuda_graph": "no"}, {"validate": 3}),
        *({"threads": 0}, {"threads": -2}, {"block": -1}, {"backend": None}),
    ],
    ids=str,
)
def test_options_that_are_none_are_refused(options):
    (name,) = options
    with pytest.raises(ag.AutogradError, match=f"compile: {name}=.*; pass|is unknown; pass"):
        ag.compile(lambda x: x * 2, **options)


def test_captured_object_arrays():
    things = np.array([doubled, None], dtype=object)
    check_held(lambda: lambda x: things[0](x), (X,))
    numbers = np.array([1.0, 2.0, 3.0], dtype=object)
    check_held(lambda: lambda x: x * numbers, (X,))
    check_held(lambda: lambda x: x * float(numbers[1]), (X,))


def test_einsum_and_interp_are_saved(tmp_path):
    def f(x):
        return np.einsum("i,i->", x, x) + np.interp(x, [0.0, 5.0], [1.0, 2.0])

    compiled = ag.compile(f)
    expected = compiled(X)
    np.testing.assert_allclose(expected, f(X))
    np.testing.assert_allclose(load(compiled.save(tmp_path / "saved.py"))(X), f(X))


@pytest.mark.filterwarnings("ignore")
def test_a_fork_during_a_trace():
    import os

    def f(x):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        return x * 2

    check_held(lambda: f, (X,), times=3)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("shape", [(3,), (2, 3)], ids=["a row", "rows"])
@pytest.mark.parametrize("exponent", [0.5, 1.5, 2.0, -0.5, 0.0, np.float32(0.5)])
def test_an_exponent_that_repeats_one_number(exponent, shape):
    """NumPy takes roots by it, which are NaN at -inf, where powers by a full array are inf."""
    base = np.array([-np.inf, -0.0, 2.0])
    exponents = np.broadcast_to(exponent, shape)
    right = np.power(base, exponents)
    slope, _ = ag.grad(total_power, (0, 1))(base, exponents)
    np.testing.assert_array_equal(ag.vjp(np.power, base, exponents)[0], right)
    np.testing.assert_array_equal(ag.jvp(np.power, (base, exponents), (base, exponents))[0], right)
    for function in (np.power, operator.pow, ag.value_and_grad(total_power, (0, 1))):
        check_held(lambda f=function: lambda x, n: f(x, n), (base, exponents), times=2)
    np.testing.assert_array_equal(slope[2], right.reshape(-1, 3)[:, 2].sum() * exponent / 2)


def total_power(x, n):
    return np.sum(np.power(x, n))
