"""Ways of keeping a number that a function reads, and of changing it."""

from __future__ import annotations

import dataclasses
import functools
import types
from collections import Counter, deque
from types import SimpleNamespace

import numpy as np

import autograd_lite as ag

WAYS = {}
"""By name: each makes a function, and what changes the number that it reads."""


def way(function):
    WAYS[function.__name__] = function
    return function


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


@way
def slots():
    thing = Slotted()
    return thing, lambda: setattr(thing, "rate", 5.0)


@way
def slots_captured():
    thing = Slotted()
    return (lambda x: x * thing.rate), lambda: setattr(thing, "rate", 5.0)


@way
def attribute_of_captured():
    thing = Scaled()
    return (lambda x: thing.helper(x)), lambda: setattr(thing, "rate", 5.0)


@way
def module():
    settings = types.ModuleType("settings")
    settings.RATE = 2.0
    return (lambda x: x * settings.RATE), lambda: setattr(settings, "RATE", 5.0)


@way
def function_in_dict():
    rate = [2.0]
    table = {"f": lambda x: x * rate[0]}
    return (lambda x: table["f"](x)), lambda: rate.__setitem__(0, 5.0)


@way
def replaced_function_in_dict():
    table = {"f": lambda x: x * 2.0}
    return (lambda x: table["f"](x)), lambda: table.update(f=lambda x: x * 5.0)


@way
def function_in_list():
    thing = Scaled()
    table = [thing.helper]
    return (lambda x: table[0](x)), lambda: setattr(thing, "rate", 5.0)


@way
def partial_argument():
    config = {"rate": 2.0}
    return functools.partial(lambda config, x: x * config["rate"], config), lambda: config.update(
        rate=5.0
    )


@way
def partial_keyword():
    config = SimpleNamespace(rate=2.0)
    return functools.partial(lambda x, config: x * config.rate, config=config), lambda: setattr(
        config, "rate", 5.0
    )


@way
def namespace():
    config = SimpleNamespace(inner=SimpleNamespace(rate=2.0))
    return (lambda x: x * config.inner.rate), lambda: setattr(config.inner, "rate", 5.0)


@way
def dataclass():
    @dataclasses.dataclass
    class Config:
        rate: float = 2.0

    config = Config()
    return (lambda x: x * config.rate), lambda: setattr(config, "rate", 5.0)


@way
def regrouped():
    config = {"a": [None, 2.0]}
    return (
        lambda x: x * (config["a"][1] or 1.0) if config["a"][0] is None else -x
    ), lambda: config.update(a=[2.0, None])


@way
def zero_to_minus_zero():
    zero = [0.0]
    return (lambda x: np.copysign(x, zero[0])), lambda: zero.__setitem__(0, -0.0)


@way
def zero_of_closure():
    zero = 0.0

    def change():
        nonlocal zero
        zero = -0.0

    return (lambda x: np.copysign(x, zero)), change


@way
def true_to_one():
    flag = [True]
    return (lambda x: x if flag[0] is True else -x), lambda: flag.__setitem__(0, 1)


@way
def elements_of_a_set():
    chosen = {0, 1}
    return (lambda x: x * len(chosen)), lambda: chosen.add(7)


@way
def counter():
    counts = Counter(a=2)
    return (lambda x: x * counts["a"]), lambda: counts.update(a=3)


@way
def default_dict_like():
    table = {"rate": {"now": 2.0}}
    return (lambda x: x * table["rate"]["now"]), lambda: table["rate"].update(now=5.0)


@way
def in_deque():
    queue = deque([2.0], maxlen=1)
    return (lambda x: x * queue[0]), lambda: queue.append(5.0)


@way
def keyword_default():
    def f(x, *, rate=2.0):
        return x * rate

    return f, lambda: f.__kwdefaults__.update(rate=5.0)


@way
def default():
    def f(x, rate=2.0):
        return x * rate

    return f, lambda: setattr(f, "__defaults__", (5.0,))


@way
def function_attribute():
    def f(x):
        return x * f.rate

    f.rate = 2.0
    return f, lambda: setattr(f, "rate", 5.0)


@way
def code_of_helper():
    def helper(x):
        return x * 2.0

    return (lambda x: helper(x)), lambda: setattr(helper, "__code__", (lambda x: x * 5.0).__code__)


@way
def method_of_class():
    class Thing:
        def scale(self, x):
            return x * 2.0

    thing = Thing()
    return (lambda x: thing.scale(x)), lambda: setattr(Thing, "scale", lambda self, x: x * 5.0)


@way
def operator_of_class():
    class Thing:
        def __rmul__(self, x):
            return x * 2.0

        __array_ufunc__ = None

    thing = Thing()
    return (lambda x: x * thing), lambda: setattr(Thing, "__rmul__", lambda self, x: x * 5.0)


@way
def call_of_class():
    class Thing:
        def __call__(self, x):
            return x * 2.0

    thing = Thing()
    return (lambda x: thing(x)), lambda: setattr(Thing, "__call__", lambda self, x: x * 5.0)


@way
def object_in_a_list():
    things = [Scaled(), Scaled()]
    return (lambda x: sum(thing.helper(x) for thing in things)), lambda: setattr(
        things[1], "rate", 5.0
    )


@way
def array_attribute():
    thing = SimpleNamespace(w=np.ones(3))
    return (lambda x: x * thing.w), lambda: thing.w.__setitem__(slice(None), 5.0)


@way
def array_attribute_rebound():
    thing = SimpleNamespace(w=np.ones(3))
    return (lambda x: x * thing.w), lambda: setattr(thing, "w", np.full(3, 5.0))


@way
def class_changed():
    thing = Scaled()
    return (lambda x: thing.helper(x)), lambda: setattr(thing, "__class__", Child)


@way
def appended_list():
    factors = [2.0]
    return (lambda x: x * sum(factors)), lambda: factors.append(3.0)


@way
def requires_grad():
    w = ag.Value(2.0)
    return (lambda x: ag.grad(lambda v: np.sum(v * w * w))(x)), lambda: setattr(w, "data", 5.0)
