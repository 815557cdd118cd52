"""Derivatives of complex numbers and of nested arguments: how they are written, and mistaken."""

from typing import NamedTuple

import numpy as np
import pytest

import autograd_lite as ag

X = np.array([0.3, 1.2, -0.7])
rng = np.random.default_rng(0)
Z, B = (rng.normal(size=3) + 1j * rng.normal(size=3) for _ in range(2))
A = rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3))


def checked(function, *args, **options):
    return ag.gradcheck(function, *args, raise_error=False, **options)


def product(a, b):
    return a @ b


conjugated_rule = ag.primitive(lambda z: z**2).defvjp(lambda g, out, z: g * np.conj(2 * z))
FACTOR = "the complex conjugate of what the upstream gradient is multiplied by is missing"

CONJUGATED = {
    "the factor": (lambda z: z**3, (Z,), {"vjp": lambda g, z: g * 3 * z**2}, FACTOR),
    "the upstream gradient": (
        lambda z: z**3,
        (Z,),
        {"vjp": lambda g, z: np.conj(g) * np.conj(3 * z**2)},
        "the complex conjugate of the upstream gradient is missing",
    ),
    "the gradient": (
        lambda z: np.abs(z) ** 2,
        (Z,),
        {"vjp": lambda g, z: 2 * g * np.conj(z)},
        "the complex conjugate is missing",
    ),
    "by a real argument": (
        lambda x: np.exp(1j * x),
        (X,),
        {"vjp": lambda g, x: np.real(g * 1j * np.exp(1j * x))},
        "the complex conjugate of the upstream gradient, or of what it is multiplied by, is",
    ),
    "of a product": (
        product,
        (A, B),
        {"vjp": lambda g, a, b: (np.outer(g, b), a.T @ g)},
        FACTOR,
    ),
    "and transposed": (
        product,
        (A, B),
        {"vjp": lambda g, a, b: (np.outer(g, np.conj(b)), a @ g)},
        "only for b: transposed: the upstream gradient is multiplied by the Jacobian with respect "
        "to b and not by its conjugate transpose",
    ),
    "transposed only": (
        product,
        (A, B),
        {"vjp": lambda g, a, b: (np.outer(g, np.conj(b)), np.conj(a) @ g)},
        "only for b: transposed: the upstream gradient is multiplied by the Jacobian with respect "
        "to b and not by its transpose",
    ),
    "in a rule": (conjugated_rule, (Z,), {}, FACTOR),
    "a Jacobian": (
        lambda z: z**3,
        (Z,),
        {"jacobian": lambda z: np.diag(np.conj(3 * z**2))},
        FACTOR,
    ),
}


@pytest.mark.parametrize("name", CONJUGATED)
def test_what_is_conjugated_is_named(name):
    function, args, claim, hint = CONJUGATED[name]
    report = checked(function, *args, **claim)
    assert report.verdict == "wrong derivative"
    assert report.hints[0].text.startswith(hint)


def test_the_hint_says_how_it_is_written():
    by_hand = checked(lambda z: z**3, Z, vjp=lambda g, z: g * 3 * z**2)
    assert by_hand.hints[0].text.endswith("by the conjugate (np.conj) of the derivative")
    rule = checked(conjugated_rule, Z)
    assert rule.hints[0].text.endswith(
        "leave np.conj out of the rule, in which gradients have no conjugate"
    )
    jacobian = checked(lambda z: z**3, Z, jacobian=lambda z: np.diag(np.conj(3 * z**2)))
    assert jacobian.hints[0].text.endswith("a Jacobian holds ∂re + i·∂im, without np.conj")


@pytest.mark.parametrize(
    ("function", "x", "jacobian"),
    [
        (lambda z: z**3, Z, lambda z: np.diag(3 * z**2)),
        (lambda z: A @ z, Z, lambda z: A),
        (lambda x: np.exp(1j * x), X, lambda x: np.diag(1j * np.exp(1j * x))),
        (lambda z: np.abs(z) ** 2, Z, lambda z: np.diag(2 * z)),
    ],
)
def test_a_complex_jacobian_holds_what_the_conventions_say(function, x, jacobian):
    assert checked(function, x, jacobian=jacobian)
    assert not checked(function, x, jacobian=lambda x: np.conj(jacobian(x)))


def test_a_complex_gradient_of_real_numbers_is_refused():
    report = checked(lambda x: np.sum(x**2), X, gradient=lambda x: 2 * x + 0j)
    assert report.verdict == "wrong shape or dtype"
    assert "returned dtype complex128 for x, which is real; return" in report.reason


class Line(NamedTuple):
    slope: np.ndarray
    offset: np.ndarray


def weighed(p):
    return np.sum(p["a"] ** 2 * p["b"])


P = {"a": X, "b": X + 1}


@pytest.mark.parametrize(
    ("function", "arg", "gradient"),
    [
        (weighed, P, lambda p: {"b": p["a"] ** 2, "a": 2 * p["a"] * p["b"]}),
        (weighed, P, lambda p: ({"b": p["a"] ** 2, "a": 2 * p["a"] * p["b"]},)),
        (lambda line: np.sum(line.slope * line.offset), Line(X, X + 1), lambda line: line[::-1]),
        (lambda pair: np.sum(pair[0] * pair[1]), [X, X + 1], lambda pair: (pair[1], pair[0])),
        (lambda p: np.sum(p["a"] ** 2), {"a": X, "b": None}, lambda p: {"b": None, "a": 2 * X}),
    ],
)
def test_gradients_of_a_nested_argument_go_by_its_keys(function, arg, gradient):
    assert checked(function, arg, gradient=gradient)


def test_gradients_under_other_keys_are_refused():
    report = checked(weighed, P, gradient=lambda p: {"a": 2 * p["a"] * p["b"], "c": p["a"] ** 2})
    assert report.verdict == "wrong shape or dtype"
    assert report.reason == (
        "gradient returned gradient['a'], gradient['c'] for p['a'], p['b']; nest derivatives as "
        "the arguments are, with the same keys"
    )
