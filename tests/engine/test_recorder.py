"""Who records is a value in one context variable: threads, traces and errors keep apart."""

from __future__ import annotations

import contextvars
import threading

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.node import Handle, Node
from autograd_lite.core.recorder import EAGER, current


def in_a_thread(function, context=None):
    """What a function returns, or raises, in a thread of its own."""
    outcome = []

    def run():
        try:
            outcome.append(function() if context is None else context.run(function))
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return outcome[0]


def test_a_thread_without_the_trace_is_refused_and_never_silently_outside_of_it():
    @ag.compile
    def doubled(x):
        result = in_a_thread(lambda: x * 2.0)
        if isinstance(result, Exception):
            raise result
        return result

    with pytest.raises(ag.CompileError, match=r"used outside of its trace, in another thread"):
        doubled(np.ones(3))
    assert current.get() is EAGER


def test_a_thread_with_the_context_of_the_trace_is_traced():
    @ag.compile
    def doubled(x):
        return in_a_thread(lambda: x * 2.0, contextvars.copy_context())

    assert doubled(np.ones(3)).tolist() == [2.0, 2.0, 2.0]
    assert doubled(np.full(3, 4.0)).tolist() == [8.0, 8.0, 8.0]


def test_a_traced_value_that_has_escaped_is_refused():
    kept = contextvars.ContextVar("kept")

    def sine(x):
        kept.set(x)
        return np.sin(x)

    with pytest.raises(ag.CompileError, match="'kept' is another object"):
        ag.compile(sine, check=False)(np.ones(2))
    with pytest.raises(ag.CompileError, match=r"after the function had returned"):
        kept.get() + 1.0
    with pytest.raises(ag.CompileError, match=r"after the function had returned"):
        np.sin(kept.get())


def test_eager_threads_do_not_notice_a_trace():
    @ag.compile
    def sine(x):
        assert in_a_thread(lambda: ag.grad(np.sin)(0.0)) == 1.0
        return np.sin(x)

    assert sine(np.zeros(2)).tolist() == [0.0, 0.0]


def trace_of(x):
    return np.sin(x) * 2.0


def test_a_function_with_a_name_of_the_engines_keeps_its_lines():
    def record_trace(x):
        return trace_of(x)

    compiled = ag.compile(record_trace)
    compiled(np.ones(3))
    line = trace_of.__code__.co_firstlineno + 1
    assert f"test_recorder.py:{line}" in compiled.source


@pytest.mark.parametrize("size", [3, 1 << 18])
def test_a_function_that_raises_while_it_is_compiled_is_called_once(size):
    """A large result is kept by its type alone; the user's own error is none of that."""
    calls = []

    @ag.compile
    def failing(x):
        calls.append(1)
        y = np.sin(x)
        raise KeyError(f"after {y.shape}")

    with pytest.raises(KeyError):
        failing(np.ones(size))
    assert len(calls) == 1


@pytest.mark.parametrize("kind", [AttributeError, TypeError, ValueError])
def test_an_error_that_may_be_of_values_is_looked_for_once_on_arrays(kind):
    """Raised there too, it is the function's own, and is what the caller sees."""
    calls = []

    @ag.compile
    def failing(x):
        calls.append(type(x))
        raise kind("of the user's own")

    with pytest.raises(kind, match=r"^of the user's own$"):
        failing(np.ones(3))
    assert [issubclass(of, ag.Value) for of in calls] == [True, False]


def test_numpys_refusal_of_a_stand_in_is_tried_again_with_the_data():
    """The first rows of a large matrix repeated are singular; the matrix is not."""
    matrix = np.eye(512) + np.random.default_rng(0).normal(size=(512, 512)) / 100

    @ag.compile
    def solved(a):
        return np.linalg.solve(a * 1.0, np.ones(512))

    np.testing.assert_allclose(solved(matrix), np.linalg.solve(matrix, np.ones(512)))


def test_an_alias_is_the_same_handle_and_consumers_hold_nodes():
    x = ag.Value(2.0)
    alias = x
    y = x * alias
    assert isinstance(x, Handle) and isinstance(y.node, Node)
    assert y.node.inputs == (x.node, x.node)


def test_a_handle_that_looks_elsewhere_changes_no_graph():
    """What in-place writes will do: the handle moves on, the graph keeps what it was made of."""
    x = ag.Value(3.0)
    y = x * x
    x.node = ag.Value(100.0).node
    y.backward()
    assert y.node.left.grad == 6.0 and x.grad is None


def test_a_rule_that_captures_a_value_gives_plain_numbers():
    w = ag.Value(1.5)
    weighted = ag.Primitive(lambda x: x * x, lambda g, out, x: g * 2 * x * w, name="weighted")
    gradient = ag.grad(lambda x: np.sum(weighted(x)))(np.ones(2))
    assert type(gradient) is np.ndarray and gradient.tolist() == [3.0, 3.0]


def test_what_was_recorded_before_a_trace_is_differentiated_by_the_line_that_asks():
    w = ag.Value([1.0, -2.0])
    with np.errstate(divide="ignore"):
        before = np.log(w + 2.0)

    @ag.compile(check_finite=True)
    def gradient(x):
        with np.errstate(divide="ignore"):
            return ag.gradients(np.sum(x * before), [w])

    with pytest.raises(ag.NonFiniteError, match=r"test_recorder\.py:\d+"):
        gradient(np.ones(2))


def test_gradients_with_respect_to_what_is_no_value_are_none():
    x = ag.Value(3.0)
    assert ag.gradients(x * x, [2.0, x, None]) == [None, 6.0, None]
