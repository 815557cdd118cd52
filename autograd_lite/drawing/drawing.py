"""``draw`` and what it returns: a picture that knows how to be shown and saved."""

from __future__ import annotations

import html
import os
import sys
import tempfile
import warnings
import webbrowser
from collections.abc import Collection
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import FrameType
from typing import Any

from autograd_lite.compiler.ir import Program
from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError
from autograd_lite.core.value import Value
from autograd_lite.drawing.compare import side_by_side
from autograd_lite.drawing.formatting import shorten
from autograd_lite.drawing.highlight import HIGHLIGHTS
from autograd_lite.drawing.languages import LANGUAGES, speak
from autograd_lite.drawing.picture import Picture
from autograd_lite.drawing.programs import program_of, program_picture
from autograd_lite.drawing.provenance import SourceLines
from autograd_lite.drawing.scene import Scene, compose
from autograd_lite.drawing.subject import find_subject
from autograd_lite.drawing.themes import THEMES
from autograd_lite.drawing.writers import Design, encode
from autograd_lite.files import as_path, atomic_write

__all__ = ["Drawing", "DrawingWarning", "draw"]

DIRECTIONS = ("LR", "TB")


class DrawingWarning(UserWarning):
    """A drawing shows less than the whole graph.

    >>> import autograd_lite as ag
    >>> issubclass(ag.DrawingWarning, UserWarning)
    True
    """


class Drawing:
    """A drawn computation graph; made by `draw`.

    A notebook shows it as a picture.

    Attributes
    ----------
    picture
        The description that all formats are written from: vertices, edges,
        clusters, notes.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> x = ag.Value(3.0, label="x")
    >>> drawing = ag.draw(x * x)
    >>> drawing.source.splitlines()[0]
    'digraph computation_graph {'
    """

    def __init__(self, design: Design) -> None:
        self._design = design

    @property
    def picture(self) -> Picture:
        return self._design.picture

    def __repr__(self) -> str:
        shown = f"{len(self.picture.vertices)} nodes, {len(self.picture.edges)} edges"
        return f"<Drawing of {self.picture.title}: {shown}>"

    @property
    def source(self) -> str:
        """The drawing in DOT, the language of Graphviz."""
        return self._content(".dot").decode()

    @property
    def svg(self) -> str:
        """The drawing as SVG, with a text alternative for every node."""
        return self._content(".svg").decode()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the drawing to a file, in the format that the suffix names.

        ====================  =======================================================
        ``.svg``              picture
        ``.png``, ``.pdf``    picture; needs the program ``dot``
        ``.html``             the computation and its gradient to step through; not of
                              a program, which has no numbers
        ``.dot``, ``.mmd``    source for Graphviz and for Mermaid
        ``.txt``              text
        ====================  =======================================================

        Parameters
        ----------
        path
            The file to write; its suffix is one of the above.

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
        path = as_path(path)
        content = self._content(path.suffix.lower())
        with atomic_write(path) as file:
            file.write(content)
        return path

    def steps(self, height: int = 560) -> Stepper:
        """The stepper, for a notebook to show in place: nothing is saved.

        Parameters
        ----------
        height
            The height of the page in pixels; its width is that of the notebook.

        Returns
        -------
        Stepper
            What a notebook shows as a page; ``stepper.html`` is its text.

        Raises
        ------
        ArgumentValueError
            If the drawing is of a program, which has no numbers to step through.

        Examples
        --------
        >>> import autograd_lite as ag
        >>> x = ag.Value(3.0, label="x")
        >>> ag.draw(x * x).steps().html[:15]
        '<!DOCTYPE html>'
        """
        require_count("height", height, 100)
        return Stepper(self._content(".html").decode(), height)

    def show(self) -> Path:
        """Open the drawing in the web browser; it is written to a temporary file.

        Returns
        -------
        Path
            The file that was opened.
        """
        path = self.save(Path(tempfile.mkdtemp(prefix="drawing-")) / "drawing.svg")
        webbrowser.open(path.as_uri())
        return path

    def _content(self, suffix: str) -> bytes:
        """What a file with this suffix holds."""
        return encode(self._design, suffix)

    # What notebooks ask for.

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        return f'<div style="overflow:auto">{self.svg}</div>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        text = self._content(".txt").decode()
        return {"text/plain": text, "text/html": self._repr_html_(), "image/svg+xml": self.svg}


