"""What a program could not repeat is an error with the line that does it, never a wrong number."""

from __future__ import annotations

import gc
import random
import threading
from queue import SimpleQueue

import numpy as np
import pytest

import autograd_lite as ag

X = np.array([1.0, 2.0, 3.0])


def swallowing(x):
    try:
        return x * float(x[0])
    except Exception:
        return x


def swallowing_behind_numpy(x):
    try:
        np.nditer(x)
    except Exception:
        return x
    return 2 * x


@pytest.mark.parametrize("function", [swallowing, swallowing_behind_numpy, np.nditer])
def test_a_refusal_stands_whatever_is_made_of_the_exception(function):
    with pytest.raises(ag.CompileError, match="a traced Value"):
        ag.compile(lambda x: function(x))(X)


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (lambda x: x if x[0] > 0 else -x, "a Python branch (if, while, and, or, not, assert)"),
        (lambda x: x * float(x[0]), "float() of a traced Value"),
        (lambda x: x * int(x[0]), "int() of a traced Value"),
        (lambda x: x * complex(x[0]), "complex() of a traced Value"),
        (lambda x: x * x[0].item(), ".item() of a traced Value"),
        (lambda x: x * x.tolist()[0], ".tolist() of a traced Value"),
        (lambda x: x * x.data[0], ".data of a traced Value was read"),
        (lambda x: np.asarray(x) * 2, "a traced Value was turned into a plain array"),
        (lambda x: f"{x[0]:.2f}", "a traced Value was formatted as text"),
        (lambda x: np.sum(x).backward(), "backward() of a traced Value"),
        (lambda x: [1, 2, 3][x[0]], "a traced Value as a Python index or length"),
    ],
)
def test_reading_a_traced_value_is_refused_with_the_line(function, what):
    with pytest.raises(ag.CompileError) as error:
        ag.compile(function)(X)
    assert what in str(error.value)
    assert f"{__file__}:{function.__code__.co_firstlineno}" in str(error.value)


def test_the_text_of_the_error_says_what_to_write_instead():
    def branch(x):
        if x[0] > 0:
            return x
        return -x

    line = branch.__code__.co_firstlineno + 1
    with pytest.raises(ag.CompileError) as error:
        ag.compile(branch)(X)
    assert str(error.value) == (
        "a Python branch (if, while, and, or, not, assert) on a traced Value at "
        f"{__file__}:{line}: its number is known only when the compiled function runs, not "
        "while it is traced; write np.where(condition, x, y), ag.cond or ag.while_loop, or make "
        "the condition depend on static arguments (shapes, ints, strings) only"
    )


GENERATOR = np.random.default_rng(0)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + np.random.random(3),
        lambda x: x + random.random(),
        lambda x: x + GENERATOR.random(3),
    ],
)
def test_random_draws_are_refused(function):
    with pytest.raises(ag.CompileError, match="drew random numbers while it was traced"):
        ag.compile(function)(X)


@pytest.mark.parametrize("kind", ["MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"])
def test_a_generator_passed_as_an_argument_must_not_be_drawn_from(kind):
    rng, same = (np.random.Generator(getattr(np.random, kind)(1)) for _ in range(2))
    with pytest.raises(ag.CompileError, match="drew random numbers"):
        ag.compile(lambda x, rng: x + rng.random(3))(X, rng)
    np.testing.assert_array_equal(rng.random(3), same.random(3))


def test_numpys_own_generator_may_be_of_any_kind():
    kept = np.random.get_bit_generator()
    try:
        np.random.set_bit_generator(np.random.PCG64(1))
        np.testing.assert_array_equal(ag.compile(lambda x: 2 * x)(X), 2 * X)
        with pytest.raises(ag.CompileError, match="drew random numbers"):
            ag.compile(lambda x: x + np.random.random(3))(X)
    finally:
        np.random.set_bit_generator(kept)


def test_what_differs_when_it_is_called_again_is_an_error():
    compiled = ag.compile(lambda x: x + np.random.default_rng().random(3))
    with pytest.raises(ag.CompileError, match="does not do the same at every call"):
        compiled(X)
    unchecked = ag.compile(lambda x: x + np.random.default_rng().random(3), check=False)
    np.testing.assert_array_equal(unchecked(X), unchecked(X))


def test_the_second_call_names_the_first_operation_that_differs():
    calls = []

    def counting(x):
        calls.append(1)
        return np.sin(x) * len(calls)

    compiled = ag.compile(counting)
    with pytest.raises(ag.CompileError) as error:
        compiled(X)
    assert "'calls' has other elements" in str(error.value)


