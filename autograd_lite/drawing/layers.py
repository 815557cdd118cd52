"""A layout in layers, for pictures that are too deep for Graphviz, or where it is missing.

After K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of
hierarchical system structures" (1981): a layer for each step of the longest
way; within a layer the order of the neighbours' means; then each as near to
its neighbours as the order allows.  Edges from one vertex share one line
through the layers that they cross, so that the time grows with the size of
the picture, however long its edges are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, chain, pairwise
from typing import Literal

from autograd_lite.drawing.picture import Edge, Layout, Picture, Rectangle, Vertex

__all__ = ["layered_layout", "ranks"]

LETTER, LINE, LABEL_LETTER = 6.4, 12.5, 5.5
BETWEEN_LAYERS, BETWEEN_BOXES, MARGIN = 42.0, 16.0, 10.0
ARROW = 6.0
FRAME, FRAME_TITLE = 8.0, 16.0
SWEEPS = 4
WEIGHTS = {"line": 8.0, "operation": 8.0, "leaf": 1.0}
"""Who gives way: leaves, so that chains of operations and long lines are straight."""

Point = tuple[float, float]
Line = list[tuple[Point, ...]]
"""A start, then ends of straight pieces, or control points and ends of curved ones."""


@dataclass(eq=False)
class Slot:
    """A place in a layer: a box, or a line on its way through, which has no vertex.

    ``along`` and ``across`` are its extents in the direction of the computation
    and in that of the layer; ``middle`` is where it lies in the layer.
    """

    layer: int
    vertex: Vertex | None = None
    along: float = 0.0
    across: float = 0.0
    middle: float = 0.0
    before: list[Slot] = field(default_factory=list)
    after: list[Slot] = field(default_factory=list)

    @property
    def kind(self) -> Literal["line", "leaf", "operation"]:
        """What it is; a leaf is what nothing leads to."""
        if self.vertex is None:
            return "line"
        return "operation" if self.before else "leaf"


def layered_layout(picture: Picture, direction: str = "LR") -> Layout:
    """Each vertex in the layer after its last operand, near to its operands and users.

    Two runs that are compared lie beside each other.
    """
    turned = direction == "TB"
    placed: dict[str, Rectangle] = {}
    lines: dict[Edge, Line] = {}
    start = 0.0
    room = (2 * FRAME + FRAME_TITLE) * max((len(c.path) for c in picture.clusters), default=0)
    for part in parts_of(picture):
        boxes, ways, end = place_layers(part, turned, start)
        placed |= boxes
        lines |= ways
        start = end + room + BETWEEN_BOXES
    drawn = [lines[edge] for edge in picture.edges]
    if turned:
        placed = {key: Rectangle(r.y, r.x, r.height, r.width) for key, r in placed.items()}
        drawn = [[tuple((y, x) for x, y in piece) for piece in line] for line in drawn]
    return layout(picture, placed, drawn)


def parts_of(picture: Picture) -> list[Picture]:
    """The outermost frames, if all lies in them and no edge leads from one to another."""
    frame = {vertex.key: vertex.module[:1] for vertex in picture.vertices}
    if () in frame.values() or any(frame[e.tail] != frame[e.head] for e in picture.edges):
        return [picture]
    return [
        replace(
            picture,
            vertices=tuple(v for v in picture.vertices if frame[v.key] == name),
            edges=tuple(e for e in picture.edges if frame[e.head] == name),
        )
        for name in dict.fromkeys(frame.values())
    ]


def place_layers(
    picture: Picture, turned: bool, start: float
) -> tuple[dict[str, Rectangle], dict[Edge, Line], float]:
    """Boxes and lines as if the computation ran from left to right, and where they end.

    The first box begins at ``start``.
    """
    boxes, layers, ways = slots_of(picture, turned)
    order(layers)
    settle(layers)
    slots = list(chain.from_iterable(layers))
    shift = start - min((box.middle - box.across / 2 for box in boxes.values()), default=0.0)
    for slot in slots:
        slot.middle += shift
    letters = 0 if turned else max((len(edge.label) for edge in picture.edges), default=0)
    gap = max(BETWEEN_LAYERS, letters * LABEL_LETTER + 16.0)
    lengths = [max(slot.along for slot in layer) for layer in layers]
    starts = list(accumulate((length + gap for length in lengths), initial=0.0))
    placed = {
        key: Rectangle(
            starts[slot.layer] + (lengths[slot.layer] - slot.along) / 2,
            slot.middle - slot.across / 2,
            slot.along,
            slot.across,
        )
        for key, slot in boxes.items()
    }
    lines = {
        edge: line_between(
            placed[edge.tail],
            placed[edge.head],
            [(starts[slot.layer], lengths[slot.layer], slot.middle) for slot in way],
        )
        for edge, way in zip(picture.edges, ways, strict=True)
    }
    end = max((slot.middle + slot.across / 2 for slot in slots), default=start)
    return placed, lines, end


def ranks(picture: Picture) -> dict[str, int]:
    """Layers by the longest way from a leaf; leaves lie just before their first user."""
    operands: dict[str, list[str]] = defaultdict(list)
    users: dict[str, list[str]] = defaultdict(list)
    for edge in picture.edges:
        operands[edge.head].append(edge.tail)
        users[edge.tail].append(edge.head)
    rank: dict[str, int] = {}
    for vertex in picture.vertices:
        rank[vertex.key] = 1 + max((rank[o] for o in operands[vertex.key]), default=-1)
    for vertex in picture.vertices:
        if not operands[vertex.key] and users[vertex.key]:
            rank[vertex.key] = min(rank[user] for user in users[vertex.key]) - 1
    return rank


def slots_of(
    picture: Picture, turned: bool
) -> tuple[dict[str, Slot], list[list[Slot]], list[list[Slot]]]:
    """Slots of vertices by key, all slots by layer, and for each edge the lines it runs along."""
    rank = ranks(picture)
    layers: list[list[Slot]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    boxes = {}
    for vertex in picture.vertices:
        along, across = size(vertex)[::-1] if turned else size(vertex)
        boxes[vertex.key] = slot = Slot(rank[vertex.key], vertex, along, across)
        layers[slot.layer].append(slot)
    trunks: dict[str, list[Slot]] = defaultdict(list)
    for edge in sorted(picture.edges, key=lambda edge: rank[edge.head]):
        tail, head, trunk = boxes[edge.tail], boxes[edge.head], trunks[edge.tail]
        for layer in range(tail.layer + len(trunk) + 1, head.layer):
            slot = Slot(layer)
            link(trunk[-1] if trunk else tail, slot)
            trunk.append(slot)
            layers[layer].append(slot)
        way = trunk[: head.layer - tail.layer - 1]
        link(way[-1] if way else tail, head)
    ways = [trunks[e.tail][: rank[e.head] - rank[e.tail] - 1] for e in picture.edges]
    return boxes, layers, ways


def link(tail: Slot, head: Slot) -> None:
    tail.after.append(head)
    head.before.append(tail)


def size(vertex: Vertex) -> Point:
    lines = vertex.lines
    return max(map(len, lines)) * LETTER + 18.0, len(lines) * LINE + 12.0


def order(layers: list[list[Slot]]) -> None:
    """Sort each layer by the means of the places of its neighbours, forth and back."""
    place: dict[Slot, float] = {}
    for layer in layers:
        place |= {slot: float(index) for index, slot in enumerate(layer)}

    def mean(slots: Sequence[Slot], otherwise: Slot) -> float:
        return sum(place[s] for s in slots) / len(slots) if slots else place[otherwise]

    for sweep in range(SWEEPS):
        forth = sweep % 2 == 0
        for layer in layers if forth else layers[::-1]:
            means = {slot: mean(slot.before if forth else slot.after, slot) for slot in layer}
            layer.sort(key=means.__getitem__)
            # Places are relative, so that layers of different length can be compared.
            place |= {slot: (index + 0.5) / len(layer) for index, slot in enumerate(layer)}


def settle(layers: list[list[Slot]]) -> None:
    """Move each slot towards its neighbours, forth and back, as far as its layer leaves room."""
    for layer in layers:
        spread(layer, [0.0] * len(layer))
    for sweep in range(2 * SWEEPS):
        forth = sweep % 2 == 0
        for layer in layers if forth else layers[::-1]:
            spread(
                layer,
                [wished_position(slot, slot.before if forth else slot.after) for slot in layer],
            )


def wished_position(slot: Slot, neighbours: list[Slot]) -> float:
    """At its neighbours: those of its own kind, so that chains and lines run straight."""
    kin = [other for other in neighbours if other.kind == slot.kind] or neighbours
    return sum(other.middle for other in kin) / len(kin) if kin else slot.middle


def spread(layer: list[Slot], wishes: list[float]) -> None:
    """The places nearest to the wishes, by least squares, that keep the order and do not overlap.

    Without the room that the slots take up it is a monotone regression, solved by pooling
    neighbours that are in each other's way (M. Ayer and others, 1955).
    """
    offsets = [0.0]
    for a, b in pairwise(layer):
        offsets.append(offsets[-1] + (a.across + b.across) / 2 + BETWEEN_BOXES)
    pools: list[tuple[float, float, int]] = []
    for slot, wish, offset in zip(layer, wishes, offsets, strict=True):
        mean, weight, count = wish - offset, WEIGHTS[slot.kind], 1
        while pools and pools[-1][0] >= mean:
            other, more, others = pools.pop()
            mean = (mean * weight + other * more) / (weight + more)
            weight, count = weight + more, count + others
        pools.append((mean, weight, count))
    means = chain.from_iterable([mean] * count for mean, _, count in pools)
    for slot, offset, mean in zip(layer, offsets, means, strict=True):
        slot.middle = mean + offset


def line_between(tail: Rectangle, head: Rectangle, way: list[tuple[float, float, float]]) -> Line:
    """From box to box: straight through the layers between them, curved from one to the next."""
    x, y = tail.x + tail.width, tail.y + tail.height / 2
    line: Line = [((x, y),)]
    for start, length, middle in [*way, (head.x - ARROW, 0.0, head.y + head.height / 2)]:
        if abs(middle - y) > 0.5:
            line += [((x, y),)] if line[-1][-1] != (x, y) else []
            half = (x + start) / 2
            line.append(((half, y), (half, middle), (start, middle)))
            y = middle
        x = start + length
    return line if line[-1][-1] == (x, y) else [*line, ((x, y),)]


def layout(picture: Picture, boxes: dict[str, Rectangle], lines: list[Line]) -> Layout:
    """All of it moved to the top left corner, with frames around modules."""
    frames = frames_of(picture, boxes)
    corners = [
        *((r.x, r.y) for r in (*boxes.values(), *frames)),
        *((r.x + r.width, r.y + r.height) for r in (*boxes.values(), *frames)),
        *(point for line in lines for piece in line for point in piece),
    ]
    left, top = (min((c[axis] for c in corners), default=0.0) - MARGIN for axis in (0, 1))
    right, bottom = (max((c[axis] for c in corners), default=0.0) + MARGIN for axis in (0, 1))

    def moved(r: Rectangle) -> Rectangle:
        return Rectangle(r.x - left, r.y - top, r.width, r.height)

    moved_lines = [
        [tuple((x - left, y - top) for x, y in piece) for piece in line] for line in lines
    ]
    return Layout(
        right - left,
        bottom - top,
        {key: moved(box) for key, box in boxes.items()},
        [path(line) for line in moved_lines],
        [
            label_place(line) if edge.label else None
            for edge, line in zip(picture.edges, moved_lines, strict=True)
        ],
        [moved(frame) for frame in frames],
    )


def path(line: Line) -> str:
    """A line as the path of an SVG."""
    texts = [" ".join(f"{x:.1f},{y:.1f}" for x, y in piece) for piece in line]
    signs = ["M", *("L" if len(piece) == 1 else "C" for piece in line[1:])]
    return "".join(sign + text for sign, text in zip(signs, texts, strict=True))


def label_place(line: Line) -> Point:
    """The middle of the last piece of a line, where it belongs to one edge alone."""
    (x1, y1), (x2, y2) = line[-2][-1], line[-1][-1]
    return (x1 + x2) / 2, (y1 + y2) / 2 - 3.0


def frames_of(picture: Picture, boxes: dict[str, Rectangle]) -> list[Rectangle]:
    """Around the boxes of each module and the frames in it; inner ones are made first."""
    inside: dict[tuple[str, ...], list[Rectangle]] = defaultdict(list)
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
    return [frames[cluster.path] for cluster in picture.clusters]
