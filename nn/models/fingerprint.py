"""Fingerprints: all that a computation may read from outside, in a form that tells changes.

A compiled step has taken in as constants what the forward pass, the loss and the update
read: attributes at any depth, the globals and closures of functions, numbers in plain
arrays.  The numbers of parameters it reads anew, so of these the identity counts.
"""

from __future__ import annotations

import dis
import functools
import sys
import sysconfig
import types
import zlib
from collections import UserDict, deque
from collections.abc import (
    Callable,
    Collection,
    ItemsView,
    Iterable,
    KeysView,
    Mapping,
    ValuesView,
)
from contextvars import ContextVar
from typing import Any
from weakref import ref

import numpy as np

import autograd_lite as ag

__all__ = [
    "MACHINERY",
    "PACKAGES",
    "Fingerprint",
    "fingerprint",
    "is_fixed",
    "is_installed",
    "is_writable",
    "names_in",
    "package_of",
    "slots_of",
]

PLAIN = (bool, int, str, bytes, type(None))
NUMBERS = (float, complex, np.generic)
DICTS = (dict, UserDict, types.MappingProxyType)
CONTAINERS = (list, tuple, deque, set, frozenset, KeysView, ValuesView, ItemsView)
MACHINERY = {"autograd_lite", "asyncio", "concurrent", "logging", "multiprocessing", "queue"}
"""What instances of classes in these packages remember besides is no setting of a computation."""
PACKAGES = {"autograd_lite", "nn", "numpy"}
"""Functions and classes in these, and in Python's own, do not change while somebody trains."""
ELSEWHERE = {"cupy", "dask", "h5py", "xarray", "zarr"}
"""Arrays of these packages lie on devices, on disks or in the future: they are not fetched."""
STANDARD_LIBRARY = sysconfig.get_path("stdlib")
INSTALLED = sysconfig.get_path("purelib"), sysconfig.get_path("platlib")


