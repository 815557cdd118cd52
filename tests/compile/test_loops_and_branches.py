"""Compiled loops and branches: the same as the plain ones, and still loops and branches.

Set AUTOGRAD_LITE_NIGHTLY to run 600 random programs instead of 12.
"""

from __future__ import annotations

import itertools
import os
import re
import runpy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.tree import flatten
from autograd_lite.core.tree import map as map_leaves
from tests.compile.loop_checks import X1, XS, A, W, assert_same, loss_of
from tests.compile.loop_programs import random_program

PROGRAMS = 600 if os.environ.get("AUTOGRAD_LITE_NIGHTLY") else 12


def softmax(x: Any) -> Any:
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def inner(c: Any, x: Any) -> Any:
    return ag.scan(lambda d, z: (np.tanh(np.sin(d * z) * c + x), d), c, XS)[0]


def branch(c: Any, x: Any, w: Any) -> Any:
    small = lambda: ag.cond(x[0] > 0, lambda: c * x, lambda: w * c)  # noqa: E731
    return ag.cond(np.sum(x) > 0, small, lambda: c * c * x)


def lagged(c: Any, x: Any, w: Any) -> Any:
    return {"h": c["s"][0] * x, "s": (c["h"] + w, c["s"][1] * 2.0)}, {"y": c["h"], "z": [x]}


