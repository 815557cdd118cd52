"""The compiled training step: the same numbers as the plain one, whatever is trained and how."""

from __future__ import annotations

import signal
import threading
from functools import partial

import numpy as np
import pytest

import autograd_lite as ag
import nn

N, N_IN = 22, 3


def numbers(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, N_IN)), rng.normal(size=(N, 1))


def trained(make_model, x, y, compile, dtype=np.float64, **options):
    """The model after two epochs of batches of 8, 8 and 6, and its history."""
    model = make_model(np.random.default_rng(3)).astype(dtype)
    defaults = {"loss": "mse", "epochs": 2, "batch_size": 8, "rng": 1, "progress": False}
    history = nn.fit(model, x, y, compile=compile, **(defaults | options))
    return model, history


def assert_the_same_compiled_and_not(make_model, x, y, tolerance=1e-10, **options):
    """Warnings are errors here, so that nothing passes by falling back."""
    plain, plain_history = trained(make_model, x, y, False, **options)
    compiled, history = trained(make_model, x, y, True, **options)
    np.testing.assert_allclose(history.loss, plain_history.loss, rtol=tolerance)
    state = compiled.state_dict()
    for name, expected in plain.state_dict().items():
        assert state[name].dtype == expected.dtype
        np.testing.assert_allclose(state[name], expected, rtol=tolerance, atol=tolerance)
    return compiled, history


def mlp(rng, n_out=1):
    return nn.MLP(N_IN, [4, n_out], activation="tanh", rng=rng)


# Layers.


def around(make_layer):
    return lambda rng: nn.Sequential(
        nn.Linear(N_IN, 4, rng=rng), make_layer(rng), nn.Linear(n_out=1, rng=rng)
    )


LAYERS = {
    "linear": around(lambda rng: nn.Linear(4, 5, use_bias=False, rng=rng)),
    "prelu": around(lambda rng: nn.PReLU(4)),
    "dropout": around(lambda rng: nn.Dropout(0.3, rng=rng)),
    "two dropouts of one generator": around(
        lambda rng: nn.Sequential(nn.Dropout(0.2, rng=rng), nn.Dropout(0.2, rng=rng))
    ),
    "batch norm": around(lambda rng: nn.BatchNorm1d(4)),
    "batch norm without size": around(lambda rng: nn.BatchNorm1d()),
    "layer norm": around(lambda rng: nn.LayerNorm(4)),
    "residual": around(lambda rng: nn.Residual(nn.Linear(4, 4, rng=rng))),
    "concatenate": around(lambda rng: nn.Concatenate("identity", nn.Linear(4, 2, rng=rng))),
    "glu": around(lambda rng: nn.Activation("glu")),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_layers(name, dtype):
    tolerance = 1e-10 if dtype == np.float64 else 2e-4
    make = LAYERS[name]
    assert_the_same_compiled_and_not(make, *numbers(), dtype=dtype, tolerance=tolerance)


@pytest.mark.parametrize("name", nn.activations.activations)
def test_activations(name):
    assert_the_same_compiled_and_not(
        around(lambda rng: nn.Activation(name)), *numbers(), epochs=1, batch_size=N // 2
    )


def test_embeddings_and_flatten():
    def make(rng):
        return nn.Sequential(nn.Embedding(5, 2, rng=rng), nn.Flatten(), nn.Linear(6, 1, rng=rng))

    x = np.random.default_rng(0).integers(0, 5, (N, 3))
    assert_the_same_compiled_and_not(make, x, numbers()[1])


def test_an_index_out_of_range_is_refused_at_the_batch_that_has_it():
    make = nn.Sequential(nn.Embedding(5, 2, rng=0), nn.Flatten(), nn.Linear(6, 1, rng=0))
    x = np.zeros((40, 3), int)
    x[30] = 7
    with pytest.raises(ag.ArgumentValueError, match="the input goes from 0 to 7, but there are 5"):
        nn.fit(make, x, np.ones((40, 1)), loss="mse", batch_size=8, rng=0, progress=False)


def test_integer_inputs_and_targets():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 255, (N, N_IN)).astype(np.uint8), rng.integers(0, 9, (N, 1))
    rate = partial(nn.SGD, learning_rate=1e-5)
    for dtype, tolerance in ((np.float64, 1e-10), (np.float32, 1e-5)):
        assert_the_same_compiled_and_not(
            mlp, x, y, optimizer=rate, dtype=dtype, tolerance=tolerance
        )


# Losses.

CLASSES = np.random.default_rng(5).integers(0, 3, N)
ROWS = np.eye(3)[CLASSES]

