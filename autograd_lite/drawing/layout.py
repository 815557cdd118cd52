"""Where everything lies: read from Graphviz's SVG, or laid out in layers where there is none."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import defaultdict
from dataclasses import dataclass

from autograd_lite.drawing.dot import label_lines
from autograd_lite.drawing.picture import Picture, Vertex

__all__ = ["Layout", "Rectangle", "graphviz_layout", "layered_layout"]

SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Rectangle:
    """Left, top, width and height, in points."""

    x: float
    y: float
    width: float
    height: float

    def rounded(self) -> list[float]:
        """As a list for JSON; tenths of a point are enough."""
        return [round(number, 1) for number in (self.x, self.y, self.width, self.height)]


@dataclass(frozen=True)
class Layout:
    """Boxes of vertices by key, paths of edges and frames of clusters in their order.

    ``labels`` are the places of edge labels, None for edges without one.
    """

    width: float
    height: float
    boxes: dict[str, Rectangle]
    paths: list[str]
    labels: list[tuple[float, float] | None]
    frames: list[Rectangle]


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
        paths.append(_shifted(line.get("d", ""), dx, dy))
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


def _shifted(path: str, dx: float, dy: float) -> str:
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


LETTER, LINE, COLUMN_GAP, ROW_GAP, MARGIN = 6.4, 12.5, 42.0, 16.0, 10.0


def layered_layout(picture: Picture) -> Layout:
    """Each vertex in the column after its last operand, in a row near its operands' rows.

    After K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of
    hierarchical system structures" (1981), without their sweeps back and forth.
    """
    operands: dict[str, list[str]] = defaultdict(list)
    users: dict[str, list[str]] = defaultdict(list)
    for edge in picture.edges:
        operands[edge.head].append(edge.tail)
        users[edge.tail].append(edge.head)
    columns = _columns(picture, operands, users)
    boxes: dict[str, Rectangle] = {}
    left = MARGIN
    for column in columns:
        column.sort(key=lambda v: _mean_row(boxes, operands[v.key]))
        sizes = [_size(vertex) for vertex in column]
        widest = max(width for width, _ in sizes)
        top = MARGIN
        for vertex, (width, height) in zip(column, sizes, strict=True):
            boxes[vertex.key] = Rectangle(left + (widest - width) / 2, top, width, height)
            top += height + ROW_GAP
        left += widest + COLUMN_GAP
    height = max((box.y + box.height for box in boxes.values()), default=0.0) + MARGIN
    paths = [_curve(boxes[edge.tail], boxes[edge.head]) for edge in picture.edges]
    return Layout(left, height, boxes, paths, [None] * len(paths), _frames(picture, boxes))


def _columns(
    picture: Picture, operands: dict[str, list[str]], users: dict[str, list[str]]
) -> list[list[Vertex]]:
    """Vertices by the length of the longest way to them; leaves just before their first user."""
    depth: dict[str, int] = {}
    for vertex in picture.vertices:
        depth[vertex.key] = 1 + max((depth[o] for o in operands[vertex.key]), default=-1)
    for vertex in picture.vertices:
        if not operands[vertex.key] and users[vertex.key]:
            depth[vertex.key] = min(depth[user] for user in users[vertex.key]) - 1
    columns: list[list[Vertex]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for vertex in picture.vertices:
        columns[depth[vertex.key]].append(vertex)
    return [column for column in columns if column]


def _mean_row(boxes: dict[str, Rectangle], keys: list[str]) -> float:
    rows = [boxes[key].y for key in keys if key in boxes]
    return sum(rows) / len(rows) if rows else 0.0


def _size(vertex: Vertex) -> tuple[float, float]:
    lines = label_lines(vertex)
    return max(map(len, lines)) * LETTER + 18.0, len(lines) * LINE + 12.0


def _curve(tail: Rectangle, head: Rectangle) -> str:
    x1, y1 = tail.x + tail.width, tail.y + tail.height / 2
    x2, y2 = head.x - 6, head.y + head.height / 2
    middle = (x1 + x2) / 2
    return f"M{x1:.1f},{y1:.1f}C{middle:.1f},{y1:.1f} {middle:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"


def _frames(picture: Picture, boxes: dict[str, Rectangle]) -> list[Rectangle]:
    frames = []
    for cluster in picture.clusters:
        depth = len(cluster.path)
        inside = [boxes[v.key] for v in picture.vertices if v.module[:depth] == cluster.path]
        pad = 6.0 / depth
        left, top = min(b.x for b in inside) - pad, min(b.y for b in inside) - pad
        right = max(b.x + b.width for b in inside) + pad
        bottom = max(b.y + b.height for b in inside) + pad
        frames.append(Rectangle(left, top, right - left, bottom - top))
    return frames
