"""What a module holds is trained and saved, wherever it is held; or it is refused."""

from __future__ import annotations

from collections import OrderedDict, UserDict, UserList, deque
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
import nn

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(20, 3)), RNG.normal(size=(20, 3))


class Net(nn.Sequential):
    """A Sequential with parts of its own, used in its own forward."""

    def __init__(self):
        super().__init__(nn.Linear(3, 3, rng=0), "tanh")
        self.head = nn.Linear(3, 3, rng=1)
        self.scale = nn.Parameter(np.ones(3))

    def forward(self, x):
        return self.head(super().forward(x)) * self.scale


class Scaled(nn.MLP):
    def __init__(self):
        super().__init__(3, [4, 3], rng=0)
        self.scale = nn.Parameter(np.ones(3))

    def forward(self, x):
        return super().forward(x) * self.scale


CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "deque": deque,
    "UserList": UserList,
    "dict": lambda parts: {"a": parts[0], "b": [parts[1]]},
    "OrderedDict": lambda parts: OrderedDict(a=parts[0], b=parts[1]),
    "UserDict": lambda parts: UserDict(a=parts[0], b=parts[1]),
    "proxy": lambda parts: MappingProxyType({"a": parts[0], "b": parts[1]}),
    "nested": lambda parts: deque([(parts[0], {"x": deque([parts[1]])})]),
}


class Holder(nn.Module):
    def __init__(self, parts, kept):
        self.kept = kept
        vars(self)["used"] = lambda: parts

    def forward(self, x):
        for part in self.used():
            x = part(x)
        return x


def trained(model):
    """The names of the parameters that `fit` changes."""
    before = model.state_dict()
    nn.fit(model, X, Y, loss="mse", epochs=1, rng=0, progress=False, compile=False)
    return [name for name, array in model.state_dict().items() if (array != before[name]).any()]


@pytest.mark.parametrize("make", [Net, Scaled])
def test_what_a_subclass_of_sequential_adds_is_trained_and_saved(tmp_path, make):
    model = make()
    names = [name for name, _ in model.named_parameters()]
    assert "scale" in names
    assert trained(model) == names
    nn.save(model, tmp_path / "model.npz")
    twin = nn.load(tmp_path / "model.npz", classes=[make])
    np.testing.assert_array_equal(nn.predict(twin, X), nn.predict(model, X))
    assert repr(twin) == repr(model)


@pytest.mark.parametrize("name", CONTAINERS)
def test_modules_in_every_sequence_and_mapping_are_trained(name):
    parts = [nn.Linear(3, 3, rng=0), nn.Linear(3, 3, rng=1)]
    model = Holder(parts, CONTAINERS[name](parts))
    assert [p for _, p in model.named_parameters()] == [p for m in parts for p in m.parameters()]
    assert len(trained(model)) == 4


@dataclass
class Pair:
    first: Any
    second: Any


@pytest.mark.parametrize(
    "value",
    [
        {nn.Linear(3, 3)},
        frozenset([nn.Parameter(1.0)]),
        Pair(1, nn.Linear(3, 3)),
        SimpleNamespace(layers=[nn.Linear(3, 3)]),
        np.array([nn.Linear(3, 3), None]),
    ],
    ids=["set", "frozenset", "dataclass", "namespace", "array"],
)
def test_modules_where_they_are_not_found_are_refused_at_assignment(value):
    model = nn.Linear(3, 3)
    with pytest.raises(ag.ArgumentTypeError) as error:
        model.parts = value
    assert str(error.value) == (
        f"Linear.parts is {type(value).__name__} that holds modules or parameters, which are not "
        "found in there; use a list, a tuple or a dict"
    )
    assert not hasattr(model, "parts")


@pytest.mark.parametrize(
    "value", [{1, 2}, Pair(1, "a"), SimpleNamespace(rate=0.1), range(10**12), np.array([None, 1])]
)
def test_other_attributes_are_nobodys_business(value):
    model = nn.Linear(3, 3)
    model.note = value
    assert model.note is value
    assert len(model.parameters()) == 2


@pytest.mark.parametrize("value", [np.ones((3, 3)), 1.0, [1.0, 2.0]])
def test_what_is_no_parameter_does_not_take_the_place_of_one(value):
    model = nn.Linear(3, 3, rng=0)
    before = model.weight
    with pytest.raises(ag.ArgumentTypeError) as error:
        model.weight = value
    assert str(error.value) == (
        f"Linear.weight is a Parameter, and {type(value).__name__} is none, so it would not be "
        "trained; write .weight = nn.Parameter(...), or put the numbers into .weight.data[...]"
    )
    assert model.weight is before
    model.weight = nn.Parameter(np.ones((3, 3)))
    model.bias = None
    assert [name for name, _ in model.named_parameters()] == ["weight"]
