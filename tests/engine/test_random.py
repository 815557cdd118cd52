"""Random draws: one stream, eager and compiled, whatever the passes do."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.core import tree

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


def in_scan(rng):
    return ag.scan(lambda c, _: (0.5 * c + ag.random.normal(rng), None), 0.0, length=3)[0]


def in_fori(rng):
    return ag.fori(0, 2, lambda i, c: c + ag.random.random(rng), 0.0)


def in_while(rng):
    return ag.while_loop(lambda c: c < 2.0, lambda c: c + 0.5 + ag.random.random(rng), 0.0)


def in_branch(rng):
    chosen = ag.random.random(rng) > 0.5
    return ag.cond(chosen, lambda: ag.random.normal(rng), lambda: 2 * in_fori(rng))


def in_switch(rng):
    index = ag.random.integers(rng, 3)
    return ag.switch(index, [lambda: ag.random.normal(rng), lambda: 0.0, lambda: in_scan(rng)])


def in_a_loop_unused(rng):
    def step(c, _):
        in_fori(rng)
        return 0.5 * c, None

    return ag.scan(step, 1.0, length=2)[0]


def in_a_loop_that_does_not_depend_on_its_carry(rng):
    return ag.scan(lambda c, _: (0.5 * c + in_fori(rng), None), 0.0, length=2)[0]


SOURCES = {
    "number": ag.random.random,
    "two numbers": lambda rng: ag.random.normal(rng) - ag.random.uniform(rng, 0.8, 1.2),
    "array": lambda rng: ag.random.random(rng, 3),
    "sum": lambda rng: np.sum(ag.random.normal(rng, size=3)),
    "whole number": lambda rng: 1.0 * ag.random.integers(rng, 5),
    **{
        function.__name__: function
        for function in (
            *(in_scan, in_fori, in_while, in_branch, in_switch, in_a_loop_unused),
            in_a_loop_that_does_not_depend_on_its_carry,
        )
    },
}
"""Where numbers come from.  All of them move the stream, whether they are used or not."""


def mixture(sources, uses):
    """A function that draws from these, and uses what it drew in another order, or not at all."""

    def f(x, rng):
        drawn = [SOURCES[source](rng) for source in sources]
        total = np.sum(x)
        for use in uses:
            noise = drawn[use % len(drawn)]
            total = total + np.sum(np.sin(x * noise) + noise)
        return total

    return f


def sampled(f):
    return lambda x, rng: np.sum(ag.vmap(lambda row: f(row, rng))(np.stack([x, -x])))


def in_no_branch(source):
    """A branch that a sample chooses must not draw: see below."""
    return {"in_branch": "number", "in_switch": "in_scan"}.get(source, source)


def stepped(f):
    """What is drawn after a sweep is a part of the update."""

    def step(x, rng):
        loss, gradient = ag.value_and_grad(f)(x, rng)
        x = x - 0.1 * gradient + ag.random.normal(rng, size=3) * ag.random.random(rng)
        return x, loss, ag.random.normal(rng, size=3)

    return step


WAYS = {
    "values": lambda f: f,
    "gradients": ag.value_and_grad,
    "second derivatives": lambda f: lambda x, rng: ag.hvp(lambda x: f(x, rng), (x,), (x,)),
    "samples": sampled,
    "gradients of samples": lambda f: ag.value_and_grad(sampled(f)),
    "updates": stepped,
}


def check_stream(f, **options):
    """Compiled, a function draws as it does by itself, and leaves the stream at the same place."""
    compiled = ag.compile(f, **options)
    rng, twin = np.random.default_rng(0), np.random.default_rng(0)
    for scale in (1.0, 1.0, -0.7):
        x = scale * np.array([0.5, -0.3, 0.2])
        found, expected = (tree.flatten(g(x, r)) for g, r in ((compiled, rng), (f, twin)))
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
        assert rng.bit_generator.state == twin.bit_generator.state


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    sources=st.lists(st.sampled_from(list(SOURCES)), min_size=1, max_size=4),
    uses=st.lists(st.integers(0, 3), max_size=4),
)
@example(sources=["two numbers"], uses=[0])
@example(sources=["number", "array", "number"], uses=[2, 0])
@example(sources=["array", "array"], uses=[1, 0])
def test_any_mixture_of_draws_gives_the_eager_stream(way, sources, uses):
    sources = [in_no_branch(x) for x in sources] if "samples" in way else sources
    check_stream(WAYS[way](mixture(sources, uses)))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("way", WAYS)
def test_what_draws_moves_the_stream_where_nothing_uses_it(way, source):
    source = in_no_branch(source) if "samples" in way else source
    check_stream(WAYS[way](mixture([source, "array"], [1])))


@pytest.mark.parametrize("source", ["in_branch", "in_switch"])
def test_branches_that_draw_and_that_samples_choose_are_refused(source):
    refusal = "cond|switch: its functions draw random numbers, .* draw before, and pass"
    with pytest.raises(ag.CompileError, match=refusal):
        ag.compile(sampled(mixture([source], [0])))(X[0], np.random.default_rng(0))


def test_loops_by_numba_draw_in_order():
    pytest.importorskip("numba")
    for source in SOURCES:
        check_stream(mixture([source, "number", "two numbers"], [2, 1, 0]), backend="numba")


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
    np.testing.assert_array_equal(ag.stop_gradient(x), x.data)
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


@pytest.mark.parametrize("draw", [ag.random.normal, ag.random.uniform])
def test_draws_follow_the_dtype_of_their_parameters(draw):
    single, double = np.zeros(3, np.float32), np.ones(3)
    rng = np.random.default_rng(0)
    assert draw(rng, ag.Value(single), 1.0).dtype == np.float32
    assert draw(rng, single, single + 1).dtype == np.float32
    assert draw(rng, single, double).dtype == np.float64
    assert draw(rng, size=3).dtype == np.float64
    assert draw(rng, size=3, dtype=np.float32).dtype == np.float32
    gradient = ag.grad(lambda mean: np.sum(draw(rng, mean, 1.0)))(single)
    assert gradient.dtype == np.float32


@pytest.mark.parametrize("deviation", [-1.0, np.array([1.0, -2.0]), ag.Value([0.5, -1e-300])])
def test_a_negative_deviation_is_refused_and_draws_nothing(deviation):
    rng = np.random.default_rng(0)
    with pytest.raises(ag.ArgumentValueError, match=r"std is negative somewhere.*np\.exp\(x\)"):
        ag.random.normal(rng, 0.0, deviation)
    assert rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("std", [2.0, np.array([1.0, 2.0]), np.full((200, 200), 0.5)])
def test_a_negative_deviation_is_refused_at_every_call_of_a_program(std, backend):
    if backend == "numba":
        pytest.importorskip("numba")
    ours, theirs = np.random.default_rng(0), np.random.default_rng(0)
    compiled = ag.compile(lambda std: ag.random.normal(ours, 1.0, std), backend=backend)
    for _ in range(4):
        np.testing.assert_allclose(compiled(std), theirs.normal(1.0, std), rtol=1e-15)
    for _ in range(3):  # no function runs beside the program at these calls
        with pytest.raises(ag.ArgumentValueError, match="std is negative somewhere"):
            compiled(-std)


def test_samples_have_deviations_of_their_own():
    rng = np.random.default_rng
    stds = np.array([0.5, 2.0, 0.0])
    draw = lambda std: ag.random.normal(rng(0), 1.0, std)  # noqa: E731
    right = rng(0).normal(1.0, stds)
    np.testing.assert_allclose(ag.vmap(draw)(stds), right, rtol=1e-15)
    np.testing.assert_allclose(ag.compile(ag.vmap(draw))(stds), right, rtol=1e-15)
    slopes = ag.vmap(ag.grad(draw))(stds)
    np.testing.assert_allclose(slopes, rng(0).standard_normal(3), rtol=1e-15)
    with pytest.raises(ag.ArgumentValueError, match="std is negative somewhere"):
        ag.vmap(draw)(-stds)


def test_the_former_name_of_the_standard_deviation_works_with_a_warning():
    rng = np.random.default_rng
    message = "normal: deviation is called std now; write std=..."
    with pytest.warns(DeprecationWarning, match=re.escape(message)):
        old = ag.random.normal(rng(0), 1.0, deviation=0.3, size=4)
    np.testing.assert_array_equal(old, ag.random.normal(rng(0), 1.0, std=0.3, size=4))


@pytest.mark.parametrize("draw", [ag.random.normal, ag.random.uniform])
@pytest.mark.parametrize(
    ("shape", "size"), [((3,), 1), ((2, 3), 3), ((2, 3), (1, 3)), ((3,), 2), ((3,), ())]
)
def test_parameters_never_share_a_draw(draw, shape, size):
    """Generators refuse these sizes; broadcasting would use one number several times."""
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"not compatible|mismatch|broadcast"):
        rng.normal(np.zeros(shape), 1.0, size=size)
    with pytest.raises(ag.ArgumentValueError, match="leave size out"):
        draw(rng, np.zeros(shape), 1.0, size=size)
    assert rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize(
    ("low", "high"), [(1.0, 0.0), (0.0, [1.0, -1.0]), (0.0, np.inf), (np.nan, 1.0)]
)
def test_ranges_that_are_none_are_refused_and_draw_nothing(low, high):
    rng = np.random.default_rng(0)
    with pytest.raises((ValueError, OverflowError)):
        rng.uniform(low, high)
    with pytest.raises(ag.ArgumentValueError, match=r"low is above high.*np\.minimum\(a, b\)"):
        ag.random.uniform(rng, low, high)
    assert rng.random() == np.random.default_rng(0).random()
    program = ag.compile(lambda high: ag.random.uniform(rng, 0.0, high, size=2))
    program(1.0)
    with pytest.raises(ag.ArgumentValueError, match="low is above high"):
        program(-1.0)


@pytest.mark.parametrize(
    ("low", "high"),
    [([0.0, 2.0], [1, 5]), (0, [1, 3]), (np.int8(-100), np.int8(100)), (np.uint8([3]), 200)],
)
def test_ranges_are_given_in_lists_and_integers(low, high):
    expected = np.random.default_rng(0).uniform(low, high)
    found = ag.random.uniform(np.random.default_rng(0), low, high)
    np.testing.assert_allclose(found, expected, rtol=1e-15)


@pytest.mark.parametrize("dtype", [int, np.float16, complex, ">f8", "no dtype"])
def test_other_dtypes_are_refused_with_the_way_to_them(dtype):
    rng = np.random.default_rng(0)
    for draw in (ag.random.normal, ag.random.uniform):
        with pytest.raises(ag.ArgumentTypeError, match=r"\.astype\(dtype\)"):
            draw(rng, 0.0, 1.0, 3, dtype)
    with pytest.raises(ag.ArgumentTypeError, match=r"\.astype\(dtype\)"):
        ag.random.random(rng, 3, dtype)


@pytest.mark.parametrize("parameter", [1j, np.array([1j]), "one", None])
def test_parameters_that_are_no_reals_are_refused(parameter):
    rng = np.random.default_rng(0)
    for draw in (ag.random.normal, ag.random.uniform):
        with pytest.raises(ag.ArgumentTypeError, match="holds no real numbers"):
            draw(rng, parameter, 1.0)


def test_what_generators_refuse_is_told_as_an_error_of_the_package():
    with pytest.raises(ag.ArgumentValueError, match=r"random\.integers: low >= high"):
        ag.random.integers(np.random.default_rng(0), 3, 1)
