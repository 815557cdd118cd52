"""Where everything lies: read from Graphviz's SVG, or laid out in layers where it cannot help."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

from autograd_lite.drawing.dot import dot_source
from autograd_lite.drawing.graphviz_program import GraphvizError, render
from autograd_lite.drawing.layers import layered_layout, ranks
from autograd_lite.drawing.picture import Layout, Picture, Rectangle
from autograd_lite.drawing.themes import THEMES

__all__ = ["lay_out"]

SVG = "{http://www.w3.org/2000/svg}"

LARGEST = 6_000
"""Graphviz cuts edges at every layer that they cross; with many more pieces it takes minutes."""


def lay_out(picture: Picture, direction: str) -> Layout:
    """The layout by Graphviz; in layers if the picture is more than Graphviz can do.

    Raises
    ------
    MissingOptionError
        If there is no Graphviz.
    """
    if _pieces(picture) <= LARGEST:
        try:
            bare = replace(picture, notes=())
            svg = render(dot_source(bare, THEMES["light"], direction), "svg")
            return graphviz_layout(svg, picture)
        except GraphvizError:
            pass
    return layered_layout(picture, direction)


def _pieces(picture: Picture) -> int:
    """How many vertices Graphviz moves about: those of the picture, and one for each crossing."""
    rank = ranks(picture)
    crossings = sum(rank[edge.head] - rank[edge.tail] - 1 for edge in picture.edges)
    return len(picture.vertices) + crossings


def graphviz_layout(svg: bytes, picture: Picture) -> Layout:
    """Read the layout off an SVG that Graphviz drew of the picture."""
    root = ET.fromstring(svg)
    left, top, width, height = map(float, root.get("viewBox", "").split())
    whole = root.find(f"{SVG}g")
    assert whole is not None
    shift = re.search(r"translate\(([-\d.]+)[ ,]+([-\d.]+)\)", whole.get("transform", ""))
    assert shift is not None
    dx, dy = float(shift[1]) - left, float(shift[2]) - top
    groups = {group.get("id", ""): group for group in whole.iter(f"{SVG}g")}
    paths, labels = [], []
    for index in range(len(picture.edges)):
        group = groups[f"e{index}"]
        line = next(group.iter(f"{SVG}path"))
        paths.append(_shift(line.get("d", ""), dx, dy))
        text = next(group.iter(f"{SVG}text"), None)
        place = None
        if text is not None:
            place = (float(text.get("x", 0)) + dx, float(text.get("y", 0)) + dy)
        labels.append(place)
    return Layout(
        width,
        height,
        {v.key: _bounds(groups[v.key], dx, dy) for v in picture.vertices},
        paths,
        labels,
        [_bounds(groups[f"c{index}"], dx, dy) for index in range(len(picture.clusters))],
    )


def _numbers(text: str) -> list[tuple[float, float]]:
    pairs = re.findall(r"(-?[\d.]+),(-?[\d.]+)", text)
    return [(float(x), float(y)) for x, y in pairs]


def _shift(path: str, dx: float, dy: float) -> str:
    return re.sub(
        r"(-?[\d.]+),(-?[\d.]+)",
        lambda pair: f"{float(pair[1]) + dx:.1f},{float(pair[2]) + dy:.1f}",
        path,
    )


def _bounds(group: ET.Element, dx: float, dy: float) -> Rectangle:
    points = [
        point
        for part in group.iter()
        for point in _numbers(part.get("points", "") or part.get("d", ""))
    ]
    left, top = min(x for x, _ in points), min(y for _, y in points)
    right, bottom = max(x for x, _ in points), max(y for _, y in points)
    return Rectangle(left + dx, top + dy, right - left, bottom - top)
