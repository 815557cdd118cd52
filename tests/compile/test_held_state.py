"""State that a function reads besides its arguments, changed between calls."""

from __future__ import annotations

import dataclasses
import functools
import logging
import sys
import types
from collections import Counter, deque
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
import nn
from autograd_lite.transforms.captures import Captured
from autograd_lite.transforms.packages import is_installed
from tests.compile.held import X, check_held
from tests.standard_objects import OBJECTS


def at(n, action):
    """A change that is made before the n-th call."""

    def change(number):
        if number == n:
            action()

    return change


class Scaled:
    factor = 2.0

    def __init__(self):
        self.rate = 2.0

    def helper(self, x):
        return self.rate * x

    @property
    def doubled(self):
        return 2 * self.rate

    def through_helper(self, x):
        return self.helper(x)

    def through_property(self, x):
        return self.doubled * x

    def through_getattr(self, x):
        return getattr(self, "ra" + "te") * x

    def through_dict(self, x):
        return vars(self)["rate"] * x + self.__dict__["rate"]

    def through_class(self, x):
        return type(self).factor * x

    def through_class_attribute(self, x):
        return self.factor * x


class Child(Scaled):
    def helper(self, x):
        return super().helper(x) + 1


class Slotted:
    __slots__ = ("rate",)

    def __init__(self):
        self.rate = 2.0

    def __call__(self, x):
        return x * self.rate


@pytest.mark.parametrize("when", [2, 3, 4, 6])
@pytest.mark.parametrize(
    "method", ["through_helper", "through_property", "through_getattr", "through_dict"]
)
@pytest.mark.parametrize("cls", [Scaled, Child])
def test_attributes(cls, method, when):
    def make():
        thing = cls()
        return getattr(thing, method), at(when, lambda: setattr(thing, "rate", 5.0))

    check_held(make, (X,), refused_from=when)


@pytest.mark.parametrize("when", [2, 3, 6])
@pytest.mark.parametrize("method", ["through_class", "through_class_attribute"])
def test_class_attributes(method, when):
    def make():
        cls = type("Fresh", (Scaled,), {"factor": 2.0})
        return getattr(cls(), method), at(when, lambda: setattr(cls, "factor", 5.0))

    check_held(make, (X,), refused_from=when)


