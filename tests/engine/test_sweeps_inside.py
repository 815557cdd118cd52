"""Sweeps in the middle of a function that is differentiated: their gradients depend on it too."""

import numpy as np
import pytest

import autograd_lite as ag

X = np.array([1.0, 2.0])


def of_gradients(x):
    """x·x, as the gradient of w·x by w is x."""
    w = ag.Value(np.array([1.0, 2.0]))
    (g,) = ag.gradients(np.sum(w * x), [w])
    return np.sum(g * x)


def after_two_steps(rate):
    """The loss after two steps of descent, ((1 - 2r)²·2)² of w = 1 and a goal of 3."""
    w = ag.Value(1.0) * 1.0
    for _ in range(2):
        (g,) = ag.gradients((w - 3.0) ** 2, [w])
        w = w - rate * g
    return (w - 3.0) ** 2


def slope_after_two_steps(rate):
    """-32(1 - 2r)³, from the formula."""
    return -32 * (1 - 2 * rate) ** 3


def test_gradients_inside_are_differentiated_further():
    np.testing.assert_allclose(ag.grad(of_gradients)(X), 2 * X)
    np.testing.assert_allclose(ag.hessian(of_gradients)(X), 2 * np.eye(2))
    np.testing.assert_allclose(ag.jvp(of_gradients, X, X)[1], 2 * X @ X)


def test_a_step_of_descent_is_differentiated_by_its_rate():
    slope = ag.grad(after_two_steps)
    assert slope(0.1) == pytest.approx(slope_after_two_steps(0.1))
    assert ag.jvp(after_two_steps, 0.1, 1.0)[1] == pytest.approx(slope_after_two_steps(0.1))
    assert ag.grad(slope)(0.1) == pytest.approx(192 * 0.8**2)
    assert ag.compile(slope)(0.1) == pytest.approx(slope_after_two_steps(0.1))


def test_gradients_of_what_was_written_in_place_are_differentiated_further():
    def f(x):
        y = x * 2
        y[:1] *= x[1]
        (g,) = ag.gradients(np.sum(y**2), [x])
        return np.sum(g)

    # y = (2ab, 2b), and the sum of the gradient is 8ab² + 8a²b + 8b.
    a, b = X
    np.testing.assert_allclose(ag.grad(f)(X), [8 * b * b + 16 * a * b, 16 * a * b + 8 * a * a + 8])


@pytest.mark.parametrize(
    "wrapped",
    [
        ag.checkpoint, ag.compile,
        lambda f: lambda r: ag.checkpoint(lambda s: f(r * s))(1.0),
        lambda f: lambda r: ag.cond(r > 0, f, lambda r: r, r),
        lambda f: lambda r: ag.scan(lambda c, i: (f(c), i), r, np.arange(1))[0],
        lambda f: lambda r: ag.fori(0, 1, lambda i, c: f(c), r),
        lambda f: lambda r: ag.while_loop(
            lambda p: p[0] < 1, lambda p: (p[0] + 1, f(p[1])), (0, r)
        )[1],
        lambda f: lambda r: ag.map(f, r * np.ones(2))[0],
    ],
)  # fmt: skip
def test_so_they_are_inside_of_other_transforms(wrapped):
    inner = wrapped(after_two_steps)
    assert ag.grad(inner)(0.1) == pytest.approx(slope_after_two_steps(0.1))
    assert ag.compile(ag.grad(inner))(0.1) == pytest.approx(slope_after_two_steps(0.1))


def swept_back(x):
    w = ag.Value(np.array([1.0, 2.0]))
    np.sum(w * x).backward()
    return np.sum(w.grad * x)


@pytest.mark.parametrize(
    "call",
    [
        ag.grad(swept_back), ag.jacobian(swept_back), ag.hessian(swept_back),
        lambda x: ag.jvp(swept_back, x, x), lambda x: ag.vjp(swept_back, x),
    ],
)  # fmt: skip
def test_backward_gives_numbers_and_is_refused_where_a_derivative_would_be_lost(call):
    with pytest.raises(ag.UnsupportedError, match=r"backward\(\) gives plain numbers") as caught:
        call(X)
    assert str(caught.value).splitlines()[-1] == (
        "Write gradients = ag.gradients(y, [w]), which are differentiated further; or call "
        "y.backward() under ag.no_grad(), if they are meant as constants"
    )


def test_gradients_that_are_meant_as_constants():
    def f(x):
        w = ag.Value(np.array([1.0, 2.0]))
        y = np.sum(w * x)
        with ag.no_grad():
            y.backward()
            (g,) = ag.gradients(y, [w])
        return np.sum((w.grad + g) * x)

    np.testing.assert_allclose(ag.grad(f)(X), 2 * X)


def test_backward_of_what_does_not_depend_on_arguments_is_nobodys_derivative():
    def f(x):
        w = ag.Value(np.array([1.0, 2.0]))
        np.sum(w * w).backward()
        return np.sum(w.grad * x)

    np.testing.assert_allclose(ag.grad(f)(X), [2.0, 4.0])


@pytest.mark.parametrize("function", [of_gradients, swept_back])
def test_under_vmap_a_sweep_is_refused_by_the_transform_to_write(function):
    with pytest.raises(ag.BackwardError, match=r"ag\.vmap calls.*write ag\.grad\(f\)\(w\)"):
        ag.vmap(function)(np.stack([X, X]))


def test_what_vmap_takes_instead():
    def f(x):
        return np.sum(ag.grad(lambda w: np.sum(w * x))(np.ones(2)) * x)

    np.testing.assert_allclose(ag.vmap(ag.grad(f))(np.stack([X, 3 * X])), [2 * X, 6 * X])
