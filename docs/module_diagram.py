"""Draw which part of the code imports which: ``python docs/module_diagram.py``.

Writes ``images/modules.dot`` and, with Graphviz, ``images/modules.svg``. An arrow that follows
from others is left out, so that the floors of the house can be seen.
"""

from __future__ import annotations

import ast
from pathlib import Path

from graphviz import Source

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
PACKAGES = ("autograd_lite", "nn")

Graph = dict[str, set[str]]


def part_of(module: str) -> str | None:
    """The box that a module lies in: a module or folder of the engine; all of nn is one."""
    names = module.split(".")
    if names[0] not in PACKAGES:
        return None
    if names[0] == "nn" or len(names) == 1:
        return names[0]
    folder = ROOT / names[0] / names[1]
    return names[1] if folder.is_dir() or folder.with_suffix(".py").exists() else names[0]


def imported(path: Path) -> list[str]:
    """Full names of what a file imports when it runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    guarded = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for child in ast.walk(node)
    }
    names = []
    for node in ast.walk(tree):
        if node in guarded:
            continue
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def import_graph() -> Graph:
    graph: Graph = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            source = part_of(name)
            assert source is not None
            targets = {part_of(target) for target in imported(path)} - {None, source}
            graph.setdefault(source, set()).update(t for t in targets if t is not None)
    return graph


def reachable(graph: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    stack = list(graph.get(start, ()))
    while stack:
        part = stack.pop()
        if part not in seen:
            seen.add(part)
            stack.extend(graph.get(part, ()))
    return seen


def without_implied(graph: Graph) -> Graph:
    """Only the arrows that do not follow from two or more others."""
    return {
        source: {
            target
            for target in targets
            if not any(target in reachable(graph, other) for other in targets - {target})
        }
        for source, targets in graph.items()
    }


def dot_source() -> str:
    graph = without_implied(import_graph())
    lines = ["digraph modules {", '  node [shape=box, style="rounded,filled", fillcolor="#eef3fa",']
    lines += ['        fontname="Helvetica"];']
    lines += [f'  "{part}";' for part in sorted(graph)]
    lines += [f'  "{s}" -> "{t}";' for s in sorted(graph) for t in sorted(graph[s])]
    return "\n".join([*lines, "}", ""])


def main() -> None:
    source = dot_source()
    (IMAGES / "modules.dot").write_text(source, encoding="utf-8")
    (IMAGES / "modules.svg").write_bytes(Source(source).pipe(format="svg"))
    print("wrote", IMAGES / "modules.dot", "and", IMAGES / "modules.svg")


if __name__ == "__main__":
    main()
