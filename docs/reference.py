"""What the pages of the API reference list: every public name of a module, by its kind."""

from __future__ import annotations

import inspect
from importlib import import_module
from types import ModuleType
from typing import Any

AS_IN_SCIPY = "As in SciPy"
KINDS = ("Classes", "Functions", "Errors", "Objects", AS_IN_SCIPY)


def kind_of(thing: Any) -> str:
    """Under which heading a public name stands.

    A function is what is called: functions with rules of their own are objects, which Sphinx by
    itself would take for data, and leave out.
    """
    if isinstance(thing, type):
        return "Errors" if issubclass(thing, BaseException) else "Classes"
    return "Functions" if callable(thing) else "Objects"


def is_of_scipy(module_name: str, thing: Any) -> bool:
    """Whether it is SciPy's in name, meaning and docstring, and has its page there."""
    is_mirror = module_name.startswith(("autograd_lite.scipy.", "autograd_lite.special"))
    return is_mirror and not (inspect.isfunction(thing) or isinstance(thing, type))


def is_function(full_name: str) -> bool:
    """Whether a public name, with its module, is a function."""
    module_name, _, name = full_name.rpartition(".")
    return kind_of(getattr(import_module(module_name), name)) == "Functions"


def names_by_kind(module_name: str) -> list[tuple[str, list[str]]]:
    """The names that a module lists, but for modules, which have pages of their own."""
    module = import_module(module_name)
    names: dict[str, list[str]] = {kind: [] for kind in KINDS}
    listed = getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")]
    for name in sorted(listed, key=lambda name: (name.lower(), name)):
        thing = getattr(module, name)
        if not isinstance(thing, ModuleType):
            kind = AS_IN_SCIPY if is_of_scipy(module_name, thing) else kind_of(thing)
            names[kind].append(name)
    return [(kind, found) for kind, found in names.items() if found]