def test_the_error_of_the_second_call_shows_what_differs_and_where():
    def noisy(x):
        return np.sin(x) + np.random.default_rng().random(3)

    line = noisy.__code__.co_firstlineno + 1
    compiled = ag.compile(noisy)
    with pytest.raises(ag.CompileError) as error:
        compiled(X)
    assert f"operand 1 of <add at {__file__}:{line}> was the constant [" in str(error.value)


class Model:
    """A function with state."""

    def __init__(self):
        self.scale = 2.0

    def forward(self, x):
        return self.scale * x


def test_an_attribute_of_self_that_is_rebound_is_an_error():
    model = Model()
    compiled = ag.compile(model.forward)
    np.testing.assert_array_equal(compiled(X), 2 * X)
    model.scale = 3.0
    with pytest.raises(ag.CompileError, match=r"'self\.scale' is another object"):
        compiled(X)


SCALE = np.array([2.0])


def scaled(x):
    return x * SCALE


def test_a_rebound_global_is_an_error(monkeypatch):
    compiled = ag.compile(scaled)
    np.testing.assert_array_equal(compiled(X), 2 * X)
    monkeypatch.setattr(f"{__name__}.SCALE", np.array([5.0]), raising=True)
    with pytest.raises(ag.CompileError, match="'SCALE' is another object"):
        compiled(X)
    compiled.clear()
    np.testing.assert_array_equal(compiled(X), 5 * X)


def test_a_captured_array_that_was_written_to_is_an_error():
    offset = np.zeros(3)
    compiled = ag.compile(lambda x: x + np.cumsum(offset))
    np.testing.assert_array_equal(compiled(X), X)
    offset[1] = 7.0
    with pytest.raises(ag.CompileError, match="the array 'offset' holds other numbers"):
        compiled(X)


def test_a_captured_number_that_changed_is_an_error():
    rate = 0.5

    def step(x):
        return x * rate

    compiled = ag.compile(step)
    compiled(X)
    rate = 0.1
    with pytest.raises(ag.CompileError, match="'rate' is another object"):
        compiled(X)


def test_captured_values_are_read_at_every_call():
    weight = ag.Value(np.array([1.0, 2.0, 3.0]), label="weight")
    compiled = ag.compile(lambda x: x * weight)
    np.testing.assert_array_equal(compiled(X), X * X)
    weight.data = np.array([0.0, 1.0, 0.0])
    np.testing.assert_array_equal(compiled(X), [0, 2, 0])
    assert "weight" in compiled.source
    weight.data = np.zeros(2)
    with pytest.raises(ag.CompileError, match=r"'weight' of type float64\[3\]"):
        compiled(X)


def test_writing_to_an_argument_is_an_error():
    def in_place(x):
        x[0] = 1.0
        return x

    with pytest.raises(ag.InPlaceError):
        ag.compile(in_place)(X)

    def replaces(parameters):
        parameters["w"] = parameters["w"] * 2
        return parameters["w"]

    with pytest.raises(ag.CompileError, match="changed one of its arguments in place"):
        ag.compile(replaces)({"w": X})


def test_a_result_never_aliases_an_argument_a_constant_or_another_call():
    constant = np.ones(3)
    compiled = ag.compile(lambda x: (x, x.reshape(3, 1), constant + 0 * x, x * 2, np.sum(x)))
    first = compiled(X)
    second = compiled(X)
    arrays = [x for x in (*first, *second) if isinstance(x, np.ndarray)]
    for i, x in enumerate(arrays):
        assert x.flags.writeable
        assert not np.may_share_memory(x, X)
        assert not np.may_share_memory(x, constant)
        assert not any(np.may_share_memory(x, y) for y in arrays[i + 1 :])


def test_gradients_that_no_longer_depend_on_anything_varying_are_not_baked_in():
    slope = ag.compile(ag.grad(lambda w, x: np.sum(np.maximum(w, 0) + w * x)))
    np.testing.assert_array_equal(slope(X, X), 1 + X)
    np.testing.assert_array_equal(slope(-X, 2 * X), 2 * X)
    by_labels = ag.compile(lambda k: ag.grad(lambda w: np.sum(w * k))(np.ones(3)))
    np.testing.assert_array_equal(by_labels(np.array([1, 2, 3])), [1, 2, 3])
    np.testing.assert_array_equal(by_labels(np.array([4, 5, 6])), [4, 5, 6])


