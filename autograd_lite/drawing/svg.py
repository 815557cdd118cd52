"""Graphviz's SVG made fit to be read: text alternatives, and type that shows what is what."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from zlib import crc32

from autograd_lite.drawing.formatting import shortened
from autograd_lite.drawing.picture import Picture, Vertex
from autograd_lite.drawing.themes import Theme

__all__ = ["finished_svg"]

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

# All of them at most as wide as the font that Graphviz measured with.
FONTS = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', Verdana, sans-serif"

ET.register_namespace("", SVG)
ET.register_namespace("xlink", XLINK)


def finished_svg(laid_out: bytes, picture: Picture, theme: Theme) -> str:
    """The SVG with titles and descriptions for screen readers, and lines of text told apart."""
    root = ET.fromstring(laid_out)
    root.set("role", "img")
    # Several drawings can be on one page, a notebook, where identities must differ.
    title, description = (f"{part}-{crc32(laid_out):08x}" for part in ("title", "description"))
    root.set("aria-labelledby", f"{title} {description}")
    _describe(root, title, picture.title, description, picture.describe())
    vertices = {vertex.key: vertex for vertex in picture.vertices}
    for text in root.iter(f"{{{SVG}}}text"):
        text.set("font-family", FONTS)
    for group in root.iter(f"{{{SVG}}}g"):
        _unwrap_link(group)
        kind = group.get("class", "").split()[:1]
        if kind == ["node"]:
            _finish_node(group, vertices[group.get("id", "")], theme)
        elif kind:
            _drop_title(group)
    return ET.tostring(root, encoding="unicode")


def _describe(root: ET.Element, *parts: str) -> None:
    title_id, title, description_id, description = parts
    for tag, identity, text in reversed(
        (("title", title_id, title), ("desc", description_id, description))
    ):
        element = ET.Element(f"{{{SVG}}}{tag}", {"id": identity})
        element.text = text
        root.insert(0, element)


def _unwrap_link(group: ET.Element) -> None:
    """Graphviz puts tooltips on links that lead nowhere; a title says the same without one."""
    for wrapper in [part for part in group if part.get("id", "").startswith("a_")]:
        link = wrapper[0]
        place = list(group).index(wrapper)
        group.remove(wrapper)
        for offset, part in enumerate(link):
            group.insert(place + offset, part)


def _drop_title(group: ET.Element) -> None:
    for title in group.findall(f"{{{SVG}}}title"):
        group.remove(title)


def _finish_node(group: ET.Element, vertex: Vertex, theme: Theme) -> None:
    title = group.find(f"{{{SVG}}}title")
    if title is not None:
        title.text = shortened(vertex.describe(), 300)
    texts = group.findall(f"{{{SVG}}}text")
    if texts and vertex.kind != "constant":
        _finish_heading(texts[0], vertex, theme)
    for text, (name, _) in zip(texts[1:], vertex.facts, strict=False):
        text.set("fill", theme.gradient if name == "grad" else theme.text)
        if name not in ("value", "grad"):
            text.set("fill", theme.muted)


def _finish_heading(heading: ET.Element, vertex: Vertex, theme: Theme) -> None:
    """The name stands out, the operation behind it steps back."""
    if not vertex.subtitle:
        heading.set("font-weight", "bold")
        return
    name = ET.Element(f"{{{SVG}}}tspan", {"font-weight": "bold"})
    name.text, name.tail = vertex.title, "  "
    operation = ET.Element(f"{{{SVG}}}tspan", {"fill": theme.muted})
    operation.text = vertex.subtitle
    heading.text = None
    heading.extend((name, operation))
