"""``draw`` and what it returns: a picture that knows how to be shown and saved."""

from __future__ import annotations

import html
import os
import sys
import tempfile
import warnings
import webbrowser
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError, MissingOptionError
from autograd_lite.core.value import Value
from autograd_lite.drawing.compare import side_by_side
from autograd_lite.drawing.dot import dot_source
from autograd_lite.drawing.formatting import shortened
from autograd_lite.drawing.graphviz_program import render
from autograd_lite.drawing.highlight import HIGHLIGHTS
from autograd_lite.drawing.layout import laid_out
from autograd_lite.drawing.picture import Picture
from autograd_lite.drawing.programs import is_program, program_of, program_picture
from autograd_lite.drawing.provenance import SourceLines
from autograd_lite.drawing.scene import Scene, compose
from autograd_lite.drawing.stepper import stepper_page
from autograd_lite.drawing.subject import Subject, checked_target, recorded, run
from autograd_lite.drawing.svg import svg_text
from autograd_lite.drawing.text import mermaid, plain_text
from autograd_lite.drawing.themes import THEMES
from autograd_lite.files import appearing_whole

if TYPE_CHECKING:
    from autograd_lite.compiler.ir import Program

__all__ = ["Drawing", "DrawingWarning", "draw"]

SUFFIXES = (".dot", ".svg", ".png", ".pdf", ".html", ".mmd", ".txt")

