"""The writer of Mermaid, for pages that draw it themselves."""

from __future__ import annotations

from collections import defaultdict

from autograd_lite.core.errors import ArgumentValueError
from autograd_lite.drawing.formats import Design, writer
from autograd_lite.drawing.picture import Vertex

__all__ = ["mermaid"]

MOST_EDGES, MOST_CHARACTERS = 500, 50_000
"""Where Mermaid ends, on pages that do not say otherwise; a diagram itself cannot."""

SHAPES = {
    "leaf": ('("', '")'),
    "parameter": ('("', '")'),
    "operation": ('["', '"]'),
    "constant": ('{{"', '"}}'),
    "fold": ('[["', '"]]'),
    "module": ('[/"', '"/]'),
}


@writer(".mmd", "Mermaid")
def mermaid(design: Design) -> str:
    """A Mermaid flowchart; modules are subgraphs."""
    picture, theme = design.still, design.colors
    rows = [f"flowchart {design.flow}"]
    inside: dict[tuple[str, ...], list[Vertex]] = defaultdict(list)
    for vertex in picture.vertices:
        inside[vertex.module].append(vertex)
    rows += [f"  {node(vertex)}" for vertex in inside[()]]
    open_paths: list[tuple[str, ...]] = []
    for index, cluster in enumerate(picture.clusters):
        while open_paths and cluster.path[: len(open_paths[-1])] != open_paths[-1]:
            open_paths.pop()
            rows.append("  " * (len(open_paths) + 1) + "end")
        indent = "  " * (len(open_paths) + 1)
        rows.append(f'{indent}subgraph c{index}["{escape(cluster.title)}"]')
        open_paths.append(cluster.path)
        rows += [f"{indent}  {node(vertex)}" for vertex in inside[cluster.path]]
    while open_paths:
        open_paths.pop()
        rows.append("  " * (len(open_paths) + 1) + "end")
    for edge in picture.edges:
        label = f'|"{escape(edge.label)}"|' if edge.label else ""
        rows.append(f"  {edge.tail} -->{label} {edge.head}")
    for kind in dict.fromkeys(vertex.kind for vertex in picture.vertices):
        rows.append(
            f"  classDef {kind} fill:{theme.fill[kind]},stroke:{theme.border[kind]},"
            f"color:{theme.text}"
        )
    for vertex in picture.vertices:
        if vertex.marks:
            color, width = theme.outline(vertex, vertex.key in picture.results)
            rows.append(f"  style {vertex.key} stroke:{color},stroke-width:{width}px")
    for index, edge in enumerate(picture.edges):
        if edge.marks:
            dashes = ",stroke-dasharray:5" if "blocked" in edge.marks else ""
            color = theme.mark[max(edge.marks)]
            rows.append(f"  linkStyle {index} stroke:{color},stroke-width:2.4px{dashes}")
    text = "\n".join(rows) + "\n"
    if len(picture.edges) > MOST_EDGES or len(text) > MOST_CHARACTERS:
        raise ArgumentValueError(
            f"Mermaid draws at most {MOST_EDGES} edges and {MOST_CHARACTERS:,} characters; this "
            f"drawing has {len(picture.edges):,} and {len(text):,}; draw it with depth=1 or a "
            "smaller max_nodes=, or save it as .svg"
        )
    return text


def node(vertex: Vertex) -> str:
    before, after = SHAPES[vertex.kind]
    label = "<br>".join(escape(line) for line in vertex.lines)
    return f"{vertex.key}{before}{label}{after}:::{vertex.kind}"


def escape(text: str) -> str:
    """Everything but letters, digits and harmless signs as Mermaid's entity codes."""
    return "".join(c if c.isalnum() or c in " .,:=+-×→…()[]_" else f"#{ord(c)};" for c in text)
