"""The formats that a drawing can be saved in: each writer registers itself here by its suffix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from autograd_lite.core.errors import ArgumentValueError
from autograd_lite.drawing.languages import speak
from autograd_lite.drawing.layout import lay_out
from autograd_lite.drawing.picture import Layout, Picture
from autograd_lite.drawing.references import with_references
from autograd_lite.drawing.scene import Scene
from autograd_lite.drawing.themes import THEMES, Theme
from autograd_lite.drawing.wrapping import wrapped

__all__ = ["FORMATS", "Design", "encode", "writer"]


@dataclass(frozen=True)
class Design:
    """What is to be written: a picture, the runs that it shows, and how it is to look.

    A program has no runs.  ``theme`` and ``direction`` are None where the choice
    is left to the writer.
    """

    picture: Picture
    runs: tuple[Scene, ...]
    theme: str | None
    direction: str | None
    lang: str = "en"

    @property
    def colors(self) -> Theme:
        """The colours of a picture that cannot follow its reader."""
        return THEMES[self.theme or "light"]

    @property
    def flow(self) -> str:
        """The direction of a picture that is laid out elsewhere."""
        return self.direction or "LR"

    @property
    def readable_flow(self) -> str:
        """The direction of a picture that Graphviz draws: downwards where it would be too wide."""
        if self._is_given or lay_out(self.still, "LR").width <= TOO_WIDE:
            return self.flow
        return "TB"

    @property
    def _is_given(self) -> bool:
        """Whether the direction is; nobody reads pictures of very many boxes, whichever it is."""
        return self.direction is not None or len(self.picture.vertices) > MOST_READ

    @cached_property
    def still(self) -> Picture:
        """The picture as it is drawn where nothing can be asked: shared weights by name."""
        return with_references(self.picture)

    @cached_property
    def layout(self) -> Layout:
        """Where everything lies; what is too wide to be read goes on in rows, or downwards."""
        layout = lay_out(self.still, self.flow)
        if self._is_given or layout.width <= TOO_WIDE:
            return layout
        rows = wrapped(self.still, layout, WIDEST)
        downwards = lay_out(self.still, "TB")
        narrow = [x for x in (rows, downwards) if x is not None and x.width <= WIDEST]
        if narrow:
            return min(narrow, key=lambda x: x.height)
        return min((layout, downwards), key=lambda x: x.width)


WIDEST = 900.0
"""In points, as wide as a page or a screen: what is shown smaller cannot be read."""

TOO_WIDE = 1.25 * WIDEST
"""From here on it is worth a second row."""
MOST_READ = 250

Write = Callable[[Design], str | bytes]

FORMATS: dict[str, tuple[str, Write]] = {}
"""By suffix: the name of a format, and the function that writes it."""


def writer(suffix: str, name: str) -> Callable[[Write], Write]:
    """Declare a function to be the writer of the format with this suffix."""

    def register(write: Write) -> Write:
        FORMATS[suffix] = name, write
        return write

    return register


def encode(design: Design, suffix: str) -> bytes:
    """What a file with this suffix holds; an ArgumentValueError if nothing writes such files."""
    if suffix not in FORMATS:
        known = ", ".join(f"{suffix} ({name})" for suffix, (name, _) in FORMATS.items())
        raise ArgumentValueError(
            f"a drawing cannot be saved as {suffix or 'a file without suffix'!r}; "
            f"use one of {known}"
        )
    _, write = FORMATS[suffix]
    with speak(design.lang):
        content = write(design)
    return content.encode() if isinstance(content, str) else content
