"""The legend of a picture: a sign for each kind of box and each mark that it has."""

from __future__ import annotations

from dataclasses import dataclass

from autograd_lite.drawing.languages import word
from autograd_lite.drawing.picture import Edge, Kind, Mark, Picture, Vertex
from autograd_lite.drawing.themes import WIDTHS, Theme

__all__ = ["Sign", "legend"]


@dataclass(frozen=True)
class Sign:
    """A kind of box, or a mark, and the word for it."""

    text: str
    kind: Kind
    mark: Mark | None = None

    def outline(self, theme: Theme) -> tuple[str, str]:
        """The colour and the width of its border."""
        if self.mark is None:
            return theme.border[self.kind], "1"
        return theme.mark[self.mark], WIDTHS.get(self.mark, "2.4")


def legend(picture: Picture) -> list[Sign]:
    """The signs in the order in which they come; none where all boxes are alike."""
    kinds = list(dict.fromkeys(vertex.kind for vertex in picture.vertices))
    parts: list[Vertex | Edge] = [*picture.vertices, *picture.edges]
    marks = dict.fromkeys(mark for part in parts for mark in sorted(part.marks))
    signs = [Sign(word(f"kind.{kind}"), kind) for kind in kinds] if len(kinds) > 1 else []
    return [*signs, *(Sign(word(f"mark.{mark}"), "operation", mark) for mark in marks)]
