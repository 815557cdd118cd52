"""Pictures that are too wide to be read, such as long chains, continued in rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from autograd_lite.drawing.picture import Edge, Layout, Picture, Rectangle, shifted

__all__ = ["wrapped"]

MARGIN, BETWEEN_ROWS, LANE, CORNER, ARROW = 10.0, 36.0, 6.0, 6.0, 6.0
MOST_LANES = 8
"""Where more values than this go on from row to row, rows say less than one long line."""

Point = tuple[float, float]


def wrapped(picture: Picture, layout: Layout, width: float) -> Layout | None:
    """A layout from left to right cut into rows of at most a width; None where it is of one piece.

    It is cut where neither boxes nor frames lie; what goes on in another row leaves its box below
    and enters the other one from above.
    """
    cuts = choose_cuts(picture, layout, width)
    if not cuts:
        return None
    ends = [0.0, *cuts, layout.width]
    row = {key: sum(box.x >= cut for cut in cuts) for key, box in layout.boxes.items()}
    lanes = lanes_of(picture, row, len(ends) - 1)
    if any(len(tails) > MOST_LANES for tails in lanes):
        return None
    rows = Rows(picture, layout, ends, row, lanes)
    return rows.layout()


def choose_cuts(picture: Picture, layout: Layout, width: float) -> list[float]:
    """Where rows end: between boxes and frames, where in the second half fewest values go on."""
    spans = sorted((r.x, r.x + r.width) for r in (*layout.boxes.values(), *layout.frames))
    gaps, end = [], spans[0][1] if spans else 0.0
    for left, right in spans:
        if left > end:
            gaps.append((end + left) / 2)
        end = max(end, right)
    ends = [(layout.boxes[e.tail].x, layout.boxes[e.head].x) for e in picture.edges]
    crossing = {gap: sum(tail < gap < head for tail, head in ends) for gap in gaps}
    cuts: list[float] = []
    start = 0.0
    while layout.width - start > width:
        late = [gap for gap in gaps if start + width / 2 < gap <= start + width]
        near = late or [gap for gap in gaps if start < gap <= start + width]
        ahead = [gap for gap in gaps if gap > start][:1]
        if not (near or ahead):
            break
        start = min(near or ahead, key=lambda gap: (crossing[gap], -gap))
        cuts.append(start)
    return cuts


def lanes_of(picture: Picture, row: dict[str, int], rows: int) -> list[list[str]]:
    """Below each row the vertices whose values pass there on their way to another one."""
    lanes: list[list[str]] = [[] for _ in range(rows)]
    for edge in picture.edges:
        for place in {row[edge.tail], max(row[edge.head] - 1, 0)}:
            if row[edge.tail] != row[edge.head] and edge.tail not in lanes[place]:
                lanes[place].append(edge.tail)
    return lanes


class Rows:
    """Rows of boxes, and the lanes below each in which lines run to other rows."""

    def __init__(
        self,
        picture: Picture,
        layout: Layout,
        ends: Sequence[float],
        row: dict[str, int],
        lanes: list[list[str]],
    ) -> None:
        self.picture, self.before, self.row, self.lanes = picture, layout, row, lanes
        skipping = [e.tail for e in picture.edges if abs(row[e.head] - row[e.tail]) > 1]
        self.margin = list(dict.fromkeys(skipping))
        left = MARGIN + LANE * len(self.margin)
        count = len(ends) - 1
        parts: list[list[Rectangle]] = [[] for _ in range(count)]
        for key, box in layout.boxes.items():
            parts[row[key]].append(box)
        for frame in layout.frames:
            parts[sum(frame.x >= cut for cut in ends[1:-1])].append(frame)
        self.shifts: list[Point] = []
        self.bottoms: list[float] = []
        y = MARGIN
        for boxes, tails in zip(parts, lanes, strict=True):
            x = min(box.x for box in boxes)
            top = min(box.y for box in boxes)
            self.shifts.append((left - x, y - top))
            self.bottoms.append(y + max(box.y + box.height for box in boxes) - top)
            y = self.bottoms[-1] + BETWEEN_ROWS + LANE * len(tails)
        self.boxes = {key: self.moved(box, row[key]) for key, box in layout.boxes.items()}
        self.entered: Counter[str] = Counter()

    def moved(self, box: Rectangle, row: int) -> Rectangle:
        dx, dy = self.shifts[row]
        return replace(box, x=box.x + dx, y=box.y + dy)

    def layout(self) -> Layout:
        """All parts in their rows."""
        frames = []
        for frame, cluster in zip(self.before.frames, self.picture.clusters, strict=True):
            inside = next(
                v for v in self.picture.vertices if v.module[: len(cluster.path)] == cluster.path
            )
            frames.append(self.moved(frame, self.row[inside.key]))
        paths, labels = [], []
        given = zip(self.picture.edges, self.before.paths, self.before.labels, strict=True)
        for edge, path, label in given:
            if self.row[edge.tail] == self.row[edge.head]:
                dx, dy = self.shifts[self.row[edge.tail]]
                paths.append(shifted(path, dx, dy))
                labels.append(None if label is None else (label[0] + dx, label[1] + dy))
            else:
                points = self.way(edge)
                paths.append(rounded(points))
                (x, y), (_, end) = points[-2:]
                labels.append(None if label is None else (x, (y + end) / 2))
        corners = [(r.x + r.width, r.y + r.height) for r in (*self.boxes.values(), *frames)]
        width, height = (max(c[axis] for c in corners) + MARGIN for axis in (0, 1))
        return Layout(width, height, self.boxes, paths, labels, frames)

    def way(self, edge: Edge) -> list[Point]:
        """Down from a box, along the lane below its row, and down into the other one."""
        tail, head = self.boxes[edge.tail], self.boxes[edge.head]
        x, y = tail.x + tail.width / 2, tail.y + tail.height
        self.entered[edge.head] += 1
        into = sum(
            e.head == edge.head and self.row[e.tail] != self.row[e.head] for e in self.picture.edges
        )
        end = head.x + head.width * self.entered[edge.head] / (into + 1), head.y - ARROW
        out, back = self.lane(self.row[edge.tail], edge), self.lane(self.row[edge.head] - 1, edge)
        if out == back:
            return [(x, y), (x, out), (end[0], out), end]
        side = MARGIN + LANE * self.margin.index(edge.tail)
        return [(x, y), (x, out), (side, out), (side, back), (end[0], back), end]

    def lane(self, row: int, edge: Edge) -> float:
        return self.bottoms[row] + BETWEEN_ROWS / 3 + LANE * self.lanes[row].index(edge.tail)


def rounded(points: Sequence[Point]) -> str:
    """A path of straight pieces with rounded corners."""
    text = "M{:.1f},{:.1f}".format(*points[0])
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        start, end = towards(corner, before), towards(corner, after)
        text += "L{:.1f},{:.1f}".format(*start)
        text += "C{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}".format(*corner, *corner, *end)
    return text + "L{:.1f},{:.1f}".format(*points[-1])


def towards(corner: Point, other: Point) -> Point:
    """A point at most so far from a corner as its rounding, on the way to another."""
    length = max(abs(other[0] - corner[0]) + abs(other[1] - corner[1]), 1e-9)
    part = min(CORNER / length, 0.5)
    return corner[0] + part * (other[0] - corner[0]), corner[1] + part * (other[1] - corner[1])
