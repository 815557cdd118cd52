"""Reach: what a function may read besides its arguments, found by a walk that begins at it.

The walk goes through closures, defaults and globals, through objects by the names of attributes
that occur in the code on the way, through containers, partial functions, properties and classes.
It calls nothing of the user's.  Functions of Python's own library, of NumPy and of this package
are taken to stay as they are; of other packages that are installed, the attributes that their
code names are watched, and not their globals.
"""

from __future__ import annotations

import builtins
import enum
import functools
import operator
import os
import sys
import types
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from weakref import ref

import numpy as np

from autograd_lite.core.node import ABSENT, Handle
from autograd_lite.core.primitive import Primitive
from autograd_lite.transforms.codes import DYNAMIC, LISTING, Reads, reads_of
from autograd_lite.transforms.packages import (
    CACHES,
    FILLED_IN,
    FILLING,
    is_engine,
    is_index,
    is_installed,
    is_opaque,
    is_ours,
    is_users,
    package_of,
    parts_by_name,
)

__all__ = [
    "MOST_THINGS",
    "NAMES",
    "Place",
    "Reach",
    "contents",
    "is_writable",
]

GUARDED = "__guarded__"
"""A method by which an object that sees to its changes itself says what else is to be watched."""

MOST_THINGS = 20_000
"""Objects, numbers and texts not counted, after which a walk ends."""

FEW_BYTES = 1 << 14
"""Of a buffer, of which a copy is kept; of more, it is a hash."""

LONGEST_NAME = 200
"""Of what is deep inside of something, the beginning of its name says where to look."""

DYNAMIC_GLOBALS = {"eval", "exec", "globals", "vars"}
"""Names by which code reads globals that it does not name."""

IMPORTING = {"__import__", "import_module", "modules", "reload"}
"""Names by which code imports modules that it gives as texts."""

LEFT_OUT = {
    *("__class_getitem__", "__del__", "__delattr__", "__getstate__", "__init_subclass__"),
    *("__reduce__", "__reduce_ex__", "__repr__", "__set_name__", "__setattr__", "__setstate__"),
    *("__str__", "__subclasshook__"),
}
"""Methods that no computation calls by itself."""

NUMBERS_AND_TEXTS = (bool, int, float, complex, str, bytes, type(None))
NUMBERS_OF_NUMPY = (np.number, np.bool_, np.character, np.datetime64)
"""All but records, into which one writes."""

PLAIN = (
    *(*NUMBERS_AND_TEXTS, *NUMBERS_OF_NUMPY),
    *(np.dtype, np.ufunc, types.CodeType, range, slice, type(...)),
)

SEQUENCES = (list, deque, set, frozenset, tuple)
WRAPPERS = (property, functools.cached_property, staticmethod, classmethod)


@dataclass(frozen=True)
class Place:
    """Where an object, or the elements of a container, are read from outside."""

    text: str
    """An expression, as ``{0}.cell_contents``: what ``{0}`` stands for is the holder."""
    holder: Any
    name: str
    """What people call what is read there."""
    is_container: bool = False
    """Whether what is read is the elements, in order."""
    key: str | None = None
    """The name under which it is in a dictionary, ``holder``, or might come to be there."""

    def read(self) -> Any:
        """What is there now; of a container, a list of its elements."""
        if self.key is not None:
            return self.holder.get(self.key, ABSENT)
        found = reader_of(self.text)(self.holder)
        return [*found] if self.is_container else found


@functools.lru_cache(maxsize=4096)
def reader_of(text: str) -> Callable[[Any], Any]:
    """The function of a holder that a text stands for; the same few are met again and again."""
    read: Callable[[Any], Any] = eval(f"lambda x: {text.format('x')}", NAMES)
    return read


@dataclass
class Attributes:
    """Something with attributes, and those of them that are read by name."""

    name: str
    thing: Any
    table: Any
    """The attributes by name, if they are in a dictionary."""
    inherited: frozenset[str]
    """Names that are found elsewhere, and might come to be found here."""
    is_instance: bool
    grows: bool
    """Whether more may come: classes, functions and modules of packages stay as they are."""
    is_watched: bool
    """Whether they may be replaced: those of our own classes, functions and modules are not."""
    chosen: dict[str, None]


