"""The source of loops and branches: how long it is, what it holds, and what it keeps to."""

from __future__ import annotations

import runpy
import warnings
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from tests.compile.loop_checks import XS, A, W, assert_same


def recurrent(params: Any, xs: Any) -> Any:
    w, u, b = params

    def step(h: Any, x: Any) -> Any:
        h = np.tanh(x @ w + h @ u + b)
        return h, h

    return np.sum(ag.scan(step, np.zeros(3), xs)[1] ** 2)


def test_a_loop_is_as_long_whatever_its_length() -> None:
    lengths = []
    for steps in (10, 1000):
        compiled = ag.compile(ag.value_and_grad(recurrent))
        compiled((A, A, W), np.ones((steps, 3)))
        lengths.append(len(compiled.source.split("\n")))
        assert compiled.source.count("for ") == 2
    assert lengths[0] == lengths[1] < 70


def test_what_needs_no_carry_is_done_for_all_steps_at_once() -> None:
    compiled = ag.compile(ag.value_and_grad(recurrent))
    args = (A, A, W), np.ones((50, 3))
    assert_same(compiled(*args), ag.value_and_grad(recurrent)(*args), 1e-10)
    lines = [line for line in compiled.source.split("\n") if "  # float64" in line]
    inside = [line for line in lines if line.startswith(" " * 12)]
    # The step: a product, two sums, tanh. Back: a sum, two products, and two views.
    assert len(inside) <= 9
    assert not any("float64[3, 3]" in line for line in inside)


def test_a_branch_runs_one_of_two() -> None:
    compiled = ag.compile(lambda x: ag.cond(x[0] > 0, np.sqrt, np.log, x))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(compiled(np.array([4.0, 0.0])), [2.0, 0.0])
    assert "if " in compiled.source and "else:" in compiled.source


def test_programs_with_loops_can_be_saved_and_drawn(tmp_path: Any) -> None:
    def program(xs: Any, w: Any) -> Any:
        def step(c: Any, x: Any) -> Any:
            c = ag.switch(np.argmax(x), [np.sin, np.cos, lambda c: c * w], c)
            return ag.while_loop(lambda c: np.sum(c * c) > 1, lambda c: c / 2, c), c

        return ag.scan(step, w, xs)

    compiled = ag.compile(program)
    expected = compiled(XS, W)
    saved = runpy.run_path(str(compiled.save(tmp_path / "program.py")))["program"]
    assert_same(saved(XS, W), expected)
    assert "scan" in ag.draw(compiled).source
    assert "scan(" in repr(compiled.program) and "while_loop(" in repr(compiled.program)


def test_random_draws_are_those_of_each_step() -> None:
    def loss(w: Any, rng: Any) -> Any:
        def step(h: Any, x: Any) -> Any:
            keep = ag.random.random(rng, 3) > 0.5
            return np.tanh(h * w + x) * keep, h

        h, hs = ag.scan(step, w, XS)
        return np.sum(hs**2) + np.sum(h)

    mine, yours = np.random.default_rng(3), np.random.default_rng(3)
    compiled = ag.compile(ag.grad(loss))
    for _ in range(3):
        assert_same(compiled(W, mine), ag.grad(loss)(W, yours))


def test_draws_inside_do_not_get_out() -> None:
    def keeping_a_draw(w: Any, rng: Any) -> Any:
        def keep() -> Any:
            before, kept = w, (yield)
            while True:
                before, kept = kept, (yield before)

        keeper = keep()
        next(keeper)

        def step(h: Any, x: Any) -> Any:
            drawn = ag.random.random(rng, 3)
            keeper.send(drawn)
            return h * drawn, h

        ag.scan(step, w, XS)
        return keeper.send(w)

    def drawing_again(w: Any, rng: Any) -> Any:
        step = lambda h, x: (np.tanh(h * ag.random.random(rng, 3)), h)  # noqa: E731
        return np.sum(ag.scan(step, w, XS, checkpoint=True)[0])

    message = "drawn in a loop or branch .* draw them before, and pass them in"
    for function in (keeping_a_draw, ag.grad(drawing_again)):
        function(W, np.random.default_rng(0))
        with pytest.raises(ag.CompileError, match=message):
            ag.compile(function)(W, np.random.default_rng(0))


