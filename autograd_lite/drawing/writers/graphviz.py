"""The writers of what Graphviz lays out: its source, and pictures."""

from __future__ import annotations

from autograd_lite.drawing.dot import dot_source
from autograd_lite.drawing.formats import Design, writer
from autograd_lite.drawing.layout import render
from autograd_lite.drawing.svg import svg_text

__all__ = ["dot", "svg"]


@writer(".dot", "DOT")
def dot(design: Design) -> str:
    """The source in DOT."""
    return dot_source(design.still, design.colors, design.flow)


@writer(".svg", "SVG")
def svg(design: Design) -> str:
    """A picture with a text alternative for every node."""
    return svg_text(design.still, design.layout, design.colors)


@writer(".png", "PNG")
def png(design: Design) -> bytes:
    """A picture in dots."""
    return render(dot_source(design.still, design.colors, design.readable_flow, styled=True), "png")


@writer(".pdf", "PDF")
def pdf(design: Design) -> bytes:
    """A picture to print."""
    return render(dot_source(design.still, design.colors, design.readable_flow, styled=True), "pdf")