class Reach:
    """What a function may read: places to watch, arrays, Values and random generators.

    Attributes
    ----------
    places : list of Place
    arrays : list of (str, numpy.ndarray)
    generators : list of numpy.random.Generator
    values : list of (str, Value)
    beyond : str or None
        The name of what leads to more objects than are watched.
    """

    def __init__(self, *functions: Any) -> None:
        self.places: list[Place] = []
        self.arrays: list[tuple[str, Any]] = []
        self.values: list[tuple[str, Any]] = []
        self.generators: list[np.random.Generator] = []
        self.seen: dict[int, Any] = {}
        self.roots: Counter[str] = Counter()
        self.names: set[str] = set()
        self.possible: set[str] = set()
        """Names that code can do without: it is watched whether they come to be there."""
        self.is_dynamic = self.is_listing = False
        self.globals: dict[int, Attributes] = {}
        self.attributes: list[Attributes] = []
        self.waiting: deque[tuple[str, Any]] = deque([("the function", f) for f in functions])
        self._walk()
        self.beyond = self.roots.most_common(1)[0][0] if self.waiting else None

    # The walk.

    def _walk(self) -> None:
        known, chosen = (0, 0, False), 0
        while True:
            while self.waiting and len(self.seen) < MOST_THINGS:
                self._visit(*self.waiting.popleft())
            names = len(self.names), len(self.possible), self.is_dynamic
            if names != known:  # all of them again, by more names
                known, chosen = names, 0
            if chosen == len(self.attributes) or len(self.seen) >= MOST_THINGS:
                break
            for attributes in self.attributes[chosen:]:
                self._choose(attributes, self.names | self.possible, self.possible)
            chosen = len(self.attributes)
        for attributes in (*self.attributes, *self.globals.values()):
            if attributes.is_watched:
                self._put_down(attributes)

    def _visit(self, name: str, thing: Any) -> None:
        kind: Any = type(thing)
        if is_plain(kind) or id(thing) in self.seen:
            return
        self.seen[id(thing)] = thing
        self.roots[name.partition(".")[0]] += 1
        guarded = getattr(type(thing), GUARDED, None)
        if guarded is not None and not isinstance(thing, type):
            self._later(name, guarded(thing))
            return
        opener_of(kind)(self, name, thing)

    def _later(self, name: str, things: Iterable[Any]) -> None:
        kind: Any = type
        self.waiting.extend([(name, thing) for thing in things if not is_plain(kind(thing))])

    def _watch(self, text: str, holder: Any, name: str, is_container: bool = False) -> None:
        self.places.append(Place(text, holder, name, is_container))

    # What is read by name.

    def _choose(
        self, attributes: Attributes, names: Iterable[str], possible: Set[str] = frozenset()
    ) -> None:
        """Note which of the names are attributes, or may become some, and visit what they hold."""
        table = attributes.table
        if self.is_dynamic and attributes.is_instance:
            names = [*names, *(() if table is None else table)]
        for name in names:
            if name in attributes.chosen:
                continue
            if table is not None:
                value = table.get(name, ABSENT)
            elif is_slot(attributes, name):
                value = getattr(attributes.thing, name, ABSENT)
            else:
                value = ABSENT
            is_possible = name in possible and attributes.grows
            is_possible = is_possible and (table is not None or is_slot(attributes, name))
            if value is ABSENT and name not in attributes.inherited and not is_possible:
                continue
            attributes.chosen[name] = None
            if value is not ABSENT:
                self._later(attributes.name + name, (value,))

    def _put_down(self, attributes: Attributes) -> None:
        for name in attributes.chosen:
            shown = attributes.name + name
            if attributes.table is None:
                self._watch(f"getattr({{0}}, {name!r}, ABSENT)", attributes.thing, shown)
            else:
                text = f"{{0}}.get({name!r}, ABSENT)"
                self.places.append(Place(text, attributes.table, shown, key=name))
        is_listed = self.is_listing and attributes.is_instance and attributes.grows
        if is_listed and attributes.table is not None:
            self._watch("{0}", attributes.table, f"{attributes.name}__dict__", is_container=True)

    # How things are opened.

    def _function(self, name: str, function: types.FunctionType) -> None:
        code, module = function.__code__, function.__module__
        for variable, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            if variable in CACHES and is_opaque(module):
                continue
            self._watch("contents({0})", cell, variable)
            self._later(variable, (contents(cell),))
        defaults = function.__defaults__ or ()
        for index, value in enumerate(defaults):
            self._later(f"default {index}", (value,))
        keywords = function.__kwdefaults__
        if keywords:
            self._later("a default", keywords.values() if is_ours(module) else (keywords,))
        if function is os.getenv:
            self._later("os.environ", (os.environ,))
        if is_opaque(module):
            return
        label = function.__name__
        if not is_ours(module):
            self._watch("{0}.__code__", function, label)
            self._watch("{0}.__defaults__", function, f"defaults of {label}")
            self._watch("{0}.__kwdefaults__", function, f"defaults of {label}")
        if vars(function) or is_users(module):
            self._add_attributes(f"{label}.", function, vars(function), frozenset())
        reads = reads_of(code)
        names = reads.names
        self.names |= reads.attributes
        own = not (is_ours(module) or is_installed(module))
        if own and not DYNAMIC.isdisjoint(reads.attributes | names):
            self.is_dynamic = True
            self.is_listing = self.is_listing or not LISTING.isdisjoint(reads.attributes | names)
        if is_users(module):
            self.possible |= reads.caught | reads.asked
        self._imported(reads)
        known = function.__globals__
        if not own:
            called = (known.get(x) for x in names)
            self._later("", (x for x in called if isinstance(x, types.FunctionType)))
            return
        if id(known) not in self.globals:
            self.globals[id(known)] = Attributes(
                "", known, known, frozenset(), False, True, True, {}
            )
        if not DYNAMIC_GLOBALS.isdisjoint(names):
            names |= reads.texts
        self._choose(self.globals[id(known)], names, names - vars(builtins).keys())

    def _imported(self, reads: Reads) -> None:
        """Modules that code imports when it is called, or finds by a text."""
        found = set(reads.modules)
        if not IMPORTING.isdisjoint(reads.attributes | reads.names):
            found |= reads.texts
        for module in sorted(found & sys.modules.keys()):
            if not (is_opaque(module) or is_ours(module)):
                self.places.append(Place("", sys.modules, f"the module {module}", key=module))
            self._later("an import", (sys.modules[module],))

    def _method(self, name: str, method: Any) -> None:
        self._later("self", (method.__self__,))
        self._later(name, (method.__func__,))

    def _partial(self, name: str, partial: Any) -> None:
        self._later(f"an argument of {name}", (*partial.args, partial.keywords))
        self._later(name, (partial.func,))

    def _wrapper(self, name: str, wrapper: Any) -> None:
        inner = (getattr(wrapper, x, None) for x in ("fget", "func", "__func__"))
        self._later(name, inner)

    def _primitive(self, name: str, primitive: Primitive) -> None:
        """Its rules, which are traced; the function itself is called by the program."""
        if primitive.builtin:
            return
        parts = *primitive.rules, primitive.each, primitive.joint
        if not is_ours(getattr(primitive.forward, "__module__", None)):
            for part in ("forward", "rules", "each", "joint"):
                self._watch(f"{{0}}.{part}", primitive, f"{name}.{part}")
        self._later(name, parts)

    def _module(self, name: str, module: types.ModuleType) -> None:
        if module is os and not self.names.isdisjoint({"environ", "getenv"}):
            self._later("os.environ", (os.environ,))
        if not is_opaque(module.__name__):
            self._add_attributes(f"{module.__name__}.", module, vars(module), frozenset())

    def _class(self, name: str, cls: type) -> None:
        if is_opaque(cls.__module__):
            return
        self._watch("{0}.__mro__", cls, f"the bases of {cls.__name__}")
        if issubclass(cls, enum.Enum):
            self._later(name, cls)
        self._later(type(cls).__name__, (type(cls),))
        is_called = any(package_of(x.__module__) in FILLING for x in cls.__mro__)
        for base in cls.__mro__:
            if is_opaque(base.__module__) or (base is not cls and id(base) in self.seen):
                continue
            self.seen[id(base)] = base
            above = (vars(x) for x in base.__mro__[1:] if not is_opaque(x.__module__))
            inherited = frozenset(name for table in above for name in table)
            self._add_attributes(f"{base.__name__}.", base, vars(base), inherited, False)
            special = methods_without_names(base, is_called)
            if is_users(base.__module__):  # operators and calls read them without their names
                self._choose(self.attributes[-1], special)
            else:
                self._later(base.__name__, special.values())

    def _reference(self, name: str, reference: ref[Any]) -> None:
        self._watch("{0}()", reference, name)
        self._later(name, (reference(),))

    def _variable(self, name: str, variable: ContextVar[Any]) -> None:
        self._watch("{0}.get(ABSENT)", variable, name)
        self._later(name, (variable.get(ABSENT),))

    def _array(self, name: str, array: Any) -> None:
        if array.dtype == object:
            self._watch("{0}.ravel().tolist()", array, name, is_container=True)
            self._later(name, array.ravel().tolist())
        elif is_writable(array):
            self.arrays.append((name, array))

    def _value(self, name: str, value: Any) -> None:
        self.values.append((name, value))

    def _generator(self, name: str, generator: np.random.Generator) -> None:
        self.generators.append(generator)

    def _instance(self, name: str, thing: Any) -> None:
        """An object of any other class: its elements, if it is a container, and its attributes."""
        kind: Any = type(thing)
        if isinstance(thing, dict | types.MappingProxyType):
            self._elements(name, thing, ("{0}", "{0}.values()"), [*thing, *thing.values()])
        elif isinstance(thing, SEQUENCES):
            texts = () if kind in (tuple, frozenset) else ("{0}",)
            self._elements(name, thing, texts, list(thing))
        if hasattr(kind, "__wrapped__") or "__wrapped__" in (table_of(thing) or ()):
            self._later(name, (thing.__wrapped__,))
        if is_engine(kind.__module__) or is_index(kind):
            return
        if lends_bytes(thing):
            self._watch("bytes_of({0})", thing, name)
        own = is_opaque(kind.__module__)
        for part in parts_by_name(kind):
            self._watch(f"getattr({{0}}, {part!r}, ABSENT)", thing, f"{name}.{part}")
            self._later(name, (getattr(thing, part, ABSENT),))
        if not own:
            self._watch("{0}.__class__", thing, f"the class of {name}")
            self._later(kind.__name__, (kind,))
        inherited = frozenset() if own else inherited_by(kind)
        label = f"{name[:LONGEST_NAME]}." if name else ""
        is_filled = is_filled_by_opaque_code(thing)
        table = table_of(thing)
        if table is not None:
            if is_filled:
                self._elements(name, table, ("{0}.values()",), [*table.values()])
            self._add_attributes(label, thing, table, inherited)
        slots = [x for base in kind.__mro__ for x in vars(base).get("__slots__", ())]
        if slots:
            self._add_attributes(label, thing, None, frozenset())
            self._choose(self.attributes[-1], set(slots) - FILLED_IN if is_filled else ())
            if is_filled and "_attrs" in slots:
                self._watch("(getattr({0}, '_attrs', None) or None)", thing, f"{name}.attrs")
                self._later(f"{name}.attrs", (getattr(thing, "_attrs", None),))

    def _elements(self, name: str, thing: Any, texts: Iterable[str], elements: list[Any]) -> None:
        for text in texts:
            self._watch(text, thing, name, is_container=True)
        self._later(name, elements)

    def _add_attributes(
        self,
        name: str,
        thing: Any,
        table: Any,
        inherited: frozenset[str],
        is_instance: bool = True,
    ) -> None:
        is_instance = is_instance and not isinstance(thing, types.ModuleType)
        is_module = isinstance(thing, types.ModuleType)
        of = thing.__name__ if is_module else getattr(thing, "__module__", None)
        is_defined = is_module or isinstance(thing, type | types.FunctionType)
        grows = is_users(of) or not is_defined
        is_watched = not (is_defined and is_ours(of))
        self.attributes.append(
            Attributes(name, thing, table, inherited, is_instance, grows, is_watched, {})
        )


