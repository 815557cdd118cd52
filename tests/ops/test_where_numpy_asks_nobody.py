"""What the page on coverage says to write where NumPy makes plain arrays without asking."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.polynomial as families
import pytest

import autograd_lite as ag

C, D, T = np.array([1.0, -2.0, 0.5]), np.array([0.3, 4.0]), np.array([-0.4, 0.1, 0.9])

FAMILIES = {
    "cheb": families.chebyshev,
    "herm": families.hermite,
    "herme": families.hermite_e,
    "lag": families.laguerre,
    "leg": families.legendre,
    "poly": families.polynomial,
}


def numerical(function: Any, x: Any) -> Any:
    """The Jacobian of a function that is a polynomial of degree 2 at most."""
    return np.stack([(function(x + e) - function(x - e)) / 2 for e in np.eye(len(x))], axis=-1)


@pytest.mark.parametrize("name", FAMILIES)
def test_polynomials_of_every_family_by_their_coefficients(name: str) -> None:
    evaluate, vander = (getattr(FAMILIES[name], name + end) for end in ("val", "vander"))
    value, pullback = ag.vjp(lambda c: vander(T, len(c) - 1) @ c, C)
    np.testing.assert_allclose(value, evaluate(T, C), rtol=1e-13)
    expected = T @ numerical(lambda c: evaluate(T, c), C)
    np.testing.assert_allclose(pullback(T)[0], expected, rtol=1e-13)


@pytest.mark.parametrize("name", FAMILIES)
def test_polynomials_of_every_family_by_their_place(name: str) -> None:
    evaluate, derive = (getattr(FAMILIES[name], name + end) for end in ("val", "der"))
    gradient = ag.grad(lambda t: np.sum(evaluate(t, C)))(T)
    np.testing.assert_allclose(gradient, evaluate(T, derive(C)), rtol=1e-12)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (lambda c: families.polynomial.polyval(T, c), lambda c: np.polyval(c[::-1], T)),
        (
            lambda c: families.polynomial.polyadd(c, D),
            lambda c: np.polyadd(c[::-1], D[::-1])[::-1],
        ),
        (
            lambda c: families.polynomial.polysub(D, c),
            lambda c: np.polysub(D[::-1], c[::-1])[::-1],
        ),
        (lambda c: families.polynomial.polyder(c), lambda c: np.polyder(c[::-1])[::-1]),
        (lambda c: families.polynomial.polymul(c, D), lambda c: np.convolve(c, D)),
        (lambda c: np.vectorize(lambda v: v * v)(c), lambda c: ag.array([v * v for v in c])),
    ],
)
def test_other_ways_to_write_it(theirs: Any, ours: Any) -> None:
    with pytest.raises(ag.AutogradError):
        theirs(ag.Value(C))
    np.testing.assert_allclose(ours(ag.Value(C)).data, theirs(C), rtol=1e-13)
    np.testing.assert_allclose(ag.jacobian(ours)(C), numerical(theirs, C), rtol=1e-12, atol=1e-12)
