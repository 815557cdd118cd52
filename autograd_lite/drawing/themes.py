"""Colours: after M. Okabe, K. Ito, "Color universal design" (2008), safe for the colour-blind.

Kinds of nodes also differ in shape and line style, so that a print in grey can be read.
"""

from __future__ import annotations

from dataclasses import dataclass

from autograd_lite.drawing.picture import Kind, Mark, Vertex

__all__ = ["THEMES", "Theme"]

WIDTHS: dict[Mark, str] = {"first": "4", "tainted": "1.6"}


@dataclass(frozen=True)
class Theme:
    """The colours of one drawing: fills and lines by kind, and what marks stand out in."""

    background: str
    text: str
    muted: str
    gradient: str
    line: str
    fill: dict[Kind, str]
    border: dict[Kind, str]
    mark: dict[Mark, str]

    def outline(self, vertex: Vertex, is_result: bool) -> tuple[str, str]:
        """The colour and the width of a border; marks can be told apart by either."""
        if vertex.marks:
            mark = max(vertex.marks)
            return self.mark[mark], WIDTHS.get(mark, "2.4")
        return self.border[vertex.kind], "2" if is_result else "1"


THEMES = {
    "light": Theme(
        background="#ffffff",
        text="#1b2733",
        muted="#5b6876",
        gradient="#a63c00",
        line="#7b8794",
        fill={
            "leaf": "#e3f0fa",
            "operation": "#ffffff",
            "constant": "#f3f4f6",
            "fold": "#fdf3dc",
            "module": "#e2f4ee",
        },
        border={
            "leaf": "#0072b2",
            "operation": "#44515e",
            "constant": "#8a94a0",
            "fold": "#b57d00",
            "module": "#00785a",
        },
        mark={
            "first": "#c22f00",
            "tainted": "#c67a4b",
            "blocked": "#c22f00",
            "path": "#8c2a66",
            "differs": "#c22f00",
        },
    ),
    "dark": Theme(
        background="#14191f",
        text="#e8edf2",
        muted="#9fadba",
        gradient="#f2a65a",
        line="#7f8b97",
        fill={
            "leaf": "#12344a",
            "operation": "#1f2730",
            "constant": "#262c33",
            "fold": "#3d3114",
            "module": "#11392e",
        },
        border={
            "leaf": "#56b4e9",
            "operation": "#a9b5c0",
            "constant": "#7f8b97",
            "fold": "#e6b030",
            "module": "#2fc39a",
        },
        mark={
            "first": "#ff7a45",
            "tainted": "#d59a72",
            "blocked": "#ff7a45",
            "path": "#e79fc6",
            "differs": "#ff7a45",
        },
    ),
}