def open_tensor(reach: Reach, name: str, tensor: Any) -> None:
    """Of PyTorch: where its numbers lie, and those that lie in this process's memory."""
    reach._watch("{0}.data_ptr()", tensor, name)
    reach._watch("{0}._version", tensor, name)
    try:
        reach.arrays.append((name, tensor.detach().numpy()))
    except (RuntimeError, TypeError):
        return  # on a device, sparse, or of a dtype that NumPy lacks


def open_getter(reach: Reach, name: str, getter: Any) -> None:
    """Of `operator`: the names that it was given are read as if code named them."""
    make, given = getter.__reduce__()
    given = (*getattr(make, "args", ()), *given)
    keywords = getattr(make, "keywords", {})
    reach._later(f"an argument of {name}", (*given, *keywords.values()))
    for text in given if isinstance(getter, operator.attrgetter) else given[:1]:
        reach.names.update(text.split("."))


def open_member(reach: Reach, name: str, member: enum.Enum) -> None:
    """Of an Enum: its value, attributes and methods; the member itself stays."""
    reach._later(name, (member._value_, type(member)))
    if not is_opaque(type(member).__module__):
        reach._add_attributes(f"{member}.", member, vars(member), frozenset())


Opener = Callable[[Reach, str, Any], None]

OPENERS: dict[tuple[type, ...], Opener] = {
    (enum.Enum,): open_member,
    (types.FunctionType,): Reach._function,
    (types.MethodType,): Reach._method,
    (types.BuiltinMethodType, types.MethodWrapperType): lambda reach, name, method: reach._later(
        name, (method.__self__,)
    ),
    (functools.partial,): Reach._partial,
    (operator.attrgetter, operator.methodcaller): open_getter,
    (type({}.keys()), type({}.values()), type({}.items())): lambda reach, name, view: reach._later(
        name, (view.mapping,)
    ),
    WRAPPERS: Reach._wrapper,
    (Primitive,): Reach._primitive,
    (types.ModuleType,): Reach._module,
    (ref,): Reach._reference,
    (ContextVar,): Reach._variable,
    (type,): Reach._class,
    (Handle,): Reach._value,
    (np.ndarray,): Reach._array,
    (np.void,): lambda reach, name, record: reach._watch("{0}.tobytes()", record, name),
}


