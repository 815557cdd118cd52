"""Settings in objects of the standard library: how each is made, read and changed in place.

Each makes an object that reads as 1.0 and, once changed, as 3.0.
"""

from __future__ import annotations

import argparse
import array
import collections
import configparser
import contextvars
import ctypes
import decimal
import io
import operator
import optparse
import os
import random
import threading
import types
import weakref
import xml.etree.ElementTree as ElementTree
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["OBJECTS", "WRITTEN_IN_C", "Object"]


@dataclass(frozen=True)
class Object:
    """An object, how a number in it is read, and what makes that number 3."""

    make: Callable[[], Any]
    read: Callable[[Any], Any]
    change: Callable[[Any], Any]


class Referred:
    """What a weak reference leads to, of a class whose own class has an attribute."""

    def __init__(self) -> None:
        self.scale = 1.0


KEPT: list[Any] = []


def referred() -> Referred:
    KEPT.append(Referred())
    return KEPT[-1]


class Structure(ctypes.Structure):
    _fields_ = [("scale", ctypes.c_double)]


def with_metaclass() -> Any:
    return type("Meta", (type,), {"scale": 1.0})("Own", (), {})


def configuration() -> Any:
    found = configparser.ConfigParser()
    found["part"] = {"scale": "1.0"}
    return found


def local() -> Any:
    found = threading.local()
    found.scale = 1.0
    return found


def variable() -> Any:
    found = contextvars.ContextVar("scale")
    found.set(1.0)
    return found


def environment() -> Any:
    os.environ["AUTOGRAD_LITE_TEST_SCALE"] = "1.0"
    return os.environ


def by_attribute(make: Callable[[], Any], name: str = "scale") -> Object:
    return Object(make, lambda x: getattr(x, name), lambda x: setattr(x, name, 3.0))


def by_key(make: Callable[[], Any], key: Any, three: Any = 3.0) -> Object:
    return Object(make, lambda x: float(x[key]), lambda x: x.__setitem__(key, three))


OBJECTS = {
    "argparse.Namespace": by_attribute(lambda: argparse.Namespace(scale=1.0)),
    "SimpleNamespace": by_attribute(lambda: types.SimpleNamespace(scale=1.0)),
    "optparse.Values": by_attribute(lambda: optparse.Values({"scale": 1.0})),
    "UserList": by_key(lambda: collections.UserList([1.0]), 0),
    "UserDict": by_key(lambda: collections.UserDict(scale=1.0), "scale"),
    "ChainMap": by_key(lambda: collections.ChainMap({}, {"scale": 1.0}), "scale"),
    "os.environ": by_key(environment, "AUTOGRAD_LITE_TEST_SCALE", "3.0"),
    "ConfigParser": Object(
        configuration,
        lambda x: float(x["part"]["scale"]),
        lambda x: x["part"].__setitem__("scale", "3.0"),
    ),
    "bytearray": by_key(lambda: bytearray([1]), 0, 3),
    "memoryview": by_key(lambda: memoryview(bytearray([1])), 0, 3),
    "array.array": by_key(lambda: array.array("d", [1.0]), 0),
    "ctypes.c_double": by_attribute(lambda: ctypes.c_double(1.0), "value"),
    "ctypes.Structure": by_attribute(lambda: Structure(1.0)),
    "weakref.ref": Object(
        lambda: weakref.ref(referred()), lambda x: x().scale, lambda x: setattr(x(), "scale", 3.0)
    ),
    "weakref.proxy": by_attribute(lambda: weakref.proxy(referred())),
    "Element": Object(
        lambda: ElementTree.Element("part", scale="1.0"),
        lambda x: float(x.get("scale")),
        lambda x: x.set("scale", "3.0"),
    ),
    "threading.local": by_attribute(local),
    "ContextVar": Object(variable, lambda x: x.get(), lambda x: x.set(3.0)),
    "metaclass": Object(
        with_metaclass, lambda x: x.scale, lambda x: setattr(type(x), "scale", 3.0)
    ),
    "Polynomial": Object(
        lambda: np.polynomial.Polynomial([1.0]),
        lambda x: x.coef[0],
        lambda x: x.coef.__setitem__(0, 3.0),
    ),
}


def seeded(kind: Callable[[int], Any]) -> Object:
    """A generator of random numbers whose state is read, and no number drawn."""
    return Object(
        lambda: kind(1),
        lambda r: 1.0 + zlib.crc32(str(r.__reduce__()[-1]).encode()) % 7,
        lambda r: r.seed(4),
    )


WRITTEN_IN_C = {
    "random.Random": seeded(random.Random),
    "RandomState": seeded(np.random.RandomState),
    "decimal.Context": Object(
        lambda: decimal.Context(prec=1), lambda c: c.prec, lambda c: setattr(c, "prec", 3)
    ),
    "StringIO": Object(
        lambda: io.StringIO("1.0"), lambda f: float(f.getvalue()), lambda f: f.write("3.0")
    ),
    "BytesIO": Object(
        lambda: io.BytesIO(b"1"), lambda f: int(f.getvalue()), lambda f: f.write(b"3")
    ),
    "a method of a list": Object(
        lambda: [1.0].__getitem__, lambda m: m(0), lambda m: m.__self__.__setitem__(0, 3.0)
    ),
    "itemgetter": Object(
        lambda: operator.itemgetter([1.0]),
        lambda g: g.__reduce__()[1][0][0],
        lambda g: g.__reduce__()[1][0].__setitem__(0, 3.0),
    ),
}
"""What these hold, no attribute tells."""