SCANS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "numbers": (lambda xs: ag.scan(lambda c, x: (c + x, c * x), 0.0, xs), (X1,)),
    "vectors": (
        lambda xs, w: ag.scan(lambda c, x: (np.tanh(c * w + x), np.sum(c)), w, xs),
        (XS, W),
    ),
    "reversed": (
        lambda xs, w: ag.scan(lambda c, x: (np.tanh(c * w + x), (c, x * c)), w, xs, reverse=True),
        (XS, W),
    ),
    "no rows": (lambda w: ag.scan(lambda c, x: (np.sin(c) * w, c), w, None, length=4), (W,)),
    "one step": (
        lambda xs, w: ag.scan(lambda c, x: (np.tanh(c * w + x), np.sum(c)), w, xs),
        (XS[:1], W),
    ),
    "no steps": (
        lambda xs, w: ag.scan(lambda c, x: (np.tanh(c * w + x), np.sum(c)), w, xs),
        (XS[:0], W),
    ),
    "nestings": (
        lambda xs, w: ag.scan(lambda c, x: lagged(c, x, w), {"h": w, "s": (w * 2, 1.0)}, xs),
        (XS, W),
    ),
    "carries that change places": (
        lambda xs, w: ag.scan(lambda c, x: ((c[1], c[0] * x), c[0]), (w, w * 2), xs),
        (XS, W),
    ),
    "a result for two carries": (
        lambda xs, w: ag.scan(lambda c, x: ((c[0] * x, c[0] * x), c[0]), (w, w * 2), xs),
        (XS, W),
    ),
    "a row as a carry": (
        lambda xs, w: ag.scan(lambda c, x: ((x, c[0] * x), c[1]), (w, w * 2), xs),
        (XS, W),
    ),
    "something captured as a carry": (
        lambda xs, w: ag.scan(lambda c, x: ((w, c[0] * x), c[1]), (w * 3, w * 2), xs),
        (XS, W),
    ),
    "a view as a carry": (
        lambda xs, w: ag.scan(lambda c, x: (c[::-1], c[:2]), w, xs),
        (XS, W),
    ),
    "a constant as a carry": (
        lambda xs, w: ag.scan(lambda c, x: (np.ones(3), c * x), w, xs),
        (XS, W),
    ),
    "a Python number as a carry": (
        lambda a: ag.scan(lambda c, x: (c * a, c), 1.0, None, length=3),
        (0.7,),
    ),
    "a Python number that takes on a dtype": (
        lambda a, xs: ag.scan(lambda c, x: (c * a + x, c), a, xs),
        (0.7, X1),
    ),
    "a counter": (
        lambda xs, w: ag.scan(lambda c, x: ((c[0] + 1, c[1] * x + c[0]), c[0]), (0, w), xs),
        (XS, W),
    ),
    "parts in another order": (
        lambda xs, w: ag.scan(
            lambda c, x: ({"b": c["b"] * x, "a": c["a"] + x}, c["b"]), {"a": w, "b": w}, xs
        ),
        (XS, W),
    ),
    "no carry": (lambda xs, w: ag.scan(lambda c, x: (None, x * w), None, xs), (XS, W)),
    "rows that are constants": (
        lambda w: ag.scan(lambda c, x: (c + x * w, c), w, XS),
        (W,),
    ),
    "products of matrices": (
        lambda a, w: ag.scan(
            lambda c, x: (np.tanh(a @ c + x @ a), (c @ x, np.outer(c, x) @ a)), w, XS
        ),
        (A, W),
    ),
    "a batch": (
        lambda a, xs: ag.scan(
            lambda c, x: (np.tanh(x @ a + c @ a.T), np.mean(c, axis=0)), xs[0], xs
        ),
        (A, XS.reshape(3, 2, 3)),
    ),
    "softmax": (
        lambda xs, w: ag.scan(lambda c, x: (softmax(c) * x, np.log(np.sum(np.exp(c)))), w, xs),
        (XS, W),
    ),
    "masks": (
        lambda xs, w: ag.scan(
            lambda c, x: (np.where(x > 0, np.sqrt(np.abs(x)) * c, c), c[0]), w, xs
        ),
        (XS, W),
    ),
    "several results of one function": (
        lambda a: ag.scan(lambda c, x: (np.linalg.qr(c)[0] @ a, c), a @ a.T, None, length=3),
        (A,),
    ),
    "a gradient inside": (
        lambda xs, w: ag.scan(
            lambda c, x: (c - 0.1 * ag.grad(lambda q: np.sum(np.cos(q * x)))(c), c), w, xs
        ),
        (XS, W),
    ),
    "writes of its own": (
        lambda xs, w: ag.scan(lambda c, x: (written(c, x), c), w, xs),
        (XS, W),
    ),
    "a loop in a loop": (
        lambda xs, w: ag.scan(lambda c, x: (inner(c, x) * w, c), w, xs),
        (XS, W),
    ),
    "branches in a loop": (
        lambda xs, w: ag.scan(lambda c, x: (branch(c, x, w), c), w, xs),
        (XS, W),
    ),
    "a branch": (
        lambda x, w: ag.cond(np.sum(x) > 0, lambda x: np.sin(x) * w, np.cos, x),
        (np.abs(W), W),
    ),
    "the other branch": (
        lambda x, w: ag.cond(np.sum(x) > 0, lambda x: np.sin(x) * w, np.cos, x),
        (-np.abs(W), W),
    ),
    "a branch with a number for an array of no axes": (
        lambda x, w: ag.cond(np.sum(x) > 0, lambda: {"b": 1.0}, lambda: {"b": np.sum(w)}),
        (np.abs(W), W),
    ),
    "loops in branches": (
        lambda xs, w: ag.cond(
            np.sum(xs) > 0,
            lambda: ag.scan(lambda c, x: (c * x + w, c), w, xs),
            lambda: ag.scan(lambda c, x: (c + x * w, c * c), w, xs),
        ),
        (XS, W),
    ),
    "a choice of three": (
        lambda x: ag.switch(np.argmax(x), [np.sin, lambda x: x**3, lambda x: W * x], x),
        (W,),
    ),
    "fori": (lambda xs, w: ag.fori(0, 6, lambda i, v: v * xs[i] + i, w), (XS, W)),
}


def written(c: Any, x: Any) -> Any:
    c = c * 1.0
    c[0] = x[1]
    c[1:] += c[:2]
    return c