TARGETS = {
    "mse": ROWS, "mae": ROWS, "huber": ROWS, "log_cosh": ROWS, "quadratic": ROWS,
    "poisson": ROWS, "cosine": ROWS + 0.1, "cross_entropy": CLASSES, "nll": CLASSES,
    "binary_cross_entropy": ROWS, "multilabel": ROWS, "kl_divergence": ROWS,
    "hinge": CLASSES, "squared_hinge": CLASSES, "perceptron": CLASSES,
}  # fmt: skip


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("weighted", [False, True])
def test_losses(name, weighted):
    assert set(TARGETS) | {"zero_one"} == set(nn.losses.losses)
    weight = np.random.default_rng(0).uniform(0.1, 2, N) if weighted else None
    make = partial(mlp, n_out=3)
    options = {"loss": name, "sample_weight": weight, "metrics": {"sum": metric}}
    _, history = assert_the_same_compiled_and_not(make, numbers()[0], TARGETS[name], **options)
    _, plain = trained(make, numbers()[0], TARGETS[name], False, **options)
    np.testing.assert_allclose(history["sum"], plain["sum"], rtol=1e-10)


def metric(outputs, targets):
    return np.sum(outputs) + np.sum(targets)


@pytest.mark.parametrize(
    "loss",
    [
        partial(nn.cross_entropy, label_smoothing=0.1),
        partial(nn.cross_entropy, class_weight=[1.0, 2.0, 0.5]),
        partial(nn.cross_entropy, reduction="sum"),
        lambda outputs, labels: nn.cross_entropy(outputs, labels) + 0.1 * np.mean(outputs**2),
    ],
)
def test_losses_with_options_and_of_ones_own(loss):
    make = partial(mlp, n_out=3)
    assert_the_same_compiled_and_not(make, numbers()[0], CLASSES, loss=loss)


@pytest.mark.parametrize("class_weight", ["balanced", {0: 1.0, 1: 2.0, 2: 0.5}])
def test_class_weights(class_weight):
    options = {"loss": "cross_entropy", "class_weight": class_weight}
    assert_the_same_compiled_and_not(partial(mlp, n_out=3), numbers()[0], CLASSES, **options)


def test_a_penalty_on_a_parameter_from_outside_counts():
    def penalized(compile):
        model = mlp(np.random.default_rng(0))
        weight = model[0].weight

        def loss(outputs, targets):
            return nn.mse(outputs, targets) + np.sum(weight**2)

        nn.fit(model, *numbers(), loss=loss, epochs=3, rng=0, compile=compile, progress=False)
        return weight.data

    np.testing.assert_allclose(penalized(True), penalized(False), rtol=1e-12)
    without = mlp(np.random.default_rng(0))
    nn.fit(without, *numbers(), loss="mse", epochs=3, rng=0, progress=False)
    assert np.abs(without[0].weight.data - penalized(True)).max() > 1e-4


# Optimizers and what surrounds them.

