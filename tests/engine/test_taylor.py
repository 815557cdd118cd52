"""Taylor coefficients, against those that mpmath finds with forty digits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

ORDER = 14


def of_mpmath() -> dict[str, tuple[Callable[..., Any], Callable[..., Any], float]]:
    mp = pytest.importorskip("mpmath")

    def mean_and_variance(x: Any) -> Any:
        m = (x + x * x + 1) / 3
        return ((x - m) ** 2 + (x * x - m) ** 2 + (1 - m) ** 2) / 3

    return {
        "exp": (np.exp, mp.exp, 0.3),
        "expm1": (np.expm1, mp.expm1, 0.3),
        "exp2": (np.exp2, lambda x: 2**x, 0.3),
        "log": (np.log, mp.log, 0.7),
        "log1p": (np.log1p, mp.log1p, 0.4),
        "log2": (np.log2, lambda x: mp.log(x) / mp.log(2), 0.7),
        "sin": (np.sin, mp.sin, 0.3),
        "cos": (np.cos, mp.cos, 0.3),
        "tan": (np.tan, mp.tan, 0.3),
        "sinh": (np.sinh, mp.sinh, 0.3),
        "tanh": (np.tanh, mp.tanh, 0.3),
        "arcsin": (np.arcsin, mp.asin, 0.3),
        "arctan": (np.arctan, mp.atan, 0.3),
        "arccosh": (np.arccosh, mp.acosh, 1.7),
        "arctanh": (np.arctanh, mp.atanh, 0.3),
        "sqrt": (np.sqrt, mp.sqrt, 0.7),
        "cbrt": (np.cbrt, mp.cbrt, 0.7),
        "square": (np.square, lambda x: x * x, 0.7),
        "cube at 0": (lambda x: x**3, lambda x: x**3, 0.0),
        "power": (lambda x: x**2.5, lambda x: x ** mp.mpf(2.5), 0.7),
        "inverse power": (lambda x: x**-3, lambda x: x**-3, 0.7),
        "x to x": (lambda x: x**x, lambda x: x**x, 0.7),
        "base": (lambda x: 2.0**x, lambda x: mp.mpf(2) ** x, 0.7),
        "rational": (lambda x: (1 - x) / (1 + x * x), lambda x: (1 - x) / (1 + x * x), 0.3),
        "reciprocal": (np.reciprocal, lambda x: 1 / x, 0.7),
        "hypot": (lambda x: np.hypot(x, 2.0), lambda x: mp.sqrt(x * x + 4), 0.4),
        "arctan2": (lambda x: np.arctan2(x, 1 + x), lambda x: mp.atan(x / (1 + x)), 0.4),
        "logaddexp": (
            lambda x: np.logaddexp(x, 2 * x),
            lambda x: mp.log(mp.exp(x) + mp.exp(2 * x)),
            0.3,
        ),
        "absolute": (lambda x: abs(x - 2) * x, lambda x: (2 - x) * x, 0.3),
        "maximum": (lambda x: np.maximum(np.exp(x), x), mp.exp, 0.3),
        "where": (lambda x: np.where(x > 0, np.exp(x), x), mp.exp, 0.3),
        "sinc": (np.sinc, lambda x: mp.sinc(mp.pi * x), 0.3),
        "composed": (
            lambda x: np.exp(np.sin(x) * x) / np.sqrt(1 + x**2),
            lambda x: mp.exp(mp.sin(x) * x) / mp.sqrt(1 + x**2),
            0.4,
        ),
        "norm": (
            lambda x: np.linalg.norm(np.stack([x, 1.0])),
            lambda x: mp.sqrt(x * x + 1),
            0.3,
        ),
        "var": (lambda x: np.var(np.stack([x, x * x, 1.0])), mean_and_variance, 0.3),
        "prod": (lambda x: np.prod(np.stack([x, x * x, 2.0])), lambda x: 2 * x**3, 0.3),
        "max": (lambda x: np.max(np.stack([x, np.exp(x)])), mp.exp, 0.3),
        "inv": (
            lambda x: np.linalg.inv(np.stack([np.stack([x, 1.0]), np.stack([2.0, x])]))[0, 0],
            lambda x: x / (x * x - 2),
            0.3,
        ),
        "einsum": (
            lambda x: np.einsum("i,i->", np.stack([x, 2.0]), np.stack([np.sin(x), x])),
            lambda x: x * mp.sin(x) + 2 * x,
            0.3,
        ),
    }


def of_scipy() -> dict[str, tuple[Callable[..., Any], Callable[..., Any], float]]:
    mp = pytest.importorskip("mpmath")
    special = pytest.importorskip("scipy.special")
    return {
        "erf": (special.erf, mp.erf, 0.3),
        "expit": (special.expit, lambda x: 1 / (1 + mp.exp(-x)), 0.3),
        "gammaln": (special.gammaln, mp.loggamma, 1.7),
        "digamma": (special.digamma, mp.digamma, 1.7),
        "j0": (special.j0, lambda x: mp.besselj(0, x), 0.7),
    }


def check(rows: dict[str, Any]) -> None:
    mp = pytest.importorskip("mpmath")
    with mp.workdps(40):
        for name, (function, exact, x) in rows.items():
            expected = [float(c.real) for c in mp.taylor(exact, mp.mpf(x), ORDER)]
            found = ag.taylor(function, x, order=ORDER)
            scale = 1e-6 * np.max(np.abs(expected))
            np.testing.assert_allclose(
                found, expected, rtol=1e-10, atol=1e-10 * scale, err_msg=name
            )


def test_functions_of_numpy() -> None:
    check(of_mpmath())


def test_special_functions() -> None:
    check(of_scipy())


def test_the_work_does_not_double_with_the_order() -> None:
    # tanh at 0: coefficients 2^2k (2^2k - 1) B_2k / (2k)!; B_30 = 8615841276005 / 14322.
    found = ag.taylor(np.tanh, 0.0, order=29)[29]
    np.testing.assert_allclose(
        found, 2**30 * (2**30 - 1) * (8615841276005 / 14322) / math.factorial(30), rtol=1e-12
    )


def test_arrays_directions_and_nestings() -> None:
    x, v = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([[0.3, -0.2], [1.0, 0.7]])
    found = ag.taylor(
        lambda x: {"gram": x @ x.T, "sum": x.T.sum(axis=0), "one": 1.0}, x, v, order=3
    )
    np.testing.assert_allclose(
        found["gram"], [x @ x.T, x @ v.T + v @ x.T, v @ v.T, np.zeros((2, 2))]
    )
    np.testing.assert_allclose(found["sum"], [x.sum(1), v.sum(1), [0, 0], [0, 0]])
    assert found["one"].tolist() == [1.0, 0.0, 0.0, 0.0]
    assert ag.taylor(np.sin, np.float32(0.3), order=3).dtype == np.float32
    assert ag.taylor(lambda x: (1 + x) ** 2.5 / x, np.float32(0.3), order=3).dtype == np.float32
    assert ag.taylor(np.sin, 0.5, order=0).tolist() == [np.sin(0.5)]
    z = ag.taylor(lambda z: z * np.exp(z), 1 + 2j, order=2)
    np.testing.assert_allclose(z, np.exp(1 + 2j) * np.array([1 + 2j, 2 + 2j, 0.5 * (3 + 2j)]))


def test_coefficients_are_directional_derivatives() -> None:
    def function(x: Any) -> Any:
        return np.sum(np.log(1 + np.exp(x @ np.arange(6.0).reshape(3, 2))) ** 2)

    x, v = np.array([0.1, -0.2, 0.3]), np.array([1.0, 0.5, -1.0])
    found = ag.taylor(function, x, v, order=3)
    np.testing.assert_allclose(found[1], ag.jvp(function, x, v)[1])
    np.testing.assert_allclose(2 * found[2], ag.hvp(function, x, v) @ v)
    line = lambda t: function(x + t * v)  # noqa: E731
    np.testing.assert_allclose(6 * found[3], ag.derivative(ag.derivative(ag.derivative(line)))(0.0))


def test_other_transforms_go_through() -> None:
    def third(x: Any) -> Any:
        return ag.taylor(lambda t: np.exp(2 * t) * x, x, order=3)[3]

    # 8/6 x exp(2 x), and its derivative
    expected = 8 / 6 * np.exp(1.0) * (1 + 2 * 0.5)
    np.testing.assert_allclose(ag.grad(third)(0.5), expected)
    np.testing.assert_allclose(ag.compile(ag.grad(third))(np.array(0.5)), expected)
    np.testing.assert_allclose(ag.vmap(ag.grad(third))(np.array([0.5, 0.5])), [expected] * 2)
    assert ag.gradcheck(lambda v: np.sum(ag.taylor(np.sin, np.ones(2), v, order=3)), np.ones(2))


def test_steps_are_constants() -> None:
    def function(x: Any) -> Any:
        return x * np.floor(x) + np.sum(x.astype(int)) + np.sign(x) * (x > 1)

    assert ag.taylor(function, 2.5, order=2).tolist() == [8.0, 2.0, 0.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ag.taylor(np.sin, "x", order=2), "pass one number or array$"),
        (lambda: ag.taylor(np.sin, 1.0, order=-1), "pass 0 or more$"),
        (lambda: ag.taylor(np.sin, np.ones(2), order=1), "pass a direction of that shape$"),
        (lambda: ag.taylor(lambda x: "x", 1.0, order=1), "return numbers and arrays$"),
        (lambda: ag.taylor(math.sin, 1.0, order=1), r"write NumPy's functions, as np\.sin$"),
        (
            lambda: ag.taylor(np.linalg.svd, np.eye(2), np.eye(2), order=1),
            r"svd has no power series here; write nested ag\.derivative",
        ),
        (
            lambda: ag.taylor(lambda x: x.__setitem__(0, 1.0), np.ones(2), np.ones(2), order=1),
            "which make a new array$",
        ),
        (
            lambda: ag.taylor(lambda x: np.sum(x, initial=3.0), np.ones(2), np.ones(2), order=1),
            r"np\.sum with initial has no power series here",
        ),
        (
            lambda: ag.taylor(lambda x: np.diff(x, prepend=3.0), np.ones(2), np.ones(2), order=1),
            r"np\.diff with prepend has no power series here",
        ),
        (lambda: ag.taylor(np.asarray, 1.0, order=1), "makes a plain array of its argument"),
        (
            lambda: ag.taylor(lambda x: np.add(x, x, out=np.zeros(())), 1.0, order=1),
            "has no power series here",
        ),
    ],
)
def test_what_cannot_be_is_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ag.AutogradError, match=message):
        call()
