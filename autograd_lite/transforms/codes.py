"""What a piece of code reads: the names of globals and attributes that stand in it."""

from __future__ import annotations

import dis
import functools
import types
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["DYNAMIC", "LISTING", "Reads", "codes_in", "names_in", "reads_of"]

DYNAMIC = {
    *("__dict__", "__getattribute__", "__getstate__", "asdict", "astuple", "attrgetter", "copy"),
    *("deepcopy", "dir", "eval", "exec", "fields", "getattr", "hasattr", "replace", "vars"),
}
"""Names by which code reads attributes that it does not name."""

LISTING = {"__dict__", "asdict", "dir", "vars"}
"""Those by which it asks which attributes there are."""


def names_in(code: types.CodeType) -> set[str]:
    """The names of globals and attributes in a piece of code and in the code inside it."""
    return {name for part in codes_in(code) for name in part.co_names}


def codes_in(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes_in(constant)


Names = frozenset[str]


class Reads(NamedTuple):
    """What a piece of code reads, with the code inside of it."""

    attributes: Names
    names: Names
    """Of globals."""
    modules: Names
    texts: Names
    """Texts in it that may be names."""
    asked: Names
    """Those that stand where attributes are asked for by texts: ``hasattr(x, "scale")``."""
    caught: Names
    """Attributes that are read where an exception is caught: they may be absent."""


@functools.lru_cache(maxsize=4096)
def reads_of(code: types.CodeType) -> Reads:
    attributes: set[str] = set()
    names: set[str] = set()
    modules: set[str] = set()
    texts: set[str] = set()
    asked: set[str] = set()
    caught: set[str] = set()
    for part in codes_in(code):
        own: set[str] = set()
        for x in dis.get_instructions(part):
            if x.opcode not in dis.hasname:
                continue
            if x.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                names.add(x.argval)
            elif x.opname == "IMPORT_NAME":
                modules.add(x.argval)
            elif x.opname == "IMPORT_FROM" or "_ATTR" in x.opname or "_METHOD" in x.opname:
                own.add(x.argval)
        attributes |= own
        if catches(part):
            caught |= own
        found = {x for x in part.co_consts if isinstance(x, str) and x.isidentifier()}
        texts |= found
        if not DYNAMIC.isdisjoint(part.co_names):
            asked |= found
        for constant in part.co_consts:
            if isinstance(constant, tuple):  # attributes in patterns, among others
                attributes.update(x for x in constant if isinstance(x, str))
    return Reads(*map(frozenset, (attributes, names, modules, texts, asked, caught)))


def catches(code: types.CodeType) -> bool:
    """Whether code catches exceptions, and not only closes what ``with`` has opened."""
    found = [x.opname for x in dis.get_instructions(code)]
    handlers = found.count("PUSH_EXC_INFO") - found.count("WITH_EXCEPT_START")
    return handlers > 0 or "suppress" in code.co_names