class Fingerprint:
    """What `fingerprint` found; equal to another as long as nothing has changed.

    It keeps the objects that it compares alive, so that no other one takes their place.
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, found: list[Any]) -> None:
        self.found = found

    def __eq__(self, other: object) -> bool:
        """Whether these are the same objects, and equal numbers and texts."""
        if not isinstance(other, Fingerprint):
            return NotImplemented
        return len(self.found) == len(other.found) and all(
            x is y or (x.__class__ in PLAIN and x.__class__ is y.__class__ and x == y)
            for x, y in zip(self.found, other.found, strict=True)
        )


def fingerprint(*things: Any, unread: Collection[tuple[int, str]] = ()) -> Fingerprint:
    """What computing with some things may read.

    Parameters
    ----------
    *things
        Models, functions, containers, objects of any kind.
    unread : collection of (id, str)
        Objects, by their ids, and names of their attributes that do not count.

    Examples
    --------
    >>> options = {"scale": [1.0, 2.0]}
    >>> before = fingerprint(options)
    >>> before == fingerprint(options)
    True
    >>> options["scale"][1] = 3.0
    >>> before == fingerprint(options)
    False
    """
    walk = Walk(unread)
    walk.all_of(things)
    while walk.pending:
        opener, thing = walk.pending.popleft()
        opener(walk, thing)
    return Fingerprint(walk.found)


Opener = Callable[["Walk", Any], None]


class Walk:
    """A walk through things and all that they hold, each of them once, however deep it is."""

    def __init__(self, unread: Collection[tuple[int, str]]) -> None:
        self.unread = unread
        self.found: list[Any] = []
        self.pending: deque[tuple[Opener, Any]] = deque()
        self.seen: set[int] = set()
        self.classes_seen: set[type] = set()
        self.lend_nothing: set[type] = set()
        self.own: set[str] = set()

    def all_of(self, things: Iterable[Any]) -> None:
        """Put down things and how many there are, to open them later."""
        found, seen = self.found, self.seen
        before = len(found)
        for thing in things:
            if thing.__class__ in PLAIN:
                found.append(thing)
            elif isinstance(thing, NUMBERS):
                found += [type(thing), repr(thing)]  # tells -0.0 from 0.0, and NaN is NaN
            else:
                found.append(thing)
                if id(thing) not in seen:
                    seen.add(id(thing))
                    opener = opener_of(thing.__class__)
                    if opener is not None:
                        self.pending.append((opener, thing))
        found.append(len(found) - before)

    def pairs(self, pairs: Mapping[Any, Any]) -> None:
        """Put down keys and values."""
        self.all_of(pairs)
        self.all_of(pairs.values())

    # How things are opened, which may change while they stay the same.

    def value(self, value: Any) -> None:
        """Put down of what kind a Value is; its numbers are read anew."""
        self.found += [value.requires_grad, *value.shape, value.dtype.str]

    def method(self, method: Any) -> None:
        """Put down whose method it is."""
        self.all_of((method.__self__, method.__func__))

    def partial(self, partial: Any) -> None:
        """Put down what is called, and with what."""
        self.all_of((partial.func, partial.args, partial.keywords))

    def wrapped(self, thing: Any) -> None:
        """Put down the function in a property or a static method."""
        self.all_of(getattr(thing, name, None) for name in ("fget", "func", "__func__"))

    def stays(self, module: str | None) -> bool:
        """Whether the functions and classes of a module are taken as they are."""
        return is_fixed(module) or (is_installed(module) and package_of(module) not in self.own)

    def array(self, array: Any) -> None:
        """Put down the numbers of an array, in short."""
        self.found += [*array.shape, array.dtype.str]
        if array.dtype == object:
            self.all_of(array.ravel().tolist())
        elif array.size and is_writable(array):
            once = tuple(slice(None) if step else slice(1) for step in array.strides)
            numbers = np.ascontiguousarray(array[once]).reshape(-1)  # broadcast numbers once
            self.found.append(zlib.crc32(numbers.view(np.uint8).data))

    def like_array(self, thing: Any) -> None:
        """Put down the numbers of what becomes an array: a frame, a tensor, an image."""
        try:
            self.array(np.asarray(thing))
        except Exception as error:  # what others raise who cannot become one
            self.found.append(type(error).__name__)

    def reference(self, thing: ref[Any]) -> None:
        """Put down what a weak reference leads to."""
        self.all_of((thing(),))

    def variable(self, variable: ContextVar[Any]) -> None:
        """Put down what a variable of the context is here."""
        self.all_of((variable.get(None),))

    def buffer(self, thing: Any) -> None:
        """Put down the bytes of what lends them, such as a bytearray or a number of C."""
        if type(thing) in self.lend_nothing:
            return
        try:
            memory = memoryview(thing)
            self.found += [memory.nbytes, zlib.crc32(memory.tobytes())]
        except TypeError:
            self.lend_nothing.add(type(thing))
        except (ValueError, BufferError):
            pass  # it has given them back

    def pickled(self, thing: Any) -> None:
        """Put down what would be pickled: what an object written in C holds, no attribute tells."""
        if type(thing).__module__ == "itertools":
            return  # they say so no more, and warn of it
        try:
            self.alike(thing.__reduce_ex__(4), thing.__reduce_ex__(4))
        except Exception as error:  # a lock, a file, a generator: it cannot be seen
            self.found.append(type(error).__name__)

    def alike(self, one: Any, other: Any) -> None:
        """Put down what is the same in two answers: not the containers made for each of them."""
        if one is other or one.__class__ in PLAIN or isinstance(one, NUMBERS):
            self.all_of((one,))
        elif isinstance(one, np.ndarray):
            self.array(one)
        elif type(one) is type(other) and type(one) in (tuple, list, dict):
            if isinstance(one, dict):
                one, other = [*one.items()], [*other.items()]
            self.found.append(len(one))
            for part, same in zip(one, other, strict=False):
                self.alike(part, same)

    def instance(self, thing: Any) -> None:
        """Put down the elements of a container, and the attributes of an object."""
        if isinstance(thing, DICTS):
            self.pairs(thing)
        elif isinstance(thing, CONTAINERS):
            self.all_of(thing)
        kind: Any = type(thing)
        package = package_of(kind.__module__)
        if kind in (dict, *CONTAINERS) or package in MACHINERY:
            return
        if not hasattr(kind, "__array__"):
            self.buffer(thing)
        elif package not in ELSEWHERE:
            self.like_array(thing)
        if is_fixed(kind.__module__) and package != "nn":
            attributes = getattr(thing, "__dict__", None)  # before: some have one once asked
            self.pickled(thing)
            if isinstance(attributes, dict):  # that of list[int] is the one of list
                self.pairs(attributes)
            return
        if hasattr(kind, "__fingerprint__"):  # what belongs to somebody's own models
            self.own.add(package_of(kind.__module__))
        number, attributes, slots = id(thing), getattr(thing, "__dict__", None), slots_of(kind)
        is_opaque = attributes is None and not slots and not hasattr(kind, "__array__")
        if is_opaque and package not in ELSEWHERE:
            self.pickled(thing)
        attributes = attributes or {}
        if self.unread:
            attributes = {k: x for k, x in attributes.items() if (number, k) not in self.unread}
        self.pairs(attributes)
        self.all_of(getattr(thing, name, None) for name in slots)
        self.classes(kind)

    def classes(self, kind: type) -> None:
        """Put down the attributes of classes of one's own, methods among them."""
        if kind in self.classes_seen:
            return
        self.classes_seen.add(kind)
        self.classes(type(kind))
        for base in kind.__mro__:
            if (base is kind or base not in self.classes_seen) and not self.stays(base.__module__):
                self.classes_seen.add(base)
                names = [name for name in vars(base) if name not in NAMES_OF_CLASSES]
                self.all_of(names)
                self.all_of(vars(base)[name] for name in names)

    def function(self, function: types.FunctionType) -> None:
        """Put down what is read from outside: defaults, closure, globals, parts of modules."""
        code, known = function.__code__, function.__globals__
        self.found.append(code)
        self.all_of(function.__defaults__ or ())
        self.pairs(function.__kwdefaults__ or {})
        self.all_of(contents(cell) for cell in function.__closure__ or ())
        if self.stays(function.__module__):
            return
        self.pairs(vars(function))
        names, attributes = names_in(code)
        values = [known[name] for name in names if name in known]
        self.all_of(values)
        modules = [value for value in values if isinstance(value, types.ModuleType)]
        for module in modules:  # which grow: of packages those within are looked at too
            if not self.stays(module.__name__):
                held = [vars(module)[name] for name in attributes if name in vars(module)]
                self.all_of(held)
                modules += [x for x in held if isinstance(x, types.ModuleType) and x not in modules]


