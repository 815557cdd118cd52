"""Draw which room of the house imports which: ``python -m docs.module_diagram``.

Writes ``images/modules.dot`` and, with Graphviz, ``images/modules.svg``; and the lists of
files in ``architecture.md``.  An arrow that follows from others is left out, so that the
floors of the house can be seen.
"""

from __future__ import annotations

from pathlib import Path

from graphviz import Source

from tests.house import MODULES, import_graph

DOCS = Path(__file__).parent
IMAGES = DOCS / "images"
PAGE = DOCS / "architecture.md"
BEGIN = "<!-- files: written by python -m docs.module_diagram -->"
END = "<!-- end of files -->"

Graph = dict[str, set[str]]

BESIDE = {
    "autograd_lite": "autograd_lite",
    "autograd_lite.__main__": "doctor",
    "autograd_lite.array_api": "ops",
    "autograd_lite.files": "core",
    "autograd_lite.random": "ops",
    "autograd_lite.special": "scipy",
    "autograd_lite.testing": "checking",
    "nn": "nn",
    "nn.activations": "nn.models",
    "nn.initializers": "nn.models",
    "nn.metrics": "nn.losses",
    "nn.schedules": "nn.optimizers",
    "nn.plots": "nn.plots",
}
"""Where modules belong that lie beside the folders."""


def room_of(module: str) -> str:
    """The box that a module lies in: its folder, which is its trade."""
    if module in BESIDE:
        return BESIDE[module]
    package, room, *_ = module.split(".")
    return room if package == "autograd_lite" else f"{package}.{room}"


def room_graph() -> Graph:
    """Which rooms the modules of each room import from."""
    graph: Graph = {room_of(name): set() for name in MODULES}
    for name, targets in import_graph().items():
        graph[room_of(name)] |= set(map(room_of, targets)) - {room_of(name)}
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


def package_of(room: str) -> str:
    return "nn" if room.split(".")[0] == "nn" else "autograd_lite"


def dot_source() -> str:
    graph = without_implied(room_graph())
    lines = ["digraph modules {", '  node [shape=box, style="rounded,filled", fillcolor="#eef3fa",']
    lines += ['        fontname="Helvetica"];', '  fontname="Helvetica"; nodesep=0.4;']
    for package in ("nn", "autograd_lite"):
        lines += [f"  subgraph cluster_{package} {{", f'    label="{package}"; color="#8fa3bd";']
        for room in sorted(room for room in graph if package_of(room) == package):
            name = "the names of the package" if room == package else room.removeprefix("nn.")
            lines.append(f'    "{room}" [label="{name}"];')
        lines.append("  }")
    lines += [f'  "{s}" -> "{t}";' for s in sorted(graph) for t in sorted(graph[s])]
    return "\n".join([*lines, "}", ""])


def file_lists() -> str:
    """Every file with the first line of its docstring, folder by folder."""
    folders: dict[str, list[str]] = {}
    for module in MODULES.values():
        folder, _, file = module.place.rpartition("/")
        headline = module.headline.replace("``", "`").replace("|", "\\|")
        folders.setdefault(folder, []).append(f"| `{file}` | {headline} |")
    return "\n".join(
        line
        for folder, rows in folders.items()
        for line in ("", f"### `{folder}/`", "", "| file | holds |", "|---|---|", *sorted(rows))
    )


def page() -> str:
    """The page of the architecture with the lists of files as they are now."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return f"{before}{BEGIN}\n{file_lists()}\n\n{END}{rest.partition(END)[2]}"


def main() -> None:
    source = dot_source()
    PAGE.write_text(page(), encoding="utf-8")
    (IMAGES / "modules.dot").write_text(source, encoding="utf-8")
    (IMAGES / "modules.svg").write_bytes(Source(source).pipe(format="svg"))
    print("wrote", PAGE, IMAGES / "modules.dot", "and", IMAGES / "modules.svg")


if __name__ == "__main__":
    main()