@functools.lru_cache(maxsize=4096)
def is_plain(kind: type) -> bool:
    """Whether objects of a class stay what they are; the user's own subclasses have methods."""
    return issubclass(kind, PLAIN) and is_opaque(kind.__module__)


@functools.lru_cache(maxsize=4096)
def opener_of(kind: type) -> Opener:
    random = sys.modules.get("numpy.random")  # not imported before somebody draws
    if random is not None and issubclass(kind, random.Generator):
        return Reach._generator
    torch = sys.modules.get("torch")
    if torch is not None and issubclass(kind, torch.Tensor):
        return open_tensor
    return next((open for of, open in OPENERS.items() if issubclass(kind, of)), Reach._instance)


def methods_without_names(cls: type, all_of_them: bool) -> dict[str, types.FunctionType]:
    """The methods of a class that are called though no code names them: as its operators."""
    return {
        name: value
        for name, value in vars(cls).items()
        if all_of_them or name[:2] == "__" == name[-2:]
        if name not in LEFT_OUT and isinstance(value, types.FunctionType)
    }


def inherited_by(kind: type) -> frozenset[str]:
    """Names that an object finds in its class, and may come to have itself.

    What a cached property gives lies in the object as soon as it was read.
    """
    tables = [vars(x) for x in kind.__mro__ if not is_opaque(x.__module__)]
    items = [item for table in tables for item in table.items()]
    cached = functools.cached_property
    return frozenset(x for x, of in items if x[:2] != "__" and not isinstance(of, cached))