def state(when):
    """Ways of keeping a number, and of changing it."""

    def slots():
        thing = Slotted()
        return thing, lambda: setattr(thing, "rate", 5.0)

    def slots_captured():
        thing = Slotted()
        return (lambda x: x * thing.rate), lambda: setattr(thing, "rate", 5.0)

    def attribute_of_captured():
        thing = Scaled()
        return (lambda x: thing.helper(x)), lambda: setattr(thing, "rate", 5.0)

    def module():
        settings = types.ModuleType("settings")
        settings.RATE = 2.0
        return (lambda x: x * settings.RATE), lambda: setattr(settings, "RATE", 5.0)

    def function_in_dict():
        rate = [2.0]
        table = {"f": lambda x: x * rate[0]}
        return (lambda x: table["f"](x)), lambda: rate.__setitem__(0, 5.0)

    def replaced_function_in_dict():
        table = {"f": lambda x: x * 2.0}
        return (lambda x: table["f"](x)), lambda: table.update(f=lambda x: x * 5.0)

    def function_in_list():
        thing = Scaled()
        table = [thing.helper]
        return (lambda x: table[0](x)), lambda: setattr(thing, "rate", 5.0)

    def partial_argument():
        config = {"rate": 2.0}
        return functools.partial(
            lambda config, x: x * config["rate"], config
        ), lambda: config.update(rate=5.0)

    def partial_keyword():
        config = SimpleNamespace(rate=2.0)
        return functools.partial(lambda x, config: x * config.rate, config=config), lambda: setattr(
            config, "rate", 5.0
        )

    def namespace():
        config = SimpleNamespace(inner=SimpleNamespace(rate=2.0))
        return (lambda x: x * config.inner.rate), lambda: setattr(config.inner, "rate", 5.0)

    def dataclass():
        @dataclasses.dataclass
        class Config:
            rate: float = 2.0

        config = Config()
        return (lambda x: x * config.rate), lambda: setattr(config, "rate", 5.0)

    def regrouped():
        config = {"a": [None, 2.0]}
        return (
            lambda x: x * (config["a"][1] or 1.0) if config["a"][0] is None else -x
        ), lambda: config.update(a=[2.0, None])

    def zero_to_minus_zero():
        zero = [0.0]
        return (lambda x: np.copysign(x, zero[0])), lambda: zero.__setitem__(0, -0.0)

    def zero_of_closure():
        zero = 0.0

        def change():
            nonlocal zero
            zero = -0.0

        return (lambda x: np.copysign(x, zero)), change

    def true_to_one():
        flag = [True]
        return (lambda x: x if flag[0] is True else -x), lambda: flag.__setitem__(0, 1)

    def elements_of_a_set():
        chosen = {0, 1}
        return (lambda x: x * len(chosen)), lambda: chosen.add(7)

    def counter():
        counts = Counter(a=2)
        return (lambda x: x * counts["a"]), lambda: counts.update(a=3)

    def default_dict_like():
        table = {"rate": {"now": 2.0}}
        return (lambda x: x * table["rate"]["now"]), lambda: table["rate"].update(now=5.0)

    def in_deque():
        queue = deque([2.0], maxlen=1)
        return (lambda x: x * queue[0]), lambda: queue.append(5.0)

    def keyword_default():
        def f(x, *, rate=2.0):
            return x * rate

        return f, lambda: f.__kwdefaults__.update(rate=5.0)

    def default():
        def f(x, rate=2.0):
            return x * rate

        return f, lambda: setattr(f, "__defaults__", (5.0,))

    def function_attribute():
        def f(x):
            return x * f.rate

        f.rate = 2.0
        return f, lambda: setattr(f, "rate", 5.0)

    def code_of_helper():
        def helper(x):
            return x * 2.0

        return (lambda x: helper(x)), lambda: setattr(
            helper, "__code__", (lambda x: x * 5.0).__code__
        )

    def method_of_class():
        class Thing:
            def scale(self, x):
                return x * 2.0

        thing = Thing()
        return (lambda x: thing.scale(x)), lambda: setattr(Thing, "scale", lambda self, x: x * 5.0)

    def operator_of_class():
        class Thing:
            def __rmul__(self, x):
                return x * 2.0

            __array_ufunc__ = None

        thing = Thing()
        return (lambda x: x * thing), lambda: setattr(Thing, "__rmul__", lambda self, x: x * 5.0)

    def call_of_class():
        class Thing:
            def __call__(self, x):
                return x * 2.0

        thing = Thing()
        return (lambda x: thing(x)), lambda: setattr(Thing, "__call__", lambda self, x: x * 5.0)

    def object_in_a_list():
        things = [Scaled(), Scaled()]
        return (lambda x: sum(thing.helper(x) for thing in things)), lambda: setattr(
            things[1], "rate", 5.0
        )

    def array_attribute():
        thing = SimpleNamespace(w=np.ones(3))
        return (lambda x: x * thing.w), lambda: thing.w.__setitem__(slice(None), 5.0)

    def array_attribute_rebound():
        thing = SimpleNamespace(w=np.ones(3))
        return (lambda x: x * thing.w), lambda: setattr(thing, "w", np.full(3, 5.0))

    def class_changed():
        thing = Scaled()
        return (lambda x: thing.helper(x)), lambda: setattr(thing, "__class__", Child)

    def appended_list():
        factors = [2.0]
        return (lambda x: x * sum(factors)), lambda: factors.append(3.0)

    def requires_grad():
        w = ag.Value(2.0)
        return (lambda x: ag.grad(lambda v: np.sum(v * w * w))(x)), lambda: setattr(w, "data", 5.0)

    return [thing for thing in locals().values() if callable(thing)]


