"""The writer of the stepper: one HTML file to walk through a computation and its gradient.

All that the page shows is computed here; its script only shows and hides it.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.resources import files
from itertools import zip_longest
from typing import Any

import numpy as np

from autograd_lite.core.duck_arrays import is_duck_array
from autograd_lite.core.errors import ArgumentValueError
from autograd_lite.drawing.backpropagation import backpropagation_from
from autograd_lite.drawing.collect import rank
from autograd_lite.drawing.compare import side_by_side
from autograd_lite.drawing.formats import Design, writer
from autograd_lite.drawing.formatting import array_facts, shape_text, shorten, whereabouts
from autograd_lite.drawing.languages import all_words, spoken, word
from autograd_lite.drawing.layout import lay_out
from autograd_lite.drawing.picture import Layout, Picture, Vertex
from autograd_lite.drawing.scene import Scene
from autograd_lite.drawing.story import Step, Story
from autograd_lite.drawing.themes import THEMES, Theme

__all__ = ["stepper"]

PAGE = (9.0, 6.5)
HEAT_MAP_NUMBERS = 12_000
"""How many numbers of arrays the page holds in all, so that it stays small."""
HEAT_MAP_SIDE = 16
TABLE_CHARACTERS = 1_000_000
"""How many characters of tables it holds in all, times the number of nodes."""


@writer(".html", "the stepper")
def stepper(design: Design) -> str:
    """The whole page, of one run or of two that are compared; nothing is loaded from elsewhere.

    Without a theme it follows the reader.
    """
    if not design.runs:
        raise ArgumentValueError(
            "a program cannot be stepped through, as it has no numbers; draw the function with "
            "arguments, ag.draw(function, x), and save that as .html, or the program as .svg"
        )
    sweeps = [backpropagation_from(run.root) for run in design.runs]
    runs = [
        run if sweep is None else replace(run, gradients=sweep.gradients)
        for run, sweep in zip(design.runs, sweeps, strict=True)
    ]
    picture = side_by_side(*runs) if len(runs) == 2 else with_gradients(design.picture, runs[0])
    room = TABLE_CHARACTERS // max(sum(len(run.graph.nodes) for run in runs), 20)
    stories = [Story(run, sweep, room) for run, sweep in zip(runs, sweeps, strict=True)]
    data = page_data(picture, best_layout(picture, design.direction), runs)
    steps = list(interleave(stories, picture))
    told = {
        part["words"][0]
        for step in steps
        for part in step.get("contributions", ())
        if "words" in part
    }
    words = all_words() | {sentence: word(sentence) for sentence in sorted(told)}
    return page_text(data | {"steps": steps, "words": words}, picture, design.theme)


def with_gradients(picture: Picture, run: Scene) -> Picture:
    """The picture with the gradients of a sweep in its boxes, as if it had been drawn after it."""
    swept = run.picture().vertices
    vertices = (replace(v, facts=w.facts) for v, w in zip(picture.vertices, swept, strict=True))
    return replace(picture, vertices=tuple(vertices))


def best_layout(picture: Picture, direction: str | None) -> Layout:
    """The layout; without a direction given, in the one that fills a page better."""
    ways = ("LR", "TB") if direction is None else (direction,)
    layouts = [lay_out(picture, way) for way in ways]
    return min(layouts, key=lambda layout: max(layout.width / PAGE[0], layout.height / PAGE[1]))


def interleave(stories: Sequence[Story], picture: Picture) -> Iterator[Step]:
    """The steps, phase by phase; of two runs first the step of the one, then that of the other."""
    titles = [cluster.title for cluster in picture.clusters if len(cluster.path) == 1]
    told = [list(story.steps()) for story in stories]
    yield {"phase": "start"}
    for phase in ("forward", "seed", "backward"):
        parts = [[step for step in steps if step["phase"] == phase] for steps in told]
        for like in zip_longest(*parts):
            for title, step in zip(titles if len(like) > 1 else [""], like, strict=True):
                if step is not None:
                    yield step | ({"run": title} if title else {})


def page_data(picture: Picture, layout: Layout, runs: Sequence[Scene]) -> dict[str, Any]:
    """The graph as it is drawn, and the full values of what it was computed with."""
    scenes = {run.prefix: run for run in runs}
    nodes = [node for run in runs for node in run.graph.nodes[:1000]]
    size = HEAT_MAP_NUMBERS // (2 * max(sum(rank(node.data) > 0 for node in nodes), 1))
    return {
        "size": [round(layout.width, 1), round(layout.height, 1)],
        "vertices": [
            vertex_data(v, scenes[v.key[0]], layout.boxes[v.key].rounded(), size)
            for v in picture.vertices
        ],
        "edges": list(edges_data(picture, layout)),
        "clusters": [
            {"path": c.path, "title": shorten(c.title, 60), "box": frame.rounded()}
            for c, frame in zip(picture.clusters, layout.frames, strict=True)
        ],
        "notes": picture.notes,
    }


def vertex_data(
    vertex: Vertex, scene: Scene, box: list[float], heat_map_size: int
) -> dict[str, Any]:
    shown = ("key", "kind", "title", "subtitle", "facts", "module")
    entry: dict[str, Any] = {name: getattr(vertex, name) for name in shown} | {"box": box}
    if vertex.marks:
        entry["marks"] = sorted(vertex.marks)
    if vertex.source:
        entry["source"] = shorten(vertex.source, 120)
    members, place = scene.contents(vertex.key)
    if place is not None:
        entry["value"] = full_value(members[0].inputs[place], heat_map_size)
    elif len(members) == 1:
        entry["value"] = full_value(members[0].data, heat_map_size)
        if members[0] in scene.gradients:
            entry["gradient"] = full_value(scene.gradients[members[0]], heat_map_size)
    return entry


def full_value(data: Any, heat_map_size: int) -> dict[str, Any]:
    """A number with all its digits; of an array the statistics and a heat map."""
    if isinstance(data, tuple):
        return {"text": word("tuple", count=len(data))}
    if is_duck_array(data):
        return {"text": f"{shape_text(data.shape)} {data.dtype}: {whereabouts(data)}"}
    array = np.asarray(data)
    if array.ndim == 0:
        return {"text": repr(array.item())}
    text = f"{shape_text(array.shape)} {array.dtype}: {array_facts(array)}"
    return {"text": text, **heat_map(array, heat_map_size)}


def heat_map(array: np.ndarray[Any, Any], size: int) -> dict[str, Any]:
    """The first numbers of an array in rows, at most so many."""
    if not array.size or array.dtype.kind not in "fiub":
        return {}
    rows = array.reshape(-1, array.shape[-1]).astype(float)
    width = max(min(rows.shape[1], HEAT_MAP_SIDE, size), 1)
    height = max(min(size // width, HEAT_MAP_SIDE), 1)
    part = rows[:height, :width]
    entry: dict[str, Any] = {
        "rows": [[float(f"{x:.4g}") if np.isfinite(x) else None for x in row] for row in part]
    }
    if part.size < array.size:
        shown = " × ".join(map(str, part.shape))
        entry["part"] = word("part", shown=shown, size=f"{array.size:,}")
    return entry


def edges_data(picture: Picture, layout: Layout) -> Iterator[dict[str, Any]]:
    for edge, path, place in zip(picture.edges, layout.paths, layout.labels, strict=True):
        entry: dict[str, Any] = {"tail": edge.tail, "head": edge.head, "path": path}
        if place is not None:
            entry |= {"label": edge.label, "at": [round(place[0], 1), round(place[1], 1)]}
        if edge.marks:
            entry["marks"] = sorted(edge.marks)
        yield entry


def page_text(data: dict[str, Any], picture: Picture, theme: str | None) -> str:
    """Fill the template; only scripts with the hashes named in it can run."""
    folder = files("autograd_lite.drawing") / "template"
    script = "\n".join((folder / name).read_text("utf-8") for name in ("graph.js", "stepper.js"))
    # In a script element only "<" can end the text; escaped it cannot.
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    parts = {
        "title": html.escape(shorten(picture.title, 80)),
        "description": html.escape(picture.describe()),
        "theme": theme or "reader",
        "lang": spoken(),
        **{key: html.escape(text) for key, text in all_words().items()},
        **{name: variables(colors) for name, colors in THEMES.items()},
        "data": text.replace("<", "\\u003c").replace("\u2028", "\\u2028"),
        "script": script,
        "hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    }
    page = (folder / "stepper.html").read_text("utf-8")
    page = page.replace("{{style}}", (folder / "stepper.css").read_text("utf-8"))
    return re.sub(r"{{(\w+)}}", lambda place: parts[place[1]], page)


def variables(theme: Theme) -> str:
    """The colours of a theme as variables of CSS."""
    names = ("background", "text", "muted", "line")
    colors = {name: getattr(theme, name) for name in names} | theme.fill
    colors |= {f"{kind}-line": color for kind, color in theme.border.items()}
    colors |= {"forward": theme.border["leaf"], "backward": theme.gradient}
    colors |= {"mark": theme.mark["first"], "tainted": theme.mark["tainted"]}
    return " ".join(f"--{name}: {color};" for name, color in colors.items())