def is_slot(attributes: Attributes, name: str) -> bool:
    """Whether a name is that of a slot, which is read without calling anything."""
    found = next((vars(x)[name] for x in type(attributes.thing).__mro__ if name in vars(x)), None)
    return isinstance(found, types.MemberDescriptorType)


def table_of(thing: Any) -> dict[str, Any] | None:
    """The attributes of an object by name, if it has a dictionary of them.

    One that answers every name by something of its own answers this one too.
    """
    table = getattr(thing, "__dict__", None)
    return table if isinstance(table, dict) else None


def lends_bytes(thing: Any) -> bool:
    """Whether numbers lie in a buffer, as in a bytearray; arrays are looked at by themselves."""
    try:
        return not hasattr(type(thing), "__array__") and memoryview(thing).nbytes >= 0
    except (TypeError, ValueError, BufferError):
        return False


def is_filled_by_opaque_code(thing: Any) -> bool:
    """Whether methods that are not looked into read its attributes, which no code names.

    It is a container of Python's own, as a ChainMap; or of a package, as a polynomial or a table.
    """
    if isinstance(thing, type):
        return False
    bases = [x for x in type(thing).__mro__ if is_opaque(x.__module__)]
    if any(package_of(x.__module__) in FILLING for x in bases):
        return True
    return isinstance(thing, Mapping | Sequence | Set) and any(
        "__getitem__" in vars(base)
        for base in bases
        if base.__module__ not in ("builtins", "collections.abc")
    )


def contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return ABSENT


def bytes_of(thing: Any) -> bytes | int:
    """What lies in a buffer, or what tells whether it has changed."""
    held = memoryview(thing).tobytes()
    return held if len(held) <= FEW_BYTES else hash(held)


NAMES = {"ABSENT": ABSENT, "bytes_of": bytes_of, "contents": contents}
"""What the texts of places read by."""


def is_writable(array: Any) -> bool:
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return True
        array = array.base
    return False