@pytest.mark.parametrize("when", [2, 3, 4, 6])
@pytest.mark.parametrize("kind", state(0), ids=lambda kind: kind.__name__)
def test_state_of_all_kinds(kind, when):
    def make():
        function, action = kind()
        return function, at(when, action)

    check_held(make, (X,), refused_from=when)


@pytest.mark.parametrize("when", [2, 3, 6])
@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.eval(),
        lambda model: setattr(model[2], "weight", nn.Parameter(np.ones((4, 1)))),
        lambda model: (
            model.layers.append(nn.Activation("tanh"))
            if isinstance(model.layers, list)
            else setattr(model, "layers", (*model.layers, nn.Activation("tanh")))
        ),
        lambda model: setattr(model[1], "training", False),
        lambda model: setattr(model[1], "p", 0.9) if hasattr(model[1], "p") else None,
        lambda model: setattr(model[0].weight, "data", np.full((3, 4), 0.25)),
    ],
)
def test_models(change, when):
    def make():
        model = nn.Sequential(
            nn.Linear(3, 4, rng=np.random.default_rng(0)),
            nn.Dropout(0.5, rng=np.random.default_rng(1)),
            nn.Linear(4, 1, rng=np.random.default_rng(2)),
        )
        return (lambda x: model(x)), at(when, lambda: change(model))

    check_held(make, (np.arange(6.0).reshape(2, 3),), refused_from=when)


def test_what_is_watched_of_a_model_is_its_layers_and_no_code_of_ours():
    """Of two layers it were 747 places once, which took longer to compare than the layers ran."""

    def places(count):
        layers = [nn.Linear(3, 3, rng=np.random.default_rng(i)) for i in range(count)]
        model = nn.Sequential(*layers)
        compiled = ag.compile(lambda x: model(x))
        compiled(np.ones((2, 3)))
        return len(Captured([compiled.function]).guards.places)

    two, four = places(2), places(4)
    assert two < 100
    assert four - two < 80


@pytest.mark.parametrize("when", [2, 3])
def test_a_layer_of_ones_own(when):
    def make():
        class Scale(nn.Module):
            rate = 2.0

            def forward(self, x):
                return x * self.rate

        layer = Scale()
        return (lambda x: layer(x)), at(when, lambda: setattr(Scale, "forward", Scaled.helper))

    check_held(make, (X,), refused_from=when)


@pytest.mark.parametrize("when", [2, 3, 6])
def test_options_of_activations(when):
    def make():
        activation = nn.Activation("leaky_relu")
        return (lambda x: activation(x)), at(when, lambda: activation.options.update(slope=0.5))

    check_held(make, (X - 2,), refused_from=when)


def test_tables_of_pandas():
    pandas = pytest.importorskip("pandas")

    def make():
        table = pandas.DataFrame({"a": [1.0, 2.0, 3.0]})
        return (lambda x: x * table["a"].to_numpy()), at(4, lambda: table.update({"a": [9.0] * 3}))

    assert "captures has changed" in check_held(make, (X,), refused_from=4)


def test_what_no_guard_sees_is_an_error_by_the_next_power_of_two(tmp_path):
    path = Path(tmp_path) / "rate"

    def f(x):
        return x * float(path.read_text("utf-8"))

    path.write_text("2.0", "utf-8")
    compiled = ag.compile(f)
    for _ in range(5):
        np.testing.assert_array_equal(compiled(X), 2 * X)
    path.write_text("3.0", "utf-8")
    np.testing.assert_array_equal(compiled(X), 2 * X)
    np.testing.assert_array_equal(compiled(X), 2 * X)
    with pytest.raises(ag.CompileError, match="call 8"):
        compiled(X)
    unchecked = ag.compile(f, check=False)
    for _ in range(20):
        unchecked(X)


