"""Every function that takes ``dtype=``, told every dtype: NumPy's value, dtype and derivative.

NumPy chooses by it what is computed, and not only how it is rounded: of complex numbers in a
real dtype a product takes the real parts alone, and a variance the distances from the mean of
the real parts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value
from tests.ops.numerical import directional_derivative, inner, random_like

Call = Callable[[Any, Any], Any]

SOURCES = ("f2", "f4", "f8", "c8", "c16", ">f8", ">c16")
ASKED = (None, "f2", "f4", "f8", "c8", "c16", "i4", "?")

ROWS = np.array([[True], [True], [False]])

RUNNING_OR_REDUCED = (
    "sum", "prod", "mean", "var", "std", "nansum", "nanprod", "nanmean", "nanvar", "nanstd",
    "cumsum", "cumprod", "nancumsum", "nancumprod", "cumulative_sum", "cumulative_prod",
)  # fmt: skip
METHODS = ("sum", "prod", "mean", "var", "std", "cumsum", "cumprod", "trace")
BINARY = (
    "add", "multiply", "subtract", "divide", "floor_divide", "remainder", "fmod", "power",
    "float_power", "hypot", "logaddexp", "logaddexp2", "arctan2", "heaviside", "copysign",
    "maximum", "minimum", "fmax", "fmin", "logical_or", "logical_and",
)  # fmt: skip
UNARY = (
    "exp", "sin", "sqrt", "absolute", "square", "negative", "conjugate", "reciprocal", "log1p",
    "sign", "cbrt", "tanh",
)  # fmt: skip


def told(function: Any, **how: Any) -> Call:
    """A call of a function of one array."""
    return lambda x, dtype: function(x, dtype=dtype, **how)


def beside(function: Any, other: Any = None, **how: Any) -> Call:
    """A call of a function of an array and another, its first row unless told."""
    return lambda x, dtype: function(x, x[0] if other is None else other, dtype=dtype, **how)


def method(name: str) -> Call:
    """A call of a method of arrays."""
    return lambda x, dtype: getattr(x, name)(dtype=dtype)


def summed(subscripts: str) -> Call:
    count = 1 + subscripts.count(",")
    return lambda x, dtype: np.einsum(subscripts, *[x] * count, dtype=dtype, casting="unsafe")


def about_mean(function: Any) -> Call:
    return lambda x, dtype: function(x, axis=0, dtype=dtype, mean=np.mean(x, axis=0), ddof=1)


def of(*names: str) -> list[tuple[str, Any]]:
    return [(name, getattr(np, name)) for name in names]


CALLS: dict[str, Call] = {
    **{name: told(f, axis=0) for name, f in of(*RUNNING_OR_REDUCED)},
    **{
        f"x.{name}": method(name)
        for name in (*RUNNING_OR_REDUCED[:5], "cumsum", "cumprod", "trace")
    },
    **{
        f"{name} where": told(f, axis=0, where=ROWS)
        for name, f in of("sum", "prod", "mean", "var", "std", "nanvar", "nanmean")
    },
    **{f"{name} ddof": told(f, axis=1, ddof=1) for name, f in of("var", "std", "nanvar", "nanstd")},
    **{f"{name} about a mean": about_mean(f) for name, f in of("var", "std")},
    **{f"{name} initial": told(f, axis=0, initial=2.5) for name, f in of("sum", "prod")},
    **{f"{name}.reduce": told(f.reduce) for name, f in of(*BINARY)},
    **{f"{name}.accumulate": told(f.accumulate) for name, f in of(*BINARY)},
    **{f"{name}.reduceat": beside(f.reduceat, [0, 2]) for name, f in of(*BINARY)},
    **{f"{name}.outer": beside(f.outer) for name, f in of(*BINARY)},
    **{name: told(f) for name, f in of(*UNARY)},
    **{f"{name} unsafe": told(f, casting="unsafe") for name, f in of(*UNARY)},
    **{name: beside(f) for name, f in of(*BINARY, "matmul")},
    **{
        f"{name} unsafe": beside(f, casting="unsafe")
        for name, f in of("add", "divide", "power", "arctan2", "maximum")
    },
    **{
        f"{name} beside a number": beside(f, 1.5)
        for name, f in of("add", "multiply", "power", "maximum")
    },
    **{
        name: lambda x, dtype, f=f: f([x, x], dtype=dtype, casting="unsafe")
        for name, f in of("concatenate", "stack", "vstack", "hstack")
    },
    **{
        f"einsum {subscripts}": summed(subscripts)
        for subscripts in ("ij,ij->i", "ij->i", "ij->ji", "ii->i", "ii", "ij")
    },
    "trace": told(np.trace),
    "linalg.trace": told(np.linalg.trace),
    "cov": told(np.cov),
    "corrcoef": told(np.corrcoef),
    "astype": lambda x, dtype: np.astype(x, dtype),
    "x.astype": lambda x, dtype: x.astype(dtype),
    "full_like": lambda x, dtype: np.full_like(x, x[0, 0], dtype=dtype),
    "add.reduceat of nothing": lambda x, dtype: np.add.reduceat(x > 1, [], dtype=dtype),
    "multiply.reduceat of nothing": lambda x, dtype: np.multiply.reduceat(x > 1, [], dtype=dtype),
}

REFUSED = {
    *(f"{name}.outer" for name in BINARY),
    *(
        f"logical_{name}.{method}"
        for name in ("or", "and")
        for method in ("accumulate", "reduceat")
    ),
    "logical_or",
    "logical_and",
    "matmul",
    "full_like",
}
"""What is refused by name for some dtypes that NumPy takes."""

ROUNDED = {"absolute unsafe"}
"""The dtype decides which function it is: in a wide one NumPy computes another."""


def wide(dtype: Any) -> Any:
    """The dtype in which differences are taken."""
    if dtype is None or np.dtype(dtype).kind not in "fc":
        return dtype
    return "c16" if np.dtype(dtype).kind == "c" else "f8"


def tolerance(*dtypes: Any) -> float:
    smooth = [np.dtype(x) for x in dtypes if x is not None and np.dtype(x).kind in "fc"]
    return max(1e-5, *(30 * float(np.finfo(x).eps) for x in smooth))


def outcome(call: Call, x: Any, dtype: Any) -> Any:
    try:
        return call(x, dtype)
    except Exception as error:
        return error


def slope(call: Call, x: Any, dtype: Any, seed: Any, direction: Any) -> float:
    """The derivative of NumPy's function along a direction, by differences in wide dtypes."""
    x = x.astype(wide(x.dtype))

    def total(x: Any) -> float:
        return float(np.sum(np.real(np.conj(seed) * call(x, wide(dtype)))))

    return directional_derivative(total, [x], [direction], 1e-4)


