"""Two runs side by side, what differs marked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from autograd_lite.drawing.equations import NUMBERS
from autograd_lite.drawing.formatting import ALL_DIGITS, DIGITS, show
from autograd_lite.drawing.languages import word
from autograd_lite.drawing.picture import Cluster, Mark, Picture, Vertex
from autograd_lite.drawing.scene import Scene

__all__ = ["side_by_side"]

CHANGE = "changed"


def side_by_side(first: Scene, second: Scene) -> Picture:
    """One picture of two scenes; vertices that do the same but hold something else are marked.

    What differs although all that it was computed from is the same is a cause, and says what it
    was and is; the rest follows from the causes.  Prefixes tell the scenes apart and name their
    frames.
    """
    pictures = first.picture(), second.picture()
    paired = list(pairs(*pictures))
    names = first.title, second.title
    title, frames = word("two.and", first=names[0], second=names[1]), names
    if names[0] == names[1]:
        title = word("two.title", name=names[0])
        frames = word("two.first", name=names[0]), word("two.second", name=names[1])
    marks = differences((first, second), pictures, paired)
    changes = {}
    for a, b in paired:
        if marks.get(a.key) == "differs":
            changes[a.key] = changes[b.key] = change_text((first, second), a, b)
    parts = [
        frame_of(picture, frame, scene.prefix, marks, changes)
        for scene, picture, frame in zip((first, second), pictures, frames, strict=True)
    ]
    return Picture(
        title,
        parts[0].vertices + parts[1].vertices,
        parts[0].edges + parts[1].edges,
        parts[0].clusters + parts[1].clusters,
        tuple(notes_on(parts)),
        parts[0].results | parts[1].results,
    )


def differences(
    scenes: tuple[Scene, Scene],
    pictures: tuple[Picture, Picture],
    paired: list[tuple[Vertex, Vertex]],
) -> dict[str, Mark]:
    """The vertices that differ: "differs" where a difference begins, "tainted" where it goes."""
    same = {x.key for a, b in paired if same_in(scenes, a, b, contents) for x in (a, b)}
    equal = {x.key for a, b in paired if same_in(scenes, a, b, values) for x in (a, b)}
    marks: dict[str, Mark] = {}
    for picture in pictures:
        operands: dict[str, list[str]] = {}
        for edge in picture.edges:
            operands.setdefault(edge.head, []).append(edge.tail)
        for key in (vertex.key for vertex in picture.vertices if vertex.key not in same):
            began = key not in equal and all(x in equal for x in operands.get(key, ()))
            marks[key] = "differs" if began else "tainted"
    return marks


def same_in(
    scenes: tuple[Scene, Scene], a: Vertex, b: Vertex, held: Callable[[Scene, Vertex], Any]
) -> bool:
    return bool(held(scenes[0], a) == held(scenes[1], b))


def notes_on(parts: list[Picture]) -> Iterator[str]:
    """How much differs, and where it begins."""
    vertices = [vertex for part in parts for vertex in part.vertices]
    differing = sum(bool(vertex.marks) for vertex in vertices)
    if not differing:
        yield word("two.same")
        return
    yield word("two.differ", count=differing, size=len(vertices))
    cause = next((v for part in parts for v in part.vertices if "differs" in v.marks), None)
    if cause is not None:
        change = dict(cause.facts).get(CHANGE, word("two.alone"))
        said = "two.cause_at" if cause.source else "two.cause"
        yield word(said, name=cause.title, change=change, line=cause.source)


def change_text(scenes: tuple[Scene, Scene], a: Vertex, b: Vertex) -> str:
    """What a number was and is; of two arrays their first entries that differ, and how many do."""
    old, new = (held(scene, vertex) for scene, vertex in zip(scenes, (a, b), strict=True))
    are_numbers = all(isinstance(x, NUMBERS) for x in (old, new))
    if not are_numbers:
        return f"{value_text(a)} → {value_text(b)}"
    if np.shape(old) != np.shape(new):
        return f"{kind_text(old)} → {kind_text(new)}"
    if np.ndim(old) == 0:
        return change_of(old, new)
    places = np.argwhere((old != new) & ((old == old) | (new == new)))  # NaN is equal to NaN here
    if not places.size:
        return f"{kind_text(old)} → {kind_text(new)}"
    first = tuple(map(int, places[0]))
    change = change_of(old[first], new[first])
    return word(
        "two.entries", index=list(first), change=change, count=len(places), size=np.size(old)
    )


def kind_text(array: Any) -> str:
    """Shape and dtype, which may be all that differs."""
    return f"{np.shape(array)} {np.asarray(array).dtype}"


def change_of(old: Any, new: Any) -> str:
    """Two numbers with the digits that tell them apart; the same number with its dtypes."""
    for digits in range(DIGITS, ALL_DIGITS + 1):
        before, after = show(old, digits), show(new, digits)
        if before.text != after.text:
            return f"{before.marked} → {after.marked}"
    return f"{before.marked} {np.asarray(old).dtype} → {after.marked} {np.asarray(new).dtype}"


def held(scene: Scene, vertex: Vertex) -> Any:
    """The number or array in a box; None where there are several."""
    members, place = scene.contents(vertex.key)
    if place is not None:
        return members[0].inputs[place]
    return members[0].data if len(members) == 1 else None


def value_text(vertex: Vertex) -> str:
    """What a box says of its value; a constant is titled by it."""
    return dict(vertex.facts).get("value", vertex.title)


def pairs(first: Picture, second: Picture) -> Iterator[tuple[Vertex, Vertex]]:
    """Vertices that stand for the same step of the computation, in order."""
    steps = [[step(vertex) for vertex in picture.vertices] for picture in (first, second)]
    matcher = SequenceMatcher(None, steps[0], steps[1], autojunk=False)
    for a, b, length in matcher.get_matching_blocks():
        for offset in range(length):
            yield first.vertices[a + offset], second.vertices[b + offset]


def step(vertex: Vertex) -> tuple[str, ...]:
    """What a vertex does, whatever it holds and whichever variable holds it."""
    operation = vertex.subtitle or vertex.title
    return vertex.kind, "" if vertex.kind in ("leaf", "parameter", "constant") else operation


def contents(scene: Scene, vertex: Vertex) -> Any:
    """What a vertex holds, to the last bit, and its gradients."""
    members, place = scene.contents(vertex.key)
    if place is not None:
        return values(scene, vertex)
    return values(scene, vertex), [bits(scene.gradients.get(node)) for node in members]


def values(scene: Scene, vertex: Vertex) -> Any:
    """The numbers that a vertex holds, to the last bit."""
    members, place = scene.contents(vertex.key)
    if place is not None:
        return bits(members[0].inputs[place])
    return [bits(node.data) for node in members]


def bits(data: Any) -> Any:
    if isinstance(data, tuple):
        return [bits(part) for part in data]
    if data is None:
        return None
    array = np.asarray(data)
    return array.shape, str(array.dtype), array.tobytes()


def frame_of(
    picture: Picture, title: str, name: str, marks: dict[str, Mark], changes: dict[str, str]
) -> Picture:
    """The picture in a frame of its own, with the marks and changes of its vertices."""
    marked = picture.with_marks(marks, {})
    inner = (replace(c, path=(name, *c.path)) for c in picture.clusters)
    vertices = (
        replace(
            v,
            module=(name, *v.module),
            facts=(*v.facts, (CHANGE, changes[v.key])) if v.key in changes else v.facts,
        )
        for v in marked.vertices
    )
    return replace(marked, vertices=tuple(vertices), clusters=(Cluster((name,), title), *inner))
