"""Backward passes that use what a forward pass kept: once, too long, or not at all."""

import numpy as np
import pytest

import autograd_lite as ag

X = np.array([0.3, -1.2, 2.0, 0.7])


def report(function, *args, **options):
    return ag.gradcheck(function, *args, raise_error=False, **options)


class Stack:
    """Keeps a stack of inputs, from which each backward pass takes one."""

    def __init__(self):
        self.stack = []

    def forward(self, x):
        self.stack.append(x)
        return np.tanh(x)

    def backward(self, g, x):
        return g * (1 - np.tanh(self.stack.pop()) ** 2)


class Cleared:
    """Forgets its input in the backward pass, as memory is scarce."""

    kept = None

    def forward(self, x):
        self.kept = x
        return np.tanh(x)

    def backward(self, g, x):
        x, self.kept = self.kept, None
        return g * (1 - np.tanh(x) ** 2)


class Deleted(Cleared):
    def backward(self, g, x):
        x = self.kept
        del self.kept
        return g * (1 - np.tanh(x) ** 2)


@pytest.mark.parametrize("layer", [Stack, Cleared, Deleted])
def test_what_is_kept_may_be_used_up(layer):
    right = layer()
    assert report(right.forward, X, vjp=right.backward)
    wrong = layer()
    found = report(wrong.forward, X, vjp=lambda g, x: 1.1 * wrong.backward(g, x))
    assert found.hints[0].text.startswith("a constant factor: the analytic derivative is 11/10")


@pytest.mark.parametrize("layer", [Stack, Cleared])
def test_also_that_of_a_gradient(layer):
    made = layer()

    def total(x):
        return np.sum(made.forward(x))

    assert report(total, X, gradient=lambda x: made.backward(1.0, x))


def test_a_backward_pass_that_always_raises_does_so():
    found = report(np.tanh, X, vjp=lambda g, x: g @ g @ g)
    assert found.reason.startswith("vjp raises ValueError: matmul")


class First:
    """Keeps the input of the first forward pass for ever."""

    kept = None

    def forward(self, x):
        if self.kept is None:
            self.kept = np.array(x)
        return np.tanh(x)

    def backward(self, g, x):
        return g * (1 - np.tanh(self.kept) ** 2)


def test_what_is_kept_for_ever_is_wrong_elsewhere():
    layer = First()
    found = report(layer.forward, X, vjp=layer.backward)
    assert found.verdict == "wrong derivative"
    assert found.reason == "the derivative is right at this point only"
    assert found.hints[0].text == (
        "it is the same to the last digit nearby, where the slope of the function is another: it "
        "was computed once and kept, or uses what an earlier call has saved; compute it from its "
        "arguments, or from what the latest call has saved"
    )


def test_so_it_is_of_a_rule():
    kept = []

    def forward(x):
        kept.append(np.array(x))
        return x**3

    found = report(ag.Primitive(forward, lambda g, out, x: 3 * g * kept[0] ** 2), X)
    assert found.reason == "the derivative is right at this point only"


def test_numbers_that_were_computed_before_are_a_gradient_at_their_point():
    numbers = 3 * X**2
    found = report(lambda x: np.sum(x**3), X, gradient=lambda x: numbers)
    assert found
    assert "; it is the same to the last digit nearby" in found.reason


@pytest.mark.parametrize(
    ("function", "vjp"),
    [
        (lambda x: 3 * x, lambda g, x: 3 * g),
        (lambda x: np.maximum(x, 0), lambda g, x: g * (x > 0)),
        (lambda x: x + 5 * np.floor(x - 0.02), lambda g, x: g),
        (lambda x: np.where(x > 0.301, x - 2, x), lambda g, x: g),
        (lambda x: np.sort(x)[::-1], lambda g, x: g[::-1][np.argsort(np.argsort(x))]),
    ],
)
def test_a_slope_that_is_the_same_everywhere_may_be_the_same(function, vjp):
    assert report(function, X, vjp=vjp)


SYSTEM = np.array([[0.5, 0.2], [0.1, 0.4]])


def solved(b):
    return np.linalg.solve(np.eye(2) - SYSTEM, b)


def iterated(tolerance, most=None):
    """A rule that iterates until the change is small, on and on where it never is."""

    def vjp(g, b):
        z, count = np.zeros(2), 0
        while True:
            z, before, count = SYSTEM.T @ z + g, z, count + 1
            if np.max(np.abs(z - before)) < tolerance:
                return z
            if count == most:
                raise RuntimeError("no convergence")

    return vjp


@pytest.mark.parametrize("tolerance", [1e-10, 1e-12, 1e-14])
@pytest.mark.parametrize("most", [None, 1000])
def test_a_solver_that_stops_at_a_tolerance_is_right_and_comes_to_an_end(tolerance, most):
    assert report(solved, np.array([1.0, -2.0]), vjp=iterated(tolerance, most))


def test_a_coarse_one_is_allowed_for():
    found = report(solved, np.array([1.0, -2.0]), vjp=iterated(1e-7))
    assert (
        "where a solver stops at a tolerance, allow for it with nondeterminism="
        in found.hints[0].text
    )
    b, vjp = np.array([1.0, -2.0]), iterated(1e-7)
    assert report(solved, b, vjp=vjp, nondeterminism=1e-6, rtol=1e-6)
    assert report(solved, b, vjp=vjp, rtol=1e-4)


@pytest.mark.parametrize("bound", [127.0, 200.0, 1e3, 1e5, 1e6])
@pytest.mark.parametrize(
    "cut",
    [
        lambda g, bound: np.clip(g, -bound, bound),
        lambda g, bound: g * min(1.0, bound / np.linalg.norm(g)),
    ],
)
def test_large_upstream_gradients_are_not_cut_off(bound, cut):
    found = report(np.square, X, vjp=lambda g, x: cut(g, bound) * 2 * x)
    assert found.hints[0].text.endswith("large ones are cut off (clip, clamp, a largest norm)")
    square = ag.Primitive(np.square, lambda g, out, x: cut(g, bound) * 2 * x)
    assert report(square, X).verdict == "wrong derivative"
