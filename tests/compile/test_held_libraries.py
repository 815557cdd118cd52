"""What is read of objects of other libraries is watched, or refused by name."""

from __future__ import annotations

import array
import contextlib
import enum
import functools
import itertools
import os
import queue
import statistics
import string
import sys
import threading
import time
import types
import weakref

import numpy as np
import pytest

import autograd_lite as ag
from tests.compile.held import X, check_held

pytestmark = pytest.mark.filterwarnings("ignore")

TIMES = 3.0
"""A number that functions read which other libraries call."""


def changed(make, read, change, when=6):
    """A refusal where what a function reads changes at a call at which it is not run itself."""

    def once():
        held = make()
        return (
            lambda x: x * read(held),
            lambda number: change(held) if number == when else None,
        )

    return check_held(once, (X,), refused_from=when)


def table():
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(
        {
            "p": [1.0, 2.0, 3.0],
            "q": [4.0, 5.0, 6.0],
            "text": ["a", "b", "a"],
            "kind": pandas.Categorical(["u", "v", "u"]),
            "count": pandas.array([1, 2, None], dtype="Int64"),
        }
    )


@pytest.mark.parametrize(
    "read, change",
    [
        (lambda t: t["p"].to_numpy(), lambda t: t.__setitem__("p", [9.0, 8.0, 7.0])),
        (lambda t: t.p.values, lambda t: t.loc.__setitem__((0, "p"), 9.0)),
        (lambda t: t["p"].to_numpy(), lambda t: t.iloc.__setitem__((0, 0), 9.0)),
        (lambda t: t["p"].to_numpy(), lambda t: t.sort_values("q", ascending=False, inplace=True)),
        (
            lambda t: t["p"].to_numpy(),
            lambda t: t.rename(columns={"p": "q", "q": "p"}, inplace=True),
        ),
        (lambda t: (t["text"] == "a").to_numpy(), lambda t: t.loc.__setitem__((0, "text"), "b")),
        (lambda t: t["kind"].cat.codes.to_numpy(), lambda t: t.loc.__setitem__((0, "kind"), "v")),
        (
            lambda t: t["count"].fillna(0).to_numpy(dtype=float),
            lambda t: t.loc.__setitem__((2, "count"), 7),
        ),
        (lambda t: t.attrs.get("rate", 1.0), lambda t: t.attrs.update(rate=3.0)),
    ],
)
def test_columns_of_tables(read, change):
    assert "captures has changed" in changed(table, read, change)


@pytest.mark.parametrize(
    "make, read",
    [
        (lambda t: t["p"], lambda s: s.mean()),
        (lambda t: t.groupby("text"), lambda g: g["p"].mean().to_numpy()[0]),
        (lambda t: t["p"].rolling(2), lambda r: r.mean().to_numpy()[1:].sum()),
        (lambda t: {"train": [t]}, lambda d: d["train"][0]["p"].to_numpy()),
    ],
)
def test_what_looks_at_a_table(make, read):
    def change(held):
        part = held["train"][0] if isinstance(held, dict) else getattr(held, "obj", held)
        if hasattr(part, "columns"):
            part["p"] = 9.0
        else:
            part.iloc[0:3] = 9.0

    assert "captures has changed" in changed(lambda: make(table()), read, change)


def test_reading_a_table_elsewhere_changes_nothing():
    def look(t):
        t.describe(), t.values, t["text"].str.upper(), t.groupby("text")["p"].mean()

    assert changed(table, lambda t: t["p"].to_numpy(), look) == "computed"


def module_of_torch():
    torch = pytest.importorskip("torch")

    class Scale(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(3))
            self.rate = 2.0

        def forward(self, x):
            return x * self.weight * self.rate * TIMES

    return Scale()


def result_of_torch(module):
    return module(pytest.importorskip("torch").ones(3)).detach().numpy()


@pytest.mark.parametrize(
    "change",
    [
        lambda module: module.weight.data.mul_(2),
        lambda module: module.weight.__setattr__("data", module.weight.data * 2),
        lambda module: setattr(module, "rate", 5.0),
        lambda module: globals().update(TIMES=TIMES + 1),
    ],
)
def test_modules_of_torch(change):
    def make():
        module = module_of_torch()
        return (
            lambda x: x * result_of_torch(module),
            lambda number: change(module) if number == 6 else None,
        )

    refusal = check_held(make, (X,), refused_from=6)
    assert "captures has changed" in refusal or "another object" in refusal


def test_tensors_whose_numbers_are_read():
    torch = pytest.importorskip("torch")
    for dtype in (torch.float64, torch.bfloat16):
        refusal = changed(
            lambda dtype=dtype: torch.ones(3, dtype=dtype),
            lambda tensor: tensor[0].item(),
            lambda tensor: tensor.mul_(2),
        )
        assert "captures has changed" in refusal