@pytest.mark.parametrize("name", SCANS)
def test_values_and_gradients_are_those_of_the_plain_function(name: str) -> None:
    function, args = SCANS[name]
    places = tuple(range(len(args)))
    both = ag.value_and_grad(loss_of(function), places)
    for of, tolerance in ((function, 1e-12), (both, 1e-10)):
        compiled = ag.compile(of)
        for scale in (1.0, 1.0, -0.9):
            scaled = map_leaves(lambda x, scale=scale: x * scale, args)
            assert_same(compiled(*scaled), of(*scaled), tolerance)


@pytest.mark.parametrize("name", SCANS)
def test_second_and_forward_derivatives_are_those_of_the_plain_function(name: str) -> None:
    function, args = SCANS[name]
    places = tuple(range(len(args)))
    gradient = ag.grad(loss_of(function), places)

    def mixed(*args: Any) -> Any:
        return sum(np.sum(np.cos(x) * x) for x in flatten(gradient(*args)))

    second = ag.grad(mixed, places)
    assert_same(ag.compile(second)(*args), second(*args), 1e-9)
    tangents = map_leaves(np.cos, args)
    forward = lambda *args: ag.jvp(loss_of(function), args, tangents)  # noqa: E731
    assert_same(ag.compile(forward)(*args), forward(*args), 1e-10)


def test_rows_of_jacobians_and_hessians_go_through_loops_together() -> None:
    def last(w: Any) -> Any:
        return ag.scan(lambda c, x: (np.tanh(c * w + x), c[0]), w, XS)[0]

    def chosen(w: Any) -> Any:
        step = lambda c, x: (branch(c, x, w), None)  # noqa: E731
        return ag.scan(step, w, XS)[0]

    def of_rows(xs: Any) -> Any:
        return ag.scan(lambda c, x: (np.tanh(c + x * x), c * x), W, xs)[1]

    for derivative, x, loops in (
        (ag.jacobian(last), W, 3),
        (ag.jacobian(chosen), W, 2),
        (ag.jacobian(of_rows), XS, 2),
        (ag.hessian(lambda w: np.sum(last(w))), W, 4),
    ):
        compiled = ag.compile(derivative)
        assert_same(compiled(x), derivative(x), 1e-10)
        assert compiled.source.count("for ") <= loops
    endless = lambda w: ag.while_loop(lambda v: np.sum(v * v) < 50, lambda v: v * 1.5 + w, w)  # noqa: E731
    for of in (ag.jacobian(endless), ag.hessian(lambda w: np.sum(endless(w) ** 3))):
        compiled = ag.compile(of)
        assert_same(compiled(W), of(W), 1e-10)
        assert compiled.source.count("while ") == 1


@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize("steps", [1, 4, 7, 9])
def test_every_root_of_t_th_carry(steps: int, is_reversed: bool) -> None:
    xs = np.resize(XS, (steps, 3))

    def scan(checkpoint: bool) -> Callable[..., Any]:
        return lambda w, xs: ag.scan(
            lambda c, x: (np.tanh(c * w + x), {"c": c}),
            w, xs, reverse=is_reversed, checkpoint=checkpoint,
        )  # fmt: skip

    assert_same(scan(True)(W, xs), scan(False)(W, xs))
    expected = ag.value_and_grad(loss_of(scan(False)), (0, 1))(W, xs)
    both = ag.value_and_grad(loss_of(scan(True)), (0, 1))
    assert_same(both(W, xs), expected)
    assert_same(ag.compile(both)(W, xs), expected)


def test_checkpoints_take_less_memory() -> None:
    def loss(checkpoint: bool) -> Callable[..., Any]:
        def step(c: Any, x: Any) -> Any:
            return np.tanh(np.sin(np.exp(np.cos(c * x)))), None

        return lambda w: np.sum(ag.scan(step, w, np.ones((400, 3)), checkpoint=checkpoint)[0])

    peaks = []
    for checkpoint in (False, True):
        gradient = ag.compile(ag.grad(loss(checkpoint)))
        gradient(np.ones(3))
        peaks.append(gradient.stats.peak)
    assert peaks[1] < peaks[0] / 4


