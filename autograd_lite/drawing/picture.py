"""The one description of a drawn graph, which all writers read, and of where its parts lie.

Nothing here knows of Graphviz, HTML or text, and no writer knows of Values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Literal

from autograd_lite.drawing.formatting import shorten
from autograd_lite.drawing.languages import word

__all__ = [
    "Cluster",
    "Edge",
    "Kind",
    "Layout",
    "Mark",
    "Picture",
    "Rectangle",
    "Vertex",
    "fact_name",
    "fact_text",
    "shifted",
]

TOLD = ("value", "grad", "parameters", "changed")
"""Rows of boxes whose names are words."""

Kind = Literal["leaf", "parameter", "operation", "constant", "fold", "module"]
Mark = Literal["first", "tainted", "blocked", "path", "differs"]


@dataclass(frozen=True)
class Vertex:
    """One box: what it is called, what it holds, and what is to be said about it.

    ``title`` is the name, else the operation; ``facts`` are short rows such as
    ``("value", "-6.0")``; ``module`` is the path of the cluster it lies in.
    """

    key: str
    kind: Kind
    title: str
    subtitle: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    module: tuple[str, ...] = ()
    source: str = ""
    marks: frozenset[Mark] = frozenset()

    @property
    def lines(self) -> list[str]:
        """The lines of text in the box; the first is its title."""
        first = "  ".join(filter(None, (self.title, self.subtitle)))
        return [shorten(first, 60), *map(fact_text, self.facts)]

    def describe(self) -> str:
        """One sentence for tooltips and screen readers."""
        facts = [f"{fact_name(name)} {text}" for name, text in self.facts]
        name = " ".join(filter(None, (self.title, self.subtitle)))
        kind = [word("kind.parameter")] if self.kind == "parameter" else []
        parts = [name, *kind, *facts, *(word(f"mark.{mark}") for mark in sorted(self.marks))]
        return "; ".join(filter(None, parts)) + (f"; {self.source}" if self.source else "")


def fact_text(fact: tuple[str, str]) -> str:
    """A line of a box: what it is, and its text."""
    name, text = fact
    return f"{fact_name(name)}  {shorten(text, 48)}".strip()


def fact_name(name: str) -> str:
    """What a row is called in the language that is spoken."""
    return word(name) if name in TOLD else name


@dataclass(frozen=True)
class Edge:
    """An operand on its way into an operation: its shape, and which operand it is."""

    tail: str
    head: str
    label: str = ""
    place: int = 0
    marks: frozenset[Mark] = frozenset()


@dataclass(frozen=True)
class Cluster:
    """A module, drawn as a frame around what was computed in it."""

    path: tuple[str, ...]
    title: str


@dataclass(frozen=True)
class Picture:
    """A whole drawing; vertices are in the order of computation."""

    title: str
    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]
    clusters: tuple[Cluster, ...] = ()
    notes: tuple[str, ...] = ()
    results: frozenset[str] = field(default_factory=frozenset)

    def describe(self) -> str:
        """The drawing in one paragraph, the text alternative of its image."""
        n_nodes, n_edges = len(self.vertices), len(self.edges)
        size = word(
            "graph_size",
            nodes=word("one_node" if n_nodes == 1 else "all_nodes", count=n_nodes),
            edges=word("one_edge" if n_edges == 1 else "all_edges", count=n_edges),
        )
        return " ".join((size, *self.notes))

    def with_marks(
        self, vertices: dict[str, Mark], edges: dict[tuple[str, str], Mark], *notes: str
    ) -> Picture:
        """The same picture with marks on some of its vertices and edges."""
        return replace(
            self,
            vertices=tuple(
                replace(v, marks=v.marks | {vertices[v.key]}) if v.key in vertices else v
                for v in self.vertices
            ),
            edges=tuple(
                replace(e, marks=e.marks | {edges[e.tail, e.head]})
                if (e.tail, e.head) in edges
                else e
                for e in self.edges
            ),
            notes=self.notes + notes,
        )


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


def shifted(path: str, dx: float, dy: float) -> str:
    """The path of an SVG moved; its numbers are pairs of x and y."""
    return re.sub(
        r"(-?[\d.]+),(-?[\d.]+)",
        lambda pair: f"{float(pair[1]) + dx:.1f},{float(pair[2]) + dy:.1f}",
        path,
    )
