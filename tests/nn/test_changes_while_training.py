"""What is changed between epochs and between trainings is taken up by the compiled step.

Each case changes one thing that a forward pass, a loss or an update reads; the compiled
training must then give the weights of one that is run as it is.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import warnings
from collections import deque

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn.models.fingerprint import fingerprint
from tests.standard_objects import OBJECTS, WRITTEN_IN_C

try:
    import pandas
except ImportError:
    pandas = None

SCALE = 1.0
TABLE = {"scale": 1.0, "inner": [1.0]}
ARRAY = np.ones(3)
settings = types.ModuleType("settings")
settings.scale = 1.0
settings.inner = types.ModuleType("settings.inner")
settings.inner.scale = 1.0


class Config:
    scale = 1.0


@dataclasses.dataclass
class Record:
    scale: float = 1.0


class Slots:
    __slots__ = ("scale",)

    def __init__(self):
        self.scale = 1.0


class Plain:
    def __init__(self):
        self.scale = 1.0

    def of(self, x):
        return self.scale * x


def helper(x, factor=1.0, *, other=1.0):
    return factor * other * x


def uses_global_of(x):
    return SCALE * x


class Net(nn.Module):
    """A linear map, after which something is done that ``kind`` says."""

    rate = 1.0

    def __init__(self, kind):
        self.kind = kind
        self.linear = nn.Linear(3, 2, rng=0)
        self.number = 1.0
        self.options = {"scale": 1.0, "inner": {"scales": [1.0, (1.0, {"last": 1.0})]}}
        self.list = [1.0, [1.0]]
        self.deque = deque([1.0])
        self.set = {1.0}
        self.namespace = types.SimpleNamespace(scale=1.0)
        self.record, self.slots, self.plain = Record(), Slots(), Plain()
        self.array, self.arrays = np.ones(2), {"mask": np.ones(2)}
        self.objects = np.array([1.0, None], dtype=object)
        self.frame = None if pandas is None else pandas.DataFrame({"a": [1.0], "b": [1.0]})
        self.zero = 0.0
        cell = [1.0]
        self.cell = cell
        self.closure = lambda x: cell[0] * x
        self.partial = functools.partial(helper, other=1.0)
        self.function = helper
        self.method = self.plain.of
        self.layer, self.elu = nn.Activation("identity"), nn.Activation("elu", alpha=1.0)

    @property
    def scale(self):
        return SCALE

    def scaled(self, x):
        return Config.scale * x

    def forward(self, x):
        return KINDS[self.kind][0](self, self.linear(x))


def zero_sign(net, x):
    return np.copysign(1.0, net.zero) * x


def set_global(value):
    global SCALE
    SCALE = value


def set_rate(net):
    Net.rate = 3.0


def set_config(net):
    Config.scale = 3.0


def set_defaults(net):
    helper.__defaults__ = (3.0,)


def set_code(net):
    net.function.__code__ = (lambda x, factor=1.0, *, other=1.0: 3.0 * x).__code__


def changed_set(net):
    net.set.clear()
    net.set.add(3.0)


def change_frame(net):
    if net.frame is None:
        net.number = 3.0
    else:
        net.frame.iloc[0, 0] = 3.0


def refill(array):
    array[...] = 3.0


def put(thing, name, value=3.0):
    setattr(thing, name, value)


KINDS = {
    "attribute": (lambda net, x: net.number * x, lambda net: put(net, "number")),
    "dict": (
        lambda net, x: net.options["scale"] * x,
        lambda net: net.options.update(scale=3.0),
    ),
    "nested": (
        lambda net, x: net.options["inner"]["scales"][1][1]["last"] * x,
        lambda net: net.options["inner"]["scales"][1][1].update(last=3.0),
    ),
    "list": (lambda net, x: net.list[0] * x, lambda net: net.list.__setitem__(0, 3.0)),
    "list in a list": (
        lambda net, x: net.list[1][0] * x,
        lambda net: net.list[1].__setitem__(0, 3.0),
    ),
    "deque": (lambda net, x: net.deque[0] * x, lambda net: net.deque.appendleft(3.0)),
    "set": (lambda net, x: max(net.set) * x, changed_set),
    "namespace": (lambda net, x: net.namespace.scale * x, lambda net: put(net.namespace, "scale")),
    "dataclass": (lambda net, x: net.record.scale * x, lambda net: put(net.record, "scale")),
    "slots": (lambda net, x: net.slots.scale * x, lambda net: put(net.slots, "scale")),
    "object": (lambda net, x: net.plain.scale * x, lambda net: put(net.plain, "scale")),
    "method": (lambda net, x: net.method(x), lambda net: put(net.plain, "scale")),
    "array": (lambda net, x: net.array * x, lambda net: refill(net.array)),
    "array in a dict": (lambda net, x: net.arrays["mask"] * x, lambda n: refill(n.arrays["mask"])),
    "array of objects": (
        lambda net, x: net.objects[0] * x,
        lambda net: net.objects.__setitem__(0, 3.0),
    ),
    "sign of zero": (zero_sign, lambda net: put(net, "zero", -0.0)),
    "closure": (lambda net, x: net.closure(x), lambda net: net.cell.__setitem__(0, 3.0)),
    "partial": (lambda net, x: net.partial(x), lambda net: net.partial.keywords.update(other=3.0)),
    "defaults": (lambda net, x: net.function(x), set_defaults),
    "keyword defaults": (
        lambda net, x: net.function(x),
        lambda net: helper.__kwdefaults__.update(other=3.0),
    ),
    "code": (lambda net, x: net.function(x), set_code),
    "global": (lambda net, x: SCALE * x, lambda net: set_global(3.0)),
    "global of a function": (lambda net, x: uses_global_of(x), lambda net: set_global(3.0)),
    "property": (lambda net, x: net.scale * x, lambda net: set_global(3.0)),
    "global dict": (lambda net, x: TABLE["scale"] * x, lambda net: TABLE.update(scale=3.0)),
    "list in a global": (
        lambda net, x: TABLE["inner"][0] * x,
        lambda net: TABLE["inner"].__setitem__(0, 3.0),
    ),
    "global array": (lambda net, x: ARRAY[:2] * x, lambda net: refill(ARRAY)),
    "module": (lambda net, x: settings.scale * x, lambda net: put(settings, "scale")),
    "module in a module": (
        lambda net, x: settings.inner.scale * x,
        lambda net: put(settings.inner, "scale"),
    ),
    "name in a text": (
        lambda net, x: getattr(settings, "scale") * globals()["SCALE"] * x,  # noqa: B009
        lambda net: set_global(3.0),
    ),
    "frame": (
        lambda net, x: net.frame.to_numpy()[0] * x if net.frame is not None else net.number * x,
        lambda net: change_frame(net),
    ),
    "class attribute": (lambda net, x: net.rate * x, set_rate),
    "another class": (lambda net, x: net.scaled(x), set_config),
    "layer": (lambda net, x: net.layer(x), lambda net: put(net, "layer", nn.Activation("tanh"))),
    "options": (
        lambda net, x: net.elu(x),
        lambda net: net.elu.options.update(alpha=3.0),
    ),
    "another function": (
        lambda net, x: net.layer(x),
        lambda net: put(net.layer, "function", nn.tanh),
    ),
    "own forward": (lambda net, x: net.layer(x), lambda net: put(net.layer, "forward", nn.tanh)),
    "frozen": (lambda net, x: x, lambda net: put(net.linear.bias, "requires_grad", False)),
}


CODE = helper.__code__


@pytest.fixture(autouse=True)
def reset():
    """Puts back what cases change outside of their models, afterwards and when called."""

    def put_back():
        set_global(1.0)
        Net.rate = Config.scale = settings.scale = settings.inner.scale = 1.0
        helper.__defaults__, helper.__code__ = (1.0,), CODE
        helper.__kwdefaults__.update(other=1.0)
        TABLE.update(scale=1.0, inner=[1.0])
        ARRAY[...] = 1.0

    yield put_back
    put_back()


X = np.random.default_rng(0).normal(size=(8, 3))
Y = np.random.default_rng(1).normal(size=(8, 2))


class Change(nn.Callback):
    """Calls a function after the first epoch."""

    def __init__(self, change):
        self.change = change

    def after_epoch(self, run):
        if len(run.history) == 1:
            self.change(run.model)


def trained(model, change, *, compile, within, loss=nn.mse, optimizer=nn.SGD):
    """The numbers after four epochs, and something changed after the first of them."""
    optimizer = optimizer(model.parameters(), 0.01)
    options = {"loss": loss, "optimizer": optimizer, "batch_size": 4, "progress": False}
    options |= {"compile": compile}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if within:
            nn.fit(model, X, Y, epochs=4, callbacks=Change(change), rng=0, **options)
        else:
            rng = np.random.default_rng(0)
            nn.fit(model, X, Y, epochs=1, rng=rng, **options)
            change(model)
            nn.fit(model, X, Y, epochs=3, rng=rng, **options)
    return np.concatenate([p.data.ravel() for p in model.parameters()])


@pytest.mark.parametrize("within", [True, False], ids=["between epochs", "between fits"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_forward_reads(kind, within, reset):
    def numbers(compile, change):
        reset()
        return trained(Net(kind), change, compile=compile, within=within)

    as_it_is = numbers(False, KINDS[kind][1])
    np.testing.assert_allclose(numbers(True, KINDS[kind][1]), as_it_is, rtol=1e-12)
    unchanged = numbers(False, lambda net: None)
    assert not np.allclose(as_it_is, unchanged, rtol=1e-3), "the case changes nothing"


HELD = OBJECTS | WRITTEN_IN_C


class Holds(nn.Module):
    """A linear map, scaled by what an object of the standard library holds."""

    def __init__(self, kind):
        self.linear, self.kind, self.held = nn.Linear(3, 2, rng=0), kind, HELD[kind].make()

    def forward(self, x):
        return HELD[self.kind].read(self.held) * self.linear(x)


@pytest.mark.parametrize("kind", HELD)
def test_settings_in_objects_of_the_standard_library(kind):
    def numbers(compile):
        change = HELD[kind].change
        return trained(Holds(kind), lambda m: change(m.held), compile=compile, within=True)

    np.testing.assert_allclose(numbers(True), numbers(False), rtol=1e-12)


@pytest.mark.parametrize("kind", HELD)
def test_a_fingerprint_stays_as_long_as_such_an_object_does(kind):
    held = HELD[kind].make()
    before = fingerprint(held)
    assert before == fingerprint(held)
    HELD[kind].change(held)
    assert before != fingerprint(held)


class Weighted:
    """A loss with an attribute."""

    def __init__(self):
        self.scale = 1.0

    def __call__(self, outputs, targets):
        return self.scale * nn.mse(outputs, targets)


def partial_loss():
    options = {"delta": 1.0}
    return functools.partial(nn.huber, **options)


def closure_loss():
    scales = [1.0]

    def loss(outputs, targets):
        return scales[0] * nn.mse(outputs, targets)

    loss.scales = scales
    return loss


def rebinding_loss():
    scale = 1.0

    def loss(outputs, targets):
        return scale * nn.mse(outputs, targets)

    def rebind():
        nonlocal scale
        scale = 3.0

    loss.rebind = rebind
    return loss


def global_loss(outputs, targets):
    return TABLE["scale"] * nn.mse(outputs, targets)


LOSSES = {
    "object": (Weighted, lambda loss: put(loss, "scale")),
    "partial": (partial_loss, lambda loss: loss.keywords.update(delta=0.3)),
    "closure": (closure_loss, lambda loss: loss.scales.__setitem__(0, 3.0)),
    "rebound": (rebinding_loss, lambda loss: loss.rebind()),
    "global": (lambda: global_loss, lambda loss: TABLE.update(scale=3.0)),
}


@pytest.mark.parametrize("within", [True, False], ids=["between epochs", "between fits"])
@pytest.mark.parametrize("kind", LOSSES)
def test_what_a_loss_reads(kind, within, reset):
    make, change = LOSSES[kind]

    def numbers(compile, change):
        reset()
        loss, model = make(), nn.Linear(3, 2, rng=0)
        return trained(model, lambda _: change(loss), compile=compile, within=within, loss=loss)

    as_it_is = numbers(False, change)
    np.testing.assert_allclose(numbers(True, change), as_it_is, rtol=1e-12)
    assert not np.allclose(as_it_is, numbers(False, lambda _: None), rtol=1e-3)


@pytest.mark.parametrize("name", ["scale", "table"])
def test_what_an_update_reads(name, reset):
    class Scaled(nn.Optimizer):
        scale = 1.0

        def update(self, data, g, state, hyperparameters):
            return data - hyperparameters.learning_rate * self.scale * TABLE["scale"] * g, {}

    def numbers(compile):
        reset()
        model, made = nn.Linear(3, 2, rng=0), []

        def make(*arguments):
            made.append(Scaled(*arguments))
            return made[0]

        def change(_):
            if name == "scale":
                made[0].scale = 3.0
            else:
                TABLE["scale"] = 3.0

        return trained(model, change, compile=compile, within=True, optimizer=make)

    np.testing.assert_allclose(numbers(True), numbers(False), rtol=1e-12)


class Masked(nn.Module):
    """Refills a plain array of its own in each call."""

    def __init__(self):
        self.linear = nn.Linear(3, 2, rng=0)
        self.mask = np.zeros(3)

    def forward(self, x):
        self.mask[...] = np.abs(ag.stop_gradient(x)).mean(axis=0) > 0.7
        return self.linear(x * self.mask)


def test_a_mask_that_forward_refills():
    def numbers(compile):
        optimizer_of, model = nn.SGD, Masked()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            nn.fit(
                model, X, Y, loss="mse", optimizer=optimizer_of(model, 0.1), batch_size=2,
                epochs=8, rng=0, compile=compile, progress=False,
            )  # fmt: skip
        return [p.data for p in model.parameters()], [w.category for w in caught]

    ours, warned = numbers(True)
    plain, _ = numbers(False)
    assert warned == [nn.CompileWarning]
    for mine, other in zip(ours, plain, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-12)


@pytest.mark.parametrize("every", [1, 4])
def test_what_changes_within_an_epoch(every):
    class Batches(list):
        """Changes the model while it is trained on."""

        def __iter__(self):
            for number, batch in enumerate(list.__iter__(self)):
                model.options["scale"] = 1.0 + number // every
                yield batch

    def numbers(compile):
        nonlocal model
        model = Net("dict")
        batches = Batches([(X[:4], Y[:4]), (X[4:], Y[4:])] * 3)
        with warnings.catch_warnings():
            warnings.simplefilter("error" if every == 4 else "ignore", nn.CompileWarning)
            nn.fit(
                model, batches, loss="mse", optimizer=nn.SGD(model, 0.01), epochs=3,
                compile=compile, progress=False,
            )  # fmt: skip
        return model.linear.weight.data

    model = None
    np.testing.assert_allclose(numbers(True), numbers(False), rtol=1e-12)


def test_nothing_is_compiled_anew_as_long_as_nothing_changes():
    class Look(nn.Callback):
        programs = ()

        def after_epoch(self, run):
            self.programs = (*self.programs, run.step.compiled["step"])

    look, model = Look(), nn.Sequential(Net("nested"), nn.BatchNorm1d(2), nn.Dropout(0.1, rng=0))
    options = {"loss": closure_loss(), "optimizer": nn.Adam(model, 0.01), "progress": False}
    nn.fit(model, X, Y, epochs=3, callbacks=look, rng=0, batch_size=4, **options)
    nn.evaluate(model, X, Y, loss="mse")
    nn.fit(model, X, Y, epochs=2, callbacks=look, rng=0, batch_size=4, **options)
    assert len(look.programs) == 5
    assert all(program is look.programs[0] for program in look.programs)


# The fingerprint alone.


def test_a_fingerprint_looks_once_at_what_holds_itself():
    ring = {"numbers": [1.0]}
    ring["ring"] = ring
    model = nn.Linear(1, 1)
    model.ring, model.self = ring, model
    before = model.__fingerprint__()
    assert before == model.__fingerprint__()
    ring["numbers"].append(2.0)
    assert before != model.__fingerprint__()


def test_a_fingerprint_tells_types_and_keeps_what_it_compares():
    held = {"x": 1}
    before = fingerprint(held)
    for other in (True, 1.0, "1", np.float64(1.0), None, [1], (1,)):
        held["x"] = other
        assert fingerprint(held) != before
    held["x"] = 1
    assert fingerprint(held) == before
    held["x"] = held["y"] = 1
    assert fingerprint(held) != before


def test_a_fingerprint_of_a_mode_and_of_a_frozen_layer():
    model = nn.MLP(2, [3, 1]).train()
    before = model.__fingerprint__()
    assert model.eval().__fingerprint__() != before
    assert model.train().__fingerprint__() == before
    model[0].freeze()
    assert model.__fingerprint__() != before


def test_a_fingerprint_goes_to_any_depth():
    nested = last = [1.0]
    for _ in range(20_000):
        nested = [nested]
    before = fingerprint(nested)
    last[0] = 2.0
    assert fingerprint(nested) != before
    while nested is not last:  # taken apart here, for Python does so by recursion
        nested = nested[0]


weight = np.ones(3)


def test_a_global_that_is_called_like_an_attribute_is_not_looked_at():
    class Own(nn.Linear):
        def forward(self, x):
            return x @ self.weight

    assert not any(thing is weight for thing in Own(3, 2).__fingerprint__().found)
    assert repr(SCALE) in fingerprint(uses_global_of).found


def test_a_fingerprint_does_not_read_what_is_only_like_a_dict():
    from collections.abc import Mapping

    class File(Mapping):
        def __getitem__(self, name):
            raise OSError("it is far away")

        def __iter__(self):
            raise OSError("it is far away")

        def __len__(self):
            return 1

    model = nn.Linear(1, 1)
    model.file, model.read_only = File(), np.broadcast_to(np.float64(1.0), (10**12,))
    assert model.__fingerprint__() == model.__fingerprint__()


def test_a_fingerprint_does_not_open_what_others_have_made():
    pandas = pytest.importorskip("pandas")
    model = nn.Linear(1, 1)
    model.frame = pandas.DataFrame({"x": [1.0]})
    assert len(model.__fingerprint__().found) < 200