def newton(a: Any) -> Any:
    return ag.while_loop(lambda x: np.abs(x * x - a) > 1e-10, lambda x: (x + a / x) / 2, a)


def grown(x: Any, w: Any) -> Any:
    def grow(v: Any) -> Any:
        return {"x": v["x"] * 1.3 + w * v["y"], "y": np.sin(v["y"])}

    last = ag.while_loop(lambda v: np.sum(v["x"] ** 2) < 50, grow, {"x": x, "y": x * 2})
    return np.sum(last["x"] * w)


def settled(xs: Any, w: Any) -> Any:
    def step(c: Any, x: Any) -> Any:
        small = lambda v: np.sum(v * v) < 100  # noqa: E731
        return ag.while_loop(small, lambda v: np.sin(v) * x + 2 * v + w, c) / 10, c

    return np.sum(ag.scan(step, w, xs)[1])


WHILES: dict[str, tuple[Callable[..., Any], list[tuple[Any, ...]]]] = {
    "a number": (newton, [(3.0,), (50.0,), (1.0,)]),
    "NumPy's number": (newton, [(np.float64(3.0),), (np.float64(50.0),)]),
    "several numbers": (
        lambda a: np.sum(
            ag.while_loop(lambda x: np.max(np.abs(x * x - a)) > 1e-10, lambda x: (x + a / x) / 2, a)
        ),
        [(np.abs(W) + 1,), (np.abs(W) * 50 + 1,)],
    ),
    "a sum of what it reads alone": (
        lambda w: np.sum(ag.while_loop(lambda v: v[0] < 20, lambda v: v + w, np.ones(W.shape))),
        [(np.abs(W) + 1,)],
    ),
    "a nesting": (grown, [(W, W), (W * 0.1, W), (W * 100, W)]),
    "nothing but the number of steps": (
        lambda x: np.sum(ag.while_loop(lambda v: np.sum(v) < 100, lambda v: v * 2, x)),
        [(np.abs(W),), (np.abs(W) * 1000,)],
    ),
    "in a scan": (settled, [(XS, W), (XS * 2, W)]),
    "with a scan inside": (
        lambda w: np.sum(
            ag.while_loop(
                lambda v: np.sum(v * v) < 100,
                lambda v: 2 * v + np.sum(ag.scan(lambda c, x: (np.sin(c * x), c), v, XS)[1]),
                w,
            )
        ),
        [(W,)],
    ),
    "that begins with what lies in a buffer": (
        lambda w: ag.scan(
            lambda c, x: (
                ag.while_loop(lambda v: v < 8, lambda v: v + np.tanh(v) * v / 2 + 1, c * w) / 10,
                None,
            ),
            w,
            None,
            length=3,
        )[0],
        [(np.float64(0.7),), (np.float64(0.2),)],
    ),
    "fori as far as an argument says": (
        lambda w: np.sum(ag.fori(0, np.argmax(w) + 2, lambda i, v: v * w + i, w)),
        [(W,), (W[::-1].copy(),)],
    ),
}


@pytest.mark.parametrize("name", WHILES)
def test_loops_of_unknown_length(name: str) -> None:
    function, calls = WHILES[name]
    gradient = ag.grad(function, tuple(range(len(calls[0]))))
    compiled = ag.compile(function), ag.compile(gradient)
    for args in calls:
        assert_same(compiled[0](*args), function(*args))
        assert_same(compiled[1](*args), gradient(*args), 1e-10)
    # Forward mode is reverse mode twice, so that this sweeps three times.
    for product in (
        lambda *args: ag.hvp(function, args, args),
        lambda *args: ag.jvp(gradient, args, args),
        ag.hessian(function, tuple(range(len(calls[0])))),
    ):
        assert_same(ag.compile(product)(*calls[0]), product(*calls[0]), 1e-8)


def slope_of(function: Callable[..., Any], places: tuple[int, ...]) -> Callable[..., Any]:
    """The gradient, as a number that can be differentiated again."""
    gradient = ag.grad(function, places)
    return lambda *args: sum(np.sum(np.cos(x) * x) for x in flatten(gradient(*args)))


