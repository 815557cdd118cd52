"""Arguments at the edge of what functions take, each with NumPy's value or refusal."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value
from autograd_lite.core.tree import flatten

Call = Callable[[Any], Any]

la = np.linalg
SQUARE = np.array([[2.0, 1.0, 0.5], [0.3, 1.5, 0.2], [0.1, 0.4, 3.0]])
ROW = np.array([1.0, 3.0, 2.0, 5.0])

REFUSED: dict[str, tuple[Any, Call]] = {
    **{
        f"matrix_power {n}": (SQUARE, lambda a, n=n: la.matrix_power(a, n))
        for n in (0.5, 2.5, 2.0, np.inf)
    },
    "matrix_power of a row": (ROW[None], lambda a: la.matrix_power(a, 0)),
    "matrix_power not square": (SQUARE[:2], lambda a: la.matrix_power(a, 1)),
    "matrix_power not square, higher": (SQUARE[:2], lambda a: la.matrix_power(a, 3)),
    "matrix_power of a vector": (ROW, lambda a: la.matrix_power(a, 1)),
    "insert": (ROW, lambda a: np.insert(a, 1, 1j)),
    "average of a number": (np.array(1.0), lambda a: np.average(a, axis=0, weights=a)),
    "average": (ROW, lambda a: np.average(a, weights=[1, -1, 1, -1])),
    "cov fweights": (SQUARE, lambda a: np.cov(a, fweights=[1.5, 1, 1])),
    "cov negative fweights": (SQUARE, lambda a: np.cov(a, fweights=[-1, 1, 1])),
    "cov negative aweights": (SQUARE, lambda a: np.cov(a, aweights=[-1, 1, 1])),
    "cov ddof": (SQUARE, lambda a: np.cov(a, ddof=0.5)),
    "cumulative_sum": (SQUARE, np.cumulative_sum),
    "cumulative_prod": (SQUARE, np.cumulative_prod),
    "clip twice": (ROW, lambda a: np.clip(a, 0, 1, min=0)),
    "clip once": (ROW, lambda a: np.clip(a, 1)),
    "diff n": (ROW, lambda a: np.diff(a, n=-1)),
    "diff of a number": (np.array(1.0), np.diff),
    "outer": (SQUARE, lambda a: la.outer(a, a)),
    "vsplit": (ROW, lambda a: np.vsplit(a, 2)),
    "hsplit": (np.array(1.0), lambda a: np.hsplit(a, 1)),
    "dsplit": (SQUARE, lambda a: np.dsplit(a, 1)),
    "block": (ROW, lambda a: np.block([a, [a]])),
    "select": (ROW, lambda a: np.select([np.array([1, 0, 1, 0])], [a])),
    "interp": (ROW, lambda a: np.interp(a, [0.0, 1.0], [2.0, 3.0], period=0)),
    "meshgrid": (ROW, lambda a: np.meshgrid(a, a, indexing="yx")),
    "polyfit one weight": (ROW, lambda a: np.polyfit(a, a, 1, w=[2.0])),
    "polyfit weights": (ROW, lambda a: np.polyfit(a, a, 1, w=np.ones((4, 1)))),
    "polyfit complex weights": (ROW, lambda a: np.polyfit(a, a, 1, w=ROW + 1j)),
    "polyval": (np.array(2.0), lambda p: np.polyval(p, 3.0)),
    "pad": (ROW, lambda a: np.pad(a, 1, "constant", constant_values=a[0], stat_length=2)),
    "add.accumulate": (np.array(1.0), np.add.accumulate),
    "multiply.accumulate": (np.array(1.0), np.multiply.accumulate),
    "round": (np.complex64(1 + 2j), round),
    "trapezoid": (np.array(1.0), np.trapezoid),
    "tensorsolve": (SQUARE, lambda a: la.tensorsolve(a, np.ones(2))),
    "cond": (np.zeros((0, 0)), la.cond),
    "apply_over_axes": (SQUARE, lambda a: np.apply_over_axes(np.sum, a, 2)),
    "apply_along_axis": (SQUARE, lambda a: np.apply_along_axis(np.sum, 2, a)),
    "einsum": (SQUARE[:1], lambda a: np.einsum("ii", a)),
    "concatenate": (ROW, lambda a: np.concatenate([a, a], casting="nonsense")),
    "truth": (ROW, bool),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_numpy_refuses_is_refused(name: str) -> None:
    data, call = REFUSED[name]
    with pytest.raises(Exception) as theirs:
        call(data)
    for attempt in (lambda: call(Value(data)), lambda: ag.grad(lambda x: total(call(x)))(data)):
        with pytest.raises((ag.AutogradError, theirs.type)):
            attempt()


def total(results: Any) -> Any:
    return sum((np.sum(np.real(x)) for x in flatten(results)), 0.0)


def index_of(a: Any) -> Any:
    return np.argmin(a) + 1  # a Value of an integer


NOTHING = np.zeros((3, 0))
SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])
BIG_ENDIAN = SQUARE.astype(">f8")

COMPUTED: dict[str, tuple[Any, Call]] = {
    "split": (ROW, lambda a: np.split(a, [index_of(a)])),
    "array_split": (ROW, lambda a: np.array_split(a, index_of(a))),
    "resize": (ROW, lambda a: np.resize(a, (index_of(a), 3))),
    "repeat": (ROW, lambda a: np.repeat(a, index_of(a))),
    "repeat of a number": (np.array(2.0), lambda a: np.repeat(a, 3, axis=0)),
    "tile": (ROW, lambda a: np.tile(a, index_of(a))),
    "roll": (SQUARE, lambda a: np.roll(a, [1, 2], [0, 1])),
    "median": (SQUARE, lambda a: np.median(a, axis=())),
    "nanmedian": (SQUARE, lambda a: np.nanmedian(a, axis=())),
    "median, list": (SQUARE, lambda a: np.median(a, axis=[0])),
    "reduce": (SQUARE, lambda a: np.subtract.reduce(a, axis=())),
    "norm of nothing": (NOTHING, lambda a: la.norm(a, 2)),
    "norm of nothing, rows": (NOTHING.T, lambda a: la.norm(a, np.inf)),
    "vector_norm of nothing": (NOTHING, lambda a: la.vector_norm(a, axis=0)),
    "diff of truths": (ROW, lambda a: np.diff(a > 2)),
    "reduceat": (ROW, lambda a: np.subtract.reduceat(a, [])),
    "add.reduceat": (ROW, lambda a: np.add.reduceat(a, [])),
    "take": (ROW, lambda a: np.take(a, [])),
    "cumulative_sum": (NOTHING[0], lambda a: np.cumulative_sum(a, include_initial=True)),
    "logical_and": (ROW, lambda a: np.logical_and.reduce(a, initial=False)),
    "logical_or": (ROW, lambda a: np.logical_or.reduce(a, initial=True)),
    "polyder": (ROW, lambda p: np.polyder(p, m=2.0)),
    "polyint": (ROW, lambda p: np.polyint(p, m=2.0)),
    "pad": (ROW, lambda a: np.pad(a, 1, "median", stat_length=0)),
    "shift left": (ROW, lambda a: index_of(a) << 2),
    "shift right": (ROW, lambda a: 8 >> index_of(a)),
    "matrix_power": (
        np.array([[np.inf, 1.0], [2.0, np.nan]]), lambda a: la.matrix_power(a, 0)
    ),
    "cond of zero": (np.zeros((2, 2)), la.cond),
    **{
        f"cond {p}": (SINGULAR, lambda a, p=p: la.cond(a, p))
        for p in (1, -1, np.inf, -np.inf, "fro")
    },
    "cond of several": (np.stack([SINGULAR, SINGULAR + np.eye(2)]), lambda a: la.cond(a, 1)),
    "cov": (SQUARE, lambda a: np.cov(a, ddof=4)),
    "cov, fweights": (SQUARE, lambda a: np.cov(a, ddof=7, fweights=[1, 2, 1])),
    "cov, aweights": (SQUARE, lambda a: np.cov(a, ddof=7, aweights=[1, 2, 1])),
    "cov of nothing": (NOTHING, np.cov),
    "cov in float32": (SQUARE, lambda a: np.cov(a, dtype=np.float32)),
    "intersect1d": (ROW, lambda a: np.intersect1d(a, [1.0, 1.0, 3.0, 7.0], assume_unique=True)),
    "choose": (np.float32([1, 2, 3]), lambda a: np.choose([0, 1, 0], [a, 1.0])),
    "poly": (ROW.astype(np.float16), np.poly),
    "matrix_power of big-endian": (BIG_ENDIAN, lambda a: la.matrix_power(a, 1)),
    "matrix_power 0 of big-endian": (BIG_ENDIAN, lambda a: la.matrix_power(a, 0)),
    "ediff1d of big-endian": (BIG_ENDIAN, lambda a: np.ediff1d(a, to_end=[1.0])),
    "rfftn": (SQUARE, lambda a: np.fft.rfftn(a, axes=(0, 0))),
    "norm of integers": (ROW, lambda a: la.norm(np.astype(a, int), 1)),
    "power": (ROW, lambda a: np.power(a, [1, 2, 2, 0])),
    "hypot of one": (SQUARE[:, :1] - 1.7, lambda a: np.hypot.reduce(a, axis=1)),
    "hypot of one, kept": (SQUARE[:1] - 1.7, lambda a: np.hypot.reduce(a, keepdims=True)),
    "hypot of none": (SQUARE - 1.7, lambda a: np.hypot.reduce(a, axis=())),
    "hypot of a number": (np.array(-1.7), lambda a: np.hypot.reduce(a, axis=None)),
    "cov of nothing in float16": (NOTHING.astype(np.float16).T, np.cov),
    "std about a mean": (SQUARE, lambda a: np.std(a, axis=0, mean=np.mean(a, axis=0))),
    "var about a mean": (SQUARE, lambda a: np.var(a, mean=1.0, ddof=1)),
    "logaddexp": (ROW, lambda a: np.logaddexp.reduce(np.astype(a, int), initial=0.5)),
}  # fmt: skip


BY_EQUALITY = ("intersect1d",)
"""What depends on whether numbers are equal has no numerical derivative."""


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", COMPUTED)
def test_what_numpy_computes_is_computed(name: str) -> None:
    data, call = COMPUTED[name]
    x = Value(data)
    with np.errstate(all="ignore"):
        theirs, ours = flatten(call(data)), flatten(call(x))
        for mine, yours in zip(ours, theirs, strict=True):
            assert mine.dtype == yours.dtype
            np.testing.assert_allclose(mine.data, yours, rtol=1e-13, strict=True)
        smooth = [result for result in ours if result.requires_grad]
        for result in smooth:
            result.backward(np.ones(result.shape, result.dtype))
        exact = all(np.all(np.isfinite(y)) and y.dtype != np.float32 for y in theirs)
        if not (smooth and exact and data.dtype == float) or name in BY_EQUALITY:
            return
        step = 1e-6
        for place in np.ndindex(data.shape):
            unit = np.zeros(data.shape)
            unit[place] = step
            slope = (total(call(data + unit)) - total(call(data - unit))) / (2 * step)
            np.testing.assert_allclose(x.grad[place], slope, rtol=1e-5, atol=1e-6)


def test_the_gradient_goes_through_a_mean_that_is_given() -> None:
    x = np.array([1.0, 2.0, 4.0, 8.0])
    for function in (np.var, np.std):
        through = ag.grad(lambda x, f=function: f(x, mean=np.mean(x)))(x)
        np.testing.assert_allclose(through, ag.grad(function)(x), rtol=1e-14)
    slope = ag.grad(lambda mean: np.var(x, mean=mean))(1.0)
    np.testing.assert_allclose(slope, 2 * (1.0 - np.mean(x)), rtol=1e-14)
    assert ag.grad(lambda x: np.std(x, mean=np.mean(x)))(np.ones(3)).tolist() == [0, 0, 0]
    with pytest.raises(ag.UnsupportedError, match=r"np\.nanstd of a Value does not take mean"):
        np.nanstd(Value(x), mean=1.0)


def test_a_power_of_one_is_its_matrix_and_a_power_of_zero_has_no_slope() -> None:
    assert ag.grad(lambda a: np.sum(la.matrix_power(a, 0)))(SQUARE).tolist() == [[0] * 3] * 3
    broken = np.array([[np.inf, 1.0], [2.0, np.nan]])
    assert ag.grad(lambda a: np.sum(la.matrix_power(a, 0)))(broken).tolist() == [[0, 0], [0, 0]]


def test_a_number_that_a_program_does_not_know_is_no_size() -> None:
    with pytest.raises(ag.CompileError):
        ag.compile(lambda a: np.split(a, [index_of(a)])[0])(ROW)


def test_arguments_are_asked_about_in_programs_too() -> None:
    with pytest.raises(TypeError, match="exponent must be an integer"):
        ag.compile(lambda a: la.matrix_power(a, 2.5))(SQUARE)


# Words.


def said(error: type[Exception], call: Callable[[], Any]) -> str:
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


def test_what_a_definition_cannot_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from autograd_lite.core.primitive import registry
    from autograd_lite.ops.define import composite

    def function(x: Any) -> Any:
        return x

    @composite(function)
    def definition(x: Any) -> Any:
        raise IndexError("inside")

    try:
        text = said(ag.UnsupportedError, lambda: registry[function](Value(1.0)))
    finally:
        del registry[function]
    assert text.endswith(
        "function of a Value is not known for these arguments, which NumPy takes (IndexError: "
        "inside); write it with other functions, or pass x.data to compute without gradient"
    )


def test_methods_of_plain_arrays_are_named_as_they_were_called() -> None:
    plain, x = np.ones(3), Value(2.0)
    assert said(ag.NoRuleError, lambda: plain.clip(0, x)) == (
        "array.clip() of a plain array does not record a Value; write np.clip(array, ...)"
    )
    text = said(ag.AutogradError, lambda: ag.grad(lambda v: plain.sum(initial=v))(2.0))
    assert text.startswith("plain.sum() takes a number out of the graph")
    text = said(
        ag.AutogradError, lambda: ag.grad(lambda v: random.choices([1, 2], [v, 1.0])[0] * v)(2.0)
    )
    assert text.startswith("random.choices() takes a number out of the graph")
    text = said(
        ag.AutogradError, lambda: ag.grad(lambda v: np.sum(np.fromiter([v], float, like=v)))(2.0)
    )
    assert text.startswith("np.fromiter() takes a number out of the graph")


def test_what_numbers_have_and_values_do_not_is_said() -> None:
    x = Value(2.0)
    assert said(ag.MissingAttributeError, lambda: x.hex) == (
        "a Value does not have the number's 'hex'; write x.item().hex()"
    )
    assert said(ag.MissingAttributeError, lambda: x.is_integer()) == (
        "a Value does not have the number's 'is_integer'; "
        "write x.item().is_integer(), or x == np.floor(x) for arrays"
    )
    assert said(ag.ArgumentValueError, lambda: bool(Value(ROW))) == (
        "a Value of shape (4,) has no single truth value; write np.any(x) or np.all(x), "
        "or np.where(x, a, b) to choose element by element"
    )
    assert said(ag.ArgumentTypeError, lambda: ag.array(["a", x])) == (
        "ag.array: a Value beside what is not a number, together of dtype <U32; "
        "pass numbers, arrays of numbers and Values"
    )


def test_small_and_unsigned_integers_do_not_wrap_in_rules() -> None:
    y = ag.Value([1.0, 2.0, 4.0]) * 1.0
    np.subtract.at(y, [0], np.uint8(1))
    assert y.data.tolist() == [0.0, 2.0, 4.0]
    x = np.array([1.0, 2.0, 3.0])
    assert ag.grad(lambda x: np.roll(x, np.uint8(1))[0])(x).tolist() == [0.0, 0.0, 1.0]
    for n in (np.uint8(0), np.uint16(0), np.array([0], "u1"), np.array([0], "u8")):
        assert ag.grad(lambda x, n=n: np.sum(np.power(x, n)))(1e3) == 0.0
    for n in (np.int8(-128), np.array([-128], "i1")):
        slope = ag.grad(lambda x, n=n: np.sum(x**n))(1.1)
        np.testing.assert_allclose(slope, -128 * 1.1**-129, rtol=1e-12)
    weights = np.array([1.0, 10.0, 100.0, 1000.0])
    places, knots = np.array([1, 5, 7, 200], "u1"), np.array([5, 9, 12], "u1")
    by_values = ag.grad(lambda fp: np.sum(weights * np.interp(places, knots, fp)))(x)
    np.testing.assert_allclose(by_values, [61.0, 50.0, 1000.0])
    many = np.arange(300.0)
    for ddof in (1, np.uint8(1)):
        gradient = ag.grad(lambda x, d=ddof: np.var(x, ddof=d))(many)
        np.testing.assert_allclose(gradient, 2 * (many - many.mean()) / 299)
    starts = np.array([127, 3, 100], np.int8)
    gradient = ag.grad(lambda x: np.add.reduceat(x, starts)[0])(many)
    assert gradient.sum() == 1.0 and gradient[127] == 1.0


def test_arrays_like_a_value_are_copies_where_numpy_makes_copies() -> None:
    for make in (
        lambda y: np.asfortranarray(y, like=y),
        lambda y: np.asarray(y, order="F", like=y),
        lambda y: np.asarray(y, copy=True, like=y),
        lambda y: np.asarray(y.T, order="C", like=y),
        lambda y: np.ascontiguousarray(y.T, like=y),
        lambda y: np.asarray(y, dtype="f8", like=y),
        lambda y: np.array(y, copy=False, like=y),
        lambda y: np.array(y, order="F", like=y),
    ):
        plain = np.arange(6.0).reshape(2, 3)
        value = ag.Value(plain) * 1.0
        theirs, ours = make(plain), make(value)
        plain[0] += 5.0
        value[0] += 5.0
        np.testing.assert_array_equal(ours.data, theirs)
        assert ours.data.strides == theirs.strides


def test_eigenvalues_have_gradients_also_where_others_repeat() -> None:
    u, v = np.array([1.0, 2.0, 0.0, 1.0]), np.array([2.0, 1.0, 1.0, 3.0])
    for matrix, expected in (
        (np.eye(3) + 0.6, np.full((3, 3), 1 / 3)),
        (2 * np.eye(4) + np.outer(u, v), np.outer(v, u) / (u @ v)),
    ):
        largest = ag.grad(lambda a: np.max(np.real(np.linalg.eigvals(a))))(matrix)
        np.testing.assert_allclose(largest, expected, atol=1e-12)
        trace = ag.grad(lambda a: np.sum(np.real(np.linalg.eigvals(a))))(matrix)
        np.testing.assert_allclose(trace, np.eye(len(matrix)), atol=1e-12)
    for shape in ((0, 0), (2, 0, 0)):
        gradient = ag.grad(lambda a: np.sum(np.abs(np.linalg.eigvals(a))))(np.zeros(shape))
        assert gradient.shape == shape


def test_variances_of_complex_numbers_are_real_whatever_dtype_they_are_given_in() -> None:
    z = np.array([1 + 2j, 3 - 1j, 0.5j])
    assert not np.any(ag.grad(lambda z: np.imag(np.var(z, dtype=complex)))(z))
    np.testing.assert_allclose(
        ag.grad(lambda z: np.real(np.var(z, dtype=complex)))(z), ag.grad(np.var)(z)
    )
    x = np.arange(3.0, dtype=np.float32)
    assert np.var(ag.Value(x), mean=np.mean(x, keepdims=True)).dtype == np.float32


def test_a_slice_of_one_is_its_element() -> None:
    x = np.array([3.0, -4.0])
    for function in (np.hypot, np.subtract, np.maximum):
        ours = function.reduceat(ag.Value(x), [0, 1])
        np.testing.assert_array_equal(ours.data, function.reduceat(x, [0, 1]))
        assert ag.grad(lambda x, f=function: np.sum(f.reduceat(x, [0, 1])))(x).tolist() == [1, 1]


def test_a_complex_number_is_written_into_no_real_array() -> None:
    for write in (
        lambda y: np.put(y, [0], 1j),
        lambda y: y.put([0], 1j),
        lambda y: np.add.at(y, [0], 1j),
        lambda y: np.multiply.at(y, [0], 1j),
    ):
        with pytest.raises(ag.ArgumentTypeError, match=r"write v\.real"):
            write(ag.Value([1.0, 2.0]) * 1.0)


def test_an_element_is_taken_out_by_its_index() -> None:
    x = ag.Value([[1.0, 2.0], [3.0, 4.0]])
    assert (x.item(2), x.item(1, 1), x.item((0, 1))) == (3.0, 4.0, 2.0)
