"""Functions of NumPy that make plain arrays before a Value is asked: refused with what to write."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.callers import OF_CALLS, OF_FAMILIES

POLYNOMIAL = np.polynomial.polynomial
NAMES = {
    "a": np.array([1.0, -2.0, 0.5]),
    "b": np.array([2.0, 3.0]),
    "c": np.array([1.0, -2.0, 0.5]),
    "t": 0.7,
    "x": np.array([0.3, 0.9]),
    "y": np.array([0.5, -1.5]),
    "degree": 1,
    "roots": np.array([0.5, 2.0]),
    "f": lambda v: v * v + 1,
    "p": np.polynomial.Polynomial([1.0, 2.0, -1.0]),
}

THEIRS: dict[str, Any] = {
    "vectorize": lambda x, f: np.vectorize(f)(x),
    "__init__": lambda c, t: np.polynomial.Polynomial(c)(t),
    "__call__": lambda t, p: p(t),
    "polyval": lambda c, t: POLYNOMIAL.polyval(t, c),
    **{
        name: lambda a, b, name=name: getattr(POLYNOMIAL, name)(a, b)
        for name in ("polyadd", "polysub", "polymul")
    },
    "polydiv": lambda a, b: POLYNOMIAL.polydiv(a, b)[0],
    "polyfit": lambda y, x, degree: POLYNOMIAL.polyfit(x, y, degree),
    "polyroots": lambda c: POLYNOMIAL.polyroots(c),
    "polyfromroots": lambda roots: POLYNOMIAL.polyfromroots(roots),
    "polyvander": lambda x, degree: POLYNOMIAL.polyvander(x, degree),
    **{name: lambda c, name=name: getattr(POLYNOMIAL, name)(c) for name in ("polyder", "polyint")},
    "chebval": lambda c, t: np.polynomial.chebyshev.chebval(t, c),
    "hermval": lambda c, t: np.polynomial.hermite.hermval(t, c),
    "hermeval": lambda c, t: np.polynomial.hermite_e.hermeval(t, c),
    "lagval": lambda c, t: np.polynomial.laguerre.lagval(t, c),
    "legval": lambda c, t: np.polynomial.legendre.legval(t, c),
}
"""With the names of what is suggested; the first argument is a Value."""


@pytest.mark.parametrize("name", OF_FAMILIES)
def test_what_is_suggested_computes_the_same_and_has_a_gradient(name: str) -> None:
    theirs, suggestion = THEIRS[name], OF_FAMILIES[name].partition(", or ")[0]
    code = theirs.__code__
    parameters = code.co_varnames[: code.co_argcount - len(theirs.__defaults__ or ())]
    given = {key: NAMES[key] for key in parameters}
    first = parameters[0]

    def call(value: Any) -> Any:
        return np.sum(theirs(**{**given, first: value}))

    def instead(value: Any) -> Any:
        found = eval(suggestion, {"np": np, "ag": ag, **NAMES, first: value})
        if name == "polydiv":  # the quotient, lowest power first
            found = found[0][::-1]
        return np.sum(found)

    value = NAMES[first]
    with pytest.raises(ag.ArgumentTypeError) as refused:
        ag.grad(call)(value)
    last = str(refused.value).splitlines()[-1]
    assert last == f"Write {OF_FAMILIES[name]}; or pass x.data to use the numbers as a constant"
    assert instead(value) == pytest.approx(call(value), rel=1e-13)
    assert ag.gradcheck(instead, value)


def test_others_are_named_too() -> None:
    with pytest.raises(ag.ArgumentTypeError, match=r"polyfromroots of numpy\.polynomial makes"):
        ag.grad(lambda r: np.sum(POLYNOMIAL.polyfromroots(r)))(np.ones(2))
    assert "a class of numpy.polynomial makes" in message(lambda c: np.polynomial.Chebyshev(c)(0.5))


def chance(seed: int = 0) -> Any:
    return np.random.default_rng(seed)


OF_X = np.array([0.3, 0.9])
WINDOW = (2, 1)

CALLED: dict[str, Any] = {
    "arange": lambda x, rng: np.arange(x[0], 2.3),
    "as_strided": lambda x, rng: np.lib.stride_tricks.as_strided(x, WINDOW, (8, 8)),
    "assert_allclose": lambda x, rng: np.testing.assert_allclose(x, OF_X),
    "assert_array_equal": lambda x, rng: np.testing.assert_array_equal(x, OF_X),
    "broadcast": lambda x, rng: [a * b for a, b in np.broadcast(x, OF_X)],
    "choice": lambda x, rng: rng.choice(x, 2),
    "complex128": lambda x, rng: np.complex128(x),
    "exponential": lambda x, rng: rng.exponential(x),
    "float32": lambda x, rng: np.float32(x),
    "float64": lambda x, rng: np.float64(x),
    "full": lambda x, rng: np.full(2, x[0]),
    "laplace": lambda x, rng: rng.laplace(0.5, x),
    "multivariate_normal": lambda x, rng: rng.multivariate_normal(x, np.eye(2)),
    "ndenumerate": lambda x, rng: [a * sum(i) for i, a in np.ndenumerate(x)],
    "nditer": lambda x, rng: [a * 2 for a in np.nditer(x)],
    "normal": lambda x, rng: rng.normal(x, 2.0),
    "permutation": lambda x, rng: rng.permutation(x),
    "uniform": lambda x, rng: rng.uniform(0.0, x),
}

if np.lib.NumpyVersion(np.__version__) < "2.4.0":  # there it calls itself from elsewhere once more
    del CALLED["assert_array_equal"]

INSTEAD: dict[str, Any] = {
    "arange": lambda x, rng: x[0] + 1.0 * np.arange(2),
    "as_strided": lambda x, rng: np.lib.stride_tricks.sliding_window_view(x, 1)[::1],
    "broadcast": lambda x, rng: [
        a * b for a, b in zip(*(a.flat for a in np.broadcast_arrays(x, OF_X)), strict=True)
    ],
    "choice": lambda x, rng: x[rng.choice(len(x), 2)],
    "complex128": lambda x, rng: np.astype(x, np.complex128),
    "exponential": lambda x, rng: x * rng.exponential(size=2),
    "float32": lambda x, rng: np.astype(x, np.float32),
    "float64": lambda x, rng: np.astype(x, np.float64),
    "full": lambda x, rng: x[0] * np.ones(2),
    "laplace": lambda x, rng: 0.5 + x * rng.laplace(size=2),
    "multivariate_normal": lambda x, rng: x + np.linalg.cholesky(np.eye(2)) @ rng.normal(size=2),
    "ndenumerate": lambda x, rng: [a * sum(i) for i, a in ((i, x[i]) for i in np.ndindex(x.shape))],
    "nditer": lambda x, rng: [a * 2 for a in x.flat],
    "normal": lambda x, rng: x + 2.0 * rng.normal(size=2),
    "permutation": lambda x, rng: x[rng.permutation(len(x))],
    "uniform": lambda x, rng: 0.0 + (x - 0.0) * rng.uniform(size=2),
}
"""What the advice says, for these calls."""


@pytest.mark.parametrize("name", [name for name in OF_CALLS if name in CALLED])
def test_functions_that_are_not_written_in_python_are_named_by_the_line(name: str) -> None:
    words = message(lambda x: np.sum(ag.array(CALLED[name](x, chance()))))
    assert f"{name}() makes a plain array of a Value" in words
    assert words.splitlines()[-1].startswith(f"Write {OF_CALLS[name]}; or pass x.data")
    if name not in INSTEAD:
        return

    def weighed(x: Any) -> Any:
        return np.ravel(np.real(ag.array(INSTEAD[name](x, chance())))) @ np.arange(1, 3)

    wanted = np.sum(np.real(np.asarray(CALLED[name](OF_X, chance())).ravel()) * np.arange(1, 3))
    if name != "multivariate_normal":  # which draws by singular vectors
        assert weighed(OF_X) == pytest.approx(wanted, rel=1e-6)
    slope = ag.grad(weighed)(OF_X)
    differences = [(weighed(OF_X + e) - weighed(OF_X - e)) / 2e-3 for e in 1e-3 * np.eye(2)]
    np.testing.assert_allclose(slope, differences, rtol=1e-4, atol=1e-4)


def test_rows_and_columns_have_their_own_builders() -> None:
    for build in (lambda x: np.r_[x, 1.0], lambda x: np.c_[x, x]):
        assert message(lambda x, build=build: np.sum(build(x))).endswith(
            "Write ag.r_ or ag.c_; or pass x.data to use the numbers as a constant"
        )


def message(function: Any) -> str:
    with pytest.raises(ag.ArgumentTypeError) as refused:
        ag.grad(function)(np.ones(2))
    return str(refused.value)


def test_every_named_call_is_tried() -> None:
    assert set(OF_CALLS) - set(CALLED) <= {"assert_array_equal"}
