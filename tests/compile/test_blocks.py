"""Large arrays go through a program in blocks, on several threads, and nothing else changes."""

from __future__ import annotations

import contextvars
import os
import threading
import time
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.compiler.runtime import blocks
from autograd_lite.compiler.runtime.blocks import run_blocks
from autograd_lite.core.tree import flatten
from tests.compile.elementwise_programs import STEPS, objective, programs, run
from tests.compile.test_equivalence import assert_same, gradient_of, plain
from tests.ops.cases import CASES, elementwise, reductions, trigonometric
from tests.ops.cases.case import Case
from tests.ops.reading import is_refused_rightly

FAMILIES = [*elementwise.ROWS, *trigonometric.ROWS, *reductions.ROWS]
ROWS = [case for case in CASES if case in FAMILIES]

every_case = pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)


def assert_same_in_blocks(function: Any, inputs: list[Any]) -> None:
    """The results in the smallest blocks, on one thread and on three, and those of NumPy."""
    expected = [np.asarray(x) for x in plain(function(*map(ag.Value, inputs)))]
    by_threads = []
    for threads in (1, 3):
        compiled = ag.compile(function, block=1, threads=threads, check=False)
        by_threads.append([np.asarray(x) for x in compiled(*inputs)])
    assert_same(by_threads[0], expected)
    for one, three in zip(*by_threads, strict=True):
        np.testing.assert_array_equal(one, three, strict=True)


@every_case
def test_every_case_in_blocks_of_one_element(case: Case) -> None:
    def values(*inputs: Any) -> Any:
        return flatten(case.call(*inputs))

    try:
        assert_same_in_blocks(values, case.draw(0))
    except ag.CompileError as error:
        assert is_refused_rightly(case, error), error
        return
    if case.derivatives:
        gradient, _ = gradient_of(case)
        assert_same_in_blocks(lambda *inputs: list(gradient(*inputs)), case.draw(0))


ONE_ROW = ([(STEPS[0], 0, 0), (STEPS[15], 0, 0)], [np.linspace(0.0, 1.0, 4)[None, :]])


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
@given(drawn=programs(), block=st.integers(1, 9), threads=st.integers(1, 3))
@example(drawn=ONE_ROW, block=1, threads=1)
def test_random_programs_do_not_depend_on_blocks_nor_threads(drawn, block, threads):
    steps, inputs = drawn
    tolerance = 1e-12 if inputs[0].dtype == np.float64 else 2e-4

    def values(*inputs):
        return run(steps, inputs)

    gradient = ag.grad(objective(steps), tuple(range(len(inputs))))
    for function in (values, lambda *inputs: list(gradient(*inputs))):
        whole = ag.compile(function, block=0, check=False)(*inputs)
        one = ag.compile(function, block=block, threads=1, check=False)(*inputs)
        many = ag.compile(function, block=block, threads=threads, check=False)(*inputs)
        for x, y, z in zip(whole, one, many, strict=True):
            np.testing.assert_array_equal(y, z, strict=True)
            size = max(1.0, float(np.max(np.abs(x), initial=0)))
            np.testing.assert_allclose(y, x, rtol=tolerance, atol=tolerance * size)
            assert np.asarray(y).dtype == np.asarray(x).dtype


def chain(x):
    for _ in range(20):
        x = np.tanh(np.sin(x) * 1.1 + 0.3)
    return x


LARGE = np.linspace(-2.0, 2.0, 100_000)


def test_large_arrays_run_in_blocks_without_being_asked():
    compiled = ag.compile(ag.value_and_grad(lambda x: np.sum(chain(x))))
    value, gradient = compiled(LARGE)
    assert "run_blocks(segment1, 100000, 12500, x, sum_parts, " in compiled.source
    expected = ag.value_and_grad(lambda x: np.sum(chain(x)))(LARGE)
    assert value == pytest.approx(expected[0], rel=1e-13)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-12, atol=1e-300)
    compiled(LARGE.astype(np.float32))  # half as many blocks, of twice as many numbers
    assert "run_blocks(segment1, 100000, 25000, x, sum_parts, " in compiled.source
    compiled(LARGE[:30_000])
    assert "run_blocks" not in compiled.source
    never = ag.compile(chain, block=0)
    never(LARGE)
    assert "run_blocks" not in never.source


def test_what_only_a_segment_uses_takes_memory_for_its_blocks_only():
    gradient = ag.grad(lambda x: np.sum(chain(x)))
    whole, blocks = (ag.compile(gradient, block=b, threads=2) for b in (0, 1000))
    np.testing.assert_allclose(whole(LARGE), blocks(LARGE), rtol=1e-12)
    assert whole.stats.bytes > 20 * LARGE.nbytes
    assert blocks.stats.bytes == 0
    kept = whole.stats.buffers
    assert blocks.stats.peak == LARGE.nbytes + 2 * kept * 8 * 1000


def test_the_results_of_a_segment_are_the_callers_own():
    compiled = ag.compile(lambda x: (chain(x), x * 2, np.sum(x * 2, axis=0)), block=16)
    x = np.ones((50, 3))
    first, second = compiled(x), compiled(x)
    arrays = [x, *first, *second]
    for i, a in enumerate(arrays):
        assert not any(np.may_share_memory(a, b) for b in arrays[i + 1 :])


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_donated_argument_is_written_over_in_blocks(order):
    def step(w, g):
        return w - 0.1 * (g + 0.01 * w)

    compiled = ag.compile(step, donate=0, block=7, threads=2)
    rng = np.random.default_rng(0)
    w, g = np.array(rng.normal(size=(12, 5)), order=order), rng.normal(size=(12, 5))
    expected = step(w, g)
    assert compiled(w, g) is w
    np.testing.assert_array_equal(w, expected)