@pytest.mark.parametrize("name", WHILES)
def test_third_derivatives_of_loops_of_unknown_length(name: str) -> None:
    """What several derivatives give to one step is added up, step by step."""
    function, calls = WHILES[name]
    places = tuple(range(len(calls[0])))
    third = ag.grad(slope_of(slope_of(function, places), places), places)
    compiled = ag.compile(third)
    for args in calls:
        assert_same(compiled(*args), third(*args), 1e-7)


def test_a_loop_of_unknown_length_in_a_branch_has_a_third_derivative() -> None:
    def chosen(x: Any) -> Any:
        grown = lambda: ag.while_loop(lambda v: np.sum(v * v) < 20, lambda v: v * 1.5 + x, x)  # noqa: E731
        return np.sum(ag.cond(x[0] > 0, grown, lambda: np.sin(x)) ** 2)

    third = ag.grad(slope_of(slope_of(chosen, (0,)), (0,)))
    compiled = ag.compile(third)
    for x in (np.abs(W), -np.abs(W), np.abs(W) * 9):
        assert_same(compiled(x), third(x), 1e-7)
    fifth = newton
    for _ in range(5):
        fifth = ag.grad(fifth)
    assert_same(ag.compile(fifth)(3.0), fifth(3.0), 1e-7)


def test_sums_of_steps_are_saved_as_well(tmp_path: Any) -> None:
    def third(a: Any) -> Any:
        return ag.grad(slope_of(slope_of(newton, (0,)), (0,)))(a)

    compiled = ag.compile(third)
    expected = compiled(np.float64(3.0))
    assert re.search(r"= add_steps(_\d+)?\(", compiled.source)
    saved = runpy.run_path(str(compiled.save(tmp_path / "third.py")))["third"]
    assert_same(saved(np.float64(3.0)), expected)


@pytest.mark.parametrize("seed", range(PROGRAMS))
def test_random_programs(seed: int) -> None:
    function, point = random_program(seed)
    both = ag.value_and_grad(function, (0, 1, 2))
    compiled = ag.compile(both)
    for scale in (1.0, 1.0, -0.7):
        scaled = [x * scale for x in point]
        assert_same(compiled(*scaled), both(*scaled), 1e-9)
    second = lambda *args: ag.jvp(ag.grad(function, (0, 1, 2)), args, args)  # noqa: E731
    assert_same(ag.compile(second)(*point), second(*point), 1e-7)
    matrix = ag.hessian(function, seed % 3)
    assert_same(ag.compile(matrix)(*point), matrix(*point), 1e-7)


WITHOUT_INFLUENCE: dict[str, tuple[Callable[[Any], Any], np.ndarray, np.ndarray]] = {
    "carries are replaced": (
        lambda xs: ag.scan(lambda c, x: (np.sqrt(x), c), 1.0, xs)[0],
        np.array([0.0, 1.0, 4.0]),
        np.array([0.0, 0.0, 0.25]),
    ),
    "of a product": (
        lambda xs: ag.scan(lambda c, x: (x * x, c), 1.0, xs)[0],
        np.array([np.nan, np.inf, 4.0]),
        np.array([0.0, 0.0, 8.0]),
    ),
    "two by turns": (
        lambda xs: ag.scan(lambda c, x: ((c[1], np.sqrt(x)), None), (1.0, 1.0), xs)[0][0],
        np.array([0.0, 4.0, 0.0]),
        np.array([0.0, 0.25, 0.0]),
    ),
    "in pieces": (
        lambda xs: ag.scan(lambda c, x: (np.sqrt(x), c), 1.0, xs, checkpoint=True)[0],
        np.array([0.0, 0.0, 0.0, 0.0, 4.0]),
        np.array([0.0, 0.0, 0.0, 0.0, 0.25]),
    ),
    "the last carry": (
        lambda xs: np.sum(ag.scan(lambda c, x: (np.sqrt(x), c), 1.0, xs)[1]),
        np.array([1.0, 4.0, 0.0]),
        np.array([0.5, 0.25, 0.0]),
    ),
}


