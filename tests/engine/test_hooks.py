"""Hooks on Values: when they are called, what they may return, and where they are refused."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core import hooks

X = np.array([0.1, 0.2, 1.0])


def clipped(x):
    y = np.sin(x)
    y.register_hook(lambda g: np.clip(g, -1.0, 1.0))
    return np.sum(3 * y**2)


GRADIENT = np.clip(6 * np.sin(X), -1, 1) * np.cos(X)


def test_a_hook_gets_the_whole_gradient_and_what_it_returns_takes_its_place():
    x, seen = ag.Value(X), []
    y = x**2
    before = 3 * y  # computed before there is a hook
    hook = y.register_hook(seen.append)
    double = y.register_hook(lambda g: 2 * g)
    np.sum(before + y).backward()
    assert [g.tolist() for g in seen] == [[4.0, 4.0, 4.0]]
    np.testing.assert_allclose(x.grad, 16 * X)
    np.testing.assert_allclose(y.grad, [8, 8, 8])
    double.remove()
    double.remove()
    hook.remove()
    x.grad = None
    np.sum(before + y).backward()
    np.testing.assert_allclose(x.grad, 8 * X)
    assert len(seen) == 1


def test_hooks_of_leaves_numbers_complex_values_and_results():
    x, seen = ag.Value(2.0), []
    with x.register_hook(lambda g: -g):
        (x * x).backward(retain_graph=False)
    assert x.grad == -4.0
    y = x * x
    y.register_hook(seen.append)
    assert ag.gradients(3 * y, [x, y]) == [12.0, 3.0]
    y.backward()
    assert seen == [3.0, 1.0]
    z = ag.Value(1 + 2j)
    w = z * z
    w.register_hook(seen.append)
    np.real(w * w).backward()
    assert seen[-1] == w.grad == np.conj(2 * w.data)


def test_hooks_in_every_transform_of_first_order():
    both = np.stack([X, 2 * X])
    np.testing.assert_allclose(ag.grad(clipped)(X), GRADIENT)
    np.testing.assert_allclose(ag.vjp(clipped, X)[1](1.0)[0], GRADIENT)
    np.testing.assert_allclose(ag.compile(ag.grad(clipped))(X), GRADIENT)
    np.testing.assert_allclose(ag.vmap(ag.grad(clipped))(both)[0], GRADIENT)
    np.testing.assert_allclose(ag.compile(ag.vmap(ag.grad(clipped)))(both)[0], GRADIENT)


def test_a_masked_gradient_stays_zero_beside_a_hook():
    x = ag.Value([0.0, 4.0])
    with np.errstate(all="ignore"):
        root = np.sqrt(x)
        y = np.where(x.data > 0, root, 0.0)
        root.register_hook(lambda g: g)
        x.register_hook(lambda g: g)
        np.sum(y).backward()
    np.testing.assert_allclose(x.grad, [0.0, 0.25])


def test_what_a_hook_is_given_is_read_only_and_stays_what_it_is():
    x, seen = ag.Value(X), []
    x.register_hook(seen.append)
    np.sum(2 * x).backward()
    x.grad[:] = 0
    assert seen[0].tolist() == [2.0, 2.0, 2.0]
    assert not seen[0].flags.writeable
    kept = np.ones(3)
    with x.register_hook(lambda g: kept):
        np.sum(2 * x).backward()
    x.grad[:] = 7
    assert kept.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    "call",
    [
        lambda: ag.hessian(clipped)(X),
        lambda: ag.hvp(clipped, X, X),
        lambda: ag.compile(ag.hessian(clipped))(X),
        lambda: ag.jvp(clipped, X, X),
        lambda: ag.ggnvp(clipped, lambda r: r**2, X, X),
        lambda: ag.jvp(ag.checkpoint(clipped), X, X),
        lambda: ag.grad(ag.checkpoint(clipped))(X),
    ],
)
def test_where_hooks_have_no_meaning_they_are_refused(call):
    with pytest.raises(ag.UnsupportedError, match="hook"):
        call()


def test_second_derivatives_that_do_not_meet_the_hook_are_right():
    def f(x):
        y = x**2
        y.register_hook(lambda g: 3 * g)
        return np.sum(y)

    np.testing.assert_allclose(ag.hessian(f)(X), 6 * np.eye(3))


def test_hooks_refuse_by_name():
    x = ag.Value(X)
    with pytest.raises(ag.ArgumentTypeError, match="register_hook: the hook is 3"):
        x.register_hook(3)
    with pytest.raises(ag.BackwardError, match="requires no gradient"):
        ag.Value(X, requires_grad=False).register_hook(print)
    for result, message in (
        ("a", "a hook returned str"),
        (np.array(["a"]), "an array of <U1"),
        (np.ones(2), r"a hook returned shape \(2,\) for a Value of shape \(3,\)"),
        (1j * X, "complex numbers as the gradient of a real Value"),
        (ag.Value(X), "a hook returned a Value"),
    ):
        hook = x.register_hook(lambda g, result=result: result)
        with pytest.raises(ag.AutogradError, match=message):
            np.sum(2 * x).backward()
        hook.remove()


def test_the_same_function_twice_is_two_hooks():
    x = ag.Value(X)
    first, second = (x.register_hook(double) for double in [lambda g: 2 * g] * 2)
    for hook, factor in ((None, 4), (first, 2), (first, 2), (second, 1)):
        if hook is not None:
            hook.remove()
        x.grad = None
        np.sum(x).backward()
        np.testing.assert_array_equal(x.grad, factor * np.ones(3))


def test_a_hook_writes_no_gradient():
    x = ag.Value(X)
    x.register_hook(lambda g: np.multiply(g, 2, out=g))
    with pytest.raises(ag.InPlaceError, match=r"as 2 \* g in the place of g \*= 2$"):
        np.sum(x).backward()


def test_hooks_keep_no_graph_alive():
    gc.collect()
    before = len(hooks.hooks), len(hooks.swept)
    ag.compile(ag.grad(clipped))(X)
    ag.grad(clipped)(ag.Value(X))
    gc.collect()
    assert (len(hooks.hooks), len(hooks.swept)) <= (before[0] + 1, before[1] + 1)
