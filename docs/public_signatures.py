"""The table of public signatures in ``docs/api.md``: python -m docs.public_signatures."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import autograd_lite

PAGE = Path(__file__).parent / "api.md"
START, END = "<!-- signatures -->", "<!-- end of signatures -->"
MODULES = (
    "autograd_lite",
    "autograd_lite.deprecation",
    "autograd_lite.files",
    "autograd_lite.random",
    "autograd_lite.testing",
    "nn",
    "nn.activations",
    "nn.estimators",
    "nn.initializers",
    "nn.losses",
    "nn.metrics",
    "nn.plots",
    "nn.schedules",
)
FORMER = {"numbers_of"}
"""Names that work for one version still."""


@dataclass(frozen=True)
class Public:
    """A function or class, or a public method, that users call."""

    module: str
    name: str
    signature: inspect.Signature

    def __str__(self) -> str:
        return f"{self.name}{plain(self.signature)}"


def plain(signature: inspect.Signature) -> str:
    """Names and defaults, without types."""
    parameters = [
        p.replace(annotation=p.empty, default=Shown(p.default))
        if p.default is not p.empty
        else p.replace(annotation=p.empty)
        for p in signature.parameters.values()
    ]
    return str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))


class Shown:
    """A default as a person would write it."""

    def __init__(self, default: Any) -> None:
        self.default = default

    def __repr__(self) -> str:
        named = getattr(self.default, "__name__", None)
        text = named or repr(self.default)
        return "…" if " at 0x" in text or "<" in text else text


def signature_of(thing: Any) -> inspect.Signature | None:
    """How it is called; None for types of functions and of objects, or if it does not tell."""
    if hasattr(thing, "__origin__") or getattr(thing, "_is_protocol", False):
        return None
    try:
        return inspect.signature(thing)
    except (TypeError, ValueError):
        return None


def public_names(module: ModuleType) -> list[str]:
    names = {*module.__all__, *getattr(module, "_NOT_BY_STAR", ())}
    return sorted(name for name in names if callable(getattr(module, name)))


def signatures() -> Iterator[Public]:
    """All functions and classes that a public module lists, and their public methods."""
    for module_name in MODULES:
        module = import_module(module_name)
        for name in public_names(module):
            thing = getattr(module, name)
            if isinstance(thing, type) and issubclass(thing, BaseException):
                continue
            signature = signature_of(thing)
            if signature is not None:
                yield Public(module_name, name, signature)
            if isinstance(thing, type):
                yield from methods(module, name, thing)


def methods(module: ModuleType, name: str, kind: type) -> Iterator[Public]:
    """The public methods that a class has of itself, or of bases that nobody else sees."""
    listed = {*autograd_lite.__all__, *module.__all__}
    elsewhere = {c for b in kind.__mro__[1:] if b.__name__ in listed for c in b.__mro__}
    bases = [b for b in kind.__mro__ if b not in elsewhere]
    found: dict[str, Any] = {}
    for base in reversed(bases):
        if base.__module__.partition(".")[0] in ("autograd_lite", "nn"):
            found |= {n: f for n, f in vars(base).items() if inspect.isfunction(f)}
    for method, function in sorted(found.items()):
        if not method.startswith("_") and method not in FORMER:
            signature = inspect.signature(function)
            rest = list(signature.parameters.values())[1:]
            yield Public(module.__name__, f"{name}.{method}", signature.replace(parameters=rest))


def table() -> str:
    """The table, a part for each module."""
    parts: dict[str, list[str]] = {}
    for public in signatures():
        parts.setdefault(public.module, []).append(str(public))
    return "\n".join(
        f"\n### `{name}`\n\n```text\n" + "\n".join(lines) + "\n```" for name, lines in parts.items()
    )


def page() -> str:
    """The page with the table of now."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{table()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
