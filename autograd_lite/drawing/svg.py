"""A picture with its layout as SVG: text alternatives, and type that shows what is what."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from math import hypot
from zlib import crc32

from autograd_lite.drawing.formatting import columns, shorten
from autograd_lite.drawing.legend import Sign, legend
from autograd_lite.drawing.picture import (
    Cluster,
    Edge,
    Kind,
    Layout,
    Picture,
    Rectangle,
    Vertex,
    fact_text,
)
from autograd_lite.drawing.themes import Theme

__all__ = ["svg_text"]

SVG = "http://www.w3.org/2000/svg"

# All of them at most as wide as the font that boxes are measured for.
FONTS = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', Verdana, sans-serif"
LINE = 12.5
ARROW = 6.0
NOTE_LETTER = 5.6
SIGN_WIDTH, SIGN_HEIGHT, SIGN_ROW = 22.0, 11.0, 18.0
NARROWEST = 240.0
"""A row of the legend may be as wide as this below a picture that is not."""


def svg_text(picture: Picture, layout: Layout, theme: Theme) -> str:
    """The SVG, with titles and descriptions for screen readers."""
    notes = [shorten(note, 160) for note in picture.notes]
    width = max(layout.width, *(len(note) * NOTE_LETTER + 20 for note in notes), 0.0)
    rows = rows_of(legend(picture), max(width, NARROWEST))
    width = max(width, *(end_of(*row[-1]) for row in rows), 0.0)
    top = layout.height + LINE * len(notes) + (8 if notes else 0)
    height = top + SIGN_ROW * len(rows) + (4 if rows else 0)
    root = element_text(
        None,
        "svg",
        xmlns=SVG,
        width=f"{width:.0f}pt",
        height=f"{height:.0f}pt",
        viewBox=f"0 0 {width:.1f} {height:.1f}",
        role="img",
        font_family=FONTS,
        font_size="10",
        text_anchor="middle",
    )
    describe(root, picture)
    element_text(root, "rect", width="100%", height="100%", fill=theme.background)
    for cluster, frame in zip(picture.clusters, layout.frames, strict=True):
        write_frame(root, cluster, frame, theme)
    for edge, path, place in zip(picture.edges, layout.paths, layout.labels, strict=True):
        write_edge(root, edge, path, place, theme)
    for vertex in picture.vertices:
        write_vertex(root, vertex, layout.boxes[vertex.key], theme, vertex.key in picture.results)
    for index, note in enumerate(notes):
        y = layout.height + LINE * (index + 0.8)
        text_element(root, 10, y, note, theme.muted, text_anchor="start")
    for index, row in enumerate(rows):
        write_signs(root, row, top + SIGN_ROW * (index + 0.5), theme)
    return ET.tostring(root, encoding="unicode")


def rows_of(signs: list[Sign], width: float) -> list[list[tuple[Sign, float]]]:
    """The signs and where each starts, beside each other in as many rows as it takes."""
    rows: list[list[tuple[Sign, float]]] = []
    for sign in signs:
        start = end_of(*rows[-1][-1]) if rows else 0.0
        if rows and end_of(sign, start) <= width:
            rows[-1].append((sign, start))
        else:
            rows.append([(sign, 10.0)])
    return rows


def end_of(sign: Sign, start: float) -> float:
    """Where the next sign can start."""
    return start + SIGN_WIDTH + columns(sign.text) * NOTE_LETTER + 18


def write_signs(
    root: ET.Element, row: list[tuple[Sign, float]], middle: float, theme: Theme
) -> None:
    for sign, start in row:
        group = element_text(root, "g", class_="legend")
        box = Rectangle(start, middle - SIGN_HEIGHT / 2, SIGN_WIDTH, SIGN_HEIGHT)
        write_shape(group, sign.kind, box, theme, *sign.outline(theme))
        x = start + SIGN_WIDTH + 6
        text_element(group, x, middle + 3.5, sign.text, theme.muted, text_anchor="start")


def element_text(parent: ET.Element | None, tag: str, **attributes: str | float) -> ET.Element:
    """An element; numbers are rounded, and underscores of attributes become dashes."""
    texts = {
        name.rstrip("_").replace("_", "-"): x if isinstance(x, str) else f"{x:.1f}"
        for name, x in attributes.items()
    }
    return ET.Element(tag, texts) if parent is None else ET.SubElement(parent, tag, texts)


def text_element(
    parent: ET.Element, x: float, y: float, text: str, fill: str, **attributes: str
) -> ET.Element:
    element = element_text(parent, "text", x=x, y=y, fill=fill, **attributes)
    element.text = text
    return element


def describe(root: ET.Element, picture: Picture) -> None:
    # Several drawings can be on one page, a notebook, where identities must differ.
    texts = {"title": picture.title, "desc": picture.describe()}
    number = crc32(repr(picture).encode(errors="replace"))
    for tag, text in texts.items():
        element_text(root, tag, id=f"{tag}-{number:08x}").text = text
    root.set("aria-labelledby", " ".join(f"{tag}-{number:08x}" for tag in texts))


def write_frame(root: ET.Element, cluster: Cluster, frame: Rectangle, theme: Theme) -> None:
    group = element_text(root, "g", class_="cluster")
    color = theme.border["module"]
    rectangle(group, frame, rx="8", fill="none", stroke=color)
    title = shorten(cluster.title, 60)
    text_element(group, frame.x + 10, frame.y + 14, title, color, text_anchor="start")


def write_edge(
    root: ET.Element, edge: Edge, path: str, place: tuple[float, float] | None, theme: Theme
) -> None:
    marks = sorted(edge.marks)
    color = theme.mark[marks[-1]] if marks else theme.line
    group = element_text(root, "g", class_=" ".join(("edge", *marks)))
    width = "2.4" if marks else "1"
    line = element_text(group, "path", d=path, fill="none", stroke=color, stroke_width=width)
    if "blocked" in marks:
        line.set("stroke-dasharray", "5,2")
    element_text(group, "path", d=arrowhead(path), fill=color)
    if place is not None:
        text = text_element(group, *place, edge.label, theme.muted, font_size="9")
        # A rim in the colour of the background, where a line runs behind it.
        text.attrib |= {"paint-order": "stroke", "stroke": theme.background, "stroke-width": "3"}


def arrowhead(path: str) -> str:
    """A triangle at the end of a path, in its direction there."""
    numbers = re.findall(r"-?[\d.]+", path)
    x0, y0, x, y = map(float, numbers[-4:])
    length = hypot(x - x0, y - y0) or 1.0
    dx, dy = (x - x0) / length * ARROW, (y - y0) / length * ARROW
    left, right = (x - dy / 3, y + dx / 3), (x + dy / 3, y - dx / 3)
    return "M{:.1f},{:.1f}L{:.1f},{:.1f} {:.1f},{:.1f}z".format(*left, x + dx, y + dy, *right)


def rectangle(parent: ET.Element, r: Rectangle, **attributes: str) -> None:
    element_text(parent, "rect", x=r.x, y=r.y, width=r.width, height=r.height, **attributes)


def write_vertex(
    root: ET.Element, vertex: Vertex, box: Rectangle, theme: Theme, is_result: bool
) -> None:
    """A box of the shape of its kind, with its lines of text."""
    marks = sorted(vertex.marks)
    group = element_text(root, "g", id=vertex.key, class_=" ".join(("node", vertex.kind, *marks)))
    element_text(group, "title").text = shorten(vertex.describe(), 300)
    write_shape(group, vertex.kind, box, theme, *theme.outline(vertex, is_result))
    write_texts(group, vertex, box, theme)


def write_shape(
    group: ET.Element, kind: Kind, box: Rectangle, theme: Theme, stroke: str, width: str
) -> None:
    """The outline of a kind of box, which tells it from the others without colour too."""
    drawn = {"fill": theme.fill[kind], "stroke": stroke, "stroke_width": width}
    if kind in ("leaf", "parameter"):
        drawn["rx"] = f"{min(9.0, box.height / 2):.0f}"
    elif kind == "constant":
        drawn["stroke_dasharray"] = "5,2"
    rectangle(group, box, **drawn)
    inset = min(3.0, box.height / 5)
    if kind == "fold":
        inner = Rectangle(
            box.x + inset, box.y + inset, box.width - 2 * inset, box.height - 2 * inset
        )
        rectangle(group, inner, **drawn)
    elif kind == "module":
        side = min(4.0, box.height / 4)
        for y in (box.y + side, box.y + box.height - 2 * side):
            rectangle(group, Rectangle(box.x - side, y, 2 * side, side), **drawn)


def write_texts(group: ET.Element, vertex: Vertex, box: Rectangle, theme: Theme) -> None:
    """The name stands out, the operation behind it steps back."""
    middle = box.x + box.width / 2
    top = box.y + box.height / 2 - len(vertex.facts) * LINE / 2 + 3.5
    heading = text_element(group, middle, top, "", theme.text)
    name = element_text(heading, "tspan")
    name.text = shorten(vertex.title, 60)
    if vertex.kind != "constant":
        name.set("font-weight", "bold")
    if vertex.subtitle:
        name.tail = "  "
        element_text(heading, "tspan", fill=theme.muted).text = vertex.subtitle
    colors = {"value": theme.text, "grad": theme.gradient}
    for index, fact in enumerate(vertex.facts, 1):
        color = colors.get(fact[0], theme.muted)
        text_element(group, middle, top + index * LINE, fact_text(fact), color)
