"""Colours: after M. Okabe, K. Ito, "Color universal design" (2008), safe for the colour-blind.

Kinds of nodes also differ in shape and line style, so that a print in grey can be read.
"""

from __future__ import annotations

from dataclasses import dataclass

from autograd_lite.drawing.picture import Kind, Mark, Vertex

__all__ = ["THEMES", "WIDTHS", "Theme"]

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


TEXTS = {
    "background": ("#ffffff", "#14191f"),
    "text": ("#1b2733", "#e8edf2"),
    "muted": ("#5b6876", "#9fadba"),
    "gradient": ("#a63c00", "#f2a65a"),
    "line": ("#7b8794", "#7f8b97"),
}
FILLS: dict[Kind, tuple[str, str]] = {
    "leaf": ("#e3f0fa", "#12344a"),
    "parameter": ("#f9eaf3", "#3c1f31"),
    "operation": ("#ffffff", "#1f2730"),
    "constant": ("#f3f4f6", "#262c33"),
    "fold": ("#fdf3dc", "#3d3114"),
    "module": ("#e2f4ee", "#11392e"),
}
BORDERS: dict[Kind, tuple[str, str]] = {
    "leaf": ("#0072b2", "#56b4e9"),
    "parameter": ("#a8437f", "#d98bb8"),
    "operation": ("#44515e", "#a9b5c0"),
    "constant": ("#8a94a0", "#7f8b97"),
    "fold": ("#b57d00", "#e6b030"),
    "module": ("#00785a", "#2fc39a"),
}
MARKS: dict[Mark, tuple[str, str]] = {
    "first": ("#c22f00", "#ff7a45"),
    "tainted": ("#c67a4b", "#d59a72"),
    "blocked": ("#c22f00", "#ff7a45"),
    "path": ("#8c2a66", "#e79fc6"),
    "differs": ("#c22f00", "#ff7a45"),
}


def theme(which: int) -> Theme:
    """The light theme from the first colour of each pair, the dark one from the second."""
    return Theme(
        **{name: pair[which] for name, pair in TEXTS.items()},
        fill={kind: pair[which] for kind, pair in FILLS.items()},
        border={kind: pair[which] for kind, pair in BORDERS.items()},
        mark={mark: pair[which] for mark, pair in MARKS.items()},
    )


THEMES = {"light": theme(0), "dark": theme(1)}
