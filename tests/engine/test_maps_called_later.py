"""Linear maps that `vjp` and `linearize` return are called later, and inside other transforms."""

import numpy as np
import pytest

import autograd_lite as ag

X = np.array([1.0, 3.0])
V = np.array([1.0, 0.5])
JACOBIAN = np.array([[2.0, 12.0], [1.0, 1.0]])
"""Of the function below at X, by hand."""


def function(x):
    return ag.array([x[0] ** 2 + 2 * x[1] ** 2, x[0] + x[1]])


def pushed():
    return ag.linearize(function, X)[1], JACOBIAN


def pulled():
    pullback = ag.vjp(function, X)[1]
    return (lambda v: pullback(v)[0]), JACOBIAN.T


def made_without_recording():
    with ag.no_grad():
        return pushed()


def square(apply):
    return lambda v: np.sum(apply(v) ** 2)


def by_backward(apply):
    v = ag.Value(V)
    np.sum(apply(v) ** 2).backward()
    return v.grad


def repeated(apply):
    final = lambda v: ag.scan(lambda h, _: (apply(h), None), v, np.ones(2))[0]  # noqa: E731
    return ag.jacobian(final)(V)


LATER = {
    "grad": (lambda f: ag.grad(square(f))(V), lambda m: 2 * m.T @ m @ V),
    "backward": (by_backward, lambda m: 2 * m.T @ m @ V),
    "jvp": (lambda f: ag.jvp(f, V, V)[1], lambda m: m @ V),
    "jacobian": (lambda f: ag.jacobian(f)(V), lambda m: m),
    "hessian": (lambda f: ag.hessian(square(f))(V), lambda m: 2 * m.T @ m),
    "linearize": (lambda f: ag.linearize(f, V)[1](V), lambda m: m @ V),
    "vmap": (lambda f: ag.vmap(f)(np.eye(2)), lambda m: m.T),
    "vmap of grad": (lambda f: ag.vmap(ag.grad(square(f)))(np.eye(2)), lambda m: 2 * m.T @ m),
    "vmap of hessian": (
        lambda f: ag.vmap(ag.hessian(square(f)))(np.eye(2)), lambda m: np.array([2 * m.T @ m] * 2),
    ),
    "jacobian of vmap": (
        lambda f: ag.jacobian(lambda v: np.sum(ag.vmap(f)(np.stack([v, v])), axis=0))(V),
        lambda m: 2 * m,
    ),
    "vmap of vmap": (
        lambda f: ag.vmap(ag.vmap(ag.grad(square(f))))(np.eye(2)[None])[0],
        lambda m: 2 * m.T @ m,
    ),
    "scan": (repeated, lambda m: m @ m),
    "checkpoint": (lambda f: ag.grad(square(ag.checkpoint(f)))(V), lambda m: 2 * m.T @ m @ V),
    "compile": (lambda f: ag.compile(f)(V), lambda m: m @ V),
    "compile of grad": (lambda f: ag.compile(ag.grad(square(f)))(V), lambda m: 2 * m.T @ m @ V),
}  # fmt: skip


@pytest.mark.parametrize("later", LATER)
@pytest.mark.parametrize("made", [pushed, pulled, made_without_recording])
def test_maps_are_functions_like_others(made, later):
    apply, matrix = made()
    derive, expected = LATER[later]
    for _ in range(2):
        np.testing.assert_allclose(derive(apply), expected(matrix), rtol=1e-12)


@pytest.mark.parametrize("made", [pushed, pulled])
def test_plain_directions_give_plain_results(made):
    apply, matrix = made()
    result = apply(V)
    assert type(result) is np.ndarray
    np.testing.assert_array_equal(result, matrix @ V)
    with ag.no_grad():
        assert not getattr(apply(ag.Value(V)), "requires_grad", False)
