"""The compiled training step: its programs, what it never does, and when it runs plainly."""

from __future__ import annotations

import itertools
import signal
import sys
import threading
import types
from contextlib import nullcontext
from functools import partial

import numpy as np
import pytest

import autograd_lite as ag
import nn
from tests.nn.compiled_and_plain import (
    N_IN,
    KeepStep,
    N,
    assert_the_same_compiled_and_not,
    mlp,
    numbers,
    trained,
)


def test_each_shape_of_batch_has_one_program_and_can_be_read():
    keep = KeepStep()
    trained(mlp, *numbers(), True, callbacks=[keep], epochs=4)
    program = keep.step.compiled["step"]
    assert repr(program) == "<compiled Step._step, 2 programs>"
    for section in ("# forward", "# backward", "# update"):
        assert section in program.source
    assert "float64[6, 4]" in program.source  # the last batch of an epoch


# What must never happen.


def test_nothing_of_the_users_is_written_to():
    x, y = numbers()
    start = np.ones((N_IN, 1))
    model = nn.Linear(N_IN, 1, initializer=lambda rng, shape, dtype: start)
    weight = np.ones(N)
    kept = [array.copy() for array in (x, y, weight)]
    memory = model.weight.data
    state = model.state_dict()
    before = {name: array.copy() for name, array in state.items()}
    nn.fit(model, x, y, loss="mse", sample_weight=weight, epochs=3, rng=0, progress=False)
    for array, expected in zip((x, y, weight), kept, strict=True):
        np.testing.assert_array_equal(array, expected)
    np.testing.assert_array_equal(start, np.ones((N_IN, 1)))
    assert model.weight.data is memory  # parameters are written in place
    assert not np.array_equal(memory, before["weight"])
    for name, array in state.items():
        np.testing.assert_array_equal(array, before[name])


def test_the_same_seed_gives_the_same_training_bit_for_bit_and_goes_on_so():
    def start():
        rng = np.random.default_rng(0)
        model = nn.Sequential(
            mlp(rng, out_features=4), nn.Dropout(0.4, rng=rng), nn.Linear(4, 1, rng=rng)
        )
        return model, nn.Adam(model), rng

    options = {"loss": "mse", "batch_size": 8, "progress": False}
    states = []
    for epochs in ([5], [5], [2, 3], [1, 1, 1, 1, 1]):
        model, optimizer, rng = start()
        for count in epochs:
            nn.fit(model, *numbers(), optimizer=optimizer, rng=rng, epochs=count, **options)
        states.append(np.concatenate([p.data.ravel() for p in model.parameters()]))
    for state in states[1:]:
        np.testing.assert_array_equal(state, states[0])


@pytest.mark.parametrize("compile", [False, True])
def test_ctrl_c_within_a_step_waits_for_its_end(compile):
    steps = []

    def pressed(x):
        steps.append(1)
        if len(steps) == 9:  # two are traces, two beside steps
            signal.raise_signal(signal.SIGINT)
        return x

    press = ag.Primitive(pressed, lambda g, out, x: g)

    def loss(outputs, targets):
        return press(nn.mse(outputs, targets))

    x, y = numbers()
    model = mlp(np.random.default_rng(0))
    optimizer = nn.SGD(model, 0.1)
    history = nn.fit(
        model, x, y, loss=loss, optimizer=optimizer, batch_size=1, rng=0, compile=compile,
        progress=False,
    )  # fmt: skip
    assert (len(history), history.stopped) == (0, "interrupted")
    twin = mlp(np.random.default_rng(0))
    by_hand = nn.SGD(twin, 0.1)
    order = np.random.default_rng(0).permutation(N)
    assert optimizer.steps == 9 - 4 * compile
    for row in order[: optimizer.steps]:
        by_hand.zero_grad()
        nn.mse(twin(x[[row]]), y[[row]]).backward()
        by_hand.step()
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.data, rtol=1e-12)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_training_in_another_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(trained(mlp, *numbers(), True)))
    thread.start()
    thread.join()
    np.testing.assert_array_equal(found[0][1].loss, trained(mlp, *numbers(), True)[1].loss)


@pytest.mark.parametrize("compile", [False, True])
def test_a_loss_that_is_not_finite_leaves_the_parameters_as_they_were(compile):
    x, y = numbers()
    model = mlp(np.random.default_rng(0))
    seen = []

    class Remember(nn.Callback):
        def after_epoch(self, run):
            seen.append(run.model.state_dict())

    def loss(outputs, targets):
        return nn.mse(outputs * 1e200, targets)

    with pytest.raises(nn.DivergenceError) as error:
        nn.fit(model, x, y, loss=loss, batch_size=N, rng=0, progress=False, compile=compile)
    assert str(error.value).startswith("fit: the loss became inf in epoch 1, batch 1, at")
    np.testing.assert_array_equal(
        model[0].weight.data, mlp(np.random.default_rng(0))[0].weight.data
    )
    assert not seen