def fault_of(name: str, x: Any, dtype: Any) -> str | None:
    call = CALLS[name]
    leaf = Value(x)
    theirs, ours = outcome(call, x, dtype), outcome(call, leaf, dtype)
    if isinstance(ours, ag.AutogradError):
        is_allowed = isinstance(theirs, Exception) or name in REFUSED
        return None if is_allowed else f"refused: {ours}"
    if isinstance(theirs, Exception):
        return None if type(ours) is type(theirs) else f"{ours!r} in the place of {theirs!r}"
    if isinstance(ours, Exception):
        return repr(ours)
    value, theirs = np.asarray(ours.data), np.asarray(theirs)
    if value.dtype != theirs.dtype or value.shape != theirs.shape:
        return f"{value.dtype}{value.shape} in the place of {theirs.dtype}{theirs.shape}"
    if theirs.dtype.kind not in "fc":
        same = np.array_equal(value, theirs) and not ours.requires_grad
        return None if same else "other integers"
    if not np.allclose(value, theirs, rtol=100 * np.finfo(theirs.dtype).eps, atol=0):
        return f"{value} in the place of {theirs}"
    if not ours.requires_grad or name in ROUNDED:
        return None
    rng = np.random.default_rng(18)
    (seed,), (direction,) = random_like(rng, [theirs]), random_like(rng, [x])
    ours.backward(seed.astype(theirs.dtype))
    if leaf.grad.dtype != x.dtype:
        return f"a gradient of {leaf.grad.dtype}"
    found, expected = inner([direction], [leaf.grad]), slope(call, x, dtype, seed, direction)
    if not abs(found - expected) < tolerance(x.dtype, dtype, theirs.dtype) * max(1, abs(expected)):
        return f"the slope {found} in the place of {expected}"
    return None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_a_dtype_means_what_numpy_means_by_it(name: str) -> None:
    rng = np.random.default_rng(17)
    real, imaginary = rng.uniform(0.5, 2, (3, 3)), rng.uniform(0.3, 1, (3, 3))
    with np.errstate(all="ignore"):
        for source in SOURCES:
            x = (real + 1j * imaginary if "c" in source else real).astype(source)
            for dtype in ASKED:
                fault = fault_of(name, x, dtype)
                assert fault is None, (source, dtype, fault)


