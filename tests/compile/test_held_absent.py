"""What a function does without, or reads by another way than its name, and what changes then."""

from __future__ import annotations

import contextlib
import operator
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.compile.held import X, check_held


class Plain:
    def read(self) -> Any:
        return getattr(self, "scale", 1.0)


class Slotted:
    __slots__ = ("scale",)


class Method:
    by = 2.0

    def scale(self) -> Any:
        return self.by


def a_function() -> None:
    """Gets attributes below."""


HOLDERS: dict[str, Callable[[], Any]] = {
    "instance": Plain,
    "slots": Slotted,
    "namespace": types.SimpleNamespace,
    "class": lambda: type("Made", (), {"__module__": __name__}),
    "module": lambda: types.ModuleType("made"),
    "function": lambda: types.FunctionType(a_function.__code__, globals()),
}


def attempted(x: Any) -> Any:
    try:
        return x.scale
    except AttributeError:
        return 1.0


def suppressed(x: Any) -> Any:
    scale = 1.0
    with contextlib.suppress(AttributeError):
        scale = x.scale
    return scale


READERS: dict[str, Callable[[Any], Any]] = {
    "hasattr": lambda x: x.scale if hasattr(x, "scale") else 1.0,
    "getattr": lambda x: getattr(x, "scale", 1.0),
    "try": attempted,
    "suppress": suppressed,
    "vars": lambda x: 3.0 if "scale" in vars(x) else 1.0,
    "__dict__": lambda x: x.__dict__.get("scale", 1.0),
}


OF_DICTIONARIES = {"vars", "__dict__"}
"""Readers that an object with slots has nothing for."""


@pytest.mark.parametrize(
    ("holder", "reader"),
    [
        (holder, reader)
        for holder in HOLDERS
        for reader in READERS
        if holder != "slots" or reader not in OF_DICTIONARIES
    ],
)
def test_attributes_that_come_to_be_there(holder: str, reader: str) -> None:
    def make() -> Any:
        held, read = HOLDERS[holder](), READERS[reader]

        def change(number: int) -> None:
            if number == 3:
                held.scale = 3.0

        return lambda x: x * read(held), change

    assert "scale' is another object" in check_held(make, (X,), refused_from=3)


def test_an_attribute_of_a_class_that_comes_to_be_there() -> None:
    def make() -> Any:
        cls = type("Made", (Plain,), {"__module__": __name__})
        held = cls()
        return lambda x: x * held.read(), lambda n: setattr(cls, "scale", 3.0) if n == 3 else None

    assert "has changed" in check_held(make, (X,), refused_from=3)


def test_other_attributes_may_come_to_be_there() -> None:
    def make() -> Any:
        held = Plain()
        return lambda x: x * held.read(), lambda number: setattr(held, f"other_{number}", number)

    def make_with() -> Any:
        held = Plain()
        held.rate = 2.0  # type: ignore[attr-defined]

        def scaled(x: Any) -> Any:
            with np.errstate(all="ignore"):
                return [x * held.rate for _ in range(2)]  # type: ignore[attr-defined]

        return scaled, lambda number: setattr(held, "scale", number)

    for made in (make, make_with):
        assert check_held(made, (X,)) == "computed"


# By another way than a name.


def global_by_text() -> Any:
    names = {"RATE": 2.0, "__name__": __name__}
    exec("def scaled(x): return x * globals()['RATE']", names)
    return names["scaled"], lambda: names.update(RATE=3.0)


def global_that_may_be_absent() -> Any:
    names: dict[str, Any] = {"__name__": __name__}
    text = "def scaled(x):\n try: return x * LATER\n except NameError: return x"
    exec(text, names)
    return names["scaled"], lambda: names.update(LATER=3.0)


def proxy() -> Any:
    table = {"by": 2.0}
    held = types.MappingProxyType(table)
    return lambda x: x * held["by"], lambda: table.update(by=3.0)


def values() -> Any:
    table = {"by": 2.0}
    held = table.values()
    return lambda x: x * sum(held), lambda: table.update(by=3.0)


def items() -> Any:
    table = {"by": 2.0}
    held = table.items()
    return lambda x: x * dict(held)["by"], lambda: table.update(by=3.0)


def keys() -> Any:
    table = {"by": 2.0}
    held = table.keys()
    return lambda x: x * len(held), lambda: table.update(more=3.0)


def array_of_another_shape() -> Any:
    table = np.arange(6.0).reshape(2, 3)
    return lambda x: x * table[1, 0], lambda: setattr(table, "shape", (3, 2))


def array_of_another_dtype() -> Any:
    table = np.arange(6)
    return lambda x: x * (table.dtype.kind == "i"), lambda: setattr(table, "dtype", np.uint64)


def coefficients() -> Any:
    line = np.poly1d([1.0, 2.0])
    return lambda x: x * line(2.0), lambda: line.coeffs.__setitem__(0, 3.0)


def polynomial() -> Any:
    line = np.polynomial.Polynomial([1.0, 2.0])
    return lambda x: x * line(2.0), lambda: setattr(line, "coef", np.array([3.0, 1.0]))


def attribute_by_getter() -> Any:
    held = types.SimpleNamespace(part=types.SimpleNamespace(by=2.0))
    read = operator.attrgetter("part.by")
    return lambda x: x * read(held), lambda: setattr(held.part, "by", 3.0)


def method_by_caller() -> Any:
    held, call = Method(), operator.methodcaller("scale")
    return lambda x: x * call(held), lambda: setattr(held, "by", 3.0)


def argument_of_a_caller() -> Any:
    given = [2.0]
    call = operator.methodcaller("__mul__", given)
    return lambda x: x * call(np.ones(1)), lambda: given.__setitem__(0, 3.0)


WAYS = [global_by_text, global_that_may_be_absent, proxy, values, items, keys, polynomial]
WAYS += [array_of_another_shape, array_of_another_dtype, coefficients, attribute_by_getter]
WAYS += [method_by_caller, argument_of_a_caller]


@pytest.mark.filterwarnings("ignore:Setting the")
@pytest.mark.parametrize("way", WAYS)
def test_what_is_read_by_another_way_than_a_name(way: Callable[[], Any]) -> None:
    def make() -> Any:
        function, change = way()
        return function, lambda number: change() if number == 3 else None

    assert "has changed" in check_held(make, (X,), refused_from=3)


@pytest.mark.parametrize(
    "read",
    [
        lambda held: sum(vars(held).values()),
        lambda held: sum(held.__dict__.values()),
        lambda held: float(len([x for x in dir(held) if x[0] != "_"])),
    ],
)
def test_one_more_attribute_where_all_are_listed(read: Callable[[Any], Any]) -> None:
    def make() -> Any:
        held = types.SimpleNamespace(by=2.0)
        return lambda x: x * read(held), lambda n: setattr(held, "also", 3.0) if n == 6 else None

    assert "'held.__dict__' has other elements" in check_held(make, (X,), refused_from=6)