def test_a_parameter_that_the_loss_does_not_reach_is_named():
    class Unused(nn.Module):
        def __init__(self):
            self.used, self.unused = nn.Linear(N_IN, 1, rng=0), nn.Linear(2, 2, rng=0)

        def forward(self, x):
            return self.used(x)

    for compiled in (True, False):
        with pytest.raises(ag.BackwardError) as error:
            nn.fit(Unused(), *numbers(), loss="mse", progress=False, compile=compiled)
        assert str(error.value) == (
            "Adam.step: parameter 2 ('weight') of shape (2, 2) received no gradient; call "
            "backward() on a loss that depends on it, or set its requires_grad to False"
        )


# What cannot be compiled.


class Branching(nn.Module):
    def __init__(self):
        self.linear = nn.Linear(N_IN, 1, rng=0)

    def forward(self, x):
        out = self.linear(x)
        return out if np.sum(out) > 0 else 2 * out


class Drawing(nn.Module):
    def __init__(self):
        self.linear = nn.Linear(N_IN, 1, rng=0)
        self.rng = np.random.default_rng(0)

    def forward(self, x):
        return self.linear(x) * self.rng.random()


class Counting(nn.Module):
    def __init__(self):
        self.linear, self.calls = nn.Linear(N_IN, 1, rng=0), 0

    def forward(self, x):
        self.calls += 1
        return self.linear(x) / self.calls


class ReadingOut(nn.Module):
    def __init__(self):
        self.linear = nn.Linear(N_IN, 1, rng=0)

    def forward(self, x):
        return self.linear(x) / np.linalg.norm(self.linear.weight.data)


class NotOfNumPy(nn.Module):
    def __init__(self):
        self.linear = nn.Linear(N_IN, 1, rng=0)

    def forward(self, x):
        return self.linear(np.array([[float(number) for number in row] for row in x]))


FALLBACKS = {
    Branching: (
        "a Python branch (if, while, and, or, not, assert) on a traced Value at {file}:{line}: "
        "its number is known only when the compiled function runs, not while it is traced; write "
        "np.where(condition, x, y), ag.cond or ag.while_loop, or make the condition depend on "
        "static arguments (shapes, ints, strings) only"
    ),
    Drawing: (
        "Step._step drew random numbers while it was traced; they would be the same at every "
        "call: draw by ag.random, or outside and pass them as an argument"
    ),
    Counting: (
        "Counting.forward sets the attribute 'calls', which a compiled step does only once; name "
        "it in the class attribute `buffers` if it is an array of the state"
    ),
    ReadingOut: None,
    NotOfNumPy: (
        "float() of a traced Value at {file}:{line}: its number is known only when the compiled "
        "function runs, not while it is traced; compute with the Value itself"
    ),
}


@pytest.mark.parametrize("kind", FALLBACKS)
def test_what_cannot_be_compiled_runs_plainly_after_one_warning(kind):
    x, y = numbers()
    options = {"loss": "mse", "batch_size": 8, "rng": 0, "epochs": 3, "progress": False}
    with pytest.warns(nn.CompileWarning) as warnings:
        model = kind()
        history = nn.fit(model, x, y, **options)
    assert len(warnings) == 1
    assert warnings[0].filename == __file__
    line = kind.forward.__code__.co_firstlineno + 2
    reason = FALLBACKS[kind]
    message = str(warnings[0].message)
    if reason is None:  # found by the comparison at the second batch
        assert "does not do the same at every call" in message
        assert f"test_step.py:{line - 1}" in message
    else:
        assert message == (
            "fit: the training step runs uncompiled, which is slower: "
            + reason.format(file=__file__, line=line if kind is Branching else line - 1)
            + "; change that, or pass compile=False to run it so without this warning"
        )
    plain = kind()
    expected = nn.fit(plain, x, y, compile=False, **options)
    np.testing.assert_allclose(history.loss, expected.loss, rtol=1e-12)
    for p, q in zip(model.parameters(), plain.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.data, rtol=1e-12)


def test_a_wrong_call_is_the_same_error_compiled_and_not():
    x, y = numbers()
    messages = []
    for compiled in (True, False):
        with pytest.raises(ag.ArgumentValueError) as error:
            nn.fit(mlp(np.random.default_rng(0), 2), x, y, loss="mse", compile=compiled)
        messages.append(str(error.value))
    assert (
        messages[0]
        == messages[1]
        == (
            "mse: the outputs have shape (22, 2), but the targets have shape (22, 1); "
            "reshape one so that both are equal"
        )
    )