def test_estimators():
    linear_model = pytest.importorskip("sklearn.linear_model")
    rows = np.arange(12.0).reshape(4, 3) ** 2 % 7
    refusal = changed(
        lambda: linear_model.LinearRegression().fit(rows, rows.sum(1)),
        lambda model: model.predict(rows[:3]),
        lambda model: model.fit(rows, 2 * rows.sum(1)),
    )
    assert "captures has changed" in refusal


def test_functions_that_were_compiled_elsewhere_are_read():
    numba = pytest.importorskip("numba")
    twice = numba.njit(lambda a: 2 * a)
    assert check_held(lambda: lambda x: x * twice(3.0), (X,)) == "computed"


def test_records():
    def make():
        return np.zeros(2, [("rate", float)])[0]

    refusal = changed(make, lambda r: r["rate"], lambda r: r.__setitem__("rate", 9.0))
    assert "captures has changed" in refusal


@pytest.mark.parametrize(
    "read", [lambda: os.environ.get("RATE", "1"), lambda: os.getenv("RATE", "1")]
)
def test_variables_of_the_environment(read, monkeypatch):
    monkeypatch.delenv("RATE", raising=False)
    compiled = ag.compile(lambda x: x * float(read()))
    for _ in range(5):
        compiled(X)
    monkeypatch.setenv("RATE", "3")
    with pytest.raises(ag.CompileError, match=r"captures has changed: 'os\.environ"):
        compiled(X)


@pytest.mark.parametrize(
    "make, read, change",
    [
        (threading.Event, lambda e: 2.0 if e.is_set() else 1.0, lambda e: e.set()),
        (queue.Queue, lambda q: 1.0 + q.qsize(), lambda q: q.put(1)),
        (weakref.WeakSet, lambda s: 1.0 + len(s), lambda s: s.add(TestCase)),
    ],
)
def test_states_of_objects_of_python(make, read, change):
    assert "captures has changed" in changed(make, read, change)


class TestCase:
    __test__ = False


@pytest.mark.parametrize(
    "make",
    [
        lambda: [1.0] * 30_000,
        lambda: dict.fromkeys(range(30_000), 1.0),
        lambda: bytearray(11_000_000),
        lambda: array.array("d", [1.0]) * 2_000_000,
    ],
)
def test_one_number_of_very_many(make):
    assert "captures has changed" in changed(
        make, lambda held: held[5] + 1.0, lambda held: held.__setitem__(5, 7)
    )


class Link:
    def __init__(self, value, rest):
        self.value, self.rest = value, rest


def chain(length):
    link = None
    for value in range(length):
        link = Link(float(value), link)
    return link


def last_but(link, steps):
    for _ in range(steps):
        link = link.rest
    return link


def test_long_chains_of_objects():
    refusal = changed(
        lambda: chain(2_000),
        lambda link: last_but(link, 1_000).value,
        lambda link: setattr(last_but(link, 1_000), "value", 7.0),
    )
    assert "captures has changed" in refusal


def test_more_objects_than_can_be_watched_are_refused():
    pairs = [(1.0, 2.0 + index) for index in range(25_000)]
    with pytest.raises(
        ag.CompileError,
        match=r"captures 'pairs', which leads to more than 20,000 objects.*\n*.*pass what it needs",
    ):
        ag.compile(lambda x: x * pairs[3][1])(X)


@pytest.mark.parametrize("width", [509, 1018, 503 * 509])
def test_rows_that_change_places(width):
    rows = np.arange(4.0 * width).reshape(4, width)
    refusal = changed(
        rows.copy, lambda a: a[0, 0] + 1.0, lambda a: a.__setitem__(..., a[::-1].copy())
    )
    assert "captures has changed" in refusal


def test_functions_that_dispatch_by_type():
    """What they have looked up is no state; what is registered is."""

    def make(is_changed):
        @functools.singledispatch
        def rate(x):
            return 2.0

        class Rates:
            @functools.singledispatchmethod
            def of(self, x):
                return 3.0

        rate.register(int, lambda x: 4.0)
        rates = Rates()

        def change(number):
            if number == 6 and is_changed == "function":
                rate.register(float, lambda x: 7.0)
            if number == 6 and is_changed == "method":
                Rates.__dict__["of"].register(float, lambda self, x: 7.0)

        return lambda x: x * rate(1) + rate(0.5) * rates.of(0.5), change

    assert check_held(lambda: make(None), (X,)) == "computed"
    for changed in ("function", "method"):
        found = check_held(lambda changed=changed: make(changed), (X,), refused_from=6)
        assert "captures has changed" in found


def test_a_long_list_costs_little():
    rates = [1.5] * 300_000
    compiled = ag.compile(lambda x: x * rates[5])
    for _ in range(3):
        compiled(X)
    started = time.perf_counter()
    compiled(X)  # call 4 runs the function besides
    compiled(X)
    once = (time.perf_counter() - started) / 2
    started = time.perf_counter()
    assert [*map(id, rates)] == [*map(id, rates)]
    assert once < 2 * (time.perf_counter() - started)
    rates[5] = 2.5
    with pytest.raises(ag.CompileError, match="'rates' has other elements"):
        compiled(X)