OPENERS: dict[tuple[type, ...], Opener | None] = {
    (np.random.Generator, np.dtype, np.ufunc, types.ModuleType, types.CodeType): None,
    (ag.Value,): Walk.value,
    (np.ndarray,): Walk.array,
    (types.FunctionType,): Walk.function,
    (types.MethodType,): Walk.method,
    (functools.partial,): Walk.partial,
    (property, functools.cached_property, staticmethod, classmethod): Walk.wrapped,
    (ref,): Walk.reference,
    (ContextVar,): Walk.variable,
    (type,): Walk.classes,
}
"""What is done with what; a generator is passed to each step, modules: see `Walk.function`."""


@functools.lru_cache(maxsize=4096)
def opener_of(kind: Any) -> Opener | None:
    """How instances of a class are opened."""
    return next((how for of, how in OPENERS.items() if issubclass(kind, of)), Walk.instance)


NAMES_OF_CLASSES = {"__dict__", "__weakref__", "__module__", "__doc__", "__annotations__"}


def is_writable(array: Any) -> bool:
    """Whether an array can be written to, by itself or through what it looks at."""
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return True
        array = array.base
    return False


def package_of(module: str | None) -> str:
    """The package that a module lies in; what is built in has none, and is NumPy's or Python's."""
    return (module or "numpy").partition(".")[0]


@functools.lru_cache(maxsize=4096)
def is_fixed(module: str | None) -> bool:
    """Whether a module is one of Python's, or of the packages that all is made of."""
    package = package_of(module)
    if package in PACKAGES or package == "builtins":
        return True
    file = getattr(sys.modules.get(package), "__file__", None)
    is_standard = file is None or file.startswith(STANDARD_LIBRARY)
    return package in sys.stdlib_module_names and package != "__main__" and is_standard


@functools.lru_cache(maxsize=4096)
def is_installed(module: str | None) -> bool:
    """Whether a module is one of the packages that others have made, and pip has installed."""
    file = getattr(sys.modules.get(package_of(module)), "__file__", None) or ""
    return file.startswith(INSTALLED)


@functools.lru_cache(maxsize=4096)
def slots_of(kind: Any) -> tuple[str, ...]:
    """The attributes of a class that lie in slots."""
    slots = [vars(base).get("__slots__", ()) for base in kind.__mro__]
    return tuple(n for s in slots for n in ((s,) if isinstance(s, str) else s) if n[:2] != "__")


@functools.lru_cache(maxsize=4096)
def names_in(code: types.CodeType) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of globals, and those of attributes, in a piece of code and in the code inside it.

    Texts are names too where ``getattr`` or ``globals`` may read by them.
    """
    inner = [names_in(part) for part in code.co_consts if isinstance(part, types.CodeType)]
    names = [line.argval for line in dis.get_instructions(code) if line.opname in READS_A_GLOBAL]
    texts: list[str] = []
    if not READERS.isdisjoint(names):
        texts = [text for text in code.co_consts if isinstance(text, str) and text.isidentifier()]
    names += texts + [name for part, _ in inner for name in part]
    attributes = [*code.co_names, *texts, *(name for _, part in inner for name in part)]
    return tuple(dict.fromkeys(names)), tuple(dict.fromkeys(attributes))


READS_A_GLOBAL = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}
READERS = {"getattr", "globals", "vars", "operator", "attrgetter"}


def contents(cell: Any) -> Any:
    """What a closure holds; None before it is filled."""
    try:
        return cell.cell_contents
    except ValueError:
        return None