def test_no_grad_inside_is_computed_anew():
    def centred(x):
        with ag.no_grad():
            middle = np.mean(x)
        return np.sum((x - middle) ** 2)

    compiled = ag.compile(ag.grad(centred))
    for x in (X, 3 * X):
        np.testing.assert_allclose(compiled(x), ag.grad(centred)(x))


def test_check_finite_names_the_operation():
    compiled = ag.compile(lambda x: np.sum(np.log(x) * 0.0), check_finite=True)
    compiled(X)
    with np.errstate(all="ignore"), pytest.raises(ag.NonFiniteError) as error:
        compiled(np.zeros(3))
    assert str(error.value).startswith("the result of <log at ")


def test_a_mask_that_selects_is_refused():
    with pytest.raises(ag.CompileError, match="the shape of its result depends on values"):
        ag.compile(lambda x: np.sum(x[x > 1]))(X)


def test_static_arguments_get_programs_of_their_own_and_the_cache_is_bounded():
    compiled = ag.compile(lambda x, n, how: x * n if how == "times" else x**n, cache_size=3)
    for n in range(4):
        np.testing.assert_array_equal(compiled(X, n, "times"), X * n)
        np.testing.assert_allclose(compiled(X, n, how="power"), X**n)
    assert repr(compiled).endswith("3 programs>")


def test_values_as_arguments_keep_their_graph():
    compiled = ag.compile(lambda x: np.sum(x**2))
    compiled(X)
    np.testing.assert_array_equal(ag.grad(compiled)(X), 2 * X)


def test_donated_arguments_are_written_over_and_checked():
    step = ag.compile(lambda w, g: w - 0.1 * g, donate=0)
    w, g = np.ones(3), np.ones(3)
    result = step(w, g)
    assert result is w
    np.testing.assert_array_equal(w, 1 - 0.1 * np.ones(3))
    with pytest.raises(ag.ArgumentValueError, match="'w' shares memory with 'g'"):
        step(w, w)
    w.flags.writeable = False
    with pytest.raises(ag.ArgumentValueError, match="the donated argument 'w' is read-only"):
        step(w, g)


def test_results_go_over_donated_arrays_in_their_order():
    b, w = ag.Value(np.full(3, 2.0)), ag.Value(np.full(3, 5.0))

    @ag.compile(donate=(0, w, b))
    def step(state, x):
        loss = np.sum(b)
        moved = 0.5 * state["mean"] + x * w
        return {"mean": moved}, w - moved, b - 2 * moved, loss

    state, x = {"mean": np.ones(3)}, np.arange(3.0)
    expected = step.function(state, x)
    new, new_w, new_b, _ = step(state, x)
    assert (new["mean"] is state["mean"], new_w is w.data, new_b is b.data) == (True, True, True)
    np.testing.assert_array_equal(state["mean"], expected[0]["mean"].data)
    np.testing.assert_array_equal(w.data, expected[1].data)
    np.testing.assert_array_equal(b.data, expected[2].data)


def test_a_donated_array_that_is_still_read_or_returned_is_not_written_over():
    @ag.compile(donate=(0, 1))
    def step(v, w):
        moved = np.cumsum(v)
        return moved, w, v * moved

    v, w = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])
    first, second, third = step(v, w)
    assert first is not v
    np.testing.assert_array_equal(first, [1, 3, 6])
    np.testing.assert_array_equal(second, [4, 5, 6])
    np.testing.assert_array_equal(third, [1, 6, 18])


@pytest.mark.parametrize("part", [np.s_[:, ::3], np.s_[::-2, 1::4], np.s_[1, ::3], np.s_[:0]])
def test_a_part_of_an_array_may_be_donated(part):
    """Between its elements lie others, which stay as they are."""
    whole = np.arange(40.0).reshape(4, 10)
    expected = whole.copy()
    expected[part] *= 2
    given = whole[part]
    assert ag.compile(lambda x: x * 2, donate=0)(given) is given
    np.testing.assert_array_equal(whole, expected)


def test_an_array_whose_elements_are_one_in_memory_is_not_donated():
    windows = np.lib.stride_tricks.as_strided(np.ones(5), (3, 3), (8, 8))
    with pytest.raises(ag.ArgumentValueError, match="shows one number in several places"):
        ag.compile(lambda x: x * 2, donate=0)(windows)


