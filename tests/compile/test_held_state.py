"""State that a function reads besides its arguments, changed between calls."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
import nn
from autograd_lite.transforms.captures import Captured
from autograd_lite.transforms.packages import is_installed
from tests.compile.held import X, check_held
from tests.compile.ways_of_holding import WAYS, Child, Scaled
from tests.standard_objects import OBJECTS


def at(n, action):
    """A change that is made before the n-th call."""

    def change(number):
        if number == n:
            action()

    return change


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


@pytest.mark.parametrize("when", [2, 3, 4, 6])
@pytest.mark.parametrize("kind", WAYS)
def test_state_of_all_kinds(kind, when):
    def make():
        function, action = WAYS[kind]()
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
