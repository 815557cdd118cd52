"""Random draws: one stream, eager and compiled, whatever the passes do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag

X = np.linspace(-1.0, 1.0, 6).reshape(2, 3)

DRAWS = {
    "random": lambda rng: ag.random.random(rng, 4, np.float32),
    "standard_normal": lambda rng: ag.random.standard_normal(rng, (2, 3)),
    "standard_exponential": lambda rng: ag.random.standard_exponential(rng, 5),
    "integers": lambda rng: ag.random.integers(rng, 3, 9, size=4),
    "permutation": lambda rng: ag.random.permutation(rng, 7),
    "a single number": lambda rng: ag.random.random(rng),
}

METHODS = {
    "random": lambda rng: rng.random(4, np.float32),
    "standard_normal": lambda rng: rng.standard_normal((2, 3)),
    "standard_exponential": lambda rng: rng.standard_exponential(5),
    "integers": lambda rng: rng.integers(3, 9, size=4),
    "permutation": lambda rng: rng.permutation(7),
    "a single number": lambda rng: rng.random(),
}


@pytest.mark.parametrize("name", DRAWS)
def test_draws_are_those_of_the_generator_eager_and_compiled(name):
    draw = DRAWS[name]
    generators = [np.random.default_rng(3) for _ in range(3)]
    compiled = ag.compile(lambda: draw(generators[1]))
    for _ in range(3):
        expected = METHODS[name](generators[0])
        drawn, eager = compiled(), draw(generators[2])
        np.testing.assert_array_equal(drawn, expected)
        np.testing.assert_array_equal(eager, expected)
        assert type(drawn) is type(eager) is type(expected)
        assert np.result_type(drawn) == np.result_type(expected)


def test_draws_that_look_alike_are_not_merged_and_unused_draws_stay():
    def noisy(x, rng):
        ag.random.random(rng, 5)  # nothing uses it
        kept = ag.random.random(rng, x.shape) < 0.5
        again = ag.random.random(rng, x.shape) < 0.5
        return np.sum(x * kept), np.sum(x * again)

    compiled = ag.compile(noisy)
    rng, twin = np.random.default_rng(0), np.random.default_rng(0)
    for _ in range(4):
        assert compiled(X, rng) == noisy(X, twin)
    assert rng.bit_generator.state == twin.bit_generator.state


def test_each_generator_has_its_own_stream():
    compiled = ag.compile(lambda x, rng: x + ag.random.standard_normal(rng, x.shape))
    first, second = np.random.default_rng(1), np.random.default_rng(2)
    twins = np.random.default_rng(1), np.random.default_rng(2)
    for _ in range(2):
        np.testing.assert_array_equal(compiled(X, first), X + twins[0].standard_normal(X.shape))
        np.testing.assert_array_equal(compiled(X, second), X + twins[1].standard_normal(X.shape))


def test_gradients_pass_through_a_draw_by_its_use():
    rng, twin = np.random.default_rng(0), np.random.default_rng(0)
    slope = ag.compile(ag.grad(lambda x: np.sum(x**2 * ag.random.random(rng, x.shape))))
    for _ in range(3):
        np.testing.assert_allclose(slope(X), 2 * X * twin.random(X.shape), rtol=1e-15)


def test_the_pathwise_derivatives_of_normal_and_uniform():
    def moved(mean, deviation):
        return np.sum(ag.random.normal(np.random.default_rng(0), mean, deviation, size=3) ** 2)

    def spread(low, high):
        return np.sum(ag.random.uniform(np.random.default_rng(0), low, high, size=3) ** 2)

    ag.gradcheck(moved, 0.5, 2.0)
    ag.gradcheck(spread, 0.5, 2.0)
    rng, twin = np.random.default_rng(0), np.random.default_rng(0)
    np.testing.assert_array_equal(ag.random.normal(rng, X, 2.0), twin.normal(X, 2.0))
    np.testing.assert_array_equal(ag.random.uniform(rng, X, 3.0), twin.uniform(X, 3.0))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(["use", "drop", "double"]), min_size=1, max_size=6))
def test_any_mixture_of_draws_gives_the_eager_stream(uses):
    def f(x, rng):
        for use in uses:
            noise = ag.random.random(rng, x.shape)
            if use == "use":
                x = x * noise
            elif use == "double":
                x = x + noise - noise * 0
        return x

    rng, twin = np.random.default_rng(0), np.random.default_rng(0)
    compiled = ag.compile(f)
    for _ in range(3):
        np.testing.assert_allclose(compiled(X, rng), f(X, twin), rtol=1e-15)
    assert rng.bit_generator.state == twin.bit_generator.state


def test_a_draw_from_a_generator_itself_is_refused_and_undone():
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    with pytest.raises(ag.CompileError) as error:
        ag.compile(lambda x: x + rng.random(x.shape))(X)
    assert str(error.value) == (
        "test_a_draw_from_a_generator_itself_is_refused_and_undone.<locals>.<lambda> drew random "
        "numbers while it was traced; they would be the same at every call: draw by ag.random, "
        "or outside and pass them as an argument"
    )
    assert rng.bit_generator.state == before


def test_what_is_no_generator_is_refused():
    with pytest.raises(ag.ArgumentTypeError) as error:
        ag.random.random(0, 3)
    assert str(error.value) == (
        "random.random: rng is int; pass a generator, np.random.default_rng(seed)"
    )


# The two other functions that compiled training needs.


def test_gradients_are_returned_and_leave_nothing_behind():
    w, b = ag.Value([1.0, 2.0]), ag.Value(3.0)
    hidden = w * b
    loss = np.sum(hidden**2)
    for_w, for_hidden, for_b = ag.gradients(loss, [w, hidden, b])
    np.testing.assert_array_equal(for_w, 2 * w.data * 9)
    np.testing.assert_array_equal(for_hidden, 2 * hidden.data)
    assert for_b == 30.0
    assert all(x.grad is None for x in (w, b, hidden, loss))
    assert ag.gradients(loss, [ag.Value(1.0)], retain_graph=False) == [None]
    with pytest.raises(ag.BackwardError):
        ag.gradients(loss, [w])  # the graph was freed
    with pytest.raises(ag.ArgumentTypeError) as error:
        ag.gradients(1.0, [w])
    assert str(error.value) == (
        "gradients: the output is float, not a Value, so it depends on none; "
        "compute it from the Values in the list"
    )


def test_gradients_with_respect_to_captured_values_compile():
    w = ag.Value(np.array([1.0, 2.0, 3.0]), label="w")

    @ag.compile(donate=w)
    def descend(x):
        loss = np.sum((w * x) ** 2)
        (g,) = ag.gradients(loss, [w])
        return w - 0.1 * g, loss

    x, expected = np.ones(3), w.data.copy()
    for _ in range(3):
        loss = np.sum(expected**2)
        expected = expected - 0.1 * 2 * expected
        new, found = descend(x)
        assert new is w.data
        assert found == loss
        np.testing.assert_allclose(w.data, expected, rtol=1e-15)


def test_stop_gradient_gives_constants():
    x = ag.Value([1.0, 2.0])
    assert ag.stop_gradient(x) is x.data
    assert ag.stop_gradient(2.0) == 2.0
    slope = ag.grad(lambda x: np.sum(x * ag.stop_gradient(x)))
    np.testing.assert_array_equal(slope(X), X)
    np.testing.assert_array_equal(ag.compile(slope)(X), X)


# Within checkpoints.


def dropped(rng, x):
    return np.where(ag.random.random(rng, np.shape(x)) < 0.5, 0.0, np.sin(x))


def noisy(rng, around):
    """Two blocks with draws, the first one with a block inside; ``around`` goes about each."""

    def inner(x):
        return dropped(rng, x) * 2.0

    def first(x):
        return around(inner)(dropped(rng, x) + x)

    def loss(x):
        return np.sum(around(first)(x) * around(inner)(x**2))

    return loss


@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("order", [1, 2])
def test_a_checkpoint_gives_what_it_drew_again(compile, order):
    def derivative(loss):
        gradient = ag.value_and_grad(loss)
        if order == 1:
            return gradient
        return lambda x: (loss(x), ag.grad(lambda x: np.sum(gradient(x)[1] ** 2))(x))

    generators = [np.random.default_rng(5) for _ in range(2)]
    plain = derivative(noisy(generators[0], lambda block: block))
    checkpointed = derivative(noisy(generators[1], ag.checkpoint))
    checkpointed = ag.compile(checkpointed) if compile else checkpointed
    for _ in range(3):
        for mine, expected in zip(checkpointed(X), plain(X), strict=True):
            np.testing.assert_allclose(mine, expected, rtol=1e-13)
        assert generators[0].bit_generator.state == generators[1].bit_generator.state


def test_a_checkpoint_that_draws_more_when_it_is_called_again_is_an_error():
    calls = []

    def block(x):
        calls.append(1)
        for _ in calls:
            x = dropped(np.random.default_rng(0), x)
        return x

    with pytest.raises(ag.BackwardError) as error:
        ag.grad(lambda x: np.sum(ag.checkpoint(block)(x)))(X)
    assert str(error.value) == (
        "checkpoint: the function drew 1 times, and more when it was called again for its "
        "gradient; it must do the same for the same arguments"
    )
    assert ag.random.random(np.random.default_rng(3)) == np.random.default_rng(3).random()
