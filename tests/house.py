"""The source of both packages as tests and pages read it: modules, imports, global state."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("autograd_lite", "nn")


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


@dataclass(frozen=True)
class Import:
    """One imported name; ``member`` is empty where a whole module is imported."""

    module: str
    member: str
    is_local: bool
    """Inside of a function."""
    is_of_types: bool
    """Under ``if TYPE_CHECKING``, so that it never runs."""


@dataclass(frozen=True)
class Module:
    """One file of the packages."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def place(self) -> str:
        """The path as people write it: ``autograd_lite/core/node.py``."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def headline(self) -> str:
        """The first line of the docstring, without the full stop."""
        return (ast.get_docstring(self.tree) or "").partition("\n")[0].removesuffix(".")

    @property
    def offered(self) -> list[str] | None:
        """What ``__all__`` lists; None where there is none, or it is computed."""
        for node in self.tree.body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and "__all__" in assigned(node):
                return ast.literal_eval(node.value) if node.value is not None else None
        return None

    @cached_property
    def imports(self) -> list[Import]:
        """What is imported anywhere in it, also where it never runs."""
        return list(self._imports(self.tree, False, False))

    def _imports(self, node: ast.AST, is_local: bool, is_of_types: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                continue
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(alias.name, "", is_local, is_of_types)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{self.place}: relative import"
                for alias in child.names:
                    yield Import(child.module or "", alias.name, is_local, is_of_types)
            is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from self._imports(
                child, is_local or is_function, is_of_types or is_type_checking(child)
            )


def assigned(node: ast.Assign | ast.AnnAssign) -> list[str]:
    """The plain names that an assignment binds."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def read(path: Path) -> Module:
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    text = path.read_text(encoding="utf-8")
    return Module(name, path, text, ast.parse(text))


MODULES = {
    module.name: module
    for package in PACKAGES
    for module in map(read, sorted((ROOT / package).rglob("*.py")))
}


def import_graph() -> dict[str, set[str]]:
    """For each module the others that it imports, those of ``TYPE_CHECKING`` included."""
    graph = {}
    for name, module in MODULES.items():
        found = {
            full if (full := f"{i.module}.{i.member}") in MODULES else i.module
            for i in module.imports
        }
        graph[name] = {target for target in found if target in MODULES} - {name}
    return graph


CONTAINERS = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)
MAKERS = {
    "Registry",
    "ContextVar",
    "Counter",
    "OrderedDict",
    "count",
    "cycle",
    "defaultdict",
    "deque",
    "dict",
}
MAKERS |= {"list", "local", "set", "Lock", "RLock"}
MAKERS |= {"WeakKeyDictionary", "WeakSet", "WeakValueDictionary"}
MUTATORS = {"add", "append", "appendleft", "clear", "difference_update", "discard", "extend"}
MUTATORS |= {"insert", "pop", "popitem", "remove", "setdefault", "sort", "update"}


def last_name(node: ast.AST) -> str:
    """``cache`` for ``cache``, ``functools.cache`` and ``functools.cache(maxsize=1)``."""
    if isinstance(node, ast.Call):
        return last_name(node.func)
    return getattr(node, "attr", getattr(node, "id", ""))


def changed_names(tree: ast.Module) -> set[str]:
    """Names whose objects some statement of a module changes: ``x[k] = v``, ``x.add(v)``."""
    changed: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.Delete):
            changed += [target for target in node.targets if isinstance(target, ast.Subscript)]
        elif isinstance(node, ast.AugAssign):
            changed.append(node.target)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in MUTATORS:
                changed.append(node.func.value)
        elif isinstance(node, ast.Global):
            changed += [ast.Name(name) for name in node.names]
    names = set()
    for target in changed:
        while isinstance(target, ast.Subscript):
            target = target.value
        if isinstance(target, ast.Name):
            names.add(target.id)
    return names


def global_state() -> set[tuple[str, str]]:
    """File and name of everything at module level that changes after its own line.

    These are containers that are empty or that some function changes, context
    variables, counters, locks, registries, caches of functions, names that a function
    declares global, and attributes that are set on classes from outside.
    """
    changed = set()
    for name, module in MODULES.items():
        names = changed_names(module.tree)
        changed |= {(name, n) for n in names}
        changed |= {(i.module, i.member) for i in module.imports if i.member in names}
    found = set()
    for name, module in MODULES.items():
        for node in module.tree.body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                for n in assigned(node):
                    is_empty = isinstance(node.value, ast.Dict | ast.List) and not list(
                        ast.iter_child_nodes(node.value)
                    )
                    is_changed = isinstance(node.value, CONTAINERS) and (name, n) in changed
                    is_made = isinstance(node.value, ast.Call) and last_name(node.value) in MAKERS
                    if n != "__all__" and (is_empty or is_changed or is_made):
                        found.add((module.place, n))
            if isinstance(node, ast.Assign):
                found |= {
                    (module.place, ast.unparse(target))
                    for target in node.targets
                    if isinstance(target, ast.Attribute)
                }
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Global):
                found |= {(module.place, n) for n in node.names}
            decorators = getattr(node, "decorator_list", [])
            if any(last_name(d) in {"cache", "lru_cache"} for d in decorators):
                found.add((module.place, f"{node.name}()"))
    return found