@pytest.mark.parametrize("name", WITHOUT_INFLUENCE)
def test_what_has_no_influence_has_no_gradient(name: str) -> None:
    """Zero, as where Python's loop does not come by, whatever the slope there is."""
    function, xs, slope = WITHOUT_INFLUENCE[name]
    compiled = ag.compile(ag.grad(function), check=False)
    compiled(np.arange(1.0, 1.0 + len(xs)))
    for gradient in (ag.grad(function), compiled):
        np.testing.assert_array_equal(gradient(xs), slope)


# What a program could not repeat.


def counting(xs: Any) -> Any:
    count = [0]

    def step(c: Any, x: Any) -> Any:
        count[0] += 1
        return c + x * count[0], c

    return ag.scan(step, 0.0, xs)


def keeping(xs: Any) -> Any:
    kept = []

    def step(c: Any, x: Any) -> Any:
        kept.append(c * x)
        return c + x, c

    ag.scan(step, 0.0, xs)
    return kept[-1]


def iterating(xs: Any) -> Any:
    factors = itertools.count(1.0)
    return ag.scan(lambda c, x: (c + x * next(factors), c), 0.0, xs)


def looking_out(xs: Any) -> Any:
    def keep() -> Any:
        before, kept = 0.0, (yield)
        while True:
            before, kept = kept, (yield before)

    keeper = keep()
    next(keeper)
    ag.scan(lambda c, x: (keeper.send(c * x), (c + x, c))[1], 0.0, xs)
    return keeper.send(0.0)


def writing_outside(xs: Any) -> Any:
    y = xs * 2

    def step(c: Any, x: Any) -> Any:
        y[0] += 1.0
        return c + x, c

    return ag.scan(step, 0.0, xs)


def writing_a_carry(xs: Any) -> Any:
    def step(c: Any, x: Any) -> Any:
        c[0] = x
        return c, c

    return ag.scan(step, xs, xs)


def branching(xs: Any) -> Any:
    def step(c: Any, x: Any) -> Any:
        try:
            return (c + x, c) if x > 0 else (c, c)
        except TypeError:
            return c, c

    return ag.scan(step, 0.0, xs)


COULD_NOT_BE_REPEATED = {
    counting: "a function of scan changes what is outside of it, .*: 'count' has other elements",
    iterating: "scan: its function does not do the same at every step: .*; let what changes from "
    "step to step be a part of the carry, or of xs",
    keeping: "a function of scan changes what is outside of it, .*: 'kept' has other elements",
    looking_out: "a Value of the inside of scan was used outside of its function, which had kept "
    "it; return it there, as a carry or a result",
    writing_outside: r"x\[i\] = v writes in a loop or branch into a Value from outside of it",
    writing_a_carry: "write into a copy",
    branching: "a Python branch .* write np.where",
    lambda xs: ag.cond(xs[0] > 0, lambda: xs, lambda: 1.0): (
        r"cond: the result is float64\[6\] in one branch and float in another; convert one of them"
    ),
    lambda xs: ag.cond(xs[0] > 0, lambda: (xs,), lambda: xs): (
        "cond: one branch returns .*; return results of the same nesting"
    ),
    lambda xs: ag.cond(xs[0] > 0, lambda: xs, lambda: xs * 1j): "convert one of them",
    lambda xs: ag.scan(lambda c, x: (np.append(c, c), x), xs, xs): "begin with a carry of that",
    lambda xs: ag.switch(np.argmax(xs) + 9, [np.sin, np.cos], xs): "there are 2 branches",
}


@pytest.mark.parametrize("function", COULD_NOT_BE_REPEATED)
def test_what_a_program_could_not_repeat_is_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(ag.AutogradError, match=COULD_NOT_BE_REPEATED[function]):
        ag.compile(function)(X1)