PROGRAM_HAS_NO_STEPS = (
    "a program cannot be stepped through, as it has no numbers; draw the function with "
    "arguments, ag.draw(function, x), and save that as .html, or the program as .svg"
)


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

    def __init__(
        self,
        runs: tuple[Scene, ...],
        picture: Picture,
        theme: str | None,
        direction: str | None,
    ) -> None:
        self.picture = picture
        self._runs = runs
        self._chosen_theme = theme
        self._theme = THEMES[theme or "light"]
        self._direction = direction

    def __repr__(self) -> str:
        shown = f"{len(self.picture.vertices)} nodes, {len(self.picture.edges)} edges"
        return f"<Drawing of {self.picture.title}: {shown}>"

    @cached_property
    def source(self) -> str:
        """The drawing in DOT, the language of Graphviz."""
        return dot_source(self.picture, self._theme, self._direction or "LR")

    @cached_property
    def svg(self) -> str:
        """The drawing as SVG, with a text alternative for every node.

        Raises
        ------
        MissingOptionError
            If there is no Graphviz to lay it out.
        """
        layout = laid_out(self.picture, self._direction or "LR")
        return svg_text(self.picture, layout, self._theme)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the drawing to a file, in the format that the suffix names.

        ====================  =======================================================
        ``.svg``              picture; needs the program ``dot`` or the extra ``draw``
        ``.png``, ``.pdf``    picture; needs the program ``dot``
        ``.html``             the computation and its gradient to step through; of a
                              program there is none, as it has no numbers
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
        path = Path(path)
        written = self._written(path.suffix.lower())
        with appearing_whole(path) as file:
            file.write(written)
        return path

    def show(self) -> Path:
        """Open the drawing in the web browser; it is written to a temporary file.

        The file is a picture; where there is no Graphviz the stepper, or text
        where there is nothing to step through.

        Returns
        -------
        Path
            The file that was opened.
        """
        without_graphviz = ".html" if self._runs else ".txt"
        suffix = without_graphviz if self._repr_svg_() is None else ".svg"
        path = self.save(Path(tempfile.mkdtemp(prefix="drawing-")) / f"drawing{suffix}")
        webbrowser.open(path.as_uri())
        return path

    def _written(self, suffix: str) -> bytes:
        if suffix == ".dot":
            return self.source.encode()
        if suffix == ".svg":
            return self.svg.encode()
        if suffix in (".png", ".pdf"):
            direction = self._direction or "LR"
            styled = dot_source(self.picture, self._theme, direction, styled=True)
            return render(styled, suffix[1:])
        if suffix == ".html":
            return self._stepper().encode()
        if suffix == ".mmd":
            return mermaid(self.picture, self._theme, self._direction or "LR").encode()
        if suffix == ".txt":
            return plain_text(self.picture).encode()
        raise ArgumentValueError(
            f"a drawing cannot be saved as {suffix or 'a file without suffix'!r}; "
            f"use one of {', '.join(SUFFIXES)}"
        )

    def _stepper(self) -> str:
        if not self._runs:
            raise ArgumentValueError(PROGRAM_HAS_NO_STEPS)
        return stepper_page(self._runs, self.picture, self._chosen_theme, self._direction)

    # What notebooks ask for.

    def _repr_svg_(self) -> str | None:
        try:
            return self.svg
        except MissingOptionError:
            return None

    def _repr_html_(self) -> str:
        svg = self._repr_svg_()
        shown = f"<pre>{html.escape(plain_text(self.picture))}</pre>" if svg is None else svg
        return f'<div style="overflow:auto">{shown}</div>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        bundle = {"text/plain": plain_text(self.picture), "text/html": self._repr_html_()}
        svg = self._repr_svg_()
        return bundle if svg is None else bundle | {"image/svg+xml": svg}


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
) -> Drawing:
    """Draw how a result was computed: its operations, their values and gradients.

    Of a program of `compile` the operations are drawn with shapes and dtypes,
    which is all that is known before it runs.

    Parameters
    ----------
    target : Value, function, module or program
        A Value is drawn with the graph that it was computed by, before or
        after ``backward()``.  A function or module is called once on
        ``args``; if it gives a single number, its gradients are drawn too.
        Nothing of the caller's is changed by that.  A compiled function
        without ``args`` is drawn as the program that it used last, and so is
        its ``program``; frames tell apart the forward computation, the reverse
        sweep and the update.
    *args
        Example arguments for a function or module.  Numbers and arrays of
        floats become Values of the drawing; Values are used as they are,
        arrays of integers (labels, indices) stay constants.
    depth : int, optional
        How deep modules are opened: 0 draws the model as one box, 1 its
        layers, and so on; runs of equal layers become one box.  All are
        opened by default, each with a frame around it.
    max_nodes : int
        A graph with more nodes is folded until it has at most so many.
    highlight : {"nan", "zero_grad", "path"}, optional
        Mark the first operation that made a NaN or infinity; the leaves that
        no gradient reaches, and where it was lost (a dead ReLU, a comparison,
        a detached input); or the path of the largest gradient.
    compare : Value or tuple, optional
        A second run of the same computation, drawn beside the first with all
        that differs marked: another Value, or for a function or module a
        tuple of other arguments.
    theme : {"light", "dark"}, optional
        Colours; both can be told apart by the colour-blind.  By default
        pictures are light, and the stepper follows the reader's setting.
    direction : {"LR", "TB"}, optional
        Whether the computation runs from left to right or from top to bottom.
        By default pictures run from left to right, and the stepper the way
        that fills its page better.
    lines : SourceLines, optional
        Where a Value's graph was recorded; a function's is found by itself.

    Returns
    -------
    Drawing
        Save it with ``drawing.save("graph.svg")``, or let a notebook show it.

    Raises
    ------
    ArgumentTypeError
        If the target is no Value and cannot be called, or a program was given
        arguments.
    ArgumentValueError
        If a choice is unknown, the function returns no Value, or ``depth``,
        ``highlight``, ``compare`` or ``lines`` are given with a program, which
        has neither numbers nor modules.
    CompileError
        If a compiled function has no program yet.

    Warns
    -----
    DrawingWarning
        If the graph was folded.

    Notes
    -----
    Names come from ``label=``, from the names of a module's parameters, and
    from the local variables that hold the Values.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> a, b = ag.Value(2.0), ag.Value(-3.0)
    >>> loss = a * b
    >>> loss.backward()
    >>> [vertex.describe() for vertex in ag.draw(loss).picture.vertices][0]
    'a; value 2.0; grad -3.0'

    The program of a compiled function:

    >>> import numpy as np
    >>> slope = ag.compile(ag.grad(lambda x: np.sum(np.sin(x))))
    >>> _ = slope(np.zeros(3))
    >>> [vertex.describe().partition("; <")[0] for vertex in ag.draw(slope).picture.vertices]
    ['x; (3,) float64', 'cos; (3,) float64']
    """
    if theme is not None:
        _check_choice("theme", theme, tuple(THEMES))
    if direction is not None:
        _check_choice("direction", direction, ("LR", "TB"))
    if highlight is not None:
        _check_choice("highlight", highlight, tuple(HIGHLIGHTS))
    _check_count("max_nodes", max_nodes, 10)
    if depth is not None:
        _check_count("depth", depth, 0)
    if highlight is not None and compare is not None:
        raise ArgumentValueError(
            "draw: highlight and compare cannot be combined, both mark nodes; use one of them"
        )
    options = {"depth": depth, "highlight": highlight, "compare": compare, "lines": lines}
    program = _program(target, args, options)
    if program is not None:
        title = shortened(getattr(target, "__name__", "program"))
        picture = _program_drawn(program, title, max_nodes)
        return Drawing((), picture, theme, direction)
    frame = sys._getframe(1)
    scene = _composed(_subject(target, args, lines, frame), depth, max_nodes)
    if compare is not None:
        other = _composed(_subject(*_second_run(target, compare), lines, frame), depth, max_nodes)
        runs = replace(scene, prefix="a"), replace(other, prefix="b")
        return Drawing(runs, side_by_side(*runs), theme, direction)
    picture = scene.picture()
    if highlight is not None:
        picture = HIGHLIGHTS[highlight](scene, picture)
    return Drawing((scene,), picture, theme, direction)