def test_a_buffer_seen_through_a_transpose_is_not_written_over_between_blocks():
    def f(x):
        y = np.cumsum(x, axis=0)
        z = y.T + 1
        return np.cumsum(z * y, axis=1)

    x = np.random.default_rng(0).normal(size=(6, 6))
    np.testing.assert_array_equal(ag.compile(f, block=6, threads=1)(x), f(x))


def repeated(function, times):
    def f(x):
        for _ in range(times):
            x = function(x)
        return x

    return f


@pytest.mark.parametrize(
    ("function", "size", "shared_out"),
    [
        (repeated(lambda x: x * 1.1 + 0.1, 10), 100_000, False),
        (repeated(lambda x: np.tanh(x) + 0.1, 10), 100_000, True),
        (repeated(np.tanh, 2), 40_000, False),
        (repeated(lambda x: x * 1.1 + 0.1, 2), 5_000_000, True),
    ],
    ids=["short calls", "long calls", "little to do", "beyond the cache"],
)
def test_threads_take_blocks_where_calls_are_long(function, size, shared_out):
    """They take turns at calling: the second one gains nothing where calls are short."""
    compiled = ag.compile(function, check=False)
    x = np.linspace(0, 1, size)
    np.testing.assert_array_equal(compiled(x), function(x))
    calls = [line for line in compiled.source.splitlines() if "run_blocks(" in line]
    assert any("threads=" not in line for line in calls) == shared_out


def test_errstate_rules_in_every_thread():
    compiled = ag.compile(lambda x: np.log(x) * 2, block=10, threads=4, check=False)
    x = np.ones(1000)
    x[990] = 0.0
    with np.errstate(all="ignore"):
        assert compiled(x)[990] == -np.inf
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError, match="divide by zero"):
        compiled(x)
    with warnings.catch_warnings(), pytest.raises(RuntimeWarning, match="divide by zero"):
        warnings.simplefilter("error")
        compiled(x)
    seen = []
    with np.errstate(divide="call", call=lambda kind, flag: seen.append(kind)):
        compiled(x)
    assert seen == ["divide by zero"]


def test_check_finite_names_the_operation_in_a_block():
    compiled = ag.compile(lambda x: np.log(x) * 2, block=10, threads=2, check_finite=True)
    x = np.ones(1000)
    x[990] = 0.0
    with np.errstate(all="ignore"), pytest.raises(ag.NonFiniteError, match="result of <log at "):
        compiled(x)
    np.testing.assert_array_equal(compiled(np.ones(1000)), np.zeros(1000))


@pytest.mark.parametrize("already_there", [0, 1])
def test_where_no_thread_is_to_be_had_the_caller_does_the_work(already_there, monkeypatch):
    monkeypatch.setattr(blocks, "pools", [])
    monkeypatch.setattr(blocks, "available_threads", lambda: 4)
    start, to_start = threading.Thread.start, [None] * already_there

    def refuse(thread):
        if not to_start:
            raise RuntimeError("can't start new thread")
        to_start.pop()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    busy, done = [], []

    def make_block(size):
        def block(first, last):
            busy.append(first)
            time.sleep(0.001)
            done.append((first, last))

        return block

    for repeat in range(1, 4):
        run_blocks(make_block, 100, 10, threads=4)
        assert len(busy) == len(done) == 10 * repeat  # nobody is at work any more
    assert sorted(done[:10]) == [(k, k + 10) for k in range(0, 100, 10)]


def test_several_threads_may_call_one_program_that_uses_threads_itself():
    compiled = ag.compile(ag.value_and_grad(lambda x: np.sum(chain(x))), block=100, threads=2)
    inputs = [np.random.default_rng(i).normal(size=3000) for i in range(6)]
    compiled(inputs[0])
    expected = [compiled(x) for x in inputs]
    failures = []

    def work(i):
        for _ in range(10):
            value, gradient = compiled(inputs[i])
            if value != expected[i][0] or not np.array_equal(gradient, expected[i][1]):
                failures.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_every_block_runs_once_and_the_last_one_may_be_shorter():
    ran = []

    def make_block(length):
        def block(start, stop):
            assert stop - start == length
            ran.append((start, stop))

        return block

    run_blocks(make_block, 25, 10, threads=3)
    assert sorted(ran) == [(0, 10), (10, 20), (20, 25)]


def test_after_an_error_no_block_runs_any_more():
    variable = contextvars.ContextVar("variable", default=0)
    variable.set(7)
    running, ran = [], []

    def make_block(length):
        def block(start, stop):
            running.append(start)
            assert variable.get() == 7
            ran.append(start)
            if start >= 3:
                raise ValueError(f"block {start}")
            running.remove(start)

        return block

    with pytest.raises(ValueError, match="block "):
        run_blocks(make_block, 1000, 1, threads=3)
    count = len(ran)
    assert count < 10
    run_blocks(lambda length: lambda start, stop: None, 10, 1, threads=3)
    assert len(ran) == count


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_forked_process_makes_threads_of_its_own():
    compiled = ag.compile(chain, block=100, threads=2)
    expected = compiled(LARGE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fork() among threads, by Python and by JAX
        child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(compiled(LARGE), expected) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threads": 0}, "compile: threads=0; pass 1 or more, or omit it"),
        ({"block": -1}, "compile: block=-1; pass 1 or more, or 0 for no blocks"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ag.ArgumentValueError) as error:
        ag.compile(chain, **options)
    assert str(error.value) == message