def test_large_arrays_in_loops_run_in_blocks() -> None:
    xs = np.random.default_rng(0).normal(size=(3, 200_000))

    def loss(w: Any, xs: Any) -> Any:
        step = lambda c, x: (np.tanh(np.sin(c * w) * np.cos(c) + x), np.sum(c))  # noqa: E731
        return np.sum(ag.scan(step, w, xs)[0] ** 2)

    compiled = ag.compile(ag.value_and_grad(loss))
    assert_same(compiled(xs[0], xs), ag.value_and_grad(loss)(xs[0], xs), 1e-9)
    assert "run_blocks" in compiled.source


def test_single_precision_complex_numbers_and_captured_values() -> None:
    f32 = lambda xs, w: ag.scan(lambda c, x: (np.tanh(c * w + x), np.sum(c)), w, xs)  # noqa: E731
    args = XS.astype(np.float32), W.astype(np.float32)
    assert_same(ag.compile(f32)(*args), f32(*args), 1e-6)
    z = W + 1j * W[::-1]
    size = lambda z: np.sum(np.abs(ag.scan(lambda c, x: (c * z + x, c), z, XS)[1]) ** 2)  # noqa: E731
    assert_same(ag.compile(ag.grad(size))(z), ag.grad(size)(z))
    value = ag.Value(W)
    held = ag.compile(lambda xs: ag.scan(lambda c, x: (c * value + x, c), W, xs)[0])
    assert_same(held(XS), ag.scan(lambda c, x: (c * W + x, c), W, XS)[0])


def test_what_floating_point_errors_do_is_as_written() -> None:
    def program(xs: Any, w: Any) -> Any:
        def step(c: Any, x: Any) -> Any:
            with np.errstate(divide="ignore"):
                y = np.log(np.abs(c) * 0)
            return c * w + x, y

        return ag.scan(step, w, xs)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_same(ag.compile(program)(XS, W), program(XS, W))


def test_check_finite_names_the_operation_in_the_loop() -> None:
    program = ag.compile(
        lambda xs, w: ag.scan(lambda c, x: (np.log(c * w + x), c), w, xs), check_finite=True
    )
    with np.errstate(all="ignore"), pytest.raises(ag.NonFiniteError, match="log"):
        program(XS, W)


def test_checkpoints_in_and_around_loops() -> None:
    step = ag.checkpoint(lambda c, x: (np.tanh(np.sin(c * x) + x), c))
    inside = lambda w, xs: np.sum(ag.scan(step, w, xs)[1] ** 2)  # noqa: E731
    for loss in (inside, ag.checkpoint(inside)):
        gradient = ag.grad(loss, (0, 1))
        assert_same(ag.compile(gradient)(W, XS), gradient(W, XS))


def test_a_choice_between_two_numbers_of_pythons() -> None:
    """A dtype that is None is equal to float64, says NumPy."""
    choose = ag.compile(lambda x: np.where(x > 0, 5.0, 0.0) + x)
    np.testing.assert_array_equal(choose(np.array([1.0, -1.0])), [6.0, -1.0])


def test_what_fails_in_a_branch_that_is_not_taken() -> None:
    def solve(a: Any) -> Any:
        return ag.cond(np.linalg.det(a) != 0, np.linalg.inv, np.zeros_like, a)

    compiled = ag.compile(solve)
    singular = np.zeros((2, 2))
    message = "make the first two calls with data that all of them can work on"
    with pytest.raises(ag.CompileError, match=message):
        compiled(singular)
    for a in (A, A, np.zeros((3, 3)), A):
        assert_same(compiled(a), solve(a))
    shrink = ag.compile(
        lambda a: ag.while_loop(lambda v: np.sum(v) > 1, lambda v: v @ np.linalg.inv(a), a)
    )
    with pytest.raises(ag.CompileError, match=message):
        shrink(singular)
    for a in (np.eye(2) * 0.1, np.eye(2) * 0.1, singular):
        assert_same(shrink(a), a)
