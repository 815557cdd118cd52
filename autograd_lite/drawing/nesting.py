"""A layout of our own, for pictures that are too much for Graphviz, or where it is missing.

Every module is laid out by itself, in layers, and is then a single box among its neighbours: so
frames never overlap, and nothing lies in a frame that it does not belong to.  Lines pass through
the border of a frame at ports, which lie at its two ends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from autograd_lite.drawing.formatting import columns
from autograd_lite.drawing.layers import Block, Item, Line, Link, Point, layered
from autograd_lite.drawing.picture import Cluster, Edge, Layout, Picture, Rectangle, Vertex

__all__ = ["layered_layout"]

LETTER, LINE = 6.4, 12.5
ARROW, MARGIN = 6.0, 10.0
FRAME, FRAME_TITLE = 8.0, 16.0

Path = tuple[str, ...]


def layered_layout(picture: Picture, direction: str = "LR") -> Layout:
    """Each vertex in the layer after its last operand, each module in a frame of its own."""
    try:
        nest = Nest(picture, direction == "TB")
    except CycleError:  # a module whose call is not at a stretch: its frame would hold others too
        nest = Nest(picture, direction == "TB", framed=False)
    return nest.layout()


class Nest:
    """The modules of a picture, each laid out before the one that it is in."""

    def __init__(self, picture: Picture, turned: bool, framed: bool = True) -> None:
        self.picture = picture
        self.turned = turned
        self.clusters = {c.path: c for c in picture.clusters} if framed else {}
        self.letters = 0 if turned else max((len(e.label) for e in picture.edges), default=0)
        self.home = {v.key: v.module if framed else () for v in picture.vertices}
        self.boxes: dict[str, Rectangle] = {}
        self.frames: dict[Path, Rectangle] = {}
        self.lines: dict[tuple[Path, Link], Line] = {}
        self.blocks: dict[Path, Block] = {}
        self.items: dict[Path, Item] = {}
        self.inside: dict[Path, list[Vertex]] = defaultdict(list)
        for vertex in picture.vertices:
            self.inside[self.home[vertex.key]].append(vertex)
        self.children: dict[Path, list[Cluster]] = defaultdict(list)
        for cluster in self.clusters.values():
            self.children[cluster.path[:-1]].append(cluster)
        self.links: dict[Path, list[Link]] = defaultdict(list)
        for edge in picture.edges:
            for path, link in self.stretches(edge):
                self.links[path].append(link)
        for path in sorted(self.clusters, key=len, reverse=True):
            self.items[path] = self.pack(path)
        self.place((), self.arrange(()), MARGIN, MARGIN)

    def stretches(self, edge: Edge) -> list[tuple[Path, Link]]:
        """The links that an edge is made of, from frame to frame: out, across, and in."""
        tail, head = self.home[edge.tail], self.home[edge.head]
        common = 0
        while tail[: common + 1] == head[: common + 1] and common < min(len(tail), len(head)):
            common += 1
        found, start = [], edge.tail
        for depth in range(len(tail), common, -1):
            found.append((tail[:depth], (start, port(1, edge.tail), edge.tail)))
            start = frame_key(tail[:depth])
        ends = [frame_key(head[:depth]) for depth in range(common + 1, len(head) + 1)]
        for depth, end in enumerate([*ends, edge.head], common):
            found.append((head[:depth], (start, end, edge.tail)))
            start = port(-1, edge.tail)
        return found

    def arrange(self, path: Path) -> Block:
        """What lies directly in a module, in layers."""
        links = list(dict.fromkeys(self.links[path]))
        items = [self.box(vertex) for vertex in self.inside[path]]
        items += [self.items[cluster.path] for cluster in self.children[path]]
        sides = {key: side for link in links for key, side in ((link[0], -1), (link[1], 1))}
        items += [Item(key, side=side) for key, side in sides.items() if key.startswith("port ")]
        return layered(in_order(items, links), links, self.letters)

    def box(self, vertex: Vertex) -> Item:
        lines = vertex.lines
        size = max(map(columns, lines)) * LETTER + 18.0, len(lines) * LINE + 12.0
        return Item(vertex.key, *(size[::-1] if self.turned else size))

    def pack(self, path: Path) -> Item:
        """A module as a single box, as large as its frame."""
        self.blocks[path] = block = self.arrange(path)
        title = columns(self.clusters[path].title) * LETTER + 20.0
        before, start = self.padding()
        along, across = block.along + before + FRAME, block.across + start + FRAME
        along, across = (along, max(across, title)) if self.turned else (max(along, title), across)
        ports = {
            (side, key.removeprefix(f"port {side} ")): start + box.y + box.height / 2
            for key, box in block.boxes.items()
            for side in (-1, 1)
            if key.startswith(f"port {side} ")
        }
        return Item(frame_key(path), along, across, 0, ports)

    def padding(self) -> Point:
        """The room before what is in a frame, along and across; its title lies above."""
        return (FRAME + FRAME_TITLE, FRAME) if self.turned else (FRAME, FRAME + FRAME_TITLE)

    def place(self, path: Path, block: Block, x: float, y: float) -> None:
        """Give all that is in a block its place in the picture."""
        for link, line in block.lines.items():
            self.lines[path, link] = [tuple((a + x, b + y) for a, b in piece) for piece in line]
        for vertex in self.inside[path]:
            self.boxes[vertex.key] = moved(block.boxes[vertex.key], x, y)
        before, start = self.padding()
        for cluster in self.children[path]:
            frame = moved(block.boxes[frame_key(cluster.path)], x, y)
            self.frames[cluster.path] = frame
            self.place(cluster.path, self.blocks[cluster.path], frame.x + before, frame.y + start)

    def line(self, edge: Edge) -> Line:
        """The whole line of an edge, which ends where its arrow begins."""
        line: Line = []
        for path, link in self.stretches(edge):
            piece = self.lines[path, link]
            joint = [] if not line or line[-1][-1] == piece[0][-1] else [piece[0]]
            line += piece if not line else joint + piece[1:]
        x, y = line[-1][-1]
        return [*line[:-1], (*line[-1][:-1], (x - ARROW, y))]

    def layout(self) -> Layout:
        """The places of all parts, in the direction asked for."""
        lines = [self.line(edge) for edge in self.picture.edges]
        boxes, frames = self.boxes, self.frames
        if self.turned:
            boxes = {key: turned(box) for key, box in boxes.items()}
            frames = {path: turned(box) for path, box in frames.items()}
            lines = [[tuple((y, x) for x, y in piece) for piece in line] for line in lines]
        if not self.clusters:
            frames = frames_around(self.picture, boxes)
        corners = [(r.x + r.width, r.y + r.height) for r in (*boxes.values(), *frames.values())]
        corners += [point for line in lines for piece in line for point in piece]
        width, height = (max((c[axis] for c in corners), default=0.0) + MARGIN for axis in (0, 1))
        return Layout(
            width,
            height,
            boxes,
            [path_text(line) for line in lines],
            [
                label_place(line) if edge.label else None
                for edge, line in zip(self.picture.edges, lines, strict=True)
            ],
            [frames[cluster.path] for cluster in self.picture.clusters],
        )


def frame_key(path: Path) -> str:
    return f"frame {path}"


def port(side: int, tail: str) -> str:
    """The key of the place where the value of a vertex leaves a frame, or comes in."""
    return f"port {side} {tail}"


def in_order(items: Sequence[Item], links: Sequence[Link]) -> list[Item]:
    """Items in an order in which operands come before what uses them."""
    by_key = {item.key: item for item in items}
    operands: dict[str, list[str]] = {key: [] for key in by_key}
    for tail, head, _ in links:
        operands[head].append(tail)
    return [by_key[key] for key in TopologicalSorter(operands).static_order()]


def moved(box: Rectangle, x: float, y: float) -> Rectangle:
    return Rectangle(box.x + x, box.y + y, box.width, box.height)


def turned(box: Rectangle) -> Rectangle:
    return Rectangle(box.y, box.x, box.height, box.width)


def path_text(line: Line) -> str:
    """A line as the path of an SVG."""
    texts = [" ".join(f"{x:.1f},{y:.1f}" for x, y in piece) for piece in line]
    signs = ["M", *("L" if len(piece) == 1 else "C" for piece in line[1:])]
    return "".join(sign + text for sign, text in zip(signs, texts, strict=True))


def label_place(line: Line) -> Point:
    """The middle of the last piece of a line, where it belongs to one edge alone."""
    (x1, y1), (x2, y2) = line[-2][-1], line[-1][-1]
    return (x1 + x2) / 2, (y1 + y2) / 2 - 3.0


def frames_around(picture: Picture, boxes: dict[str, Rectangle]) -> dict[Path, Rectangle]:
    """Around the boxes of each module and the frames in it; inner ones are made first."""
    inside: dict[Path, list[Rectangle]] = defaultdict(list)
    for vertex in picture.vertices:
        inside[vertex.module].append(boxes[vertex.key])
    frames = {}
    for cluster in sorted(picture.clusters, key=lambda cluster: -len(cluster.path)):
        parts = inside[cluster.path]
        left, top = min(p.x for p in parts) - FRAME, min(p.y for p in parts) - FRAME - FRAME_TITLE
        right = max(p.x + p.width for p in parts) + FRAME
        bottom = max(p.y + p.height for p in parts) + FRAME
        frames[cluster.path] = Rectangle(left, top, right - left, bottom - top)
        inside[cluster.path[:-1]].append(frames[cluster.path])
    return frames
