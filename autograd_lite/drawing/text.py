"""Writes a picture as plain text, and as Mermaid for pages that draw it themselves."""

from __future__ import annotations

from collections import defaultdict

from autograd_lite.drawing.dot import label_lines
from autograd_lite.drawing.picture import Picture, Vertex
from autograd_lite.drawing.themes import Theme

__all__ = ["mermaid", "plain_text"]


def plain_text(picture: Picture) -> str:
    """One line for each node, in the order of computation, with its operands.

    >>> import autograd_lite as ag
    >>> x, y = ag.Value(3.0, label="x"), ag.Value(4.0, label="y")
    >>> print(ag.draw(x * y)._repr_mimebundle_()["text/plain"])
    Computation graph of 3 nodes and 2 edges.
    <BLANKLINE>
      1  x         value 3.0
      2  y         value 4.0
      3  multiply  (1, 2)  value 12.0
    <BLANKLINE>
    """
    numbers = {vertex.key: index for index, vertex in enumerate(picture.vertices, 1)}
    operands: dict[str, list[int]] = defaultdict(list)
    for edge in picture.edges:
        operands[edge.head].append(numbers[edge.tail])
    titles = {v.key: " = ".join(filter(None, (v.title, v.subtitle))) for v in picture.vertices}
    width = min(max(map(len, titles.values()), default=0), 40)
    rows = [picture.describe(), ""]
    module: tuple[str, ...] = ()
    for vertex in picture.vertices:
        if vertex.module != module:
            module = vertex.module
            rows.append(f"{' / '.join(module) or 'outside of modules'}:")
        parts = [f"{numbers[vertex.key]:3}", titles[vertex.key].ljust(width)]
        if vertex.key in operands:
            parts.append(f"({', '.join(map(str, operands[vertex.key]))})")
        parts += [" ".join(filter(None, fact)) for fact in vertex.facts]
        parts += [f"[{mark}]" for mark in sorted(vertex.marks)]
        parts += [vertex.source] if vertex.source else []
        rows.append("  ".join(parts).rstrip())
    return "\n".join(rows) + "\n"


MERMAID_SHAPES = {
    "leaf": ('("', '")'),
    "operation": ('["', '"]'),
    "constant": ('{{"', '"}}'),
    "fold": ('[["', '"]]'),
    "module": ('[/"', '"/]'),
}


def mermaid(picture: Picture, theme: Theme, direction: str) -> str:
    """A Mermaid flowchart; modules are subgraphs."""
    rows = [f"flowchart {direction}"]
    inside: dict[tuple[str, ...], list[Vertex]] = defaultdict(list)
    for vertex in picture.vertices:
        inside[vertex.module].append(vertex)
    rows += [f"  {_node(vertex)}" for vertex in inside[()]]
    open_paths: list[tuple[str, ...]] = []
    for index, cluster in enumerate(picture.clusters):
        while open_paths and cluster.path[: len(open_paths[-1])] != open_paths[-1]:
            open_paths.pop()
            rows.append("  " * (len(open_paths) + 1) + "end")
        indent = "  " * (len(open_paths) + 1)
        rows.append(f'{indent}subgraph c{index}["{_escaped(cluster.title)}"]')
        open_paths.append(cluster.path)
        rows += [f"{indent}  {_node(vertex)}" for vertex in inside[cluster.path]]
    while open_paths:
        open_paths.pop()
        rows.append("  " * (len(open_paths) + 1) + "end")
    for edge in picture.edges:
        label = f'|"{_escaped(edge.label)}"|' if edge.label else ""
        rows.append(f"  {edge.tail} -->{label} {edge.head}")
    for kind in dict.fromkeys(vertex.kind for vertex in picture.vertices):
        rows.append(
            f"  classDef {kind} fill:{theme.fill[kind]},stroke:{theme.border[kind]},"
            f"color:{theme.text}"
        )
    return "\n".join(rows) + "\n"


def _node(vertex: Vertex) -> str:
    before, after = MERMAID_SHAPES[vertex.kind]
    label = "<br>".join(_escaped(line) for line in label_lines(vertex))
    return f"{vertex.key}{before}{label}{after}:::{vertex.kind}"


def _escaped(text: str) -> str:
    """Everything but letters, digits and harmless signs as Mermaid's entity codes."""
    return "".join(c if c.isalnum() or c in " .,:=+-×→…()[]_" else f"#{ord(c)};" for c in text)