OPTIMIZERS = {
    "sgd": nn.SGD,
    "momentum": partial(nn.SGD, momentum=0.9),
    "dampening": partial(nn.SGD, momentum=0.9, dampening=0.3),
    "nesterov": partial(nn.SGD, momentum=0.9, nesterov=True),
    "rmsprop": nn.RMSprop,
    "adagrad": nn.Adagrad,
    "adadelta": nn.Adadelta,
    "adam": nn.Adam,
    "amsgrad": partial(nn.Adam, amsgrad=True),
    "adamw": nn.AdamW,
    "nadam": nn.Nadam,
    "lion": nn.Lion,
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(
    "decay", [{}, {"weight_decay": 0.1}, {"weight_decay": 0.1, "decoupled": 1}]
)
def test_optimizers(name, decay):
    if decay.get("decoupled"):
        decay = decay | {"decoupled": True}
    optimizer = partial(OPTIMIZERS[name], learning_rate=0.01, **decay)
    assert_the_same_compiled_and_not(mlp, *numbers(), optimizer=optimizer)


@pytest.mark.parametrize(
    "options",
    [
        {"l1": 0.1},
        {"l2": 0.1},
        {"l1": 0.1, "l2": 0.1, "clip_norm": 0.5},
        {"clip_value": 0.05},
        {"clip_norm": 0.5, "dtype": np.float32, "tolerance": 1e-5},
        {"accumulate": 2},
        {"accumulate": 2, "l2": 0.1, "clip_norm": 0.1},
        {"schedule": nn.schedules.OneCycle(2)},
        {"accumulate": 2, "schedule": nn.schedules.Cosine(2, warm_up=0.5)},
        {"validation_split": 0.2, "callbacks": [nn.EarlyStopping(patience=0)]},
    ],
)
def test_options(options):
    assert_the_same_compiled_and_not(mlp, *numbers(), **options)


def test_groups_and_frozen_parameters():
    def groups(model):
        model[0].bias.requires_grad = False
        slow = {"parameters": model[0], "learning_rate": 0.001, "weight_decay": 0.5}
        return nn.AdamW([slow, {"parameters": model[2]}], learning_rate=0.05)

    compiled, _ = assert_the_same_compiled_and_not(mlp, *numbers(), optimizer=groups)
    np.testing.assert_array_equal(compiled[0].bias.data, np.zeros(4))


def test_several_inputs_and_outputs():
    class TwoHeads(nn.Module):
        def __init__(self, rng):
            self.first, self.second = nn.Linear(2, 3, rng=rng), nn.Linear(1, 3, rng=rng)

        def forward(self, wide, deep):
            return self.first(wide), np.tanh(self.second(deep))

    def loss(outputs, targets):
        return nn.mse(outputs[0], targets[0]) + nn.cross_entropy(outputs[1], targets[1])

    x = numbers()[0]
    assert_the_same_compiled_and_not(
        TwoHeads, (x[:, :2], x[:, 2:]), (ROWS, CLASSES), loss=loss, metrics={"one": sum_of_first}
    )


def sum_of_first(outputs, targets):
    return np.sum(outputs[0])


def test_scalar_parameters():
    class Line(nn.Module):
        def __init__(self, rng):
            self.slope, self.offset = nn.Parameter(0.5), nn.Parameter(0.0)

        def forward(self, x):
            return self.slope * x + self.offset

    x = numbers()[0][:, :1]
    compiled, _ = assert_the_same_compiled_and_not(Line, x, 3 * x, optimizer=nn.Nadam)
    assert type(compiled.slope.data) is float


# What changes while training goes on.


class Change(nn.Callback):
    def __init__(self, change):
        self.change = change

    def after_epoch(self, run):
        if len(run.history) == 1:
            self.change(run)


def slower(run):
    run.optimizer.groups[0].learning_rate *= 0.1


def heavier(run):
    run.optimizer.groups[0].weight_decay = 0.5


def freeze(run):
    run.model[0].weight.requires_grad = False


def drop_more(run):
    run.model[1].rate = 0.7


def another_generator(run):
    run.model[1].rng = np.random.default_rng(77)


def another_activation(run):
    run.model.layers[2] = nn.Activation("sigmoid")


@pytest.mark.parametrize(
    "change", [slower, heavier, freeze, drop_more, another_generator, another_activation]
)
def test_changes_between_epochs_are_taken_up(change):
    def make(rng):
        return nn.Sequential(
            nn.Linear(N_IN, 4, rng=rng), nn.Dropout(0.1, rng=rng), "tanh", nn.Linear(4, 1, rng=rng)
        )

    x, y = numbers()
    options = {"callbacks": [Change(change)], "epochs": 4}
    _, history = assert_the_same_compiled_and_not(make, x, y, **options)
    _, unchanged = trained(make, x, y, True, epochs=4)
    assert history.loss[:1] == unchanged.loss[:1]
    assert history.loss[3] != unchanged.loss[3]


def begin_momentum(run):
    run.optimizer.groups[0].momentum = 0.9


def test_momentum_may_begin_late():
    _, history = assert_the_same_compiled_and_not(
        mlp, *numbers(), optimizer=nn.SGD, callbacks=[Change(begin_momentum)], epochs=4
    )
    _, without = trained(mlp, *numbers(), True, optimizer=nn.SGD, epochs=4)
    assert history.loss[:1] == without.loss[:1]
    assert history.loss[3] < without.loss[3]


class KeepStep(nn.Callback):
    def after_epoch(self, run):
        self.step = run.step


def test_each_shape_of_batch_has_one_program_and_can_be_read():
    keep = KeepStep()
    trained(mlp, *numbers(), True, callbacks=[keep], epochs=4)
    take = keep.step.compiled["take"]
    assert repr(take) == "<compiled Step._taken, 2 programs>"
    for section in ("# forward", "# backward", "# update"):
        assert section in take.source
    assert "float64[6, 4]" in take.source  # the last batch of an epoch


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
        model = nn.Sequential(mlp(rng, n_out=4), nn.Dropout(0.4, rng=rng), nn.Linear(4, 1, rng=rng))
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
        if len(steps) == 8:  # one more call while the program is traced, and one in its check
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
    assert optimizer.steps == 8 - 2 * compile
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
        "np.where(condition, x, y), or make the condition depend on static arguments (shapes, "
        "ints, strings) only"
    ),
    Drawing: (
        "Step._taken drew random numbers while it was traced; they would be the same at every "
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


def test_a_loss_whose_surroundings_change_runs_plainly_from_then_on():
    strength = 1.0

    def loss(outputs, targets):
        return strength * nn.mse(outputs, targets)

    class Weaken(nn.Callback):
        def after_epoch(self, run):
            nonlocal strength
            strength = 0.1

    model = mlp(np.random.default_rng(0))
    with pytest.warns(nn.CompileWarning, match="'strength' is another object"):
        history = nn.fit(
            model, *numbers(), loss=loss, epochs=3, rng=0, callbacks=[Weaken()], progress=False
        )
    assert history.loss[1] < 0.2 * history.loss[0]


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
