"""What is read of objects of other libraries is watched, or refused by name."""

from __future__ import annotations

import array
import os
import queue
import threading
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