def _program(target: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Program | None:
    """The program to draw; None for a target that is to be drawn with its numbers."""
    if isinstance(target, Value) or (args and not is_program(target)):
        return None
    program = program_of(target)
    if program is None:
        return None
    if args:
        raise ArgumentTypeError(
            "draw: a program takes no example arguments, it has been traced already; "
            "pass the function to draw it with numbers"
        )
    for option, given in options.items():
        if given is not None:
            raise ArgumentValueError(
                f"draw: {option} cannot be shown of a program, which has neither numbers nor "
                "modules; draw the function with arguments, ag.draw(function, x)"
            )
    return program


def _program_drawn(program: Program, title: str, max_nodes: int) -> Picture:
    """The picture of a program, folded if it is too big; draw's caller is warned."""
    picture, count = program_picture(program, title, max_nodes)
    _warn_if_folded(count, len(picture.vertices), max_nodes)
    return picture


def _subject(
    target: Any, args: tuple[Any, ...], lines: SourceLines | None, frame: FrameType
) -> Subject:
    checked_target(target, args)
    return recorded(target, lines, frame) if isinstance(target, Value) else run(target, args)


def _second_run(target: Any, compare: Any) -> tuple[Any, tuple[Any, ...]]:
    """What to draw beside the target: another Value, or the same function of other arguments."""
    if isinstance(target, Value) != isinstance(compare, Value) or (
        not isinstance(target, Value) and not isinstance(compare, tuple)
    ):
        raise ArgumentTypeError(
            f"draw: compare is {type(compare).__name__}; pass a Value to compare a Value with, "
            "or a tuple of other arguments to compare two runs of a function"
        )
    return (compare, ()) if isinstance(compare, Value) else (target, compare)


def _composed(subject: Subject, depth: int | None, max_nodes: int) -> Scene:
    """The scene of a graph, folded if it is too big; draw's caller is warned."""
    scene = compose(
        subject.title,
        subject.graph,
        subject.names,
        subject.gradients,
        subject.lines,
        depth,
        max_nodes,
    )
    _warn_if_folded(len(subject.graph.nodes), len(scene.groups), max_nodes)
    return scene


def _warn_if_folded(count: int, boxes: int, max_nodes: int) -> None:
    if boxes < count and count > max_nodes:
        warnings.warn(
            f"the graph has {count:,} nodes, more than max_nodes={max_nodes:,}, and is drawn "
            f"folded into {boxes:,}; pass max_nodes={count} to see all",
            DrawingWarning,
            stacklevel=4,
        )


def _check_choice(argument: str, given: Any, choices: tuple[str, ...]) -> None:
    if given not in choices:
        raise ArgumentValueError(
            f"draw: {argument}={given!r} is unknown; use {', '.join(map(repr, choices))}"
        )


def _check_count(argument: str, given: Any, least: int) -> None:
    if isinstance(given, bool) or not isinstance(given, int):
        raise ArgumentTypeError(
            f"draw: {argument} is {type(given).__name__}; pass an integer of at least {least}"
        )
    if given < least:
        raise ArgumentValueError(f"draw: {argument}={given}; pass an integer of at least {least}")