def test_equal_data_in_two_calls_cannot_hide_a_leak():
    def make():
        seen = []

        def f(x):
            seen.append(np.asarray(X).copy())
            return x * memo(x)

        def memo(x):
            return leak(x)

        return f

    def leak(x):
        node = object.__getattribute__(x, "node") if isinstance(x, ag.Value) else None
        return float(np.sum(x if node is None else node.data))

    check_held(make, (X,), (X,), (2 * X,))


# Arrays that are written after their use (constants by reference).


@pytest.mark.parametrize(
    "use",
    [
        lambda x, k: x * k,
        lambda x, k: x[k.astype(int) - 1] * 1.0,
        lambda x, k: np.where(k > 1, x, 0.0),
        lambda x, k: np.stack([x, k]),
        lambda x, k: x @ np.outer(k, k),
        lambda x, k: np.sum(x, where=k > 1),
    ],
)
def test_arrays_written_after_their_use(use):
    def make():
        def f(x):
            k = np.ones(3)
            y = use(x, k)
            k[:] = 2
            return y, use(x, k)

        return f

    check_held(make, (X,))


# Why programs are made.


def test_stats_say_why_each_program_was_made():
    compiled = ag.compile(lambda x, n: x[:n] * 2)
    for x, n in ((X, 2), (X, 3), (X, 2), (X.astype(np.float32), 2)):
        compiled(x, n)
    assert compiled.stats.programs == 3
    assert compiled.stats.reasons == (
        "it was called for the first time",
        "n was 2 and is 3",
        "x was float64[3] and is float32[3]",
    )
    compiled.clear()
    compiled(X, 1)
    assert compiled.stats.reasons == ("it was cleared",)


def test_a_program_for_every_call_is_warned_of_once():
    compiled = ag.compile(lambda x, n: x * n)
    for n in range(8):
        compiled(X, n)
    with pytest.warns(ag.RecompileWarning, match="the argument 'n' changes from call to call"):
        compiled(X, 8)
    for n in range(9, 30):
        compiled(X, n)
    lengths = ag.compile(np.sum)
    with pytest.warns(ag.RecompileWarning, match=r"was float64\[8\] and is float64\[9\]") as found:
        for n in range(1, 12):
            lengths(np.ones(n))
    assert [w.filename for w in found] == [__file__]
    alternating = ag.compile(lambda x: x * 2)
    for n in range(1, 30):  # each of them is used again
        for _ in range(2):
            alternating(np.ones(n))


# Spaced verification.

SCALE = logging.getLogger("scale of a test")
"""What holds a number that no guard watches."""


def test_verification_repeats_draws_and_leaves_the_stream_as_it_is():
    rng, same = np.random.default_rng(0), np.random.default_rng(0)
    noisy = ag.compile(lambda x: x + ag.random.normal(rng, 0.0, 1.0, x.shape))
    for _ in range(20):
        np.testing.assert_array_equal(noisy(X), X + same.normal(0.0, 1.0, 3))


@pytest.mark.parametrize("way", ["captured", "given", "in a loop"])
def test_verification_sees_changes_beside_draws(way):
    rng, same = np.random.default_rng(0), np.random.default_rng(0)

    def noise(rng):
        if way == "in a loop":
            return ag.scan(lambda c, _: (c + ag.random.normal(rng), None), 0.0, length=3)[0]
        return ag.random.uniform(rng, size=3)

    def scaled(x, rng=rng):
        return x * noise(rng) * float(SCALE.getEffectiveLevel())

    given = [] if way == "captured" else [rng]
    SCALE.setLevel(1)
    compiled = ag.compile(scaled)
    for _ in range(2):
        np.testing.assert_allclose(compiled(X, *given), scaled(X, same))
    SCALE.setLevel(2)
    compiled(X, *given)
    with pytest.raises(ag.CompileError, match=r"at call 4 .* does not compute what the function"):
        compiled(X, *given)