@pytest.mark.parametrize("error", [KeyError, RuntimeError, type("OwnError", (Exception,), {})])
def test_a_loss_that_raises_is_called_twice_more_than_its_compiler_needs(error):
    calls = itertools.count()  # what can be put back is, after the first of them

    def loss(outputs, targets):
        next(calls)
        raise error("mine")

    with pytest.raises(error, match="mine"):
        ag.compile(loss)(np.ones(3), np.ones(3))
    needed = next(calls)
    with pytest.raises(error, match="mine"):
        nn.fit(mlp(np.random.default_rng(0)), *numbers(), loss=loss, progress=False)
    # For its draws, as generators are in reach; and uncompiled, for code may refuse what traces it.
    assert next(calls) - (needed + 1) == needed + 2


def test_an_error_that_only_compiling_meets_comes_with_its_line():
    class Packing(nn.Module):
        def __init__(self):
            self.linear = nn.Linear(N_IN, 1, rng=0)

        def forward(self, x):
            return self.linear(x / (1 + np.packbits(x > 0)[0]))

    line = Packing.forward.__code__.co_firstlineno + 1
    with pytest.warns(nn.CompileWarning) as warnings:
        nn.fit(Packing(), *numbers(), loss="mse", epochs=1, rng=0, progress=False)
    assert str(warnings[0].message) == (
        "fit: the training step runs uncompiled, which is slower: numpy.packbits has no derivative "
        "rule in autograd_lite; write one with ag.primitive and defvjp, or pass x.data to use the "
        f"number as a constant (at {__file__}:{line}); change that, or pass compile=False to run "
        "it so without this warning"
    )


@pytest.mark.parametrize("rate", [1e-3, 0.5, 30.0])
def test_what_tells_values_from_arrays_is_trained_on_arrays(rate):
    """However far a step leads, and nothing of the step that was refused is left behind."""

    class Both(nn.Module):
        def __init__(self):
            self.drop, self.linear = nn.Dropout(0.2, rng=5), nn.Linear(N_IN, 2, rng=0)

        def forward(self, x):
            return self.linear(self.drop(x) * (3.0 if isinstance(x, ag.Value) else 1.0))

    x = numbers()[0]
    y, found = (x[:, 0] > 0).astype(int), []
    for compiles in (True, False):
        model = Both()
        options = {"loss": "cross_entropy", "epochs": 2, "batch_size": 8, "rng": 1}
        optimizer = nn.SGD(model, rate, momentum=0.9)
        with pytest.warns(nn.CompileWarning, match="at call 1") if compiles else nullcontext():
            history = nn.fit(
                model, x, y, optimizer=optimizer, compile=compiles, progress=False, **options
            )
        found.append((history.loss, model.linear.weight.data.tolist(), optimizer.steps))
    assert found[0] == found[1]


# What `compile` may be.


@pytest.mark.parametrize("train", [nn.fit, nn.fit_lbfgs, nn.find_learning_rate])
def test_compile_is_true_or_false_or_numba(train):
    model = nn.Linear(out_features=1, rng=0)
    with pytest.raises(ag.ArgumentValueError) as error:
        train(model, np.ones((4, 3)), np.ones((4, 1)), loss="mse", compile="c")
    assert str(error.value) == (
        f"{train.__name__}: compile is 'c'; pass True, False, 'numba' for loops of Numba, or "
        "'auto' for loops as soon as they are ready"
    )
    assert model.in_features is None  # it has not looked at its input yet


def test_without_numba_fit_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    model = mlp(np.random.default_rng(0))
    before = model.state_dict()
    with pytest.raises(ag.MissingOptionError, match=r"pip install 'autograd-lite\[numba\]'"):
        nn.fit(model, *numbers(), loss="mse", compile="numba", progress=False)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_options_of_fit_in_loops_of_numba():
    pytest.importorskip("numba")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(22, 64)), rng.normal(size=(22, 64))
    options = {"accumulate": 2, "l1": 0.1, "l2": 0.1, "clip_norm": 0.5, "weight_decay": 0.1}
    optimizer = partial(nn.AdamW, weight_decay=options.pop("weight_decay"))
    assert_the_same_compiled_and_not(
        lambda rng: nn.MLP(64, [64, 64], rng=rng), x, y, compile="numba", optimizer=optimizer,
        **options,
    )  # fmt: skip
    models = [nn.Linear(64, 64, rng=3) for _ in range(2)]
    for model, how in zip(models, (False, "numba"), strict=True):
        nn.fit_lbfgs(model, x, y, loss="mse", iterations=3, compile=how)
    np.testing.assert_allclose(models[1].weight.data, models[0].weight.data, rtol=1e-9)