class Kind(enum.Enum):
    """Members have a value to write into, and a method that reads what is outside of it."""

    ONE = (1.0, [2.0])

    def rate(self):
        return RATES[0] * self.value[1][0]


class Number(enum.IntEnum):
    TWO = 2

    def rate(self):
        return RATES[0] * self


class Meters(float):
    def rate(self):
        return RATES[0] * self


class Lazy:
    base = 2.0

    @functools.cached_property
    def rate(self):
        return self.base


RATES = [2.0]


def set_rate(_):
    RATES[0] = 3.0


@pytest.mark.parametrize(
    "make, read, change",
    [
        (lambda: Kind.ONE, lambda kind: kind.rate(), set_rate),
        (lambda: Kind, lambda kinds: sum(x.rate() for x in kinds), set_rate),
        (
            lambda: Kind.ONE,
            lambda kind: kind.value[1][0],
            lambda x: x.value[1].append(x.value[1].pop() + 1),
        ),
        (lambda: Number.TWO, lambda number: number.rate(), set_rate),
        (lambda: Meters(1.5), lambda number: number.rate(), set_rate),
        (Lazy, lambda lazy: lazy.rate, lambda lazy: vars(lazy).update(rate=3.0)),
    ],
)
def test_members_of_enums_numbers_with_methods_and_cached_properties(make, read, change):
    RATES[0] = 2.0
    assert "captures has changed" in changed(make, read, change)


class Halved:
    def times(self, x, rates):
        return x * rates[0]

    half = functools.partialmethod(times, rates=[0.5])


class Scaled(contextlib.ContextDecorator):
    rate = 2.0

    def __enter__(self):
        return self.rate

    def __exit__(self, *error):
        return False


def entered(context):
    with context as number:
        return number


@contextlib.contextmanager
def lent(rates):
    yield rates[0]


class First:
    rate = 2.0


class Second:
    rate = 3.0


def derived():
    return type("Derived", (First,), {})


@pytest.mark.parametrize(
    "make, read, change",
    [
        (
            Halved,
            lambda x: x.half(1.0),
            lambda x: (
                type(x)
                .__dict__["half"]
                .keywords["rates"]
                .append(type(x).__dict__["half"].keywords["rates"].pop() + 1.0)
            ),
        ),
        (lambda: contextlib.nullcontext(2.0), entered, lambda x: setattr(x, "enter_result", 3.0)),
        (Scaled, entered, lambda x: setattr(x, "rate", 3.0)),
        (lambda: [2.0], lambda x: entered(lent(x)), lambda x: x.__setitem__(0, 3.0)),
        (
            lambda: string.Template("$rate"),
            lambda x: float(x.substitute(rate=2)),
            lambda x: setattr(x, "template", "3"),
        ),
        (
            lambda: statistics.NormalDist(2.0, 1.0),
            lambda x: x.mean,
            lambda x: setattr(x, "_mu", 3.0),
        ),
        (derived, lambda x: x.rate, lambda x: setattr(x, "__bases__", (Second,))),
    ],
)
def test_what_pythons_own_objects_were_given(make, read, change):
    if make is derived:
        make = lambda: type("Derived", (First,), {})  # noqa: E731
    assert "captures has changed" in changed(make, read, change)


def test_a_module_that_is_imported_while_the_function_runs(monkeypatch):
    def imported(x):
        from rates_of_today import rate

        return x * rate

    def by_text(x):
        return x * sys.modules["rates_of_today"].rate

    def module(rate):
        made = types.ModuleType("rates_of_today")
        made.rate = rate
        return made

    for function in (imported, by_text):
        for is_replaced in (True, False):
            monkeypatch.setitem(sys.modules, "rates_of_today", module(2.0))
            compiled = ag.compile(function)
            for _ in range(4):
                np.testing.assert_allclose(compiled(X), 2.0 * X)
            if is_replaced:
                sys.modules["rates_of_today"] = module(3.0)
            else:
                sys.modules["rates_of_today"].rate = 3.0
            with pytest.raises(ag.CompileError, match="captures has changed"):
                compiled(X)


def test_a_weak_reference_to_a_method():
    class Rate:
        number = 2.0

        def get(self):
            return self.number

    def make():
        rate = Rate()
        method = weakref.WeakMethod(rate.get)

        def change(number, rate=rate):
            if number == 6:
                rate.number = 3.0

        return lambda x: x * method()(), change

    assert "captures has changed" in check_held(make, (X,), refused_from=6)


@pytest.mark.parametrize("numbers", [(1.0, 2.0), (1.0, 2.0, 1.0), (2.0, 2.0, 5.0)])
def test_an_iterator_that_each_call_moves_on(numbers):
    """Whatever the number of its elements is: a run beside the program shows it."""

    def make():
        rates = itertools.cycle(numbers)
        return lambda x: x * next(rates)

    refusal = check_held(make, (X,))
    assert "the next of something" in refusal or "the same at every call" in refusal
