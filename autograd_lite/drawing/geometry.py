"""What a layout is: rectangles and paths in points, from the top left."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Layout", "Rectangle"]


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
