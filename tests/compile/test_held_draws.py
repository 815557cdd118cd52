"""Where a call fails, the stream of random numbers goes on from where the function has left it."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core import tree


def caught(rng, x):
    noise = ag.random.random(rng, (2, 2))
    try:
        return np.linalg.inv(x) + noise
    except np.linalg.LinAlgError:
        return x + noise + ag.random.random(rng)


def uncaught(rng, x):
    noise = ag.random.random(rng, (2, 2))
    return np.linalg.inv(x) + noise + ag.random.standard_normal(rng)


def before_any(rng, x):
    return np.linalg.inv(x) + ag.random.random(rng, (2, 2))


def in_a_loop(rng, x):
    def step(carry, row):
        drawn = ag.random.random(rng, 2)
        return np.linalg.inv(carry) + drawn, drawn * row

    return ag.scan(step, x, x)


def floating(rng, x):
    noise = ag.random.random(rng, (2, 2))
    with np.errstate(all="raise"):
        return np.log(np.sum(x)) + noise + ag.random.random(rng)


def negative(rng, x):
    noise = ag.random.random(rng, (2, 2))
    return ag.random.normal(rng, x, x[0, 0] - 0.5) + noise


FAILING = [uncaught, before_any, in_a_loop, floating, negative]
CALLS = [{0}, {1}, {2}, {3, 4}, {0, 1, 2}, {2, 7}]
CASES = [(function, fails) for function in FAILING for fails in CALLS]
CASES += [(caught, fails) for fails in CALLS if not fails & {0, 1}]  # a trace refuses to catch


def outcome(function, *args):
    try:
        return function(*args)
    except (ArithmeticError, ValueError) as error:
        if isinstance(error, ag.CompileError):
            raise
        return type(error)


def is_same(found, expected):
    if isinstance(expected, type):
        return found is expected
    pairs = zip(tree.flatten(found), tree.flatten(expected), strict=True)
    return all(np.allclose(x, y, rtol=1e-12) for x, y in pairs)


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("is_argument", [True, False])
@pytest.mark.parametrize(("function", "fails"), CASES)
def test_a_call_that_fails_draws_as_the_function_does(function, fails, is_argument, check):
    """Also where the function catches the error of the program, and is run as it is."""
    rng, other = np.random.default_rng(4), np.random.default_rng(4)
    if is_argument:
        compiled = ag.compile(function, check=check)
    else:
        captured = ag.compile(lambda x: function(rng, x), check=check)

        def compiled(_, x):
            return captured(x)

    for call in range(9):
        x = np.eye(2) * (0 if call in fails else 1 + call)
        expected = outcome(function, other, x)
        assert is_same(outcome(compiled, rng, x), expected)
        assert rng.bit_generator.state == other.bit_generator.state


def test_where_a_trace_alone_fails_nothing_is_drawn():
    rng = np.random.default_rng(0)

    def f(x):
        noise = ag.random.random(rng)
        return noise * (x.size if isinstance(x, np.ndarray) else x.missing)

    with pytest.raises(ag.CompileError, match="missing"):
        ag.compile(f)(np.ones(2))
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state


def test_roots_of_negative_numbers_are_compared_on_the_same_draws():
    """Python answers in complex and NumPy with NaN, for which the function runs once more."""

    def f(rng, x):
        return np.abs(x) * ag.random.random(rng), x**0.5

    rng, other = np.random.default_rng(0), np.random.default_rng(0)
    compiled = ag.compile(f)
    with np.errstate(invalid="ignore"):
        for _ in range(4):
            found, root = compiled(rng, -2.0)
            assert found == 2.0 * other.random()
            assert np.isnan(root)


@pytest.mark.parametrize("shuffle", [np.random.default_rng(0).shuffle, np.random.shuffle])
def test_a_shuffle_is_refused_before_numpy_warns(shuffle):
    def shuffled(x):
        y = x * 1.0
        shuffle(y)
        return y

    with pytest.raises(ag.CompileError) as error:
        ag.compile(shuffled)(np.arange(4.0))
    assert str(error.value).startswith("a traced Value was shuffled in place at ")
    assert str(error.value).endswith("write x = x[ag.random.permutation(rng, len(x))]")


def test_the_advice_for_a_shuffle_works():
    def shuffled(rng, x):
        y = x * 1.0
        return y[ag.random.permutation(rng, len(y))]

    mine, yours = np.random.default_rng(0), np.random.default_rng(0)
    found = ag.compile(shuffled)(mine, np.arange(4.0))
    np.testing.assert_array_equal(found, yours.permutation(4) * 1.0)