def test_nothing_flows_from_the_imaginary_part_of_a_real_variance() -> None:
    z = np.array([1 + 2j, 0.5 - 1j, 2j])
    for function in (np.var, np.std):
        assert not np.any(ag.grad(lambda z, f=function: np.imag(f(z, dtype=complex)))(z))


def test_a_number_is_an_array_to_outer() -> None:
    x = np.float32([1, 2])
    for call in (
        lambda x: np.add.outer(x, 0.1),
        lambda x: np.multiply.outer(2, x),
        lambda x: np.less.outer(x, 0.1),
        lambda x: np.maximum.outer(1.5, x),
        lambda x: np.kron(x, 3.0),
        lambda x: np.kron(2, x),
    ):
        result, expected = call(Value(x)), call(x)
        assert result.dtype == expected.dtype
        np.testing.assert_array_equal(result.data, expected)
    assert np.add.outer(Value(x), Value(0.5)).dtype == np.float64
    assert ag.grad(lambda x: np.sum(np.add.outer(x, 0.1)))(x).dtype == np.float32


@pytest.mark.filterwarnings("ignore")
def test_complex_results_are_as_wide_as_numpys() -> None:
    for source in ("f2", "f4", "f8", ">f4", ">f8", "i4", "u1", "i2"):
        for numbers in ([0.5, 0.25], [-2.0, 3.0]):
            x = np.array(numbers).astype(source)
            leaf = Value(x) if x.dtype.kind == "f" else np.astype(Value(numbers), source)
            for name in ("sqrt", "log", "log2", "log10", "arccos", "arcsin", "arctanh"):
                theirs = getattr(np.emath, name)(x)
                ours = getattr(np.emath, name)(leaf)
                assert ours.dtype == theirs.dtype, (name, source)
                np.testing.assert_array_equal(ours.data, theirs)


def test_what_numpy_has_no_loop_for_is_refused_with_its_words() -> None:
    x = Value([1.5, 2.5])
    with pytest.raises(ag.ArgumentTypeError) as caught:
        np.exp(x, dtype=int, casting="unsafe")
    assert str(caught.value) == (
        "np.exp of a Value: No loop matching the specified signature and casting was found for "
        "ufunc exp; leave out dtype= and casting=, or write x.astype(dtype) for the operands "
        "that are to be of another dtype"
    )
    with pytest.raises(ag.ArgumentTypeError, match=r"casting rule 'no'.*leave out dtype="):
        np.add(x, np.float32([1, 2]), casting="no")
    with pytest.raises(ValueError, match="casting must be one of"):
        np.exp(x, casting="nonsense")
    with pytest.raises(ag.ArgumentTypeError, match=r"logical_or\.reduce gives truth values"):
        np.logical_or.reduce(x, dtype=int)
    with pytest.raises(ag.ArgumentTypeError, match="holds no square roots"):
        np.std(x, mean=1.0, dtype=int)
