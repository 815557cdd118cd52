"""vmap of loops and branches whose conditions differ from sample to sample."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

XS = np.array([0.3, 0.8, 1.3, 2.2, 3.1])


def root(a: Any) -> Any:
    """Newton's method, for as many steps as each number needs."""
    unsettled: Callable[[Any], Any] = lambda x: np.abs(x * x - a) > 1e-13 * a  # noqa: E731
    return ag.while_loop(unsettled, lambda x: (x + a / x) / 2, a)


def guarded(x: Any) -> Any:
    """The branch that is not taken has no number."""
    return ag.cond(x > 1.0, lambda x: np.sqrt(x - 1.0) * x, lambda x: np.log1p(-0.5 * x), x)


def chosen(x: Any) -> Any:
    return ag.switch(np.floor(x).astype(int), [np.sin, np.cos, np.tan, np.tanh], x)


def halved(x: Any) -> Any:
    """A nesting as a carry, and a count of steps that has no gradient."""
    state = {"x": x, "n": 0, "last": (x,)}

    def step(s: Any) -> Any:
        return {"x": np.sin(s["x"]) * 0.7, "n": s["n"] + 1, "last": (s["x"],)}

    found = ag.while_loop(lambda s: s["x"] > 0.2, step, state)
    return found["x"] * found["last"][0] + found["n"] * x


def nested(x: Any) -> Any:
    def step(c: Any, k: Any) -> Any:
        inner = ag.cond(c > 0.5, lambda c: ag.fori(0, 2, lambda i, y: np.sin(y) * k, c), np.cos, c)
        return root(np.abs(inner) + 0.1), inner

    carry, ys = ag.scan(step, x, np.array([1.0, 0.5, 2.0]), reverse=True)
    return carry + np.sum(ys**2)


