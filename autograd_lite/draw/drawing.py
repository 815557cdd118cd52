"""``draw`` and what it returns: a picture that knows how to be shown and saved."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from autograd_lite.draw.collect import recorded_graph
from autograd_lite.draw.describe import picture_of
from autograd_lite.draw.dot import dot_source
from autograd_lite.draw.graphviz_program import render
from autograd_lite.draw.picture import Picture
from autograd_lite.draw.themes import THEMES
from autograd_lite.errors import ArgumentTypeError, ArgumentValueError
from autograd_lite.value import Value

__all__ = ["Drawing", "draw"]


class Drawing:
    """A drawn computation graph; made by `draw`.

    Attributes
    ----------
    picture
        The description that all formats are written from.
    source
        The drawing in DOT, the language of Graphviz.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> x = ag.Value(3.0, label="x")
    >>> drawing = ag.draw(x * x)
    >>> drawing.source.splitlines()[0]
    'digraph computation_graph {'
    """

    def __init__(self, picture: Picture, theme: str, direction: str) -> None:
        self.picture = picture
        self.theme = THEMES[theme]
        self.source = dot_source(picture, self.theme, direction)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the drawing to a file, in the format that the suffix names.

        Parameters
        ----------
        path
            Ends in ``.dot``, or in ``.svg``, ``.png`` or ``.pdf``.

        Returns
        -------
        Path
            The file written.

        Raises
        ------
        ArgumentValueError
            If the suffix is none of these.
        MissingOptionError
            If the format needs Graphviz, and there is none.

        Examples
        --------
        >>> import tempfile, autograd_lite as ag
        >>> x = ag.Value(3.0, label="x")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = ag.draw(x * x).save(f"{folder}/square.dot")
        ...     path.name
        'square.dot'
        """
        path = Path(path)
        written = self._written(path.suffix.lower())
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=path.name, suffix=".part", delete=False
        ) as file:
            file.write(written)
        os.chmod(file.name, 0o644)
        os.replace(file.name, path)
        return path

    def _written(self, suffix: str) -> bytes:
        if suffix == ".dot":
            return self.source.encode()
        if suffix in (".svg", ".png", ".pdf"):
            return render(self.source, suffix[1:])
        raise ArgumentValueError(
            f"a drawing cannot be saved as {suffix or 'a file without suffix'!r}; "
            "use .dot, .svg, .png or .pdf"
        )


def draw(target: Any, *, theme: str = "light", direction: str = "LR") -> Drawing:
    """Draw the graph that a Value was computed by, before or after ``backward()``.

    Parameters
    ----------
    target : Value
        The result whose computation is to be seen.
    theme : {"light", "dark"}
        Colours; both can be told apart by the colour-blind.
    direction : {"LR", "TB"}
        Whether the computation runs from left to right or from top to bottom.

    Returns
    -------
    Drawing
        Save it with ``drawing.save("graph.svg")``.

    Raises
    ------
    ArgumentTypeError
        If the target is not a Value.
    ArgumentValueError
        If the theme or the direction is unknown.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> a, b = ag.Value(2.0, label="a"), ag.Value(-3.0, label="b")
    >>> loss = a * b
    >>> loss.backward()
    >>> [vertex.describe() for vertex in ag.draw(loss).picture.vertices][0]
    'a; value 2.0; grad -3.0'
    """
    if not isinstance(target, Value):
        raise ArgumentTypeError(
            f"draw: the target is {type(target).__name__}; pass the Value that was computed"
        )
    _check_choice("theme", theme, tuple(THEMES))
    _check_choice("direction", direction, ("LR", "TB"))
    graph = recorded_graph([target])
    names = {node.serial: node.label for node in graph.nodes if node.label is not None}
    return Drawing(picture_of(graph, names, "computation graph"), theme, direction)


def _check_choice(argument: str, given: Any, choices: tuple[str, ...]) -> None:
    if given not in choices:
        raise ArgumentValueError(
            f"draw: {argument}={given!r} is unknown; use {' or '.join(map(repr, choices))}"
        )