@dataclass(frozen=True)
class Stepper:
    """A page to step through; made by `Drawing.steps`, and shown by notebooks.

    Attributes
    ----------
    html : str
        The page, which needs nothing besides.
    height : int
        How high a notebook shows it, in pixels.
    """

    html: str = field(repr=False)
    height: int

    def _repr_html_(self) -> str:
        # The page is a document of its own, so that its style and keys end at its frame.
        return (
            f'<iframe srcdoc="{html.escape(self.html)}" title="stepper" sandbox="allow-scripts" '
            f'style="width: 100%; height: {self.height}px; border: 1px solid #8888"></iframe>'
        )


def draw(
    target: Any,
    *args: Any,
    depth: int | None = None,
    max_nodes: int = 200,
    highlight: str | None = None,
    compare: Any = None,
    theme: str | None = None,
    direction: str | None = None,
    lines: SourceLines | None = None,
    lang: str = "en",
) -> Drawing:
    """Draw how a result was computed: its operations, their values and gradients.

    Names come from ``label=``, a module's parameters, and local variables that hold Values.
    Save the drawing with ``drawing.save("graph.svg")``, or let a notebook show it.

    Parameters
    ----------
    target : Value, function, module or program
        A Value is drawn with the graph that it was computed by.  A function or module is called
        once on ``args``; if it gives a single number, its gradients are drawn too.  Nothing of
        the caller's is changed.  A compiled function without ``args`` is drawn as the program
        that it used last, and so is its ``program``: with shapes and dtypes.
    *args
        Example arguments.  Numbers and arrays of floats become Values of the drawing; Values
        are used as they are, arrays of integers (labels, indices) stay constants.
    depth : int, optional
        How deep modules are opened: 0 draws the model as one box, 1 its layers, and so on; runs
        of equal layers become one box.  By default all are opened, each in a frame.
    max_nodes : int
        A graph with more nodes is folded until it has at most so many.
    highlight : {"nan", "zero_grad", "path"}, optional
        Mark the first operation that made a NaN or infinity; the leaves that no gradient reaches,
        and where it was lost; or the path of the largest gradient.
    compare : Value or tuple, optional
        A second run, drawn beside the first with all that differs marked: another Value, or for
        a function or module a tuple of other arguments.
    theme : {"light", "dark"}, optional
        By default pictures are light, and the stepper follows the reader's setting.
    direction : {"LR", "TB"}, optional
        From left to right, or from top to bottom. By default pictures run from left to right,
        and where they would be too wide to be read in rows or downwards; the stepper takes the
        direction that fills its page better.
    lines : SourceLines, optional
        Where a Value's graph was recorded; a function's is found by itself.
    lang : {"en", "es"}
        The language of all words: in boxes, notes and the legend, and of the stepper.

    Raises
    ------
    ArgumentTypeError
        If the target or its arguments cannot be drawn.
    ArgumentValueError
        If a choice is unknown, the function returns no Value, or a program is given options
        that need numbers or modules.
    CompileError
        If a compiled function has no program yet.

    Warns
    -----
    DrawingWarning
        If the graph was folded.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> a, b = ag.Value(2.0), ag.Value(-3.0)
    >>> [vertex.describe() for vertex in ag.draw(a * b).picture.vertices][0]
    'a; value 2.0'
    """
    require_choice("theme", theme, THEMES)
    require_choice("direction", direction, DIRECTIONS)
    require_choice("lang", lang, LANGUAGES)
    options = Options(depth, max_nodes, highlight, compare, lines)
    with speak(lang):
        picture, runs = compose_design(target, args, options, sys._getframe(1))
    return Drawing(Design(picture, runs, theme, direction, lang))