FUNCTIONS = {f.__name__: f for f in (root, guarded, chosen, halved, nested)}
TRANSFORMS = {
    "value": lambda f: f,
    "grad": ag.grad,
    "second": lambda f: ag.grad(ag.grad(f)),
    "jvp": lambda f: lambda x: ag.jvp(f, x, 2.0)[1],
    "checkpoint": lambda f: ag.grad(ag.checkpoint(f)),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_sample_gets_what_the_function_gives_for_it_alone(name: str, transform: str) -> None:
    function = TRANSFORMS[transform](FUNCTIONS[name])
    wanted = [float(function(x)) for x in XS]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(ag.vmap(function)(XS), wanted, rtol=1e-11)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_transforms_outside_go_through(name: str) -> None:
    function = FUNCTIONS[name]
    slopes = [float(ag.grad(function)(x)) for x in XS]
    total = ag.grad(lambda xs: np.sum(ag.vmap(function)(xs)))(XS)
    np.testing.assert_allclose(total, slopes, rtol=1e-11)
    np.testing.assert_allclose(
        ag.jacobian(ag.vmap(function))(XS), np.diag(slopes), rtol=1e-11, atol=1e-14
    )


def test_batches_nest_and_conditions_may_be_of_either() -> None:
    def by_both(x: Any, y: Any) -> Any:
        first = ag.cond(x > y, lambda: x * y, lambda: x - y)
        second = ag.cond(x > 1.0, lambda: first, lambda: first * y)
        return ag.while_loop(lambda z: np.abs(z) > y, lambda z: z * 0.5, second)

    ys = np.array([0.25, 0.5, 1.5])
    wanted = [[by_both(float(x), float(y)) for y in ys] for x in XS]
    over_y = ag.vmap(by_both, (None, 0))
    np.testing.assert_allclose(ag.vmap(over_y, (0, None))(XS, ys), wanted, rtol=1e-14)


def test_bounds_of_fori_may_differ() -> None:
    def power(x: Any) -> Any:
        return ag.fori(0, np.floor(2 * x).astype(int), lambda i, y: y * x + i, 1.0)

    for of in (power, ag.grad(power)):
        wanted = [float(of(x)) for x in XS]
        np.testing.assert_allclose(ag.vmap(of)(XS), wanted, rtol=1e-14)
        np.testing.assert_allclose(ag.compile(ag.vmap(of))(XS), wanted, rtol=1e-14)


def test_a_condition_that_is_the_same_for_all_runs_one_branch() -> None:
    called = []

    def taken(x: Any) -> Any:
        called.append("taken")
        return x

    def other(x: Any) -> Any:
        called.append("other")
        return -x

    np.testing.assert_array_equal(ag.vmap(lambda x: ag.cond(x > 0, taken, other, x))(XS), XS)
    np.testing.assert_array_equal(ag.vmap(lambda x: ag.switch(0, [taken, other], x))(XS), XS)
    assert called == ["taken", "taken"]


def test_no_sample_goes_through_no_step() -> None:
    none = np.zeros(0)
    for function in (root, guarded, chosen, halved):
        assert ag.vmap(function)(none).shape == (0,)
        assert ag.vmap(ag.grad(function))(none).shape == (0,)


def test_errors_of_arithmetic_are_those_of_samples_that_take_part() -> None:
    def reciprocal(x: Any) -> Any:
        return ag.cond(x > 0, lambda x: 1 / x, lambda x: x, x)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(
            ag.vmap(reciprocal)(np.array([0.0, 2.0, -1.0])), [0.0, 0.5, -1.0]
        )
        np.testing.assert_array_equal(
            ag.vmap(ag.grad(reciprocal))(np.array([0.0, 2.0, -1.0])), [1.0, -0.25, 1.0]
        )
    with pytest.warns(RuntimeWarning, match="divide"):
        ag.vmap(lambda x: ag.cond(x < 1, lambda x: 1 / x, lambda x: x, x))(np.zeros(2))


def writing_before_a_branch(x: Any) -> Any:
    y = np.zeros(2, like=x)

    def write() -> Any:
        y[0] = x
        return y * 1.0

    return ag.cond(x > 1.0, write, lambda: y * 2.0)


def writing_before_a_loop(x: Any) -> Any:
    y = np.zeros(2, like=x)

    def step(v: Any) -> Any:
        y[0] = v
        return v + 1.0

    ag.while_loop(lambda v: v < 2.0, step, x)
    return y * 1.0


def keeping(x: Any) -> Any:
    kept = [x]

    def keep(x: Any) -> Any:
        kept.append(x * 2)
        return x

    return ag.cond(x > 1.0, keep, np.sin, x) + kept[-1]


def keeping_a_result(x: Any) -> Any:
    kept = [x]

    def keep(x: Any) -> Any:
        kept.append(x * 2)
        return x

    ag.while_loop(lambda v: v < 2.0, lambda v: keep(v) + 1.0, x)
    return kept[-1]


def keeper(x: Any) -> Any:
    """A generator that hands out what it was sent before."""

    def keep() -> Any:
        before, kept = x, (yield)
        while True:
            before, kept = kept, (yield before)

    made = keep()
    next(made)
    return made


def lending(x: Any) -> Any:
    kept = keeper(x)
    found = ag.cond(x > 1.0, lambda x: kept.send(x * 2), np.sin, x)
    return found + kept.send(0.0)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    ("function", "message"),
    [
        (writing_before_a_branch, "which not all samples may want; write into a copy"),
        (writing_before_a_loop, "which not all samples may want; write into a copy"),
        (keeping, "'kept' has other elements; let it"),
        (keeping_a_result, "'kept' has other elements; let it"),
        (lending, "return it there"),
    ],
)
def test_what_some_samples_have_done_is_not_seen_by_all(
    function: Any, message: str, compiled: bool
) -> None:
    mapped = ag.vmap(function)
    with pytest.raises(ag.AutogradError) as error:
        (ag.compile(mapped) if compiled else mapped)(XS)
    assert message in str(error.value)
    if not compiled:  # where all of them do it, it is done
        assert ag.vmap(function)(np.array([5.0, 6.0])).shape[0] == 2


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda x: ag.cond(x > 1.0, lambda: x, lambda: (x, x)),
            "cond: one branch returns the result, and another one the result[0], the result[1]; "
            "return results of the same nesting",
        ),
        (
            lambda x: ag.cond(x > 1.0, lambda: np.zeros(3), lambda: x),
            "cond: the result is float64[3] in one branch and float64[] in another; convert one "
            "of them (np.broadcast_to(y, shape), y.astype(dtype))",
        ),
        (
            lambda x: ag.cond(x > 1.0, lambda: "large", lambda: "small"),
            "cond: of a branch: the result is str; pass numbers, arrays, or nestings of them, and "
            "let the function capture all else",
        ),
        (
            lambda x: ag.switch(np.floor(x).astype(int) - 1, [np.sin, np.cos], x),
            "switch: index is -1, and there are 2 branches; pass 0 to 1",
        ),
        (
            lambda x: ag.switch(x, [np.sin, np.cos], x),
            "switch: index is float64[]; pass a whole number, x.astype(int)",
        ),
    ],
)
def test_messages(function: Any, message: str) -> None:
    with pytest.raises(ag.AutogradError) as error:
        ag.vmap(function)(XS)
    assert message in str(error.value)
