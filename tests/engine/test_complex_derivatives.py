"""Derivatives of complex results: by real arguments exact, by complex ones by direction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

POINT = np.array([0.3, -0.7, 1.1])
MATRIX = np.array([[1.0, 2j, 0.5], [1j, 0.3, -1.0]])


@ag.primitive
def turned(x: Any) -> Any:
    """A function of one's own, whose rule works on plain arrays only."""
    return np.exp(1j * x)


turned.defvjp(lambda g, out, x: np.real(np.array(np.asarray(g) * 1j * out)))

FUNCTIONS = {
    "fft": np.fft.fft,
    "rfft": np.fft.rfft,
    "a number": lambda x: np.exp(1j * x[0]) * x[1],
    "elementwise": lambda x: np.exp(1j * x) * x,
    "a product": lambda x: MATRIX @ np.sin(x),
    "a matrix": lambda x: np.outer(x, 1j * x),
    "a nesting": lambda x: {"real": np.sum(x**3), "complex": (x * 1j) ** 2},
    "complex, but real": lambda x: np.astype(x * x, complex),
    "by parts": lambda x: np.sqrt(x + 0j) * np.conj(x + 1j),
    "a constant": lambda x: np.full(2, 1j),
    "none": lambda x: 1j * x[:0],
    "a rule of one's own": turned,
}


def columns(function: Any, x: Any) -> Any:
    """The Jacobian, a column for each direction, by forward mode."""
    tangents = [ag.jvp(function, x, unit)[1] for unit in np.eye(x.size)]
    if isinstance(tangents[0], dict):
        return {k: np.stack([t[k] for t in tangents], axis=-1) for k in tangents[0]}
    return np.stack(tangents, axis=-1)


def check_same(found: Any, expected: Any) -> None:
    if isinstance(expected, dict):
        for k in expected:
            check_same(found[k], expected[k])
        return
    assert np.iscomplexobj(found) == np.iscomplexobj(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def numerical(function: Any, x: Any) -> Any:
    step = 1e-6
    return np.stack(
        [(function(x + step * e) - function(x - step * e)) / (2 * step) for e in np.eye(x.size)],
        axis=-1,
    )


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if "one's own" not in name])
def test_a_jacobian_of_complex_results_is_that_of_forward_mode(name: str):
    function = FUNCTIONS[name]
    expected = columns(function, POINT)
    check_same(ag.jacobian(function)(POINT), expected)
    compiled = ag.compile(ag.jacobian(function))
    for _ in range(3):
        check_same(compiled(POINT), expected)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in ("a nesting",)])
def test_a_jacobian_of_complex_results_is_the_numerical_one(name: str):
    function = FUNCTIONS[name]
    found = ag.jacobian(function)(POINT)
    np.testing.assert_allclose(found, numerical(function, POINT), rtol=1e-8, atol=1e-8)


def test_numbers_and_dtypes():
    check_same(ag.jacobian(lambda w: np.exp(1j * w))(0.5), 1j * np.exp(0.5j))
    found = ag.jacobian(lambda x: x * np.complex64(1j))(np.ones(2, np.float32))
    assert found.dtype == np.complex64


def test_higher_orders():
    def function(x: Any) -> Any:
        return np.exp(1j * x) * x[0]

    second = ag.jacobian(ag.jacobian(function))
    expected = numerical(ag.jacobian(function), POINT)
    np.testing.assert_allclose(second(POINT), expected, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(ag.compile(second)(POINT), second(POINT), rtol=1e-12)
    third = numerical(second, POINT)
    np.testing.assert_allclose(ag.jacobian(second)(POINT), third, rtol=1e-8, atol=1e-8)


def test_a_gradient_through_a_jacobian_and_samples():
    def size(x: Any) -> Any:
        return np.sum(np.abs(ag.jacobian(lambda y: np.exp(1j * y) * y)(x)) ** 2)

    # |d(e^iy y)|² = |e^iy (1 + iy)|² = 1 + y²
    np.testing.assert_allclose(ag.grad(size)(POINT), 2 * POINT, rtol=1e-12)
    np.testing.assert_allclose(ag.vmap(size)(np.stack([POINT, 2 * POINT])), 3 + np.sum(
        np.stack([POINT, 2 * POINT]) ** 2, axis=1), rtol=1e-12)  # fmt: skip


def test_a_captured_value_gets_its_part():
    w = ag.Value(2.0)
    matrix = ag.jacobian(lambda x: np.exp(1j * w * x))(POINT)
    assert isinstance(matrix, ag.Value)
    np.sum(np.abs(matrix) ** 2).backward()  # three times w²
    assert w.grad == pytest.approx(12.0, rel=1e-12)


def test_real_results_of_complex_arguments_have_the_gradient_of_each():
    z = np.array([1 + 2j, 3 - 1j])
    found = ag.jacobian(lambda z: np.abs(z) ** 2)(z)
    np.testing.assert_allclose(found, np.diag(2 * z), rtol=1e-14)


REFUSED = {
    "holomorphic or not": (ag.jacobian(lambda z: z * z), 1),
    "nested": (ag.jacobian(lambda z: {"result": (np.abs(z), np.conj(z))}), 1),
    "one of several": (ag.jacobian(lambda z, x: x * z, (0, 1)), 2),
    "a Hessian": (ag.hessian(lambda z: np.sum(np.abs(z) ** 2)), 1),
}


@pytest.mark.parametrize("name", REFUSED)
def test_complex_results_of_complex_arguments_are_refused(name: str):
    derivative, count = REFUSED[name]
    args = (np.array([1 + 2j, 3 - 1j]), np.ones(2))[:count]
    for called in (derivative, ag.compile(derivative)):
        with pytest.raises(ag.UnsupportedError, match=r"complex results of complex arguments"):
            called(*args)


def test_what_the_refusal_says_to_write():
    def function(z: Any) -> Any:
        return z**3 + np.conj(z)

    z = np.array([1 + 2j, 3 - 1j])
    by_real, by_imaginary = ag.jacobian(lambda re, im: function(re + 1j * im), (0, 1))(
        z.real, z.imag
    )
    np.testing.assert_allclose(by_real, np.diag(3 * z**2 + 1), rtol=1e-14)
    np.testing.assert_allclose(by_imaginary, np.diag(1j * (3 * z**2 - 1)), rtol=1e-14)
    product = ag.hvp(lambda z: np.sum(np.abs(z) ** 2), z, 1j * z)
    np.testing.assert_allclose(product, 2j * z, rtol=1e-14)
