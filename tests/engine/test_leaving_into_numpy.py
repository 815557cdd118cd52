"""Functions of NumPy that make plain arrays before a Value is asked: refused with what to write."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.leaving import OF_FAMILIES

POLYNOMIAL = np.polynomial.polynomial
NAMES = {
    "a": np.array([1.0, -2.0, 0.5]),
    "b": np.array([2.0, 3.0]),
    "c": np.array([1.0, -2.0, 0.5]),
    "t": 0.7,
    "x": np.array([0.3, 0.9]),
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


def message(function: Any) -> str:
    with pytest.raises(ag.ArgumentTypeError) as refused:
        ag.grad(function)(np.ones(2))
    return str(refused.value)