def test_verification_does_not_write_to_what_is_donated_or_passed():
    step = ag.compile(lambda w, g: w - 0.1 * g, donate=0)
    w, g, right = np.ones(3), np.arange(3.0), np.ones(3)
    for _ in range(20):
        assert step(w, g) is w
        right = right - 0.1 * g
        np.testing.assert_allclose(w, right)
    np.testing.assert_array_equal(g, np.arange(3.0))


@pytest.mark.parametrize("call", [1, 4, 8])
@pytest.mark.parametrize("way", ["argument", "captured"])
def test_what_is_written_over_hides_no_difference(way, call):
    """A large step: how far rounding goes was measured from where the step had led."""
    SCALE.setLevel(2 if call == 1 else 1)

    def scale(x):
        return float(SCALE.getEffectiveLevel()) if call > 1 or isinstance(x, ag.Value) else 1.0

    w, rng = ag.Value(np.ones(3)), np.random.default_rng(0)

    def moved(w, x, rng):
        return w - 0.5 * scale(x) * np.sum(x * w) * ag.random.random(rng, (3,))

    if way == "captured":
        compiled = ag.compile(lambda x, rng: moved(w, x, rng), donate=w)
        given = []
    else:
        compiled, given = ag.compile(moved, donate=0), [w.data]
    for _ in range(1, call):
        compiled(*given, X, rng)
    before, draws = w.data.copy(), rng.bit_generator.state
    SCALE.setLevel(2)
    with pytest.raises(ag.CompileError, match=f"at call {call} .* does not compute what"):
        compiled(*given, X, rng)
    np.testing.assert_array_equal(w.data, before)
    assert rng.bit_generator.state == draws


def test_rounding_that_grows_is_no_difference():
    """The logistic map doubles a difference at each step: after 60 the digits are others."""

    def chaotic(x):
        for _ in range(60):
            x = 3.999 * x * (1 - x)
        return x

    compiled = ag.compile(lambda x: chaotic(x / 3 + 0.1))
    for _ in range(9):
        compiled(np.linspace(0.1, 0.9, 7))
    cancelling = ag.compile(lambda x: np.sum(x - np.mean(x)))
    for k in range(9):
        cancelling(np.linspace(0.1, 0.9 + k, 1000))


def test_large_functions_are_traced_again_instead(monkeypatch):
    def deep(x):
        for _ in range(40):
            x = np.sin(x)
        return x

    def forbidden(*args):
        raise MemoryError

    monkeypatch.setattr("autograd_lite.compiler.api.outcome_of", forbidden)
    monkeypatch.setattr("autograd_lite.compiler.executable.MOST_VERIFIED", 10_000)
    compiled = ag.compile(deep)
    for _ in range(5):
        compiled(np.ones(100))
    with pytest.raises(MemoryError):
        compiled(np.ones(3))


@pytest.mark.parametrize("kind", OBJECTS)
def test_settings_in_objects_of_the_standard_library(kind):
    held, read = OBJECTS[kind].make(), OBJECTS[kind].read
    scaled = ag.compile(lambda x: read(held) * np.sum(x))
    assert float(scaled(np.ones(2))) == 2.0
    OBJECTS[kind].change(held)
    try:
        assert float(scaled(np.ones(2))) == 6.0
    except ag.CompileError as error:
        assert "has changed" in str(error)


def test_a_script_that_an_installed_program_runs_is_the_users(monkeypatch: Any) -> None:
    """Of packages the globals are taken to stay as they are; profilers run scripts."""
    monkeypatch.setitem(sys.modules, "__main__", pytest)
    is_installed.cache_clear()
    names: dict[str, Any] = {"__name__": "__main__"}
    exec("RATE = 2.0\n\ndef scaled(x):\n    return x * RATE", names)
    compiled = ag.compile(names["scaled"])
    for _ in range(2):
        np.testing.assert_array_equal(compiled(np.ones(2)), np.full(2, 2.0))
    names["RATE"] = 3.0
    with pytest.raises(ag.CompileError, match="RATE"):
        compiled(np.ones(2))
