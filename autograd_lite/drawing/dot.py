"""A picture in DOT, the language of Graphviz, through the ``graphviz`` package."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from autograd_lite.core.errors import MissingOptionError
from autograd_lite.drawing.formatting import columns, shorten
from autograd_lite.drawing.legend import Sign, legend
from autograd_lite.drawing.picture import Cluster, Edge, Picture, Vertex, fact_text
from autograd_lite.drawing.themes import Theme

if TYPE_CHECKING:
    import graphviz

__all__ = ["dot_source", "graphviz_package"]

# Graphviz measures text with its own tables of widths.  Verdana is the widest of the common
# fonts, so that boxes are wide enough whichever font a viewer has.
FONT = "Verdana"

NODES = {"fontname": FONT, "fontsize": "10", "height": "0.3", "width": "0.3"}
# A picture with more boxes is improved for as many steps as it has nodes, and no longer: Graphviz
# would take minutes for what nobody sees.
SMALL = 100

EDGES = {"fontname": FONT, "fontsize": "9", "arrowsize": "0.6"}

WIDE = 0.035
"""Half of what a wide sign needs more, in inches."""

SHAPES = {
    "leaf": {"shape": "box", "style": "filled,rounded"},
    "parameter": {"shape": "box", "style": "filled,rounded"},
    "operation": {"shape": "box", "style": "filled"},
    "constant": {"shape": "box", "style": "filled,dashed"},
    "fold": {"shape": "box", "style": "filled", "peripheries": "2"},
    "module": {"shape": "component", "style": "filled"},
}


def graphviz_package() -> Any:
    """The package ``graphviz``, imported when there is something to draw."""
    try:
        import graphviz
    except ImportError as error:
        raise MissingOptionError(
            "a drawing as .dot, .png or .pdf needs the package graphviz; install it with: "
            "pip install graphviz; .svg, .html, .txt and .mmd work without"
        ) from error
    return graphviz


def escape(text: str) -> str:
    """A text in which nothing means anything to Graphviz."""
    return str(graphviz_package().escape(text))


def dot_source(picture: Picture, theme: Theme, direction: str, styled: bool = False) -> str:
    """The picture in DOT.  Every text in it is escaped; keys are the picture's own.

    ``styled`` texts are bold and coloured like those of SVG; only the program
    ``dot`` can read them.
    """
    graph = graphviz_package().Digraph(
        "computation_graph",
        graph_attr={"rankdir": direction, **graph_attributes(picture, theme)},
        node_attr={**NODES, "fontcolor": theme.text},
        edge_attr={**EDGES, "fontcolor": theme.muted, "color": theme.line},
    )
    write_clusters(graph, picture, theme, direction)
    for vertex in picture.vertices:
        if not vertex.module:
            write_vertex(graph, vertex, theme, vertex.key in picture.results)
    for index, edge in enumerate(picture.edges):
        write_edge(graph, edge, index, theme)
    if styled:
        graph.attr(label=rich_legend(picture, theme))
        for vertex in picture.vertices:
            graph.node(vertex.key, label=rich_label(vertex, theme))
    return str(graph.source)


def graph_attributes(picture: Picture, theme: Theme) -> dict[str, str]:
    notes = "".join(escape(shorten(note, 160)) + "\\l" for note in picture.notes)
    return {
        "bgcolor": theme.background,
        "fontname": FONT,
        "fontcolor": theme.muted,
        "fontsize": "10",
        "label": "\\l" + notes if notes else "",
        "labelloc": "b",
        "labeljust": "l",
        "nodesep": "0.22",
        **({"nslimit": "1"} if len(picture.vertices) > SMALL else {}),
        "ranksep": "0.38",
        "pad": "0.15",
        "tooltip": " ",
    }


def write_vertex(graph: graphviz.Digraph, vertex: Vertex, theme: Theme, is_result: bool) -> None:
    attributes = dict(SHAPES[vertex.kind])
    color, attributes["penwidth"] = theme.outline(vertex, is_result)
    # Graphviz measures the title as if it were not bold: the longer it is, the more room is left.
    # Of signs of East Asian scripts it knows no width at all.
    wide = max(columns(line) - len(line) for line in vertex.lines)
    attributes["margin"] = f"{0.12 + 0.004 * len(vertex.lines[0]) + WIDE * wide:.2f},0.07"
    graph.node(
        vertex.key,
        label="\\n".join(escape(line) for line in vertex.lines),
        color=color,
        fillcolor=theme.fill[vertex.kind],
        tooltip=escape(shorten(vertex.describe(), 300)),
        id=vertex.key,
        **{"class": " ".join((vertex.kind, *sorted(vertex.marks)))},
        **attributes,
    )


def rich_label(vertex: Vertex, theme: Theme) -> str:
    """The lines of a vertex in the markup of Graphviz: the name stands out, the rest steps back."""
    colors = {"value": theme.text, "grad": theme.gradient}
    title = rich_text(shorten(vertex.title, 60), theme.text)
    lines = [title if vertex.kind == "constant" else f"<b>{title}</b>"]
    if vertex.subtitle:
        lines[0] += rich_text(f"  {vertex.subtitle}", theme.muted)
    lines += [rich_text(fact_text(x), colors.get(x[0], theme.muted)) for x in vertex.facts]
    return f"<{'<br/>'.join(lines)}>"


def rich_legend(picture: Picture, theme: Theme) -> str:
    """The notes below a picture, and the legend below them."""
    notes = [rich_text(shorten(note, 160), theme.muted) for note in picture.notes]
    signs = "".join(rich_sign(sign, theme) for sign in legend(picture))
    rows = [*notes, f'<table border="0" cellspacing="4"><tr>{signs}</tr></table>' if signs else ""]
    cells = "".join(f'<tr><td align="left">{row}</td></tr>' for row in rows if row)
    return f'<<table border="0" cellspacing="0">{cells}</table>>' if cells else ""


def rich_sign(sign: Sign, theme: Theme) -> str:
    color, width = sign.outline(theme)
    styles = {"leaf": "rounded", "parameter": "rounded", "constant": "dashed"}
    style = f'style="{styles[sign.kind]}" ' if sign.kind in styles else ""
    look = f'{style}border="{float(width):.0f}" color="{color}" bgcolor="{theme.fill[sign.kind]}"'
    box = f'<td {look} fixedsize="true" width="24" height="12"></td>'
    return f"{box}<td>{rich_text(sign.text, theme.muted)}</td>"


def rich_text(text: str, color: str) -> str:
    # Kept from Graphviz: its backslash codes, spaces that it leaves out, elements that are empty.
    escaped = html.escape(text or " ").replace(" ", "&#160;").replace("\\", "\\\\")
    return f'<font color="{color}">{escaped}</font>'


def write_edge(graph: graphviz.Digraph, edge: Edge, index: int, theme: Theme) -> None:
    attributes = {}
    for mark in sorted(edge.marks):
        attributes = {"color": theme.mark[mark], "penwidth": "2.4"}
        if mark == "blocked":
            attributes["style"] = "dashed"
    graph.edge(
        edge.tail,
        edge.head,
        label=escape(edge.label),
        id=f"e{index}",
        tooltip=" ",
        **{"class": " ".join(sorted(edge.marks))} if edge.marks else {},
        **attributes,
    )


def write_clusters(graph: graphviz.Digraph, picture: Picture, theme: Theme, direction: str) -> None:
    """Frames of modules, innermost first, as each must be complete when it is put into another."""
    frames = enumerate(picture.clusters)
    inside = {cluster.path: frame(cluster, index, theme) for index, cluster in frames}
    for vertex in picture.vertices:
        if vertex.module:
            is_result = vertex.key in picture.results
            write_vertex(inside[vertex.module], vertex, theme, is_result)
    # Graphviz lays out later frames above earlier ones, but to the right of them.
    paths = list(inside)[::-1] if direction == "LR" else list(inside)
    for path in sorted(paths, key=len, reverse=True):
        inside.get(path[:-1], graph).subgraph(inside[path])


def frame(cluster: Cluster, index: int, theme: Theme) -> graphviz.Digraph:
    made: graphviz.Digraph = graphviz_package().Digraph(
        f"cluster_{index}",
        graph_attr={
            "label": "  " + escape(shorten(cluster.title, 60)),
            "id": f"c{index}",
            "style": "rounded",
            "color": theme.border["module"],
            "fontcolor": theme.border["module"],
            "labelloc": "t",
            "labeljust": "l",
            "margin": "10",
            "tooltip": " ",
        },
    )
    return made
