"""Boxes in layers, one after the other in the direction of the computation.

After K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of
hierarchical system structures" (1981): a layer for each step of the longest
way; within a layer the order of the neighbours' means; then each as near to
its neighbours as the order allows.  Edges from one vertex share one line
through the layers that they cross, so that the time grows with the size of
the picture, however long its edges are.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain, pairwise
from typing import Literal

from autograd_lite.drawing.picture import Rectangle

__all__ = ["Block", "Item", "Line", "Link", "Point", "layered", "ranks"]

LABEL_LETTER = 5.5
BETWEEN_LAYERS, BETWEEN_BOXES = 42.0, 16.0
AT_PORTS = 18.0
SWEEPS = 4
WEIGHTS = {"line": 8.0, "operation": 8.0, "leaf": 1.0}
"""Who gives way: leaves, so that chains of operations and long lines are straight."""

Point = tuple[float, float]
Line = list[tuple[Point, ...]]
"""A start, then ends of straight pieces, or control points and ends of curved ones."""


Kind = Literal["line", "box"]


@dataclass(eq=False)
class Slot:
    """A place in a layer: a box, or a line on its way through.

    ``along`` and ``across`` are its extents in the direction of the computation
    and in that of the layer; ``middle`` is where it lies in the layer.
    """

    layer: int
    holds: Kind
    along: float = 0.0
    across: float = 0.0
    middle: float = 0.0
    before: list[Slot] = field(default_factory=list)
    after: list[Slot] = field(default_factory=list)

    @property
    def kind(self) -> Literal["line", "leaf", "operation"]:
        """What it is; a leaf is what nothing leads to."""
        if self.holds == "line":
            return "line"
        return "operation" if self.before else "leaf"


@dataclass(frozen=True)
class Item:
    """What is placed in a layer: a box, or a frame with all that is in it; or a port.

    ``along`` and ``across`` are its extents.  A port is where lines pass through the border of
    a frame: ``side`` is -1 for what leads into it, 1 for what leads out, 0 for all else.
    ``ports`` are where on a frame, across, the lines of its ports arrive, by their keys.
    """

    key: str
    along: float = 0.0
    across: float = 0.0
    side: int = 0
    ports: dict[tuple[int, str], float] = field(default_factory=dict)

    def port(self, side: int, tail: str) -> float:
        """How far from the middle a line ends."""
        return self.ports.get((side, tail), self.across / 2) - self.across / 2


Link = tuple[str, str, str]
"""The keys of two items, and of the vertex whose value goes from one to the other."""


@dataclass(frozen=True)
class Block:
    """Items that have been placed, from 0 on in either direction: boxes by key, lines by link."""

    boxes: dict[str, Rectangle]
    lines: dict[Link, Line]
    along: float
    across: float


def layered(items: Sequence[Item], links: Sequence[Link], letters: int) -> Block:
    """Items in layers, one after the other along the computation; operands come before users.

    Labels of so many ``letters`` have room between two layers.
    """
    slots, layers, ways = slots_of(items, links)
    order(layers)
    settle(layers)
    everything = list(chain.from_iterable(layers))
    shift = min((slot.middle - slot.across / 2 for slot in everything), default=0.0)
    for slot in everything:
        slot.middle -= shift
    lengths = [max(slot.along for slot in layer) for layer in layers]
    gaps = [max(BETWEEN_LAYERS, letters * LABEL_LETTER + 16.0)] * max(len(layers) - 1, 0)
    if any(item.side > 0 for item in items):
        gaps[-1] = AT_PORTS
    if any(item.side < 0 for item in items) and not letters:
        gaps[0] = AT_PORTS
    steps = map(operator.add, lengths, [*gaps, 0.0])
    starts = list(accumulate(steps, initial=0.0))
    boxes = {
        key: Rectangle(
            starts[slot.layer] + (lengths[slot.layer] - slot.along) / 2,
            slot.middle - slot.across / 2,
            slot.along,
            slot.across,
        )
        for key, slot in slots.items()
    }
    places = {item.key: item for item in items}
    lines = {}
    for link, way in zip(links, ways, strict=True):
        tail, head, source = link
        bends = [(starts[slot.layer], lengths[slot.layer], slot.middle) for slot in way]
        x, y = boxes[tail].x + boxes[tail].width, slots[tail].middle
        start = x, y + places[tail].port(1, source)
        end = boxes[head].x, slots[head].middle + places[head].port(-1, source)
        lines[link] = line_between(start, end, bends)
    along = starts[-1]
    across = max((slot.middle + slot.across / 2 for slot in everything), default=0.0)
    return Block(boxes, lines, along, across)


def ranks(order: Sequence[str], links: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Layers by the longest way from a leaf; leaves lie just before their first user.

    ``order`` has operands before what uses them.
    """
    operands: dict[str, list[str]] = defaultdict(list)
    users: dict[str, list[str]] = defaultdict(list)
    for tail, head in links:
        operands[head].append(tail)
        users[tail].append(head)
    rank: dict[str, int] = {}
    for key in order:
        rank[key] = 1 + max((rank[o] for o in operands[key]), default=-1)
    for key in order:
        if not operands[key] and users[key]:
            rank[key] = min(rank[user] for user in users[key]) - 1
    return rank


def slots_of(
    items: Sequence[Item], links: Sequence[Link]
) -> tuple[dict[str, Slot], list[list[Slot]], list[list[Slot]]]:
    """Slots of items by key, all slots by layer, and for each link the lines it runs along."""
    rank = ranks([item.key for item in items], [link[:2] for link in links])
    last = max(rank.values(), default=-1)
    for item in items:  # ports lie at the ends of a frame
        rank[item.key] = {-1: -1, 0: rank[item.key], 1: last + 1}[item.side]
    first = min(rank.values(), default=0)
    layers: list[list[Slot]] = [[] for _ in range(max(rank.values(), default=-1) - first + 1)]
    boxes = {}
    for item in items:
        kind: Kind = "line" if item.side else "box"
        boxes[item.key] = slot = Slot(rank[item.key] - first, kind, item.along, item.across)
        layers[slot.layer].append(slot)
    trunks: dict[tuple[str, str], list[Slot]] = defaultdict(list)
    for tail, head, source in sorted(links, key=lambda x: rank[x[1]]):
        start, end, trunk = boxes[tail], boxes[head], trunks[tail, source]
        for layer in range(start.layer + len(trunk) + 1, end.layer):
            slot = Slot(layer, "line")
            link(trunk[-1] if trunk else start, slot)
            trunk.append(slot)
            layers[layer].append(slot)
        way = trunk[: end.layer - start.layer - 1]
        link(way[-1] if way else start, end)
    ways = [
        trunks[tail, source][: boxes[head].layer - boxes[tail].layer - 1]
        for tail, head, source in links
    ]
    return boxes, layers, ways


def link(tail: Slot, head: Slot) -> None:
    tail.after.append(head)
    head.before.append(tail)


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


def line_between(start: Point, end: Point, way: Sequence[tuple[float, float, float]]) -> Line:
    """From point to point: straight through layers, and curved from one to the next."""
    x, y = start
    line: Line = [((x, y),)]
    for begin, length, middle in [*way, (end[0], 0.0, end[1])]:
        if abs(middle - y) > 0.5:
            line += [((x, y),)] if line[-1][-1] != (x, y) else []
            half = (x + begin) / 2
            line.append(((half, y), (half, middle), (begin, middle)))
            y = middle
        x = begin + length
    return line if line[-1][-1] == (x, y) else [*line, ((x, y),)]