def counted_in(kind):
    """A loss divided by how often it was called, which is kept in some place."""
    calls, several, held = 0, [0], types.SimpleNamespace(calls=0)

    def in_a_variable(outputs, targets):
        nonlocal calls
        calls += 1
        return nn.mse(outputs, targets) / calls

    def in_a_list(outputs, targets):
        several[0] += 1
        return nn.mse(outputs, targets) / several[0]

    def in_an_object(outputs, targets):
        held.calls += 1
        return nn.mse(outputs, targets) / held.calls

    def in_an_attribute(outputs, targets):
        in_an_attribute.calls += 1
        return nn.mse(outputs, targets) / in_an_attribute.calls

    in_an_attribute.calls = 0

    def in_a_global(outputs, targets):
        global CALLS
        CALLS += 1
        return nn.mse(outputs, targets) / CALLS

    globals()["CALLS"] = 0

    class Counting:
        calls = 0
        """Of the class, until it is called."""

        def __call__(self, outputs, targets):
            self.calls += 1
            return nn.mse(outputs, targets) / self.calls

        def method(self, outputs, targets):
            return self(outputs, targets)

        @classmethod
        def of_class(cls, outputs, targets):
            cls.calls += 1
            return nn.mse(outputs, targets) / cls.calls

    of_objects = {"callable": Counting(), "method": Counting().method, "class": Counting.of_class}
    return (of_objects | {f.__name__: f for f in (
        in_a_variable, in_a_list, in_an_object, in_an_attribute, in_a_global,
    )})[kind]  # fmt: skip


KINDS_OF_COUNTERS = [
    "callable", "class", "in_a_global", "in_a_list", "in_a_variable", "in_an_attribute",
    "in_an_object", "method",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::nn.CompileWarning")
@pytest.mark.parametrize("kind", KINDS_OF_COUNTERS)
@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_loss_that_counts_its_calls_is_called_once_for_a_batch(kind, accumulate):
    x = np.random.default_rng(0).normal(size=(12, 2))
    y = x @ np.array([[1.0], [-2.0]])
    model, loss, expected = nn.Linear(2, 1, rng=0), counted_in(kind), []
    for _ in range(2):
        for start in range(0, 12, 3 * accumulate):
            for batch in range(start, start + 3 * accumulate, 3):
                value = loss(model(x[batch : batch + 3]), y[batch : batch + 3])
                (value / accumulate).backward()
                expected.append(value.data)
            for parameter in model.parameters():
                parameter.data -= 0.1 * parameter.grad
                parameter.grad = None
    for compiles in (True, False):
        twin = nn.Linear(2, 1, rng=0)
        history = nn.fit(
            twin, x, y, loss=counted_in(kind), optimizer=nn.SGD(twin, 0.1), epochs=2, batch_size=3,
            shuffle=False, accumulate=accumulate, compile=compiles, progress=False,
        )  # fmt: skip
        assert history.loss == pytest.approx(np.reshape(expected, (2, 4)).mean(axis=1))
        np.testing.assert_allclose(twin.weight.data, model.weight.data)


@pytest.mark.filterwarnings("ignore::nn.CompileWarning")
def test_an_optimizer_and_a_model_that_count_are_not_called_twice():
    class Slower(nn.Optimizer):
        calls = 0

        def update(self, data, g, state, hyperparameters):
            self.calls += 1
            return data - hyperparameters.learning_rate * g / self.calls, {}

    class Counting(nn.Module):
        def __init__(self):
            self.linear, self.seen = nn.Linear(2, 1, rng=0), {"calls": 0, "shapes": []}

        def forward(self, x):
            self.seen["calls"] += 1
            self.seen["shapes"].append(x.shape)
            return self.linear(x) / self.seen["calls"]

    x = np.random.default_rng(0).normal(size=(12, 2))
    found = []
    for compiles in (True, False):
        model = Counting()
        history = nn.fit(
            model, x, x[:, :1], loss="mse", optimizer=Slower, epochs=2, batch_size=3,
            shuffle=False, compile=compiles, progress=False,
        )  # fmt: skip
        found.append((history.loss, model.seen, model.linear.weight.data.tolist()))
    assert found[0] == found[1]


def test_a_metric_that_counts_its_calls_is_called_once_an_epoch():
    calls = []

    def metric(outputs, targets):
        calls.append(len(outputs))
        return float(len(calls))

    x = np.arange(6.0).reshape(-1, 1)
    model = nn.Linear(1, 1, rng=0)
    history = nn.fit(model, x, x, loss="mse", metrics={"calls": metric}, epochs=2, progress=False)
    assert history["calls"] == [1.0, 2.0]