def test_donated_views_of_one_array_may_not_overlap():
    step = ag.compile(lambda a, b, c: (a + b, b + c), donate=(0, 1))
    whole = np.zeros(9)
    step(whole[:3], whole[3:6], whole[6:])
    with pytest.raises(ag.ArgumentValueError, match="'b' shares memory with 'c'"):
        step(whole[:3], whole[3:6], whole[5:8])


def test_threads_share_a_compiled_function():
    def f(x):
        return np.sum(np.tanh(x @ x.T) * x[0])

    compiled = ag.compile(ag.value_and_grad(f))
    inputs = [np.random.default_rng(i).normal(size=(60, 60)) for i in range(8)]
    expected = [ag.value_and_grad(f)(x) for x in inputs]
    failures = []

    def work(i):
        for _ in range(20):
            value, gradient = compiled(inputs[i])
            if value != expected[i][0] or not np.array_equal(gradient, expected[i][1]):
                failures.append(i)

    compiled(inputs[0])
    compiled(inputs[0])
    expected = [compiled(x) for x in inputs]
    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_eager_results_in_another_thread_are_not_traced():
    seen = SimpleQueue()

    def f(x):
        thread = threading.Thread(target=lambda: seen.put(bool(ag.Value(1.0) * 2 > 1)))
        thread.start()
        thread.join()
        return x * 2

    ag.compile(f)(X)
    assert seen.get_nowait() is True


def test_scalar_programs_use_plain_floats_and_answer_as_numpy_where_python_refuses():
    compiled = ag.compile(ag.value_and_grad(lambda a, b: np.log(a) * b + a**2, (0, 1)))
    value, (da, db) = compiled(2.0, 3.0)
    assert type(value) is type(da) is type(db) is float
    assert "numpy" not in compiled.source
    assert (da, db) == pytest.approx((3 / 2 + 4, np.log(2.0)))
    reciprocal = ag.compile(lambda a: 1 / a)
    assert reciprocal(2.0) == 0.5
    with np.errstate(all="ignore"):
        assert reciprocal(0.0) == np.inf


def test_nested_arguments_and_results_keep_their_nesting():
    def f(parameters, x):
        return {"loss": np.sum(parameters["w"] * x), "parts": [x, (parameters["b"], None, "text")]}

    compiled = ag.compile(f)
    result = compiled({"w": X, "b": 2.0}, X)
    assert result["parts"][1] == (2.0, None, "text")
    assert result["loss"] == 14.0
    np.testing.assert_array_equal(result["parts"][0], X)


def test_without_a_call_there_is_no_source():
    with pytest.raises(ag.CompileError, match="has no program yet; call it once"):
        _ = ag.compile(lambda x: x).source


def test_the_garbage_collector_is_as_it_was_after_compiling():
    seen = SimpleQueue()

    def f(x):
        seen.put(gc.isenabled())
        return x * 2

    def fails(x):
        raise KeyError("mine")

    assert ag.compile(f)(1.0) == 2.0
    assert gc.isenabled()
    with pytest.raises(KeyError, match="mine"):
        ag.compile(fails)(1.0)
    assert gc.isenabled()
    gc.disable()
    try:
        ag.compile(f)(1.0)
        assert not gc.isenabled()
    finally:
        gc.enable()
    assert [seen.get() for _ in range(seen.qsize())] == [False, True, False, False]


def test_another_thread_that_draws_all_the_time_is_not_the_functions_doing():
    ended = threading.Event()

    def serve():
        while not ended.is_set():
            random.random()

    def slow_square(x):
        ended.wait(0.02)
        return x * x

    drawing = threading.Thread(target=serve)
    drawing.start()
    try:
        assert ag.compile(slow_square)(3.0) == 9.0
        with pytest.raises(ag.CompileError, match="drew random numbers"):
            ag.compile(lambda x: x * random.uniform(0, 1))(3.0)
    finally:
        ended.set()
        drawing.join()


def test_another_thread_that_draws_while_a_function_is_traced_is_not_the_functions_doing():
    traces = SimpleQueue()

    def f(x):
        traces.put(x.shape)
        if traces.qsize() == 1:  # as a thread of a server might, just then
            drawing = threading.Thread(target=random.random)
            drawing.start()
            drawing.join()
        return x * 2

    compiled = ag.compile(f)
    assert compiled(np.ones(3)).tolist() == [2.0, 2.0, 2.0]
    assert traces.qsize() == 3  # twice for the trace, once beside its program