@dataclass(frozen=True)
class Options:
    """What is to be shown of a graph, and how much of it; the arguments of `draw`."""

    depth: int | None
    max_nodes: int
    highlight: str | None
    compare: Any
    lines: SourceLines | None

    def __post_init__(self) -> None:
        require_choice("highlight", self.highlight, HIGHLIGHTS)
        require_count("max_nodes", self.max_nodes, 10)
        if self.depth is not None:
            require_count("depth", self.depth, 0)
        if self.highlight is not None and self.compare is not None:
            raise ArgumentValueError(
                "draw: highlight and compare cannot be combined, both mark nodes; use one of them"
            )

    def refuse_program(self) -> None:
        """Refuse options that need numbers or modules."""
        for option in fields(self):
            if option.name != "max_nodes" and getattr(self, option.name) is not None:
                raise ArgumentValueError(
                    f"draw: {option.name} cannot be shown of a program, which has neither numbers "
                    "nor modules; draw the function with arguments, ag.draw(function, x)"
                )


def compose_design(
    target: Any, args: tuple[Any, ...], options: Options, frame: FrameType
) -> tuple[Picture, tuple[Scene, ...]]:
    """The picture of a target, and the runs that it shows; names come from the caller's frame."""
    program = draw_program(target, args)
    if program is not None:
        options.refuse_program()
        title = shorten(getattr(target, "__name__", "program"))
        picture, count = program_picture(program, title, options.max_nodes)
        warn_if_folded(count, len(picture.vertices), options.max_nodes)
        return picture, ()
    runs = [(target, args)]
    if options.compare is not None:
        runs.append(second_run(target, options.compare))
    subjects = [find_subject(*run, options.lines, frame) for run in runs]
    scenes = tuple(compose(x, options.depth, options.max_nodes) for x in subjects)
    for scene in scenes:
        warn_if_folded(len(scene.graph.nodes), len(scene.groups), options.max_nodes)
    if len(scenes) == 2:
        scenes = replace(scenes[0], prefix="a"), replace(scenes[1], prefix="b")
        return side_by_side(*scenes), scenes
    picture = scenes[0].picture()
    if options.highlight is not None:
        picture = HIGHLIGHTS[options.highlight](scenes[0], picture)
    return picture, scenes


def draw_program(target: Any, args: tuple[Any, ...]) -> Program | None:
    """The program to draw; None for a target that is to be drawn with its numbers."""
    if isinstance(target, Value) or (args and not isinstance(target, Program)):
        return None
    if args:
        raise ArgumentTypeError(
            "draw: a program takes no example arguments, it has been traced already; "
            "pass the function to draw it with numbers"
        )
    return program_of(target)


def second_run(target: Any, compare: Any) -> tuple[Any, tuple[Any, ...]]:
    """What to draw beside the target: another Value, or the same function of other arguments."""
    if isinstance(target, Value) and isinstance(compare, Value):
        return compare, ()
    if not isinstance(target, Value) and isinstance(compare, tuple):
        return target, compare
    raise ArgumentTypeError(
        f"draw: compare is {type(compare).__name__}; pass a Value to compare a Value with, "
        "or a tuple of other arguments to compare two runs of a function"
    )


def warn_if_folded(count: int, boxes: int, max_nodes: int) -> None:
    if boxes < count and count > max_nodes:
        warnings.warn(
            f"the graph has {count:,} nodes, more than max_nodes={max_nodes:,}, and is drawn "
            f"folded into {boxes:,}; pass max_nodes={count} to see all",
            DrawingWarning,
            stacklevel=4,  # the caller of draw
        )


def require_choice(argument: str, choice: str | None, choices: Collection[str]) -> None:
    if choice is not None and choice not in choices:
        raise ArgumentValueError(
            f"draw: {argument}={choice!r} is unknown; use {', '.join(map(repr, choices))}"
        )


def require_count(argument: str, count: Any, least: int) -> None:
    if isinstance(count, bool) or not isinstance(count, int):
        raise ArgumentTypeError(
            f"draw: {argument} is {type(count).__name__}; pass an integer of at least {least}"
        )
    if count < least:
        raise ArgumentValueError(f"draw: {argument}={count}; pass an integer of at least {least}")
