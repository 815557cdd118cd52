"""Each kind of function gets the verdict it deserves."""

import numpy as np
import pytest

import autograd_lite as ag

NORMAL = np.random.default_rng(0).normal(size=(3, 4))


@pytest.mark.parametrize(
    ("function", "x"),
    [
        (lambda x: np.sum(np.sin(x) ** 2), NORMAL),
        (np.tanh, NORMAL),
        (np.sin, 0.5),
        (np.sin, 1e8),
        (np.cos, 1e-8),
        (lambda x: x**2, 1e8),
        (lambda x: x**2, 1e-8),
        (lambda x: np.sum(x**2), np.array([1e8, 1e-8])),
        (lambda x: np.sin(x) ** 2 + np.cos(x) ** 2, NORMAL),
        (np.tanh, NORMAL.astype(np.float32)),
        (lambda z: z * z, np.array([1 + 2j, 3 - 1j])),
        (np.sign, NORMAL),
    ],
)
def test_a_correct_derivative_is_accepted_at_any_scale(function, x):
    assert ag.gradcheck(function, x).verdict == "correct"


@pytest.mark.parametrize(
    ("function", "x", "where"),
    [
        (np.abs, np.array([1.0, 0.0, -2.0]), "x[1]"),
        (lambda x: np.maximum(x, 0), np.array([1.0, 0.0, -2.0]), "x[1]"),
        (np.max, np.array([1.0, 2.0, 2.0]), "a[2]"),
    ],
)
def test_a_kink_is_neither_right_nor_wrong(function, x, where):
    report = ag.gradcheck(function, x, raise_error=False)
    assert report.verdict == "not differentiable here"
    assert where in report.reason


def test_one_wrong_entry_in_many_is_found():
    def gradient(x):
        g = 2 * x
        g[777] *= 1.001
        return g

    x = np.random.default_rng(1).normal(size=100_000)
    report = ag.gradcheck(lambda x: np.sum(x**2), x, gradient=gradient, raise_error=False)
    assert report.verdict == "wrong derivative"
    assert [entry.input for entry in report.entries] == ["x[777]"]
    assert report.evaluations <= 190


def test_the_error_carries_the_report():
    with pytest.raises(ag.GradcheckError, match="analytic 0") as caught:
        ag.gradcheck(lambda x: 1e-7 * x**2, 1.0, gradient=lambda x: 0.0)
    assert caught.value.report.worst.numerical == pytest.approx(2e-7)
